//! Flushing: what has to be on the disk before the next step may be.
//!
//! Neither git nor gix flushes anything. Here files and folders are collected and flushed side by side, which a
//! journaling file system answers with one write of its journal for all of them. Above a handful of files one
//! flush of the whole file system is cheaper than thousands of single ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::Durability;
use super::disk::OrIo as _;
use crate::domain::fault::Result;

/// From here on the whole file system is flushed at once.
const MANY: usize = 48;

/// How many flushes run side by side.
const THREADS: usize = 3;

/// Files and folders that have to be on the disk before the next step.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    files: Vec<(PathBuf, File)>,
    folders: BTreeSet<PathBuf>,
}

impl Barrier {
    /// The content of a file that is open.
    pub(super) fn file(&mut self, path: &Path, file: File) {
        self.files.push((path.to_owned(), file));
    }

    /// The names in a folder.
    pub(super) fn folder(&mut self, path: &Path) {
        self.folders.insert(path.to_owned());
    }

    /// The name of a file in its folder.
    pub(super) fn name_of(&mut self, path: &Path) {
        self.folder(path.parent().expect("a file is in a folder"));
    }

    /// Wait until all of it is on the disk, if that is wanted.
    pub(super) fn wait(self, durability: Durability) -> Result<()> {
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
    let Some((last, others)) = files.split_last() else { return Ok(()) };
    let share = others.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let started: Vec<_> =
            others.chunks(share).map(|part| scope.spawn(move || flush_in_turn(part))).collect();
        let own = flush_in_turn(std::slice::from_ref(last));
        started
            .into_iter()
            .map(|thread| thread.join().expect("a flush does not panic"))
            .chain([own])
            .collect()
    })
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
