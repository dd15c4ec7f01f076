//! How it could go on after a run that has not done what was asked, as things stand now.

use crate::domain::id::TaskId;
use crate::domain::run::record::Run;
use crate::domain::task::Folder;
use crate::store::queue::Queue;

use super::{Caller, account};

/// What stands between a run that has ended and the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its session can go on.
    Open,
    /// Its task waits for a person.
    Blocked(TaskId),
    /// Its task was given up.
    Dead(TaskId),
    /// Nothing is started on the account, or with its model, now.
    Rests,
    /// Its task is ended, held by somebody, or cannot be read.
    Closed,
}

/// The way on from a run.
pub(crate) fn on_from(queue: &Queue, caller: &Caller<'_>, run: &Run) -> Way {
    match of_task(queue, caller, run) {
        Way::Open if is_resting(queue, caller, run) => Way::Rests,
        way => way,
    }
}

fn of_task(queue: &Queue, caller: &Caller<'_>, run: &Run) -> Way {
    let Some(id) = run.task else { return Way::Open };
    match queue.find(&id.to_string(), &[Folder::Tasks, Folder::Dead]) {
        Ok(item) if item.folder == Folder::Dead => Way::Dead(id),
        Ok(item) if item.task.blocked.is_some() => Way::Blocked(id),
        Ok(item) if item.task.held(caller.now()).is_none() => Way::Open,
        _ => Way::Closed,
    }
}

/// What is held until a person starts something is open to them.
fn is_resting(queue: &Queue, caller: &Caller<'_>, run: &Run) -> bool {
    account::resting(queue, caller).is_some_and(|rest| rest.until.is_some())
        || account::resting_model(queue, caller, run.choice.model()).is_some()
}
