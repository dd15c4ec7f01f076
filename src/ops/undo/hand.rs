//! What a person did by hand and an operation merely recorded.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{OperationId, TaskId};
use crate::store::history;
use crate::store::queue::Queue;

use super::moment;

/// What a person had done by hand and the operation merely recorded: that is not the operation's to take back.
pub(super) struct Hand {
    paths: BTreeMap<String, Option<TaskId>>,
    /// The tasks that the operation itself did something to.
    own: BTreeSet<TaskId>,
}

impl Hand {
    pub(super) fn of(queue: &Queue, operation: OperationId) -> Result<Hand> {
        let mut hand = Hand { paths: BTreeMap::new(), own: BTreeSet::new() };
        for event in history::since(queue, moment(operation))?.events {
            if event.operation != operation {
                continue;
            }
            let is_by_hand = matches!(event.fact.kind, EventKind::TaskAdopted | EventKind::ChangedByHand);
            match (&event.fact.cause, event.fact.task) {
                (Some(path), task) if is_by_hand => _ = hand.paths.insert(path.clone(), task),
                (_, Some(task)) => _ = hand.own.insert(task),
                _ => {}
            }
        }
        Ok(hand)
    }

    /// A file that was written by hand and then changed by the verb is one blob in one commit.
    pub(super) fn is_left_alone(&self, path: &str) -> Result<bool> {
        let Some(task) = self.paths.get(path) else { return Ok(false) };
        if task.is_some_and(|task| self.own.contains(&task)) {
            let text = format!("`{path}` was changed by hand and by the operation, in one commit");
            return Err(Fault::new(Code::UndoBlocked, text).hint(
                "`git -C .swift log --patch` shows both; `swift edit` changes what you want otherwise",
            ));
        }
        Ok(true)
    }
}
