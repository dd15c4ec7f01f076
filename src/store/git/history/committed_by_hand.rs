//! What commits that are no verb's have changed in the queue: a person's own, and those that a pull has brought.
//!
//! The record of the last commit of a verb names the tree that it left. Where HEAD has that tree nothing has come in
//! between; where it has another, the two are compared, whichever commits led from one to the other: a rebase puts verbs'
//! commits on top of a person's. Without the record, as in a new clone, the commits since the last one of a verb are
//! looked through.

use std::collections::BTreeMap;

use gix::ObjectId;

use super::{Reader, Since};
use crate::domain::fault::Result;
use crate::store::git::Home;
use crate::store::git::objects::tree;

/// Among how many commits since the last verb they are looked for. In the home in the tree most are the person's own.
const MOST_COMMITS: usize = 512;

/// Paths below `.swift/`, each with the blob that it had before, if it was there.
pub(crate) type Moved = BTreeMap<String, Option<String>>;

impl Home {
    /// The files that commits have changed, made or removed since a verb has last committed here; what verbs of other
    /// clones have done is among them. Costs one small file where nothing has.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn committed_since(&self, is_verb: impl Fn(&str) -> bool) -> Result<Moved> {
        let repo = self.repo()?;
        let mut moved = Moved::new();
        let Some(head) = crate::store::git::repo::refs::tip(&self.git_dir, &self.common_dir)?.id else {
            return Ok(moved);
        };
        let now = self.queue_tree(&repo, repo.commit(head)?.tree)?;
        let Some(known) = self.tree_of_last_verb(&repo) else { return self.looked_through(head, is_verb) };
        let compared = tree::compare(&repo, Some(known), now, "", &mut |path, before, _| {
            moved.insert(path, before.map(|leaf| leaf.id.to_string()));
        });
        // A branch that was given up leaves trees behind, which git clears away one by one.
        compared.map(|()| moved).or_else(|_| self.looked_through(head, is_verb))
    }

    fn looked_through(&self, head: ObjectId, is_verb: impl Fn(&str) -> bool) -> Result<Moved> {
        let mut reader = Reader::new(self.repo()?);
        let mut moved = Moved::new();
        for Since { id, parents, here } in reader.since_verb(head, is_verb, MOST_COMMITS)? {
            // What came together in a merge is in the commits before it.
            let ([before], 1) = (&here[..], parents) else { continue };
            let (before, after) = (reader.queue(*before)?, reader.queue(id)?);
            tree::compare(&reader.repo, before, after, "", &mut |path, before, _| {
                moved.insert(path, before.map(|leaf| leaf.id.to_string()));
            })?;
        }
        Ok(moved)
    }
}
