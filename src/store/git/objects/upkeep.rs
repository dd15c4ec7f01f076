//! Keeping the number of packs small.
//!
//! Each commit adds a pack, and git's own collection would sooner or later start in the person's commands because of
//! them. So packs of like size are joined as they add up: eight small ones become a larger one, at the price of
//! writing each object a few times. Large ones are left to git, which also finds what they have in common.
//! Which packs are ours is in a record in the git folder; a pack that is not in it is never touched, and a lost record
//! costs nothing but that. Nothing is left running.

use std::collections::BTreeSet;
use std::path::PathBuf;

use gix::ObjectId;

use super::pack::{self, Sound};
use super::{Made, Staged};
use crate::domain::fault::Result;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::repo::external::Git;
use crate::store::git::{Durability, Home, disk};

/// How many packs of like size become one.
const TOGETHER: usize = 8;

/// The number of objects up to which packs count as alike; above the last they are git's to join.
const TIERS: [usize; 3] = [32, 256, 2048];

/// How long the queue is waited for when git has joined packs.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

impl Home {
    /// Remember a pack of ours; one that is not remembered is left to git.
    pub(in crate::store::git) fn note_pack(&self, made: Made) {
        let path = self.packs_path();
        let Ok(record) = disk::append(&path, line(made)) else { return };
        let _ = self.repo().and_then(|repo| repo.sharing()?.file(&record, &path));
    }

    /// Join packs of ours where enough have added up; the lock is held.
    ///
    /// # Errors
    /// Those of reading and writing; whatever happens, every object is still there.
    pub(in crate::store::git) fn join_packs(&self, durability: Durability) -> Result<()> {
        let mut packs = self.packs()?;
        for tier in 0..TIERS.len() - 1 {
            self.join_tier(tier, &mut packs, durability)?;
        }
        Ok(())
    }

    /// Let git join our larger packs if there are many; best called without the lock.
    ///
    /// # Errors
    /// Those of git; the packs are then as they were.
    pub(crate) fn maintenance(&self) -> Result<()> {
        let large = self.large_packs()?;
        if large.len() < TOGETHER
            || !self.may_remove_packs()
            || self.repo()?.text("gc.auto").as_deref() == Some("0")
        {
            return Ok(());
        }
        let names: String = large.iter().map(|pack| format!("pack-{}.pack\n", pack.name)).collect();
        let arguments = ["pack-objects", "--quiet", "--stdin-packs", "objects/pack/pack"];
        let answer = Git::at(&self.common_dir).input(names.into_bytes()).run(&arguments)?;
        let joined = ObjectId::from_hex(answer.trim_ascii()).ok();
        let guard = self.lock(PATIENCE)?;
        self.forget(&large)?;
        let old = large.iter().filter(|pack| Some(pack.name) != joined).copied().collect();
        self.remove_packs(old)?;
        drop(guard);
        Ok(())
    }

    /// Our packs that only git joins. Those that a collection of the person's has joined are forgotten: there is nothing
    /// to be done about them, now and at each verb after this one.
    fn large_packs(&self) -> Result<Vec<Made>> {
        let large = of_tier(&self.packs()?, TIERS.len() - 1);
        if large.len() < TOGETHER {
            return Ok(large);
        }
        let is_there = |pack: &Made| self.pack_file(*pack, "pack").exists();
        let (large, gone): (Vec<Made>, Vec<Made>) = large.into_iter().partition(is_there);
        if !gone.is_empty() {
            let _guard = self.lock(PATIENCE)?;
            self.forget(&gone)?;
        }
        Ok(large)
    }

    /// Take packs out of the record; the lock is held.
    fn forget(&self, old: &[Made]) -> Result<()> {
        let old: BTreeSet<ObjectId> = old.iter().map(|pack| pack.name).collect();
        let mut packs = self.packs()?;
        packs.retain(|pack| !old.contains(&pack.name));
        self.write_packs(&packs)
    }

