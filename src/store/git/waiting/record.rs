//! One record of what waits: its files, each with its content beside it, as it is written and read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gix::ObjectId;

use super::debt::differs;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::commit::{self, lock};
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::repo::Repo;
use crate::store::git::{Change, Durability, Expect, Home};

const HEAD_LINE: &str = "swift waiting 1";

/// Where the record is among the contents.
pub(super) const RECORD: &str = "record";

/// One file that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// What the change was made to; `None` if nothing was there.
    pub(super) base: Option<ObjectId>,
    /// What it is to be; `None` if it is to be gone.
    pub(super) new: Option<ObjectId>,
}

/// What waits for one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) folder: PathBuf,
    /// In full; [`super::super::Home::detached`] without one.
    pub(super) branch: String,
    pub(super) files: BTreeMap<String, Kept>,
}

/// A file that waits: what the change was made to as far as that is known, what is there now, and what it is to be.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(crate) base: Option<Vec<u8>>,
    pub(crate) here: Option<Vec<u8>>,
    pub(crate) new: Option<Vec<u8>>,
}

impl Versions {
    /// Whether git has brought another version than the one that was changed.
    pub(crate) fn clash(&self) -> bool {
        self.here.is_some() && self.here != self.base && self.here != self.new
    }
}

impl Waiting {
    pub(super) fn read(folder: &Path) -> Result<Option<Waiting>> {
        let Some(record) = disk::read(&folder.join(RECORD))? else { return Ok(None) };
        match Waiting::parse(folder, &record) {
            Some(waiting) => Ok(Some(waiting)),
            None => Err(Fault::new(
                Code::Git,
                format!("{} is no record of changes that wait", folder.join(RECORD).display()),
            )
            .hint(format!("`ls -l {}` shows what was kept", folder.display()))),
        }
    }

