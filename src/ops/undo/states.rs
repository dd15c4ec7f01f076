//! What becomes of each task when an operation is taken back.

use std::collections::BTreeMap;

use crate::domain::event::{EventKind, Fact};
use crate::domain::id::{OperationId, TaskId};
use crate::domain::task::State;
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
    left: Option<Stand>,
    returns: Option<Stand>,
}

/// How a task stands, and SHA-256 of its file.
#[derive(PartialEq)]
struct Stand {
    state: State,
    content: String,
}

impl States {
    pub(super) fn note(&mut self, tx: &Tx<'_>, path: &str, left: Option<&[u8]>, before: Option<&[u8]>) {
        for (id, stand) in left.map(|bytes| stands(tx, path, bytes)).unwrap_or_default() {
            self.tasks.entry(id).or_default().left = Some(stand);
        }
        for (id, stand) in before.map(|bytes| stands(tx, path, bytes)).unwrap_or_default() {
            self.tasks.entry(id).or_default().returns = Some(stand);
        }
    }

    pub(super) fn record(mut self, tx: &mut Tx<'_>, undone: OperationId) {
        // What only comes out of an archive or goes back into it is as it was.
        self.tasks.retain(|_, turn| turn.left != turn.returns);
        if self.tasks.is_empty() {
            tx.record(Fact::of(EventKind::OperationUndone).because(undone.to_string()));
        }
        for (id, Turn { left, returns }) in self.tasks {
            let to = returns.as_ref().map_or(State::Gone, |stand| stand.state);
            let mut fact = Fact::task(EventKind::OperationUndone, id, left.map(|stand| stand.state), to);
            fact.content = returns.map(|stand| stand.content);
            tx.record(fact.because(undone.to_string()));
        }
    }
}

/// The tasks that a file of the queue holds: one, or those of an archive.
fn stands(tx: &Tx<'_>, path: &str, bytes: &[u8]) -> Vec<(TaskId, Stand)> {
    let stand = |path: &str, bytes: &[u8]| {
        let folder = layout::folder_of(path)?;
        let task = parse_summary(bytes, &tx.queue.limits()).ok()?;
        let state = task.state(folder, tx.operation.at);
        Some((task.id?, Stand { state, content: content_hash(bytes) }))
    };
    match archive::is_one(path) {
        true => archive::tasks(bytes).filter_map(|(path, bytes)| stand(&path, bytes)).collect(),
        false => stand(path, bytes).into_iter().collect(),
    }
}
