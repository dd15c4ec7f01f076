//! One project: what waits in it, what was seen of it, and when it may be touched.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::backoff::{Cause, Retry};
use super::{Chores, Now, Reads, Sight};
use crate::domain::auto::Auto;
use crate::domain::fault::Code;

/// How often a queue that somebody else holds is waited for by a watcher that is to end: some seconds.
const MOST_WAITS: u32 = 8;

/// The state of one project.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) auto: Auto,
    /// What has to be looked at, from when on, and since when.
    reads: Reads,
    due: Duration,
    pub(super) noticed: Option<Duration>,
    /// Whether something is going on in it.
    pub(super) is_busy: bool,
    /// Whether it was taken out of the registry.
    pub(super) is_gone: bool,
    /// It could not be read or written.
    pub(super) trouble: Option<Retry>,
    /// Letters in its outbox could not be delivered.
    pub(super) stuck: Option<Retry>,
    /// Its newest commit, as far as it is ours or was looked at.
    pub(super) tip: Option<String>,
    /// Receivers of its letters.
    pub(super) letters: BTreeSet<String>,
    /// Whether it has letters for nobody.
    pub(super) has_stray: bool,
    /// Receivers that have news for it.
    pub(super) news: BTreeSet<String>,
    /// The standing of other projects' tasks that they have been told of.
    told: Option<String>,
    has_acceptable: bool,
    deferred_until: Option<Timestamp>,
    lease_until: Option<Timestamp>,
    ask_at: Option<Timestamp>,
    put_aside_at: Option<Duration>,
    /// The last scheduled instant that was served.
    served: Timestamp,
    /// One that was begun and did not succeed.
    pub(super) owed: Option<Timestamp>,
}

impl Lane {
    /// A project that was not looked at yet.
    pub(super) fn new(served: Timestamp) -> Lane {
        Lane {
            auto: Auto::default(),
            reads: Reads::default(),
            due: Duration::ZERO,
            noticed: None,
            is_busy: false,
            is_gone: false,
            trouble: None,
            stuck: None,
            tip: None,
            letters: BTreeSet::new(),
            has_stray: false,
            news: BTreeSet::new(),
            told: None,
            has_acceptable: false,
            deferred_until: None,
            lease_until: None,
            ask_at: None,
            put_aside_at: None,
            served,
            owed: None,
        }
    }

    /// Have something looked at.
    pub(super) fn want(&mut self, reads: Reads, at: Duration) {
        if reads.is_empty() {
            return;
        }
        self.due = if self.reads.is_empty() { at } else { self.due.min(at) };
        self.reads.add(reads);
    }

    /// A change was noticed.
    pub(super) fn changed(&mut self, reads: Reads, may_be_unfinished: bool, now: Duration) {
        let settle = if may_be_unfinished { self.auto.settle.unsigned_abs() } else { Duration::ZERO };
        self.want(reads, now + settle);
        if reads.outbox {
            self.noticed.get_or_insert(now);
            self.stuck.iter_mut().for_each(|stuck| stuck.hasten(now));
        }
        self.trouble.iter_mut().for_each(|trouble| trouble.hasten(now));
    }

    /// Whatever failed is tried again now.
    pub(super) fn try_again(&mut self, now: Duration) {
        let retries = self.trouble.iter_mut().chain(&mut self.stuck);
        retries.for_each(|retry| retry.at = retry.at.min(now));
    }

    /// Whether something may be begun in it.
    pub(super) fn is_free(&self, now: Duration) -> bool {
        !self.is_busy && !self.is_gone && self.trouble.as_ref().is_none_or(|trouble| trouble.at <= now)
    }

