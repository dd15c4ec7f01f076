//! Which projects a person has stopped the watcher for, on this machine. It survives restarts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::fault::{Code, Fault, Result};
use crate::store::local::Local;

/// The name of the note below the orchestrator's `local/`.
pub(crate) const PAUSED: &str = "paused.json";

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
        let Some(bytes) = local.read(PAUSED) else { return Ok(Paused::default()) };
        serde_json::from_slice(&bytes).map_err(|error| {
            Fault::new(Code::Malformed, format!("`local/{PAUSED}` cannot be read: {error}"))
                .hint("`swift resume` writes it anew")
        })
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
