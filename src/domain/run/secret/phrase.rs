//! Secrets of several words, and of letters alone. They are told from what people write by the words that every sentence
//! has and no secret needs.

use super::name::{Name, is_odd};

/// Words that a sentence, a label or a message has.
const PROSE: [&str; 84] = [
    "a",
    "an",
    "the",
    "this",
    "that",
    "these",
    "your",
    "my",
    "our",
    "their",
    "his",
    "her",
    "its",
    "it",
    "you",
    "we",
    "they",
    "i",
    "is",
    "are",
    "was",
    "be",
    "been",
    "has",
    "have",
    "had",
    "must",
    "should",
    "can",
    "cannot",
    "may",
    "will",
    "would",
    "do",
    "does",
    "not",
    "no",
    "of",
    "to",
    "for",
    "from",
    "in",
    "on",
    "at",
    "by",
    "with",
    "without",
    "as",
    "and",
    "or",
    "but",
    "if",
    "when",
    "where",
    "how",
    "what",
    "than",
    "then",
    "so",
    "too",
    "only",
    "please",
    "enter",
    "type",
    "use",
    "set",
    "field",
    "value",
    "required",
    "missing",
    "empty",
    "invalid",
    "wrong",
    "incorrect",
    "expired",
    "confirm",
    "forgot",
    "reset",
    "new",
    "old",
    "password",
    "passphrase",
    "token",
    "secret",
];

/// Those of them that commands have as well.
const OF_COMMANDS: [&str; 20] = [
    "for", "in", "do", "if", "then", "set", "type", "use", "new", "reset", "at", "on", "from", "no", "and",
    "or", "by", "to", "not", "value",
];

/// Whether a line is a sentence, and no command: its options, and what they are given, tell nothing.
pub(super) fn is_sentence(line: &str) -> bool {
    let mut follows_option = false;
    line.split_whitespace().any(|word| {
        let is_value = std::mem::replace(&mut follows_option, word.starts_with('-'));
        !is_value && !word.contains(['-', '=', '/', '$', ':']) && is_prose(word) && !is_of_commands(word)
    })
}

fn is_of_commands(word: &str) -> bool {
    OF_COMMANDS.contains(&word.to_ascii_lowercase().trim_matches(|c: char| !c.is_alphanumeric()))
}

/// Whether people have written it, for people.
pub(super) fn is_prose(text: &str) -> bool {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    words.filter(|word| !word.is_empty()).any(|word| PROSE.contains(&word.to_ascii_lowercase().as_str()))
}

/// Whether several words between quotes are a secret of this name.
pub(super) fn is_secret(kind: Name, words: &str) -> bool {
    let is_made = |word: &str| {
        let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        word.len() >= 6 && is_odd(word) && word.contains(|c: char| c.is_ascii_alphabetic())
    };
    let first = words.split_whitespace().next().unwrap_or_default();
    match kind {
        Name::Password => words.split_whitespace().any(is_made) || (is_plain(words) && !is_prose(words)),
        // What is no password is made by a machine, from its first word on.
        Name::Token => is_made(first) && !is_prose(words),
        Name::Key | Name::Header => false,
    }
}

/// Several words and nothing of what programs are written with.
fn is_plain(words: &str) -> bool {
    words.len() >= 12
        && !words.contains(['(', ')', '{', '}', '[', ']', '<', '>', '=', '%', '$', '|', '/', ':', ','])
}

/// Whether it is a word of letters alone, as long as a password has to be.
pub(super) fn is_of_letters(word: &str, least: usize) -> bool {
    word.len() >= least
        && word.chars().all(|c| c.is_ascii_alphabetic())
        && word.contains(|c: char| c.is_ascii_lowercase())
        && !is_prose(word)
}

/// What is between the quotation marks that begin here, escaped or not, and end on the same line; with where it begins.
pub(super) fn quoted(rest: &str) -> Option<(usize, &str)> {
    let escapes = rest.len() - rest.trim_start_matches('\\').len();
    let quote = rest[escapes..].chars().next().filter(|c| "\"'".contains(*c))?;
    let start = escapes + quote.len_utf8();
    let line = rest[start..].split(['\r', '\n']).next()?;
    let end = if escapes > 0 { line.find(&rest[..start]) } else { end_of(line, quote) };
    Some((start, &line[..end?]))
}

fn end_of(line: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    line.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends.then_some(at)
    })
}
