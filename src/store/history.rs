//! Reading the audit log back.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::layout;
use super::queue::Queue;
use crate::domain::event::{Event, EventKind};
use crate::domain::fault::Result;
use crate::domain::id::{SegmentId, TaskId};
use crate::domain::problem::Problem;
use crate::format::audit::{self, Segment};

/// One segment as it lies on the disk.
#[derive(Debug)]
pub(crate) struct StoredSegment {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
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
    let mut found = queue.paths(layout::AUDIT)?;
    in_order(&mut found.files);
    Ok((found.files, found.problems))
}

/// How long after its month something may have come into a segment. None does now; before segments ended with their month,
/// one was written on until it was full, and a clone may still have a program that does so.
const LATE: SignedDuration = SignedDuration::from_hours(92 * 24);

/// The paths of the segments that may hold events from an instant on, and of some more, oldest first.
fn segment_paths_since(queue: &Queue, start: Timestamp) -> Result<(Vec<String>, Vec<Problem>)> {
    let early = start.checked_sub(LATE).unwrap_or(Timestamp::MIN);
    let month = layout::month_began(&layout::log_of_month(early)).unwrap_or(Timestamp::MIN);
    let is_wanted = |folder: &str| layout::month_began(folder).is_none_or(|began| began >= month);
    let mut found = queue.paths_within(layout::AUDIT, &is_wanted)?;
    in_order(&mut found.files);
    Ok((found.files, found.problems))
}

fn in_order(paths: &mut [String]) {
    paths.sort_unstable_by(|a, b| (name(a), a).cmp(&(name(b), b)));
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// All segments as they are, oldest first; what cannot be read is a problem.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn segments(queue: &Queue) -> Result<(Vec<StoredSegment>, Vec<Problem>)> {
    let (paths, mut problems) = segment_paths(queue)?;
    let mut all = Vec::with_capacity(paths.len());
    for path in paths {
        match queue.read(&path) {
            Ok(Some(bytes)) => all.push(StoredSegment { path, bytes }),
            Ok(None) => {}
            Err(fault) => problems.push(Problem::at(path, fault)),
        }
    }
    Ok((all, problems))
}

/// Add a segment to a log.
fn take(log: &mut Log, stored: &StoredSegment) {
    match parse(stored) {
        Ok(segment) => log.events.extend(segment.records.into_iter().map(|record| record.event)),
        Err(fault) => log.problems.push(Problem::at(stored.path.clone(), fault)),
    }
}

/// One segment, parsed; whether it is spelt as it was written only `audit verify` wants to know.
///
/// # Errors
/// [`crate::domain::fault::Code::Malformed`] with the place.
pub(crate) fn parse(stored: &StoredSegment) -> Result<Segment> {
    audit::read_bytes(&stored.bytes).map_err(|malformed| malformed.at(&stored.path))
}

/// The newest events, newest first, at most `most`: of each writer only as many segments are read as can matter.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn newest(queue: &Queue, most: usize) -> Result<Log> {
    let top = queue.paths_within(layout::AUDIT, &|_| false)?;
    let mut log = Log { events: Vec::new(), problems: top.problems };
    let mut per_writer = HashMap::new();
    take_newest(queue, &mut log, top.files, most, &mut per_writer);
    // What is of no month may be of any.
    let mut months: Vec<_> = top
        .left
        .into_iter()
        .map(|folder| (layout::month_began(&folder).unwrap_or(Timestamp::MAX), folder))
        .collect();
    months.sort_unstable_by(|a, b| b.cmp(a));
    for (began, folder) in months {
        let found = queue.paths(&folder)?;
        log.problems.extend(found.problems);
        take_newest(queue, &mut log, found.files, most, &mut per_writer);
        log.events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
        log.events.truncate(most);
        // What is in the folders of earlier months happened before.
        let before = began.checked_add(LATE).unwrap_or(Timestamp::MAX);
        if log.events.len() == most && log.events.last().is_none_or(|event| event.at >= before) {
            break;
        }
    }
    Ok(log)
}

