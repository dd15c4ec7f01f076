//! Task files: a TOML head between two lines `+++`, then a body in Markdown.
//!
//! A file may be written by `swift`, by hand, or by a stranger. Reading refuses with a place what is not a task;
//! it never repairs. Writing changes the keys that changed and leaves every other byte as it was.

mod document;
mod read;
mod size;
mod write;

pub(crate) use super::file::Limits;
#[cfg(test)]
mod properties;

pub(crate) use document::Document;
pub(crate) use size::{ROOM, ROOM_OF_VERBS, fit_for_a_receipt, is_too_large};

use super::file::File;
use super::malformed::Malformed;
use crate::domain::task::Task;

/// The task that a file tells of, without what an edit would need: for lists of many tasks.
///
/// The verdict and the value are those of [`Document::parse`].
///
/// # Errors
/// [`Malformed`] with the place.
pub(crate) fn parse_summary(bytes: &[u8], limits: &Limits) -> Result<Task, Malformed> {
    let file = File::split(bytes, &limits.with_room(ROOM))?;
    let task = match read::plain_task(file.head) {
        Some(task) => task,
        None => read::task(file.head, &mut Vec::new()).map_err(|defect| defect.below(1))?,
    };
    size::check(&file, &task, limits)?;
    Ok(task)
}
