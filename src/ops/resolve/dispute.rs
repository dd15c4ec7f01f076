//! What is open: tasks of which there are two versions, and what each version is.
//!
//! Looked for in three places: paths that git could not join, files in which it left its markers, and tasks that lie
//! in two files. Wherever the two commits are known, a version is what the commit has, not what git made of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::settle;
use crate::domain::task::Folder;
use crate::format::conflict;
use crate::format::{Document, parse_summary};
use crate::store::git::{Blob, Commit, Committed, Join, Unmerged};
use crate::store::layout;
use crate::store::queue::{Queue, id_in_conflict};

use super::edited::{Edited, Logs};
use super::{grown, record};

/// One version of a task.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) path: String,
    pub(super) folder: Folder,
    pub(super) document: Document,
    pub(super) edited: Edited,
}

impl Version {
    /// What the rules look at.
    pub(super) fn of_fields(&self) -> settle::Version<'_> {
        settle::Version { folder: self.folder, task: self.document.task() }
    }
}

/// A task of which there is more than one version.
#[derive(Debug)]
pub(super) struct Dispute {
    pub(super) id: TaskId,
    pub(super) base: Option<Version>,
    /// One if the other side removed the task, none if both did.
    pub(super) versions: Vec<Version>,
    /// Every path of the task that git has left open, or that has a file.
    pub(super) paths: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) disputes: Vec<Dispute>,
    /// Files that stay whatever each side has, and which git has left open.
    pub(super) keeps: BTreeMap<String, Vec<u8>>,
    /// What a person has to settle.
    pub(super) left: Vec<Problem>,
}

/// Where files and versions are looked up.
struct Search<'q> {
    queue: &'q Queue,
    join: Option<Join>,
    committed: Committed,
    logs: Option<Logs>,
    unmerged: Vec<Unmerged>,
}

/// Look for everything that is open.
///
/// # Errors
/// Those of git and of listing the queue.
pub(super) fn find(queue: &Queue) -> Result<Open> {
    let mut committed = queue.home.committed()?;
    let join = queue.home.join()?;
    let logs = join.as_ref().map(|join| Logs::of(&mut committed, join)).transpose()?;
    let unmerged = queue.home.unmerged()?;
    let mut search = Search { queue, join, committed, logs, unmerged };
    let mut open = Open::default();
    for (id, paths) in search.tasks(&mut open)? {
        match search.dispute(id, paths.clone()) {
            Ok(dispute) => open.disputes.push(dispute),
            Err(fault) => {
                let path = paths.into_iter().next().unwrap_or_default();
                open.left.push(Problem::at(path, fault));
            }
        }
    }
    Ok(open)
}

