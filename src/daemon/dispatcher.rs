//! The one loop: notices in, effects out. It does nothing that could take long.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::files::{Files, Hint};
use super::hands::{self, Covered, Done, Noticed, Shared};
use super::ledger::Ledger;
use super::notifier::Notifier;
use super::polling::Polling;
use super::report::{Told, Work};
use super::{Length, Request, most_hands};
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::scheduler::{Effect, Input, Now, Pauses, Reads, Scheduler};
use crate::env::{self, Env, Stopwatch};
use crate::ops::sight::{self, Directory};
use crate::store::queue::Queue;
use crate::store::tx::Mode;
use crate::store::watcher::{self, Paused, Served};

/// How long the end waits for what is going on. What is cut off then is finished by the next verb.
const LAST_WAIT: Duration = Duration::from_millis(800);

/// How often to look whether the notifier has told everything.
const NOTIFIER_LOOK: Duration = Duration::from_millis(10);

/// What the loop hears.
#[derive(Debug)]
pub(super) enum Notice {
    File(notify::Event),
    /// The system has more to tell than it could keep.
    Missed,
    /// The folders of a project that is polled have changed.
    Polled(String),
    Done(Box<Done>),
    End,
}

/// The loop and what it knows.
pub(super) struct Dispatcher<'e> {
    orchestrator: Queue,
    request: Request,
    env: &'e Env,
    clock: Stopwatch,
    scheduler: Scheduler,
    shared: Arc<Shared>,
    polling: Polling,
    ledger: Ledger,
    /// Projects that were not looked at yet, and how many there are in all.
    first: Option<(BTreeSet<String>, usize)>,
    /// In a rehearsal: projects that were looked at.
    looked_at: BTreeSet<String>,
    total: Work,
    notifier: Option<Notifier>,
}

impl<'e> Dispatcher<'e> {
    /// A loop that has not begun.
    ///
    /// # Errors
    /// Those of reading the registry.
    pub(super) fn new(
        orchestrator: Queue,
        request: Request,
        env: &'e Env,
        send: Sender<Notice>,
    ) -> Result<Self> {
        let shared = Shared {
            home: orchestrator.home.root.clone(),
            directory: RwLock::new(Arc::new(Directory::read(&orchestrator)?)),
            served: Mutex::new(Served::read(&orchestrator.local)),
            actor: request.actor.clone(),
            mode: request.mode,
            files: (request.length == Length::Endless).then(|| Mutex::new(Files::new(send.clone()))),
            notices: send.clone(),
        };
        let notifier = match request.mode {
            Mode::Write => Notifier::begin(&orchestrator, request.render, env.now())?,
            Mode::DryRun => None,
        };
        Ok(Dispatcher {
            ledger: Ledger::new(env.now().to_string()),
            scheduler: Scheduler::new(env::zone(), env.jitter(), most_hands()),
            clock: Stopwatch::start(),
            shared: Arc::new(shared),
            polling: Polling::new(send),
            first: None,
            looked_at: BTreeSet::new(),
            total: Work::default(),
            notifier,
            orchestrator,
            request,
            env,
        })
    }

    /// Go on until the end.
    ///
    /// # Errors
    /// Those of telling.
    pub(super) fn run(
        mut self,
        notices: &Receiver<Notice>,
        tell: &mut dyn FnMut(Told) -> Result<()>,
    ) -> Result<()> {
        self.write_record();
        if let Err(fault) = self.read_pauses() {
            let own = self.orchestrator.settings.id.to_string();
            self.total.failed.push((own.clone(), fault.code));
            tell(Told::Problem(Problem::at(format!("local/{}", watcher::PAUSED), fault).of(own)))?;
        }
        let known = self.known();
        if self.request.length == Length::Endless {
            let waiting: BTreeSet<String> = known.iter().map(|(id, _)| id.clone()).collect();
            let waiting: BTreeSet<String> = waiting.into_iter().filter(|id| !self.is_paused(id)).collect();
            self.first = Some((waiting, known.len()));
            if self.first.as_ref().is_some_and(|(waiting, _)| waiting.is_empty()) {
                self.first = None;
                tell(Told::Watching { projects: known.len() })?;
            }
        }
        let mut now = self.step(Input::Known(known));
        loop {
            if self.request.length == Length::Once && self.scheduler.is_settled() {
                return self.end_once(notices, tell);
            }
            match notices.recv_timeout(self.scheduler.rest(now)) {
                Ok(Notice::End) => return self.end(notices, tell),
                Ok(notice) => now = self.hear(notice, tell)?,
                Err(RecvTimeoutError::Timeout) => now = self.step(Input::Time),
                Err(RecvTimeoutError::Disconnected) => return self.end(notices, tell),
            }
        }
    }

