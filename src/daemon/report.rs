//! What the watcher says, as plain data.

use std::net::SocketAddr;

use crate::domain::fault::Code;
use crate::domain::problem::Problem;
use crate::ops::carry::{Delivered, GivenUp, Report, StruckOff, Told as Receipt};
use crate::ops::step::Changed;
use crate::ops::upkeep::PutAside;
use crate::store::queue::Item;
use crate::store::tx::Committed;

/// Something that a person who looks on wants to hear.
#[derive(Debug)]
pub(crate) enum Told {
    /// The watcher before was killed; its place is taken.
    TakenOver {
        pid: u32,
        since: String,
    },
    /// It watches now.
    Watching {
        projects: usize,
    },
    /// Numbers can be had there.
    Serving {
        address: SocketAddr,
    },
    /// Changes in a project cannot be noticed, so it is looked at again and again.
    Polling {
        project: String,
        why: String,
    },
    /// Something was done.
    Worked(Box<Work>),
    /// Something stands in the way, told once.
    Problem(Problem),
    /// It was ended in the middle of something that takes long.
    Interrupted,
    Ended,
}

/// What was done, in one pass or in all.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) delivered: Vec<Delivered>,
    /// What lies at its receiver, and the sender could not write so.
    pub(crate) arrived: Vec<Delivered>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) given_up: Vec<GivenUp>,
    pub(crate) struck_off: Vec<StruckOff>,
    /// Projects in which what had to wait was committed.
    pub(crate) paid: Vec<String>,
    /// Each with its project.
    pub(crate) accepted: Vec<(String, Changed)>,
    pub(crate) released: Vec<(String, Changed)>,
    pub(crate) put_aside: Vec<(String, PutAside)>,
    pub(crate) asked: Vec<(String, Item)>,
    /// Projects and how their commits ended.
    pub(crate) commits: Vec<(String, Committed)>,
    pub(crate) problems: Vec<Problem>,
    /// The projects in which something could not be done that had to be, each with why.
    pub(crate) failed: Vec<(String, Code)>,
}

impl Work {
    /// What carrying did.
    pub(super) fn carried(report: Report) -> Work {
        Work {
            delivered: report.delivered,
            arrived: report.arrived,
            receipts: report.receipts,
            given_up: report.dead,
            struck_off: report.struck_off,
            paid: report.paid,
            commits: report.commits,
            problems: report.problems,
            failed: report.failed,
            ..Work::default()
        }
    }

    /// Whether nothing was done.
    pub(crate) fn is_empty(&self) -> bool {
        self.delivered.is_empty()
            && self.arrived.is_empty()
            && self.receipts.is_empty()
            && self.given_up.is_empty()
            && self.struck_off.is_empty()
            && self.paid.is_empty()
            && self.accepted.is_empty()
            && self.released.is_empty()
            && self.put_aside.is_empty()
            && self.asked.is_empty()
    }

    /// Add what another pass did; what stands in the way is not added up, and what had failed before and has not failed
    /// now, in a project of which the pass was, is done.
    pub(crate) fn add(&mut self, other: Work, is_covered: impl Fn(&str) -> bool) {
        self.failed.retain(|(project, _)| !is_covered(project));
        self.failed.extend(other.failed);
        // What has arrived, and was not noted, a later pass has noted as a receipt.
        self.arrived.retain(|it| !is_covered(&it.from));
        self.arrived.extend(other.arrived);
        self.delivered.extend(other.delivered);
        self.receipts.extend(other.receipts);
        self.given_up.extend(other.given_up);
        self.struck_off.extend(other.struck_off);
        self.paid.extend(other.paid);
        self.accepted.extend(other.accepted);
        self.released.extend(other.released);
        self.put_aside.extend(other.put_aside);
        self.asked.extend(other.asked);
        self.commits.extend(other.commits);
    }
}
