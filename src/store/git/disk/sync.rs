//! Flushing: what has to be on the disk before the next step may be.
//!
//! Neither git nor gix flushes anything. Here files and folders are collected and flushed side by side, which a
//! journaling file system answers with one write of its journal for all of them. Above a handful of files one
//! flush of the whole file system is cheaper than thousands of single ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::OrIo as _;
use crate::domain::fault::Result;
use crate::store::entries::both;
use crate::store::git::Durability;

/// From here on the whole file system is flushed at once.
const MANY: usize = 48;

/// From how many files on two threads share them; a third costs more than it wins.
const WORTH_SHARING: usize = 3;

/// Files and folders that have to be on the disk before the next step.
#[derive(Debug, Default)]
pub(in crate::store::git) struct Barrier {
    files: Vec<(PathBuf, File)>,
    folders: BTreeSet<PathBuf>,
}

impl Barrier {
    /// The content of a file that is open.
    pub(in crate::store::git) fn file(&mut self, path: &Path, file: File) {
        self.files.push((path.to_owned(), file));
    }

    /// The names in a folder.
    pub(in crate::store::git) fn folder(&mut self, path: &Path) {
        self.folders.insert(path.to_owned());
    }

    /// The name of a file in its folder.
    pub(in crate::store::git) fn name_of(&mut self, path: &Path) {
        self.folder(path.parent().expect("a file is in a folder"));
    }

    /// Wait until all of it is on the disk, if that is wanted.
    pub(in crate::store::git) fn wait(self, durability: Durability) -> Result<()> {
        if durability == Durability::Fast {
            return Ok(());
        }
        let Barrier { mut files, folders } = self;
        if files.len() + folders.len() > MANY {
            return flush_file_systems(&files, &folders);
        }
        for folder in folders {
            let opened = File::open(&folder).or_io("open", &folder)?;
            files.push((folder, opened));
        }
        flush_side_by_side(&files)
    }
}

fn flush_side_by_side(files: &[(PathBuf, File)]) -> Result<()> {
    if files.len() < WORTH_SHARING {
        return flush_in_turn(files);
    }
    let (first, second) = files.split_at(files.len() / 2);
    let (own, other) = both(|| flush_in_turn(second), || flush_in_turn(first));
    own.and(other)
}

fn flush_in_turn(files: &[(PathBuf, File)]) -> Result<()> {
    files.iter().try_for_each(|(path, file)| file.sync_all().or_io("flush", path))
}

/// One flush for each file system that is involved.
fn flush_file_systems(files: &[(PathBuf, File)], folders: &BTreeSet<PathBuf>) -> Result<()> {
    let mut seen = BTreeSet::new();
    let opened: Vec<(PathBuf, File)> = folders
        .iter()
        .map(|folder| Ok((folder.clone(), File::open(folder).or_io("open", folder)?)))
        .collect::<Result<_>>()?;
    for (path, file) in files.iter().chain(&opened) {
        let device = rustix::fs::fstat(file).or_io("inspect", path)?.st_dev;
        if seen.insert(device) {
            flush_whole(file).or_io("flush", path)?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn flush_whole(file: &File) -> std::io::Result<()> {
    rustix::fs::syncfs(file).map_err(Into::into)
}

#[cfg(not(target_os = "linux"))]
fn flush_whole(file: &File) -> std::io::Result<()> {
    rustix::fs::sync();
    file.sync_all()
}
