//! Runs whose `swift` died: a record without an end, and nobody alive. They are given their end, by the clone that began
//! them: how a run of another one goes on is not seen here.

use jiff::SignedDuration;

use crate::agent::claude;
use crate::agent::process::kill_marked;
use crate::domain::fault::{Code, Result};
use crate::domain::id::TaskId;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::{Run, RunEnding};
use crate::domain::run::spend::{Figures, Spend};
use crate::domain::task::Folder;
use crate::store::kept;
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};

use super::{Caller, conclude, ground};

/// Why a run has no end of its own.
pub(super) const CUT_OFF: &str = "the swift that ran it ended before it did";

/// Why a run of another clone has no end of its own.
const NOT_TOLD: &str = "its lease ran out, and the clone that began it has not told of its end";

/// How long a run without a task, and so without a lease, is left to another clone.
const WITHOUT_LEASE: SignedDuration = SignedDuration::from_hours(24);

/// How many runs in a row may be killed or cut off before the task is put aside.
pub(crate) const MOST_KILLED: usize = 3;

/// Give their end to the runs among these that nobody runs any more, and their tasks back.
///
/// # Errors
/// Those of the commits.
pub(crate) fn settle(queue: &Queue, caller: &Caller<'_>, stored: &mut [Stored]) -> Result<()> {
    for stored in stored.iter_mut().filter(|stored| is_stale(queue, &stored.run)) {
        // Usually nothing is left; a guardian that was killed too may have left something.
        kill_marked(&claude::mark(&runs::live_path(queue, stored.run.id)));
        let id = stored.run.id;
        let transcript = kept::transcript(queue, id).or_else(|| runs::live_text(queue, id));
        let text = bounded(&String::from_utf8_lossy(&transcript.unwrap_or_default()));
        let ending = kept::last(queue, id).and_then(|run| run.ending);
        let ending = ending.unwrap_or_else(|| cut_off(caller, &stored.run));
        stored.run = conclude::abandon(queue, caller, &stored.run, ending, &text)?;
    }
    give_back(queue, caller, stored)
}

/// Who was killed between two attempts still holds the task, and no run tells of it.
fn give_back(queue: &Queue, caller: &Caller<'_>, stored: &[Stored]) -> Result<()> {
    for id in runs::left_pauses(queue) {
        let Some(stored) = stored.iter().find(|stored| stored.run.id == id) else { continue };
        conclude::give_back_left(queue, caller, &stored.run)?;
        runs::forget_pause(queue, id);
    }
    Ok(())
}

/// Whether a run that has not ended was begun in another clone, or in the folder that this one is a copy of.
pub(crate) fn is_elsewhere(queue: &Queue, run: &Run) -> bool {
    run.ending.is_none() && !runs::is_begun_here(queue, run.id)
}

/// Whether the hold of such a run is over, as far as is known here: then what it held may be taken.
fn is_lapsed(queue: &Queue, caller: &Caller<'_>, run: &Run) -> bool {
    let Some((task, token)) = run.task.zip(run.token) else {
        return caller.now().duration_since(run.started_at) >= WITHOUT_LEASE;
    };
    match queue.find(&task.to_string(), &[Folder::Tasks]) {
        Ok(item) => item.task.held(caller.now()).is_none_or(|lease| lease.token != token),
        Err(fault) => matches!(fault.code, Code::TaskNotFound | Code::Overtaken),
    }
}

/// Give a run of another clone its end if its hold is over, because somebody wants what it held; gives whether it has one
/// now.
///
/// # Errors
/// Those of the commit.
pub(super) fn take_over(queue: &Queue, caller: &Caller<'_>, stored: &mut Stored) -> Result<bool> {
    if is_elsewhere(queue, &stored.run) && is_lapsed(queue, caller, &stored.run) {
        let ending = RunEnding {
            reasons: vec![NOT_TOLD.to_owned()],
            spend: Spend {
                usd: ground::committed_policy(queue)?.max_usd,
                figures: Figures::AtMost,
                ..Spend::default()
            },
            ..cut_off(caller, &stored.run)
        };
        stored.run = conclude::abandon(queue, caller, &stored.run, ending, "")?;
    }
    Ok(stored.run.ending.is_some())
}

/// Whole lines from the beginning, not too many.
fn bounded(text: &str) -> String {
    const MOST: usize = 512 << 10;
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    if whole.len() <= MOST {
        return whole.to_owned();
    }
    let end = whole.as_bytes()[..MOST].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    whole[..end].to_owned()
}

fn is_stale(queue: &Queue, run: &Run) -> bool {
    run.ending.is_none() && runs::is_begun_here(queue, run.id) && !runs::is_alive(queue, run.id)
}

fn cut_off(caller: &Caller<'_>, run: &Run) -> RunEnding {
    RunEnding {
        at: caller.now(),
        outcome: Outcome::Interrupted,
        reasons: vec![CUT_OFF.to_owned()],
        model: None,
        turns: 0,
        spend: Spend::default(),
        summary: String::new(),
        denials: Vec::new(),
        verdicts: Vec::new(),
        commits: run.ending.as_ref().map(|ending| ending.commits.clone()).unwrap_or_default(),
        moved: Vec::new(),
        leftovers: 0,
    }
}

/// Why such a task is put aside.
pub(crate) fn quarantine_reason() -> String {
    format!("quarantined: its last {MOST_KILLED} runs were killed or cut off; `swift runs` shows them")
}

/// The runs of a task that somebody wants to run, oldest first, none of them stale.
///
/// # Errors
/// Those of reading and of the commits.
pub(crate) fn runs_of(queue: &Queue, caller: &Caller<'_>, task: TaskId) -> Result<Vec<Run>> {
    let mut found = runs::of_task(queue, task)?.all;
    if !runs::is_dry() {
        settle(queue, caller, &mut found)?;
        for stored in &mut found {
            take_over(queue, caller, stored)?;
        }
    }
    Ok(found.into_iter().map(|stored| stored.run).collect())
}

/// The runs of a prompt's session, oldest first, none of them stale.
///
/// # Errors
/// Those of reading and of the commits.
pub(crate) fn runs_of_session(queue: &Queue, caller: &Caller<'_>, run: &Run) -> Result<Vec<Run>> {
    let mut found = runs::of_prompts(queue)?.all;
    found.retain(|stored| stored.run.session == run.session);
    if !runs::is_dry() {
        settle(queue, caller, &mut found)?;
    }
    Ok(found.into_iter().map(|stored| stored.run).collect())
}

/// Whether the last runs of a task were all killed or cut off.
pub(crate) fn kills_its_runs(runs: &[Run]) -> bool {
    let is_killed = |run: &&Run| {
        run.review.is_none()
            && matches!(
                run.outcome(),
                Some(Outcome::Interrupted | Outcome::Failed(Failure::Killed | Failure::Crash))
            )
    };
    runs.iter().rev().take_while(is_killed).count() >= MOST_KILLED
}
