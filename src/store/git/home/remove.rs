//! Taking the queue out of a repository again, so that every byte outside of it is as before.
//!
//! Only what the engine knows to be its own is removed, name by name; whatever else lies in the folder stays and
//! is reported. The branch, and with it the history, is deleted only if that is asked for.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;

use super::departure::{Aim, Departure};
use super::switch::goes_on;
use super::{creation, exclude};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::folder::{Folder, KEPT};
use crate::store::git::disk::{self, OrIo as _, path};
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Change, Expect, Guard, Home, HomeKind, Outcome, Request, commit};

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
    /// The last commit that has the tasks in it.
    pub(crate) last_commit: Option<String>,
    /// The short name of the branch, if it was deleted; it was at that commit.
    pub(crate) branch: Option<String>,
}

impl Home {
    /// Take the queue out. `farewell` says how the commit is to be made that removes the files of an in-tree queue;
    /// its changes are not looked at.
    pub(crate) fn remove(&self, guard: &Guard, fate: BranchFate, farewell: Request<'_>) -> Result<Removed> {
        self.check(guard);
        self.refuse_unsaved()?;
        let mut removed = Removed { last_commit: self.head()?, ..Removed::default() };
        match self.kind {
            HomeKind::Branch => self.remove_worktree(fate, &mut removed)?,
            HomeKind::Tree => self.remove_files(guard, fate, farewell, &mut removed)?,
        }
        Ok(removed)
    }

    /// Nobody loses work by moving or removing a queue.
    pub(super) fn refuse_unsaved(&self) -> Result<()> {
        let unsaved: Vec<String> = self.changed_files()?.into_iter().map(|changed| changed.path).collect();
        if let Some(branch) = self.waited_for()?.first() {
            return Err(Fault::new(
                Code::WrongState,
                format!("changes that were made while git was busy wait for `{branch}`"),
            )
            .hint(
                "`git status` shows what git is in the middle of; on that branch the next verb commits them",
            )
            .hint(format!("`ls -R {}` shows what is kept", self.waiting_folder().display())));
        }
        let Some(first) = unsaved.first() else { return Ok(()) };
        Err(Fault::new(
            Code::WrongState,
            format!("`.swift/{first}` and {} other files are not committed", unsaved.len() - 1),
        )
        .hint(format!("git -C {} status", as_word(&self.root))))
    }

    fn remove_worktree(&self, fate: BranchFate, removed: &mut Removed) -> Result<()> {
        let departure = Departure::begin(self, Aim::Gone(fate))?;
        self.take_worktree_out(&departure, fate, removed).map_err(goes_on)
    }

    /// The files, the worktree and the branch; what is gone already is passed over.
    pub(super) fn take_worktree_out(
        &self,
        departure: &Departure,
        fate: BranchFate,
        removed: &mut Removed,
    ) -> Result<()> {
        if self.root.is_dir() {
            self.take_known_files(departure)?;
            remove_tree(&self.root.join("local"))?;
        }
        self.drop_worktree(removed)?;
        self.remove_root(removed)?;
        if fate == BranchFate::Delete {
            self.delete_branch(departure, removed)?;
        }
        self.drop_records()
    }

    /// Every file that git has, if it is as git has it: what was edited meanwhile stays.
    fn take_known_files(&self, departure: &Departure) -> Result<()> {
        let repo = Repo::open(&self.common_dir)?;
        let files = departure.files(&repo)?;
        self.take_files(&repo, &files)
    }

    /// The same for a queue that was only about to be checked out.
    pub(super) fn take_files_of(&self, commit: ObjectId) -> Result<()> {
        if !self.root.is_dir() {
            return Ok(());
        }
        let repo = Repo::open(&self.common_dir)?;
        let mut files = BTreeMap::new();
        tree::flatten(&repo, repo.commit(commit)?.tree, "", &mut files)?;
        self.take_files(&repo, &files)
    }

