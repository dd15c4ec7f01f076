//! What a person does with finished work: look, merge, send back. Nothing is merged by anybody else.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::record::{Decision, Review, Run};
use crate::domain::task::Folder;
use crate::domain::text::as_word;
use crate::env;
use crate::format;
use crate::ops::step::{self, Step};
use crate::store::git::checkout::{self, Detail, Prospect};
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};
use crate::store::tx::{Committed, Operation, Tx};

use super::{Caller, begin, leftover, list, stale};

mod plan;

pub(crate) use plan::{MergePlan, plan_merge};

/// Work that waits for a person.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) stored: Stored,
    pub(crate) diffstat: String,
    pub(crate) prospect: Prospect,
}

/// The work that waits, oldest first: of each branch its latest run, if it has ended and left something.
///
/// # Errors
/// Those of reading and of git.
pub(crate) fn waiting(queue: &Queue, caller: &Caller<'_>) -> Result<Vec<Waiting>> {
    let mut latest: BTreeMap<String, Stored> = BTreeMap::new();
    for stored in list::all(queue, caller)?.all {
        if let Some(branch) = stored.run.branch.clone() {
            latest.insert(branch, stored);
        }
    }
    let mut all = Vec::new();
    for stored in latest.into_values().filter(|stored| is_open(&stored.run)) {
        // One that cannot be looked at is listed with the reason, and hides no other.
        let unseen = |fault: Fault| Waiting {
            stored: stored.clone(),
            diffstat: String::new(),
            prospect: Prospect::Refused(fault.message),
        };
        all.extend(look(queue, &stored).unwrap_or_else(|fault| Some(unseen(fault))));
    }
    all.sort_by_key(|waiting| waiting.stored.run.id);
    Ok(all)
}

fn is_open(run: &Run) -> bool {
    run.ending.is_some() && run.review.is_none()
}

/// What there is to see of a run's work; `None` if there is nothing.
fn look(queue: &Queue, stored: &Stored) -> Result<Option<Waiting>> {
    let project = runs::project_folder(queue);
    let (Some(branch), Some(base)) = (&stored.run.branch, &stored.run.base) else { return Ok(None) };
    let Some(tip) = checkout::branch_tip(project, branch)? else { return Ok(None) };
    if tip == *base {
        return Ok(None);
    }
    // Who looks at it by checking its branch out has not merged it.
    let is_itself = checkout::current_branch(project)?.as_ref() == Some(branch);
    let prospect = match is_itself {
        true => Prospect::Refused(format!("`{branch}` itself is checked out")),
        false => checkout::try_merge(project, branch)?,
    };
    if prospect == Prospect::Merged {
        return Ok(None);
    }
    let from = if is_itself { base } else { "HEAD" };
    let diffstat = checkout::diff(project, from, &tip, Detail::Short)?.trim().to_owned();
    if diffstat.is_empty() {
        // All of it was taken back again.
        return Ok(None);
    }
    Ok(Some(Waiting { diffstat, prospect, stored: stored.clone() }))
}

/// One run's work in full.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) stored: Stored,
    pub(crate) stat: String,
    pub(crate) patch: String,
    pub(crate) prospect: Prospect,
    /// That the branch went on after the run, if it did.
    pub(crate) went_on: Option<WentOn>,
}

/// A branch that is not where its run has left it: what was judged is not what would be merged.
#[derive(Debug, Clone)]
pub(crate) struct WentOn {
    /// Where the run ended, cut short.
    pub(crate) judged: String,
    tip: String,
}

impl WentOn {
    fn look(run: &Run, tip: &str) -> Option<WentOn> {
        let judged = run.ending.as_ref()?.commits.last().filter(|judged| *judged != tip)?;
        let short = |id: &str| id.chars().take(10).collect();
        Some(WentOn { judged: short(judged), tip: short(tip) })
    }

    /// What a person should know.
    pub(crate) fn told(&self) -> String {
        let WentOn { judged, tip } = self;
        format!(
            "careful: the branch went on from {judged}, where the run ended, to {tip}, which was not judged"
        )
    }
}

