//! A worktree for a run: as it is, or made now; looked at before it is believed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Checkout, WORKTREES, administration, administrations, branch_tip, confirm, discard, plain,
    refuse_stranger, remove_folder,
};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::commit::lock;
use crate::store::git::disk::patience::look_until;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::find::{Place, place};
use crate::store::git::home::worktree::Worktree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::gitlock;

/// How long somebody else may take to make another worktree of the same repository.
const PATIENCE: Duration = Duration::from_secs(300);

/// What stands in the file `locked` of a worktree that is being made; git's own word.
pub(super) const INITIALIZING: &str = "initializing";

/// A worktree at this place on this branch, as it is or made now from `base`.
///
/// # Errors
/// [`Code::Git`] if git refuses, or if what lies there is something else.
pub(crate) fn ensure(project: &Path, wanted: Checkout) -> Result<Checkout> {
    let found = place(project)?;
    let _turn = turn(&found)?;
    clear_half_made(&found, &wanted.path)?;
    clear_locks(&found, &wanted)?;
    fetch_back(project, &found, &wanted)?;
    if !wanted.path.join(".git").is_file() {
        refuse_stranger(project, &wanted.path)?;
        // To git an empty folder is in the way of a worktree that it remembers there.
        let _ = std::fs::remove_dir(&wanted.path);
        if let Some(parent) = wanted.path.parent() {
            std::fs::create_dir_all(parent).or_io("make", parent)?;
        }
        if !plain::make(&found, &wanted) {
            by_git(project, &found, &wanted)?;
        }
    }
    confirm(project, &wanted)?;
    Ok(wanted)
}

/// Two that make worktrees of one repository at the same moment are in each other's way. Not the queue's own lock,
/// which the record of the run is committed under meanwhile.
fn turn(place: &Place) -> Result<lock::Guard> {
    let refs: PathBuf = place.common_dir.join("refs");
    lock::hold(&refs, PATIENCE).map_err(|fault| match fault.code {
        Code::Busy => Fault::new(
            Code::Busy,
            format!("another `swift` is making a worktree of {}", place.common_dir.display()),
        )
        .hint("run the same command again"),
        _ => fault,
    })
}

/// Whoever made it was killed before anything could run in it: what is there came out of git, and is made again.
fn clear_half_made(place: &Place, path: &Path) -> Result<()> {
    let Some(admin) = administration(&place.common_dir, path)? else { return Ok(()) };
    if disk::read_line(&admin.join("locked"))?.as_deref() != Some(INITIALIZING) {
        return Ok(());
    }
    remove_folder(path)?;
    discard(&place.common_dir, &admin)
}

/// The worktree of this branch lies elsewhere, because the project was moved since and its own place is called after that:
/// it comes along. One whose folder is gone is forgotten, and so is one of the project that this one is a copy of. What a
/// person has made themselves stays where it is.
fn fetch_back(project: &Path, place: &Place, wanted: &Checkout) -> Result<()> {
    let has_branch = |worktree: &Worktree| worktree.branch.as_deref() == Some(&wanted.branch);
    let Some(other) = administrations(&place.common_dir)?.into_iter().find(has_branch) else { return Ok(()) };
    if is_same(&other.root, &wanted.path) || other.admin.join("locked").exists() {
        return Ok(());
    }
    let (from, to) = (other.root.to_string_lossy(), wanted.path.to_string_lossy());
    if !other.root.join(".git").is_file() {
        return if other.root.exists() { Ok(()) } else { discard(&place.common_dir, &other.admin) };
    }
    if !is_of_runs(&other.root) {
        return Ok(());
    }
    if is_anothers(&other)? {
        return discard(&place.common_dir, &other.admin);
    }
    if let Some(parent) = wanted.path.parent() {
        std::fs::create_dir_all(parent).or_io("make", parent)?;
    }
    // Its link leads to where the project was.
    Git::at(project).run(&["worktree", "repair", "--", &from])?;
    Git::at(project).run(&["worktree", "move", "--", &from, &to]).map(drop)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// Whether it lies where worktrees of runs do.
pub(super) fn is_of_runs(root: &Path) -> bool {
    root.ancestors().nth(2).is_some_and(|shelf| shelf.ends_with(WORKTREES))
}

/// Whether a worktree belongs to another repository that is there: a copy of a project knows the worktrees of the one that
/// it was copied from. Its own link tells; where that leads nowhere, the project was moved.
fn is_anothers(worktree: &Worktree) -> Result<bool> {
    let link = disk::read_line(&worktree.root.join(".git"))?.unwrap_or_default();
    let Some(path) = link.strip_prefix("gitdir:") else { return Ok(true) };
    let there = worktree.root.join(path.trim());
    Ok(there.exists() && !is_same(&there, &worktree.admin))
}

/// The branches that begin like this and whose worktree does not lie where it belongs, with where it lies; those that a
/// person has made themselves left out.
///
/// # Errors
/// Those of reading git's folder.
pub(crate) fn strays(
    project: &Path,
    start: &str,
    belongs: impl Fn(&str) -> Result<PathBuf>,
) -> Result<Vec<(String, PathBuf)>> {
    let mut strays = Vec::new();
    for worktree in administrations(&place(project)?.common_dir)? {
        let Some(branch) = worktree.branch.filter(|branch| branch.starts_with(start)) else { continue };
        let is_there = is_of_runs(&worktree.root) && worktree.root.join(".git").is_file();
        if is_there && !is_same(&worktree.root, &belongs(&branch)?) {
            strays.push((branch, worktree.root));
        }
    }
    Ok(strays)
}

/// Bring the worktree of a branch to where it belongs.
///
/// # Errors
/// Those of git and of the disk.
pub(crate) fn bring_along(project: &Path, wanted: &Checkout) -> Result<()> {
    let found = place(project)?;
    let _turn = turn(&found)?;
    fetch_back(project, &found, wanted)
}

/// Lock files of the run's branch and worktree, in which nobody works while it is made ready: who left them was killed.
/// One that somebody is using all the same is gone in a moment.
fn clear_locks(place: &Place, wanted: &Checkout) -> Result<()> {
    let mut locks = vec![place.common_dir.join(format!("refs/heads/{}.lock", wanted.branch))];
    if let Some(admin) = administration(&place.common_dir, &wanted.path)? {
        locks.extend(["HEAD.lock", "index.lock", "ORIG_HEAD.lock"].map(|name| admin.join(name)));
    }
    for lock in locks {
        let Some(left) = gitlock::identity(&lock)? else { continue };
        let is_gone = || Ok((gitlock::identity(&lock)?.as_ref() != Some(&left)).then_some(()));
        let told = look_until(LOCK_PATIENCE, is_gone)?;
        if told.in_time(format!("another program holds {}", lock.display()))?.is_none() {
            gitlock::remove_if(&lock, &left)?;
        }
    }
    Ok(())
}

/// How long a lock file has to stay the same to be one that was left. git holds each for a moment only.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

fn by_git(project: &Path, found: &Place, wanted: &Checkout) -> Result<()> {
    let path = wanted.path.to_string_lossy().into_owned();
    let mut words = vec!["worktree", "add", "--quiet"];
    // git remembers a worktree whose folder is gone, and asks for this word before it is made again.
    if administration(&found.common_dir, &wanted.path)?.is_some() && !wanted.path.exists() {
        words.push("--force");
    }
    if branch_tip(project, &wanted.branch)?.is_some() {
        words.extend(["--", &path, &wanted.branch]);
    } else {
        words.extend(["--no-track", "-b", &wanted.branch, "--", &path, &wanted.base]);
    }
    Git::at(project).run(&words).map(drop)
}