/// Add the newest of these segments to a log: of each writer only as many as can matter.
fn take_newest(
    queue: &Queue,
    log: &mut Log,
    mut paths: Vec<String>,
    most: usize,
    per_writer: &mut HashMap<String, usize>,
) {
    in_order(&mut paths);
    for path in paths.iter().rev() {
        let read = per_writer.entry(writer(path).to_owned()).or_default();
        if *read >= most {
            continue;
        }
        let before = log.events.len();
        take_path(queue, log, path);
        *read += log.events.len() - before;
    }
}

/// The segments that may hold events from an instant on, oldest first; what cannot be read is passed over.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn segments_since(queue: &Queue, start: Timestamp) -> Result<Vec<StoredSegment>> {
    let (paths, _) = segment_paths_since(queue, start)?;
    let mut chosen: Vec<String> = reaching(&paths, start).into_iter().cloned().collect();
    chosen.sort_by(|a, b| name(a).cmp(name(b)));
    let read = |path: String| Some(StoredSegment { bytes: queue.read(&path).ok()??, path });
    Ok(chosen.into_iter().filter_map(read).collect())
}

/// All events from an instant on, oldest first. A segment is read if its writer's next one began after the instant.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn since(queue: &Queue, start: Timestamp) -> Result<Log> {
    let (paths, problems) = segment_paths_since(queue, start)?;
    let mut log = Log { events: Vec::new(), problems };
    for path in reaching(&paths, start) {
        take_path(queue, &mut log, path);
    }
    log.events.retain(|event| event.at >= start);
    log.events.sort_by_key(|event| (event.at, event.id));
    Ok(log)
}

/// The events of some kinds from an instant on, oldest first; what cannot be read is passed over.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn of_kinds_since(queue: &Queue, start: Timestamp, kinds: &[EventKind]) -> Result<Vec<Event>> {
    let stored = segments_since(queue, start)?;
    let mut events: Vec<Event> =
        stored.iter().flat_map(|stored| audit::events_of_kinds(&stored.bytes, kinds)).collect();
    events.retain(|event| event.at >= start);
    events.sort_by_key(|event| (event.at, event.id));
    Ok(events)
}

/// All events after a certain one, oldest first: those of the hand that wrote it in the order in which it wrote them,
/// whatever its clock said, and those of others from an instant on.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn after(
    queue: &Queue,
    start: Timestamp,
    is_first: impl Fn(&Event) -> bool,
) -> Result<Vec<Event>> {
    let early = start.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
    let segments: Vec<Segment> =
        segments_since(queue, early)?.iter().filter_map(|stored| parse(stored).ok()).collect();
    let place = segments.iter().enumerate().find_map(|(number, segment)| {
        let at = segment.records.iter().position(|record| is_first(&record.event))?;
        Some((number, at))
    });
    let mut events = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let all = segment.records.iter().map(|record| &record.event);
        match place.map(|(own, at)| (order(&segments, own, number), at)) {
            Some((Some(Ordering::Equal), at)) => events.extend(all.skip(at + 1).cloned()),
            Some((Some(Ordering::Greater), _)) => events.extend(all.cloned()),
            Some((Some(Ordering::Less), _)) => {}
            Some((None, _)) | None => events.extend(all.filter(|event| event.at >= start).cloned()),
        }
    }
    events.sort_by_key(|event| (event.at, event.id));
    Ok(events)
}

/// Whether a segment comes before or after another in the chain of one hand; `None` if that cannot be told.
fn order(segments: &[Segment], own: usize, other: usize) -> Option<Ordering> {
    if own == other {
        return Some(Ordering::Equal);
    }
    let leads_to = |from: usize, to: usize| {
        let mut at = from;
        // Nobody writes a ring; whoever forges one is not followed round it.
        for _ in 0..segments.len() {
            let prev = segments[at].prev.as_ref()?;
            at = segments
                .iter()
                .position(|segment| segment.records.last().map(|it| &it.hash) == Some(prev))?;
            if at == to {
                return Some(());
            }
        }
        None
    };
    match segments[own].writer == segments[other].writer {
        true if leads_to(other, own).is_some() => Some(Ordering::Greater),
        true if leads_to(own, other).is_some() => Some(Ordering::Less),
        _ => None,
    }
}

