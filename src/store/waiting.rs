//! What was done and is not committed yet: git was busy, or the settings want one commit for a session.

use super::layout;
use super::queue::Queue;
use crate::domain::event::Event;
use crate::domain::fault::Result;
use crate::format::audit;

/// The events that were written and are in no commit, oldest first.
///
/// # Errors
/// Those of reading the debts, and the log here and in the last commit.
pub(crate) fn events(queue: &Queue) -> Result<Vec<Event>> {
    let debts = queue.home.debts()?;
    let mut waiting = Vec::new();
    for path in debts.iter().filter(|path| path.starts_with(layout::AUDIT)) {
        let written = queue.read(path)?.unwrap_or_default();
        let committed = queue.home.read_committed(path)?.unwrap_or_default();
        // A segment only grows.
        let known = audit::entries(&committed).len();
        waiting.extend(audit::entries(&written).into_iter().skip(known).filter_map(std::result::Result::ok));
    }
    waiting.sort_by_key(|event| event.id);
    Ok(waiting)
}

/// `<path>#<hash>` of the youngest record that was written and is in no commit.
///
/// # Errors
/// Those of reading the debts and the log.
pub(crate) fn anchor(queue: &Queue) -> Result<Option<String>> {
    let mut youngest = None;
    for path in queue.home.debts()?.into_iter().filter(|path| path.starts_with(layout::AUDIT)) {
        let written = queue.read(&path)?.unwrap_or_default();
        let Ok(segment) = audit::parse_bytes(&written) else { continue };
        let Some(last) = segment.records.last() else { continue };
        youngest = youngest.max(Some((last.event.id, format!("{path}#{}", last.hash))));
    }
    Ok(youngest.map(|(_, anchor)| anchor))
}
