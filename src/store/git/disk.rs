//! How a failed system call becomes a fault that names the operation and the path.
//!
//! Nothing else in the engine words such a failure, so they all read alike.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::domain::fault::{Fault, Result};

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
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(fault("read", path, &error)),
    }
}

/// A file, open for reading; `None` if there is none.
pub(super) fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(fault("open", path, &error)),
    }
}

/// The first line of a small text file, `None` if there is no file.
pub(super) fn read_line(path: &Path) -> Result<Option<String>> {
    Ok(read(path)?.map(|content| {
        String::from_utf8_lossy(&content).lines().next().unwrap_or_default().trim().to_owned()
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
