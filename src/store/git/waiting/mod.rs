//! What is done and not committed yet: the debts, what is kept so that none is lost, and changes that cannot even be in
//! the tree.
//!
//! The room owns the records of all that, until the commit. It makes none itself, and loses nothing for want of one.
//!
//! At the head: changes that wait until git is done with what the person has begun, in the home in the tree only.
//!
//! In the middle of a rebase or a merge nothing in the working tree or in the index may differ by our doing: git would
//! not go on, and what it takes back it would take back in half. So a change is kept below the git folder: a record,
//! and each file's content beside it under its hash. Reading shows the files as if they were in place; the first
//! verb after the operation puts them there, as a debt, and commits them.
//!
//! A record belongs to the branch that the person was on. So it is not carried to another one by a checkout, and it
//! outlives whatever git does to the working tree. Of a branch that is not there any more, because it was renamed, or
//! merged and deleted, it goes to the one that is checked out. All lie in the repository's shared git folder: git removes
//! that of a worktree together with it.

pub(super) mod debt;
pub(super) mod keeping;
mod left;
pub(super) mod owed;
mod record;
mod unstaged;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gix::ObjectId;
use gix::objs::Kind;

use super::disk::folder::Folder;
use super::disk::{self, OrIo as _, path};
use super::objects::{self, tree};
use super::repo::{Repo, refs};
use super::{Change, Expect, Guard, Home, HomeKind, commit};
use crate::domain::fault::Result;

pub(crate) use record::Versions;
use record::{Kept, Waiting};

/// The beginning and the end of what git calls the HEAD of a linked worktree.
const WORKTREES: &str = "worktrees/";
const HEAD: &str = "/HEAD";

/// What becomes of files; `None` of one that is to be gone.
pub(crate) type Contents = BTreeMap<String, Option<Vec<u8>>>;

impl Home {
    /// What is to be read in place of files of the queue: where the content of each lies, `None` where the file is gone.
    ///
    /// # Errors
    /// [`crate::domain::fault::Code::Io`], and those of reading HEAD.
    pub(crate) fn laid_over(&self) -> Result<BTreeMap<String, Option<PathBuf>>> {
        let has_owed = self.has_owed();
        let mut over = if has_owed { self.owed_over()? } else { BTreeMap::new() };
        for waiting in self.waiting_here()? {
            for (path, kept) in &waiting.files {
                over.entry(path.clone()).or_insert_with(|| kept.new.map(|id| waiting.content(id)));
            }
        }
        let unstaged = if has_owed { self.unstaged()? } else { None };
        over.extend(unstaged.into_iter().flatten().map(|path| (path, None)));
        Ok(over)
    }

    /// The short names of the branches for which changes wait; a detached HEAD has none.
    ///
    /// # Errors
    /// [`crate::domain::fault::Code::Io`]
    pub(crate) fn waited_for(&self) -> Result<Vec<String>> {
        let all = self.all_waiting().into_iter().collect::<Result<Vec<Waiting>>>()?;
        let branch = |waiting: &Waiting| waiting.branch.strip_prefix("refs/heads/").map(str::to_owned);
        let mut branches: Vec<String> =
            all.iter().map(|waiting| branch(waiting).unwrap_or_default()).collect();
        branches.sort();
        Ok(branches)
    }

    /// Those of these branches that are not at hand: what waits for them is not to be seen from here.
    ///
    /// # Errors
    /// [`crate::domain::fault::Code::Io`]
    pub(crate) fn waited_for_elsewhere(&self) -> Result<Vec<String>> {
        // What the next verb will leave to its branch waits for that already.
        let owed = self.owed_elsewhere()?.map(|owed| refs::short(&owed.branch).to_owned());
        if !self.has_waiting() {
            return Ok(owed.into_iter().collect());
        }
        let here = self.waiting_here()?;
        let is_here = |branch: &String| here.iter().any(|waiting| refs::short(&waiting.branch) == branch);
        let all: BTreeSet<String> = self.waited_for()?.into_iter().chain(owed).collect();
        Ok(all.into_iter().filter(|branch| !branch.is_empty() && !is_here(branch)).collect())
    }

