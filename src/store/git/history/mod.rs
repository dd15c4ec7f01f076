//! Reading the queue back from git: its commits, what each did, and where the folder differs from HEAD.
//!
//! The room owns every question to the past: what commits hold, who made them, what was taken back or is out of reach.
//! It only reads; what follows from an answer is decided elsewhere.
//!
//! Both homes are read in the same way: the queue's tree is the top of a commit that has the settings file there,
//! and the `.swift` folder otherwise. So the history stays one when the queue moves from one home to the other.

pub(super) mod committed;
mod committed_by_hand;
mod farewell;
mod origin;
mod reverted;
mod rewound;
mod taken_out;

pub(crate) use committed::{Blob, Change as CommittedChange, Commit, Committed};
pub(crate) use farewell::Farewells;
pub(crate) use taken_out::TakenOut;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::fs::File;
use std::rc::Rc;

use gix::ObjectId;

use super::disk::folder::Folder;
use super::health::ignored::is_never_ignored;
use super::home::find::SETTINGS;
use super::home::worktree::FOLDER;
use super::index::file::Entries;
use super::index::sweep::{Known, Reach, Sweep, Version, is_looked_at};
use super::objects::tree::{self, Leaf};
use super::repo::{CommitData, Repo, refs};
use super::{Entry, Home, Touched, disk, index};
use crate::domain::fault::{Code, Fault, Result};

/// A file of the queue that is not as HEAD has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    /// HEAD's blob, `None` if HEAD does not have the file.
    pub(crate) before: Option<String>,
    /// The blob that the file would be, `None` if it is gone; the null one for a file too large to be looked into.
    pub(crate) after: Option<String>,
}

impl Changed {
    pub(super) fn new(path: String, before: Option<ObjectId>, after: Option<ObjectId>) -> Changed {
        let hex = |id: Option<ObjectId>| id.map(|id| id.to_string());
        Changed { path, before: hex(before), after: hex(after) }
    }
}

impl Home {
    /// The content of a file as HEAD has it.
    pub(crate) fn read_committed(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let repo = self.repo()?;
        let Some(id) = self.tip()?.id else { return Ok(None) };
        let root = repo.commit(id)?.tree;
        match tree::lookup(&repo, root, &self.in_tree(path))? {
            Some(line) if !line.is_folder() => repo.blob(line.id).map(Some),
            _ => Ok(None),
        }
    }

    /// The content of a file in history.
    pub(crate) fn blob(&self, id: &str) -> Result<Vec<u8>> {
        let repo = self.repo()?;
        let id = repo.id(id)?;
        repo.blob(id)
    }

    /// The commits that changed the queue, newest first.
    pub(crate) fn history(&self) -> Result<impl Iterator<Item = Result<Entry>> + use<>> {
        let repo = self.repo()?;
        let mut walk = Walk::new(Reader::new(repo));
        if let Some(id) = self.tip()?.id {
            walk.push(id)?;
        }
        Ok(walk)
    }

    /// The newest commit of the branch that the queue is on; `None` before the first.
    pub(crate) fn head(&self) -> Result<Option<String>> {
        Ok(self.tip()?.id.map(|id| id.to_string()))
    }

    /// The time of the newest commit of the queue, in seconds since 1970; `None` before the first.
    pub(crate) fn head_seconds(&self) -> Option<i64> {
        self.history().ok()?.next()?.ok().map(|entry| entry.seconds)
    }

    /// What a commit did to the queue, compared with its first parent.
    ///
    /// # Errors
    /// [`Code::Git`] if what was before the commit is not here: it would seem to have made everything that it has.
    pub(crate) fn touched(&self, commit: &str) -> Result<Vec<Touched>> {
        let mut reader = Reader::new(self.repo()?);
        let id = reader.repo.id(commit)?;
        self.refuse_replaced(id)?;
        let data = reader.commit(id)?;
        let before = match data.parents.first() {
            Some(parent) if reader.repo.holds(*parent) => reader.queue(*parent)?,
            Some(parent) => return Err(self.cut_off(&reader.repo, id, *parent)),
            None => None,
        };
        let after = reader.queue(id)?;
        let mut touched = Vec::new();
        tree::compare(&reader.repo, before, after, "", &mut |path, old, new| {
            let hex = |leaf: Option<Leaf>| leaf.map(|leaf| leaf.id.to_string());
            touched.push(Touched { path, before: hex(old), after: hex(new) });
        })?;
        Ok(touched)
    }

    /// Another commit stands in for this one (`git replace`), and with it other parents, or none.
    fn refuse_replaced(&self, commit: ObjectId) -> Result<()> {
        if refs::resolve(&self.common_dir, &format!("refs/replace/{commit}"))?.is_none() {
            return Ok(());
        }
        let text = format!("what was before commit {commit} is not told: another commit stands in for it");
        Err(Fault::new(Code::Git, text)
            .hint("`git replace --list` shows what git was told to take for something else"))
    }

    /// Whether history ends somewhere because the rest was not fetched.
    pub(crate) fn is_shallow(&self) -> bool {
        self.common_dir.join("shallow").symlink_metadata().is_ok()
    }

