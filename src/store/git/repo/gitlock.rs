//! Lock files in git's own protocol, made so that a killed process cannot leave one that nobody may remove.
//!
//! A lock file is prepared under a private name and then given the name that git looks for, if that is free. So
//! its identity is known, and noted in the pending record, before it blocks anybody; whoever recovers removes
//! exactly the files of that identity.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, RenameFlags, StatxFlags};
use rustix::io::Errno;

use crate::domain::fault::{Code, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::patience::look_until;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, OrIo as _};

/// What tells one file from every other: also from a later one that got the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Identity(pub(in crate::store::git) String);

/// A lock file, prepared or held; removed when dropped.
#[derive(Debug)]
pub(in crate::store::git) struct GitLock {
    target: PathBuf,
    private: PathBuf,
    public: PathBuf,
    state: State,
    file: File,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Prepared,
    Held,
    Done,
}

impl GitLock {
    /// Prepare the lock of `target`; nobody is blocked yet.
    pub(in crate::store::git) fn prepare(target: &Path, scratch: &Path, sharing: Sharing) -> Result<GitLock> {
        let private = scratch.join(format!(
            "lock-{}-{}",
            std::process::id(),
            crate::store::git::commit::lock::ordinal()
        ));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&private)
            .or_io("make", &private)?;
        let mut public = target.as_os_str().to_owned();
        public.push(".lock");
        let lock = GitLock {
            target: target.to_owned(),
            private,
            public: public.into(),
            state: State::Prepared,
            file,
        };
        sharing.file(&lock.file, &lock.private)?;
        Ok(lock)
    }

    /// Where the lock is when it is held.
    pub(in crate::store::git) fn public(&self) -> &Path {
        &self.public
    }

    /// The file's identity.
    pub(in crate::store::git) fn identity(&self) -> Result<Identity> {
        Ok(identity(self.here())?.expect("a lock that was made is there"))
    }

    /// Take the lock; `false` if another program has held it for longer than `patience`.
    pub(in crate::store::git) fn acquire(&mut self, patience: Duration) -> Result<bool> {
        let taken = look_until(patience, || Ok(self.try_acquire()?.then_some(())))?;
        let taken = taken.in_time(self.held_by_another()).map_err(|fault| match fault.code {
            Code::Interrupted => {
                fault.hint(format!("`ls -l {}` shows since when it is held", as_word(&self.public)))
            }
            _ => fault,
        })?;
        Ok(taken.is_some())
    }

    /// Why something has to wait for this lock.
    pub(in crate::store::git) fn held_by_another(&self) -> String {
        format!("another program holds {}", self.public.display())
    }

    fn try_acquire(&mut self) -> Result<bool> {
        let moved = rustix::fs::renameat_with(CWD, &self.private, CWD, &self.public, RenameFlags::NOREPLACE);
        let moved = match moved {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::linkat(CWD, &self.private, CWD, &self.public, AtFlags::empty())
                    .and_then(|()| rustix::fs::unlink(&self.private))
            }
            moved => moved,
        };
        match moved {
            Ok(()) => {
                self.state = State::Held;
                Ok(true)
            }
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(error).or_io("lock", &self.target),
        }
    }

    /// Write what is to take the target's place.
    pub(in crate::store::git) fn write(&mut self, content: &[u8]) -> Result<()> {
        self.file.write_all(content).or_io("write", self.here())
    }

    /// A second handle, for flushing.
    pub(in crate::store::git) fn handle(&self) -> Result<File> {
        self.file.try_clone().or_io("open", self.here())
    }

    /// Let the lock file take the target's place, which ends the lock.
    pub(in crate::store::git) fn commit(mut self) -> Result<()> {
        std::fs::rename(&self.public, &self.target).or_io("write", &self.target)?;
        self.state = State::Done;
        Ok(())
    }

    /// Let a prepared file become the target if there is none and nobody holds the lock; whether it did. At no moment
    /// is there a lock file that a killed process could leave.
    pub(in crate::store::git) fn found(mut self) -> Result<bool> {
        if self.public.symlink_metadata().is_ok() {
            return Ok(false);
        }
        match rustix::fs::renameat_with(CWD, &self.private, CWD, &self.target, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::rename(&self.private, &self.target).or_io("write", &self.target)?;
            }
            Err(error) => return Err(error).or_io("write", &self.target),
        }
        self.state = State::Done;
        Ok(true)
    }

    fn here(&self) -> &Path {
        if self.state == State::Prepared { &self.private } else { &self.public }
    }
}

impl Drop for GitLock {
    fn drop(&mut self) {
        if self.state != State::Done {
            // What cannot be removed is named in the pending record, and removed by the next verb.
            let _ = std::fs::remove_file(self.here());
        }
    }
}

/// The identity of the file at a path, `None` if there is none.
pub(in crate::store::git) fn identity(path: &Path) -> Result<Option<Identity>> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    let stat = match rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error).or_io("inspect", path),
    };
    // Without the device: its number may be another one after the machine has started again.
    let born = stat.stx_btime;
    Ok(Some(Identity(format!("{}:{}.{}", stat.stx_ino, born.tv_sec, born.tv_nsec))))
}

/// Remove a lock file if it is the very one that is meant.
pub(in crate::store::git) fn remove_if(path: &Path, meant: &Identity) -> Result<()> {
    if identity(path)?.as_ref() == Some(meant) { disk::remove(path) } else { Ok(()) }
}
