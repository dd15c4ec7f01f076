//! Take back one operation in every repository that it touched, by new commits.
//!
//! Each file that the operation changed gets back what it was before, provided that it still is what the operation
//! left: later work is never overwritten. The log only grows; taking back is an event too, and can be taken back.

mod choice;
mod halves;
mod hand;
mod look;
mod neighbours;
mod refusal;
mod states;
mod written;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::OperationId;
use crate::domain::text::shown;
use crate::store::git::Entry;
use crate::store::message;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Operation, Tx};

use choice::{Chosen, can_come_back, named, newest, newest_here, open, operation_of, projects};
use hand::{Hand, Whose};
use look::Look;
use neighbours::Neighbours;
use refusal::{
    as_before, is_as_left, outstanding_files, refuse_a_repair, refuse_a_round_that_waits, refuse_beginning,
    refuse_together, refuse_waiting, refuse_what_is_no_operation_alone, refuse_what_is_not_named,
    refuse_what_no_commit_names, refuse_what_waits, rested_on, was_taken_back,
};
use states::States;

/// How far behind the operation's own time commits are still looked at, in seconds: clocks of machines differ.
const SLACK: i64 = 2 * 24 * 3600;

/// One file and what it is to become.
#[derive(Debug, Clone)]
pub(crate) struct Reversal {
    pub(crate) path: String,
    /// The blob hash of what the operation left.
    left: Option<String>,
    /// What was there before it.
    before: Option<Former>,
}

/// A file as it was before the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Former {
    /// The blob hash of one that was committed.
    Committed(String),
    /// What a person had written and the operation has taken on at once: it is in no commit.
    Written(Vec<u8>),
}

impl Former {
    /// Whether the operation has left the same.
    fn is(&self, left: Option<&str>) -> bool {
        matches!(self, Former::Committed(blob) if Some(blob.as_str()) == left)
    }
}

/// What is to be taken back in one repository.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) project: String,
    pub(crate) files: Vec<Reversal>,
    queue: Queue,
}

impl Part {
    /// The bytes of a file as they were before the operation.
    fn former(&self, file: &Reversal) -> Result<Option<Vec<u8>>> {
        match &file.before {
            Some(Former::Committed(blob)) => self.queue.home.blob(blob).map(Some),
            Some(Former::Written(bytes)) => Ok(Some(bytes.clone())),
            None => Ok(None),
        }
    }
}

/// What is to be taken back.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) operation: OperationId,
    /// The subject of the commit that is taken back.
    pub(crate) subject: String,
    pub(crate) parts: Vec<Part>,
    /// The project in whose queue it was asked for.
    own: String,
}

impl Plan {
    /// Whether others' repositories are touched: that needs a yes.
    pub(crate) fn reaches_beyond(&self, own: &Queue) -> bool {
        self.parts.iter().any(|part| part.queue.home.root != own.home.root)
    }
}

/// What was taken back.
#[derive(Debug)]
pub(crate) struct Undone {
    pub(crate) operation: OperationId,
    pub(crate) subject: String,
    pub(crate) commits: Vec<(String, Committed)>,
    pub(crate) files: usize,
}

/// Find the operation and what it did. Reads only.
///
/// # Errors
/// [`Code::UnknownOperation`], [`Code::Nothing`], [`Code::Overtaken`]; [`Code::Unreachable`] if another repository of it cannot be reached.
pub(crate) fn plan(queue: &Queue, wanted: Option<&str>) -> Result<Plan> {
    plan_at(queue, wanted, Look::Close)
}

