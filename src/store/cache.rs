//! What the heads of unchanged files said, so that lists need not read every file again.
//!
//! A cache and nothing more: it can be deleted, cut or scribbled on at any time and only speed changes. A row
//! counts only while size, times and inode of its file are those of the row, and rows are kept only for files
//! that had been still for a while when they were read, so a change within the same clock tick is not missed. The same
//! goes for folders: one that is as it was has the same names in it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::files::Stamp;
use crate::domain::id::TaskId;
use crate::domain::lease::Lease;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::route::Tier;
use crate::domain::task::{Dependency, Effort, Ending, Folder, Kind, Priority, Receipt, Stage, State, Task};

/// Changes with every change of the layout below; a cache of another version is not read.
const VERSION: u32 = 5;

/// How old (nanoseconds) the last change of a file has to be for its row to be kept.
const STILL_FOR: i64 = 1_000_000_000;

/// The rows of one folder of the queue, by the folders on the disk that their files are in.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    bytes: Vec<u8>,
    folders: HashMap<String, Place>,
    /// How many rows there are.
    rows: usize,
}

/// Where the rows of a folder are.
#[derive(Debug)]
struct Place {
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
    words: Words,
}

/// Names that most tasks have in common with the one before.
#[derive(Debug, Default)]
struct Words {
    from: Option<ProjectId>,
    to: Option<ProjectName>,
    kind: Option<Kind>,
}

/// Seconds and nanoseconds since 1970.
type Instant = (i64, i32);

/// The file's form of a [`Task`].
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row<'a> {
    id: Option<u128>,
    title: &'a str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    kind: &'a str,
    priority: u8,
    effort: u8,
    #[serde(borrow)]
    labels: Vec<&'a str>,
    created: Option<Instant>,
    after: Vec<(Option<&'a str>, u128)>,
    token: u64,
    attempts: u32,
    rest: Option<Rest<'a>>,
}

