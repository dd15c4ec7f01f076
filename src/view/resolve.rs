//! What has been settled, or would be.

use serde::Serialize;

use super::problem::{self, ProblemRow};
use super::task::CommitRow;
use super::{View, count, place};
use crate::domain::task::State;
use crate::domain::text::shown;
use crate::ops::resolve::{Plan, Resolution, Resolved};
use crate::store::git::Conclusion;

/// One task that was two.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    title: String,
    /// The state that each side had.
    sides: Vec<&'static str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// How many texts that a rule passed over stand below the body.
    kept: usize,
    #[serde(skip)]
    short: String,
}

impl From<&Resolution> for Row {
    fn from(resolution: &Resolution) -> Row {
        Row {
            id: resolution.id.to_string(),
            title: resolution.title.clone(),
            sides: resolution.sides.iter().map(|state| state.as_str()).collect(),
            state: resolution.state.as_str(),
            path: resolution.path.as_deref().map(place),
            kept: resolution.kept,
            short: resolution.id.short(),
        }
    }
}

impl Row {
    fn line(&self) -> String {
        let kept = match self.kept {
            0 => String::new(),
            n => format!("; {} kept below the text", count(n, "passage")),
        };
        let from = match self.sides.as_slice() {
            [one] if *one == self.state => "as it lies there".to_owned(),
            [one] => format!("from {one}; the other side removed it"),
            sides => format!("from {}", sides.join(" and ")),
        };
        format!("{}  {}  {}  ({from}{kept})", self.short, self.state, shown(&self.title))
    }
}

/// The outcome of `resolve`.
#[derive(Debug, Serialize)]
pub(crate) struct ResolvedView {
    resolved: Vec<Row>,
    /// Files that keep folders of tasks, and segments of the log, which git had left open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<String>,
    /// What a person has to settle.
    problems: Vec<ProblemRow>,
    /// `merged`, or what ends the operation that waits.
    conclusion: Option<String>,
    #[serde(flatten)]
    commit: CommitRow,
}

impl ResolvedView {
    /// Of what was done.
    pub(crate) fn of(resolved: &Resolved) -> ResolvedView {
        ResolvedView {
            resolved: resolved.resolutions.iter().map(Row::from).collect(),
            kept: resolved.keeps.keys().map(|path| place(path)).collect(),
            problems: problem::rows(&resolved.left),
            conclusion: words(resolved.conclusion),
            commit: CommitRow::new(&resolved.committed),
        }
    }

    /// Of what would be done.
    pub(crate) fn planned(plan: &Plan) -> ResolvedView {
        ResolvedView {
            resolved: plan.resolutions.iter().map(Row::from).collect(),
            kept: plan.keeps.keys().map(|path| place(path)).collect(),
            problems: problem::rows(&plan.left),
            conclusion: words(plan.conclusion),
            commit: CommitRow::default(),
        }
    }

    /// Whether what waits can go on: git refuses that while something is left open.
    fn goes_on(&self) -> bool {
        self.problems.is_empty()
    }

    /// The plan, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        problem::text(&self.problems, &mut text);
        let end = match self.conclusion.as_deref() {
            Some("merged") => Some("conclude the merge of the queue's branch".to_owned()),
            Some(command) if self.goes_on() => Some(format!("stage it; it goes on with `{command}`")),
            Some(_) if !self.resolved.is_empty() => Some("stage it".to_owned()),
            _ => None,
        };
        let rows = self.resolved.iter().map(Row::line);
        let kept = self.kept.iter().map(|path| format!("keep {path}"));
        rows.chain(kept).chain(text.lines().map(str::to_owned)).chain(end).collect()
    }
}

fn words(conclusion: Conclusion) -> Option<String> {
    match conclusion {
        Conclusion::Ours => Some("merged".to_owned()),
        Conclusion::Theirs(command) => Some(command.to_owned()),
        Conclusion::None | Conclusion::Revert => None,
    }
}

impl View for ResolvedView {
    fn text(&self, out: &mut String) {
        for row in &self.resolved {
            out.push_str(&format!("settled {}\n", row.line()));
        }
        self.kept.iter().for_each(|path| out.push_str(&format!("kept {path}\n")));
        problem::text(&self.problems, out);
        if self.conclusion.as_deref() == Some("merged") {
            out.push_str("the merge is concluded\n");
        }
    }

    fn next(&self) -> Vec<String> {
        let first = match self.conclusion.as_deref() {
            Some("merged") | None => match self.resolved.as_slice() {
                [row, ..] if row.state != State::Gone.as_str() => format!("swift show {}", row.short),
                _ => "swift list".to_owned(),
            },
            Some(command) if self.goes_on() => command.to_owned(),
            Some(_) => "git -C .swift status".to_owned(),
        };
        vec![first, "swift log".to_owned()]
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}
