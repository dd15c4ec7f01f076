//! A worktree for a run: as it is, or made now; looked at before it is believed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::disk::{self, OrIo as _};
use super::super::external::Git;
use super::super::find::{Place, place};
use super::super::lock;
use super::{Checkout, administration, branch_tip, confirm, plain};
use crate::domain::fault::{Code, Fault, Result};

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
    if !wanted.path.join(".git").is_file() {
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
    for folder in [path, &admin] {
        match std::fs::remove_dir_all(folder) {
            Err(error) if !disk::is_absent(&error) => return Err(error).or_io("remove", folder),
            _ => {}
        }
    }
    Ok(())
}

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
