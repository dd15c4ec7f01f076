//! The `.swift` folder, entered one part at a time and never through a symbolic link.
//!
//! All writing to queue files goes through here. A file is first staged below `local/tmp/` and then swapped into
//! its place, so that the bytes that were there survive until the whole change is known to be good: a change that
//! fails half-way is taken back by names alone, which works on a full disk too.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gix::ObjectId;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::perm::Sharing;
use super::sync::Barrier;
use super::{OrIo as _, path};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::objects;
use crate::store::git::repo::Repo;

mod change;

pub(in crate::store::git) use change::Change;

/// Where staged files and the bytes that they replace wait; below `.swift/`.
const STAGING: &str = "local/tmp";

/// Open folders that are remembered at most.
const OPEN: usize = 200;

/// The `.swift` folder, opened.
pub(in crate::store::git) struct Folder {
    root: Rc<OwnedFd>,
    path: PathBuf,
    open: RefCell<HashMap<String, Rc<OwnedFd>>>,
    /// How what is made in it is shared.
    sharing: Sharing,
}

/// What to do about a folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    Leave,
}

/// A file that waits in the staging folder.
pub(in crate::store::git) struct Staged {
    name: String,
}

impl Folder {
    /// Open `.swift` itself.
    pub(in crate::store::git) fn open(root: &Path) -> Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(root, flags, Mode::empty()).map_err(|error| unsafe_or_io(error, root))?;
        let (path, open) = (root.to_owned(), RefCell::default());
        Ok(Folder { root: Rc::new(fd), path, open, sharing: Sharing::Umask })
    }

    /// The same for whoever writes: others may have to write there, too.
    pub(in crate::store::git) fn shared(self, sharing: Sharing) -> Folder {
        Folder { sharing, ..self }
    }

    fn place(&self, relative: &str) -> PathBuf {
        if relative.is_empty() { self.path.clone() } else { self.path.join(relative) }
    }

    fn enter(&self, relative: &str, missing: Missing, made: &mut Vec<String>) -> Result<Option<Rc<OwnedFd>>> {
        if relative.is_empty() {
            return Ok(Some(Rc::clone(&self.root)));
        }
        if let Some(fd) = self.open.borrow().get(relative) {
            return Ok(Some(Rc::clone(fd)));
        }
        let Some(above) = self.enter(path::parent(relative), missing, made)? else { return Ok(None) };
        let name = path::name(relative);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut is_new = false;
        let fd = match rustix::fs::openat(&*above, name, flags, Mode::empty()) {
            Err(Errno::NOENT) if missing == Missing::Leave => return Ok(None),
            Err(Errno::NOENT) => {
                match rustix::fs::mkdirat(&*above, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) => {
                        made.push(relative.to_owned());
                        is_new = true;
                    }
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(error).or_io("make the folder", &self.place(relative)),
                }
                rustix::fs::openat(&*above, name, flags, Mode::empty())
            }
            opened => opened,
        };
        let fd = Rc::new(fd.map_err(|error| unsafe_or_io(error, &self.place(relative)))?);
        if is_new {
            self.sharing.folder(&*fd, &self.place(relative))?;
        }
        let mut open = self.open.borrow_mut();
        if open.len() >= OPEN {
            open.clear();
        }
        open.insert(relative.to_owned(), Rc::clone(&fd));
        Ok(Some(fd))
    }

    fn look(&self, relative: &str) -> Result<Option<Rc<OwnedFd>>> {
        self.enter(relative, Missing::Leave, &mut Vec::new())
    }

    /// Refuse what is no folder where files wait for their place. Whether their parent is one others look at.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`].
    pub(in crate::store::git) fn refuse_staging(&self) -> Result<()> {
        match self.look(path::parent(STAGING)) {
            Ok(Some(_)) => self.look(STAGING).map(drop),
            _ => Ok(()),
        }
    }

    /// What kind of thing is at a path; symbolic links are not followed.
    pub(in crate::store::git) fn stat(&self, relative: &str) -> Result<Option<Stat>> {
        let Some(folder) = self.look(path::parent(relative))? else { return Ok(None) };
        match rustix::fs::statat(&*folder, path::name(relative), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error).or_io("inspect", &self.place(relative)),
        }
    }

    /// The bytes of a regular file, `None` if nothing is there.
    pub(in crate::store::git) fn read(&self, relative: &str) -> Result<Option<Vec<u8>>> {
        let Some(folder) = self.look(path::parent(relative))? else { return Ok(None) };
        self.read_in(&folder, path::name(relative), &self.place(relative))
    }

    fn read_in(&self, folder: &OwnedFd, name: &str, place: &Path) -> Result<Option<Vec<u8>>> {
        let Some(mut file) = open_in(folder, name, place)? else { return Ok(None) };
        let mut content = Vec::new();
        file.read_to_end(&mut content).or_io("read", place)?;
        Ok(Some(content))
    }

    /// The id that a file's content has for git, `None` if nothing is there; `before` is the id that the content may
    /// still have. A large file of another size has another content, and is not read to learn which: the id is the null
    /// one, which no content has. So it is of one that this user may not read.
    pub(in crate::store::git) fn id(
        &self,
        repo: &Repo,
        relative: &str,
        before: Option<ObjectId>,
    ) -> Result<Option<ObjectId>> {
        match self.id_of_readable(repo, relative, before) {
            Err(_) if self.is_closed(relative) => Ok(Some(ObjectId::null(repo.hash))),
            told => told,
        }
    }

    fn id_of_readable(
        &self,
        repo: &Repo,
        relative: &str,
        before: Option<ObjectId>,
    ) -> Result<Option<ObjectId>> {
        let Some(folder) = self.look(path::parent(relative))? else { return Ok(None) };
        let place = self.place(relative);
        let Some(mut file) = open_in(&folder, path::name(relative), &place)? else { return Ok(None) };
        let length = file.metadata().or_io("inspect", &place)?.len();
        let may_be_same = || before.and_then(|id| repo.size(id)) == Some(length);
        let id = match length <= READ_ANYWAY || may_be_same() {
            true => objects::hash_file(repo.hash, &mut file).or_io("read", &place)?,
            false => None,
        };
        Ok(Some(id.unwrap_or_else(|| ObjectId::null(repo.hash))))
    }

    /// Whether this user may not read a file, or the folder in which it is. One of another user must not stop the rest.
    pub(in crate::store::git) fn is_closed(&self, relative: &str) -> bool {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&*self.root, relative, flags, Mode::empty());
        matches!(opened, Err(Errno::ACCESS | Errno::PERM))
    }

    /// Write a file to the staging folder.
    pub(in crate::store::git) fn stage(&self, content: &[u8], barrier: &mut Barrier) -> Result<Staged> {
        let staging = self.staging()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (name, place, fd) = loop {
            let name = format!("{}-{}", std::process::id(), crate::store::git::commit::lock::ordinal());
            let place = self.place(STAGING).join(&name);
            match rustix::fs::openat(&*staging, &name, flags, Mode::from_raw_mode(0o666)) {
                // Left by a killed process that had our number.
                Err(Errno::EXIST) => {}
                made => break (name, place.clone(), made.or_io("make", &place)?),
            }
        };
        let mut file = File::from(fd);
        let written = file.write_all(content).or_io("write", &place);
        if let Err(fault) = written.and_then(|()| self.sharing.file(&file, &place)) {
            // The error that matters is the one at hand; what stays behind is swept by the next verb.
            let _ = rustix::fs::unlinkat(&*staging, &name, AtFlags::empty());
            return Err(fault);
        }
        barrier.file(&place, file);
        Ok(Staged { name })
    }

    /// A file that a person has written, and that is to be committed as it is, has to be flushed too.
    pub(in crate::store::git) fn flush_kept(&self, relative: &str, barrier: &mut Barrier) -> Result<()> {
        let place = self.place(relative);
        let Some(folder) = self.look(path::parent(relative))? else { return Ok(()) };
        barrier.name_of(&place);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&*folder, path::name(relative), flags, Mode::empty()) {
            Ok(fd) => barrier.file(&place, File::from(fd)),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error).or_io("open", &place),
        }
        Ok(())
    }

    fn staging(&self) -> Result<Rc<OwnedFd>> {
        let staging = self.enter(STAGING, Missing::Make, &mut Vec::new())?;
        Ok(staging.expect("a folder that is made is there"))
    }

    /// Remove what killed processes have left in the staging folder; only under the lock. Whether there was any.
    pub(in crate::store::git) fn sweep(&self) -> Result<bool> {
        let Some(staging) = self.look(STAGING)? else { return Ok(false) };
        let place = self.place(STAGING);
        let mut any = false;
        for entry in rustix::fs::Dir::read_from(&*staging).or_io("list", &place)? {
            let entry = entry.or_io("list", &place)?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                // A folder in there is not ours.
                any |= rustix::fs::unlinkat(&*staging, entry.file_name(), AtFlags::empty()).is_ok();
            }
        }
        Ok(any)
    }

    /// The contents that wait to be put in place; `None` if the place for it is gone, and nothing is known.
    pub(in crate::store::git) fn staged_ids(&self, repo: &Repo) -> Result<Option<HashSet<ObjectId>>> {
        let Some(staging) = self.look(STAGING)? else { return Ok(None) };
        let place = self.place(STAGING);
        let mut ids = HashSet::new();
        for entry in rustix::fs::Dir::read_from(&*staging).or_io("list", &place)? {
            let entry = entry.or_io("list", &place)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            // What is no file there is not ours.
            if let Ok(Some(content)) = self.read_in(&staging, name, &place) {
                ids.insert(objects::hash(repo.hash, gix::objs::Kind::Blob, &content)?);
            }
        }
        Ok(Some(ids))
    }

    /// All regular files below a folder, without what is machine-local and without the link to git.
    pub(in crate::store::git) fn list(&self, relative: &str, into: &mut Vec<String>) -> Result<()> {
        let Some(folder) = self.look(relative)? else { return Ok(()) };
        let place = self.place(relative);
        for entry in rustix::fs::Dir::read_from(&*folder).or_io("list", &place)? {
            let entry = entry.or_io("list", &place)?;
            // What is no UTF-8 cannot be a file of the queue; reading the folder lists it as a problem.
            let Ok(name) = entry.file_name().to_str() else { continue };
            let path = if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
            if matches!(name, "." | ".." | ".git") || path == "local" {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.stat(&path)?.map(|stat| FileType::from_raw_mode(stat.st_mode)),
                kind => Some(kind),
            };
            match kind {
                Some(FileType::Directory) if self.is_closed(&path) => {}
                Some(FileType::Directory) => self.list(&path, into)?,
                Some(FileType::RegularFile) => into.push(path),
                _ => {}
            }
        }
        Ok(())
    }

    /// Begin a change of several files that is taken back unless it is completed.
    pub(in crate::store::git) fn change(&self) -> Change<'_> {
        Change::of(self)
    }
}

