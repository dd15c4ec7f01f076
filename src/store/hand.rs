//! Changes made by hand or by git, merges among them, between two verbs: legal, and recorded by the next verb as what they are.

mod committed;

use std::collections::{BTreeMap, BTreeSet};

use super::git::{Reach, TakenOut};
use super::replay::{self, Standing};
use super::tx::Tx;
use super::{adoption, audit, cache, files, layout, message};
use crate::domain::event::{Event, EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, State, Task};
use crate::format::audit::digest;
use crate::format::{self, Document};

pub(super) use committed::record_all;
pub(crate) use committed::removed;

/// Folders and files that are committed as they are, whoever wrote them.
const OTHERS: [&str; 4] = [layout::PROJECTS, layout::SESSIONS, layout::TEMPLATES, layout::QUARANTINE];
const OTHER_FILES: [&str; 3] = [layout::SETTINGS, ".gitignore", ".gitattributes"];

/// Record every file of the queue that differs from the last commit and can be read as what it should be.
/// What cannot be read stays as it is and is noted as a problem.
///
/// # Errors
/// Those of comparing the folder with the last commit.
pub(crate) fn record_changes(tx: &mut Tx<'_>, reach: Reach) -> Result<()> {
    // What a verb wrote and could not commit yet has its event already; the next commit takes it along.
    let debts = tx.queue.home.debts()?;
    // What a merge that is not concluded has put there nobody has changed by hand.
    let joined = tx.queue.home.put_there_by_git()?;
    for path in tx.queue.home.edited_files(reach)? {
        if tx.is_staged(&path)
            || debts.contains(&path)
            || joined.contains(&path)
            || tx.operation.leaves_alone(tx.queue, &path)
        {
            continue;
        }
        if let Err(fault) = record(tx, &path) {
            tx.problems.push(Problem::at(path, fault));
        }
    }
    record_removed(tx, &debts)?;
    let merged = tx.queue.home.merged_by_git(message::is_of_a_verb)?;
    let before = tx.queue.home.committed_since(message::is_of_a_verb)?;
    let before = before.into_iter().filter(|(path, _)| !joined.contains(path) && !merged.contains_key(path));
    committed::record(tx, before.collect())?;
    record_merges(tx, merged)?;
    let taken_out = tx.queue.home.taken_out_by_git(message::is_of_a_verb)?;
    find_records(tx, &taken_out, &debts)?;
    raise_tokens(tx, taken_out)
}

/// Segments of the log that the branch had before it was set back, and the folder still has. Their files lie where no verb
/// looks by itself, and those of other clones no verb here writes on.
fn find_records(tx: &mut Tx<'_>, taken_out: &[TakenOut], debts: &[String]) -> Result<()> {
    let segments =
        taken_out.iter().map(|version| &version.path).filter(|path| path.starts_with(layout::AUDIT));
    for path in segments.filter(|path| !debts.contains(path)).collect::<BTreeSet<_>>() {
        if audit::is_whole_addition(tx.queue, path)? {
            tx.has_come_back(path);
        }
    }
    Ok(())
}

/// What a verb wrote and could not commit yet, and is nowhere now, though the log is as the verb has left it: no git has
/// taken it away, so a person has.
fn record_removed(tx: &mut Tx<'_>, debts: &[String]) -> Result<()> {
    let mut gone = BTreeMap::new();
    for path in debts.iter().filter(|path| layout::folder_of(path).is_some() && !tx.is_staged(path)) {
        if let Some(id) = layout::id_in_name(path)
            && tx.queue.read(path)?.is_none()
            && tx.queue.anywhere(id)?.is_none()
        {
            gone.insert(id, path);
        }
    }
    let ids: BTreeSet<TaskId> = gone.keys().copied().collect();
    let words = replay::about(tx.queue, &ids, tx.operation.at)?;
    for (id, path) in gone {
        if let Some(last) = words.get(&id).filter(|words| replay::is_there(words)).and_then(|it| it.last()) {
            let fact = Fact::task(EventKind::ChangedByHand, id, last.fact.to, State::Gone);
            tx.record(fact.because(path));
            // What is owed from now on is that it is gone; otherwise it would be put back one day.
            tx.take(path)?;
        }
    }
    Ok(())
}

