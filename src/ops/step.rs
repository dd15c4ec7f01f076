//! What all verbs about one task share: find it under the lock, decide, write it back with its event.

use jiff::Timestamp;

use crate::domain::actor::Actor;
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::task::{Folder, State, Task};
use crate::format::Document;
use crate::format::audit::digest;
use crate::store::git::Reach;
use crate::store::queue::{Glimpse, Item, Queue, Taker, Unreadable};
use crate::store::tx::{Committed, Operation, Tx};
use crate::store::{archive, layout, message};

/// What a verb decided to do with a task.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: EventKind,
    /// The folder in which the task lies afterwards.
    pub(crate) to: Folder,
    pub(crate) cause: Option<String>,
}

impl Step {
    /// A step that leaves the task in its folder.
    pub(crate) fn stay(kind: EventKind, item: &Item) -> Step {
        Step { kind, to: item.folder, cause: None }
    }

    /// A step that moves the task.
    pub(crate) fn go(kind: EventKind, to: Folder) -> Step {
        Step { kind, to, cause: None }
    }

    /// The same step with its reason.
    #[must_use]
    pub(crate) fn because(mut self, cause: Option<String>) -> Step {
        self.cause = cause;
        self
    }
}

/// Whether a verb had anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Made,
    /// What was asked for is there already.
    Nothing,
}

/// A task before and after a verb.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) id: TaskId,
    pub(crate) task: Task,
    pub(crate) path: String,
    pub(crate) to: State,
    pub(crate) effect: Effect,
    /// Who changed it.
    pub(crate) by: Actor,
    pub(crate) committed: Committed,
}

/// The task that a decision is about; the decision changes `task` and `document`'s body.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) id: TaskId,
    pub(crate) item: &'a Item,
    pub(crate) task: &'a mut Task,
    pub(crate) document: &'a mut Document,
}

/// Run one verb on one task.
///
/// # Errors
/// Those of finding the task, of the decision, and of the commit; nothing is changed then.
pub(crate) fn change(
    queue: &Queue,
    operation: &Operation<'_>,
    reference: &str,
    folders: &[Folder],
    decide: impl FnOnce(&mut Subject<'_>) -> Result<Step>,
) -> Result<Changed> {
    let mut tx = Tx::begin_for_one(queue, operation)?;
    let item = queue.find(reference, folders)?;
    let (changed, subject) = apply(&mut tx, &item, decide)?;
    if matches!(changed.to, State::Done | State::Refused) {
        put_old_away(&mut tx)?;
    }
    let committed = tx.commit(&subject)?;
    Ok(Changed { committed, ..changed })
}

/// Once in some dozens of finished tasks, the old ones go into an archive.
fn put_old_away(tx: &mut Tx<'_>) -> Result<()> {
    if tx.queue.count(Folder::Done)? < archive::WORTH_AN_ARCHIVE {
        return Ok(());
    }
    let ends = tx.queue.glance(&[Folder::Done], Reach::Names, &Ends).taken;
    let Some(due) = archive::due(ends, tx.operation.at) else { return Ok(()) };
    let old = tx.queue.list(&[Folder::Done]).items.into_iter();
    archive::put_away(tx, old.filter(|item| item.id().is_some() && archive::end_of(item) < due).collect())
}

/// Takes when each finished task ended.
struct Ends;

impl Taker for Ends {
    type Taken = Timestamp;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> std::result::Result<Option<Timestamp>, Unreadable> {
        let progress = glimpse.progress()?;
        let end = progress.ended.map(|ended| ended.at).or(progress.created);
        Ok(glimpse.id().map(|_| end.unwrap_or(Timestamp::UNIX_EPOCH)))
    }
}

/// Stage one verb on one task in a transaction; gives the commit subject that it would have alone.
///
/// # Errors
/// Those of reading the task and of the decision.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    item: &Item,
    decide: impl FnOnce(&mut Subject<'_>) -> Result<Step>,
) -> Result<(Changed, String)> {
    let now = tx.operation.at;
    refuse_archived(item)?;
    tx.record_by_hand(&item.path)?;
    let mut document = tx.document(&item.path)?;
    let before = digest(&document.to_bytes());
    let mut task = document.task().clone();
    let id = task.id.expect("a task that was found by its id has one");
    refuse_unsettled(tx.queue, id, &item.path)?;
    let from = task.state(item.folder, now);
    let step = decide(&mut Subject { id, item, task: &mut task, document: &mut document })?;
    let (path, hash) = tx.rewrite(item, step.to, &task, document)?;
    let to = task.state(step.to, now);
    // An edit that says what is there already is none: who edited last decides merges.
    let is_said_already = step.kind == EventKind::TaskEdited && hash == before;
    let effect = if is_said_already { Effect::Nothing } else { Effect::Made };
    if effect == Effect::Made {
        let mut fact = Fact::task(step.kind, id, Some(from), to).leaving(hash);
        fact.cause = step.cause;
        tx.record(fact);
    }
    let subject = subject(tx.operation.verb, id, &task.title);
    let by = tx.operation.actor.clone();
    Ok((Changed { id, task, path, to, effect, by, committed: Committed::default() }, subject))
}

/// What is in an archive is as it was put away, for good.
fn refuse_archived(item: &Item) -> Result<()> {
    let Some(short) = item.id().map(TaskId::short).filter(|_| item.is_archived()) else { return Ok(()) };
    let text = format!("task {short} is over (`{}`) and in an archive, which does not change", item.folder);
    Err(Fault::new(Code::WrongState, text).hint(format!(
        "`swift show {short}` shows it; what is left to do is a new task: `swift task . \"…\"`"
    )))
}

/// A task that two sides of a merge have both changed is no one's to change before it is one again.
pub(super) fn refuse_unsettled(queue: &Queue, id: TaskId, path: &str) -> Result<()> {
    let mut others = queue.others_of(id, path)?;
    if queue.home.is_joining() {
        let open = queue.home.unmerged()?.into_iter().map(|entry| entry.path);
        let open = open.filter(|open| layout::is_named_as_a_task(open));
        others.extend(open.filter(|open| open == path || layout::id_in_name(open) == Some(id)));
    }
    match others.first() {
        None => Ok(()),
        Some(other) if other == path => Err(queue.unsettled(id)),
        Some(other) => Err(queue.in_two_files(id, path, other)),
    }
}

/// `claim k3v9q2 Add rate limiting`: what a person reads in `git log --oneline`.
pub(crate) fn subject(verb: &str, id: TaskId, title: &str) -> String {
    format!("{verb} {}", message::about(id, title))
}
