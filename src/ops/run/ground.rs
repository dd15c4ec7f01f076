//! What a run stands on: the committed policy, the program, the worktree.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use crate::agent::claude::{self, Sources};
use crate::agent::find::{self, Program};
use crate::agent::process::{is_of_a_run, works_in};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{RunId, TaskId};
use crate::domain::run::policy::Policy;
use crate::domain::run::record::Run;
use crate::domain::text::{as_word, shown};
use crate::format;
use crate::ops::route;
use crate::store::git::checkout::{self, Checkout};
use crate::store::queue::Queue;
use crate::store::{layout, runs};

use super::{Caller, Wanted};

/// Remembers which version a program told, and when.
const VERSION_FILE: &str = "claude-version";

/// How long that is believed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// Branches of runs begin with this. Not with `swift/`, because git allows no branch below the branch `swift`, on
/// which the queue is.
pub(super) const PREFIX: &str = "swift-run/";

/// Refuse to start a run from within a run.
///
/// # Errors
/// [`Code::Recursion`]
pub(crate) fn refuse_recursion() -> Result<()> {
    if !is_of_a_run() {
        return Ok(());
    }
    Err(Fault::new(Code::Recursion, "a run cannot start another run")
        .hint("write a task instead: `swift task . \"…\"`"))
}

/// The policy as it is committed, with what the person wants for this one.
///
/// # Errors
/// Those of reading the settings as the last commit has them.
pub(crate) fn policy(queue: &Queue, wanted: &Wanted) -> Result<Policy> {
    let mut policy = committed_policy(queue)?;
    policy.timeout = wanted.timeout.unwrap_or(policy.timeout);
    policy.max_usd = wanted.max_usd.unwrap_or(policy.max_usd);
    policy.max_turns = wanted.max_turns.unwrap_or(policy.max_turns);
    policy.permission = wanted.permission.unwrap_or(policy.permission);
    policy.allow.extend(wanted.allow.iter().cloned());
    Ok(policy)
}

/// The policy as it is committed: what lies in the folder only counts once it is.
///
/// # Errors
/// [`Code::Malformed`] with the place; those of git.
pub(crate) fn committed_policy(queue: &Queue) -> Result<Policy> {
    let Some(bytes) = queue.home.read_committed(layout::SETTINGS)? else { return Ok(Policy::default()) };
    let text = String::from_utf8(bytes).map_err(|_| {
        Fault::new(Code::Malformed, format!("the committed `{}` is not UTF-8", layout::SETTINGS))
    })?;
    format::policy::parse(&text).map_err(|m| m.at(layout::SETTINGS).hint(route::mend_and_record()))
}

/// What to say if the settings lie in the folder otherwise than they are committed. Of a queue that was moved or removed
/// there is nothing to say.
pub(crate) fn uncommitted_settings(queue: &Queue) -> Option<String> {
    if !runs::has_queue(queue) {
        return None;
    }
    let committed = queue.home.read_committed(layout::SETTINGS).ok()?;
    let present = queue.read(layout::SETTINGS).ok()?;
    (present != committed).then(|| {
        format!(
            "`.swift/{0}` was changed and is not committed, so for runs it counts as it was; look at it before the \
             next verb that writes, which records it: `git -C .swift diff {0}`",
            layout::SETTINGS
        )
    })
}

/// The settings as they are committed now; what cannot be read is none.
pub(crate) fn committed_settings(queue: &Queue) -> Option<Vec<u8>> {
    queue.home.read_committed(layout::SETTINGS).ok().flatten()
}

/// What to say if other settings are committed than before: a run can commit, too, and the next one follows them. Where the
/// repository was moved meanwhile, nothing can be said.
pub(crate) fn changed_settings(queue: &Queue, before: Option<&[u8]>) -> Option<String> {
    if !runs::has_repository(queue) {
        return None;
    }
    (committed_settings(queue).as_deref() != before).then(|| {
        format!(
            "while it ran, other settings were committed, and what runs may do is as they say from now on: \
             `git -C .swift log --patch -- {}`",
            layout::SETTINGS
        )
    })
}

