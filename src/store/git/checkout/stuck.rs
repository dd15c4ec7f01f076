//! Lock files of git's that a process left which was killed while it wrote: git refuses everything in such a worktree.

use std::path::PathBuf;

use super::Checkout;
use crate::domain::fault::Result;
use crate::store::git::disk;
use crate::store::git::home::find::place;

/// What git locks for one worktree alone.
const LOCKS: [&str; 2] = ["index.lock", "HEAD.lock"];

/// The lock files that lie in a run's worktree, and on its branch. Whether anybody is at work there, the caller knows.
///
/// # Errors
/// Those of finding the worktree.
pub(crate) fn stale_locks(checkout: &Checkout) -> Result<Vec<PathBuf>> {
    let found = place(&checkout.path)?;
    let own = LOCKS.iter().map(|name| found.git_dir.join(name));
    let branch = found.common_dir.join(format!("refs/heads/{}.lock", checkout.branch));
    Ok(own.chain([branch]).filter(|path| path.symlink_metadata().is_ok()).collect())
}

/// Take them away.
///
/// # Errors
/// [`Code::Io`](crate::domain::fault::Code::Io)
pub(crate) fn unlock(locks: &[PathBuf]) -> Result<()> {
    locks.iter().try_for_each(|path| disk::remove(path))
}
