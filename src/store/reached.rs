//! How far the watcher's notifier has come in the stream of events, on this machine.

use serde::{Deserialize, Serialize};

use super::local::Local;
use crate::domain::cursor::Cursor;
use crate::domain::fault::Result;
use crate::format::cursor;

/// The name of the note below the orchestrator's `local/`.
const NOTE: &str = "notify.json";

#[derive(Serialize, Deserialize)]
struct Note {
    schema: u32,
    cursor: String,
}

/// The place behind the last event that somebody was told of; `None` if nobody ever was.
pub(crate) fn read(local: &Local) -> Option<Cursor> {
    let note: Note = serde_json::from_slice(&local.read(NOTE)?).ok()?;
    cursor::parse(&note.cursor).ok()
}

/// Note the place.
///
/// # Errors
/// Those of [`Local::write`].
pub(crate) fn write(local: &Local, reached: &Cursor) -> Result<()> {
    let note = Note { schema: 1, cursor: cursor::render(reached) };
    local.write(NOTE, &serde_json::to_vec(&note).expect("a note is plain data"))
}
