//! What lies where a merge would write, and is in no commit: git takes ignored files for expendable, and does not look at
//! those that it was told are unchanged.

use std::path::Path;

use gix::index::entry::Flags;

use super::left::read_index;
use super::{merged_tree, text};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;
use crate::store::git::home::find::place;
use crate::store::git::repo::Repo;
use crate::store::git::repo::external::Git;

/// A path that differs between what is checked out and the merge.
struct Incoming {
    path: String,
    kind: Kind,
}

/// What a merge does to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    New,
    Changed,
    Removed,
}

/// Refuse a merge that would overwrite or remove what is in no commit.
///
/// # Errors
/// [`Code::MergeConflict`] with the first paths that are in the way; those of git.
pub(crate) fn refuse_obstacles(project: &Path, branch: &str) -> Result<()> {
    let theirs = format!("refs/heads/{branch}");
    // Without a merged tree there is no merge either, which is told elsewhere.
    let Some(merged) = merged_tree(project, &theirs)? else { return Ok(()) };
    let incoming = incoming(project, &merged)?;
    let mut in_the_way = Vec::new();
    for one in incoming.iter().filter(|one| one.kind == Kind::New) {
        in_the_way.extend(at_or_above(project, &one.path)?);
    }
    in_the_way.extend(unwatched(project, &incoming)?);
    in_the_way.sort();
    in_the_way.dedup();
    if in_the_way.is_empty() {
        refuse_what_was_taken_away(project, &incoming)?;
    }
    let Some(first) = in_the_way.first() else { return Ok(()) };
    let told: Vec<String> = in_the_way.iter().take(5).map(|path| shown(path)).collect();
    Err(Fault::new(
        Code::MergeConflict,
        format!("the merge would overwrite what is in no commit: {}", told.join(", ")),
    )
    .hint(format!("look at it: `ls -la -- {}`", shell_words::quote(&project.join(first).to_string_lossy())))
    .hint("put it aside under another name, or commit it; then run the same command again"))
}

/// A file that the person has removed or moved, and not committed that: git would bring it back without a word.
fn refuse_what_was_taken_away(project: &Path, incoming: &[Incoming]) -> Result<()> {
    let found = place(project)?;
    let Ok(index) = read_index(&Repo::open(&found.git_dir)?, &found) else { return Ok(()) };
    let is_expected = |path: &str| {
        let entry = index.entry_by_path(path.into());
        entry.is_some_and(|entry| !entry.flags.contains(Flags::SKIP_WORKTREE))
    };
    let is_gone = |one: &&Incoming| {
        one.kind == Kind::Changed
            && project.join(&one.path).symlink_metadata().is_err()
            && is_expected(&one.path)
    };
    let gone: Vec<String> = incoming.iter().filter(is_gone).take(5).map(|one| shown(&one.path)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let text = format!("the merge would bring back what you have removed or moved: {}", gone.join(", "));
    Err(Fault::new(Code::MergeConflict, text)
        .hint(format!("look at it: `git -C {} status`", shell_words::quote(&project.to_string_lossy())))
        .hint("commit that; then run the same command again"))
}

fn incoming(project: &Path, merged: &str) -> Result<Vec<Incoming>> {
    let told =
        Git::at(project).run(&["diff-tree", "-r", "-z", "--no-renames", "--name-status", "HEAD", merged])?;
    let told = text(&told);
    let mut fields = told.split('\0');
    let mut all = Vec::new();
    while let (Some(kind), Some(path)) = (fields.next(), fields.next()) {
        let kind = match kind {
            "A" => Kind::New,
            "D" => Kind::Removed,
            _ => Kind::Changed,
        };
        all.push(Incoming { path: path.to_owned(), kind });
    }
    Ok(all)
}

/// What is on the disk where a new file is to be, or in place of a folder above it, and is not git's.
fn at_or_above(project: &Path, path: &str) -> Result<Option<String>> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        let part = &path[..end];
        let Ok(found) = project.join(part).symlink_metadata() else { return Ok(None) };
        let is_last = end == path.len();
        if found.is_dir() && !is_last {
            continue;
        }
        let is_foreign =
            if found.is_dir() { holds_others(project, part)? } else { !is_known(project, part)? };
        return Ok(is_foreign.then(|| part.to_owned()));
    }
    Ok(None)
}

/// Whether a folder holds anything that git does not know, what it ignores included.
fn holds_others(project: &Path, folder: &str) -> Result<bool> {
    let words = ["--literal-pathspecs", "ls-files", "-z", "--others", "--directory", "--", folder];
    Ok(!Git::at(project).run(&words)?.is_empty())
}

fn is_known(project: &Path, path: &str) -> Result<bool> {
    Ok(!Git::at(project).run(&["--literal-pathspecs", "ls-files", "-z", "--", path])?.is_empty())
}

/// Files that the merge writes, that git was told to take for unchanged, and that are not.
fn unwatched(project: &Path, incoming: &[Incoming]) -> Result<Vec<String>> {
    let found = place(project)?;
    let Ok(index) = read_index(&Repo::open(&found.git_dir)?, &found) else { return Ok(Vec::new()) };
    let is_unwatched = |path: &str| {
        let entry = index.entry_by_path(path.into());
        entry.is_some_and(|entry| entry.flags.intersects(Flags::ASSUME_VALID | Flags::SKIP_WORKTREE))
    };
    let mut all = Vec::new();
    for one in incoming.iter().filter(|one| one.kind != Kind::New && is_unwatched(&one.path)) {
        let Some(entry) = index.entry_by_path(one.path.as_str().into()) else { continue };
        if project.join(&one.path).symlink_metadata().is_err() {
            continue;
        }
        let now = Git::at(project).run(&["hash-object", "--", &one.path])?;
        if gix::ObjectId::from_hex(text(&now).trim().as_bytes()).ok() != Some(entry.id) {
            all.push(one.path.clone());
        }
    }
    Ok(all)
}
