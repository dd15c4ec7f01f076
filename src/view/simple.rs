//! Small answers: a plan to approve, a sentence with data.

use serde::Serialize;
use serde_json::{Map, Value};

use super::View;
use super::task::CommitRow;
use crate::domain::text::{shown, shown_lines};

/// A plan that waits for a yes.
#[derive(Debug, Serialize)]
pub(crate) struct PlanView {
    pub(crate) command: String,
    pub(crate) plan: Vec<String>,
    /// The stored proposal; none if nothing was stored.
    pub(crate) proposal: Option<String>,
    /// What the command's own document has, as far as it is known before the yes.
    #[serde(flatten)]
    pub(crate) fields: Map<String, Value>,
    /// What a person has to do besides.
    #[serde(skip)]
    pub(crate) left: Vec<String>,
    #[serde(skip)]
    pub(crate) next: Vec<String>,
}

impl View for PlanView {
    fn text(&self, out: &mut String) {
        out.push_str(&format!("plan of `swift {}`:\n", shown(&self.command)));
        for line in &self.plan {
            out.push_str(&format!("  {}\n", shown_lines(line)));
        }
        if !self.left.is_empty() {
            out.push_str("left to you:\n");
        }
        for line in &self.left {
            out.push_str(&format!("  {}\n", shown_lines(line)));
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }
}

/// A sentence for people and fields for scripts.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) fields: Map<String, Value>,
    #[serde(flatten)]
    pub(crate) commit: CommitRow,
    #[serde(skip)]
    pub(crate) said: String,
    #[serde(skip)]
    pub(crate) next: Vec<String>,
}

impl Answer {
    /// An answer without fields.
    pub(crate) fn new(said: impl Into<String>) -> Answer {
        Answer { fields: Map::new(), commit: CommitRow::default(), said: said.into(), next: Vec::new() }
    }

    /// The same answer with one more field.
    #[must_use]
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Answer {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The same answer with a next step.
    #[must_use]
    pub(crate) fn then(mut self, command: impl Into<String>) -> Answer {
        self.next.push(command.into());
        self
    }

    /// The same answer with the commit's end.
    #[must_use]
    pub(crate) fn committed(mut self, commit: CommitRow) -> Answer {
        self.commit = commit;
        self
    }
}

impl View for Answer {
    fn text(&self, out: &mut String) {
        out.push_str(&shown_lines(&self.said));
        if !self.said.ends_with('\n') && !self.said.is_empty() {
            out.push('\n');
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}
