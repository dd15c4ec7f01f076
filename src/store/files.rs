//! Reading the files of a queue without being led astray.
//!
//! Every step of a path is opened below the one before it and must not be a symbolic link; a file must be a
//! regular one and is opened without blocking, so a pipe or device cannot hang a verb. Nothing is written here.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

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
const DEEPEST: usize = 3;

/// A folder that everything is read below.
#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
    path: PathBuf,
}

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

impl Root {
    /// Open a folder.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] if it is a symbolic link or no folder, [`Code::Io`] otherwise.
    pub(crate) fn open(path: &Path) -> Result<Root> {
        match openat(rustix::fs::CWD, path, FOLDER_FLAGS, Mode::empty()) {
            Ok(fd) => Ok(Root { fd, path: path.to_owned() }),
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
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(folder) = self.folder(folder)? else { return Ok(None) };
        let fd = match openat(folder.as_fd(), name, FILE_FLAGS, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => return Err(not_a_file(path)),
            Err(error) => return Err(io("open", &self.shown(path), error)),
        };
        self.read_open(File::from(fd), path, limit).map(Some)
    }

    fn read_open(&self, mut file: File, path: &str, limit: u64) -> Result<Vec<u8>> {
        let stat = rustix::fs::fstat(&file).map_err(|e| io("stat", &self.shown(path), e))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file(path));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > limit {
            return Err(too_large(path, size, limit));
        }
        let mut bytes = Vec::with_capacity(size as usize + 1);
        let read = (&mut file).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|e| Fault::new(Code::Io, format!("read `{}`: {e}", self.shown(path))))?;
        if bytes.len() as u64 > limit { Err(too_large(path, bytes.len() as u64, limit)) } else { Ok(bytes) }
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
        names.sort();
        Ok(names)
    }

    /// All regular files below a folder, sorted by path, and whatever else lies there as problems.
    /// A folder that is missing is empty.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] if the folder is a symbolic link or a file, [`Code::Io`] if it cannot be listed.
    pub(crate) fn walk(&self, folder: &str) -> Result<Walk> {
        let mut walk = Walk::default();
        if let Some(fd) = self.folder(folder)? {
            walk = self.walk_one(&fd, folder, DEEPEST)?;
        }
        // Nearly in order already, so this is one pass.
        walk.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(walk)
    }

    /// The regular files directly in a folder whose names begin with these letters; nothing else there is looked at.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn named(&self, folder: &str, prefix: &str) -> Result<Vec<Seen>> {
        let Some(fd) = self.folder(folder)? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        let read = entries::each(&fd, |raw, _| {
            names.extend(raw.to_str().ok().filter(|name| name.starts_with(prefix)).map(str::to_owned));
        });
        read.map_err(|e| io("list", &self.shown(folder), e))?;
        names.sort_unstable();
        let mut walk = Walk::default();
        for name in names {
            self.visit(&fd, folder, name, 0, &mut walk, &mut Vec::new());
        }
        Ok(walk.files)
    }

    fn walk_one(&self, fd: &OwnedFd, folder: &str, depth: usize) -> Result<Walk> {
        let (mut walk, mut names) = (Walk::default(), Vec::new());
        let read = entries::each(fd, |raw, _| match raw.to_str() {
            Ok(name) => names.push(name.to_owned()),
            Err(_) => {
                let shown = format!("{folder}/{}", raw.to_string_lossy());
                walk.problems.push(Problem::at(shown, Fault::new(Code::NotAFile, "the name is not UTF-8")));
            }
        });
        read.map_err(|e| io("list", &self.shown(folder), e))?;
        names.sort_unstable();
        let mut below = Vec::new();
        for name in names {
            self.visit(fd, folder, name, depth, &mut walk, &mut below);
        }
        for part in entries::shared(&below, |name| self.walk_below(fd, folder, name, depth)) {
            walk.files.extend(part.files);
            walk.problems.extend(part.problems);
        }
        Ok(walk)
    }

    /// A folder in a folder; what cannot be read becomes a problem, so that its neighbours are still seen.
    fn walk_below(&self, fd: &OwnedFd, folder: &str, name: &str, depth: usize) -> Walk {
        let path = format!("{folder}/{name}");
        let opened =
            openat(fd, name, FOLDER_FLAGS, Mode::empty()).map_err(|e| io("open", &self.shown(&path), e));
        opened
            .and_then(|child| self.walk_one(&child, &path, depth - 1))
            .unwrap_or_else(|fault| Walk { files: Vec::new(), problems: vec![Problem::at(path, fault)] })
    }

    /// One entry; folders are left for later.
    fn visit(
        &self,
        fd: &OwnedFd,
        folder: &str,
        name: String,
        depth: usize,
        walk: &mut Walk,
        below: &mut Vec<String>,
    ) {
        if is_own_temporary(&name) {
            return;
        }
        let path = || format!("{folder}/{name}");
        let stat = match statat(fd, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return,
            Err(error) => {
                return walk.problems.push(Problem::at(path(), io("stat", &self.shown(&path()), error)));
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => walk.files.push(Seen { path: path(), stamp: Stamp::from(&stat) }),
            FileType::Directory if depth > 0 && !name.ends_with(".md") => below.push(name),
            _ => walk.problems.push(Problem::at(path(), not_a_file(&path()))),
        }
    }

    /// A folder below the root, each step checked; `None` if it is not there.
    fn folder(&self, path: &str) -> Result<Option<OwnedFd>> {
        let mut fd = self.fd.try_clone().map_err(|e| Fault::new(Code::Io, format!("open `{path}`: {e}")))?;
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
    Fault::new(Code::Io, format!("{what} `{path}`: {}", std::io::Error::from(error)))
}