/// What most tasks do not have.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest<'a> {
    due: Option<(i16, i8, i8)>,
    tier: Option<u8>,
    model: Option<&'a str>,
    lease: Option<(&'a str, u64, Instant)>,
    blocked: Option<&'a str>,
    defer_until: Option<Instant>,
    #[serde(borrow)]
    receipt: Option<(u8, Instant, Option<&'a str>, Option<&'a str>)>,
    #[serde(borrow)]
    ending: Option<(&'a str, Instant, Option<&'a str>, Option<&'a str>)>,
}

impl Cache {
    /// Read the bytes of a cache file; anything unexpected gives an empty cache.
    pub(crate) fn decode(bytes: Vec<u8>) -> Cache {
        Cache::try_decode(bytes).unwrap_or_default()
    }

    fn try_decode(bytes: Vec<u8>) -> Option<Cache> {
        let (sum, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION || u64::from_le_bytes(*sum) != checksum(&bytes[8..]) {
            return None;
        }
        let (index, bodies) =
            postcard::take_from_bytes::<Vec<(String, usize, usize, Option<Stamp>)>>(rest).ok()?;
        let first = bytes.len() - bodies.len();
        let rows = index.iter().map(|(_, _, count, _)| count).sum();
        let places =
            index.into_iter().map(|(folder, at, _, stamp)| (folder, Place { at: first + at, stamp }));
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
        let mut folders: BTreeMap<&str, Page<'_>> = BTreeMap::new();
        for (folder, stamp) in whole.filter(|(_, stamp)| is_still(*stamp, now)) {
            folders.entry(folder).or_default().stamp = Some(stamp);
        }
        for (path, stamp, task) in items {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let page = folders.entry(folder).or_default();
            match is_still(stamp, now) {
                true => page.rows.push((name, stamp, Row::from(task))),
                false => page.stamp = None,
            }
        }
        let plain = "rows hold nothing that cannot be written";
        let (mut index, mut bodies) = (Vec::new(), Vec::new());
        for (folder, Page { rows, stamp }) in folders {
            index.push((folder, bodies.len(), rows.len(), stamp));
            bodies.extend(postcard::to_stdvec(&rows).expect(plain));
        }
        let mut body = VERSION.to_le_bytes().to_vec();
        body.extend(postcard::to_stdvec(&index).expect(plain));
        body.extend(bodies);
        let mut out = checksum(&body).to_le_bytes().to_vec();
        out.extend(body);
        out
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
        Rows { left, count, words: Words::default() }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

impl Rows<'_> {
    /// The task that an unchanged file holds. Files have to be asked for in the order of their names.
    pub(crate) fn take(&mut self, name: &str, stamp: Stamp) -> Option<Task> {
        while self.count > 0 {
            let (kept, rest) = self.read::<(&str, Stamp)>(self.left)?;
            if kept.0 > name {
                return None;
            }
            let (row, rest) = self.read::<Row<'_>>(rest)?;
            self.left = rest;
            self.count -= 1;
            if kept.0 == name {
                return if kept.1 == stamp { row.task(&mut self.words) } else { None };
            }
        }
        None
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// All that are left, each with its name and what its file was like; `None` if one cannot be read.
    pub(crate) fn all(mut self) -> Option<Vec<(String, Stamp, Task)>> {
        let mut all = Vec::with_capacity(self.count);
        for _ in 0..self.count {
            let ((name, stamp), rest) = self.read::<(&str, Stamp)>(self.left)?;
            let (row, rest) = self.read::<Row<'_>>(rest)?;
            all.push((name.to_owned(), stamp, row.task(&mut self.words)?));
            self.left = rest;
        }
        Some(all)
    }

    fn read<'b, T: Deserialize<'b>>(&mut self, left: &'b [u8]) -> Option<(T, &'b [u8])> {
        let read = postcard::take_from_bytes(left).ok();
        if read.is_none() {
            self.count = 0;
        }
        read
    }
}

/// What is written of one folder.
#[derive(Default)]
struct Page<'a> {
    rows: Vec<(&'a str, Stamp, Row<'a>)>,
    stamp: Option<Stamp>,
}

/// Whether something had been as it is for a while at `now` (nanoseconds since 1970).
pub(crate) fn is_still(stamp: Stamp, now: i64) -> bool {
    stamp.modified.max(stamp.changed) < now - STILL_FOR
}

/// The name that a text is, shared with the task before if it is the same.
fn shared<T: std::str::FromStr + Clone>(
    last: &mut Option<T>,
    text: &str,
    as_text: impl Fn(&T) -> &str,
) -> Option<T> {
    if last.as_ref().is_none_or(|last| as_text(last) != text) {
        *last = text.parse().ok();
    }
    last.clone()
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

fn instant(at: Timestamp) -> Instant {
    (at.as_second(), at.subsec_nanosecond())
}

fn timestamp((seconds, nanoseconds): Instant) -> Option<Timestamp> {
    Timestamp::new(seconds, nanoseconds).ok()
}

impl<'a> From<&'a Task> for Row<'a> {
    fn from(task: &'a Task) -> Self {
        let Task { due, tier, model, lease, blocked, defer_until, receipt, ending, .. } = task;
        let rest = Rest {
            due: due.map(|due| (due.year(), due.month(), due.day())),
            tier: tier.map(|tier| tier as u8),
            model: model.as_ref().map(|model| model.as_str()),
            lease: lease.as_ref().map(|l| (l.holder.as_str(), l.token, instant(l.expires_at))),
            blocked: blocked.as_deref(),
            defer_until: defer_until.map(instant),
            receipt: receipt.as_ref().map(|r| {
                (r.stage as u8, instant(r.at), r.by.as_ref().map(|by| by.as_str()), r.note.as_deref())
            }),
            ending: ending.as_ref().map(|e| {
                (e.state.as_str(), instant(e.at), e.by.as_ref().map(|by| by.as_str()), e.note.as_deref())
            }),
        };
        let plain = due.is_none()
            && tier.is_none()
            && model.is_none()
            && lease.is_none()
            && blocked.is_none()
            && defer_until.is_none()
            && receipt.is_none()
            && ending.is_none();
        Row {
            id: task.id.map(TaskId::number),
            title: &task.title,
            from: task.from.as_ref().map(|from| from.as_str()),
            to: task.to.as_ref().map(|to| to.as_str()),
            kind: task.kind.as_str(),
            priority: task.priority as u8,
            effort: task.effort as u8,
            labels: task.labels.iter().map(String::as_str).collect(),
            created: task.created.map(instant),
            after: task
                .after
                .iter()
                .map(|d| (d.project.as_ref().map(|project| project.as_str()), d.task.number()))
                .collect(),
            token: task.token,
            attempts: task.attempts,
            rest: (!plain).then_some(rest),
        }
    }
}

impl Row<'_> {
    /// Back to a task; `None` if a word is not what it was, which makes the file be read again.
    fn task(&self, words: &mut Words) -> Option<Task> {
        let dependency = |(project, task): &(Option<&str>, u128)| {
            Some(Dependency { project: optional(*project)?, task: TaskId::from_number(*task) })
        };
        let plain = Task {
            id: self.id.map(TaskId::from_number),
            from: each(self.from, |text| shared(&mut words.from, text, ProjectId::as_str))?,
            to: each(self.to, |text| shared(&mut words.to, text, ProjectName::as_str))?,
            kind: shared(&mut words.kind, self.kind, Kind::as_str)?,
            priority: *Priority::ALL.get(usize::from(self.priority))?,
            effort: *Effort::ALL.get(usize::from(self.effort))?,
            labels: self.labels.iter().map(|label| (*label).to_owned()).collect(),
            created: each(self.created, timestamp)?,
            after: self.after.iter().map(dependency).collect::<Option<_>>()?,
            token: self.token,
            attempts: self.attempts,
            ..Task::titled(self.title)
        };
        match &self.rest {
            None => Some(plain),
            Some(rest) => rest.complete(plain),
        }
    }
}

impl Rest<'_> {
    fn complete(&self, task: Task) -> Option<Task> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let lease = |(holder, token, at): (&str, u64, Instant)| {
            Some(Lease { holder: holder.parse().ok()?, token, expires_at: timestamp(at)? })
        };
        let receipt = |(stage, at, by, note): (u8, Instant, Option<&str>, Option<&str>)| {
            let stage = *Stage::ALL.get(usize::from(stage))?;
            Some(Receipt { stage, at: timestamp(at)?, by: optional(by)?, note: text(note) })
        };
        let ending = |(state, at, by, note): (&str, Instant, Option<&str>, Option<&str>)| {
            let state = state.parse::<State>().ok()?;
            Some(Ending { state, at: timestamp(at)?, by: optional(by)?, note: text(note) })
        };
        Some(Task {
            due: each(self.due, |(year, month, day)| Date::new(year, month, day).ok())?,
            tier: each(self.tier, |tier| Tier::ALL.get(usize::from(tier)).copied())?,
            model: optional(self.model)?,
            lease: each(self.lease, lease)?,
            blocked: text(self.blocked),
            defer_until: each(self.defer_until, timestamp)?,
            receipt: each(self.receipt, receipt)?,
            ending: each(self.ending, ending)?,
            ..task
        })
    }
}

