//! Values as TOML text.
//!
//! What can mislead a reader of a diff (control characters, changes of direction) is escaped. A text of several
//! lines keeps its lines, because people read these files, unless one of the lines would be taken for the end of
//! a head or for a conflict of a merge.

use std::fmt::Write as _;

use crate::domain::text::is_hidden;

/// How line ends are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newline {
    /// `\n`
    Lf,
    /// `\r\n`
    Crlf,
}

impl Newline {
    /// The bytes themselves.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Newline::Lf => "\n",
            Newline::Crlf => "\r\n",
        }
    }

    /// The ending of the text's first line.
    pub(super) fn of(text: &str) -> Self {
        match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => Newline::Crlf,
            _ => Newline::Lf,
        }
    }

    /// The text with this line ending throughout.
    pub(super) fn applied_to(self, text: &str) -> String {
        let plain = text.replace("\r\n", "\n");
        match self {
            Newline::Lf => plain,
            Newline::Crlf => plain.replace('\n', "\r\n"),
        }
    }
}

/// A string on one line.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out.push('"');
    out
}

/// A string that may go over several lines.
pub(super) fn paragraph(text: &str, newline: Newline) -> String {
    if newline == Newline::Crlf || !text.contains('\n') || text.contains('\r') || text.lines().any(is_risky) {
        return string(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str("\"\"\"\n");
    for c in text.chars() {
        if c == '\n' { out.push(c) } else { push_escaped(&mut out, c) }
    }
    out.push_str("\"\"\"");
    out
}

/// An array of strings on one line.
pub(super) fn array(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: Vec<_> = texts.into_iter().map(|text| string(text.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// Whether a line of a multi-line string could be taken for a fence or a conflict marker.
fn is_risky(line: &str) -> bool {
    line.starts_with(['+', '<', '=', '>', '|'])
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if !is_hidden(c) => out.push(c),
        // Writing to a string cannot fail.
        c if u32::from(c) <= 0xffff => _ = write!(out, "\\u{:04X}", u32::from(c)),
        c => _ = write!(out, "\\U{:08X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(toml: &str) -> String {
        let text = format!("a = {toml}\n");
        let table = super::super::syntax::parse(&text).unwrap();
        table.get("a").unwrap().get_ref().as_str().unwrap().to_owned()
    }

    #[test]
    fn strings_survive_the_way_there_and_back() {
        for text in [
            "",
            "a\"b\\c",
            "\u{202e}x\u{e0001}",
            "tab\tline\r\n\u{0}",
            "\n",
            "a\nb\n",
            "x\n+++\n",
            "\"\"\"\n\"",
        ] {
            assert_eq!(back(&string(text)), text);
            assert_eq!(back(&paragraph(text, Newline::Lf)), text);
            assert_eq!(back(&paragraph(text, Newline::Crlf)), text);
        }
    }

    #[test]
    fn paragraphs_keep_their_lines_unless_a_line_is_risky() {
        assert_eq!(paragraph("a\nb", Newline::Lf), "\"\"\"\na\nb\"\"\"");
        assert_eq!(paragraph("a\n+++\n", Newline::Lf), "\"a\\n+++\\n\"");
        assert_eq!(paragraph("a\nb", Newline::Crlf), "\"a\\nb\"");
        assert_eq!(array(["a", "b"]), "[\"a\", \"b\"]");
    }
}
