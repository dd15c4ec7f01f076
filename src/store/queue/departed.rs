//! Why a task is not where a verb looks for it: whether it was there, and who has taken it away.
//!
//! Only the log tells that, so only what the log has is said. A task that never was there is not found, and no more.

use std::collections::BTreeSet;

use crate::domain::event::Event;
use crate::domain::fault::{Code, Fault};
use crate::domain::id::TaskId;
use crate::domain::task::{Folder, State};
use crate::domain::text::shown;
use crate::store::{history, replay};

use super::Queue;

/// Among how many events a task is looked for that is nowhere: what is longer ago, nobody races with.
const NEWEST: usize = 256;

impl Queue {
    /// The refusal of a verb that comes too late; `None` if the task never was in these folders, as far as the log tells.
    pub(super) fn departed(&self, id: TaskId, folders: &[Folder]) -> Option<Fault> {
        let events = replay::account_of(self, id).ok()?.events;
        let event = departure(&events, folders)?;
        let places: Vec<&str> = folders.iter().map(|folder| folder.as_str()).collect();
        let text = format!(
            "task {} is not in {} any more: `{}` by `{}`",
            id.short(),
            places.join(", "),
            event.fact.kind.as_str(),
            shown(event.actor.as_str())
        );
        Some(Fault::new(Code::Overtaken, text))
    }

    /// The same for a task whose file is nowhere, such as one whose making was taken back: if it is the only one of the
    /// newest events that the reference can name.
    pub(super) fn vanished(&self, is_meant: impl Fn(TaskId) -> bool, folders: &[Folder]) -> Option<Fault> {
        let newest = history::newest(self, NEWEST).ok()?.events;
        let meant: BTreeSet<TaskId> =
            newest.iter().filter_map(|event| event.fact.task).filter(|id| is_meant(*id)).collect();
        let id = meant.first().filter(|_| meant.len() == 1)?;
        Some(self.departed(*id, folders)?.hint("`swift log` tells what happened to it"))
    }
}

/// The last event by which a task left these folders.
fn departure<'e>(events: &'e [Event], folders: &[Folder]) -> Option<&'e Event> {
    let is_here = |folder: Option<Folder>| folder.is_some_and(|folder| folders.contains(&folder));
    let (mut place, mut last) = (None, None);
    for event in events {
        let before = event.fact.from.and_then(|state| folder_of(state, place)).or(place);
        let after = event.fact.to.and_then(|state| folder_of(state, before));
        if is_here(before) && !is_here(after) {
            last = Some(event);
        }
        place = after;
    }
    last
}

/// Where a task of a state lies; one that is put off, wherever it was.
fn folder_of(state: State, before: Option<Folder>) -> Option<Folder> {
    match state {
        State::Outbox => Some(Folder::Outbox),
        State::Sent => Some(Folder::Sent),
        State::Inbox => Some(Folder::Inbox),
        State::Ready | State::Claimed | State::Blocked => Some(Folder::Tasks),
        State::Done | State::Refused => Some(Folder::Done),
        State::Dead => Some(Folder::Dead),
        State::Gone => None,
        State::Deferred => before,
    }
}
