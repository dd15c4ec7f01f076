//! One task: in a row, after a change, in full.

use serde::Serialize;

use super::event::EventRow;
use super::{View, moment, place};
use crate::domain::actor::Actor;
use crate::domain::task::{State, Task};
use crate::domain::text::shown;
use crate::ops::look::Card;
use crate::ops::step::{Changed, Effect};
use crate::store::queue::Item;
use crate::store::tx::Committed;

/// A task as scripts see it everywhere.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TaskRow {
    pub(crate) id: Option<String>,
    pub(crate) title: String,
    pub(crate) state: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) effort: &'static str,
    pub(crate) kind: String,
    pub(crate) labels: Vec<String>,
    pub(crate) project: String,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) path: String,
    pub(crate) created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) defer_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<ReceiptRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<ResultRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    #[serde(skip)]
    short: String,
}

/// How far a sent task has come.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ReceiptRow {
    stage: &'static str,
    at: String,
    by: Option<String>,
    note: Option<String>,
}

/// How a task ended.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ResultRow {
    state: &'static str,
    at: String,
    by: Option<String>,
    note: Option<String>,
}

impl TaskRow {
    /// The row of a task.
    pub(crate) fn new(project: &str, path: &str, task: &Task, state: State) -> TaskRow {
        TaskRow {
            id: task.id.map(|id| id.to_string()),
            short: task.id.map(|id| id.short()).unwrap_or_else(|| "new".to_owned()),
            title: task.title.clone(),
            state: state.as_str(),
            priority: task.priority.as_str(),
            effort: task.effort.as_str(),
            kind: task.kind.as_str().to_owned(),
            labels: task.labels.clone(),
            project: project.to_owned(),
            from: task.from.as_ref().map(ToString::to_string),
            to: task.to.as_ref().map(ToString::to_string),
            path: place(path),
            created: task.created.map(|at| at.to_string()),
            due: task.due.map(|due| due.to_string()),
            tier: task.tier.map(|tier| tier.as_str()),
            model: task.model.as_ref().map(ToString::to_string),
            after: task.after.iter().map(ToString::to_string).collect(),
            holder: (state == State::Claimed)
                .then(|| task.lease.as_ref().map(|l| l.holder.to_string()))
                .flatten(),
            blocked: task.blocked.clone(),
            defer_until: task.defer_until.map(|at| at.to_string()),
            receipt: task.receipt.as_ref().map(|r| ReceiptRow {
                stage: r.stage.as_str(),
                at: r.at.to_string(),
                by: r.by.as_ref().map(ToString::to_string),
                note: r.note.clone(),
            }),
            result: task.ending.as_ref().map(|e| ResultRow {
                state: e.state.as_str(),
                at: e.at.to_string(),
                by: e.by.as_ref().map(ToString::to_string),
                note: e.note.clone(),
            }),
            score: None,
        }
    }

    /// The row of a listed task.
    pub(crate) fn of(project: &str, item: &Item, state: State) -> TaskRow {
        TaskRow::new(project, &item.path, &item.task, state)
    }

    /// The short reference.
    pub(crate) fn short(&self) -> &str {
        &self.short
    }

    /// `k3v9q2  ready     high      Add rate limiting`
    pub(crate) fn line(&self, out: &mut String) {
        let line = Line {
            short: self.short.as_str(),
            state: self.state,
            priority: self.priority,
            title: &self.title,
            project: &self.project,
            from: self.from.as_deref(),
            to: self.to.as_deref(),
            stage: self.receipt.as_ref().map(|r| r.stage),
            holder: self.holder.as_deref(),
            why: why(
                self.state,
                self.result.as_ref().and_then(|r| r.note.as_deref()),
                self.blocked.as_deref(),
            ),
        };
        line.write(out);
    }
}

/// One line about one task.
pub(crate) struct Line<'a, S> {
    short: S,
    state: &'static str,
    priority: &'static str,
    title: &'a str,
    project: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    stage: Option<&'static str>,
    holder: Option<&'a str>,
    why: Option<&'a str>,
}

/// The reason that belongs to a state, if it has one.
fn why<'a>(state: &str, note: Option<&'a str>, blocked: Option<&'a str>) -> Option<&'a str> {
    match state {
        "dead" | "refused" => note,
        "blocked" => blocked,
        _ => None,
    }
}

