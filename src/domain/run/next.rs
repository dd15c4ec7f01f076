//! What follows a run: another attempt, a stronger model, a rest, or nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::limit::LONGEST_REST;
use super::outcome::{Failure, Outcome};
use super::policy::Policy;
use super::tier::Tier;

/// What to do after a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// That was it.
    End,
    /// The same again, after a while.
    Retry { after: Duration },
    /// The same with a stronger model.
    Escalate { to: Tier },
    /// The account rests; the task waits, and the same session goes on then.
    Park { until: Timestamp },
    /// Nothing can run on this account before a person has looked.
    StopAll,
}

/// How far a task has come in one go: counted before each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Count {
    /// Runs that were tried again.
    pub(crate) retries: u32,
    pub(crate) escalations: u32,
}

/// The longest wait before a retry.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// How long an account rests if nobody says until when.
const REST: SignedDuration = SignedDuration::from_mins(30);

/// Decide what follows. `chance` is a number below 1000 and spreads waits.
pub(crate) fn after(
    outcome: Outcome,
    tier: Tier,
    count: Count,
    policy: &Policy,
    now: Timestamp,
    chance: u64,
) -> Next {
    match outcome {
        Outcome::Limit(until) => Next::Park { until: rest(until, now, chance) },
        Outcome::Failed(Failure::Login | Failure::Billing) => Next::StopAll,
        Outcome::Failed(failure) => {
            let retry = (is_passing(failure) && count.retries < policy.retries)
                .then(|| Next::Retry { after: backoff(policy.backoff, count.retries, chance) });
            let is_for_more = is_for_a_stronger_one(failure) || is_crash_again(failure, count);
            let stronger =
                tier.stronger().filter(|_| is_for_more && count.escalations < policy.escalations.min(2));
            // What crashed twice goes up before it is tried a third time: then it counts as what kills its runs.
            stronger.map(|to| Next::Escalate { to }).or(retry).unwrap_or(Next::End)
        }
        _ => Next::End,
    }
}

/// What may be over in a moment.
fn is_passing(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::Overloaded
            | Failure::Connection
            | Failure::Server
            | Failure::RateLimit
            | Failure::Crash
            | Failure::NoResult
    )
}

/// What a stronger model may do better.
fn is_for_a_stronger_one(failure: Failure) -> bool {
    matches!(failure, Failure::NeedsStrongerModel | Failure::Verifier | Failure::AnswerForm)
}

/// The model's own work failed again and again; that its servers are down is nothing that another model mends.
fn is_crash_again(failure: Failure, count: Count) -> bool {
    matches!(failure, Failure::NoResult | Failure::Crash) && count.retries > 0
}

/// Twice as long each time, and up to half as long again by chance.
pub(crate) fn backoff(base: Duration, retries: u32, chance: u64) -> Duration {
    let wait = base.saturating_mul(1_u32.checked_shl(retries.min(16)).unwrap_or(u32::MAX)).min(LONGEST_WAIT);
    wait + wait.mul_f64(chance.min(999) as f64 / 2000.0)
}

/// The reset, and up to two minutes more, so that not everybody comes back at once.
fn rest(until: Option<Timestamp>, now: Timestamp, chance: u64) -> Timestamp {
    let longest = now.saturating_add(LONGEST_REST).unwrap_or(Timestamp::MAX);
    let until =
        until.filter(|until| *until > now).unwrap_or_else(|| now.saturating_add(REST).unwrap_or(longest));
    let jitter = SignedDuration::from_millis((chance.min(999) * 120) as i64);
    until.min(longest).saturating_add(jitter).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(outcome: Outcome, tier: Tier, retries: u32, escalations: u32) -> Next {
        let policy = Policy { backoff: Duration::from_secs(4), ..Policy::default() };
        after(outcome, tier, Count { retries, escalations }, &policy, at(1_000), 0)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn what_may_pass_is_tried_again_with_growing_waits_and_then_not() {
        let overloaded = Outcome::Failed(Failure::Overloaded);
        assert_eq!(decide(overloaded, Tier::Sonnet, 0, 0), Next::Retry { after: Duration::from_secs(4) });
        assert_eq!(decide(overloaded, Tier::Sonnet, 1, 0), Next::Retry { after: Duration::from_secs(8) });
        assert_eq!(decide(overloaded, Tier::Sonnet, 2, 0), Next::End);
    }

    #[test]
    fn chance_spreads_waits_by_at_most_half() {
        let base = Duration::from_secs(4);
        assert_eq!(backoff(base, 0, 0), base);
        assert!(
            backoff(base, 0, 999) < Duration::from_secs(6)
                && backoff(base, 0, 999) > Duration::from_millis(5_900)
        );
        assert_eq!(backoff(base, 60, 0), LONGEST_WAIT);
    }

    #[test]
    fn a_stronger_model_is_asked_for_its_reasons_only_and_at_most_twice() {
        for failure in [Failure::NeedsStrongerModel, Failure::Verifier] {
            let failed = Outcome::Failed(failure);
            assert_eq!(decide(failed, Tier::Haiku, 0, 0), Next::Escalate { to: Tier::Sonnet });
            assert_eq!(decide(failed, Tier::Sonnet, 0, 1), Next::Escalate { to: Tier::Opus });
            assert_eq!(decide(failed, Tier::Opus, 0, 1), Next::End);
            assert_eq!(decide(failed, Tier::Haiku, 0, 2), Next::End);
        }
        for outcome in [
            Outcome::Completed,
            Outcome::Denied,
            Outcome::Blocked,
            Outcome::TimedOut,
            Outcome::Cancelled,
            Outcome::Interrupted,
            Outcome::WithoutResult,
            Outcome::Failed(Failure::Budget),
            Outcome::Failed(Failure::MaxTurns),
        ] {
            assert_eq!(decide(outcome, Tier::Haiku, 0, 0), Next::End, "{outcome}");
        }
    }

    #[test]
    fn crashes_again_and_again_are_given_to_a_stronger_model() {
        assert_eq!(
            decide(Outcome::Failed(Failure::Crash), Tier::Sonnet, 2, 0),
            Next::Escalate { to: Tier::Opus }
        );
    }

    #[test]
    fn a_refused_login_stops_everything() {
        assert_eq!(decide(Outcome::Failed(Failure::Login), Tier::Haiku, 0, 0), Next::StopAll);
        assert_eq!(decide(Outcome::Failed(Failure::Billing), Tier::Haiku, 0, 0), Next::StopAll);
    }

    #[test]
    fn a_limit_parks_until_the_time_that_was_told_or_half_an_hour() {
        assert_eq!(
            decide(Outcome::Limit(Some(at(5_000))), Tier::Haiku, 0, 0),
            Next::Park { until: at(5_000) }
        );
        assert_eq!(decide(Outcome::Limit(None), Tier::Haiku, 0, 0), Next::Park { until: at(2_800) });
        assert_eq!(decide(Outcome::Limit(Some(at(10))), Tier::Haiku, 0, 0), Next::Park { until: at(2_800) });
        let Next::Park { until } = decide(Outcome::Limit(Some(Timestamp::MAX)), Tier::Haiku, 0, 0) else {
            panic!()
        };
        assert_eq!(until, at(1_000) + LONGEST_REST);
    }
}