/// The segments that may hold events from an instant on.
fn reaching(paths: &[String], start: Timestamp) -> Vec<&String> {
    let mut next_began: HashMap<&str, Timestamp> = HashMap::new();
    let mut chosen = Vec::new();
    for path in paths.iter().rev() {
        if next_began.get(writer(path)).is_none_or(|began| *began >= start) {
            chosen.push(path);
        }
        if let Some(began) = began(path) {
            next_began.insert(writer(path), began);
        }
    }
    chosen
}

/// The writer's folder of a segment's path.
fn writer(path: &str) -> &str {
    path.rsplit('/').nth(1).unwrap_or_default()
}

/// When a segment was begun, from its name.
fn began(path: &str) -> Option<Timestamp> {
    let id: SegmentId = name(path).strip_suffix(".toml")?.parse().ok()?;
    Timestamp::from_millisecond(i64::try_from(id.milliseconds()).ok()?).ok()
}

fn take_path(queue: &Queue, log: &mut Log, path: &str) {
    match queue.read(path) {
        Ok(Some(bytes)) => {
            take(log, &StoredSegment { path: path.to_owned(), bytes });
        }
        Ok(None) => {}
        Err(fault) => log.problems.push(Problem::at(path, fault)),
    }
}

/// How far clocks of machines may differ before an event of a task is looked for in vain.
pub(super) const SLACK: SignedDuration = SignedDuration::from_hours(48);

/// All events about one task, oldest first; what of the log cannot be read is passed over.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn events_of(queue: &Queue, id: TaskId) -> Result<Vec<Event>> {
    let segments = segments_about(queue, id)?.0;
    let mut events: Vec<Event> =
        segments.into_iter().flat_map(|segment| segment.records).map(|record| record.event).collect();
    events.retain(|event| event.fact.task == Some(id));
    events.sort_by_key(|event| (event.at, event.id));
    Ok(events)
}

/// The segments since a task was born that name it, by the instant at which they were begun, and what cannot be read.
/// Those from before the task, and those that do not name it, are not parsed.
///
/// # Errors
/// As [`segment_paths`].
pub(super) fn segments_about(queue: &Queue, id: TaskId) -> Result<(Vec<Segment>, Vec<Problem>)> {
    let wanted = id.to_string();
    let born = i64::try_from(id.milliseconds()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let start = born.and_then(|born| born.checked_sub(SLACK).ok()).unwrap_or(Timestamp::MIN);
    let (paths, mut problems) = segment_paths_since(queue, start)?;
    let mut segments = Vec::new();
    for path in reaching(&paths, start).into_iter().rev() {
        match queue.read(path) {
            Ok(Some(bytes)) if names(&bytes, &wanted) => {
                match parse(&StoredSegment { path: path.clone(), bytes }) {
                    Ok(segment) => segments.push(segment),
                    Err(fault) => problems.push(Problem::at(path.clone(), fault)),
                }
            }
            Ok(_) => {}
            Err(fault) => problems.push(Problem::at(path.clone(), fault)),
        }
    }
    Ok((segments, problems))
}

/// Whether a segment mentions an id or a hash.
pub(crate) fn names(bytes: &[u8], id: &str) -> bool {
    bytes.windows(id.len()).any(|window| window == id.as_bytes())
}

/// The newest event about one task; `None` if the log never heard of it.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn last_event_of(queue: &Queue, id: TaskId) -> Result<Option<Event>> {
    Ok(events_of(queue, id)?.pop())
}

/// Whether a round has brought a task here, with whatever content.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn was_carried_here(queue: &Queue, id: TaskId) -> Result<bool> {
    Ok(events_of(queue, id)?.iter().any(|event| event.fact.kind == EventKind::TaskDelivered))
}

/// Whether a task with one of these contents arrived here before: it was delivered, or somebody put the file there.
///
/// # Errors
/// As [`segment_paths`].
pub(crate) fn was_here(queue: &Queue, id: TaskId, contents: &[&str]) -> Result<bool> {
    let arrived = |event: &Event| {
        matches!(event.fact.kind, EventKind::TaskDelivered | EventKind::TaskAdopted)
            && event.fact.content.as_deref().is_some_and(|content| contents.contains(&content))
    };
    Ok(events_of(queue, id)?.iter().any(arrived))
}
