//! The pending record: what a commit was about to do, for the next verb if this one is killed.
//!
//! It is written once all objects are on the disk and before the first file of the queue changes. The commit object
//! itself is the journal; the record only says which one it is, where the branch stood, which files are meant,
//! and which lock files are ours.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::lock;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, Make, OrIo as _};
use crate::store::git::objects::tree::Leaf;
use crate::store::git::repo::gitlock::{self, Identity};
use crate::store::git::{Durability, Home, HomeKind};

const HEAD_LINE: &str = "swift pending 1";

/// The first line of a record of locks alone.
const LOCKS_LINE: &str = "swift locks 1";

/// A commit on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Pending {
    pub(in crate::store::git) commit: ObjectId,
    pub(in crate::store::git) parent: Option<ObjectId>,
    pub(in crate::store::git) objects: Vec<ObjectId>,
    pub(in crate::store::git) files: Vec<Planned>,
    /// Lock files as [`Home::portable`] names them.
    pub(in crate::store::git) locks: Vec<(String, Identity)>,
}

/// One file of the commit on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Planned {
    pub(in crate::store::git) path: String,
    pub(in crate::store::git) old: Option<ObjectId>,
    pub(in crate::store::git) new: Option<Leaf>,
}

impl Home {
    /// Where the engine keeps its own records: in the git folder, so that `git clean` in the project does not reach
    /// them.
    pub(crate) fn records(&self) -> PathBuf {
        match self.kind {
            HomeKind::Branch => self.common_dir.join("swift"),
            HomeKind::Tree => self.git_dir.join("swift"),
        }
    }

    /// Whether a commit was begun and not ended: by a process that was killed, or by one that is at it now.
    pub(crate) fn is_unfinished(&self) -> bool {
        std::fs::metadata(self.pending_path()).is_ok_and(|record| record.len() > 0)
    }

    pub(in crate::store::git) fn pending_path(&self) -> PathBuf {
        self.records().join("pending")
    }

    /// Note what is about to be done.
    pub(in crate::store::git) fn note_pending(&self, pending: &Pending, barrier: &mut Barrier) -> Result<()> {
        self.note_record(&pending.render(), barrier)
    }

    /// Note what is about to be done, with a commit or without one.
    pub(in crate::store::git) fn note_record(&self, record: &[u8], barrier: &mut Barrier) -> Result<()> {
        let path = self.pending_path();
        // In place, always the same file: a record that is cut short lacks its last line and counts for nothing.
        let mut file = match disk::record(&path, Make::Nothing) {
            Err(error) if disk::is_absent(&error) => {
                barrier.name_of(&path);
                let file = disk::record(&path, Make::New).or_io("make", &path)?;
                self.repo()?.sharing()?.file(&file, &path)?;
                file
            }
            opened => opened.or_io("write", &path)?,
        };
        file.write_all(record).or_io("write", &path)?;
        barrier.file(&path, file);
        Ok(())
    }

    /// Note anew what is still about to be done, under other locks. At no moment is there no record.
    pub(super) fn renote_pending(&self, pending: &Pending, locks: Vec<(String, Identity)>) -> Result<()> {
        let renewed = Pending { locks, ..pending.clone() };
        let path = self.pending_path();
        let temporary = self.scratch().join(format!("pending-{}-{}", std::process::id(), lock::ordinal()));
        self.write_record(&temporary, &renewed.render())?;
        let mut barrier = Barrier::default();
        barrier.file(&temporary, File::open(&temporary).or_io("open", &temporary)?);
        barrier.wait(Durability::Full)?;
        std::fs::rename(&temporary, &path).or_io("write", &path)
    }

    /// Note locks that are about to be taken for something that needs no other record.
    pub(super) fn note_locks(&self, locks: &[(String, Identity)]) -> Result<()> {
        let path = self.pending_path();
        let mut text = format!("{LOCKS_LINE}\0");
        for (path, identity) in locks {
            text.push_str(&format!("lock {} {path}\0", identity.0));
        }
        text.push_str("end\0");
        let mut barrier = Barrier::default();
        barrier.file(&path, self.write_record(&path, text.as_bytes())?);
        barrier.wait(Durability::Full)
    }

    /// The commit is done, or will not be: empty the record, unless a lock file could not be removed. Then the next
    /// verb has to know that it is ours.
    pub(super) fn forget_pending(&self, pending: &Pending) -> Result<()> {
        for (path, identity) in &pending.locks {
            let path = &self.locate(path);
            if path.symlink_metadata().is_ok() && gitlock::identity(path)?.as_ref() == Some(identity) {
                return Ok(());
            }
        }
        self.empty_pending()
    }

    /// Remove locks of ours that could not be removed before, now that the record is about to be written over.
    pub(in crate::store::git) fn free_locks(&self) -> Result<()> {
        if !self.is_unfinished() {
            return Ok(());
        }
        let record = disk::read(&self.pending_path())?.unwrap_or_default();
        let named = Pending::parse(&record).map(|pending| pending.locks);
        for (path, identity) in named.or_else(|| locks_alone(&record)).into_iter().flatten() {
            gitlock::remove_if(&self.locate(&path), &identity)?;
        }
        self.empty_pending()
    }

    pub(in crate::store::git) fn empty_pending(&self) -> Result<()> {
        let path = self.pending_path();
        match disk::record(&path, Make::Nothing) {
            Err(error) if !disk::is_absent(&error) => Err(error).or_io("empty", &path),
            _ => Ok(()),
        }
    }

