//! How the files of a checkout stand: what a run that may change none is held to.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{head, text};
use crate::domain::fault::Result;
use crate::store::git::repo::external::Git;

/// The files that are not as the last commit has them, and which commit that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    head: Option<String>,
    /// By path: what git says of it, how long it is and when it was last written.
    files: BTreeMap<String, (String, u64, (i64, i64))>,
}

/// Look at a checkout; the queue in it is not looked at.
///
/// # Errors
/// Those of git.
pub(crate) fn standing(folder: &Path) -> Result<Standing> {
    let words =
        ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all"];
    let told = text(&Git::at(folder).run(&[&words[..], &["--", ".", ":(exclude).swift"]].concat())?);
    let entries = told.split('\0').filter_map(|entry| Some((entry.get(..2)?, entry.get(3..)?)));
    let files = entries.map(|(mark, path)| {
        let meta = folder.join(path).symlink_metadata().ok();
        let (length, written) =
            meta.map_or((0, (0, 0)), |meta| (meta.len(), (meta.mtime(), meta.mtime_nsec())));
        (path.to_owned(), (mark.to_owned(), length, written))
    });
    Ok(Standing { head: head(folder)?, files: files.collect() })
}

impl Standing {
    /// The files that are otherwise later; none where another commit is checked out by then.
    pub(crate) fn changed(&self, later: &Standing) -> Vec<String> {
        if self.head != later.head {
            return Vec::new();
        }
        let paths = self.files.keys().chain(later.files.keys());
        let mut changed: Vec<String> =
            paths.filter(|path| self.files.get(*path) != later.files.get(*path)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }
}
