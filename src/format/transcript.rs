//! A run's transcript as JSON Lines: the same in the live log, in the committed file and in the stream of `--json`.

use serde::{Deserialize, Serialize};

use crate::domain::run::entry::Entry;

#[derive(Serialize, Deserialize)]
struct Line {
    schema: u32,
    /// Where several streams are one: the task that it is about, in its short form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    at: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
}

/// One line, with its end.
pub(crate) fn render(entry: &Entry) -> String {
    line(entry, None)
}

/// One line of a stream that tells of several tasks at once.
pub(crate) fn render_of(task: &str, entry: &Entry) -> String {
    line(entry, Some(task.to_owned()))
}

fn line(entry: &Entry, task: Option<String>) -> String {
    let line = Line {
        schema: 1,
        task,
        at: entry.at.to_string(),
        kind: entry.kind.as_str().to_owned(),
        name: entry.name.clone(),
        text: entry.text.clone(),
    };
    // Strings and a number always become JSON.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

/// What a line tells; `None` for one that was cut off, or that a newer version wrote.
pub(crate) fn parse(line: &str) -> Option<Entry> {
    let line: Line = serde_json::from_str(line).ok()?;
    Some(Entry { at: line.at.parse().ok()?, kind: line.kind.parse().ok()?, name: line.name, text: line.text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::entry::EntryKind;

    #[test]
    fn what_is_written_is_read_and_the_rest_left_out() {
        let at = jiff::Timestamp::from_second(7).unwrap();
        let entry = Entry::new(at, EntryKind::Tool, Some("Bash".to_owned()), "ls \"x\"\n\u{1b}");
        let line = render(&entry);
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(parse(&line), Some(entry));
        assert_eq!(parse(&line[..20]), None);
        assert_eq!(parse(&line.replace("tool", "brand-new")), None);
    }
}
