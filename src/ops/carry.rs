//! The orchestrator's round: bring tasks from outboxes to inboxes, and tell the senders how far theirs got.
//!
//! Order within a round: the receiver's commit is there before the sender's record says so. Whatever is killed at
//! whatever point, the next round finds either a task still in the outbox (and recognises the copy at the receiver
//! by id and hash), or a record that says "delivered" and a receiver that has it.
//!
//! A receipt is no message that could get lost: it is read off the receiver's queue, each round anew.

mod deliver;
mod plan;
mod post;
mod receipts;

use std::time::Duration;

use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::Stage;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Mode, Operation};

pub(crate) use plan::{Plan, Tidings};

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
    pub(crate) receipts: Vec<Told>,
    pub(crate) dead: Vec<GivenUp>,
    pub(crate) problems: Vec<Problem>,
    /// Project id and how its commit ended.
    pub(crate) commits: Vec<(String, Committed)>,
}

/// What a round would do now. Reads only.
///
/// # Errors
/// Those of reading the registry; anything wrong with one project is a problem of the plan.
pub(crate) fn plan(orchestrator: &Queue, operation: &Operation<'_>) -> Result<Plan> {
    let posts = post::open_all(orchestrator)?;
    settle(&posts, operation.mode);
    let plan = plan::make(&posts, operation.at);
    Ok(Plan { basis: plan::basis(&posts, &plan), ..plan })
}

/// Do a round.
///
/// # Errors
/// Those of reading the registry; anything wrong with one project is a problem of the report.
pub(crate) fn carry(orchestrator: &Queue, operation: &mut Operation<'_>) -> Result<Report> {
    let posts = post::open_all(orchestrator)?;
    settle(&posts, operation.mode);
    let plan = plan::make(&posts, operation.at);
    operation.projects = plan.projects();
    deliver::execute(&posts, plan, operation)
}

/// Taking the lock puts in order what a killed process left behind: half of its files would be read otherwise, and
/// a letter seen neither in the outbox nor among the sent ones. Whoever holds the lock now does it himself.
fn settle(posts: &post::Posts, mode: Mode) {
    if mode == Mode::Write {
        for post in &posts.all {
            drop(post.queue.home.lock(Duration::ZERO));
        }
    }
}
