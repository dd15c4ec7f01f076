//! git's objects: those that a commit adds, the trees among them, and the packs that they become.
//!
//! The room owns what is written to git's database and how it gets there. It moves no branch and changes no file of the
//! queue; where objects that nobody names are left over, git clears them away.
//!
//! At the head: new objects of one commit, collected in memory, staged under temporary names, then published together.
//! They become one small pack: two files to make and to flush, where single objects would be a file and often a
//! folder each. Staging and publishing are apart so that the content can be flushed in between: a name that reaches
//! the disk before its content would be an empty file after a power cut.

pub(super) mod deflate;
mod own_objects;
mod pack;
pub(super) mod tree;
mod upkeep;

pub(crate) use own_objects::OwnObjects;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;

use super::disk::perm::Sharing;
use super::disk::sync::Barrier;
use super::disk::{self, OrIo as _};
use crate::domain::fault::{Code, Fault, Result};
use pack::Pack;

/// How temporary names begin; git's own prefix, so that its garbage collection knows them.
pub(super) const TEMPORARY: &str = "tmp_obj_swift_";

/// The objects that a commit adds.
pub(super) struct Batch {
    hash: gix::hash::Kind,
    objects: BTreeMap<ObjectId, (Kind, Vec<u8>)>,
    order: Vec<ObjectId>,
}

impl Batch {
    pub(super) fn new(hash: gix::hash::Kind) -> Self {
        Batch { hash, objects: BTreeMap::new(), order: Vec::new() }
    }

    /// Collect an object; its id comes back.
    pub(super) fn add(&mut self, kind: Kind, data: Vec<u8>) -> Result<ObjectId> {
        let id = hash(self.hash, kind, &data)?;
        if self.objects.insert(id, (kind, data)).is_none() {
            self.order.push(id);
        }
        Ok(id)
    }

    /// The ids of all that was collected, the commit last.
    pub(super) fn ids(&self) -> &[ObjectId] {
        &self.order
    }

    /// All that was collected, in that order.
    pub(super) fn objects(&self) -> impl Iterator<Item = (Kind, &[u8])> {
        self.order.iter().map(|id| (self.objects[id].0, self.objects[id].1.as_slice()))
    }

    /// Write everything under temporary names.
    pub(super) fn stage(&self, objects: &Path, sharing: Sharing, barrier: &mut Barrier) -> Result<Staged> {
        let entries = self.order.iter().map(|id| (*id, self.objects[id].0, self.objects[id].1.as_slice()));
        let mut staged = Staged::pack(&pack::write(self.hash, entries)?, objects, sharing, barrier)?;
        staged.empty = self.order.iter().filter_map(|id| empty(objects, *id)).collect();
        Ok(staged)
    }
}

/// Where a power cut has left an object without its content; git would neither read nor write it again.
fn empty(objects: &Path, id: ObjectId) -> Option<PathBuf> {
    let hex = id.to_string();
    let path = objects.join(&hex[..2]).join(&hex[2..]);
    path.metadata().is_ok_and(|found| found.is_file() && found.len() == 0).then_some(path)
}

/// The id that git gives to an object.
pub(super) fn hash(hash: gix::hash::Kind, kind: Kind, data: &[u8]) -> Result<ObjectId> {
    gix::objs::compute_hash(hash, kind, data)
        .map_err(|error| Fault::new(Code::Git, format!("an object cannot be hashed: {error}")))
}

/// The id of a file's content as git would have it, in little memory however large it is.
pub(super) fn hash_file(hash: gix::hash::Kind, file: &mut File) -> std::io::Result<Option<ObjectId>> {
    let length = file.metadata()?.len();
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(format!("blob {length}\0").as_bytes());
    let (mut slice, mut left) =
        (vec![0; SLICE.min(usize::try_from(length).unwrap_or(SLICE).saturating_add(1))], length);
    loop {
        let read = file.read(&mut slice)?;
        if read == 0 {
            // Of one that grew or shrank meanwhile there is no id.
            return Ok(if left == 0 { hasher.try_finalize().ok() } else { None });
        }
        let Some(rest) = left.checked_sub(read as u64) else { return Ok(None) };
        left = rest;
        hasher.update(&slice[..read]);
    }
}

/// How much of a file is looked at in one go.
const SLICE: usize = 64 << 10;

/// Objects on the disk that nobody sees yet; what is not published is removed again.
pub(super) struct Staged {
    files: Vec<(PathBuf, PathBuf)>,
    sharing: Sharing,
    pack: Made,
    /// Files without content that are in the way of reading what the pack holds.
    empty: Vec<PathBuf>,
}

/// A pack that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Made {
    /// The hash in its file names.
    pub(super) name: ObjectId,
    /// How many objects it holds.
    pub(super) objects: usize,
}

impl Made {
    fn of(pack: &Pack) -> Made {
        Made { name: pack.name, objects: pack.count }
    }
}

impl Staged {
    /// The two files of a pack, under temporary names.
    fn pack(pack: &Pack, objects: &Path, sharing: Sharing, barrier: &mut Barrier) -> Result<Staged> {
        let mut staged = Staged { files: Vec::new(), sharing, pack: Made::of(pack), empty: Vec::new() };
        let folder = objects.join("pack");
        for made in sharing.make_folders(&folder)? {
            barrier.name_of(&made);
        }
        staged.write(objects, &pack::file(objects, pack.name, "pack"), &pack.data, barrier)?;
        staged.write(objects, &pack::file(objects, pack.name, "idx"), &pack.index, barrier)?;
        Ok(staged)
    }

    fn write(&mut self, objects: &Path, target: &Path, data: &[u8], barrier: &mut Barrier) -> Result<()> {
        let temporary =
            objects.join(format!("{TEMPORARY}{}_{}", std::process::id(), super::commit::lock::ordinal()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(&temporary)
            .or_io("make", &temporary)?;
        self.files.push((temporary.clone(), target.to_owned()));
        file.write_all(data).or_io("write", &temporary)?;
        self.sharing.file(&file, &temporary)?;
        barrier.file(&temporary, file);
        Ok(())
    }

    /// Give the pack its names; readers look for the index, so that comes last.
    pub(super) fn publish(mut self, barrier: &mut Barrier) -> Result<Made> {
        for (temporary, target) in std::mem::take(&mut self.files) {
            barrier.name_of(&target);
            if let Err(error) = std::fs::rename(&temporary, &target).or_io("make", &target) {
                self.files.push((temporary, target));
                return Err(error);
            }
        }
        self.empty.iter().try_for_each(|path| disk::remove(path))?;
        Ok(self.pack)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (temporary, _) in &self.files {
            // Nothing can be done about a failure, and git prunes such files.
            let _ = std::fs::remove_file(temporary);
        }
    }
}
