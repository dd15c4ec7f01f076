//! Files that belong to the person's checkout and are written only after a yes: the settings and commands of
//! Claude Code.
//!
//! A path is followed step by step and no step may be a symbolic link; a file is replaced as a whole, and only while
//! it is still what the plan was made from. What folders were made is remembered, so that they can be taken away.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::fault::{Code, Fault, Result};

use super::files::Root;
use super::placed;

/// A checkout in which files are changed.
#[derive(Debug)]
pub(crate) struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// The checkout at this folder.
    pub(crate) fn at(folder: PathBuf) -> Checkout {
        Checkout { folder }
    }

    /// A file's bytes; `None` if there is none.
    ///
    /// # Errors
    /// [`Code::NotAFile`] if it, or a folder on the way, is a symbolic link or no file; [`Code::TooLarge`].
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        self.refuse_links(path)?;
        Root::open(&self.folder)?.read(path, limit)
    }

    /// Put a file in the place of what is there, which has to be `before`; gives the folders that were made for it.
    ///
    /// # Errors
    /// [`Code::Changed`] if it is something else by now; those of [`Checkout::read`]; [`Code::Io`].
    pub(crate) fn replace(&self, path: &str, before: Option<&[u8]>, after: &[u8]) -> Result<Vec<String>> {
        self.expect(path, before)?;
        let made = self.make_folders(path)?;
        let target = self.folder.join(path);
        placed::put(&target, after).map_err(|error| io("write", &target, &error))?;
        Ok(made)
    }

    /// Take a file away, which has to be `before`.
    ///
    /// # Errors
    /// As [`Checkout::replace`].
    pub(crate) fn remove(&self, path: &str, before: &[u8]) -> Result<()> {
        self.expect(path, Some(before))?;
        let target = self.folder.join(path);
        fs::remove_file(&target).map_err(|error| io("remove", &target, &error))
    }

    /// Take folders away that are empty; others stay.
    pub(crate) fn remove_empty(&self, folders: &[String]) {
        for folder in folders.iter().rev() {
            // That it is not empty is what the system says here.
            let _ = fs::remove_dir(self.folder.join(folder));
        }
    }

    fn expect(&self, path: &str, before: Option<&[u8]>) -> Result<()> {
        let limit = before.map_or(0, <[u8]>::len) as u64 + 1;
        let found = match self.read(path, limit) {
            Err(fault) if fault.code == Code::TooLarge => return Err(changed(path)),
            found => found?,
        };
        if found.as_deref() == before { Ok(()) } else { Err(changed(path)) }
    }

    fn make_folders(&self, path: &str) -> Result<Vec<String>> {
        let mut made = Vec::new();
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            match fs::create_dir(self.folder.join(folder)) {
                Ok(()) => made.push(folder.to_owned()),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io("make", &self.folder.join(folder), &error)),
            }
        }
        Ok(made)
    }

    fn refuse_links(&self, path: &str) -> Result<()> {
        let steps = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        for step in steps {
            let full = self.folder.join(step);
            let Ok(meta) = fs::symlink_metadata(&full) else { return Ok(()) };
            let fits = if step == path { meta.is_file() } else { meta.is_dir() };
            if !fits {
                let what = if meta.is_symlink() { "a symbolic link" } else { "not what it should be" };
                return Err(Fault::new(Code::NotAFile, format!("`{step}` is {what}; it is left alone"))
                    .hint(format!("look at it: `ls -ld {}`", full.display())));
            }
        }
        Ok(())
    }
}

fn changed(path: &str) -> Fault {
    Fault::new(Code::Changed, format!("`{path}` changed after it was read")).hint("run the command again")
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::of_system(format_args!("{what} `{}`", path.display()), error)
}
