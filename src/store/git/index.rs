//! Bringing an index in step with a commit: the queue's own, or the person's with everything else in it kept.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use gix::objs::Kind;

use super::disk::{self, OrIo as _};
use super::external::Git;
use super::folder::Folder;
use super::gitlock::GitLock;
use super::index_file::{Entry, Extras, Fresh, IndexFile, Stamp};
use super::pack;
use super::repo::Repo;
use super::tree::Leaf;
use super::{Home, HomeKind, objects, tree};
use crate::domain::fault::{Code, Fault, Result};

/// An index before and after a change.
pub(super) struct Updated {
    /// For taking it back; `None` if there was none.
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Vec<u8>,
}

impl Home {
    /// The index that git uses for the checkout; a symbolic link is followed, as git does.
    pub(super) fn index_path(&self) -> PathBuf {
        let path = self.git_dir.join("index");
        if path.is_symlink() { std::fs::canonicalize(&path).unwrap_or(path) } else { path }
    }

    /// What a path of the queue is called in trees and in the index.
    pub(super) fn in_tree(&self, path: &str) -> String {
        match self.kind {
            HomeKind::Branch => path.to_owned(),
            HomeKind::Tree => format!(".swift/{path}"),
        }
    }

    fn extras(&self) -> Extras {
        match self.kind {
            HomeKind::Branch => Extras::Drop,
            HomeKind::Tree => Extras::Keep,
        }
    }

    /// Write the index with the given leaves into its lock file.
    ///
    /// `whole` is what the index has to contain if it is missing altogether.
    pub(super) fn update_index(
        &self,
        repo: &Repo,
        folder: &Folder,
        lock: &mut GitLock,
        leaves: &BTreeMap<String, Option<Leaf>>,
        whole: Option<gix::ObjectId>,
    ) -> Result<Updated> {
        let path = self.index_path();
        let old = disk::read(&path)?;
        let hash_len = repo.hash.len_in_bytes();
        let mut edits = self.edits(folder, leaves)?;
        let parsed = match &old {
            Some(data) => IndexFile::parse(data, hash_len, self.extras()).ok_or_else(|| damaged(&path))?,
            None => Ok(IndexFile::empty(hash_len)),
        };
        let new = match parsed {
            Ok(index) => {
                if let (None, HomeKind::Branch, Some(whole)) = (&old, self.kind, whole) {
                    add_missing(repo, whole, &mut edits)?;
                }
                let doubtful = self.doubtful(repo, &index, &path)?;
                let mut data = index.edited(&edits, &doubtful);
                let trailer = match self.kind {
                    HomeKind::Tree if index.is_checked() => pack::digest(repo.hash, &data)?,
                    // As with `index.skipHash`: hashing a megabyte for one entry costs more than all the rest.
                    _ => gix::ObjectId::null(repo.hash),
                };
                data.extend_from_slice(trailer.as_slice());
                data
            }
            Err(_) => self.update_by_git(&path, leaves)?,
        };
        lock.write(&new)?;
        if let Ok(metadata) = std::fs::metadata(&path) {
            let handle = lock.handle()?;
            handle.set_permissions(metadata.permissions()).or_io("share", lock.public())?;
        }
        Ok(Updated { old, new })
    }

    fn edits(
        &self,
        folder: &Folder,
        leaves: &BTreeMap<String, Option<Leaf>>,
    ) -> Result<BTreeMap<Vec<u8>, Option<Fresh>>> {
        let mut edits = BTreeMap::new();
        for (path, leaf) in leaves {
            let fresh = match leaf {
                Some(leaf) => {
                    let stamp = folder.stat(path)?.map(|stat| stamp_of(&stat)).unwrap_or_default();
                    Some(Fresh { mode: leaf.mode, id: leaf.id, stamp })
                }
                None => None,
            };
            edits.insert(self.in_tree(path).into_bytes(), fresh);
        }
        Ok(edits)
    }

