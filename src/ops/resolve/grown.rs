//! Segments of the audit log that git has left open.
//!
//! A segment has one writer and only grows. So where a cherry-pick brings the commit that made one longer to a branch that
//! has less of it, or nothing, the longer one is right. Where neither begins with the other somebody has edited the log,
//! and no rule says what becomes of that.

use crate::domain::fault::Result;
use crate::store::git::{Committed, Unmerged};
use crate::store::layout;

/// What becomes of a segment that was left open; `None` for what is none, and for one that no rule settles.
///
/// # Errors
/// Those of reading the two sides.
pub(super) fn segment(committed: &Committed, entry: &Unmerged) -> Result<Option<Vec<u8>>> {
    if !layout::is_of_log(&entry.path) {
        return Ok(None);
    }
    let sides = [entry.ours, entry.theirs].into_iter().flatten().map(|blob| committed.read(blob));
    let mut sides = sides.collect::<Result<Vec<_>>>()?;
    sides.sort_by_key(Vec::len);
    let longest = sides.pop();
    Ok(longest.filter(|longest| sides.iter().all(|side| longest.starts_with(side))))
}
