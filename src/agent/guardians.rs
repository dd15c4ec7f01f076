//! The guardians of this process, so that their orphans can be told from what this process has started itself.
//!
//! A process that empties its environment carries no mark. When its guardian is killed it becomes a child of this
//! process, which never started it: guardians are known here, and everything else that is started, git for example, stays
//! in this process's own session, which nothing below a guardian is in.

use std::collections::HashSet;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::process::kill_children;

static LIVING: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

fn living() -> MutexGuard<'static, Option<HashSet<u32>>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Start one. Nobody looks for strays before it is known.
pub(super) fn born(start: impl FnOnce() -> std::io::Result<Child>) -> std::io::Result<Child> {
    let mut living = living();
    let child = start()?;
    living.get_or_insert_default().insert(child.id());
    Ok(child)
}

/// One has ended, and its end was waited for.
pub(super) fn buried(guardian: &Child) {
    living().get_or_insert_default().remove(&guardian.id());
}

/// Kill what guardians that were killed have left; gives how many there were.
pub(super) fn kill_strays() -> usize {
    let living = living();
    kill_children(|pid| !living.as_ref().is_some_and(|all| all.contains(&pid.unsigned_abs())))
}
