//! Repositories inside of a worktree: submodules, and what a run has made there of its own.
//!
//! Their configuration can name programs, and whoever worked there may have written it. So git never descends into one
//! by itself; what lies in a submodule is looked at apart, with its programs switched off.

use std::path::Path;

use gix::index::entry::Mode;

use super::text;
use crate::domain::fault::Result;
use crate::store::git::home::find::{Place, place};
use crate::store::git::repo::external::Git;

/// The paths of repositories that the index of a worktree names and that are there.
pub(super) fn present(folder: &Path, index: &gix::index::File) -> Vec<String> {
    let paths = index.entries().iter().filter(|entry| entry.mode == Mode::COMMIT);
    let paths = paths.map(|entry| entry.path(index).to_string());
    paths.filter(|path| is_there(&folder.join(path))).collect()
}

/// The same where git has to read the index.
fn present_by_git(folder: &Path) -> Result<Vec<String>> {
    let told = text(&Git::at(folder).run(&["ls-files", "-z", "--stage"])?);
    let links = told.split('\0').filter(|line| line.starts_with("160000 "));
    let paths = links.filter_map(|line| Some(line.split_once('\t')?.1.to_owned()));
    Ok(paths.filter(|path| is_there(&folder.join(path))).collect())
}

fn is_there(inner: &Path) -> bool {
    inner.join(".git").symlink_metadata().is_ok()
}

/// What is not committed in a worktree, besides what lies in repositories inside of it.
pub(super) fn status(folder: &Path) -> Result<Vec<u8>> {
    Git::at(folder).run(&STATUS)
}

/// The last word, because a `.gitmodules` may say otherwise.
const STATUS: [&str; 4] = ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty"];

/// Whether anything in a repository inside of a worktree is in no commit of its own, or it is none of this project's.
///
/// # Errors
/// Those of git.
pub(super) fn is_dirty(outer: &Place, inner: &Path) -> Result<bool> {
    let is_own = |found: &Place| found.git_dir.starts_with(&outer.common_dir);
    if !place(inner).is_ok_and(|found| is_own(&found)) {
        return Ok(true);
    }
    if !Git::at(inner).with(without_filters(inner)?).run(&STATUS)?.is_empty() {
        return Ok(true);
    }
    any_is_dirty(outer, inner, &present_by_git(inner)?)
}

/// Whether that is so of one of these.
///
/// # Errors
/// Those of git.
pub(super) fn any_is_dirty(outer: &Place, folder: &Path, paths: &[String]) -> Result<bool> {
    for path in paths {
        if is_dirty(outer, &folder.join(path))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether that is so of any in a worktree.
///
/// # Errors
/// Those of git.
pub(super) fn any_is_dirty_in(
    outer: &Place,
    folder: &Path,
    index: Option<&gix::index::File>,
) -> Result<bool> {
    let paths = index.map_or_else(|| present_by_git(folder), |index| Ok(present(folder, index)))?;
    any_is_dirty(outer, folder, &paths)
}

/// Settings by which no filter of this repository is a program any more. A file that one would have changed counts as
/// changed, which loses nothing.
fn without_filters(folder: &Path) -> Result<Vec<(String, String)>> {
    let words =
        ["config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$"];
    let told = text(&Git::at(folder).ask(&words)?.output);
    let off = |name: &str| {
        let value = if name.ends_with(".required") { "false" } else { "" };
        (name.to_owned(), value.to_owned())
    };
    Ok(told.split('\0').filter(|name| !name.is_empty()).map(off).collect())
}

/// Stage everything in a worktree. The repositories inside of it are named, and not looked into.
///
/// # Errors
/// Those of git.
pub(super) fn stage(folder: &Path, words: &[&str], inside: &[String]) -> Result<()> {
    if inside.is_empty() {
        return Git::at(folder).run(words).map(drop);
    }
    let besides: Vec<String> = inside.iter().map(|path| format!(":(exclude,literal){path}")).collect();
    let all = words.iter().copied().chain(["--", "."]).chain(besides.iter().map(String::as_str));
    Git::at(folder).run(&all.collect::<Vec<_>>())?;
    let paths = inside.iter().map(|path| format!("{path}\0")).collect::<String>();
    Git::at(folder).input(paths.into_bytes()).run(&["update-index", "-z", "--stdin"]).map(drop)
}
