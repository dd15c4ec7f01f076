//! The posts of a round: every queue that may send or receive, opened.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::attempts;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::settings::CommitPolicy;
use crate::domain::task::{Folder, Task};
use crate::domain::text::led_to;
use crate::format::is_too_large;
use crate::ops::abreast::abreast;
use crate::store::git::Reach;
use crate::store::queue::{Listing, Queue};
use crate::store::registry::{self, Registry};

/// A queue that takes part in the round.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) id: String,
    /// The same as a project's id, if it is one.
    pub(super) project: Option<ProjectId>,
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
    part: Option<Part>,
}

/// A part of a round: nobody else's queue is opened, locked or waited for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// Ids of all projects that may take part.
    pub(crate) among: BTreeSet<String>,
    /// Those of them whose outboxes are emptied.
    pub(crate) senders: BTreeSet<String>,
    /// Those of them that are told how far their tasks are.
    pub(crate) told: BTreeSet<String>,
}

/// Where a task is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// The index of a post.
    Post(usize),
    /// A registered project that cannot be reached now.
    Unreachable,
    /// A registered project that takes no part in this round.
    Elsewhere,
    Unknown,
}

/// Open the orchestrator's own queue and those of all registered projects, or of those that take part.
///
/// # Errors
/// Those of reading the registry.
pub(crate) fn open(orchestrator: &Queue, part: Option<&Part>) -> Result<Posts> {
    let registry = Registry::read(orchestrator)?;
    let mut problems = registry.problems.clone();
    let own = Queue::of(orchestrator.home.clone())?;
    let mut names: Vec<ProjectName> = vec![(&own.settings.id).into()];
    names.extend(own.settings.aliases.iter().cloned());
    let mut all = vec![Post::new(own.settings.id.to_string(), own)];
    let takes_part = |id: &str| part.is_none_or(|part| part.among.contains(id));
    for project in registry.projects.iter().filter(|project| takes_part(project.entry.id.as_str())) {
        match registry::reach(project) {
            Ok(queue) if all.iter().any(|post| post.queue.home.root == queue.home.root) => {}
            Ok(queue) => all.push(Post::new(project.entry.id.to_string(), queue)),
            Err(fault) => problems.push(Problem::at("", fault).of(project.entry.id.as_str())),
        }
    }
    let attempts = attempts::read(&orchestrator.local);
    Ok(Posts { all, registry, own: names, problems, attempts, part: part.cloned() })
}

impl Posts {
    /// What the chosen posts have in these folders, in the order of the posts.
    pub(crate) fn list(
        &self,
        folders: &[Folder],
        is_chosen: impl Fn(usize) -> bool,
    ) -> Vec<(usize, Listing)> {
        let chosen = (0..self.all.len()).filter(|index| is_chosen(*index)).collect();
        abreast(chosen, |index: usize| (index, self.all[index].queue.list_within(folders, Reach::Names)))
    }

    /// The post that a task's `to` stands for.
    pub(crate) fn address(&self, task: &Task) -> Address {
        let Some(name) = &task.to else { return Address::Unknown };
        if self.own.contains(name) {
            let is_out = self.part.as_ref().is_some_and(|part| !part.among.contains(&self.all[0].id));
            return if is_out { Address::Elsewhere } else { Address::Post(0) };
        }
        let Ok(project) = self.registry.resolve(name) else { return Address::Unknown };
        let id = project.entry.id.as_str();
        if self.part.as_ref().is_some_and(|part| !part.among.contains(id)) {
            return Address::Elsewhere;
        }
        self.all.iter().position(|post| post.id == id).map_or(Address::Unreachable, Address::Post)
    }

    /// Whether the outbox of this post is emptied.
    pub(crate) fn sends(&self, index: usize) -> bool {
        self.part.as_ref().is_none_or(|part| part.senders.contains(&self.all[index].id))
    }

    /// Whether this post is told how far its tasks are.
    pub(crate) fn is_told(&self, index: usize) -> bool {
        self.part.as_ref().is_none_or(|part| part.told.contains(&self.all[index].id))
    }

    /// Where each project is among the posts, by its id.
    pub(super) fn places(&self) -> HashMap<&str, usize> {
        // Of two with one id the first counts.
        self.all.iter().enumerate().rev().map(|(index, post)| (post.id.as_str(), index)).collect()
    }

    /// The post with this id.
    pub(crate) fn named(&self, id: &str) -> Option<usize> {
        self.all.iter().position(|post| post.id == id)
    }
}

impl Post {
    fn new(id: String, queue: Queue) -> Post {
        let project = id.parse().ok();
        Post { id, project, queue }
    }

    /// What is wrong with this queue, with advice that leads there from the orchestrator.
    pub(super) fn problem(&self, problem: Problem) -> Problem {
        let root = &self.queue.home.root;
        let folder = root.parent().unwrap_or(root).display().to_string();
        let folder = shell_words::quote(&folder);
        let hints = problem.fault.hints.iter().map(|hint| led_to(hint, &folder)).collect();
        Problem { fault: Fault { hints, ..problem.fault }, ..problem }.of(&self.id)
    }

    /// Whether a name in a task's `from` is this project's.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.id == name
            || self.queue.settings.id.as_str() == name
            || self.queue.settings.aliases.iter().any(|alias| alias.as_str() == name)
    }

    /// Whether an earlier verb could not commit here what it wrote, and a round can.
    pub(super) fn owes(&self) -> bool {
        self.queue.settings.commit == CommitPolicy::Each && self.queue.home.owes().unwrap_or(false)
    }

    /// Whether a letter can be read here.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub(crate) fn takes(&self, letter: &[u8]) -> Result<()> {
        if !is_too_large(letter, &self.queue.limits()) {
            return Ok(());
        }
        let (bytes, limit) = (letter.len(), self.queue.settings.max_bytes);
        let message = format!("it has {bytes} bytes, and `{}` takes at most {limit}", self.id);
        Err(Fault::new(Code::TooLarge, message)
            .hint("put the bulk elsewhere and name it in the text")
            .hint(format!("or have `max_bytes` raised in the `.swift/swift.toml` of `{}`", self.id)))
    }
}
