//! The merge of a run's work as a person sees it before they say yes: what arrives, and what to be careful about.

use std::path::Path;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::outcome::Outcome;
use crate::domain::run::record::Run;
use crate::domain::task::Folder;
use crate::domain::text::as_word;
use crate::env;
use crate::format::audit::{self, Defect, DefectKind};
use crate::ops::run::{Caller, begin, leftover};
use crate::store::git::checkout::{self, Arrival, Change, Prospect};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};

use super::{WentOn, nothing, open_task, some_of, uncommitted, work};

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
    pub(super) is_merged: bool,
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
    let into = checkout::current_branch(project)?.unwrap_or_else(|| "a detached HEAD".to_owned());
    if into == branch {
        let text =
            format!("the branch of run {short} itself is checked out, so it would be merged into itself");
        let folder = as_word(project);
        return Err(Fault::new(Code::WrongState, text).hint(format!(
            "`git -C {folder} switch -` goes back to the branch before; then run the same command again"
        )));
    }
    let worktree = runs::worktree_path(queue, &branch)?;
    checkout::refuse_stranger(project, &worktree)?;
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
    if runs::has_worktree(&worktree) && checkout::is_dirty(project, &worktree)? {
        return Err(uncommitted(&short, &worktree));
    }
    if work.prospect == Prospect::Clean {
        checkout::refuse_obstacles(project, &branch)?;
    }
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
    if arrival.stat(project, layout::FOLDER)?.is_empty() {
        return Ok(lines);
    }
    refuse_another_log(project, &arrival, run)?;
    let path = format!("{}/{}", layout::FOLDER, layout::SETTINGS);
    if !arrival.stat(project, &path)?.is_empty() {
        lines.push(format!("careful: it changes `{path}`, which says what runs may do"));
    }
    lines.extend(touches_the_queue(project, &arrival)?);
    Ok(lines)
}

/// In the current branch's own queue a file that a run has written is a task, a record or an event. Of a task the next verb
/// records what the log does not tell; of the rest nobody does.
fn touches_the_queue(project: &Path, arrival: &Arrival) -> Result<Vec<String>> {
    let touched = |folders: &[&str]| {
        let mut touched = Vec::new();
        for path in folders.iter().map(|folder| format!("{}/{folder}", layout::FOLDER)) {
            if !arrival.stat(project, &path)?.is_empty() {
                touched.push(path);
            }
        }
        Ok::<_, Fault>(touched)
    };
    let of_tasks = layout::QUEUE_FOLDERS.map(Folder::as_str);
    let told = [
        (
            touched(&of_tasks)?,
            "becomes part of the queue, and what the log does not tell of it is recorded as changed by hand",
        ),
        (touched(&[layout::AUDIT])?, "becomes part of the log as it stands"),
        (
            touched(&[layout::PROJECTS, layout::RUNS, layout::SESSIONS, layout::TEMPLATES])?,
            "becomes part of the queue as it stands, and no event tells of it",
        ),
    ];
    let lines = told.into_iter().filter(|(touched, _)| !touched.is_empty());
    let line = |(touched, what): (Vec<String>, &str)| {
        format!("careful: it changes {}: what it has written there {what}", some_of(&touched))
    };
    Ok(lines.map(line).collect())
}

/// What is in the log has happened: no work of a run writes it anew. Line by line git would join both, and nobody could
/// read what comes of that.
fn refuse_another_log(project: &Path, arrival: &Arrival, run: &Run) -> Result<()> {
    let changes = arrival.changes(project, &format!("{}/{}", layout::FOLDER, layout::AUDIT))?;
    let is_sound = |change: &Change| {
        change.after.starts_with(&change.before) && (is_whole(&change.after) || !is_whole(&change.before))
    };
    let rewritten: Vec<String> =
        changes.into_iter().filter(|change| !is_sound(change)).map(|change| change.path).collect();
    if rewritten.is_empty() {
        return Ok(());
    }
    let short = run.id.short();
    let text =
        format!("the work of run {short} writes records of the audit log anew: {}", some_of(&rewritten));
    Err(Fault::new(Code::WrongState, text).hint(format!("`swift reject {short} --why \"…\"` sends it back")))
}

/// Whether a segment is as verbs write it, or is not there. What a newer version records is none of this one's business.
fn is_whole(segment: &[u8]) -> bool {
    let is_defect = |defect: &Defect| defect.what != DefectKind::UnknownKind;
    segment.is_empty()
        || audit::parse_bytes(segment).is_ok_and(|segment| !audit::verify(&segment).iter().any(is_defect))
}

fn conflict(short: &str, branch: &str, paths: &[String]) -> Fault {
    let shown: Vec<String> = paths.iter().take(8).map(|path| crate::domain::text::shown(path)).collect();
    Fault::new(Code::MergeConflict, format!("the work of run {short} conflicts in {}", shown.join(", ")))
        .hint(format!("`swift reject {short} --why \"…\"` sends it back"))
        .hint(format!("or merge by hand: `git merge {branch}`"))
}
