//! What came, and what became of it.

use serde::Serialize;

use super::problem::{self, ProblemRow};
use super::task::{CommitRow, TaskRow};
use super::{View, count};
use crate::domain::task::State;
use crate::domain::text::shown;
use crate::ops::inbox::{Accepted, Waiting};

/// The inbox, before or after a pass.
#[derive(Debug, Serialize)]
pub(crate) struct InboxView {
    accepted: Vec<TaskRow>,
    waiting: Vec<TaskRow>,
    deferred: Vec<TaskRow>,
    problems: Vec<ProblemRow>,
    #[serde(flatten)]
    commit: CommitRow,
}

impl InboxView {
    /// The inbox as it is.
    pub(crate) fn waiting(project: &str, waiting: &Waiting) -> InboxView {
        InboxView {
            accepted: Vec::new(),
            waiting: waiting.items.iter().map(|item| TaskRow::of(project, item, State::Inbox)).collect(),
            deferred: waiting
                .deferred
                .iter()
                .map(|item| TaskRow::of(project, item, State::Deferred))
                .collect(),
            problems: problem::rows(&waiting.problems),
            commit: CommitRow::default(),
        }
    }

    /// The inbox after a pass.
    pub(crate) fn accepted(project: &str, accepted: &Accepted) -> InboxView {
        InboxView {
            accepted: accepted
                .accepted
                .iter()
                .map(|changed| TaskRow::new(project, &changed.path, &changed.task, changed.to))
                .collect(),
            waiting: Vec::new(),
            deferred: Vec::new(),
            problems: problem::rows(&accepted.problems),
            commit: CommitRow::new(&accepted.committed),
        }
    }
}

impl View for InboxView {
    fn text(&self, out: &mut String) {
        for row in &self.accepted {
            out.push_str(&format!("accepted {}  {}\n", row.short(), shown(&row.title)));
        }
        for row in self.waiting.iter().chain(&self.deferred) {
            row.line(out);
        }
        match (self.accepted.len(), self.waiting.len()) {
            (0, 0) => out.push_str("nothing waits in the inbox\n"),
            (0, n) => out.push_str(&format!("{} for a yes or no\n", wait(n))),
            (n, _) => out.push_str(&format!("{} accepted\n", count(n, "task"))),
        }
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        match (self.accepted.first(), self.waiting.first()) {
            (Some(_), _) if self.commit.waits() => vec!["swift next".to_owned()],
            (Some(_), _) => vec!["swift next".to_owned(), "swift undo".to_owned()],
            (None, Some(row)) => vec![
                "swift inbox sesame".to_owned(),
                format!("swift inbox accept {}", row.short()),
                format!("swift inbox refuse {} --why \"…\"", row.short()),
            ],
            (None, None) => vec!["swift next".to_owned()],
        }
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}

fn wait(n: usize) -> String {
    if n == 1 { "1 task waits".to_owned() } else { format!("{n} tasks wait") }
}