fn plan_at(queue: &Queue, wanted: Option<&str>, look: Look) -> Result<Plan> {
    let neighbours = Neighbours::of(queue)?;
    let chosen = match wanted {
        Some(text) => named(queue, &neighbours, text)?,
        None => {
            look.at(queue, || refuse_waiting(queue))?;
            let newest = newest(queue, &neighbours)?;
            refuse_a_round_that_waits(queue, &neighbours, &newest.entry)?;
            refuse_what_no_commit_names(queue, &newest.entry)
                .map_err(|fault| led_on(queue, &newest, fault))?;
            newest
        }
    };
    let projects = projects(&neighbours, &chosen)?;
    let Chosen { entry, root, project } = chosen;
    refuse_together(&root, &entry, projects.len())?;
    let there = open(queue, &neighbours, &project)?;
    refuse_what_is_no_operation_alone(&there, &entry)?;
    refuse_a_repair(&there, &entry)?;
    let operation = operation_of(&entry).expect("a commit of one operation has its trailer");
    let (mut parts, mut outstanding) = (Vec::new(), 0);
    for project in &projects {
        let part = open(queue, &neighbours, project)?;
        look.at(&part, || refuse_what_waits(&part, project, operation))?;
        let files = reversals(&part, operation, projects.len())?;
        if files.is_empty() {
            refuse_what_is_not_named(&part, project, operation)?;
        } else {
            let part = Part { project: project.clone(), files, queue: part };
            outstanding += look.at(&part.queue, || outstanding_files(&part, operation))?;
            parts.push(part);
        }
    }
    halves::refuse_half(&parts, operation, &neighbours)?;
    // A repository that gets a task back comes before the one that loses it: at no moment is it nowhere.
    parts.sort_by_key(|part| {
        std::cmp::Reverse(part.files.iter().filter(|file| file.before.is_some()).count())
    });
    let subject = entry.message.lines().next().unwrap_or_default().trim_start_matches("swift: ").to_owned();
    if parts.is_empty() {
        return Err(Fault::new(
            Code::Nothing,
            format!("operation {operation} (“{}”) changed no file that could be taken back", shown(&subject)),
        ));
    }
    if outstanding == 0 {
        return Err(taken_back_already(operation));
    }
    Ok(Plan { operation, subject, parts, own: queue.settings.id.to_string() })
}

/// Where the newest operation that a commit names can be taken back, the way there.
fn led_on(queue: &Queue, newest: &Chosen, fault: Fault) -> Fault {
    match operation_of(&newest.entry).map(|operation| operation.random_part()) {
        Some(named) if plan_at(queue, Some(&named), Look::Glance).is_ok() => {
            fault.hint(format!("`swift undo {named}` takes back the newest operation that a commit names"))
        }
        _ => fault,
    }
}

/// Whether the last operation is one that can be taken back. Cheap, for whoever only tells that there is a way: whether
/// later work rests on it the plan says.
pub(crate) fn may_be_offered(queue: &Queue) -> bool {
    let last = || newest_here(queue).ok().flatten();
    // Of a round each half may be an operation of its own.
    let of_a_round =
        |entry: &Entry| message::values(&entry.message, message::EVENTS).any(choice::tells_of_a_round);
    let is_whole = |entry: &Entry| match operation_of(entry).filter(|_| of_a_round(entry)) {
        Some(operation) => plan_at(queue, Some(&operation.random_part()), Look::Glance).is_ok(),
        None => true,
    };
    let is_alone = |entry: Entry| {
        is_whole(&entry)
            && refuse_together(&queue.home.root, &entry, 1).is_ok()
            && refuse_what_is_no_operation_alone(queue, &entry).is_ok()
            && refuse_what_no_commit_names(queue, &entry).is_ok()
            && refuse_a_repair(queue, &entry).is_ok()
    };
    refuse_waiting(queue).is_ok() && last().is_some_and(is_alone)
}

/// What the operation did in one repository, over all of its commits there.
fn reversals(queue: &Queue, operation: OperationId, projects: usize) -> Result<Vec<Reversal>> {
    let hand = Hand::of(queue, operation)?;
    let oldest = i64::try_from(operation.milliseconds() / 1000).unwrap_or(0) - SLACK;
    let mut files: BTreeMap<String, Reversal> = BTreeMap::new();
    for entry in queue.home.history()? {
        let entry = entry?;
        if entry.seconds < oldest {
            break;
        }
        if !message::operations(&entry.message).contains(&operation) {
            continue;
        }
        refuse_together(&queue.home.root, &entry, projects)?;
        for touched in queue.home.touched(&entry.id)? {
            refuse_beginning(&entry, &touched)?;
            if !can_come_back(&touched.path) || hand.whose(queue, &touched)? == Whose::Hand {
                continue;
            }
            // Newest commit first: what was left is known, what was before comes from the oldest.
            let file = files.entry(touched.path.clone()).or_insert(Reversal {
                path: touched.path,
                left: touched.after,
                before: None,
            });
            file.before = touched.before.map(Former::Committed);
        }
    }
    written::bring_back(queue, &hand, &mut files)?;
    let is_changed = |file: &Reversal| match &file.before {
        Some(before) => !before.is(file.left.as_deref()),
        None => file.left.is_some(),
    };
    Ok(files.into_values().filter(is_changed).collect())
}

