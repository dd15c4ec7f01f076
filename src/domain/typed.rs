//! A line typed where no shell splits it, as words.
//!
//! Nothing in it is special but white space and quotation marks that enclose whole words: a backslash is a backslash, a
//! dollar sign a dollar sign, and an apostrophe within or at the end of a word belongs to it. A quotation begins with
//! `"` or `'` where a word begins, or behind the `=` of an option, and ends with the same mark where a word ends;
//! within `"…"` stands `\"` for a mark. What only looks like a quotation stays as it was typed.

use std::ops::Range;

/// A word of a line, and where in the line it stands with its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) word: String,
    pub(super) place: Range<usize>,
}

/// The words of a line.
pub(super) fn words(line: &str) -> Vec<Typed> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(skipped) = line[at..].find(|c: char| !c.is_whitespace()) {
        let start = at + skipped;
        let (word, length) = first(&line[start..]);
        at = start + length;
        words.push(Typed { word, place: start..at });
    }
    words
}

/// The first word of a text that begins with one, and how long it is there.
fn first(text: &str) -> (String, usize) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let is_option = text.starts_with('-');
    // `--body="two words"`
    let begin = text[..end].find('=').filter(|_| is_option).map_or(0, |sign| sign + 1);
    match quotation(&text[begin..]) {
        Some((inner, length)) => (format!("{}{inner}", &text[..begin]), begin + length),
        None => (text[..end].to_owned(), end),
    }
}

/// What stands between the marks at the beginning of a text, and how long it is with them.
fn quotation(text: &str) -> Option<(String, usize)> {
    let mark = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let escaped = mark == '"';
    let mut inner = String::new();
    let mut rest = text[1..].char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        match letter {
            '\\' if escaped && next == Some('"') => {
                rest.next();
                inner.push('"');
            }
            _ if letter == mark && next.is_none_or(char::is_whitespace) => return Some((inner, at + 2)),
            _ => inner.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_around_whole_words_quote() {
        let split =
            |line: &str| words(line).into_iter().map(|typed| typed.word).collect::<Vec<_>>().join("|");
        for (line, expected) in [
            ("It's Bob's", "It's|Bob's"),
            ("when the users' names 'n all", "when|the|users'|names|'n|all"),
            (r"Fix C:\path\x", r"Fix|C:\path\x"),
            (r"one\ntwo \ three", r"one\ntwo|\|three"),
            (r#""two words" 'and three more'"#, "two words|and three more"),
            (r#""it's one" 'a "b" c'"#, r#"it's one|a "b" c"#),
            (r#""say \"no\" twice""#, r#"say "no" twice"#),
            (r#""in C:\new\dir" x"#, r"in C:\new\dir|x"),
            (r#""in C:\new\" x"#, r#""in|C:\new\"|x"#),
            (r#"--body="two words" --label='a b' -p=high"#, "--body=two words|--label=a b|-p=high"),
            (r#"x="two words""#, r#"x="two|words""#),
            (r#""" 5"disk "open"#, r#"|5"disk|"open"#),
            ("$HOME `x` | & ~", "$HOME|`x`|||&|~"),
            ("  a\u{a0}b\tc ", "a|b|c"),
            ("", ""),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
        let places: Vec<_> = words("task . \"a b\" c").into_iter().map(|typed| typed.place).collect();
        assert_eq!(places, [0..4, 5..6, 7..12, 13..14]);
    }
}
