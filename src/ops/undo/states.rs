//! What becomes of each task when an operation is taken back.

use std::collections::BTreeMap;

use crate::domain::event::{EventKind, Fact};
use crate::domain::id::{OperationId, TaskId};
use crate::domain::task::{Folder, State};
use crate::format::audit::digest as content_hash;
use crate::format::parse_summary;
use crate::store::tx::Tx;
use crate::store::{archive, layout};

/// What becomes of each task: the states that the operation left and the ones that return.
#[derive(Default)]
pub(super) struct States {
    tasks: BTreeMap<TaskId, Turn>,
}

/// One task's way back.
#[derive(Default)]
struct Turn {
    left: Option<State>,
    returns: Option<State>,
    /// SHA-256 of the file that the operation left, and of the one that returns.
    former: Option<String>,
    content: Option<String>,
}

impl Turn {
    /// Whether the file as it is merely lies elsewhere, as one that comes out of an archive or goes into one.
    fn is_none(&self) -> bool {
        self.left.is_some() && self.left == self.returns && self.former == self.content
    }
}

impl States {
    pub(super) fn note(&mut self, tx: &Tx<'_>, path: &str, left: Option<&[u8]>, before: Option<&[u8]>) {
        if path.starts_with(&format!("{}/", layout::ARCHIVE)) {
            for (path, left) in left.map(archive::contents).unwrap_or_default() {
                self.note(tx, &path, Some(left), None);
            }
            for (path, before) in before.map(archive::contents).unwrap_or_default() {
                self.note(tx, &path, None, Some(before));
            }
            return;
        }
        let Some(folder) = layout::folder_of(path) else { return };
        let state = |bytes: Option<&[u8]>, folder: Folder| {
            let task = parse_summary(bytes?, &tx.queue.limits()).ok()?;
            Some((task.id?, task.state(folder, tx.operation.at)))
        };
        if let Some((id, state)) = state(left, folder) {
            let entry = self.tasks.entry(id).or_default();
            entry.left = Some(state);
            entry.former = left.map(content_hash);
        }
        if let Some((id, state)) = state(before, folder) {
            let entry = self.tasks.entry(id).or_default();
            entry.returns = Some(state);
            entry.content = before.map(content_hash);
        }
    }

    pub(super) fn record(mut self, tx: &mut Tx<'_>, undone: OperationId) {
        self.tasks.retain(|_, turn| !turn.is_none());
        if self.tasks.is_empty() {
            tx.record(Fact::of(EventKind::OperationUndone).because(undone.to_string()));
        }
        for (id, turn) in self.tasks {
            let mut fact =
                Fact::task(EventKind::OperationUndone, id, turn.left, turn.returns.unwrap_or(State::Gone));
            fact.content = turn.content;
            tx.record(fact.because(undone.to_string()));
        }
    }
}
