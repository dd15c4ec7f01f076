//! Where a file that HEAD has comes from. Every clone that has the file has the commit that put it there, and a rebase or
//! a cherry-pick keeps when that was written: so it tells the same everywhere.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;

use super::Reader;
use crate::domain::fault::Result;
use crate::store::git::Home;
use crate::store::git::objects::tree;
use crate::store::git::repo::refs;

/// Among how many commits it is looked for.
const MOST_COMMITS: usize = 1 << 16;

/// How a file began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// When its author committed it, in seconds since 1970.
    pub(crate) seconds: i64,
    pub(crate) content: Vec<u8>,
}

/// The versions of one file.
struct Line<'p> {
    reader: Reader,
    path: &'p str,
    /// Whether a content is a version of it.
    known: HashMap<ObjectId, bool>,
}

impl Home {
    /// The first version of the file that HEAD has at a path, as far back as it lies there and is the same one; `None` if
    /// HEAD has none. Where several commits have put it there, the oldest counts.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn origin(&self, path: &str, is_same: impl Fn(&[u8]) -> bool) -> Result<Option<Origin>> {
        let Some(head) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(None) };
        let mut line = Line { reader: Reader::new(self.repo()?), path, known: HashMap::new() };
        let mut first: Option<(i64, ObjectId)> = None;
        let mut waiting: Vec<(ObjectId, ObjectId)> =
            line.version(head, &is_same)?.map(|blob| (head, blob)).into_iter().collect();
        let mut seen = HashSet::from([head]);
        while let Some((commit, blob)) = waiting.pop() {
            if seen.len() > MOST_COMMITS {
                return Ok(None);
            }
            let mut began_here = true;
            for parent in line.reader.commit(commit)?.parents.clone() {
                let before = match line.reader.repo.holds(parent) {
                    true => line.version(parent, &is_same)?,
                    false => None,
                };
                let Some(before) = before else { continue };
                began_here = false;
                if seen.insert(parent) {
                    waiting.push((parent, before));
                }
            }
            if began_here {
                let found = (line.reader.repo.authored(commit)?, blob);
                first = Some(first.map_or(found, |first| first.min(found)));
            }
        }
        let Some((seconds, blob)) = first else { return Ok(None) };
        Ok(Some(Origin { seconds, content: line.reader.repo.blob(blob)? }))
    }
}

impl Line<'_> {
    /// What a commit has at the path, if that is a version of the file.
    fn version(&mut self, commit: ObjectId, is_same: impl Fn(&[u8]) -> bool) -> Result<Option<ObjectId>> {
        let Some(top) = self.reader.queue(commit)? else { return Ok(None) };
        let found = tree::lookup(&self.reader.repo, top, self.path)?;
        let Some(blob) = found.filter(|line| !line.is_folder()).map(|line| line.id) else { return Ok(None) };
        let is_version = match self.known.get(&blob) {
            Some(known) => *known,
            None => is_same(&self.reader.repo.blob(blob)?),
        };
        self.known.insert(blob, is_version);
        Ok(is_version.then_some(blob))
    }
}
