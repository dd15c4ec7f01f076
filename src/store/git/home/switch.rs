//! Moving the queue from one home to the other, history included.
//!
//! The new history names the old one as a parent, so that one walk reads both. The files in `.swift/` are the same
//! bytes before and after.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind;

use super::departure::{Aim, Departure};
use super::find::place;
use super::remove::Removed;
use super::worktree::{self, FOLDER};
use super::{creation, exclude};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::commit::build;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::objects::Batch;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Change, Durability, Expect, Guard, Home, HomeKind, Outcome, Request};

/// Where the log is.
const LOG: &str = "audit/";

impl Home {
    /// Move the queue to another kind of home. `branch` names the branch of its own, `request` how the commits are
    /// to be made; its changes, the note of the move in the log, come into the queue with the commit that moves it.
    pub(crate) fn switch_kind(
        &self,
        guard: &Guard,
        to: HomeKind,
        branch: &str,
        request: Request<'_>,
    ) -> Result<Home> {
        self.check(guard);
        if self.kind == to {
            return Ok(self.clone());
        }
        self.refuse_unsaved()?;
        if let Some(reason) = self.waits()? {
            return Err(not_now(&reason));
        }
        match to {
            HomeKind::Tree => self.to_tree(guard, request),
            HomeKind::Branch => self.to_branch(guard, branch, request),
        }
    }

    fn to_tree(&self, guard: &Guard, request: Request<'_>) -> Result<Home> {
        let place = place(&self.root)?;
        let checkout = place.project()?;
        let target = place.tree_home(&checkout)?;
        if target.root != self.root {
            return Err(Fault::new(
                Code::Unsupported,
                format!("{} is not in the project's checkout", self.root.display()),
            ));
        }
        if let Some(reason) = target.waits()? {
            return Err(not_now(&reason));
        }
        if target.branch.is_none() {
            return Err(no_branch(&checkout));
        }
        let repo = self.repo()?;
        let tip = self.tip()?;
        let (Some(id), Some(_)) = (tip.id, &tip.branch) else {
            return Err(Fault::new(Code::Git, "the branch of the queue has no commit"));
        };
        let mut changes = self.all_as_they_are(&repo)?;
        changes.retain(|change| !request.changes.iter().any(|noted| noted.path == change.path));
        changes.extend(request.changes);
        let request = Request { changes, ..request };
        let departure = Departure::begin(self, Aim::Tree { message: request.message.to_owned() })?;
        let stays = || drop(Departure::end(&self.common_dir));
        if let Outcome::Debt(reason) = target.commit_on(guard, request, &[id]).inspect_err(|_| stays())? {
            self.take_note_back()?;
            target.write_debts(&Default::default())?;
            stays();
            return Err(not_now(&reason));
        }
        self.leave_worktree(&departure, &mut Removed::default()).map_err(goes_on)?;
        Home::find(&checkout)
    }

    /// Whether an interrupted move has made its commit already.
    pub(super) fn has_parent(&self, repo: &Repo, id: ObjectId) -> Result<bool> {
        let tip = self.tip()?.id.map(|tip| repo.commit(tip)).transpose()?;
        Ok(tip.is_some_and(|commit| commit.parents.contains(&id)))
    }

    fn all_as_they_are(&self, repo: &Repo) -> Result<Vec<Change>> {
        let files = self.committed_files(repo)?;
        let changes = files.into_iter().map(|(path, leaf)| {
            let content = repo.blob(leaf.id)?;
            Ok(Change { path, content: Some(content.clone()), expect: Expect::Bytes(content) })
        });
        changes.collect()
    }

    fn to_branch(&self, guard: &Guard, branch: &str, request: Request<'_>) -> Result<Home> {
        refs::check_branch(branch)?;
        let full = format!("refs/heads/{branch}");
        let repo = self.repo()?;
        let parent =
            self.tip()?.id.ok_or_else(|| Fault::new(Code::Git, "the current branch has no commit"))?;
        let queue = tree::lookup(&repo, repo.commit(parent)?.tree, FOLDER)?.map(|line| line.id);
        let queue = queue.ok_or_else(|| Fault::new(Code::Git, "HEAD has no queue"))?;
        if refs::resolve(&self.common_dir, &full)?.is_some()
            || refs::any_below(&self.common_dir, &format!("{full}/"))?
        {
            return Err(refs::taken(branch, "is there already")
                .hint("another name in `branch` in `.swift/swift.toml` is taken instead"));
        }
        let sharing = repo.sharing()?;
        let made = self.write_queue_commit(&repo, &request, queue, parent)?;
        Departure::begin(self, Aim::Branch { name: branch.to_owned(), made })?;
        refs::create(self, &full, made, sharing).inspect_err(|_| drop(Departure::end(&self.common_dir)))?;
        let request = Request { changes: self.without_files()?, ..request };
        let stays = || -> Result<()> {
            self.take_branch_back(branch, made)?;
            Departure::end(&self.common_dir)
        };
        match self.commit(guard, request) {
            Ok(Outcome::Debt(reason)) => {
                // The files were taken away already, for a later commit.
                self.put_back()?;
                stays()?;
                Err(not_now(&reason))
            }
            // What cannot be taken back now is taken back by the next verb.
            Err(fault) => stays().and(Err(fault)),
            Ok(_) => self.move_in(branch).map_err(goes_on),
        }
    }

