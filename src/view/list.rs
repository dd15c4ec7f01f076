//! Many tasks: lists, search results, what to do next.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::problem::{self, ProblemRow};
use super::task::{Line, TaskRow};
use super::{View, count};
use crate::domain::task::State;
use crate::domain::text::{as_word, shown};
use crate::ops::look::Found;
use crate::ops::rank::{Ranking, Registered, Scope, Skipped};

/// How a queue is filled.
const NEW_TASK: &str = "swift task . \"What is to be done\"";

/// A list of tasks. Rows are made while they are shown, because there may be very many.
pub(crate) struct ListView<'f> {
    project: String,
    found: &'f Found,
    problems: Vec<ProblemRow>,
}

impl<'f> ListView<'f> {
    /// The view of what was found.
    pub(crate) fn new(project: &str, found: &'f Found) -> ListView<'f> {
        ListView { project: project.to_owned(), found, problems: problem::rows(&found.problems) }
    }
}

impl Serialize for ListView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_struct("List", 2)?;
        list.serialize_field("tasks", &Rows(self))?;
        list.serialize_field("problems", &self.problems)?;
        list.end()
    }
}

struct Rows<'v>(&'v ListView<'v>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ListView { project, found, .. } = self.0;
        serializer.collect_seq(found.items.iter().map(|item| TaskRow::of(project, item, found.state(item))))
    }
}

impl View for ListView<'_> {
    fn text(&self, out: &mut String) {
        for item in &self.found.items {
            Line::of(&self.project, item, self.found.state(item)).write(out);
        }
        if self.found.items.is_empty() {
            out.push_str("no tasks\n");
        }
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        let items = &self.found.items;
        let first = items.iter().find_map(|item| item.id().map(|id| (id.short(), self.found.state(item))));
        let mut next = match first {
            Some((short, State::Dead)) => {
                vec![format!("swift show {short}"), format!("swift redrive {short}")]
            }
            Some((short, _)) => vec![format!("swift show {short}"), "swift next".to_owned()],
            None if items.is_empty() => vec!["swift list --state any".to_owned(), NEW_TASK.to_owned()],
            None => vec!["swift next".to_owned()],
        };
        if self.problems.iter().any(ProblemRow::is_unsettled) {
            next.insert(0, "swift resolve".to_owned());
        } else if !self.problems.is_empty() {
            next.insert(0, "swift doctor".to_owned());
        }
        next
    }

    fn notes(&self) -> Vec<String> {
        let new = self.found.items.iter().any(|item| item.id().is_none());
        let note = "`new` was written by hand and gets its id with the next verb that writes";
        new.then(|| note.to_owned()).into_iter().collect()
    }
}

/// A ready task with its factors.
#[derive(Debug, Serialize)]
struct RankedRow {
    #[serde(flatten)]
    task: TaskRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Factors>,
}

/// The factors of a score.
#[derive(Debug, Serialize)]
struct Factors {
    priority: f64,
    unblocks: f64,
    age: f64,
    due: f64,
    effort: f64,
}

/// A task that is not ready.
#[derive(Debug, Serialize)]
struct SkippedRow<'r> {
    id: Option<String>,
    title: &'r str,
    project: &'r str,
    path: String,
    state: &'static str,
    reason: &'r str,
}

impl<'r> SkippedRow<'r> {
    fn of(skipped: Skipped<'r>) -> SkippedRow<'r> {
        SkippedRow {
            id: skipped.item.id().map(|id| id.to_string()),
            title: &skipped.item.task.title,
            project: skipped.project,
            path: super::place(&skipped.item.path),
            state: skipped.state.as_str(),
            reason: skipped.reason,
        }
    }
}

/// The rows of tasks that are not ready, made while they are shown.
struct SkippedRows<'r>(&'r Ranking);

impl Serialize for SkippedRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.skipped().map(SkippedRow::of))
    }
}

/// What to do next.
#[derive(Serialize)]
pub(crate) struct NextView<'r> {
    tasks: Vec<RankedRow>,
    skipped: SkippedRows<'r>,
    problems: Vec<ProblemRow>,
    #[serde(skip)]
    detail: Detail,
    #[serde(skip)]
    scope: Scope,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The list.
    Brief,
    /// Each factor, and each task that is not ready with its reason.
    Why,
}