impl<'a> Line<'a, String> {
    /// The line of a task, as seen from a project.
    pub(crate) fn of(project: &'a str, item: &'a Item, state: State) -> Self {
        let task = &item.task;
        let lease = task.lease.as_ref().filter(|_| state == State::Claimed);
        Line {
            short: task.id.map(|id| id.short()).unwrap_or_else(|| "new".to_owned()),
            state: state.as_str(),
            priority: task.priority.as_str(),
            title: &task.title,
            project,
            from: task.from.as_ref().map(|from| from.as_str()),
            to: task.to.as_ref().map(|to| to.as_str()),
            stage: task.receipt.as_ref().map(|receipt| receipt.stage.as_str()),
            holder: lease.map(|lease| lease.holder.as_str()),
            why: why(
                state.as_str(),
                task.ending.as_ref().and_then(|ending| ending.note.as_deref()),
                task.blocked.as_deref(),
            ),
        }
    }
}

impl<S: AsRef<str>> Line<'_, S> {
    /// Write it.
    pub(crate) fn write(&self, out: &mut String) {
        padded(out, self.short.as_ref(), 6);
        padded(out, self.state, 8);
        padded(out, self.priority, 8);
        out.push_str(&shown(self.title));
        let mut add = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
        match (self.state, self.from, self.to) {
            ("outbox", _, Some(to)) => add(&["  → ", to]),
            ("sent", _, Some(to)) => add(&["  → ", to, " (", self.stage.unwrap_or_default(), ")"]),
            (_, Some(from), _) if from != self.project => add(&["  ← ", from]),
            _ => {}
        }
        for remark in [self.holder, self.why].into_iter().flatten() {
            add(&["  (", &shown(remark), ")"]);
        }
        out.push('\n');
    }
}

/// A word of ASCII in a column of this width, and two spaces; there may be very many, and `write!` is slow.
fn padded(out: &mut String, word: &str, width: usize) {
    out.push_str(word);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(word.len()) + 2));
}

/// The lease that a claim gave.
#[derive(Debug, Serialize)]
pub(crate) struct LeaseRow {
    task: String,
    holder: String,
    token: u64,
    expires_at: String,
}

/// A task after a verb.
#[derive(Debug, Serialize)]
pub(crate) struct ChangedView {
    task: TaskRow,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseRow>,
    /// Whether an edit had anything to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<bool>,
    #[serde(flatten)]
    commit: CommitRow,
    #[serde(skip)]
    said: String,
    #[serde(skip)]
    next: Vec<String>,
}

/// How the commit ended.
#[derive(Debug, Clone, Serialize, Default)]
pub(crate) struct CommitRow {
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_to_commit: Option<String>,
}

impl CommitRow {
    /// The row of a commit.
    pub(crate) fn new(committed: &Committed) -> CommitRow {
        CommitRow { commit: committed.commit.clone(), waiting_to_commit: committed.debt.clone() }
    }

    /// Whether it waits, and can only be taken back when it is made.
    pub(crate) fn waits(&self) -> bool {
        self.waiting_to_commit.is_some()
    }

    /// What a person has to know about it.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(reason) = &self.waiting_to_commit {
            notes.push(format!("written, not committed yet: {reason}"));
        }
        notes
    }
}

impl ChangedView {
    /// The view of a change; `said` is the sentence for people, without the task.
    pub(crate) fn new(project: &str, changed: &Changed, said: impl Into<String>) -> ChangedView {
        let row = TaskRow::new(project, &changed.path, &changed.task, changed.to);
        let held = changed.task.lease.as_ref().filter(|_| changed.to == State::Claimed);
        let lease = held.map(|lease| LeaseRow {
            task: changed.id.to_string(),
            holder: lease.holder.to_string(),
            token: lease.token,
            expires_at: lease.expires_at.to_string(),
        });
        let (next, commit) = (next_steps(changed), CommitRow::new(&changed.committed));
        ChangedView { task: row, lease, changed: None, commit, said: said.into(), next }
    }

    /// The view of an edit, which may have found everything said already.
    pub(crate) fn edited(project: &str, edited: &Changed) -> ChangedView {
        let is_made = edited.effect == Effect::Made;
        let said = if is_made { "edited" } else { "nothing changed in" };
        ChangedView { changed: Some(is_made), ..ChangedView::new(project, edited, said) }
    }
}

