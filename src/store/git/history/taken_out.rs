//! Versions of files that git itself has taken out of HEAD since the last verb: by a revert, by a merge that brought
//! one, or by setting the branch back.
//!
//! What a verb writes it can answer for; what git takes back takes the log's record along, so only the commits still
//! tell that it was ever there, and of a branch that was set back its reflog.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use gix::ObjectId;

use super::Reader;
use crate::domain::fault::Result;
use crate::store::git::Home;
use crate::store::git::objects::tree;
use crate::store::git::repo::{backwards, refs};

/// Among how many commits since the last verb they are looked for. In the home in the tree most are the person's own.
const MOST_COMMITS: usize = 512;

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
    let mut left = MOST_COMMITS;
    let mut step = |line: &[u8]| -> Result<ControlFlow<()>> {
        let Some((from, to)) = backwards::movement(line) else { return Ok(ControlFlow::Continue(())) };
        if left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        left -= 1;
        // What is gone altogether, git has cleared away.
        if !reader.repo.holds(from) || !reader.repo.holds(to) {
            return Ok(ControlFlow::Continue(()));
        }
        let commit = reader.commit(to)?;
        if commit.parents == [from] {
            // It is read as a commit.
            let is_verb = is_verb(&commit.message);
            return Ok(if is_verb { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        }
        let (before, after) = (reader.queue(from)?, reader.queue(to)?);
        compare(reader, before, after, from, found)?;
        Ok(ControlFlow::Continue(()))
    };
    let ended = backwards::find(log, |line| match step(line) {
        Ok(flow) => flow.map_break(Ok),
        Err(fault) => ControlFlow::Break(Err(fault)),
    })?;
    ended.unwrap_or(Ok(()))
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
