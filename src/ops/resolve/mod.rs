//! Settle what two sides of a merge have both changed, by a rule for each field.
//!
//! git brings clones together and leaves open what both have changed. Here each such task becomes one again: the rules
//! are in `domain::settle`, the text in `format`. They look at the two versions, at what both began from, and at the log,
//! and at nothing else, so that two clones that settle the same pair apart get the same bytes. Settling is all or
//! nothing for a merge of the queue's own branch, which it concludes; a merge of the person's branch is theirs to end.

mod dispute;
mod edited;
mod grown;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::settle::{self, Settled};
use crate::domain::task::State;
use crate::domain::text::{as_word, shown};
use crate::format::{Document, is_too_large};
use crate::store::git::{Conclusion, Unmerged};
use crate::store::layout;
use crate::store::queue::Queue;
use crate::store::tx::{Committed, Operation, Tx};

use dispute::{Dispute, Version};

/// One task that becomes one again.
#[derive(Debug, Clone)]
pub(crate) struct Resolution {
    pub(crate) id: TaskId,
    pub(crate) title: String,
    /// What each side has.
    pub(crate) sides: Vec<State>,
    pub(crate) state: State,
    /// Where it will lie, relative to `.swift/`; `None` if it is gone.
    pub(crate) path: Option<String>,
    /// How many texts that a rule passed over stand below the body.
    pub(crate) kept: usize,
    bytes: Vec<u8>,
    /// Every path of it that is open now.
    paths: BTreeSet<String>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) resolutions: Vec<Resolution>,
    /// Files of which git does not know whether they stay, with what they hold: they do, whatever each side has. Those that
    /// keep folders of tasks, segments of the log, and records of runs.
    pub(crate) keeps: BTreeMap<String, Vec<u8>>,
    /// What a person has to settle.
    pub(crate) left: Vec<Problem>,
    pub(crate) conclusion: Conclusion,
}

impl Plan {
    /// Whether a person has to put files in order before there is anything to carry out.
    pub(crate) fn is_stuck(&self) -> bool {
        let is_empty = self.resolutions.is_empty() && self.keeps.is_empty();
        is_empty && !self.left.is_empty() && self.conclusion == Conclusion::None
    }

    /// What the plan would leave behind, as bytes: two plans that say the same do the same.
    pub(crate) fn basis(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for resolution in &self.resolutions {
            all.extend_from_slice(resolution.path.as_deref().unwrap_or_default().as_bytes());
            all.extend_from_slice(&resolution.bytes);
        }
        for (path, bytes) in &self.keeps {
            all.extend_from_slice(path.as_bytes());
            all.extend_from_slice(bytes);
        }
        all
    }
}

/// What was done.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) resolutions: Vec<Resolution>,
    /// Files that stay whatever each side has.
    pub(crate) keeps: BTreeMap<String, Vec<u8>>,
    pub(crate) left: Vec<Problem>,
    pub(crate) conclusion: Conclusion,
    pub(crate) committed: Committed,
}

/// Find what is open and work out what becomes of it. Reads only.
///
/// # Errors
/// [`Code::Nothing`] if nothing is open; [`Code::InProgress`] in the middle of a revert; those of git.
pub(crate) fn plan(queue: &Queue, operation: &Operation<'_>, only: Option<&str>) -> Result<Plan> {
    let conclusion = queue.home.conclusion()?;
    if conclusion == Conclusion::Revert {
        return Err(Fault::new(
            Code::InProgress,
            "a revert is in progress, and what it takes back is yours to say",
        )
        .hint("`git -C .swift status` shows how it goes on"));
    }
    if let Some(landed) = queue.home.landed()?.filter(|landed| landed.is_open) {
        let fault = Fault::new(Code::InProgress, landed.text);
        return Err(landed.steps.into_iter().fold(fault, Fault::hint));
    }
    let open = dispute::find(queue)?;
    let mut plan = Plan { resolutions: Vec::new(), keeps: open.keeps, left: open.left, conclusion };
    let shared = shared_paths(&open.disputes);
    let (named, others) = chosen(open.disputes, &shared, only);
    if conclusion == Conclusion::Ours && only.is_some() && !(others.is_empty() && plan.left.is_empty()) {
        plan.conclusion = Conclusion::Theirs("swift resolve");
    }
    for dispute in named {
        let path = dispute.paths.first().cloned().unwrap_or_default();
        match resolution(queue, operation, dispute).map(|resolution| apart(resolution, &shared)) {
            Ok(resolution) => plan.resolutions.push(resolution),
            Err(fault) => plan.left.push(Problem::at(path, fault)),
        }
    }
    // One of them alone would take the path from the other.
    let stuck: BTreeSet<&String> = plan.left.iter().map(|problem| &problem.path).collect();
    let is_free = |resolution: &Resolution| !resolution.paths.iter().any(|path| stuck.contains(path));
    plan.resolutions.retain(is_free);
    if plan.resolutions.is_empty()
        && plan.left.is_empty()
        && (only.is_some() || plan.keeps.is_empty() && conclusion != Conclusion::Ours)
    {
        return Err(nothing(only));
    }
    Ok(plan)
}

