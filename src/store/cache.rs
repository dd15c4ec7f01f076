//! What the heads of unchanged files said, so that lists need not read every file again.
//!
//! A cache and nothing more: it can be deleted, cut or scribbled on at any time and only speed changes. A row
//! counts only while size, times and inode of its file are those of the row, and rows are kept only for files
//! that had been still for a while when they were read, so a change within the same clock tick is not missed.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::files::Stamp;
use crate::domain::lease::Lease;
use crate::domain::task::{Effort, Ending, Folder, Priority, Receipt, Stage, State, Task};

/// Changes with every change of the layout below; a cache of another version is not read.
const VERSION: u32 = 1;

/// How old (nanoseconds) the last change of a file has to be for its row to be kept.
const STILL_FOR: i64 = 1_000_000_000;

/// The rows of one folder.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    rows: HashMap<String, (Stamp, Row)>,
}

/// The file's form of a [`Task`].
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    id: Option<String>,
    title: String,
    from: Option<String>,
    to: Option<String>,
    kind: String,
    priority: u8,
    effort: u8,
    labels: Vec<String>,
    created: Option<i128>,
    after: Vec<String>,
    due: Option<(i16, i8, i8)>,
    token: u64,
    attempts: u32,
    lease: Option<(String, u64, i128)>,
    blocked: Option<String>,
    defer_until: Option<i128>,
    receipt: Option<(u8, i128, Option<String>, Option<String>)>,
    ending: Option<(String, i128, Option<String>, Option<String>)>,
}

impl Cache {
    /// Read the bytes of a cache file; anything unexpected gives an empty cache.
    pub(crate) fn decode(bytes: &[u8]) -> Cache {
        Self::try_decode(bytes).unwrap_or_default()
    }

    fn try_decode(bytes: &[u8]) -> Option<Cache> {
        let (sum, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rows) = rest.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*version) != VERSION || u64::from_le_bytes(*sum) != checksum(rest) {
            return None;
        }
        let rows: Vec<(String, Stamp, Row)> = postcard::from_bytes(rows).ok()?;
        Some(Cache { rows: rows.into_iter().map(|(path, stamp, row)| (path, (stamp, row))).collect() })
    }

    /// The bytes of a cache file for these files, as seen at `now` (nanoseconds since 1970).
    pub(crate) fn encode<'a>(items: impl Iterator<Item = (&'a str, Stamp, &'a Task)>, now: i64) -> Vec<u8> {
        let rows: Vec<(&str, Stamp, Row)> = items
            .filter(|(_, stamp, _)| stamp.modified.max(stamp.changed) < now - STILL_FOR)
            .map(|(path, stamp, task)| (path, stamp, Row::from(task)))
            .collect();
        let mut body = VERSION.to_le_bytes().to_vec();
        body.extend(postcard::to_stdvec(&rows).expect("rows hold nothing that cannot be written"));
        let mut out = checksum(&body).to_le_bytes().to_vec();
        out.extend(body);
        out
    }

    /// The task that an unchanged file holds.
    pub(crate) fn take(&mut self, path: &str, stamp: Stamp) -> Option<Task> {
        let (kept, row) = self.rows.remove(path)?;
        if kept == stamp { row.into_task() } else { None }
    }

    /// How many rows are (still) there.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
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

impl From<&Task> for Row {
    fn from(task: &Task) -> Self {
        Row {
            id: task.id.map(|id| id.to_string()),
            title: task.title.clone(),
            from: task.from.as_ref().map(|from| from.as_str().to_owned()),
            to: task.to.as_ref().map(|to| to.as_str().to_owned()),
            kind: task.kind.as_str().to_owned(),
            priority: task.priority as u8,
            effort: task.effort as u8,
            labels: task.labels.clone(),
            created: task.created.map(Timestamp::as_nanosecond),
            after: task.after.iter().map(ToString::to_string).collect(),
            due: task.due.map(|due| (due.year(), due.month(), due.day())),
            token: task.token,
            attempts: task.attempts,
            lease: task
                .lease
                .as_ref()
                .map(|l| (l.holder.as_str().to_owned(), l.token, l.expires_at.as_nanosecond())),
            blocked: task.blocked.clone(),
            defer_until: task.defer_until.map(Timestamp::as_nanosecond),
            receipt: task.receipt.as_ref().map(|r| {
                (r.stage as u8, r.at.as_nanosecond(), r.by.as_ref().map(ToString::to_string), r.note.clone())
            }),
            ending: task.ending.as_ref().map(|e| {
                (
                    e.state.to_string(),
                    e.at.as_nanosecond(),
                    e.by.as_ref().map(ToString::to_string),
                    e.note.clone(),
                )
            }),
        }
    }
}

