//! Tells a program of events, on a thread of its own: a slow or broken one delays nothing else.
//!
//! The dispatcher calls [`Notifier::wake`] after each pass; what is new, the thread finds out for itself. The command
//! is that of the settings when the watcher began: what a pull brings into the settings while it runs is not started.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use jiff::Timestamp;

use crate::domain::fault::{Fault, Result};
use crate::domain::notify::Notify;
use crate::ops::events::{Memory, Told};
use crate::ops::notify::{self, Round};
use crate::store::queue::Queue;

/// Makes of an event what the program reads.
pub(crate) type Render = fn(&Told) -> Vec<u8>;

/// The thread that tells.
#[derive(Debug)]
pub(super) struct Notifier {
    wake: Option<Sender<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Begin to tell, if the settings name a program.
    ///
    /// # Errors
    /// Those of noting the place where the telling begins.
    pub(super) fn begin(orchestrator: &Queue, render: Render, now: Timestamp) -> Result<Option<Notifier>> {
        let notify = orchestrator.settings.notify.clone();
        if notify.command.is_empty() {
            return Ok(None);
        }
        notify::begin(orchestrator, now)?;
        let (wake, woken) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let teller = Teller { home: orchestrator.home.root.clone(), notify, render, stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new()
            .spawn(move || teller.run(&woken))
            .map_err(|error| Fault::of_system("the notifier cannot be started", &error))?;
        let notifier = Notifier { wake: Some(wake), stop, thread: Some(thread) };
        // What happened while nobody watched.
        notifier.wake();
        Ok(Some(notifier))
    }

    /// Something may have happened.
    pub(super) fn wake(&self) {
        // A thread that has ended has said why.
        let _ = self.wake.as_ref().map(|wake| wake.send(()));
    }

    /// Whether everything that has happened is told. To be asked when nothing more will happen.
    pub(super) fn is_finished(&mut self) -> bool {
        self.wake = None;
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Notifier {
    /// End it, with the program that runs just now; that event is told at the next start.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Teller {
    home: PathBuf,
    notify: Notify,
    render: Render,
    stop: Arc<AtomicBool>,
}

impl Teller {
    fn run(&self, woken: &Receiver<()>) {
        let mut memory = Memory::new();
        while woken.recv().is_ok() {
            // Everything that has happened by now is told in one go.
            while woken.try_recv().is_ok() {}
            if self.is_over() {
                return;
            }
            if let Err(fault) = self.tell(&self.home, &mut memory) {
                tracing::warn!(code = fault.code.as_str(), "nobody can be told of events: {fault}");
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, home: &Path, memory: &mut Memory) -> Result<()> {
        let round = Round {
            notify: &self.notify,
            render: &self.render,
            stop: &|| self.is_over(),
            warn: &|told, why| {
                let event = &told.event;
                tracing::warn!(
                    project = told.project.as_str(),
                    event = %event.id,
                    kind = event.fact.kind.as_str(),
                    "the notifier failed: {why}"
                );
            },
        };
        notify::tell(&Queue::open(home)?, &round, memory)
    }
}