    fn now(&self) -> Now {
        let tick = self.clock.passed();
        Now { tick, wall: self.env.now_after(tick) }
    }

    /// Let the scheduler take something in, and begin what it wants.
    fn step(&mut self, input: Input) -> Now {
        let now = self.now();
        let mut waiting = self.scheduler.step(input, now);
        while let Some(effect) = waiting.pop() {
            if let Some(answer) = self.rehearsed(&effect) {
                waiting.extend(self.scheduler.step(answer, now));
                continue;
            }
            let whole = self.with_files(|files| files.whole(now.tick));
            hands::begin(&self.shared, effect, self.env.split(), whole);
        }
        now
    }

    /// In a rehearsal nothing changes, so a second look would find the same to do again.
    fn rehearsed(&mut self, effect: &Effect) -> Option<Input> {
        let Effect::Look { project, reads, .. } = effect else { return None };
        let is_first = self.request.mode == Mode::Write || self.looked_at.insert(project.clone());
        (!is_first).then(|| hands::nothing_new(project.clone(), *reads))
    }

    fn hear(&mut self, notice: Notice, tell: &mut dyn FnMut(Told) -> Result<()>) -> Result<Now> {
        match notice {
            Notice::File(event) => Ok(self.hear_of_file(&event)),
            Notice::Missed => {
                self.reload();
                Ok(self.step(Input::Missed))
            }
            Notice::Polled(project) => {
                let reads = Reads::ALL;
                Ok(self.step(Input::Changed { project, reads, may_be_unfinished: false }))
            }
            Notice::Done(done) => self.hear_of_end(*done, tell),
            Notice::End => Ok(self.now()),
        }
    }

    fn hear_of_file(&mut self, event: &notify::Event) -> Now {
        let tick = self.clock.passed();
        let hints = self.with_files(|files| files.hints(event, tick));
        let mut now = self.now();
        for hint in hints {
            now = match hint {
                Hint::Changed { project, reads, may_be_unfinished } => {
                    self.step(Input::Changed { project, reads, may_be_unfinished })
                }
                Hint::Moved { project } => {
                    if project == self.orchestrator.settings.id.as_str() {
                        self.reload();
                    }
                    self.step(Input::Changed { project, reads: Reads::ALL, may_be_unfinished: false })
                }
                Hint::Registry => {
                    self.reload();
                    now
                }
                Hint::Pauses => {
                    // `swift doctor` and `swift status` say what is wrong with it.
                    let _ = self.read_pauses();
                    self.step(Input::Time)
                }
            };
        }
        now
    }

    fn hear_of_end(&mut self, mut done: Done, tell: &mut dyn FnMut(Told) -> Result<()>) -> Result<Now> {
        if let Some(noticed) = done.noticed.take() {
            self.poll(noticed, tell)?;
        }
        let now = self.now();
        let (new, has_changed) = self.ledger.enter(&done, &now.wall.to_string(), now.tick);
        self.notifier.as_ref().into_iter().for_each(Notifier::wake);
        tracing::debug!(
            took_ms = done.took.as_millis(),
            delivered = done.work.delivered.len(),
            "done: {:?}",
            done.covered
        );
        self.distrust(&done.input, now);
        let Done { input, work, covered, .. } = done;
        if let Covered::Looked { project, .. } = &covered {
            self.looked_at_first(project, tell)?;
        }
        if self.request.length == Length::Once {
            self.total.add(work, |project| covered.was_acted_on(project));
            self.total.problems.extend(new);
        } else {
            if !work.is_empty() {
                tell(Told::Worked(Box::new(work)))?;
            }
            for problem in new {
                tell(Told::Problem(problem))?;
            }
        }
        let now = self.step(input);
        if has_changed {
            self.write_record();
        }
        Ok(now)
    }

    /// Where something failed, files may have been put back.
    fn distrust(&self, input: &Input, now: Now) {
        let failed: Vec<&String> = match input {
            Input::Carried { outcome, .. } => outcome.failed.keys().collect(),
            Input::Tended { project, outcome, .. } if outcome.failed.is_some() => vec![project],
            _ => Vec::new(),
        };
        self.with_files(|files| failed.into_iter().for_each(|project| files.distrust(project, now.tick)));
    }

    /// Once everything was looked at, every change from then on is noticed.
    fn looked_at_first(&mut self, project: &str, tell: &mut dyn FnMut(Told) -> Result<()>) -> Result<()> {
        let Some((waiting, projects)) = &mut self.first else { return Ok(()) };
        waiting.remove(project);
        let (is_over, projects) = (waiting.is_empty(), *projects);
        if is_over {
            self.first = None;
            return tell(Told::Watching { projects });
        }
        Ok(())
    }

