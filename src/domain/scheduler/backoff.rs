//! When something that failed is tried again: after a pause that grows, and not at the same moment as everybody else.

use std::time::Duration;

use crate::domain::fault::Code;

/// A queue that somebody else holds is soon free.
const BUSY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Everything else needs somebody to do something.
const OTHER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5 * 60));

/// How soon a change that matters brings the next try forward.
const SOONEST: Duration = Duration::from_secs(1);

/// How long after its time a retry that nobody wanted is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(5);

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Looking; over as soon as a look succeeds.
    Reading,
    /// Locking or committing; a look that succeeds says nothing about that.
    Writing,
}

/// Something that failed, and its next try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) cause: Cause,
    pub(super) code: Code,
    pub(super) tries: u32,
    pub(super) at: Duration,
    last: Duration,
    /// Whether its time has come and was taken note of.
    is_called: bool,
}

impl Retry {
    /// After one more failure.
    pub(super) fn after(
        before: Option<Retry>,
        (cause, code): (Cause, Code),
        now: Duration,
        seed: u64,
        name: &str,
    ) -> Retry {
        let tries = before.filter(|before| before.code == code).map_or(0, |before| before.tries) + 1;
        let (first, longest) = if code == Code::Busy { BUSY } else { OTHER };
        let pause = first.saturating_mul(1 << (tries - 1).min(16)).min(longest);
        Retry {
            cause,
            code,
            tries,
            at: now + jittered(pause, seed, tries, name),
            last: now,
            is_called: false,
        }
    }

    /// Whether its time has come, asked once.
    pub(super) fn is_called_now(&mut self, now: Duration) -> bool {
        let is_first = self.at <= now && !self.is_called;
        self.is_called |= is_first;
        is_first
    }

    /// Whether its time has passed and nobody wanted to try.
    pub(super) fn is_forgotten(&self, now: Duration) -> bool {
        self.cause == Cause::Writing && self.forgotten_at() <= now
    }

    pub(super) fn forgotten_at(&self) -> Duration {
        self.at + FORGOTTEN
    }

    /// Something changed that may help.
    pub(super) fn hasten(&mut self, now: Duration) {
        let soonest = if self.code == Code::Busy { BUSY.0 } else { SOONEST };
        self.at = self.at.min(now.max(self.last + soonest));
    }
}

/// Three quarters to five quarters of a pause; the same for the same name and try, other for others.
fn jittered(pause: Duration, seed: u64, tries: u32, name: &str) -> Duration {
    let mut state = seed ^ u64::from(tries).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in name.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state ^= state >> 29;
    let part = u32::try_from(state % 1_000).unwrap_or(0);
    pause.saturating_mul(750 + part / 2) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_differ() {
        let mut retry = None;
        let mut pauses = Vec::new();
        for _ in 0..20 {
            let next = Retry::after(retry, (Cause::Reading, Code::Io), Duration::ZERO, 7, "acme/web");
            pauses.push(next.at);
            retry = Some(next);
        }
        assert!(pauses[0] >= Duration::from_millis(750) && pauses[0] <= Duration::from_millis(1_250));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(375)));
        assert!(pauses[15] >= Duration::from_secs(225));
        let other = Retry::after(None, (Cause::Reading, Code::Io), Duration::ZERO, 7, "acme/api");
        assert_ne!(other.at, pauses[0]);
    }

    #[test]
    fn a_change_brings_the_next_try_forward_but_not_into_the_same_second() {
        let mut retry = Retry::after(None, (Cause::Reading, Code::Io), Duration::ZERO, 7, "x");
        for _ in 0..12 {
            retry = Retry::after(Some(retry), (Cause::Reading, Code::Io), Duration::ZERO, 7, "x");
        }
        retry.hasten(Duration::from_millis(10));
        assert_eq!(retry.at, SOONEST);
        retry.hasten(Duration::from_secs(3));
        assert_eq!(retry.at, SOONEST);
    }
}
