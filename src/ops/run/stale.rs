//! Runs whose `swift` died: a record without an end, and nobody alive. They are given their end.

use crate::agent::claude;
use crate::agent::process::kill_marked;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::{Run, RunEnding};
use crate::domain::run::spend::Spend;
use crate::store::kept;
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};

use super::Caller;
use super::conclude;

/// Why a run has no end of its own.
pub(super) const CUT_OFF: &str = "the swift that ran it ended before it did";

/// How many runs in a row may be killed or cut off before the task is put aside.
pub(crate) const MOST_KILLED: usize = 3;

/// Give their end to the runs among these that nobody runs any more.
///
/// # Errors
/// Those of the commits.
pub(crate) fn settle(queue: &Queue, caller: &Caller<'_>, stored: &mut [Stored]) -> Result<usize> {
    let mut settled = 0;
    for stored in stored.iter_mut().filter(|stored| is_stale(queue, &stored.run)) {
        // Usually nothing is left; a guardian that was killed too may have left something.
        kill_marked(&claude::mark(&runs::live_path(queue, stored.run.id)));
        let id = stored.run.id;
        let transcript = kept::transcript(queue, id).or_else(|| runs::live_text(queue, id));
        let text = bounded(&String::from_utf8_lossy(&transcript.unwrap_or_default()));
        let ending = kept::last(queue, id).and_then(|run| run.ending);
        let ending = ending.unwrap_or_else(|| cut_off(caller, &stored.run));
        stored.run = conclude::abandon(queue, caller, &stored.run, ending, &text)?;
        settled += 1;
    }
    Ok(settled)
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
    run.ending.is_none() && !runs::is_alive(queue, run.id)
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

/// The runs of a task, oldest first, none of them stale.
///
/// # Errors
/// Those of reading and of the commits.
pub(crate) fn runs_of(queue: &Queue, caller: &Caller<'_>, task: TaskId) -> Result<Vec<Run>> {
    let mut found = runs::of_task(queue, task)?.all;
    if !runs::is_dry() {
        settle(queue, caller, &mut found)?;
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
