//! Reading whole folders: from the cache where files are unchanged, from the files where they are not.

use std::time::SystemTime;

use super::cache::{self, Cache};
use super::files::{Opened, Seen, Stamp, Visitor};
use super::git::Reach;
use super::local::LARGEST_INDEX;
use super::queue::{Item, Listing, Queue, Reader};
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::task::Folder;

/// Fewer files and folders than this are read faster than a cache.
const WORTH_CACHING: usize = 16;

/// How many files may have changed before the cache is written anew, as a divisor of all.
const STALE_SHARE: usize = 50;

/// What one folder on the disk gave.
struct Part {
    listing: Listing,
    /// How many tasks came out of the cache.
    known: usize,
    /// The folder, and what it was like if the tasks are all that is in it.
    whole: Option<(String, Stamp)>,
    /// How many tasks were read that the cache could have known.
    unknown: usize,
    /// How many looks at files and folders were taken that the cache could have saved.
    news: usize,
}

/// Tells what is in the folders on the disk.
struct Reading {
    reader: Reader,
    cache: Cache,
    folder: Folder,
    reach: Reach,
    /// Nanoseconds since 1970.
    now: i64,
}

/// All tasks of one folder of the queue, in the order of their paths.
///
/// # Errors
/// Those of walking the folder; single files never fail the whole.
pub(crate) fn of_folder(queue: &Queue, folder: Folder, reach: Reach) -> Result<Listing> {
    let cache = queue
        .local
        .read_up_to(&cache::file_name(folder), LARGEST_INDEX)
        .map_or_else(Cache::default, Cache::decode);
    let reading = Reading { reader: queue.reader(), cache, folder, reach, now: now() };
    let walked = queue.walk_folders(folder.as_str(), &reading)?;
    let known: usize = walked.folders.iter().map(|part| part.known).sum();
    let unknown: usize = walked.folders.iter().map(|part| part.unknown).sum();
    let news: usize = walked.folders.iter().map(|part| part.news).sum();
    let count: usize = walked.folders.iter().map(|part| part.listing.items.len()).sum();
    // A task that was just changed has a row that is of no use, and cannot have another one yet.
    let young = count - known - unknown;
    let useless = unknown.max(reading.cache.rows().saturating_sub(known + young)).max(news);
    let mut listing = Listing { items: Vec::with_capacity(count), problems: walked.problems };
    let mut whole = Vec::new();
    for part in walked.folders {
        listing.items.extend(part.listing.items);
        listing.problems.extend(part.listing.problems);
        whole.extend(part.whole);
    }
    // Files beside folders, which a person may have put there.
    if !listing.items.is_sorted_by(|a, b| a.path <= b.path) {
        listing.items.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let size = count + whole.len();
    if size >= WORTH_CACHING && useless * STALE_SHARE > size {
        save(queue, folder, &listing.items, &whole, reading.now);
    }
    Ok(listing)
}

impl Reading {
    /// Whether the cache may have the files of a folder without a look at each.
    fn may_stand_for(&self, files: usize) -> bool {
        let is_finished = matches!(self.folder, Folder::Sent | Folder::Done);
        files == 0 || is_finished && self.reach == Reach::Names
    }
}

impl Visitor for Reading {
    type Part = Part;

    /// Of a folder that is as it was the names are known. Files could still have been written in place, where there are
    /// any; finished work hardly ever is.
    fn unopened(&self, path: &str, stamp: Stamp) -> Option<Part> {
        let rows = self.cache.whole(path, stamp)?;
        if !self.may_stand_for(rows.len()) {
            return None;
        }
        let item = |(name, stamp, task)| Item {
            path: format!("{path}/{name}"),
            folder: self.folder,
            task: Box::new(task),
            stamp,
        };
        let items: Vec<Item> = rows.all()?.into_iter().map(item).collect();
        let known = items.len();
        let whole = Some((path.to_owned(), stamp));
        Some(Part { listing: Listing { items, problems: Vec::new() }, known, whole, unknown: 0, news: 0 })
    }

    fn folder(&self, opened: &Opened<'_>, files: Vec<Seen>) -> Part {
        let mut rows = self.cache.folder(&opened.path);
        let mut listing = Listing { items: Vec::with_capacity(files.len()), problems: Vec::new() };
        let (mut known, mut unknown) = (0, 0);
        for seen in files {
            let item = match rows.take(opened.name_of(&seen), seen.stamp) {
                Some(task) => {
                    known += 1;
                    Ok(Item { path: seen.path, folder: self.folder, task: Box::new(task), stamp: seen.stamp })
                }
                None => self
                    .reader
                    .item(&seen, self.folder, |limit| opened.read(&seen, limit))
                    .inspect(|_| unknown += usize::from(cache::is_still(seen.stamp, self.now)))
                    .map_err(|fault| Problem::at(seen.path, fault)),
            };
            match item {
                Ok(item) => listing.items.push(item),
                Err(problem) => listing.problems.push(problem),
            }
        }
        let stamp = opened.stamp.filter(|_| listing.problems.is_empty());
        let files = listing.items.len();
        let is_news = stamp.is_some_and(|stamp| {
            self.may_stand_for(files)
                && cache::is_still(stamp, self.now)
                && self.cache.whole(&opened.path, stamp).is_none()
        });
        let news = if is_news { 1 + files } else { 0 };
        Part { listing, known, whole: stamp.map(|stamp| (opened.path.clone(), stamp)), unknown, news }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// Failure to write a cache is no failure.
fn save(queue: &Queue, folder: Folder, items: &[Item], whole: &[(String, Stamp)], now: i64) {
    let rows = items.iter().map(|item| (item.path.as_str(), item.stamp, &*item.task));
    let whole = whole.iter().map(|(path, stamp)| (path.as_str(), *stamp));
    let _ = queue.local.write(&cache::file_name(folder), &Cache::encode(rows, whole, now));
}
