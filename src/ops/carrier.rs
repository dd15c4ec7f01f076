//! The orchestrator that carries for a project. Where it lies is a note of this machine, which may be lost, and true no
//! longer when it was moved.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::Role;
use crate::domain::text::{as_word, led_to};
use crate::store::queue::Queue;
use crate::store::registry::{self, Project, Registry};

/// What a project knows of its orchestrator.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// It is one itself.
    Own,
    /// Nobody on this machine carries for it, as far as it was told.
    Nobody,
    There(Box<Queue>),
    /// Where it was, it is no more.
    Gone(Fault),
}

/// The orchestrator of a project.
pub(crate) fn of(queue: &Queue) -> Carrier {
    if queue.settings.role == Role::Orchestrator {
        return Carrier::Own;
    }
    let Some(path) = registry::carrier(queue) else { return Carrier::Nobody };
    match Queue::open(&path) {
        Ok(orchestrator) if orchestrator.settings.role == Role::Orchestrator => {
            Carrier::There(Box::new(orchestrator))
        }
        Ok(other) => {
            let why = format!("`{}` carries for nobody", other.settings.id);
            Carrier::Gone(gone(&path, &why))
        }
        Err(fault) => Carrier::Gone(gone(&path, &fault.message)),
    }
}

fn gone(path: &Path, why: &str) -> Fault {
    Fault::new(Code::Unreachable, format!("the orchestrator at `{}` is not there: {why}", path.display()))
        .hint("in its checkout, where that lies now: `swift outbox`, or `swift register` with the path of this project")
}

/// Tell a project where its orchestrator lies now.
///
/// # Errors
/// [`Code::Io`].
pub(crate) fn tell(orchestrator: &Queue, project: &Queue) -> Result<()> {
    let root = &orchestrator.home.root;
    registry::set_carrier(project, Some(root.parent().unwrap_or(root)))
}

/// The same for those that have lost it, or it them: it was moved. One that another orchestrator carries for too keeps
/// what it knows. A note that cannot be written costs the project its view of others, no more.
pub(crate) fn be_found<'q>(orchestrator: &Queue, projects: impl Iterator<Item = &'q Queue>) {
    let root = &orchestrator.home.root;
    let place = root.parent().unwrap_or(root);
    let others = projects.filter(|project| project.home.root != *root);
    for project in others.filter(|project| registry::carrier(project).is_none_or(|noted| noted != place)) {
        if matches!(of(project), Carrier::Nobody | Carrier::Gone(_)) {
            let _ = tell(orchestrator, project);
        }
    }
}

/// The projects that are known here: those of the queue itself if it is an orchestrator's, else those of its own. And why
/// there may be more than that.
///
/// # Errors
/// Those of reading the queue's own registry.
pub(crate) fn registry_in_view(queue: &Queue) -> Result<(Registry, Option<Fault>)> {
    let own = Registry::read(queue)?;
    if !own.projects.is_empty() {
        return Ok((own, None));
    }
    Ok(match of(queue) {
        Carrier::There(orchestrator) => match Registry::read(&orchestrator) {
            Ok(registry) => (registry, None),
            Err(fault) => (own, Some(fault)),
        },
        Carrier::Gone(fault) => (own, Some(fault)),
        Carrier::Own | Carrier::Nobody => (own, None),
    })
}

/// The folder of the orchestrator with which others are registered, as far as a project was told; `None` for one itself.
pub(crate) fn registrar(queue: &Queue) -> Option<PathBuf> {
    match queue.settings.role {
        Role::Orchestrator => None,
        Role::Project => registry::carrier(queue),
    }
}

/// The queue of a project in view. What helps where it cannot be reached is typed where it is registered.
///
/// # Errors
/// As [`registry::reach`].
pub(crate) fn reach(queue: &Queue, project: &Project) -> Result<Queue> {
    registry::reach(project).map_err(|fault| led_to_registrar(queue, fault))
}

/// Advice about the registry, which is typed where that is.
pub(crate) fn led_to_registrar(queue: &Queue, fault: Fault) -> Fault {
    let Some(folder) = registrar(queue) else { return fault };
    let folder = as_word(&folder);
    Fault { hints: fault.hints.iter().map(|hint| led_to(hint, &folder)).collect(), ..fault }
}
