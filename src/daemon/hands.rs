//! What the scheduler wants is done here, each thing on a thread of its own, with the verbs that a person types.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use super::dispatcher::Notice;
use super::files::Files;
use super::polling::Polled;
use super::report::Work;
use crate::domain::actor::Actor;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::scheduler::{Carried, Chores, Effect, Group, Input, Reads, Sight, Tended};
use crate::env::{Env, Stopwatch};
use crate::ops::carry::{self, Delivered, Part};
use crate::ops::sight::{self, Directory};
use crate::ops::{inbox, upkeep};
use crate::store::queue::Queue;
use crate::store::registry;
use crate::store::tx::{Attendance, Committed, Mode, Operation};
use crate::store::unattended::Unattended;
use crate::store::watcher::Served;
use crate::store::watcher::places;

/// How long somebody else's work on a queue is waited for before the turn is given up.
const PATIENCE: Duration = Duration::from_millis(100);

/// What all threads share.
pub(super) struct Shared {
    /// Where the orchestrator's queue is.
    pub(super) home: PathBuf,
    pub(super) directory: RwLock<Arc<Directory>>,
    pub(super) served: Mutex<Served>,
    /// `None` where nothing needs to be noticed.
    pub(super) files: Option<Mutex<Files>>,
    pub(super) actor: Actor,
    pub(super) mode: Mode,
    pub(super) notices: Sender<Notice>,
}

/// What came of one thing.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) input: Input,
    pub(super) work: Work,
    /// What was looked at, whose problems are told anew.
    pub(super) covered: Covered,
    /// How changes of a project show from now on, if that may be new.
    pub(super) noticed: Option<Noticed>,
    pub(super) took: Duration,
}

/// The part of the world that a report is about.
#[derive(Debug, Clone)]
pub(super) enum Covered {
    Looked { project: String, reads: Reads },
    Carried { among: BTreeSet<String>, senders: BTreeSet<String> },
    Tended { project: String },
}

impl Covered {
    /// Whether more was done in this project than to look at it.
    pub(super) fn was_acted_on(&self, id: &str) -> bool {
        match self {
            Covered::Looked { .. } => false,
            Covered::Carried { among, .. } => among.contains(id),
            Covered::Tended { project } => project == id,
        }
    }
}

/// How changes of a project show.
#[derive(Debug)]
pub(super) struct Noticed {
    pub(super) project: String,
    /// Why the system does not tell of them, and what is looked at instead.
    pub(super) otherwise: Option<(String, Polled)>,
}

/// Begin to do something; its end is a notice.
pub(super) fn begin(shared: &Arc<Shared>, effect: Effect, env: Env, whole: HashSet<PathBuf>) {
    let shared = Arc::clone(shared);
    apart(move || {
        let watch = Stopwatch::start();
        let unattended = Unattended { whole, patience: PATIENCE };
        let hand = Hand { shared: &shared, env: &env, unattended };
        let done = match effect {
            Effect::Look { project, reads, known } => hand.look(project, reads, known.as_deref()),
            Effect::Carry(group) => hand.carry(group),
            Effect::Tend { project, chores } => hand.tend(project, chores),
        };
        // Nobody listens any more: the watcher has ended.
        let _ = shared.notices.send(Notice::Done(Box::new(Done { took: watch.passed(), ..done })));
    });
}

/// Do something on a thread of its own, or here and now where the system gives none.
fn apart(work: impl FnOnce() + Send + 'static) {
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let there = Arc::clone(&work);
    let started = std::thread::Builder::new().spawn(move || {
        if let Some(work) = take(&there) {
            work();
        }
    });
    if started.is_err()
        && let Some(work) = take(&work)
    {
        work();
    }
}

struct Hand<'a> {
    shared: &'a Shared,
    env: &'a Env,
    unattended: Unattended,
}

