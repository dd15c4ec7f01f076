//! How long the commits of this process took, for the metrics of the watcher.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in milliseconds; what took longer is in one more bucket at the end.
pub(crate) const COMMIT_BOUNDS: [u64; 8] = [2, 5, 10, 20, 50, 100, 500, 2_000];

static BUCKETS: [AtomicU64; COMMIT_BOUNDS.len() + 1] = [const { AtomicU64::new(0) }; COMMIT_BOUNDS.len() + 1];
static MICROSECONDS: AtomicU64 = AtomicU64::new(0);

/// What was measured so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commits {
    /// One count for each bound, and one for what took longer.
    pub(crate) buckets: Vec<u64>,
    pub(crate) microseconds: u64,
}

/// A commit was made.
pub(crate) fn committed(took: Duration) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let bucket = COMMIT_BOUNDS.iter().position(|bound| milliseconds < *bound).unwrap_or(COMMIT_BOUNDS.len());
    BUCKETS[bucket].fetch_add(1, Ordering::Relaxed);
    MICROSECONDS.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// All commits of this process.
pub(crate) fn commits() -> Commits {
    let buckets = BUCKETS.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
    Commits { buckets, microseconds: MICROSECONDS.load(Ordering::Relaxed) }
}