/// What git takes back takes a fencing token along, and the log's record of it too. It was given out all the same, and
/// is never given out again.
fn raise_tokens(tx: &mut Tx<'_>, taken_out: Vec<TakenOut>) -> Result<()> {
    let (limits, mut given) = (tx.queue.limits(), BTreeMap::new());
    for version in taken_out {
        if layout::folder_of(&version.path).is_none() {
            continue;
        }
        let Ok(bytes) = tx.queue.home.blob(&version.blob) else { continue };
        let Ok(Task { id: Some(id), token, .. }) = format::parse_summary(&bytes, &limits) else { continue };
        let known = given.entry(id).or_insert((0, String::new()));
        if token > known.0 {
            *known = (token, version.commit);
        }
    }
    given.into_iter().try_for_each(|(id, (token, commit))| raise_token(tx, id, token, commit))
}

fn raise_token(tx: &mut Tx<'_>, id: TaskId, token: u64, commit: String) -> Result<()> {
    let live = [Folder::Tasks, Folder::Inbox];
    let item = live.iter().find_map(|folder| tx.queue.at_usual_place(id, *folder).transpose()).transpose()?;
    let item = item.or_else(|| tx.queue.list(&live).items.into_iter().find(|item| item.id() == Some(id)));
    let Some(item) = item else { return Ok(()) };
    let Ok(mut document) = tx.document(&item.path) else { return Ok(()) };
    if document.task().token >= token {
        return Ok(());
    }
    document.apply(&Task { token, ..document.task().clone() });
    let state = document.task().state(item.folder, tx.operation.at);
    let hash = tx.put(&item.path, document.to_bytes())?;
    let fact = Fact::task(EventKind::ChangedByHand, id, Some(state), state).because(commit);
    tx.record(fact.leaving(hash));
    Ok(())
}

/// A task that git has made of two sides by itself is what no verb has left; the next one says so.
fn record_merges(tx: &mut Tx<'_>, by_git: BTreeMap<String, String>) -> Result<()> {
    let mut merged = Vec::new();
    for (path, merge) in by_git {
        let Some(folder) = layout::folder_of(&path).filter(|_| !tx.is_staged(&path)) else { continue };
        let Some(bytes) = tx.read(&path)? else { continue };
        let Ok(task) = format::parse_summary(&bytes, &tx.queue.limits()) else { continue };
        if let Some(id) = task.id {
            let state = task.state(folder, tx.operation.at);
            let fact = Fact::task(EventKind::TaskMerged, id, None, state).because(merge);
            merged.push((id, digest(&bytes), fact, task, folder));
        }
    }
    let words = replay::about(tx.queue, &merged.iter().map(|(id, ..)| *id).collect(), tx.operation.at)?;
    for (id, hash, fact, task, folder) in merged {
        // Another clone may have recorded the merge, or `resolve` has. A text that one side has left may lie where the
        // other one has put it.
        let is_left = |event: &Event| event.fact.content.as_ref() == Some(&hash);
        let file = Standing { content: Some(&hash), task: &task, folder, now: tx.operation.at };
        let is_known =
            |words: &Vec<Event>| words.iter().any(is_left) && replay::difference(words, &file).is_none();
        if !words.get(&id).is_some_and(is_known) {
            tx.record(fact.leaving(hash));
        }
    }
    Ok(())
}

/// Record what was done by hand to the one file that a verb is about, if that is not done yet.
///
/// # Errors
/// Those of reading the file here and in the last commit.
pub(crate) fn record_one(tx: &mut Tx<'_>, path: &str) -> Result<()> {
    if tx.is_staged(path) || tx.queue.home.debts()?.iter().any(|debt| debt == path) {
        return Ok(());
    }
    if tx.read(path)? == tx.queue.home.read_committed(path)? {
        return Ok(());
    }
    record(tx, path)
}

fn record(tx: &mut Tx<'_>, path: &str) -> Result<()> {
    if let Some(folder @ (Folder::Sent | Folder::Done)) = layout::folder_of(path) {
        // Who reads finished tasks by their names alone cannot see that one was written in place.
        tx.queue.local.remove(&cache::file_name(folder))?;
    }
    match layout::folder_of(path) {
        Some(folder) if layout::is_named_as_a_task(path) => match tx.read(path)? {
            Some(bytes) => {
                files::check_reach(path)?;
                take_written(tx, path, folder, &bytes)
            }
            None => take_removed(tx, path),
        },
        Some(_) => Ok(()),
        None => take_other(tx, path),
    }
}

