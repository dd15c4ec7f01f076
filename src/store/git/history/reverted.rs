//! Which commits a person has taken back with git: what they recorded is away on purpose.
//!
//! git says it in the message, for a merge with the side that stays. Whoever writes a message of their own leaves the
//! queue as an earlier commit had it; then all that lies between is taken back.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use gix::ObjectId;

use super::Reader;
use crate::domain::fault::Result;
use crate::store::git::Home;
use crate::store::git::repo::Repo;

/// How git begins to say which commit it takes back, and against which side of a merge.
const REVERTS: &str = "This reverts commit ";
const REVERSING: &str = ", reversing changes made to ";

/// The shortest beginning of a hash that counts as the commit's name.
const SHORTEST: usize = 7;

/// A commit as far as it matters here.
pub(super) struct Node {
    pub(super) id: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) queue: Option<ObjectId>,
    pub(super) message: String,
}

/// All commits that can be reached from HEAD.
pub(crate) struct Graph {
    pub(super) repo: Rc<Repo>,
    pub(super) nodes: Vec<Node>,
    places: HashMap<ObjectId, usize>,
}

impl Home {
    /// All commits of the branch that the queue is on.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn graph(&self) -> Result<Graph> {
        let mut reader = Reader::new(self.repo()?);
        let repo = Rc::clone(&reader.repo);
        let mut graph = Graph { repo, nodes: Vec::new(), places: HashMap::new() };
        let mut waiting: Vec<ObjectId> = self.tip()?.id.into_iter().collect();
        while let Some(id) = waiting.pop() {
            // The end of a shallow clone: the parent is named and not there.
            if graph.places.contains_key(&id) || !reader.repo.holds(id) {
                continue;
            }
            let queue = reader.queue(id)?;
            let data = reader.repo.commit(id)?;
            waiting.extend(&data.parents);
            graph.places.insert(id, graph.nodes.len());
            graph.nodes.push(Node { id, parents: data.parents, queue, message: data.message });
        }
        Ok(graph)
    }
}

impl Graph {
    /// The commits that were taken back by others that are no verb's.
    pub(crate) fn taken_back(&self, is_verb: impl Fn(&str) -> bool) -> HashSet<String> {
        let mut taken = HashSet::new();
        for node in self.nodes.iter().filter(|node| !is_verb(&node.message)) {
            taken.extend(self.named(&node.message));
            taken.extend(self.passed_over(node));
        }
        taken.into_iter().map(|id: ObjectId| id.to_string()).collect()
    }

    pub(super) fn node(&self, id: ObjectId) -> Option<&Node> {
        self.places.get(&id).map(|&place| &self.nodes[place])
    }

    /// What a message of `git revert` names.
    fn named(&self, message: &str) -> HashSet<ObjectId> {
        let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut taken = HashSet::new();
        for said in words.split(REVERTS).skip(1) {
            let Some(commit) = self.at(said) else { continue };
            let against = said.split_once(REVERSING).filter(|(before, _)| !before.contains(' '));
            match against.and_then(|(_, side)| self.at(side)) {
                Some(side) => taken.extend(self.between(&[commit], side)),
                None => _ = taken.insert(commit),
            }
        }
        taken
    }

    /// The commit that a text begins with the name of.
    fn at(&self, text: &str) -> Option<ObjectId> {
        let hash: String = text.chars().take_while(char::is_ascii_hexdigit).collect();
        let mut all = self.nodes.iter().filter(|node| node.id.to_string().starts_with(&hash));
        let found = all.next().filter(|_| hash.len() >= SHORTEST)?;
        all.next().is_none().then_some(found.id)
    }

    /// What lies between a commit and the earlier one whose queue it has brought back as a whole.
    fn passed_over(&self, node: &Node) -> HashSet<ObjectId> {
        let is_change =
            |parent: &ObjectId| self.node(*parent).is_some_and(|parent| parent.queue != node.queue);
        if node.queue.is_none() || node.parents.is_empty() || !node.parents.iter().all(is_change) {
            return HashSet::new();
        }
        let same = self.nodes.iter().filter(|other| other.queue == node.queue && other.id != node.id);
        let same: Vec<ObjectId> = same.map(|other| other.id).collect();
        if same.is_empty() {
            return HashSet::new();
        }
        let before = self.ancestors(&node.parents);
        // The nearest is the one with most behind it.
        let earlier = same.into_iter().filter(|id| before.contains(id));
        let nearest = earlier.max_by_key(|id| self.ancestors(&[*id]).len());
        nearest.map(|id| self.between(&node.parents, id)).unwrap_or_default()
    }

    fn between(&self, from: &[ObjectId], to: ObjectId) -> HashSet<ObjectId> {
        let behind = self.ancestors(&[to]);
        self.ancestors(from).into_iter().filter(|id| !behind.contains(id)).collect()
    }

    /// These commits and all before them.
    pub(super) fn ancestors(&self, of: &[ObjectId]) -> HashSet<ObjectId> {
        let mut found = HashSet::new();
        let mut waiting = of.to_vec();
        while let Some(id) = waiting.pop() {
            if let Some(node) = self.node(id)
                && found.insert(id)
            {
                waiting.extend(&node.parents);
            }
        }
        found
    }
}
