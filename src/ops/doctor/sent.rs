//! The records of what was sent, beside what the log says of where it went.

use std::collections::{BTreeSet, HashMap};

use crate::domain::event::Event;
use crate::domain::id::TaskId;
use crate::domain::task::Folder;
use crate::ops::carry;
use crate::ops::finding::Finding;
use crate::store::queue::Item;

/// A record that names a project which never had the task: what becomes of it there is not what becomes of the task.
pub(super) fn records(items: &[Item], events: &[Event], findings: &mut Vec<Finding>) {
    let mut carried: HashMap<TaskId, BTreeSet<&str>> = HashMap::new();
    for event in events {
        if let (Some(id), Some(project)) = (event.fact.task, carry::carried_to(event)) {
            carried.entry(id).or_default().insert(project);
        }
    }
    for item in items.iter().filter(|item| item.folder == Folder::Sent) {
        let known = item.id().and_then(|id| carried.get(&id));
        let by = item.task.receipt.as_ref().and_then(|receipt| receipt.by.as_ref());
        if let (Some(known), Some(by)) = (known, by)
            && !known.contains(by.as_str())
            && let Some(first) = known.first()
        {
            findings.push(Finding::of_fault(&item.path, &carry::says_otherwise(by.as_str(), first)));
        }
    }
}
