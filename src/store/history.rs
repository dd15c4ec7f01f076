//! Reading the audit log back.

use super::layout;
use super::queue::Queue;
use crate::domain::event::{Event, EventKind};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::format::audit::{self, Segment};

/// One segment as it lies on the disk.
#[derive(Debug)]
pub(crate) struct StoredSegment {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Everything that the log tells.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// In the order of time, then of id.
    pub(crate) events: Vec<Event>,
    pub(crate) problems: Vec<Problem>,
}

/// The paths of all segments, oldest first.
///
/// # Errors
/// [`crate::domain::fault::Code::Io`] if the folder cannot be listed.
pub(crate) fn segment_paths(queue: &Queue) -> Result<(Vec<String>, Vec<Problem>)> {
    let walk = queue.walk(layout::AUDIT)?;
    let mut paths: Vec<String> = walk.files.into_iter().map(|seen| seen.path).collect();
    paths.sort_by(|a, b| name(a).cmp(name(b)));
    Ok((paths, walk.problems))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// All segments as text, oldest first; what cannot be read is a problem.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn segments(queue: &Queue) -> Result<(Vec<StoredSegment>, Vec<Problem>)> {
    let (paths, mut problems) = segment_paths(queue)?;
    let mut all = Vec::with_capacity(paths.len());
    for path in paths {
        match queue.read_text(&path) {
            Ok(Some(text)) => all.push(StoredSegment { path, text }),
            Ok(None) => {}
            Err(fault) => problems.push(Problem::at(path, fault)),
        }
    }
    Ok((all, problems))
}

/// All events, oldest first.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn read(queue: &Queue) -> Result<Log> {
    let (stored, problems) = segments(queue)?;
    let mut log = Log { events: Vec::new(), problems };
    for segment in stored {
        take(&mut log, &segment);
    }
    log.events.sort_by_key(|event| (event.at, event.id));
    Ok(log)
}

fn take(log: &mut Log, stored: &StoredSegment) {
    match parse(stored) {
        Ok(segment) => log.events.extend(segment.records.into_iter().map(|record| record.event)),
        Err(fault) => log.problems.push(Problem::at(stored.path.clone(), fault)),
    }
}

/// One segment, parsed.
///
/// # Errors
/// [`crate::domain::fault::Code::Malformed`] with the place.
pub(crate) fn parse(stored: &StoredSegment) -> Result<Segment> {
    audit::parse(&stored.text).map_err(|malformed| malformed.at(&stored.path))
}

/// All events about one task, oldest first. Segments that do not name it are not parsed.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn events_of(queue: &Queue, id: TaskId) -> Result<Vec<Event>> {
    let (stored, _) = segments(queue)?;
    let wanted = id.to_string();
    let mut log = Log::default();
    for segment in stored.iter().filter(|segment| segment.text.contains(&wanted)) {
        take(&mut log, segment);
    }
    log.events.retain(|event| event.fact.task == Some(id));
    log.events.sort_by_key(|event| (event.at, event.id));
    Ok(log.events)
}

/// The newest event about one task; `None` if the log never heard of it.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn last_event_of(queue: &Queue, id: TaskId) -> Result<Option<Event>> {
    Ok(events_of(queue, id)?.pop())
}

/// Whether a task with this content was delivered here before.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn was_delivered(queue: &Queue, id: TaskId, content: &str) -> Result<bool> {
    let delivered = |event: &Event| {
        event.fact.kind == EventKind::TaskDelivered && event.fact.content.as_deref() == Some(content)
    };
    Ok(events_of(queue, id)?.iter().any(delivered))
}
