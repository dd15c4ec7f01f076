//! What runs have left on this machine: worktrees in the state folder, and branches.
//!
//! Only what is nobody's loss is ever removed: a worktree in which everything is committed, on a branch whose work
//! the checked-out one has already. All else is named and stays.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::env;
use crate::store::git::checkout::{self, Checkout, Prospect};
use crate::store::queue::Queue;
use crate::store::runs::{self, Activity};

use super::ground::PREFIX;
use super::review::some_of;

/// Why something stays, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Everything is committed and merged.
    Done,
    /// Files are not committed.
    Uncommitted,
    /// Commits are not merged.
    Unmerged,
}

/// A branch of a run, with its worktree if that is there.
#[derive(Debug, Clone)]
pub(crate) struct Leftover {
    pub(crate) branch: String,
    pub(crate) worktree: Option<PathBuf>,
    pub(crate) standing: Standing,
    /// What git ignores in the worktree, which goes with it.
    pub(crate) ignored: Vec<String>,
}

impl Leftover {
    /// What it is, in words.
    pub(crate) fn shown(&self) -> String {
        match &self.worktree {
            Some(path) => format!("the worktree {} and its branch `{}`", path.display(), self.branch),
            None => format!("the branch `{}`", self.branch),
        }
    }

    /// What becomes of it, in words.
    pub(crate) fn plan(&self) -> String {
        match self.standing {
            Standing::Done if !self.ignored.is_empty() => format!(
                "remove {}, whose work is merged, and what git ignores there: {}",
                self.shown(),
                some_of(&self.ignored)
            ),
            Standing::Done => format!("remove {}, whose work is merged", self.shown()),
            Standing::Uncommitted => format!("leave {}: it has work that is not committed", self.shown()),
            Standing::Unmerged => format!("leave {}: it has work that is not merged", self.shown()),
        }
    }
}

/// All branches of runs in this repository; what was cut off while it was removed is gone then.
///
/// # Errors
/// Those of git.
pub(crate) fn all(queue: &Queue) -> Result<Vec<Leftover>> {
    finish_clearing(queue)?;
    let project = runs::project_folder(queue);
    let current = checkout::current_branch(project)?;
    let mut found = Vec::new();
    for branch in checkout::branches(project, PREFIX)? {
        let is_there =
            |path: &PathBuf| runs::has_worktree(path) || checkout::refuse_stranger(project, path).is_err();
        let worktree = runs::worktree_path(queue, &branch).ok().filter(is_there);
        let standing = match &worktree {
            // What is no worktree of the project any more stays as it is, like one with work in it.
            Some(path) if checkout::is_dirty(project, path).unwrap_or(true) => Standing::Uncommitted,
            // Where it is itself checked out, that it is in there tells nothing.
            _ if current.as_ref() == Some(&branch) => Standing::Unmerged,
            _ if checkout::try_merge(project, &branch)? == Prospect::Merged => Standing::Done,
            _ => Standing::Unmerged,
        };
        let of_worktree = worktree.as_ref().filter(|_| standing == Standing::Done);
        let ignored = of_worktree.map(|path| checkout::ignored(project, path)).transpose()?;
        found.push(Leftover { branch, worktree, standing, ignored: ignored.unwrap_or_default() });
    }
    Ok(found)
}

/// Nobody takes a queue away from under a run.
///
/// # Errors
/// [`Code::Claimed`] while one is going on.
pub(crate) fn refuse_while_running(queue: &Queue) -> Result<()> {
    match runs::activity(queue) {
        Activity::Nothing => Ok(()),
        Activity::Unnamed => {
            Err(Fault::new(Code::Claimed, "a run is going on in this project")
                .hint("`swift runs` tells which"))
        }
        Activity::Run(id) => {
            let id = id.random_part();
            Err(Fault::new(Code::Claimed, format!("run {id} is going on in this project"))
                .hint(format!("`swift run show {id}` tells what it does"))
                .hint(format!("`swift run stop {id}` asks it to stop")))
        }
    }
}

/// Remove what is done; the words for what was removed, and for what stays.
pub(crate) fn remove(queue: &Queue, leftovers: &[Leftover]) -> (Vec<String>, Vec<String>) {
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    for leftover in leftovers {
        let path = leftover.worktree.clone().or_else(|| runs::worktree_path(queue, &leftover.branch).ok());
        let is_gone = leftover.standing == Standing::Done
            && path.is_some_and(|path| clear(queue, &path, Some(&leftover.branch)).is_ok());
        if is_gone { removed.push(leftover.shown()) } else { left.push(leftover.shown()) }
    }
    // The folders above are shared with other projects; those that are not empty stay. That of this project may be left
    // over from worktrees that a person has removed.
    let usual = runs::worktree_path(queue, "any").ok();
    for path in leftovers.iter().filter_map(|leftover| leftover.worktree.as_ref()).chain(&usual) {
        runs::forget_worktree_folders(path);
    }
    (removed, left)
}

