//! Code and quotations within a line.

use super::Voice;

/// A piece between marks, by lengths in bytes.
pub(super) struct Span {
    pub(super) voice: Voice,
    pub(super) open: usize,
    pub(super) inner: usize,
    pub(super) close: usize,
}

/// How long a piece of code on one line may be, in bytes.
const LONGEST_CODE: usize = 4000;

/// How long a quotation on one line may be, in bytes.
const LONGEST_QUOTATION: usize = 300;

impl Span {
    /// The span that begins with the first character of `text`, which follows `before`.
    pub(super) fn of(text: &str, before: Option<char>) -> Option<Span> {
        let first = text.chars().next()?;
        if first == '`' {
            let open = text.bytes().take_while(|b| *b == b'`').count();
            let near = text.floor_char_boundary(open + LONGEST_CODE);
            let inner = text.get(open..near)?.find(&text[..open])?;
            return Some(Span { voice: Voice::Code, open, inner, close: open });
        }
        let close = match first {
            '\u{201c}' => '\u{201d}',
            '\u{2018}' => '\u{2019}',
            other => other,
        };
        if before.is_some_and(|c| c.is_alphanumeric()) {
            return None;
        }
        let open = first.len_utf8();
        let ends = text[open..].match_indices(close).map(|(at, _)| at);
        let is_end = |at: &usize| {
            let after = text[open + at + close.len_utf8()..].chars().next();
            *at > 0 && !after.is_some_and(char::is_alphanumeric)
        };
        let inner = ends.take_while(|at| *at <= LONGEST_QUOTATION).find(is_end)?;
        Some(Span { voice: Voice::Quoted, open, inner, close: close.len_utf8() })
    }
}
