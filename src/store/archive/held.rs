//! Which tasks lie in archives: asked in each round, so kept by itself, without the places of all of them.

use serde::{Deserialize, Serialize};

use super::Index;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::store::cache::{sealed, unsealed};
use crate::store::files::{Seen, Stamp};
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

/// The same as it is kept, with what it was made from.
#[derive(Serialize, Deserialize)]
struct Kept<'k> {
    #[serde(borrow)]
    archives: Vec<(&'k str, Stamp)>,
    /// The numbers of the ids, in order, the highest byte of each first.
    ids: &'k [u8],
}

impl Held {
    /// Those of a queue; from the cache where all archives are as they were.
    ///
    /// # Errors
    /// Those of reading the archives.
    pub(crate) fn of(queue: &Queue) -> Result<Held> {
        let archives = queue.walk(layout::ARCHIVE)?.files;
        if archives.is_empty() {
            return Ok(Held::default());
        }
        let kept = queue.local.read_up_to(HELD, LARGEST_INDEX).and_then(|bytes| decode(&bytes, &archives));
        match kept {
            Some(held) => Ok(held),
            None => Held::read(queue),
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

    fn read(queue: &Queue) -> Result<Held> {
        let index = Index::load(queue)?;
        let places = index.files.values().flat_map(|(_, places, _)| places);
        let ids = places.filter_map(|place| place.id.parse::<TaskId>().ok());
        let mut numbers: Vec<u128> = ids.map(TaskId::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let held = Held { numbers };
        held.keep(queue, &index);
        Ok(held)
    }

    /// A cache that cannot be written costs time only.
    fn keep(&self, queue: &Queue, index: &Index) {
        let archives = index.files.iter().map(|(path, (stamp, ..))| (path.as_str(), *stamp)).collect();
        let ids: Vec<u8> = self.numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let bytes = postcard::to_stdvec(&Kept { archives, ids: &ids });
        let _ = bytes.map(|bytes| queue.local.write(HELD, &sealed(&bytes)));
    }
}

/// What is kept, if it was made from these archives as they are.
fn decode(bytes: &[u8], archives: &[Seen]) -> Option<Held> {
    let kept: Kept<'_> = postcard::from_bytes(unsealed(bytes)?).ok()?;
    let seen = archives.iter().map(|seen| (seen.path.as_str(), seen.stamp));
    if !kept.archives.iter().copied().eq(seen) {
        return None;
    }
    let (numbers, _) = kept.ids.as_chunks();
    Some(Held { numbers: numbers.iter().copied().map(u128::from_be_bytes).collect() })
}
