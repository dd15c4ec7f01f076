//! The last scheduled instant for which each project was served, so that none is served twice.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::fault::Result;
use crate::store::local::Local;

const NOTE: &str = "served.json";

/// Instants by project.
#[derive(Debug, Default)]
pub(crate) struct Served {
    at: BTreeMap<String, String>,
}

impl Served {
    /// The note in the orchestrator's own folder.
    pub(crate) fn read(local: &Local) -> Served {
        let at = local.read(NOTE).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Served { at: at.unwrap_or_default() }
    }

    /// When a project was served last; `None` if it never was.
    pub(crate) fn last(&self, project: &str) -> Option<Timestamp> {
        self.at.get(project)?.parse().ok()
    }

    /// Note that a project is being served.
    ///
    /// # Errors
    /// Those of [`Local::write`].
    pub(crate) fn note(&mut self, local: &Local, project: &str, at: Timestamp) -> Result<()> {
        self.at.insert(project.to_owned(), at.to_string());
        local.write(NOTE, &serde_json::to_vec_pretty(&self.at).expect("a map of texts is plain data"))
    }
}
