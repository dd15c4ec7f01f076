//! An index that git has written back as it was before a commit of ours, in the in-tree home only.
//!
//! `git stash` and its kin read the index, then wait for its lock, and do not look whether HEAD has moved meanwhile. What they
//! write has our files as they were before: staged, beside what the person sees. Nobody has staged that, and the next
//! `git commit` would take our commit back.
//!
//! It is told from what a person stages by the times and the file that an entry names: each commit remembers those of the
//! entries that it replaces, and they are of files that are gone. Whoever takes a version out of a commit gets an entry
//! without any, and whoever adds a file one of the file that is there. So such an entry can only have come back. An index
//! that has one is older than the commit that replaced it, and has nothing yet of what that and later ones have added.

use std::collections::BTreeMap;

use super::arrival::Arrival;
use super::blob_id;
use crate::domain::fault::Result;
use crate::store::git::disk::folder::Folder;
use crate::store::git::index::file::{Entries, Mark};
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::Repo;
use crate::store::git::{Home, HomeKind, disk};

/// What a commit of ours has replaced in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replaced {
    /// That of the commit; a later one has a higher one.
    pub(super) number: u64,
    /// Relative to `.swift/`.
    pub(super) path: String,
    /// The entry that was there; `None` if there was none.
    pub(super) mark: Option<Mark>,
}

impl Home {
    /// The files of a commit, and with them those whose entries have come back, as HEAD and the disk have them; `None` if
    /// there are none.
    pub(super) fn stale(
        &self,
        repo: &Repo,
        folder: &Folder,
        arrival: &Arrival<'_>,
    ) -> Result<Option<BTreeMap<String, Option<Leaf>>>> {
        if self.kind == HomeKind::Branch {
            return Ok(None);
        }
        let Some(record) = self.recent()?.filter(|record| record.branch == arrival.tip.branch) else {
            return Ok(None);
        };
        let Some(index) = disk::open(&self.index_path())? else { return Ok(None) };
        // What it is, git says itself.
        let Ok(entries) = Entries::all(&index, repo.hash.len_in_bytes()) else { return Ok(None) };
        let mark_of = |path: &str| entries.find(self.in_tree(path).as_bytes()).map(|entry| entry.mark());
        let has_come_back = |old: &&Replaced| {
            old.mark.as_ref().is_some_and(Mark::names_a_file) && mark_of(&old.path) == old.mark
        };
        let Some(since) = record.replaced.iter().find(has_come_back).map(|old| old.number) else {
            return Ok(None);
        };
        let mut leaves = arrival.leaves.clone();
        for old in record.replaced.iter().filter(|old| old.number >= since && mark_of(&old.path) == old.mark)
        {
            let Some((_, wanted)) = record.paths.iter().find(|(path, _)| *path == old.path) else { continue };
            let line = tree::lookup(repo, arrival.commit.tree, &self.in_tree(&old.path))?;
            let leaf = line.filter(tree::Line::is_file).map(|line| Leaf { mode: line.mode, id: line.id });
            let here = folder.read(&old.path)?.map(|content| blob_id(repo, &content)).transpose()?;
            let is_ours = leaf.map(|leaf| leaf.id.to_string()) == *wanted;
            if is_ours && here == leaf.map(|leaf| leaf.id) {
                leaves.entry(old.path.clone()).or_insert(leaf);
            }
        }
        Ok(Some(leaves))
    }
}
