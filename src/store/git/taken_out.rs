//! Versions of files that git itself has taken out of HEAD since the last verb: by a revert, by a merge that brought
//! one, or by setting the branch back.
//!
//! What a verb writes it can answer for; what git takes back takes the log's record along, so only the commits still
//! tell that it was ever there, and of a branch that was set back its reflog.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use gix::ObjectId;

use super::disk::{self, OrIo as _};
use super::history::Reader;
use super::{Home, refs, tree};
use crate::domain::fault::Result;

/// Among how many commits since the last verb they are looked for. In the home in the tree most are the person's own.
const MOST_COMMITS: usize = 512;

/// How much of the end of a reflog is read: some hundred movements.
const END_OF_LOG: u64 = 64 << 10;

/// A version of a file that HEAD no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenOut {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    /// Its hash.
    pub(crate) blob: String,
    /// The commit that took it out, or the one that the branch was at before it was set back.
    pub(crate) commit: String,
}

impl Home {
    /// The versions that commits of no verb have replaced or removed, since the last commit of a verb. Costs the reading
    /// of one commit, and of the end of the reflog, where that is HEAD.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn taken_out_by_git(&self, is_verb: impl Fn(&str) -> bool) -> Result<Vec<TakenOut>> {
        let mut reader = Reader::new(self.repo()?);
        let mut found = Vec::new();
        let tip = refs::tip(&self.git_dir, &self.common_dir)?;
        let Some(head) = tip.id else { return Ok(found) };
        let branch = tip.branch.iter().map(|branch| self.common_dir.join("logs").join(branch));
        for log in branch {
            passed_over(&mut reader, &log, &is_verb, &mut found)?;
        }
        let (mut waiting, mut seen) = (vec![head], BTreeSet::from([head]));
        while let Some(id) = waiting.pop().filter(|_| seen.len() < MOST_COMMITS) {
            let commit = reader.commit(id)?;
            if is_verb(&commit.message) && commit.parents.len() < 2 {
                continue;
            }
            let after = reader.queue(id)?;
            for parent in &commit.parents {
                if !reader.repo.holds(*parent) {
                    continue;
                }
                let before = reader.queue(*parent)?;
                compare(&reader, before, after, id, &mut found)?;
                if seen.insert(*parent) {
                    waiting.push(*parent);
                }
            }
        }
        Ok(found)
    }
}

/// What the branch had before it was set back, since a verb last moved it on.
fn passed_over(
    reader: &mut Reader,
    log: &Path,
    is_verb: impl Fn(&str) -> bool,
    found: &mut Vec<TakenOut>,
) -> Result<()> {
    for (from, to) in recent_movements(log)?.into_iter().rev().take(MOST_COMMITS) {
        // What is gone altogether, git has cleared away.
        if !reader.repo.holds(from) || !reader.repo.holds(to) {
            continue;
        }
        let commit = reader.commit(to)?;
        if commit.parents == [from] {
            if is_verb(&commit.message) {
                break;
            }
            // It is read as a commit.
            continue;
        }
        let (before, after) = (reader.queue(from)?, reader.queue(to)?);
        compare(reader, before, after, from, found)?;
    }
    Ok(())
}

fn compare(
    reader: &Reader,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    commit: ObjectId,
    found: &mut Vec<TakenOut>,
) -> Result<()> {
    tree::compare(&reader.repo, before, after, "", &mut |path, old, _| {
        let old = old.map(|leaf| leaf.id.to_string());
        found.extend(old.map(|blob| TakenOut { path, blob, commit: commit.to_string() }));
    })
}

/// From where to where a ref was moved last, oldest first, by the end of its reflog.
pub(super) fn recent_movements(log: &Path) -> Result<Vec<(ObjectId, ObjectId)>> {
    end_of(log).map(|end| movements(&end))
}

/// From where to where a ref was moved, by its reflog; the beginning and the end of it are no movement.
fn movements(log: &[u8]) -> Vec<(ObjectId, ObjectId)> {
    let mut all = Vec::new();
    for line in log.split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ');
        let mut id = || ObjectId::from_hex(words.next()?).ok().filter(|id| !id.is_null());
        all.extend(id().zip(id()));
    }
    all
}

/// The end of a reflog; empty if there is none. A line that is not there from its beginning is none.
pub(super) fn end_of(log: &Path) -> Result<Vec<u8>> {
    let mut end = Vec::new();
    let Some(mut file) = disk::open(log)? else { return Ok(end) };
    let length = disk::length(&file, log)?;
    let skipped = length.saturating_sub(END_OF_LOG);
    file.seek(SeekFrom::Start(skipped)).or_io("read", log)?;
    file.take(END_OF_LOG).read_to_end(&mut end).or_io("read", log)?;
    if skipped > 0 {
        let first = end.iter().position(|byte| *byte == b'\n').unwrap_or(end.len());
        end.drain(..first);
    }
    Ok(end)
}
