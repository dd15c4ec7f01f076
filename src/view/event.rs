//! What happened.

use serde::Serialize;

use super::problem::{self, ProblemRow};
use super::{View, moment};
use crate::domain::event::Event;
use crate::domain::problem::Problem;
use crate::domain::text::shown;

/// One event.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventRow {
    pub(super) id: String,
    pub(super) at: String,
    actor: String,
    pub(super) kind: &'static str,
    pub(super) task: Option<String>,
    project: String,
    operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip)]
    short: String,
    #[serde(skip)]
    short_operation: String,
}

impl EventRow {
    /// The row of an event.
    pub(crate) fn new(project: &str, event: &Event) -> EventRow {
        EventRow {
            id: event.id.to_string(),
            at: event.at.to_string(),
            actor: event.actor.to_string(),
            kind: event.fact.kind.as_str(),
            task: event.fact.task.map(|id| id.to_string()),
            project: project.to_owned(),
            operation: event.operation.to_string(),
            from: event.fact.from.map(|state| state.as_str()),
            to: event.fact.to.map(|state| state.as_str()),
            cause: event.fact.cause.clone(),
            short: event.fact.task.map(|id| id.short()).unwrap_or_default(),
            short_operation: event.operation.short(),
        }
    }

    /// One line for people: when, in which operation, what, which task, who, why.
    pub(crate) fn line(&self, out: &mut String) {
        let cause = self.cause.as_ref().filter(|cause| **cause != self.actor);
        let cause = cause.map(|cause| format!("  {}", shown(cause))).unwrap_or_default();
        out.push_str(&format!(
            "{}  {}  {:<20}  {:<6}  {}{cause}\n",
            moment(&self.at),
            self.short_operation,
            self.kind,
            self.short,
            shown(&self.actor)
        ));
    }
}

/// Events, newest first.
#[derive(Debug, Serialize)]
pub(crate) struct LogView {
    events: Vec<EventRow>,
    problems: Vec<ProblemRow>,
    /// What can be done next.
    #[serde(skip)]
    next: Vec<String>,
}

impl LogView {
    /// The view of a log.
    pub(crate) fn new(project: &str, events: &[Event], problems: &[Problem]) -> LogView {
        LogView {
            events: events.iter().map(|event| EventRow::new(project, event)).collect(),
            problems: problem::rows(problems),
            next: vec!["swift audit verify".to_owned()],
        }
    }

    /// The same, where what happened last can be taken back.
    #[must_use]
    pub(crate) fn offering_undo(mut self) -> LogView {
        self.next.insert(0, "swift undo".to_owned());
        self
    }
}

impl View for LogView {
    fn text(&self, out: &mut String) {
        for event in &self.events {
            event.line(out);
        }
        if self.events.is_empty() {
            out.push_str("nothing has happened yet\n");
        }
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }
}
