//! What the queue has in git's database.

use crate::domain::fault::Result;
use crate::store::git::repo::external::Git;
use crate::store::git::{Home, HomeKind};

/// The objects of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnObjects {
    /// Nothing but the queue's branch, here or as a remote was last seen, leads to so many, and they take so many bytes.
    OfTheBranch { count: usize, bytes: u64 },
    /// They are in commits of the project, and git does not tell them from its other objects.
    Shared,
}

impl Home {
    /// What git's database has because of the queue.
    ///
    /// # Errors
    /// Those of git.
    pub(crate) fn own_objects(&self) -> Result<OwnObjects> {
        let Some(branch) = self.branch.as_ref().filter(|_| self.kind == HomeKind::Branch) else {
            return Ok(OwnObjects::Shared);
        };
        let (own, remote) =
            (format!("--exclude=refs/heads/{branch}"), format!("--exclude=refs/remotes/*/{branch}"));
        let own_branch = format!("refs/heads/{branch}");
        let listed = Git::at(&self.common_dir).run(&[
            "rev-list",
            "--objects",
            "--no-object-names",
            "--missing=allow-any",
            "--single-worktree",
            &own_branch,
            "--not",
            &own,
            &remote,
            "--all",
            "--",
        ])?;
        let count = listed.iter().filter(|byte| **byte == b'\n').count();
        let sizes = Git::at(&self.common_dir).input(listed).run(&[
            "cat-file",
            "--batch-check=%(objectsize:disk)",
            "--buffer",
        ])?;
        let sizes = String::from_utf8_lossy(&sizes);
        Ok(OwnObjects::OfTheBranch {
            count,
            bytes: sizes.lines().filter_map(|line| line.parse::<u64>().ok()).sum(),
        })
    }
}
