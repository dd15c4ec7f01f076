//! Which operation is meant, and which repositories it touched.

use crate::domain::event::EventKind;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::OperationId;
use crate::domain::settings::Role;
use crate::domain::text::shown;
use crate::store::git::Entry;
use crate::store::queue::Queue;
use crate::store::{layout, message};
use std::path::PathBuf;

use super::hand::{Hand, Whose};
use super::neighbours::Neighbours;
use super::{SLACK, moment};

/// A commit that is to be taken back, and whose it is.
pub(super) struct Chosen {
    pub(super) entry: Entry,
    /// The folder of the queue that has the commit, and its project.
    pub(super) root: PathBuf,
    pub(super) project: String,
}

impl Chosen {
    fn of(queue: &Queue, entry: Entry) -> Chosen {
        Chosen { entry, root: queue.home.root.clone(), project: queue.settings.id.to_string() }
    }
}

pub(super) fn operation_of(entry: &Entry) -> Option<OperationId> {
    message::trailer(&entry.message, message::OPERATION)?.parse().ok()
}

/// The newest operation that a commit names, wherever in its message a squash has put that.
fn newest_named(entry: &Entry) -> Option<OperationId> {
    message::operations(&entry.message).pop_last()
}

/// Undoing the making of the queue is what `uninstall` is for. A squash counts, although it is refused then: taking back
/// what was done before it would surprise.
fn can_be_undone(entry: &Entry) -> bool {
    newest_named(entry).is_some() && message::trailer(&entry.message, message::VERB) != Some("init")
}

/// Whether a commit changed more than the log and what a person had done by hand: starting a session, say, leaves nothing
/// to take back, nor does a repair that merely recorded. One of which that cannot be told is not passed over; taking it
/// back then says why not.
pub(super) fn changed_files(queue: &Queue, entry: &Entry) -> bool {
    let Ok(mut touched) = queue.home.touched(&entry.id) else { return true };
    touched.retain(|touched| can_come_back(&touched.path));
    if touched.is_empty() {
        return false;
    }
    let Some(Ok(hand)) = operation_of(entry).map(|operation| Hand::of(queue, operation)) else { return true };
    touched.iter().any(|touched| !hand.whose(queue, touched).is_ok_and(|whose| whose == Whose::Hand))
}

/// Whether a commit is of a repair that did more than to record what a person had done.
pub(super) fn is_a_repair(entry: &Entry) -> bool {
    let is_told = |kinds: &str| kinds.split(' ').any(|kind| kind == EventKind::Repaired.as_str());
    message::values(&entry.message, message::EVENTS).any(is_told)
}

/// Whether a commit is what a person means by the last thing that was done.
fn counts(queue: &Queue, entry: &Entry) -> bool {
    can_be_undone(entry) && (is_a_repair(entry) || changed_files(queue, entry))
}

/// The operation before this commit that left something to take back.
pub(super) fn newest_before(queue: &Queue, before: &Entry) -> Result<Option<Entry>> {
    let mut older = queue.home.history()?.take(MOST_COMMITS).filter_map(Result::ok);
    let _ = older.find(|entry| entry.id == before.id);
    Ok(older.find(|entry| can_be_undone(entry) && changed_files(queue, entry)))
}

/// The log only grows, and a folder that is kept stays so.
pub(super) fn can_come_back(path: &str) -> bool {
    !path.starts_with(layout::AUDIT) && !path.ends_with(&format!("/{}", layout::KEEP))
}

pub(super) fn newest(queue: &Queue, neighbours: &Neighbours) -> Result<Chosen> {
    let own = first(queue, |entry| counts(queue, entry))?;
    let mut found: Vec<Chosen> = own.map(|entry| Chosen::of(queue, entry)).into_iter().collect();
    // A round of the orchestrator leaves no commit in the orchestrator itself.
    let is_orchestrator = queue.settings.role == Role::Orchestrator;
    for other in neighbours.queues().filter(|_| is_orchestrator) {
        let carried = |entry: &Entry| {
            can_be_undone(entry) && is_of_the_orchestrator(entry) && changed_files(&other, entry)
        };
        found.extend(first(&other, carried)?.map(|entry| Chosen::of(&other, entry)));
    }
    found.sort_by_key(|chosen| newest_named(&chosen.entry));
    let followed = |at: &usize| is_followed(&found[*at], &found, queue, neighbours).unwrap_or(false);
    let newest = (0..found.len()).rev().find(|at| !followed(at)).or(found.len().checked_sub(1));
    newest.map(|at| found.swap_remove(at)).ok_or_else(|| {
        Fault::new(Code::Nothing, "there is no operation to take back")
            .hint("`swift log` shows what happened")
    })
}

