//! Worktrees in which runs work, and what a person does with their branches.
//!
//! Made and removed by git itself, with the person's hooks off. Nothing here forces anything: a worktree with
//! changes stays, a branch that is not merged stays, a merge that conflicts is not begun.

use std::path::{Path, PathBuf};

use super::disk::{self, OrIo as _};
use super::external::Git;
use super::find::place;
use super::refs::{self, Tip};
use crate::domain::fault::{Code, Fault, Result};

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
/// Those of starting git.
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
/// Those of starting git.
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

fn commit_of(folder: &Path, revision: &str) -> Result<Option<String>> {
    let spec = format!("{revision}^{{commit}}");
    let answer = Git::at(folder).ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec])?;
    Ok((answer.code == Some(0)).then(|| text(&answer.output).trim().to_owned()))
}

/// The short name of the branch that is checked out; `None` on a detached HEAD.
///
/// # Errors
/// Those of reading HEAD.
pub(crate) fn current_branch(folder: &Path) -> Result<Option<String>> {
    Ok(tip(folder)?.short().map(str::to_owned))
}

/// A worktree at this place on this branch, as it is or made now from `base`, and looked at before it is believed.
///
/// # Errors
/// [`Code::Git`] if git refuses, or if what lies there is something else.
pub(crate) fn ensure(project: &Path, wanted: Checkout) -> Result<Checkout> {
    let path = wanted.path.to_string_lossy().into_owned();
    if wanted.path.join(".git").is_file() {
        confirm(&wanted)?;
        return Ok(wanted);
    }
    if let Some(parent) = wanted.path.parent() {
        std::fs::create_dir_all(parent).or_io("make", parent)?;
    }
    let mut words = vec!["worktree", "add", "--quiet"];
    // git remembers a worktree whose folder is gone, and asks for this word before it is made again.
    if is_known(project, &wanted.path)? && !wanted.path.exists() {
        words.push("--force");
    }
    if branch_tip(project, &wanted.branch)?.is_some() {
        words.extend(["--", &path, &wanted.branch]);
    } else {
        words.extend(["--no-track", "-b", &wanted.branch, "--", &path, &wanted.base]);
    }
    Git::at(project).run(&words)?;
    confirm(&wanted)?;
    Ok(wanted)
}

/// Whether git knows a worktree at this place, there or not.
fn is_known(project: &Path, path: &Path) -> Result<bool> {
    let Ok(entries) = std::fs::read_dir(place(project)?.common_dir.join("worktrees")) else {
        return Ok(false);
    };
    let link = path.join(".git");
    for entry in entries.flatten() {
        if disk::read_line(&entry.path().join("gitdir"))?.is_some_and(|line| Path::new(&line) == link) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The folder is the top of a worktree of its own, and on the branch that it should be on.
///
/// # Errors
/// [`Code::Git`] if not.
pub(crate) fn confirm(wanted: &Checkout) -> Result<()> {
    let canonical = std::fs::canonicalize(&wanted.path).or_io("find", &wanted.path)?;
    let is_top = place(&wanted.path)?.checkout.as_ref() == Some(&canonical);
    let branch = current_branch(&wanted.path)?;
    if is_top && branch.as_deref() == Some(&wanted.branch) {
        return Ok(());
    }
    let is_on = branch.map_or_else(|| "on no branch".to_owned(), |branch| format!("on `{branch}`"));
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

/// Commit everything that a run left uncommitted; the commit, or `None` if there was nothing. Not signed: nobody is there
/// to be asked for a passphrase, and it is not the person's own work.
///
/// # Errors
/// Those of git, such as a missing identity.
pub(crate) fn commit_all(folder: &Path, message: &str) -> Result<Option<String>> {
    if !is_dirty(folder)? {
        return Ok(None);
    }
    Git::at(folder).run(&["add", "--all"])?;
    Git::at(folder).input(message.as_bytes().to_vec()).run(&[
        "commit",
        "--quiet",
        "--no-gpg-sign",
        "--file",
        "-",
    ])?;
    head(folder)
}

/// The commits from one to another, oldest first, merges included.
///
/// # Errors
/// Those of git.
pub(crate) fn commits(folder: &Path, from: &str, to: &str) -> Result<Vec<String>> {
    let range = format!("{from}..{to}");
    let out = Git::at(folder).run(&["rev-list", "--reverse", "--max-count=1000", &range, "--"])?;
    Ok(text(&out).lines().map(str::to_owned).collect())
}

/// Whether the trees of two commits differ.
///
/// # Errors
/// Those of git.
pub(crate) fn differs(folder: &Path, from: &str, to: &str, paths: &[&str]) -> Result<bool> {
    let mut words = vec!["diff", "--quiet", "--no-ext-diff", "--no-textconv", from, to, "--"];
    words.extend(paths);
    match Git::at(folder).ask(&words)?.code {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Fault::new(Code::Git, format!("`git diff` cannot compare {from} with {to}"))),
    }
}

/// What a branch changes since it began, as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Files, and how many lines.
    Stat,
    /// How many in all, on one line.
    Short,
    /// Everything.
    Patch,
}

/// What a branch changes since it left the other one.
///
/// # Errors
/// Those of git.
pub(crate) fn diff(project: &Path, from: &str, to: &str, detail: Detail) -> Result<String> {
    let how = match detail {
        Detail::Stat => "--stat",
        Detail::Short => "--shortstat",
        Detail::Patch => "--patch",
    };
    let range = format!("{from}...{to}");
    let out =
        Git::at(project).run(&["diff", "--no-color", "--no-ext-diff", "--no-textconv", how, &range, "--"])?;
    Ok(text(&out))
}

/// What a merge would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prospect {
    Clean,
    /// There is nothing to merge: it is there already.
    Merged,
    /// These paths conflict.
    Conflicts(Vec<String>),
}

