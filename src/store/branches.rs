//! Tasks on branches that are not at hand. A queue in the tree is that of its branch: what a checkout of another one does
//! not have is not lost.

use super::git::{Commit, Committed};
use super::queue::Queue;
use super::{history, layout};
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
