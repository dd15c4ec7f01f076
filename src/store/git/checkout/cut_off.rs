//! A `git merge` that was killed in the middle: taken back, before the same merge is made again. One that failed in the
//! middle, because the disk is full or a file cannot be written, is taken back at once.
//!
//! git refuses to begin where a file that is not committed would be overwritten. So a path that the merge changes, and that
//! holds what the merge writes there, or the beginning of it, or nothing, was the person's as the last commit has it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{branch_tip, head, merged_tree, text};
use crate::domain::fault::Result;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::find::place;
use crate::store::git::repo::external::Git;

/// What is noted while git merges: where the checkout stood, and what is merged.
fn note(project: &Path) -> Result<PathBuf> {
    Ok(place(project)?.git_dir.join("swift").join("merge"))
}

/// Note that a merge begins.
pub(super) fn begin(project: &Path, branch: &str) -> Result<()> {
    let path = note(project)?;
    let folder = path.parent().expect("a file in a folder");
    std::fs::create_dir_all(folder).or_io("make", folder)?;
    let line = format!(
        "{} {}\n",
        head(project)?.unwrap_or_default(),
        branch_tip(project, branch)?.unwrap_or_default()
    );
    disk::overwrite(&path, line).or_io("write", &path).map(drop)
}

/// It is over.
pub(super) fn end(project: &Path) -> Result<()> {
    disk::remove(&note(project)?)
}

/// Take back what a merge of this branch has left that was begun and not ended.
///
/// # Errors
/// Those of git and of the disk.
pub(crate) fn take_back(project: &Path, branch: &str) -> Result<()> {
    let Some(line) = disk::read_line(&note(project)?)? else { return Ok(()) };
    let (Some((before, theirs)), Some(now)) = (line.split_once(' '), head(project)?) else {
        return end(project);
    };
    let merging = disk::read_line(&place(project)?.git_dir.join("MERGE_HEAD"))?;
    // Somebody has gone on with something else.
    let is_other = merging.is_some_and(|merging| !merging.is_empty() && merging != theirs);
    if is_other || branch_tip(project, branch)?.as_deref() != Some(theirs) {
        return end(project);
    }
    let parents = text(&Git::at(project).run(&["show", "--no-patch", "--format=%P", &now])?);
    if now != before && parents.trim() != line {
        return end(project);
    }
    let Some(staged) = staged(project)? else { return end(project) };
    let merged = merged_tree(project, theirs)?.unwrap_or_default();
    let is_unstaged = staged == tree_of(project, "HEAD")?;
    if !is_unstaged && (now != before || staged != merged) {
        // A person has gone on here: what they have staged is theirs, and git says what is in its way.
        return end(project);
    }
    if now == before && is_unstaged {
        // First: what came to its end because the disk is full leaves no room for git's index either.
        restore_files(project, &merged)?;
    }
    // Also where it is made and only git's notes of it are left. What is staged is the merge's.
    Git::at(project).run(&["reset", "--quiet", "--merge"])?;
    if now == before && !is_unstaged {
        restore_files(project, &merged)?;
    }
    end(project)
}

/// Whether the merge changes what a person has changed and not committed: git refuses it then, before it writes anything.
pub(super) fn is_in_the_way(project: &Path, merged: &str) -> Result<bool> {
    let words = [
        "diff",
        "--name-only",
        "-z",
        "--no-renames",
        "--no-ext-diff",
        "--ignore-submodules=dirty",
        "HEAD",
        "--",
    ];
    let changed = text(&Git::at(project).run(&words)?);
    let incoming = changes(project, merged)?;
    Ok(changed.split('\0').any(|path| incoming.contains_key(path)))
}

/// The tree that a commit of what is staged would have; `None` while something is in conflict.
fn staged(project: &Path) -> Result<Option<String>> {
    let told = Git::at(project).ask(&["write-tree"])?;
    Ok((told.code == Some(0)).then(|| text(&told.output).trim().to_owned()))
}

pub(super) fn tree_of(project: &Path, commit: &str) -> Result<String> {
    let tree = Git::at(project).run(&["rev-parse", "--verify", "--quiet", &format!("{commit}^{{tree}}")])?;
    Ok(text(&tree).trim().to_owned())
}

/// Files that the merge has written before its index was in place; those that are new first, which make room.
fn restore_files(project: &Path, merged: &str) -> Result<()> {
    let mut known = Vec::new();
    for (path, blob) in changes(project, merged)? {
        let file = project.join(&path);
        let Ok(found) = contents(&file) else { continue };
        let written = match &blob {
            Some(blob) => Git::at(project).run(&["cat-file", "blob", blob])?,
            None => Vec::new(),
        };
        if !written.starts_with(found.as_deref().unwrap_or_default()) {
            continue;
        }
        let spec = format!("HEAD:{path}");
        if Git::at(project).ask(&["cat-file", "-e", &spec])?.code == Some(0) {
            known.push(path);
        } else {
            remove(project, &file)?;
        }
    }
    for path in known {
        Git::at(project).run(&["--literal-pathspecs", "checkout", "--quiet", "HEAD", "--", &path])?;
    }
    Ok(())
}

/// What a file holds, or where a link leads.
fn contents(file: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read_link(file) {
        Ok(target) => Ok(Some(target.into_os_string().into_encoded_bytes())),
        Err(_) => disk::read(file),
    }
}

/// With the folders that are empty then, as git does.
fn remove(project: &Path, file: &Path) -> Result<()> {
    disk::remove(file)?;
    let above = file.ancestors().skip(1).take_while(|folder| *folder != project);
    // One that is not empty stays, and those above it.
    let _ = above.map(std::fs::remove_dir).find(std::result::Result::is_err);
    Ok(())
}

/// The paths that differ between the last commit and the merge, and what the merge has there. Names that are no text, and
/// what is no file, are left to the person.
fn changes(project: &Path, merged: &str) -> Result<BTreeMap<String, Option<String>>> {
    let told = Git::at(project).run(&["diff-tree", "-r", "-z", "--no-renames", "HEAD", merged])?;
    let told = text(&told);
    let mut fields = told.split('\0');
    let mut changes = BTreeMap::new();
    while let (Some(what), Some(path)) = (fields.next(), fields.next()) {
        let columns: Vec<&str> = what.split(' ').collect();
        let [_, mode, _, blob, kind] = columns[..] else { continue };
        let is_file = mode.starts_with("100") || mode == "120000" || kind == "D";
        if is_file && !path.contains('\u{fffd}') {
            changes.insert(path.to_owned(), (kind != "D").then(|| blob.to_owned()));
        }
    }
    Ok(changes)
}
