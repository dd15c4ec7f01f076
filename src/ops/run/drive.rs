//! From a request to its end: attempts one after the other, as the policies say.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::Hold;
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::judge;
use crate::domain::run::next::{Count, Next};
use crate::domain::run::record::Run;
use crate::domain::run::tier::{Choice, Tier};
use crate::env::Stopwatch;
use crate::ops::claim;
use crate::store::queue::Queue;
use crate::store::runs;

use super::keeper::Keeper;
use super::plan::Plan;
use super::purse::Purse;
use super::{Caller, Watch, ground, stale};

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Report {
    /// Every attempt, oldest first; at least one.
    pub(crate) runs: Vec<Run>,
    /// What would follow, had it not ended here.
    pub(crate) next: Next,
    /// Where the work lies.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) notes: Vec<String>,
}

/// Run it to its end.
///
/// # Errors
/// Those of [`super::plan::plan`], [`crate::domain::fault::Code::AccountRests`], and those of the first commit:
/// nothing has been started then.
pub(crate) fn drive(
    queue: &Queue,
    caller: &Caller<'_>,
    plan: Plan,
    purse: &Purse,
    watch: &mut Watch<'_>,
) -> Result<Report> {
    if stale::kills_its_runs(&plan.earlier) {
        let short = plan.task_id().map(TaskId::short).unwrap_or_default();
        (watch.tell)(&Entry::new(
            caller.now(),
            EntryKind::Note,
            None,
            format!("the last {} runs of task {short} were killed or cut off", stale::MOST_KILLED),
        ));
    }
    let mut drive = Drive {
        queue,
        caller,
        count: Count::default(),
        choice: plan.choice.clone(),
        resumes: plan.resumes.clone(),
        hold: None,
        purse,
        runs: Vec::new(),
        notes: plan.warning.iter().cloned().collect(),
        folder: None,
        pause: None,
        max_usd: plan.policy.max_usd,
        plan,
    };
    drive.all_attempts(watch)
}

/// A request on its way.
pub(super) struct Drive<'a> {
    pub(super) queue: &'a Queue,
    pub(super) caller: &'a Caller<'a>,
    pub(super) plan: Plan,
    pub(super) count: Count,
    pub(super) choice: Choice,
    pub(super) resumes: Option<Run>,
    pub(super) hold: Option<Hold>,
    purse: &'a Purse,
    pub(super) runs: Vec<Run>,
    pub(super) notes: Vec<String>,
    pub(super) folder: Option<PathBuf>,
    /// From before the end of an attempt is committed until the next one has its record: if this is killed meanwhile, it
    /// tells that the task is held by nobody.
    pub(super) pause: Option<runs::Pause<'a>>,
    /// What all attempts may cost together.
    max_usd: f64,
}

impl Drive<'_> {
    fn all_attempts(&mut self, watch: &mut Watch<'_>) -> Result<Report> {
        loop {
            let next = match self.one(watch) {
                Ok(next) => next,
                Err(fault) if self.runs.is_empty() => return Err(fault),
                Err(fault) => {
                    self.notes.push(fault.message);
                    self.release();
                    Next::End
                }
            };
            if !self.goes_on(&next, watch) {
                if matches!(next, Next::Retry { .. }) {
                    self.release();
                }
                let (runs, notes) = (std::mem::take(&mut self.runs), std::mem::take(&mut self.notes));
                return Ok(Report { runs, next, folder: self.folder.take(), notes });
            }
        }
    }

    /// One attempt, if there is money and leave for it.
    fn one(&mut self, watch: &mut Watch<'_>) -> Result<Next> {
        let promise = self.purse.ask(self.left()?)?;
        self.plan.policy.max_usd = promise.usd;
        let before = self.runs.len();
        let settings = ground::committed_settings(self.queue);
        let next = self.attempt(watch);
        self.notes.extend(ground::changed_settings(self.queue, settings.as_deref()));
        match self.runs.get(before).and_then(|run| run.ending.as_ref()) {
            Some(ending) => self.purse.settle(promise, ending.spend.usd),
            None => self.purse.give_back(promise),
        }
        next
    }

    /// What the request may still cost: all its attempts share one limit.
    fn left(&self) -> Result<f64> {
        let spent = spent(&self.runs);
        if self.runs.is_empty() || spent < self.max_usd {
            return Ok(self.max_usd - spent);
        }
        let text = format!("of ${:.2} for this request nothing is left for another attempt", self.max_usd);
        Err(Fault::new(Code::BudgetSpent, text).hint("`--max-usd` allows more"))
    }

    /// Get ready for another attempt, if there is to be one.
    fn goes_on(&mut self, next: &Next, watch: &mut Watch<'_>) -> bool {
        match next {
            Next::Retry { .. } if self.has_lost_its_session(self.runs.last()) => {
                self.resumes = None;
                true
            }
            Next::Retry { after } => {
                self.count.retries += 1;
                self.wait(*after, watch)
            }
            Next::Escalate { to } => {
                self.count.escalations += 1;
                self.escalate(*to);
                true
            }
            _ => false,
        }
    }

    /// The session that was to go on is not known on this machine: it was begun on another one, or was cleared away. A task
    /// can be told anew, with what became of it so far; what a person has said to the session cannot.
    pub(super) fn has_lost_its_session(&self, run: Option<&Run>) -> bool {
        let ending = run.and_then(|run| run.ending.as_ref());
        self.resumes.is_some()
            && self.plan.task.is_some()
            && self.plan.said.trim().is_empty()
            && ending.is_some_and(|ending| ending.reasons.iter().any(|why| judge::is_lost_session(why)))
    }

    fn escalate(&mut self, to: Tier) {
        let outcome = self.runs.last().and_then(Run::outcome).map(|outcome| outcome.to_string());
        let why = format!("{} {}", self.choice.tier, outcome.unwrap_or_default());
        self.choice = Choice { tier: to, model: None, rule: "escalation".to_owned(), reasons: vec![why] };
        self.resumes = None;
    }

    /// Wait, unless somebody wishes an end; gives whether to go on.
    fn wait(&mut self, length: Duration, watch: &mut Watch<'_>) -> bool {
        let waited = Stopwatch::start();
        let mut keeper = Keeper::new(self.queue, self.caller, self.hold.clone(), self.plan.task_id());
        let last = self.runs.last().map(|run| run.id);
        while waited.passed() < length {
            if last.is_some_and(|id| runs::is_asked_to_stop(self.queue, id)) {
                return false;
            }
            if (watch.wish)().or_else(|| keeper.look()).is_some() {
                return false;
            }
            std::thread::park_timeout(Duration::from_millis(50).min(length));
        }
        true
    }

    /// Give the task back when no attempt follows after all.
    fn release(&mut self) {
        if let (Some(hold), Some(task)) = (self.hold.take(), self.plan.task_id()) {
            // Held by nobody in a moment anyway.
            let _ = claim::release(self.queue, &self.caller.operation("release"), &task.to_string(), &hold);
        }
    }
}

/// What attempts cost together, in US dollars.
pub(crate) fn spent(runs: &[Run]) -> f64 {
    runs.iter()
        .filter_map(|run| run.ending.as_ref())
        .map(|ending| ending.spend.usd)
        .fold(0.0, |sum, usd| sum + usd)
}

/// Until when a task waits, if it does.
pub(crate) fn parked(next: &Next) -> Option<Timestamp> {
    match next {
        Next::Park { until } => Some(*until),
        _ => None,
    }
}
