//! What the heads of unchanged files said, so that lists need not read every file again.
//!
//! A cache and nothing more: it can be deleted, cut or scribbled on at any time and only speed changes. A row
//! counts only while size, times and inode of its file are those of the row, and rows are kept only for files
//! that had been still for a while when they were read, so a change within the same clock tick is not missed. The same
//! goes for folders: one that is as it was has the same names in it.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::files::Stamp;
use crate::domain::task::{Folder, Task};

mod glimpse;
mod mark;
mod row;

pub(crate) use glimpse::{Glimpse, Place, Taker, Whole};
use mark::Kept;
use row::Row;
pub(crate) use row::{Ended, Heard, Unreadable, Words};

/// Changes with every change of the layout below; a cache of another version is not read.
const VERSION: u32 = 7;

/// How many rows of one folder room is made for at once.
const LARGEST_PAGE: usize = 4096;

/// How old (nanoseconds) the last change of a file has to be for its row to be kept.
const STILL_FOR: i64 = 1_000_000_000;

/// The rows of one folder of the queue, by the folders on the disk that their files are in.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    bytes: Vec<u8>,
    folders: HashMap<String, Page>,
    /// How many rows there are.
    rows: usize,
}

/// Where the rows of a folder are.
#[derive(Debug)]
struct Page {
    /// In the bytes of the cache.
    at: usize,
    /// What the folder was like, if every file in it has a row.
    stamp: Option<Stamp>,
}

/// The rows of one folder on the disk, read one after the other in the order of their names.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    left: &'a [u8],
    count: usize,
}

impl Cache {
    /// Read the bytes of a cache file; anything unexpected gives an empty cache.
    pub(crate) fn decode(bytes: Vec<u8>) -> Cache {
        Cache::try_decode(bytes).unwrap_or_default()
    }

    fn try_decode(bytes: Vec<u8>) -> Option<Cache> {
        let (version, rest) = unsealed(&bytes)?.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION {
            return None;
        }
        let (index, bodies) =
            postcard::take_from_bytes::<Vec<(String, usize, usize, Option<Kept>)>>(rest).ok()?;
        let first = bytes.len() - bodies.len();
        let rows = index.iter().map(|(_, _, count, _)| count).sum();
        let page = |at, stamp: Option<Kept>| Page { at: first + at, stamp: stamp.map(|kept| kept.0) };
        let places = index.into_iter().map(|(folder, at, _, stamp)| (folder, page(at, stamp)));
        let folders = places.collect();
        Some(Cache { folders, rows, bytes })
    }

    /// The bytes of a cache file for these files, in the order of their paths, and for folders of which they are all,
    /// as seen at `now` (nanoseconds since 1970).
    pub(crate) fn encode<'a>(
        items: impl Iterator<Item = (&'a str, Stamp, &'a Task)>,
        whole: impl Iterator<Item = (&'a str, Stamp)>,
        now: i64,
    ) -> Vec<u8> {
        let mut folders: BTreeMap<&str, Sheet<'_>> = BTreeMap::new();
        for (folder, stamp) in whole.filter(|(_, stamp)| is_still(*stamp, now)) {
            folders.entry(folder).or_default().stamp = Some(stamp);
        }
        for (path, stamp, task) in items {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let page = folders.entry(folder).or_default();
            match is_still(stamp, now) {
                true => page.rows.push((name, Kept(stamp), Row::bytes_of(task))),
                false => page.stamp = None,
            }
        }
        let plain = "rows hold nothing that cannot be written";
        let (mut index, mut bodies) = (Vec::new(), Vec::new());
        for (folder, Sheet { rows, stamp }) in folders {
            index.push((folder, bodies.len(), rows.len(), stamp.map(Kept)));
            bodies.extend(postcard::to_stdvec(&rows).expect(plain));
        }
        let mut body = VERSION.to_le_bytes().to_vec();
        body.extend(postcard::to_stdvec(&index).expect(plain));
        body.extend(bodies);
        sealed(&body)
    }

    /// The rows of one folder on the disk, if it is as it was: then they are all of its files.
    pub(crate) fn whole(&self, path: &str, stamp: Stamp) -> Option<Rows<'_>> {
        let is_same = self.folders.get(path).is_some_and(|place| place.stamp == Some(stamp));
        is_same.then(|| self.folder(path))
    }

    /// The rows of one folder on the disk.
    pub(crate) fn folder(&self, path: &str) -> Rows<'_> {
        let body = self.folders.get(path).and_then(|place| self.bytes.get(place.at..)).unwrap_or_default();
        let (count, left) = postcard::take_from_bytes::<usize>(body).unwrap_or_default();
        Rows { left, count }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

