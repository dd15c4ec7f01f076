//! Files of a worktree that git was told not to look at: what is done in them is work like any other.

use std::collections::BTreeSet;
use std::path::Path;

use gix::index::entry::{Flags, Stage};

use super::Checkout;
use super::left::read_index;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::OrIo as _;
use crate::store::git::home::find::place;
use crate::store::git::repo::Repo;
use crate::store::git::repo::external::Git;

/// The marks; git changes one of the two at a time.
const SHOWN: [&str; 2] = ["--no-assume-unchanged", "--no-skip-worktree"];

/// Those that are there, with a zero byte after each; and all that are to be taken as they are.
fn hidden(folder: &Path, index: &gix::index::File) -> Vec<u8> {
    let is_hidden = |entry: &&gix::index::Entry| {
        let is_there = || {
            gix::path::from_bstr(entry.path(index))
                .is_ok_and(|path| folder.join(path).symlink_metadata().is_ok())
        };
        entry.flags.contains(Flags::ASSUME_VALID)
            || (entry.flags.contains(Flags::SKIP_WORKTREE) && is_there())
    };
    let mut paths = Vec::new();
    for entry in index.entries().iter().filter(is_hidden) {
        paths.extend_from_slice(entry.path(index));
        paths.push(0);
    }
    paths
}

/// From now on git looks at them, or what verifiers see is not what is committed.
pub(super) fn show(folder: &Path, index: &gix::index::File) -> Result<()> {
    let paths = hidden(folder, index);
    if paths.is_empty() {
        return Ok(());
    }
    for shown in SHOWN {
        Git::at(folder).input(paths.clone()).run(&["update-index", shown, "-z", "--stdin"])?;
    }
    Ok(())
}

/// Whether something is changed in them. The marks stay as they are: they may be a person's.
pub(super) fn is_changed(folder: &Path) -> Result<bool> {
    let found = place(folder)?;
    let repo = Repo::open(&found.git_dir)?;
    // What is special about an index, git says itself.
    let Ok(index) = read_index(&repo, &found) else { return Ok(false) };
    let paths = hidden(folder, &index);
    if paths.is_empty() {
        return Ok(false);
    }
    let copy = found.git_dir.join(format!("index.swift-{}", std::process::id()));
    std::fs::copy(found.git_dir.join("index"), &copy).or_io("copy", &copy)?;
    let changed = ask(folder, &copy, &paths);
    let gone = std::fs::remove_file(&copy).or_io("remove", &copy);
    changed.and_then(|changed| gone.map(|()| changed))
}

fn ask(folder: &Path, index: &Path, paths: &[u8]) -> Result<bool> {
    for shown in SHOWN {
        let words = ["update-index", shown, "-z", "--stdin"];
        Git::at(folder).index(index).input(paths.to_vec()).run(&words)?;
    }
    let words = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"];
    Ok(!Git::at(folder).index(index).run(&words)?.is_empty())
}

/// A worktree in which committed files are left out, although they are not in the project's own folder: what verifiers
/// see there is not what is committed.
///
/// # Errors
/// [`Code::WrongState`] with the first of them.
pub(crate) fn refuse_left_out(project: &Path, checkout: &Checkout) -> Result<()> {
    let left_out = left_out(&checkout.path)?;
    if left_out.is_empty() {
        return Ok(());
    }
    let of_project = self::left_out(project)?;
    let Some(first) = left_out.difference(&of_project).next() else { return Ok(()) };
    let text = format!(
        "`{}` is committed and left out of the worktree (skip-worktree), so what verifiers see is not what is committed",
        crate::domain::text::shown(first)
    );
    let folder = checkout.path.display();
    Err(Fault::new(Code::WrongState, text).hint(format!("look at it: `git -C {folder} ls-files -t`")))
}

/// The paths that are committed and not there because git was told so.
fn left_out(folder: &Path) -> Result<BTreeSet<String>> {
    let found = place(folder)?;
    let repo = Repo::open(&found.git_dir)?;
    let Ok(index) = read_index(&repo, &found) else { return Ok(BTreeSet::new()) };
    let is_left_out = |entry: &&gix::index::Entry| {
        entry.flags.contains(Flags::SKIP_WORKTREE) && entry.stage() == Stage::Unconflicted
    };
    let names = index.entries().iter().filter(is_left_out).map(|entry| entry.path(&index).to_string());
    Ok(names.collect())
}
