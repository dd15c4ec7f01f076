//! How large a task may be.
//!
//! The limits count what a person wrote. Identity, leases, receipts, and the reasons and results that verbs are told
//! have room of their own: a file that can be read stays one whatever becomes of the task.

use super::document::changed_head;
use crate::domain::fault::Code;
use crate::domain::task::Task;
use crate::format::file::{File, Limits};
use crate::format::malformed::Malformed;
use crate::format::quote::{Newline, string};

/// How many bytes of a file may be of verbs, beside what the limits allow.
pub(crate) const ROOM: usize = 1 << 17;

/// The same without what a receipt needs, which has to fit whatever was said before.
pub(crate) const ROOM_OF_VERBS: usize = ROOM / 2;

/// How long a receipt's note may be as it is written; the rest of its room is for its other keys.
const NOTE: usize = ROOM - ROOM_OF_VERBS - (1 << 12);

/// As much of a reason or a result as a sender's record has room for.
pub(crate) fn fit_for_a_receipt(note: String) -> String {
    let quotes = string("").len();
    if string(&note).len() <= NOTE {
        return note;
    }
    let mut room = NOTE - quotes - "…".len();
    let fits = |c: &char| {
        let left = room.checked_sub(string(&c.to_string()).len() - quotes);
        room = left.unwrap_or(0);
        left.is_some()
    };
    let mut cut: String = note.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// Whether a task can be read no more because of its size.
pub(crate) fn is_too_large(bytes: &[u8], limits: &Limits) -> bool {
    super::parse_summary(bytes, limits).is_err_and(|defect| defect.code == Code::TooLarge)
}

/// Whether what a person wrote in a file is within the limits, and the rest in its room.
pub(super) fn check(file: &File<'_>, task: &Task, limits: &Limits) -> Result<(), Malformed> {
    let whole = file.opening.len() + file.head.len() + file.closing.len() + file.body.len();
    if whole <= limits.file_bytes && file.head.len() <= limits.head_bytes {
        return Ok(());
    }
    let added = added(file.head, task, Newline::of(file.opening));
    let (text, head) = (whole - added, file.head.len() - added);
    let message = if text > limits.file_bytes {
        format!("the text has {text} bytes; the limit is {}", limits.file_bytes)
    } else if head > limits.head_bytes {
        format!("the head has {head} bytes; the limit is {}", limits.head_bytes)
    } else if added > ROOM {
        format!("what is said about the task has {added} bytes; the limit is {ROOM}")
    } else {
        return Ok(());
    };
    Err(Malformed::whole(Code::TooLarge, message))
}

/// How many bytes of a head verbs have written.
pub(super) fn added(head: &str, task: &Task, newline: Newline) -> usize {
    let own = Task { id: None, from: None, to: None, created: None, ..task.clone().without_progress() };
    head.len().saturating_sub(changed_head(head.to_owned(), task, &own, newline).len())
}
