//! Reading the files of a queue without being led astray.
//!
//! Every step of a path is opened below the one before it and must not be a symbolic link; a file must be a
//! regular one and is opened without blocking, so a pipe or device cannot hang a verb. Nothing is written here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::io::Errno;

use super::entries;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;

const FOLDER_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// How deep folders are followed below a queue folder.
const DEEPEST: usize = 8;

/// Refuse a file that lies where no list looks for it: what cannot be read back must not be taken for a task.
///
/// # Errors
/// [`Code::NotAFile`], with what its folder is.
pub(crate) fn check_reach(path: &str) -> Result<()> {
    let mut folders: Vec<&str> = path.split('/').skip(1).collect();
    folders.pop();
    if folders.len() > DEEPEST {
        return Err(too_deep(path));
    }
    match folders.iter().find(|name| is_named_as_a_file(name)) {
        Some(name) => Err(named_as_a_file(name)),
        None => Ok(()),
    }
}

/// A folder that everything is read below.
#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
    path: PathBuf,
    over: RwLock<Arc<Over>>,
}

/// What is read in place of files below the root: where the content lies, `None` where a file counts as gone.
pub(crate) type Over = BTreeMap<String, Option<PathBuf>>;

/// What tells one version of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
    /// Nanoseconds since 1970.
    pub(crate) changed: i64,
    pub(crate) inode: u64,
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Self {
        Stamp {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
            inode: stat.st_ino,
        }
    }
}

fn nanoseconds(seconds: impl Into<i64>, nanoseconds: impl TryInto<i64>) -> i64 {
    let seconds: i64 = seconds.into();
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.try_into().unwrap_or(0))
}

/// A regular file that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Relative to the root, separated by `/`.
    pub(crate) path: String,
    pub(crate) stamp: Stamp,
}

/// Everything that lies below a folder.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Seen>,
    pub(crate) problems: Vec<Problem>,
}

/// What is done with the folders on a walk.
pub(crate) trait Visitor: Sync {
    /// What comes of one folder.
    type Part: Send;

    /// What comes of a folder that was only seen from outside; `None` has it opened.
    fn unopened(&self, path: &str, stamp: Stamp) -> Option<Self::Part>;

    /// What comes of the files of a folder, in the order of their names, while it is open.
    fn folder(&self, opened: &Opened<'_>, files: Vec<Seen>) -> Self::Part;
}

/// The files, and nothing else.
struct Files;

impl Visitor for Files {
    type Part = Vec<Seen>;

    fn unopened(&self, _: &str, _: Stamp) -> Option<Vec<Seen>> {
        None
    }

    fn folder(&self, _: &Opened<'_>, files: Vec<Seen>) -> Vec<Seen> {
        files
    }
}

/// What came of the folders that were walked.
pub(crate) struct Walked<T> {
    /// One for each folder.
    pub(crate) folders: Vec<T>,
    pub(crate) problems: Vec<Problem>,
}

/// How many bytes of a file are read, and how many it may have as a person is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    read: u64,
    told: u64,
}

impl Most {
    /// A limit that does not count everything in a file: so much more is read.
    pub(crate) fn and(told: u64, room: u64) -> Most {
        Most { read: told.saturating_add(room), told }
    }
}

impl From<u64> for Most {
    fn from(bytes: u64) -> Most {
        Most { read: bytes, told: bytes }
    }
}

/// A folder that is open for reading.
pub(crate) struct Opened<'a> {
    root: &'a Root,
    fd: OwnedFd,
    /// Relative to the root, separated by `/`.
    pub(crate) path: String,
    /// What the folder was like just before it was opened; `None` if that does not tell all of what is in it: something
    /// in it is neither a file nor could be told, or is read from elsewhere.
    pub(crate) stamp: Option<Stamp>,
}

impl Opened<'_> {
    /// The bytes of a file that was seen in this folder; `None` if it is gone.
    ///
    /// # Errors
    /// As [`Root::read`].
    pub(crate) fn read(&self, seen: &Seen, limit: Most) -> Result<Option<Vec<u8>>> {
        match self.root.read_over(&seen.path, limit)? {
            Some(bytes) => Ok(bytes),
            None => self.root.read_in(self.fd.as_fd(), self.name_of(seen), &seen.path, limit),
        }
    }

    /// The name of a file that was seen in this folder.
    pub(crate) fn name_of<'s>(&self, seen: &'s Seen) -> &'s str {
        &seen.path[self.path.len() + 1..]
    }

    fn path_of(&self, name: &str) -> String {
        let mut path = String::with_capacity(self.path.len() + 1 + name.len());
        path.push_str(&self.path);
        path.push('/');
        path.push_str(name);
        path
    }
}

