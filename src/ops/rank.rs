//! What to do next, in one project or over all of them.
//!
//! Gathers the live tasks of every queue in view, decides for each what it waits for, and ranks the ready ones.
//! A dependency that cannot be looked up counts as not met, with the reason.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::carrier;
use super::step;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::graph::Graph;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::ranking::Score;
use crate::domain::settings::Role;
use crate::domain::task::{Folder, State};
use crate::domain::text::shown;
use crate::store::newest;
use crate::store::queue::{Item, Queue};
use crate::store::registry::{Project, Registry};
use crate::store::tx::Operation;

mod dependency;
mod obstacle;

pub(crate) use obstacle::Obstacle;
use obstacle::Why;

/// A ready task with its place in the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked<'r> {
    pub(crate) project: &'r str,
    pub(crate) item: &'r Item,
    pub(crate) score: Score,
}

/// A live task that is not ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skipped<'r> {
    pub(crate) project: &'r str,
    pub(crate) item: &'r Item,
    pub(crate) state: State,
    pub(crate) obstacle: Obstacle,
    pub(crate) reason: &'r str,
}

/// The list and what is not on it. There may be very many tasks, so each is held once, where it was read.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    shelves: Vec<Shelf>,
    ready: Vec<Place>,
    skipped: Vec<Obstructed>,
    day: Date,
    pub(crate) problems: Vec<Problem>,
    pub(crate) registered: Registered,
}

/// Where the other projects in view are registered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum Registered {
    Here,
    /// With the orchestrator in this folder.
    At(PathBuf),
    /// There are none.
    #[default]
    Nowhere,
}

impl Registered {
    fn of(queue: &Queue, neighbours: &Neighbours) -> Registered {
        match (queue.settings.role, carrier::registrar(queue)) {
            (Role::Orchestrator, _) => Registered::Here,
            (Role::Project, Some(folder)) if neighbours.missing.is_none() => Registered::At(folder),
            (Role::Project, _) => Registered::Nowhere,
        }
    }
}

impl Ranking {
    /// The ready tasks, the best first.
    pub(crate) fn ready(&self) -> impl ExactSizeIterator<Item = Ranked<'_>> {
        self.ready.iter().map(|place| {
            let (project, item) = self.at(place.key);
            Ranked { project, item, score: Score::of(&item.task, place.waiting as usize, self.day) }
        })
    }

    /// The tasks that are not ready, the most urgent first.
    pub(crate) fn skipped(&self) -> impl ExactSizeIterator<Item = Skipped<'_>> {
        self.skipped.iter().map(|skipped| {
            let (project, item) = self.at(skipped.key);
            let Obstructed { state, obstacle, ref reason, .. } = *skipped;
            Skipped { project, item, state, obstacle, reason }
        })
    }

    fn at(&self, key: Key) -> (&str, &Item) {
        let shelf = &self.shelves[key.0 as usize];
        (&shelf.project, &shelf.items[key.1 as usize])
    }
}

/// Which queues are ranked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Project,
    /// The orchestrator's own queue and every registered project.
    All,
}

/// Rank the tasks in scope. Tasks of other projects that wait for one count for its score in either scope.
///
/// # Errors
/// Those of reading the registry; a project that cannot be read is a problem of the list.
pub(crate) fn rank(queue: &Queue, now: Timestamp, scope: Scope) -> Result<Ranking> {
    let neighbours = Neighbours::of(queue)?;
    let mut problems = Vec::new();
    let mut parts = vec![Part::read(queue, Shown::Yes)];
    let shown = if scope == Scope::All { Shown::Yes } else { Shown::No };
    for (id, reached) in &neighbours.queues {
        match reached {
            Ok(other) if other.home.root == queue.home.root => {}
            Ok(other) => parts.push(Part::read(other, shown)),
            Err(fault) if scope == Scope::All => problems.push(Problem::at("", fault.clone()).of(id)),
            Err(_) => {}
        }
    }
    let (day, registered) = (newest_day(&parts, now), Registered::of(queue, &neighbours));
    for part in parts.iter_mut().filter(|part| part.shown == Shown::Yes) {
        let own = std::mem::take(&mut part.problems);
        let project = &part.shelf.project;
        problems.extend(own.into_iter().map(|p| if scope == Scope::All { p.of(project) } else { p }));
    }
    let (ready, skipped) = Judge { parts: &parts, neighbours: &neighbours, now }.judge(day);
    let shelves = parts.into_iter().map(|part| part.shelf).collect();
    Ok(Ranking { shelves, ready, skipped, day, problems, registered })
}

