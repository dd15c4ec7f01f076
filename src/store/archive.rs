//! Finished work in bulk, so that a verb costs the same after ten years as on the first day.
//!
//! Old files of `done/` and closed ones of `sent/` are moved, byte for byte, into files of up to a few hundred each under
//! `archive/`. An archive is plain text that `cat` shows, is written once and never changed; before each task's file
//! stands a line that tells its former path, its length in bytes and its SHA-256.

mod held;
mod rivals;

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::files::Stamp;
use super::layout;
use super::local::LARGEST_INDEX;
use super::queue::{Item, Queue};
use super::tx::Tx;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, Task};
use crate::format::audit::digest as content_hash;
use crate::format::parse_summary;

pub(crate) use held::Held;

/// What begins the line before each file.
const MARK: &str = "@@@ ";

/// The first line of an archive, with how many tasks are in it.
fn title(count: usize) -> String {
    format!("Finished tasks, each as it was: {count} of them. Before each: `@@@ <path> <bytes> <sha256>`.\n")
}

/// How many tasks the first line of an archive promises; archives of former versions promise nothing.
fn promised(bytes: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(&bytes[..line_end(bytes, 0)]).ok()?;
    line.split_once(": ")?.1.split_once(" of them.")?.0.parse().ok()
}

/// How many loose files of what is over a folder may have, however young they are.
const MOST_LOOSE: usize = 512;

/// How many at most are put into one archive: the oldest ones.
const BATCH: usize = 256;

/// How long what is over stays at hand, where there are not too many of it: an archive does not change any more.
const AT_HAND: SignedDuration = SignedDuration::from_hours(14 * 24);

/// From how many on what has been over for longer is put away.
pub(crate) const WORTH_AN_ARCHIVE: usize = 32;

/// What ended before this time is to be put away, by when each loose task ended; `None` if nothing is.
pub(crate) fn due(mut ends: Vec<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let at_hand = now.checked_sub(AT_HAND).unwrap_or(Timestamp::MIN);
    let old = ends.iter().filter(|end| **end < at_hand).count();
    if old >= WORTH_AN_ARCHIVE {
        return Some(at_hand);
    }
    (ends.len() > MOST_LOOSE).then(|| *ends.select_nth_unstable(BATCH).1)
}

/// When a task that is over ended, as far as its file tells.
pub(crate) fn end_of(item: &Item) -> Timestamp {
    let ending = item.task.ending.as_ref().map(|ending| ending.at);
    let receipt = item.task.receipt.as_ref().map(|receipt| receipt.at);
    ending.or(receipt).or(item.task.created).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The largest archive that is read.
const LARGEST: u64 = 1 << 30;

/// The cache of where each task is, below the machine's own folder. Another form of it has another name.
const INDEX: &str = "cache/archives";

/// Put the oldest of these files into an archive, in the transaction that runs. What it has staged is put away as it will
/// be; a record that it has opened again stays where the next receipt finds it.
///
/// # Errors
/// Those of reading the files.
pub(crate) fn put_away(tx: &mut Tx<'_>, mut items: Vec<Item>) -> Result<()> {
    items.sort_by_key(Item::id);
    items.truncate(BATCH);
    let (mut text, mut count) = (Vec::new(), 0);
    for item in &items {
        let (Some(bytes), Some(path)) = (tx.read(&item.path)?, former_path(item)) else { continue };
        if !parse_summary(&bytes, &tx.queue.limits()).is_ok_and(|task| is_over(&task, item.folder)) {
            continue;
        }
        text.extend(format!("{MARK}{path} {} {}\n", bytes.len(), content_hash(&bytes)).into_bytes());
        text.extend(&bytes);
        text.push(b'\n');
        count += 1;
        tx.remove(&item.path)?;
    }
    if count == 0 {
        // Another round was faster.
        return Ok(());
    }
    text.splice(0..0, title(count).into_bytes());
    let path = layout::archive_path(tx.operation.env.segment_id());
    tx.put(&path, text).map(drop)
}

/// Whether nothing more is to come for a task in this folder.
pub(crate) fn is_over(task: &Task, folder: Folder) -> bool {
    match folder {
        Folder::Sent => task.receipt.as_ref().is_some_and(|receipt| receipt.stage.is_final()),
        _ => folder == Folder::Done,
    }
}

/// The path under which an archive has a file. The name of one that was written by hand need not tell whose it is, so it
/// gets the name that a verb would have given it.
fn former_path(item: &Item) -> Option<String> {
    let id = item.id()?;
    if layout::id_in_name(&item.path) == Some(id) {
        return Some(item.path.clone());
    }
    Some(layout::task_path(item.folder, id, &layout::task_name(id, &item.task.title)))
}

/// Where one task lies in an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    id: String,
    /// The path that the file had.
    path: String,
    start: usize,
    length: usize,
    /// SHA-256 of the file, as the archive tells it.
    hash: String,
}

