//! What follows a word or a flag without a sign between: `--token …`, `curl -u name:…`, `the password is …`.

use super::name::{Name, is_code, is_made, is_odd, is_variable, may_be, name};
use super::without;

/// What a secret follows, and how long it is at least.
const BEFORE: [(&str, usize); 11] = [
    ("bearer ", 20),
    ("password is ", 8),
    ("passphrase is ", 8),
    ("secret is ", 8),
    ("token is ", 12),
    ("key is ", 16),
    ("password ", 8),
    ("passphrase ", 8),
    ("token ", 20),
    ("api key ", 16),
    ("sshpass -p ", 6),
];

/// Programs to which `-p` gives a password, on the same line.
const PROGRAMS: [&str; 3] = ["mysql", "mariadb", "docker login"];

/// Programs to which `-u` gives a name and a password.
const CALLERS: [&str; 4] = ["curl", "wget", "mongosh", "ab "];

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// It calls a program to which `-u` gives a name and a password.
    Call,
    Other,
}

/// The text without what such words and flags give.
pub(super) fn said(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut cuts = Vec::new();
    for (words, least) in BEFORE {
        let starts = lower.match_indices(words).map(|(at, _)| at + words.len());
        cuts.extend(starts.filter_map(|start| odd_word(text, start, least)));
    }
    for program in PROGRAMS {
        for (at, _) in lower.match_indices(program) {
            let line = lower[at..].lines().next().unwrap_or_default();
            let option = line.find(" -p").map(|option| at + option + 3);
            let start = option.map(|at| at + usize::from(text[at..].starts_with(' ')));
            cuts.extend(start.and_then(|start| odd_word(text, start, 6)));
        }
    }
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let line_of =
            if CALLERS.iter().any(|program| line.contains(program)) { Line::Call } else { Line::Other };
        let mut at = 0;
        for word in line.split(' ') {
            let next = at + word.len() + 1;
            let value = next.min(line.len());
            cuts.extend(
                given(word, &line[value..], line_of)
                    .map(|(from, to)| (line_start + value + from, line_start + value + to)),
            );
            at = next;
        }
        line_start += line.len();
    }
    without(text, cuts)
}

/// The word here, if it is as long and none of a sentence.
fn odd_word(text: &str, start: usize, least: usize) -> Option<(usize, usize)> {
    let (from, to) = word(text.get(start..)?);
    let value = &text[start + from..start + to];
    let is_secret = value.len() >= least
        && may_be(value)
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
        && !is_code(value.trim_end_matches(['.', '!', '?', ')']));
    is_secret.then_some((start + from, start + to))
}

/// Where the first word stands, without its quotation marks.
fn word(rest: &str) -> (usize, usize) {
    let from = rest.len() - rest.trim_start_matches(['"', '\'', '\\']).len();
    let length = rest[from..].find(|c: char| c.is_whitespace() || "\"'`,;\\".contains(c));
    (from, length.map_or(rest.len(), |length| from + length))
}

/// Where in what follows a word the secret stands that the word announces.
fn given(before: &str, rest: &str, line: Line) -> Option<(usize, usize)> {
    let before =
        before.trim_start_matches(['"', '\'', '`', '(', '[', ',']).trim_end_matches(['"', '\'', ',', '`']);
    let (from, to) = word(rest);
    let value = &rest[from..to];
    if ["-u", "--user", "--proxy-user", "-U"].contains(&before) {
        let (user, password) = value.split_once(':')?;
        let is_secret = match line {
            Line::Call => password.len() >= 3,
            Line::Other => password.len() >= 6 && is_odd(password),
        };
        let is_variable = password.starts_with(['$', '<', '{', '[']);
        return (is_secret && !is_variable).then_some((from + user.len() + 1, to));
    }
    let is_flag = before.starts_with('-') && before.len() > 3;
    let is_name = is_variable(before) && before.contains('_');
    if !(is_flag || is_name) || !may_be(value) || value.starts_with('-') || is_code(value) {
        return None;
    }
    let kind = name(before)?;
    let is_mixed = value.chars().skip(1).any(|c| c.is_ascii_uppercase())
        && value.contains(|c: char| c.is_ascii_lowercase());
    let is_secret = match kind {
        Name::Header => false,
        Name::Key => is_made(value),
        Name::Password | Name::Token if is_flag => {
            (is_odd(value) && value.len() >= 8) || (is_mixed && value.len() >= 12)
        }
        Name::Password | Name::Token => {
            value.len() >= 8
                && is_odd(value)
                && value.contains(|c: char| c.is_ascii_alphabetic())
                && !is_variable(value)
        }
    };
    is_secret.then_some((from, to))
}
