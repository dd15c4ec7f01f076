//! Versions of files that git itself has taken out of HEAD since the last verb: by a revert, or by a merge that brought
//! one.
//!
//! What a verb writes it can answer for; what git takes back takes the log's record along, so only the commits still
//! tell that it was ever there.

use std::collections::BTreeSet;

use super::Home;
use super::history::Reader;
use super::tree;
use crate::domain::fault::Result;

/// Among how many commits since the last verb they are looked for. In the home in the tree most are the person's own.
const MOST_COMMITS: usize = 512;

/// A version of a file that HEAD no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenOut {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    /// Its hash.
    pub(crate) blob: String,
    /// The commit that took it out.
    pub(crate) commit: String,
}

impl Home {
    /// The versions that commits of no verb have replaced or removed, since the last commit of a verb. Costs the reading
    /// of one commit where that is HEAD.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn taken_out_by_git(&self, is_verb: impl Fn(&str) -> bool) -> Result<Vec<TakenOut>> {
        let mut reader = Reader::new(self.repo()?);
        let mut found = Vec::new();
        let Some(head) = super::refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(found) };
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
                tree::compare(&reader.repo, before, after, "", &mut |path, old, _| {
                    let old = old.map(|leaf| leaf.id.to_string());
                    found.extend(old.map(|blob| TakenOut { path, blob, commit: id.to_string() }));
                })?;
                if seen.insert(*parent) {
                    waiting.push(*parent);
                }
            }
        }
        Ok(found)
    }
}