/// What is directly in one folder.
#[derive(Default)]
struct Here {
    files: Vec<Seen>,
    problems: Vec<Problem>,
    /// Folders, which are left for later, and what they are like.
    below: Vec<(String, Stamp)>,
}

impl Here {
    fn visit(&mut self, folder: &Opened<'_>, name: &str, depth: usize) {
        if is_passed_over(name) {
            return;
        }
        let path = folder.path_of(name);
        if folder.root.over().contains_key(&path) {
            return;
        }
        let stat = match statat(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return,
            Err(error) => {
                let fault = io("stat", &folder.root.shown(&path), error);
                return self.problems.push(Problem::at(path, fault));
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.files.push(Seen { path, stamp: Stamp::from(&stat) }),
            FileType::Directory if is_named_as_a_file(name) => {
                self.problems.push(Problem::at(path.clone(), named_as_a_file(&path)));
            }
            FileType::Directory if depth > 0 => self.below.push((name.to_owned(), Stamp::from(&stat))),
            FileType::Directory => self.problems.push(Problem::at(path.clone(), too_deep(&path))),
            _ => self.problems.push(Problem::at(path.clone(), not_a_file(&path))),
        }
    }
}

/// The names in one folder, in one piece of memory.
#[derive(Default)]
struct Names {
    text: String,
    spans: Vec<Range<usize>>,
}

impl Names {
    fn push(&mut self, name: &str) {
        let start = self.text.len();
        self.text.push_str(name);
        self.spans.push(start..self.text.len());
    }

    fn in_order(mut self, mut each: impl FnMut(&str)) {
        let text = self.text;
        self.spans.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        self.spans.into_iter().for_each(|span| each(&text[span]));
    }
}

impl Root {
    /// Open a folder.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] if it is a symbolic link or no folder, [`Code::Io`] otherwise.
    pub(crate) fn open(path: &Path) -> Result<Root> {
        match openat(rustix::fs::CWD, path, FOLDER_FLAGS, Mode::empty()) {
            Ok(fd) => Ok(Root { fd, path: path.to_owned(), over: RwLock::default() }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(Fault::new(
                Code::UnsafeHome,
                format!("`{}` is not a plain folder (a symbolic link or a file)", path.display()),
            )
            .hint(format!("look at it: `ls -ld {}`", path.display()))),
            Err(error) => Err(io("open", &path.display().to_string(), error)),
        }
    }

    /// The bytes of a file; `None` if nothing is there.
    ///
    /// # Errors
    /// [`Code::NotAFile`] for anything but a regular file, [`Code::TooLarge`] above `limit` bytes, [`Code::Io`].
    pub(crate) fn read(&self, path: &str, limit: impl Into<Most>) -> Result<Option<Vec<u8>>> {
        let limit = limit.into();
        if let Some(bytes) = self.read_over(path, limit)? {
            return Ok(bytes);
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(folder) = self.folder(folder)? else { return Ok(None) };
        self.read_in(folder.as_fd(), name, path, limit)
    }

    fn read_in(
        &self,
        folder: BorrowedFd<'_>,
        name: &str,
        path: &str,
        limit: Most,
    ) -> Result<Option<Vec<u8>>> {
        let fd = match openat(folder, name, FILE_FLAGS, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => return Err(not_a_file(path)),
            Err(error) => return Err(io("open", &self.shown(path), error)),
        };
        self.read_open(File::from(fd), path, limit).map(Some)
    }

    fn read_open(&self, mut file: File, path: &str, limit: Most) -> Result<Vec<u8>> {
        let stat = rustix::fs::fstat(&file).map_err(|e| io("stat", &self.shown(path), e))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file(path));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > limit.read {
            return Err(too_large(path, size, limit.told));
        }
        let mut bytes = Vec::with_capacity(size as usize + 1);
        let read = (&mut file).take(limit.read + 1).read_to_end(&mut bytes);
        read.map_err(|e| Fault::of_system(format_args!("read `{}`", self.shown(path)), &e))?;
        let size = bytes.len() as u64;
        if size > limit.read { Err(too_large(path, size, limit.told)) } else { Ok(bytes) }
    }

    /// The names of everything directly in the root, sorted; names that are not UTF-8 are shown as far as they are.
    ///
    /// # Errors
    /// [`Code::Io`] if it cannot be listed.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let entries = rustix::fs::Dir::read_from(&self.fd).map_err(|e| io("list", &self.shown(""), e))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| io("list", &self.shown(""), e))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != "." && name != "..");
        let over = self.over();
        let there = over.iter().filter(|(_, content)| content.is_some());
        names.extend(there.filter_map(|(path, _)| path.split('/').next().map(str::to_owned)));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// All regular files below a folder, sorted by path, and whatever else lies there as problems.
    /// A folder that is missing is empty.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] if the folder is a symbolic link or a file, [`Code::Io`] if it cannot be listed.
    pub(crate) fn walk(&self, folder: &str) -> Result<Walk> {
        let walked = self.walk_folders(folder, &Files)?;
        let mut files: Vec<Seen> = walked.folders.into_iter().flatten().collect();
        // Nearly in order already, so this is one pass.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Walk { files, problems: walked.problems })
    }

    /// Visit a folder and each below it, on two threads if there are many. What comes of them is in the order of the
    /// folders' paths.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn walk_folders<V: Visitor>(&self, folder: &str, visitor: &V) -> Result<Walked<V::Part>> {
        let mut walked = match self.folder(folder)? {
            Some(fd) => {
                let top = Opened { root: self, fd, path: folder.to_owned(), stamp: None };
                self.walk_one(top, DEEPEST, visitor)?
            }
            None => Walked { folders: Vec::new(), problems: Vec::new() },
        };
        let mut above: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        for seen in self.seen_over(&format!("{folder}/")) {
            let (parent, _) = seen.path.rsplit_once('/').unwrap_or_default();
            above.entry(parent.to_owned()).or_default().push(seen);
        }
        for (path, seen) in above {
            let fd = self.fd.try_clone().map_err(|e| Fault::of_system(format_args!("open `{path}`"), &e))?;
            walked.folders.push(visitor.folder(&Opened { root: self, fd, path, stamp: None }, seen));
        }
        Ok(walked)
    }

