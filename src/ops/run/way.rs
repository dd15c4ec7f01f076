//! What a person can do after a run, as things stand now: the steps in the order in which they are typed. None of them is
//! refused because of what the one before it has left.

use std::path::Path;

use crate::domain::fault::{Code, Fault};
use crate::domain::id::{RunId, TaskId};
use crate::domain::run::judge;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::{Decision, Run};
use crate::domain::task::Folder;
use crate::store::git::checkout::{self, Prospect};
use crate::store::queue::Queue;
use crate::store::runs;

use super::ground::{self, Subject};
use super::{Caller, account, review};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The task waits for a person.
    Unblock(TaskId),
    /// The task was given up.
    Redrive(TaskId),
    /// The worktree is not as a run can use it; the command that puts it right.
    PutRight(String),
    /// The session goes on.
    Resume,
    /// The task is run, in a session of its own.
    Run(TaskId),
    /// The session is gone, and with it what was asked: it is to be asked anew.
    AskAnew,
    /// Another run is at work in the session, or on the branch.
    Follow(RunId),
    /// Nothing is started on the account, or with the model, now; the list of runs tells until when.
    AwaitAccount,
    /// The task is ended, held by somebody, or cannot be read.
    LookAtTask(TaskId),
    /// What it left is looked at.
    Review,
    /// Somebody has written in the worktree since; the command that shows it.
    LookAtChanges(String),
    Merge,
    /// Nothing is left to do with it.
    NextTask,
}

/// When the steps are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The run has just ended, and what it had left is committed.
    AtItsEnd,
    Later,
}

/// The steps after a run; none while it goes on.
pub(crate) fn on_from(queue: &Queue, caller: &Caller<'_>, run: &Run, moment: Moment) -> Vec<Step> {
    let Some(outcome) = run.outcome() else { return Vec::new() };
    match run.review.as_ref().map(|review| &review.decision) {
        None if outcome == Outcome::Completed => with_work(queue, run, moment),
        Some(Decision::Merged(_)) => vec![Step::NextTask],
        _ => to_the_next(queue, caller, run),
    }
}

/// What a person should know about these steps.
pub(crate) fn remark(run: &Run, steps: &[Step]) -> Option<String> {
    steps.contains(&Step::AskAnew).then(|| {
        let branch = run.branch.as_ref().map(|branch| format!("; what it left is on `{branch}`"));
        let branch = branch.unwrap_or_default();
        format!("its session is not there any more, so it cannot go on: ask anew{branch}")
    })
}

/// The steps after work that is done.
fn with_work(queue: &Queue, run: &Run, moment: Moment) -> Vec<Step> {
    let project = runs::project_folder(queue);
    let has_commits = run.ending.as_ref().is_some_and(|ending| !ending.commits.is_empty());
    let Some(branch) = run.branch.as_ref().filter(|_| has_commits) else { return vec![Step::NextTask] };
    let tip = checkout::branch_tip(project, branch).ok().flatten();
    if tip.is_none() || tip == run.base {
        return vec![Step::NextTask];
    }
    let beside =
        if moment == Moment::Later { runs::beside(queue, run).unwrap_or_default() } else { Vec::new() };
    if let Some(other) = beside.last() {
        return vec![Step::Follow(other.id)];
    }
    let mut steps = vec![Step::Review];
    if !is_mergeable(project, run, branch) {
        return steps;
    }
    if let Ok(folder) = runs::worktree_path(queue, branch) {
        if let Some(command) = checkout::put_aside(project, &folder) {
            steps.push(Step::PutRight(command));
        } else if moment == Moment::Later
            && runs::has_worktree(&folder)
            && checkout::is_dirty(project, &folder).unwrap_or(true)
        {
            steps.push(Step::LookAtChanges(review::look_at(&folder)));
            return steps;
        }
    }
    steps.push(Step::Merge);
    steps
}

