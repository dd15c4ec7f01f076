//! One program from its start to the end of everything that it started, with every wait limited.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::child::{self, Guarded, Heard, Order, Stdout};
use crate::domain::run::event::{Event, LimitNotice, ResultLine, Trouble};
use crate::domain::run::evidence::{Due, End, Evidence, Exit};

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

/// What is known when nothing of it lives any more.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) exit: Exit,
    pub(crate) end: End,
    pub(crate) result: Option<ResultLine>,
    pub(crate) limit: Option<LimitNotice>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) refused: Vec<String>,
    /// The end of a text stream: stderr, and stdout where that is text.
    pub(crate) said: String,
    /// Descendants that outlived the program and were ended.
    pub(crate) leftovers: u32,
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
        Err(error) => Finished {
            exit: Exit::NeverStarted,
            end: End::OfItself,
            result: None,
            limit: None,
            trouble: None,
            refused: Vec::new(),
            said: error.to_string(),
            leftovers: 0,
        },
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
    end: End,
    exit: Option<Exit>,
    gone: Option<(Instant, u32)>,
    closed: u32,
    said: Vec<u8>,
    leftovers: u32,
    evidence: Evidence,
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
            end: End::OfItself,
            exit: None,
            gone: None,
            closed: 0,
            said: Vec::new(),
            leftovers: 0,
            evidence: Evidence::none(Due::Something),
        }
    }

    fn until_gone(mut self, hear: &mut dyn FnMut(&Event), wish: &mut dyn FnMut() -> Option<End>) -> Finished {
        while !self.is_over() {
            if let Some(heard) = self.guarded.next(TICK) {
                self.take(heard, hear);
            }
            self.look(wish);
        }
        let evidence = self.evidence;
        Finished {
            exit: self.exit.unwrap_or(Exit::Unknown),
            end: self.end,
            result: evidence.result,
            limit: evidence.limit,
            trouble: evidence.trouble,
            refused: evidence.refused,
            said: String::from_utf8_lossy(&self.said).into_owned(),
            leftovers: self.leftovers.max(self.gone.map_or(0, |(_, left)| left)),
        }
    }

    /// Nothing lives, and both streams are read to their end, or somebody beyond our reach holds one.
    fn is_over(&self) -> bool {
        self.gone.is_some_and(|(since, _)| self.closed >= 2 || since.elapsed() > STREAM_PATIENCE)
    }

    fn take(&mut self, heard: Heard, hear: &mut dyn FnMut(&Event)) {
        match heard {
            Heard::Event(event) => {
                self.evidence.hear(&event);
                hear(&event);
                if matches!(event, Event::Retrying { .. }) && self.evidence.is_hopeless() {
                    self.stop(End::Hopeless);
                }
            }
            Heard::Exit(exit) => self.exit = Some(exit),
            Heard::Left(count) => self.leftovers = count,
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
            self.end = end;
            self.ending = Some(Instant::now());
            self.guarded.terminate();
        }
    }
}
