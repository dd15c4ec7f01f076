//! One line of a run's transcript: what people follow while it works, and read afterwards.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::event::{Event, Trouble};
use crate::domain::fault::{Code, Fault};
use crate::domain::task::words;
use crate::domain::text::shown;

words! {
    /// What a line tells of.
    EntryKind, "a kind of entry";
    /// The prompt.
    Prompt = "prompt";
    /// The session began.
    Began = "began";
    /// The model said something.
    Text = "text";
    /// A tool was used.
    Tool = "tool";
    /// A tool answered.
    Answer = "tool-answer";
    /// A tool failed.
    Fault = "tool-fault";
    /// A tool was refused.
    Refused = "refused";
    /// A request to the model is tried again.
    Retry = "retry";
    /// About the account's usage limit.
    Limit = "limit";
    /// A request to the model failed.
    ApiError = "api-error";
    /// Another model answers.
    Model = "model";
    /// The last word.
    Result = "result";
    /// A verifier.
    Verify = "verify";
    /// From `swift` itself.
    Note = "note";
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) kind: EntryKind,
    /// The tool, the model, the command: what it is about.
    pub(crate) name: Option<String>,
    pub(crate) text: String,
}

impl Entry {
    /// A line.
    pub(crate) fn new(
        at: Timestamp,
        kind: EntryKind,
        name: Option<String>,
        text: impl Into<String>,
    ) -> Entry {
        Entry { at, kind, name, text: text.into() }
    }

    /// What an event tells people; `None` if nothing.
    pub(crate) fn of(event: &Event, at: Timestamp) -> Option<Entry> {
        let entry =
            |kind, name: Option<&String>, text: String| Some(Entry::new(at, kind, name.cloned(), text));
        match event {
            Event::Began { model, failed_servers, version, .. } => {
                let version = version.as_deref().map(|version| format!("claude {version}"));
                let failed =
                    failed_servers.iter().map(|server| format!("the server `{server}` did not start"));
                let text: Vec<String> = version.into_iter().chain(failed).collect();
                entry(EntryKind::Began, model.as_ref(), text.join("; "))
            }
            Event::Text(text) => entry(EntryKind::Text, None, text.clone()),
            Event::ToolUse { tool, input } => entry(EntryKind::Tool, Some(tool), input.clone()),
            Event::ToolDone { result, fault: false } => entry(EntryKind::Answer, None, result.clone()),
            Event::ToolDone { result, fault: true } => entry(EntryKind::Fault, None, result.clone()),
            Event::Refused { tool } => entry(EntryKind::Refused, Some(tool), String::new()),
            Event::Retrying { attempt, status, kind } => {
                let status = status.map(|status| format!(" (status {status})")).unwrap_or_default();
                entry(EntryKind::Retry, None, format!("attempt {attempt}: {}{status}", name(*kind)))
            }
            Event::Limit(notice) => {
                let what = if notice.is_rejected { "reached" } else { "near" };
                let until = notice.resets_at.map(|at| format!(", resets {at}")).unwrap_or_default();
                entry(EntryKind::Limit, notice.window.as_ref(), format!("{what}{until}"))
            }
            Event::ApiError { kind, text } => {
                entry(EntryKind::ApiError, Some(&name(*kind).to_owned()), text.clone())
            }
            Event::Fallback { to } => entry(EntryKind::Model, Some(to), String::new()),
            Event::Result(line) => {
                let text = line.text.clone().or_else(|| line.errors.first().cloned()).unwrap_or_default();
                entry(EntryKind::Result, line.told_as().map(str::to_owned).as_ref(), text)
            }
            Event::Noise(text) => entry(EntryKind::Note, None, format!("not a message: {text}")),
            Event::TooLong(length) => {
                entry(EntryKind::Note, None, format!("a line of {length} bytes was left out"))
            }
            Event::Used(_) | Event::Other(_) => None,
        }
    }
}

fn name(kind: Trouble) -> &'static str {
    match kind {
        Trouble::Login => "login refused",
        Trouble::Billing => "billing",
        Trouble::RateLimit => "too many requests",
        Trouble::Overloaded => "overloaded",
        Trouble::Server => "server error",
        Trouble::Connection => "no connection",
        Trouble::UnknownModel => "unknown model",
        Trouble::BadRequest => "bad request",
        Trouble::Unknown => "unknown",
    }
}