/// Remove a worktree in which everything is committed, and its branch if that is merged. git looks once more, and
/// refuses where something would be lost.
///
/// # Errors
/// Those of git and of the disk.
pub(crate) fn clear(queue: &Queue, worktree: &Path, branch: Option<&str>) -> Result<()> {
    let project = runs::project_folder(queue);
    checkout::refuse_stranger(project, worktree)?;
    if let Some(branch) = branch.filter(|_| runs::has_worktree(worktree)) {
        // Commits of one that is on no branch, or on another, would go with it.
        let wanted = Checkout { path: worktree.to_owned(), branch: branch.to_owned(), base: String::new() };
        checkout::confirm(project, &wanted)?;
    }
    checkout::remove(project, worktree)?;
    let deleted = branch.map_or(Ok(()), |branch| checkout::delete_merged(project, branch));
    checkout::forget(worktree)?;
    deleted
}

/// The worktree that was made meanwhile for a run that could not begin, unless it is another run's by now. A run that
/// finds it gone when it begins makes it again.
pub(super) fn forsake(queue: &Queue, made: Option<&Checkout>) {
    let Some(made) = made else { return };
    let (project, branch) = (runs::project_folder(queue), Some(&made.branch));
    let Ok(_guard) = queue.home.lock(env::lock_wait()) else { return };
    let is_nobodys =
        runs::all(queue).is_ok_and(|found| found.all.iter().all(|other| other.run.branch.as_ref() != branch));
    let is_empty =
        checkout::branch_tip(project, &made.branch).is_ok_and(|tip| tip.as_ref() == Some(&made.base));
    if is_nobodys && is_empty {
        // What cannot be removed stays as it is: nothing of it is anybody's.
        let _ = clear(queue, &made.path, Some(&made.branch));
        runs::forget_worktree_folders(&made.path);
    }
}

/// Do the rest where [`clear`] was cut off: only a branch that is merged goes with it.
///
/// # Errors
/// Those of git and of the disk.
pub(crate) fn finish_clearing(queue: &Queue) -> Result<()> {
    let Ok(usual) = runs::worktree_path(queue, "any") else { return Ok(()) };
    let Some(folder) = usual.parent().filter(|_| !runs::is_dry()) else { return Ok(()) };
    let project = runs::project_folder(queue);
    for path in checkout::finish(project, folder)? {
        if let Some(name) = path.file_name() {
            // Refused where it is not merged: then it stays, as it would have.
            let _ = checkout::delete_merged(project, &format!("{PREFIX}{}", name.to_string_lossy()));
        }
        checkout::forget(&path)?;
    }
    Ok(())
}

/// Where the project was moved, the worktrees of its runs lie where they did, and their links lead nowhere: they come along,
/// so that what is not committed in them is seen.
///
/// # Errors
/// [`Code::Claimed`] while a run goes on, [`Code::WrongState`] where nothing may be written; those of git.
pub(crate) fn bring_along(queue: &Queue) -> Result<()> {
    let Some(first) = strays(queue)?.first().map(|(_, root)| root.clone()) else { return Ok(()) };
    if runs::is_dry() {
        let text = format!("the worktree {} has to come along with the project first", first.display());
        return Err(Fault::new(Code::WrongState, text)
            .hint("the same command without `--dry-run` brings it along before it shows its plan"));
    }
    refuse_while_running(queue)?;
    for (branch, root) in strays(queue)? {
        let path = runs::worktree_path(queue, &branch)?;
        let wanted = Checkout { path, branch, base: String::new() };
        checkout::bring_along(runs::project_folder(queue), &wanted).map_err(|fault| {
            let at = root.display();
            let text = format!("the worktree {at} does not come along with the project: {}", fault.message);
            Fault::new(fault.code, text).hint(format!("look at it: `git -C {} status`", as_word(&root)))
        })?;
    }
    match strays(queue)?.first() {
        None => Ok(()),
        Some((_, root)) => {
            let text = format!("the worktree {} is locked, and does not come along", root.display());
            Err(Fault::new(Code::WrongState, text)
                .hint(format!("`git worktree unlock {}` lets it come", as_word(root))))
        }
    }
}

fn strays(queue: &Queue) -> Result<Vec<(String, PathBuf)>> {
    checkout::strays(runs::project_folder(queue), PREFIX, |branch| runs::worktree_path(queue, branch))
}
