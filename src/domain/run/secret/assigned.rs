//! What is assigned to a name: `password = "…"`, `API_KEY: …`, `Authorization: …`. The value goes, the name stays.

use super::name::{Name, is_code, is_identifier, is_made, is_odd, is_variable, may_be, name};
use super::{phrase, without};

/// What may stand between a name, its sign and its value.
const BETWEEN: [char; 5] = ['"', '\'', '\\', ' ', '\t'];

/// The text without the values of names that say that they are secret.
pub(super) fn assigned(text: &str) -> String {
    let cuts = text.match_indices(['=', ':']).filter_map(|(at, _)| value(text, at)).collect();
    without(text, cuts)
}

/// A value as it stands.
struct Value<'t> {
    text: &'t str,
    is_quoted: bool,
    /// What follows it.
    next: Option<char>,
    /// Whether there is a blank between the name and it.
    is_apart: bool,
}

/// Where the secret stands that is assigned by the sign here.
fn value(text: &str, at: usize) -> Option<(usize, usize)> {
    let (before, sign, after) = (&text[..at], &text[at..=at], &text[at + 1..]);
    if before.ends_with(['=', '!', '<', '>']) || after.starts_with(['=', ':']) || before.ends_with("::") {
        return None;
    }
    let after = after.strip_prefix('>').unwrap_or(after);
    let left = before.trim_end_matches(':').trim_end_matches(BETWEEN);
    let word = &left[left
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)))
        .map_or(0, |at| at + left[at..].chars().next().map_or(1, char::len_utf8))..];
    let kind = name(word)?;
    let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
    let inner = after[blank..].trim_start_matches(['"', '\'', '\\']);
    let is_quoted = inner.len() < after.len() - blank;
    let start = text.len() - inner.len();
    if let Some((from, words)) = phrase::quoted(&after[blank..]).filter(|(_, words)| is_phrase(kind, words)) {
        let start = text.len() - after.len() + blank + from;
        return Some((start, start + words.len()));
    }
    let ends: &[char] = match (kind, is_quoted) {
        (Name::Header, _) => &['\r', '\n', '"', '\'', '\\'],
        (_, true) => &['"', '\'', '\\', '\r', '\n'],
        (_, false) => &['"', '\'', '\\', ',', ';', '}', ')', '&', ' ', '\t', '\r', '\n'],
    };
    let length = inner.find(ends).unwrap_or(inner.len());
    let value = Value {
        text: &inner[..length],
        is_quoted,
        next: inner[length..].chars().next(),
        is_apart: blank > 0 || left.len() < before.len(),
    };
    let is_line = left[..left.len() - word.len()]
        .rsplit('\n')
        .next()
        .is_some_and(|line| line.trim().trim_start_matches('-').is_empty());
    let is_secret = match kind {
        Name::Header => sign == ":" && is_header(value.text),
        _ if !may_be(value.text) => false,
        // Words between quotes are a sentence of a program, but not what a variable of the environment is set to.
        _ if value.text.contains(char::is_whitespace) => {
            let is_set = is_variable(word) && sign == "=" && !value.is_apart && value.is_quoted;
            is_set && (kind == Name::Password || (kind == Name::Token && is_odd(value.text)))
        }
        Name::Key => is_made(value.text),
        _ if value.is_quoted => kind == Name::Password || is_odd(value.text),
        _ if is_code(value.text) => false,
        _ if is_variable(word) && sign == "=" && !value.is_apart => true,
        _ if value.is_apart
            && is_identifier(value.text)
            && matches!(value.next, Some(';' | ',' | ')' | '}')) =>
        {
            false
        }
        _ if is_odd(value.text) => true,
        // A line of its own in a file of settings.
        _ => {
            kind == Name::Password
                && sign == ":"
                && is_line
                && value.next.is_none_or(|next| "\r\n".contains(next))
        }
    };
    is_secret.then_some((start, start + length))
}

/// Whether it is a secret of several words.
fn is_phrase(kind: Name, words: &str) -> bool {
    words.trim().contains([' ', '\t']) && may_be(words) && phrase::is_secret(kind, words)
}

/// Whether the value of a header is one, and not what a program makes of it.
fn is_header(value: &str) -> bool {
    let first = value.split(' ').next().unwrap_or("").to_ascii_lowercase();
    let schemes = ["basic", "bearer", "token", "digest", "negotiate", "apikey", "aws4-hmac-sha256"];
    let names_scheme = schemes.contains(&first.as_str())
        && value.len() > first.len() + 6
        && !value.contains(['<', '$', '{']);
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.len() >= 6
        && !is_code(value.split(' ').next().unwrap_or(""))
        && (names_scheme || value.contains('=') || is_odd(value))
}
