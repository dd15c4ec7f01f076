//! Locks of git's that are taken outside of a commit: noted before, so that a killed process leaves none behind.
//!
//! The pending record names the locks of the commit that it is about. Whoever finishes such a commit, or only brings an
//! index in step, takes locks of its own; killed at that, it would leave lock files that nobody knows. So these are
//! noted here first, by their identity, and the next verb removes what is still there.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use super::disk::{self, OrIo as _};
use super::gitlock::{self, Identity};
use super::sync::Barrier;
use super::{Durability, Home};
use crate::domain::fault::Result;

impl Home {
    /// Note, durably, locks that are about to be taken.
    pub(super) fn note_locks(&self, locks: &[(String, Identity)]) -> Result<()> {
        let path = self.locks_path();
        let mut file = OpenOptions::new().append(true).create(true).open(&path).or_io("write", &path)?;
        self.repo()?.sharing()?.file(&file, &path)?;
        let lines: String = locks.iter().map(|(path, identity)| format!("{} {path}\0", identity.0)).collect();
        file.write_all(lines.as_bytes()).or_io("write", &path)?;
        let mut barrier = Barrier::default();
        barrier.file(&path, file);
        barrier.name_of(&path);
        barrier.wait(Durability::Full)
    }

    /// Remove what a killed process has left of them; the queue's lock is held, so nobody is at work.
    pub(super) fn release_noted(&self) -> Result<()> {
        let path = self.locks_path();
        let Some(record) = disk::read(&path)? else { return Ok(()) };
        let record = String::from_utf8_lossy(&record).into_owned();
        // A line that was cut short names a lock that was not taken yet.
        for line in record.split_inclusive('\0').filter_map(|line| line.strip_suffix('\0')) {
            if let Some((identity, lock)) = line.split_once(' ') {
                gitlock::remove_if(&self.locate(lock), &Identity(identity.to_owned()))?;
            }
        }
        disk::remove(&path)
    }

    fn locks_path(&self) -> PathBuf {
        self.records().join("locks")
    }
}
