//! Tasks on branches that are not at hand. A queue in the tree is that of its branch: what a checkout of another one does
//! not have is not lost.

use super::git::{Commit, Committed};
use super::history::SLACK;
use super::queue::Queue;
use super::{history, layout};
use crate::domain::event::Event;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;

/// A branch other than the one at hand, of this clone or of a remote, that has this task, or whose log knows it.
///
/// # Errors
/// Those of reading the branches and their trees.
pub(crate) fn with_task(queue: &Queue, id: TaskId) -> Result<Option<String>> {
    let others = queue.home.other_branches()?;
    if others.is_empty() {
        return Ok(None);
    }
    let mut committed = queue.home.committed()?;
    for (name, commit) in others {
        if has_file(&mut committed, commit, id)? || has_record(&mut committed, commit, id)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether the log knows this task by records that came without their commits, as a cherry-pick brings them along: neither
/// the operations that wrote them nor a file of the task was ever on this branch. So it is not lost here. A clone without
/// the whole history cannot tell.
///
/// # Errors
/// Those of reading history.
pub(crate) fn was_never_here(queue: &Queue, id: TaskId, records: &[Event]) -> Result<bool> {
    // The end of a shallow history is no beginning.
    if queue.home.is_shallow() {
        return Ok(false);
    }
    let operations: Vec<String> = records.iter().map(|event| event.operation.to_string()).collect();
    let paths: Vec<&str> = records.iter().filter_map(|event| event.fact.cause.as_deref()).collect();
    // What could not be committed yet is in no history either. A debt about other tasks says nothing about this one.
    let is_its_file = |path: &String| layout::id_in_name(path) == Some(id) || paths.contains(&path.as_str());
    if queue.home.debts()?.iter().any(is_its_file) {
        return Ok(false);
    }
    let born = i64::try_from(id.milliseconds() / 1000).unwrap_or(0) - SLACK.as_secs();
    let mut committed = queue.home.committed()?;
    for entry in queue.home.history()? {
        let entry = entry?;
        if entry.seconds < born {
            break;
        }
        let commit = committed.commit(&entry)?;
        if operations.iter().any(|operation| entry.message.contains(operation))
            || has_file(&mut committed, commit, id)?
        {
            return Ok(false);
        }
        // A person may have given the file a name of their own, which the log has.
        for path in paths.iter().filter(|path| layout::folder_of(path).is_some()) {
            if committed.file(commit, path)?.is_some() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn has_file(committed: &mut Committed, commit: Commit, id: TaskId) -> Result<bool> {
    for folder in layout::QUEUE_FOLDERS {
        let folder = layout::usual_folder(folder, id);
        if !committed.beginning(commit, &folder, &id.to_string())?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the log at hand has too does not know the task.
fn has_record(committed: &mut Committed, commit: Commit, id: TaskId) -> Result<bool> {
    let (here, wanted) = (committed.head(), id.to_string());
    for change in committed.changes(here, commit, layout::AUDIT)?.into_values() {
        let Some(blob) = change.after else { continue };
        if history::names(&committed.read(blob)?, &wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}
