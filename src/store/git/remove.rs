//! Taking the queue out of a repository again, so that every byte outside of it is as before.
//!
//! Only what the engine knows to be its own is removed, name by name; whatever else lies in the folder stays and
//! is reported. The branch, and with it the history, is deleted only if that is asked for.

use std::collections::BTreeMap;
use std::path::Path;

use super::disk::{self, OrIo as _};
use super::external::Git;
use super::folder::Folder;
use super::{Change, Expect, Guard, Home, HomeKind, Outcome, Request, exclude, tree};
use crate::domain::fault::{Code, Fault, Result};

/// What becomes of the queue's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BranchFate {
    /// The branch stays; in-tree, the committed files stay.
    Keep,
    /// The branch is deleted; in-tree, a commit removes the files.
    Delete,
}

/// What `remove` has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Each thing that was removed, in words.
    pub(crate) steps: Vec<String>,
    /// Paths that were not the queue's, and have stayed.
    pub(crate) left: Vec<String>,
}

impl Home {
    /// Take the queue out. `farewell` says how the commit is to be made that removes the files of an in-tree queue;
    /// its changes are not looked at.
    pub(crate) fn remove(&self, guard: &Guard, fate: BranchFate, farewell: Request<'_>) -> Result<Removed> {
        self.check(guard);
        self.refuse_unsaved()?;
        let mut removed = Removed::default();
        match self.kind {
            HomeKind::Branch => self.remove_worktree(fate, &mut removed)?,
            HomeKind::Tree => self.remove_files(guard, fate, farewell, &mut removed)?,
        }
        Ok(removed)
    }

    /// Nobody loses work by moving or removing a queue.
    pub(super) fn refuse_unsaved(&self) -> Result<()> {
        let unsaved: Vec<String> = self.changed_files()?.into_iter().map(|changed| changed.path).collect();
        let Some(first) = unsaved.first() else { return Ok(()) };
        Err(Fault::new(
            Code::WrongState,
            format!("`.swift/{first}` and {} other files are not committed", unsaved.len() - 1),
        )
        .hint(format!("git -C {} status", self.root.display())))
    }

    fn remove_worktree(&self, fate: BranchFate, removed: &mut Removed) -> Result<()> {
        let repo = self.repo()?;
        let tip = self.tip()?;
        let mut files = BTreeMap::new();
        if let Some(id) = tip.id {
            tree::flatten(&repo, repo.commit(id)?.tree, "", &mut files)?;
        }
        let folder = Folder::open(&self.root)?;
        let mut change = folder.change();
        for path in files.keys() {
            drop(change.take(path)?);
        }
        change.complete();
        remove_tree(&self.root.join("local"))?;
        self.drop_worktree(removed)?;
        if std::fs::remove_dir(&self.root).is_err() {
            folder.list("", &mut removed.left)?;
        }
        if let (BranchFate::Delete, Some(id), Some(branch)) = (fate, tip.id, &tip.branch) {
            self.delete_branch(branch, id, removed)?;
        }
        Ok(())
    }

    /// The administration, the exclude line and the records; the files of the queue are not touched.
    pub(super) fn drop_worktree(&self, removed: &mut Removed) -> Result<()> {
        disk::remove(&self.root.join(".git"))?;
        remove_tree(&self.git_dir)?;
        // Only if it was the last one.
        let _ = std::fs::remove_dir(self.common_dir.join("worktrees"));
        removed.steps.push(format!("the worktree {}", self.root.display()));
        if exclude::remove(&self.common_dir)? {
            removed.steps.push("the line `/.swift/` in .git/info/exclude".to_owned());
        } else {
            removed.left.push(self.common_dir.join("info/exclude").display().to_string());
        }
        self.drop_records()
    }

    fn drop_records(&self) -> Result<()> {
        remove_tree(&self.records())
    }

    pub(super) fn delete_branch(&self, branch: &str, id: gix::ObjectId, removed: &mut Removed) -> Result<()> {
        Git::at(&self.common_dir).run(&["update-ref", "-d", branch, &id.to_string()])?;
        removed.steps.push(format!("the branch `{}` at {id}", super::refs::short(branch)));
        Ok(())
    }

    fn remove_files(
        &self,
        guard: &Guard,
        fate: BranchFate,
        farewell: Request<'_>,
        removed: &mut Removed,
    ) -> Result<()> {
        if fate == BranchFate::Delete {
            let outcome = self.commit(guard, Request { changes: self.without_files()?, ..farewell })?;
            if let Outcome::Debt(reason) = outcome {
                return Err(Fault::new(
                    Code::InProgress,
                    format!("the files cannot be removed now: {reason}"),
                ));
            }
            removed.steps.push("the files of the queue, in a commit of their own".to_owned());
        }
        remove_tree(&self.root.join("local"))?;
        self.drop_records()?;
        if fate == BranchFate::Delete && std::fs::remove_dir(&self.root).is_err() && self.root.exists() {
            Folder::open(&self.root)?.list("", &mut removed.left)?;
        }
        Ok(())
    }

    /// Changes that remove every committed file.
    pub(super) fn without_files(&self) -> Result<Vec<Change>> {
        let repo = self.repo()?;
        let files = self.committed_files(&repo)?;
        Ok(files.into_keys().map(|path| Change { path, content: None, expect: Expect::Any }).collect())
    }
}

fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if !disk::is_absent(&error) => Err(error).or_io("remove", path),
        _ => Ok(()),
    }
}
