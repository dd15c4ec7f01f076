//! Reading the files of a queue without being led astray.
//!
//! Every step of a path is opened below the one before it and must not be a symbolic link; a file must be a
//! regular one and is opened without blocking, so a pipe or device cannot hang a verb. Nothing is written here.

mod names;
mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat, statat};
use rustix::io::Errno;

use crate::domain::fault::{Code, Fault, Result};

pub(crate) use names::Paths;
pub(crate) use walk::{Opened, Visitor, Walk, Walked, check_reach};

const FOLDER_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

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

    /// A file that is remembered with this stamp, as it is now, if it was written since. One look from outside.
    pub(crate) fn written_since(&self, path: &str, stamp: &Stamp) -> Option<Seen> {
        if self.is_over(path) {
            return None;
        }
        let now = Stamp::from(&statat(&self.fd, path, AtFlags::SYMLINK_NOFOLLOW).ok()?);
        (now != *stamp).then(|| Seen { path: path.to_owned(), stamp: now })
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
