//! The index: read in slices, brought in step with a commit, and what it tells about the files without a look at HEAD.
//!
//! The room owns the bytes of an index, the queue's own and the person's. What it does not know of them it leaves to git,
//! and entries that are not the queue's stay as they are.
//!
//! At the head: bringing an index in step with a commit, the queue's own, or the person's with everything else in it kept.

pub(super) mod beginning;
mod edit;
pub(super) mod file;
mod left_out;
mod mend;
pub(super) mod outline;
pub(super) mod sweep;

pub(crate) use sweep::Reach;

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::disk::folder::Folder;
use super::disk::{self, OrIo as _};
use super::history::written_at;
use super::objects::tree::{self, Leaf};
use super::repo::Repo;
use super::repo::external::Git;
use super::repo::gitlock::GitLock;
use super::repo::refs::Tip;
use super::{Home, HomeKind, objects};
use crate::domain::fault::{Code, Fault, Result};
use edit::{Edits, Extras, Fresh, Rewrite};
use file::{Entry, Mark, Stamp, Trouble};

/// What becomes of an index that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The queue's own gets all files of this tree.
    Fill(gix::ObjectId),
    /// Nothing is committed yet, so there is nothing else that it would have to have.
    Begin,
    /// After a commit that has files, to git all of them are removed. With an index of ours alone the person's would still
    /// be, and nobody would see why: it is left to them to make it.
    After(gix::ObjectId),
}

/// What became of the index.
#[derive(Debug)]
pub(super) enum Updated {
    /// The new one is in the lock file.
    Written {
        /// Still open, for taking it back; `None` if there was none.
        old: Option<File>,
        /// What it had at the paths that were written; `None` if that is not known.
        replaced: Option<BTreeMap<Vec<u8>, Mark>>,
    },
    /// There was none, and is none.
    Left,
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
    pub(super) fn update_index(
        &self,
        repo: &Repo,
        folder: &Folder,
        lock: &mut GitLock,
        leaves: &BTreeMap<String, Option<Leaf>>,
        missing: Missing,
    ) -> Result<Updated> {
        let path = self.index_path();
        let old = disk::open(&path)?;
        if let (None, Missing::After(head)) = (&old, missing)
            && repo.commit(head)?.tree != gix::ObjectId::empty_tree(repo.hash)
        {
            return Ok(Updated::Left);
        }
        let mut edits = self.edits(folder, leaves)?;
        let id_len = repo.hash.len_in_bytes();
        let rewrite = match &old {
            Some(old) => {
                let written = written_at(old);
                Rewrite::of(old, id_len, self.extras(), &edits, |entry| {
                    self.is_doubtful(repo, entry, written)
                })
            }
            None => {
                if let Missing::Fill(whole) = missing {
                    add_missing(repo, whole, &mut edits)?;
                }
                Ok(Rewrite::anew(&edits))
            }
        };
        let mut replaced = None;
        match rewrite {
            Ok(rewrite) => {
                self.write_index(repo, &rewrite, old.as_ref(), lock)?;
                replaced = Some(rewrite.replaced);
            }
            Err(Trouble::Exotic(_)) => lock.write(&self.update_by_git(&path, leaves)?)?,
            Err(trouble) => return Err(trouble.at(&path)),
        }
        if let Ok(metadata) = std::fs::metadata(&path) {
            let handle = lock.handle()?;
            handle.set_permissions(metadata.permissions()).or_io("share", lock.public())?;
        }
        Ok(Updated::Written { old, replaced })
    }

    /// What becomes of the index if there is none, and a commit with this tree is what it would have to agree with.
    pub(super) fn missing(&self, tip: &Tip, tree: gix::ObjectId) -> Missing {
        match (self.kind, tip.id) {
            (HomeKind::Branch, _) => Missing::Fill(tree),
            (HomeKind::Tree, Some(head)) => Missing::After(head),
            (HomeKind::Tree, None) => Missing::Begin,
        }
    }

    fn write_index(
        &self,
        repo: &Repo,
        rewrite: &Rewrite,
        old: Option<&File>,
        lock: &mut GitLock,
    ) -> Result<()> {
        // As with `index.skipHash`: hashing a megabyte for one entry costs more than all the rest.
        let is_hashed = self.kind == HomeKind::Tree && rewrite.checked;
        let mut hasher = is_hashed.then(|| gix::hash::hasher(repo.hash));
        let written = rewrite.write(old, |slice| {
            if let Some(hasher) = &mut hasher {
                hasher.update(slice);
            }
            lock.write(slice)
        })?;
        written.or_io("read", &self.index_path())?;
        let sum = match hasher {
            Some(hasher) => hasher
                .try_finalize()
                .map_err(|error| Fault::new(Code::Git, format!("cannot hash the index: {error}")))?,
            None => gix::ObjectId::null(repo.hash),
        };
        lock.write(sum.as_slice())
    }

    fn edits(&self, folder: &Folder, leaves: &BTreeMap<String, Option<Leaf>>) -> Result<Edits> {
        let mut edits = Edits::new();
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

    /// Whether git could no longer tell this entry from a later edit once the index has a newer time: its file was
    /// written in the same instant as the old index. git calls that racy and re-reads the file; so do we.
    fn is_doubtful(&self, repo: &Repo, entry: &Entry<'_>, written: (u32, u32)) -> bool {
        entry.plain
            && entry.modified() >= written.0
            && entry.stamp().size > 0
            && !self.is_unchanged(repo, entry, written)
    }

    fn is_unchanged(&self, repo: &Repo, entry: &Entry<'_>, written: (u32, u32)) -> bool {
        use std::os::unix::ffi::OsStrExt as _;
        let file = self.checkout.join(std::ffi::OsStr::from_bytes(entry.path));
        let Ok(metadata) = std::fs::symlink_metadata(&file) else { return false };
        if stamp_of_metadata(&metadata) != entry.stamp() {
            return false;
        }
        if entry.stamp().mtime < written {
            return true;
        }
        let Ok(mut file) = File::open(&file) else { return false };
        let id = objects::hash_file(repo.hash, &mut file).ok().flatten();
        id.is_some_and(|id| id.as_slice() == entry.id())
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

fn add_missing(repo: &Repo, root: gix::ObjectId, edits: &mut Edits) -> Result<()> {
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
