//! The entries of one folder, read in as few system calls as the system allows.
//!
//! A queue is spread over hundreds of small folders, so what one of them costs counts.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::FileType;

/// Room for the entries of most folders in one call.
#[cfg(target_os = "linux")]
const ROOM: usize = 16 << 10;

/// From how many subfolders on two threads share them.
pub(super) const WORTH_SHARING: usize = 16;

/// Call `each` with the name and kind of every entry of a folder that was just opened, `.` and `..` left out.
///
/// # Errors
/// Those of the system, among them entries that were seen before it.
#[cfg(target_os = "linux")]
pub(super) fn each(fd: &OwnedFd, mut each: impl FnMut(&CStr, FileType)) -> rustix::io::Result<()> {
    let mut room = Vec::with_capacity(ROOM);
    let mut entries = rustix::fs::RawDir::new(fd.as_fd(), room.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if !is_itself(entry.file_name()) {
            each(entry.file_name(), entry.file_type());
        }
    }
    Ok(())
}

/// Call `each` with the name and kind of every entry of a folder that was just opened, `.` and `..` left out.
///
/// # Errors
/// Those of the system, among them entries that were seen before it.
#[cfg(not(target_os = "linux"))]
pub(super) fn each(fd: &OwnedFd, mut each: impl FnMut(&CStr, FileType)) -> rustix::io::Result<()> {
    for entry in rustix::fs::Dir::read_from(fd.as_fd())? {
        let entry = entry?;
        if !is_itself(entry.file_name()) {
            each(entry.file_name(), entry.file_type());
        }
    }
    Ok(())
}

fn is_itself(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// Do two things at once, or one after the other where the system gives no second thread.
pub(super) fn both<A, B: Send>(own: impl FnOnce() -> A, other: impl Fn() -> B + Sync) -> (A, B) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, &other);
        let own = own();
        let other = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => other(),
        };
        (own, other)
    })
}

/// Do the same for all parts, shared between two threads if there are many; results in the order of the parts.
pub(super) fn shared<P: Sync, R: Send>(parts: &[P], work: impl Fn(&P) -> R + Sync) -> Vec<R> {
    if parts.len() < WORTH_SHARING {
        return parts.iter().map(work).collect();
    }
    let (first, second) = parts.split_at(parts.len() / 2);
    let of = |parts: &[P]| parts.iter().map(&work).collect::<Vec<R>>();
    let (mut all, other) = both(|| of(first), || of(second));
    all.extend(other);
    all
}
