//! Finding what differs from HEAD at the price of looking at each file once.
//!
//! Reading HEAD's trees costs more than everything else a verb does in a large queue, and the index knows it all:
//! so after each commit a record says which index it is that agrees with which tree. As long as the index is that
//! very file, its entries stand for HEAD, and files are compared with them alone. The record is only a hint:
//! without it, or after git has written the index, HEAD is read as before.
//!
//! Before each verb, folders that only `swift` writes, the log, the archives and the records of runs, are not looked at: they grow with
//! everything that was ever finished. Whether they are as they were is a question for `audit verify` and `doctor`.

use std::collections::HashSet;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use gix::ObjectId;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::file::{Entries, Trouble};
use super::outline::Outline;
use crate::domain::fault::Result;
use crate::store::entries;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::objects::tree;
use crate::store::git::repo::Repo;
use crate::store::git::{Home, HomeKind, index};

/// What no verb looks at, at the top of the queue.
const PASSED_OVER: [&str; 3] = ["audit", "archive", "runs"];

/// What the record begins with.
const HEAD_LINE: &str = "swift in step 1";

/// What tells one version of the index from every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Version(String);

impl Version {
    /// Of the file at a path; `None` if it cannot be told.
    pub(in crate::store::git) fn at(path: &Path) -> Option<Version> {
        version(CWD, path, AtFlags::empty())
    }

    /// Of an open file; renaming it changes nothing.
    pub(in crate::store::git) fn of(file: &std::fs::File) -> Option<Version> {
        version(file, Path::new(""), AtFlags::EMPTY_PATH)
    }
}

fn version(at: impl std::os::fd::AsFd, path: &Path, flags: AtFlags) -> Option<Version> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME | StatxFlags::SIZE | StatxFlags::MTIME;
    let stat = rustix::fs::statx(at, path, flags, wanted).ok()?;
    let (born, changed) = (stat.stx_btime, stat.stx_mtime);
    Some(Version(format!(
        "{}:{}:{}.{}:{}.{}",
        stat.stx_ino, stat.stx_size, born.tv_sec, born.tv_nsec, changed.tv_sec, changed.tv_nsec
    )))
}

impl Home {
    /// Paths below `.swift/` that differ from HEAD, the log and the archives left out.
    ///
    /// # Errors
    /// [`Code::Io`](crate::domain::fault::Code::Io), and those of reading HEAD;
    /// [`Code::Unsupported`](crate::domain::fault::Code::Unsupported) if one is gone that git was told to leave out.
    pub(crate) fn edited_files(&self, reach: Reach) -> Result<Vec<String>> {
        let changed = self.changed_files_but(&PASSED_OVER, reach)?;
        if changed.iter().any(|changed| changed.after.is_none()) {
            self.refuse_left_out()?;
        }
        Ok(changed.into_iter().map(|changed| changed.path).collect())
    }

    /// The queue's own tree in the tree of a commit.
    pub(in crate::store::git) fn queue_tree(&self, repo: &Repo, root: ObjectId) -> Result<Option<ObjectId>> {
        match self.kind {
            HomeKind::Branch => Ok(Some(root)),
            HomeKind::Tree => {
                Ok(tree::lookup(repo, root, FOLDER)?.filter(tree::Line::is_folder).map(|line| line.id))
            }
        }
    }

    /// Whether this version of the index is known to have exactly the files of this tree of the queue.
    pub(in crate::store::git) fn is_in_step(&self, queue: ObjectId, version: Option<Version>) -> bool {
        let Some(version) = version else { return false };
        let record = disk::read(&self.step_path()).ok().flatten();
        record.is_some_and(|record| record == step(queue, &version).into_bytes())
    }

    /// Whether this version of the index was written by us, and agreed with a commit then.
    pub(in crate::store::git) fn is_as_written(&self, version: &Version) -> bool {
        let record = disk::read(&self.step_path()).ok().flatten();
        record.is_some_and(|record| record.ends_with(format!("\n{}\n", version.0).as_bytes()))
    }

    /// The queue's tree in the last commit of a verb here of which the index was known to agree with it.
    pub(in crate::store::git) fn tree_of_last_verb(&self, repo: &Repo) -> Option<ObjectId> {
        let record = disk::read(&self.step_path()).ok().flatten()?;
        let tree = record
            .strip_prefix(HEAD_LINE.as_bytes())?
            .strip_prefix(b"\n")?
            .split(|byte| *byte == b'\n')
            .next()?;
        repo.id(std::str::from_utf8(tree).ok()?).ok()
    }

    /// Note that this version of the index has exactly the files of this tree. Lost, it costs time and nothing else.
    pub(in crate::store::git) fn note_in_step(&self, queue: ObjectId, version: &Version) {
        let _ = self.write_record(&self.step_path(), step(queue, version).as_bytes());
    }

