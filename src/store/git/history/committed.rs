//! Folders of the queue as a commit has them, whichever commit that is.
//!
//! A reader of the log keeps the name of a commit instead of a list of everything that it has read: what a commit
//! holds can be asked for again at any time.

use std::collections::{BTreeMap, HashSet};

use gix::ObjectId;

use super::Reader;
use crate::domain::fault::Result;
use crate::store::git::objects::tree::{self, Line};
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Entry, Home, HomeKind};

/// So much of a commit's hash names it in a cursor.
const SHORT_HASH: usize = 8;

/// A file's content in history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blob(ObjectId);

/// A commit of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit(ObjectId);

impl Blob {
    pub(in crate::store::git) fn of(id: ObjectId) -> Blob {
        Blob(id)
    }

    pub(in crate::store::git) fn is(self, id: ObjectId) -> bool {
        self.0 == id
    }
}

impl Commit {
    pub(in crate::store::git) fn of(id: ObjectId) -> Commit {
        Commit(id)
    }

    /// The beginning of its hash, by which [`Committed::named`] finds it again.
    pub(crate) fn short(&self) -> [u8; SHORT_HASH] {
        let mut short = [0; SHORT_HASH];
        short.copy_from_slice(&self.0.as_slice()[..SHORT_HASH]);
        short
    }
}

/// A file in two commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) before: Option<Blob>,
    pub(crate) after: Option<Blob>,
}

/// The commits of a queue's repository, opened for reading files of several.
pub(crate) struct Committed {
    reader: Reader,
    head: Option<ObjectId>,
}

impl Home {
    /// What was committed, as of now.
    ///
    /// # Errors
    /// Those of opening the repository and reading its HEAD.
    pub(crate) fn committed(&self) -> Result<Committed> {
        Ok(Committed { reader: Reader::new(self.repo()?), head: self.tip()?.id })
    }

    /// The newest commits of this repository's other branches, those that were fetched or pushed among them, with their
    /// short names. Each may have a queue in its tree; a queue with a branch of its own is the same whatever is checked
    /// out, so there are none then.
    ///
    /// # Errors
    /// Those of reading HEAD and the branches.
    pub(crate) fn other_branches(&self) -> Result<Vec<(String, Commit)>> {
        if self.kind == HomeKind::Branch {
            return Ok(Vec::new());
        }
        let mut others = Vec::new();
        let mut seen: HashSet<ObjectId> = self.tip()?.id.into_iter().collect();
        for below in ["refs/heads/", "refs/remotes/"] {
            for name in refs::names_below(&self.common_dir, below)? {
                let id = refs::resolve(&self.common_dir, &format!("{below}{name}"))?;
                others.extend(id.filter(|id| seen.insert(*id)).map(|id| (name, Commit(id))));
            }
        }
        Ok(others)
    }
}

impl Committed {
    /// The newest commit; `None` before the first.
    pub(crate) fn head(&self) -> Option<Commit> {
        self.head.map(Commit)
    }

    /// The commit whose hash begins so; `None` if it is not there, or not there any more.
    pub(crate) fn named(&self, short: &[u8; SHORT_HASH]) -> Option<Commit> {
        self.reader.repo.completed(short).map(Commit)
    }

    /// A commit of the queue's history.
    ///
    /// # Errors
    /// A name that is none.
    pub(crate) fn commit(&self, entry: &Entry) -> Result<Commit> {
        self.reader.repo.id(&entry.id).map(Commit)
    }

    /// The files below one of the queue's folders; paths are relative to `.swift/`.
    ///
    /// # Errors
    /// Those of reading the commit and its trees.
    pub(crate) fn files(&mut self, commit: Commit, folder: &str) -> Result<BTreeMap<String, Blob>> {
        let changes = self.changes(None, commit, folder)?;
        Ok(changes.into_iter().filter_map(|(path, change)| Some((path, change.after?))).collect())
    }

    /// The files below a folder that are not the same in two commits, or all of the second one's if there is no first.
    /// A file whose name is not UTF-8 is none of ours and is passed over.
    ///
    /// # Errors
    /// Those of reading the commits and their trees.
    pub(crate) fn changes(
        &mut self,
        before: Option<Commit>,
        after: Commit,
        folder: &str,
    ) -> Result<BTreeMap<String, Change>> {
        let old = before.map(|commit| self.folder(commit, folder)).transpose()?.flatten();
        let new = self.folder(after, folder)?;
        let mut changes = BTreeMap::new();
        compare(&self.reader.repo, [old, new], folder, &mut changes)?;
        Ok(changes)
    }

    /// The file at a path; `None` if the commit has none there.
    ///
    /// # Errors
    /// As [`Committed::files`].
    pub(crate) fn file(&mut self, commit: Commit, path: &str) -> Result<Option<Blob>> {
        let Some(top) = self.reader.queue(commit.0)? else { return Ok(None) };
        let line = tree::lookup(&self.reader.repo, top, path)?;
        Ok(line.filter(|line| !line.is_folder()).map(|line| Blob(line.id)))
    }

    /// The paths of files directly in a folder whose names begin so.
    ///
    /// # Errors
    /// As [`Committed::files`].
    pub(crate) fn beginning(&mut self, commit: Commit, folder: &str, prefix: &str) -> Result<Vec<String>> {
        let Some(id) = self.folder(commit, folder)? else { return Ok(Vec::new()) };
        let lines = self.reader.repo.tree(id)?;
        let names = lines
            .iter()
            .filter(|line| !line.is_folder())
            .filter_map(|line| std::str::from_utf8(&line.name).ok());
        Ok(names.filter(|name| name.starts_with(prefix)).map(|name| format!("{folder}/{name}")).collect())
    }

    fn folder(&mut self, commit: Commit, folder: &str) -> Result<Option<ObjectId>> {
        let Some(top) = self.reader.queue(commit.0)? else { return Ok(None) };
        let line = tree::lookup(&self.reader.repo, top, folder)?;
        Ok(line.filter(Line::is_folder).map(|line| line.id))
    }

    /// How many bytes a file has; `None` if the object is not there.
    pub(crate) fn size(&self, blob: Blob) -> Option<u64> {
        self.reader.repo.size(blob.0)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`crate::domain::fault::Code::Git`] if the object is missing or damaged.
    pub(crate) fn read(&self, blob: Blob) -> Result<Vec<u8>> {
        self.reader.repo.blob(blob.0)
    }
}

/// Trees before and after; those that are the same are not read.
fn compare(
    repo: &Repo,
    trees: [Option<ObjectId>; 2],
    prefix: &str,
    into: &mut BTreeMap<String, Change>,
) -> Result<()> {
    let mut pairs: BTreeMap<Vec<u8>, [Option<Line>; 2]> = BTreeMap::new();
    for (side, id) in trees.into_iter().enumerate() {
        for line in id.map(|id| repo.tree(id)).transpose()?.unwrap_or_default().iter() {
            pairs.entry(line.name.clone()).or_default()[side] = Some(line.clone());
        }
    }
    for (name, pair) in pairs {
        let Ok(name) = std::str::from_utf8(&name) else { continue };
        if pair[0] == pair[1] {
            continue;
        }
        let path = format!("{prefix}/{name}");
        let [before, after] = pair
            .each_ref()
            .map(|line| line.as_ref().filter(|line| !line.is_folder()).map(|line| Blob(line.id)));
        if before != after {
            into.insert(path.clone(), Change { before, after });
        }
        let folders = pair.map(|line| line.filter(Line::is_folder).map(|line| line.id));
        if folders[0] != folders[1] {
            compare(repo, folders, &path, into)?;
        }
    }
    Ok(())
}