/// What is there has to be readable.
fn each<T, U>(value: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match value {
        Some(value) => read(value).map(Some),
        None => Some(None),
    }
}

fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    each(text, |text| text.parse().ok())
}

/// The name of the cache file of a folder, below the machine's own folder.
pub(crate) fn file_name(folder: Folder) -> String {
    format!("cache/{folder}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Task {
        let at: Timestamp = "2026-11-21T10:00:00.123Z".parse().unwrap();
        let id = "01kakkkkkkkkkkkkkkkkkkkkkk".parse().unwrap();
        Task {
            id: Some(id),
            from: Some("acme/web".parse().unwrap()),
            to: Some("api".parse().unwrap()),
            labels: vec!["a".to_owned()],
            created: Some(at),
            after: vec!["acme/db#01kakkkkkkkkkkkkkkkkkkkkkk".parse().unwrap()],
            due: Some(jiff::civil::date(2026, 12, 1)),
            tier: Some(Tier::Opus),
            model: Some("m-1".parse().unwrap()),
            lease: Some(Lease { holder: "ann".parse().unwrap(), token: 3, expires_at: at }),
            receipt: Some(Receipt { stage: Stage::Done, at, by: None, note: Some("n".to_owned()) }),
            ending: Some(Ending { state: State::Done, at, by: Some("ann".parse().unwrap()), note: None }),
            ..Task::titled("a title")
        }
    }

    const STAMP: Stamp = Stamp { size: 1, modified: 5, changed: 5, inode: 9 };

    fn none() -> std::iter::Empty<(&'static str, Stamp)> {
        std::iter::empty()
    }

    #[test]
    fn a_folder_is_known_as_a_whole_while_it_is_as_it_was() {
        let young = Stamp { changed: 2 * STILL_FOR, ..STAMP };
        let (task, now) = (full(), 2 * STILL_FOR);
        let rows = [("a/x", STAMP, &task), ("a/y", STAMP, &task), ("b/x", young, &task)];
        let folders = [("a", STAMP), ("b", STAMP), ("empty", STAMP), ("young", young)];
        let cache = Cache::decode(Cache::encode(rows.into_iter(), folders.into_iter(), now));
        let all = cache.whole("a", STAMP).unwrap().all().unwrap();
        assert_eq!(all, [("x".to_owned(), STAMP, task.clone()), ("y".to_owned(), STAMP, task)]);
        assert!(cache.whole("a", young).is_none());
        assert_eq!(cache.whole("empty", STAMP).unwrap().len(), 0);
        for unknown in ["b", "young", "other"] {
            assert!(cache.whole(unknown, STAMP).is_none() && cache.whole(unknown, young).is_none());
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let plain = Task::titled("plain");
        let rows =
            [("tasks/a", STAMP, &plain), ("tasks/b", STAMP, &plain), ("tasks/00/x.md", STAMP, &full())];
        let cache = Cache::decode(Cache::encode(rows.into_iter(), none(), i64::MAX));
        assert_eq!(cache.rows(), 3);
        let mut rows = cache.folder("tasks");
        assert_eq!(rows.take("a", STAMP), Some(plain));
        assert_eq!(rows.take("aa", STAMP), None);
        assert_eq!(cache.folder("tasks/00").take("x.md", STAMP), Some(full()));
        assert_eq!(cache.folder("tasks/01").take("x.md", STAMP), None);
        assert_eq!(rows.take("z", STAMP), None);
    }

    #[test]
    fn another_stamp_is_another_file() {
        let cache = Cache::decode(Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), i64::MAX));
        assert_eq!(cache.folder("a").take("x", Stamp { size: 2, ..STAMP }), None);
    }

    #[test]
    fn any_damage_empties_the_cache() {
        let bytes = Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), i64::MAX);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(Cache::decode(damaged).folder("a").take("x", STAMP), None, "byte {at}");
            assert_eq!(Cache::decode(bytes[..at].to_vec()).folder("a").take("x", STAMP), None, "cut at {at}");
        }
    }

    #[test]
    fn files_that_just_changed_are_not_kept() {
        assert_eq!(Cache::decode(Cache::encode([("a/x", STAMP, &full())].into_iter(), none(), 6)).rows(), 0);
    }
}
