//! What is not taken back, and why.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::event::{Event, EventKind};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::OperationId;
use crate::domain::settings::{CommitPolicy, Role};
use crate::domain::task::Task;
use crate::domain::text::{as_word, led_to, shown};
use crate::format::{Document, parse_summary};
use crate::store::git::{Entry, Touched};
use crate::store::queue::Queue;
use crate::store::registry;
use crate::store::{archive, history, layout, message, waiting};

use super::choice::{ROUND, changed_files, is_a_repair, newest_before, operation_of};
use super::neighbours::Neighbours;
use super::{Part, SLACK, moment};

/// What was done last is in no commit yet: taking back the commit before it would surprise.
pub(super) fn refuse_waiting(queue: &Queue) -> Result<()> {
    let Some(last) = waiting::events(queue)?.pop() else { return Ok(()) };
    let text = format!("what was done last (`{}`) is not committed yet", last.fact.kind.as_str());
    Err(Fault::new(Code::UndoBlocked, text).hint(what_commits(queue)))
}

fn what_commits(queue: &Queue) -> &'static str {
    match queue.settings.commit {
        CommitPolicy::Each => "`swift doctor --fix sesame` commits it as soon as git lets it",
        CommitPolicy::Session if queue.local.read(layout::OPEN_SESSION).is_some() => {
            "`swift finish` commits it with the session"
        }
        CommitPolicy::Session => "`swift start` opens a session, and its `swift finish` commits it",
        CommitPolicy::Manual => "you make the commit: `git -C .swift status` shows what is in it",
    }
}

/// A repair that put back what is swift's own, or part of the log, left no file of a task that could come back. Taking back
/// what was done before it instead would surprise.
pub(super) fn refuse_a_repair(queue: &Queue, entry: &Entry) -> Result<()> {
    let Some(operation) = operation_of(entry).filter(|_| is_a_repair(entry)) else { return Ok(()) };
    if changed_files(queue, entry) {
        return Ok(());
    }
    let events = history::since(queue, moment(operation))?.events.into_iter();
    let repaired =
        events.filter(|event| event.operation == operation && event.fact.kind == EventKind::Repaired);
    let paths: Vec<String> =
        repaired.filter_map(|event| event.fact.cause).map(|path| format!("`{}`", shown(&path))).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let text = format!(
        "operation {} (`swift doctor --fix`) put back {}, which is `swift`'s own: that is not taken back",
        operation.random_part(),
        paths.join(", ")
    );
    let fault = Fault::new(Code::UndoBlocked, text);
    Err(match newest_before(queue, entry)?.as_ref().and_then(operation_of) {
        Some(before) => {
            fault.hint(format!("`swift undo {}` takes back the operation before it", before.random_part()))
        }
        None => fault.hint("`swift log` shows what happened"),
    })
}

/// What one repository has of the operation is in no commit yet: taking back the rest would leave it torn.
pub(super) fn refuse_what_waits(part: &Queue, project: &str, operation: OperationId) -> Result<()> {
    match waiting::events(part)?.iter().any(|event| event.operation == operation) {
        true => Err(waits_in(part, project, "what the operation did")),
        false => Ok(()),
    }
}

/// A repository's log tells of its part in a round, and no commit names the round: a person has made that commit.
pub(super) fn refuse_what_is_not_named(part: &Queue, project: &str, operation: OperationId) -> Result<()> {
    let events = history::since(part, moment(operation))?.events;
    if !events.iter().any(|event| event.operation == operation && ROUND.contains(&event.fact.kind)) {
        return Ok(());
    }
    let text = format!("what the operation did in {project} is in a commit that does not name it");
    Err(Fault::new(Code::UndoBlocked, text)
        .hint(format!("`git -C {} log` shows the commits", as_word(&part.home.root))))
}

/// The newest thing that an orchestrator did may be a round of which nothing is committed yet.
pub(super) fn refuse_a_round_that_waits(queue: &Queue, neighbours: &Neighbours, found: &Entry) -> Result<()> {
    if queue.settings.role != Role::Orchestrator {
        return Ok(());
    }
    for project in &neighbours.registry.projects {
        let Ok(other) = registry::reach(project) else { continue };
        let newer = |event: &Event| operation_of(found).is_none_or(|found| event.operation > found);
        if waiting::events(&other)?.iter().any(|event| ROUND.contains(&event.fact.kind) && newer(event)) {
            return Err(waits_in(&other, project.entry.id.as_str(), "what was done last"));
        }
    }
    Ok(())
}

fn waits_in(part: &Queue, project: &str, what: &str) -> Fault {
    let folder = as_word(part.home.root.parent().unwrap_or(&part.home.root));
    Fault::new(Code::UndoBlocked, format!("{what} in {project} is not committed yet"))
        .hint(led_to(what_commits(part), &folder))
}