    /// Whether a change has to be kept apart, because git is in the middle of something in the person's checkout.
    pub(crate) fn keeps_apart(&self) -> bool {
        self.kind == HomeKind::Tree && self.operation().is_some()
    }

    /// Whether commits of the queue go to a detached HEAD, which the next checkout leaves behind.
    pub(crate) fn is_on_no_branch(&self) -> bool {
        self.kind == HomeKind::Tree && self.branch.is_none() && self.operation().is_none()
    }

    /// Keep changes until git is done; nothing in the checkout differs afterwards.
    pub(super) fn keep_apart(&self, guard: &Guard, changes: &[Change]) -> Result<()> {
        self.check(guard);
        if changes.is_empty() {
            return Ok(());
        }
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?;
        let branch = self.branch_in_mind()?.unwrap_or_else(|| self.detached());
        self.make_records(repo.sharing()?)?;
        let mut waiting = self.waiting_for(&repo, &branch)?;
        self.bring_along(&repo, &mut waiting)?;
        let before = Some(waiting.clone()).filter(|before| !before.files.is_empty());
        let mut contents = Vec::new();
        for change in changes {
            path::check(&change.path)?;
            waiting.check(&folder, change)?;
            let new = change.content.as_deref().map(|content| commit::blob_id(&repo, content)).transpose()?;
            contents.extend(new.zip(change.content.as_deref()));
            let base = match waiting.files.get(&change.path) {
                Some(kept) => kept.base,
                None => self.base_of(&repo, &folder, &change.path, new)?,
            };
            waiting.files.insert(change.path.clone(), Kept { base, new });
        }
        repo.sharing()?.make_folders(&waiting.folder)?;
        let written = self.write_down(&waiting, contents);
        if written.is_err() {
            self.restore_record(&waiting.folder, before.as_ref());
        }
        written
    }

    /// Move what has been kept where it would go with the worktree.
    fn bring_along(&self, repo: &Repo, waiting: &mut Waiting) -> Result<()> {
        let folder = self.waiting_folder().join(key(repo, &waiting.branch)?);
        if waiting.folder != folder {
            repo.sharing()?.make_folders(&self.waiting_folder())?;
            std::fs::rename(&waiting.folder, &folder).or_io("move", &waiting.folder)?;
            waiting.folder = folder;
        }
        Ok(())
    }

