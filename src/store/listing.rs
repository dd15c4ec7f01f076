//! Reading whole folders: from the cache where files are unchanged, from the files where they are not.

use std::time::SystemTime;

use super::cache::{self, Cache, Place, Taker, Whole, Words};
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

/// How many rows the cache has at least where two threads share the walk; where it has none, nobody knows yet how many
/// there will be.
const MANY_ROWS: usize = 256;

/// What one folder on the disk gave.
struct Part<T> {
    taken: Vec<T>,
    problems: Vec<Problem>,
    /// How many tasks there are, whatever was taken of them.
    count: usize,
    /// How many of them came out of the cache.
    known: usize,
    /// The folder, and what it was like if the tasks are all that is in it.
    whole: Option<(String, Stamp)>,
    /// How many tasks were read that the cache could have known.
    unknown: usize,
    /// How many looks at files and folders were taken that the cache could have saved.
    news: usize,
}

/// What was taken of the tasks of a folder of the queue, and what could not be read as one.
pub(crate) struct Glance<T> {
    pub(crate) taken: Vec<T>,
    pub(crate) problems: Vec<Problem>,
}

/// The same with what the cache is renewed from.
struct Found<T> {
    glance: Glance<T>,
    whole: Vec<(String, Stamp)>,
    /// Nanoseconds since 1970.
    at: i64,
    /// Whether so much has changed that the cache is worth being written anew.
    is_cache_stale: bool,
}

/// Tells what is in the folders on the disk.
struct Reading<'t, T> {
    reader: Reader,
    cache: Cache,
    folder: Folder,
    reach: Reach,
    /// Nanoseconds since 1970.
    now: i64,
    taker: &'t T,
}

/// All tasks of one folder of the queue, in the order of their paths.
///
/// # Errors
/// Those of walking the folder; single files never fail the whole.
pub(crate) fn of_folder(queue: &Queue, folder: Folder, reach: Reach) -> Result<Listing> {
    let Found { glance, whole, at, is_cache_stale } = look(queue, folder, reach, &Whole)?;
    let mut listing = Listing { items: glance.taken, problems: glance.problems };
    // Files beside folders, which a person may have put there.
    if !listing.items.is_sorted_by(|a, b| a.path <= b.path) {
        listing.items.sort_by(|a, b| a.path.cmp(&b.path));
    }
    if is_cache_stale {
        save(queue, folder, &listing.items, &whole, at);
    }
    Ok(listing)
}

/// What a taker takes of the tasks of one folder of the queue, in any order.
///
/// # Errors
/// Those of walking the folder; single files never fail the whole.
pub(crate) fn glance_at<T: Taker>(
    queue: &Queue,
    folder: Folder,
    reach: Reach,
    taker: &T,
) -> Result<Glance<T::Taken>> {
    let found = look(queue, folder, reach, taker)?;
    if found.is_cache_stale {
        // Only whole tasks make a cache.
        of_folder(queue, folder, reach)?;
    }
    Ok(found.glance)
}

fn look<T: Taker>(queue: &Queue, folder: Folder, reach: Reach, taker: &T) -> Result<Found<T::Taken>> {
    let cache = queue
        .local
        .read_up_to(&cache::file_name(folder), LARGEST_INDEX)
        .map_or_else(Cache::default, Cache::decode);
    let reading = Reading { reader: queue.reader(), cache, folder, reach, now: now(), taker };
    let walked = queue.walk_folders(folder.as_str(), &reading)?;
    let sum = |of: fn(&Part<T::Taken>) -> usize| walked.folders.iter().map(of).sum::<usize>();
    let (count, known) = (sum(|part| part.count), sum(|part| part.known));
    let (unknown, news) = (sum(|part| part.unknown), sum(|part| part.news));
    // A task that was just changed has a row that is of no use, and cannot have another one yet.
    let young = count - known - unknown;
    let useless = unknown.max(reading.cache.rows().saturating_sub(known + young)).max(news);
    let taken = Vec::with_capacity(sum(|part| part.taken.len()));
    let mut glance = Glance { taken, problems: walked.problems };
    let mut whole = Vec::new();
    for part in walked.folders {
        glance.taken.extend(part.taken);
        glance.problems.extend(part.problems);
        whole.extend(part.whole);
    }
    let size = count + whole.len();
    let is_cache_stale = size >= WORTH_CACHING && useless * STALE_SHARE > size;
    Ok(Found { glance, whole, at: reading.now, is_cache_stale })
}

