//! Whether anything can be written where a queue lies. Asked without trying: whoever looks leaves no trace.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::Home;

/// What keeps every verb that writes from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Barred {
    /// The disk that this lies on takes nothing from anybody.
    Disk(PathBuf),
    /// This user has no right to write there.
    User(PathBuf),
}

impl Home {
    /// Why nothing can be written here, if nothing can.
    pub(crate) fn barred(&self) -> Option<Barred> {
        [&self.root, &self.git_dir, &self.common_dir].into_iter().find_map(|folder| barred(folder))
    }
}

fn barred(folder: &Path) -> Option<Barred> {
    match access(folder, Access::WRITE_OK) {
        Err(Errno::ROFS) => Some(Barred::Disk(folder.to_owned())),
        Err(Errno::ACCESS | Errno::PERM) => Some(Barred::User(folder.to_owned())),
        _ => None,
    }
}
