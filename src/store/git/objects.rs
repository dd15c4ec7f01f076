//! New objects of one commit: collected in memory, staged under temporary names, then published together.
//!
//! Staging and publishing are apart so that the content can be flushed in between: an object whose name reaches
//! the disk before its content would be empty after a power cut, and git would never write it again. For the
//! same reason an object that is there but empty is written anew. Many objects become one pack.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;

use super::deflate::Deflater;
use super::disk::{self, OrIo as _};
use super::pack;
use super::perm::Sharing;
use super::sync::Barrier;
use crate::domain::fault::{Code, Fault, Result};

/// From here on the objects are written as one pack.
const MANY: usize = 48;

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

    /// Write everything under temporary names.
    pub(super) fn stage(&self, objects: &Path, sharing: Sharing, barrier: &mut Barrier) -> Result<Staged> {
        let mut staged = Staged { files: Vec::new(), sharing };
        if self.order.len() > MANY {
            self.stage_pack(objects, &mut staged, barrier)?;
        } else {
            self.stage_loose(objects, &mut staged, barrier)?;
        }
        Ok(staged)
    }

    fn stage_loose(&self, objects: &Path, staged: &mut Staged, barrier: &mut Barrier) -> Result<()> {
        let mut deflater = Deflater::new();
        let mut plain = Vec::new();
        for id in &self.order {
            let hex = id.to_string();
            let target = objects.join(&hex[..2]).join(&hex[2..]);
            if let Some(there) = sound(&target)? {
                barrier.file(&target, there);
                barrier.name_of(&target);
                continue;
            }
            let (kind, data) = &self.objects[id];
            plain.clear();
            plain.extend_from_slice(format!("{kind} {}\0", data.len()).as_bytes());
            plain.extend_from_slice(data);
            staged.write(objects, &target, deflater.run(&plain)?, barrier)?;
        }
        Ok(())
    }

    fn stage_pack(&self, objects: &Path, staged: &mut Staged, barrier: &mut Barrier) -> Result<()> {
        let entries = self.order.iter().map(|id| (*id, self.objects[id].0, self.objects[id].1.as_slice()));
        let pack = pack::write(self.hash, entries)?;
        let folder = objects.join("pack");
        for made in staged.sharing.make_folders(&folder)? {
            barrier.name_of(&made);
        }
        let name = |ending: &str| folder.join(format!("pack-{}.{ending}", pack.name));
        staged.write(objects, &name("pack"), &pack.data, barrier)?;
        staged.write(objects, &name("idx"), &pack.index, barrier)
    }
}

/// An object file that is there and not empty; an empty one is what a power cut leaves.
fn sound(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => {
            let length = file.metadata().or_io("inspect", path)?.len();
            // git counts age from the last use when it prunes; a failure here only makes the object look older.
            let _ = file.set_modified(std::time::SystemTime::now());
            Ok((length > 0).then_some(file))
        }
        Err(error) if disk::is_absent(&error) => Ok(None),
        Err(error) => Err(error).or_io("read", path),
    }
}

/// The id that git gives to an object.
pub(super) fn hash(hash: gix::hash::Kind, kind: Kind, data: &[u8]) -> Result<ObjectId> {
    gix::objs::compute_hash(hash, kind, data)
        .map_err(|error| Fault::new(Code::Git, format!("an object cannot be hashed: {error}")))
}

/// Objects on the disk that nobody sees yet; what is not published is removed again.
pub(super) struct Staged {
    files: Vec<(PathBuf, PathBuf)>,
    sharing: Sharing,
}

impl Staged {
    fn write(&mut self, objects: &Path, target: &Path, data: &[u8], barrier: &mut Barrier) -> Result<()> {
        let temporary = objects.join(format!("{TEMPORARY}{}_{}", std::process::id(), super::lock::ordinal()));
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

    /// Give all objects their names, in the order in which they were collected.
    pub(super) fn publish(mut self, barrier: &mut Barrier) -> Result<()> {
        for (temporary, target) in std::mem::take(&mut self.files) {
            if let Err(error) = self.publish_one(&temporary, &target, barrier) {
                self.files.push((temporary, target));
                return Err(error);
            }
        }
        Ok(())
    }

    fn publish_one(&self, temporary: &Path, target: &Path, barrier: &mut Barrier) -> Result<()> {
        barrier.name_of(target);
        match std::fs::rename(temporary, target) {
            Err(error) if disk::is_absent(&error) => {
                for made in self.sharing.make_folders(target.parent().expect("an object is in a folder"))? {
                    barrier.name_of(&made);
                }
                std::fs::rename(temporary, target).or_io("make", target)
            }
            renamed => renamed.or_io("make", target),
        }
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