    fn with_files<T: Default>(&self, act: impl FnOnce(&mut Files) -> T) -> T {
        let files = self.shared.files.as_ref();
        files.map(|files| act(&mut files.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
    }

    /// Look again and again at a project of which the system does not tell.
    fn poll(&mut self, noticed: Noticed, tell: &mut dyn FnMut(Told) -> Result<()>) -> Result<()> {
        let Noticed { project, otherwise } = noticed;
        let Some((why, polled)) = otherwise else {
            self.polling.uncover(&project);
            self.ledger.polls_no_longer(&project);
            return Ok(());
        };
        self.polling.cover(&project, polled);
        if self.ledger.polls(&project) { tell(Told::Polling { project, why }) } else { Ok(()) }
    }

    /// Read anew who is carried for.
    fn reload(&mut self) {
        let Ok(queue) = Queue::open(&self.shared.home) else { return };
        self.orchestrator = queue;
        let Ok(directory) = Directory::read(&self.orchestrator) else { return };
        let ids = sight::ids(&directory);
        let before = {
            let mut present = self.shared.directory.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *present, Arc::new(directory))
        };
        for gone in sight::ids(&before).difference(&ids) {
            self.with_files(|files| files.uncover(gone));
            self.polling.uncover(gone);
        }
        self.ledger.keep(|project| ids.contains(project) || project.is_empty());
        let known = self.known();
        self.step(Input::Known(known));
    }

    /// Every project, with the instant for which it was served last. One that is new was served now: what was due before
    /// anybody watched is nobody's debt.
    fn known(&mut self) -> Vec<(String, Option<jiff::Timestamp>)> {
        let directory = Arc::clone(&self.shared.directory.read().unwrap_or_else(PoisonError::into_inner));
        let mut served = self.shared.served.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.env.now();
        let mut all = Vec::new();
        for id in sight::ids(&directory) {
            if served.last(&id).is_none() && self.request.mode == Mode::Write {
                // Not noted, it is new again at the next start, and what it misses until then is not made up for.
                let _ = served.note(&self.orchestrator.local, &id, now);
            }
            let last = served.last(&id);
            all.push((id, last));
        }
        all
    }

    /// A note that cannot be read pauses everything.
    fn read_pauses(&mut self) -> Result<()> {
        let (pauses, told) = match Paused::read(&self.orchestrator.local) {
            Ok(paused) => (Pauses { all: paused.all, projects: paused.projects }, Ok(())),
            Err(fault) => (Pauses { all: true, ..Pauses::default() }, Err(fault)),
        };
        self.step(Input::Paused(pauses));
        told
    }

    fn is_paused(&self, project: &str) -> bool {
        Paused::read(&self.orchestrator.local)
            .map_or(true, |paused| paused.all || paused.projects.contains(project))
    }

    fn write_record(&mut self) {
        let now = self.now();
        let scheduler = &self.scheduler;
        self.ledger.write(&self.orchestrator.local, |project| {
            scheduler.next_try(project, now).map(|at| at.to_string())
        });
    }

    fn end_once(
        mut self,
        notices: &Receiver<Notice>,
        tell: &mut dyn FnMut(Told) -> Result<()>,
    ) -> Result<()> {
        self.close();
        self.finish_telling(notices);
        tell(Told::Worked(Box::new(self.total)))
    }

    /// Wait until the notifier has told everything, or somebody has had enough of it.
    fn finish_telling(&mut self, notices: &Receiver<Notice>) {
        let Some(mut notifier) = self.notifier.take() else { return };
        while !notifier.is_finished() {
            if matches!(notices.recv_timeout(NOTIFIER_LOOK), Ok(Notice::End)) {
                return;
            }
        }
    }

    /// Begin nothing more, and wait a moment for what is going on.
    fn end(mut self, notices: &Receiver<Notice>, tell: &mut dyn FnMut(Told) -> Result<()>) -> Result<()> {
        self.step(Input::End);
        let last = self.clock.passed() + LAST_WAIT;
        while !self.scheduler.is_idle() {
            let rest = last.saturating_sub(self.clock.passed());
            match notices.recv_timeout(rest) {
                Ok(Notice::Done(done)) => drop(self.hear_of_end(*done, tell)?),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let is_cut_off = !self.scheduler.is_idle();
        self.close();
        if is_cut_off {
            tell(Told::Interrupted)?;
        }
        if self.request.length == Length::Once {
            return tell(Told::Worked(Box::new(self.total)));
        }
        tell(Told::Ended)
    }

    fn close(&mut self) {
        let at = self.now().wall.to_string();
        self.ledger.close(&self.orchestrator.local, at);
    }
}
