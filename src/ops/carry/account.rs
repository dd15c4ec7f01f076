//! What the receiver's log tells of a task whose file is nowhere in the queue: how it ended, that it was removed, or
//! that it was never there. Where the log says that it lives, nothing is known: a file can be away for a moment.

use super::post::Post;
use crate::domain::event::{Event, EventKind};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::task::{Receipt, Stage, State};
use crate::format::fit_for_a_receipt;
use crate::store::{branches, history};

/// What became of a task that has no file.
pub(super) enum Account {
    /// The log does not know it: the queue was restored from a backup.
    NeverHeardOf,
    /// It lives on another branch of the receiver's: what the log at hand has of it came along with a cherry-pick.
    On(String),
    /// It came to an end, and its file was cleared away; or it was removed before.
    Over(Receipt),
}

/// The receiver's account of a task.
///
/// # Errors
/// [`Code::TaskNotFound`] if the log says that it lives; those of reading the log, all of which has to be readable.
pub(super) fn of(post: &Post, id: TaskId) -> Result<Account> {
    let log = history::account_of(&post.queue, id)?;
    if let Some(problem) = log.problems.into_iter().next() {
        let message = format!("the log of `{}` cannot be read: {}", post.id, problem.fault);
        return Err(Fault { message, ..problem.fault });
    }
    let told: Vec<Event> = log.events.into_iter().filter(|event| event.fact.to.is_some()).collect();
    let Some(last) = told.last() else { return Ok(Account::NeverHeardOf) };
    let lasting = told.iter().rev().find(|event| event.fact.to != Some(State::Gone));
    if let Some((event, stage)) = lasting.and_then(|event| Some((event, stage(event)?))) {
        return Ok(Account::Over(receipt(post, event, stage, reason(&told, stage))));
    }
    if last.fact.to == Some(State::Gone) {
        let note = format!("removed from the queue of {}", post.id);
        return Ok(Account::Over(receipt(post, last, Stage::Dead, Some(note))));
    }
    if branches::was_never_here(&post.queue, id, &told)?
        && let Some(branch) = branches::with_task(&post.queue, id)?
    {
        return Ok(Account::On(branch));
    }
    Err(no_file(post, id, last.fact.to))
}

fn receipt(post: &Post, event: &Event, stage: Stage, note: Option<String>) -> Receipt {
    Receipt { stage, at: event.at, by: post.id.parse().ok(), note: note.map(fit_for_a_receipt) }
}

/// The end that an event tells of.
fn stage(event: &Event) -> Option<Stage> {
    match event.fact.to? {
        State::Done => Some(Stage::Done),
        State::Refused => Some(Stage::Refused),
        State::Dead => Some(Stage::Dead),
        _ => None,
    }
}

/// The result or the reason that a verb was given with this end. Events of other kinds have another cause.
fn reason(told: &[Event], ended: Stage) -> Option<String> {
    let by_a_verb = |event: &&Event| {
        matches!(event.fact.kind, EventKind::TaskDone | EventKind::TaskRefused | EventKind::TaskDead)
            && stage(event) == Some(ended)
    };
    told.iter().rev().find(by_a_verb)?.fact.cause.clone()
}

fn no_file(post: &Post, id: TaskId, state: Option<State>) -> Fault {
    let state = state.map_or("there", State::as_str);
    let folder = post.queue.home.root.parent().unwrap_or(&post.queue.home.root).display().to_string();
    let message = format!("`{}` has no file of task {}, and its log says {state}", post.id, id.short());
    Fault::new(Code::TaskNotFound, message)
        .hint(format!("see what is missing there: `swift -C {} doctor`", shell_words::quote(&folder)))
}
