//! One watcher for each orchestrator.
//!
//! The lock is an exclusive `flock` on the folder `refs` of the repository's shared git folder: git always has it,
//! nobody deletes it, verbs lock another one, and the operating system releases it when the process dies. So no lock can
//! be left behind; a record that was left behind only tells who died.

use std::fs::File;

use super::Record;
use super::process;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::queue::Queue;

/// The right to watch, released when dropped and when the process ends.
#[derive(Debug)]
pub(crate) struct Hold {
    _held: File,
    /// The watcher before this one, if it ended without a word.
    pub(crate) killed: Option<Record>,
}

impl Hold {
    /// Become the watcher of this orchestrator.
    ///
    /// # Errors
    /// [`Code::Watched`] with the process that is; [`Code::Io`].
    pub(crate) fn take(orchestrator: &Queue) -> Result<Hold> {
        let file = open(orchestrator)?;
        let before = Record::read(&orchestrator.local);
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(taken(orchestrator, before.as_ref())),
            Err(std::fs::TryLockError::Error(error)) => return Err(io(orchestrator, &error)),
        }
        // Where the file system does not know locks, the process tells.
        let own = before.as_ref().is_some_and(|record| record.pid == std::process::id());
        if !own && before.as_ref().is_some_and(Record::is_alive) {
            return Err(taken(orchestrator, before.as_ref()));
        }
        Ok(Hold { _held: file, killed: before.filter(|record| record.stopped_at.is_none() && !own) })
    }
}

/// The record of the process that watches now; `None` if nobody does.
pub(crate) fn holder(orchestrator: &Queue) -> Option<Record> {
    let is_held = || {
        let file = open(orchestrator).ok()?;
        Some(matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
    };
    let record = Record::read(&orchestrator.local)?;
    let is_held = is_held().unwrap_or(false);
    (record.is_alive() || is_held && record.stopped_at.is_none()).then_some(record)
}

fn open(orchestrator: &Queue) -> Result<File> {
    File::open(orchestrator.home.common_dir.join("refs")).map_err(|error| io(orchestrator, &error))
}

fn taken(orchestrator: &Queue, record: Option<&Record>) -> Fault {
    let whom = match record.filter(|record| record.stopped_at.is_none()) {
        Some(record) if process::start_of(record.pid).is_some() => {
            format!("process {}, since {}", record.pid, record.started_at)
        }
        _ => "another process, which has not told its number".to_owned(),
    };
    let place = orchestrator.home.root.display();
    Fault::new(Code::Watched, format!("`{place}` is watched already, by {whom}"))
        .hint("`swift pause` stops what it does, `swift resume` lets it go on")
        .hint("or end it with ctrl-c in its terminal")
}

fn io(orchestrator: &Queue, error: &std::io::Error) -> Fault {
    let place = orchestrator.home.common_dir.join("refs");
    Fault::of_system(format_args!("cannot lock {}", place.display()), error)
}
