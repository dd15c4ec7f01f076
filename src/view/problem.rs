//! Items that were left where they are.

use serde::Serialize;

use super::{led_hint, place};
use crate::domain::fault::Code;
use crate::domain::problem::Problem;
use crate::domain::text::shown;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ProblemRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    path: String,
    code: &'static str,
    message: String,
    hints: Vec<String>,
}

impl From<&Problem> for ProblemRow {
    fn from(problem: &Problem) -> Self {
        ProblemRow {
            project: problem.project.clone(),
            path: place(&problem.path),
            code: problem.fault.code.as_str(),
            message: problem.fault.message.clone(),
            hints: hints(problem),
        }
    }
}

/// What is advised about this project leads to it; about others it says itself where. Entering one is done here.
fn hints(problem: &Problem) -> Vec<String> {
    let is_meant_here = |hint: &str| problem.project.is_none() || hint.contains("`swift register ");
    let led = |hint: &String| if is_meant_here(hint) { led_hint(hint) } else { hint.clone() };
    problem.fault.hints.iter().map(led).collect()
}

/// The rows of all problems.
pub(crate) fn rows(problems: &[Problem]) -> Vec<ProblemRow> {
    problems.iter().map(ProblemRow::from).collect()
}

/// The message with its path, which many messages begin with themselves.
pub(crate) fn located(path: &str, message: &str) -> String {
    let bare = path.strip_prefix(".swift/").unwrap_or(path);
    if path.is_empty() {
        return message.to_owned();
    }
    match message.strip_prefix(bare) {
        Some(rest) => format!("{path}{rest}"),
        None => format!("{path}: {message}"),
    }
}

/// Each problem as one line.
pub(crate) fn lines(problems: &[Problem]) -> Vec<String> {
    rows(problems).iter().map(ProblemRow::line).collect()
}

impl ProblemRow {
    /// Whether `swift resolve` is what helps.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.code == Code::Unsettled.as_str() && self.hints.iter().any(|hint| hint.contains("`swift resolve"))
    }

    fn line(&self) -> String {
        let project = self.project.as_deref().map(|p| format!("{p} ")).unwrap_or_default();
        format!("{project}{} [{}]", shown(&located(&self.path, &self.message)), self.code)
    }
}

/// The problems as text; nothing if there are none.
pub(crate) fn text(rows: &[ProblemRow], out: &mut String) {
    for row in rows {
        out.push_str(&format!("problem: {}\n", row.line()));
        for hint in &row.hints {
            out.push_str(&format!("   hint: {}\n", shown(hint)));
        }
    }
}
