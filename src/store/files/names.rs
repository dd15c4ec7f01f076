//! What lies below a folder by the names alone: nothing is looked at but the folders.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, openat, statat};
use rustix::io::Errno;

use super::walk::{DEEPEST, is_named_as_a_file, named_as_a_file, too_deep};
use super::{FOLDER_FLAGS, Root, io, is_passed_over, not_a_file};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::store::entries;

/// The files below a folder, sorted by path, and what is no file.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Relative to the root, separated by `/`.
    pub(crate) files: Vec<String>,
    /// Folders that nobody wanted to look into, in any order.
    pub(crate) left: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

impl Root {
    /// The paths of all regular files below a folder, and whatever else lies there as problems: as [`Root::walk`], but no
    /// file is looked at. A folder that is missing is empty.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn paths(&self, folder: &str) -> Result<Paths> {
        self.paths_within(folder, &|_| true)
    }

    /// The same for those of the folders below it that are wanted, by their paths.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn paths_within(&self, folder: &str, is_wanted: &dyn Fn(&str) -> bool) -> Result<Paths> {
        let mut found = Paths::default();
        if let Some(fd) = self.folder(folder)? {
            self.names_in(&fd, folder, DEEPEST, is_wanted, &mut found)?;
        }
        found.files.extend(self.seen_over(&format!("{folder}/")).into_iter().map(|seen| seen.path));
        found.files.sort_unstable();
        Ok(found)
    }

    /// How many files lie below a folder; a folder that is missing has none.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn count(&self, folder: &str) -> Result<usize> {
        Ok(self.paths(folder)?.files.len())
    }

    /// What is in one folder and below it.
    fn names_in(
        &self,
        fd: &OwnedFd,
        folder: &str,
        depth: usize,
        is_wanted: &dyn Fn(&str) -> bool,
        found: &mut Paths,
    ) -> Result<()> {
        let mut below: Vec<(CString, String)> = Vec::new();
        let over = self.over();
        let read = entries::each(fd, |raw, kind| {
            let path = format!("{folder}/{}", raw.to_string_lossy());
            if raw.to_str().is_ok_and(is_passed_over) || over.contains_key(&path) {
                return;
            }
            // Gone meanwhile.
            let Some(kind) = kind_of(fd, raw, kind) else { return };
            let fault = match (raw.to_str(), kind) {
                (Err(_), _) => Fault::new(Code::NotAFile, "the name is not UTF-8"),
                (_, FileType::RegularFile) => return found.files.push(path),
                (_, FileType::Directory) if is_named_as_a_file(&path) => named_as_a_file(&path),
                (_, FileType::Directory) if !is_wanted(&path) => return found.left.push(path),
                (_, FileType::Directory) if depth > 0 => return below.push((raw.to_owned(), path)),
                (_, FileType::Directory) => too_deep(&path),
                _ => not_a_file(&path),
            };
            found.problems.push(Problem::at(path, fault));
        });
        read.map_err(|e| io("list", &self.shown(folder), e))?;
        for (name, path) in below {
            let opened = openat(fd, name.as_c_str(), FOLDER_FLAGS, Mode::empty());
            let read = opened
                .map_err(|e| io("open", &self.shown(&path), e))
                .and_then(|fd| self.names_in(&fd, &path, depth - 1, is_wanted, found));
            if let Err(fault) = read {
                found.problems.push(Problem::at(path, fault));
            }
        }
        Ok(())
    }
}

/// What an entry is, where some file systems do not say it in the list; `None` if it is not there any more.
fn kind_of(fd: &OwnedFd, name: &CStr, listed: FileType) -> Option<FileType> {
    if listed != FileType::Unknown {
        return Some(listed);
    }
    match statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => None,
        Err(_) => Some(listed),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn names_alone_tell_the_same_files_and_problems_as_a_walk() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["audit/2026-01/a", "audit/2026-02/b", "audit/1/2/3/4/5/6/7/8/9", "audit/x.md", "other"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        for path in ["audit/2026-01/a/2.toml", "audit/2026-01/a/1.toml", "audit/2026-02/b/3.toml"] {
            fs::write(at(path), "text").unwrap();
        }
        for path in ["audit/loose", "audit/.keep", "audit/.swift-tmp-1", "audit/x.md/y", "other/4.toml"] {
            fs::write(at(path), "text").unwrap();
        }
        fs::write(at("audit").join(OsStr::from_bytes(b"\xff")), "text").unwrap();
        std::os::unix::fs::symlink(at("other"), at("audit/link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("audit/pipe"), Mode::RWXU).unwrap();
        let root = Root::open(folder.path()).unwrap();
        for top in ["audit", "other", "missing", "audit/2026-01"] {
            let (walk, mut found) = (root.walk(top).unwrap(), root.paths(top).unwrap());
            let seen: Vec<String> = walk.files.into_iter().map(|seen| seen.path).collect();
            assert_eq!(found.files, seen, "{top}");
            assert_eq!(root.count(top).unwrap(), seen.len(), "{top}");
            assert!(found.left.is_empty());
            let mut problems = walk.problems;
            problems.sort_by(|a, b| a.path.cmp(&b.path));
            found.problems.sort_by(|a, b| a.path.cmp(&b.path));
            assert_eq!(found.problems, problems, "{top}");
        }
        assert_eq!(root.paths("audit/link").unwrap_err().code, Code::UnsafeHome);
        let wanted =
            root.paths_within("audit", &|path| path != "audit/2026-01" && path != "audit/1").unwrap();
        assert_eq!(wanted.files, ["audit/2026-02/b/3.toml", "audit/loose"]);
        let mut left = wanted.left;
        left.sort();
        assert_eq!(left, ["audit/1", "audit/2026-01"]);
    }
}
