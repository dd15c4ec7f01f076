//! Keeping the number of loose objects small.
//!
//! Each commit adds a handful of files to the object store, and nothing else would ever pack them in a repository
//! in which only the queue is used. So from time to time git packs them: that one task, not a whole collection,
//! and nothing is left running.

use super::Home;
use super::external::Git;
use super::repo::Repo;
use crate::domain::fault::Result;

/// Objects in one of the 256 folders from which on packing pays: about five hundred commits.
const FULL: usize = 16;

impl Home {
    /// Let git pack loose objects if there are many; best called without the lock.
    pub(crate) fn maintenance(&self) -> Result<()> {
        // As git does: hashes spread evenly, so one folder tells about all.
        let count =
            std::fs::read_dir(self.common_dir.join("objects/17")).map_or(0, |entries| entries.count());
        if count < FULL || Repo::open(&self.git_dir)?.text("gc.auto").as_deref() == Some("0") {
            return Ok(());
        }
        Git::at(&self.common_dir).run(&["maintenance", "run", "--task=loose-objects", "--quiet"]).map(drop)
    }
}
