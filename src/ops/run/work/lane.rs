//! One worker: task after task, each from its plan to its end.

use std::time::Duration;

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::Hold;
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::evidence::End;
use crate::domain::run::next::Next;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::Run;
use crate::env::signals::Asked;
use crate::ops::run::account::{self, Rest};
use crate::ops::run::drive::{self, Report};
use crate::ops::run::{About, Caller, Watch, ground, plan, stale};
use crate::ops::{progress, route};
use crate::store::queue::Queue;
use crate::store::tx::Tx;
use crate::store::{history, layout};

use super::board::{Board, Pick};
use super::{Shift, Stop, Tell};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The same where nothing can happen soon.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// One worker of a shift.
pub(super) struct Lane<'a> {
    pub(super) board: &'a Board,
    pub(super) caller: Caller<'a>,
    pub(super) shift: &'a Shift,
    pub(super) tell: Tell<'a>,
}

impl Lane<'_> {
    /// Until the shift has a reason to stop.
    pub(super) fn work(&self) -> Result<()> {
        let board = self.board;
        loop {
            if let Some(why) = self.reason_to_stop()? {
                board.stop(why);
            }
            if board.with(|state| state.stop.is_some()) {
                return Ok(());
            }
            match board.pick(self.caller.now())? {
                Pick::Task(project, task) => {
                    let done = self.one(&project, task);
                    board.left();
                    done?;
                }
                Pick::Wait => std::thread::park_timeout(PAUSE),
                Pick::Rest(rest) => self.rest(rest),
                Pick::Adopt(project) => self.adopt(&project),
                Pick::Nothing => {
                    board.stop(Stop::NothingReady);
                    return Ok(());
                }
            }
        }
    }

    fn reason_to_stop(&self) -> Result<Option<Stop>> {
        let is_asked = || self.board.signals.asked() > Asked::Nothing;
        let until = self.shift.until;
        if is_asked() {
            return Ok(Some(Stop::Asked));
        }
        if until.is_some_and(|until| self.caller.now() >= until) {
            return Ok(Some(Stop::Time));
        }
        let queue = Queue::open(&self.board.home)?;
        let Some(rest) = account::resting(&queue, &self.caller) else { return Ok(None) };
        let ends = rest.until.filter(|ends| until.is_some_and(|until| *ends < until));
        let Some(ends) = ends else { return Ok(Some(Stop::Account(rest.why))) };
        // The night is longer than the rest: wait for its end.
        while self.caller.now() < ends {
            if is_asked() {
                return Ok(Some(Stop::Asked));
            }
            std::thread::park_timeout(Duration::from_millis(200));
        }
        Ok(None)
    }

    /// Only models that rest are left. The night may be longer than that.
    fn rest(&self, rest: Rest) {
        let ends = rest.until.filter(|ends| self.shift.until.is_some_and(|until| *ends < until));
        match ends {
            Some(_) => std::thread::park_timeout(LONG_PAUSE),
            None => self.board.stop(Stop::Account(rest.why)),
        }
    }

    /// A task that was written by hand gets its id from the first verb that writes; then it is one like the others.
    fn adopt(&self, project: &str) {
        let Some(path) = self.board.paths.get(project) else { return };
        let operation = self.caller.operation("work");
        let recorded = Queue::open(path).and_then(|queue| {
            Tx::begin_for_one(&queue, &operation)?.commit("record what was written by hand").map(drop)
        });
        if let Err(fault) = recorded {
            self.board.note(format!("{project}: {fault}"));
        }
    }

    /// One task, from the plan to the end.
    fn one(&self, project: &str, task: TaskId) -> Result<()> {
        let (board, caller) = (self.board, &self.caller);
        let Some(path) = board.paths.get(project) else { return Ok(()) };
        let queue = Queue::open(path)?;
        if let Err(fault) = settings(&queue) {
            board.gives_up(project, fault);
            return Ok(());
        }
        let plan = match plan::plan(&queue, caller, &About::Task(task.to_string()), &self.shift.wanted) {
            Ok(plan) => plan,
            Err(fault) => return self.skip(project, task, fault),
        };
        if !board.knows(project, ground::committed_policy(&queue)?) {
            return Err(policy_changed(project));
        }
        if stale::kills_its_runs(&plan.earlier) && !was_unblocked(&queue, task)? {
            return self.quarantine(&queue, project, task);
        }
        let short = task.short();
        if let Some(why) = &plan.asks {
            board.note(format!("{project} {short}: not run, because a person has to say yes: {why}"));
            return Ok(());
        }
        if let Some(rest) = account::resting_model(&queue, caller, plan.choice.model()) {
            board.passes_over(task, rest);
            return Ok(());
        }
        let mut tell = |entry: &Entry| (self.tell)(&short, entry);
        let mut wish = || match board.signals.asked() {
            Asked::Nothing => None,
            Asked::Once => {
                self.acknowledge(&short);
                None
            }
            Asked::Twice => Some(End::Cancelled),
        };
        let mut watch = Watch { tell: &mut tell, wish: &mut wish };
        match drive::drive(&queue, caller, plan, &board.purse, &mut watch) {
            Ok(report) => self.take_down(&queue, project, task, &report),
            Err(fault) => return self.skip(project, task, fault),
        }
        Ok(())
    }

    /// Who has asked for the end is answered at once, by one of the workers: a run may take long, and who hears nothing asks
    /// again, which stops it.
    fn acknowledge(&self, task: &str) {
        if self.board.is_news() {
            let text =
                "asked to end: what runs is finished first, nothing new is begun; ctrl-c again stops it";
            (self.tell)(task, &Entry::new(self.caller.now(), EntryKind::Note, None, text));
        }
    }

    /// What a request came to, and whether its task may be taken again in this shift.
    fn take_down(&self, queue: &Queue, project: &str, task: TaskId, report: &Report) {
        let (board, short) = (self.board, task.short());
        let last = report.runs.last();
        board.with(|state| {
            state.notes.extend(report.notes.iter().map(|note| format!("{short}: {note}")));
            state.runs.extend(last.cloned().map(|run| (project.to_owned(), run)));
        });
        match (&report.next, last.and_then(Run::outcome)) {
            (Next::StopAll, Some(_)) => {
                let ending = last.and_then(|run| run.ending.as_ref());
                board.stop(Stop::Account(ending.map(|ending| ending.reasons.join("; ")).unwrap_or_default()));
            }
            // An attempt that failed is another one's to make, as long as the settings allow; one that never began is not.
            (Next::End, Some(outcome)) if counts_as_attempt(outcome) => {
                let most = queue.settings.attempts.max(1);
                board.with(|state| {
                    let tries = state.tries.entry(task).or_insert(0);
                    *tries += 1;
                    if *tries < most {
                        state.taken.remove(&task);
                    }
                });
            }
            // It waits for its time, and may be taken again after it.
            (Next::Park { .. }, _) => board.with(|state| _ = state.taken.remove(&task)),
            _ => {}
        }
    }

    /// A task that cannot be run now stops nothing else, unless nothing can be run.
    fn skip(&self, project: &str, task: TaskId, fault: Fault) -> Result<()> {
        let board = self.board;
        match fault.code {
            // What another run leaves of what it may spend is there for the next.
            Code::BudgetSpent if board.purse.is_promised() => {
                board.with(|state| _ = state.taken.remove(&task));
                std::thread::park_timeout(PAUSE);
            }
            Code::BudgetSpent => board.stop(Stop::Budget(fault.message)),
            // One run of this shift is trying whether it is over: what comes of it decides.
            Code::AccountRests if board.waits_for_another(task) => std::thread::park_timeout(PAUSE),
            Code::AccountRests => board.stop(Stop::Account(fault.message)),
            // Only just: it is looked at again before its next start.
            Code::ModelRests => board.passes_over(task, Rest { why: fault.message, until: None }),
            Code::NoClaude | Code::Recursion => return Err(fault),
            Code::NoVerifier => board.gives_up(project, fault),
            // Somebody else was faster, or in the middle of something. If it is still ready then, it is taken again.
            Code::Claimed
            | Code::TaskNotFound
            | Code::Overtaken
            | Code::Changed
            | Code::Waiting
            | Code::Busy
                if board.gives_back(task) =>
            {
                std::thread::park_timeout(PAUSE);
            }
            _ => board.note(format!("{project} {}: {fault}", task.short())),
        }
        Ok(())
    }

    fn quarantine(&self, queue: &Queue, project: &str, task: TaskId) -> Result<()> {
        let hold = Hold { actor: self.caller.actor.clone(), token: None };
        let operation = self.caller.operation("block");
        let why = stale::quarantine_reason();
        match progress::block(queue, &operation, &task.to_string(), &hold, &why) {
            Ok(_) => {
                self.board.note(format!("{project} {}: {why}", task.short()));
                Ok(())
            }
            Err(fault) => self.skip(project, task, fault),
        }
    }
}

fn policy_changed(project: &str) -> Fault {
    let text =
        format!("what runs may do in `{project}` was changed while this worked: nothing more is started");
    Fault::new(Code::Changed, text)
        .hint(format!(
            "look at it where `{project}` lies: `git -C .swift log --patch -- {}`",
            layout::SETTINGS
        ))
        .hint("then run the same command again")
}

/// What runs may do in a project, and when a person is asked: unattended, nothing runs while that cannot be read.
fn settings(queue: &Queue) -> Result<()> {
    ground::committed_policy(queue)?;
    route::committed_rules_of(queue).map(drop)
}

fn counts_as_attempt(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed(failure) => failure != Failure::Start,
        outcome => matches!(outcome, Outcome::TimedOut | Outcome::WithoutResult),
    }
}

/// A person has looked at it since.
fn was_unblocked(queue: &Queue, task: TaskId) -> Result<bool> {
    let last = history::last_event_of(queue, task)?;
    Ok(last.is_some_and(|event| event.fact.kind == EventKind::TaskUnblocked))
}
