//! Take back one operation in every repository that it touched, by new commits.
//!
//! Each file that the operation changed gets back what it was before, provided that it still is what the operation
//! left: later work is never overwritten. The log only grows; taking back is an event too, and can be taken back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{OperationId, TaskId};
use crate::domain::settings::CommitPolicy;
use crate::domain::task::{Folder, State, Task};
use crate::domain::text::shown;
use crate::format::audit::digest as content_hash;
use crate::format::{Document, parse_summary};
use crate::store::git::Entry;
use crate::store::queue::Queue;
use crate::store::registry::{self, Registry};
use crate::store::tx::{Committed, Operation, Tx};
use crate::store::{history, layout, message, waiting};

/// How far behind the operation's own time commits are still looked at, in seconds: clocks of machines differ.
const SLACK: i64 = 2 * 24 * 3600;

/// One file and what it is to become.
#[derive(Debug, Clone)]
pub(crate) struct Reversal {
    pub(crate) path: String,
    /// Blob hashes: what the operation left, and what was there before it.
    left: Option<String>,
    before: Option<String>,
}

/// What is to be taken back in one repository.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) project: String,
    pub(crate) files: Vec<Reversal>,
    queue: Queue,
}

/// What is to be taken back.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) operation: OperationId,
    /// The subject of the commit that is taken back.
    pub(crate) subject: String,
    pub(crate) parts: Vec<Part>,
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
/// [`Code::UnknownOperation`], [`Code::Nothing`]; [`Code::Unreachable`] if another repository of it cannot be reached.
pub(crate) fn plan(queue: &Queue, wanted: Option<&str>) -> Result<Plan> {
    let neighbours = neighbours(queue)?;
    let entry = match wanted {
        Some(text) => named(queue, &neighbours, text)?,
        None => {
            refuse_waiting(queue)?;
            newest(queue, &neighbours)?
        }
    };
    refuse_what_is_no_operation_alone(queue, &entry)?;
    let operation = operation_of(&entry).expect("the entry was chosen for its trailer");
    let mut parts = Vec::new();
    for project in projects(queue, &entry) {
        let part = open(queue, &neighbours, &project)?;
        let files = reversals(&part, operation)?;
        if !files.is_empty() {
            let part = Part { project, files, queue: part };
            refuse_what_later_work_rests_on(&part, operation)?;
            parts.push(part);
        }
    }
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
    Ok(Plan { operation, subject, parts })
}