    /// The files have left the tree: check the branch out where they were. What is there already is made again.
    pub(super) fn move_in(&self, branch: &str) -> Result<Home> {
        let sharing = self.repo()?.sharing()?;
        let project = place(&self.checkout)?.project()?;
        let records = creation::folder(&self.common_dir);
        sharing.make_folders(&records)?;
        worktree::write_file(&records.join("branch"), &format!("{branch}\n"), sharing)?;
        let root = project.join(FOLDER);
        sharing.make_folders(&root)?;
        for file in [root.join(".git"), records.join("branch"), records.join("exclude")] {
            worktree::sweep_temporaries(&file)?;
        }
        let admin = match worktree::registered(&self.common_dir)?.filter(|found| found.root == root) {
            Some(found) => {
                for file in ["commondir", "HEAD", "gitdir"] {
                    worktree::sweep_temporaries(&found.admin.join(file))?;
                }
                worktree::write_admin(&found.admin, &root, branch, sharing)?;
                worktree::link(&found.admin, &root, sharing)?;
                found.admin
            }
            None => worktree::make(&self.common_dir, &root, branch, sharing)?,
        };
        exclude::add(&self.common_dir, sharing)?;
        let home = Home {
            stand: None,
            checkout: root.clone(),
            root,
            kind: HomeKind::Branch,
            common_dir: self.common_dir.clone(),
            branch: Some(branch.to_owned()),
            rebuilt: None,
            relinked: None,
            git_dir: admin,
            hook: false,
            patience: self.patience,
            opened: Default::default(),
        };
        home.check_out()?;
        Departure::end(&self.common_dir)?;
        Ok(home)
    }

    /// A move to a branch that was not to be: the branch goes if it is where that move has made it.
    pub(super) fn take_branch_back(&self, branch: &str, made: ObjectId) -> Result<()> {
        let full = format!("refs/heads/{branch}");
        if refs::resolve(&self.common_dir, &full)? == Some(made) {
            refs::delete(self, &full, made)?;
        }
        Ok(())
    }

    /// Whatever the log has that is not committed is the note of a move that was not to be: nothing else waited.
    pub(super) fn take_note_back(&self) -> Result<()> {
        let folder = Folder::open(&self.root)?.shared(self.repo()?.sharing()?);
        let (mut change, mut barrier) = (folder.change(), Barrier::default());
        for changed in self.changed_files()?.into_iter().filter(|changed| changed.path.starts_with(LOG)) {
            match changed.before {
                Some(blob) => {
                    let staged = folder.stage(&self.blob(&blob)?, &mut barrier)?;
                    change.replace(&changed.path, &staged)?;
                }
                None => drop(change.take(&changed.path)?),
            }
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        change.complete();
        Ok(())
    }

    /// A commit whose top is the queue's tree and the note of the move, on top of the project's history.
    fn write_queue_commit(
        &self,
        repo: &Repo,
        request: &Request<'_>,
        queue: ObjectId,
        parent: ObjectId,
    ) -> Result<ObjectId> {
        let mut batch = Batch::new(repo.hash);
        let mut noted = BTreeMap::new();
        for change in &request.changes {
            let blob =
                change.content.as_ref().map(|content| batch.add(Kind::Blob, content.clone())).transpose()?;
            noted.insert(change.path.clone(), blob.map(|id| Leaf { mode: tree::FILE, id }));
        }
        let queue = tree::edit(repo, Some(queue), &noted, &mut batch)?.unwrap_or(queue);
        let (id, _) = build(repo, request, queue, vec![parent], &mut batch)?;
        let mut barrier = Barrier::default();
        let staged = batch.stage(&self.common_dir.join("objects"), repo.sharing()?, &mut barrier)?;
        barrier.wait(Durability::Full)?;
        let mut barrier = Barrier::default();
        self.note_pack(staged.publish(&mut barrier)?);
        barrier.wait(Durability::Full)?;
        debug_assert!(matches!(repo.object(id), Ok((Kind::Commit, _))));
        Ok(id)
    }
}

/// The commit that decides is made: there is no way back, and the next verb goes on.
pub(in crate::store::git) fn goes_on(fault: Fault) -> Fault {
    fault.hint("the queue is on its way; the next verb finishes that: `swift list`")
}

/// On a detached HEAD the queue would be gone from every branch with the next checkout.
pub(in crate::store::git) fn no_branch(checkout: &Path) -> Fault {
    let text = format!("no branch is checked out in {}, so none would have the queue", checkout.display());
    let at = as_word(checkout);
    let back = || format!("`git -C {at} switch -` goes back to the branch that was checked out before");
    let fault = Fault::new(Code::WrongState, text);
    let fault = if was_elsewhere(checkout) { fault.hint(back()) } else { fault };
    fault.hint(format!("`git -C {at} switch --create NAME` makes one here"))
}

/// Whether another branch was checked out before, so that there is a way back.
pub(super) fn was_elsewhere(checkout: &Path) -> bool {
    let before = Git::at(checkout).run(&["rev-parse", "--verify", "--symbolic-full-name", "@{-1}"]);
    before.is_ok_and(|name| name.starts_with(b"refs/heads/"))
}

pub(in crate::store::git) fn not_now(reason: &str) -> Fault {
    Fault::new(Code::InProgress, format!("the queue cannot be moved now: {reason}"))
        .hint("`git status` shows what git is in the middle of")
}