    fn take_files(&self, repo: &Repo, files: &BTreeMap<String, Leaf>) -> Result<()> {
        let folder = Folder::open(&self.root)?;
        let mut change = folder.change();
        for (path, leaf) in files {
            let here = folder.read(path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
            if here == Some(leaf.id) {
                drop(change.take(path)?);
            }
        }
        change.complete();
        files.keys().for_each(|path| folder.prune(path::parent(path)));
        Ok(())
    }

    /// Folders that stay when they are empty go with the queue, unless somebody's files are in them.
    fn remove_root(&self, removed: &mut Removed) -> Result<()> {
        for folder in KEPT {
            let _ = std::fs::remove_dir(self.root.join(folder));
        }
        if std::fs::remove_dir(&self.root).is_err() && self.root.exists() {
            Folder::open(&self.root)?.list("", &mut removed.left)?;
        }
        Ok(())
    }

    /// The queue has moved into the tree: its worktree goes, its branch too, its files stay.
    pub(in crate::store::git) fn leave_worktree(
        &self,
        departure: &Departure,
        removed: &mut Removed,
    ) -> Result<()> {
        self.drop_worktree(removed)?;
        // Its commits stay reachable through the commit that was made in the tree.
        self.delete_branch(departure, removed)?;
        self.drop_records()
    }

    /// The same, and the branch stays.
    pub(in crate::store::git) fn leave_worktree_alone(&self, removed: &mut Removed) -> Result<()> {
        self.drop_worktree(removed)?;
        self.drop_records()
    }

    /// The link, the administration and the exclude line; the files of the queue are not touched.
    fn drop_worktree(&self, removed: &mut Removed) -> Result<()> {
        disk::remove(&self.root.join(".git"))?;
        remove_tree(&self.git_dir)?;
        // Only if it was the last one.
        let _ = std::fs::remove_dir(self.common_dir.join("worktrees"));
        removed.steps.push(format!("the worktree {}", self.root.display()));
        match exclude::remove(&self.common_dir)? {
            exclude::Line::TakenOut => {
                removed.steps.push("the line `/.swift/` in .git/info/exclude".to_owned());
            }
            exclude::Line::Stays => {
                removed.left.push(self.common_dir.join("info/exclude").display().to_string());
            }
            exclude::Line::NotOurs => {}
        }
        disk::remove(&creation::folder(&self.common_dir).join("exclude"))
    }

    /// The records of the engine, and last of all the one that says that the queue leaves.
    fn drop_records(&self) -> Result<()> {
        let (records, last) = (self.records(), creation::record(&self.common_dir));
        for entry in std::fs::read_dir(&records).into_iter().flatten().flatten() {
            let path = entry.path();
            if path == self.linked_debts() {
                // Of worktrees that still have theirs.
                continue;
            }
            match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => remove_tree(&path)?,
                false if path != last => disk::remove(&path)?,
                false => {}
            }
        }
        disk::remove(&last)?;
        for empty in [&records, &creation::folder(&self.common_dir)] {
            let _ = std::fs::remove_dir(empty);
        }
        Ok(())
    }

    /// Only if nobody has put something on it meanwhile.
    fn delete_branch(&self, departure: &Departure, removed: &mut Removed) -> Result<()> {
        let Some((branch, id)) = departure.branch() else { return Ok(()) };
        match refs::resolve(&self.common_dir, branch)? {
            None => Ok(()),
            Some(now) if now != id => {
                removed.left.push(format!("the branch `{}`, which has moved on", refs::short(branch)));
                Ok(())
            }
            Some(_) => {
                refs::delete(self, branch, id)?;
                refs::remove_empty_logs(&self.common_dir);
                removed.steps.push(format!("the branch `{}` at {id}", refs::short(branch)));
                removed.branch = Some(refs::short(branch).to_owned());
                Ok(())
            }
        }
    }

    fn remove_files(
        &self,
        guard: &Guard,
        fate: BranchFate,
        farewell: Request<'_>,
        removed: &mut Removed,
    ) -> Result<()> {
        if let (BranchFate::Delete, Some(reason)) = (fate, self.waits()?) {
            return Err(not_now(&reason));
        }
        Departure::begin(self, Aim::Gone(fate))?;
        if fate == BranchFate::Delete {
            let farewell = Request { changes: self.without_files()?, ..farewell };
            let outcome =
                self.commit(guard, farewell).inspect_err(|_| drop(Departure::end(&self.common_dir)))?;
            if let Outcome::Debt(reason) = outcome {
                // They were taken away already, for a later commit.
                self.put_back()?;
                Departure::end(&self.common_dir)?;
                return Err(not_now(&reason));
            }
            removed.steps.push("the files of the queue, in a commit of their own".to_owned());
        }
        self.take_files_out(fate, removed).map_err(goes_on)
    }

    /// What lies beside the committed files.
    pub(super) fn take_files_out(&self, fate: BranchFate, removed: &mut Removed) -> Result<()> {
        let local = self.root.join("local");
        if fate == BranchFate::Keep && local.exists() {
            removed.steps.push(format!("{}, which belonged to this machine", local.display()));
        }
        remove_tree(&local)?;
        if fate == BranchFate::Delete {
            self.remove_root(removed)?;
        }
        self.drop_records()
    }

    /// Changes that remove every committed file.
    pub(super) fn without_files(&self) -> Result<Vec<Change>> {
        let repo = self.repo()?;
        let files = self.committed_files(&repo)?;
        Ok(files.into_keys().map(|path| Change { path, content: None, expect: Expect::Any }).collect())
    }
}

fn not_now(reason: &str) -> Fault {
    Fault::new(Code::InProgress, format!("the files cannot be removed now: {reason}"))
        .hint("`git status` shows what git is in the middle of")
}

fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if !disk::is_absent(&error) => Err(error).or_io("remove", path),
        _ => Ok(()),
    }
}