    /// How many files lie below a folder, by their names alone; a folder that is missing has none.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn count(&self, folder: &str) -> Result<usize> {
        let Some(top) = self.folder(folder)? else { return Ok(0) };
        let (mut count, mut open) = (0, vec![(top, DEEPEST)]);
        while let Some((fd, depth)) = open.pop() {
            let mut below = Vec::new();
            let read = entries::each(&fd, |name, kind| match kind {
                FileType::Directory => below.push(name.to_owned()),
                _ => count += usize::from(!name.to_str().is_ok_and(is_passed_over)),
            });
            read.map_err(|e| io("list", &self.shown(folder), e))?;
            let deeper = below.iter().filter(|_| depth > 0);
            let deeper =
                deeper.filter_map(|name| openat(&fd, name.as_c_str(), FOLDER_FLAGS, Mode::empty()).ok());
            open.extend(deeper.map(|fd| (fd, depth - 1)));
        }
        Ok(count)
    }

    /// The regular files directly in a folder whose names begin with these letters; nothing else there is looked at.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn named(&self, folder: &str, prefix: &str) -> Result<Vec<Seen>> {
        let start = format!("{folder}/{prefix}");
        let mut above = self.seen_over(&start);
        above.retain(|seen| !seen.path[folder.len() + 1..].contains('/'));
        let Some(fd) = self.folder(folder)? else { return Ok(above) };
        let mut names = Names::default();
        let read = entries::each(&fd, |raw, _| {
            raw.to_str()
                .ok()
                .filter(|name| name.starts_with(prefix))
                .into_iter()
                .for_each(|name| names.push(name));
        });
        read.map_err(|e| io("list", &self.shown(folder), e))?;
        let mut here = Here::default();
        let opened = Opened { root: self, fd, path: folder.to_owned(), stamp: None };
        names.in_order(|name| here.visit(&opened, name, 0));
        if !above.is_empty() {
            here.files.append(&mut above);
            here.files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(here.files)
    }

    /// From now on, read these in place of what is on the disk.
    pub(crate) fn lay_over(&self, over: Over) {
        *self.over.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(over);
    }