/// When an operation was begun.
fn moment(operation: OperationId) -> Timestamp {
    let begun = i64::try_from(operation.milliseconds()).ok();
    begun.and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or_default()
}

/// Take the operation back.
///
/// # Errors
/// [`Code::UndoBlocked`] with the file on which later work rests; nothing is changed then.
pub(crate) fn undo(plan: Plan, operation: &mut Operation<'_>) -> Result<Undone> {
    operation.projects = plan.parts.iter().map(|part| part.project.clone()).collect();
    if operation.projects.len() == 1 && operation.projects[0] != plan.own {
        // That it was asked for elsewhere is how it is found there, to be taken back itself.
        operation.projects.insert(0, plan.own.clone());
    }
    let operation = &*operation;
    let mut open = begin(&plan.parts, operation)?;
    let mut files = 0;
    for (part, tx) in plan.parts.iter().zip(&mut open) {
        tx.commit_now();
        files += stage(tx, part, plan.operation)?;
    }
    if files == 0 {
        return Err(taken_back_already(plan.operation));
    }
    let subject = format!("undo “{}”", plan.subject);
    let mut commits: Vec<(String, Committed)> = Vec::new();
    for (part, tx) in plan.parts.iter().zip(open) {
        let rest = format!("`swift undo {}` takes back the rest", plan.operation.random_part());
        let committed = tx.commit(&subject).map_err(|fault| match commits.is_empty() {
            true => fault,
            false => fault.hint(rest),
        })?;
        commits.push((part.project.clone(), committed));
    }
    Ok(Undone { operation: plan.operation, subject: plan.subject, commits, files })
}

fn taken_back_already(operation: OperationId) -> Fault {
    Fault::new(Code::Overtaken, format!("operation {operation} is taken back already"))
        .hint("`swift log` shows what happened")
}

/// The locks are taken in the order of the paths, as a round of the orchestrator does: taken in the order in which
/// they are committed, the two could wait for each other. They come back in the order of the parts.
fn begin<'q>(parts: &'q [Part], operation: &'q Operation<'q>) -> Result<Vec<Tx<'q>>> {
    let mut by_path: Vec<(usize, &Part)> = parts.iter().enumerate().collect();
    by_path.sort_by(|(_, a), (_, b)| a.queue.home.root.cmp(&b.queue.home.root));
    let mut open = Vec::new();
    for (place, part) in by_path {
        open.push((place, Tx::begin(&part.queue, operation)?));
    }
    open.sort_by_key(|(place, _)| *place);
    Ok(open.into_iter().map(|(_, tx)| tx).collect())
}

/// Stage what one repository gets back; how many files that are. What an undo that was cut off has brought back already
/// is passed over.
fn stage(tx: &mut Tx<'_>, part: &Part, undone: OperationId) -> Result<usize> {
    let mut states = States::default();
    let is_back = was_taken_back(&part.queue, undone)?;
    let mut staged = 0;
    for file in &part.files {
        let left = blob(tx, file.left.as_deref())?;
        let now = tx.read(&file.path)?;
        let before = as_before(tx.queue, part.former(file)?, now.as_deref());
        if is_back && now == before {
            continue;
        }
        staged += 1;
        if !is_as_left(tx.queue, now.as_deref(), left.as_deref()) {
            return Err(rested_on(part, &file.path));
        }
        states.note(tx, &file.path, left.as_deref(), before.as_deref());
        match before {
            Some(bytes) => {
                tx.put(&file.path, bytes)?;
            }
            None => tx.remove(&file.path)?,
        }
    }
    if staged > 0 {
        states.record(tx, undone);
    }
    Ok(staged)
}

fn blob(tx: &Tx<'_>, id: Option<&str>) -> Result<Option<Vec<u8>>> {
    id.map(|id| tx.queue.home.blob(id)).transpose()
}
