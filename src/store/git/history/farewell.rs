//! Commits with which a verb has taken the whole queue out of the tree, on purpose: what had been recorded until then
//! went along.
//!
//! Only what is in no commit beside or after them is gone through them: where the queue lives on elsewhere, or was brought
//! back, its files have to be there as ever.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use gix::ObjectId;

use super::reverted::{Graph, Node};
use crate::domain::fault::Result;
use crate::store::git::objects::tree;
use crate::store::git::repo::Repo;

/// What went with a queue that was taken out.
#[derive(Debug, Default)]
pub(crate) struct Farewells {
    /// The commits up to and with those that took it out.
    over: HashSet<String>,
    /// The files of one folder in all other commits.
    living: HashSet<String>,
}

impl Farewells {
    /// Whether a file that a commit has written is away because the queue was taken out.
    pub(crate) fn took(&self, commit: &str, path: &str) -> bool {
        self.over.contains(commit) && !self.living.contains(path)
    }
}

impl Graph {
    /// What went with queues that such commits took out, as far as it lay in one folder of theirs.
    ///
    /// # Errors
    /// Those of reading trees.
    pub(crate) fn farewells(&self, is_farewell: impl Fn(&str) -> bool, folder: &str) -> Result<Farewells> {
        let ends: Vec<&Node> = self.nodes.iter().filter(|node| self.is_end(node, &is_farewell)).collect();
        if ends.is_empty() {
            return Ok(Farewells::default());
        }
        let over = self.ancestors(&self.with_those_after(ends));
        let mut living = Living { repo: Rc::clone(&self.repo), seen: HashSet::new(), paths: HashSet::new() };
        for queue in self.nodes.iter().filter(|node| !over.contains(&node.id)).filter_map(|node| node.queue) {
            if let Some(found) = tree::lookup(&self.repo, queue, folder)?.filter(tree::Line::is_folder) {
                living.take(found.id, folder)?;
            }
        }
        Ok(Farewells { over: over.iter().map(ToString::to_string).collect(), living: living.paths })
    }

    fn is_end(&self, node: &Node, is_farewell: impl Fn(&str) -> bool) -> bool {
        let had_it = |parent: &ObjectId| self.node(*parent).is_some_and(|parent| parent.queue.is_some());
        node.queue.is_none() && node.parents.iter().any(had_it) && is_farewell(&node.message)
    }

    /// The ends, and the commits without a queue that follow them: a merge takes it out of the other side, too.
    fn with_those_after(&self, ends: Vec<&Node>) -> Vec<ObjectId> {
        let mut children: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for node in self.nodes.iter().filter(|node| node.queue.is_none()) {
            node.parents.iter().for_each(|parent| children.entry(*parent).or_default().push(node.id));
        }
        let mut waiting: Vec<ObjectId> = ends.iter().map(|node| node.id).collect();
        let mut found = HashSet::new();
        while let Some(id) = waiting.pop() {
            if found.insert(id) {
                waiting.extend(children.get(&id).into_iter().flatten());
            }
        }
        found.into_iter().collect()
    }
}

/// The files of a folder in many versions, each tree read once.
struct Living {
    repo: Rc<Repo>,
    seen: HashSet<ObjectId>,
    paths: HashSet<String>,
}

impl Living {
    fn take(&mut self, folder: ObjectId, path: &str) -> Result<()> {
        if !self.seen.insert(folder) {
            return Ok(());
        }
        for line in self.repo.tree(folder)?.iter() {
            let path = format!("{path}/{}", String::from_utf8_lossy(&line.name));
            if line.is_folder() {
                self.take(line.id, &path)?;
            } else {
                self.paths.insert(path);
            }
        }
        Ok(())
    }
}
