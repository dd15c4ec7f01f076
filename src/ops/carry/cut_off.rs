//! Records of what was sent to a project that is registered no longer: nobody reads its queue for receipts, so what became
//! of the tasks is not told any more. One that is registered and cannot be reached is told as that.

use std::collections::BTreeMap;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::task::{Folder, Task};
use crate::domain::text::shown;
use crate::ops::members;
use crate::ops::sight::Directory;
use crate::store::git::Reach;
use crate::store::queue::{Glimpse, Item, Queue, Taker, Unreadable};
use crate::store::registry::Registry;

/// What is cut off in the queues that an orchestrator carries for, its own among them.
///
/// # Errors
/// Those of reading the registry.
pub(crate) fn everywhere(orchestrator: &Queue) -> Result<Vec<Problem>> {
    let directory = Directory::read(orchestrator)?;
    let members = members::all(orchestrator)?.0;
    let there = members.into_iter().filter_map(|member| Some((member.id, member.queue.ok()?)));
    let told = |(id, queue): (ProjectId, Queue)| {
        at(&queue, &directory).into_iter().map(move |problem| problem.of(id.as_str()))
    };
    Ok(there.flat_map(told).collect())
}

/// What is cut off in one queue.
pub(crate) fn at(sender: &Queue, directory: &Directory) -> Vec<Problem> {
    let open = sender.glance(&[Folder::Sent], Reach::Names, &Open).taken;
    told(
        open.into_iter().filter(|item| is_cut_off(&item.task, &directory.own, &directory.registry)).collect(),
    )
}

/// Takes the records that wait for a receipt.
struct Open;

impl Taker for Open {
    type Taken = Item;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> std::result::Result<Option<Item>, Unreadable> {
        match glimpse.progress()?.heard {
            Some(heard) if heard.stage.is_final() => Ok(None),
            _ => glimpse.item().map(Some),
        }
    }
}

/// Whether nobody is registered who could tell how far this task is.
pub(super) fn is_cut_off(task: &Task, own: &[ProjectName], registry: &Registry) -> bool {
    let receipt = task.receipt.as_ref();
    // An entry that cannot be read is told as such, and may be the very one.
    if receipt.is_some_and(|receipt| receipt.stage.is_final()) || !registry.problems.is_empty() {
        return false;
    }
    let by = receipt.and_then(|receipt| receipt.by.as_ref()).map(ProjectName::from);
    let is_unknown = |name: &ProjectName| {
        let found = registry.resolve(name);
        !own.contains(name) && found.is_err_and(|fault| fault.code == Code::UnknownProject)
    };
    let names: Vec<ProjectName> = by.into_iter().chain(task.to.clone()).collect();
    !names.is_empty() && names.iter().all(is_unknown)
}

/// One problem for each project: it is registered again for all of its tasks or for none.
pub(super) fn told(records: Vec<Item>) -> Vec<Problem> {
    let mut all: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for record in records {
        all.entry(super::receipts::named(&record.task)).or_default().push(record);
    }
    let problem = |(name, records): (String, Vec<Item>)| {
        let first = &records[0];
        let short = first.id().map(|id| id.short()).unwrap_or_default();
        let which = format!("{short} (“{}”)", shown(&first.task.title));
        let what = match records.len() {
            1 => format!("task {which}"),
            more => format!("{more} tasks, such as {which}"),
        };
        let text = format!("`{}` is not registered any more, so no receipt comes for {what}", shown(&name));
        let fault = Fault::new(Code::UnknownProject, text)
            .hint("`swift register <path>` has the next round ask it again");
        Problem::at(first.path.clone(), fault)
    };
    all.into_iter().map(problem).collect()
}
