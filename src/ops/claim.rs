//! Take a task under a lease, keep it, give it back.

use jiff::SignedDuration;

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::lease::{self, Hold};
use crate::domain::task::Folder;
use crate::store::queue::{Item, Queue};
use crate::store::tx::{Operation, Tx};

use super::inbox;
use super::rank::{self, Obstacle};
use super::step::{self, Changed, Step, Subject};

/// Claim a task; without a reference the first that is ready.
///
/// # Errors
/// [`Code::Claimed`] with the holder, [`Code::NothingReady`], those of the commit.
pub(crate) fn claim(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: Option<&str>,
    length: SignedDuration,
) -> Result<Changed> {
    let decide = |subject: &mut Subject<'_>| hold(operation, subject, length);
    match reference {
        Some(reference) => step::change(queue, operation, reference, &[Folder::Tasks], |subject| {
            take(queue, operation, subject, length)
        }),
        None => {
            let mut tx = Tx::begin_for_one(queue, operation)?;
            let first = rank::first_ready(queue, operation)?.ok_or_else(nothing_ready)?;
            let first = with_id(&mut tx, first)?;
            let (changed, subject) = step::apply(&mut tx, &first, decide)?;
            let committed = tx.commit(&subject)?;
            Ok(Changed { committed, ..changed })
        }
    }
}

/// The step that claims a named task, unless it waits for others.
///
/// # Errors
/// [`Code::Waiting`]; those of [`lease::claim`].
pub(crate) fn take(
    queue: &Queue,
    operation: &Operation<'_>,
    subject: &mut Subject<'_>,
    length: SignedDuration,
) -> Result<Step> {
    refuse_waiting(queue, operation, subject)?;
    hold(operation, subject, length)
}

fn hold(operation: &Operation<'_>, subject: &mut Subject<'_>, length: SignedDuration) -> Result<Step> {
    let lease = lease::claim(subject.task, subject.id, &operation.actor, operation.at, length)?;
    subject.task.token = lease.token;
    subject.task.defer_until = None;
    subject.task.lease = Some(lease);
    Ok(Step::stay(EventKind::TaskClaimed, subject.item).because(Some(operation.actor.to_string())))
}

/// The first ready task may have been written by hand; the transaction has given it its id then.
fn with_id(tx: &mut Tx<'_>, item: Item) -> Result<Item> {
    let mut problems = Vec::new();
    let path = item.path.clone();
    inbox::with_ids(tx, vec![item], &mut problems).pop().ok_or_else(|| {
        let fault = problems.pop().map(|problem| problem.fault);
        fault.unwrap_or_else(|| Fault::new(Code::Changed, format!("`{path}` was changed just now")))
    })
}

/// A task that waits for others is not taken before them.
fn refuse_waiting(queue: &Queue, operation: &Operation<'_>, subject: &Subject<'_>) -> Result<()> {
    if subject.task.after.is_empty() {
        return Ok(());
    }
    match rank::waits(queue, operation.at, subject.id)? {
        None => Ok(()),
        Some((obstacle, reason)) => {
            let short = subject.id.short();
            let fault = Fault::new(Code::Waiting, format!("task {short} {reason}"))
                .hint("`swift next` shows what is ready");
            Err(match obstacle {
                Obstacle::Unreadable => fault.hint("`swift doctor` tells what is wrong with the file"),
                _ => fault.hint(format!("`swift edit {short} --clear after` if it need not wait")),
            })
        }
    }
}

fn nothing_ready() -> Fault {
    Fault::new(Code::NothingReady, "no task is ready")
        .hint("`swift next --why` tells what each task waits for")
}

/// Prolong a lease.
///
/// # Errors
/// As [`lease::renew`] and [`step::change`].
pub(crate) fn renew(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    length: SignedDuration,
) -> Result<Changed> {
    step::change(queue, operation, reference, &[Folder::Tasks], |subject| {
        subject.task.lease = Some(lease::renew(subject.task, subject.id, hold, operation.at, length)?);
        Ok(Step::stay(EventKind::TaskRenewed, subject.item))
    })
}

/// Give a task back to the queue.
///
/// # Errors
/// As [`lease::may_act`] and [`step::change`]; [`Code::WrongState`] if nobody holds it.
pub(crate) fn release(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
) -> Result<Changed> {
    step::change(queue, operation, reference, &[Folder::Tasks], |subject| {
        lease::may_act(subject.task, subject.id, hold, operation.at)?;
        if subject.task.lease.take().is_none() {
            let text = format!("nobody holds task {}", subject.id.short());
            return Err(lease::nobodys(subject.task, subject.id, text));
        }
        Ok(Step::stay(EventKind::TaskReleased, subject.item))
    })
}