    /// What the file was before the change: what is on the disk, or, where that has it already because a person has
    /// written it, what is committed.
    fn base_of(
        &self,
        repo: &Repo,
        folder: &Folder,
        path: &str,
        new: Option<ObjectId>,
    ) -> Result<Option<ObjectId>> {
        let here = folder.read(path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
        if here != new {
            return Ok(here);
        }
        let Some(tip) = self.tip()?.id else { return Ok(None) };
        let line = tree::lookup(repo, repo.commit(tip)?.tree, &self.in_tree(path))?;
        Ok(line.filter(|line| !line.is_folder()).map(|line| line.id))
    }

    /// The same changes, made for what is in the checkout: what was kept of these files is kept with them, too.
    pub(super) fn also_apart(&self, guard: &Guard, mut changes: Vec<Change>) -> Result<Vec<Change>> {
        let Some(waiting) = self.waiting()? else { return Ok(changes) };
        let is_kept = |change: &&Change| waiting.files.contains_key(&change.path);
        let kept: Vec<Change> = changes.iter().filter(is_kept).cloned().collect();
        self.keep_apart(guard, &kept)?;
        for change in changes.iter_mut().filter(|change| waiting.files.contains_key(&change.path)) {
            change.expect = Expect::Any;
        }
        Ok(changes)
    }

    /// git is done: put what has waited in its place, as a debt that the next commit pays. Where git has brought other
    /// versions meanwhile, `settle` is asked what becomes of both; these paths are told, and are no debts: what is there
    /// now no verb has left.
    ///
    /// # Errors
    /// Those of reading and writing the files.
    pub(crate) fn land(
        &self,
        guard: &Guard,
        settle: impl Fn(&BTreeMap<String, Versions>) -> Contents,
    ) -> Result<Vec<String>> {
        let has_owed = self.has_owed();
        if has_owed {
            self.take_back_unstaged(guard)?;
        }
        self.take_over_left_debts(guard)?;
        self.leave_to_its_branch(guard)?;
        let mut all_settled = if has_owed { self.put_debts_back(guard, &settle)? } else { Vec::new() };
        if self.kind != HomeKind::Tree || self.operation().is_some() {
            return Ok(all_settled);
        }
        while let Some(mut waiting) = self.waiting()? {
            all_settled.extend(self.land_one(
                guard,
                &mut waiting,
                &settle,
                "git was in the middle of something",
            )?);
            waiting.forget()?;
        }
        // Only those that are empty.
        for folder in self.waiting_folders() {
            let _ = std::fs::remove_dir(folder);
        }
        Ok(all_settled)
    }

    /// Put the files of one record in their places.
    fn land_one(
        &self,
        guard: &Guard,
        waiting: &mut Waiting,
        settle: &dyn Fn(&BTreeMap<String, Versions>) -> Contents,
        reason: &str,
    ) -> Result<Vec<String>> {
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let settled = self.settle(&repo, &folder, waiting, settle)?;
        let mut changes = Vec::new();
        for (path, kept) in &waiting.files {
            changes.extend(waiting.landing(&repo, &folder, path, *kept)?);
        }
        // Those that are in place already have to be committed as well.
        self.add_debts(waiting.files.keys().cloned(), reason)?;
        self.keep_in_place(guard, changes, reason)?;
        self.settle_debts(&settled)?;
        Ok(settled.into_keys().collect())
    }

    /// Have a record say, for what is here now, what both versions become. Written down before it is done, so that it is
    /// done once.
    fn settle(
        &self,
        repo: &Repo,
        folder: &Folder,
        waiting: &mut Waiting,
        settle: &dyn Fn(&BTreeMap<String, Versions>) -> Contents,
    ) -> Result<Contents> {
        let mut clashes = false;
        for (path, kept) in &waiting.files {
            let here = folder.id(repo, path, kept.base)?;
            clashes |= here.is_some() && here != kept.base && here != kept.new;
        }
        if !clashes {
            return Ok(Contents::new());
        }
        let settled = settle(&waiting.versions(repo, folder)?);
        let mut contents = Vec::new();
        for (path, content) in &settled {
            let new = content.as_deref().map(|content| commit::blob_id(repo, content)).transpose()?;
            contents.extend(new.zip(content.as_deref()));
            waiting.files.insert(path.clone(), Kept { base: folder.id(repo, path, None)?, new });
        }
        self.write_down(waiting, contents)?;
        Ok(settled)
    }

    /// The first of what waits here.
    fn waiting(&self) -> Result<Option<Waiting>> {
        Ok(self.waiting_here()?.into_iter().next())
    }

    /// What waits for the branch that the person is on, has waited without one, or has lost its branch.
    fn waiting_here(&self) -> Result<Vec<Waiting>> {
        if !self.has_waiting() {
            return Ok(Vec::new());
        }
        let repo = self.repo()?;
        let mut here = Vec::new();
        for branch in [self.branch_in_mind()?, Some(self.detached())].into_iter().flatten() {
            here.push(self.waiting_for(&repo, &branch)?);
        }
        // While something is begun, and without a branch to put it on, it can wait on.
        if self.operation().is_none() && self.tip()?.branch.is_some() {
            here.extend(self.without_branch()?);
        }
        here.retain(|waiting| !waiting.files.is_empty());
        Ok(here)
    }

    /// What waits for branches that are not there any more, and for worktrees without one that were removed.
    fn without_branch(&self) -> Result<Vec<Waiting>> {
        let own = self.tip()?.branch;
        let mut found = Vec::new();
        // A record that cannot be read is told where it is looked for.
        for waiting in self.all_waiting().into_iter().flatten() {
            let is_there = match waiting.branch.strip_prefix(WORKTREES) {
                Some(head) => self.common_dir.join(WORKTREES).join(head.trim_end_matches(HEAD)).exists(),
                None if waiting.branch.is_empty() || own.as_ref() == Some(&waiting.branch) => true,
                None => refs::resolve(&self.common_dir, &waiting.branch)?.is_some(),
            };
            if !is_there {
                found.push(waiting);
            }
        }
        found.sort_by(|a, b| a.branch.cmp(&b.branch));
        Ok(found)
    }

    /// Everything that waits in this repository, for whichever branch.
    fn all_waiting(&self) -> Vec<Result<Waiting>> {
        let folders = self.waiting_folders();
        let entries =
            folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        entries.filter_map(|entry| Waiting::read(&entry.path()).transpose()).collect()
    }

    fn has_waiting(&self) -> bool {
        self.kind == HomeKind::Tree && self.waiting_folders().iter().any(|folder| folder.is_dir())
    }

    /// The paths that wait, as those that are written and not committed.
    pub(super) fn waiting_paths(&self) -> Result<BTreeSet<String>> {
        Ok(self.waiting_here()?.into_iter().flat_map(|waiting| waiting.files.into_keys()).collect())
    }

    fn waiting_for(&self, repo: &Repo, branch: &str) -> Result<Waiting> {
        let folder = self.waiting_folder().join(key(repo, branch)?);
        let branch = branch.to_owned();
        if let Some(found) = Waiting::read(&folder)? {
            return Ok(Waiting { branch, ..found });
        }
        let named = if branch == self.detached() { "" } else { &branch };
        let earlier = Waiting::read(&self.earlier_waiting_folder().join(key(repo, named)?))?;
        Ok(match earlier {
            Some(found) => Waiting { branch, ..found },
            None => Waiting { folder, branch, files: BTreeMap::new() },
        })
    }

    /// Where the records are: in the shared git folder, whatever becomes of this checkout.
    pub(crate) fn waiting_folder(&self) -> PathBuf {
        self.common_dir.join("swift/waiting")
    }

    /// Where they were in a linked worktree before; it is still read.
    fn earlier_waiting_folder(&self) -> PathBuf {
        self.git_dir.join("swift/waiting")
    }

    fn waiting_folders(&self) -> BTreeSet<PathBuf> {
        BTreeSet::from([self.waiting_folder(), self.earlier_waiting_folder()])
    }

    /// What stands for the branch where there is none. Each checkout has a HEAD of its own; that of a linked worktree is
    /// called as git calls it from another.
    fn detached(&self) -> String {
        let worktree = self.git_dir.strip_prefix(self.common_dir.join(WORKTREES)).ok();
        worktree.map(|name| format!("{WORKTREES}{}{HEAD}", name.display())).unwrap_or_default()
    }

    /// The branch that is to be where the person's operation ends: a rebase and a bisect leave it for a while.
    fn branch_in_mind(&self) -> Result<Option<String>> {
        for name in ["rebase-merge/head-name", "rebase-apply/head-name"] {
            if let Some(line) = disk::read_line(&self.git_dir.join(name))? {
                return Ok(Some(line).filter(|line| line.starts_with("refs/heads/")));
            }
        }
        if let Some(line) = disk::read_line(&self.git_dir.join("BISECT_START"))? {
            let branch = format!("refs/heads/{line}");
            if path::check(&line).is_ok() && refs::resolve(&self.common_dir, &branch)?.is_some() {
                return Ok(Some(branch));
            }
        }
        Ok(self.tip()?.branch)
    }
}

/// The name of the folder of what waits for a branch.
fn key(repo: &Repo, branch: &str) -> Result<String> {
    Ok(objects::hash(repo.hash, Kind::Blob, branch.as_bytes())?.to_string())
}
