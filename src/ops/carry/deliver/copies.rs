//! What a receiver has already of what is on its way: the same content under the same id is the same delivery, whoever
//! brought it.

use std::collections::HashMap;

use super::super::post::Post;
use super::{Source, content_hash};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::task::Folder;
use crate::store::archive::{self, Held};
use crate::store::git::Reach;
use crate::store::queue::{Item, Queue};
use crate::store::tx::Tx;
use crate::store::{history, layout};

/// What a receiver had when the round began, read once: looking for each letter alone would read it all each time.
pub(super) struct Present {
    items: HashMap<TaskId, Item>,
    archived: Held,
}

impl Present {
    pub(super) fn of(queue: &Queue) -> Result<Present> {
        // What counts are the ids; the file of one that is the same is read.
        let items = queue.list_within(&layout::QUEUE_FOLDERS, Reach::Names).items.into_iter().rev();
        let items = items.filter_map(|item| item.id().map(|id| (id, item))).collect();
        Ok(Present { items, archived: Held::of(queue)? })
    }

    fn find(&self, queue: &Queue, id: TaskId) -> Result<Option<Item>> {
        match self.items.get(&id) {
            Some(item) => Ok(Some(item.clone())),
            None if self.archived.contains(id) => archive::find(queue, id),
            None => Ok(None),
        }
    }
}

/// A task as it would arrive.
pub(in super::super) struct Parcel<'p> {
    pub(in super::super) id: TaskId,
    /// SHA-256 of what would be carried.
    pub(in super::super) hash: &'p str,
    /// SHA-256 of the sender's file.
    pub(in super::super) own: &'p str,
    pub(in super::super) from: &'p Queue,
}

impl Parcel<'_> {
    fn is(&self, bytes: &[u8]) -> bool {
        let hash = content_hash(bytes);
        hash == self.hash || hash == self.own
    }

    /// Whether a round has brought this letter, and was cut short before the sender had its record. What differs was
    /// changed since.
    fn has_left(&self, receiver: &Queue, there: &Item) -> Result<bool> {
        let is_ours = there.task.from.as_ref() == Some(&self.from.settings.id);
        Ok(is_ours
            && self.from.at_usual_place(self.id, Folder::Sent)?.is_none()
            && archive::find(self.from, self.id)?.is_none()
            && history::was_carried_here(receiver, self.id)?)
    }
}

/// Whether a receiver has a task already.
pub(super) enum Copy {
    None,
    /// It lies there, and is committed with the round: somebody has put an equal file there.
    Staged(String),
    Committed(Item),
}

/// Where the receiver has this very task already, and what becomes of the letter.
///
/// # Errors
/// [`Code::Collision`] if it has another task under the same id.
pub(super) fn copy_at(
    post: &Post,
    present: &Present,
    tx: &mut Tx<'_>,
    parcel: &Parcel<'_>,
) -> Result<(Copy, Source)> {
    if let Some(path) = tx.staged_copy(parcel.id) {
        let is_same = tx.read(&path)?.is_some_and(|bytes| parcel.is(&bytes));
        return match is_same {
            true => Ok((Copy::Staged(path), Source::Letter)),
            false => Err(collision(post, parcel.id, &path)),
        };
    }
    let Some(there) = present.find(&post.queue, parcel.id)? else { return Ok((Copy::None, Source::Letter)) };
    let source = compare(post, &there, parcel)?;
    if is_uncommitted(post, tx, &there.path)? {
        return Ok((Copy::Staged(there.path), source));
    }
    Ok((Copy::Committed(there), source))
}

/// What becomes of a letter whose receiver has something under its id.
///
/// # Errors
/// [`Code::Collision`] if that is another task.
pub(in super::super) fn compare(post: &Post, there: &Item, parcel: &Parcel<'_>) -> Result<Source> {
    let is_same = parcel.is(&archive::read(&post.queue, there)?);
    if is_same || history::was_here(&post.queue, parcel.id, &[parcel.hash, parcel.own])? {
        Ok(Source::Letter)
    } else if parcel.has_left(&post.queue, there)? {
        Ok(Source::Changed)
    } else {
        Err(collision(post, parcel.id, &there.path))
    }
}

/// Whether what the receiver has is committed with this round.
pub(super) fn is_uncommitted(post: &Post, tx: &Tx<'_>, path: &str) -> Result<bool> {
    Ok(tx.is_staged(path) || post.queue.home.debts()?.iter().any(|debt| debt == path))
}

fn collision(post: &Post, id: TaskId, path: &str) -> Fault {
    Fault::new(Code::Collision, format!("`{}` has another task with the id {id}: `{path}`", post.id))
        .hint("remove the line `id = …` from the head of this one; it gets a new id")
}

/// Two files of one outbox that differ and have the same id.
pub(super) fn twins(id: TaskId, path: &str, other: &str) -> Fault {
    Fault::new(Code::Collision, format!("`{path}` has the id {id}, and `{other}`, which differs, has it too"))
        .hint("remove the line `id = …` from the head of one of them; it gets a new id")
}
