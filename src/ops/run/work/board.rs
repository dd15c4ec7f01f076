//! What the workers of a shift share, and which task is next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::domain::fault::{Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::run::policy::Policy;
use crate::domain::run::record::Run;
use crate::env::signals::Signals;
use crate::ops::rank::{self, Scope};
use crate::ops::run::account::Rest;
use crate::ops::run::purse::Purse;
use crate::store::queue::Queue;

use super::{Stop, Worked};

/// How often a task is taken up again after somebody else was faster.
const SECOND_LOOKS: u32 = 5;

/// What the workers share.
pub(super) struct Board {
    state: Mutex<State>,
    pub(super) purse: Purse,
    pub(super) signals: Signals,
    /// Where the projects lie, by id.
    pub(super) paths: BTreeMap<String, PathBuf>,
    pub(super) home: PathBuf,
}

#[derive(Default)]
pub(super) struct State {
    /// Tasks that somebody of this shift has or had.
    pub(super) taken: HashSet<TaskId>,
    /// How often each was given back because somebody else was faster.
    looks: HashMap<TaskId, u32>,
    /// How often each was run in this shift.
    pub(super) tries: HashMap<TaskId, u32>,
    running: usize,
    /// Tasks whose model rests, and how many runs had ended when that was seen.
    resting: HashMap<TaskId, (Rest, usize)>,
    /// Files written by hand that were to get their ids.
    adopted: HashSet<String>,
    /// The policy of each project as it was when this shift first worked for it.
    policies: HashMap<String, Policy>,
    /// Projects in which nothing can be run, and why.
    broken: BTreeMap<String, Fault>,
    /// How many tasks were left again, done or not.
    ended: usize,
    pub(super) runs: Vec<(String, Run)>,
    /// Whether who asked for the end was answered.
    has_answered: bool,
    pub(super) stop: Option<Stop>,
    pub(super) notes: Vec<String>,
}

impl Board {
    /// Before anything is done; from now on ctrl-c is heard by it.
    pub(super) fn new(purse: Purse, paths: BTreeMap<String, PathBuf>, home: PathBuf) -> Board {
        Board { state: Mutex::default(), purse, signals: Signals::listen(), paths, home }
    }

    /// What it all came to.
    pub(super) fn close(self) -> Worked {
        let spent = self.purse.spent();
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut notes = state.notes;
        let mut broken = state.broken.into_iter().map(|(project, fault)| {
            let text = format!("{project}: nothing is run there: {}", fault.message);
            fault.hints.into_iter().fold(Fault::new(fault.code, text), Fault::hint)
        });
        let stop = match state.stop {
            // Tasks are ready where nothing can be run: that is not the end of the work.
            None | Some(Stop::NothingReady) => broken.next().map_or(Stop::NothingReady, Stop::Fault),
            Some(other) => other,
        };
        notes.extend(broken.map(|fault| fault.message));
        Worked { runs: state.runs, stop, spent, notes, paths: self.paths }
    }

    /// Pass over all tasks of a project: nothing can be run there before a person has mended it.
    pub(super) fn gives_up(&self, project: &str, fault: Fault) {
        self.with(|state| _ = state.broken.entry(project.to_owned()).or_insert(fault));
    }

    /// Let a task be taken again, unless that was tried often enough; gives whether it may.
    pub(super) fn gives_back(&self, task: TaskId) -> bool {
        self.with(|state| {
            let looks = state.looks.entry(task).or_insert(0);
            *looks += 1;
            *looks <= SECOND_LOOKS && state.taken.remove(&task)
        })
    }

    /// Let a task be taken again if another worker is at a run, after which it may be another matter; gives whether.
    pub(super) fn waits_for_another(&self, task: TaskId) -> bool {
        self.with(|state| state.running > 1 && state.taken.remove(&task))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a project's committed policy is still the one that this shift began with. A run can commit too.
    pub(super) fn knows(&self, project: &str, policy: Policy) -> bool {
        self.with(|state| {
            *state.policies.entry(project.to_owned()).or_insert_with(|| policy.clone()) == policy
        })
    }

    /// The first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        self.with(|state| _ = state.stop.get_or_insert(why));
    }

    /// Whether nobody has told so far that the end was asked for; from now on somebody has.
    pub(super) fn is_news(&self) -> bool {
        self.with(|state| !std::mem::replace(&mut state.has_answered, true))
    }

    /// A note for the person.
    pub(super) fn note(&self, note: String) {
        self.with(|state| state.notes.push(note));
    }

    /// The best ready task that nobody of this shift has had; it counts as being worked on from now.
    pub(super) fn pick(&self, now: Timestamp) -> Result<Pick> {
        let ended = self.with(|state| state.ended);
        let queue = Queue::open(&self.home)?;
        let scope = if self.paths.len() > 1 || !self.paths.contains_key(queue.settings.id.as_str()) {
            Scope::All
        } else {
            Scope::Project
        };
        let ranking = rank::rank(&queue, now, scope)?;
        self.with(|state| {
            state.wake(now);
            for ranked in ranking.ready().filter(|ranked| self.paths.contains_key(ranked.project)) {
                if state.broken.contains_key(ranked.project) {
                    continue;
                }
                match ranked.item.id() {
                    Some(id) if state.taken.insert(id) => {
                        state.running += 1;
                        return Ok(Pick::Task(ranked.project.to_owned(), id));
                    }
                    None if state.adopted.insert(format!("{} {}", ranked.project, ranked.item.path)) => {
                        return Ok(Pick::Adopt(ranked.project.to_owned()));
                    }
                    _ => {}
                }
            }
            Ok(match state.resting.values().map(|(rest, _)| rest).min_by_key(|rest| rest.until) {
                _ if state.running > 0 || state.ended != ended => Pick::Wait,
                Some(rest) => Pick::Rest(rest.clone()),
                None => Pick::Nothing,
            })
        })
    }

    /// A task whose model rests is passed over until that is over; without a time, until another run has ended, which may
    /// be the one that tries.
    pub(super) fn passes_over(&self, task: TaskId, rest: Rest) {
        self.with(|state| {
            let seen = state.runs.len();
            state.resting.insert(task, (rest, seen));
        });
    }

    /// A task that was picked is left again.
    pub(super) fn left(&self) {
        self.with(|state| {
            state.running -= 1;
            state.ended += 1;
        });
    }
}

impl State {
    /// What has rested long enough may be taken again.
    fn wake(&mut self, now: Timestamp) {
        let ended = self.runs.len();
        let is_over = |rest: &Rest, seen: usize| rest.until.map_or(ended > seen, |until| until <= now);
        let resting = self.resting.iter();
        let over: Vec<TaskId> =
            resting.filter(|(_, (rest, seen))| is_over(rest, *seen)).map(|(task, _)| *task).collect();
        for task in over {
            self.resting.remove(&task);
            self.taken.remove(&task);
        }
    }
}

/// What a worker does next.
pub(super) enum Pick {
    /// The project and the task.
    Task(String, TaskId),
    /// What is not ready may become so by what others are doing, or did while we looked.
    Wait,
    /// What is ready needs a model that rests.
    Rest(Rest),
    /// A task of this project was written by hand and has no id yet.
    Adopt(String),
    Nothing,
}
