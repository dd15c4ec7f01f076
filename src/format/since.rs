//! Where a stream begins, as a person says it: a cursor, an instant, a day, or how long ago.

use jiff::Timestamp;

use super::{cursor, duration, instant};
use crate::domain::cursor::Cursor;
use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// Read it. A cursor never begins with a digit, and times always do.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Cursor, Fault> {
    if text == "now" {
        return Ok(at(now));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return cursor::parse(text);
    }
    if let Some(read) = instant::from_text(text) {
        return Ok(at(read.instant));
    }
    let ago = duration::parse(text).ok().and_then(|length| now.checked_sub(length).ok());
    ago.map(at).ok_or_else(|| {
        Fault::new(Code::InvalidValue, format!("`{}` is neither a cursor nor a time", shown(text)))
            .hint("a time is written such as `2026-03-02T09:00:00Z`, `2026-03-02`, or `2h` for two hours ago")
    })
}

/// The cursor before everything at or after an instant.
pub(crate) fn at(instant: Timestamp) -> Cursor {
    Cursor::since(u64::try_from(instant.as_millisecond()).unwrap_or(0))
}
