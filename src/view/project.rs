//! Queues: made, registered, listed.

use serde::Serialize;

use super::View;
use super::problem::{self, ProblemRow};
use super::task::CommitRow;
use crate::domain::problem::Problem;
use crate::domain::settings::Role;
use crate::domain::text::shown;
use crate::ops::init::{How, Initialised};
use crate::ops::registration::{Registered, Standing};

/// A queue that is there now.
#[derive(Debug, Serialize)]
pub(crate) struct InitView {
    project: String,
    role: &'static str,
    home: &'static str,
    branch: Option<String>,
    path: String,
    #[serde(flatten)]
    commit: CommitRow,
    #[serde(skip)]
    how: How,
}

impl InitView {
    /// The view of a queue's beginning.
    pub(crate) fn new(initialised: &Initialised) -> InitView {
        InitView {
            project: initialised.id.to_string(),
            role: initialised.role.as_str(),
            home: initialised.kind.as_str(),
            branch: initialised.branch.clone(),
            path: initialised.root.display().to_string(),
            commit: CommitRow::new(&initialised.committed),
            how: initialised.how,
        }
    }
}

impl View for InitView {
    fn text(&self, out: &mut String) {
        let what = match self.how {
            How::New => "queue made",
            How::Adopted => "queue taken over from its branch",
            How::Existing => "queue is there already",
            How::Promoted => "queue carries for others from now on",
            How::Planned => "queue would be made",
        };
        out.push_str(&format!("{what}: {} ({})\n", self.project, self.role));
        let branch = self.branch.as_deref().unwrap_or("a detached HEAD");
        match self.home {
            "branch" => {
                out.push_str(&format!("  {} is a worktree of the branch `{branch}`\n", shown(&self.path)))
            }
            _ => out.push_str(&format!("  {} is committed on `{branch}`\n", shown(&self.path))),
        }
    }

    fn next(&self) -> Vec<String> {
        if self.role == Role::Orchestrator.as_str() {
            vec!["swift register ../project".to_owned(), "swift projects".to_owned()]
        } else {
            vec!["swift task . \"What is to be done\"".to_owned(), "swift next".to_owned()]
        }
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}

/// A project that was entered.
#[derive(Debug, Serialize)]
pub(crate) struct RegisterView {
    project: ProjectRow,
    #[serde(flatten)]
    commit: CommitRow,
    /// Former ids in whose place it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<String>,
    #[serde(skip)]
    again: bool,
}

#[derive(Debug, Serialize)]
struct ProjectRow {
    id: String,
    path: Option<String>,
    url: Option<String>,
    aliases: Vec<String>,
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl RegisterView {
    /// The view of a registration.
    pub(crate) fn new(registered: &Registered) -> RegisterView {
        let entry = &registered.entry;
        RegisterView {
            project: ProjectRow {
                id: entry.id.to_string(),
                path: registered.path.clone(),
                url: entry.url.clone(),
                aliases: entry.aliases.iter().map(ToString::to_string).collect(),
                reachable: registered.path.is_some(),
                reason: None,
            },
            commit: CommitRow::new(&registered.committed),
            replaced: registered.replaced.iter().map(ToString::to_string).collect(),
            again: registered.again,
        }
    }
}

impl View for RegisterView {
    fn text(&self, out: &mut String) {
        let verb = if self.again { "registered already" } else { "registered" };
        out.push_str(&format!("{verb}: {}\n", self.project.id));
        for old in &self.replaced {
            out.push_str(&format!("  in the place of {old}, which it was called before\n"));
        }
        if let Some(path) = &self.project.path {
            out.push_str(&format!("  {} (on this machine only; not committed)\n", shown(path)));
        } else {
            out.push_str("  where it lies on this machine is not known yet: `swift register <path>` tells\n");
        }
    }

    fn next(&self) -> Vec<String> {
        vec!["swift projects".to_owned(), "swift outbox".to_owned()]
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}

/// All registered projects.
#[derive(Debug, Serialize)]
pub(crate) struct ProjectsView {
    projects: Vec<ProjectRow>,
    problems: Vec<ProblemRow>,
}

impl ProjectsView {
    /// The view of a registry.
    pub(crate) fn new(standings: &[Standing], problems: &[Problem]) -> ProjectsView {
        let row = |standing: &Standing| {
            let (project, fault) = (&standing.project, &standing.fault);
            ProjectRow {
                id: project.entry.id.to_string(),
                path: project.path.as_ref().map(|path| path.display().to_string()),
                url: project.entry.url.clone(),
                aliases: project.entry.aliases.iter().map(ToString::to_string).collect(),
                reachable: fault.is_none(),
                reason: fault.as_ref().map(ToString::to_string),
            }
        };
        ProjectsView { projects: standings.iter().map(row).collect(), problems: problem::rows(problems) }
    }
}

impl View for ProjectsView {
    fn text(&self, out: &mut String) {
        for project in &self.projects {
            let path = project.path.as_deref().unwrap_or("–");
            let mark = if project.reachable { "reachable  " } else { "unreachable" };
            out.push_str(&format!("{mark}  {}  {}\n", project.id, shown(path)));
            if let Some(reason) = &project.reason {
                out.push_str(&format!("             {}\n", shown(reason)));
            }
        }
        if self.projects.is_empty() {
            out.push_str("no projects are registered\n");
        }
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        if self.projects.is_empty() {
            vec!["swift register ../project".to_owned()]
        } else {
            vec!["swift outbox".to_owned(), "swift next --all".to_owned()]
        }
    }
}