impl<T> Reading<'_, T> {
    /// Whether the cache may have the files of a folder without a look at each.
    fn may_stand_for(&self, files: usize) -> bool {
        let is_finished = matches!(self.folder, Folder::Sent | Folder::Done);
        files == 0 || is_finished && self.reach == Reach::Names
    }
}

impl<T: Taker> Visitor for Reading<'_, T> {
    type Part = Part<T::Taken>;

    /// Of a folder that is as it was the names are known. Files could still have been written in place, where there are
    /// any; finished work hardly ever is.
    fn unopened(&self, path: &str, stamp: Stamp) -> Option<Self::Part> {
        let rows = self.cache.whole(path, stamp)?;
        let count = rows.len();
        if !self.may_stand_for(count) {
            return None;
        }
        let taken = rows.take_all(path, self.folder, self.taker)?;
        let whole = Some((path.to_owned(), stamp));
        Some(Part { taken, problems: Vec::new(), count, known: count, whole, unknown: 0, news: 0 })
    }

    /// Of a folder that is as it was the names are known, and a look at each file tells whether it was written in place.
    fn unlisted(&self, opened: &Opened<'_>) -> Option<Self::Part> {
        let rows = self.cache.whole(&opened.path, opened.stamp?)?;
        let count = rows.len();
        let taken = rows.take_same(&opened.path, self.folder, self.taker, |name| opened.stamp_of(name))?;
        let whole = opened.stamp.map(|stamp| (opened.path.clone(), stamp));
        Some(Part { taken, problems: Vec::new(), count, known: count, whole, unknown: 0, news: 0 })
    }

    /// A few files are read sooner than another thread is there.
    fn is_worth_sharing(&self) -> bool {
        !(1..MANY_ROWS).contains(&self.cache.rows())
    }

    fn folder(&self, opened: &Opened<'_>, files: Vec<Seen>) -> Self::Part {
        let (mut rows, mut words) = (self.cache.folder(&opened.path), Words::default());
        let (mut taken, mut problems) = (Vec::with_capacity(files.len()), Vec::new());
        let (mut known, mut unknown, mut count) = (0, 0, 0);
        for seen in files {
            let name = opened.name_of(&seen);
            let place = Place { path: &opened.path, name, folder: self.folder, stamp: seen.stamp };
            if let Some(kept) = rows.take(place, &mut words, self.taker) {
                known += 1;
                count += 1;
                taken.extend(kept);
                continue;
            }
            match self.reader.item(&seen, self.folder, |limit| opened.read(&seen, limit)) {
                Ok(item) => {
                    unknown += usize::from(cache::is_still(seen.stamp, self.now));
                    count += 1;
                    taken.extend(self.taker.take_read(item));
                }
                Err(fault) => problems.push(Problem::at(seen.path, fault)),
            }
        }
        let stamp = opened.stamp.filter(|_| problems.is_empty());
        let is_news = stamp.is_some_and(|stamp| {
            self.may_stand_for(count)
                && cache::is_still(stamp, self.now)
                && self.cache.whole(&opened.path, stamp).is_none()
        });
        let news = if is_news { 1 + count } else { 0 };
        let whole = stamp.map(|stamp| (opened.path.clone(), stamp));
        Part { taken, problems, count, known, whole, unknown, news }
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
