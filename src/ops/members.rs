//! The queues that a look from here takes in: of an orchestrator its own and those of all registered projects, of a
//! project its own.

use std::path::PathBuf;

use crate::domain::fault::{Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::domain::settings::Role;
use crate::store::queue::Queue;
use crate::store::registry::{self, Registry};

/// One of them.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: ProjectId,
    /// Where it lies on this machine, as far as anybody has told.
    pub(crate) path: Option<PathBuf>,
    /// The queue, or why it cannot be reached.
    pub(crate) queue: Result<Queue, Fault>,
}

/// All queues, the present one first, then by id; and what is wrong with the registry.
///
/// # Errors
/// Those of reading the registry.
pub(crate) fn all(queue: &Queue) -> Result<(Vec<Member>, Vec<Problem>)> {
    let own = Queue::of(queue.home.reopen()?)?;
    let (id, role, root) = (own.settings.id.clone(), own.settings.role, own.home.root.clone());
    let mut members = vec![Member { id: id.clone(), path: root.parent().map(PathBuf::from), queue: Ok(own) }];
    if role != Role::Orchestrator {
        return Ok((members, Vec::new()));
    }
    let registry = Registry::read(queue)?;
    for project in registry.projects {
        let reached = registry::reach(&project);
        let is_own = project.entry.id == id || reached.as_ref().is_ok_and(|other| other.home.root == root);
        if !is_own {
            members.push(Member { id: project.entry.id, path: project.path, queue: reached });
        }
    }
    Ok((members, registry.problems))
}
