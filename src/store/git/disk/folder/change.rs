//! Files put in place and taken away together: a change that fails half-way is taken back by names alone.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, RenameFlags};
use rustix::io::Errno;

use super::{Folder, Missing, Staged, not_a_file};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{OrIo as _, path};

enum Step {
    /// The file at the path is new; it was the staged one.
    Made(String, Staged),
    /// The file at the path has taken the place of the one that is now staged.
    Swapped(String, Staged),
    /// The file that was at the path is now staged.
    Taken(String, Staged),
}

/// Files that have been put in place or taken away, with what is needed to take it back.
#[must_use]
pub(in crate::store::git) struct Change<'a> {
    folder: &'a Folder,
    steps: Vec<Step>,
    made: Vec<String>,
}

impl<'a> Change<'a> {
    /// A change of files in a folder, with nothing in it yet.
    pub(super) fn of(folder: &'a Folder) -> Change<'a> {
        Change { folder, steps: Vec::new(), made: Vec::new() }
    }

    /// Put a staged file at a path where nothing is; a fault if something is there.
    pub(in crate::store::git) fn make(&mut self, path: &str, staged: &Staged) -> Result<()> {
        if self.try_make(path, staged)? { Ok(()) } else { Err(appeared(&self.folder.place(path))) }
    }

    /// Put a staged file at a path, whatever regular file is there; what was there comes back.
    pub(in crate::store::git) fn replace(&mut self, path: &str, staged: &Staged) -> Result<Option<Vec<u8>>> {
        match self.folder.stat(path)? {
            Some(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
                return Err(not_a_file(&self.folder.place(path)));
            }
            None if self.try_make(path, staged)? => return Ok(None),
            _ => {}
        }
        let place = self.folder.place(path);
        let (staging, folder) = (self.folder.staging()?, self.folder(path)?);
        let name = path::name(path);
        let mut old = Staged { name: staged.name.clone() };
        match rustix::fs::renameat_with(&*staging, &staged.name, &*folder, name, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                // A file system without exchange: keep the old bytes under a second name first.
                old.name = format!("{}-old", staged.name);
                rustix::fs::linkat(&*folder, name, &*staging, &old.name, AtFlags::empty())
                    .or_io("keep", &place)?;
                rustix::fs::renameat(&*staging, &staged.name, &*folder, name).or_io("write", &place)?;
            }
            Err(error) => return Err(error).or_io("write", &place),
        }
        let content = self.folder.read_in(&staging, &old.name, &place);
        self.steps.push(Step::Swapped(path.to_owned(), old));
        content
    }

    /// Take a file away; what was there comes back.
    pub(in crate::store::git) fn take(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        let place = self.folder.place(path);
        let Some(stat) = self.folder.stat(path)? else { return Ok(None) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file(&place));
        }
        let (staging, folder) = (self.folder.staging()?, self.folder(path)?);
        let old =
            Staged { name: format!("{}-{}", std::process::id(), crate::store::git::commit::lock::ordinal()) };
        rustix::fs::renameat(&*folder, path::name(path), &*staging, &old.name).or_io("remove", &place)?;
        let content = self.folder.read_in(&staging, &old.name, &place);
        self.steps.push(Step::Taken(path.to_owned(), old));
        content
    }

    fn folder(&mut self, path: &str) -> Result<Rc<OwnedFd>> {
        let folder = self.folder.enter(path::parent(path), Missing::Make, &mut self.made)?;
        Ok(folder.expect("a folder that is made is there"))
    }

    fn try_make(&mut self, path: &str, staged: &Staged) -> Result<bool> {
        let place = self.folder.place(path);
        let (staging, folder) = (self.folder.staging()?, self.folder(path)?);
        let name = path::name(path);
        let made = match rustix::fs::renameat_with(
            &*staging,
            &staged.name,
            &*folder,
            name,
            RenameFlags::NOREPLACE,
        ) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let linked = rustix::fs::linkat(&*staging, &staged.name, &*folder, name, AtFlags::empty());
                linked.and_then(|()| rustix::fs::unlinkat(&*staging, &staged.name, AtFlags::empty()))
            }
            made => made,
        };
        match made {
            Ok(()) => {
                let was = Staged { name: staged.name.clone() };
                self.steps.push(Step::Made(path.to_owned(), was));
            }
            Err(Errno::EXIST) => return Ok(false),
            Err(error) => return Err(error).or_io("write", &place),
        }
        Ok(true)
    }

    /// The folders whose names have changed.
    pub(in crate::store::git) fn flush(&self, barrier: &mut Barrier) {
        for step in &self.steps {
            let (Step::Made(path, _) | Step::Swapped(path, _) | Step::Taken(path, _)) = step;
            barrier.folder(&self.folder.place(path::parent(path)));
        }
        for made in &self.made {
            barrier.folder(&self.folder.place(path::parent(made)));
        }
    }

    /// The change is good: forget the old bytes, and the folders that have become empty, as git does.
    pub(in crate::store::git) fn complete(mut self) {
        let staging = self.folder.staging();
        for step in std::mem::take(&mut self.steps) {
            if let (Step::Swapped(_, old) | Step::Taken(_, old), Ok(staging)) = (&step, &staging) {
                // What cannot be removed is swept by the next verb.
                let _ = rustix::fs::unlinkat(&**staging, &old.name, AtFlags::empty());
            }
            if let Step::Taken(path, _) = &step {
                self.folder.prune(path::parent(path));
            }
        }
        self.made.clear();
    }

    /// Leave things as they are, old bytes included: the next verb will see to it.
    pub(in crate::store::git) fn leave(mut self) {
        self.steps.clear();
        self.made.clear();
    }

    /// Put everything back as it was; whether that worked.
    pub(in crate::store::git) fn take_back(mut self) -> Result<()> {
        self.undo()
    }

    fn undo(&mut self) -> Result<()> {
        let mut result = Ok(());
        for step in std::mem::take(&mut self.steps).into_iter().rev() {
            result = result.and(self.undo_step(&step));
        }
        for made in std::mem::take(&mut self.made).into_iter().rev() {
            self.folder.prune_one(&made);
        }
        result
    }

    fn undo_step(&self, step: &Step) -> Result<()> {
        let (Step::Made(path, _) | Step::Swapped(path, _) | Step::Taken(path, _)) = step;
        let place = self.folder.place(path);
        let (staging, name) = (self.folder.staging()?, path::name(path));
        let Some(folder) = self.folder.look(path::parent(path))? else { return Ok(()) };
        match step {
            // Should the rest fail, the next verb knows by this what was not put in place.
            Step::Made(_, was) => {
                rustix::fs::renameat(&*folder, name, &*staging, &was.name).or_io("take back", &place)
            }
            Step::Swapped(_, old) | Step::Taken(_, old) => {
                rustix::fs::renameat(&*staging, &old.name, &*folder, name).or_io("take back", &place)
            }
        }
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        // Only reached with steps on the way out of an error, which is the one that is reported.
        let _ = self.undo();
    }
}

fn appeared(place: &Path) -> Fault {
    Fault::new(Code::Changed, format!("{} is there already", place.display()))
}