impl<'a> Rows<'a> {
    /// The row of an unchanged file. Files have to be asked for in the order of their names.
    fn of(&mut self, name: &str, stamp: Stamp) -> Option<Row<'a>> {
        while self.count > 0 {
            let before = self.left;
            let (kept, Kept(known)): (&str, Kept) = self.read()?;
            if kept > name {
                self.left = before;
                return None;
            }
            let row = self.read()?;
            self.count -= 1;
            if kept == name {
                return if known == stamp { Row::of(row) } else { None };
            }
        }
        None
    }

    /// What is taken of the task that an unchanged file holds; `None` has the file read. Files have to be asked for in
    /// the order of their names.
    pub(crate) fn take<T: Taker>(
        &mut self,
        place: Place<'_>,
        words: &mut Words,
        taker: &T,
    ) -> Option<Option<T::Taken>> {
        let row = self.of(place.name, place.stamp)?;
        taker.take(&mut Glimpse::new(place, row, words)).ok()
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// What is taken of all that are left in this folder on the disk; `None` if one cannot be read.
    pub(crate) fn take_all<T: Taker>(self, path: &str, folder: Folder, taker: &T) -> Option<Vec<T::Taken>> {
        self.take_while(path, folder, taker, |_, _| true)
    }

    /// The same, if all of their files are as they were: `look` tells what one is like.
    pub(crate) fn take_same<T: Taker>(
        self,
        path: &str,
        folder: Folder,
        taker: &T,
        look: impl Fn(&str) -> Option<Stamp>,
    ) -> Option<Vec<T::Taken>> {
        self.take_while(path, folder, taker, |name, stamp| look(name) == Some(stamp))
    }

    /// What is taken of all that are left; `None` from the first on that cannot be read, or does not hold.
    fn take_while<T: Taker>(
        mut self,
        path: &str,
        folder: Folder,
        taker: &T,
        holds: impl Fn(&str, Stamp) -> bool,
    ) -> Option<Vec<T::Taken>> {
        // A count that is nonsense ends at the first row that is none.
        let (mut all, mut words) = (Vec::with_capacity(self.count.min(LARGEST_PAGE)), Words::default());
        while self.count > 0 {
            let (name, Kept(stamp)) = self.read()?;
            let row = Row::of(self.read()?)?;
            if !holds(name, stamp) {
                return None;
            }
            self.count -= 1;
            let place = Place { path, name, folder, stamp };
            all.extend(taker.take(&mut Glimpse::new(place, row, &mut words)).ok()?);
        }
        Some(all)
    }

    /// What cannot be read ends them.
    fn read<T: Deserialize<'a>>(&mut self) -> Option<T> {
        match postcard::take_from_bytes(self.left) {
            Ok((read, left)) => {
                self.left = left;
                Some(read)
            }
            Err(_) => {
                self.count = 0;
                None
            }
        }
    }
}

/// What is written of one folder.
#[derive(Default)]
struct Sheet<'a> {
    rows: Vec<(&'a str, Kept, Vec<u8>)>,
    stamp: Option<Stamp>,
}

/// Whether something had been as it is for a while at `now` (nanoseconds since 1970).
pub(crate) fn is_still(stamp: Stamp, now: i64) -> bool {
    stamp.modified.max(stamp.changed) < now - STILL_FOR
}

/// The bytes with a sum before them.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = checksum(body).to_le_bytes().to_vec();
    out.extend(body);
    out
}

/// The bytes behind their sum; `None` if they are not those that it was made of.
pub(crate) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, body) = bytes.split_first_chunk::<8>()?;
    (u64::from_le_bytes(*sum) == checksum(body)).then_some(body)
}

/// A quick sum against cut or scribbled files (FNV-1a over eight bytes at a time); no defence against intent,
/// which the file's place under the person's own folder does not need.
fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        sum =
            (sum ^ u64::from_le_bytes(chunk.try_into().expect("eight bytes"))).wrapping_mul(0x0100_0000_01b3);
        sum ^= sum >> 29;
    }
    for byte in chunks.remainder() {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    sum
}

/// The name of the cache file of a folder, below the machine's own folder.
pub(crate) fn file_name(folder: Folder) -> String {
    format!("cache/{folder}")
}

#[cfg(test)]
mod tests;
