//! Workers over the queue: claim what is next, run it, go on, until there is a reason to stop.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::agent::signals::{Asked, Signals};
use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::lease::Hold;
use crate::domain::project::ProjectName;
use crate::domain::run::entry::Entry;
use crate::domain::run::evidence::End;
use crate::domain::run::next::Next;
use crate::domain::run::outcome::{Failure, Outcome};
use crate::domain::run::record::Run;
use crate::domain::settings::Role;
use crate::ops::rank::Scope;
use crate::ops::{progress, rank};
use crate::store::history;
use crate::store::queue::Queue;
use crate::store::registry::{self, Registry};
use crate::store::runs;

use super::purse::Purse;
use super::{About, Caller, Wanted, Watch, account, drive, plan, stale};

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
}

/// What the workers share.
struct Board {
    state: Mutex<State>,
    purse: Purse,
    signals: Signals,
    paths: BTreeMap<String, PathBuf>,
    home: PathBuf,
}

#[derive(Default)]
struct State {
    /// Tasks that somebody of this shift has or had.
    taken: HashSet<TaskId>,
    /// How often each was given back because somebody else was faster.
    looks: HashMap<TaskId, u32>,
    /// How often each was run in this shift.
    tries: HashMap<TaskId, u32>,
    running: usize,
    /// How many tasks were left again, done or not.
    ended: usize,
    runs: Vec<(String, Run)>,
    stop: Option<Stop>,
    notes: Vec<String>,
}