    /// Entries that git could no longer tell from later edits once the index has a newer time: their files were
    /// written in the same instant as the old index. git calls them racy and re-reads them; so do we.
    fn doubtful(&self, repo: &Repo, index: &IndexFile<'_>, path: &Path) -> Result<Vec<usize>> {
        let Ok(metadata) = std::fs::metadata(path) else { return Ok(Vec::new()) };
        let written = (metadata.mtime() as u32, metadata.mtime_nsec() as u32);
        let mut doubtful = Vec::new();
        for (position, entry) in index.entries.iter().enumerate() {
            if entry.plain && entry.modified() >= written.0 && entry.stamp().size > 0 {
                let same = self.is_unchanged(repo, entry, written)?;
                if !same {
                    doubtful.push(position);
                }
            }
        }
        Ok(doubtful)
    }

    fn is_unchanged(&self, repo: &Repo, entry: &Entry<'_>, written: (u32, u32)) -> Result<bool> {
        use std::os::unix::ffi::OsStrExt as _;
        let file = self.checkout.join(std::ffi::OsStr::from_bytes(entry.path));
        let Ok(metadata) = std::fs::symlink_metadata(&file) else { return Ok(false) };
        if stamp_of_metadata(&metadata) != entry.stamp() {
            return Ok(false);
        }
        if entry.stamp().mtime < written {
            return Ok(true);
        }
        let Ok(content) = std::fs::read(&file) else { return Ok(false) };
        Ok(objects::hash(repo.hash, Kind::Blob, &content)?.as_slice() == entry.id())
    }

    /// Let git do it, on a copy, while we hold the lock.
    fn update_by_git(&self, path: &Path, leaves: &BTreeMap<String, Option<Leaf>>) -> Result<Vec<u8>> {
        let copy = self.git_dir.join(format!("index.swift.{}", std::process::id()));
        std::fs::copy(path, &copy).or_io("copy", path)?;
        let mut paths = Vec::new();
        for leaf in leaves.keys() {
            paths.extend_from_slice(self.in_tree(leaf).as_bytes());
            paths.push(0);
        }
        let done = Git::at(&self.checkout)
            .index(&copy)
            .input(paths)
            .run(&["update-index", "--add", "--remove", "--replace", "-z", "--stdin"])
            .and_then(|_| std::fs::read(&copy).or_io("read", &copy));
        disk::remove(&copy)?;
        done
    }
}

fn add_missing(repo: &Repo, root: gix::ObjectId, edits: &mut BTreeMap<Vec<u8>, Option<Fresh>>) -> Result<()> {
    let mut all = BTreeMap::new();
    tree::flatten(repo, root, "", &mut all)?;
    for (path, leaf) in all {
        edits.entry(path.into_bytes()).or_insert(Some(Fresh {
            mode: leaf.mode,
            id: leaf.id,
            stamp: Stamp::default(),
        }));
    }
    Ok(())
}

fn damaged(path: &Path) -> Fault {
    Fault::new(Code::Git, format!("the index {} is damaged", path.display()))
        .hint("`git status` says what git makes of it")
}

/// What git keeps of a file's metadata; it cuts all fields to 32 bits.
pub(super) fn stamp_of(stat: &rustix::fs::Stat) -> Stamp {
    Stamp {
        ctime: (stat.st_ctime as u32, stat.st_ctime_nsec as u32),
        mtime: (stat.st_mtime as u32, stat.st_mtime_nsec as u32),
        dev: stat.st_dev as u32,
        ino: stat.st_ino as u32,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u32,
    }
}

pub(super) fn stamp_of_metadata(metadata: &Metadata) -> Stamp {
    Stamp {
        ctime: (metadata.ctime() as u32, metadata.ctime_nsec() as u32),
        mtime: (metadata.mtime() as u32, metadata.mtime_nsec() as u32),
        dev: metadata.dev() as u32,
        ino: metadata.ino() as u32,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size: metadata.size() as u32,
    }
}
