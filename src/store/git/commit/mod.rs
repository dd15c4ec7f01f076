//! One verb, one commit: files, index and branch move together or not at all.
//!
//! The order is what makes it safe. Objects and staged files reach the disk first, then the pending record, then
//! everything is renamed into place under git's own locks. An error on the way puts all files back; a kill leaves
//! the record, and the next verb finishes or drops the commit. The index moves before the branch: the other way
//! round, the person's next commit would silently take ours back.
//!
//! The room owns the way there: the lock, what may refuse or delay a commit, the plan, the record, the arrival, and what
//! becomes of all that when it is cut off. Why something is committed, and what is in a file, it does not know.

pub(super) mod arrival;
mod heal;
pub(super) mod lock;
pub(super) mod pending;
mod plan;
mod recover;
mod stale;
pub(super) mod state;

pub(crate) use lock::Guard;

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Kind;

use super::disk::folder::{Folder, Staged};
use super::disk::path;
use super::disk::sync::Barrier;
use super::index::{Missing, Updated};
use super::objects::tree::Leaf;
use super::objects::{self, Batch};
use super::repo::gitlock::GitLock;
use super::repo::refs::{self, Tip};
use super::repo::{CommitData, Repo};
use super::waiting::{Contents, debt};
use super::{Durability, Home, HomeKind, Outcome, Request, Signing};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use arrival::{Arrival, Flush, Locks, Stop};
use pending::{Pending, moved};
use plan::Plan;

/// How often a commit is made anew because the branch has moved meanwhile.
const ATTEMPTS: usize = 16;

/// What a commit has besides its own changes and its parent: a side that is merged in.
#[derive(Default)]
pub(super) struct Joined {
    pub(super) parents: Vec<ObjectId>,
    /// What came with it: on the disk and in the index already.
    pub(super) leaves: BTreeMap<String, Option<Leaf>>,
}

/// How one attempt ended.
enum Attempt {
    Done(Outcome),
    /// HEAD is no longer what the commit was built on.
    Moved,
    /// A lock of git was held for too long.
    Held(String),
}

impl Home {
    /// Write the files and commit them.
    pub(crate) fn commit(&self, guard: &Guard, request: Request<'_>) -> Result<Outcome> {
        self.commit_on(guard, request, &[])
    }

    /// The same, with more parents: where the histories of two homes meet.
    pub(super) fn commit_on(
        &self,
        guard: &Guard,
        request: Request<'_>,
        also: &[ObjectId],
    ) -> Result<Outcome> {
        self.check_request(guard, &request)?;
        if let Some(mut reason) = self.waits()? {
            if self.keeps_apart() {
                reason.push_str("; it is kept apart until that is over");
            }
            self.keep_due(guard, request.changes, &reason)?;
            return Ok(Outcome::Debt(reason));
        }
        self.land(guard, |_| Contents::new())?;
        self.commit_joined(guard, request, Joined { parents: also.to_vec(), ..Joined::default() })
    }

    /// Everything about a request that can be wrong in itself.
    pub(super) fn check_request(&self, guard: &Guard, request: &Request<'_>) -> Result<()> {
        self.check(guard);
        self.check_root()?;
        request.changes.iter().try_for_each(|change| path::check(&change.path))?;
        self.check_attributes(request.changes.iter().map(|change| change.path.as_str()))
    }

    /// The same with what comes in with another parent, whether or not a merge is in progress.
    pub(super) fn commit_joined(
        &self,
        guard: &Guard,
        request: Request<'_>,
        joined: Joined,
    ) -> Result<Outcome> {
        let repo = self.repo()?;
        for _ in 0..ATTEMPTS {
            match self.attempt(&repo, &request, &joined)? {
                Attempt::Done(outcome) => return Ok(outcome),
                Attempt::Moved => {}
                Attempt::Held(reason) => {
                    self.keep_due(guard, request.changes, &reason)?;
                    return Ok(Outcome::Debt(reason));
                }
            }
        }
        Err(moved())
    }

    fn attempt(&self, repo: &Repo, request: &Request<'_>, joined: &Joined) -> Result<Attempt> {
        let tip = self.tip()?;
        let base = tip.id.map(|id| repo.commit(id)).transpose()?;
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let mut plan =
            Plan::new(self, repo, &folder, base.map(|commit| commit.tree), &request.changes, &joined.leaves)?;
        if plan.is_committed(repo) && joined.parents.is_empty() {
            return self
                .bring_in_step(repo, &folder, &tip, &plan)
                .map(|()| Attempt::Done(Outcome::Unchanged));
        }
        let parents: Vec<ObjectId> = tip.id.into_iter().chain(joined.parents.iter().copied()).collect();
        let (id, commit) = build(repo, request, plan.tree, parents, &mut plan.batch)?;
        let work = Work { home: self, repo, folder: &folder, tip: &tip, durability: request.durability };
        let attempt = work.carry_out(&plan, id, &commit);
        if let Ok(Attempt::Done(_)) = attempt {
            self.tidy(&plan.leaves, request.durability);
        }
        attempt.map_err(|stop| stop.fault)
    }