impl Board {
    /// Let a task be taken again, unless that was tried often enough; gives whether it may.
    fn gives_back(&self, task: TaskId) -> bool {
        self.with(|state| {
            let looks = state.looks.entry(task).or_insert(0);
            *looks += 1;
            *looks <= SECOND_LOOKS && state.taken.remove(&task)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first reason counts.
    fn stop(&self, why: Stop) {
        self.with(|state| _ = state.stop.get_or_insert(why));
    }
}

/// Work until there is a reason to stop.
///
/// # Errors
/// [`Code::Recursion`], [`Code::NoClaude`], [`Code::UnknownProject`]; a fault of a single run stops nothing.
pub(crate) fn work(
    queue: &Queue,
    caller: &Caller<'_>,
    shift: &Shift,
    purse: Purse,
    tell: &(dyn Fn(&str, &Entry) + Sync),
) -> Result<Worked> {
    super::ground::refuse_recursion()?;
    super::ground::program(queue, caller)?;
    account::look_again(queue, caller)?;
    let paths = projects(queue, &shift.projects)?;
    settle_stale(&paths, caller)?;
    let board = Board {
        state: Mutex::new(State::default()),
        purse,
        signals: Signals::listen(),
        paths,
        home: queue.home.root.clone(),
    };
    std::thread::scope(|scope| {
        for number in 0..shift.jobs {
            // Each with its own clock and chance: they are of one thread.
            let env = caller.env.fork(number as u64);
            let (actor, environment) = (caller.actor.clone(), caller.environment.clone());
            let board = &board;
            scope.spawn(move || {
                let caller = Caller { env: &env, actor, environment };
                if let Err(fault) = lane(board, &caller, shift, tell) {
                    board.stop(Stop::Fault(fault));
                }
            });
        }
    });
    let spent = board.purse.spent();
    let state = board.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Worked { runs: state.runs, stop: state.stop.unwrap_or(Stop::NothingReady), spent, notes: state.notes })
}

/// Runs that a killed `swift` left without an end get it before others are begun.
fn settle_stale(paths: &BTreeMap<String, PathBuf>, caller: &Caller<'_>) -> Result<()> {
    for path in paths.values() {
        let queue = Queue::open(path)?;
        let mut open = runs::all(&queue)?.all;
        open.retain(|stored| stored.run.ending.is_none());
        stale::settle(&queue, caller, &mut open)?;
    }
    Ok(())
}

/// Where the projects lie, by id.
fn projects(queue: &Queue, named: &[ProjectName]) -> Result<BTreeMap<String, PathBuf>> {
    let own = queue.settings.id.to_string();
    let mut all = BTreeMap::new();
    let is_own = |name: &ProjectName| name.as_str() == own.as_str() || queue.settings.aliases.contains(name);
    if named.is_empty() || named.iter().any(is_own) {
        all.insert(own.clone(), runs::project_folder(queue).to_owned());
    }
    if queue.settings.role != Role::Orchestrator && named.is_empty() {
        return Ok(all);
    }
    let registry = Registry::read(queue)?;
    if named.is_empty() {
        for project in &registry.projects {
            if let Ok(other) = registry::reach(project) {
                all.insert(other.settings.id.to_string(), runs::project_folder(&other).to_owned());
            }
        }
    }
    for name in named.iter().filter(|name| !is_own(name)) {
        let other = registry::reach(registry.resolve(name)?)?;
        all.insert(other.settings.id.to_string(), runs::project_folder(&other).to_owned());
    }
    Ok(all)
}

/// One worker.
fn lane(
    board: &Board,
    caller: &Caller<'_>,
    shift: &Shift,
    tell: &(dyn Fn(&str, &Entry) + Sync),
) -> Result<()> {
    loop {
        if let Some(why) = reason_to_stop(board, caller, shift)? {
            board.stop(why);
        }
        if board.with(|state| state.stop.is_some()) {
            return Ok(());
        }
        match pick(board, caller)? {
            Pick::Task(project, task) => {
                let done = one(board, caller, shift, tell, &project, task);
                board.with(|state| {
                    state.running -= 1;
                    state.ended += 1;
                });
                done?;
            }
            Pick::Wait => std::thread::park_timeout(PAUSE),
            Pick::Nothing => {
                board.stop(Stop::NothingReady);
                return Ok(());
            }
        }
    }
}

fn reason_to_stop(board: &Board, caller: &Caller<'_>, shift: &Shift) -> Result<Option<Stop>> {
    if board.signals.asked() > Asked::Nothing {
        return Ok(Some(Stop::Asked));
    }
    if shift.until.is_some_and(|until| caller.now() >= until) {
        return Ok(Some(Stop::Time));
    }
    let queue = Queue::open(&board.home)?;
    let Some(rest) = account::resting(&queue, caller) else { return Ok(None) };
    let ends = rest.until.filter(|ends| shift.until.is_some_and(|until| *ends < until));
    let Some(ends) = ends else { return Ok(Some(Stop::Account(rest.why))) };
    // The night is longer than the rest: wait for its end.
    while caller.now() < ends {
        if board.signals.asked() > Asked::Nothing {
            return Ok(Some(Stop::Asked));
        }
        std::thread::park_timeout(Duration::from_millis(200));
    }
    Ok(None)
}

/// What a worker does next.
enum Pick {
    /// The project and the task.
    Task(String, TaskId),
    /// What is not ready may become so by what others are doing, or did while we looked.
    Wait,
    Nothing,
}

/// The best ready task that nobody of this shift has had.
fn pick(board: &Board, caller: &Caller<'_>) -> Result<Pick> {
    let ended = board.with(|state| state.ended);
    let queue = Queue::open(&board.home)?;
    let scope = if board.paths.len() > 1 || !board.paths.contains_key(queue.settings.id.as_str()) {
        Scope::All
    } else {
        Scope::Project
    };
    let ranking = rank::rank(&queue, caller.now(), scope)?;
    board.with(|state| {
        for ranked in ranking.ready() {
            let Some(id) = ranked.item.id() else { continue };
            if board.paths.contains_key(ranked.project) && state.taken.insert(id) {
                state.running += 1;
                return Ok(Pick::Task(ranked.project.to_owned(), id));
            }
        }
        let is_last_word = state.running == 0 && state.ended == ended;
        Ok(if is_last_word { Pick::Nothing } else { Pick::Wait })
    })
}

/// One task, from the plan to the end.
fn one(
    board: &Board,
    caller: &Caller<'_>,
    shift: &Shift,
    tell: &(dyn Fn(&str, &Entry) + Sync),
    project: &str,
    task: TaskId,
) -> Result<()> {
    let Some(path) = board.paths.get(project) else { return Ok(()) };
    let queue = Queue::open(path)?;
    let plan = match plan::plan(&queue, caller, &About::Task(task.to_string()), &shift.wanted) {
        Ok(plan) => plan,
        Err(fault) => return skip(board, project, task, fault),
    };
    if stale::kills_its_runs(&plan.earlier) && !was_unblocked(&queue, task)? {
        return quarantine(board, &queue, caller, project, task);
    }
    if let Some(why) = &plan.asks {
        let note = format!("{project} {}: not run, because a person has to say yes: {why}", task.short());
        board.with(|state| state.notes.push(note));
        return Ok(());
    }
    let short = task.short();
    let mut tell = |entry: &Entry| tell(&short, entry);
    let mut wish = || (board.signals.asked() == Asked::Twice).then_some(End::Cancelled);
    let mut watch = Watch { tell: &mut tell, wish: &mut wish };
    let report = match drive::drive(&queue, caller, plan, &board.purse, &mut watch) {
        Ok(report) => report,
        Err(fault) => return skip(board, project, task, fault),
    };
    let last = report.runs.last().cloned();
    board.with(|state| {
        state.notes.extend(report.notes.iter().map(|note| format!("{short}: {note}")));
        state.runs.extend(last.clone().map(|run| (project.to_owned(), run)));
    });
    match (&report.next, last.and_then(|run| run.outcome().map(|outcome| (outcome, run)))) {
        (Next::StopAll, Some((_, run))) => {
            let why = run.ending.map(|ending| ending.reasons.join("; ")).unwrap_or_default();
            board.stop(Stop::Account(why));
        }
        // An attempt that failed is another one's to make, as long as the settings allow; one that never began is not.
        (Next::End, Some((outcome, _))) if counts_as_attempt(outcome) => {
            let most = queue.settings.attempts.max(1);
            board.with(|state| {
                let tries = state.tries.entry(task).or_insert(0);
                *tries += 1;
                if *tries < most {
                    state.taken.remove(&task);
                }
            });
        }
        // It waits for its time, and may be taken again after it.
        (Next::Park { .. }, _) => board.with(|state| _ = state.taken.remove(&task)),
        _ => {}
    }
    Ok(())
}

fn counts_as_attempt(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed(failure) => failure != Failure::Start,
        outcome => matches!(outcome, Outcome::TimedOut | Outcome::WithoutResult),
    }
}

/// How often a task is taken up again after somebody else was faster.
const SECOND_LOOKS: u32 = 5;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A task that cannot be run now stops nothing else, unless nothing can be run.
fn skip(board: &Board, project: &str, task: TaskId, fault: Fault) -> Result<()> {
    match fault.code {
        Code::BudgetSpent => board.stop(Stop::Budget(fault.message)),
        Code::AccountRests => board.stop(Stop::Account(fault.message)),
        Code::NoClaude | Code::Recursion => return Err(fault),
        // Somebody else was faster, or in the middle of something. If it is still ready then, it is taken again.
        Code::Claimed | Code::TaskNotFound | Code::Changed | Code::Waiting | Code::Busy
            if board.gives_back(task) =>
        {
            std::thread::park_timeout(PAUSE);
        }
        _ => board.with(|state| state.notes.push(format!("{project} {}: {fault}", task.short()))),
    }
    Ok(())
}

/// A person has looked at it since.
fn was_unblocked(queue: &Queue, task: TaskId) -> Result<bool> {
    let last = history::last_event_of(queue, task)?;
    Ok(last.is_some_and(|event| event.fact.kind == EventKind::TaskUnblocked))
}

fn quarantine(board: &Board, queue: &Queue, caller: &Caller<'_>, project: &str, task: TaskId) -> Result<()> {
    let hold = Hold { actor: caller.actor.clone(), token: None };
    let operation = caller.operation("block");
    match progress::block(queue, &operation, &task.to_string(), &hold, &stale::quarantine_reason()) {
        Ok(_) => {
            board.with(|state| {
                state.notes.push(format!("{project} {}: {}", task.short(), stale::quarantine_reason()))
            });
            Ok(())
        }
        Err(fault) => skip(board, project, task, fault),
    }
}