/// The places in each archive, by the archive's path. Clones that put the same files away each for itself have them in
/// two archives; the younger one counts, unless one clone has changed the file before.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    /// With what is missing in an archive, if it is not whole.
    files: BTreeMap<String, (Stamp, Vec<Place>, Option<String>)>,
}

impl Index {
    /// The index of all archives, from the cache where an archive is as it was.
    fn load(queue: &Queue) -> Result<Index> {
        let walk = queue.walk(layout::ARCHIVE)?;
        if walk.files.is_empty() {
            return Ok(Index::default());
        }
        let kept =
            queue.local.read_up_to(INDEX, LARGEST_INDEX).and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let mut kept: Index = kept.unwrap_or_default();
        let before = kept.files.len();
        let mut index = Index::default();
        let mut fresh = 0;
        for seen in walk.files {
            match kept.files.remove(&seen.path) {
                Some((stamp, places, lost)) if stamp == seen.stamp => {
                    index.files.insert(seen.path, (stamp, places, lost));
                }
                _ => {
                    fresh += 1;
                    let bytes = bytes_of(queue, &seen.path)?;
                    let places = places(&bytes);
                    let lost = lost(&bytes, &places);
                    index.files.insert(seen.path, (seen.stamp, places, lost));
                }
            }
        }
        if fresh > 0 || before != index.files.len() {
            // A cache that cannot be written costs time only.
            let _ = postcard::to_stdvec(&index).map(|bytes| queue.local.write(INDEX, &bytes));
        }
        Ok(index)
    }
}

fn bytes_of(queue: &Queue, path: &str) -> Result<Vec<u8>> {
    let bytes = queue.read_up_to(path, LARGEST)?;
    bytes.ok_or_else(|| Fault::new(Code::Changed, format!("`{path}` is gone")).hint("run the command again"))
}

/// The places that the lines of an archive tell. What is no such line is passed over, byte by byte.
fn places(bytes: &[u8]) -> Vec<Place> {
    let mut all = Vec::new();
    let mut at = line_end(bytes, 0);
    while at < bytes.len() {
        let end = line_end(bytes, at);
        let line = std::str::from_utf8(&bytes[at..end]).unwrap_or_default();
        match told(line, end).filter(|place| place.length <= bytes.len() - place.start) {
            Some(place) => {
                at = place.start + place.length + 1;
                all.push(place);
            }
            None => at = end,
        }
    }
    all
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}

fn told(line: &str, start: usize) -> Option<Place> {
    let mut words = line.strip_prefix(MARK)?.trim_end().rsplitn(3, ' ');
    let (hash, length, path) = (words.next()?, words.next()?, words.next()?);
    let id: TaskId = path.rsplit('/').next()?.get(..26)?.parse().ok()?;
    let (id, path, hash) = (id.to_string(), path.to_owned(), hash.to_owned());
    Some(Place { id, path, start, length: length.parse().ok()?, hash })
}

/// The task of this id in an archive; `None` if it is in none.
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn find(queue: &Queue, id: TaskId) -> Result<Option<Item>> {
    let (wanted, index) = (id.to_string(), Index::load(queue)?);
    let counts = rivals::counting(queue, &index, |id| id == wanted)?;
    for (archive, (stamp, places, _)) in index.files.iter().rev() {
        let place = places.iter().find(|place| place.id == wanted);
        if let Some(place) = place.filter(|place| counts.is_in(archive, place)) {
            let bytes = bytes_of(queue, archive)?;
            return item(queue, archive, place, *stamp, &bytes).map(Some);
        }
    }
    Ok(None)
}

/// What is missing in an archive by its own account: it was cut off, or lines of it were taken out.
fn lost(bytes: &[u8], places: &[Place]) -> Option<String> {
    let end = places.last().map_or(0, |place| place.start + place.length + 1);
    let is_cut = bytes.len() > end && !places.is_empty();
    match promised(bytes).filter(|promised| *promised != places.len()) {
        Some(promised) => Some(format!("holds {} of its {promised} tasks", places.len())),
        None => is_cut.then(|| "its last task is cut off".to_owned()),
    }
}

/// The tasks in archives that a reference in short form may mean; each once.
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn named(queue: &Queue, is_meant: impl Fn(TaskId) -> bool) -> Result<Vec<Item>> {
    let held = Held::of(queue)?;
    let ids = held.ids().filter(|id| is_meant(*id));
    ids.filter_map(|id| find(queue, id).transpose()).collect()
}

/// The archives that lists cannot show in full.
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn problems(queue: &Queue) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for (archive, (_, _, lost)) in Index::load(queue)?.files {
        if let Some(lost) = lost {
            let fault = Fault::new(Code::Malformed, format!("`{archive}` {lost}"))
                .hint(format!("see what it was: `git -C .swift log -p -- {archive}`"));
            problems.push(Problem::at(archive, fault));
        }
    }
    Ok(problems)
}