    /// Whether an index has exactly the files of this tree.
    pub(in crate::store::git) fn agrees(&self, repo: &Repo, index: &File, queue: ObjectId) -> Result<bool> {
        let Ok(index) = Entries::all(index, repo.hash.len_in_bytes()) else { return Ok(false) };
        let mut files = std::collections::BTreeMap::new();
        tree::flatten(repo, queue, "", &mut files)?;
        let prefix = self.prefix().as_bytes();
        let own = index.below(prefix);
        Ok(own.len() == files.len()
            && own.zip(&files).all(|(position, (path, leaf))| {
                let entry = index.at(position);
                entry.plain
                    && entry.path.strip_prefix(prefix) == Some(path.as_bytes())
                    && entry.id() == leaf.id.as_slice()
            }))
    }

    /// What stands before each path of the queue in the index.
    pub(in crate::store::git) fn prefix(&self) -> &'static str {
        match self.kind {
            HomeKind::Branch => "",
            HomeKind::Tree => ".swift/",
        }
    }

    fn step_path(&self) -> std::path::PathBuf {
        self.records().join("in-step")
    }
}

fn step(queue: ObjectId, version: &Version) -> String {
    format!("{HEAD_LINE}\n{queue}\n{}\n", version.0)
}

/// What the index says about the files that are looked at.
#[derive(Debug)]
pub(in crate::store::git) struct Known {
    pub(in crate::store::git) entries: Entries,
    /// Folders whose files are as the index says, because no name in them has changed since; without a `/` at their
    /// ends, relative to the queue.
    still: HashSet<String>,
}

impl Known {
    /// Read what is needed of an index that was written at a time.
    pub(in crate::store::git) fn of(
        index: &File,
        id_len: usize,
        home: &Home,
        reach: Reach,
        written: (u32, u32),
    ) -> Result<Known, Trouble> {
        if reach == Reach::Files {
            return Known::all(index, id_len);
        }
        let prefix = home.prefix().as_bytes();
        let outline = Outline::of(index, id_len, prefix)?;
        let (is_large, emptied) = (outline.len() >= LARGE, outline.emptied());
        let full = outline.from(FULL);
        let past = outline.all_but_last(&[prefix, SESSIONS].concat(), FULL);
        let is_short = emptied.len() < MANY && past.is_empty();
        if !is_large && is_short && !full.iter().any(|folder| is_of(folder, prefix, &FINISHED)) {
            return Known::all(index, id_len);
        }
        let is_worth_it = |folder: &&[u8]| {
            is_large || emptied.contains(folder) || full.contains(folder) && is_of(folder, prefix, &FINISHED)
        };
        let may_rest =
            |folder: &&[u8]| past.contains(folder) || is_of(folder, prefix, &SPREAD) && is_worth_it(folder);
        let root = rustix::fs::open(&home.root, FLAGS, Mode::empty()).map_err(std::io::Error::from)?;
        let path = |folder: &[u8]| String::from_utf8(folder[prefix.len()..folder.len() - 1].to_vec()).ok();
        let still: HashSet<String> = outline
            .leaves()
            .filter(may_rest)
            .filter_map(path)
            .filter(|folder| is_still(&root, folder, written))
            .collect();
        let is_still = |folder: &[u8]| {
            folder.len() > prefix.len() && path(folder).is_some_and(|path| still.contains(&path))
        };
        let entries = outline.entries_outside(index, is_still)?;
        Ok(Known { entries, still })
    }

    fn all(index: &File, id_len: usize) -> Result<Known, Trouble> {
        Ok(Known { entries: Entries::all(index, id_len)?, still: HashSet::new() })
    }
}

/// Whether a folder of the index lies in one of these of the queue.
fn is_of(folder: &[u8], prefix: &[u8], tops: &[&str]) -> bool {
    let slash = |path: &[u8]| path.iter().position(|byte| *byte == b'/');
    let Some(path) = folder.strip_prefix(prefix) else { return false };
    slash(path).is_some_and(|at| at + 1 < path.len() && tops.iter().any(|top| top.as_bytes() == &path[..at]))
}

/// Whether no name in a folder has changed since a time.
fn is_still(root: &OwnedFd, folder: &str, written: (u32, u32)) -> bool {
    rustix::fs::statat(root, folder, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::Directory && index::stamp_of(&stat).mtime < written
    })
}

/// A comparison of the queue's folder with an index that stands for HEAD.
pub(in crate::store::git) struct Sweep<'a> {
    pub(in crate::store::git) known: &'a Known,
    pub(in crate::store::git) prefix: &'static str,
    /// The time of the index: a file as young as that may have been edited in the same instant.
    pub(in crate::store::git) written: (u32, u32),
    pub(in crate::store::git) root: &'a Path,
    /// Folders at the top that are not looked at.
    pub(in crate::store::git) passed_over: &'a [&'a str],
}

/// How closely a folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Each file.
    Files,
    /// Finished work, sessions of past months, and in a large queue all tasks, only where names were added, removed or
    /// replaced since the last commit; that is what most editors do when they save. A file that was written in place is
    /// found by a look at each file.
    Names,
}

