//! ctrl-c and its relatives: as flags, where the first asks and the second insists, as calls, or as the end of a wait.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::domain::fault::{Code, Fault, Result};

/// The signals by which a person, a terminal or a system asks for the end.
const ENDS: [i32; 3] =
    [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP];

/// Whether the verb has an answer of its own to ctrl-c, as a run and a watcher have.
static IS_ANSWERED: AtomicBool = AtomicBool::new(false);

/// From now on `act` is called, on a thread of its own, whenever a signal asks for the end.
///
/// # Errors
/// [`Code::Internal`] if the system has no pipe for it.
pub(crate) fn each(mut act: impl FnMut() + Send + 'static) -> Result<()> {
    let failed =
        |error: std::io::Error| Fault::new(Code::Internal, format!("signals cannot be received: {error}"));
    IS_ANSWERED.store(true, Ordering::SeqCst);
    let (mut read, write) = UnixStream::pair().map_err(failed)?;
    for signal in ENDS {
        let write = write.try_clone().map_err(failed)?;
        signal_hook::low_level::pipe::register(signal, write).map_err(failed)?;
    }
    std::thread::spawn(move || {
        let mut byte = [0];
        while read.read_exact(&mut byte).is_ok() {
            act();
        }
    });
    Ok(())
}

/// What the person has asked for with ctrl-c so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    Nothing,
    /// Begin nothing new.
    Once,
    /// End what runs.
    Twice,
}

/// The flags that signals set.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    arrived: Arc<AtomicBool>,
    once: Arc<AtomicBool>,
    twice: Arc<AtomicBool>,
}

impl Signals {
    /// From now on SIGINT, SIGTERM and SIGHUP are counted instead of ending the process.
    pub(crate) fn listen() -> Signals {
        IS_ANSWERED.store(true, Ordering::SeqCst);
        let signals = Signals { arrived: Arc::default(), once: Arc::default(), twice: Arc::default() };
        for signal in ENDS {
            // Where it cannot be had the signal ends the process, and the guardian the rest.
            let _ = signal_hook::flag::register(signal, Arc::clone(&signals.arrived));
        }
        signals
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Asked {
        if self.arrived.swap(false, Ordering::SeqCst) && self.once.swap(true, Ordering::SeqCst) {
            self.twice.store(true, Ordering::SeqCst);
        }
        match (self.once.load(Ordering::SeqCst), self.twice.load(Ordering::SeqCst)) {
            (_, true) => Asked::Twice,
            (true, false) => Asked::Once,
            (false, false) => Asked::Nothing,
        }
    }
}

/// What ctrl-c does to waits. Installed with the first of them: a verb that waits for nobody hears no signal.
#[derive(Default)]
struct Waits {
    /// How many there are now, in all threads.
    now: AtomicUsize,
    /// Nobody waits: ctrl-c ends the program, as ever.
    none: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
    /// One was given up.
    is_given_up: AtomicBool,
}

static WAITS: OnceLock<Waits> = OnceLock::new();

impl Waits {
    fn listen() -> Waits {
        let (waits, interrupt) = (Waits::default(), signal_hook::consts::SIGINT);
        // Where they cannot be had ctrl-c ends the program, and the next verb puts in order what that has left.
        let _ = signal_hook::flag::register_conditional_default(interrupt, Arc::clone(&waits.none));
        let _ = signal_hook::flag::register(interrupt, Arc::clone(&waits.asked));
        waits
    }
}

/// A wait for somebody else. While it lasts ctrl-c ends it, and not the program in the middle of something; a verb with
/// an answer of its own to ctrl-c waits on.
#[must_use = "ctrl-c ends the wait only as long as this lives"]
pub(crate) struct Wait(Option<&'static Waits>);

impl Wait {
    /// Begin to wait.
    pub(crate) fn begin() -> Wait {
        if IS_ANSWERED.load(Ordering::SeqCst) {
            return Wait(None);
        }
        let waits = WAITS.get_or_init(Waits::listen);
        waits.now.fetch_add(1, Ordering::SeqCst);
        waits.none.store(false, Ordering::SeqCst);
        Wait(Some(waits))
    }

    /// Whether the person does not want to wait any longer. Whoever is told so gives up.
    pub(crate) fn is_given_up(&self) -> bool {
        let Some(waits) = self.0.filter(|waits| waits.asked.load(Ordering::SeqCst)) else { return false };
        waits.is_given_up.store(true, Ordering::SeqCst);
        true
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(waits) = self.0
            && waits.now.fetch_sub(1, Ordering::SeqCst) == 1
        {
            waits.none.store(true, Ordering::SeqCst);
        }
    }
}

/// Whether this program has given up a wait because of ctrl-c.
pub(crate) fn was_a_wait_given_up() -> bool {
    WAITS.get().is_some_and(|waits| waits.is_given_up.load(Ordering::SeqCst))
}
