//! One writer at a time.
//!
//! The lock is an exclusive `flock` on the repository's shared git folder itself: no file is made for it, so none
//! can be left behind or swept away, and the operating system releases it when a process dies. Whoever gets it
//! first finishes or drops what a killed process has left.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::env::signals::Wait;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::patience::{LONGEST, Waited, look_until};
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::creation;
use crate::store::git::home::relink::Noted;
use crate::store::git::{Home, HomeKind};

/// The exclusive hold on one queue; released when dropped, also by the operating system.
#[derive(Debug)]
pub(crate) struct Guard {
    common_dir: PathBuf,
    _held: File,
}

impl Home {
    /// Take the lock, waiting for others no longer than `wait`, and put in order what a killed process has left.
    pub(crate) fn lock(&self, wait: Duration) -> Result<Guard> {
        let guard = hold(&self.common_dir, wait)?;
        if self.refuse_strange()? == Noted::Amiss {
            // One that stays wrong counts for nothing.
            let _ = self.note_branch();
        }
        self.recover()?;
        Ok(guard)
    }

    /// Why every verb that writes would be refused, as long as nobody puts that in order.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] for records and files on their way that are not where they seem to be; [`Code::InProgress`] for a checkout of
    /// another branch; [`Code::Git`] for a record that cannot be one.
    pub(crate) fn refuse_unwritable(&self) -> Result<()> {
        refuse_link(&creation::folder(&self.common_dir))?;
        self.refuse_strange()?;
        Folder::open(&self.root)?.refuse_staging()?;
        disk::read(&self.pending_path()).map(drop)
    }

    fn refuse_strange(&self) -> Result<Noted> {
        for folder in [self.records(), self.scratch(), self.waiting_folder(), self.linked_debts()] {
            refuse_link(&folder)?;
        }
        self.refuse_repository_inside()?;
        self.refuse_other_branch()
    }

    /// Where the link to the repository would be, somebody has made another one: git would work in that.
    fn refuse_repository_inside(&self) -> Result<()> {
        let (root, link) = (as_word(&self.root), self.root.join(".git"));
        if self.kind != HomeKind::Branch || link.metadata().is_err() || link.is_file() {
            return Ok(());
        }
        let text = format!(
            "{} has a repository of its own in it, and git would take that for the queue's",
            self.root.display()
        );
        Err(Fault::new(Code::UnsafeHome, text)
            .hint(format!(
                "`mv {} {}` puts it aside; the next verb links the queue again",
                as_word(&link),
                as_word(&self.root.with_extension("git-aside"))
            ))
            .hint(format!("`git -C {root} log --all` shows what is in it")))
    }

    /// A defect of the caller, not of the repository: the guard of one queue was used for another.
    pub(in crate::store::git) fn check(&self, guard: &Guard) {
        assert_eq!(guard.common_dir, self.common_dir, "the lock of another repository is held");
    }
}

/// Take the lock and nothing else. Whoever holds it writes and removes records, so these are where they seem to be.
pub(in crate::store::git) fn hold(common_dir: &PathBuf, wait: Duration) -> Result<Guard> {
    refuse_link(&creation::folder(common_dir))?;
    let file = File::open(common_dir).or_io("open", common_dir)?;
    let held = match file.try_lock() {
        Ok(()) => Waited::Answered(file),
        Err(std::fs::TryLockError::WouldBlock) if wait <= SHORT => {
            try_for(file, wait).or_io("lock", common_dir)?
        }
        Err(std::fs::TryLockError::WouldBlock) => wait_for(file, wait).or_io("lock", common_dir)?,
        Err(std::fs::TryLockError::Error(error)) => return Err(error).or_io("lock", common_dir),
    };
    let reason = format!("another `swift` holds the queue in {}", common_dir.display());
    let held = held
        .in_time(&reason)?
        .ok_or_else(|| Fault::new(Code::Busy, &reason).hint("run the same command again"))?;
    Ok(Guard { common_dir: common_dir.clone(), _held: held })
}

/// Refuse a folder of records that leads elsewhere: what lies there is somebody's, and would be taken for left behind.
fn refuse_link(folder: &Path) -> Result<()> {
    let what = match folder.symlink_metadata() {
        Ok(found) if found.is_symlink() => "a symbolic link, and `swift` writes through none",
        Ok(found) if !found.is_dir() => "not a folder, and the records of `swift` would be in it",
        _ => return Ok(()),
    };
    Err(Fault::new(Code::UnsafeHome, format!("{} is {what}", folder.display()))
        .hint(format!("`ls -ld {}` shows what it is", folder.display())))
}

/// A wait for which no thread is started; those who wait so often would leave many behind.
const SHORT: Duration = Duration::from_millis(500);

/// Try again and again for a short time.
fn try_for(file: File, wait: Duration) -> std::io::Result<Waited<File>> {
    let locked = look_until(wait, || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    })?;
    Ok(match locked {
        Waited::Answered(()) => Waited::Answered(file),
        Waited::InVain => Waited::InVain,
        Waited::GivenUp => Waited::GivenUp,
    })
}

/// Wait in the kernel's queue, which is fair; a thread does so, because such a wait has no limit of its own. When
/// the wait has been given up the thread releases the lock as soon as it gets it.
fn wait_for(file: File, limit: Duration) -> std::io::Result<Waited<File>> {
    let (send, receive) = mpsc::sync_channel(0);
    std::thread::Builder::new().spawn(move || {
        let locked = file.lock().map(|()| file);
        // Nobody listens any more: dropping the file releases the lock.
        let _ = send.send(locked);
    })?;
    let (begin, wait) = (Instant::now(), Wait::begin());
    loop {
        let left = limit.saturating_sub(begin.elapsed());
        match receive.recv_timeout(left.min(LONGEST)) {
            Ok(locked) => return locked.map(Waited::Answered),
            Err(_) if wait.is_given_up() => return Ok(Waited::GivenUp),
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(_) => return Ok(Waited::InVain),
        }
    }
}

/// A number that this process has not used yet, for temporary names.
pub(in crate::store::git) fn ordinal() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
