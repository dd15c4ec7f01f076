//! How large what a verb writes may become.

use crate::domain::fault::{Code, Fault, Result};
use crate::format::{Document, Limits, ROOM_OF_VERBS, parse_summary};
use crate::store::layout;

/// No verb writes a task that the next one could not read.
pub(super) fn refuse_too_large(path: &str, bytes: &[u8], limits: &Limits) -> Result<()> {
    let is_small = bytes.len() <= limits.file_bytes.min(limits.head_bytes);
    if is_small || layout::folder_of(path).is_none() {
        return Ok(());
    }
    match parse_summary(bytes, limits) {
        Err(defect) if defect.code == Code::TooLarge => {
            let fault =
                Fault::new(Code::TooLarge, format!("the task would be too large: {}", defect.message));
            // The limit of a head is not in the settings.
            let unlimited = Limits { file_bytes: usize::MAX, ..*limits };
            Err(fault.hint(match parse_summary(bytes, &unlimited) {
                Err(defect) if defect.code == Code::TooLarge => {
                    "put the bulk elsewhere and name the place, or into the text: `swift comment`"
                }
                _ => "put the bulk elsewhere and name the place, or raise `max_bytes` in `.swift/swift.toml`",
            }))
        }
        _ => Ok(()),
    }
}

/// A sender's record gets a receipt beside all that was said of the task.
pub(super) fn leave_room_for_a_receipt(document: &Document) -> Result<()> {
    let added = document.added_bytes();
    if added <= ROOM_OF_VERBS {
        return Ok(());
    }
    let text = format!("what is said about the task would have {added} bytes; the limit is {ROOM_OF_VERBS}");
    Err(Fault::new(Code::TooLarge, text)
        .hint("say it in fewer words; what is long fits into the text of the task: `swift comment`"))
}