    /// Why a parent is not here.
    fn cut_off(&self, repo: &Repo, commit: ObjectId, parent: ObjectId) -> Fault {
        let shallow = disk::read(&self.common_dir.join("shallow")).ok().flatten().unwrap_or_default();
        let name = commit.to_string();
        if shallow.split(|byte| *byte == b'\n').any(|line| line == name.as_bytes()) {
            let text = format!("what was before commit {commit} is not in this shallow clone");
            return Fault::new(Code::Git, text).hint("`git fetch --unshallow` brings the whole history");
        }
        repo.missing(parent)
    }

    /// Files of the queue's folder that differ from HEAD, new ones included unless git ignores them.
    pub(crate) fn changed_files(&self) -> Result<Vec<Changed>> {
        self.changed_files_but(&[], Reach::Files)
    }

    /// The same without what lies in these folders at the top.
    pub(super) fn changed_files_but(&self, passed_over: &[&str], reach: Reach) -> Result<Vec<Changed>> {
        let repo = self.repo()?;
        let index = disk::open(&self.index_path())?;
        let id_len = repo.hash.len_in_bytes();
        let head = self.tip()?.id.map(|id| repo.commit(id)).transpose()?.map(|commit| commit.tree);
        let queue = head.map(|root| self.queue_tree(&repo, root)).transpose()?.flatten();
        let in_step = index
            .as_ref()
            .filter(|index| queue.is_some_and(|queue| self.is_in_step(queue, Version::of(index))));
        let written = index.as_ref().map_or((0, 0), written_at);
        let known = in_step.and_then(|index| Known::of(index, id_len, self, reach, written).ok());
        let mut changed = match known {
            Some(known) => self.compared_with_index(&repo, &known, passed_over, written)?,
            None => {
                let entries = index.and_then(|index| Entries::all(&index, id_len).ok());
                self.compared_with_head(&repo, entries.as_ref(), written)?
            }
        };
        changed.retain(|changed| is_looked_at(&changed.path, passed_over));
        self.without_ignored(&mut changed)?;
        changed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changed)
    }

    /// The index stands for HEAD.
    fn compared_with_index(
        &self,
        repo: &Repo,
        known: &Known,
        passed_over: &[&str],
        written: (u32, u32),
    ) -> Result<Vec<Changed>> {
        let sweep = Sweep { known, prefix: self.prefix(), written, root: &self.root, passed_over };
        let (doubtful, gone) = sweep.run()?;
        let before = |path: &str| {
            let entry = known.entries.find(self.in_tree(path).as_bytes());
            entry.map(|entry| ObjectId::from_bytes_or_panic(entry.id()))
        };
        let folder = Folder::open(&self.root)?;
        let hex = |id: Option<ObjectId>| id.map(|id| id.to_string());
        let mut changed = Vec::new();
        for path in doubtful {
            let before = before(&path);
            let after = folder.id(repo, &path, before)?;
            if after != before {
                changed.push(Changed { before: hex(before), after: hex(after), path });
            }
        }
        for path in gone {
            if folder.is_closed(&path) {
                changed.push(Changed::new(path.clone(), before(&path), Some(ObjectId::null(repo.hash))));
            } else if folder.stat(&path)?.is_none() {
                changed.push(Changed { before: hex(before(&path)), after: None, path });
            }
        }
        Ok(changed)
    }

    /// The index tells which files need not be read, and nothing more.
    fn compared_with_head(
        &self,
        repo: &Repo,
        index: Option<&Entries>,
        written: (u32, u32),
    ) -> Result<Vec<Changed>> {
        let committed = self.committed_files(repo)?;
        let folder = Folder::open(&self.root)?;
        let mut present = Vec::new();
        folder.list("", &mut present)?;
        let mut changed = Vec::new();
        for path in &present {
            let head = committed.get(path).map(|leaf| leaf.id);
            let stamp = folder.stat(path)?.map(|stat| index::stamp_of(&stat));
            let known = index.and_then(|index| index.find(self.in_tree(path).as_bytes()));
            let fresh = known.is_some_and(|entry| {
                Some(entry.stamp()) == stamp
                    && entry.stamp().mtime < written
                    && head.is_some_and(|id| id.as_slice() == entry.id())
            });
            if !fresh {
                let after = folder.id(repo, path, head)?;
                if after != head {
                    changed.push(Changed::new(path.clone(), head, after));
                }
            }
        }
        let seen: HashSet<&String> = present.iter().collect();
        for (path, leaf) in &committed {
            if seen.contains(path) {
                continue;
            }
            if folder.is_closed(path) {
                changed.push(Changed::new(path.clone(), Some(leaf.id), Some(ObjectId::null(repo.hash))));
            } else if folder.stat(path)?.is_none() {
                changed.push(Changed { path: path.clone(), before: Some(leaf.id.to_string()), after: None });
            }
        }
        Ok(changed)
    }

    pub(super) fn committed_files(&self, repo: &Repo) -> Result<BTreeMap<String, Leaf>> {
        let mut files = BTreeMap::new();
        let Some(id) = self.tip()?.id else { return Ok(files) };
        if let Some(top) = self.queue_tree(repo, repo.commit(id)?.tree)? {
            tree::flatten(repo, top, "", &mut files)?;
        }
        Ok(files)
    }

    /// Only new files can be ignored, and what the queue consists of cannot.
    pub(super) fn without_ignored(&self, changed: &mut Vec<Changed>) -> Result<()> {
        let new: Vec<String> = changed
            .iter()
            .filter(|file| file.before.is_none() && !is_never_ignored(&file.path))
            .map(|file| self.in_tree(&file.path))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let ignored = self.ignored(&new)?;
        changed.retain(|file| file.before.is_some() || !ignored.contains(&self.in_tree(&file.path)));
        Ok(())
    }
}

