//! Everything on this machine that belongs to a queue.

use crate::domain::fault::Result;
use crate::store::footprint;
use crate::store::queue::Queue;

pub(crate) use footprint::Entry;

/// The places and their sizes.
///
/// # Errors
/// Those of listing folders.
pub(crate) fn of(queue: &Queue) -> Result<Vec<Entry>> {
    footprint::of(queue)
}