/// So many bytes are read to learn whether a file has changed, even if its size says so already.
const READ_ANYWAY: u64 = 1 << 20;

/// Folders of the queue that are there even when they are empty.
pub(in crate::store::git) const KEPT: [&str; 2] = ["outbox", "inbox"];

impl Folder {
    /// Remove folders that are empty, from this one upwards. Those stay into which people and programs put files.
    pub(in crate::store::git) fn prune(&self, relative: &str) {
        let mut folder = relative;
        while !folder.is_empty() && !KEPT.contains(&folder) && self.prune_one(folder) {
            folder = path::parent(folder);
        }
    }

    fn prune_one(&self, folder: &str) -> bool {
        self.open.borrow_mut().retain(|open, _| open != folder && !open.starts_with(&format!("{folder}/")));
        let Ok(Some(above)) = self.look(path::parent(folder)) else { return false };
        rustix::fs::unlinkat(&*above, path::name(folder), AtFlags::REMOVEDIR).is_ok()
    }

    /// Forget staged files that were not used.
    pub(in crate::store::git) fn discard(&self, staged: impl IntoIterator<Item = Staged>) {
        let Ok(staging) = self.staging() else { return };
        for file in staged {
            // What cannot be removed is swept by the next verb.
            let _ = rustix::fs::unlinkat(&*staging, &file.name, AtFlags::empty());
        }
    }
}

/// A regular file, open for reading.
fn open_in(folder: &OwnedFd, name: &str, place: &Path) -> Result<Option<File>> {
    // Without blocking, so that a pipe with no writer cannot hang us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::MLINK | Errno::NXIO) => return Err(not_a_file(place)),
        Err(error) => return Err(error).or_io("read", place),
    };
    match file.metadata().or_io("inspect", place)?.is_file() {
        true => Ok(Some(file)),
        false => Err(not_a_file(place)),
    }
}

fn unsafe_or_io(error: Errno, place: &Path) -> Fault {
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::MLINK => {
            Fault::new(Code::UnsafeHome, format!("{} is a symbolic link or not a folder", place.display()))
                .hint(format!("`ls -ld {}` shows what it is", as_word(place)))
        }
        error => Err::<(), _>(error).or_io("open", place).expect_err("an error stays one"),
    }
}

fn not_a_file(place: &Path) -> Fault {
    Fault::new(Code::NotAFile, format!("{} is not a regular file", place.display()))
}
