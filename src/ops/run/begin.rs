//! The first commit of a run: the task is claimed and the record is there before anything starts.

use jiff::SignedDuration;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::lease::Hold;
use crate::domain::run::record::Run;
use crate::domain::task::Folder;
use crate::format;
use crate::ops::{claim, step};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::tx::Tx;

use super::Caller;

/// Where the record of a run lies.
pub(crate) fn path(run: &Run) -> String {
    layout::run_path(run.id, run.task)
}

/// Commit the record, and the claim if the task is not held yet; gives the hold, which the record names.
///
/// # Errors
/// Those of claiming and of the commit.
pub(crate) fn begin(
    queue: &Queue,
    caller: &Caller<'_>,
    run: &mut Run,
    hold: Option<Hold>,
    lease: SignedDuration,
) -> Result<Option<Hold>> {
    let operation = caller.operation("run");
    let mut tx = Tx::begin_for_one(queue, &operation)?;
    let mut fact = Fact::of(EventKind::RunStarted).because(run.id.to_string());
    fact.task = run.task;
    tx.record(fact);
    let (hold, subject) = match (run.task, hold) {
        (Some(task), None) => {
            let (hold, subject) = take(&mut tx, task, lease)?;
            (Some(hold), subject)
        }
        (_, hold) => (hold, subject(run)),
    };
    run.token = hold.as_ref().and_then(|hold| hold.token);
    tx.put(&path(run), format::run::render(run).into_bytes())?;
    tx.commit(&subject)?;
    Ok(hold)
}

fn take(tx: &mut Tx<'_>, task: TaskId, lease: SignedDuration) -> Result<(Hold, String)> {
    let (queue, operation) = (tx.queue, tx.operation);
    let item = queue.find(&task.to_string(), &[Folder::Tasks])?;
    let (changed, subject) = step::apply(tx, &item, |subject| claim::take(queue, operation, subject, lease))?;
    let token = changed.task.lease.as_ref().map(|lease| lease.token);
    Ok((Hold { actor: operation.actor.clone(), token }, subject))
}

/// What a person reads in `git log --oneline`.
pub(crate) fn subject(run: &Run) -> String {
    match run.task {
        Some(task) => step::subject("run", task, &run.title),
        None => format!("run {} {}", run.id.short(), crate::domain::text::shown(&run.title)),
    }
}
