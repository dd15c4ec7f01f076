//! How things stand at the start of a session, and what it came to at its end.

use serde::Serialize;

use super::list::{Detail, NextView};
use super::problem::{self, ProblemRow};
use super::task::{CommitRow, TaskRow};
use super::{View, count, moment, place};
use crate::domain::actor::Actor;
use crate::domain::task::State;
use crate::domain::text::shown;
use crate::ops::rank::Scope;
use crate::ops::session::{Lost, Situation, Summary};
use crate::store::queue::Item;

/// How many ready tasks a start shows.
const TOP: usize = 5;

/// How things stand.
#[derive(Serialize)]
pub(crate) struct StartView<'s> {
    session: String,
    since: String,
    actor: String,
    opened: bool,
    outbox: Vec<TaskRow>,
    inbox: Vec<TaskRow>,
    claimed: Vec<TaskRow>,
    blocked: Vec<TaskRow>,
    overdue: Vec<TaskRow>,
    dead: Vec<TaskRow>,
    learned: Vec<String>,
    top: NextView<'s>,
    problems: Vec<ProblemRow>,
    #[serde(flatten)]
    commit: CommitRow,
    #[serde(skip)]
    carries: Carries,
    #[serde(skip)]
    is_own: bool,
    #[serde(skip)]
    lost: Option<String>,
}

/// Whether this queue carries for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    ForOthers,
    Nothing,
}

impl<'s> StartView<'s> {
    /// The view of a situation.
    pub(crate) fn new(
        project: &str,
        situation: &'s Situation,
        carries: Carries,
        actor: &Actor,
    ) -> StartView<'s> {
        let rows = |items: &[Item], state: State| -> Vec<TaskRow> {
            items.iter().map(|item| TaskRow::of(project, item, state)).collect()
        };
        StartView {
            session: situation.session.to_string(),
            since: situation.since.to_string(),
            actor: situation.actor.to_string(),
            is_own: situation.actor == *actor,
            lost: situation.lost.as_ref().map(Lost::told),
            opened: situation.opened,
            outbox: rows(&situation.outbox, State::Outbox),
            inbox: rows(&situation.inbox, State::Inbox),
            claimed: rows(&situation.claimed, State::Claimed),
            blocked: rows(&situation.blocked, State::Blocked),
            overdue: rows(&situation.overdue, State::Ready),
            dead: rows(&situation.dead, State::Dead),
            learned: situation.learned.clone(),
            top: NextView::new(&situation.ranking, TOP, Detail::Brief, Scope::Project),
            problems: problem::rows(&situation.problems),
            commit: CommitRow::new(&situation.committed),
            carries,
        }
    }
}

impl View for StartView<'_> {
    fn text(&self, out: &mut String) {
        let verb = if self.opened { "opened" } else { "open" };
        let whose = whose(&self.actor, self.is_own);
        out.push_str(&format!("session{whose} {verb} since {}\n", moment(&self.since)));
        let parts = [
            ("inbox", &self.inbox),
            ("outbox", &self.outbox),
            ("claimed", &self.claimed),
            ("blocked", &self.blocked),
            ("overdue", &self.overdue),
            ("dead", &self.dead),
        ];
        for (name, rows) in parts.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            out.push_str(&format!("\n{name}: {}\n", count(rows.len(), "task")));
            for row in rows.iter().take(TOP) {
                out.push_str("  ");
                row.line(out);
            }
        }
        if !self.learned.is_empty() {
            out.push_str("\nlearned before:\n");
            for learned in &self.learned {
                out.push_str(&format!("  - {}\n", shown(learned)));
            }
        }
        out.push_str("\nready:\n");
        self.top.tasks_text(out);
        problem::text(&self.problems, out);
        // Both have looked at the same files: what both have found is told once.
        let of_top: Vec<ProblemRow> =
            self.top.problems().iter().filter(|row| !self.problems.contains(row)).cloned().collect();
        problem::text(&of_top, out);
    }

    fn next(&self) -> Vec<String> {
        let mut next = Vec::new();
        if self.problems.iter().any(ProblemRow::is_unsettled) {
            next.push("swift resolve".to_owned());
        }
        if self.carries == Carries::ForOthers {
            next.push("swift outbox sesame".to_owned());
        }
        if !self.inbox.is_empty() {
            next.push("swift inbox sesame".to_owned());
        }
        next.push("swift claim".to_owned());
        if self.top.is_empty() {
            next.pop();
        }
        next.push("swift finish --learned \"…\"".to_owned());
        next.truncate(3);
        next
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes().into_iter().chain(self.lost.clone()).collect()
    }
}

/// A session that somebody else opened is named by that.
fn whose(actor: &str, is_own: bool) -> String {
    if is_own { String::new() } else { format!(" of {}", shown(actor)) }
}

/// What a session came to.
#[derive(Debug, Serialize)]
pub(crate) struct FinishView {
    session: String,
    path: String,
    actor: String,
    started_at: String,
    finished_at: String,
    learned: Vec<String>,
    counts: std::collections::BTreeMap<String, u64>,
    still_claimed: Vec<TaskRow>,
    #[serde(flatten)]
    commit: CommitRow,
    #[serde(skip)]
    is_own: bool,
}

impl FinishView {
    /// The view of a summary.
    pub(crate) fn new(project: &str, summary: &Summary) -> FinishView {
        let session = &summary.session;
        FinishView {
            session: session.id.to_string(),
            path: place(&summary.path),
            actor: session.actor.to_string(),
            is_own: session.actor == summary.by,
            started_at: session.started_at.to_string(),
            finished_at: session.finished_at.to_string(),
            learned: session.learned.clone(),
            counts: session.counts.iter().map(|(kind, n)| (kind.as_str().to_owned(), *n)).collect(),
            still_claimed: summary
                .still_claimed
                .iter()
                .map(|i| TaskRow::of(project, i, State::Claimed))
                .collect(),
            commit: CommitRow::new(&summary.committed),
        }
    }
}

impl View for FinishView {
    fn text(&self, out: &mut String) {
        let whose = whose(&self.actor, self.is_own);
        out.push_str(&format!("session{whose} finished: {}\n", self.path));
        for (kind, n) in &self.counts {
            out.push_str(&format!("  {n:>3}  {}\n", kind.trim_start_matches("task.")));
        }
        for learned in &self.learned {
            out.push_str(&format!("  learned: {}\n", shown(learned)));
        }
        for row in &self.still_claimed {
            out.push_str(&format!("  still claimed: {}  {}\n", row.short(), shown(&row.title)));
        }
    }

    fn next(&self) -> Vec<String> {
        let release = self.still_claimed.first().map(|row| format!("swift release {}", row.short()));
        release.into_iter().chain(["swift start".to_owned()]).collect()
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}
