//! What a receiver has already of what is on its way: the same content under the same id is the same delivery, whoever
//! brought it.

use std::collections::{HashMap, HashSet};

use super::super::post::Post;
use super::content_hash;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::store::queue::{Item, Queue};
use crate::store::tx::Tx;
use crate::store::{archive, history, layout};

/// What a receiver had when the round began, read once: looking for each letter alone would read it all each time.
pub(super) struct Present {
    items: HashMap<TaskId, Item>,
    archived: HashSet<TaskId>,
}

impl Present {
    pub(super) fn of(queue: &Queue) -> Result<Present> {
        let items = queue.list(&layout::QUEUE_FOLDERS).items.into_iter().rev();
        let items = items.filter_map(|item| item.id().map(|id| (id, item))).collect();
        Ok(Present { items, archived: archive::ids(queue)? })
    }

    fn find(&self, queue: &Queue, id: TaskId) -> Result<Option<Item>> {
        match self.items.get(&id) {
            Some(item) => Ok(Some(item.clone())),
            None if self.archived.contains(&id) => archive::find(queue, id),
            None => Ok(None),
        }
    }
}

/// A task as it would arrive.
pub(super) struct Parcel<'p> {
    pub(super) id: TaskId,
    /// SHA-256 of what would be carried.
    pub(super) hash: &'p str,
    /// SHA-256 of the sender's file.
    pub(super) own: &'p str,
}

impl Parcel<'_> {
    fn is(&self, bytes: &[u8]) -> bool {
        let hash = content_hash(bytes);
        hash == self.hash || hash == self.own
    }
}

/// Whether a receiver has a task already.
pub(super) enum Copy {
    None,
    /// It lies there, and is committed with the round: somebody has put an equal file there.
    Staged(String),
    Committed(Item),
}

/// Where the receiver has this very task already.
///
/// # Errors
/// [`Code::Collision`] if it has another task under the same id.
pub(super) fn copy_at(post: &Post, present: &Present, tx: &mut Tx<'_>, parcel: &Parcel<'_>) -> Result<Copy> {
    if let Some(path) = tx.staged_copy(parcel.id) {
        let is_same = tx.read(&path)?.is_some_and(|bytes| parcel.is(&bytes));
        return if is_same { Ok(Copy::Staged(path)) } else { Err(collision(post, parcel.id, &path)) };
    }
    let Some(there) = present.find(&post.queue, parcel.id)? else { return Ok(Copy::None) };
    let is_same = parcel.is(&archive::read(&post.queue, &there)?);
    if !is_same && !history::was_here(&post.queue, parcel.id, &[parcel.hash, parcel.own])? {
        return Err(collision(post, parcel.id, &there.path));
    }
    if tx.is_staged(&there.path) || post.queue.home.debts()?.contains(&there.path) {
        return Ok(Copy::Staged(there.path));
    }
    Ok(Copy::Committed(there))
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
