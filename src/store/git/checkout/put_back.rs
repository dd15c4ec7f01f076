//! A worktree back at the commit that was judged. What somebody has written there meanwhile is kept first, whoever it
//! was: a verifier and a person leave the same traces.

use std::path::Path;

use super::cut_off::tree_of;
use super::left::{BEGUN, read_index};
use super::{Checkout, confirm, embedded, head, hidden, is_dirty, text};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::home::find::place;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};

/// Where it is kept. No branch and no tag, so that nothing shows it that does not ask for it, and no push takes it along.
const KEPT: &str = "refs/swift/left/";

/// All that is kept, by its names.
///
/// # Errors
/// Those of reading refs.
pub(crate) fn kept(project: &Path) -> Result<Vec<String>> {
    let names = refs::names_below(&place(project)?.common_dir, KEPT)?;
    Ok(names.into_iter().map(|name| format!("{KEPT}{name}")).collect())
}

/// Put a worktree back to a commit that it was at; gives the name under which everything that was there is kept, if
/// anything was. Files that git ignores stay, and so does what is written while this goes on.
///
/// # Errors
/// Those of [`confirm`] and of git; [`Code::WrongState`] in the middle of a merge or the like. What is there stays then.
pub(crate) fn put_back(
    project: &Path,
    checkout: &Checkout,
    commit: &str,
    name: &str,
) -> Result<Option<String>> {
    confirm(project, checkout)?;
    let folder = &checkout.path;
    let Some(tip) = head(folder)? else { return Ok(None) };
    if tip == commit && !is_dirty(project, folder)? {
        return Ok(None);
    }
    let kept = keep_all(folder, &tip)?;
    if kept == commit {
        return Ok(None);
    }
    let kept_as = format!("{KEPT}{name}");
    // Nothing has this name yet, or git refuses.
    Git::at(folder).run(&["update-ref", &kept_as, &kept, ""])?;
    if tip != commit {
        Git::at(folder).run(&["update-ref", "-m", "swift: back to what was judged", "HEAD", commit, &tip])?;
    }
    // Only what is as it was kept is replaced: otherwise git refuses it all.
    let words = ["read-tree", "-m", "-u", "--no-recurse-submodules", &kept, commit];
    Git::at(folder).run(&words)?;
    Ok(Some(kept_as))
}

/// The commit that holds everything that is in a worktree, what is staged otherwise than it lies there included. The
/// branch stays where it is.
fn keep_all(folder: &Path, tip: &str) -> Result<String> {
    let found = place(folder)?;
    if let Some(begun) = BEGUN.into_iter().find(|name| found.git_dir.join(name).exists()) {
        let text = format!("somebody is in the middle of something of git's there (`{begun}`)");
        return Err(Fault::new(Code::WrongState, text));
    }
    let staged = written(folder)?;
    let repo = Repo::open(&found.git_dir)?;
    let mut inside = Vec::new();
    if let Ok(index) = read_index(&repo, &found) {
        hidden::show(folder, &index)?;
        inside = embedded::present(folder, &index);
    }
    let is_sparse = repo.flag("core.sparseCheckout") == Some(true);
    let words: &[&str] = if is_sparse { &["add", "--all", "--sparse"] } else { &["add", "--all"] };
    embedded::stage(folder, words, &inside)?;
    let whole = written(folder)?;
    let before = tree_of(folder, tip)?;
    let first =
        if staged == before || staged == whole { tip.to_owned() } else { made(folder, &staged, tip)? };
    if tree_of(folder, &first)? == whole { Ok(first) } else { made(folder, &whole, &first) }
}

/// The tree of what is staged.
fn written(folder: &Path) -> Result<String> {
    Ok(text(&Git::at(folder).run(&["write-tree"])?).trim().to_owned())
}

fn made(folder: &Path, tree: &str, parent: &str) -> Result<String> {
    let message = "Written in the worktree of a run while verifiers ran, kept by swift.";
    let made = Git::at(folder).run(&["commit-tree", "--no-gpg-sign", "-p", parent, "-m", message, tree])?;
    Ok(text(&made).trim().to_owned())
}