    /// Whether a look is due.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        !self.reads.is_empty() && self.due <= now
    }

    /// Whether nothing waits to be looked at; what was seen and not done waits for time or for somebody else.
    pub(super) fn is_settled(&self) -> bool {
        let is_given_up = self
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.code != Code::Busy || trouble.tries > MOST_WAITS);
        self.is_gone || is_given_up || self.reads.is_empty() && self.trouble.is_none()
    }

    /// Bring forward what only waited for its time.
    pub(super) fn wake(&mut self, now: Duration) {
        if self.trouble.as_ref().is_some_and(|trouble| trouble.is_forgotten(now)) {
            self.trouble = None;
        }
        if self.stuck.as_mut().is_some_and(|stuck| stuck.is_called_now(now)) {
            self.want(Reads { outbox: true, ..Reads::default() }, now);
        }
    }

    fn has_acceptable_now(&self) -> bool {
        self.has_acceptable && self.auto.schedule.is_empty()
    }

    /// What to look at, and the commit that is known.
    pub(super) fn begin_look(&mut self) -> (Reads, Option<String>) {
        self.is_busy = true;
        (std::mem::take(&mut self.reads), self.tip.clone())
    }

    /// Take in what a look has seen; gives the senders that have to be told something.
    pub(super) fn see(&mut self, sight: Sight, now: Now) -> BTreeSet<String> {
        let Sight { reads, .. } = sight;
        self.is_busy = false;
        self.trouble = self.trouble.take().filter(|trouble| trouble.cause == Cause::Writing);
        self.auto = sight.auto;
        self.tip = sight.tip;
        if reads.outbox {
            self.letters = sight.letters;
            self.has_stray = sight.has_stray;
            if self.letters.is_empty() && !self.has_stray && sight.rest.is_none() {
                self.noticed = None;
                self.stuck = None;
            }
        }
        if reads.inbox {
            self.has_acceptable = sight.has_acceptable;
            self.deferred_until = sight.deferred_until;
        }
        if reads.outbox || reads.inbox || reads.standing {
            let seen = sight.put_aside_in.map(|rest| now.tick + rest);
            self.put_aside_at = self.put_aside_at.into_iter().chain(seen).min();
        }
        if reads.records {
            self.ask_at = sight.ask_at;
            self.news.extend(sight.awaited);
        }
        if let Some(rest) = sight.rest {
            self.want(
                Reads { outbox: reads.outbox, inbox: reads.inbox, ..Reads::default() },
                now.tick + rest,
            );
        }
        if !reads.standing {
            return BTreeSet::new();
        }
        self.lease_until = sight.lease_until;
        let is_news = self.told.as_ref() != Some(&sight.standing);
        self.told = Some(sight.standing);
        if is_news { sight.senders } else { BTreeSet::new() }
    }

    /// What is to be done in it now.
    pub(super) fn chores(&mut self, now: Now, zone: &TimeZone) -> Option<Chores> {
        let passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now.wall);
        if passed(self.deferred_until) {
            self.deferred_until = None;
            self.want(Reads { inbox: true, ..Reads::default() }, now.tick);
        }
        let due = self.owed.take().or_else(|| self.missed(now.wall, zone));
        let chores = Chores {
            accept: !self.auto.accept.is_none() && (due.is_some() || self.has_acceptable_now()),
            due,
            release: passed(self.lease_until),
            put_aside: self.put_aside_at.is_some_and(|at| at <= now.tick),
            ask: passed(self.ask_at),
        };
        if chores == Chores::default() {
            return None;
        }
        self.served = due.unwrap_or(self.served).max(self.served);
        self.has_acceptable &= !chores.accept;
        self.lease_until = self.lease_until.filter(|_| !chores.release);
        self.put_aside_at = self.put_aside_at.filter(|_| !chores.put_aside);
        self.ask_at = self.ask_at.filter(|_| !chores.ask);
        Some(chores)
    }

    fn missed(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        self.auto.schedule.iter().filter_map(|schedule| schedule.missed(self.served, now, zone)).max()
    }

    /// The next scheduled instant.
    fn next_scheduled(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let after = self.served.max(now);
        self.auto.schedule.iter().filter_map(|schedule| schedule.next_after(after, zone)).min()
    }

    /// When it has to be thought of again, by either clock. What is past already waits for something else.
    pub(super) fn next(&self, now: Now, zone: &TimeZone) -> (Option<Duration>, Option<Timestamp>) {
        if self.is_busy || self.is_gone {
            return (None, None);
        }
        let due = (!self.reads.is_empty()).then_some(self.due);
        let stuck = self.stuck.as_ref().map(|stuck| stuck.at);
        let trouble = self.trouble.iter().flat_map(|trouble| [trouble.at, trouble.forgotten_at()]);
        let tick = [due, self.put_aside_at, stuck].into_iter().flatten().chain(trouble);
        let wall = [self.deferred_until, self.lease_until, self.ask_at, self.next_scheduled(now.wall, zone)];
        let wall = wall.into_iter().flatten().filter(|at| *at > now.wall);
        (tick.filter(|at| *at > now.tick).min(), wall.min())
    }

    /// Whether letters that could not be delivered are tried again now.
    pub(super) fn tries_stuck(&self, now: Duration) -> bool {
        self.stuck.as_ref().is_none_or(|stuck| stuck.at <= now)
    }
}