/// The first ready task of one project that may be taken.
///
/// # Errors
/// As [`rank`]; [`Code::Unsettled`] if two files of a task stand in the way of each that is ready.
pub(crate) fn first_ready(queue: &Queue, operation: &Operation<'_>) -> Result<Option<Item>> {
    let ranking = rank(queue, operation.at, Scope::Project)?;
    let mut refused = None;
    for item in ranking.ready().map(|ranked| ranked.item) {
        let settled = item.id().map_or(Ok(()), |id| step::refuse_unsettled(queue, id, &item.path));
        match settled {
            Ok(()) => return Ok(Some(item.clone())),
            Err(fault) if fault.code == Code::Unsettled => drop(refused.get_or_insert(fault)),
            Err(fault) => return Err(fault),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// Whether the tasks of a part are on the list, or only count for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// What a task of one project waits for, and of what kind that is; `None` if nothing is in its way but, perhaps, a holder.
///
/// # Errors
/// As [`rank`].
pub(crate) fn waits(queue: &Queue, now: Timestamp, id: TaskId) -> Result<Option<(Obstacle, String)>> {
    let ranking = rank(queue, now, Scope::Project)?;
    let own = ranking.skipped().find(|skipped| skipped.item.id() == Some(id));
    let own = own.filter(|skipped| skipped.state == State::Ready);
    Ok(own.map(|skipped| (skipped.obstacle, skipped.reason.to_owned())))
}

/// The live tasks of one queue.
#[derive(Debug)]
struct Shelf {
    project: String,
    items: Vec<Item>,
}

/// One queue in view.
struct Part<'q> {
    shown: Shown,
    queue: &'q Queue,
    shelf: Shelf,
    problems: Vec<Problem>,
    /// Tasks of which there is more than one file: no verb takes them.
    twice: BTreeMap<TaskId, Problem>,
}

impl<'q> Part<'q> {
    fn read(queue: &'q Queue, shown: Shown) -> Part<'q> {
        let listing = queue.list_and_open(&[Folder::Tasks]);
        let twice = queue.in_two_files_among(&listing.items);
        let problems = listing.problems.into_iter().chain(twice.values().cloned()).collect();
        let shelf = Shelf { project: queue.settings.id.to_string(), items: listing.items };
        Part { shown, queue, shelf, problems, twice }
    }
}

/// The day against which age and due dates count: that of the newest commit in view, so that the same commits
/// give the same list on every machine.
fn newest_day(parts: &[Part<'_>], now: Timestamp) -> Date {
    let newest = parts.iter().filter_map(|part| newest::seconds(part.queue)).max();
    let at = newest.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(now);
    at.to_zoned(TimeZone::UTC).date()
}

/// Other queues on this machine.
struct Neighbours {
    registry: Registry,
    queues: BTreeMap<String, Result<Queue>>,
    /// Why there may be others that are not known here.
    missing: Option<Fault>,
}

impl Neighbours {
    /// The registry of the queue itself if it is an orchestrator's, else of the orchestrator that it was told of.
    fn of(queue: &Queue) -> Result<Neighbours> {
        let (registry, missing) = carrier::registry_in_view(queue)?;
        let reach = |project: &Project| (project.entry.id.to_string(), carrier::reach(queue, project));
        let queues = registry.projects.iter().map(reach).collect();
        Ok(Neighbours { registry, queues, missing })
    }

    fn queue(&self, project: &str) -> std::result::Result<&Queue, &Fault> {
        self.queues.get(project).expect("every registered project was tried").as_ref()
    }
}

/// A task in view: which queue, which task of it.
type Key = (u32, u32);

/// A ready task among others.
#[derive(Debug)]
struct Place {
    key: Key,
    /// How many tasks wait for it.
    waiting: u32,
    /// The score in ten-thousandths, which is what it is rounded to; worked out once, because sorting asks often.
    score: u64,
}

/// A task that is not ready.
#[derive(Debug)]
struct Obstructed {
    key: Key,
    state: State,
    obstacle: Obstacle,
    reason: String,
}

struct Judge<'a> {
    parts: &'a [Part<'a>],
    neighbours: &'a Neighbours,
    now: Timestamp,
}

impl Judge<'_> {
    fn judge(&self, day: Date) -> (Vec<Place>, Vec<Obstructed>) {
        let by_id = self.by_id();
        let bound: Vec<Key> = self.keys().filter(|&key| !self.item(key).task.after.is_empty()).collect();
        let graph = Graph::new(bound.into_iter().map(|key| (key, self.edges(key, &by_id))));
        let waiting = graph.waiting_counts();
        let (mut ready, mut skipped) = (Vec::new(), Vec::new());
        for key in self.keys().filter(|key| self.parts[key.0 as usize].shown == Shown::Yes) {
            let task = &self.item(key).task;
            let state = task.state(Folder::Tasks, self.now);
            match self.obstacle(key, state, &by_id, &graph) {
                Some(Why { obstacle, reason }) => skipped.push(Obstructed { key, state, obstacle, reason }),
                None => {
                    let waiting = waiting.get(&key).copied().unwrap_or(0);
                    // A score is never negative, and a number too large for the type is the largest there is.
                    let score = (Score::of(task, waiting, day).value() * 10_000.0).round() as u64;
                    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
                    ready.push(Place { key, waiting, score });
                }
            }
        }
        ready.sort_unstable_by(|a, b| {
            b.score.cmp(&a.score).then_with(|| age(self.item(a.key)).cmp(&age(self.item(b.key))))
        });
        skipped.sort_by(|a, b| {
            let rank = |item: &Item| (Reverse(item.task.priority), item.id());
            let (a, b) = (self.item(a.key), self.item(b.key));
            rank(a).cmp(&rank(b)).then_with(|| a.path.cmp(&b.path))
        });
        (ready, skipped)
    }

    /// Where each task is; empty if no task waits for another.
    fn by_id(&self) -> HashMap<TaskId, Key> {
        if self.keys().all(|key| self.item(key).task.after.is_empty()) {
            return HashMap::new();
        }
        self.keys().filter_map(|key| self.item(key).id().map(|id| (id, key))).collect()
    }

    fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        // A queue of four thousand million tasks does not fit a disk, and its files not a folder.
        let range = |length: usize| 0..u32::try_from(length).unwrap_or(u32::MAX);
        range(self.parts.len())
            .zip(self.parts)
            .flat_map(move |(p, part)| range(part.shelf.items.len()).map(move |i| (p, i)))
    }

    fn item(&self, key: Key) -> &Item {
        &self.parts[key.0 as usize].shelf.items[key.1 as usize]
    }

    fn edges(&self, key: Key, by_id: &HashMap<TaskId, Key>) -> Vec<Key> {
        self.item(key)
            .task
            .after
            .iter()
            .filter_map(|dependency| by_id.get(&dependency.task).copied())
            .collect()
    }

    /// Why a task cannot be started now; `None` if it can.
    fn obstacle(
        &self,
        key: Key,
        state: State,
        by_id: &HashMap<TaskId, Key>,
        graph: &Graph<Key>,
    ) -> Option<Why> {
        let task = &self.item(key).task;
        let twice = &self.parts[key.0 as usize].twice;
        if let Some(problem) = task.id.and_then(|id| twice.get(&id)) {
            return Some(Why::passing(problem.fault.message.clone()));
        }
        match state {
            State::Claimed => {
                let lease = task.held(self.now)?;
                let reason = format!("claimed by {} until {}", lease.holder, lease.expires_at);
                return Some(Why::passing(reason));
            }
            State::Blocked => {
                let why = shown(task.blocked.as_deref().unwrap_or_default());
                return Some(Why::passing(format!("blocked: {why}")));
            }
            State::Deferred => {
                return task.defer_until.map(|until| Why::passing(format!("deferred until {until}")));
            }
            _ => {}
        }
        if task.after.is_empty() {
            return None;
        }
        if let Some(cycle) = graph.cycle_through(key) {
            let mut names: Vec<String> = cycle.iter().map(|&k| self.name(k)).collect();
            names.push(self.name(key));
            return Some(Why::never(format!("waits for itself: {}", names.join(" → "))));
        }
        let part = &self.parts[key.0 as usize];
        task.after.iter().find_map(|dependency| self.unmet(part, task, dependency, by_id))
    }

    fn name(&self, key: Key) -> String {
        self.item(key).id().map_or_else(|| self.item(key).path.clone(), TaskId::short)
    }
}

/// Tasks of the same score stand in the order in which they were written.
fn age(item: &Item) -> (bool, Option<Timestamp>, Option<TaskId>, &str) {
    (item.task.created.is_none(), item.task.created, item.id(), &item.path)
}
