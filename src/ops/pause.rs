//! Stop what the watcher does by itself, for one project or for all, and let it go on. From any terminal, at once.

use std::collections::BTreeSet;

use super::carrier::{self, Carrier};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::ProjectName;
use crate::domain::settings::Role;
use crate::store::queue::Queue;
use crate::store::registry::Registry;
use crate::store::watcher::{self, Paused, Record};

/// Whom a pause is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Every project of the orchestrator, also those that are registered later.
    All,
    /// One project, by id or alias; `.` is the one here.
    Project(String),
    /// All in an orchestrator, the one here in a project.
    Here,
}

/// How things stand after a pause or its end.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) paused: Paused,
    /// The project that it was about; `None` for all.
    pub(crate) project: Option<String>,
    /// The watcher that obeys, if one runs.
    pub(crate) watcher: Option<Record>,
}

/// Do nothing by itself any more.
///
/// # Errors
/// [`Code::UnknownProject`], [`Code::Unreachable`] if nobody carries for this project, [`Code::Io`].
pub(crate) fn pause(queue: &Queue, whom: &Whom) -> Result<Standing> {
    change(queue, whom, |paused, project| match project {
        Some(project) => drop(paused.projects.insert(project.clone())),
        None => paused.all = true,
    })
}

/// Go on.
///
/// # Errors
/// As [`pause`]; [`Code::WrongState`] for one project where all are paused.
pub(crate) fn resume(queue: &Queue, whom: &Whom) -> Result<Standing> {
    let standing = change(queue, whom, |paused, project| match project {
        Some(project) => drop(paused.projects.remove(project)),
        None => *paused = Paused::default(),
    })?;
    match &standing.project {
        Some(project) if standing.paused.all => {
            Err(Fault::new(Code::WrongState, format!("everything is paused, not `{project}` alone"))
                .hint("`swift resume --all` lets everything go on"))
        }
        _ => Ok(standing),
    }
}

fn change(queue: &Queue, whom: &Whom, apply: impl Fn(&mut Paused, &Option<String>)) -> Result<Standing> {
    let orchestrator = orchestrator_of(queue)?;
    let orchestrator = orchestrator.as_ref().unwrap_or(queue);
    let project = resolve(orchestrator, queue, whom)?;
    // A note that cannot be read pauses everything; what is written now is known again.
    let mut paused = Paused::read(&orchestrator.local).unwrap_or_default();
    apply(&mut paused, &project);
    paused.write(&orchestrator.local)?;
    Ok(Standing { paused, project, watcher: watcher::holder(orchestrator) })
}

/// The orchestrator that carries for a project; `None` if the queue is one itself.
fn orchestrator_of(queue: &Queue) -> Result<Option<Queue>> {
    match carrier::of(queue) {
        Carrier::Own => Ok(None),
        Carrier::There(orchestrator) => Ok(Some(*orchestrator)),
        Carrier::Gone(fault) => Err(fault),
        Carrier::Nobody => Err(Fault::new(
            Code::Unreachable,
            format!("no orchestrator on this machine carries for `{}`", queue.settings.id),
        )
        .hint("`swift register <path>` in the orchestrator's checkout")),
    }
}

fn resolve(orchestrator: &Queue, here: &Queue, whom: &Whom) -> Result<Option<String>> {
    let own = |queue: &Queue| Some(queue.settings.id.to_string());
    let name = match whom {
        Whom::All => return Ok(None),
        Whom::Here if here.settings.role == Role::Orchestrator => return Ok(None),
        Whom::Here => return Ok(own(here)),
        Whom::Project(name) if name == "." => return Ok(own(here)),
        Whom::Project(name) => name.parse::<ProjectName>()?,
    };
    let names: BTreeSet<&str> = orchestrator.settings.aliases.iter().map(ProjectName::as_str).collect();
    if orchestrator.settings.id.as_str() == name.as_str() || names.contains(name.as_str()) {
        return Ok(own(orchestrator));
    }
    Ok(Some(Registry::read(orchestrator)?.resolve(&name)?.entry.id.to_string()))
}
