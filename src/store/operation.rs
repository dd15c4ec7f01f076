//! One run of one verb: who stands behind it, when, and whether it writes.

use std::time::Duration;

use jiff::Timestamp;

use super::queue::Queue;
use super::unattended::Unattended;
use super::{layout, presence};
use crate::domain::actor::Actor;
use crate::domain::id::OperationId;
use crate::env::{self, Env};

/// One run of one verb, the same in every repository that it touches.
#[derive(Debug)]
pub(crate) struct Operation<'e> {
    pub(crate) id: OperationId,
    /// The verb as it is typed.
    pub(crate) verb: &'static str,
    pub(crate) actor: Actor,
    pub(crate) at: Timestamp,
    pub(crate) mode: Mode,
    /// Project ids of all queues that the operation touches, if more than one.
    pub(crate) projects: Vec<String>,
    pub(crate) env: &'e Env,
    pub(crate) attendance: Attendance,
}

impl<'e> Operation<'e> {
    /// The same operation as one that writes nothing.
    pub(crate) fn rehearsed(&self) -> Operation<'e> {
        let (actor, projects, attendance) =
            (self.actor.clone(), self.projects.clone(), self.attendance.clone());
        Operation { actor, projects, attendance, mode: Mode::DryRun, ..*self }
    }
}

impl Operation<'_> {
    /// Whether what was done by hand to a file is not for this operation to record: somebody may still be writing it,
    /// or it says what agents may do and no person stands behind this.
    pub(crate) fn leaves_alone(&self, queue: &Queue, path: &str) -> bool {
        match &self.attendance {
            Attendance::Person => false,
            Attendance::Nobody(unattended) => {
                let may_be_of_a_run = || path == layout::SETTINGS && presence::is_any(&queue.home);
                unattended.rest(queue, path).is_some() || may_be_of_a_run()
            }
            Attendance::Agent => path == layout::SETTINGS,
        }
    }

    /// How long a queue that somebody else holds is waited for.
    pub(super) fn patience(&self) -> Duration {
        match &self.attendance {
            Attendance::Nobody(unattended) => unattended.patience,
            Attendance::Person | Attendance::Agent => env::lock_wait(),
        }
    }
}

impl Attendance {
    /// Whether it is a run's.
    pub(crate) fn is_agent(&self) -> bool {
        matches!(self, Attendance::Agent)
    }
}

/// Who stands behind an operation. Settings that were changed in the folder while a run goes on are recorded, and so
/// count as committed, only by what a person typed: otherwise a run could widen what the next one may do.
#[derive(Debug, Clone)]
pub(crate) enum Attendance {
    /// A person typed it.
    Person,
    /// The watcher, which leaves alone what may not be finished, or may be a run's.
    Nobody(Unattended),
    /// A run of an agent, or a verb that was called from inside of one.
    Agent,
}

/// Whether anything is written at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    /// Nothing is written, not even a lock is taken.
    DryRun,
}
