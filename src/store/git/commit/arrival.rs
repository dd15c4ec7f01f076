//! A commit whose objects and files are in place becomes HEAD: index and branch are renamed, or put back.
//!
//! git's own locks are taken, in git's order, so that git and we never move the same branch at once.

use std::collections::BTreeMap;
use std::fs::File;

use gix::ObjectId;

use super::lock;
use super::pending::Pending;
use crate::domain::fault::{Fault, Result};
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::index::Updated;
use crate::store::git::index::sweep::Version;
use crate::store::git::objects::tree::Leaf;
use crate::store::git::repo::gitlock::{GitLock, Identity};
use crate::store::git::repo::refs::{self, Movement, Reflog, Tip};
use crate::store::git::repo::{CommitData, Repo};
use crate::store::git::{Durability, Home};

/// A commit that is to become HEAD.
pub(super) struct Arrival<'a> {
    pub(super) tip: &'a Tip,
    pub(super) id: ObjectId,
    pub(super) commit: &'a CommitData,
    pub(super) leaves: &'a BTreeMap<String, Option<Leaf>>,
}

/// What else has to be on the disk before the branch moves, and before success is reported.
pub(super) struct Flush {
    pub(super) before: Barrier,
    pub(super) after: Barrier,
    pub(super) durability: Durability,
}

/// The locks that git's own commit takes, in git's order.
pub(super) struct Locks {
    index: GitLock,
    head: GitLock,
    branch: Option<GitLock>,
    sharing: Sharing,
}

impl Locks {
    pub(super) fn prepare(home: &Home, tip: &Tip, sharing: Sharing) -> Result<Locks> {
        let prepare = |target: &std::path::Path| GitLock::prepare(target, &home.scratch(), sharing);
        let branch = match &tip.branch {
            Some(_) => {
                let file = tip.file(home);
                sharing.make_folders(file.parent().expect("a branch is in a folder"))?;
                Some(prepare(&file)?)
            }
            None => None,
        };
        Ok(Locks {
            index: prepare(&home.index_path())?,
            head: prepare(&home.git_dir.join("HEAD"))?,
            branch,
            sharing,
        })
    }

    pub(super) fn identities(&self, home: &Home) -> Result<Vec<(String, Identity)>> {
        let locks = [Some(&self.index), Some(&self.head), self.branch.as_ref()];
        locks.into_iter().flatten().map(|lock| Ok((home.portable(lock.public()), lock.identity()?))).collect()
    }

    /// The lock of the ref that moves.
    fn reference(&mut self) -> &mut GitLock {
        self.branch.as_mut().unwrap_or(&mut self.head)
    }

    /// Take all of them; the reason if one is held by another program.
    pub(super) fn acquire(&mut self, home: &Home) -> Result<Option<String>> {
        for lock in [Some(&mut self.index), Some(&mut self.head), self.branch.as_mut()].into_iter().flatten()
        {
            if !lock.acquire(home.patience)? {
                let reason = lock.held_by_another();
                return Ok(Some(format!("{reason}; if that stays so, `swift doctor` tells what to do")));
            }
        }
        Ok(None)
    }
}

/// Why an attempt ended without a commit.
pub(in crate::store::git) struct Stop {
    pub(in crate::store::git) fault: Fault,
    /// Not everything could be put back; the pending record has to stay.
    pub(in crate::store::git) half: bool,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop { fault, half: false }
    }
}

impl Home {
    /// Take git's locks and make a commit whose objects and files are in place HEAD; `false` if it is held. The record
    /// of it names the new locks before they block anybody: whoever does this can be killed, too.
    pub(super) fn arrive(
        &self,
        repo: &Repo,
        folder: &Folder,
        arrival: &Arrival<'_>,
        pending: &Pending,
    ) -> Result<bool> {
        let sharing = repo.sharing()?;
        self.make_records(sharing)?;
        let mut locks = Locks::prepare(self, arrival.tip, sharing)?;
        self.renote_pending(pending, locks.identities(self)?)?;
        if locks.acquire(self)?.is_some() || self.tip()? != *arrival.tip {
            return Ok(false);
        }
        let flush =
            Flush { before: Barrier::default(), after: Barrier::default(), durability: Durability::Full };
        self.arrive_locked(repo, folder, arrival, locks, flush).map(|()| true).map_err(|stop| stop.fault)
    }

