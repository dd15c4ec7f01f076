//! The watcher: what is paused, what a pass did.

use serde::Serialize;

use super::carry::RoundView;
use super::problem::{self, ProblemRow};
use super::{View, place};
use crate::daemon::{Told, Work};
use crate::domain::id::TaskId;
use crate::domain::text::shown;
use crate::ops::carry::Report;
use crate::ops::pause::Standing;

/// What is paused now.
#[derive(Debug, Serialize)]
pub(crate) struct PauseView {
    /// Whether everything is.
    all: bool,
    paused: Vec<String>,
    /// The process that obeys, if one watches now.
    watcher: Option<u32>,
    #[serde(skip)]
    said: String,
    #[serde(skip)]
    next: String,
}

impl PauseView {
    /// After `swift pause`.
    pub(crate) fn paused(standing: &Standing) -> PauseView {
        let (whom, words) = subject(standing);
        PauseView::new(standing, format!("paused: {whom}"), format!("swift resume {words}"))
    }

    /// After `swift resume`.
    pub(crate) fn resumed(standing: &Standing) -> PauseView {
        let (whom, words) = subject(standing);
        PauseView::new(standing, format!("goes on: {whom}"), format!("swift pause {words}"))
    }

    fn new(standing: &Standing, said: String, next: String) -> PauseView {
        PauseView {
            all: standing.paused.all,
            paused: standing.paused.projects.iter().cloned().collect(),
            watcher: standing.watcher.as_ref().map(|record| record.pid),
            said,
            next,
        }
    }
}

fn subject(standing: &Standing) -> (&str, &str) {
    match &standing.project {
        Some(project) => (project, project),
        None => ("all projects", "--all"),
    }
}

impl View for PauseView {
    fn text(&self, out: &mut String) {
        out.push_str(&self.said);
        out.push('\n');
    }

    fn next(&self) -> Vec<String> {
        vec![self.next.clone()]
    }

    fn notes(&self) -> Vec<String> {
        let nobody = self
            .watcher
            .is_none()
            .then(|| "nobody watches now; it holds for the next `swift watch`".to_owned());
        nobody.into_iter().collect()
    }
}

/// A task of one project.
#[derive(Debug, Serialize)]
struct TaskLine {
    id: String,
    title: String,
    project: String,
    path: String,
    #[serde(skip)]
    short: String,
}

impl TaskLine {
    fn new(project: String, id: Option<TaskId>, title: String, path: &str) -> TaskLine {
        TaskLine {
            short: id.map(|id| id.short()).unwrap_or_default(),
            id: id.map(|id| id.to_string()).unwrap_or_default(),
            title,
            project,
            path: place(path),
        }
    }
}

/// A file that could not be read.
#[derive(Debug, Serialize)]
struct AsideLine {
    project: String,
    path: String,
    to: String,
    why: String,
}

/// What the watcher did, in one pass or in all.
#[derive(Debug, Serialize)]
pub(crate) struct WorkView {
    event: &'static str,
    #[serde(flatten)]
    round: RoundView,
    accepted: Vec<TaskLine>,
    released: Vec<TaskLine>,
    quarantined: Vec<AsideLine>,
    asked: Vec<TaskLine>,
    #[serde(skip)]
    is_empty: bool,
    #[serde(skip)]
    says_nothing: bool,
}

impl WorkView {
    /// One of many passes.
    pub(crate) fn one(work: Work) -> WorkView {
        WorkView::new(work, false)
    }

    /// All there was to do.
    pub(crate) fn all(work: Work) -> WorkView {
        WorkView::new(work, true)
    }

