//! Facts in the past tense. One event for each change of state, chained by hash within its writer.

use jiff::Timestamp;

use super::actor::Actor;
use super::id::{EventId, OperationId, TaskId};
use super::task::{State, words};
use std::fmt;
use std::str::FromStr;

use super::fault::{Code, Fault};
use super::text::shown;

words! {
    /// The stable names of all events; independent of names in the code.
    EventKind, "an event kind";
    /// A queue was made.
    ProjectInitialised = "project.initialised";
    /// A project was entered into the orchestrator's registry.
    ProjectRegistered = "project.registered";
    /// A project was taken out of the registry.
    ProjectUnregistered = "project.unregistered";
    /// The queue moved between its own branch and the current one.
    HomeMoved = "home.moved";
    /// A task was written by a verb.
    TaskCreated = "task.created";
    /// A file written by hand was taken as a task.
    TaskAdopted = "task.adopted";
    /// A task arrived (receiver's side).
    TaskDelivered = "task.delivered";
    /// A task left (sender's side).
    TaskSent = "task.sent";
    /// A delivered task was found missing at the receiver and carried again.
    TaskResent = "task.resent";
    /// The receiver said yes.
    TaskAccepted = "task.accepted";
    /// The receiver said no.
    TaskRefused = "task.refused";
    /// A task was put off.
    TaskDeferred = "task.deferred";
    /// A lease was given.
    TaskClaimed = "task.claimed";
    /// A lease was prolonged.
    TaskRenewed = "task.renewed";
    /// A lease was given back.
    TaskReleased = "task.released";
    /// A task was finished.
    TaskDone = "task.done";
    /// An attempt failed; the task can be tried again.
    TaskFailed = "task.failed";
    /// A task was given up.
    TaskDead = "task.dead";
    /// A dead letter was put back.
    TaskRedriven = "task.redriven";
    /// Somebody said that it cannot go on.
    TaskBlocked = "task.blocked";
    /// It can go on.
    TaskUnblocked = "task.unblocked";
    /// A comment was added.
    TaskCommented = "task.commented";
    /// Fields or body were changed by a verb.
    TaskEdited = "task.edited";
    /// A file was changed, moved or removed by hand or by git; recorded by the next verb.
    ChangedByHand = "changed-by-hand";
    /// Two sides of a merge had changed it; git or `swift resolve` made one task of them.
    TaskMerged = "task.merged";
    /// The sender's record learned something.
    ReceiptReceived = "receipt.received";
    /// Nothing was heard of a sent task for too long.
    ReceiptOverdue = "receipt.overdue";
    /// A session began.
    SessionStarted = "session.started";
    /// A session ended.
    SessionFinished = "session.finished";
    /// A run began.
    RunStarted = "run.started";
    /// A run ended.
    RunEnded = "run.ended";
    /// The work of a run was merged by a person.
    RunMerged = "run.merged";
    /// The work of a run was sent back by a person.
    RunRejected = "run.rejected";
    /// An operation was taken back.
    OperationUndone = "operation.undone";
    /// `doctor --fix` moved something out of the way or repaired it.
    Repaired = "queue.repaired";
}

/// SHA-256 in lower-case hex, 64 characters.
pub(crate) type Digest = String;

/// What one verb says happened; the log adds identity and chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) kind: EventKind,
    pub(crate) task: Option<TaskId>,
    pub(crate) from: Option<State>,
    pub(crate) to: Option<State>,
    /// Why: the reason a person gave, the operation that was undone, the project involved.
    pub(crate) cause: Option<String>,
    /// SHA-256 of the task's file after the change; `None` if it is gone.
    pub(crate) content: Option<Digest>,
}

impl Fact {
    /// A fact about the queue rather than about one task.
    pub(crate) fn of(kind: EventKind) -> Self {
        Fact { kind, task: None, from: None, to: None, cause: None, content: None }
    }

    /// A fact about one task that went from one state to another.
    pub(crate) fn task(kind: EventKind, task: TaskId, from: Option<State>, to: State) -> Self {
        Fact { kind, task: Some(task), from, to: Some(to), cause: None, content: None }
    }

    /// The same fact with its reason.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same fact with the hash of the file that it left behind.
    #[must_use]
    pub(crate) fn leaving(mut self, content: Digest) -> Self {
        self.content = Some(content);
        self
    }
}

/// A fact with its identity, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) operation: OperationId,
    pub(crate) fact: Fact,
}