fn next_steps(changed: &Changed) -> Vec<String> {
    let short = changed.id.short();
    match changed.to {
        State::Ready if !changed.task.after.is_empty() => {
            vec!["swift next --why".to_owned(), format!("swift show {short}")]
        }
        State::Ready => vec![format!("swift claim {short}"), "swift next".to_owned()],
        State::Claimed if is_held_by(&changed.task, Some(&changed.by)) => {
            vec![format!("swift done {short}"), format!("swift show {short}")]
        }
        State::Claimed => vec![format!("swift show {short}"), "swift next".to_owned()],
        State::Outbox => vec![format!("swift show {short}"), "swift list --state outbox".to_owned()],
        State::Inbox => vec![format!("swift inbox accept {short}"), format!("swift show {short}")],
        State::Blocked => vec![format!("swift unblock {short}"), "swift next".to_owned()],
        State::Deferred | State::Sent => vec![format!("swift show {short}")],
        State::Dead => vec![format!("swift redrive {short}"), "swift dead".to_owned()],
        State::Done | State::Refused | State::Gone => vec!["swift next".to_owned(), "swift log".to_owned()],
    }
}

/// Whether the task is this actor's to end.
fn is_held_by(task: &Task, actor: Option<&Actor>) -> bool {
    task.lease.as_ref().is_some_and(|lease| Some(&lease.holder) == actor)
}

impl View for ChangedView {
    fn text(&self, out: &mut String) {
        out.push_str(&format!("{} {}  {}\n", self.said, self.task.short, shown(&self.task.title)));
        out.push_str(&format!("  {}\n", shown(&self.task.path)));
        if let Some(lease) = &self.lease {
            out.push_str(&format!(
                "  held by {} until {}, token {}\n",
                shown(&lease.holder),
                moment(&lease.expires_at),
                lease.token
            ));
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}

/// Everything about one task.
#[derive(Debug, Serialize)]
pub(crate) struct CardView {
    task: TaskRow,
    body: String,
    events: Vec<EventRow>,
    #[serde(skip)]
    next: Vec<String>,
}

impl CardView {
    /// The view of a card as somebody reads it; `None` if nobody knows who.
    pub(crate) fn new(project: &str, card: &Card, reader: Option<&Actor>) -> CardView {
        let short = card.item.id().map(|id| id.short()).unwrap_or_default();
        let next = match card.state {
            State::Ready if !card.item.task.after.is_empty() => vec!["swift next --why".to_owned()],
            State::Ready => vec![format!("swift claim {short}")],
            State::Claimed if is_held_by(&card.item.task, reader) => {
                vec![format!("swift done {short}"), format!("swift release {short}")]
            }
            State::Inbox => vec![format!("swift inbox accept {short}")],
            State::Dead => vec![format!("swift redrive {short}")],
            _ => vec!["swift next".to_owned()],
        };
        CardView {
            task: TaskRow::of(project, &card.item, card.state),
            body: card.body.clone(),
            events: card.events.iter().map(|event| EventRow::new(project, event)).collect(),
            next,
        }
    }
}

impl View for CardView {
    fn text(&self, out: &mut String) {
        let task = &self.task;
        out.push_str(&format!("{}\n\n", shown(&task.title)));
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                out.push_str(&format!("  {name:<9} {}\n", shown(value)));
            }
        };
        field("id", task.id.as_deref());
        field("state", Some(task.state));
        field("priority", Some(task.priority));
        field("effort", Some(task.effort));
        field("kind", Some(&task.kind));
        field("labels", Some(&task.labels.join(", ")));
        field("from", task.from.as_deref());
        field("to", task.to.as_deref());
        field("created", task.created.as_deref().map(moment).as_deref());
        field("due", task.due.as_deref());
        field("tier", task.tier);
        field("model", task.model.as_deref());
        field("after", Some(&task.after.join(", ")));
        field("holder", task.holder.as_deref());
        field("blocked", task.blocked.as_deref());
        field("deferred", task.defer_until.as_deref().map(moment).as_deref());
        let tail = |by: &Option<String>, note: &Option<String>| {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("{by}{note}")
        };
        if let Some(receipt) = &task.receipt {
            field(
                "receipt",
                Some(&format!(
                    "{} {}{}",
                    receipt.stage,
                    moment(&receipt.at),
                    tail(&receipt.by, &receipt.note)
                )),
            );
        }
        if let Some(result) = &task.result {
            field(
                "result",
                Some(&format!("{} {}{}", result.state, moment(&result.at), tail(&result.by, &result.note))),
            );
        }
        field("file", Some(&task.path));
        if !self.body.trim().is_empty() {
            out.push('\n');
            for line in self.body.trim_matches(['\r', '\n']).lines() {
                out.push_str(&format!("{}\n", shown(line)));
            }
        }
        if !self.events.is_empty() {
            out.push('\n');
            for event in &self.events {
                event.line(out);
            }
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }
}
