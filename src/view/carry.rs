//! A round of the orchestrator: what it would do, what it did.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::problem::{self, ProblemRow};
use super::task::CommitRow;
use super::{View, count, place};
use crate::domain::fault::Code;
use crate::domain::task::Receipt;
use crate::domain::text::shown;
use crate::ops::carry::{Delivered, Plan, Report, Tidings};

#[derive(Debug, Serialize)]
struct DeliveredRow {
    id: String,
    title: String,
    from: String,
    to: String,
    path: String,
    #[serde(skip)]
    short: String,
}

impl DeliveredRow {
    fn new(delivered: &Delivered) -> DeliveredRow {
        DeliveredRow {
            id: delivered.id.to_string(),
            short: delivered.id.short(),
            title: delivered.title.clone(),
            from: delivered.from.clone(),
            to: delivered.to.clone(),
            path: place(&delivered.path),
        }
    }

    fn line(&self, word: &str) -> String {
        let (short, from, to, title) = (&self.short, &self.from, &self.to, shown(&self.title));
        format!("{word:<9} {short}  {from} → {to}  {title}")
    }
}

#[derive(Debug, Serialize)]
struct ToldRow {
    id: String,
    title: String,
    project: String,
    by: String,
    stage: &'static str,
    note: Option<String>,
    #[serde(skip)]
    short: String,
}

#[derive(Debug, Serialize)]
struct StruckOffRow {
    id: String,
    project: String,
    path: String,
    record: String,
    #[serde(skip)]
    short: String,
}

#[derive(Debug, Serialize)]
struct DeadRow {
    id: String,
    title: String,
    project: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ProjectCommit {
    project: String,
    #[serde(flatten)]
    commit: CommitRow,
}

/// What a round did.
#[derive(Debug, Serialize)]
pub(crate) struct RoundView {
    delivered: Vec<DeliveredRow>,
    /// Only where it is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arrived: Vec<DeliveredRow>,
    receipts: Vec<ToldRow>,
    dead: Vec<DeadRow>,
    struck_off: Vec<StruckOffRow>,
    paid: Vec<String>,
    problems: Vec<ProblemRow>,
    /// The projects in which what had to be done could not be done; only where it is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<String>,
    commits: Vec<ProjectCommit>,
}

impl RoundView {
    /// The view of a report.
    pub(crate) fn new(report: &Report) -> RoundView {
        RoundView {
            delivered: report.delivered.iter().map(DeliveredRow::new).collect(),
            arrived: report.arrived.iter().map(DeliveredRow::new).collect(),
            receipts: report
                .receipts
                .iter()
                .map(|t| ToldRow {
                    id: t.id.to_string(),
                    short: t.id.short(),
                    title: t.title.clone(),
                    project: t.project.clone(),
                    by: t.by.clone(),
                    stage: t.stage.as_str(),
                    note: t.note.clone(),
                })
                .collect(),
            dead: report
                .dead
                .iter()
                .map(|d| DeadRow {
                    id: d.id.to_string(),
                    title: d.title.clone(),
                    project: d.project.clone(),
                    reason: d.reason.clone(),
                })
                .collect(),
            struck_off: report
                .struck_off
                .iter()
                .map(|s| StruckOffRow {
                    id: s.id.to_string(),
                    short: s.id.short(),
                    project: s.project.clone(),
                    path: place(&s.path),
                    record: place(&s.record),
                })
                .collect(),
            paid: report.paid.clone(),
            problems: problem::rows(&report.problems),
            failed: failed(&report.failed),
            commits: report
                .commits
                .iter()
                .map(|(project, committed)| ProjectCommit {
                    project: project.clone(),
                    commit: CommitRow::new(committed),
                })
                .collect(),
        }
    }
}

impl RoundView {
    /// `2 tasks delivered, 1 receipt`, without what there is none of.
    fn summary(&self) -> String {
        let parts = [
            (self.delivered.len(), "task", " delivered"),
            (self.arrived.len(), "task", " arrived and not noted at the sender"),
            (self.receipts.len(), "receipt", ""),
            (self.dead.len(), "task", " given up"),
            (self.struck_off.len(), "equal file", " struck off"),
            (self.paid.len(), "commit", " made that had to wait"),
        ];
        let told = parts.iter().filter(|(n, ..)| *n > 0);
        told.map(|(n, noun, end)| format!("{}{end}", count(*n, noun))).collect::<Vec<_>>().join(", ")
    }
}

impl RoundView {
    /// A line for each thing that was carried, told or given up.
    pub(super) fn lines(&self, out: &mut String) {
        for row in &self.delivered {
            out.push_str(&format!("{}\n", row.line("delivered")));
        }
        for row in &self.arrived {
            out.push_str(&format!("{}: the sender could not note that yet\n", row.line("arrived")));
        }
        for row in &self.receipts {
            let note = row.note.as_ref().map(|note| format!(": {}", shown(note))).unwrap_or_default();
            let (short, stage, title) = (&row.short, row.stage, shown(&row.title));
            out.push_str(&format!("receipt   {short}  {stage} by {}  {title}{note}\n", row.by));
        }
        for row in &self.struck_off {
            let (short, from, path) = (&row.short, &row.project, shown(&row.path));
            out.push_str(&format!(
                "equal     {short}  {from}  {path}: the same has left as {}\n",
                shown(&row.record)
            ));
        }
        for project in &self.paid {
            out.push_str(&format!("committed {project}  what had to wait\n"));
        }
        for row in &self.dead {
            out.push_str(&format!(
                "gave up   {}  {}: {}\n",
                row.project,
                shown(&row.title),
                shown(&row.reason)
            ));
        }
    }