/// Whether another operation came after this one in a repository that both touched. The ids tell when operations were
/// begun, by clocks that may have been wrong; the order of commits is sure.
fn is_followed(chosen: &Chosen, all: &[Chosen], queue: &Queue, neighbours: &Neighbours) -> Result<bool> {
    let (operation, touched) = (newest_named(&chosen.entry), projects_of(&chosen.entry));
    for other in all.iter().filter(|other| touched.contains(&other.project)) {
        if newest_named(&other.entry) != operation {
            let there = open(queue, neighbours, &other.project)?;
            if first(&there, |entry| newest_named(entry) == operation)?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a commit of a project is part of an operation of its orchestrator. A round that only notes receipts names no
/// second project.
fn is_of_the_orchestrator(entry: &Entry) -> bool {
    projects_of(entry).len() > 1
        || matches!(message::trailer(&entry.message, message::VERB), Some("outbox" | "watch"))
        || had_to_wait(entry) && message::values(&entry.message, message::EVENTS).any(tells_of_a_round)
}

/// Whether the kinds of events that a commit names are those of a round.
pub(super) fn tells_of_a_round(kinds: &str) -> bool {
    kinds.split(' ').any(|kind| ROUND.iter().any(|of_a_round| of_a_round.as_str() == kind))
}

/// What only a round of the orchestrator does.
pub(super) const ROUND: [EventKind; 4] =
    [EventKind::TaskDelivered, EventKind::TaskSent, EventKind::TaskResent, EventKind::ReceiptReceived];

/// Among how many commits something is looked for that is only to be offered.
const MOST_COMMITS: usize = 64;

/// The newest operation in this repository of which it is known what it did.
pub(super) fn newest_here(queue: &Queue) -> Result<Option<Entry>> {
    for entry in queue.home.history()?.take(MOST_COMMITS) {
        let entry = entry?;
        if counts(queue, &entry) {
            return Ok(queue.home.touched(&entry.id).is_ok().then_some(entry));
        }
    }
    Ok(None)
}

fn first(queue: &Queue, wanted: impl Fn(&Entry) -> bool) -> Result<Option<Entry>> {
    for entry in queue.home.history()? {
        let entry = entry?;
        if wanted(&entry) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

pub(super) fn named(queue: &Queue, neighbours: &Neighbours, text: &str) -> Result<Chosen> {
    let is_meant =
        |id: OperationId| id.to_string() == text || (text.len() >= 4 && id.random_part().starts_with(text));
    let matches = |entry: &Entry| {
        let is_init = message::trailer(&entry.message, message::VERB) == Some("init");
        !is_init && message::operations(&entry.message).into_iter().any(is_meant)
    };
    if let Some(entry) = first(queue, matches)? {
        return Ok(Chosen::of(queue, entry));
    }
    for other in neighbours.queues() {
        if let Some(entry) = first(&other, matches)? {
            return Ok(Chosen::of(&other, entry));
        }
    }
    Err(Fault::new(Code::UnknownOperation, format!("no operation `{}` is known here", shown(text)))
        .hint("`swift log` shows the operations"))
}

fn projects_of(entry: &Entry) -> Vec<String> {
    let named = message::trailer(&entry.message, message::PROJECTS);
    named.map(|names| names.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

/// The projects that an operation touched: one that names none, that which has its commit. A part of it that was
/// committed later, because it had to wait, does not name the others; they do.
pub(super) fn projects(neighbours: &Neighbours, chosen: &Chosen) -> Result<Vec<String>> {
    let named = projects_of(&chosen.entry);
    let own = || vec![chosen.project.clone()];
    let Some(operation) =
        operation_of(&chosen.entry).filter(|_| named.is_empty() && had_to_wait(&chosen.entry))
    else {
        return Ok(if named.is_empty() { own() } else { named });
    };
    for other in neighbours.queues() {
        let found = other.home.history()?.filter_map(Result::ok);
        let mut since = found.take_while(|entry| entry.seconds >= moment(operation).as_second() - SLACK);
        let part = since.find(|entry| operation_of(entry) == Some(operation) && projects_of(entry).len() > 1);
        if let Some(part) = part {
            return Ok(projects_of(&part));
        }
    }
    Ok(own())
}

/// Whether a commit was made of what earlier verbs could not commit.
fn had_to_wait(entry: &Entry) -> bool {
    message::trailer(&entry.message, message::VERB).is_none()
}

pub(super) fn open(queue: &Queue, neighbours: &Neighbours, project: &str) -> Result<Queue> {
    if project == queue.settings.id.as_str() {
        return Queue::of(queue.home.clone());
    }
    let name = project.parse()?;
    neighbours.reach(&name).map_err(|fault| match (fault.code, queue.settings.role) {
        (Code::UnknownProject | Code::Ambiguous, _) => {
            Fault::new(Code::Unreachable, format!("the operation touched `{project}` too: {fault}"))
                .hint("take it back in the orchestrator's checkout")
        }
        (_, Role::Orchestrator) => fault,
        // Only there can it be told where another project lies.
        _ => Fault { hints: fault.hints.iter().map(|hint| of_the_orchestrator(hint)).collect(), ..fault },
    })
}

fn of_the_orchestrator(hint: &str) -> String {
    match hint.contains("`swift register ") {
        true => format!("in the orchestrator's checkout, {}", hint.trim_start_matches("or ")),
        false => hint.to_owned(),
    }
}
