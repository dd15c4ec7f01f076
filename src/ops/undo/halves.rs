//! A delivery is taken back in both queues or in none.
//!
//! Where a commit had to wait, or one of the two was restored from a backup, the receiver's half of a delivery and the
//! sender's are the work of two rounds, two operations. One alone would take a letter away that nobody has any more, or
//! bring one back that has arrived.

use std::collections::BTreeSet;

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{OperationId, TaskId};
use crate::domain::task::{Folder, Task};
use crate::domain::text::{as_word, led_to};
use crate::format::parse_summary;
use crate::store::queue::Queue;
use crate::store::{history, layout};

use super::neighbours::Neighbours;
use super::{Part, Reversal, moment};

/// Refuse what would take back one half of a delivery.
///
/// # Errors
/// [`Code::UndoBlocked`]; those of reading the log.
pub(super) fn refuse_half(parts: &[Part], operation: OperationId, neighbours: &Neighbours) -> Result<()> {
    let files = || parts.iter().flat_map(|part| part.files.iter().map(move |file| (part, file)));
    // A sender's record that returns is no letter.
    let letters = files().filter(|(_, file)| !is_in(file, Folder::Sent));
    let back: BTreeSet<TaskId> = letters.filter_map(|(part, file)| before(part, file)?.id).collect();
    let gone = |id: TaskId| {
        let goes = |file: &Reversal| is_arrival(file) || is_in(file, Folder::Tasks) && file.before.is_none();
        files().any(|(part, file)| goes(file) && left(part, file).is_some_and(|task| task.id == Some(id)))
    };
    for (part, file) in files() {
        if is_arrival(file) {
            let Some(id) = left(part, file).and_then(|task| task.id) else { continue };
            if !back.contains(&id) && was_delivered(&part.queue, operation, id)? {
                return Err(taken_away(part, id));
            }
        } else if is_in(file, Folder::Outbox) && file.left.is_none() {
            let Some(task) = before(part, file) else { continue };
            let Some(id) = task.id.filter(|id| !gone(*id)) else { continue };
            if let Some(receiver) = arrived_at(neighbours, &task, id) {
                return Err(brought_back(&receiver, id));
            }
        }
    }
    Ok(())
}

fn is_in(file: &Reversal, folder: Folder) -> bool {
    layout::folder_of(&file.path) == Some(folder)
}

/// Whether the operation put a letter into the inbox, which goes when it is taken back.
fn is_arrival(file: &Reversal) -> bool {
    is_in(file, Folder::Inbox) && file.before.is_none()
}

fn left(part: &Part, file: &Reversal) -> Option<Task> {
    task(part, &part.queue.home.blob(file.left.as_deref()?).ok()?)
}

fn before(part: &Part, file: &Reversal) -> Option<Task> {
    task(part, &part.former(file).ok()??)
}

fn task(part: &Part, bytes: &[u8]) -> Option<Task> {
    parse_summary(bytes, &part.queue.limits()).ok()
}

/// Whether the letter came by a round, and not by a person's hand.
fn was_delivered(queue: &Queue, operation: OperationId, id: TaskId) -> Result<bool> {
    let events = history::since(queue, moment(operation))?.events;
    let mut own = events.iter().filter(|event| event.operation == operation && event.fact.task == Some(id));
    Ok(own.any(|event| event.fact.kind == EventKind::TaskDelivered))
}

/// The queue that has the letter by now, if it can be looked into.
fn arrived_at(neighbours: &Neighbours, task: &Task, id: TaskId) -> Option<Queue> {
    let receiver = neighbours.reach(task.to.as_ref()?).ok()?;
    receiver.anywhere(id).ok()?.is_some().then_some(receiver)
}

fn taken_away(part: &Part, id: TaskId) -> Fault {
    let text = format!(
        "letter {} was put into the inbox of {} alone: what its sender noted of it is another operation",
        id.short(),
        part.project
    );
    Fault::new(Code::UndoBlocked, text).hint(sends_back(&part.queue, id))
}

fn brought_back(receiver: &Queue, id: TaskId) -> Fault {
    let text = format!(
        "letter {} came to {} by another operation, so taking back that it was sent would not call it back",
        id.short(),
        receiver.settings.id
    );
    Fault::new(Code::UndoBlocked, text).hint(sends_back(receiver, id))
}

fn sends_back(receiver: &Queue, id: TaskId) -> String {
    let folder = as_word(receiver.home.root.parent().unwrap_or(&receiver.home.root));
    led_to(&format!("`swift inbox refuse {} --why \"…\"` sends it back, with a reason", id.short()), &folder)
}