/// Paths at which two tasks meet: each side has given a task of its own the same name.
fn shared_paths(disputes: &[Dispute]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let all = disputes.iter().flat_map(|dispute| &dispute.paths);
    all.filter(|path| !seen.insert(*path)).cloned().collect()
}

/// The disputes that are meant, and the others. Tasks that meet at a path are settled together.
fn chosen(
    disputes: Vec<Dispute>,
    shared: &BTreeSet<String>,
    only: Option<&str>,
) -> (Vec<Dispute>, Vec<Dispute>) {
    let named = disputes.iter().filter(|dispute| is_named(dispute.id, only));
    let met: BTreeSet<String> =
        named.flat_map(|dispute| dispute.paths.intersection(shared)).cloned().collect();
    let is_meant = |dispute: &Dispute| is_named(dispute.id, only) || !dispute.paths.is_disjoint(&met);
    disputes.into_iter().partition(is_meant)
}

/// Of tasks that meet at a path each gets the name that a verb would have given it, the same in every clone.
fn apart(resolution: Resolution, shared: &BTreeSet<String>) -> Resolution {
    let Some(folder) = resolution.path.as_ref().filter(|path| shared.contains(*path)) else {
        return resolution;
    };
    let Some(folder) = layout::folder_of(folder) else { return resolution };
    let (id, title) = (resolution.id, &resolution.title);
    let path = Some(layout::task_path(folder, id, &layout::task_name(id, title)));
    Resolution { path, ..resolution }
}

/// What every verb says while a merge waits; `None` where none does.
pub(crate) fn standing(queue: &Queue) -> Option<String> {
    let is_wrong = || queue.home.landed().is_ok_and(|landed| landed.is_some_and(|landed| landed.is_open));
    if !queue.home.is_joining() || is_wrong() {
        return None;
    }
    let open = queue.home.unmerged().unwrap_or_default();
    let conclusion = queue.home.conclusion().ok()?;
    if let Some(operation) = queue.home.left_to_the_person() {
        return Some(format!("a {operation} waits for its end; `git -C .swift status` shows how it goes on"));
    }
    if !open.is_empty() {
        let is_of_log = |entry: &Unmerged| layout::is_of_log(&entry.path);
        let is_of_run = |entry: &Unmerged| record::is_one(&entry.path);
        let of_tasks = open.iter().filter(|entry| layout::folder_of(&entry.path).is_some());
        let is_other = |entry: &&Unmerged| {
            layout::folder_of(&entry.path).is_none() && !is_of_log(entry) && !is_of_run(entry)
        };
        if let (None, Some(other)) = (of_tasks.clone().next(), open.iter().find(is_other)) {
            return Some(no_task(&other.path));
        }
        let tasks = of_tasks.filter(|entry| !layout::is_keep(&entry.path));
        let ids: BTreeSet<_> = tasks.map(|entry| layout::id_in_name(&entry.path)).collect();
        return Some(match ids.len() {
            0 if open.iter().any(is_of_run) => {
                "the record of a run was written on both sides of a merge; `swift resolve` settles it"
                    .to_owned()
            }
            0 if open.iter().any(is_of_log) => {
                "git has left a segment of the audit log open; `swift resolve` settles it".to_owned()
            }
            0 => "a merge has left a folder of tasks open; `swift resolve` settles it".to_owned(),
            1 => "a task was changed on both sides of a merge; `swift resolve` settles it".to_owned(),
            n => format!("{n} tasks were changed on both sides of a merge; `swift resolve` settles them"),
        });
    }
    let waits = conclusion == Conclusion::Ours;
    waits.then(|| "a merge of the queue's branch is not concluded; `swift resolve` concludes it".to_owned())
}

/// Settings, a template, the file of a project: what holds of it no rule can say.
fn no_task(path: &str) -> String {
    let (shown, word) = (shown(path), as_word(Path::new(path)));
    format!(
        "`.swift/{shown}` was changed on both sides of a merge, and is no task: put it in order, then \
         `git -C .swift add {word}`; after that `swift resolve` concludes the merge"
    )
}

fn is_named(id: TaskId, only: Option<&str>) -> bool {
    only.is_none_or(|text| id.to_string() == text || (text.len() >= 4 && id.random_part().starts_with(text)))
}

fn nothing(only: Option<&str>) -> Fault {
    let what = only.map(|text| format!("task `{}`: ", shown(text))).unwrap_or_default();
    Fault::new(Code::Nothing, format!("{what}there is nothing to settle"))
        .hint("`swift doctor` looks at everything")
}

