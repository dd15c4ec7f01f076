//! The posts of a round: every queue that may send or receive, opened.

use std::collections::BTreeMap;

use super::attempts;
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectName;
use crate::domain::task::{Folder, Task};
use crate::ops::abreast::abreast;
use crate::store::queue::{Listing, Queue};
use crate::store::registry::{self, Registry};

/// A queue that takes part in the round.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) queue: Queue,
}

/// All posts, and what could not be opened.
#[derive(Debug)]
pub(crate) struct Posts {
    pub(crate) all: Vec<Post>,
    pub(crate) registry: Registry,
    /// The orchestrator's own id and other names.
    pub(crate) own: Vec<ProjectName>,
    pub(crate) problems: Vec<Problem>,
    /// Rounds in vain, by project and path of the task.
    pub(crate) attempts: BTreeMap<String, u32>,
}

/// Where a task is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// The index of a post.
    Post(usize),
    /// A registered project that cannot be reached now.
    Unreachable,
    Unknown,
}

/// Open the orchestrator's own queue and those of all registered projects.
///
/// # Errors
/// Those of reading the registry.
pub(crate) fn open_all(orchestrator: &Queue) -> Result<Posts> {
    let registry = Registry::read(orchestrator)?;
    let mut problems = registry.problems.clone();
    let own = Queue::of(orchestrator.home.clone())?;
    let mut names: Vec<ProjectName> = vec![(&own.settings.id).into()];
    names.extend(own.settings.aliases.iter().cloned());
    let mut all = vec![Post { id: own.settings.id.to_string(), queue: own }];
    for project in &registry.projects {
        match registry::reach(project) {
            Ok(queue) if all.iter().any(|post| post.queue.home.root == queue.home.root) => {}
            Ok(queue) => all.push(Post { id: project.entry.id.to_string(), queue }),
            Err(fault) => problems.push(Problem::at("", fault).of(project.entry.id.as_str())),
        }
    }
    let attempts = attempts::read(&orchestrator.local);
    Ok(Posts { all, registry, own: names, problems, attempts })
}

impl Posts {
    /// What every post has in these folders, in the order of the posts.
    pub(crate) fn list(&self, folders: &[Folder]) -> Vec<Listing> {
        abreast(self.all.iter().collect(), |post: &Post| post.queue.list(folders))
    }

    /// The post that a task's `to` stands for.
    pub(crate) fn address(&self, task: &Task) -> Address {
        let Some(name) = &task.to else { return Address::Unknown };
        if self.own.contains(name) {
            return Address::Post(0);
        }
        let Ok(project) = self.registry.resolve(name) else { return Address::Unknown };
        let id = project.entry.id.as_str();
        self.all.iter().position(|post| post.id == id).map_or(Address::Unreachable, Address::Post)
    }

    /// The post with this id.
    pub(crate) fn named(&self, id: &str) -> Option<usize> {
        self.all.iter().position(|post| post.id == id)
    }
}

impl Post {
    /// Whether a name in a task's `from` is this project's.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.id == name
            || self.queue.settings.id.as_str() == name
            || self.queue.settings.aliases.iter().any(|alias| alias.as_str() == name)
    }
}