    pub(super) fn content(&self, id: ObjectId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Refuse a change that was made to something else than what is there.
    pub(super) fn check(&self, folder: &Folder, change: &Change) -> Result<()> {
        let here = match self.files.get(&change.path) {
            Some(kept) => kept.new.map(|id| self.read_content(id)).transpose()?,
            None => folder.read(&change.path)?,
        };
        match &change.expect {
            Expect::Bytes(bytes) if here.as_ref() != Some(bytes) => Err(differs(&change.path)),
            Expect::Absent if here.is_some() => Err(differs(&change.path)),
            _ => Ok(()),
        }
    }

    /// The three versions of each file.
    pub(super) fn versions(&self, repo: &Repo, folder: &Folder) -> Result<BTreeMap<String, Versions>> {
        let mut all = BTreeMap::new();
        for (path, kept) in &self.files {
            // What it was made to may never have been committed.
            let base = kept.base.and_then(|id| repo.blob(id).ok());
            let new = kept.new.map(|id| self.read_content(id)).transpose()?;
            all.insert(path.clone(), Versions { base, here: folder.read(path)?, new });
        }
        Ok(all)
    }

    pub(super) fn read_content(&self, id: ObjectId) -> Result<Vec<u8>> {
        let path = self.content(id);
        std::fs::read(&path).or_io("read", &path)
    }

    /// How a file comes to its place; `None` if there is nothing to do.
    pub(super) fn landing(
        &self,
        repo: &Repo,
        folder: &Folder,
        path: &str,
        kept: Kept,
    ) -> Result<Option<Change>> {
        let here = folder.read(path)?;
        let id = here.as_deref().map(|content| commit::blob_id(repo, content)).transpose()?;
        if id == kept.new {
            return Ok(None);
        }
        let content = kept.new.map(|id| self.read_content(id)).transpose()?;
        let as_expected = id == kept.base || id.is_none();
        match (as_expected, content) {
            (true, content) => {
                let expect = here.map_or(Expect::Absent, Expect::Bytes);
                Ok(Some(Change { path: path.to_owned(), content, expect }))
            }
            // git has brought another version, and no rule says what becomes of both: they are kept, and two files of one
            // task are settled by `resolve`.
            (false, Some(content)) => {
                let path = beside(folder, path)?;
                Ok(Some(Change { path, content: Some(content), expect: Expect::Absent }))
            }
            (false, None) => Ok(None),
        }
    }

    /// Contents that no file has any more; what cannot be removed is removed the next time.
    pub(super) fn sweep(&self) {
        let used: BTreeSet<String> =
            self.files.values().filter_map(|kept| kept.new.map(|id| id.to_string())).collect();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != RECORD && !used.contains(&name) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// It is in place.
    pub(super) fn forget(&self) -> Result<()> {
        disk::remove(&self.folder.join(RECORD))?;
        let mut barrier = Barrier::default();
        barrier.folder(&self.folder);
        barrier.wait(Durability::Full)?;
        Waiting { files: BTreeMap::new(), ..self.clone() }.sweep();
        std::fs::remove_dir(&self.folder).or_io("remove", &self.folder)
    }

    /// Fields ended by NUL because a path may contain anything else.
    pub(super) fn render(&self) -> Vec<u8> {
        let name = |id: Option<ObjectId>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let mut text = format!("{HEAD_LINE}\0{}\0", self.branch);
        for (path, kept) in &self.files {
            text.push_str(&format!("{} {} {path}\0", name(kept.base), name(kept.new)));
        }
        text.push_str("end\0");
        text.into_bytes()
    }

    pub(super) fn parse(folder: &Path, record: &[u8]) -> Option<Waiting> {
        let text = std::str::from_utf8(record).ok()?.strip_suffix("end\0")?;
        let mut fields = text.split_terminator('\0');
        if fields.next()? != HEAD_LINE {
            return None;
        }
        let branch = fields.next()?.to_owned();
        let id = |text: &str| match text {
            "-" => Some(None),
            hex => ObjectId::from_hex(hex.as_bytes()).ok().map(Some),
        };
        let mut files = BTreeMap::new();
        for field in fields {
            let mut parts = field.splitn(3, ' ');
            let (base, new) = (id(parts.next()?)?, id(parts.next()?)?);
            files.insert(parts.next()?.to_owned(), Kept { base, new });
        }
        Some(Waiting { folder: folder.to_owned(), branch, files })
    }
}

impl Home {
    /// What was to be written could not be, or not so that it lasts: have the record as it was.
    pub(super) fn restore_record(&self, folder: &Path, before: Option<&Waiting>) {
        let now = Waiting::read(folder).ok().flatten();
        if now.as_ref() == before {
            return;
        }
        // The error that matters is the one at hand.
        let _ = match (before, now) {
            (Some(before), _) => self.write_record_of(before),
            (None, Some(now)) => now.forget(),
            (None, None) => Ok(()),
        };
    }

    /// Write a record with these contents that are new in it.
    pub(super) fn write_down<'c>(
        &self,
        waiting: &Waiting,
        contents: impl IntoIterator<Item = (ObjectId, &'c [u8])>,
    ) -> Result<()> {
        let mut barrier = Barrier::default();
        for (id, content) in contents {
            self.write_waiting(&waiting.content(id), content, &mut barrier)?;
        }
        barrier.wait(Durability::Full)?;
        self.write_record_of(waiting)
    }

    /// Write a record whose contents are there already.
    pub(super) fn write_record_of(&self, waiting: &Waiting) -> Result<()> {
        let mut barrier = Barrier::default();
        self.write_waiting(&waiting.folder.join(RECORD), &waiting.render(), &mut barrier)?;
        if let Some(above) = waiting.folder.parent() {
            barrier.folder(above);
            barrier.name_of(above);
        }
        barrier.wait(Durability::Full)?;
        waiting.sweep();
        Ok(())
    }

    /// Write a whole file under its name; its content and its name are for the barrier to flush.
    pub(super) fn write_waiting(&self, target: &Path, content: &[u8], barrier: &mut Barrier) -> Result<()> {
        let temporary = self.scratch().join(format!("waiting-{}-{}", std::process::id(), lock::ordinal()));
        self.write_record(&temporary, content)?;
        let file = std::fs::File::open(&temporary).or_io("open", &temporary)?;
        file.sync_all().or_io("flush", &temporary)?;
        std::fs::rename(&temporary, target).or_io("write", target)?;
        barrier.name_of(target);
        Ok(())
    }
}

/// A free name for a second version of a file: a task's beside it, any other's in the folder for what has no place.
fn beside(folder: &Folder, path: &str) -> Result<String> {
    let (stem, ending) = match path.strip_suffix(".md") {
        Some(stem) => (stem.to_owned(), ".md"),
        None => (format!("quarantine/{}", path.replace('/', "-")), ""),
    };
    for number in 1_u32.. {
        let name = format!("{stem}-waited-{number}{ending}");
        if folder.stat(&name)?.is_none() {
            return Ok(name);
        }
    }
    Err(differs(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_is_told() {
        let id = ObjectId::from_hex(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904").expect("a hash");
        let files = [
            ("tasks/a b\n.md".to_owned(), Kept { base: None, new: Some(id) }),
            ("x".to_owned(), Kept { base: Some(id), new: None }),
        ];
        let waiting = Waiting {
            folder: PathBuf::from("/a"),
            branch: "refs/heads/a/b".to_owned(),
            files: BTreeMap::from(files),
        };
        let record = waiting.render();
        for cut in 0..record.len() {
            assert_eq!(Waiting::parse(&waiting.folder, &record[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Waiting::parse(&waiting.folder, &record), Some(waiting));
    }
}