/// The log's newest operation is in a commit that does not say so: one that a person made, or a squash without its
/// messages. Taking back the one before it would surprise.
pub(super) fn refuse_what_no_commit_names(queue: &Queue, found: &Entry) -> Result<()> {
    let Some(found) = operation_of(found) else { return Ok(()) };
    let mut newer = history::since(queue, moment(found))?.events;
    newer.retain(|event| event.operation > found);
    if newer.is_empty() {
        return Ok(());
    }
    let oldest = moment(found).as_second() - SLACK;
    let mut named = BTreeSet::new();
    let mut of_a_person = None;
    for entry in queue.home.history()? {
        let entry = entry?;
        if entry.seconds < oldest {
            break;
        }
        let operations = message::operations(&entry.message);
        if operations.is_empty() && of_a_person.is_none() {
            of_a_person = Some(entry.id);
        }
        named.extend(operations);
    }
    newer.retain(|event| !named.contains(&event.operation));
    let Some(last) = newer.into_iter().max_by_key(|event| event.operation) else { return Ok(()) };
    let text = format!(
        "what was done last (`{}`) is in a commit that does not name the operation, so it cannot be taken back alone",
        last.fact.kind.as_str()
    );
    let fault = Fault::new(Code::UndoBlocked, text);
    let root = as_word(&queue.home.root);
    Err(match of_a_person {
        Some(commit) => {
            fault.hint(format!("`git -C {root} show --stat {}` shows that commit", short(&commit)))
        }
        None => fault.hint("`swift log` shows what happened"),
    })
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// How many operations are named when there are several.
const MOST_NAMED: usize = 6;

/// A commit that holds more than one operation can be taken back as a whole, by git, if it is in one repository alone.
pub(super) fn refuse_together(root: &Path, entry: &Entry, projects: usize) -> Result<()> {
    let all = message::operations(&entry.message);
    if all.len() < 2 && operation_of(entry).is_some() {
        return Ok(());
    }
    let commit = short(&entry.id);
    let mut names: Vec<String> = all.iter().take(MOST_NAMED).map(|id| id.random_part()).collect();
    if all.len() > MOST_NAMED {
        names.push("…".to_owned());
    }
    let text = match all.len() {
        1 => format!(
            "commit {commit} in {} holds operation {} and is not its own commit: it cannot be taken back alone",
            root.display(),
            names.join(", ")
        ),
        several => format!(
            "commit {commit} in {} holds {several} operations ({}): none can be taken back alone",
            root.display(),
            names.join(", ")
        ),
    };
    let fault = Fault::new(Code::UndoBlocked, text);
    let root = as_word(root);
    let shows = format!("`git -C {root} show --stat {commit}` shows what is in it");
    let has_beginning = entry.message.lines().any(|line| line.trim() == "Swift-Verb: init");
    Err(if has_beginning {
        fault.hint(shows)
    } else if projects > 1 {
        fault
            .hint(shows)
            .hint("other repositories have a part of it, which a revert of this commit would leave")
    } else {
        fault.hint(shows).hint(format!("`git -C {root} revert {commit}` takes back all of them"))
    })
}

/// A commit that the queue begins with has everything in it, whichever operation it names: rewritten history, say.
pub(super) fn refuse_beginning(entry: &Entry, touched: &Touched) -> Result<()> {
    if touched.path != layout::SETTINGS || touched.before.is_some() {
        return Ok(());
    }
    let text = format!("commit {} has the beginning of the queue in it", short(&entry.id));
    Err(Fault::new(Code::UndoBlocked, text)
        .hint("`swift log` shows what happened; `swift uninstall` takes the queue out"))
}

/// What is more than an operation can be taken back by other means.
pub(super) fn refuse_what_is_no_operation_alone(queue: &Queue, entry: &Entry) -> Result<()> {
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

/// How many files are still to be brought back: an undo that was cut off has brought back some. That later work rests on
/// one is said before anybody says yes, and again under the lock.
pub(super) fn outstanding_files(part: &Part, undone: OperationId) -> Result<usize> {
    let (is_back, mut outstanding) = (was_taken_back(&part.queue, undone)?, 0);
    let blob = |id: Option<&str>| id.map(|id| part.queue.home.blob(id)).transpose();
    for file in &part.files {
        let now = part.queue.read(&file.path)?;
        if is_back && now == as_before(&part.queue, part.former(file)?, now.as_deref()) {
            continue;
        }
        if !is_as_left(&part.queue, now.as_deref(), blob(file.left.as_deref())?.as_deref()) {
            return Err(rested_on(part, &file.path));
        }
        outstanding += 1;
    }
    Ok(outstanding)
}

/// What a file becomes: what it was, with the newest token that was given out.
pub(super) fn as_before(queue: &Queue, before: Option<Vec<u8>>, now: Option<&[u8]>) -> Option<Vec<u8>> {
    before.map(|bytes| with_newest_token(queue, bytes, now.unwrap_or_default()))
}

pub(super) fn rested_on(part: &Part, path: &str) -> Fault {
    let id = layout::id_in_name(path);
    if id.is_some_and(|id| archive::find(&part.queue, id).is_ok_and(|item| item.is_some())) {
        let text = format!("`{path}` in {} is in an archive by now, which does not change", part.project);
        return Fault::new(Code::UndoBlocked, text)
            .hint("what is left to do is a new task: `swift task . \"…\"`");
    }
    let text =
        format!("`{path}` in {} was changed after the operation, so later work rests on it", part.project);
    let (now, last) = (part.queue.read(path), part.queue.home.read_committed(path));
    Fault::new(Code::UndoBlocked, text).hint(match (now, last) {
        (Ok(now), Ok(last)) if now != last => {
            format!("it was changed by hand: `git -C {} diff` shows how", as_word(&part.queue.home.root))
        }
        _ => "take the later operation back first: `swift log` shows it".to_owned(),
    })
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
