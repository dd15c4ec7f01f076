//! What one commit will contain: the changes asked for, the debts of earlier verbs, and what has to be healed.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Kind;

use super::pending::Planned;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::path;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::objects::{self, Batch};
use crate::store::git::repo::Repo;
use crate::store::git::waiting::debt;
use crate::store::git::{Change, Expect, Home};

/// The files of a commit to be, with their objects.
pub(super) struct Plan<'a> {
    /// Changes whose bytes still have to be written to the folder.
    pub(super) writes: Vec<&'a Change>,
    /// Paths that are on the disk as they are to be committed.
    pub(super) kept: Vec<String>,
    pub(super) leaves: BTreeMap<String, Option<Leaf>>,
    pub(super) batch: Batch,
    /// The tree of the whole commit.
    pub(super) tree: ObjectId,
    base: Option<ObjectId>,
}

impl<'a> Plan<'a> {
    /// Work out the trees on top of `base`; `joined` is what a merge brings in.
    pub(super) fn new(
        home: &Home,
        repo: &Repo,
        folder: &Folder,
        base: Option<ObjectId>,
        changes: &'a [Change],
        joined: &BTreeMap<String, Option<Leaf>>,
    ) -> Result<Plan<'a>> {
        let mut plan = Plan {
            writes: Vec::new(),
            kept: Vec::new(),
            leaves: BTreeMap::new(),
            batch: Batch::new(repo.hash),
            tree: ObjectId::empty_tree(repo.hash),
            base,
        };
        for change in changes {
            plan.add(repo, folder, change)?;
        }
        let waiting = home.debt_set()?.into_iter().chain(home.reverted(repo, folder, base)?);
        for path in waiting {
            if !plan.leaves.contains_key(&path) && path::check(&path).is_ok() {
                plan.add_kept(repo, folder, path)?;
            }
        }
        let below: BTreeMap<String, Option<Leaf>> =
            joined.iter().chain(&plan.leaves).map(|(path, leaf)| (home.in_tree(path), *leaf)).collect();
        plan.tree = match tree::edit(repo, base, &below, &mut plan.batch)? {
            Some(tree) => tree,
            None => plan.batch.add(Kind::Tree, Vec::new())?,
        };
        Ok(plan)
    }

    /// Whether HEAD has all of it already.
    pub(super) fn is_committed(&self, repo: &Repo) -> bool {
        self.tree == self.base.unwrap_or_else(|| ObjectId::empty_tree(repo.hash))
    }

    /// The files with the blobs that they have on the disk before the commit: what a change was computed from, which a
    /// person or a merge may have put there, and otherwise what HEAD has.
    pub(super) fn planned(&self, home: &Home, repo: &Repo) -> Result<Vec<Planned>> {
        let found: BTreeMap<&str, &Expect> =
            self.writes.iter().map(|change| (change.path.as_str(), &change.expect)).collect();
        let mut files = Vec::with_capacity(self.leaves.len());
        for (path, new) in &self.leaves {
            let old = match found.get(path.as_str()) {
                Some(Expect::Bytes(bytes)) => Some(objects::hash(repo.hash, Kind::Blob, bytes)?),
                Some(Expect::Absent) => None,
                Some(Expect::Any) | None => self.committed(home, repo, path)?,
            };
            files.push(Planned { path: path.clone(), old, new: *new });
        }
        Ok(files)
    }

    fn committed(&self, home: &Home, repo: &Repo, path: &str) -> Result<Option<ObjectId>> {
        let line = self.base.map(|base| tree::lookup(repo, base, &home.in_tree(path))).transpose()?.flatten();
        Ok(line.filter(|line| !line.is_folder()).map(|line| line.id))
    }

    fn add(&mut self, repo: &Repo, folder: &Folder, change: &'a Change) -> Result<()> {
        if self.leaves.contains_key(&change.path) {
            return Err(Fault::new(
                Code::Internal,
                format!("`{}` is changed twice in one commit", change.path),
            ));
        }
        if is_on_disk(folder, change)? {
            return self.add_kept(repo, folder, change.path.clone());
        }
        let leaf = match &change.content {
            Some(content) => {
                Some(Leaf { mode: tree::FILE, id: self.batch.add(Kind::Blob, content.clone())? })
            }
            None => None,
        };
        self.leaves.insert(change.path.clone(), leaf);
        self.writes.push(change);
        Ok(())
    }

    fn add_kept(&mut self, repo: &Repo, folder: &Folder, path: String) -> Result<()> {
        let leaf = match folder.read(&path)? {
            Some(content) => {
                let mode = folder.stat(&path)?.map_or(0, |stat| stat.st_mode);
                let program = mode & 0o100 != 0 && repo.flag("core.fileMode") != Some(false);
                let id = self.batch.add(Kind::Blob, content)?;
                Some(Leaf { mode: if program { tree::PROGRAM } else { tree::FILE }, id })
            }
            None => None,
        };
        self.leaves.insert(path.clone(), leaf);
        self.kept.push(path);
        Ok(())
    }
}

/// Whether a change only asks to commit what a person has put on the disk; such a file is not written again, so
/// that an editor that has it open sees nothing.
fn is_on_disk(folder: &Folder, change: &Change) -> Result<bool> {
    let Expect::Bytes(expected) = &change.expect else {
        return Ok(change.content.is_none() && folder.stat(&change.path)?.is_none());
    };
    if change.content.as_ref() != Some(expected) {
        return Ok(false);
    }
    if folder.read(&change.path)?.as_ref() == Some(expected) {
        Ok(true)
    } else {
        Err(debt::differs(&change.path))
    }
}
