//! Tasks that two clones have put away each for itself, one of them after a change that the other one did not have.
//!
//! An archive does not change, so git brings both together without a conflict. Which of the two files counts the log
//! tells: the one that was left last. Only where both were changed is there something in the other that nobody sees.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{Index, Place, bytes_of, slice};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::format::Document;
use crate::store::queue::Queue;
use crate::store::replay;

/// The archive that counts for each task of which several hold different files.
#[derive(Default)]
pub(super) struct Counting(HashMap<String, String>);

impl Counting {
    /// Whether this archive's file of a task is the one that counts.
    pub(super) fn is_in(&self, archive: &str, place: &Place) -> bool {
        self.0.get(&place.id).is_none_or(|counts| counts == archive)
    }
}

/// The contents of a task, each with the youngest archive that has it.
type Contents<'i> = BTreeMap<&'i str, &'i str>;

/// Find out which archives count, for some of the tasks.
///
/// # Errors
/// Those of listing the log.
pub(super) fn counting(queue: &Queue, index: &Index, wanted: impl Fn(&str) -> bool) -> Result<Counting> {
    let rivals = rivals(index, wanted);
    let ids: BTreeSet<TaskId> = rivals.keys().filter_map(|id| id.parse().ok()).collect();
    // No instant is given: an id from the future is looked for in the whole log.
    let words = replay::about(queue, &ids, Timestamp::MIN)?;
    let mut counting = Counting::default();
    for (id, contents) in rivals {
        let said = id.parse().ok().and_then(|id: TaskId| words.get(&id)).into_iter().flatten().rev();
        let left = said.filter_map(|event| contents.get(event.fact.content.as_deref()?)).next();
        let youngest = contents.values().max();
        counting.0.extend(left.or(youngest).map(|archive| (id.to_owned(), (*archive).to_owned())));
    }
    Ok(counting)
}

fn rivals(index: &Index, wanted: impl Fn(&str) -> bool) -> HashMap<&str, Contents<'_>> {
    let mut rivals: HashMap<&str, Contents<'_>> = HashMap::new();
    if index.files.len() > 1 {
        for (archive, (_, places, _)) in &index.files {
            for place in places.iter().filter(|place| wanted(&place.id)) {
                rivals.entry(&place.id).or_default().insert(&place.hash, archive);
            }
        }
    }
    rivals.retain(|_, contents| contents.len() > 1);
    rivals
}

/// Tasks of which an archive that does not count has lines of text that the other one lacks.
///
/// # Errors
/// Those of reading the archives and the log.
pub(super) fn passed_over(queue: &Queue, index: &Index) -> Result<Vec<(String, TaskId)>> {
    let (rivals, counting) = (rivals(index, |_| true), counting(queue, index, |_| true)?);
    let mut found = BTreeSet::new();
    for (id, contents) in rivals {
        let (Ok(task), Some(counts)) = (id.parse(), counting.0.get(id)) else { continue };
        let known = text(queue, index, counts, id)?;
        for other in contents.into_values().filter(|other| other != counts) {
            let lines = text(queue, index, other, id)?;
            if !lines.is_subset(&known) {
                found.insert((other.to_owned(), task));
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The lines of a task's text in an archive.
fn text(queue: &Queue, index: &Index, archive: &str, id: &str) -> Result<BTreeSet<String>> {
    let bytes = bytes_of(queue, archive)?;
    let place =
        index.files.get(archive).and_then(|(_, places, _)| places.iter().find(|place| place.id == id));
    let document = place.and_then(|place| Document::parse(slice(&bytes, place), &queue.limits()).ok());
    Ok(document.map(|document| document.body().lines().map(str::to_owned).collect()).unwrap_or_default())
}
