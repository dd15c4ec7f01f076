//! The little that `--fix` does: it records, puts aside and puts back, and deletes nothing.

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::Result;
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Mode, Operation, Tx};

use super::unreadable::may_be_put_aside;
use super::{EXCLUDE, own_file_texts, uncommitted};

/// What `--fix` did.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    /// Files that were changed by hand, relative to `.swift/`.
    pub(crate) recorded: Vec<String>,
    /// How many records the log gets of what was done by hand or by git.
    pub(crate) records: usize,
    /// Paths before and after.
    pub(crate) quarantined: Vec<(String, String)>,
    /// Paths from the project's folder on.
    pub(crate) restored: Vec<String>,
    pub(crate) committed: Committed,
}

/// Record what was changed by hand, put unreadable files of queue folders aside, put back our own two files and the line
/// that hides the folder. Nothing is deleted.
///
/// # Errors
/// Those of the commit.
pub(crate) fn fix(queue: &Queue, operation: &Operation<'_>) -> Result<Repaired> {
    let mut tx = Tx::begin(queue, operation)?;
    tx.commit_now();
    tx.record_what_the_log_does_not_know()?;
    let recorded = tx.staged().map(str::to_owned).collect();
    let mut repaired = Repaired { recorded, records: tx.facts().len(), ..Repaired::default() };
    for (path, text) in own_file_texts() {
        if tx.read(path)?.as_deref() != Some(text.as_bytes()) {
            tx.put(path, text.as_bytes().to_vec())?;
            tx.record(Fact::of(EventKind::Repaired).because(path));
            repaired.restored.push(format!(".swift/{path}"));
        }
    }
    for path in uncommitted::of_swifts_own(queue)? {
        if tx.take(&path)?.is_some() {
            tx.record(Fact::of(EventKind::Repaired).because(path));
        }
    }
    if !queue.home.is_hidden()? {
        if operation.mode == Mode::Write {
            queue.home.hide()?;
        }
        repaired.restored.push(EXCLUDE.to_owned());
    }
    let unreadable = queue.list(&layout::QUEUE_FOLDERS).problems;
    for problem in unreadable.iter().filter(|problem| may_be_put_aside(queue, problem)) {
        put_aside(&mut tx, &problem.path, &mut repaired)?;
    }
    repaired.committed = tx.commit("repair the queue")?;
    Ok(repaired)
}

/// What [`fix`] would do; nothing is written.
///
/// # Errors
/// Those of reading.
pub(crate) fn rehearse(queue: &Queue, operation: &Operation<'_>) -> Result<Repaired> {
    fix(queue, &operation.rehearsed())
}

fn put_aside(tx: &mut Tx<'_>, path: &str, repaired: &mut Repaired) -> Result<()> {
    let Ok(Some(bytes)) = tx.read(path) else { return Ok(()) };
    let target = layout::aside_path(tx.operation.id, path);
    tx.put(&target, bytes)?;
    tx.remove(path)?;
    tx.record(Fact::of(EventKind::Repaired).because(format!("{path} put aside as {target}")));
    repaired.quarantined.push((path.to_owned(), target));
    Ok(())
}
