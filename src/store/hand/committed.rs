//! What is in HEAD and the log does not know: a person has committed it with git, or it was pulled from somebody who did.

use std::collections::{BTreeMap, BTreeSet};

use super::with_id;
use crate::domain::event::{Event, EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, State, Task};
use crate::format;
use crate::format::audit::digest;
use crate::store::archive::Held;
use crate::store::queue::{Item, Queue};
use crate::store::replay::{self, LastWords, Standing};
use crate::store::tx::Tx;
use crate::store::{branches, cache, files, layout, message};

/// Record every task that is otherwise than the log says, however it came to that. One that is gone is not recorded as
/// removed: it may have been lost.
///
/// # Errors
/// Those of reading the log and of what git has begun.
pub(in crate::store) fn record_all(tx: &mut Tx<'_>) -> Result<()> {
    let joined = tx.queue.home.put_there_by_git()?;
    let items = tx.queue.list(&layout::QUEUE_FOLDERS).items;
    let mut files: BTreeMap<TaskId, usize> = BTreeMap::new();
    items.iter().filter_map(Item::id).for_each(|id| *files.entry(id).or_default() += 1);
    // Of two files of one task there is no telling which one it is.
    let is_one = |item: &Item| item.id().is_none_or(|id| files[&id] == 1);
    let paths = items.into_iter().filter(|item| is_one(item) && !joined.contains(&item.path));
    record(tx, paths.map(|item| (item.path, None)).collect())
}

/// The tasks whose files were removed by a commit since a verb has last committed here, each with the path.
///
/// # Errors
/// Those of reading commits and files.
pub(crate) fn removed(queue: &Queue) -> Result<BTreeMap<TaskId, String>> {
    let mut removed = BTreeMap::new();
    for (path, blob) in queue.home.committed_since(message::is_of_a_verb)? {
        let (Some(_), Some(blob), None) = (layout::folder_of(&path), blob, queue.read(&path)?) else {
            continue;
        };
        let Ok(bytes) = queue.home.blob(&blob) else { continue };
        if let Ok(Task { id: Some(id), .. }) = format::parse_summary(&bytes, &queue.limits()) {
            removed.insert(id, path);
        }
    }
    Ok(removed)
}

/// A file of which the log may not know yet, committed as it is.
struct Doubtful {
    path: String,
    folder: Folder,
    /// The task as it was when a verb last committed, if that is known.
    before: Option<Task>,
    /// What the file says now; `None` if it is gone.
    now: Option<(Vec<u8>, Task)>,
}

impl Doubtful {
    fn id(&self) -> Option<TaskId> {
        match &self.now {
            Some((_, task)) => task.id,
            None => self.former(),
        }
    }

    fn former(&self) -> Option<TaskId> {
        self.before.as_ref()?.id
    }

    /// What was there before, of which nothing is there now.
    fn without_file(&self) -> Option<Doubtful> {
        self.former()?;
        Some(Doubtful {
            path: self.path.clone(),
            folder: self.folder,
            before: self.before.clone(),
            now: None,
        })
    }
}

/// What is in HEAD counts as recorded only if the log says so: a person has committed it, or somebody from whom it was
/// pulled. What verbs of other clones did they have recorded themselves.
pub(super) fn record(tx: &mut Tx<'_>, before: BTreeMap<String, Option<String>>) -> Result<()> {
    if before.is_empty() {
        return Ok(());
    }
    let debts: BTreeSet<String> = tx.queue.home.debts()?.into_iter().collect();
    let mut doubtful = Vec::new();
    for (path, blob) in before {
        let folder = layout::folder_of(&path).filter(|_| layout::is_named_as_a_task(&path));
        let Some(folder) = folder.filter(|_| !tx.is_staged(&path)) else { continue };
        if debts.contains(&path) && !is_paid_by_hand(tx, &path)? {
            continue;
        }
        let before = blob.and_then(|blob| tx.queue.home.blob(&blob).ok());
        let before = before.and_then(|bytes| format::parse_summary(&bytes, &tx.queue.limits()).ok());
        // One that cannot be read is listed as a problem wherever tasks are.
        let Ok(bytes) = tx.read(&path) else { continue };
        let now =
            bytes.map(|bytes| format::parse_summary(&bytes, &tx.queue.limits()).map(|task| (bytes, task)));
        let Ok(now) = now.transpose() else { continue };
        doubtful.push(Doubtful { path, folder, before, now });
    }
    // Under another id it is another task, and the former one is gone from there.
    let replaced = doubtful.iter().filter(|one| one.now.is_some() && one.former() != one.id());
    let replaced: Vec<Doubtful> = replaced.filter_map(Doubtful::without_file).collect();
    doubtful.extend(replaced);
    let told: BTreeSet<TaskId> = tx.facts().iter().filter_map(|fact| fact.task).collect();
    doubtful.retain(|one| one.id().is_none_or(|id| !told.contains(&id)));
    let words =
        replay::about(tx.queue, &doubtful.iter().filter_map(Doubtful::id).collect(), tx.operation.at)?;
    let (here, gone): (Vec<_>, Vec<_>) = doubtful.into_iter().partition(|one| one.now.is_some());
    here.into_iter().try_for_each(|one| record_there(tx, one, &words))?;
    record_gone(tx, &gone, &words)
}