    fn new(work: Work, says_nothing: bool) -> WorkView {
        let is_empty = work.is_empty();
        let changed = |all: Vec<(String, crate::ops::step::Changed)>| {
            let line = |(project, changed): (String, crate::ops::step::Changed)| {
                TaskLine::new(project, Some(changed.id), changed.task.title, &changed.path)
            };
            all.into_iter().map(line).collect()
        };
        let asked = work.asked.into_iter();
        let aside = work.put_aside.into_iter();
        let report = Report {
            delivered: work.delivered,
            arrived: work.arrived,
            receipts: work.receipts,
            dead: work.given_up,
            struck_off: work.struck_off,
            paid: work.paid,
            problems: work.problems,
            failed: work.failed,
            commits: work.commits,
        };
        WorkView {
            event: "worked",
            round: RoundView::new(&report),
            accepted: changed(work.accepted),
            released: changed(work.released),
            quarantined: aside
                .map(|(project, aside)| AsideLine {
                    project,
                    path: place(&aside.path),
                    to: place(&aside.target),
                    why: aside.why,
                })
                .collect(),
            asked: asked
                .map(|(project, item)| TaskLine::new(project, item.id(), item.task.title.clone(), &item.path))
                .collect(),
            is_empty,
            says_nothing,
        }
    }
}

impl View for WorkView {
    fn text(&self, out: &mut String) {
        self.round.lines(out);
        let lines = |word: &str, rows: &[TaskLine], out: &mut String| {
            for row in rows {
                out.push_str(&format!("{word:<9} {}  {}  {}\n", row.short, row.project, shown(&row.title)));
            }
        };
        lines("accepted", &self.accepted, out);
        lines("released", &self.released, out);
        lines("overdue", &self.asked, out);
        for row in &self.quarantined {
            let (project, path, to) = (&row.project, shown(&row.path), shown(&row.to));
            out.push_str(&format!("put aside {project}  {path} → {to}: {}\n", shown(&row.why)));
        }
        if self.is_empty && self.says_nothing {
            out.push_str(&format!("{}\n", self.round.idle("nothing to do")));
        }
        self.round.problems(out);
    }

    fn notes(&self) -> Vec<String> {
        self.round.notes()
    }
}

/// Anything else that the watcher says while it runs.
#[derive(Debug, Serialize)]
pub(crate) struct ToldView {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemRow>,
    /// Where numbers are served.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip)]
    said: String,
}

impl ToldView {
    /// Of anything but work.
    pub(crate) fn new(told: &Told) -> ToldView {
        let (event, project, problem, said) = match told {
            Told::TakenOver { pid, since } => (
                "taken-over",
                None,
                None,
                format!("the watcher before, process {pid} since {since}, was killed; its place is taken\n"),
            ),
            Told::Watching { projects } => {
                let count = super::count(*projects, "project");
                ("watching", None, None, format!("watching {count}; ctrl-c ends it\n"))
            }
            Told::Serving { address } => (
                "serving",
                None,
                None,
                format!("numbers are served on http://{address}/metrics{}\n", reach(*address)),
            ),
            Told::Polling { project, why } => (
                "polling",
                Some(project.clone()),
                None,
                format!("{project} is looked at every two seconds, because {why}\n"),
            ),
            Told::Problem(found) => {
                let row = ProblemRow::from(found);
                let mut said = String::new();
                problem::text(&[ProblemRow::from(found)], &mut said);
                ("problem", found.project.clone(), Some(row), said)
            }
            Told::Interrupted => (
                "interrupted",
                None,
                None,
                "ended in the middle of a pass; the next verb finishes it\n".to_owned(),
            ),
            Told::Ended => ("ended", None, None, "ended\n".to_owned()),
            Told::Worked(_) => ("worked", None, None, String::new()),
        };
        let address = match told {
            Told::Serving { address } => Some(address.to_string()),
            _ => None,
        };
        ToldView { event, project, problem, address, said }
    }
}

impl ToldView {
    /// The text, on its own.
    pub(crate) fn said(&self) -> &str {
        self.said.trim_end()
    }
}

impl View for ToldView {
    fn text(&self, out: &mut String) {
        out.push_str(&self.said);
    }
}

/// A word on who can read what is served.
fn reach(address: std::net::SocketAddr) -> &'static str {
    if address.ip().is_loopback() { "" } else { ", for every machine that reaches this one" }
}
