//! That some run goes on in a repository, whatever becomes of its live log.
//!
//! The live log tells of one run, and lies where everything may be deleted at any time. So each run also shares a lock on a
//! folder of git's that is always there: no file is made for it, and the operating system releases it.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};

use super::git::Home;
use crate::domain::fault::{Fault, Result};

/// Held for as long as a run goes on.
#[derive(Debug)]
pub(super) struct Presence {
    _held: File,
}

impl Presence {
    /// A run begins.
    ///
    /// # Errors
    /// [`Code::Io`](crate::domain::fault::Code::Io)
    pub(super) fn begin(home: &Home) -> Result<Presence> {
        let path = home.common_dir.join(FOLDER);
        let file = File::open(&path);
        let file =
            file.map_err(|error| Fault::of_system(format_args!("open `{}`", path.display()), &error))?;
        flock(&file, FlockOperation::LockShared)
            .map_err(|error| Fault::of_system(format_args!("lock `{}`", path.display()), &error.into()))?;
        Ok(Presence { _held: file })
    }
}

/// Not the shared git folder itself, which is the queue's lock, and not `refs`, under whose lock worktrees are made.
const FOLDER: &str = "objects";

/// Whether any run goes on in this repository on this machine.
pub(super) fn is_any(home: &Home) -> bool {
    let Ok(file) = File::open(home.common_dir.join(FOLDER)) else { return false };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
}
