//! The folders in which a change of a queue shows, and what a change in each of them means.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::layout;
use crate::store::queue::Queue;

/// What lies in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// The project's folder among others.
    Around,
    /// `.swift/` among the project's files.
    Checkout,
    /// The folders and the settings of the queue.
    Top,
    Outbox,
    Inbox,
    /// Accepted and finished tasks.
    Standing,
    /// The index and HEAD of the queue's checkout: every commit and every switch of branches shows here.
    Git,
    /// The registry of an orchestrator.
    Projects,
    /// What belongs to this machine.
    Local,
}

/// A folder, and what lies in it.
pub(crate) type Marked = (PathBuf, Place);

/// Where it shows that a project comes, goes or is replaced.
pub(crate) fn around(checkout: &Path) -> Vec<Marked> {
    let parent = checkout.parent().map(|parent| (parent.to_owned(), Place::Around));
    parent
        .into_iter()
        .chain([(checkout.to_owned(), Place::Checkout)])
        .filter(|(path, _)| path.is_dir())
        .collect()
}

/// Make the folders into which others put files: one that comes by rename into a folder that is watched is known to be
/// whole. Where they cannot be made, the rename that brings the folder is noticed instead.
pub(crate) fn prepare(queue: &Queue) {
    for name in ["outbox", "inbox"] {
        let _ = fs::create_dir(queue.home.root.join(name));
    }
}

/// The folders of a queue; those that are not there are left out.
pub(crate) fn of_queue(queue: &Queue) -> Vec<Marked> {
    let root = &queue.home.root;
    let mut all = vec![(root.clone(), Place::Top), (queue.home.git_dir().to_owned(), Place::Git)];
    for (name, place) in [
        ("outbox", Place::Outbox),
        ("inbox", Place::Inbox),
        ("tasks", Place::Standing),
        ("done", Place::Standing),
        ("dead", Place::Standing),
    ] {
        with_inner(root.join(name), place, &mut all);
    }
    all
}

/// Folders in which an orchestrator says for whom it carries, and whom not.
pub(crate) fn of_orchestrator(queue: &Queue) -> Vec<Marked> {
    let root = &queue.home.root;
    let all = [(root.join(layout::PROJECTS), Place::Projects), (root.join(layout::LOCAL), Place::Local)];
    all.into_iter().filter(|(path, _)| path.is_dir()).collect()
}

/// The most folders that are watched below one folder of tasks.
const MOST_INNER: usize = 600;

fn with_inner(folder: PathBuf, place: Place, all: &mut Vec<Marked>) {
    let Ok(entries) = fs::read_dir(&folder) else { return };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let inner: Vec<PathBuf> = folders.map(|entry| entry.path()).take(MOST_INNER).collect();
    all.push((folder, place));
    all.extend(inner.into_iter().map(|path| (path, place)));
}

/// Whether a folder lies on a file system whose changes by others this machine is not told of.
#[cfg(target_os = "linux")]
pub(crate) fn is_remote(folder: &Path) -> bool {
    /// NFS, SMB, CIFS, 9P, AFS, Ceph, FUSE (which may be anything), as in `statfs(2)`.
    const REMOTE: [u64; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x5346_414f, 0x00c3_6400, 0x6573_5546];
    // The field is of another type on each processor; its low half is what counts.
    rustix::fs::statfs(folder).is_ok_and(|stat| REMOTE.contains(&(stat.f_type as u64 & 0xffff_ffff)))
}

/// Nothing is known of other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_remote(_: &Path) -> bool {
    false
}

/// A number that changes when files come to or go from these folders, or the git index or the settings change.
pub(crate) fn fingerprint(folders: &[Marked]) -> u64 {
    let mut sum = 0_u64;
    for (folder, place) in folders {
        let inner = match place {
            Place::Git => folder.join("index"),
            Place::Top => folder.join(layout::SETTINGS),
            _ => folder.clone(),
        };
        for path in [folder, &inner] {
            let Ok(metadata) = fs::metadata(path) else { continue };
            let changed = metadata.mtime().wrapping_mul(1_000_000_007).wrapping_add(metadata.mtime_nsec());
            sum = sum.rotate_left(7) ^ u64::from_ne_bytes(changed.to_ne_bytes()) ^ metadata.ino();
        }
    }
    sum
}
