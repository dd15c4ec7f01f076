//! What speaks against taking something back, looked at without the lock and, where that says no, with it.
//!
//! Another process may be between its files and its log, or between its log and its commit. Who looks then sees a change
//! that nobody has made, or one that is not committed yet.

use crate::domain::fault::{Code, Result};
use crate::env;
use crate::store::local::is_frozen;
use crate::store::queue::Queue;

/// How closely it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// For whoever only tells that there is a way.
    Glance,
    /// Before it is told that it cannot be done.
    Close,
}

impl Look {
    /// What speaks against it in one queue.
    ///
    /// # Errors
    /// Those of the look; [`Code::Busy`] if the lock is held for too long.
    pub(super) fn at<T>(self, queue: &Queue, look: impl Fn() -> Result<T>) -> Result<T> {
        match look() {
            Err(fault) if fault.code == Code::UndoBlocked && self == Look::Close && !is_frozen() => {
                let _guard = queue.home.lock(env::lock_wait())?;
                queue.look_again()?;
                look()
            }
            looked => looked,
        }
    }
}
