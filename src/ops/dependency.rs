//! What a task waits for, as a person names it.

use super::carrier;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::ProjectName;
use crate::domain::task::{Dependency, Folder};
use crate::domain::text::shown;
use crate::store::queue::Queue;

/// Where the task of a short form may be.
const FOLDERS: [Folder; 5] = [Folder::Tasks, Folder::Inbox, Folder::Outbox, Folder::Sent, Folder::Done];

/// A dependency by full id, or by the short form of a task of this project or, as `project#short`, of another one.
///
/// # Errors
/// [`Code::TaskNotFound`], [`Code::Ambiguous`]; [`Code::Unreachable`] if the other project cannot be read from here.
pub(crate) fn parse(queue: &Queue, text: &str) -> Result<Dependency> {
    if let Ok(dependency) = text.parse() {
        return Ok(dependency);
    }
    let Some((project, short)) = text.rsplit_once(['#', ':']) else {
        return Ok(Dependency { project: None, task: find(queue, text)? });
    };
    let project: ProjectName = project.parse()?;
    if queue.is_called(&project) {
        return Ok(Dependency { project: None, task: find(queue, short)? });
    }
    let other = reach(queue, &project).map_err(|fault| {
        let text = format!("`{}` cannot be looked up from here: {fault}", shown(text));
        let fault = Fault { code: fault.code, message: text, hints: fault.hints };
        fault.hint(format!("the full id needs no look: `swift list --json` in `{project}` has it"))
    })?;
    Ok(Dependency { task: find(&other, short)?, project: Some(project) })
}

fn reach(queue: &Queue, project: &ProjectName) -> Result<Queue> {
    let (registry, missing) = carrier::registry_in_view(queue)?;
    match (registry.resolve(project), missing) {
        (Ok(found), _) => carrier::reach(queue, found),
        (Err(fault), None) if !registry.projects.is_empty() => Err(carrier::led_to_registrar(queue, fault)),
        (Err(_), Some(missing)) => Err(missing),
        (Err(_), None) => {
            Err(Fault::new(Code::Unreachable, "no orchestrator on this machine carries for this project"))
        }
    }
}

fn find(queue: &Queue, short: &str) -> Result<crate::domain::id::TaskId> {
    Ok(queue.find(short, &FOLDERS)?.id().expect("found by its id"))
}
