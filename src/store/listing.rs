//! Reading whole folders: from the cache where files are unchanged, from the files where they are not.

use std::time::SystemTime;

use super::cache::{self, Cache};
use super::files::Seen;
use super::queue::{Item, Listing, Queue};
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::task::Folder;

/// Fewer files than this are read faster than a cache.
const WORTH_CACHING: usize = 64;

/// How many files may have changed before the cache is written anew, as a divisor of all.
const STALE_SHARE: usize = 50;

/// From how many files on reading is shared between two threads.
const WORTH_SHARING: usize = 256;

/// All tasks of one folder.
///
/// # Errors
/// Those of walking the folder; single files never fail the whole.
pub(crate) fn of_folder(queue: &Queue, folder: Folder) -> Result<Listing> {
    let walk = queue.walk(folder.as_str())?;
    let mut listing = Listing { items: Vec::with_capacity(walk.files.len()), problems: walk.problems };
    let mut cache = load(queue, folder, walk.files.len());
    let mut unread = Vec::new();
    for seen in walk.files {
        match cache.take(&seen.path, seen.stamp) {
            Some(task) => {
                let task = Box::new(task);
                listing.items.push(Item { path: seen.path, folder, task, stamp: seen.stamp });
            }
            None => unread.push(seen),
        }
    }
    let read = unread.len();
    read_all(queue, folder, unread, &mut listing);
    if read > 0 {
        // Two runs that are in order already.
        listing.items.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let useless = read.max(cache.useless());
    if listing.items.len() >= WORTH_CACHING && useless * STALE_SHARE > listing.items.len() {
        save(queue, folder, &listing.items);
    }
    Ok(listing)
}

fn read_all(queue: &Queue, folder: Folder, unread: Vec<Seen>, listing: &mut Listing) {
    let reader = queue.reader();
    let read = |part: &[Seen]| -> Vec<Result<Item, Problem>> {
        part.iter()
            .map(|seen| reader.item(seen, folder).map_err(|fault| Problem::at(seen.path.clone(), fault)))
            .collect()
    };
    let results = if unread.len() < WORTH_SHARING {
        read(&unread)
    } else {
        let (first, second) = unread.split_at(unread.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| read(second));
            let mut all = read(first);
            all.extend(other.join().expect("reading does not panic"));
            all
        })
    };
    for result in results {
        match result {
            Ok(item) => listing.items.push(item),
            Err(problem) => listing.problems.push(problem),
        }
    }
}

fn load(queue: &Queue, folder: Folder, files: usize) -> Cache {
    if files < WORTH_CACHING {
        return Cache::default();
    }
    queue.local.read(&cache::file_name(folder)).map_or_else(Cache::default, Cache::decode)
}

/// Failure to write a cache is no failure.
fn save(queue: &Queue, folder: Folder, items: &[Item]) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    let rows = items.iter().map(|item| (item.path.as_str(), item.stamp, &*item.task));
    let _ = queue.local.write(&cache::file_name(folder), &Cache::encode(rows, now));
}
