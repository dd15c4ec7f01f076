//! Which tasks lie in archives: asked in each round, so kept by itself, without the places of all of them.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Index;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::store::cache::{is_still, sealed, unsealed};
use crate::store::files::{Opened, Seen, Stamp, Visitor};
use crate::store::layout;
use crate::store::local::LARGEST_INDEX;
use crate::store::queue::Queue;

/// Where they are kept on this machine.
const HELD: &str = "cache/archived";

/// The ids of all archived tasks.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// In order.
    numbers: Vec<u128>,
}

/// The same as it is kept, with the folders that the archives lie in: an archive is put there whole and never changed, so
/// in a folder that is as it was are the same.
#[derive(Serialize, Deserialize)]
struct Kept<'k> {
    #[serde(borrow)]
    folders: Vec<(&'k str, Stamp)>,
    /// The numbers of the ids, in order, the highest byte of each first.
    ids: &'k [u8],
}

/// Looks at folders from outside, where that tells what is in them.
struct Outside<'k>(&'k [(&'k str, Stamp)]);

/// What a look at one folder gives.
enum Look {
    /// What it was like.
    As(String, Stamp),
    /// There is nothing in it but folders.
    Empty,
    /// That does not tell what is in it.
    Unknown,
}

impl Held {
    /// Those of a queue; from the cache where all archives are as they were.
    ///
    /// # Errors
    /// Those of reading the archives.
    pub(crate) fn of(queue: &Queue) -> Result<Held> {
        let bytes = queue.local.read_up_to(HELD, LARGEST_INDEX).unwrap_or_default();
        let kept = unsealed(&bytes).and_then(|body| postcard::from_bytes::<Kept<'_>>(body).ok());
        let known = kept.as_ref().map(|kept| kept.folders.as_slice()).unwrap_or_default();
        let folders = folders(queue, known)?;
        if folders.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Held::default());
        }
        match kept.filter(|kept| folders.as_ref().is_some_and(|now| is_same(now, &kept.folders))) {
            Some(kept) => Ok(kept.held()),
            None => Held::read(queue, folders),
        }
    }

    /// Whether a task lies in an archive.
    pub(crate) fn contains(&self, id: TaskId) -> bool {
        self.numbers.binary_search(&id.number()).is_ok()
    }

    /// All of them, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.numbers.iter().copied().map(TaskId::from_number)
    }

    fn read(queue: &Queue, folders: Option<Vec<(String, Stamp)>>) -> Result<Held> {
        let index = Index::load(queue)?;
        let places = index.files.values().flat_map(|(_, places, _)| places);
        let ids = places.filter_map(|place| place.id.parse::<TaskId>().ok());
        let mut numbers: Vec<u128> = ids.map(TaskId::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let held = Held { numbers };
        if let Some(folders) = folders.filter(|folders| folders.iter().all(|(_, stamp)| has_rested(*stamp))) {
            held.keep(queue, &folders);
        }
        Ok(held)
    }

    /// A cache that cannot be written costs time only.
    fn keep(&self, queue: &Queue, folders: &[(String, Stamp)]) {
        let folders = folders.iter().map(|(path, stamp)| (path.as_str(), *stamp)).collect();
        let ids: Vec<u8> = self.numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let bytes = postcard::to_stdvec(&Kept { folders, ids: &ids });
        let _ = bytes.map(|bytes| queue.local.write(HELD, &sealed(&bytes)));
    }
}

impl Kept<'_> {
    fn held(&self) -> Held {
        let (numbers, _) = self.ids.as_chunks();
        Held { numbers: numbers.iter().copied().map(u128::from_be_bytes).collect() }
    }
}

impl Visitor for Outside<'_> {
    type Part = Look;

    fn unopened(&self, path: &str, stamp: Stamp) -> Option<Look> {
        self.0.contains(&(path, stamp)).then(|| Look::As(path.to_owned(), stamp))
    }

    fn folder(&self, opened: &Opened<'_>, files: Vec<Seen>) -> Look {
        match opened.stamp {
            Some(stamp) => Look::As(opened.path.clone(), stamp),
            None if files.is_empty() => Look::Empty,
            None => Look::Unknown,
        }
    }

    fn is_worth_sharing(&self) -> bool {
        false
    }
}

/// The folders in which archives lie, in order; `None` if they do not tell what is in them.
fn folders(queue: &Queue, known: &[(&str, Stamp)]) -> Result<Option<Vec<(String, Stamp)>>> {
    let walked = queue.walk_folders(layout::ARCHIVE, &Outside(known))?;
    let mut folders = Vec::new();
    for look in walked.folders {
        match look {
            Look::As(path, stamp) => folders.push((path, stamp)),
            Look::Empty => {}
            Look::Unknown => return Ok(None),
        }
    }
    folders.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(Some(folders).filter(|_| walked.problems.is_empty()))
}

fn is_same(now: &[(String, Stamp)], kept: &[(&str, Stamp)]) -> bool {
    now.iter().map(|(path, stamp)| (path.as_str(), *stamp)).eq(kept.iter().copied())
}

/// Whether a folder has been as it is for a while: in one that was just changed something may be put in the same instant.
fn has_rested(stamp: Stamp) -> bool {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    is_still(stamp, i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
