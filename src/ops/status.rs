//! How things stand: what waits in each queue, who watches, and what stands in the way. Reads only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use super::carrier::{self, Carrier};
use super::carry::cut_off;
use super::members::{self, Member};
use super::run::account::{self, Seen};
use super::sight::Directory;
use crate::domain::fault::{Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::settings::Role;
use crate::domain::task::{Folder, State, Task};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::watcher::{self, Paused, Record};

/// Everything on one screen.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) watching: Watching,
    pub(crate) paused: Paused,
    pub(crate) projects: Vec<Standing>,
    /// The circuit breakers that count or hold something.
    pub(crate) breakers: Vec<Seen>,
    /// Those of files and of the registry; those of whole projects are in their standing.
    pub(crate) problems: Vec<Problem>,
}

impl Status {
    /// The folders in which every verb leaves a trace.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        let paths = self.projects.iter().filter(|standing| standing.queue.is_ok());
        let logs = paths.filter_map(|standing| standing.path.as_ref());
        logs.map(|path| path.join(layout::FOLDER).join(layout::AUDIT)).collect()
    }
}

/// Who watches.
#[derive(Debug)]
pub(crate) enum Watching {
    /// A process does.
    Up(Box<Record>),
    /// Nobody does, since this one ended.
    Ended(Box<Record>),
    /// Nobody does, since this one was killed.
    Killed(Box<Record>),
    /// Nobody ever did.
    Never,
    /// No orchestrator on this machine carries for the project, or it cannot be reached.
    Unknown,
}

/// One queue.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) id: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) is_paused: bool,
    /// What lies in it, or why nobody knows.
    pub(crate) queue: Result<Depths, Fault>,
}

/// How many tasks are in which state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Depths {
    pub(crate) states: BTreeMap<State, usize>,
    /// Files that could not be read.
    pub(crate) problems: usize,
    pub(crate) oldest: Option<Waiting>,
}

/// A task that waits to leave, to be looked at, or to be taken up.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) since: Timestamp,
    pub(crate) id: Option<TaskId>,
    pub(crate) title: String,
    pub(crate) state: State,
}

impl Depths {
    /// How many tasks are in a state.
    pub(crate) fn of(&self, state: State) -> usize {
        self.states.get(&state).copied().unwrap_or(0)
    }
}

/// The folders that hold what is not finished, and what was given up.
const FOLDERS: [Folder; 4] = [Folder::Outbox, Folder::Inbox, Folder::Tasks, Folder::Dead];

/// Look at every queue in view.
///
/// # Errors
/// Those of reading the registry; a queue that cannot be read is told as such.
pub(crate) fn look(queue: &Queue, now: Timestamp) -> Result<Status> {
    let (members, problems) = members::all(queue)?;
    let known = carrier::of(queue);
    let carrier = match &known {
        Carrier::Own => Some(queue),
        Carrier::There(orchestrator) => Some(&**orchestrator),
        Carrier::Nobody | Carrier::Gone(_) => None,
    };
    let breakers = account::seen(queue, now);
    let mut status = Status {
        at: now,
        id: queue.settings.id.to_string(),
        role: queue.settings.role,
        watching: carrier.map_or(Watching::Unknown, watching),
        paused: Paused::default(),
        projects: Vec::new(),
        breakers,
        problems,
    };
    match carrier.map(|carrier| Paused::read(&carrier.local)) {
        Some(Ok(paused)) => status.paused = paused,
        Some(Err(fault)) => {
            // A note that cannot be read pauses everything.
            status.paused.all = true;
            status.problems.push(Problem::at("", fault));
        }
        None => {}
    }
    if let Carrier::Gone(fault) = known {
        status.problems.push(Problem::at("", fault));
    }
    let directory = match queue.settings.role {
        // What is wrong with the registry is told already.
        Role::Orchestrator => Directory::read(queue).ok(),
        Role::Project => None,
    };
    for member in members {
        let standing = standing(member, directory.as_ref(), &mut status, now);
        status.projects.push(standing);
    }
    Ok(status)
}

fn watching(orchestrator: &Queue) -> Watching {
    if let Some(record) = watcher::holder(orchestrator) {
        return Watching::Up(Box::new(record));
    }
    match Record::read(&orchestrator.local) {
        Some(record) if record.stopped_at.is_some() => Watching::Ended(Box::new(record)),
        Some(record) => Watching::Killed(Box::new(record)),
        None => Watching::Never,
    }
}

fn standing(member: Member, directory: Option<&Directory>, status: &mut Status, now: Timestamp) -> Standing {
    let id = member.id.to_string();
    let is_paused = status.paused.all || status.paused.projects.contains(&id);
    let mut path = member.path;
    let queue = member.queue.map(|queue| {
        path = queue.home.root.parent().map(PathBuf::from);
        let (depths, mut problems) = depths(&queue, now);
        problems.extend(directory.into_iter().flat_map(|directory| cut_off::at(&queue, directory)));
        status.problems.extend(problems.into_iter().map(|problem| problem.of(&id)));
        depths
    });
    Standing { id, path, is_paused, queue }
}

fn depths(queue: &Queue, now: Timestamp) -> (Depths, Vec<Problem>) {
    let listing = queue.list(&FOLDERS);
    let mut depths = Depths { problems: listing.problems.len(), ..Depths::default() };
    for item in &listing.items {
        let state = item.task.state(item.folder, now);
        *depths.states.entry(state).or_default() += 1;
        let waits = matches!(state, State::Outbox | State::Inbox | State::Ready);
        let Some(since) = since(&item.task).filter(|_| waits) else { continue };
        if depths.oldest.as_ref().is_none_or(|oldest| since < oldest.since) {
            depths.oldest = Some(Waiting { since, id: item.id(), title: item.task.title.clone(), state });
        }
    }
    (depths, listing.problems)
}

/// When a task was made; a file that no verb has touched yet does not say.
fn since(task: &Task) -> Option<Timestamp> {
    let born = |id: TaskId| Timestamp::from_millisecond(i64::try_from(id.milliseconds()).ok()?).ok();
    task.created.or_else(|| task.id.and_then(born))
}

impl Watching {
    /// What the watcher said last of itself.
    pub(crate) fn record(&self) -> Option<&Record> {
        match self {
            Watching::Up(record) | Watching::Ended(record) | Watching::Killed(record) => Some(record),
            Watching::Never | Watching::Unknown => None,
        }
    }
}