/// One task from its versions, folded in the order in which they were edited.
fn resolution(queue: &Queue, operation: &Operation<'_>, dispute: Dispute) -> Result<Resolution> {
    let state = |version: &Version| version.document.task().state(version.folder, operation.at);
    let sides = dispute.versions.iter().map(state).collect();
    let mut versions = dispute.versions;
    versions.sort_by_cached_key(|version| {
        (version.edited.clone(), version.path.clone(), version.document.to_bytes())
    });
    let mut versions = versions.into_iter();
    let Some(mut settled) = versions.next() else { return Ok(gone(dispute.id, dispute.base, dispute.paths)) };
    let mut kept = 0;
    for later in versions {
        let (next, lines) = joined(dispute.base.as_ref(), &settled, later);
        (settled, kept) = (next, kept + lines);
    }
    let bytes = settled.document.to_bytes();
    if is_too_large(&bytes, &queue.limits()) {
        return Err(Fault::new(Code::TooLarge, format!("both texts together have {} bytes", bytes.len()))
            .hint("raise `max_bytes` in `.swift/swift.toml`"));
    }
    Ok(Resolution {
        id: dispute.id,
        title: settled.document.task().title.clone(),
        sides,
        state: state(&settled),
        path: Some(settled.path),
        kept,
        bytes,
        paths: dispute.paths,
    })
}

/// A task that both sides removed.
fn gone(id: TaskId, base: Option<Version>, paths: BTreeSet<String>) -> Resolution {
    let title = base.map(|base| base.document.task().title.clone()).unwrap_or_default();
    let (sides, bytes) = (vec![State::Gone, State::Gone], Vec::new());
    Resolution { id, title, sides, state: State::Gone, path: None, kept: 0, bytes, paths }
}

/// Two versions as one, and how many paragraphs were kept beside it.
fn joined(base: Option<&Version>, earlier: &Version, later: Version) -> (Version, usize) {
    let Settled { folder, task, kept } =
        settle::settle(base.map(Version::of_fields), earlier.of_fields(), later.of_fields());
    let (document, kept) =
        Document::settled(base.map(|base| &base.document), &earlier.document, &later.document, &task, kept);
    let path = [&later, earlier].into_iter().find(|version| version.folder == folder).map(|v| v.path.clone());
    let path = path.unwrap_or_else(|| {
        let id = task.id.expect("a task in dispute was found by its id");
        layout::task_path(folder, id, &layout::task_name(id, &task.title))
    });
    (Version { path, folder, document, edited: later.edited }, kept)
}

/// Settle everything that is open, or one task of it.
///
/// # Errors
/// [`Code::Unsettled`] if a file that is no task stands in the way of concluding; those of the commit. Nothing is
/// changed then.
pub(crate) fn resolve(queue: &Queue, operation: &Operation<'_>, only: Option<&str>) -> Result<Resolved> {
    let mut tx = Tx::begin(queue, operation)?;
    let Plan { resolutions, keeps, left, conclusion } = plan(queue, operation, only)?;
    if conclusion == Conclusion::Ours && !left.is_empty() {
        let first = &left[0];
        return Err(Fault { code: Code::Unsettled, ..first.fault.clone() });
    }
    if resolutions.is_empty() && keeps.is_empty() && !left.is_empty() {
        // Nothing is settled, so nothing goes on.
        return Ok(Resolved { resolutions, keeps, left, conclusion, committed: Committed::default() });
    }
    for resolution in &resolutions {
        stage(&mut tx, resolution)?;
    }
    for (path, bytes) in &keeps {
        tx.put(path, bytes.clone())?;
        tx.even_if_same(path);
    }
    tx.conclude(conclusion);
    let committed = tx.commit(&subject(&resolutions))?;
    Ok(Resolved { resolutions, keeps, left, conclusion, committed })
}

fn stage(tx: &mut Tx<'_>, resolution: &Resolution) -> Result<()> {
    for path in resolution.paths.iter().filter(|path| Some(*path) != resolution.path.as_ref()) {
        tx.remove(path)?;
        tx.even_if_same(path);
    }
    let from = resolution.sides.first().copied();
    let mut fact = Fact::task(EventKind::TaskMerged, resolution.id, from, resolution.state);
    if let Some(path) = &resolution.path {
        fact.content = Some(tx.put(path, resolution.bytes.clone())?);
        tx.even_if_same(path);
    }
    tx.record(fact.because("settled by `swift resolve`"));
    Ok(())
}

fn subject(resolutions: &[Resolution]) -> String {
    match resolutions {
        [] => "resolve a merge".to_owned(),
        [one] => super::step::subject("resolve", one.id, &one.title),
        many => format!("resolve {} tasks of a merge", many.len()),
    }
}