/// All archived tasks; one that cannot be read is left out (`doctor` checks the archives).
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn all(queue: &Queue) -> Result<Vec<Item>> {
    let (mut items, mut seen, index) = (Vec::new(), HashSet::new(), Index::load(queue)?);
    let counts = rivals::counting(queue, &index, |_| true)?;
    for (archive, (stamp, places, _)) in index.files.iter().rev() {
        let bytes = bytes_of(queue, archive)?;
        let counting = places.iter().filter(|place| counts.is_in(archive, place));
        let fresh = counting.filter(|place| seen.insert(place.id.clone()));
        items.extend(fresh.filter_map(|place| item(queue, archive, place, *stamp, &bytes).ok()));
    }
    Ok(items)
}

fn item(queue: &Queue, archive: &str, place: &Place, stamp: Stamp, bytes: &[u8]) -> Result<Item> {
    let path = format!("{archive}#{}", place.path);
    let task = parse_summary(slice(bytes, place), &queue.limits()).map_err(|m| m.at(&path))?;
    let folder = layout::folder_of(&place.path).unwrap_or(Folder::Done);
    Ok(Item { path, folder, task: Box::new(task), stamp })
}

fn slice<'b>(bytes: &'b [u8], place: &Place) -> &'b [u8] {
    bytes.get(place.start..place.start + place.length).unwrap_or_default()
}

/// The files in an archive, each with the path that it had.
pub(crate) fn contents(bytes: &[u8]) -> Vec<(String, &[u8])> {
    places(bytes).into_iter().map(|place| (place.path.clone(), slice(bytes, &place))).collect()
}

/// The bytes of a task's file, from its place or from the archive that holds it.
///
/// # Errors
/// [`Code::Changed`] if it is gone; those of reading.
pub(crate) fn read(queue: &Queue, item: &Item) -> Result<Vec<u8>> {
    let gone = || Fault::new(Code::Changed, format!("`{}` is gone", item.path)).hint("run the command again");
    let Some((archive, inner)) = place(&item.path) else {
        return queue.read(&item.path)?.ok_or_else(gone);
    };
    let bytes = bytes_of(queue, archive)?;
    let place = places(&bytes).into_iter().find(|place| place.path == inner).ok_or_else(gone)?;
    Ok(slice(&bytes, &place).to_vec())
}

/// The archive that holds a task and the path that its file had, of the path that lists give it; `None` for a file of its
/// own.
pub(super) fn place(path: &str) -> Option<(&str, &str)> {
    path.split_once('#').filter(|(archive, _)| archive.starts_with(layout::ARCHIVE))
}

/// Texts in an archive that lists do not show, because another archive has the task too, with another text: the
/// archive and the task.
///
/// # Errors
/// Those of reading the archives and the log.
pub(crate) fn passed_over(queue: &Queue) -> Result<Vec<(String, TaskId)>> {
    rivals::passed_over(queue, &Index::load(queue)?)
}

/// Archived files whose content does not have the hash that stands before it.
///
/// # Errors
/// Those of reading the archives.
pub(crate) fn damaged(queue: &Queue) -> Result<Vec<(String, String)>> {
    let mut bad = Vec::new();
    for seen in queue.walk(layout::ARCHIVE)?.files {
        let bytes = bytes_of(queue, &seen.path)?;
        let lines =
            bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(MARK.as_bytes())).count();
        let places = places(&bytes);
        if places.is_empty() || places.len() > lines {
            bad.push((seen.path.clone(), "holds nothing that can be read".to_owned()));
        }
        if let Some(lost) = lost(&bytes, &places) {
            bad.push((seen.path.clone(), lost));
        }
        for place in &places {
            let start =
                bytes[..place.start - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let told = String::from_utf8_lossy(&bytes[start..place.start]).trim_end().to_owned();
            if !told.ends_with(&content_hash(slice(&bytes, place))) {
                bad.push((seen.path.clone(), format!("`{}` is not as it was put away", place.path)));
            }
        }
    }
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_whatever_the_files_hold() {
        let id = TaskId::new(1, 2);
        let inner = format!("+++\ntitle = \"x\"\n+++\n{MARK}tasks/{id}-y.md 3 abc\n");
        let path = format!("done/1970-01/{id}-x.md");
        let text =
            format!("{}{MARK}{path} {} {}\n{inner}\n", title(1), inner.len(), content_hash(inner.as_bytes()));
        let found = places(text.as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!(slice(text.as_bytes(), &found[0]), inner.as_bytes());
        assert_eq!(lost(text.as_bytes(), &found), None);
        let cut = &text.as_bytes()[..text.len() - 5];
        assert_eq!(lost(cut, &places(cut)).as_deref(), Some("holds 0 of its 1 tasks"));
        assert!(places(b"").is_empty());
        assert!(places(b"x\n@@@ done/x 99999999999999999999 a\n@@@ y").is_empty());
    }
}
