//! Records of runs: each can be read, is there once, and has the end that the log knows of.

use std::collections::{HashMap, HashSet};

use crate::domain::event::{Event, EventKind};
use crate::domain::id::RunId;
use crate::ops::finding::{Finding, Severity};
use crate::store::queue::Queue;
use crate::store::runs::{self, Runs};

/// What is wrong with the records of runs. That the folder is none is told with the other folders.
pub(super) fn of_runs(queue: &Queue, events: &[Event], findings: &mut Vec<Finding>) {
    let Ok(found) = runs::all(queue) else { return };
    findings.extend(found.problems.iter().map(Finding::from_problem));
    twice(&found, findings);
    without_end(&found, events, findings);
    missing(&found, events, findings);
}

/// Its money would count twice.
fn twice(found: &Runs, findings: &mut Vec<Finding>) {
    let mut seen: HashMap<RunId, &str> = HashMap::new();
    for stored in &found.all {
        if let Some(first) = seen.insert(stored.run.id, &stored.path) {
            let text = format!("the record of run {} is in `{first}` too", stored.run.id);
            let finding = Finding::new("run-twice", Severity::Warning, &stored.path, text);
            findings.push(finding.fix("look which one swift wrote: `git -C .swift log --stat -- runs`"));
        }
    }
}

fn without_end(found: &Runs, events: &[Event], findings: &mut Vec<Finding>) {
    let ended: HashSet<RunId> = told(events, EventKind::RunEnded).map(|(id, _)| id).collect();
    for stored in found.all.iter().filter(|stored| stored.run.ending.is_none()) {
        if ended.contains(&stored.run.id) {
            let text = "the record has no end, and the log knows that the run has ended";
            findings.push(
                Finding::new("run-differs", Severity::Warning, &stored.path, text).fix(was(&stored.path)),
            );
        }
    }
}

/// A run that was begun has a record, unless what began it was taken back.
fn missing(found: &Runs, events: &[Event], findings: &mut Vec<Finding>) {
    let undone: HashSet<&str> = events
        .iter()
        .filter(|event| event.fact.kind == EventKind::OperationUndone)
        .filter_map(|event| event.fact.cause.as_deref())
        .collect();
    // One that cannot be read is there all the same, and what is in a folder that cannot be read may be.
    let unread = |id: &RunId| {
        let mut paths = found.problems.iter().map(|problem| problem.path.as_str());
        paths.any(|path| !path.ends_with(".toml") || path.contains(&id.to_string()))
    };
    let there: HashSet<RunId> = found.all.iter().map(|stored| stored.run.id).collect();
    for (id, event) in told(events, EventKind::RunStarted) {
        if !there.contains(&id) && !unread(&id) && !undone.contains(event.operation.to_string().as_str()) {
            let text = format!("the log knows of run {id}, and there is no record of it");
            let finding = Finding::new("run-missing", Severity::Error, "", text);
            findings.push(
                finding.fix(format!("see its last version: `git -C .swift log -p --all -- \"*{id}*\"`")),
            );
        }
    }
}

/// The runs that events of a kind tell of: the id is the first word.
fn told(events: &[Event], kind: EventKind) -> impl Iterator<Item = (RunId, &Event)> {
    let of_kind = events.iter().filter(move |event| event.fact.kind == kind);
    of_kind.filter_map(|event| Some((event.fact.cause.as_deref()?.split(' ').next()?.parse().ok()?, event)))
}

fn was(path: &str) -> String {
    format!("see what it was: `git -C .swift log -p -- {path}`")
}
