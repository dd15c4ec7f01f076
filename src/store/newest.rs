//! When a queue was last changed by a commit.
//!
//! Ranking asks this of every project in view, and to open a repository for one number costs more than all else that it
//! reads there. The answer belongs to the commit that the branch is at, so it is kept with that commit's name: a cache, which
//! may be gone or wrong at any time.

use super::cache::{sealed, unsealed};
use super::queue::Queue;

/// The cache's file, below the machine's own folder.
const FILE: &str = "cache/newest";

/// The time of the newest commit that changed the queue, in seconds since 1970; `None` before the first.
pub(crate) fn seconds(queue: &Queue) -> Option<i64> {
    let tip = queue.home.head().ok()??;
    if let Some(known) = queue.local.read(FILE).and_then(|bytes| of_tip(&bytes, &tip)) {
        return Some(known);
    }
    let seconds = queue.home.head_seconds()?;
    // Failure to write a cache is no failure.
    let _ = queue.local.write(FILE, &sealed(&[&seconds.to_le_bytes(), tip.as_bytes()].concat()));
    Some(seconds)
}

/// What was kept, if it is about this commit.
fn of_tip(bytes: &[u8], tip: &str) -> Option<i64> {
    let (seconds, known) = unsealed(bytes)?.split_first_chunk::<8>()?;
    (known == tip.as_bytes()).then(|| i64::from_le_bytes(*seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_kept_of_this_commit_counts() {
        let kept = sealed(&[&7_i64.to_le_bytes(), "abc".as_bytes()].concat());
        assert_eq!(of_tip(&kept, "abc"), Some(7));
        assert_eq!(of_tip(&kept, "abd"), None);
        for at in 0..kept.len() {
            let mut scribbled = kept.clone();
            scribbled[at] ^= 1;
            assert_eq!(of_tip(&scribbled, "abc"), None, "byte {at}");
            assert_eq!(of_tip(&kept[..at], "abc"), None, "{at} bytes");
        }
    }
}