/// Whether a file of this name is the queue's, so that some verb commits it.
pub(crate) fn is_taken(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let is_task = || layout::folder_of(path).is_some() && layout::is_named_as_a_task(path);
    let is_own = || [layout::AUDIT, layout::ARCHIVE, layout::RUNS].contains(&first) || layout::is_keep(path);
    is_task() || is_other(path) || is_own()
}

/// Whether a change by hand to a file of this name is recorded by the next verb.
pub(crate) fn is_recorded(path: &str) -> bool {
    layout::folder_of(path).is_some() && layout::is_named_as_a_task(path) || is_other(path)
}

fn is_other(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    OTHERS.contains(&first) || OTHER_FILES.contains(&path)
}

fn take_other(tx: &mut Tx<'_>, path: &str) -> Result<()> {
    if is_other(path) {
        tx.take(path)?;
        tx.record(Fact::of(EventKind::ChangedByHand).because(path));
    }
    Ok(())
}

/// A file that is gone: the task is gone too, unless it lies somewhere else now.
fn take_removed(tx: &mut Tx<'_>, path: &str) -> Result<()> {
    let before = committed_task(tx, path)?;
    tx.take(path)?;
    match before.map(|(task, state)| (task.id, state)) {
        Some((Some(id), state)) => record_gone(tx, id, state, path),
        _ => Ok(()),
    }
}

/// A task whose file is gone, or is another task's now.
fn record_gone(tx: &mut Tx<'_>, id: TaskId, state: State, path: &str) -> Result<()> {
    if tx.queue.anywhere(id)?.is_none() {
        tx.record(Fact::task(EventKind::ChangedByHand, id, Some(state), State::Gone).because(path));
    }
    Ok(())
}

/// A file that is new or changed: it gets its id if it has none, and nothing else in it changes.
fn take_written(tx: &mut Tx<'_>, path: &str, folder: Folder, bytes: &[u8]) -> Result<()> {
    let before = committed_task(tx, path)?;
    let document = with_id(tx, path, bytes, before.as_ref().map_or(0, |(task, _)| task.token))?;
    let task = document.task().clone();
    let id = task.id.expect("a task has got its id");
    if let Some((Task { id: Some(former), .. }, state)) = &before
        && *former != id
    {
        record_gone(tx, *former, *state, path)?;
    }
    tx.take(path)?;
    let hash = tx.put(path, document.to_bytes())?;
    let kind = if before.is_some() { EventKind::ChangedByHand } else { EventKind::TaskAdopted };
    let from = before.map(|(_, state)| state);
    let state = task.state(folder, tx.operation.at);
    tx.record(Fact::task(kind, id, from, state).because(path).leaving(hash));
    Ok(())
}

/// A file as it is, with an id, and with the token that it had before if that is higher: whatever was done by hand, or by
/// git, a fencing token that was given out is never given out again.
fn with_id(tx: &Tx<'_>, path: &str, bytes: &[u8], token: u64) -> Result<Document> {
    let mut document = Document::parse(bytes, &tx.queue.limits()).map_err(|m| m.at(path))?;
    let id = document.task().id.or_else(|| adoption::promised(tx.queue, path, bytes));
    // A history that cannot be read, as in a clone without all of it, is no reason to leave the file without one.
    let derived = || adoption::derived(tx.queue, path, tx.operation.at).ok().flatten();
    let id = id.or_else(derived).unwrap_or_else(|| tx.operation.env.task_id());
    let token = token.max(document.task().token);
    document.apply(&Task { id: Some(id), token, ..document.task().clone() });
    Ok(document)
}

/// The task that the last commit has at this path, and its state.
fn committed_task(tx: &Tx<'_>, path: &str) -> Result<Option<(Task, State)>> {
    let Some(folder) = layout::folder_of(path) else { return Ok(None) };
    let Some(bytes) = tx.queue.home.read_committed(path)? else { return Ok(None) };
    let task = format::parse_summary(&bytes, &tx.queue.limits()).ok();
    Ok(task.map(|task| {
        let state = task.state(folder, tx.operation.at);
        (task, state)
    }))
}
