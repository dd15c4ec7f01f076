//! A run in the background: asked for here, made by a process of its own.

use std::path::Path;
use std::time::Duration;

use crate::agent::{detached, find};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::RunId;
use crate::env::Stopwatch;
use crate::store::background::{self, Pending, Standing};
use crate::store::queue::Queue;
use crate::store::runs;

use super::ground::Subject;
use super::{Caller, account, ground};

/// Refuse a prompt of which is known beforehand, without a process, that no run of it would begin: the policy cannot be
/// read, a verifier is not there, git could make no worktree. For those who do not wait for its beginning.
///
/// # Errors
/// Those of [`ground::committed_policy`], [`ground::verifiers`] and [`ground::checkout_for`].
pub(crate) fn foresee(queue: &Queue, caller: &Caller<'_>) -> Result<()> {
    ground::verifiers(caller, &ground::committed_policy(queue)?)?;
    let subject = Subject::Prompt(caller.env.run_id());
    ground::checkout_for(queue, runs::project_folder(queue), subject).map(drop)
}

/// Start it; gives the id that the run will have.
///
/// What can be told beforehand is: a program that is not there, an account that rests, a run that would start a run. What
/// goes wrong later is told by `swift runs`, and the text is kept.
///
/// # Errors
/// [`Code::Recursion`], [`Code::NoClaude`], [`Code::AccountRests`], [`Code::Io`]; nothing was started then.
pub(crate) fn start(
    queue: &Queue,
    caller: &Caller<'_>,
    folder: &Path,
    text: &str,
    words: impl FnOnce(RunId) -> Vec<String>,
) -> Result<RunId> {
    ground::refuse_recursion()?;
    find::find(&caller.environment)?;
    if let Some(rest) = account::resting(queue, caller) {
        return Err(Fault::new(Code::AccountRests, rest.why).hint("`swift runs` shows what happened"));
    }
    let id = caller.env.run_id();
    let handed = background::hand_over(queue, id, text)?;
    detached::start(&words(id), folder, handed.request, handed.said).map_err(|error| {
        background::forget(queue, id);
        Fault::new(Code::Io, format!("swift cannot be started: {error}"))
    })?;
    Ok(id)
}

/// How long a run that is starting is waited for before its record is said not to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Wait for the record of a run that is starting; a fault that tells what is wrong if none will come.
///
/// # Errors
/// [`Code::RunNotFound`] with the reason.
pub(super) fn await_record<T>(
    queue: &Queue,
    reference: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let waited = Stopwatch::start();
    loop {
        // Looked at in this order: the request goes when the record is there.
        let pending = named(queue, reference);
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        match pending.map(|pending| (pending.id, pending.standing)) {
            Some((_, Standing::Starting)) if waited.passed() < PATIENCE => {
                std::thread::park_timeout(PAUSE);
            }
            Some((id, Standing::NotBegun(why))) => {
                return Err(Fault::new(
                    Code::RunNotFound,
                    format!("run {} was not begun: {why}", id.short()),
                )
                .hint(format!("what was asked is kept: `cat .swift/local/runs/{id}.request`")));
            }
            _ => return Ok(None),
        }
    }
}

fn named(queue: &Queue, reference: &str) -> Option<Pending> {
    let is_it = |id: RunId| id.to_string() == reference || id.random_part().starts_with(reference);
    background::pending(queue).into_iter().find(|pending| is_it(pending.id))
}
