//! ctrl-c and its relatives: as flags, where the first asks and the second insists, or as calls.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::fault::{Code, Fault, Result};

/// The signals by which a person, a terminal or a system asks for the end.
const ENDS: [i32; 3] =
    [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP];

/// From now on `act` is called, on a thread of its own, whenever a signal asks for the end.
///
/// # Errors
/// [`Code::Internal`] if the system has no pipe for it.
pub(crate) fn each(mut act: impl FnMut() + Send + 'static) -> Result<()> {
    let failed =
        |error: std::io::Error| Fault::new(Code::Internal, format!("signals cannot be received: {error}"));
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
