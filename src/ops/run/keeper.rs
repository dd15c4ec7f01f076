//! Keeps the lease of a task while its run goes on, and tells when it is lost.

use std::time::Duration;

use crate::domain::fault::Code;
use crate::domain::id::TaskId;
use crate::domain::lease::{self, Hold};
use crate::domain::run::evidence::End;
use crate::domain::task::Folder;
use crate::env::Stopwatch;
use crate::ops::claim;
use crate::store::queue::Queue;

use super::Caller;

/// Between two looks: somebody who takes the task over should not work beside a run for minutes.
const LOOK: Duration = Duration::from_secs(20);

/// Keeps the lease of a task while its run goes on.
pub(super) struct Keeper<'a> {
    queue: &'a Queue,
    caller: &'a Caller<'a>,
    held: Option<(Hold, TaskId)>,
    renewed: Stopwatch,
    looked: Stopwatch,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(
        queue: &'a Queue,
        caller: &'a Caller<'a>,
        hold: Option<Hold>,
        task: Option<TaskId>,
    ) -> Keeper<'a> {
        Keeper {
            queue,
            caller,
            held: hold.zip(task),
            renewed: Stopwatch::start(),
            looked: Stopwatch::start(),
        }
    }

    /// Whether somebody else has the task by now, or nobody: looked at without writing anything.
    fn is_gone(&mut self) -> bool {
        let Some((hold, task)) = self.held.as_ref().filter(|_| self.looked.passed() >= LOOK) else {
            return false;
        };
        self.looked = Stopwatch::start();
        match self.queue.find(&task.to_string(), &[Folder::Tasks]) {
            Ok(item) => lease::still_holds(&item.task, *task, hold, self.caller.now()).is_err(),
            Err(fault) => matches!(fault.code, Code::TaskNotFound | Code::Overtaken),
        }
    }

    /// Renew when it is time; a reason to end if the lease is lost.
    pub(super) fn look(&mut self) -> Option<End> {
        let (hold, task) = self.held.as_ref()?;
        let length = self.queue.settings.lease;
        let every = Duration::try_from(length).unwrap_or_default() / 3;
        if self.renewed.passed() < every {
            return self.is_gone().then_some(End::LeaseLost);
        }
        match claim::renew(self.queue, &self.caller.operation("renew"), &task.to_string(), hold, length) {
            Ok(_) => {
                self.renewed = Stopwatch::start();
                None
            }
            // Somebody is in the middle of something; soon again.
            Err(fault) if matches!(fault.code, Code::Busy | Code::Changed) => None,
            Err(fault)
                if matches!(
                    fault.code,
                    Code::LeaseLost | Code::Claimed | Code::TaskNotFound | Code::Overtaken | Code::WrongState
                ) =>
            {
                Some(End::LeaseLost)
            }
            Err(_) => None,
        }
    }
}
