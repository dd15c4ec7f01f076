//! Worktrees in which runs work, and what a person does with their branches.
//!
//! Ordinary worktrees are made and read in this process, because a run waits for it; wherever something is special
//! about the repository git does it, with the person's hooks off.

mod left;
mod make;
mod merge;
mod plain;

use std::path::{Path, PathBuf};

use super::disk::OrIo as _;
use super::external::Git;
use super::find::place;
use super::refs::{self, Tip};
use super::worktree;
use crate::domain::fault::{Code, Fault, Result};

pub(crate) use left::{keep, paths_differ, put_back};
pub(crate) use make::ensure;
pub(crate) use merge::{
    Detail, Prospect, Whereabouts, delete_merged, diff, merge, refuse_unready, remove, try_merge, whereabouts,
};

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

/// The folder is the top of a worktree of this very repository, and on the branch that it should be on. What a run
/// has left in its place is not believed: a `.git` file can lead anywhere.
///
/// # Errors
/// [`Code::Git`] if not.
pub(crate) fn confirm(project: &Path, wanted: &Checkout) -> Result<()> {
    let canonical = std::fs::canonicalize(&wanted.path).or_io("find", &wanted.path)?;
    let found = place(&wanted.path)?;
    let is_ours = found.common_dir == place(project)?.common_dir
        && found.git_dir.parent() == Some(&found.common_dir.join("worktrees"));
    let is_top = found.checkout.as_ref() == Some(&canonical);
    let branch = refs::tip(&found.git_dir, &found.common_dir)?.short().map(str::to_owned);
    if is_ours && is_top && branch.as_deref() == Some(&wanted.branch) {
        return Ok(());
    }
    let is_on = match branch {
        _ if !is_ours || !is_top => "a worktree of something else".to_owned(),
        Some(branch) => format!("on `{branch}`"),
        None => "on no branch".to_owned(),
    };
    Err(Fault::new(
        Code::Git,
        format!("the worktree `{}` should be on `{}` and is {is_on}", wanted.path.display(), wanted.branch),
    )
    .hint(format!("look at it: `git -C {} status`", wanted.path.display())))
}

/// Whether anything in a worktree is not committed, files that git does not know included.
///
/// # Errors
/// Those of git.
pub(crate) fn is_dirty(folder: &Path) -> Result<bool> {
    Ok(!Git::at(folder).run(&["status", "--porcelain", "--untracked-files=normal"])?.is_empty())
}

/// What git ignores in a worktree: files, and folders of which it ignores everything (with a `/` at the end).
///
/// # Errors
/// Those of git.
pub(crate) fn ignored(folder: &Path) -> Result<Vec<String>> {
    if !folder.join(".git").exists() {
        return Ok(Vec::new());
    }
    let words = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
    let out = text(&Git::at(folder).run(&words)?);
    Ok(out.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
