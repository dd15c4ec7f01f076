//! Which projects a person has stopped the watcher for, on this machine. It survives restarts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::fault::{Code, Fault, Result};
use crate::store::local::Local;

pub(crate) use crate::store::local::PAUSED;

/// What is paused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paused {
    pub(crate) schema: u32,
    /// Everything, also projects that are registered later.
    pub(crate) all: bool,
    /// Ids of single projects.
    pub(crate) projects: BTreeSet<String>,
}

impl Paused {
    /// The note; nothing is paused if there is none.
    ///
    /// # Errors
    /// [`Code::Malformed`]: a note that cannot be read pauses everything rather than nothing.
    pub(crate) fn read(local: &Local) -> Result<Paused> {
        let Some(bytes) = local.read(PAUSED) else {
            return match local.path(PAUSED).symlink_metadata() {
                Ok(_) => Err(unreadable("it is not a file that can be read").hint(format!(
                    "`mv .swift/local/{PAUSED} .swift/local/{PAUSED}.aside` makes room for a new one"
                ))),
                Err(_) => Ok(Paused::default()),
            };
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(&error.to_string()).hint("`swift resume` writes it anew"))
    }

    /// Replace the note.
    ///
    /// # Errors
    /// Those of [`Local::write`].
    pub(crate) fn write(&self, local: &Local) -> Result<()> {
        let note = Paused { schema: 1, ..self.clone() };
        local.write(PAUSED, &serde_json::to_vec_pretty(&note).expect("a note is plain data"))
    }
}

fn unreadable(why: &str) -> Fault {
    Fault::new(Code::Malformed, format!("nothing goes on by itself: `local/{PAUSED}` cannot be read: {why}"))
}
