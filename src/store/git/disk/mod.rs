//! Files and folders: opened, staged, swapped into place, flushed, and waited for.
//!
//! The floor of the engine. It owns how bytes reach the disk and with which modes, and which paths the queue may have.
//! What the bytes mean, and when they are to be written, it does not know.
//!
//! Here at the head: how a failed system call becomes a fault that names the operation and the path. Nothing else in the
//! engine words such a failure, so they all read alike.

pub(super) mod folder;
pub(super) mod path;
pub(super) mod patience;
pub(super) mod perm;
pub(super) mod sync;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;

/// The largest file that is read as a whole; `packed-refs` of a million branches is smaller.
const LARGEST: u64 = 256 << 20;

/// Opening never waits for whoever is at the other end of a pipe.
const AT_ONCE: i32 = OFlags::NONBLOCK.bits() as i32;

/// The same, and nothing is written through a link.
const HERE: i32 = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).bits() as i32;

/// Puts operation and path to a failure of the file system.
pub(super) trait OrIo<T> {
    /// `operation` completes the sentence "cannot ...", for example "write".
    fn or_io(self, operation: &str, path: &Path) -> Result<T>;
}

impl<T> OrIo<T> for io::Result<T> {
    fn or_io(self, operation: &str, path: &Path) -> Result<T> {
        self.map_err(|error| fault(operation, path, &error))
    }
}

impl<T> OrIo<T> for rustix::io::Result<T> {
    fn or_io(self, operation: &str, path: &Path) -> Result<T> {
        self.map_err(|error| fault(operation, path, &error.into()))
    }
}

fn fault(operation: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::of_system(format_args!("cannot {operation} {}", path.display()), error)
}

/// The content of a file, `None` if there is no file.
///
/// # Errors
/// [`Code::Git`] for a pipe, a device or a folder, and for a file larger than any that git has there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match OpenOptions::new().read(true).custom_flags(AT_ONCE).open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(fault("read", path, &error)),
    };
    let length = length_within(&file.metadata().or_io("read", path)?, path, LARGEST)?;
    let mut content = Vec::with_capacity(length as usize + 1);
    file.take(LARGEST).read_to_end(&mut content).or_io("read", path)?;
    Ok(Some(content))
}

/// Refuse what is no file, or larger than any that git has there, before somebody opens it who would wait for it. What may
/// not be looked at may not be opened either, and whoever does says so.
pub(super) fn refuse_strange(path: &Path, most: u64) -> Result<()> {
    path.metadata().map_or(Ok(()), |meta| length_within(&meta, path, most).map(drop))
}

/// How long a file is that was opened.
pub(super) fn length(file: &File, path: &Path) -> Result<u64> {
    length_within(&file.metadata().or_io("read", path)?, path, u64::MAX)
}

fn length_within(meta: &Metadata, path: &Path, most: u64) -> Result<u64> {
    match meta.len() {
        _ if !meta.is_file() => Err(strange(path, "it is not a regular file")),
        length if length > most => Err(strange(path, &format!("it has {length} bytes"))),
        length => Ok(length),
    }
}

fn strange(path: &Path, what: &str) -> Fault {
    Fault::new(Code::Git, format!("cannot read {}: {what}", path.display()))
        .hint(format!("look at it: `ls -ld {}`", as_word(path)))
}

/// Open a record of ours to write it over, from its beginning; `make` if it may be new.
pub(super) fn record(path: &Path, make: Make) -> io::Result<File> {
    make_way(path)?;
    let mut options = OpenOptions::new();
    options.write(true).truncate(true).create(make == Make::New).custom_flags(HERE).open(path)
}

/// Whether a record may be made where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Make {
    New,
    Nothing,
}

/// Write a record of ours over itself.
pub(super) fn overwrite(path: &Path, content: impl AsRef<[u8]>) -> io::Result<File> {
    let mut file = record(path, Make::New)?;
    file.write_all(content.as_ref())?;
    Ok(file)
}

/// Add to a record of ours.
pub(super) fn append(path: &Path, content: impl AsRef<[u8]>) -> io::Result<File> {
    make_way(path)?;
    let mut file = OpenOptions::new().append(true).create(true).custom_flags(HERE).open(path)?;
    file.write_all(content.as_ref())?;
    Ok(file)
}

/// What stands in the place of a record and is none of ours is taken away, so that nothing is written through it: a
/// link, a pipe, an empty folder, a file that has another name somewhere else.
fn make_way(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir(path),
        Ok(meta) if !meta.is_file() || meta.nlink() > 1 => std::fs::remove_file(path),
        _ => Ok(()),
    }
}

/// A file, open for reading; `None` if there is none. A pipe in its place is one that nothing can be read from.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    match OpenOptions::new().read(true).custom_flags(AT_ONCE).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(fault("open", path, &error)),
    }
}

/// Open a file of git's to add to it.
pub(super) fn extend(path: &Path, make: Make) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let opened = options.append(true).create(make == Make::New).custom_flags(AT_ONCE).open(path);
    opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => io::Error::other("it is not a regular file"),
        _ => error,
    })
}

/// The longest line that is one: a path is at most 4 KiB long.
const LONGEST_LINE: usize = 16 << 10;

/// The first line of a small text file, `None` if there is no file; of one that is no line, the beginning.
pub(super) fn read_line(path: &Path) -> Result<Option<String>> {
    Ok(read(path)?.map(|content| {
        let start = &content[..content.len().min(LONGEST_LINE)];
        String::from_utf8_lossy(start).lines().next().unwrap_or_default().trim().to_owned()
    }))
}

/// Remove a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(fault("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Whether an error only says that nothing is there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
