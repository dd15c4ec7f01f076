//! Debts of linked worktrees that are gone.
//!
//! `git worktree remove --force` takes away the files of a worktree with all that is not committed, and its git folder.
//! So what is owed in one is kept in the shared git folder, and once the worktree's own record of its debts is gone it
//! waits for its branch as what was done in the middle of a rebase does.

use std::path::PathBuf;

use super::WORKTREES;
use super::record::Waiting;
use crate::domain::fault::Result;
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Guard, Home, HomeKind};
use crate::store::layout;

/// A debt whose worktree is gone.
struct Left {
    worktree: String,
    owed: Waiting,
}

impl Home {
    /// Whether debts of a worktree that is gone have to be seen to. Costs a look for one name where there are none.
    pub(crate) fn has_left_debts(&self) -> bool {
        self.kind == HomeKind::Tree && !self.left_debts().is_empty()
    }

    /// Have the debts of worktrees that are gone wait for their branches.
    ///
    /// # Errors
    /// Those of reading commits and of writing the records.
    pub(crate) fn take_over_left_debts(&self, guard: &Guard) -> Result<()> {
        self.check(guard);
        if !self.has_left_debts() {
            return Ok(());
        }
        let repo = self.repo()?;
        self.make_records(repo.sharing()?)?;
        for Left { worktree, mut owed } in self.left_debts() {
            if !self.has_its_log(&repo, &owed)? {
                if owed.branch.is_empty() {
                    owed.branch = format!("{WORKTREES}{worktree}{}", super::HEAD);
                }
                self.hand_over(&repo, &owed)?;
            }
            owed.forget()?;
        }
        let _ = std::fs::remove_dir(self.linked_debts());
        Ok(())
    }

    fn left_debts(&self) -> Vec<Left> {
        let entries = std::fs::read_dir(self.linked_debts()).into_iter().flatten().flatten();
        let left = |entry: std::fs::DirEntry| {
            let worktree = entry.file_name().into_string().ok()?;
            let is_there = self.common_dir.join(WORKTREES).join(&worktree).join("swift/debt").exists();
            // One that cannot be read is of no use.
            let owed = Waiting::read(&entry.path()).ok().flatten().filter(|_| !is_there)?;
            Some(Left { worktree, owed })
        };
        entries.filter_map(left).collect()
    }

    /// Whether git has committed a debt meanwhile: its records are at the beginning of the log, which only grows.
    fn has_its_log(&self, repo: &Repo, owed: &Waiting) -> Result<bool> {
        let branch = refs::resolve(&self.common_dir, &owed.branch);
        let Some(tip) = branch.ok().flatten().or(refs::tip(&self.git_dir, &self.common_dir)?.id) else {
            return Ok(false);
        };
        let top = repo.commit(tip)?.tree;
        for (path, kept) in owed.files.iter().filter(|(path, _)| path.starts_with(layout::AUDIT)) {
            let Some(new) = kept.new.map(|id| owed.read_content(id)).transpose()? else { continue };
            let line = tree::lookup(repo, top, &self.in_tree(path))?.filter(|line| line.is_file());
            let here = line.map(|line| repo.blob(line.id)).transpose()?.unwrap_or_default();
            if !here.starts_with(&new) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where what is owed in linked worktrees is kept, a folder for each.
    pub(crate) fn linked_debts(&self) -> PathBuf {
        self.common_dir.join("swift/owed-in")
    }
}
