//! The receiver's yes, no or later.

use jiff::Timestamp;

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::task::{Ending, Folder, State};
use crate::domain::text::shown;
use crate::store::queue::{Item, Queue};
use crate::store::tx::{Committed, Operation, Tx};

use super::step::{self, Changed, Step, Subject};

/// What waits, and what lies there and cannot be read.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Free to be accepted now.
    pub(crate) items: Vec<Item>,
    /// Put off until later.
    pub(crate) deferred: Vec<Item>,
    pub(crate) problems: Vec<Problem>,
}

/// What lies in the inbox.
pub(crate) fn waiting(queue: &Queue, now: Timestamp) -> Waiting {
    let listing = queue.list(&[Folder::Inbox]);
    let (deferred, items) =
        listing.items.into_iter().partition(|item| item.task.state(Folder::Inbox, now) == State::Deferred);
    Waiting { items, deferred, problems: listing.problems }
}

/// What a pass over the inbox did.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) accepted: Vec<Changed>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) committed: Committed,
}

/// Accept all tasks that are in `expected` (paths), in one commit. One that cannot be accepted stays, with its reason.
///
/// # Errors
/// Those of the lock and the commit.
pub(crate) fn accept_all(queue: &Queue, operation: &Operation<'_>) -> Result<Accepted> {
    accept_some(queue, operation, |_| Some(None))
}

/// Accept all tasks that a rule of the project's settings accepts, in one commit.
///
/// # Errors
/// Those of the lock and the commit.
pub(crate) fn accept_by_rule(queue: &Queue, operation: &Operation<'_>) -> Result<Accepted> {
    accept_some(queue, operation, |item| {
        let rule = queue.settings.auto.accept.rule_for(&item.task)?;
        (!operation.leaves_alone(queue, &item.path)).then(|| Some(format!("by the rule `{rule}`")))
    })
}

/// Accept those tasks for which there is a cause, which may be nothing but the person's word.
fn accept_some(
    queue: &Queue,
    operation: &Operation<'_>,
    cause: impl Fn(&Item) -> Option<Option<String>>,
) -> Result<Accepted> {
    let mut tx = Tx::begin(queue, operation)?;
    let waiting = waiting(queue, operation.at);
    let mut out =
        Accepted { accepted: Vec::new(), problems: waiting.problems, committed: Committed::default() };
    let wanted = waiting.items.into_iter().filter(|item| cause(item).is_some()).collect();
    for item in with_ids(&mut tx, wanted, &mut out.problems) {
        let Some(cause) = cause(&item) else { continue };
        let accept = |subject: &mut Subject<'_>| Ok(accept_step(subject)?.because(cause));
        match step::apply(&mut tx, &item, accept) {
            Ok((changed, _)) => out.accepted.push(changed),
            Err(fault) => out.problems.push(Problem::at(item.path, fault)),
        }
    }
    let subject = match out.accepted.as_slice() {
        [one] => step::subject("accept", one.id, &one.task.title),
        many => format!("accept {} tasks", many.len()),
    };
    out.committed = tx.commit(&subject)?;
    Ok(out)
}

/// The items as the transaction sees them: those that were dropped by hand have got their ids there.
pub(crate) fn with_ids(tx: &mut Tx<'_>, items: Vec<Item>, problems: &mut Vec<Problem>) -> Vec<Item> {
    let mut out = Vec::with_capacity(items.len());
    for mut item in items {
        if item.task.id.is_none() {
            match tx.document(&item.path) {
                Ok(document) => item.task = Box::new(document.task().clone()),
                Err(fault) => {
                    problems.push(Problem::at(item.path, fault));
                    continue;
                }
            }
        }
        match item.task.id {
            Some(_) => out.push(item),
            None => problems
                .push(Problem::at(item.path, Fault::new(Code::Changed, "the file was written just now"))),
        }
    }
    out
}

/// Accept one task.
///
/// # Errors
/// As [`step::change`].
pub(crate) fn accept(queue: &Queue, operation: &Operation<'_>, reference: &str) -> Result<Changed> {
    step::change(queue, operation, reference, &[Folder::Inbox], accept_step)
}

fn accept_step(subject: &mut Subject<'_>) -> Result<Step> {
    *subject.task = subject.task.clone().without_progress();
    Ok(Step::go(EventKind::TaskAccepted, Folder::Tasks))
}

/// Refuse one task; the reason travels back to the sender.
///
/// # Errors
/// As [`step::change`]; [`Code::InvalidValue`] without a reason: it is all that the sender hears.
pub(crate) fn refuse(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    why: &str,
) -> Result<Changed> {
    if why.trim().is_empty() {
        return Err(Fault::new(Code::InvalidValue, "the reason is empty; it is what the sender is told")
            .hint(format!("`swift inbox refuse {} --why \"…\"`", shown(reference))));
    }
    let ending = Ending {
        state: State::Refused,
        at: operation.at,
        by: Some(operation.actor.clone()),
        note: Some(why.to_owned()),
    };
    step::change(queue, operation, reference, &[Folder::Inbox], |subject| {
        *subject.task = subject.task.clone().without_progress();
        subject.task.ending = Some(ending);
        Ok(Step::go(EventKind::TaskRefused, Folder::Done).because(Some(why.to_owned())))
    })
}

/// Put one task off, in the inbox or among the accepted ones.
///
/// # Errors
/// As [`step::change`].
pub(crate) fn defer(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    until: Timestamp,
) -> Result<Changed> {
    step::change(queue, operation, reference, &[Folder::Inbox, Folder::Tasks], |subject| {
        subject.task.defer_until = Some(until);
        Ok(Step::stay(EventKind::TaskDeferred, subject.item).because(Some(format!("until {until}"))))
    })
}