/// What a run changed.
///
/// # Errors
/// [`Code::RunNotFound`], [`Code::Nothing`]; those of git.
pub(crate) fn work(queue: &Queue, caller: &Caller<'_>, reference: &str) -> Result<Work> {
    let stored = list::find(queue, caller, reference)?;
    let project = runs::project_folder(queue);
    let short = stored.run.id.short();
    let branch = stored.run.branch.clone().ok_or_else(|| nothing(&short))?;
    let tip = checkout::branch_tip(project, &branch)?.ok_or_else(|| {
        let fault = Fault::new(Code::Nothing, format!("the branch `{branch}` of run {short} is gone"));
        let last = stored.run.ending.as_ref().and_then(|ending| ending.commits.last());
        match (&stored.run.review, last) {
            (None, Some(commit)) => fault
                .hint(format!("`git branch --all --contains {commit}` tells whether it has another name")),
            _ => fault.hint(format!("`swift run show {short}` tells what became of it")),
        }
    })?;
    let base = stored.run.base.clone().unwrap_or_else(|| "HEAD".to_owned());
    Ok(Work {
        stat: checkout::diff(project, &base, &tip, Detail::Stat)?,
        patch: checkout::diff(project, &base, &tip, Detail::Patch)?,
        prospect: checkout::try_merge(project, &branch)?,
        went_on: WentOn::look(&stored.run, &tip),
        stored,
    })
}

fn nothing(short: &str) -> Fault {
    Fault::new(Code::Nothing, format!("run {short} changed no files"))
        .hint(format!("`swift run show {short}` shows what it said"))
}

fn uncommitted(short: &str, worktree: &Path) -> Fault {
    let text = format!("the worktree of run {short} has work that is not committed");
    Fault::new(Code::WrongState, text).hint(format!("look at it: `{}`", look_at(worktree)))
}

/// The command that shows what is not committed in a worktree. What a run has made inside of it could name programs that
/// git would start there.
pub(super) fn look_at(worktree: &Path) -> String {
    format!("git -C {} status --ignore-submodules=dirty", as_word(worktree))
}

/// The first few, and how many there are besides.
pub(super) fn some_of(paths: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| crate::domain::text::shown(path)).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The task of a run, if it is still to be worked on.
pub(crate) fn open_task(queue: &Queue, run: &Run) -> Option<String> {
    let item = queue.find(&run.task?.to_string(), &[Folder::Tasks]).ok()?;
    Some(item.task.id?.short())
}

/// What became of a merge.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) stored: Stored,
    pub(crate) commit: String,
    pub(crate) committed: Committed,
    pub(crate) notes: Vec<String>,
}

/// Merge as planned, and clean up what is clean.
///
/// # Errors
/// Those of git; nothing is merged then.
pub(crate) fn merge(
    queue: &Queue,
    caller: &Caller<'_>,
    operation: &Operation<'_>,
    plan: MergePlan,
) -> Result<Merged> {
    let project = runs::project_folder(queue);
    let MergePlan { mut stored, branch, is_merged, .. } = plan;
    let title = crate::domain::text::shown(&stored.run.title);
    let known = stored.run.review.clone();
    let message = format!("Merge the work on: {title}\n\nSwift-Run: {}\n", stored.run.id);
    let commit = {
        // In the current branch's own queue no verb may commit meanwhile, and no run begins on this branch.
        let _guard = queue.home.lock(env::lock_wait())?;
        begin::refuse_running(queue, &stored.run)?;
        refuse_decided(queue, &stored, known.as_ref())?;
        if is_merged {
            checkout::merge_of(project, &branch)?
        } else {
            checkout::merge(project, &branch, &message)?
        }
    };
    stored.run.review = Some(Review {
        at: caller.now(),
        by: caller.actor.clone(),
        decision: Decision::Merged(commit.clone()),
    });
    // First the note, then the clearing up: cut off between the two, what is left is known to be merged.
    let decided = Decided { stored: &stored, known: known.as_ref(), kind: EventKind::RunMerged };
    let committed = record(queue, operation, &decided, &commit, false_start).map_err(|fault| {
        let short = commit.get(..12).unwrap_or(&commit);
        let text = format!("merged as {short}, and not noted: {}", fault.message);
        let hints = fault.hints.into_iter();
        hints.fold(Fault::new(fault.code, text), Fault::hint)
    })?;
    let removed = clear_up(queue, &stored.run, &branch);
    let notes = removed.err().map(|fault| format!("left as it is: {fault}")).into_iter().collect();
    Ok(Merged { stored, commit, committed, notes })
}

/// The worktree and the branch of merged work, unless a run has begun there meanwhile.
fn clear_up(queue: &Queue, run: &Run, branch: &str) -> Result<()> {
    let _guard = queue.home.lock(env::lock_wait())?;
    begin::refuse_running(queue, run)?;
    leftover::clear(queue, &runs::worktree_path(queue, branch)?, Some(branch))
}

fn false_start(_: &mut Tx<'_>, _: &Stored) -> Result<()> {
    Ok(())
}

/// A decision to be recorded.
struct Decided<'a> {
    stored: &'a Stored,
    /// The decision that it replaces.
    known: Option<&'a Review>,
    kind: EventKind,
}

