//! Whether everything that the queue has in git can still be read, and is what it was.
//!
//! A verb reads little of it: files are compared with the index, and trees that do not change are taken over as they are.
//! So damage there shows when it is too late. Here every object of HEAD and every commit is read and hashed again, and
//! of older commits what only they have, newest first, as far as that stays quick in a long history; `git fsck` reads all.

use std::collections::{BTreeSet, HashSet, VecDeque};

use gix::ObjectId;
use gix::objs::Kind;

use crate::domain::fault::{Fault, Result};
use crate::store::git::home::find::SETTINGS;
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::objects::tree::{self, Line};
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind, disk, objects};

/// How many objects are read that only older commits have.
const MOST_OLDER: usize = 20_000;

/// The mode of a line that names a commit of another repository.
const SUBMODULE: u32 = 0o160_000;

/// An object that cannot be read, or is not what its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Relative to `.swift/`; empty for a commit, and for the tree at its top.
    pub(crate) path: String,
    /// What is damaged, and how.
    pub(crate) what: String,
    pub(crate) harm: Harm,
}

/// What has come of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    Unreadable,
    /// It is there, and `git replace` has git give another one in its place.
    Replaced,
}

impl Home {
    /// All damage in the objects of the queue.
    ///
    /// # Errors
    /// Those of opening the repository and reading its HEAD; [`Code::Io`](crate::domain::fault::Code::Io) where the system
    /// does not let us look.
    pub(crate) fn damage(&self) -> Result<Vec<Damage>> {
        let Some(tip) = self.tip()?.id else { return Ok(Vec::new()) };
        let repo = self.repo()?;
        let shallow = disk::read(&self.common_dir.join("shallow"))?.unwrap_or_default();
        let replaced = refs::names_below(&self.common_dir, "refs/replace/")?;
        let mut check = Check {
            shallow: String::from_utf8_lossy(&shallow).lines().map(str::to_owned).collect(),
            is_replaced: !replaced.is_empty(),
            seen: HashSet::new(),
            commit: tip,
            left: usize::MAX,
            found: Vec::new(),
            closed: None,
            repo: &repo,
        };
        check.run(tip);
        for id in replaced.iter().filter_map(|name| ObjectId::from_hex(name.as_bytes()).ok()) {
            check.note_replaced(id, self.kind);
        }
        match check.closed {
            Some(fault) => Err(fault),
            None => Ok(check.found),
        }
    }
}

struct Check<'r> {
    repo: &'r Repo,
    /// Commits whose parents were left out of a shallow clone.
    shallow: BTreeSet<String>,
    /// Whether git gives other objects in the place of some: then a name need not be the hash of what is read.
    is_replaced: bool,
    seen: HashSet<ObjectId>,
    /// The commit that is being looked at.
    commit: ObjectId,
    /// How many more trees and files are read.
    left: usize,
    found: Vec<Damage>,
    /// Where the system did not let us look for an object: nothing can be said of what is there.
    closed: Option<Fault>,
}

impl Check<'_> {
    /// Newest first, so that what is named first is what is needed most.
    fn run(&mut self, tip: ObjectId) {
        let mut waiting = VecDeque::from([tip]);
        self.seen.insert(tip);
        while let Some(id) = waiting.pop_front() {
            self.commit = id;
            let Some(data) = self.read(id, Kind::Commit, "") else { continue };
            let Ok(commit) = gix::objs::CommitRef::from_bytes(&data, self.repo.hash) else {
                self.note(id, "", "is not a sound commit");
                continue;
            };
            self.top(commit.tree());
            if id == tip {
                self.left = MOST_OLDER;
            }
            if !self.shallow.contains(&id.to_string()) {
                waiting.extend(commit.parents().filter(|parent| self.seen.insert(*parent)));
            }
        }
    }

    /// The queue's part of a commit, as the one home or the other has it.
    fn top(&mut self, root: ObjectId) {
        let Some(lines) = self.lines(root, "") else { return };
        let folder = lines.iter().find(|line| line.name == FOLDER.as_bytes() && line.is_folder());
        match folder {
            Some(folder) => self.tree(folder.id, ""),
            None if lines.iter().any(|line| line.name == SETTINGS.as_bytes()) => self.below(&lines, ""),
            None => {}
        }
    }

    fn tree(&mut self, id: ObjectId, path: &str) {
        if let Some(lines) = self.lines(id, path) {
            self.below(&lines, path);
        }
    }

    fn below(&mut self, lines: &[Line], path: &str) {
        for line in lines.iter().filter(|line| line.mode != SUBMODULE) {
            let name = String::from_utf8_lossy(&line.name);
            let path = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
            match line.is_folder() {
                true => self.tree(line.id, &path),
                false => drop(self.once(line.id, Kind::Blob, &path)),
            }
        }
    }

    /// The lines of a tree that was not looked at yet.
    fn lines(&mut self, id: ObjectId, path: &str) -> Option<Vec<Line>> {
        let data = self.once(id, Kind::Tree, path)?;
        let lines = tree::parse(&data, self.repo.hash.len_in_bytes());
        if lines.is_none() {
            self.note(id, path, "is not a sound tree");
        }
        lines
    }

    fn once(&mut self, id: ObjectId, kind: Kind, path: &str) -> Option<Vec<u8>> {
        if self.left == 0 || !self.seen.insert(id) {
            return None;
        }
        self.left -= 1;
        self.read(id, kind, path)
    }

    fn read(&mut self, id: ObjectId, kind: Kind, path: &str) -> Option<Vec<u8>> {
        let how = match self.repo.object(id) {
            // The library is content with all of the content; git is not without the end of the file.
            Ok(_) if self.repo.is_cut_off(id) => "its file lost its end, and git cannot read it".to_owned(),
            Ok((found, data)) if found == kind => {
                if self.is_replaced || objects::hash(self.repo.hash, kind, &data).is_ok_and(|hash| hash == id)
                {
                    return Some(data);
                }
                "is not what it was".to_owned()
            }
            Ok((found, _)) => format!("is a {found}"),
            Err(_) if self.repo.is_left_out(id) => return None,
            Err(fault) if self.repo.has(id) => fault.message,
            Err(_) => match self.repo.look_for(id) {
                Ok(()) => "is missing".to_owned(),
                Err(fault) => {
                    self.closed.get_or_insert(fault);
                    return None;
                }
            },
        };
        self.note(id, path, &how);
        None
    }

    /// In the tree a commit may be one of the project's, and how those are joined is the person's own.
    fn note_replaced(&mut self, id: ObjectId, kind: HomeKind) {
        let is_the_queues = |found: Kind| kind == HomeKind::Branch || found != Kind::Commit;
        if let Some(found) = self.repo.object(id).ok().map(|(found, _)| found)
            && self.seen.contains(&id)
            && is_the_queues(found)
        {
            let what = format!("{found} {id} is there, and git gives another one in its place");
            self.found.push(Damage { path: String::new(), what, harm: Harm::Replaced });
        }
    }

    fn note(&mut self, id: ObjectId, path: &str, how: &str) {
        let short = self.commit.to_hex_with_len(12);
        let what = match id == self.commit {
            true => format!("commit {id}: {how}"),
            false => format!("git object {id} of commit {short}: {how}"),
        };
        self.found.push(Damage { path: path.to_owned(), what, harm: Harm::Unreadable });
    }
}