/// Try a merge into what is checked out, in memory: no file, index or branch is touched.
///
/// # Errors
/// Those of git; [`Code::Unsupported`] below git 2.38.
pub(crate) fn try_merge(project: &Path, branch: &str) -> Result<Prospect> {
    let theirs = format!("refs/heads/{branch}");
    if Git::at(project).ask(&["merge-base", "--is-ancestor", &theirs, "HEAD"])?.code == Some(0) {
        return Ok(Prospect::Merged);
    }
    let words = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "HEAD", &theirs];
    let answer = Git::at(project).ask(&words)?;
    match answer.code {
        Some(0) => Ok(Prospect::Clean),
        Some(1) => {
            let told = text(&answer.output);
            let paths: Vec<String> =
                told.lines().skip(1).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            Ok(Prospect::Conflicts(paths))
        }
        _ => {
            Err(Fault::new(Code::Unsupported, "this git cannot try a merge (`git merge-tree --write-tree`)")
                .hint("git 2.38 or newer can"))
        }
    }
}

/// Merge a branch into what is checked out, with a commit in any case; the commit.
///
/// # Errors
/// Those of git, which refuses when files that are not committed would be overwritten; nothing is changed then.
pub(crate) fn merge(project: &Path, branch: &str, message: &str) -> Result<String> {
    let theirs = format!("refs/heads/{branch}");
    let before = head(project)?;
    let words = ["merge", "--no-ff", "--no-edit", "--no-autostash", "--quiet", "-m", message, &theirs];
    if let Err(fault) = Git::at(project).run(&words) {
        // A merge that git began and could not finish is taken back; one that it never began cannot be.
        if head(project)? == before && project_is_merging(project)? {
            Git::at(project).run(&["merge", "--abort"])?;
        }
        return Err(fault.hint("nothing was merged; `git status` shows what may be in the way"));
    }
    head(project)?.ok_or_else(|| Fault::new(Code::Git, "the merge left no commit"))
}

fn project_is_merging(project: &Path) -> Result<bool> {
    Ok(commit_of(project, "MERGE_HEAD")?.is_some())
}

/// Remove a worktree in which everything is committed.
///
/// # Errors
/// [`Code::WrongState`] if something is not committed; those of git.
pub(crate) fn remove(project: &Path, path: &Path) -> Result<()> {
    if !path.join(".git").is_file() {
        return Ok(());
    }
    if is_dirty(path)? {
        return Err(Fault::new(
            Code::WrongState,
            format!("`{}` has work that is not committed", path.display()),
        )
        .hint(format!("look at it: `git -C {} status`", path.display())));
    }
    Git::at(project).run(&["worktree", "remove", "--", &path.to_string_lossy()]).map(drop)
}

/// Remove a branch that is merged; git refuses otherwise.
///
/// # Errors
/// Those of git.
pub(crate) fn delete_merged(project: &Path, branch: &str) -> Result<()> {
    Git::at(project).run(&["branch", "--quiet", "-d", "--", branch]).map(drop)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
