//! What a queue needs from time to time and nobody wants to type: leases that ran out, files that cannot be read,
//! sent tasks of which nothing is heard.

use jiff::{SignedDuration, Timestamp};

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Result};
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, State};
use crate::domain::text::shown;
use crate::store::git::Reach;
use crate::store::queue::{Item, Queue};
use crate::store::tx::{Committed, Operation, Tx};
use crate::store::{layout, unattended};

use super::step::{self, Changed, Step};

/// What was done about several things of one kind, in one commit.
#[derive(Debug)]
pub(crate) struct Tended<T> {
    pub(crate) done: Vec<T>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) committed: Committed,
}

/// Give back every task whose lease has run out. Its token stays, so the late former holder can still be told from the
/// next one.
///
/// # Errors
/// Those of the lock and the commit.
pub(crate) fn release_expired(queue: &Queue, operation: &Operation<'_>) -> Result<Tended<Changed>> {
    let mut tx = Tx::begin(queue, operation)?;
    let mut tended = Tended { done: Vec::new(), problems: Vec::new(), committed: Committed::default() };
    let items = queue.list(&[Folder::Tasks]).items;
    for item in items.into_iter().filter(|item| has_expired(item, operation.at)) {
        if item.id().is_none() || operation.leaves_alone(queue, &item.path) {
            continue;
        }
        let released = step::apply(&mut tx, &item, |subject| {
            let cause = subject.task.lease.take().map(|lease| {
                format!("the lease of {} ran out at {}", shown(lease.holder.as_str()), lease.expires_at)
            });
            Ok(Step::stay(EventKind::TaskReleased, subject.item).because(cause))
        });
        match released {
            Ok((changed, _)) => tended.done.push(changed),
            Err(fault) => tended.problems.push(Problem::at(item.path, fault)),
        }
    }
    let subject = match tended.done.as_slice() {
        [one] => step::subject("release", one.id, &one.task.title),
        many => format!("release {} tasks whose leases ran out", many.len()),
    };
    tended.committed = tx.commit(&subject)?;
    Ok(tended)
}

fn has_expired(item: &Item, now: Timestamp) -> bool {
    item.task.lease.as_ref().is_some_and(|lease| lease.is_expired(now))
}

/// A file that was put aside, and why.
#[derive(Debug)]
pub(crate) struct PutAside {
    pub(crate) path: String,
    pub(crate) target: String,
    pub(crate) why: String,
}

/// Put files of the queue's folders aside that cannot be read as tasks and have not changed for some time.
///
/// # Errors
/// Those of the lock and the commit.
pub(crate) fn put_broken_aside(queue: &Queue, operation: &Operation<'_>) -> Result<Tended<PutAside>> {
    let mut tx = Tx::begin(queue, operation)?;
    let mut tended = Tended { done: Vec::new(), problems: Vec::new(), committed: Committed::default() };
    let after = queue.settings.auto.quarantine_after;
    for problem in queue.list(&layout::QUEUE_FOLDERS).problems {
        if rest_of_broken(queue, &problem, after) != Some(SignedDuration::ZERO) {
            continue;
        }
        let Ok(Some(bytes)) = tx.read(&problem.path) else { continue };
        let target = layout::aside_path(operation.id, &problem.path);
        tx.put(&target, bytes)?;
        tx.remove(&problem.path)?;
        let why = problem.fault.message;
        let cause = format!("{} put aside as {target}: {}", problem.path, shown(&why));
        tx.record(Fact::of(EventKind::Repaired).because(cause));
        tended.done.push(PutAside { path: problem.path, target, why });
    }
    let files = if tended.done.len() == 1 { "file" } else { "files" };
    tended.committed = tx.commit(&format!("put {} unreadable {files} aside", tended.done.len()))?;
    Ok(tended)
}

