//! Why a text is not what it should be, and where.
//!
//! Lines and columns count from 1, columns in characters, as editors show them.

use std::fmt;

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

/// What is wrong with a text, and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// [`Code::Malformed`], [`Code::NewerSchema`] or [`Code::TooLarge`].
    pub(crate) code: Code,
    /// Lower case, present tense; without the place.
    pub(crate) message: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// What would be right, as whoever reads the value says it.
    pub(crate) hints: Vec<String>,
}

impl Malformed {
    /// A defect at a byte of the text.
    pub(super) fn in_text(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Malformed {
            code: Code::Malformed,
            message: message.into(),
            line: 1 + before.bytes().filter(|b| *b == b'\n').count(),
            column: 1 + before[start..].chars().count(),
            hints: Vec::new(),
        }
    }

    /// A defect of the text as a whole.
    pub(super) fn whole(code: Code, message: impl Into<String>) -> Self {
        Malformed { code, message: message.into(), line: 1, column: 1, hints: Vec::new() }
    }

    /// The same defect under another code.
    #[must_use]
    pub(super) fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// The same defect with what would be right.
    #[must_use]
    pub(super) fn with_hints(mut self, hints: Vec<String>) -> Self {
        self.hints = hints;
        self
    }

    /// The same defect in a text that begins some lines below the beginning of the file.
    #[must_use]
    pub(super) fn below(mut self, lines: usize) -> Self {
        self.line += lines;
        self
    }

    /// The fault to report, with the file's path in front.
    pub(crate) fn at(self, path: &str) -> Fault {
        // The place has no blank in it, as compilers write it, so that editors can jump there.
        let mut fault = Fault::new(self.code, format!("{}:{self}", shown(path)));
        fault.hints = self.hints;
        match self.code {
            Code::NewerSchema => fault.hint("a newer version of `swift` reads it"),
            Code::Unsettled => fault.hint("`swift resolve` makes one text of the two"),
            _ => fault,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_a_line_and_a_column_in_characters() {
        let defect = Malformed::in_text("é\nüx = 1", 5, "no");
        assert_eq!((defect.line, defect.column), (2, 2));
        assert_eq!(defect.at("inbox/x.md").message, "inbox/x.md:2:2: no");
        assert_eq!(Malformed::in_text("", 99, "no").line, 1);
    }
}
