//! Which files were changed by hand since the last commit, found at the price of one look at each.
//!
//! The full comparison ([`Home::changed_files`]) reads HEAD's trees. Here the index stands in for HEAD while it is
//! known to agree with it: after each commit a note says which index goes with which commit. Without a fitting
//! note the full comparison answers. Folders that only `swift` writes, the log and the archives, are not looked
//! at; whether they are as they were is a question for `audit verify` and `doctor`.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use gix::ObjectId;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::folder::Folder;
use super::history::Changed;
use super::index::stamp_of;
use super::index_file::{Extras, IndexFile, Stamp};
use super::repo::Repo;
use super::{Home, commit, disk};
use crate::domain::fault::{Code, Fault, Result};

/// What is not looked at, at the top of the queue.
const PASSED_OVER: [&str; 4] = [".git", "local", "audit", "archive"];

/// From how many entries on the look is shared between two threads.
const WORTH_SHARING: usize = 2_000;

const FOLDER_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A file that was looked at.
struct Seen {
    path: String,
    stamp: Stamp,
}

impl Home {
    /// Paths below `.swift/` that differ from HEAD, the log and the archives left out.
    ///
    /// # Errors
    /// [`Code::Io`], and those of reading HEAD.
    pub(crate) fn edited_files(&self) -> Result<Vec<String>> {
        let data = disk::read(&self.index_path())?.unwrap_or_default();
        let repo = Repo::open(&self.git_dir)?;
        let parsed = IndexFile::parse(&data, repo.hash.len_in_bytes(), Extras::Drop);
        let changed = match parsed {
            Some(Ok(index)) if self.is_in_step()? => self.compare(&repo, &index)?,
            _ => self.changed_files()?.into_iter().filter(|changed| is_looked_at(&changed.path)).collect(),
        };
        Ok(changed.into_iter().map(|changed| changed.path).collect())
    }

    /// Note that the index, as it is now, agrees with this commit.
    pub(super) fn note_step(&self, commit: ObjectId) -> Result<()> {
        let path = self.step_path();
        let text = self.step(&commit.to_string()).unwrap_or_default();
        std::fs::write(&path, text)
            .map_err(|error| Fault::new(Code::Io, format!("write `{}`: {error}", path.display())))
    }

    fn is_in_step(&self) -> Result<bool> {
        let noted = disk::read(&self.step_path())?.unwrap_or_default();
        let Some(head) = self.tip()?.id else { return Ok(false) };
        Ok(!noted.is_empty() && self.step(&head.to_string()).is_some_and(|step| step.as_bytes() == noted))
    }

    /// The commit and what tells this index from any other.
    fn step(&self, commit: &str) -> Option<String> {
        let index = std::fs::metadata(self.index_path()).ok()?;
        Some(format!("{commit} {} {} {} {}", index.mtime(), index.mtime_nsec(), index.size(), index.ino()))
    }

    fn step_path(&self) -> PathBuf {
        self.records().join("step")
    }

    fn compare(&self, repo: &Repo, index: &IndexFile<'_>) -> Result<Vec<Changed>> {
        let written = self.index_time();
        let folder = Folder::open(&self.root)?;
        let prefix = self.in_tree("");
        let mut found = vec![false; index.entries.len()];
        let mut changed = Vec::new();
        for seen in self.look(index.entries.len())? {
            let known = index.position(format!("{prefix}{}", seen.path).as_bytes());
            if let Some(position) = known {
                found[position] = true;
                let entry = &index.entries[position];
                if entry.stamp == seen.stamp && entry.stamp.mtime < written {
                    continue;
                }
            }
            let before = known.map(|position| ObjectId::from_bytes_or_panic(index.entries[position].id));
            let after =
                folder.read(&seen.path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
            if before != after {
                changed.push(Changed::new(seen.path, before, after));
            }
        }
        for (entry, _) in index.entries.iter().zip(&found).filter(|(_, found)| !**found) {
            let path = String::from_utf8_lossy(entry.path);
            let Some(path) = path.strip_prefix(&prefix).filter(|path| is_looked_at(path)) else { continue };
            if folder.stat(path)?.is_none() {
                changed.push(Changed::new(
                    path.to_owned(),
                    Some(ObjectId::from_bytes_or_panic(entry.id)),
                    None,
                ));
            }
        }
        self.without_ignored(&mut changed)?;
        changed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changed)
    }

    /// Every regular file that is looked at, with its stamp.
    fn look(&self, expected: usize) -> Result<Vec<Seen>> {
        let mut seen = Vec::with_capacity(expected);
        let root =
            openat(rustix::fs::CWD, &self.root, FOLDER_FLAGS, Mode::empty()).map_err(|e| self.io(e))?;
        let mut folders = Vec::new();
        for name in self.files_and_folders(&root, "", &mut seen)? {
            if !PASSED_OVER.contains(&name.as_str()) {
                let fd = match openat(&root, name.as_str(), FOLDER_FLAGS, Mode::empty()) {
                    Ok(fd) => fd,
                    Err(_) => continue,
                };
                let below = self.files_and_folders(&fd, &format!("{name}/"), &mut seen)?;
                folders.extend(below.into_iter().map(|below| format!("{name}/{below}")));
            }
        }
        let half = if expected < WORTH_SHARING { folders.len() } else { folders.len() / 2 };
        let (first, second) = folders.split_at(half);
        let below = |part: &[String]| -> Result<Vec<Seen>> {
            let mut seen = Vec::new();
            part.iter().try_for_each(|folder| self.all_below(&root, folder, &mut seen))?;
            Ok(seen)
        };
        std::thread::scope(|scope| {
            let other = (!second.is_empty()).then(|| scope.spawn(|| below(second)));
            seen.extend(below(first)?);
            if let Some(other) = other {
                seen.extend(other.join().expect("looking does not panic")?);
            }
            Ok(seen)
        })
    }

    fn all_below(&self, root: &impl std::os::fd::AsFd, folder: &str, seen: &mut Vec<Seen>) -> Result<()> {
        let Ok(fd) = openat(root, folder, FOLDER_FLAGS, Mode::empty()) else { return Ok(()) };
        for name in self.files_and_folders(&fd, &format!("{folder}/"), seen)? {
            self.all_below(root, &format!("{folder}/{name}"), seen)?;
        }
        Ok(())
    }

    /// The regular files of one folder go into `seen`; the names of its folders come back.
    fn files_and_folders(
        &self,
        fd: &impl std::os::fd::AsFd,
        prefix: &str,
        seen: &mut Vec<Seen>,
    ) -> Result<Vec<String>> {
        let mut folders = Vec::new();
        for entry in Dir::read_from(fd).map_err(|e| self.io(e))? {
            let entry = entry.map_err(|e| self.io(e))?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            if entry.file_type() == FileType::Directory {
                folders.push(name.to_owned());
                continue;
            }
            match statat(fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                    FileType::RegularFile => {
                        seen.push(Seen { path: format!("{prefix}{name}"), stamp: stamp_of(&stat) });
                    }
                    FileType::Directory => folders.push(name.to_owned()),
                    _ => {}
                },
                Err(Errno::NOENT) => {}
                Err(error) => return Err(self.io(error)),
            }
        }
        Ok(folders)
    }

    fn io(&self, error: Errno) -> Fault {
        Fault::new(
            Code::Io,
            format!("look through `{}`: {}", self.root.display(), std::io::Error::from(error)),
        )
    }
}

fn is_looked_at(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    !PASSED_OVER.contains(&first)
}