/// How long a file that cannot be read may still lie where it is: nothing left means that it is put aside. `None` for
/// what is never put aside: what a newer version wrote, and what is no file of tasks at all.
pub(crate) fn rest_of_broken(
    queue: &Queue,
    problem: &Problem,
    after: SignedDuration,
) -> Option<SignedDuration> {
    let is_broken = matches!(problem.fault.code, Code::Malformed | Code::InvalidValue)
        && problem.path.ends_with(".md")
        && layout::folder_of(&problem.path).is_some();
    if !is_broken || after.is_zero() {
        return None;
    }
    let age = unattended::age(queue, &problem.path)?;
    Some(after.saturating_sub(age).max(SignedDuration::ZERO))
}

/// Since when nothing was heard of a sent task that is not finished; `None` if nothing is expected.
pub(crate) fn silent_since(item: &Item) -> Option<Timestamp> {
    let receipt = item.task.receipt.as_ref()?;
    (!receipt.stage.is_final()).then_some(receipt.at)
}

/// Ask after sent tasks of which nothing was heard for too long: an event for each in the sender's log, once in each
/// such span of time.
///
/// # Errors
/// Those of the lock and the commit.
pub(crate) fn ask_after(queue: &Queue, operation: &Operation<'_>) -> Result<Tended<Item>> {
    let mut tx = Tx::begin(queue, operation)?;
    let mut asked = Asked::read(queue);
    let mut tended = Tended { done: Vec::new(), problems: Vec::new(), committed: Committed::default() };
    let items = queue.list_within(&[Folder::Sent], Reach::Names).items;
    asked.forget_all_but(&items);
    for item in items {
        let (Some(id), Some(at)) = (item.id(), asked.next(queue, &item)) else { continue };
        if at > operation.at {
            continue;
        }
        let receipt = item.task.receipt.as_ref().expect("a silent record has a receipt");
        let by = receipt.by.as_ref().map(ToString::to_string).unwrap_or_default();
        let cause = format!("{by}: {} since {}, nothing more", receipt.stage, receipt.at);
        tx.record(Fact::task(EventKind::ReceiptOverdue, id, Some(State::Sent), State::Sent).because(cause));
        asked.note(id, operation.at);
        tended.done.push(item);
    }
    let tasks = if tended.done.len() == 1 { "task" } else { "tasks" };
    tended.committed = tx.commit(&format!("ask after {} sent {tasks}", tended.done.len()))?;
    asked.write(queue)?;
    Ok(tended)
}

pub(crate) use asked::Asked;

mod asked {
    //! When each overdue task was last asked after: a note of this machine, lost without harm.

    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::silent_since;
    use crate::domain::fault::Result;
    use crate::domain::id::TaskId;
    use crate::store::queue::{Item, Queue};

    const NOTE: &str = "asked.json";

    /// Tasks by id, with the instant of the last question.
    #[derive(Debug, Default)]
    pub(crate) struct Asked {
        at: BTreeMap<String, String>,
    }

    impl Asked {
        /// The note of a queue.
        pub(crate) fn read(queue: &Queue) -> Asked {
            let at = queue.local.read(NOTE).and_then(|bytes| serde_json::from_slice(&bytes).ok());
            Asked { at: at.unwrap_or_default() }
        }

        /// When the task is to be asked after; `None` if it is not.
        pub(crate) fn next(&self, queue: &Queue, item: &Item) -> Option<Timestamp> {
            let after = queue.settings.auto.ask_after;
            let id = item.id().filter(|_| !after.is_zero())?;
            let asked = self.at.get(&id.to_string()).and_then(|at| at.parse::<Timestamp>().ok());
            silent_since(item)?.max(asked.unwrap_or(Timestamp::MIN)).checked_add(after).ok()
        }

        pub(super) fn note(&mut self, id: TaskId, at: Timestamp) {
            self.at.insert(id.to_string(), at.to_string());
        }

        pub(super) fn forget_all_but(&mut self, items: &[Item]) {
            let waits: std::collections::HashSet<String> = items
                .iter()
                .filter(|item| silent_since(item).is_some())
                .filter_map(|item| item.id().map(|id| id.to_string()))
                .collect();
            self.at.retain(|id, _| waits.contains(id));
        }

        pub(super) fn write(&self, queue: &Queue) -> Result<()> {
            queue.local.write(NOTE, &serde_json::to_vec(&self.at).expect("a map of texts is plain data"))
        }
    }
}
