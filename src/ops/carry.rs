//! The orchestrator's round: bring tasks from outboxes to inboxes, and tell the senders how far theirs got.
//!
//! Order within a round: the receiver's commit is there before the sender's record says so. Whatever is killed at
//! whatever point, the next round finds either a task still in the outbox (and recognises the copy at the receiver
//! by id and hash), or a record that says "delivered" and a receiver that has it.
//!
//! A receipt is no message that could get lost: it is read off the receiver's queue, each round anew.

mod account;
mod attempts;
mod carried_to;
pub(crate) mod cut_off;
mod deliver;
mod plan;
mod post;
mod receipts;
mod taken_back;
mod there;

use crate::domain::fault::{Code, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Receipt, Stage};
use crate::ops::carrier;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Operation};

pub(crate) use carried_to::{project as carried_to, says_otherwise};
pub(crate) use plan::{Plan, Tidings};
pub(crate) use post::Part;

/// A task that was carried.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    pub(crate) id: TaskId,
    pub(crate) title: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Where it lies now, relative to the receiver's `.swift/`.
    pub(crate) path: String,
}

/// What a sender's record learned.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) id: TaskId,
    pub(crate) title: String,
    /// The sender.
    pub(crate) project: String,
    /// The project that has the task.
    pub(crate) by: String,
    pub(crate) stage: Stage,
    pub(crate) note: Option<String>,
}

impl Told {
    /// What a receipt tells the sender.
    fn of(id: TaskId, title: &str, project: &str, receipt: &Receipt) -> Told {
        Told {
            id,
            title: title.to_owned(),
            project: project.to_owned(),
            by: receipt.by.as_ref().map(ToString::to_string).unwrap_or_default(),
            stage: receipt.stage,
            note: receipt.note.clone(),
        }
    }

    /// The same as the cause of an event.
    fn cause(&self) -> String {
        match &self.note {
            Some(note) => format!("{} by {}: {note}", self.stage, self.by),
            None => format!("{} by {}", self.stage, self.by),
        }
    }
}

/// A file of an outbox that was the same as what has left already.
#[derive(Debug, Clone)]
pub(crate) struct StruckOff {
    pub(crate) id: TaskId,
    /// The sender.
    pub(crate) project: String,
    pub(crate) path: String,
    /// What stays of it at the sender.
    pub(crate) record: String,
}

/// A task that was given up because it could not be delivered.
#[derive(Debug, Clone)]
pub(crate) struct GivenUp {
    pub(crate) id: TaskId,
    pub(crate) title: String,
    pub(crate) project: String,
    pub(crate) reason: String,
}

/// What a round did.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) delivered: Vec<Delivered>,
    /// What lies at its receiver, and the sender could not write so; the next round does.
    pub(crate) arrived: Vec<Delivered>,
    pub(crate) receipts: Vec<Told>,
    pub(crate) dead: Vec<GivenUp>,
    pub(crate) struck_off: Vec<StruckOff>,
    /// The projects in which what had to wait was committed.
    pub(crate) paid: Vec<String>,
    pub(crate) problems: Vec<Problem>,
    /// The projects in which what the round had to do could not be done, each with why.
    pub(crate) failed: Vec<(String, Code)>,
    /// Project id and how its commit ended.
    pub(crate) commits: Vec<(String, Committed)>,
}

/// What a round would do now. Reads only.
///
/// # Errors
/// Those of reading the registry; anything wrong with one project is a problem of the plan.
pub(crate) fn plan(orchestrator: &Queue, operation: &Operation<'_>) -> Result<Plan> {
    let posts = post::open(orchestrator, None)?;
    let plan = plan::make(&posts, operation);
    Ok(Plan { basis: plan::basis(&posts, &plan), ..plan })
}

/// Do a round.
///
/// # Errors
/// Those of reading the registry; anything wrong with one project is a problem of the report.
pub(crate) fn carry(orchestrator: &Queue, operation: &mut Operation<'_>) -> Result<Report> {
    let posts = post::open(orchestrator, None)?;
    let plan = plan::make(&posts, operation);
    count_attempts(orchestrator, &plan);
    be_found(orchestrator, &posts);
    operation.projects = plan.projects();
    deliver::execute(&posts, plan, operation)
}

/// Do a part of a round.
///
/// # Errors
/// As [`carry`].
pub(crate) fn carry_part(orchestrator: &Queue, operation: &mut Operation<'_>, part: &Part) -> Result<Report> {
    let posts = post::open(orchestrator, Some(part))?;
    let plan = plan::make(&posts, operation);
    let is_of_senders = |key: &str| key.split(' ').next().is_some_and(|id| part.senders.contains(id));
    attempts::count(&orchestrator.local, &plan.held, is_of_senders);
    be_found(orchestrator, &posts);
    operation.projects = plan.projects();
    deliver::execute(&posts, plan, operation)
}

/// There is nothing to carry; what else a round does is done.
///
/// # Errors
/// Those of reading the registry.
pub(crate) fn carry_nothing(orchestrator: &Queue, plan: &Plan) -> Result<()> {
    count_attempts(orchestrator, plan);
    be_found(orchestrator, &post::open(orchestrator, None)?);
    Ok(())
}

fn be_found(orchestrator: &Queue, posts: &post::Posts) {
    carrier::be_found(orchestrator, posts.all.iter().map(|post| &post.queue));
}

/// Count a round for every task that it could not deliver; the settings may limit how many there are.
fn count_attempts(orchestrator: &Queue, plan: &Plan) {
    attempts::count(&orchestrator.local, &plan.held, |_| true);
}
