//! Workers over the queue: claim what is next, run it, go on, until there is a reason to stop.

mod board;
mod lane;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::domain::fault::{Fault, Result};
use crate::domain::project::ProjectName;
use crate::domain::run::entry::Entry;
use crate::domain::run::record::Run;
use crate::domain::settings::Role;
use crate::store::queue::Queue;
use crate::store::registry::{self, Registry};
use crate::store::runs;

use super::purse::Purse;
use super::{Caller, Wanted, account, ground, stale};

use board::Board;
use lane::Lane;

/// Is told each line of a transcript, and which task it is about.
pub(crate) type Tell<'t> = &'t (dyn Fn(&str, &Entry) + Sync);

/// How a shift is limited.
#[derive(Debug, Clone)]
pub(crate) struct Shift {
    pub(crate) jobs: usize,
    /// Nothing is started after this.
    pub(crate) until: Option<Timestamp>,
    /// Only these projects; none means all that can be reached.
    pub(crate) projects: Vec<ProjectName>,
    pub(crate) wanted: Wanted,
}

/// Why a shift ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    NothingReady,
    /// The person asked.
    Asked,
    /// The time is over.
    Time,
    /// Money or starts are used up.
    Budget(String),
    /// The account cannot be asked now.
    Account(String),
    /// Something is wrong that has nothing to do with one task.
    Fault(Fault),
}

/// What a shift came to.
#[derive(Debug)]
pub(crate) struct Worked {
    /// Project, and the last run of each request.
    pub(crate) runs: Vec<(String, Run)>,
    pub(crate) stop: Stop,
    pub(crate) spent: f64,
    pub(crate) notes: Vec<String>,
    /// Where the projects lie, by id.
    pub(crate) paths: BTreeMap<String, PathBuf>,
}

/// Work until there is a reason to stop.
///
/// # Errors
/// [`Recursion`](crate::domain::fault::Code::Recursion), [`NoClaude`](crate::domain::fault::Code::NoClaude),
/// [`UnknownProject`](crate::domain::fault::Code::UnknownProject); a fault of a single run stops nothing.
pub(crate) fn work(
    queue: &Queue,
    caller: &Caller<'_>,
    shift: &Shift,
    purse: Purse,
    tell: Tell<'_>,
) -> Result<Worked> {
    ground::refuse_recursion()?;
    ground::program(queue, caller)?;
    account::look_again(queue, caller)?;
    let Reached { paths, notes } = projects(queue, &shift.projects)?;
    settle_stale(&paths, caller)?;
    let board = Board::new(purse, paths, queue.home.root.clone());
    notes.into_iter().for_each(|note| board.note(note));
    std::thread::scope(|scope| {
        for number in 0..shift.jobs {
            // Each with its own clock and chance: they are of one thread.
            let env = caller.env.fork(number as u64);
            let (actor, environment) = (caller.actor.clone(), caller.environment.clone());
            let board = &board;
            scope.spawn(move || {
                let caller = Caller { env: &env, actor, environment };
                if let Err(fault) = (Lane { board, caller, shift, tell }).work() {
                    board.stop(Stop::Fault(fault));
                }
            });
        }
    });
    Ok(board.close())
}

/// Runs that a killed `swift` left without an end get it before others are begun.
fn settle_stale(paths: &BTreeMap<String, PathBuf>, caller: &Caller<'_>) -> Result<()> {
    for path in paths.values() {
        let queue = Queue::open(path)?;
        stale::settle(&queue, caller, &mut runs::all(&queue)?.all)?;
    }
    Ok(())
}

/// Where projects lie, by id, and what is to be said of those that cannot be reached.
#[derive(Default)]
struct Reached {
    paths: BTreeMap<String, PathBuf>,
    notes: Vec<String>,
}

fn projects(queue: &Queue, named: &[ProjectName]) -> Result<Reached> {
    let own = queue.settings.id.to_string();
    let mut reached = Reached::default();
    let all = &mut reached.paths;
    let is_own = |name: &ProjectName| name.as_str() == own.as_str() || queue.settings.aliases.contains(name);
    if named.is_empty() || named.iter().any(is_own) {
        all.insert(own.clone(), runs::project_folder(queue).to_owned());
    }
    if queue.settings.role != Role::Orchestrator && named.is_empty() {
        return Ok(reached);
    }
    let registry = Registry::read(queue)?;
    if named.is_empty() {
        for project in &registry.projects {
            match registry::reach(project) {
                Ok(other) => {
                    all.insert(other.settings.id.to_string(), runs::project_folder(&other).to_owned());
                }
                // One that cannot be reached stops no other.
                Err(fault) => reached.notes.push(format!("{}: not worked on: {fault}", project.entry.id)),
            }
        }
    }
    for name in named.iter().filter(|name| !is_own(name)) {
        let other = registry::reach(registry.resolve(name)?)?;
        all.insert(other.settings.id.to_string(), runs::project_folder(&other).to_owned());
    }
    Ok(reached)
}
