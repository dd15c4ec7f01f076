//! A Markdown file with a head, as four pieces that, put together, are the file again.
//!
//! What no such file may have is refused here: bytes that are not UTF-8, a NUL byte, the markers that git leaves
//! in a file with a conflict.

use super::malformed::Malformed;
use crate::domain::fault::Code;

/// The line before and after the head.
const FENCE: &str = "+++";

/// How large a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The whole file.
    pub(crate) file_bytes: usize,
    /// The head alone.
    pub(crate) head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { file_bytes: 1 << 20, head_bytes: 1 << 16 }
    }
}

impl Limits {
    /// The same with more room, for what is measured by itself.
    pub(super) fn with_room(self, bytes: usize) -> Limits {
        let (file_bytes, head_bytes) =
            (self.file_bytes.saturating_add(bytes), self.head_bytes.saturating_add(bytes));
        Limits { file_bytes, head_bytes }
    }
}

/// The pieces of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct File<'a> {
    /// The first fence, with a byte order mark before it if the file has one.
    pub(super) opening: &'a str,
    pub(super) head: &'a str,
    /// The second fence.
    pub(super) closing: &'a str,
    pub(super) body: &'a str,
}

impl<'a> File<'a> {
    /// Take a file apart.
    pub(super) fn split(bytes: &'a [u8], limits: &Limits) -> Result<Self, Malformed> {
        let text = checked_text(bytes, limits)?;
        let (opening, rest) = text.split_at(first_line(text).len());
        if !is_fence(opening.strip_prefix('\u{feff}').unwrap_or(opening)) {
            return Err(no_head(text, opening));
        }
        let head_bytes = head_length(text, opening.len(), limits)?;
        let (head, rest) = rest.split_at(head_bytes);
        let (closing, body) = rest.split_at(first_line(rest).len());
        refuse_conflict(text, text.len() - body.len())?;
        Ok(File { opening, head, closing, body })
    }
}

fn checked_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Malformed> {
    if bytes.len() > limits.file_bytes {
        let message = format!("the file has {} bytes and may have {}", bytes.len(), limits.file_bytes);
        return Err(Malformed::whole(Code::TooLarge, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to here");
        Malformed::in_text(valid, valid.len(), "the file is not UTF-8")
    })?;
    match text.find('\0') {
        Some(at) => Err(Malformed::in_text(text, at, "the file has a NUL byte")),
        None => Ok(text),
    }
}

fn no_head(text: &str, first: &str) -> Malformed {
    if is_marker(first) {
        return conflict(text, 0);
    }
    Malformed::in_text(text, 0, "no head: the file has to start with a line `+++`")
}

/// How many bytes lie between the fences.
fn head_length(text: &str, start: usize, limits: &Limits) -> Result<usize, Malformed> {
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if is_fence(line) {
            return Ok(at - start);
        }
        if is_marker(line) {
            return Err(conflict(text, at));
        }
        at += line.len();
        if at - start > limits.head_bytes {
            let message = format!("the head has more than {} bytes", limits.head_bytes);
            return Err(Malformed::whole(Code::TooLarge, message));
        }
    }
    Err(Malformed::in_text(text, 0, "no end of the head: a second line `+++` is missing"))
}

/// Single markers are legal in a body (a line of `=` underlines a heading); all three in their order are not.
fn refuse_conflict(text: &str, body: usize) -> Result<(), Malformed> {
    match conflict_in(&text[body..]) {
        Some(at) => Err(conflict(text, body + at)),
        None => Ok(()),
    }
}

/// Where a conflict that git has left begins.
fn conflict_in(body: &str) -> Option<usize> {
    let begin = line_starting_with(body, 0, "<<<<<<< ")?;
    let middle = line_starting_with(body, begin, "=======")?;
    line_starting_with(body, middle, ">>>>>>> ").map(|_| begin)
}

/// Text to put below what is there already, without what would make the file unreadable: NUL bytes, and lines that
/// look like a conflict of git, which a person may well quote in a comment. Such lines are moved by a blank.
pub(super) fn harmless(before: &str, text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    if conflict_in(&format!("{before}\n{text}")).is_none() {
        return text;
    }
    let is_marker =
        |line: &str| ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|marker| line.starts_with(marker));
    let moved = |line: &str| format!("{}{line}", if is_marker(line) { " " } else { "" });
    text.split_inclusive('\n').map(moved).collect()
}

fn line_starting_with(text: &str, from: usize, marker: &str) -> Option<usize> {
    let mut from = from;
    while let Some(at) = text[from..].find(marker).map(|at| from + at) {
        if at == 0 || text.as_bytes()[at - 1] == b'\n' {
            return Some(at);
        }
        from = at + marker.len();
    }
    None
}

fn conflict(text: &str, at: usize) -> Malformed {
    Malformed::in_text(text, at, "git has left a conflict here").with_code(Code::Unsettled)
}

fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or_default()
}

fn is_fence(line: &str) -> bool {
    line.strip_prefix(FENCE)
        .is_some_and(|rest| rest.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')))
}

fn is_marker(line: &str) -> bool {
    let Some(first) = line.bytes().next().filter(|b| b"<=>|".contains(b)) else { return false };
    let run = line.bytes().take_while(|b| *b == first).count();
    run == 7 && line[run..].starts_with([' ', '\r', '\n'])
}