    pub(super) fn arrive_locked(
        &self,
        repo: &Repo,
        folder: &Folder,
        arrival: &Arrival<'_>,
        mut locks: Locks,
        flush: Flush,
    ) -> Result<(), Stop> {
        let Flush { before: mut barrier, after, durability } = flush;
        let was_in_step = self.was_in_step(repo, arrival.tip)?;
        let stale = if was_in_step.is_some() { None } else { self.stale(repo, folder, arrival)? };
        let leaves = stale.as_ref().unwrap_or(arrival.leaves);
        let missing = self.missing(arrival.tip, arrival.commit.tree);
        let updated = self.update_index(repo, folder, &mut locks.index, leaves, missing)?;
        let new_index = locks.index.handle()?;
        let version = Version::of(&new_index);
        let moves = arrival.tip.id != Some(arrival.id);
        if moves {
            locks.reference().write(format!("{}\n", arrival.id).as_bytes())?;
        }
        barrier.file(locks.index.public(), locks.index.handle()?);
        let reference = locks.reference();
        barrier.file(reference.public(), reference.handle()?);
        barrier.wait(durability)?;
        let (index, reference) = (self.index_path(), arrival.tip.file(self));
        let old_reference = disk::open(&reference)?;
        let done =
            self.publish(repo, arrival, locks, &updated, after).and_then(|barrier| barrier.wait(durability));
        let (old_index, replaced, version) = match updated {
            Updated::Written { old, replaced } => (Some(old), replaced, version),
            Updated::Left => (None, None, None),
        };
        done.map_err(|fault| {
            // The branch first, so that nobody sees a commit whose files are taken back.
            let index_back = || old_index.map_or(Ok(()), |old| self.restore(&index, old));
            let back = self.restore(&reference, old_reference).and_then(|()| index_back());
            Stop { fault, half: back.is_err() }
        })?;
        // Only hints for the next verb, so whatever fails here costs nothing but time.
        if let Some(version) = version {
            let _ = self.hint_in_step(repo, arrival, &new_index, was_in_step, &version);
        }
        let _ = self.remember(arrival, replaced.as_ref());
        Ok(())
    }

    /// Whether the index is known to agree with the commit that HEAD is at.
    fn was_in_step(&self, repo: &Repo, tip: &Tip) -> Result<Option<ObjectId>> {
        let Some(id) = tip.id else { return Ok(None) };
        let queue = self.queue_tree(repo, repo.commit(id)?.tree)?;
        Ok(queue.filter(|queue| self.is_in_step(*queue, Version::at(&self.index_path()))))
    }

    /// Leave word for the next verb that the new index agrees with the new HEAD.
    fn hint_in_step(
        &self,
        repo: &Repo,
        arrival: &Arrival<'_>,
        index: &File,
        was_in_step: Option<ObjectId>,
        version: &Version,
    ) -> Result<()> {
        let Some(queue) = self.queue_tree(repo, arrival.commit.tree)? else { return Ok(()) };
        if was_in_step.is_some() || self.agrees(repo, index, queue)? {
            self.note_in_step(queue, version);
        }
        Ok(())
    }

    /// Rename index and branch into place.
    fn publish(
        &self,
        repo: &Repo,
        arrival: &Arrival<'_>,
        locks: Locks,
        updated: &Updated,
        mut barrier: Barrier,
    ) -> Result<Barrier> {
        let (index, reference) = (self.index_path(), arrival.tip.file(self));
        let Locks { index: index_lock, head, branch, sharing } = locks;
        match updated {
            Updated::Written { .. } => {
                index_lock.commit()?;
                barrier.name_of(&index);
            }
            Updated::Left => drop(index_lock),
        }
        if arrival.tip.id != Some(arrival.id) {
            let who = repo.identity().map(|identity| identity.committer);
            if let Ok(who) = &who {
                let kind = if arrival.tip.id.is_none() { "commit (initial)" } else { "commit" };
                let subject = arrival.commit.message.lines().next().unwrap_or_default();
                let message = &format!("{kind}: {subject}");
                let movement = Movement { from: arrival.tip.id, to: arrival.id, who, message };
                refs::log(self, arrival.tip, &movement, Reflog::of(repo), sharing)?;
            }
            barrier.name_of(&reference);
            match branch {
                Some(branch) => branch.commit()?,
                // On a detached HEAD the ref that moves is HEAD itself.
                None => head.commit()?,
            }
        }
        Ok(barrier)
    }

    /// Put a file of git back as it was.
    fn restore(&self, path: &std::path::Path, old: Option<File>) -> Result<()> {
        let Some(mut old) = old else { return disk::remove(path) };
        let temporary = self.scratch().join(format!("old-{}-{}", std::process::id(), lock::ordinal()));
        let mut new = File::create(&temporary).or_io("make", &temporary)?;
        std::io::copy(&mut old, &mut new).or_io("write", &temporary)?;
        std::fs::rename(&temporary, path).or_io("take back", path)
    }
}
