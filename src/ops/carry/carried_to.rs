//! To which projects a task was carried, by the sender's own log. The record of a sent task is a file, and may say
//! anything; what a round did is in the log.

use std::collections::BTreeSet;

use crate::domain::event::{Event, EventKind};
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// The projects that these events of the sender tell of.
pub(crate) fn projects<'e>(events: impl Iterator<Item = &'e Event>) -> BTreeSet<&'e str> {
    events.filter_map(project).collect()
}

/// The project that has the task by this event.
pub(crate) fn project(event: &Event) -> Option<&str> {
    let cause = event.fact.cause.as_deref()?;
    match event.fact.kind {
        EventKind::TaskSent | EventKind::TaskResent => Some(cause),
        // As a round tells it: `accepted by acme/api: a note`.
        EventKind::ReceiptReceived => cause.split_once(" by ")?.1.split(':').next(),
        _ => None,
    }
}

/// What is said of a record that names a project which never had the task.
pub(crate) fn says_otherwise(named: &str, carried: &str) -> Fault {
    let text =
        format!("the record says that `{}` has the task, and it was carried to `{carried}`", shown(named));
    Fault::new(Code::ReceiptDiffers, text).hint(format!(
        "put `by = \"{carried}\"` back into the `[receipt]` at its head, and `to` if that was changed"
    ))
}
