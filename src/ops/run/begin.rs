//! The first commit of a run: the task is claimed and the record is there before anything starts.

use jiff::SignedDuration;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::{self, Hold};
use crate::domain::run::record::Run;
use crate::domain::settings::CommitPolicy;
use crate::domain::task::Folder;
use crate::format;
use crate::ops::{claim, step};
use crate::store::queue::Queue;
use crate::store::tx::Tx;
use crate::store::{layout, runs};

use super::Caller;

/// Where the record of a run lies.
pub(crate) fn path(run: &Run) -> String {
    layout::run_path(run.id, run.task)
}

/// What a run begins with.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The hold, which the record names.
    pub(crate) hold: Option<Hold>,
    /// Why the record is not committed, although it should be: then nothing is started.
    pub(crate) unrecorded: Option<String>,
}

/// Commit the record, and the claim if the task is not held yet.
///
/// # Errors
/// Those of claiming and of the commit; [`Code::WrongState`] if another run is at work there.
pub(crate) fn begin(
    queue: &Queue,
    caller: &Caller<'_>,
    run: &mut Run,
    hold: Option<Hold>,
    lease: SignedDuration,
) -> Result<Begun> {
    let operation = caller.operation("run");
    let mut tx = Tx::begin_for_one(queue, &operation)?;
    refuse_company(queue, run)?;
    let mut fact = Fact::of(EventKind::RunStarted).because(run.id.to_string());
    fact.task = run.task;
    tx.record(fact);
    let (hold, subject) = match (run.task, hold) {
        (Some(task), None) => {
            let (hold, subject) = take(&mut tx, task, lease)?;
            (Some(hold), subject)
        }
        // Between two attempts somebody may have taken the task, or given it up.
        (Some(task), Some(hold)) => {
            let item = queue.find(&task.to_string(), &[Folder::Tasks])?;
            lease::still_holds(&item.task, task, &hold, operation.at)?;
            (Some(hold), subject(run))
        }
        (_, hold) => (hold, subject(run)),
    };
    run.token = hold.as_ref().and_then(|hold| hold.token);
    tx.put(&path(run), format::run::render(run).into_bytes())?;
    let committed = tx.commit(&subject)?;
    // Who commits by hand, or once in a session, wants it that way.
    let unrecorded = committed.debt.filter(|_| queue.settings.commit == CommitPolicy::Each);
    Ok(Begun { hold, unrecorded })
}

/// A branch and a session are one run's at a time. Under the queue's lock: of two that begin, one is first. Only a
/// session that goes on can be somebody else's; a task has its lease besides.
fn refuse_company(queue: &Queue, run: &Run) -> Result<()> {
    if run.resumed { refuse_running(queue, run) } else { Ok(()) }
}

/// Refuse what would be in the way of a run at the same branch.
///
/// # Errors
/// [`Code::WrongState`] with the run; those of reading records.
pub(super) fn refuse_running(queue: &Queue, run: &Run) -> Result<()> {
    let Some(other) = runs::beside(queue, run)?.pop() else { return Ok(()) };
    let short = other.id.short();
    Err(Fault::new(Code::WrongState, format!("run {short} is at work on the same branch"))
        .hint(format!("`swift run logs -f {short}` follows it"))
        .hint(format!("`swift run stop {short}` asks it to stop")))
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
