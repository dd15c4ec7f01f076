//! Replay the log: what it says is there, where, and with which content.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::event::Event;
use crate::domain::fault::{Code, Result};
use crate::domain::id::TaskId;
use crate::domain::task::State;
use crate::format::audit::digest as content_hash;
use crate::ops::finding::{Finding, Remedy, Severity};
use crate::store::archive::Held;
use crate::store::queue::{Item, Listing, Queue};
use crate::store::replay::{self, Difference, LastWords, Standing};
use crate::store::{branches, hand, layout, message};

/// Each task beside what the log says of it, and what the log has besides.
pub(super) fn against_log(
    queue: &Queue,
    listing: &Listing,
    mut last: LastWords,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    // What git has merged since the last verb is as neither side left it, and the next verb records it.
    let merged = queue.home.merged_by_git(message::is_of_a_verb)?;
    let mut seen = HashSet::new();
    for item in &listing.items {
        let is_second = item.id().is_some_and(|id| !seen.insert(id));
        match item.id().and_then(|id| last.remove(&id)) {
            Some(_) if merged.contains_key(&item.path) => {}
            Some(events) => compare(queue, item, &events, now, findings),
            // A second file of the same id is told as such.
            None if is_second => {}
            None => compare(queue, item, &[], now, findings),
        }
    }
    let archived = Held::of(queue).unwrap_or_default();
    // A file that cannot be read, or not yet, is there all the same.
    let unreadable: HashSet<TaskId> =
        listing.problems.iter().filter_map(|problem| layout::id_in_name(&problem.path)).collect();
    let closed = closed(listing);
    let is_elsewhere = |id: &TaskId| archived.contains(*id) || unreadable.contains(id);
    last.retain(|id, events| {
        !is_elsewhere(id) && replay::is_there(events) && !may_be_in(&closed, *id, events)
    });
    let removed = if last.is_empty() { Default::default() } else { hand::removed(queue)? };
    for (id, events) in last {
        missing(queue, id, &events, removed.get(&id), findings)?;
    }
    Ok(())
}

/// Folders that the system does not let us look into.
fn closed(listing: &Listing) -> Vec<String> {
    let closed = listing.problems.iter().filter(|problem| problem.fault.code == Code::Io);
    closed.map(|problem| format!("{}/", problem.path)).collect()
}

/// Whether the file of a task may lie in one of these folders: what cannot be looked at is not gone.
fn may_be_in(closed: &[String], id: TaskId, events: &[Event]) -> bool {
    let usual = layout::QUEUE_FOLDERS.map(|folder| format!("{}/", layout::usual_folder(folder, id)));
    let told = events.iter().filter_map(|event| event.fact.cause.as_deref());
    closed.iter().any(|folder| {
        usual.iter().any(|usual| usual.starts_with(folder.as_str()))
            || told.clone().any(|path| path.starts_with(folder.as_str()))
    })
}

/// How the next verb that writes mends what the log does not know.
const RECORD_IT: &str = "the next verb that writes records it: `swift doctor --fix`";

/// A file is what one of the hands has left last: of several that came together, the one whose content git kept.
fn compare(queue: &Queue, item: &Item, events: &[Event], now: Timestamp, findings: &mut Vec<Finding>) {
    let state = item.task.state(item.folder, now);
    let content = queue.read(&item.path).ok().flatten().map(|bytes| content_hash(&bytes));
    let file = Standing { content: content.as_ref(), task: &item.task, folder: item.folder, now };
    let (code, severity, text) = match replay::difference(events, &file) {
        None => return,
        Some(Difference::Unknown) => {
            ("unrecorded", Severity::Note, "the log does not know this task yet".to_owned())
        }
        Some(Difference::Content) => {
            ("changed-by-hand", Severity::Note, "the content is not what the log last saw".to_owned())
        }
        Some(Difference::State(said)) => {
            ("state-differs", Severity::Warning, format!("the log says {said}, the file says {state}"))
        }
    };
    findings.push(Finding::new(code, severity, &item.path, text).fix(RECORD_IT).remedy(Remedy::Record));
}

/// A task that is nowhere, and whose file a person may have removed by a commit.
fn missing(
    queue: &Queue,
    id: TaskId,
    events: &[Event],
    removed: Option<&String>,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let Some(event) = events.last() else { return Ok(()) };
    if queue.anywhere(id).ok().flatten().is_some() {
        return Ok(());
    }
    if branches::was_never_here(queue, id, events)? {
        let text = format!("the log has records of task {id}, which was never on this branch");
        let fix = "a cherry-pick brings them along; where the task is: `git log --all --oneline -- \"*ID*\"`";
        let fix = fix.replace("ID", &id.to_string());
        findings.push(Finding::new("records-alone", Severity::Note, "", text).fix(fix));
        return Ok(());
    }
    if let Some(path) = removed {
        let text = format!("task {id} was removed by a commit, and the log does not know that yet");
        findings.push(
            Finding::new("changed-by-hand", Severity::Note, path, text).fix(RECORD_IT).remedy(Remedy::Record),
        );
        return Ok(());
    }
    let state = event.fact.to.map_or("there", State::as_str);
    findings.push(
        Finding::new(
            "missing",
            Severity::Error,
            "",
            format!("task {id} is {state} in the log, and has no file"),
        )
        .fix(format!("see its last version: `git -C .swift log -p --all -- \"*{id}*\"`")),
    );
    Ok(())
}