    /// Bring the records up to date. The commit is made, so a failure here must not be reported as one: a debt that
    /// is paid is harmless, and packs can be joined another time.
    fn tidy(&self, leaves: &BTreeMap<String, Option<Leaf>>, durability: Durability) {
        let _ = self.settle_debts(leaves);
        let _ = self.join_packs(durability);
        self.forget_squash();
    }

    /// HEAD, which in the queue's own checkout has to be on a branch.
    pub(super) fn tip(&self) -> Result<Tip> {
        let tip = refs::tip(&self.git_dir, &self.common_dir)?;
        if self.kind == HomeKind::Branch && tip.branch.is_none() {
            if self.is_joining() {
                return Err(Fault::new(
                    Code::InProgress,
                    format!("a rebase is in progress in {}", self.root.display()),
                )
                .hint(format!("`git -C {} status` says how it goes on", as_word(&self.root)))
                .hint("clones of a queue come together with `git merge`"));
            }
            return Err(Fault::new(
                Code::InProgress,
                format!("{} is not on its branch", self.root.display()),
            )
            .hint(format!(
                "git -C {} switch {}",
                as_word(&self.root),
                self.branch.as_deref().unwrap_or("swift")
            )));
        }
        Ok(tip)
    }

    /// HEAD has it all; make the files and the index agree with it.
    fn bring_in_step(&self, repo: &Repo, folder: &Folder, tip: &Tip, plan: &Plan<'_>) -> Result<()> {
        let mut barrier = Barrier::default();
        let mut change = folder.change();
        let mut staged = Vec::new();
        let mut leaves = BTreeMap::new();
        for wanted in &plan.writes {
            if folder.read(&wanted.path)? == wanted.content {
                continue;
            }
            let one =
                wanted.content.as_ref().map(|content| folder.stage(content, &mut barrier)).transpose()?;
            debt::place(&mut change, wanted, one.as_ref())?;
            staged.extend(one);
            leaves.insert(wanted.path.clone(), plan.leaves[&wanted.path]);
        }
        if !leaves.is_empty() {
            change.flush(&mut barrier);
            barrier.wait(Durability::Full)?;
            self.refresh_index(repo, folder, tip, &leaves)?;
        }
        change.complete();
        self.settle_debts(&plan.leaves)
    }

    pub(super) fn refresh_index(
        &self,
        repo: &Repo,
        folder: &Folder,
        tip: &Tip,
        leaves: &BTreeMap<String, Option<Leaf>>,
    ) -> Result<()> {
        let sharing = repo.sharing()?;
        self.make_records(sharing)?;
        let mut lock = GitLock::prepare(&self.index_path(), &self.scratch(), sharing)?;
        self.note_locks(&[(self.portable(lock.public()), lock.identity()?)])?;
        if lock.acquire(self.patience)? {
            let tree = tip.id.map(|id| repo.commit(id)).transpose()?.map(|commit| commit.tree);
            let missing = tree.map_or(Missing::Begin, |tree| self.missing(tip, tree));
            if let Updated::Written { .. } = self.update_index(repo, folder, &mut lock, leaves, missing)? {
                lock.commit()?;
            }
        }
        self.empty_pending()
    }
}

/// The commit object, signed if that is configured; nothing is written yet.
pub(super) fn build(
    repo: &Repo,
    request: &Request<'_>,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    batch: &mut Batch,
) -> Result<(ObjectId, CommitData)> {
    let identity = repo.identity()?;
    let mut message = request.message.trim_end().to_owned();
    message.push('\n');
    let seconds = identity.committer.time.seconds;
    let data = CommitData { tree, parents: parents.clone(), message: message.clone(), seconds };
    let commit = gix::objs::Commit {
        tree,
        parents: parents.into(),
        author: identity.author,
        committer: identity.committer,
        encoding: None,
        message: message.into(),
        extra_headers: Vec::new(),
    };
    let commit = match request.signing {
        Signing::AsConfigured => repo.sign(commit)?,
        Signing::Never => commit,
    };
    let mut bytes = Vec::new();
    gix::objs::WriteTo::write_to(&commit, &mut bytes)
        .map_err(|error| Fault::new(Code::Internal, format!("the commit cannot be written: {error}")))?;
    Ok((batch.add(Kind::Commit, bytes)?, data))
}

