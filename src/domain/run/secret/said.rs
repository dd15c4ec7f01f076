//! What follows a word or a flag without a sign between: `--token …`, `curl -u name:…`, `the password is …`.

use super::name::{Name, is_code, is_made, is_odd, is_variable, may_be, name};
use super::{phrase, without};

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

/// Programs to which an option gives a password, on the same line.
const PROGRAMS: [(&str, &str); 10] = [
    ("mysql", " -p"),
    ("mariadb", " -p"),
    ("docker login", " -p"),
    ("podman login", " -p"),
    ("helm registry login", " -p"),
    ("oc login", " -p"),
    ("sshpass", " -p"),
    ("mongosh", " -p"),
    ("mongodump", " -p"),
    ("redis-cli", " -a"),
];

/// Those of them to which a word of its own after the option is something else: the name of a database.
const JOINED: [&str; 2] = ["mysql", "mariadb"];

/// Programs to which `-u` gives a name and a password.
const CALLERS: [&str; 4] = ["curl", "wget", "mongosh", "ab "];

/// How long a password of letters is at least, where a flag gives it.
const LEAST_LETTERS: usize = 8;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    program: Program,
    tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// One to which `-u` gives a name and a password.
    Caller,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// Nothing in it is a sentence, so what follows a flag is its value, whatever it looks like.
    Command,
    Prose,
}

impl Line {
    fn of(line: &str) -> Line {
        let is_caller = CALLERS.iter().any(|program| line.contains(program));
        // What a command says in quotes may be a sentence.
        let is_prose =
            line.split('"').step_by(2).flat_map(|part| part.split(" '").step_by(2)).any(phrase::is_sentence);
        Line {
            program: if is_caller { Program::Caller } else { Program::Other },
            tone: if is_prose { Tone::Prose } else { Tone::Command },
        }
    }
}

/// The text without what such words and flags give.
pub(super) fn said(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut cuts = Vec::new();
    for (words, least) in BEFORE {
        let starts = lower.match_indices(words).map(|(at, _)| at + words.len());
        cuts.extend(starts.filter_map(|start| odd_word(text, start, least)));
    }
    for (program, option) in PROGRAMS {
        for (at, _) in lower.match_indices(program) {
            let line = lower[at..].lines().next().unwrap_or_default();
            let Some(end) = line.find(option).map(|place| at + place + option.len()) else { continue };
            let is_apart = text[end..].starts_with(' ');
            let start = end + usize::from(is_apart);
            cuts.extend(odd_word(text, start, 6));
            let is_told = Line::of(whole_line(text, at)).tone == Tone::Command;
            if is_told && !(is_apart && JOINED.contains(&program)) {
                cuts.extend(word_of_letters(text, start, 6));
            }
        }
    }
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let line_of = Line::of(line);
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
    let (_, end) = quoted_or_word(&text[start..]);
    is_secret.then_some((start + from, start + to.max(end)))
}

/// The word of letters here.
fn word_of_letters(text: &str, start: usize, least: usize) -> Option<(usize, usize)> {
    let (from, to) = word(text.get(start..)?);
    let value = &text[start + from..start + to];
    (phrase::is_of_letters(value, least) && may_be(value)).then_some((start + from, start + to))
}

fn whole_line(text: &str, at: usize) -> &str {
    let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[from..].lines().next().unwrap_or_default()
}

/// What is between the quotation marks that begin here; where there are none, the first word.
fn quoted_or_word(rest: &str) -> (usize, usize) {
    phrase::quoted(rest).map_or_else(|| word(rest), |(from, words)| (from, from + words.len()))
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
        let is_secret = match line.program {
            Program::Caller => password.len() >= 3,
            Program::Other => password.len() >= 6 && is_odd(password),
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
    let (quoted_from, quoted_to) = quoted_or_word(rest);
    let quoted = &rest[quoted_from..quoted_to];
    if is_flag && quoted.trim().contains([' ', '\t']) {
        return phrase::is_secret(kind, quoted).then_some((quoted_from, quoted_to));
    }
    let is_mixed = value.chars().skip(1).any(|c| c.is_ascii_uppercase())
        && value.contains(|c: char| c.is_ascii_lowercase());
    let is_secret = match kind {
        Name::Header => false,
        Name::Key => is_made(value),
        Name::Password | Name::Token if is_flag => {
            (is_odd(value) && value.len() >= 8)
                || (is_mixed && value.len() >= 12)
                || (kind == Name::Password
                    && line.tone == Tone::Command
                    && phrase::is_of_letters(value, LEAST_LETTERS))
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