impl Search<'_> {
    /// The tasks that are open, with the paths that are about them.
    fn tasks(&mut self, open: &mut Open) -> Result<BTreeMap<TaskId, BTreeSet<String>>> {
        let mut tasks: BTreeMap<TaskId, BTreeSet<String>> = BTreeMap::new();
        for entry in self.unmerged.clone() {
            if layout::is_keep(&entry.path) {
                open.keeps.insert(entry.path, Vec::new());
                continue;
            }
            if let Some(segment) = grown::segment(&self.committed, &entry)? {
                open.keeps.insert(entry.path, segment);
                continue;
            }
            if record::is_one(&entry.path) {
                match record::settled(self.queue, &self.committed, &entry) {
                    Ok(bytes) => drop(open.keeps.insert(entry.path, bytes)),
                    Err(fault) => open.left.push(Problem::at(entry.path, fault)),
                }
                continue;
            }
            let ids = self.ids_of(&entry);
            if ids.is_empty() {
                open.left.push(Problem::at(entry.path.clone(), not_a_task(&entry.path)));
            }
            for id in ids {
                tasks.entry(id).or_default().insert(entry.path.clone());
            }
        }
        if self.queue.home.is_joining() && !tasks.is_empty() {
            for (id, path) in self.changed_by_both()? {
                tasks.entry(id).or_default().insert(path);
            }
        }
        let listing = self.queue.list(&layout::QUEUE_FOLDERS);
        for problem in listing.problems.iter().filter(|problem| problem.fault.code == Code::Unsettled) {
            match self.id_in_conflict(&problem.path) {
                Some(id) => drop(tasks.entry(id).or_default().insert(problem.path.clone())),
                None if layout::id_in_name(&problem.path).is_some_and(|id| tasks.contains_key(&id)) => {}
                None if self.unmerged.iter().any(|entry| entry.path == problem.path) => {}
                None if self.queue.home.is_joining() => {
                    open.left.push(Problem::at(problem.path.clone(), not_a_task(&problem.path)));
                }
                // It says itself how it is put in order.
                None => open.left.push(problem.clone()),
            }
        }
        let mut files: HashMap<TaskId, Vec<String>> = HashMap::new();
        for item in listing.items {
            let Some(id) = item.id() else { continue };
            files.entry(id).or_default().push(item.path);
        }
        for (id, paths) in files {
            if paths.len() > 1 || tasks.contains_key(&id) {
                tasks.entry(id).or_default().extend(paths);
            }
        }
        Ok(tasks)
    }

    /// Tasks that are not as they were on either side. Where git takes one task for another that looks alike, the paths
    /// that it leaves open are not all that there is to settle.
    fn changed_by_both(&mut self) -> Result<Vec<(TaskId, String)>> {
        let Some(Join { base: Some(base), ours, theirs }) = self.join else { return Ok(Vec::new()) };
        let (ours, theirs) = (self.changed(base, ours)?, self.changed(base, theirs)?);
        let both = ours.into_iter().filter(|(id, _)| theirs.contains_key(id));
        let differs = both.filter(|(id, paths)| theirs.get(id) != Some(paths));
        Ok(differs.filter_map(|(id, paths)| Some((id, paths.into_keys().next()?))).collect())
    }

    /// The paths of each task that a side has changed, and what lies there now.
    fn changed(
        &mut self,
        base: Commit,
        side: Commit,
    ) -> Result<HashMap<TaskId, BTreeMap<String, Option<Blob>>>> {
        let mut tasks: HashMap<TaskId, BTreeMap<String, Option<Blob>>> = HashMap::new();
        for folder in layout::QUEUE_FOLDERS {
            for (path, change) in self.committed.changes(Some(base), side, folder.as_str())? {
                if let Some(id) = layout::id_in_name(&path) {
                    tasks.entry(id).or_default().insert(path, change.after);
                }
            }
        }
        Ok(tasks)
    }

    /// The tasks that a path is about: two, where both sides have put a task of their own there under the same name.
    /// None where a side has something there that no rule can go by.
    fn ids_of(&self, entry: &Unmerged) -> BTreeSet<TaskId> {
        if layout::folder_of(&entry.path).is_none() || !layout::is_named_as_a_task(&entry.path) {
            return BTreeSet::new();
        }
        if let Some(id) = layout::id_in_name(&entry.path) {
            return BTreeSet::from([id]);
        }
        let id = |blob: Blob| self.id_in(&self.committed.read(blob).ok()?);
        let sides: Vec<Option<TaskId>> = [entry.ours, entry.theirs].into_iter().flatten().map(id).collect();
        if sides.is_empty() {
            return entry.base.and_then(id).into_iter().collect();
        }
        sides.into_iter().collect::<Option<BTreeSet<TaskId>>>().unwrap_or_default()
    }

    fn id_in(&self, bytes: &[u8]) -> Option<TaskId> {
        parse_summary(bytes, &self.queue.limits()).ok()?.id
    }

    fn id_in_conflict(&self, path: &str) -> Option<TaskId> {
        id_in_conflict(&self.queue.read(path).ok()??, &self.queue.limits())
    }

    fn sides_at(&self, path: &str) -> Option<conflict::Sides> {
        let bytes = self.queue.read(path).ok()??;
        conflict::sides(std::str::from_utf8(&bytes).ok()?)
    }

    fn dispute(&mut self, id: TaskId, paths: BTreeSet<String>) -> Result<Dispute> {
        if let Some(version) = self.settled_by_hand(id, &paths) {
            return Ok(Dispute { id, base: None, versions: vec![version], paths });
        }
        let found = match self.of_commits(id, &paths)? {
            Some(found) => Some(found),
            None => self.of_stages(id, &paths)?,
        };
        let (base, versions) = match found {
            Some(found) => found,
            None => {
                let found = self.of_files(id, &paths)?;
                refuse_copy(self.queue, id, &found)?;
                found
            }
        };
        if versions.is_empty() && base.is_none() {
            let path = paths.iter().next().cloned().unwrap_or_default();
            return Err(Fault::new(Code::Malformed, format!("`{path}`: neither side can be read"))
                .hint(format!("look at it: `cat .swift/{path}`")));
        }
        Ok(Dispute { id, base, versions, paths })
    }

    /// A person has put the one file in order that git left open, and has not staged it.
    fn settled_by_hand(&self, id: TaskId, paths: &BTreeSet<String>) -> Option<Version> {
        let mut there = paths.iter().filter(|path| self.queue.read(path).is_ok_and(|bytes| bytes.is_some()));
        let (path, None) = (there.next()?, there.next()) else { return None };
        let entry = self.unmerged.iter().find(|entry| entry.path == *path)?;
        let bytes = self.queue.read(path).ok()??;
        let blobs = [entry.ours, entry.theirs, entry.base].into_iter().flatten();
        let is_of_git = blobs.filter_map(|blob| self.committed.read(blob).ok()).any(|blob| blob == bytes);
        if is_of_git {
            return None;
        }
        self.version(path, &bytes, Edited::default()).filter(|version| version.document.task().id == Some(id))
    }

    fn version(&self, path: &str, bytes: &[u8], edited: Edited) -> Option<Version> {
        let document = Document::parse(bytes, &self.queue.limits()).ok()?;
        Some(Version { path: path.to_owned(), folder: layout::folder_of(path)?, document, edited })
    }

    /// The versions of the two commits that are joined.
    fn of_commits(&mut self, id: TaskId, paths: &BTreeSet<String>) -> Result<Option<Found>> {
        let Some(join) = self.join else { return Ok(None) };
        let (Some(logs), true) = (self.logs.take(), self.is_as_joined(paths)?) else { return Ok(None) };
        let (ours_edited, theirs_edited) = (logs.of_ours(id), logs.of_theirs(id));
        self.logs = Some(logs);
        let ours = self.in_commit(join.ours, id, paths, ours_edited)?;
        let theirs = self.in_commit(join.theirs, id, paths, theirs_edited)?;
        let base = match join.base {
            Some(base) => self.in_commit(base, id, paths, Edited::default())?,
            None => None,
        };
        let versions: Vec<Version> = ours.into_iter().chain(theirs).collect();
        // Gone on both sides, and left open because git took another task for it.
        let is_gone = versions.is_empty() && self.queue.home.is_joining() && base.is_some();
        Ok((is_gone || !versions.is_empty()).then_some((base, versions)))
    }

    /// Whether what lies there comes from the join and nobody has gone on since.
    fn is_as_joined(&self, paths: &BTreeSet<String>) -> Result<bool> {
        if self.queue.home.is_joining() {
            return Ok(true);
        }
        for path in paths {
            if self.queue.read(path)? != self.queue.home.read_committed(path)? {
                return Ok(false);
            }
        }
        Ok(self.unmerged.is_empty())
    }

    fn in_commit(
        &mut self,
        commit: Commit,
        id: TaskId,
        paths: &BTreeSet<String>,
        edited: Edited,
    ) -> Result<Option<Version>> {
        let mut candidates: BTreeSet<String> = paths.clone();
        for folder in layout::QUEUE_FOLDERS {
            let folder = layout::usual_folder(folder, id);
            let found = self.committed.beginning(commit, &folder, &id.to_string())?;
            candidates.extend(found.into_iter().filter(|path| layout::is_named_as_a_task(path)));
        }
        for path in candidates {
            let Some(blob) = self.committed.file(commit, &path)? else { continue };
            let bytes = self.committed.read(blob)?;
            if let Some(version) = self.version(&path, &bytes, edited.clone())
                && version.document.task().id == Some(id)
            {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The versions that git noted in the index, where it says nothing of the commits.
    fn of_stages(&self, id: TaskId, paths: &BTreeSet<String>) -> Result<Option<Found>> {
        let entries: Vec<&Unmerged> =
            self.unmerged.iter().filter(|entry| paths.contains(&entry.path)).collect();
        let side = |of: fn(&Unmerged) -> Option<Blob>| -> Result<Option<Version>> {
            for entry in &entries {
                let Some(blob) = of(entry) else { continue };
                let bytes = self.committed.read(blob)?;
                let edited = Edited::leaving(self.queue, id, &bytes)?;
                let version = self.version(&entry.path, &bytes, edited);
                if let Some(version) = version.filter(|version| version.document.task().id == Some(id)) {
                    return Ok(Some(version));
                }
            }
            Ok(None)
        };
        let (base, ours, theirs) =
            (side(|entry| entry.base)?, side(|entry| entry.ours)?, side(|entry| entry.theirs)?);
        let mut versions: Vec<Version> = ours.into_iter().chain(theirs).collect();
        if versions.len() == 1 {
            // The other side has moved it, and git has not seen that it is the same task.
            let (_, others) = self.of_files(id, paths)?;
            versions.extend(others.into_iter().filter(|other| !entries.iter().any(|e| e.path == other.path)));
        }
        Ok((!versions.is_empty()).then_some((base, versions)))
    }

    /// The versions that lie there: both texts of a file with markers, or two files.
    fn of_files(&self, id: TaskId, paths: &BTreeSet<String>) -> Result<Found> {
        let (mut base, mut versions) = (None, Vec::new());
        for path in paths {
            let texts: Vec<Vec<u8>> = match self.sides_at(path) {
                Some(sides) => {
                    let text = sides.base.map(String::into_bytes);
                    base = text.and_then(|bytes| self.version(path, &bytes, Edited::default()));
                    vec![sides.ours.into_bytes(), sides.theirs.into_bytes()]
                }
                None => self.queue.read(path)?.into_iter().collect(),
            };
            for bytes in texts {
                let edited = Edited::leaving(self.queue, id, &bytes)?;
                versions.extend(self.version(path, &bytes, edited));
            }
        }
        Ok((base, versions))
    }
}

/// What both began from, and the versions.
type Found = (Option<Version>, Vec<Version>);

/// Where no merge is known that put two files there, one of another title may be a task of its own, written into a copy.
fn refuse_copy(queue: &Queue, id: TaskId, (base, versions): &Found) -> Result<()> {
    let (None, [one, other]) = (base, &versions[..]) else { return Ok(()) };
    if one.path == other.path || one.document.task().title == other.document.task().title {
        return Ok(());
    }
    let Fault { code, message, .. } = queue.in_two_files(id, &one.path, &other.path);
    let of_its_own = [one, other].into_iter().find(|version| layout::id_in_name(&version.path) != Some(id));
    let path = &of_its_own.unwrap_or(other).path;
    Err(Fault::new(code, format!("{message}, with two titles, and no merge is known that put them there"))
        .hint(format!("if they are two tasks: take the line `id = …` out of `.swift/{path}`"))
        .hint("if they are one: give both the same title, and run the command again"))
}

fn not_a_task(path: &str) -> Fault {
    Fault::new(Code::Unsettled, format!("`{path}` is no task: no rule says what becomes of it"))
        .hint(format!("edit `.swift/{path}`, then `git -C .swift add -- {path}`"))
}
