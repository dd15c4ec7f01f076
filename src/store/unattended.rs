//! Writing while nobody looks: what a verb that nobody typed leaves to those who are at work at that moment.
//!
//! A person's verb takes every file as it lies there, because the person knows what they are writing. The watcher does
//! not know, and a file that it commits half written, or gives an id while an editor holds it open, is damaged. So it
//! leaves a file alone until it has been still for as long as the project's settings say; one that came by rename was
//! whole from the start.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::SignedDuration;

use super::local::is_frozen;
use super::queue::Queue;

/// How an operation that nobody typed behaves.
#[derive(Debug, Clone)]
pub(crate) struct Unattended {
    /// Absolute paths of files that came by rename.
    pub(crate) whole: HashSet<PathBuf>,
    /// How long a queue that somebody else holds is waited for.
    pub(crate) patience: Duration,
}

impl Unattended {
    /// How much longer a file of a queue has to be left alone; `None` if it may be taken.
    pub(crate) fn rest(&self, queue: &Queue, path: &str) -> Option<Duration> {
        let place = queue.home.root.join(path);
        // A rehearsal damages nothing.
        if self.whole.contains(&place) || is_frozen() {
            return None;
        }
        let (settle, age) = (queue.settings.auto.settle, age_of(&place)?);
        // A time far ahead is a wrong clock and says nothing.
        let is_young = age < settle && age > -settle;
        is_young.then(|| settle.saturating_sub(age).min(settle).unsigned_abs())
    }
}

/// How long ago a file of a queue was last changed; `None` if it is gone.
pub(crate) fn age(queue: &Queue, path: &str) -> Option<SignedDuration> {
    age_of(&queue.home.root.join(path))
}

/// By the clock that the file system uses, whatever clock the program was given.
fn age_of(place: &Path) -> Option<SignedDuration> {
    let metadata = fs::symlink_metadata(place).ok()?;
    let changed = SignedDuration::new(metadata.ctime(), i32::try_from(metadata.ctime_nsec()).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(SignedDuration::try_from(now).unwrap_or(SignedDuration::MAX).saturating_sub(changed))
}
