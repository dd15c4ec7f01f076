//! ctrl-c and its relatives, counted: the first asks, the second insists.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
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