    /// What is said where nothing was done.
    pub(super) fn idle(&self, peaceful: &'static str) -> &'static str {
        if self.failed.is_empty() { peaceful } else { "nothing could be done of what there is to do" }
    }

    /// What stands in the way.
    pub(super) fn problems(&self, out: &mut String) {
        problem::text(&self.problems, out);
    }
}

impl View for RoundView {
    fn text(&self, out: &mut String) {
        self.lines(out);
        if self.summary().is_empty() {
            out.push_str(&format!("{}\n", self.idle("nothing to carry")));
        } else {
            out.push_str(&format!("{}\n", self.summary()));
        }
        self.problems(out);
    }

    fn next(&self) -> Vec<String> {
        let mut next = vec!["swift next --all".to_owned()];
        if !self.delivered.is_empty() && !self.commits.iter().any(|made| made.commit.waits()) {
            next.push("swift undo".to_owned());
        }
        next
    }

    fn notes(&self) -> Vec<String> {
        self.commits
            .iter()
            .flat_map(|c| c.commit.notes().into_iter().map(|n| format!("{}: {n}", c.project)))
            .collect()
    }
}

/// Each project once.
fn failed(failed: &[(String, Code)]) -> Vec<String> {
    let projects: BTreeSet<&String> = failed.iter().map(|(project, _)| project).collect();
    projects.into_iter().cloned().collect()
}

/// The lines of a plan.
pub(crate) fn plan_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut first: HashMap<_, &str> = HashMap::new();
    for letter in &plan.letters {
        let other = letter.item.id().and_then(|id| first.insert((letter.from, id), &letter.item.path));
        if let Some(other) = other {
            let (from, path) = (&plan.posts[letter.from], shown(&place(&letter.item.path)));
            lines.push(format!(
                "compare  {from}  {path} with {}, which has the same id",
                shown(&place(other))
            ));
            continue;
        }
        let short = letter.item.id().map_or_else(|| "new".to_owned(), |id| id.short());
        if let Some(receipt) = &letter.there {
            let (from, title) = (&plan.posts[letter.from], shown(&letter.item.task.title));
            lines.push(format!("receipt {short}  {from}  {}  {title}", told(receipt)));
            continue;
        }
        let (from, to) = (&plan.posts[letter.from], &plan.posts[letter.to]);
        lines.push(format!("deliver {short}  {from} → {to}  {}", shown(&letter.item.task.title)));
    }
    for news in &plan.news {
        let post = &plan.posts[news.post];
        let (what, title) = (what(&news.what, plan), shown(&news.item.task.title));
        lines.push(format!("receipt {}  {post}  {what}  {title}", news.id.short()));
    }
    for letter in &plan.taken_back {
        let (from, to) = (&plan.posts[letter.from], &plan.posts[letter.to]);
        let (short, title) =
            (letter.item.id().map(|id| id.short()).unwrap_or_default(), &letter.item.task.title);
        lines.push(format!("record  {short}  {from}  taken back when {to} had it  {}", shown(title)));
    }
    for stranded in &plan.stranded {
        let post = &plan.posts[stranded.post];
        lines.push(format!(
            "give up  {post}  {}: {}",
            shown(&stranded.item.task.title),
            shown(&stranded.reason)
        ));
    }
    for post in &plan.owing {
        lines.push(format!("commit   {}  what had to wait", plan.posts[*post]));
    }
    lines
}

fn told(receipt: &Receipt) -> String {
    let by = receipt.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{}{by}", receipt.stage)
}

fn what(tidings: &Tidings, plan: &Plan) -> String {
    match tidings {
        Tidings::Receipt(receipt) => told(receipt),
        Tidings::Lost(to) => format!("deliver again to {}, which lost it", plan.posts[*to]),
    }
}
