//! A stretch of work: what waits at its start, what happened until its end, what was learned.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::actor::Actor;
use crate::domain::event::{Event, EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{SessionId, TaskId};
use crate::domain::problem::Problem;
use crate::domain::settings::{CommitPolicy, Role};
use crate::domain::task::{Folder, State};
use crate::format::session::{self, Session};
use crate::store::git::Reach;
use crate::store::queue::{Glimpse, Item, Queue, Taker, Unreadable};
use crate::store::tx::{Committed, Operation, Tx};
use crate::store::{history, layout};

use super::carry::cut_off;
use super::rank::{self, Ranking, Scope};

/// How many former learnings a start shows.
const LEARNINGS: usize = 5;

/// The session that is open on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    id: String,
    actor: String,
    started_at: String,
}

/// A session that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Running {
    id: SessionId,
    /// Who opened it.
    actor: Actor,
    since: Timestamp,
}

/// A session of which the log knows the start and no end, and which is not noted on this machine.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) actor: Actor,
    pub(crate) since: Timestamp,
}

impl Lost {
    /// What became of it.
    pub(crate) fn told(&self) -> String {
        format!(
            "the session that {} opened at {} has no end: its note in `.swift/local/` is lost, or it is another clone's",
            self.actor, self.since
        )
    }
}

/// For so long a session without an end is worth a word.
const FRESH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What of the log tells whether a session is open.
const OF_SESSIONS: [EventKind; 3] =
    [EventKind::SessionStarted, EventKind::SessionFinished, EventKind::OperationUndone];

/// What a person wants to know when they begin.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) session: SessionId,
    pub(crate) since: Timestamp,
    /// Who opened the session, and whether it was this call.
    pub(crate) actor: Actor,
    pub(crate) opened: bool,
    /// The one before it, if nobody ended it.
    pub(crate) lost: Option<Lost>,
    pub(crate) outbox: Vec<Item>,
    pub(crate) inbox: Vec<Item>,
    pub(crate) claimed: Vec<Item>,
    pub(crate) blocked: Vec<Item>,
    pub(crate) overdue: Vec<Item>,
    pub(crate) dead: Vec<Item>,
    pub(crate) learned: Vec<String>,
    pub(crate) ranking: Ranking,
    pub(crate) problems: Vec<Problem>,
    pub(crate) committed: Committed,
}

/// Open a session, or join the open one, and tell how things stand.
///
/// # Errors
/// Those of the commit.
pub(crate) fn start(queue: &Queue, operation: &Operation<'_>) -> Result<Situation> {
    let opened = match open(queue) {
        Some(running) => Opened { running, lost: None, committed: None },
        None => open_now(queue, operation)?,
    };
    let mut situation = situation(queue, operation, opened.running)?;
    if queue.settings.role == Role::Orchestrator {
        // One problem never stops the rest.
        situation.problems.extend(cut_off::everywhere(queue).unwrap_or_default());
    }
    situation.lost = opened.lost;
    situation.opened = opened.committed.is_some();
    situation.committed = opened.committed.unwrap_or_default();
    Ok(situation)
}

/// The session that is open now.
struct Opened {
    running: Running,
    /// The one before it, if nobody ended it.
    lost: Option<Lost>,
    /// The commit of its start; `None` if it was open before.
    committed: Option<Committed>,
}

/// The note comes first and counts only with what the log says: so there is never a session that nobody can finish.
fn open_now(queue: &Queue, operation: &Operation<'_>) -> Result<Opened> {
    let mut tx = Tx::begin(queue, operation)?;
    // Somebody may have opened one before the queue was ours.
    if let Some(running) = open(queue) {
        return Ok(Opened { running, lost: None, committed: None });
    }
    let lost = lost(queue, operation);
    let id = operation.env.session_id();
    tx.record(Fact::of(EventKind::SessionStarted).because(id.to_string()));
    if operation.mode == crate::store::tx::Mode::Write {
        let note = Open {
            id: id.to_string(),
            actor: operation.actor.to_string(),
            started_at: operation.at.to_string(),
        };
        queue.local.write(layout::OPEN_SESSION, &serde_json::to_vec_pretty(&note).expect("plain data"))?;
    }
    let committed = Some(tx.commit("start a session")?);
    let running = Running { id, actor: operation.actor.clone(), since: operation.at };
    Ok(Opened { running, lost, committed })
}

