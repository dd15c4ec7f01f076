//! The second commit of a run: how it ended, its transcript, and what that means for the task.

use jiff::Timestamp;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::lease::{self, Hold};
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::{Run, RunEnding};
use crate::domain::task::Folder;
use crate::format;
use crate::ops::progress;
use crate::ops::step::{self, Step, Subject};
use crate::store::git::HomeKind;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Operation, Tx};
use crate::store::{layout, runs};

use super::{Caller, begin};

/// What becomes of the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays held: another attempt follows.
    Held,
    Done(String),
    Failed(String),
    Blocked(String),
    /// Back to the queue, at no cost.
    Released,
    /// Back to the queue, but not before this instant.
    Parked(Timestamp),
}

/// What an outcome means for the task when no other attempt follows.
pub(crate) fn fate(run: &Run, ending: &RunEnding, parked: Option<Timestamp>) -> Fate {
    let why = || {
        let reasons = ending.reasons.join("; ");
        let reasons = if reasons.is_empty() { String::new() } else { format!(": {reasons}") };
        format!("run {} {}{reasons}", run.id.short(), ending.outcome)
    };
    match ending.outcome {
        Outcome::Completed => Fate::Done(result(run, ending)),
        Outcome::Blocked | Outcome::Denied => Fate::Blocked(why()),
        Outcome::Limit(_) => parked.map_or(Fate::Released, Fate::Parked),
        Outcome::Cancelled | Outcome::Interrupted => Fate::Released,
        Outcome::Failed(Failure::Login | Failure::Billing | Failure::Start) => Fate::Released,
        Outcome::Failed(_) | Outcome::WithoutResult | Outcome::TimedOut => Fate::Failed(why()),
    }
}

/// What travels back to the sender: summary, branch, commits, cost.
fn result(run: &Run, ending: &RunEnding) -> String {
    // A note is read on one line.
    let words: Vec<&str> = ending.summary.split_whitespace().collect();
    let mut text: String = words.join(" ").chars().take(1_000).collect();
    let mut facts = Vec::new();
    if let Some(branch) = run.branch.as_ref().filter(|_| !ending.commits.is_empty()) {
        let short: Vec<&str> =
            ending.commits.iter().rev().take(10).map(|c| c.get(..10).unwrap_or(c)).collect();
        facts.push(format!("branch {branch}"));
        facts.push(format!("commits {}", short.into_iter().rev().collect::<Vec<_>>().join(" ")));
    }
    facts.push(format!("cost {}", ending.spend.shown()));
    facts.push(format!("run {}", run.id));
    if !text.is_empty() {
        text.push_str(" (");
        text.push_str(&facts.join(", "));
        text.push(')');
        return text;
    }
    facts.join(", ")
}

/// What the end came to.
#[derive(Debug)]
pub(crate) struct Concluded {
    pub(crate) committed: Committed,
    /// Why the task was left as it is, if it was.
    pub(crate) untouched: Option<String>,
}

/// Commit the end.
///
/// # Errors
/// Those of the commit.
pub(crate) fn conclude(
    queue: &Queue,
    caller: &Caller<'_>,
    run: &Run,
    transcript: &str,
    hold: Option<&Hold>,
    fate: &Fate,
) -> Result<Concluded> {
    let operation = caller.operation("run");
    let mut tx = Tx::begin_for_one(queue, &operation)?;
    refuse_elsewhere(queue, run)?;
    stage(&mut tx, run, transcript)?;
    let untouched = match settle(&mut tx, run, hold, fate) {
        Ok(()) => None,
        // The task went another way meanwhile, or cannot be read now: that is how it is then. What it cost is recorded.
        Err(fault)
            if matches!(
                fault.code,
                Code::LeaseLost
                    | Code::Claimed
                    | Code::Changed
                    | Code::TaskNotFound
                    | Code::Overtaken
                    | Code::WrongState
                    | Code::Unsettled
                    | Code::Malformed
            ) =>
        {
            Some(fault.message)
        }
        Err(fault) => return Err(fault),
    };
    let committed = tx.commit(&begin::subject(run))?;
    runs::forget_live(queue, run.id);
    Ok(Concluded { committed, untouched })
}

/// Where the queue is on what is checked out, the person may have checked out something else since the run began: the
/// end of a run belongs where its beginning is.
fn refuse_elsewhere(queue: &Queue, run: &Run) -> Result<()> {
    if queue.home.kind != HomeKind::Tree || queue.read(&begin::path(run))?.is_some() {
        return Ok(());
    }
    let text = "what is checked out now does not have the beginning of this run";
    Err(Fault::new(Code::WrongState, text).hint("check out the branch that has it, then `swift runs`"))
}