impl<'r> NextView<'r> {
    /// The view of the first `most` ready tasks.
    pub(crate) fn new(ranking: &'r Ranking, most: usize, detail: Detail, scope: Scope) -> NextView<'r> {
        let tasks = ranking.ready().take(most).map(|ranked| {
            let mut task = TaskRow::of(ranked.project, ranked.item, crate::domain::task::State::Ready);
            let score = ranked.score;
            task.score = Some(score.value());
            let why = (detail == Detail::Why).then_some(Factors {
                priority: score.priority,
                unblocks: score.unblocks,
                age: score.age,
                due: score.due,
                effort: score.effort,
            });
            RankedRow { task, why }
        });
        NextView {
            tasks: tasks.collect(),
            skipped: SkippedRows(ranking),
            problems: problem::rows(&ranking.problems),
            detail,
            scope,
        }
    }
}

impl NextView<'_> {
    /// Whether nothing is ready.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What could not be read on the way.
    pub(super) fn problems(&self) -> &[ProblemRow] {
        &self.problems
    }

    /// The tasks alone.
    pub(super) fn tasks_text(&self, out: &mut String) {
        for row in &self.tasks {
            let project =
                if self.scope == Scope::All { format!("{}  ", row.task.project) } else { String::new() };
            let score = row.task.score.unwrap_or_default();
            let (short, priority, title) = (row.task.short(), row.task.priority, shown(&row.task.title));
            out.push_str(&format!("{score:>8.2}  {short}  {priority:<8}  {project}{title}\n"));
            if let Some(why) = &row.why {
                out.push_str(&format!(
                    "          priority {} × unblocks {} × age {:.2} × due {} ÷ effort {}\n",
                    why.priority, why.unblocks, why.age, why.due, why.effort
                ));
            }
        }
        if self.tasks.is_empty() {
            out.push_str("nothing is ready\n");
        }
        if self.detail == Detail::Why {
            for skipped in self.skipped.0.skipped() {
                let short = skipped.item.id().map(|id| id.short()).unwrap_or_default();
                let (title, reason) = (shown(&skipped.item.task.title), shown(skipped.reason));
                out.push_str(&format!("       –  {short:<6}  {title}: {reason}\n"));
            }
        } else if self.skipped.0.skipped().len() > 0 {
            let all = if self.scope == Scope::All { " --all" } else { "" };
            let skipped = count(self.skipped.0.skipped().len(), "task");
            out.push_str(&format!("{skipped} not ready: `swift next{all} --why`\n"));
        }
    }
}

impl NextView<'_> {
    /// What shows the projects in view; where there are none, one's own tasks.
    fn others(&self) -> String {
        match &self.skipped.0.registered {
            Registered::Here => "swift projects".to_owned(),
            Registered::At(folder) => format!("swift -C {} projects", as_word(folder)),
            Registered::Nowhere => "swift next".to_owned(),
        }
    }
}

impl View for NextView<'_> {
    fn text(&self, out: &mut String) {
        self.tasks_text(out);
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        let is_open = self.scope == Scope::Project && self.problems.iter().any(ProblemRow::is_unsettled);
        let settle = is_open.then(|| "swift resolve".to_owned());
        settle.into_iter().chain(self.steps()).collect()
    }
}

impl NextView<'_> {
    fn steps(&self) -> Vec<String> {
        match self.tasks.first() {
            Some(row) if self.scope == Scope::Project && row.task.id.is_some() => {
                vec![format!("swift claim {}", row.task.short()), format!("swift show {}", row.task.short())]
            }
            Some(_) | None if self.scope == Scope::All => {
                let why = (self.detail == Detail::Brief).then(|| "swift next --all --why".to_owned());
                why.into_iter().chain([self.others()]).collect()
            }
            _ if self.detail == Detail::Brief && self.skipped.0.skipped().len() > 0 => {
                vec!["swift next --why".to_owned(), NEW_TASK.to_owned()]
            }
            _ => vec!["swift inbox".to_owned(), NEW_TASK.to_owned()],
        }
    }
}
