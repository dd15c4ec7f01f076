//! What is not taken back, and why.

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::OperationId;
use crate::domain::settings::CommitPolicy;
use crate::domain::task::Task;
use crate::format::{Document, parse_summary};
use crate::store::git::Entry;
use crate::store::queue::Queue;
use crate::store::{history, layout, message, waiting};

use super::{Part, moment};

/// What was done last is in no commit yet: taking back the commit before it would surprise.
pub(super) fn refuse_waiting(queue: &Queue) -> Result<()> {
    let Some(last) = waiting::events(queue)?.pop() else { return Ok(()) };
    let text = format!("what was done last (`{}`) is not committed yet", last.fact.kind.as_str());
    let fault = Fault::new(Code::UndoBlocked, text);
    Err(match queue.settings.commit {
        CommitPolicy::Each => fault.hint("`swift doctor --fix sesame` commits it as soon as git lets it"),
        CommitPolicy::Session => fault.hint("`swift finish` commits it with the session"),
        CommitPolicy::Manual => fault.hint("you make the commit: `git -C .swift status` shows what is in it"),
    })
}

/// A commit that holds more than one operation can be taken back as a whole, by git; so can a merge.
pub(super) fn refuse_what_is_no_operation_alone(queue: &Queue, entry: &Entry) -> Result<()> {
    let short = entry.id.get(..12).unwrap_or(&entry.id);
    if let Some(others) = message::trailer(&entry.message, message::ALSO) {
        let count = others.split(' ').count() + 1;
        let text = format!(
            "commit {short} holds {count} operations, which waited for it: none can be taken back alone"
        );
        return Err(Fault::new(Code::UndoBlocked, text)
            .hint(format!("`git -C {} revert {short}` takes back all of them", queue.home.root.display())));
    }
    let blocked = |why: &str, hint: &str| Err(Fault::new(Code::UndoBlocked, why).hint(hint));
    match message::trailer(&entry.message, message::VERB) {
        Some("merge") => blocked(
            "the merge of a run's work is a commit of your own branch, which stays",
            "`git log --merges -3` shows it; `git revert --mainline 1 COMMIT` takes it back",
        ),
        // Without its record nobody would know what it did and cost, and it would seem to run still.
        Some("run") => blocked(
            "a run is not taken back: its record tells what happened, and what it cost",
            "`swift reject REF --why \"…\"` sends its work back, and opens the task again",
        ),
        Some("home") => blocked("a move of the queue is not taken back", "`swift home` moves it again"),
        Some("resolve") => blocked(
            "what has settled a merge holds everything that the other side did",
            "`swift edit` changes what was settled otherwise than you want",
        ),
        Some("doctor") if puts_aside(queue, entry) => blocked(
            "what a repair has put aside was in no commit before, so it stays where it is",
            "it lies in `.swift/quarantine`: you can move it back by hand",
        ),
        _ => Ok(()),
    }
}

fn puts_aside(queue: &Queue, entry: &Entry) -> bool {
    let touched = queue.home.touched(&entry.id).unwrap_or_default();
    touched.iter().any(|touched| touched.path.starts_with(layout::QUARANTINE))
}

/// Said before anybody says yes, and again under the lock.
pub(super) fn refuse_what_later_work_rests_on(part: &Part, undone: OperationId) -> Result<()> {
    if was_taken_back(&part.queue, undone)? {
        return Ok(());
    }
    for file in &part.files {
        let left = file.left.as_deref().map(|id| part.queue.home.blob(id)).transpose()?;
        if !is_as_left(&part.queue, part.queue.read(&file.path)?.as_deref(), left.as_deref()) {
            return Err(rested_on(part, &file.path));
        }
    }
    Ok(())
}

pub(super) fn rested_on(part: &Part, path: &str) -> Fault {
    let text =
        format!("`{path}` in {} was changed after the operation, so later work rests on it", part.project);
    Fault::new(Code::UndoBlocked, text).hint("take the later operation back first: `swift log` shows it")
}

/// Whether a file is what the operation left there. A claim that was taken back has raised its token, which is no work
/// that rests on anything.
pub(super) fn is_as_left(queue: &Queue, now: Option<&[u8]>, left: Option<&[u8]>) -> bool {
    match (now, left) {
        (Some(now), Some(left)) => now == left || with_newest_token(queue, left.to_owned(), now) == now,
        (now, left) => now == left,
    }
}

/// A task as it was, except that its fencing token stays: one that was given out is never given out again.
pub(super) fn with_newest_token(queue: &Queue, before: Vec<u8>, newest: &[u8]) -> Vec<u8> {
    let limits = queue.limits();
    let given = parse_summary(newest, &limits).map_or(0, |task| task.token);
    match Document::parse(&before, &limits) {
        Ok(mut document) if document.task().token < given => {
            document.apply(&Task { token: given, ..document.task().clone() });
            document.to_bytes()
        }
        _ => before,
    }
}

/// Whether the log of a repository knows already that the operation was taken back there.
pub(super) fn was_taken_back(queue: &Queue, undone: OperationId) -> Result<bool> {
    let events = history::since(queue, moment(undone))?.events;
    let id = undone.to_string();
    Ok(events.iter().any(|event| {
        event.fact.kind == EventKind::OperationUndone && event.fact.cause.as_deref() == Some(id.as_str())
    }))
}
