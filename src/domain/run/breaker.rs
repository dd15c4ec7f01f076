//! The circuit breaker (Nygard, "Release It!"): stop asking a model that keeps failing, ask once after a while.
//!
//! One for each account and model, and one for the account alone, which a usage limit and a refused login open.

use jiff::{SignedDuration, Timestamp};

use super::outcome::{Failure, Outcome};

/// How many failures in a row open it.
const MOST: u32 = 5;

/// How long it stays open the first time; twice as long each time the probe fails.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(60);

/// The longest rest.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(1);

/// The state of one breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    /// Failures in a row.
    pub(crate) failures: u32,
    /// How often it opened in a row.
    pub(crate) openings: u32,
    /// Until when nothing is started; `None` while it is closed.
    pub(crate) open_until: Option<Timestamp>,
    /// Since when one run probes whether it is over.
    pub(crate) probing_since: Option<Timestamp>,
    /// Only a person closes it: what has to be looked at.
    pub(crate) held: Option<String>,
    /// Why it rests, where somebody told: a usage limit, for example.
    pub(crate) why: Option<String>,
}

/// How it is seen at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Closed,
    /// Nothing is started; until when, if it ends by itself.
    Open(Option<Timestamp>),
    /// One run may try.
    HalfOpen,
}

impl State {
    /// The word in documents.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open(_) => "open",
            State::HalfOpen => "half-open",
        }
    }
}

/// A probe whose end nobody reported does not keep others out for longer than this.
const LONGEST_PROBE: SignedDuration = SignedDuration::from_mins(30);

impl Breaker {
    /// How it is now.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        match (&self.held, self.open_until) {
            (Some(_), _) => State::Open(None),
            (None, None) => State::Closed,
            (None, Some(until)) if until > now => State::Open(Some(until)),
            (None, Some(_)) => State::HalfOpen,
        }
    }

    /// Whether a run may start now; in the half-open state only one may.
    pub(crate) fn admits(&self, now: Timestamp) -> bool {
        match self.state(now) {
            State::Closed => true,
            State::Open(_) => false,
            State::HalfOpen => {
                self.probing_since.is_none_or(|since| now.duration_since(since) > LONGEST_PROBE)
            }
        }
    }

    /// A run starts.
    pub(crate) fn started(&mut self, now: Timestamp) {
        if self.state(now) == State::HalfOpen {
            self.probing_since = Some(now);
        }
    }

    /// A run ended.
    pub(crate) fn ended(&mut self, outcome: Outcome, now: Timestamp) {
        let was_probe = self.probing_since.take().is_some();
        match outcome {
            Outcome::Failed(
                Failure::Overloaded | Failure::Server | Failure::Connection | Failure::RateLimit,
            ) => {
                self.failures = self.failures.saturating_add(1);
                if was_probe || self.failures >= MOST {
                    self.open(now);
                }
            }
            // These say nothing about the servers.
            Outcome::Cancelled | Outcome::Interrupted | Outcome::Limit(_) => {}
            Outcome::Failed(
                Failure::Start
                | Failure::Killed
                | Failure::Crash
                | Failure::NoResult
                | Failure::Login
                | Failure::Billing
                | Failure::Worktree,
            ) => {}
            _ => *self = Breaker { held: self.held.take(), ..Breaker::default() },
        }
    }

    fn open(&mut self, now: Timestamp) {
        let factor = 1_i32 << self.openings.min(10);
        let rest = FIRST_REST.checked_mul(factor).unwrap_or(LONGEST_REST).min(LONGEST_REST);
        self.openings = self.openings.saturating_add(1);
        self.open_until = now.checked_add(rest).ok();
    }

    /// Nothing starts before this instant.
    pub(crate) fn rest_until(&mut self, until: Timestamp, why: &str) {
        self.open_until = Some(self.open_until.map_or(until, |present| present.max(until)));
        self.why = Some(why.to_owned());
        self.probing_since = None;
    }

    /// A run ended in a way that does not make the account rest.
    pub(crate) fn ended_otherwise(&mut self, outcome: Outcome) {
        let was_probe = self.probing_since.take().is_some();
        if was_probe && !matches!(outcome, Outcome::Cancelled | Outcome::Interrupted) {
            *self = Breaker { held: self.held.take(), ..Breaker::default() };
        }
    }

    /// A person has looked: one run may try.
    pub(crate) fn look_again(&mut self, now: Timestamp) {
        if self.held.take().is_some() {
            self.open_until = Some(now);
            self.probing_since = None;
        }
    }

    /// Nothing starts before a person has looked.
    pub(crate) fn hold(&mut self, why: &str) {
        self.held = Some(why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OVERLOADED: Outcome = Outcome::Failed(Failure::Overloaded);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..MOST {
            assert!(breaker.admits(at(0)));
            breaker.ended(OVERLOADED, at(0));
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_admits_one_probe() {
        let mut breaker = opened();
        assert_eq!(breaker.state(at(1)), State::Open(Some(at(60))));
        assert!(!breaker.admits(at(59)));
        assert_eq!(breaker.state(at(60)), State::HalfOpen);
        assert!(breaker.admits(at(60)));
        breaker.started(at(60));
        assert!(!breaker.admits(at(61)), "one at a time");
        breaker.ended(Outcome::Completed, at(62));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_failed_probe_opens_it_for_twice_as_long() {
        let mut breaker = opened();
        breaker.started(at(60));
        breaker.ended(OVERLOADED, at(60));
        assert_eq!(breaker.state(at(61)), State::Open(Some(at(180))));
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            breaker.ended(OVERLOADED, at(0));
            breaker.ended(Outcome::WithoutResult, at(0));
        }
        assert_eq!(breaker.state(at(0)), State::Closed);
    }

    #[test]
    fn what_says_nothing_about_the_servers_changes_nothing() {
        let mut breaker = Breaker { failures: 3, ..Breaker::default() };
        for outcome in [Outcome::Cancelled, Outcome::Interrupted, Outcome::Failed(Failure::Killed)] {
            breaker.ended(outcome, at(0));
        }
        assert_eq!(breaker.failures, 3);
    }

    #[test]
    fn a_limit_lets_nothing_through_until_its_end_and_a_hold_until_a_person_looks() {
        let mut breaker = Breaker::default();
        breaker.rest_until(at(500), "the limit is reached");
        assert!(!breaker.admits(at(499)) && breaker.admits(at(500)));
        breaker.hold("the login was refused");
        assert_eq!(breaker.state(at(9_999)), State::Open(None));
        breaker.ended(Outcome::Completed, at(9_999));
        assert!(!breaker.admits(at(9_999)), "a run that was under way lifts no hold");
        breaker.look_again(at(10_000));
        assert!(breaker.admits(at(10_000)));
        breaker.started(at(10_000));
        assert!(!breaker.admits(at(10_001)), "one run tries");
        breaker.ended_otherwise(Outcome::Completed);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_probe_that_never_reports_keeps_nobody_out_for_ever() {
        let mut breaker = opened();
        breaker.started(at(60));
        assert!(!breaker.admits(at(100)) && breaker.admits(at(60 + 31 * 60)));
    }
}
