//! The records of what was sent, beside what the log says of where it went.

use std::collections::{BTreeSet, HashMap};

use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::Folder;
use crate::ops::carrier;
use crate::ops::carry::{self, cut_off};
use crate::ops::finding::{Finding, Severity};
use crate::ops::sight::Directory;
use crate::store::queue::{Item, Queue};

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

/// Records of this project for which no receipt can come. Nothing is damaged, and a person may have wanted it so.
pub(super) fn without_receiver(queue: &Queue, orchestrator: &Queue, findings: &mut Vec<Finding>) {
    let Ok(directory) = Directory::read(orchestrator) else { return };
    for problem in cut_off::at(queue, &directory) {
        let fault = carrier::led_to_registrar(queue, problem.fault);
        findings.push(Finding { severity: Severity::Note, ..Finding::of_fault(&problem.path, &fault) });
    }
}

/// The same in every queue that an orchestrator carries for.
pub(super) fn without_receiver_anywhere(orchestrator: &Queue, findings: &mut Vec<Finding>) {
    for Problem { project, path, fault } in cut_off::everywhere(orchestrator).unwrap_or_default() {
        let others = project.filter(|project| orchestrator.settings.id.as_str() != project);
        let (path, message) = match &others {
            Some(project) => (String::new(), format!("in `{project}`, {path}: {}", fault.message)),
            None => (path, fault.message.clone()),
        };
        let finding = Finding::of_fault(&path, &Fault { message, ..fault });
        findings.push(Finding { severity: Severity::Note, ..finding });
    }
}
