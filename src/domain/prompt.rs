//! What a line typed into an agent's session means for the queue.
//!
//! A line is a command only if it is one line, begins with one of a few words and ends with the word that approves; or
//! if it is a slash command of ours. Everything else is for the agent.

use super::typed::{self, Typed};

/// The word that approves.
pub(crate) const SESAME: &str = "sesame";

/// The words that are commands when a line begins with them and ends with [`SESAME`].
pub(crate) const WORDS: [&str; 7] = ["task", "outbox", "inbox", "next", "start", "finish", "register"];

/// The commands that there are slash commands for.
pub(crate) const SLASH: [&str; 14] = [
    "task", "outbox", "inbox", "next", "start", "finish", "register", "list", "show", "claim", "done",
    "fail", "route", "sesame",
];

/// A command is a line, and a line is not a book.
const LONGEST: usize = 4096;

/// What a prompt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Command(Line),
    /// Something that an agent is asked.
    Request,
    /// Nothing that a word could be said about.
    Nothing,
}

/// A line that is a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Words of a command line, without the program's name.
    pub(crate) words: Vec<String>,
    /// The same with all that follows the project as one title, which people type without marks around it. None where
    /// that cannot be meant.
    pub(crate) with_whole_title: Option<Vec<String>>,
}

/// The meaning of a prompt.
pub(crate) fn meaning(prompt: &str) -> Meaning {
    let line = prompt.trim();
    if line.is_empty() {
        return Meaning::Nothing;
    }
    if line.len() <= LONGEST
        && !line.contains(['\n', '\r', '\0'])
        && let Some(line) = command(line)
    {
        return Meaning::Command(line);
    }
    let is_for_the_program = line.starts_with(['/', '!', '#']);
    if is_for_the_program { Meaning::Nothing } else { Meaning::Request }
}

fn command(line: &str) -> Option<Line> {
    if let Some(rest) = line.strip_prefix("/swift:") {
        let words = typed::words(rest);
        return words
            .first()
            .is_some_and(|verb| SLASH.contains(&verb.word.as_str()))
            .then(|| said(rest, &words));
    }
    let words = typed::words(line);
    let (first, last) = (words.first()?, words.last()?);
    // In quotation marks it is no word of approval.
    if &line[last.place.clone()] != SESAME {
        return None;
    }
    match first.word.as_str() {
        "swift" if words.len() > 1 => Some(said(line, &words[1..])),
        SESAME => (words.len() == 1).then(|| said(line, &words)),
        verb => WORDS.contains(&verb).then(|| said(line, &words)),
    }
}

fn said(line: &str, words: &[Typed]) -> Line {
    Line {
        words: words.iter().map(|typed| typed.word.clone()).collect(),
        with_whole_title: with_whole_title(line, words),
    }
}

/// `task . Fix the login sesame` with its title in one piece and as it was typed, where no shell splits words.
fn with_whole_title(line: &str, words: &[Typed]) -> Option<Vec<String>> {
    let [verb, target, rest @ ..] = words else { return None };
    let (title, approval) = match rest {
        [title @ .., last] if last.word == SESAME => (title, Some(last)),
        title => (title, None),
    };
    let is_option = |typed: &Typed| typed.word.starts_with('-') && typed.word.contains(|c| c != '-');
    let is_plain = title.len() > 1 && !title.iter().any(is_option);
    if verb.word != "task" || !is_plain {
        return None;
    }
    let title = &line[title.first()?.place.start..title.last()?.place.end];
    let words = [&verb.word, &target.word, title].into_iter().chain(approval.map(|last| last.word.as_str()));
    Some(words.map(str::to_owned).collect())
}

/// Whether a command reads what is piped into it: inside of a session nothing is.
pub(crate) fn reads_a_pipe(words: &[String]) -> bool {
    const OPTIONS: [&str; 4] = ["--body=", "--file=", "-b", "-f"];
    let is_given = |word: &str| OPTIONS.iter().any(|option| word.strip_prefix(option) == Some("-"));
    words.iter().any(|word| word == "-" || is_given(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_meant_as_commands_are_commands() {
        let words = |line: &str| match meaning(line) {
            Meaning::Command(line) => line.words.join("|"),
            Meaning::Request => "request".to_owned(),
            Meaning::Nothing => "nothing".to_owned(),
        };
        for (line, expected) in [
            ("task . sesame", "task|.|sesame"),
            ("  next sesame\n", "next|sesame"),
            ("task . \"Fix the login\" sesame", "task|.|Fix the login|sesame"),
            ("swift undo sesame", "undo|sesame"),
            ("sesame", "sesame"),
            ("/swift:next -n 3", "next|-n|3"),
            ("/swift:done k3v9 --result 'all green'", "done|k3v9|--result|all green"),
            ("/swift:uninstall", "nothing"),
            ("/next", "nothing"),
            ("!ls", "nothing"),
            ("", "nothing"),
            (" \n ", "nothing"),
            ("next", "request"),
            ("task . add sesame seeds", "request"),
            ("what does open sesame", "request"),
            ("start\nthe server sesame", "request"),
            ("next: don't forget sesame", "request"),
            ("task . don't sesame", "task|.|don't|sesame"),
            ("task . don't crash on it sesame", "task|.|don't|crash|on|it|sesame"),
            ("task . 'all of it sesame'", "request"),
            ("swift sesame", "sesame"),
            ("swift", "request"),
        ] {
            assert_eq!(words(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_title_needs_no_quotation_marks_where_no_shell_splits_it() {
        let whole = |line: &str| match meaning(line) {
            Meaning::Command(line) => line.with_whole_title.map(|words| words.join("|")),
            Meaning::Request | Meaning::Nothing => None,
        };
        for (line, expected) in [
            ("task . Fix the login sesame", Some("task|.|Fix the login|sesame")),
            ("swift task api It's Bob's sesame", Some("task|api|It's Bob's|sesame")),
            ("/swift:task . Fix the login", Some("task|.|Fix the login")),
            (r"task . Fix  C:\path\x  at once sesame", Some(r"task|.|Fix  C:\path\x  at once|sesame")),
            ("task . 'a' and \"b\" sesame", Some("task|.|'a' and \"b\"|sesame")),
            ("task . login - it fails -- always sesame", Some("task|.|login - it fails -- always|sesame")),
            ("task . Fix sesame", None),
            ("task . Fix it -p high sesame", None),
            ("inbox a b c sesame", None),
        ] {
            assert_eq!(whole(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_lone_hyphen_reads_a_pipe_and_one_in_a_title_does_not() {
        let reads = |line: &str| reads_a_pipe(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for line in ["task . y --body -", "task . y -b-", "task . --file=-", "comment k3v9 -", "route -"] {
            assert!(reads(line), "{line}");
        }
        for line in ["task . y --body x", "task . y-", "next", "show k3v9"] {
            assert!(!reads(line), "{line}");
        }
    }
}
