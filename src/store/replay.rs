//! Replay: what each hand that ever wrote in the log has said last about a task, and whether a file is as it was said.
//!
//! A hand's own records are in the order in which it wrote them, whatever its clock said then: each builds on the one
//! before. Only between hands is there nothing but time. Where clones have come together, the youngest word of all need
//! not be the one that a merge has kept; so a file is as it should be if any of the hands has left it so.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::history::{self, Log, StoredSegment};
use super::queue::Queue;
use crate::domain::event::{Digest, Event};
use crate::domain::fault::Result;
use crate::domain::id::{TaskId, WriterId};
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, State, Task};
use crate::format::audit::Segment;

/// The last word about each task of each hand, by time.
pub(crate) type LastWords = HashMap<TaskId, Vec<Event>>;

/// How a file is otherwise than the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The log never heard of the task.
    Unknown,
    /// Nobody has left this content.
    Content,
    /// The content is known, and the task should be somewhere else.
    State(State),
}

/// All events by time, and the last words of each hand.
///
/// # Errors
/// Those of listing the log.
pub(crate) fn of_all(queue: &Queue) -> Result<(Log, LastWords)> {
    let (stored, problems) = history::segments(queue)?;
    let mut log = Log { events: Vec::new(), problems };
    let mut segments = Vec::with_capacity(stored.len());
    for one in stored {
        match history::parse(&one) {
            Ok(segment) => segments.push(segment),
            Err(fault) => log.problems.push(Problem::at(one.path, fault)),
        }
    }
    let words = last_words(&segments, |_| true);
    log.events.extend(segments.into_iter().flat_map(|segment| segment.records).map(|record| record.event));
    log.events.sort_by_key(|event| (event.at, event.id));
    Ok((log, words))
}

/// The last words about these tasks. What of the log cannot be read is passed over.
///
/// # Errors
/// Those of listing the log.
pub(crate) fn about(queue: &Queue, ids: &BTreeSet<TaskId>, now: Timestamp) -> Result<LastWords> {
    let Some(oldest) = ids.first() else { return Ok(LastWords::new()) };
    let born = i64::try_from(oldest.milliseconds()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    // An id from the future says nothing about when it was given.
    let born = born.filter(|born| *born <= now).and_then(|born| born.checked_sub(history::SLACK).ok());
    let stored: Vec<StoredSegment> = history::segments_since(queue, born.unwrap_or(Timestamp::MIN))?;
    let segments: Vec<Segment> = stored.iter().filter_map(|one| history::parse(one).ok()).collect();
    Ok(last_words(&segments, |id| ids.contains(&id)))
}

/// All events about one task, with what of the log cannot be read: those of each hand in the order in which it wrote
/// them, and between hands by time. A clock that was ahead for a while makes nothing late that was said after.
///
/// # Errors
/// Those of listing the log.
pub(crate) fn account_of(queue: &Queue, id: TaskId) -> Result<Log> {
    let (segments, problems) = history::segments_about(queue, id)?;
    let mut events = Vec::new();
    for own in by_hand(&segments).into_values() {
        let mut latest = Timestamp::MIN;
        for record in chained(&own).into_iter().flat_map(|segment| &segment.records) {
            latest = latest.max(record.event.at);
            if record.event.fact.task == Some(id) {
                events.push((latest, record.event.clone()));
            }
        }
    }
    // What one hand said at one instant stays as it said it.
    events.sort_by_key(|(latest, _)| *latest);
    Ok(Log { events: events.into_iter().map(|(_, event)| event).collect(), problems })
}

fn by_hand(segments: &[Segment]) -> BTreeMap<WriterId, Vec<&Segment>> {
    let mut by_hand: BTreeMap<WriterId, Vec<&Segment>> = BTreeMap::new();
    for segment in segments {
        by_hand.entry(segment.writer).or_default().push(segment);
    }
    by_hand
}

/// The segments come by time.
fn last_words(segments: &[Segment], is_wanted: impl Fn(TaskId) -> bool) -> LastWords {
    let mut words = LastWords::new();
    for own in by_hand(segments).into_values() {
        let mut last: HashMap<TaskId, &Event> = HashMap::new();
        for segment in chained(&own) {
            let events = segment.records.iter().map(|record| &record.event);
            last.extend(
                events.filter_map(|event| Some((event.fact.task.filter(|id| is_wanted(*id))?, event))),
            );
        }
        for (id, event) in last {
            words.entry(id).or_default().push(event.clone());
        }
    }
    words.values_mut().for_each(|events| events.sort_by_key(|event| (event.at, event.id)));
    words
}

/// One hand's segments, each after the one that it builds on, and otherwise as they come.
fn chained<'s>(own: &[&'s Segment]) -> Vec<&'s Segment> {
    let ends: HashMap<&Digest, usize> = own
        .iter()
        .enumerate()
        .filter_map(|(at, segment)| Some((&segment.records.last()?.hash, at)))
        .collect();
    let mut is_placed = vec![false; own.len()];
    let mut placed = Vec::with_capacity(own.len());
    for at in 0..own.len() {
        let mut chain = vec![at];
        while let Some(before) = own[chain[chain.len() - 1]].prev.as_ref().and_then(|prev| ends.get(prev)) {
            // Nobody writes a ring; whoever forges one is not followed round it.
            if is_placed[*before] || chain.contains(before) {
                break;
            }
            chain.push(*before);
        }
        for at in chain.into_iter().rev().filter(|at| !std::mem::replace(&mut is_placed[*at], true)) {
            placed.push(own[at]);
        }
    }
    placed
}

/// A file beside the log: what is in it, and which state it stands for, which may be another one as time goes by.
pub(crate) struct Standing<'a> {
    pub(crate) content: Option<&'a Digest>,
    pub(crate) task: &'a Task,
    pub(crate) folder: Folder,
    pub(crate) now: Timestamp,
}

/// Whether a file is what one of the hands has left; the words are those about its task.
pub(crate) fn difference(words: &[Event], file: &Standing<'_>) -> Option<Difference> {
    let content = file.content;
    let Some(youngest) = words.last() else { return Some(Difference::Unknown) };
    let is_left = |event: &&Event| event.fact.content.is_some() && event.fact.content.as_ref() == content;
    let left = words.iter().rev().find(is_left);
    if left.is_none() && content.is_some() && youngest.fact.content.is_some() {
        return Some(Difference::Content);
    }
    let word = left.unwrap_or(youngest);
    let said = word.fact.to?;
    // A lease or a deferral that has run out since then is nobody's doing, and none of the log's.
    let is_as_said = [word.at, file.now].iter().any(|at| !differs(said, file.task.state(file.folder, *at)));
    (!is_as_said).then_some(Difference::State(said))
}

/// Time alone turns claimed and deferred tasks into ready ones; that is no difference.
fn differs(log: State, file: State) -> bool {
    let timed = |state| matches!(state, State::Claimed | State::Deferred | State::Ready);
    let inbox = |state| matches!(state, State::Inbox | State::Deferred);
    log != file && !(timed(log) && timed(file)) && !(inbox(log) && inbox(file))
}

/// Whether a task of which these are the words ought to have a file.
pub(crate) fn is_there(words: &[Event]) -> bool {
    !words.is_empty() && !words.iter().any(|event| matches!(event.fact.to, None | Some(State::Gone)))
}
