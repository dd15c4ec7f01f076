//! What a killed process has left is finished or dropped by whoever gets the lock next.
//!
//! The pending record says what was begun; here is what becomes of it. Everything can be done again from the beginning:
//! whoever recovers can be killed, too.

use std::collections::{BTreeMap, HashSet};

use gix::ObjectId;

use super::arrival::Arrival;
use super::pending::{Pending, Planned, locks_alone};
use crate::domain::fault::{Fault, Result};
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::objects::tree::Leaf;
use crate::store::git::repo::{Repo, gitlock, refs};
use crate::store::git::waiting::keeping::Keeping;
use crate::store::git::{Durability, Home, disk, objects};

impl Home {
    /// Finish or drop what a killed process has left; the lock is held, so that process is gone.
    pub(in crate::store::git) fn recover(&self) -> Result<()> {
        if !self.root.is_dir() {
            return Ok(());
        }
        let folder = Folder::open(&self.root)?;
        let record = disk::read(&self.pending_path())?;
        let pending = record.as_deref().and_then(Pending::parse);
        // What waits to be put in place is looked at before it is swept.
        let mut any = self.sweep_scratch()?;
        let keeping = record.as_deref().and_then(Keeping::parse);
        if pending.is_none() && keeping.is_none() {
            any |= folder.sweep()?;
        }
        if any {
            self.sweep_objects()?;
        }
        if any && keeping.is_none() {
            self.sweep_owed();
        }
        self.mend_index()?;
        let Some(record) = record else { return Ok(()) };
        if let Some(keeping) = keeping {
            self.finish_keeping(&keeping)?;
            folder.sweep()?;
            self.sweep_owed();
        }
        if let Some(pending) = pending {
            for (path, identity) in &pending.locks {
                gitlock::remove_if(&self.locate(path), identity)?;
            }
            self.finish(&folder, &pending)?;
            if folder.sweep()? {
                self.sweep_objects()?;
            }
        }
        for (path, identity) in locks_alone(&record).into_iter().flatten() {
            gitlock::remove_if(&self.locate(&path), &identity)?;
        }
        if record.is_empty() { Ok(()) } else { self.empty_pending() }
    }

    /// Private files of a killed process; whether there were any.
    fn sweep_scratch(&self) -> Result<bool> {
        let Ok(entries) = std::fs::read_dir(self.scratch()) else { return Ok(false) };
        let mut any = false;
        for entry in entries.flatten() {
            disk::remove(&entry.path())?;
            any = true;
        }
        Ok(any)
    }

    /// Objects of a killed process that have no name yet. git would remove them too, after two weeks.
    fn sweep_objects(&self) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(self.common_dir.join("objects")) else { return Ok(()) };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(objects::TEMPORARY) {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    fn finish(&self, folder: &Folder, pending: &Pending) -> Result<()> {
        let repo = self.repo()?;
        let whole = pending.objects.iter().all(|id| repo.holds(*id));
        if !whole || !repo.holds(pending.commit) {
            // The power went before the record counted: no file of the queue has been touched.
            return Ok(());
        }
        let tip = refs::tip(&self.git_dir, &self.common_dir)?;
        self.finish_files(&repo, folder, &pending.files)?;
        let paths = pending.files.iter().map(|file| file.path.clone());
        let may_arrive =
            || Ok::<_, Fault>(self.waits()?.is_none() || self.would_conclude(&repo, pending.commit)?);
        if tip.id == Some(pending.commit) || (tip.id == pending.parent && may_arrive()?) {
            let commit = repo.commit(pending.commit)?;
            let leaves = pending.files.iter().map(|file| (file.path.clone(), file.new)).collect();
            let arrival = Arrival { tip: &tip, id: pending.commit, commit: &commit, leaves: &leaves };
            if self.arrive(&repo, folder, &arrival, pending)? {
                self.forget_concluded(&repo)?;
                return self.settle_debts(&BTreeMap::from_iter(leaves));
            }
        }
        // Somebody else has moved the branch meanwhile, or holds it: what is on the disk goes into the next commit.
        let reason = "a commit was interrupted";
        self.add_debts(paths, reason)?;
        self.keep_put(&repo, folder, &pending.files, reason)
    }

    /// A new file that is not there and does not wait to be put in place any more was there, and somebody has moved or
    /// removed it since: that stays.
    fn finish_files(&self, repo: &Repo, folder: &Folder, files: &[Planned]) -> Result<()> {
        let mut waiting: Option<Option<HashSet<ObjectId>>> = None;
        let mut barrier = Barrier::default();
        let mut change = folder.change();
        let mut staged = Vec::new();
        for file in files {
            let here = folder.read(&file.path)?;
            let id = here.map(|bytes| objects::hash(repo.hash, gix::objs::Kind::Blob, &bytes)).transpose()?;
            // A file that is neither old nor new has been edited since; the edit stays.
            if id != file.old || id == file.new.map(|leaf| leaf.id) {
                continue;
            }
            match file.new {
                Some(leaf) if id.is_none() && !waits(&mut waiting, folder, repo, leaf)? => {}
                Some(leaf) => {
                    let one = folder.stage(&repo.blob(leaf.id)?, &mut barrier)?;
                    change.replace(&file.path, &one)?;
                    staged.push(one);
                }
                None => drop(change.take(&file.path)?),
            }
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        change.complete();
        Ok(())
    }
}

/// Whether a content waits to be put in place; asked for once, before anything else is staged.
fn waits(
    known: &mut Option<Option<HashSet<ObjectId>>>,
    folder: &Folder,
    repo: &Repo,
    leaf: Leaf,
) -> Result<bool> {
    if known.is_none() {
        *known = Some(folder.staged_ids(repo)?);
    }
    Ok(known.as_ref().is_none_or(|ids| ids.as_ref().is_none_or(|ids| ids.contains(&leaf.id))))
}