/// Whether a person has committed what is there of a debt: as the verb has left it, or as they have written it since.
fn is_paid_by_hand(tx: &mut Tx<'_>, path: &str) -> Result<bool> {
    Ok(tx.read(path)? == tx.queue.home.read_committed(path)?)
}

fn record_there(tx: &mut Tx<'_>, one: Doubtful, words: &LastWords) -> Result<()> {
    let words = one.id().and_then(|id| words.get(&id)).map(Vec::as_slice).unwrap_or_default();
    let Some((bytes, task)) = &one.now else { return Ok(()) };
    let hash = digest(bytes);
    let file = Standing { content: Some(&hash), task, folder: one.folder, now: tx.operation.at };
    if replay::difference(words, &file).is_none() {
        return Ok(());
    }
    if let Err(fault) = adopt(tx, &one, bytes, words) {
        tx.problems.push(Problem::at(one.path, fault));
    }
    Ok(())
}

/// A task that was committed by hand, or changed, or moved.
fn adopt(tx: &mut Tx<'_>, one: &Doubtful, bytes: &[u8], words: &[Event]) -> Result<()> {
    files::check_reach(&one.path)?;
    if let folder @ (Folder::Sent | Folder::Done) = one.folder {
        tx.queue.local.remove(&cache::file_name(folder))?;
    }
    let before = one.before.as_ref().map_or(0, |task| task.token);
    let taken = with_id(tx, &one.path, bytes, before)?;
    let after = taken.to_bytes();
    let hash = if after == bytes { digest(bytes) } else { tx.put(&one.path, after)? };
    let (kind, from) = match words.last() {
        Some(event) => (EventKind::ChangedByHand, event.fact.to),
        None => (EventKind::TaskAdopted, None),
    };
    let task = taken.task();
    let id = task.id.expect("a task has got its id");
    let state = task.state(one.folder, tx.operation.at);
    tx.record(Fact::task(kind, id, from, state).because(&one.path).leaving(hash));
    Ok(())
}

/// Tasks whose files were removed, unless they lie somewhere else now, or a verb has removed them.
fn record_gone(tx: &mut Tx<'_>, gone: &[Doubtful], words: &LastWords) -> Result<()> {
    let said = |one: &Doubtful| words.get(&one.id()?).filter(|words| replay::is_there(words))?.last();
    let mut missing: BTreeMap<TaskId, Fact> = BTreeMap::new();
    for one in gone {
        if let Some((id, last)) = one.id().zip(said(one)) {
            let fact = Fact::task(EventKind::ChangedByHand, id, last.fact.to, State::Gone);
            missing.insert(id, fact.because(&one.path));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let here = tx.queue.list(&layout::QUEUE_FOLDERS).items.into_iter().filter_map(|item| item.id());
    let here: BTreeSet<TaskId> = here.chain(Held::of(tx.queue)?.ids()).collect();
    for (id, fact) in missing.into_iter().filter(|(id, _)| !here.contains(id)) {
        // A checkout of another branch takes away what is on that one alone; its record may have come by a cherry-pick.
        let records = words.get(&id).map(Vec::as_slice).unwrap_or_default();
        if !branches::was_never_here(tx.queue, id, records).unwrap_or(false) {
            tx.record(fact);
        }
    }
    Ok(())
}