/// The record with its end, the transcript, and the event.
fn stage(tx: &mut Tx<'_>, run: &Run, transcript: &str) -> Result<()> {
    let path = begin::path(run);
    tx.put(&path, format::run::render(run).into_bytes())?;
    tx.put(&layout::transcript_path(&path), transcript.as_bytes().to_vec())?;
    let outcome = run.outcome().map(|outcome| outcome.to_string()).unwrap_or_default();
    let mut fact = Fact::of(EventKind::RunEnded).because(format!("{} {outcome}", run.id));
    fact.task = run.task;
    tx.record(fact);
    Ok(())
}

/// Give a run its end if it still has none and nobody runs it; the record as it is then.
///
/// Who runs it holds its live log until its end is committed: under the queue's lock, a record without an end and
/// nobody alive is one that nobody will end.
///
/// # Errors
/// Those of reading and of the commit.
pub(crate) fn abandon(
    queue: &Queue,
    caller: &Caller<'_>,
    run: &Run,
    ending: RunEnding,
    transcript: &str,
) -> Result<Run> {
    let operation = caller.operation("run");
    let mut tx = Tx::begin_for_one(queue, &operation)?;
    let present = runs::read(queue, &begin::path(run))?.unwrap_or_else(|| run.clone());
    if present.ending.is_some() || runs::is_alive(queue, run.id) {
        return Ok(present);
    }
    let ended = Run { ending: Some(ending), ..present };
    stage(&mut tx, &ended, transcript)?;
    // An end that was kept is as good as one that was committed at once.
    let fate = ended.ending.as_ref().map_or(Fate::Released, |ending| fate(&ended, ending, None));
    give_back(&mut tx, &ended, &fate)?;
    tx.commit(&begin::subject(&ended))?;
    runs::forget_live(queue, ended.id);
    Ok(ended)
}

/// Give back the task of a run that has ended, after which another attempt was to follow, by a `swift` that is gone.
///
/// # Errors
/// Those of the commit.
pub(crate) fn give_back_left(queue: &Queue, caller: &Caller<'_>, run: &Run) -> Result<()> {
    let operation = caller.operation("run");
    let mut tx = Tx::begin_for_one(queue, &operation)?;
    if !runs::is_paused(queue, run.id) && give_back(&mut tx, run, &Fate::Released)? {
        tx.commit(&begin::subject(run).replacen("run", "release", 1))?;
    }
    Ok(())
}

/// Nobody works on the task of such a run any more: it is free again, unless somebody else has it by now. Gives whether it
/// was held.
fn give_back(tx: &mut Tx<'_>, run: &Run, fate: &Fate) -> Result<bool> {
    let (Some(task), Some(token)) = (run.task, run.token) else { return Ok(false) };
    let Ok(item) = tx.queue.find(&task.to_string(), &[Folder::Tasks]) else { return Ok(false) };
    if item.task.lease.as_ref().is_none_or(|lease| lease.token != token) {
        return Ok(false);
    }
    let hold = Hold { actor: run.actor.clone(), token: Some(token) };
    settle(tx, run, Some(&hold), fate).map(|()| true)
}

fn settle(tx: &mut Tx<'_>, run: &Run, hold: Option<&Hold>, fate: &Fate) -> Result<()> {
    let (Some(task), Some(hold)) = (run.task, hold) else { return Ok(()) };
    if *fate == Fate::Held {
        return Ok(());
    }
    let item = tx.queue.find(&task.to_string(), &[Folder::Tasks])?;
    let most = tx.queue.settings.attempts;
    let operation = tx.operation;
    step::apply(tx, &item, |subject| {
        lease::still_holds(subject.task, subject.id, hold, operation.at)?;
        Ok(decide(subject, operation, most, fate))
    })
    .map(drop)
}

fn decide(subject: &mut Subject<'_>, operation: &Operation<'_>, most: u32, fate: &Fate) -> Step {
    subject.task.lease = None;
    match fate {
        Fate::Done(result) => progress::completion(subject, operation, Some(result.clone())),
        Fate::Failed(why) => progress::failure(subject, operation, most, why),
        Fate::Blocked(why) => {
            subject.task.blocked = Some(why.clone());
            Step::stay(EventKind::TaskBlocked, subject.item).because(Some(why.clone()))
        }
        Fate::Parked(until) => {
            subject.task.defer_until = Some(*until);
            Step::stay(EventKind::TaskDeferred, subject.item).because(Some(format!("until {until}")))
        }
        Fate::Released | Fate::Held => Step::stay(EventKind::TaskReleased, subject.item),
    }
}