    fn join_tier(&self, tier: usize, packs: &mut Vec<Made>, durability: Durability) -> Result<()> {
        let alike = of_tier(packs, tier);
        if alike.len() < TOGETHER || !self.may_remove_packs() {
            return Ok(());
        }
        let mut read = Vec::new();
        for pack in &alike {
            packs.retain(|other| other != pack);
            // Gone: collected by git meanwhile, and its objects are elsewhere.
            if let (Some(data), Some(index)) =
                (disk::read(&self.pack_file(*pack, "pack"))?, disk::read(&self.pack_file(*pack, "idx"))?)
            {
                read.push((*pack, data, index));
            }
        }
        // A damaged pack is nothing to build on and nothing to remove.
        let sound: Vec<(Made, Sound<'_>)> = read
            .iter()
            .filter_map(|(pack, data, index)| Some((*pack, Sound::of(pack.name, data, index)?)))
            .collect();
        let (old, parts): (Vec<Made>, Vec<Sound<'_>>) = sound.into_iter().unzip();
        let Some(hash) = old.first().map(|pack| pack.name.kind()) else { return Ok(()) };
        let joined = self.write_joined(&pack::join(hash, &parts)?, durability)?;
        packs.push(joined);
        self.write_packs(packs)?;
        self.remove_packs(old.into_iter().filter(|pack| *pack != joined).collect())
    }

    /// A collection of the person's that has begun meanwhile has listed these packs and would fail without them. It
    /// removes them itself: everything in them is in another pack.
    fn remove_packs(&self, packs: Vec<Made>) -> Result<()> {
        if self.is_collecting() {
            return Ok(());
        }
        packs.into_iter().try_for_each(|pack| self.remove_pack(pack))
    }

    fn write_joined(&self, pack: &pack::Pack, durability: Durability) -> Result<Made> {
        let sharing = self.repo()?.sharing()?;
        let mut barrier = Barrier::default();
        let staged = Staged::pack(pack, &self.common_dir.join("objects"), sharing, &mut barrier)?;
        barrier.wait(durability)?;
        let mut barrier = Barrier::default();
        let made = staged.publish(&mut barrier)?;
        barrier.wait(durability)?;
        Ok(made)
    }

    /// The index first: a pack without one is not looked at.
    fn remove_pack(&self, pack: Made) -> Result<()> {
        disk::remove(&self.pack_file(pack, "idx"))?;
        disk::remove(&self.pack_file(pack, "pack"))
    }

    /// Not when git keeps one index over all packs, which would name a pack that is gone.
    fn may_remove_packs(&self) -> bool {
        let folder = self.common_dir.join("objects/pack");
        !folder.join("multi-pack-index").exists() && !folder.join("multi-pack-index.d").exists()
    }

    fn packs_path(&self) -> PathBuf {
        self.records().join("packs")
    }

    fn pack_file(&self, pack: Made, ending: &str) -> PathBuf {
        pack::file(&self.common_dir.join("objects"), pack.name, ending)
    }

    /// The packs that are ours; a line that makes no sense is none.
    fn packs(&self) -> Result<Vec<Made>> {
        let record = disk::read(&self.packs_path())?.unwrap_or_default();
        let mut packs: Vec<Made> = String::from_utf8_lossy(&record).lines().filter_map(parse).collect();
        let mut seen = BTreeSet::new();
        packs.retain(|pack| seen.insert(pack.name));
        Ok(packs)
    }

    fn write_packs(&self, packs: &[Made]) -> Result<()> {
        let text: String = packs.iter().copied().map(line).collect();
        // In place: of a record that is cut short the whole lines still count.
        self.write_record(&self.packs_path(), text.as_bytes()).map(drop)
    }
}

fn line(pack: Made) -> String {
    format!("{} {}\n", pack.name, pack.objects)
}

fn parse(line: &str) -> Option<Made> {
    let (name, objects) = line.split_once(' ')?;
    Some(Made { name: ObjectId::from_hex(name.as_bytes()).ok()?, objects: objects.parse().ok()? })
}

fn of_tier(packs: &[Made], tier: usize) -> Vec<Made> {
    let from = tier.checked_sub(1).map_or(0, |below| TIERS[below]);
    packs.iter().filter(|pack| pack.objects > from && pack.objects <= TIERS[tier]).copied().collect()
}
