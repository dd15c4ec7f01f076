//! Debts: files of the queue that are written and wait for a commit.
//!
//! The record lies in the git folder, so that it tells what was lost when `git clean` takes the queue's folder away.
//! A path in it that equals HEAD is harmless: a debt is only a hint for the next commit, never the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::commit::lock;
use crate::store::git::disk::folder::{Folder, Staged};
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, OrIo as _, path};
use crate::store::git::{Change, Durability, Expect, Guard, Home};

impl Home {
    /// Paths that are written, or kept apart, and not committed.
    pub(crate) fn debts(&self) -> Result<Vec<String>> {
        let mut all = self.debt_set()?;
        all.extend(self.waiting_paths()?);
        Ok(all.into_iter().collect())
    }

    /// Whether files are written that a commit could have now.
    pub(crate) fn owes(&self) -> Result<bool> {
        Ok(!self.debt_set()?.is_empty() && self.waits()?.is_none())
    }

    /// Write files without committing them.
    pub(in crate::store::git) fn keep_in_place(
        &self,
        guard: &Guard,
        changes: Vec<Change>,
        reason: &str,
    ) -> Result<()> {
        self.check(guard);
        for change in &changes {
            path::check(&change.path)?;
        }
        let before = self.debt_set()?;
        let folder = Folder::open(&self.root)?.shared(self.repo()?.sharing()?);
        self.add_debts(changes.iter().map(|change| change.path.clone()), reason)?;
        let written = write_all(&folder, &changes);
        if written.is_err() {
            // The files are as they were, so the record has to be too; a longer one would only cost time.
            let _ = self.write_debts(&before);
        }
        written
    }

    pub(in crate::store::git) fn debt_set(&self) -> Result<BTreeSet<String>> {
        let record = disk::read(&self.debt_path())?.unwrap_or_default();
        // One without its reason at the beginning is none of ours, however long it is.
        if record.first().is_none_or(|byte| *byte == 0) {
            return Ok(BTreeSet::new());
        }
        let text = String::from_utf8_lossy(&record);
        // The first field is the reason of the last debt, for a person who looks.
        Ok(text.split_terminator('\0').skip(1).map(str::to_owned).collect())
    }

    fn debt_path(&self) -> PathBuf {
        self.records().join("debt")
    }

    /// Note that these paths wait.
    pub(in crate::store::git) fn add_debts(
        &self,
        paths: impl IntoIterator<Item = String>,
        reason: &str,
    ) -> Result<()> {
        let mut all = self.debt_set()?;
        all.extend(paths);
        self.write_debts_because(&all, reason)
    }

    /// Note that these paths are committed.
    pub(in crate::store::git) fn settle_debts<T>(&self, paid: &BTreeMap<String, T>) -> Result<()> {
        let all = self.debt_set()?;
        if all.is_empty() {
            return Ok(());
        }
        let left: BTreeSet<String> = all.into_iter().filter(|path| !paid.contains_key(path)).collect();
        self.write_debts(&left)
    }

    pub(in crate::store::git) fn write_debts(&self, paths: &BTreeSet<String>) -> Result<()> {
        self.write_debts_because(paths, "see the last message")
    }

    pub(super) fn write_debts_because(&self, paths: &BTreeSet<String>, reason: &str) -> Result<()> {
        let target = self.debt_path();
        if paths.is_empty() {
            return disk::remove(&target).and_then(|()| self.forget_owed());
        }
        self.make_records(self.repo()?.sharing()?)?;
        let temporary = self.scratch().join(format!("debt-{}-{}", std::process::id(), lock::ordinal()));
        let mut record = format!("{}\0", reason.replace('\0', " "));
        for path in paths {
            record.push_str(path);
            record.push('\0');
        }
        self.write_record(&temporary, record.as_bytes())?;
        let mut barrier = Barrier::default();
        barrier.file(&temporary, std::fs::File::open(&temporary).or_io("open", &temporary)?);
        barrier.wait(Durability::Full)?;
        std::fs::rename(&temporary, &target).or_io("write", &target)?;
        let mut barrier = Barrier::default();
        barrier.name_of(&target);
        barrier.wait(Durability::Full)
    }
}

/// Write files, all of them or none.
pub(super) fn write_all(folder: &Folder, changes: &[Change]) -> Result<()> {
    let mut barrier = Barrier::default();
    let mut staged = Vec::new();
    let written = changes
        .iter()
        .try_for_each(|change| {
            let content = change.content.as_ref();
            staged.push(content.map(|content| folder.stage(content, &mut barrier)).transpose()?);
            Ok(())
        })
        .and_then(|()| write_staged(folder, changes, &staged, barrier));
    folder.discard(staged.into_iter().flatten());
    written
}

fn write_staged(
    folder: &Folder,
    changes: &[Change],
    staged: &[Option<Staged>],
    barrier: Barrier,
) -> Result<()> {
    barrier.wait(Durability::Full)?;
    let mut change = folder.change();
    match place_all(&mut change, changes, staged) {
        Ok(()) => {
            change.complete();
            Ok(())
        }
        Err(error) => change.take_back().and(Err(error)),
    }
}

/// Put changes in their places, to stay there.
pub(super) fn place_all(
    change: &mut crate::store::git::disk::folder::Change<'_>,
    wanted: &[Change],
    staged: &[Option<Staged>],
) -> Result<()> {
    wanted.iter().zip(staged).try_for_each(|(wanted, staged)| place(change, wanted, staged.as_ref()))?;
    let mut barrier = Barrier::default();
    change.flush(&mut barrier);
    barrier.wait(Durability::Full)
}

/// Put one change in its place, if what is there is what was expected.
pub(in crate::store::git) fn place(
    change: &mut crate::store::git::disk::folder::Change<'_>,
    wanted: &Change,
    staged: Option<&Staged>,
) -> Result<()> {
    let before = match (staged, &wanted.expect) {
        (Some(staged), Expect::Absent) => return change.make(&wanted.path, staged),
        (Some(staged), _) => change.replace(&wanted.path, staged)?,
        (None, _) => change.take(&wanted.path)?,
    };
    match &wanted.expect {
        Expect::Bytes(bytes) if before.as_ref() != Some(bytes) => Err(differs(&wanted.path)),
        Expect::Absent if before.is_some() => Err(differs(&wanted.path)),
        _ => Ok(()),
    }
}

pub(in crate::store::git) fn differs(path: &str) -> Fault {
    Fault::new(Code::Changed, format!("`.swift/{path}` is not as it was when it was read"))
        .hint("run the same command again")
}
