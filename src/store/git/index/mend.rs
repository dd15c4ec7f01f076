//! Making the index of the queue's own worktree anew when it is damaged.
//!
//! git does not flush an index, so a power cut can leave one that is empty or torn, and then neither git nor a verb can
//! commit any more. It is only a cache of HEAD and of the files. What may not be in them is what a person has staged by hand
//! and changed since: so a torn one is kept beside the records, and `doctor` names it. That of the person's checkout is
//! theirs, and is not touched.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;

use super::file::{Entries, Stream, Trouble};
use super::sweep::Version;
use crate::domain::fault::Result;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::objects::tree::Leaf;
use crate::store::git::repo::external::Git;
use crate::store::git::{Home, HomeKind};

impl Home {
    /// A file that is as HEAD has it, and that git's index has otherwise: somebody has staged that, or the index is an old one.
    /// Nothing is told in the middle of an operation of git's, or of an index that we cannot read.
    ///
    /// # Errors
    /// Those of reading HEAD and the index.
    pub(crate) fn staged_otherwise(&self) -> Result<Option<String>> {
        let (repo, tip) = (self.repo()?, self.tip()?);
        let Some(index) = disk::open(&self.index_path())? else { return Ok(None) };
        let Ok(entries) = Entries::all(&index, repo.hash.len_in_bytes()) else { return Ok(None) };
        if tip.id.is_none() || self.operation().is_some() {
            return Ok(None);
        }
        let committed = self.committed_files(&repo)?;
        let differs = |(path, leaf): &(&String, &Leaf)| {
            let entry = entries.find(self.in_tree(path).as_bytes());
            entry.is_none_or(|entry| entry.id() != leaf.id.as_slice())
        };
        let folder = Folder::open(&self.root)?;
        let is_as_committed = |(path, leaf): &(&String, &Leaf)| {
            folder.id(&repo, path, Some(leaf.id)).is_ok_and(|found| found == Some(leaf.id))
        };
        let mut found =
            committed.iter().filter(differs).filter(is_as_committed).map(|(path, _)| path).peekable();
        if found.peek().is_none() {
            return Ok(None);
        }
        // An index may be split, or be told to leave files alone: then it says less here than it does to git.
        let below = if self.kind == HomeKind::Tree { FOLDER } else { "." };
        let told = Git::at(&self.checkout).run(&[
            "diff-index",
            "--cached",
            "--name-only",
            "--no-renames",
            "-z",
            "HEAD",
            "--",
            below,
        ])?;
        let told: HashSet<&[u8]> = told.split(|byte| *byte == 0).collect();
        Ok(found.find(|path| told.contains(self.in_tree(path).as_bytes())).cloned())
    }

    /// Make the index of HEAD's files anew if what is there cannot be read. The lock is held.
    pub(in crate::store::git) fn mend_index(&self) -> Result<()> {
        let Some(path) = self.torn_index()? else { return Ok(()) };
        if std::fs::metadata(&path).or_io("inspect", &path)?.len() == 0 {
            disk::remove(&path)?;
        } else {
            self.make_records(self.repo()?.sharing()?)?;
            std::fs::rename(&path, self.aside()).or_io("move", &path)?;
        }
        self.index_of_head()
    }

    /// The index of the queue's own worktree, if not all of it is there. In the middle of a merge it is more than a cache.
    ///
    /// # Errors
    /// Those of opening it.
    pub(crate) fn torn_index(&self) -> Result<Option<PathBuf>> {
        if self.kind == HomeKind::Tree || self.is_joining() {
            return Ok(None);
        }
        let path = self.index_path();
        let Some(index) = disk::open(&path)? else { return Ok(None) };
        Ok(self.is_torn(&index)?.then_some(path))
    }

    /// The index, if there is none although something is committed.
    ///
    /// # Errors
    /// Those of reading HEAD.
    pub(crate) fn missing_index(&self) -> Result<Option<PathBuf>> {
        let path = self.index_path();
        Ok((!path.exists() && self.tip()?.id.is_some()).then_some(path))
    }

    /// What was put aside because it could not be read.
    pub(crate) fn index_aside(&self) -> Option<PathBuf> {
        Some(self.aside()).filter(|path| path.symlink_metadata().is_ok())
    }

    fn aside(&self) -> PathBuf {
        self.records().join("torn-index")
    }

    /// Whether not all of an index is there. One that we have written, and nobody since, is looked at in its beginning
    /// only.
    fn is_torn(&self, index: &File) -> Result<bool> {
        let read = Stream::open(index, self.repo()?.hash.len_in_bytes()).and_then(|mut entries| {
            if Version::of(index).is_some_and(|version| self.is_as_written(&version)) {
                return Ok(());
            }
            while entries.next()?.is_some() {}
            entries.tail()?.extensions().map(drop)
        });
        Ok(matches!(read, Err(Trouble::Damaged)))
    }
}
