//! Worktrees in which runs work, and what a person does with their branches.
//!
//! Ordinary worktrees are made and read in this process, because a run waits for it; wherever something is special
//! about the repository git does it, with the person's hooks off.

mod arrival;
mod astray;
mod cut_off;
mod embedded;
mod hidden;
mod left;
mod make;
mod merge;
mod moved;
mod obstacle;
mod plain;
mod put_back;
mod standing;
mod stuck;

use std::path::{Path, PathBuf};

use super::disk::{self, OrIo as _};
use super::home::find::place;
use super::home::worktree;
use super::repo::Repo;
use super::repo::external::Git;
use super::repo::refs::{self, Tip};
use crate::domain::fault::Result;
use astray::own_place;

pub(crate) use arrival::{Arrival, Change, arrival, from_before};
pub(crate) use astray::{confirm, put_aside, refuse_stranger, way_back};
pub(crate) use cut_off::take_back;
pub(crate) use hidden::refuse_left_out;
pub(crate) use left::{keep, left_since, paths_differ};
pub(crate) use make::{bring_along, ensure, strays};
pub(crate) use merge::{
    Detail, Prospect, Whereabouts, delete_merged, diff, finish, forget, merge, merge_of, refuse_unready,
    remove, try_merge, whereabouts,
};
pub(crate) use moved::{Branches, branches_at};
pub(crate) use obstacle::refuse_obstacles;
pub(crate) use put_back::{kept, put_back};
pub(crate) use standing::{Standing, standing};
pub(crate) use stuck::{stale_locks, unlock};

/// Where worktrees of runs lie, each in the folder of its project, below what the machine keeps.
pub(crate) const WORKTREES: &str = "swift/worktrees";

/// A worktree in which a run works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    pub(crate) path: PathBuf,
    pub(crate) branch: String,
    /// The commit that the branch began at.
    pub(crate) base: String,
}

/// The commit that is checked out in a folder; `None` before the first.
///
/// # Errors
/// Those of reading HEAD.
pub(crate) fn head(folder: &Path) -> Result<Option<String>> {
    Ok(tip(folder)?.id.map(|id| id.to_string()))
}

/// HEAD, read without a process of git: a run asks for it many times.
fn tip(folder: &Path) -> Result<Tip> {
    let place = place(folder)?;
    refs::tip(&place.git_dir, &place.common_dir)
}

/// The commit that a branch is at.
///
/// # Errors
/// Those of reading the branch.
pub(crate) fn branch_tip(project: &Path, branch: &str) -> Result<Option<String>> {
    let place = place(project)?;
    Ok(refs::resolve(&place.common_dir, &format!("refs/heads/{branch}"))?.map(|id| id.to_string()))
}

/// The short names of all branches that begin with this.
///
/// # Errors
/// Those of git.
pub(crate) fn branches(project: &Path, start: &str) -> Result<Vec<String>> {
    let pattern = format!("refs/heads/{start}");
    let place = place(project)?;
    if !refs::any_below(&place.common_dir, &pattern)? {
        return Ok(Vec::new());
    }
    let out = Git::at(project).run(&["for-each-ref", "--format=%(refname:lstrip=2)", &pattern])?;
    Ok(text(&out).lines().map(str::to_owned).collect())
}

/// The short name of the branch that is checked out; `None` on a detached HEAD.
///
/// # Errors
/// Those of reading HEAD.
pub(crate) fn current_branch(folder: &Path) -> Result<Option<String>> {
    Ok(tip(folder)?.short().map(str::to_owned))
}

/// Whether anything in a worktree is not committed, files that git does not know or was told not to look at included.
///
/// # Errors
/// Those of git, and [`crate::domain::fault::Code::Git`] if it is no worktree of the project.
pub(crate) fn is_dirty(project: &Path, folder: &Path) -> Result<bool> {
    let found = own_place(project, folder)?;
    if !embedded::status(folder)?.is_empty() || hidden::is_changed(folder)? {
        return Ok(true);
    }
    let index = Repo::open(&found.git_dir).and_then(|repo| left::read_index(&repo, &found)).ok();
    embedded::any_is_dirty_in(&found, folder, index.as_ref())
}

/// What git ignores in a worktree: files, and folders of which it ignores everything (with a `/` at the end).
///
/// # Errors
/// Those of git, and [`crate::domain::fault::Code::Git`] if it is no worktree of the project.
pub(crate) fn ignored(project: &Path, folder: &Path) -> Result<Vec<String>> {
    if !folder.join(".git").exists() {
        return Ok(Vec::new());
    }
    own_place(project, folder)?;
    let words = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    let out = text(&Git::at(folder).run(&words)?);
    Ok(out.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Whether submodules are checked out in a worktree: git removes none that has such.
///
/// # Errors
/// Those of reading git's folder.
pub(crate) fn holds_submodules(project: &Path, folder: &Path) -> Result<bool> {
    let admin = administration(&place(project)?.common_dir, folder)?;
    Ok(admin.is_some_and(|admin| admin.join("modules").exists()))
}

/// The administration of the worktree at a place, whether its folder is there or not.
fn administration(common_dir: &Path, path: &Path) -> Result<Option<PathBuf>> {
    let all = administrations(common_dir)?;
    Ok(all.into_iter().find(|worktree| worktree.root == path).map(|worktree| worktree.admin))
}

/// All linked worktrees that git knows.
fn administrations(common_dir: &Path) -> Result<Vec<worktree::Worktree>> {
    let Ok(entries) = std::fs::read_dir(common_dir.join("worktrees")) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        all.extend(worktree::read(&entry.path())?);
    }
    Ok(all)
}

/// Take the administration of a worktree away: in one step for git, to which one that is half there is an error.
fn discard(common_dir: &Path, admin: &Path) -> Result<()> {
    let gone = half_made(common_dir);
    remove_folder(&gone)?;
    std::fs::create_dir_all(gone.parent().expect("a folder below git's")).or_io("make", &gone)?;
    std::fs::rename(admin, &gone).or_io("remove", admin)?;
    remove_folder(&gone)?;
    // git has none of these folders when there is no linked worktree; one with others in it stays.
    let _ = std::fs::remove_dir(common_dir.join("worktrees"));
    Ok(())
}

/// Where the administration of a worktree is while it comes or goes. One is made or removed at a time.
fn half_made(common_dir: &Path) -> PathBuf {
    common_dir.join("swift").join(format!("worktree-{}", std::process::id()))
}

fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if !disk::is_absent(&error) => Err(error).or_io("remove", folder),
        _ => Ok(()),
    }
}

/// The tree of a merge into what is checked out; `None` where git makes none.
fn merged_tree(project: &Path, theirs: &str) -> Result<Option<String>> {
    let words = ["merge-tree", "--write-tree", "--no-messages", "HEAD", theirs];
    let told = text(&Git::at(project).ask(&words)?.output);
    Ok(told.lines().next().filter(|line| !line.is_empty()).map(str::to_owned))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