/// The session that is noted here, if the log knows its start and not its end: a verb may have been cut off between
/// the note and the commit.
fn open(queue: &Queue) -> Option<Running> {
    let note: Open = serde_json::from_slice(&queue.local.read(layout::OPEN_SESSION)?).ok()?;
    let since: Timestamp = note.started_at.parse().ok()?;
    let is_about =
        |event: &Event, kind| event.fact.kind == kind && event.fact.cause.as_ref() == Some(&note.id);
    let events = history::of_kinds_since(queue, since, &OF_SESSIONS).ok()?;
    let is_open = events.iter().any(|event| is_about(event, EventKind::SessionStarted))
        && !events.iter().any(|event| is_about(event, EventKind::SessionFinished));
    let id = note.id.parse().ok().filter(|_| is_open)?;
    Some(Running { id, actor: note.actor.parse().ok()?, since })
}

/// The last session that this actor opened, if nothing ended it. Which clone it was in the log does not tell.
fn lost(queue: &Queue, operation: &Operation<'_>) -> Option<Lost> {
    let events = history::of_kinds_since(queue, operation.at.checked_sub(FRESH).ok()?, &OF_SESSIONS).ok()?;
    let is = |event: &Event, kind: EventKind, cause: &str| {
        event.fact.kind == kind && event.fact.cause.as_deref() == Some(cause)
    };
    let started = events
        .iter()
        .rev()
        .find(|event| event.fact.kind == EventKind::SessionStarted && event.actor == operation.actor)?;
    let (id, opened_by) = (started.fact.cause.as_deref()?, started.operation.to_string());
    let is_over = events.iter().any(|event| {
        is(event, EventKind::SessionFinished, id) || is(event, EventKind::OperationUndone, &opened_by)
    });
    (!is_over).then(|| Lost { actor: started.actor.clone(), since: started.at })
}

fn situation(queue: &Queue, operation: &Operation<'_>, running: Running) -> Result<Situation> {
    let now = operation.at;
    let today = now.to_zoned(TimeZone::UTC).date();
    let listing = queue.list_and_open(&[Folder::Outbox, Folder::Inbox, Folder::Tasks, Folder::Dead]);
    let some = |keep: &dyn Fn(&Item) -> bool| -> Vec<Item> {
        listing.items.iter().filter(|item| keep(item)).cloned().collect()
    };
    let state = |item: &Item| item.task.state(item.folder, now);
    Ok(Situation {
        session: running.id,
        since: running.since,
        actor: running.actor,
        opened: false,
        lost: None,
        outbox: some(&|item| item.folder == Folder::Outbox),
        inbox: some(&|item| state(item) == State::Inbox),
        claimed: some(&|item| state(item) == State::Claimed),
        blocked: some(&|item| state(item) == State::Blocked),
        overdue: some(&|item| item.folder == Folder::Tasks && item.task.is_overdue(today)),
        dead: some(&|item| item.folder == Folder::Dead),
        learned: learned(queue)?,
        ranking: rank::rank(queue, now, Scope::Project)?,
        problems: listing.problems,
        committed: Committed::default(),
    })
}

/// What the last sessions learned, newest first.
fn learned(queue: &Queue) -> Result<Vec<String>> {
    let files = queue.paths(layout::SESSIONS)?.files;
    let mut all = Vec::new();
    for path in files.iter().rev().take(LEARNINGS * 2) {
        let Some(text) = queue.read_text(path).ok().flatten() else { continue };
        if let Ok(session) = session::parse(&text) {
            all.extend(session.learned.into_iter().filter(|learned| !learned.trim().is_empty()));
        }
        if all.len() >= LEARNINGS {
            break;
        }
    }
    all.truncate(LEARNINGS);
    Ok(all)
}

