//! What belongs to this machine and is never committed: `.swift/local/`.
//!
//! Everything here may be deleted at any time. Paths of projects have to be told again after that; caches,
//! proposals and the writer's bookmark are made anew.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;

use super::layout::LOCAL;
use crate::domain::fault::{Code, Fault, Result};
use crate::env;

/// The note of what is paused.
pub(crate) const PAUSED: &str = "paused.json";

/// The folders that were made for the file that starts the watcher, the innermost first.
pub(crate) const SERVICE_FOLDERS: &str = "service-folders";

/// The notes that are one file each.
pub(crate) const NOTES: [&str; 14] = [
    "paths.json",
    "orchestrator",
    "writer",
    super::layout::OPEN_SESSION,
    "adopting.json",
    "attempts.json",
    "asked.json",
    "served.json",
    "claude.json",
    "claude-version",
    "watch.json",
    PAUSED,
    "notify.json",
    SERVICE_FOLDERS,
];

/// How large a note may be that is read as a whole.
const LARGEST_NOTE: u64 = 16 << 20;

/// How large a text may be, such as a path.
const LARGEST_TEXT: u64 = 1 << 16;

/// How large a file may be that grows with the queue.
pub(crate) const LARGEST_INDEX: u64 = 256 << 20;

/// Whether this run is a dry one: then not even a cache is written, in whichever queue.
static FROZEN: AtomicBool = AtomicBool::new(false);

/// From now on nothing is written below any queue's own folder: a dry run leaves every byte as it is.
pub(crate) fn freeze() {
    FROZEN.store(true, Ordering::Relaxed);
}

/// Whether this is a dry run.
pub(crate) fn is_frozen() -> bool {
    FROZEN.load(Ordering::Relaxed)
}

/// The bits of a folder that is shared with a group: it may write there, and what is made belongs to it.
const SHARED: u32 = 0o2020;

/// The machine's own folder of one queue.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    folder: PathBuf,
}

impl Local {
    /// The folder below a queue's root; made when something is first written.
    pub(crate) fn of(root: &Path) -> Local {
        Local { folder: root.join(LOCAL) }
    }

    /// What belongs to no queue but to whoever uses this machine: beside the worktrees of runs. `None` where the
    /// environment names no place for it.
    pub(crate) fn of_machine() -> Option<Local> {
        env::state_dir().map(|state| Local { folder: state.join("swift") })
    }

    /// Where a file of this folder lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// One after the other: read and write again as nobody else does meanwhile, until this is dropped.
    ///
    /// # Errors
    /// As [`Local::ensure`].
    pub(crate) fn turn(&self) -> Result<fs::File> {
        self.ensure()?;
        let folder = fs::File::open(&self.folder).map_err(|e| io("open", &self.folder, &e))?;
        folder.lock().map_err(|e| io("lock", &self.folder, &e))?;
        Ok(folder)
    }

