//! One program from its start to the end of everything that it started, with every wait limited.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::child::{self, Guarded, Heard, Order, Stdout};
use crate::domain::run::event::Event;
use crate::domain::run::evidence::{End, Exit, Finished};

/// How often deadlines and wishes are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long streams may stay open when nothing lives any more that we know of.
const STREAM_PATIENCE: Duration = Duration::from_secs(2);

/// How much longer than its grace the guardian may take.
const GUARDIAN_PATIENCE: Duration = Duration::from_secs(15);

/// How long a program may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    pub(crate) whole: Duration,
    /// How long it may write nothing.
    pub(crate) silence: Duration,
}

/// Run it. `hear` is told each event; `wish` is asked now and then whether it shall end, and why.
pub(crate) fn run(
    order: Order,
    stdout: Stdout,
    deadlines: Deadlines,
    hear: &mut dyn FnMut(&Event),
    wish: &mut dyn FnMut() -> Option<End>,
) -> Finished {
    let grace = order.grace;
    match child::start(order, stdout) {
        Ok(guarded) => Watch::new(guarded, deadlines, grace).until_gone(hear, wish),
        Err(error) => Finished::never(error.to_string()),
    }
}

struct Watch {
    guarded: Guarded,
    deadlines: Deadlines,
    grace: Duration,
    started: Instant,
    /// Bytes seen, and since when they are that many.
    heard: (u64, Instant),
    asked: Instant,
    /// When the end was asked for.
    ending: Option<Instant>,
    exit: Option<Exit>,
    gone: Option<(Instant, u32)>,
    closed: u32,
    said: Vec<u8>,
    finished: Finished,
}

impl Watch {
    fn new(guarded: Guarded, deadlines: Deadlines, grace: Duration) -> Watch {
        let now = Instant::now();
        Watch {
            guarded,
            deadlines,
            grace,
            started: now,
            heard: (0, now),
            asked: now,
            ending: None,
            exit: None,
            gone: None,
            closed: 0,
            said: Vec::new(),
            finished: Finished::default(),
        }
    }

    fn until_gone(mut self, hear: &mut dyn FnMut(&Event), wish: &mut dyn FnMut() -> Option<End>) -> Finished {
        while !self.is_over() {
            if let Some(heard) = self.guarded.next(TICK) {
                self.take(heard, hear);
            }
            self.look(wish);
        }
        Finished {
            exit: self.exit.unwrap_or(Exit::Unknown),
            said: String::from_utf8_lossy(&self.said).into_owned(),
            leftovers: self.finished.leftovers.max(self.gone.map_or(0, |(_, left)| left)),
            ..self.finished
        }
    }

    /// Nothing lives, and both streams are read to their end, or somebody beyond our reach holds one.
    fn is_over(&self) -> bool {
        self.gone.is_some_and(|(since, _)| self.closed >= 2 || since.elapsed() > STREAM_PATIENCE)
    }

    fn take(&mut self, heard: Heard, hear: &mut dyn FnMut(&Event)) {
        match heard {
            Heard::Event(event) => {
                self.finished.hear(&event);
                hear(&event);
                if matches!(event, Event::Retrying { .. }) && self.finished.is_hopeless() {
                    self.stop(End::Hopeless);
                }
            }
            Heard::Exit(exit) => self.exit = Some(exit),
            Heard::Left(count) => self.finished.leftovers = count,
            Heard::Gone(left) => self.gone = Some((Instant::now(), left)),
            Heard::Unguarded => self.unguarded(),
            Heard::Closed => self.closed += 1,
            Heard::Tail(bytes) => self.said.extend(bytes),
        }
    }

    fn unguarded(&mut self) {
        self.guarded.sweep();
        self.gone = Some((Instant::now(), 0));
    }

    fn look(&mut self, wish: &mut dyn FnMut() -> Option<End>) {
        if let Some(since) = self.ending {
            if self.gone.is_none() && since.elapsed() > self.grace + GUARDIAN_PATIENCE {
                self.unguarded();
            }
            return;
        }
        if self.exit.is_some() || self.gone.is_some() {
            return;
        }
        let seen = self.guarded.seen.load(Ordering::Relaxed);
        if seen != self.heard.0 {
            self.heard = (seen, Instant::now());
        }
        if self.started.elapsed() > self.deadlines.whole {
            self.stop(End::TimedOut);
        } else if self.heard.1.elapsed() > self.deadlines.silence {
            self.stop(End::Silent);
        } else if self.asked.elapsed() >= TICK {
            self.asked = Instant::now();
            if let Some(end) = wish() {
                self.stop(end);
            }
        }
    }

    fn stop(&mut self, end: End) {
        if self.ending.is_none() && self.exit.is_none() {
            self.finished.end = end;
            self.ending = Some(Instant::now());
            self.guarded.terminate();
        }
    }
}
