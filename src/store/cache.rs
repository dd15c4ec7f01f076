//! What the heads of unchanged files said, so that lists need not read every file again.
//!
//! A cache and nothing more: it can be deleted, cut or scribbled on at any time and only speed changes. A row
//! counts only while size, times and inode of its file are those of the row, and rows are kept only for files
//! that had been still for a while when they were read, so a change within the same clock tick is not missed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::files::Stamp;
use crate::domain::id::TaskId;
use crate::domain::lease::Lease;
use crate::domain::route::Tier;
use crate::domain::task::{Dependency, Effort, Ending, Folder, Priority, Receipt, Stage, State, Task};

/// Changes with every change of the layout below; a cache of another version is not read.
const VERSION: u32 = 3;

/// How old (nanoseconds) the last change of a file has to be for its row to be kept.
const STILL_FOR: i64 = 1_000_000_000;

/// The rows of one folder, read one after the other in the order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    bytes: Vec<u8>,
    /// Where the next row is.
    at: usize,
    /// How many rows there are.
    count: usize,
    /// How many were good for a file.
    taken: usize,
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
        let Some((sum, rest)) = bytes.split_first_chunk::<8>() else { return Cache::default() };
        let Some((version, rows)) = rest.split_first_chunk::<4>() else { return Cache::default() };
        if u32::from_le_bytes(*version) != VERSION || u64::from_le_bytes(*sum) != checksum(rest) {
            return Cache::default();
        }
        match postcard::take_from_bytes::<usize>(rows) {
            Ok((count, rows)) => Cache { at: bytes.len() - rows.len(), count, taken: 0, bytes },
            Err(_) => Cache::default(),
        }
    }

    /// The bytes of a cache file for these files, in the order of their paths, as seen at `now` (nanoseconds since
    /// 1970).
    pub(crate) fn encode<'a>(items: impl Iterator<Item = (&'a str, Stamp, &'a Task)>, now: i64) -> Vec<u8> {
        let rows: Vec<(&str, Stamp, Row<'_>)> = items
            .filter(|(_, stamp, _)| stamp.modified.max(stamp.changed) < now - STILL_FOR)
            .map(|(path, stamp, task)| (path, stamp, Row::from(task)))
            .collect();
        let mut body = VERSION.to_le_bytes().to_vec();
        body.extend(postcard::to_stdvec(&rows).expect("rows hold nothing that cannot be written"));
        let mut out = checksum(&body).to_le_bytes().to_vec();
        out.extend(body);
        out
    }

    /// The task that an unchanged file holds. Files have to be asked for in the order of their paths.
    pub(crate) fn take(&mut self, path: &str, stamp: Stamp) -> Option<Task> {
        while self.at < self.bytes.len() {
            let left = &self.bytes[self.at..];
            let Ok(((kept_path, kept), rest)) = postcard::take_from_bytes::<(&str, Stamp)>(left) else {
                self.at = self.bytes.len();
                break;
            };
            if kept_path > path {
                return None;
            }
            let is_it = kept_path == path;
            let Ok((row, rest)) = postcard::take_from_bytes::<Row<'_>>(rest) else {
                self.at = self.bytes.len();
                break;
            };
            self.at = self.bytes.len() - rest.len();
            if is_it {
                let task = if kept == stamp { row.task() } else { None };
                self.taken += usize::from(task.is_some());
                return task;
            }
        }
        None
    }

    /// How many rows were of no use.
    pub(crate) fn useless(&self) -> usize {
        self.count - self.taken
    }
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
    fn task(&self) -> Option<Task> {
        let dependency = |(project, task): &(Option<&str>, u128)| {
            Some(Dependency { project: optional(*project)?, task: TaskId::from_number(*task) })
        };
        let plain = Task {
            id: self.id.map(TaskId::from_number),
            from: optional(self.from)?,
            to: optional(self.to)?,
            kind: self.kind.parse().ok()?,
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

    #[test]
    fn what_goes_in_comes_out() {
        let plain = Task::titled("plain");
        let rows = [("a", STAMP, &plain), ("b", STAMP, &plain), ("tasks/x.md", STAMP, &full())];
        let mut cache = Cache::decode(Cache::encode(rows.into_iter(), i64::MAX));
        assert_eq!(cache.take("a", STAMP), Some(plain));
        assert_eq!(cache.take("aa", STAMP), None);
        assert_eq!(cache.take("tasks/x.md", STAMP), Some(full()));
        assert_eq!(cache.take("z", STAMP), None);
        assert_eq!(cache.useless(), 1);
    }

    #[test]
    fn another_stamp_is_another_file() {
        let bytes = Cache::encode([("x", STAMP, &full())].into_iter(), i64::MAX);
        assert_eq!(Cache::decode(bytes).take("x", Stamp { size: 2, ..STAMP }), None);
    }

    #[test]
    fn any_damage_empties_the_cache() {
        let bytes = Cache::encode([("x", STAMP, &full())].into_iter(), i64::MAX);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(Cache::decode(damaged).take("x", STAMP), None, "byte {at}");
            assert_eq!(Cache::decode(bytes[..at].to_vec()).take("x", STAMP), None, "cut at {at}");
        }
    }

    #[test]
    fn files_that_just_changed_are_not_kept() {
        assert_eq!(Cache::decode(Cache::encode([("x", STAMP, &full())].into_iter(), 6)).useless(), 0);
    }
}