/// The program, looked at: there, and not too old. Gives a warning if there is one.
///
/// # Errors
/// [`Code::NoClaude`]
pub(crate) fn program(queue: &Queue, caller: &Caller<'_>) -> Result<(Program, Option<String>)> {
    let program = find::find(&caller.environment)?;
    find::git(&caller.environment)?;
    if let Some(Ok(None)) = remembered(queue, caller, &program).map(|said| find::check(Some(&said))) {
        return Ok((program, None));
    }
    let environment = claude::environment(&caller.environment, &[], "version", 1);
    let said = find::ask_version(&program, runs::project_folder(queue), environment);
    if let Some(said) = &said {
        // Without it the next run asks again.
        let text = format!("{}\n{}\n{said}", program.stamp, caller.now());
        let _ = queue.local.write(VERSION_FILE, text.as_bytes());
    }
    let warning = find::check(said.as_deref())?;
    Ok((program, warning))
}

/// What this very file has told not long ago. It may be one that only starts another, which tells something else by now.
fn remembered(queue: &Queue, caller: &Caller<'_>, program: &Program) -> Option<String> {
    let text = queue.local.read_text(VERSION_FILE)?;
    let mut lines = text.splitn(3, '\n');
    let (stamp, at, said) = (lines.next()?, lines.next()?, lines.next()?);
    let age = caller.now().duration_since(at.parse().ok()?);
    let is_new = (SignedDuration::ZERO..REMEMBERED).contains(&age);
    (is_new && stamp == program.stamp).then(|| said.to_owned())
}

/// Every verifier can be started, as far as that can be told before: the work would be paid for, and then count as wrong.
///
/// # Errors
/// [`Code::NoVerifier`]
pub(crate) fn verifiers(caller: &Caller<'_>, policy: &Policy) -> Result<()> {
    let programs = policy.verifiers.iter().filter_map(|verifier| verifier.command.first());
    let missing = programs.into_iter().find(|word| !find::may_start(&caller.environment, word));
    missing.map_or(Ok(()), |word| {
        let text = format!("`{}`, which is to verify what runs did, is no program on the path", shown(word));
        Err(Fault::new(Code::NoVerifier, text)
            .hint(format!("mend `[[verify]]` in `.swift/{}`, or install it", layout::SETTINGS)))
    })
}

/// Where a run works.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    /// `None` for a run that changes nothing: it works in the project's own folder.
    pub(crate) checkout: Option<Checkout>,
    pub(crate) sources: Sources,
}

/// The worktree that a run wants, made if it is not there; the project's own folder for a run that changes nothing.
///
/// # Errors
/// [`Code::Git`]
pub(crate) fn place(project: &Path, wanted: Option<Checkout>) -> Result<Place> {
    let Some(wanted) = wanted else {
        return Ok(Place { folder: project.to_owned(), checkout: None, sources: Sources::UserAndProject });
    };
    let is_new = !runs::has_worktree(&wanted.path);
    let checkout = checkout::ensure(project, wanted)?;
    if !is_new {
        unlock(&checkout)?;
    }
    let sources = if is_new { Sources::UserAndProject } else { sources(project, &checkout)? };
    Ok(Place { folder: checkout.path.clone(), checkout: Some(checkout), sources })
}

/// A process that was killed while it wrote may have left locks of git's, with which every run would come to nothing
/// after it was paid for.
///
/// # Errors
/// [`Code::Git`] if somebody may be at work there.
pub(super) fn unlock(checkout: &Checkout) -> Result<()> {
    let locks = checkout::stale_locks(checkout)?;
    let Some(first) = locks.first() else { return Ok(()) };
    if works_in(&checkout.path) == Some(false) {
        return checkout::unlock(&locks);
    }
    let text = format!("somebody is at work in the worktree of the run: `{}` is there", first.display());
    Err(Fault::new(Code::Git, text)
        .hint(format!("when nobody is, it can go: `git -C {} status`", as_word(&checkout.path))))
}

