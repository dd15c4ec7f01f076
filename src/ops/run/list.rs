//! Looking at runs.

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::entry::Entry;
use crate::domain::text::shown;
use crate::format;
use crate::store::queue::Queue;
use crate::store::runs::{self, Runs, Stored};

use super::{Caller, background, stale};

/// All runs, oldest first; those whose `swift` died are given their end.
///
/// # Errors
/// Those of reading, and of the commits.
pub(crate) fn all(queue: &Queue, caller: &Caller<'_>) -> Result<Runs> {
    let mut found = runs::all(queue)?;
    if !runs::is_dry() {
        stale::settle(queue, caller, &mut found.all)?;
    }
    Ok(found)
}

/// The run that a reference names: a run's own, or a task's, whose latest it is then.
///
/// # Errors
/// [`Code::RunNotFound`], [`Code::Ambiguous`].
pub(crate) fn find(queue: &Queue, caller: &Caller<'_>, reference: &str) -> Result<Stored> {
    let mut found = match background::await_record(queue, reference, || runs::find(queue, reference))? {
        Some(stored) => vec![stored],
        None => of_task(queue, reference)?,
    };
    if !runs::is_dry() {
        stale::settle(queue, caller, &mut found)?;
    }
    found.pop().ok_or_else(|| {
        Fault::new(
            Code::RunNotFound,
            format!("no run and no task with runs answers to `{}`", shown(reference)),
        )
        .hint("`swift runs` lists them")
    })
}

fn of_task(queue: &Queue, reference: &str) -> Result<Vec<Stored>> {
    let is_short = reference.len() >= crate::domain::id::SHORTEST_REFERENCE
        && reference.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !is_short {
        return Ok(Vec::new());
    }
    let all = runs::all(queue)?.all;
    let names = |stored: &&Stored| {
        stored
            .run
            .task
            .is_some_and(|task| task.to_string() == reference || task.random_part().starts_with(reference))
    };
    Ok(all.iter().filter(names).cloned().collect())
}

/// The lines of a run's transcript; what is cut off or not known is left out.
///
/// # Errors
/// Those of reading.
pub(crate) fn log(queue: &Queue, stored: &Stored) -> Result<Vec<Entry>> {
    let bytes = runs::transcript(queue, stored)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter_map(format::transcript::parse).collect())
}

/// Ask a run to stop, or a request that waits to try again; the `swift` that runs it does so in a moment. Gives whether it
/// is asked: one of another clone, whose hold is over, only gets its end.
///
/// # Errors
/// [`Code::WrongState`] if it has ended, or goes on in another clone.
pub(crate) fn stop(queue: &Queue, caller: &Caller<'_>, stored: &mut Stored) -> Result<bool> {
    if let Some(outcome) = stored.run.outcome().filter(|_| !runs::is_paused(queue, stored.run.id)) {
        return Err(Fault::new(
            Code::WrongState,
            format!("run {} has ended: {outcome}", stored.run.id.short()),
        ));
    }
    if stale::is_elsewhere(queue, &stored.run) {
        return if stale::take_over(queue, caller, stored)? { Ok(false) } else { Err(elsewhere(stored)) };
    }
    runs::ask_to_stop(queue, stored.run.id).map(|()| true)
}

/// Refuse what can only be done where a run was begun.
///
/// # Errors
/// [`Code::WrongState`]
pub(crate) fn refuse_elsewhere(queue: &Queue, stored: &Stored) -> Result<()> {
    if stale::is_elsewhere(queue, &stored.run) { Err(elsewhere(stored)) } else { Ok(()) }
}

fn elsewhere(stored: &Stored) -> Fault {
    let short = stored.run.id.short();
    let text = format!("run {short} was begun in another clone, and only that one knows how it goes on");
    Fault::new(Code::WrongState, text)
        .hint("`git -C .swift fetch` and a merge bring its end, once that clone has pushed it")
}
