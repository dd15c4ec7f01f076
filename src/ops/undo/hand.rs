//! What a person did by hand and an operation merely recorded.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{OperationId, TaskId};
use crate::format::parse_summary;
use crate::store::git::Touched;
use crate::store::queue::Queue;
use crate::store::{history, layout};

use super::moment;

/// What a person had done by hand and the operation merely recorded: that is not the operation's to take back.
#[derive(Default)]
pub(super) struct Hand {
    paths: BTreeMap<String, Option<TaskId>>,
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
                self.paths.insert(path, task);
            }
            (_, Some(task)) => _ = self.own.insert(task),
            _ => {}
        }
    }

    /// A file that was written by hand and then changed by the verb is one blob in one commit.
    pub(super) fn is_left_alone(&self, queue: &Queue, touched: &Touched) -> Result<bool> {
        let task = match self.paths.get(&touched.path) {
            Some(task) => *task,
            None => match self.beside(queue, touched)? {
                Some(task) => Some(task),
                None => return Ok(false),
            },
        };
        if task.is_some_and(|task| self.own.contains(&task)) {
            let text = format!("`{}` was changed by hand and by the operation, in one commit", touched.path);
            return Err(Fault::new(Code::UndoBlocked, text).hint(
                "`git -C .swift log --patch` shows both; `swift edit` changes what you want otherwise",
            ));
        }
        Ok(true)
    }

    /// The task of a file that the log does not name: it is gone because a person has put the task elsewhere, or nothing
    /// was done to it but to raise its token.
    fn beside(&self, queue: &Queue, touched: &Touched) -> Result<Option<TaskId>> {
        let Some(before) = touched.before.as_ref().filter(|_| layout::folder_of(&touched.path).is_some())
        else {
            return Ok(None);
        };
        if self.moved.is_empty() && self.raised.is_empty() {
            return Ok(None);
        }
        let task = parse_summary(&queue.home.blob(before)?, &queue.limits()).ok().and_then(|task| task.id);
        Ok(task.filter(|task| match touched.after {
            None => self.moved.contains(task),
            Some(_) => self.raised.contains(task) && !self.own.contains(task),
        }))
    }
}