    /// A file's bytes; `None` if it is not there or cannot be read, which is the same here, as is one that is larger
    /// than any note.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.read_up_to(name, LARGEST_NOTE)
    }

    /// The bytes of a file that grows with the queue.
    pub(crate) fn read_up_to(&self, name: &str, limit: u64) -> Option<Vec<u8>> {
        let file = open(&self.folder.join(name)).ok()?;
        let size = file.metadata().ok().filter(|meta| meta.is_file() && meta.len() <= limit)?.len();
        let mut bytes = Vec::with_capacity(size as usize + 1);
        file.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Whether something else is in the place of a file.
    pub(crate) fn is_no_file(&self, name: &str) -> bool {
        self.folder.join(name).symlink_metadata().is_ok_and(|found| !found.is_file())
    }

    /// A short file's text; `None` as for [`Local::read`].
    pub(crate) fn read_text(&self, name: &str) -> Option<String> {
        self.read_up_to(name, LARGEST_TEXT).and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// Replace a file as a whole, so that a reader sees the old or the new one.
    ///
    /// # Errors
    /// [`Code::Io`] with the path, [`Code::UnsafeHome`] if the folder is a symbolic link.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.replace(name, bytes, |_| Ok(()))
    }

    /// The same, and it has survived a loss of power when it is done.
    ///
    /// # Errors
    /// As [`Local::write`].
    pub(crate) fn write_durably(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.replace(name, bytes, fs::File::sync_all)?;
        if is_frozen() {
            return Ok(());
        }
        let flushed = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        flushed.map_err(|e| io("flush", &self.folder, &e))
    }

    fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        flush: impl FnOnce(&fs::File) -> std::io::Result<()>,
    ) -> Result<()> {
        if is_frozen() {
            return Ok(());
        }
        let path = self.folder.join(name);
        let folder = path.parent().expect("a name below the folder").to_owned();
        self.refuse_links(&folder)?;
        self.make(&folder)?;
        let temporary = folder.join(format!(".swift-tmp-{}-{}", std::process::id(), name.replace('/', "-")));
        let written = fs::File::create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            self.share(&temporary)?;
            flush(&file)
        });
        let done = written.and_then(|()| fs::rename(&temporary, &path));
        done.map_err(|e| {
            let _ = fs::remove_file(&temporary);
            io("write", &path, &e)
        })
    }

    /// Write a small file over itself, for what is written with every verb and is worth nothing when it is cut short.
    ///
    /// # Errors
    /// As [`Local::write`].
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let own = |meta: fs::Metadata| meta.is_file() && meta.nlink() == 1;
        if is_frozen() || !fs::symlink_metadata(&path).is_ok_and(own) {
            return self.write(name, bytes);
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let opened = fs::OpenOptions::new().write(true).truncate(true).custom_flags(flags as i32).open(&path);
        opened.and_then(|mut file| file.write_all(bytes)).map_err(|e| io("write", &path, &e))
    }

    /// Remove a file if it is there.
    ///
    /// # Errors
    /// [`Code::Io`] with the path.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        if is_frozen() {
            return Ok(());
        }
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io("remove", &path, &e)),
            _ => Ok(()),
        }
    }

    /// The names of the files in a folder below, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.join(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// A number that differs between this folder and any copy of it.
    pub(crate) fn fingerprint(&self) -> Option<u64> {
        fs::metadata(&self.folder).ok().map(|meta| meta.ino())
    }

    /// Make the folder itself.
    ///
    /// # Errors
    /// As [`Local::write`].
    pub(crate) fn ensure(&self) -> Result<()> {
        self.refuse_links(&self.folder)?;
        self.make(&self.folder)
    }

    /// Make a folder and those above it.
    fn make(&self, folder: &Path) -> Result<()> {
        let made = match fs::create_dir(folder) {
            Ok(()) => self.share(folder),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let Some(above) = folder.parent() else { return Err(io("make", folder, &e)) };
                self.make(above)?;
                return self.make(folder);
            }
            Err(e) => Err(e),
        };
        made.map_err(|e| io("make", folder, &e))
    }

    /// In a queue that is shared with a group, the group can write what is in here, too: whoever runs the next verb.
    fn share(&self, path: &Path) -> std::io::Result<()> {
        let Some(above) = self.folder.parent().and_then(|root| fs::metadata(root).ok()) else {
            return Ok(());
        };
        if above.mode() & SHARED != SHARED {
            return Ok(());
        }
        let meta = fs::metadata(path)?;
        let wide = meta.mode() | if meta.is_dir() { 0o2070 } else { 0o060 };
        if wide == meta.mode() { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(wide)) }
    }

    fn refuse_links(&self, folder: &Path) -> Result<()> {
        for path in [self.folder.as_path(), folder] {
            if fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir()) {
                return Err(Fault::new(
                    Code::UnsafeHome,
                    format!("`{}` is not a plain folder", path.display()),
                )
                .hint(format!("look at it: `ls -ld {}`", path.display())));
            }
        }
        Ok(())
    }
}

/// Open a file that has to be there and here: no link is followed, no pipe waited for.
pub(crate) fn open(path: &Path) -> std::io::Result<fs::File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    fs::OpenOptions::new().read(true).custom_flags(flags as i32).open(path)
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::of_system(format_args!("{what} `{}`", path.display()), error)
}