/// The time of an index: a file as young as that may have been edited in the same instant.
pub(super) fn written_at(index: &File) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    index.metadata().map_or((0, 0), |index| (index.mtime() as u32, index.mtime_nsec() as u32))
}

/// Commits and queue trees, each read once.
pub(super) struct Reader {
    pub(super) repo: Rc<Repo>,
    commits: HashMap<ObjectId, Rc<CommitData>>,
    queues: HashMap<ObjectId, Option<ObjectId>>,
}

/// A commit since the last one of a verb.
pub(super) struct Since {
    pub(super) id: ObjectId,
    /// How many parents it names.
    pub(super) parents: usize,
    /// Those of them that are here.
    pub(super) here: Vec<ObjectId>,
}

impl Reader {
    pub(super) fn new(repo: Rc<Repo>) -> Self {
        Reader { repo, commits: HashMap::new(), queues: HashMap::new() }
    }

    pub(super) fn commit(&mut self, id: ObjectId) -> Result<Rc<CommitData>> {
        if let Some(data) = self.commits.get(&id) {
            return Ok(Rc::clone(data));
        }
        let data = Rc::new(self.repo.commit(id)?);
        self.commits.insert(id, Rc::clone(&data));
        Ok(data)
    }

    /// The commits since the last one of a verb, at most so many, each with those of its parents that are here. What lies
    /// before a verb it has recorded itself; but not what its own merge brought.
    pub(super) fn since_verb(
        &mut self,
        head: ObjectId,
        is_verb: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Vec<Since>> {
        let mut found = Vec::new();
        let (mut waiting, mut seen) = (vec![head], BTreeSet::from([head]));
        while let Some(id) = waiting.pop().filter(|_| seen.len() < most) {
            let commit = self.commit(id)?;
            if is_verb(&commit.message) && commit.parents.len() < 2 {
                continue;
            }
            let here: Vec<ObjectId> =
                commit.parents.iter().copied().filter(|id| self.repo.holds(*id)).collect();
            waiting.extend(here.iter().copied().filter(|id| seen.insert(*id)));
            found.push(Since { id, parents: commit.parents.len(), here });
        }
        Ok(found)
    }

    /// The queue's tree in a commit.
    pub(super) fn queue(&mut self, id: ObjectId) -> Result<Option<ObjectId>> {
        if let Some(queue) = self.queues.get(&id) {
            return Ok(*queue);
        }
        let root = self.commit(id)?.tree;
        let lines = self.repo.tree(root)?;
        let folder = lines.iter().find(|line| line.name == FOLDER.as_bytes() && line.is_folder());
        let settings = lines.iter().any(|line| line.name == SETTINGS.as_bytes() && !line.is_folder());
        let queue = folder.map(|line| line.id).or(settings.then_some(root));
        self.queues.insert(id, queue);
        Ok(queue)
    }
}

/// A walk over all ancestors by commit time.
struct Walk {
    reader: Reader,
    waiting: BinaryHeap<(i64, std::cmp::Reverse<usize>, ObjectId)>,
    seen: HashSet<ObjectId>,
}

impl Walk {
    fn new(reader: Reader) -> Self {
        Walk { reader, waiting: BinaryHeap::new(), seen: HashSet::new() }
    }

    fn push(&mut self, id: ObjectId) -> Result<()> {
        // The end of a shallow clone: the parent is named and not there.
        if self.seen.contains(&id) || (!self.seen.is_empty() && !self.reader.repo.holds(id)) {
            return Ok(());
        }
        let seconds = self.reader.commit(id)?.seconds;
        self.waiting.push((seconds, std::cmp::Reverse(self.seen.len()), id));
        self.seen.insert(id);
        Ok(())
    }

    /// Look at one commit; it comes back if it changed the queue.
    fn step(&mut self, id: ObjectId) -> Result<Option<Entry>> {
        let data = self.reader.commit(id)?;
        let queue = self.reader.queue(id)?;
        let mut same = false;
        for parent in &data.parents {
            self.push(*parent)?;
            if self.seen.contains(parent) {
                same |= self.reader.queue(*parent)? == queue;
            }
        }
        if queue.is_none() && data.parents.is_empty() || same {
            return Ok(None);
        }
        Ok(Some(Entry { id: id.to_string(), message: data.message.clone(), seconds: data.seconds }))
    }
}

impl Iterator for Walk {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((_, _, id)) = self.waiting.pop() {
            match self.step(id) {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}
