//! How work on a task goes on and how it ends.

use jiff::Timestamp;

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::{self, Hold};
use crate::domain::task::{Ending, Folder, State, Task};
use crate::store::queue::Queue;
use crate::store::replay;
use crate::store::tx::Operation;

use super::step::{self, Changed, Step, Subject};

/// Where a task can be finished from.
const LIVE: [Folder; 1] = [Folder::Tasks];

/// Finish a task, with a result if there is one to tell.
///
/// # Errors
/// [`Code::LeaseLost`], [`Code::Claimed`]; [`Code::WrongState`] if it is finished already.
pub(crate) fn done(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    result: Option<String>,
) -> Result<Changed> {
    // Late work is work all the same, as long as nobody has taken over.
    end(queue, operation, reference, hold, lease::may_act, |subject| {
        Ok(completion(subject, operation, result))
    })
}

/// The step that finishes a task.
pub(crate) fn completion(
    subject: &mut Subject<'_>,
    operation: &Operation<'_>,
    result: Option<String>,
) -> Step {
    subject.task.ending = Some(ending(operation, State::Done, result.clone()));
    Step::go(EventKind::TaskDone, Folder::Done).because(result)
}

/// Say that an attempt failed. After as many failures as the settings allow it becomes a dead letter.
///
/// # Errors
/// As [`done`].
pub(crate) fn fail(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    why: &str,
) -> Result<Changed> {
    let most = queue.settings.attempts;
    end(queue, operation, reference, hold, lease::may_end, |subject| {
        Ok(failure(subject, operation, most, why))
    })
}

/// The step that counts a failure, and gives the task up after `most` of them.
pub(crate) fn failure(subject: &mut Subject<'_>, operation: &Operation<'_>, most: u32, why: &str) -> Step {
    subject.task.attempts = subject.task.attempts.saturating_add(1);
    subject.task.lease = None;
    let cause = Some(why.to_owned());
    // No number of failures makes a dead letter where the settings say 0.
    if most == 0 || subject.task.attempts < most {
        return Step::stay(EventKind::TaskFailed, subject.item).because(cause);
    }
    let note = format!("failed {} times, last: {why}", subject.task.attempts);
    subject.task.ending = Some(ending(operation, State::Dead, Some(note)));
    Step::go(EventKind::TaskDead, Folder::Dead).because(cause)
}

fn end(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    may: fn(&Task, TaskId, &Hold, Timestamp) -> Result<()>,
    decide: impl FnOnce(&mut Subject<'_>) -> Result<Step>,
) -> Result<Changed> {
    step::change(queue, operation, reference, &[Folder::Tasks, Folder::Done, Folder::Dead], |subject| {
        refuse_ended(subject)?;
        may(subject.task, subject.id, hold, operation.at)?;
        subject.task.lease = None;
        decide(subject)
    })
}

fn refuse_ended(subject: &Subject<'_>) -> Result<()> {
    if subject.item.folder == Folder::Tasks {
        return Ok(());
    }
    let short = subject.id.short();
    let by = subject
        .task
        .ending
        .as_ref()
        .and_then(|e| e.by.as_ref())
        .map(|by| format!(" by `{by}`"))
        .unwrap_or_default();
    Err(Fault::new(Code::Changed, format!("task {short} has ended already{by}"))
        .hint(format!("`swift show {short}` tells how")))
}

fn ending(operation: &Operation<'_>, state: State, note: Option<String>) -> Ending {
    Ending { state, at: operation.at, by: Some(operation.actor.clone()), note }
}

/// Say that a task cannot go on, and why.
///
/// # Errors
/// As [`step::change`] and [`lease::may_end`].
pub(crate) fn block(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    hold: &Hold,
    why: &str,
) -> Result<Changed> {
    step::change(queue, operation, reference, &LIVE, |subject| {
        lease::may_end(subject.task, subject.id, hold, operation.at)?;
        subject.task.lease = None;
        subject.task.blocked = Some(why.to_owned());
        Ok(Step::stay(EventKind::TaskBlocked, subject.item).because(Some(why.to_owned())))
    })
}

/// Say that a task can go on.
///
/// # Errors
/// [`Code::WrongState`] if it is not blocked.
pub(crate) fn unblock(queue: &Queue, operation: &Operation<'_>, reference: &str) -> Result<Changed> {
    step::change(queue, operation, reference, &LIVE, |subject| {
        if subject.task.blocked.take().is_none() {
            return Err(Fault::new(Code::WrongState, format!("task {} is not blocked", subject.id.short())));
        }
        Ok(Step::stay(EventKind::TaskUnblocked, subject.item))
    })
}

/// Whether a letter was given up in the outbox, by the log: one that does not say whom it is for, say.
fn was_in_outbox(queue: &Queue, id: TaskId) -> Result<bool> {
    let events = replay::account_of(queue, id)?.events;
    let given_up = events.iter().rev().find(|event| event.fact.to == Some(State::Dead));
    Ok(given_up.is_some_and(|event| event.fact.from == Some(State::Outbox)))
}

/// Put a dead letter back to where it came from: the outbox if it could not be delivered, else the queue.
///
/// # Errors
/// As [`step::change`].
pub(crate) fn redrive(queue: &Queue, operation: &Operation<'_>, reference: &str) -> Result<Changed> {
    let own = queue.settings.id.as_str().to_owned();
    let aliases: Vec<String> = queue.settings.aliases.iter().map(ToString::to_string).collect();
    step::change(queue, operation, reference, &[Folder::Dead], |subject| {
        let token = subject.task.token;
        *subject.task = Task { token, ..subject.task.clone().without_progress() };
        let to = subject.task.to.as_ref().map(|to| to.as_str().to_owned());
        let is_for_own = to.is_none_or(|to| to == own || aliases.contains(&to));
        let is_own = is_for_own && !was_in_outbox(queue, subject.id)?;
        if !is_own {
            // The days after which an undeliverable task is given up count anew from here.
            subject.task.defer_until = Some(operation.at);
        }
        Ok(Step::go(EventKind::TaskRedriven, if is_own { Folder::Tasks } else { Folder::Outbox }))
    })
}
