//! Reading whole folders: from the cache where files are unchanged, from the files where they are not.

use std::time::SystemTime;

use super::cache::{self, Cache};
use super::files::{Opened, Seen};
use super::local::LARGEST_INDEX;
use super::queue::{Item, Listing, Queue, Reader};
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::task::Folder;

/// Fewer files than this are read faster than a cache.
const WORTH_CACHING: usize = 64;

/// How many files may have changed before the cache is written anew, as a divisor of all.
const STALE_SHARE: usize = 50;

/// What the files of one folder on the disk gave.
struct Part {
    listing: Listing,
    /// How many tasks came out of the cache.
    known: usize,
}

/// All tasks of one folder of the queue, in the order of their paths.
///
/// # Errors
/// Those of walking the folder; single files never fail the whole.
pub(crate) fn of_folder(queue: &Queue, folder: Folder) -> Result<Listing> {
    let cache = queue
        .local
        .read_up_to(&cache::file_name(folder), LARGEST_INDEX)
        .map_or_else(Cache::default, Cache::decode);
    let reader = queue.reader();
    let read = |opened: &Opened<'_>, seen| read_folder(&reader, &cache, folder, opened, seen);
    let walked = queue.walk_folders(folder.as_str(), &read)?;
    let known: usize = walked.folders.iter().map(|part| part.known).sum();
    let count = walked.folders.iter().map(|part| part.listing.items.len()).sum();
    let mut listing = Listing { items: Vec::with_capacity(count), problems: walked.problems };
    for part in walked.folders {
        listing.items.extend(part.listing.items);
        listing.problems.extend(part.listing.problems);
    }
    // Files beside folders, which a person may have put there.
    if !listing.items.is_sorted_by(|a, b| a.path <= b.path) {
        listing.items.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let useless = (count - known).max(cache.rows() - known);
    if count >= WORTH_CACHING && useless * STALE_SHARE > count {
        save(queue, folder, &listing.items);
    }
    Ok(listing)
}

fn read_folder(reader: &Reader, cache: &Cache, folder: Folder, opened: &Opened<'_>, seen: Vec<Seen>) -> Part {
    let mut rows = cache.folder(&opened.path);
    let mut part =
        Part { listing: Listing { items: Vec::with_capacity(seen.len()), problems: Vec::new() }, known: 0 };
    for seen in seen {
        let item = match rows.take(opened.name_of(&seen), seen.stamp) {
            Some(task) => {
                part.known += 1;
                Ok(Item { path: seen.path, folder, task: Box::new(task), stamp: seen.stamp })
            }
            None => reader
                .item(&seen, folder, |limit| opened.read(&seen, limit))
                .map_err(|fault| Problem::at(seen.path, fault)),
        };
        match item {
            Ok(item) => part.listing.items.push(item),
            Err(problem) => part.listing.problems.push(problem),
        }
    }
    part
}

/// Failure to write a cache is no failure.
fn save(queue: &Queue, folder: Folder, items: &[Item]) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    let rows = items.iter().map(|item| (item.path.as_str(), item.stamp, &*item.task));
    let _ = queue.local.write(&cache::file_name(folder), &Cache::encode(rows, now));
}