/// What the steps of one attempt share.
struct Work<'a> {
    home: &'a Home,
    repo: &'a Repo,
    folder: &'a Folder,
    tip: &'a Tip,
    durability: Durability,
}

impl Work<'_> {
    fn carry_out(&self, plan: &Plan<'_>, id: ObjectId, commit: &CommitData) -> Result<Attempt, Stop> {
        let mut barrier = Barrier::default();
        let mut files = Vec::new();
        let attempt = self.stage_files(plan, &mut files, &mut barrier);
        let attempt =
            attempt.map_err(Stop::from).and_then(|()| self.commit_staged(plan, id, commit, &files, barrier));
        // What is half done is finished by the next verb, which has to see what was not put in place.
        if !matches!(attempt, Ok(Attempt::Done(_)) | Err(Stop { half: true, .. })) {
            self.folder.discard(files.into_iter().flatten());
        }
        attempt
    }

    fn stage_files(
        &self,
        plan: &Plan<'_>,
        files: &mut Vec<Option<Staged>>,
        barrier: &mut Barrier,
    ) -> Result<()> {
        for change in &plan.writes {
            files.push(
                change.content.as_ref().map(|content| self.folder.stage(content, barrier)).transpose()?,
            );
        }
        for path in &plan.kept {
            self.folder.flush_kept(path, barrier)?;
        }
        Ok(())
    }

    fn commit_staged(
        &self,
        plan: &Plan<'_>,
        id: ObjectId,
        commit: &CommitData,
        files: &[Option<Staged>],
        mut barrier: Barrier,
    ) -> Result<Attempt, Stop> {
        let (home, repo) = (self.home, self.repo);
        let sharing = repo.sharing()?;
        home.make_records(sharing)?;
        let staged = plan.batch.stage(&home.common_dir.join("objects"), sharing, &mut barrier)?;
        let locks = Locks::prepare(home, self.tip, sharing)?;
        let pending = Pending {
            commit: id,
            parent: self.tip.id,
            objects: plan.batch.ids().to_vec(),
            files: plan.planned(home, repo)?,
            locks: locks.identities(home)?,
        };
        let attempt = self.commit_noted(plan, &pending, commit, files, staged, locks, barrier);
        match &attempt {
            Err(Stop { half: true, .. }) => {}
            // Harmless with a commit that is made: the next verb finds nothing left to do.
            Ok(Attempt::Done(_)) => drop(home.forget_pending(&pending)),
            _ => home.forget_pending(&pending)?,
        }
        attempt
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one step that live exactly as long as it")]
    fn commit_noted(
        &self,
        plan: &Plan<'_>,
        pending: &Pending,
        commit: &CommitData,
        files: &[Option<Staged>],
        staged: objects::Staged,
        mut locks: Locks,
        mut barrier: Barrier,
    ) -> Result<Attempt, Stop> {
        let (home, repo, id) = (self.home, self.repo, pending.commit);
        home.note_pending(pending, &mut barrier)?;
        barrier.wait(self.durability)?;
        let mut barrier = Barrier::default();
        home.note_pack(staged.publish(&mut barrier)?);
        if let Some(reason) = locks.acquire(home)? {
            return Ok(Attempt::Held(reason));
        }
        if home.tip()? != *self.tip {
            return Ok(Attempt::Moved);
        }
        let mut change = self.folder.change();
        let arrival = Arrival { tip: self.tip, id, commit, leaves: &plan.leaves };
        let placed = plan
            .writes
            .iter()
            .zip(files)
            .try_for_each(|(wanted, staged)| debt::place(&mut change, wanted, staged.as_ref()));
        let arrived = placed.map_err(Stop::from).and_then(|()| {
            let mut after = Barrier::default();
            change.flush(&mut after);
            let flush = Flush { before: barrier, after, durability: self.durability };
            home.arrive_locked(repo, self.folder, &arrival, locks, flush)
        });
        match arrived {
            Ok(()) => {
                change.complete();
                Ok(Attempt::Done(Outcome::Committed(id.to_string())))
            }
            Err(stop) if stop.half => {
                change.leave();
                Err(stop)
            }
            Err(stop) => {
                let half = change.take_back().is_err();
                Err(Stop { half, ..stop })
            }
        }
    }
}

/// The blob id that a content has; for records.
pub(super) fn blob_id(repo: &Repo, content: &[u8]) -> Result<ObjectId> {
    objects::hash(repo.hash, Kind::Blob, content)
}
