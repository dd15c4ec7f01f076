//! What a line typed into an agent's session means for the queue.
//!
//! A line is a command only if it is one line, begins with one of a few words and ends with the word that approves; or
//! if it is a slash command of ours. Everything else is for the agent.

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
    /// Words of a command line, without the program's name.
    Command(Vec<String>),
    /// Something that an agent is asked.
    Request,
    /// Nothing that a word could be said about.
    Nothing,
}

/// The meaning of a prompt.
pub(crate) fn meaning(prompt: &str) -> Meaning {
    let line = prompt.trim();
    if line.is_empty() {
        return Meaning::Nothing;
    }
    if line.len() <= LONGEST
        && !line.contains(['\n', '\r', '\0'])
        && let Some(words) = command(line)
    {
        return Meaning::Command(words);
    }
    let is_for_the_program = line.starts_with(['/', '!', '#']);
    if is_for_the_program { Meaning::Nothing } else { Meaning::Request }
}

fn command(line: &str) -> Option<Vec<String>> {
    if let Some(rest) = line.strip_prefix("/swift:") {
        let words = shell_words::split(rest).ok()?;
        return words.first().is_some_and(|verb| SLASH.contains(&verb.as_str())).then_some(words);
    }
    // Apostrophes are frequent in prose, so look at the ends before the quotation marks.
    let (first, last) = (line.split_whitespace().next()?, line.split_whitespace().next_back()?);
    if last != SESAME {
        return None;
    }
    let words = match shell_words::split(line) {
        Ok(words) => words,
        // Outside of a shell an apostrophe is an apostrophe.
        Err(_) => line.split_whitespace().map(str::to_owned).collect(),
    };
    if words.last().map(String::as_str) != Some(SESAME) {
        return None;
    }
    match first {
        "swift" if words.len() > 1 => Some(words[1..].to_vec()),
        SESAME => (words.len() == 1).then_some(words),
        _ => WORDS.contains(&first).then_some(words),
    }
}

/// `task . Fix the login sesame` with its title in one piece, as people type it where no shell splits words.
pub(crate) fn with_whole_title(words: &[String]) -> Option<Vec<String>> {
    let [verb, target, title @ .., last] = words else { return None };
    let is_plain = title.len() > 1 && !title.iter().any(|word| word.starts_with('-'));
    (verb == "task" && is_plain && last == SESAME)
        .then(|| vec![verb.clone(), target.clone(), title.join(" "), last.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_are_meant_as_commands_are_commands() {
        let words = |line: &str| match meaning(line) {
            Meaning::Command(words) => words.join("|"),
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
        let whole = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            with_whole_title(&words).map(|words| words.join("|"))
        };
        assert_eq!(whole("task . Fix the login sesame"), Some("task|.|Fix the login|sesame".to_owned()));
        assert_eq!(whole("task . Fix sesame"), None);
        assert_eq!(whole("task . Fix it -p high sesame"), None);
        assert_eq!(whole("inbox a b c sesame"), None);
    }
}