impl Hand<'_> {
    fn orchestrator(&self) -> Result<Queue> {
        Queue::open(&self.shared.home)
    }

    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.shared.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where a project should be.
    fn checkout(&self, directory: &Directory, project: &str) -> Option<PathBuf> {
        if directory.own[0].as_str() == project {
            return self.shared.home.parent().map(PathBuf::from);
        }
        directory.registry.projects.iter().find(|p| p.entry.id.as_str() == project)?.path.clone()
    }

    fn open(&self, directory: &Directory, project: &str) -> Result<Queue> {
        if directory.own[0].as_str() == project {
            return self.orchestrator();
        }
        let found = directory.registry.projects.iter().find(|p| p.entry.id.as_str() == project);
        let found = found.ok_or_else(|| {
            Fault::new(Code::UnknownProject, format!("`{project}` is registered no longer"))
        })?;
        registry::reach(found)
    }

    fn operation(&self) -> Operation<'_> {
        Operation {
            id: self.env.operation_id(),
            verb: "watch",
            actor: self.shared.actor.clone(),
            at: self.env.now(),
            mode: self.shared.mode,
            projects: Vec::new(),
            env: self.env,
            attendance: Attendance::Nobody(self.unattended.clone()),
        }
    }

    fn look(&self, project: String, reads: Reads, known: Option<&str>) -> Done {
        let directory = self.directory();
        let opened = self.open(&directory, &project);
        // Before anything is read: what changes after that is told.
        let noticed =
            (reads == Reads::ALL).then(|| self.notice(&directory, &project, opened.as_ref().ok())).flatten();
        let seen = opened.and_then(|queue| {
            sight::look(&queue, &directory, &self.unattended, (reads, known), self.env.now())
        });
        let (input, problems, reads) = match seen {
            Ok((sight, problems)) => {
                let reads = sight.reads;
                (Input::Seen { project: project.clone(), sight: Box::new(sight) }, problems, reads)
            }
            Err(fault) => {
                let input = Input::Failed { project: project.clone(), code: fault.code };
                (input, vec![Problem::at("", fault)], reads)
            }
        };
        let problems = problems.into_iter().map(|problem| problem.of(project.clone())).collect();
        let covered = Covered::Looked { project, reads };
        Done { input, work: Work { problems, ..Work::default() }, covered, noticed, took: Duration::ZERO }
    }

    /// Have the folders of a project watched, or find what else can be done.
    fn notice(&self, directory: &Directory, project: &str, queue: Option<&Queue>) -> Option<Noticed> {
        let files = self.shared.files.as_ref()?;
        let checkout = self.checkout(directory, project)?;
        let mut marked = places::around(&checkout);
        let mut why = None;
        if let Some(queue) = queue {
            places::prepare(queue);
            marked.extend(places::of_queue(queue));
            if directory.own[0].as_str() == project {
                marked.extend(places::of_orchestrator(queue));
            }
            why = places::is_remote(&queue.home.root).then(|| "it is on a network file system".to_owned());
        }
        let covered = files.lock().unwrap_or_else(PoisonError::into_inner).cover(project, &checkout, &marked);
        let otherwise = why.or(covered.err()).map(|why| (why, Polled::of(&marked)));
        Some(Noticed { project: project.to_owned(), otherwise })
    }

    fn carry(&self, group: Group) -> Done {
        let part = Part {
            among: group.among.clone(),
            senders: group.senders.clone(),
            told: group.news.iter().map(|(sender, _)| sender.clone()).collect(),
        };
        let carried = self
            .orchestrator()
            .and_then(|orchestrator| carry::carry_part(&orchestrator, &mut self.operation(), &part));
        let covered = Covered::Carried { among: group.among.clone(), senders: group.senders.clone() };
        let (work, outcome) = match carried {
            Ok(report) => {
                let work = Work::carried(report);
                let outcome = outcome_of(&group, &work);
                (work, outcome)
            }
            Err(fault) => {
                let failed: Vec<_> = group.among.iter().map(|id| (id.clone(), fault.code)).collect();
                let outcome = Carried { failed: failed.iter().cloned().collect(), ..Carried::default() };
                let problems = vec![Problem::at("", fault)];
                (Work { problems, failed, ..Work::default() }, outcome)
            }
        };
        Done { input: Input::Carried { group, outcome }, work, covered, noticed: None, took: Duration::ZERO }
    }

    fn tend(&self, project: String, chores: Chores) -> Done {
        let mut work = Work::default();
        let mut outcome = Tended::default();
        let ended = self.open(&self.directory(), &project).and_then(|queue| {
            let done = self.do_chores(&queue, &project, chores, &mut work);
            outcome.tip = queue.home.head().ok().flatten();
            done
        });
        if let Err(fault) = ended {
            outcome.failed = Some(fault.code);
            work.failed.push((project.clone(), fault.code));
            work.problems.push(Problem::at("", fault).of(project.clone()));
        }
        let covered = Covered::Tended { project: project.clone() };
        Done {
            input: Input::Tended { project, chores, outcome },
            work,
            covered,
            noticed: None,
            took: Duration::ZERO,
        }
    }

    fn do_chores(&self, queue: &Queue, project: &str, chores: Chores, work: &mut Work) -> Result<()> {
        let of = || project.to_owned();
        if let Some(due) = chores.due {
            self.note_served(project, due)?;
        }
        if chores.accept {
            let done = inbox::accept_by_rule(queue, &self.operation())?;
            work.accepted.extend(done.accepted.into_iter().map(|changed| (of(), changed)));
            self.finish(project, done.committed, done.problems, work);
        }
        if chores.release {
            let done = upkeep::release_expired(queue, &self.operation())?;
            work.released.extend(done.done.into_iter().map(|changed| (of(), changed)));
            self.finish(project, done.committed, done.problems, work);
        }
        if chores.put_aside {
            let done = upkeep::put_broken_aside(queue, &self.operation())?;
            work.put_aside.extend(done.done.into_iter().map(|aside| (of(), aside)));
            self.finish(project, done.committed, done.problems, work);
        }
        if chores.ask {
            let done = upkeep::ask_after(queue, &self.operation())?;
            work.asked.extend(done.done.into_iter().map(|item| (of(), item)));
            self.finish(project, done.committed, done.problems, work);
        }
        Ok(())
    }

    fn finish(&self, project: &str, committed: Committed, problems: Vec<Problem>, work: &mut Work) {
        work.commits.push((project.to_owned(), committed));
        work.problems.extend(problems.into_iter().map(|problem| problem.of(project)));
    }

    /// Before anything is done for it, so that whatever happens it is not done twice.
    fn note_served(&self, project: &str, due: Timestamp) -> Result<()> {
        let orchestrator = self.orchestrator()?;
        let mut served = self.shared.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.note(&orchestrator.local, project, due)
    }
}

/// What the scheduler has to know of a round.
fn outcome_of(group: &Group, work: &Work) -> Carried {
    let mut outcome = Carried::default();
    for problem in &work.problems {
        let Some(project) = problem.project.as_ref().filter(|id| group.among.contains(*id)) else { continue };
        if problem.path.is_empty() {
            outcome.failed.insert(project.clone(), problem.fault.code);
        } else if group.senders.contains(project) && problem.path.starts_with("outbox/") {
            outcome.stuck.insert(project.clone());
        }
    }
    outcome.reached = work.delivered.iter().map(|delivered| delivered.to.clone()).collect();
    let is_ahead = |task: &&Delivered| task.from != task.to && !task.path.starts_with("inbox/");
    outcome.ahead =
        work.delivered.iter().filter(is_ahead).map(|task| (task.from.clone(), task.to.clone())).collect();
    for (project, committed) in &work.commits {
        outcome.tips.extend(committed.commit.clone().map(|commit| (project.clone(), commit)));
    }
    outcome
}

/// A look at a project that was looked at before, in a rehearsal: nothing new.
pub(super) fn nothing_new(project: String, reads: Reads) -> Input {
    Input::Seen { project, sight: Box::new(Sight { reads, ..Sight::default() }) }
}