/// What a session came to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) session: Session,
    pub(crate) path: String,
    /// Who ended it.
    pub(crate) by: Actor,
    pub(crate) still_claimed: Vec<Item>,
    pub(crate) committed: Committed,
}

/// Close the session: write what happened since its start, from the log, and what was learned.
///
/// # Errors
/// [`Code::InvalidValue`] for a learning that says nothing; [`Code::Session`] if none is open; those of the commit.
pub(crate) fn finish(queue: &Queue, operation: &Operation<'_>, learned: Vec<String>) -> Result<Summary> {
    if learned.iter().any(|learned| learned.trim().is_empty()) {
        return Err(Fault::new(Code::InvalidValue, "what was learned is empty")
            .hint("`swift finish` ends the session without a learning"));
    }
    let mut tx = Tx::begin(queue, operation)?;
    let Some(Running { id, actor, since: started_at }) = open(queue) else {
        let fault = Fault::new(Code::Session, "no session is open here").hint("`swift start` opens one");
        return Err(match lost(queue, operation) {
            Some(lost) => fault.hint(lost.told()),
            None => fault,
        });
    };
    // With `manual` every commit is the person's own.
    if queue.settings.commit != CommitPolicy::Manual {
        tx.commit_now();
    }
    let opened = id.to_string();
    let events = history::after(queue, started_at, |event| {
        event.fact.kind == EventKind::SessionStarted && event.fact.cause.as_ref() == Some(&opened)
    })?;
    let session =
        Session { id, actor, started_at, finished_at: operation.at, learned, counts: counts(&events) };
    let path = layout::session_path(id);
    tx.put(&path, session::render(&session, &narrative(queue, &events)).into_bytes())?;
    tx.record(Fact::of(EventKind::SessionFinished).because(id.to_string()));
    let still_claimed = claimed(queue, operation.at);
    let committed = tx.commit("finish the session")?;
    if operation.mode == crate::store::tx::Mode::Write {
        // What stays counts for nothing, because the log knows the end.
        let _ = queue.local.remove(layout::OPEN_SESSION);
    }
    Ok(Summary { session, path, by: operation.actor.clone(), still_claimed, committed })
}

fn claimed(queue: &Queue, now: Timestamp) -> Vec<Item> {
    let items = queue.list(&[Folder::Tasks]).items;
    items.into_iter().filter(|item| item.task.held(now).is_some()).collect()
}

fn counts(events: &[Event]) -> BTreeMap<EventKind, u64> {
    let mut counts = BTreeMap::new();
    for event in events.iter().filter(|event| event.fact.task.is_some()) {
        *counts.entry(event.fact.kind).or_insert(0) += 1;
    }
    counts
}

/// One line for each event about a task, in the order of time.
fn narrative(queue: &Queue, events: &[Event]) -> String {
    let titles = titles(queue, events.iter().filter_map(|event| event.fact.task).collect());
    let mut text = String::from("## What happened\n\n");
    for event in events {
        let Some(id) = event.fact.task else { continue };
        let name = crate::domain::text::shown(titles.get(&id).map(String::as_str).unwrap_or_default());
        let what = event.fact.kind.as_str().trim_start_matches("task.");
        text.push_str(&format!("- {} {what} {} {name} ({})\n", event.at, id.short(), event.actor));
    }
    text
}

/// What these tasks are called.
fn titles(queue: &Queue, wanted: HashSet<TaskId>) -> HashMap<TaskId, String> {
    if wanted.is_empty() {
        return HashMap::new();
    }
    queue.glance(&layout::QUEUE_FOLDERS, Reach::Names, &Titles(wanted)).taken.into_iter().collect()
}

/// Takes the titles of some tasks, and of all others nothing.
struct Titles(HashSet<TaskId>);

impl Taker for Titles {
    type Taken = (TaskId, String);

    fn take(&self, glimpse: &mut Glimpse<'_>) -> std::result::Result<Option<Self::Taken>, Unreadable> {
        let Some(id) = glimpse.id().filter(|id| self.0.contains(id)) else { return Ok(None) };
        Ok(Some((id, glimpse.item()?.task.title)))
    }
}