/// Of two who decide at the same moment, one is first, and the other has not seen that. Under the queue's lock.
fn refuse_decided(queue: &Queue, stored: &Stored, known: Option<&Review>) -> Result<()> {
    let present = runs::read(queue, &stored.path)?.and_then(|run| run.review);
    let Some(other) = present.filter(|present| Some(present) != known) else { return Ok(()) };
    let (short, by) = (stored.run.id.short(), &other.by);
    let text = match &other.decision {
        Decision::Merged(_) => format!("{by} has just merged the work of run {short}"),
        Decision::Rejected(_) => format!("{by} has just sent back the work of run {short}"),
    };
    Err(Fault::new(Code::Changed, text).hint(format!("`swift run show {short}` shows the decision")))
}

/// Write the decision into the record, with whatever else belongs to it, in one commit.
fn record(
    queue: &Queue,
    operation: &Operation<'_>,
    decided: &Decided<'_>,
    cause: &str,
    more: impl FnOnce(&mut Tx<'_>, &Stored) -> Result<()>,
) -> Result<Committed> {
    let Decided { stored, known, kind } = *decided;
    let mut tx = Tx::begin_for_one(queue, operation)?;
    refuse_decided(queue, stored, known)?;
    tx.put(&stored.path, format::run::render(&stored.run).into_bytes())?;
    let mut fact = Fact::of(kind).because(format!("{} {cause}", stored.run.id));
    fact.task = stored.run.task;
    tx.record(fact);
    more(&mut tx, stored)?;
    tx.commit(&begin::subject(&stored.run).replacen("run", operation.verb, 1))
}

/// What became of a rejection.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) stored: Stored,
    pub(crate) committed: Committed,
}

/// Send work back with a reason, which the next run is told.
///
/// # Errors
/// [`Code::WrongState`] if the run has not ended or is merged; those of the commit.
pub(crate) fn reject(
    queue: &Queue,
    caller: &Caller<'_>,
    operation: &Operation<'_>,
    reference: &str,
    why: &str,
) -> Result<Rejected> {
    if operation.attendance.is_agent() {
        let text = "what the next run is told as a person's word, no run can say";
        return Err(
            Fault::new(Code::Recursion, text).hint("write it as a comment: `swift comment REF \"…\"`")
        );
    }
    let mut stored = list::find(queue, caller, reference)?;
    let short = stored.run.id.short();
    match (&stored.run.ending, &stored.run.review) {
        (None, _) => {
            return Err(Fault::new(Code::WrongState, format!("run {short} still runs"))
                .hint(format!("`swift run stop {short}` asks it to stop")));
        }
        (_, Some(Review { decision: Decision::Merged(commit), .. })) => {
            return Err(Fault::new(Code::WrongState, format!("the work of run {short} is merged")).hint(
                format!("`git revert --mainline 1 {}` takes it back", commit.get(..12).unwrap_or(commit)),
            ));
        }
        _ => {}
    }
    let decision = Decision::Rejected(why.to_owned());
    let known = stored.run.review.replace(Review { at: caller.now(), by: caller.actor.clone(), decision });
    let decided = Decided { stored: &stored, known: known.as_ref(), kind: EventKind::RunRejected };
    let committed = record(queue, operation, &decided, why, |tx, stored| send_back(tx, stored, why))?;
    Ok(Rejected { stored, committed })
}

/// The task is open again, whether it was done, given up or blocked by what the run said.
fn send_back(tx: &mut Tx<'_>, stored: &Stored, why: &str) -> Result<()> {
    let Some(task) = stored.run.task else { return Ok(()) };
    let item = tx.queue.find(&task.to_string(), &[Folder::Tasks, Folder::Done, Folder::Dead])?;
    if item.folder == Folder::Tasks && item.task.blocked.is_none() {
        return Ok(());
    }
    let short = stored.run.id.short();
    // Its runs as a whole have put it aside, or this one by what it said.
    let is_by_runs = |text: &str| text == stale::quarantine_reason() || text.contains(&short);
    step::apply(tx, &item, |subject| {
        let is_by_run = subject.task.blocked.as_deref().is_some_and(is_by_runs);
        if item.folder == Folder::Tasks && !is_by_run {
            return Ok(Step::stay(EventKind::TaskEdited, subject.item));
        }
        subject.task.ending = None;
        subject.task.lease = None;
        subject.task.blocked = None;
        if item.folder == Folder::Dead {
            subject.task.attempts = 0;
        }
        Ok(Step::go(EventKind::TaskRedriven, Folder::Tasks).because(Some(why.to_owned())))
    })
    .map(drop)
}
