//! What a watcher leaves for others to read, and the hold that makes it the only one.
//!
//! `local/watch.json` in the orchestrator tells who watches, since when, and how the last pass went. It is a note for
//! readers: whether somebody watches now is decided by the lock ([`hold`]), which dies with its process.

mod hold;
mod pause;
pub(crate) mod places;
mod process;
mod served;

use serde::{Deserialize, Serialize};

use super::local::Local;
use crate::domain::fault::Result;

pub(crate) use hold::{Hold, holder};
pub(crate) use pause::{PAUSED, Paused};
pub(crate) use served::Served;

/// The name of the record below `local/`.
pub(crate) const RECORD: &str = "watch.json";

/// Upper bounds of the latency histogram, in milliseconds; what took longer is in one more bucket at the end.
pub(crate) const LATENCY_BOUNDS: [u64; 10] = [5, 10, 20, 40, 80, 150, 300, 1_000, 5_000, 60_000];

/// What a watcher tells of itself. Instants are RFC 3339 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) schema: u32,
    pub(crate) pid: u32,
    /// What tells the process from a later one with the same number; the same text as [`process_start`] gives.
    pub(crate) process_start: Option<String>,
    pub(crate) started_at: String,
    /// When it ended in good order; without this and without its process it was killed.
    pub(crate) stopped_at: Option<String>,
    /// The last pass that looked at everything or changed something.
    pub(crate) last_pass: Option<Pass>,
    /// All passes since the start.
    pub(crate) total: Counts,
    /// How long deliveries took, from the change that was noticed to both commits: one count for each bound of
    /// [`LATENCY_BOUNDS`] and one for what took longer.
    pub(crate) latency: Vec<u64>,
    /// Milliseconds of all deliveries together.
    pub(crate) latency_sum_ms: u64,
    /// How often something failed since the start, by code.
    pub(crate) failures: std::collections::BTreeMap<String, u64>,
    /// Projects that are looked at again and again, because the system tells nothing of their changes.
    pub(crate) polled: Vec<String>,
    /// What stands in the way now.
    pub(crate) problems: Vec<Trouble>,
}

/// One pass over some projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) at: String,
    pub(crate) took_ms: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) passes: u64,
    pub(crate) commits: u64,
    pub(crate) delivered: u64,
    pub(crate) receipts: u64,
    pub(crate) accepted: u64,
    /// Leases that had run out.
    pub(crate) released: u64,
    /// Files that could not be read, put aside.
    pub(crate) quarantined: u64,
    /// Tasks that could not be delivered for too long.
    pub(crate) given_up: u64,
    /// Overdue receipts that were asked after.
    pub(crate) asked: u64,
}

/// Something that the watcher could not do, and when it tries again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) project: String,
    /// Relative to `.swift/`; empty if it is the project as a whole.
    pub(crate) path: String,
    /// The stable code, as in `docs/errors.md`.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) since: String,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// `None`: on the next change that matters.
    pub(crate) next_try_at: Option<String>,
}

impl Record {
    /// The record in an orchestrator's own folder, if a watcher ever ran there.
    pub(crate) fn read(local: &Local) -> Option<Record> {
        serde_json::from_slice(&local.read(RECORD)?).ok()
    }

    /// Replace the record.
    ///
    /// # Errors
    /// Those of [`Local::write`].
    pub(crate) fn write(&self, local: &Local) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self).expect("a record is plain data");
        local.write(RECORD, &bytes)
    }

    /// Whether the process that wrote it is running.
    pub(crate) fn is_alive(&self) -> bool {
        self.stopped_at.is_none()
            && self.process_start.is_some()
            && process::start_of(self.pid) == self.process_start
    }
}

/// What tells this process from a later one with the same number.
pub(crate) fn process_start() -> Option<String> {
    process::start_of(std::process::id())
}