    fn over(&self) -> Arc<Over> {
        Arc::clone(&self.over.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something is read in place of a file.
    pub(crate) fn is_over(&self, path: &str) -> bool {
        self.over().contains_key(path)
    }

    /// What is read in place of a file; `None` if that is the file itself. Contents that are gone have just been put
    /// in place by another process.
    fn read_over(&self, path: &str, limit: Most) -> Result<Option<Option<Vec<u8>>>> {
        let Some(content) = self.over().get(path).cloned() else { return Ok(None) };
        let Some(content) = content else { return Ok(Some(None)) };
        match openat(rustix::fs::CWD, &content, FILE_FLAGS, Mode::empty()) {
            Ok(fd) => self.read_open(File::from(fd), path, limit).map(|bytes| Some(Some(bytes))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(io("open", &content.display().to_string(), error)),
        }
    }

    /// The files that are read in place of others, or of none, whose paths begin so.
    fn seen_over(&self, start: &str) -> Vec<Seen> {
        let over = self.over();
        let below = over.range(start.to_owned()..).take_while(|(path, _)| path.starts_with(start));
        let shown = below.filter(|(path, _)| !path.rsplit('/').next().is_some_and(is_passed_over));
        let seen = shown.filter_map(|(path, content)| {
            let stat = statat(rustix::fs::CWD, content.as_ref()?, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some(Seen { path: path.clone(), stamp: Stamp::from(&stat) })
        });
        seen.collect()
    }

    fn walk_one<V: Visitor>(
        &self,
        mut folder: Opened<'_>,
        depth: usize,
        visitor: &V,
    ) -> Result<Walked<V::Part>> {
        let (mut here, mut names) = (Here::default(), Names::default());
        let read = entries::each(&folder.fd, |raw, _| match raw.to_str() {
            Ok(name) => names.push(name),
            Err(_) => {
                let shown = folder.path_of(&raw.to_string_lossy());
                here.problems.push(Problem::at(shown, Fault::new(Code::NotAFile, "the name is not UTF-8")));
            }
        });
        read.map_err(|e| io("list", &self.shown(&folder.path), e))?;
        here.files.reserve_exact(names.spans.len());
        names.in_order(|name| here.visit(&folder, name, depth));
        if !here.below.is_empty() || !here.problems.is_empty() {
            folder.stamp = None;
        }
        let mut all = Walked { folders: vec![visitor.folder(&folder, here.files)], problems: here.problems };
        for part in entries::shared(&here.below, |below| self.walk_below(&folder, below, depth, visitor)) {
            all.folders.extend(part.folders);
            all.problems.extend(part.problems);
        }
        Ok(all)
    }

    /// A folder in a folder; what cannot be read becomes a problem, so that its neighbours are still seen.
    fn walk_below<V: Visitor>(
        &self,
        folder: &Opened<'_>,
        (name, stamp): &(String, Stamp),
        depth: usize,
        visitor: &V,
    ) -> Walked<V::Part> {
        let path = folder.path_of(name);
        let stamp = self.over().is_empty().then_some(*stamp);
        if let Some(part) = stamp.and_then(|stamp| visitor.unopened(&path, stamp)) {
            return Walked { folders: vec![part], problems: Vec::new() };
        }
        let fd = openat(&folder.fd, name.as_str(), FOLDER_FLAGS, Mode::empty());
        fd.map_err(|e| io("open", &self.shown(&path), e))
            .and_then(|fd| {
                self.walk_one(Opened { root: self, fd, path: path.clone(), stamp }, depth - 1, visitor)
            })
            .unwrap_or_else(|fault| Walked { folders: Vec::new(), problems: vec![Problem::at(path, fault)] })
    }

    /// A folder below the root, each step checked; `None` if it is not there.
    fn folder(&self, path: &str) -> Result<Option<OwnedFd>> {
        let mut fd = self.fd.try_clone().map_err(|e| Fault::of_system(format_args!("open `{path}`"), &e))?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if part == ".." {
                return Err(not_a_file(path));
            }
            fd = match openat(&fd, part, FOLDER_FLAGS, Mode::empty()) {
                Ok(fd) => fd,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    return Err(Fault::new(
                        Code::UnsafeHome,
                        format!("`{}` is not a plain folder (a symbolic link or a file)", self.shown(path)),
                    ));
                }
                Err(error) => return Err(io("open", &self.shown(path), error)),
            };
        }
        Ok(Some(fd))
    }

    fn shown(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }
}

/// Names that are no files of the queue.
fn is_passed_over(name: &str) -> bool {
    is_own_temporary(name) || name == super::layout::KEEP
}

/// Files that the commit engine writes before it renames them.
fn is_own_temporary(name: &str) -> bool {
    name.starts_with(".swift-tmp-")
}

/// A folder that is named as a task is none that anybody meant.
fn is_named_as_a_file(folder: &str) -> bool {
    folder.ends_with(".md")
}

fn named_as_a_file(path: &str) -> Fault {
    Fault::new(
        Code::NotAFile,
        format!("`{path}` is a folder, and named as a file; what is in it is not read"),
    )
    .hint("give the folder another name")
}

fn too_deep(path: &str) -> Fault {
    Fault::new(
        Code::NotAFile,
        format!("`{path}` lies more than {DEEPEST} folders deep; what is there is not read"),
    )
    .hint("move the tasks up: `mv` keeps them what they are")
}

fn not_a_file(path: &str) -> Fault {
    Fault::new(Code::NotAFile, format!("`{path}` is not a regular file (a link, folder, pipe or device)"))
        .hint(format!("look at it: `ls -ld .swift/{path}`"))
}

fn too_large(path: &str, size: u64, limit: u64) -> Fault {
    Fault::new(Code::TooLarge, format!("`{path}` has {size} bytes; the limit is {limit}"))
        .hint("raise `max_bytes` in `.swift/swift.toml`, or put the bulk elsewhere and name the place")
}

fn io(what: &str, path: &str, error: Errno) -> Fault {
    Fault::of_system(format_args!("{what} `{path}`"), &error.into())
}