impl Row {
    /// Back to a task; `None` if a word is not what it was, which makes the file be read again.
    fn into_task(self) -> Option<Task> {
        Some(Task {
            id: optional(self.id)?,
            title: self.title,
            from: optional(self.from)?,
            to: optional(self.to)?,
            kind: self.kind.parse().ok()?,
            priority: *Priority::ALL.get(usize::from(self.priority))?,
            effort: *Effort::ALL.get(usize::from(self.effort))?,
            labels: self.labels,
            created: instant(self.created)?,
            after: self.after.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?,
            due: match self.due {
                Some((year, month, day)) => Some(Date::new(year, month, day).ok()?),
                None => None,
            },
            token: self.token,
            attempts: self.attempts,
            lease: match self.lease {
                Some((holder, token, at)) => {
                    Some(Lease { holder: holder.parse().ok()?, token, expires_at: instant(Some(at))?? })
                }
                None => None,
            },
            blocked: self.blocked,
            defer_until: instant(self.defer_until)?,
            receipt: match self.receipt {
                Some((stage, at, by, note)) => Some(Receipt {
                    stage: *Stage::ALL.get(usize::from(stage))?,
                    at: instant(Some(at))??,
                    by: optional(by)?,
                    note,
                }),
                None => None,
            },
            ending: match self.ending {
                Some((state, at, by, note)) => Some(Ending {
                    state: state.parse::<State>().ok()?,
                    at: instant(Some(at))??,
                    by: optional(by)?,
                    note,
                }),
                None => None,
            },
        })
    }
}

fn optional<T: std::str::FromStr>(text: Option<String>) -> Option<Option<T>> {
    text.map(|text| text.parse().ok()).map_or(Some(None), |parsed| parsed.map(Some))
}

fn instant(nanoseconds: Option<i128>) -> Option<Option<Timestamp>> {
    nanoseconds.map(|ns| Timestamp::from_nanosecond(ns).ok()).map_or(Some(None), |parsed| parsed.map(Some))
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
            lease: Some(Lease { holder: "ann".parse().unwrap(), token: 3, expires_at: at }),
            receipt: Some(Receipt { stage: Stage::Done, at, by: None, note: Some("n".to_owned()) }),
            ending: Some(Ending { state: State::Done, at, by: Some("ann".parse().unwrap()), note: None }),
            ..Task::titled("a title")
        }
    }

    const STAMP: Stamp = Stamp { size: 1, modified: 5, changed: 5, inode: 9 };

    #[test]
    fn what_goes_in_comes_out() {
        let bytes = Cache::encode([("tasks/x.md", STAMP, &full())].into_iter(), i64::MAX);
        assert_eq!(Cache::decode(&bytes).take("tasks/x.md", STAMP), Some(full()));
    }

    #[test]
    fn another_stamp_is_another_file() {
        let bytes = Cache::encode([("x", STAMP, &full())].into_iter(), i64::MAX);
        assert_eq!(Cache::decode(&bytes).take("x", Stamp { size: 2, ..STAMP }), None);
    }

    #[test]
    fn any_damage_empties_the_cache() {
        let bytes = Cache::encode([("x", STAMP, &full())].into_iter(), i64::MAX);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(Cache::decode(&damaged).len(), 0, "byte {at}");
            assert_eq!(Cache::decode(&bytes[..at]).len(), 0, "cut at {at}");
        }
    }

    #[test]
    fn files_that_just_changed_are_not_kept() {
        assert_eq!(Cache::decode(&Cache::encode([("x", STAMP, &full())].into_iter(), 6)).len(), 0);
    }
}