    /// A path in the git folders in a way that survives a move of the repository.
    pub(in crate::store::git) fn portable(&self, path: &Path) -> String {
        let below =
            |folder: &Path| path.strip_prefix(folder).ok().map(|rest| rest.to_string_lossy().into_owned());
        match (below(&self.git_dir), below(&self.common_dir)) {
            (Some(own), _) => format!("own {own}"),
            (_, Some(common)) => format!("common {common}"),
            // An index behind a symbolic link.
            _ => format!("at {}", path.to_string_lossy()),
        }
    }

    pub(super) fn locate(&self, name: &str) -> PathBuf {
        match name.split_once(' ') {
            Some(("own", rest)) => self.git_dir.join(rest),
            Some(("common", rest)) => self.common_dir.join(rest),
            Some((_, rest)) => PathBuf::from(rest),
            None => PathBuf::from(name),
        }
    }

    /// Private files on their way into the git folder.
    pub(in crate::store::git) fn scratch(&self) -> PathBuf {
        self.records().join("tmp")
    }

    /// Write a small record in place; whoever shares the repository can write it, too.
    pub(in crate::store::git) fn write_record(&self, path: &Path, content: &[u8]) -> Result<File> {
        let file = disk::overwrite(path, content).or_io("write", path)?;
        self.repo()?.sharing()?.file(&file, path)?;
        Ok(file)
    }

    /// Make the folders of the records.
    pub(in crate::store::git) fn make_records(&self, sharing: Sharing) -> Result<()> {
        sharing.make_folders(&self.scratch()).map(drop)
    }
}

impl Pending {
    /// One field a line, fields ended by NUL because a path may contain anything else.
    fn render(&self) -> Vec<u8> {
        let mut text = String::new();
        let mut line = |parts: &[&str]| {
            text.push_str(&parts.join(" "));
            text.push('\0');
        };
        line(&[HEAD_LINE]);
        line(&["commit", &self.commit.to_string()]);
        if let Some(parent) = self.parent {
            line(&["parent", &parent.to_string()]);
        }
        for object in &self.objects {
            line(&["object", &object.to_string()]);
        }
        for (path, identity) in &self.locks {
            line(&["lock", &identity.0, path]);
        }
        for file in &self.files {
            let old = file.old.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let new = file.new.map_or_else(|| "-".to_owned(), |leaf| format!("{:o}:{}", leaf.mode, leaf.id));
            line(&["file", &old, &new, &file.path]);
        }
        line(&["end"]);
        text.into_bytes()
    }

    pub(super) fn parse(record: &[u8]) -> Option<Pending> {
        let text = std::str::from_utf8(record).ok()?;
        let mut lines = text.strip_suffix("end\0")?.split_terminator('\0');
        if lines.next()? != HEAD_LINE {
            return None;
        }
        let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).ok();
        let mut pending = Pending {
            commit: id(lines.next()?.strip_prefix("commit ")?)?,
            parent: None,
            objects: Vec::new(),
            files: Vec::new(),
            locks: Vec::new(),
        };
        for line in lines {
            let (what, rest) = line.split_once(' ')?;
            match what {
                "parent" => pending.parent = Some(id(rest)?),
                "object" => pending.objects.push(id(rest)?),
                "lock" => {
                    let (identity, path) = rest.split_once(' ')?;
                    pending.locks.push((path.to_owned(), Identity(identity.to_owned())));
                }
                "file" => {
                    let mut parts = rest.splitn(3, ' ');
                    let (old, new, path) = (parts.next()?, parts.next()?, parts.next()?);
                    let leaf = |text: &str| {
                        let (mode, hex) = text.split_once(':')?;
                        Some(Leaf { mode: u32::from_str_radix(mode, 8).ok()?, id: id(hex)? })
                    };
                    pending.files.push(Planned {
                        path: path.to_owned(),
                        old: if old == "-" { None } else { Some(id(old)?) },
                        new: if new == "-" { None } else { Some(leaf(new)?) },
                    });
                }
                _ => return None,
            }
        }
        Some(pending)
    }
}

/// What a record of locks alone names.
pub(super) fn locks_alone(record: &[u8]) -> Option<Vec<(String, Identity)>> {
    let text = std::str::from_utf8(record).ok()?;
    let mut lines = text.strip_suffix("end\0")?.split_terminator('\0');
    (lines.next()? == LOCKS_LINE).then_some(())?;
    let lock = |line: &str| {
        let (identity, path) = line.strip_prefix("lock ")?.split_once(' ')?;
        Some((path.to_owned(), Identity(identity.to_owned())))
    };
    lines.map(lock).collect()
}

/// The same commit was asked for on a branch that has moved on.
pub(super) fn moved() -> Fault {
    Fault::new(Code::Busy, "the branch of the queue moves faster than a commit can be made")
        .hint("run the same command again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_counts_for_nothing() {
        let id = ObjectId::from_hex(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904").expect("a hash");
        let pending = Pending {
            commit: id,
            parent: Some(id),
            objects: vec![id],
            files: vec![
                Planned { path: "tasks/a b\n.md".into(), old: None, new: Some(Leaf { mode: 0o100_644, id }) },
                Planned { path: "x".into(), old: Some(id), new: None },
            ],
            locks: vec![("own index.lock".into(), Identity("5:0.0".into()))],
        };
        let record = pending.render();
        assert_eq!(Pending::parse(&record), Some(pending));
        for cut in 0..record.len() {
            assert_eq!(Pending::parse(&record[..cut]), None, "cut at {cut}");
        }
    }
}
