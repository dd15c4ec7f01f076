//! What a person does with finished work: look, merge, send back. Nothing is merged by anybody else.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::record::{Decision, Review, Run};
use crate::domain::task::Folder;
use crate::domain::text::as_word;
use crate::env;
use crate::format;
use crate::ops::step::{self, Step};
use crate::store::git::checkout::{self, Arrival, Detail, Prospect};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};
use crate::store::tx::{Committed, Operation, Tx};

use super::{Caller, begin, leftover, list};

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
    let prospect = checkout::try_merge(project, branch)?;
    if prospect == Prospect::Merged {
        return Ok(None);
    }
    let diffstat = checkout::diff(project, "HEAD", &tip, Detail::Short)?.trim().to_owned();
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

/// A merge that can be made.
#[derive(Debug)]
pub(crate) struct MergePlan {
    pub(crate) stored: Stored,
    pub(crate) branch: String,
    pub(crate) into: String,
    pub(crate) lines: Vec<String>,
    /// What the plan rests on: both ends of the merge.
    pub(crate) tips: String,
    /// Whether the work is in the current branch already, and only has to be noted.
    is_merged: bool,
}

/// What merging would do; refuses what cannot be merged as it is, and touches nothing.
///
/// # Errors
/// [`Code::MergeConflict`], [`Code::Nothing`], [`Code::WrongState`].
pub(crate) fn plan_merge(queue: &Queue, caller: &Caller<'_>, reference: &str) -> Result<MergePlan> {
    leftover::finish_clearing(queue)?;
    leftover::bring_along(queue)?;
    let work = work(queue, caller, reference)?;
    let (run, project) = (&work.stored.run, runs::project_folder(queue));
    let short = run.id.short();
    if run.ending.is_none() {
        return Err(Fault::new(Code::WrongState, format!("run {short} still runs"))
            .hint(format!("`swift run logs -f {short}` follows it")));
    }
    let branch = run.branch.clone().ok_or_else(|| nothing(&short))?;
    if !runs::is_dry() {
        let _guard = queue.home.lock(env::lock_wait())?;
        checkout::take_back(project, &branch)?;
    }
    checkout::refuse_unready(project)?;
    begin::refuse_running(queue, run)?;
    match &work.prospect {
        Prospect::Clean => {}
        // Merged, and nobody has noted it: a `merge` that was cut off, or a person's own.
        Prospect::Merged if run.review.is_none() && is_worth_noting(queue, run, &branch)? => {}
        Prospect::Merged => return Err(nothing_to_merge(queue, run, &branch)?),
        Prospect::Conflicts(paths) => return Err(conflict(&short, &branch, paths)),
        Prospect::Refused(why) => {
            let text = format!("git does not merge the work of run {short}: {why}");
            return Err(Fault::new(Code::MergeConflict, text)
                .hint(format!("`swift reject {short} --why \"…\"` sends it back")));
        }
    }
    let worktree = runs::worktree_path(queue, &branch)?;
    if runs::has_worktree(&worktree) && checkout::is_dirty(project, &worktree)? {
        return Err(uncommitted(&short, &worktree));
    }
    if work.prospect == Prospect::Clean {
        checkout::refuse_obstacles(project, &branch)?;
    }
    let into = checkout::current_branch(project)?.unwrap_or_else(|| "a detached HEAD".to_owned());
    let tips = format!("{:?} {:?}", checkout::head(project)?, checkout::branch_tip(project, &branch)?);
    let is_merged = work.prospect == Prospect::Merged;
    let mut lines = vec![match is_merged {
        true => format!("note that `{branch}` is merged into `{into}`"),
        false => format!("merge `{branch}` into `{into}`, with a commit of its own"),
    }];
    if !is_merged {
        lines.extend(arrivals(project, &branch, run, &into)?);
    }
    lines.extend(remarks(run, work.went_on.as_ref()));
    lines.extend(open_task(queue, run).map(|task| {
        format!("careful: task {task} stays open, and is worked on again, until `swift done {task}`")
    }));
    lines.push(match runs::has_worktree(&worktree) && checkout::holds_submodules(project, &worktree)? {
        true => format!(
            "leave the worktree {} and the branch: submodules are checked out in it, and git removes no such worktree",
            worktree.display()
        ),
        false => format!("remove the worktree {}, and the branch once it is merged", worktree.display()),
    });
    let ignored = checkout::ignored(project, &worktree)?;
    if !ignored.is_empty() {
        lines.push(format!("with it goes what git ignores there: {}", some_of(&ignored)));
    }
    Ok(MergePlan { stored: work.stored, branch, into, lines, tips, is_merged })
}

/// Whether a branch that is merged already holds something, and all that the run has left.
fn is_worth_noting(queue: &Queue, run: &Run, branch: &str) -> Result<bool> {
    let worktree = runs::worktree_path(queue, branch)?;
    let project = runs::project_folder(queue);
    let is_whole = !runs::has_worktree(&worktree) || !checkout::is_dirty(project, &worktree)?;
    Ok(is_whole && checkout::branch_tip(project, branch)? != run.base)
}

