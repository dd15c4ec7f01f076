//! Who edited a task last on one side of a merge, as far as the log tells.

use std::collections::HashSet;

use crate::domain::event::{Event, EventKind};
use crate::domain::fault::Result;
use crate::domain::id::{EventId, TaskId};
use crate::format::audit::digest;
use crate::store::git::{Commit, Committed, Join};
use crate::store::history::{self, StoredSegment};
use crate::store::layout;
use crate::store::queue::Queue;

/// The place of an edit in time; the same wherever it is looked at. A later one is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Edited {
    /// An edit outranks every other event: a claim says nothing about the title.
    is_edit: bool,
    at: Option<jiff::Timestamp>,
    /// Of two at the same instant, that of the writer whose id is greater.
    writer: String,
    id: Option<EventId>,
}

/// One record with the hand that wrote it.
struct Written {
    writer: String,
    event: Event,
}

/// The records that only one of two commits has, each side's own.
pub(super) struct Logs {
    ours: Vec<Written>,
    theirs: Vec<Written>,
}

impl Logs {
    /// What each side of a join has written to the log since they parted.
    ///
    /// # Errors
    /// Those of reading the two commits.
    pub(super) fn of(committed: &mut Committed, join: &Join) -> Result<Logs> {
        let ours = only_in(committed, join.ours, join.theirs)?;
        let theirs = only_in(committed, join.theirs, join.ours)?;
        Ok(Logs { ours, theirs })
    }

    pub(super) fn of_ours(&self, id: TaskId) -> Edited {
        last(&self.ours, id)
    }

    pub(super) fn of_theirs(&self, id: TaskId) -> Edited {
        last(&self.theirs, id)
    }
}

fn only_in(committed: &mut Committed, side: Commit, other: Commit) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    for (path, change) in committed.changes(Some(other), side, layout::AUDIT)? {
        let Some(after) = change.after else { continue };
        let known: HashSet<EventId> = match change.before {
            Some(before) => {
                records(path.clone(), committed.read(before)?).into_iter().map(|w| w.event.id).collect()
            }
            None => HashSet::new(),
        };
        let written = records(path, committed.read(after)?).into_iter();
        all.extend(written.filter(|written| !known.contains(&written.event.id)));
    }
    Ok(all)
}

/// A segment that cannot be read tells nothing; `audit verify` tells of it.
fn records(path: String, bytes: Vec<u8>) -> Vec<Written> {
    let Ok(segment) = history::parse(&StoredSegment { path, bytes }) else { return Vec::new() };
    let writer = segment.writer.to_string();
    segment
        .records
        .into_iter()
        .map(|record| Written { writer: writer.clone(), event: record.event })
        .collect()
}

fn last(all: &[Written], id: TaskId) -> Edited {
    all.iter().filter(|written| written.event.fact.task == Some(id)).map(Edited::by).max().unwrap_or_default()
}

impl Edited {
    fn by(written: &Written) -> Edited {
        let is_edit = matches!(
            written.event.fact.kind,
            EventKind::TaskCreated
                | EventKind::TaskAdopted
                | EventKind::TaskEdited
                | EventKind::ChangedByHand
        );
        Edited {
            is_edit,
            at: Some(written.event.at),
            writer: written.writer.clone(),
            id: Some(written.event.id),
        }
    }

    /// The event that left exactly these bytes, for a file that belongs to no side that is known.
    ///
    /// # Errors
    /// Those of listing the log.
    pub(super) fn leaving(queue: &Queue, id: TaskId, bytes: &[u8]) -> Result<Edited> {
        let content = digest(bytes);
        let (paths, _) = history::segment_paths(queue)?;
        let mut found = Edited::default();
        for path in paths {
            let Ok(Some(bytes)) = queue.read(&path) else { continue };
            if history::names(&bytes, &content) {
                let written = records(path, bytes).into_iter();
                let ours = written.filter(|w| {
                    w.event.fact.task == Some(id) && w.event.fact.content.as_deref() == Some(content.as_str())
                });
                found = ours.map(|w| Edited::by(&w)).chain([found]).max().unwrap_or_default();
            }
        }
        Ok(found)
    }
}