/// From how many files on [`Reach::Names`] makes a difference.
const LARGE: usize = 2_000;

/// From how many folders on that hold nothing but the file that keeps them they are only looked at from outside, however
/// small the queue: after a year there is one for each way in which names of tasks begin.
const MANY: usize = 8;

/// From how many files on a folder of finished work is only looked at from outside, however small the queue: what a
/// verb costs must not grow with what was ever finished.
const FULL: usize = 24;

/// Folders of tasks, each spread over subfolders.
const SPREAD: [&str; 3] = ["tasks", "sent", "done"];

/// Those of them with work that nobody works on any more.
const FINISHED: [&str; 2] = ["sent", "done"];

/// The folder with the records of sessions, by month; nobody writes in those of a month that is over.
const SESSIONS: &[u8] = b"sessions/";

/// What a comparison finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Paths of files that are new or may have changed.
    pub(super) doubtful: Vec<String>,
    /// Positions of the entries whose files are there.
    present: Vec<usize>,
}

impl Sweep<'_> {
    /// The files that may differ, and the entries whose files are gone.
    pub(in crate::store::git) fn run(&self) -> Result<(Vec<String>, Vec<String>)> {
        let fd = rustix::fs::open(self.root, FLAGS, Mode::empty()).or_io("open", self.root)?;
        let found = self.folder(&fd, "")?;
        let entries = &self.known.entries;
        let own = entries.below(self.prefix.as_bytes());
        let mut gone = Vec::new();
        if found.present.len() < own.len() {
            let mut here = vec![false; own.len()];
            found.present.iter().for_each(|position| here[*position - own.start] = true);
            for (position, _) in own.zip(here).filter(|(_, here)| !here) {
                let path = String::from_utf8(entries.at(position).path[self.prefix.len()..].to_vec());
                gone.extend(path.ok().filter(|path| is_looked_at(path, self.passed_over)));
            }
        }
        Ok((found.doubtful, gone))
    }

    fn folder(&self, fd: &OwnedFd, path: &str) -> Result<Found> {
        let (mut files, mut below) = (Vec::new(), Vec::new());
        let read = entries::each(fd, |name, kind| {
            let at_top =
                || name == c"local" || self.passed_over.iter().any(|top| top.as_bytes() == name.to_bytes());
            let is_ours = name == c".git" || path.is_empty() && at_top();
            match kind {
                _ if is_ours => {}
                FileType::Directory => below.push(name.to_owned()),
                FileType::RegularFile | FileType::Unknown => files.push(name.to_owned()),
                _ => {}
            }
        });
        read.or_io("list", &self.root.join(path))?;
        let mut found = Found::default();
        self.files(fd, path, &files, &mut found, &mut below)?;
        for part in entries::shared(&below, |name| self.below(fd, path, name)) {
            let part = part?;
            found.doubtful.extend(part.doubtful);
            found.present.extend(part.present);
        }
        Ok(found)
    }

    fn below(&self, above: &OwnedFd, path: &str, name: &CString) -> Result<Found> {
        let Ok(text) = name.to_str() else { return Ok(Found::default()) };
        let path = if path.is_empty() { text.to_owned() } else { format!("{path}/{text}") };
        if self.known.still.contains(&path) {
            return Ok(Found::default());
        }
        match rustix::fs::openat(above, name, FLAGS, Mode::empty()) {
            Ok(fd) => self.folder(&fd, &path),
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ACCESS) => Ok(Found::default()),
            Err(error) => Err(error).or_io("open", &self.root.join(path)),
        }
    }

    fn files(
        &self,
        fd: &OwnedFd,
        path: &str,
        names: &[CString],
        found: &mut Found,
        below: &mut Vec<CString>,
    ) -> Result<()> {
        let all = &self.known.entries;
        let folder = if path.is_empty() { self.prefix.to_owned() } else { format!("{}{path}/", self.prefix) };
        let own = all.below(folder.as_bytes());
        for name in names {
            // What is no UTF-8 cannot be a file of the queue; reading the folder lists it as a problem.
            let Ok(text) = name.to_str() else { continue };
            let known = all.position(own.clone(), folder.len(), text.as_bytes());
            let stat = match rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error).or_io("inspect", &self.root.join(path).join(text)),
            };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {}
                FileType::Directory => {
                    below.push(name.clone());
                    continue;
                }
                _ => continue,
            }
            found.present.extend(known);
            let is_same = known.is_some_and(|at| {
                let stamp = all.at(at).stamp();
                stamp == index::stamp_of(&stat) && stamp.mtime < self.written
            });
            if !is_same {
                found.doubtful.push(format!("{}{text}", &folder[self.prefix.len()..]));
            }
        }
        Ok(())
    }
}

/// Whether a path is not below one of these folders.
pub(in crate::store::git) fn is_looked_at(path: &str, passed_over: &[&str]) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    !passed_over.contains(&top)
}

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