/// Why a merge would bring nothing: what is not committed is not merged, and neither is what nobody made.
fn nothing_to_merge(queue: &Queue, run: &Run, branch: &str) -> Result<Fault> {
    let (short, project) = (run.id.short(), runs::project_folder(queue));
    let worktree = runs::worktree_path(queue, branch)?;
    if runs::has_worktree(&worktree) && checkout::is_dirty(project, &worktree)? {
        return Ok(uncommitted(&short, &worktree));
    }
    if checkout::branch_tip(project, branch)? == run.base {
        let text = format!("run {short} has left nothing on its branch `{branch}`");
        return Ok(Fault::new(Code::Nothing, text).hint(format!("`swift run show {short}` tells why")));
    }
    let into = checkout::current_branch(project)?.unwrap_or_else(|| "what is checked out".to_owned());
    Ok(Fault::new(Code::Nothing, format!("all work of run {short} is in `{into}` already")))
}

fn uncommitted(short: &str, worktree: &Path) -> Fault {
    let text = format!("the worktree of run {short} has work that is not committed");
    // What a run has made inside of it could name programs that git would start there.
    Fault::new(Code::WrongState, text)
        .hint(format!("look at it: `git -C {} status --ignore-submodules=dirty`", as_word(worktree)))
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

/// What a person should know before they say yes.
fn remarks(run: &Run, went_on: Option<&WentOn>) -> Vec<String> {
    let Some(ending) = &run.ending else { return Vec::new() };
    let mut lines: Vec<String> = went_on.map(WentOn::told).into_iter().collect();
    let at = went_on.map(|went_on| format!(" at {}", went_on.judged)).unwrap_or_default();
    if ending.outcome != Outcome::Completed {
        lines.push(format!("careful: the run is {}", ending.outcome));
    }
    let verdicts = ending.verdicts.iter();
    lines.extend(verdicts.map(|v| {
        format!(
            "{}{at}: {} ({})",
            if v.passed { "verified" } else { "careful, not verified" },
            v.command.join(" "),
            v.ended
        )
    }));
    lines.extend(ending.moved.iter().map(|moved| format!("careful: while it ran, {moved}")));
    if let Some(why) = run.sent_back_because() {
        lines.push(format!("careful: rejected: {why}"));
    }
    if ending.verdicts.is_empty() {
        lines.push("no verifier looked at it".to_owned());
    }
    lines
}

/// The task of a run, if it is still to be worked on.
pub(crate) fn open_task(queue: &Queue, run: &Run) -> Option<String> {
    let item = queue.find(&run.task?.to_string(), &[Folder::Tasks]).ok()?;
    Some(item.task.id?.short())
}

/// What a merge brings to what is checked out: that is more than the run's work where the run began elsewhere. In the
/// current branch's own queue it can be what later runs may do.
fn arrivals(project: &Path, branch: &str, run: &Run, into: &str) -> Result<Vec<String>> {
    let arrival = checkout::arrival(project, branch)?;
    let mut lines: Vec<String> =
        arrival.stat(project, ".")?.lines().map(|line| line.trim().to_owned()).collect();
    let base = run.base.as_deref().unwrap_or_default();
    let others = checkout::from_before(project, branch, base)?;
    if !others.is_empty() {
        let what =
            if others.len() == 1 { "a commit".to_owned() } else { format!("{} commits", others.len()) };
        lines.push(format!(
            "careful: it brings {what} from before the run began, not in `{into}` so far: {}",
            some_of(&others)
        ));
    }
    let path = format!(".swift/{}", layout::SETTINGS);
    if !arrival.stat(project, &path)?.is_empty() {
        lines.push(format!("careful: it changes `{path}`, which says what runs may do"));
    }
    lines.extend(touches_the_queue(project, &arrival)?);
    Ok(lines)
}

/// In the current branch's own queue a file that a run has written is a task, a record or an event as it stands.
fn touches_the_queue(project: &Path, arrival: &Arrival) -> Result<Option<String>> {
    let own = [layout::AUDIT, layout::PROJECTS, layout::RUNS, layout::SESSIONS, layout::TEMPLATES];
    let folders = layout::QUEUE_FOLDERS.iter().map(|folder| folder.as_str()).chain(own);
    let mut touched = Vec::new();
    for path in folders.map(|folder| format!("{}/{folder}", layout::FOLDER)) {
        if !arrival.stat(project, &path)?.is_empty() {
            touched.push(path);
        }
    }
    let told = "what it has written there becomes part of the queue as it stands, and no event tells of it";
    Ok((!touched.is_empty()).then(|| format!("careful: it changes {}: {told}", some_of(&touched))))
}

fn conflict(short: &str, branch: &str, paths: &[String]) -> Fault {
    let shown: Vec<String> = paths.iter().take(8).map(|path| crate::domain::text::shown(path)).collect();
    Fault::new(Code::MergeConflict, format!("the work of run {short} conflicts in {}", shown.join(", ")))
        .hint(format!("`swift reject {short} --why \"…\"` sends it back"))
        .hint(format!("or merge by hand: `git merge {branch}`"))
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
    let by_run = stored.run.id.short();
    step::apply(tx, &item, |subject| {
        let is_by_run = subject.task.blocked.as_ref().is_some_and(|text| text.contains(&by_run));
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