/// What was done last is in no commit yet: taking back the commit before it would surprise.
fn refuse_waiting(queue: &Queue) -> Result<()> {
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
fn refuse_what_is_no_operation_alone(queue: &Queue, entry: &Entry) -> Result<()> {
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
fn refuse_what_later_work_rests_on(part: &Part, undone: OperationId) -> Result<()> {
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

fn rested_on(part: &Part, path: &str) -> Fault {
    let text =
        format!("`{path}` in {} was changed after the operation, so later work rests on it", part.project);
    Fault::new(Code::UndoBlocked, text).hint("take the later operation back first: `swift log` shows it")
}

/// The other queues that an operation may have touched.
fn neighbours(queue: &Queue) -> Result<Registry> {
    let own = Registry::read(queue)?;
    if !own.projects.is_empty() {
        return Ok(own);
    }
    let carrier = registry::carrier(queue).and_then(|path| Queue::open(&path).ok());
    Ok(carrier.and_then(|orchestrator| Registry::read(&orchestrator).ok()).unwrap_or(own))
}

fn operation_of(entry: &Entry) -> Option<OperationId> {
    message::trailer(&entry.message, message::OPERATION)?.parse().ok()
}

/// Undoing the making of the queue is what `uninstall` is for.
fn can_be_undone(entry: &Entry) -> bool {
    operation_of(entry).is_some() && message::trailer(&entry.message, message::VERB) != Some("init")
}

/// Whether a commit changed more than the log: starting a session, say, leaves nothing to take back.
fn changed_files(queue: &Queue, entry: &Entry) -> bool {
    let touched = queue.home.touched(&entry.id).unwrap_or_default();
    touched.iter().any(|touched| can_come_back(&touched.path))
}

/// The log only grows, and a folder that is kept stays so.
fn can_come_back(path: &str) -> bool {
    !path.starts_with(layout::AUDIT) && !path.ends_with(&format!("/{}", layout::KEEP))
}

fn newest(queue: &Queue, neighbours: &Registry) -> Result<Entry> {
    let mut found = first(queue, |entry| can_be_undone(entry) && changed_files(queue, entry))?;
    // A round of the orchestrator leaves no commit in the orchestrator itself.
    for project in &neighbours.projects {
        let Ok(other) = registry::reach(project) else { continue };
        if queue.settings.role == crate::domain::settings::Role::Orchestrator {
            let shared = |entry: &Entry| can_be_undone(entry) && projects_of(entry).len() > 1;
            let candidate = first(&other, shared)?;
            found = found.into_iter().chain(candidate).max_by_key(operation_of);
        }
    }
    found.ok_or_else(|| {
        Fault::new(Code::Nothing, "there is no operation to take back")
            .hint("`swift log` shows what happened")
    })
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

fn named(queue: &Queue, neighbours: &Registry, text: &str) -> Result<Entry> {
    let is_meant =
        |id: OperationId| id.to_string() == text || (text.len() >= 4 && id.random_part().starts_with(text));
    let matches = |entry: &Entry| {
        let others = message::trailer(&entry.message, message::ALSO).unwrap_or_default();
        let mut all =
            operation_of(entry).into_iter().chain(others.split(' ').filter_map(|id| id.parse().ok()));
        can_be_undone(entry) && all.any(is_meant)
    };
    if let Some(entry) = first(queue, matches)? {
        return Ok(entry);
    }
    for project in &neighbours.projects {
        let Ok(other) = registry::reach(project) else { continue };
        if let Some(entry) = first(&other, matches)? {
            return Ok(entry);
        }
    }
    Err(Fault::new(Code::UnknownOperation, format!("no operation `{}` is known here", shown(text)))
        .hint("`swift log` shows the operations"))
}

fn projects_of(entry: &Entry) -> Vec<String> {
    let named = message::trailer(&entry.message, message::PROJECTS);
    named.map(|names| names.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

fn projects(queue: &Queue, entry: &Entry) -> Vec<String> {
    let named = projects_of(entry);
    if named.is_empty() { vec![queue.settings.id.to_string()] } else { named }
}

fn open(queue: &Queue, neighbours: &Registry, project: &str) -> Result<Queue> {
    if project == queue.settings.id.as_str() {
        return Queue::of(queue.home.clone());
    }
    let name = project.parse()?;
    let known = neighbours.resolve(&name).map_err(|fault| {
        Fault::new(Code::Unreachable, format!("the operation touched `{project}` too: {fault}"))
            .hint("take it back in the orchestrator's checkout")
    })?;
    registry::reach(known)
}

/// What the operation did in one repository, over all of its commits there.
fn reversals(queue: &Queue, operation: OperationId) -> Result<Vec<Reversal>> {
    let hand = Hand::of(queue, operation)?;
    let oldest = i64::try_from(operation.milliseconds() / 1000).unwrap_or(0) - SLACK;
    let mut files: BTreeMap<String, Reversal> = BTreeMap::new();
    for entry in queue.home.history()? {
        let entry = entry?;
        if entry.seconds < oldest {
            break;
        }
        if operation_of(&entry) != Some(operation) {
            continue;
        }
        for touched in queue.home.touched(&entry.id)? {
            if !can_come_back(&touched.path) || hand.is_left_alone(&touched.path)? {
                continue;
            }
            // Newest commit first: what was left is known, what was before comes from the oldest.
            let file = files.entry(touched.path.clone()).or_insert(Reversal {
                path: touched.path,
                left: touched.after,
                before: None,
            });
            file.before = touched.before;
        }
    }
    Ok(files.into_values().filter(|file| file.left != file.before).collect())
}

/// What a person had done by hand and the operation merely recorded: that is not the operation's to take back.
struct Hand {
    paths: BTreeMap<String, Option<TaskId>>,
    /// The tasks that the operation itself did something to.
    own: BTreeSet<TaskId>,
}

impl Hand {
    fn of(queue: &Queue, operation: OperationId) -> Result<Hand> {
        let mut hand = Hand { paths: BTreeMap::new(), own: BTreeSet::new() };
        for event in history::since(queue, moment(operation))?.events {
            if event.operation != operation {
                continue;
            }
            let is_by_hand = matches!(event.fact.kind, EventKind::TaskAdopted | EventKind::ChangedByHand);
            match (&event.fact.cause, event.fact.task) {
                (Some(path), task) if is_by_hand => _ = hand.paths.insert(path.clone(), task),
                (_, Some(task)) => _ = hand.own.insert(task),
                _ => {}
            }
        }
        Ok(hand)
    }

    /// A file that was written by hand and then changed by the verb is one blob in one commit.
    fn is_left_alone(&self, path: &str) -> Result<bool> {
        let Some(task) = self.paths.get(path) else { return Ok(false) };
        if task.is_some_and(|task| self.own.contains(&task)) {
            let text = format!("`{path}` was changed by hand and by the operation, in one commit");
            return Err(Fault::new(Code::UndoBlocked, text).hint(
                "`git -C .swift log --patch` shows both; `swift edit` changes what you want otherwise",
            ));
        }
        Ok(true)
    }
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
    if plan.parts.len() > 1 {
        operation.projects = plan.parts.iter().map(|part| part.project.clone()).collect();
    }
    let operation = &*operation;
    let mut open = begin(&plan.parts, operation)?;
    let mut files = 0;
    for (part, tx) in plan.parts.iter().zip(&mut open) {
        tx.commit_now();
        files += stage(tx, part, plan.operation)?;
    }
    if files == 0 {
        return Err(Fault::new(Code::Nothing, format!("operation {} is taken back already", plan.operation))
            .hint("`swift log` shows what happened"));
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
        let newest = now.clone().unwrap_or_default();
        let before =
            blob(tx, file.before.as_deref())?.map(|bytes| with_newest_token(tx.queue, bytes, &newest));
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

/// A task as it was, except that its fencing token stays: one that was given out is never given out again.
fn with_newest_token(queue: &Queue, before: Vec<u8>, newest: &[u8]) -> Vec<u8> {
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

/// Whether a file is what the operation left there. A claim that was taken back has raised its token, which is no work
/// that rests on anything.
fn is_as_left(queue: &Queue, now: Option<&[u8]>, left: Option<&[u8]>) -> bool {
    match (now, left) {
        (Some(now), Some(left)) => now == left || with_newest_token(queue, left.to_owned(), now) == now,
        (now, left) => now == left,
    }
}

/// Whether the log of a repository knows already that the operation was taken back there.
fn was_taken_back(queue: &Queue, undone: OperationId) -> Result<bool> {
    let events = history::since(queue, moment(undone))?.events;
    let id = undone.to_string();
    Ok(events.iter().any(|event| {
        event.fact.kind == EventKind::OperationUndone && event.fact.cause.as_deref() == Some(id.as_str())
    }))
}

fn blob(tx: &Tx<'_>, id: Option<&str>) -> Result<Option<Vec<u8>>> {
    id.map(|id| tx.queue.home.blob(id)).transpose()
}

/// What becomes of each task: the states that the operation left and the ones that return.
#[derive(Default)]
struct States {
    tasks: BTreeMap<TaskId, Turn>,
}

/// One task's way back.
#[derive(Default)]
struct Turn {
    left: Option<State>,
    returns: Option<State>,
    /// SHA-256 of the file that returns.
    content: Option<String>,
}

impl States {
    fn note(&mut self, tx: &Tx<'_>, path: &str, left: Option<&[u8]>, before: Option<&[u8]>) {
        let Some(folder) = layout::folder_of(path) else { return };
        let state = |bytes: Option<&[u8]>, folder: Folder| {
            let task = parse_summary(bytes?, &tx.queue.limits()).ok()?;
            Some((task.id?, task.state(folder, tx.operation.at)))
        };
        if let Some((id, state)) = state(left, folder) {
            self.tasks.entry(id).or_default().left = Some(state);
        }
        if let Some((id, state)) = state(before, folder) {
            let entry = self.tasks.entry(id).or_default();
            entry.returns = Some(state);
            entry.content = before.map(content_hash);
        }
    }

    fn record(self, tx: &mut Tx<'_>, undone: OperationId) {
        if self.tasks.is_empty() {
            tx.record(Fact::of(EventKind::OperationUndone).because(undone.to_string()));
        }
        for (id, turn) in self.tasks {
            let mut fact =
                Fact::task(EventKind::OperationUndone, id, turn.left, turn.returns.unwrap_or(State::Gone));
            fact.content = turn.content;
            tx.record(fact.because(undone.to_string()));
        }
    }
}
