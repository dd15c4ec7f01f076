//! What a person did by hand and an operation merely recorded.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::{Digest, EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::id::{OperationId, TaskId};
use crate::format::parse_summary;
use crate::store::git::Touched;
use crate::store::queue::Queue;
use crate::store::{history, layout};

use super::moment;

/// A file that a person had written, changed or removed.
pub(super) struct Written {
    task: Option<TaskId>,
    /// SHA-256 of it as it was recorded; `None` if it was removed.
    pub(super) content: Option<Digest>,
}

/// Whose a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Operation,
    /// The operation merely recorded it.
    Hand,
    /// A person has changed the file, and then the operation: in the commit they are one change.
    Both,
}

/// What a person had done by hand and the operation merely recorded: that is not the operation's to take back.
#[derive(Default)]
pub(super) struct Hand {
    paths: BTreeMap<String, Written>,
    /// The tasks of these paths.
    moved: BTreeSet<TaskId>,
    /// The tasks whose fencing token git had taken back.
    raised: BTreeSet<TaskId>,
    /// The tasks that the operation itself did something to.
    own: BTreeSet<TaskId>,
}

impl Hand {
    pub(super) fn of(queue: &Queue, operation: OperationId) -> Result<Hand> {
        let mut hand = Hand::default();
        for event in history::since(queue, moment(operation))?.events {
            if event.operation == operation {
                hand.note(event.fact);
            }
        }
        Ok(hand)
    }

    fn note(&mut self, fact: Fact) {
        let is_by_hand = matches!(fact.kind, EventKind::TaskAdopted | EventKind::ChangedByHand);
        match (fact.cause, fact.task) {
            (Some(path), Some(task)) if is_by_hand && layout::folder_of(&path).is_none() => {
                self.raised.insert(task);
            }
            (Some(path), task) if is_by_hand => {
                self.moved.extend(task);
                self.paths.insert(path, Written { task, content: fact.content });
            }
            (_, Some(task)) => _ = self.own.insert(task),
            _ => {}
        }
    }

    /// Whose a change in a commit of the operation is.
    pub(super) fn whose(&self, queue: &Queue, touched: &Touched) -> Result<Whose> {
        match self.paths.get(&touched.path) {
            Some(written) if self.was_taken_on(written).is_some() => Ok(Whose::Both),
            Some(_) => Ok(Whose::Hand),
            None => Ok(if self.is_beside(queue, touched)? { Whose::Hand } else { Whose::Operation }),
        }
    }

    /// The files that a person had written, and the operation has gone on with, each with its task.
    pub(super) fn taken_on(&self) -> impl Iterator<Item = (&String, &Written, TaskId)> {
        self.paths.iter().filter_map(|(path, written)| Some((path, written, self.was_taken_on(written)?)))
    }

    fn was_taken_on(&self, written: &Written) -> Option<TaskId> {
        written.task.filter(|task| self.own.contains(task))
    }

    /// Whether the log does not name a file because a person has put its task elsewhere, or because nothing was done to it
    /// but to raise its token.
    fn is_beside(&self, queue: &Queue, touched: &Touched) -> Result<bool> {
        let Some(before) = touched.before.as_ref().filter(|_| layout::folder_of(&touched.path).is_some())
        else {
            return Ok(false);
        };
        if self.moved.is_empty() && self.raised.is_empty() {
            return Ok(false);
        }
        let task = parse_summary(&queue.home.blob(before)?, &queue.limits()).ok().and_then(|task| task.id);
        Ok(task.is_some_and(|task| match touched.after {
            None => self.moved.contains(&task),
            Some(_) => self.raised.contains(&task) && !self.own.contains(&task),
        }))
    }
}