/// What a place is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Task(TaskId, &'a [Run]),
    Prompt(RunId),
    /// A run that goes on.
    Again(&'a Run),
}

/// The branch that a run gets, where, and from which commit; nothing is made.
///
/// # Errors
/// Those of git.
pub(crate) fn checkout_for(queue: &Queue, project: &Path, subject: Subject<'_>) -> Result<Checkout> {
    if project.to_string_lossy().contains('\n') {
        let text = "the project's folder has a line break in its name, so git can make no worktree for a run";
        return Err(Fault::new(Code::Unsupported, text).hint("give the folder another name"));
    }
    let earlier = match subject {
        // The work of a run that was merged is not gone on with: its branch is done.
        Subject::Task(_, runs) => {
            runs.iter().rev().find(|run| run.branch.is_some()).filter(|run| !is_merged(run))
        }
        Subject::Again(run) => Some(run),
        Subject::Prompt(_) => None,
    };
    let known = earlier.and_then(|run| run.branch.clone().zip(run.base.clone()));
    if let Some((branch, base)) = known
        && checkout::branch_tip(project, &branch)?.is_some()
    {
        return Ok(Checkout { path: runs::worktree_path(queue, &branch)?, branch, base });
    }
    let base = checkout::head(project)?.ok_or_else(|| {
        Fault::new(Code::WrongState, "the repository has no commit yet, so there is nothing to work from")
            .hint("make a first commit, then run it again")
    })?;
    let branch = free_branch(project, subject)?;
    Ok(Checkout { path: runs::worktree_path(queue, &branch)?, branch, base })
}

pub(super) fn is_merged(run: &Run) -> bool {
    use crate::domain::run::record::Decision;
    run.review.as_ref().is_some_and(|review| matches!(review.decision, Decision::Merged(_)))
}

/// A name that no branch has yet: the short form, then longer ones.
fn free_branch(project: &Path, subject: Subject<'_>) -> Result<String> {
    let random = match subject {
        Subject::Task(id, _) => id.random_part(),
        Subject::Prompt(id) => format!("p-{}", id.random_part()),
        Subject::Again(run) => run.id.random_part(),
    };
    let root = PREFIX.trim_end_matches('/');
    if checkout::branch_tip(project, root)?.is_some() {
        let text =
            format!("the branch `{root}` is in the way of those of runs: git has no `{PREFIX}…` beside it");
        return Err(Fault::new(Code::WrongState, text)
            .hint(format!("`git branch -m {root} my-{root}` gives it another name")));
    }
    let short: String = random.chars().take(if random.starts_with("p-") { 8 } else { 6 }).collect();
    let numbered = (2..1000).map(|number| format!("{random}-{number}"));
    for name in [short, random.clone()].into_iter().chain(numbered) {
        let branch = format!("{PREFIX}{name}");
        if checkout::branch_tip(project, &branch)?.is_none() {
            return Ok(branch);
        }
    }
    Err(Fault::new(Code::Git, format!("all branches `{PREFIX}{random}…` are taken")))
}

/// An earlier run may have changed the project's settings for Claude Code on its branch; those do not count then.
fn sources(project: &Path, checkout: &Checkout) -> Result<Sources> {
    let settings = [".claude", ".mcp.json"];
    let head = checkout::head(&checkout.path)?.unwrap_or_else(|| checkout.base.clone());
    let is_changed = checkout::paths_differ(&checkout.path, &checkout.base, &head, &settings)?
        || checkout::is_dirty(project, &checkout.path)?;
    Ok(if is_changed { Sources::UserOnly } else { Sources::UserAndProject })
}

/// How long a program may take to end when it is asked.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