/// Whether a merge is without a conflict. Where nobody has gone on since the branch was begun git is not asked.
fn is_mergeable(project: &Path, run: &Run, branch: &str) -> bool {
    if checkout::head(project).ok().flatten() == run.base {
        return true;
    }
    let is_itself = checkout::current_branch(project).is_ok_and(|current| current.as_deref() == Some(branch));
    !is_itself && matches!(checkout::try_merge(project, branch), Ok(Prospect::Clean | Prospect::Merged))
}

/// The steps to the next run.
fn to_the_next(queue: &Queue, caller: &Caller<'_>, run: &Run) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(id) = run.task {
        match queue.find(&id.to_string(), &[Folder::Tasks, Folder::Dead]) {
            Ok(item) if item.folder == Folder::Dead => steps.push(Step::Redrive(id)),
            Ok(item) if item.task.blocked.is_some() => steps.push(Step::Unblock(id)),
            Ok(item) if item.task.held(caller.now()).is_none() => {}
            Err(fault) if is_not_there(&fault) && !is_anywhere(queue, id) => {
                return vec![Step::NextTask];
            }
            _ => return vec![Step::LookAtTask(id)],
        }
    }
    if is_resting(queue, caller, run) {
        steps.push(Step::AwaitAccount);
        return steps;
    }
    let earlier = earlier(queue, run);
    if let Some(other) = earlier.iter().find(|other| is_at_work(queue, run, other)) {
        return vec![Step::Follow(other.id)];
    }
    let next = match (is_gone(run, &earlier), run.task) {
        (true, None) => return vec![Step::AskAnew],
        (true, Some(task)) => Step::Run(task),
        (false, Some(task)) if run.sent_back_because().is_some() => Step::Run(task),
        (false, _) => Step::Resume,
    };
    steps.extend(way_back(queue, run, &earlier).map(Step::PutRight));
    steps.push(next);
    steps
}

fn is_anywhere(queue: &Queue, task: TaskId) -> bool {
    !queue.find(&task.to_string(), Folder::ALL).is_err_and(|fault| is_not_there(&fault))
}

fn is_not_there(fault: &Fault) -> bool {
    matches!(fault.code, Code::TaskNotFound | Code::Overtaken)
}

/// What is held until a person starts something is open to them.
fn is_resting(queue: &Queue, caller: &Caller<'_>, run: &Run) -> bool {
    account::resting(queue, caller).is_some_and(|rest| rest.until.is_some())
        || account::resting_model(queue, caller, run.choice.model()).is_some()
}

/// All runs of the task, or of the session of a prompt, oldest first.
fn earlier(queue: &Queue, run: &Run) -> Vec<Run> {
    let found = match run.task {
        Some(task) => runs::of_task(queue, task),
        None => runs::of_prompts(queue),
    };
    let all = found.map(|found| found.all).unwrap_or_default().into_iter().map(|stored| stored.run);
    all.filter(|other| run.task.is_some() || other.session == run.session).collect()
}

fn is_at_work(queue: &Queue, run: &Run, other: &Run) -> bool {
    other.id != run.id && other.ending.is_none() && runs::is_alive(queue, other.id)
}

/// Whether its session was never begun, or was gone when it was last to go on.
fn is_gone(run: &Run, earlier: &[Run]) -> bool {
    let of_session = earlier.iter().rev().find(|other| other.session == run.session && other.id > run.id);
    let last = of_session.unwrap_or(run);
    let is_lost = |why: &String| judge::is_lost_session(why);
    let has_lost_it = last.ending.as_ref().is_some_and(|ending| ending.reasons.iter().any(is_lost));
    has_lost_it || (!last.resumed && last.outcome() == Some(Outcome::Failed(Failure::Start)))
}

/// The command that makes the worktree of the next run ready, if it is not.
fn way_back(queue: &Queue, run: &Run, earlier: &[Run]) -> Option<String> {
    run.branch.as_ref()?;
    let project = runs::project_folder(queue);
    let subject = run.task.map_or(Subject::Again(run), |task| Subject::Task(task, earlier));
    let wanted = ground::checkout_for(queue, project, subject).ok()?;
    checkout::way_back(project, &wanted).ok().flatten()
}
