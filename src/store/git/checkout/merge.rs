//! What a person does with a run's branch: see what it changes, try a merge, make it, and clear up behind it.
//!
//! Nothing here forces anything: a merge that conflicts is not begun, a branch that is not merged stays, a worktree
//! with changes stays.

use std::path::{Path, PathBuf};

use super::super::disk::OrIo as _;
use super::super::external::Git;
use super::super::find::place;
use super::{administration, cut_off, discard, head, is_dirty, remove_folder, text};
use crate::domain::fault::{Code, Fault, Result};

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
    cut_off::take_back(project, branch)?;
    let before = head(project)?;
    cut_off::begin(project, branch)?;
    let words = ["merge", "--no-ff", "--no-edit", "--no-autostash", "--quiet", "-m", message, &theirs];
    if let Err(fault) = Git::at(project).run(&words) {
        // A merge that git began and could not finish is taken back; one that it never began cannot be.
        if head(project)? == before && project_is_merging(project)? {
            Git::at(project).run(&["merge", "--abort"])?;
        }
        cut_off::end(project)?;
        return Err(fault.hint("nothing was merged; `git status` shows what may be in the way"));
    }
    cut_off::end(project)?;
    head(project)?.ok_or_else(|| Fault::new(Code::Git, "the merge left no commit"))
}

/// The merge by which a branch came into what is checked out; its own last commit if there was none.
///
/// # Errors
/// Those of git.
pub(crate) fn merge_of(project: &Path, branch: &str) -> Result<String> {
    cut_off::take_back(project, branch)?;
    let theirs = format!("refs/heads/{branch}");
    let tip = commit_of(project, &theirs)?.unwrap_or_default();
    let range = format!("{theirs}..HEAD");
    let words = ["rev-list", "--parents", "--merges", "--ancestry-path", "--reverse", &range, "--"];
    let listed = Git::at(project).run(&words)?;
    let found = text(&listed);
    let merge = found.lines().find(|line| line.split(' ').skip(1).any(|parent| parent == tip));
    Ok(merge.and_then(|line| line.split(' ').next()).map_or(tip, str::to_owned))
}

fn project_is_merging(project: &Path) -> Result<bool> {
    Ok(commit_of(project, "MERGE_HEAD")?.is_some())
}

/// Where the work of a branch is besides on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// There is none.
    Nothing,
    /// In what is checked out.
    Merged,
    /// In a branch of another repository, as far as is known here.
    Pushed,
    /// Nowhere else.
    Here,
}

/// Where what was made from one commit to another is.
///
/// # Errors
/// Those of git.
pub(crate) fn whereabouts(project: &Path, base: &str, tip: &str) -> Result<Whereabouts> {
    if tip == base {
        return Ok(Whereabouts::Nothing);
    }
    if Git::at(project).ask(&["merge-base", "--is-ancestor", tip, "HEAD"])?.code == Some(0) {
        return Ok(Whereabouts::Merged);
    }
    let contains = format!("--contains={tip}");
    let remote = Git::at(project).run(&["for-each-ref", "--count=1", &contains, "refs/remotes"])?;
    Ok(if remote.is_empty() { Whereabouts::Here } else { Whereabouts::Pushed })
}

/// Remove a worktree in which everything is committed. What was in it lies aside until [`forget`]; cut off before that,
/// [`finish`] does the rest.
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
    let common_dir = place(project)?.common_dir;
    match administration(&common_dir, path)? {
        // What is locked, or has submodules, git refuses or knows how to take apart.
        Some(admin) if !admin.join("locked").exists() && !admin.join("modules").exists() => {
            std::fs::rename(path, aside(path)).or_io("remove", path)?;
            discard(&common_dir, &admin)
        }
        _ => Git::at(project).run(&["worktree", "remove", "--", &path.to_string_lossy()]).map(drop),
    }
}

/// What the names of worktrees begin with that are being removed.
const ASIDE: &str = ".swift-gone-";

fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{ASIDE}{name}"))
}

/// Remove what [`remove`] has put aside.
///
/// # Errors
/// Those of the disk.
pub(crate) fn forget(path: &Path) -> Result<()> {
    remove_folder(&aside(path))
}

/// Let git forget the worktrees in a folder whose removal was cut off; where they were, for [`forget`].
///
/// # Errors
/// Those of the disk.
pub(crate) fn finish(project: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let common_dir = place(project)?.common_dir;
    let mut paths = Vec::new();
    for path in names.filter_map(|name| Some(folder.join(name.strip_prefix(ASIDE)?))) {
        if path.exists() {
            // There is another one by now.
            forget(&path)?;
            continue;
        }
        if let Some(admin) = administration(&common_dir, &path)? {
            discard(&common_dir, &admin)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Remove a branch that is merged; git refuses otherwise.
///
/// # Errors
/// Those of git.
pub(crate) fn delete_merged(project: &Path, branch: &str) -> Result<()> {
    Git::at(project).run(&["branch", "--quiet", "-d", "--", branch]).map(drop)
}

fn commit_of(folder: &Path, revision: &str) -> Result<Option<String>> {
    let spec = format!("{revision}^{{commit}}");
    let answer = Git::at(folder).ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec])?;
    Ok((answer.code == Some(0)).then(|| text(&answer.output).trim().to_owned()))
}
