//! This clone's hand in the audit log: which segment to write on, and what to add.
//!
//! A clone writes only segments that it began itself, and only while the file is what it left; after a branch
//! switch, a reset, a restored backup or a copied folder it begins a new segment. So two clones never write the
//! same file, and plain `git merge` brings their logs together.

use serde::{Deserialize, Serialize};

use super::git::{Change, Conclusion, Expect};
use super::layout;
use super::local::Local;
use super::queue::Queue;
use super::tx::Operation;
use crate::domain::event::{Digest, Event, Fact};
use crate::domain::fault::Result;
use crate::domain::id::{SegmentId, WriterId};
use crate::format;
use crate::format::audit::digest as content_hash;

/// The file in which a clone remembers what it wrote last.
const BOOKMARK: &str = "writer";

/// A segment is closed when it has this many bytes: each commit writes it anew, and who looks for the last events reads it
/// whole.
const SEGMENT_BYTES: usize = 16 << 10;

/// What a clone wrote last. Lost or out of date, it costs a new segment and nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bookmark {
    writer: String,
    /// Inode of the machine's own folder: a copied folder is another clone.
    fingerprint: u64,
    path: String,
    /// SHA-256 of the segment as it was left.
    content: Digest,
    /// Hash of its last record.
    tail: Digest,
    /// Segments that were not as they were left when they were to be written on, newest last.
    #[serde(default)]
    missed: Vec<Missed>,
}

/// A segment with records that git has put away, in a stash, and may bring back at any time.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Missed {
    path: String,
    /// SHA-256 of the segment as it was left.
    content: Digest,
}

impl Missed {
    fn is_back(&self, queue: &Queue) -> bool {
        let text = queue.read_text(&self.path).ok().flatten();
        text.is_some_and(|text| content_hash(text.as_bytes()) == self.content)
    }
}

/// How many segments that were not as they were left are looked for.
const MOST_MISSED: usize = 4;

/// The addition to the log that goes into one commit.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) path: String,
    /// The segment before; `None` if it is new.
    pub(crate) before: Option<Vec<u8>>,
    pub(crate) after: Vec<u8>,
    /// `<path>#<hash>` for the commit's trailer: the anchor by which a cut log is found out.
    pub(crate) anchor: String,
    /// A segment is not as it was left, or is so again: git has brought another state of the log.
    pub(crate) was_moved_by_git: bool,
    bookmark: Bookmark,
}

impl Addition {
    /// The change of the segment.
    pub(crate) fn change(&self) -> Change {
        Change {
            path: self.path.clone(),
            content: Some(self.after.clone()),
            expect: self.before.clone().map_or(Expect::Absent, Expect::Bytes),
        }
    }

    /// Remember what was written, once the commit is there.
    pub(crate) fn settle(&self, local: &Local) {
        let text = serde_json::to_vec(&self.bookmark).expect("a bookmark is plain data");
        let _ = local.overwrite(BOOKMARK, &text);
    }
}

/// The addition that records these facts.
///
/// # Errors
/// [`crate::domain::fault::Code::Io`] if the last segment or the machine's own folder cannot be used.
pub(crate) fn addition(
    queue: &Queue,
    operation: &Operation,
    facts: &[Fact],
    wanted: Segment,
) -> Result<Addition> {
    queue.local.ensure()?;
    let fingerprint = queue.local.fingerprint().unwrap_or(0);
    let bookmark = bookmark(&queue.local).filter(|b| b.fingerprint == fingerprint);
    let former = bookmark.clone();
    let segment = open_segment(queue, operation, bookmark, wanted)?;
    let begins_anew = former.is_some() && segment.is_new && segment.prev.is_none();
    let mut missed = former.as_ref().map(|former| former.missed.clone()).unwrap_or_default();
    let all = missed.len();
    missed.retain(|missed| !missed.is_back(queue));
    let is_back = missed.len() < all;
    if let Some(former) = former.filter(|_| begins_anew) {
        missed.push(Missed { path: former.path, content: former.content });
        missed.drain(..missed.len().saturating_sub(MOST_MISSED));
    }
    let (mut text, mut tail) = (segment.text.clone(), segment.tail);
    for fact in facts {
        let event = Event {
            id: operation.env.event_id(),
            at: operation.at,
            actor: operation.actor.clone(),
            operation: operation.id,
            fact: fact.clone(),
        };
        let (record, hash) = format::audit::append(&tail, &event);
        text.push_str(&record);
        tail = hash;
    }
    let before = (!segment.is_new).then(|| segment.text.into_bytes());
    let bookmark = Bookmark {
        writer: segment.writer.to_string(),
        fingerprint,
        path: segment.path.clone(),
        content: content_hash(text.as_bytes()),
        tail: tail.clone(),
        missed,
    };
    Ok(Addition {
        anchor: format!("{}#{tail}", segment.path),
        path: segment.path,
        was_moved_by_git: begins_anew || is_back,
        before,
        after: text.into_bytes(),
        bookmark,
    })
}

/// Which segment an addition goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    /// The one that was written on last, if it is as it was left.
    Usual,
    /// One of its own: what goes into another commit than the records before.
    Fresh,
}

/// The segment that is written on now.
struct Open {
    path: String,
    writer: WriterId,
    text: String,
    tail: Digest,
    is_new: bool,
    /// The last record of the segment that this one continues.
    prev: Option<Digest>,
}

fn open_segment(
    queue: &Queue,
    operation: &Operation,
    bookmark: Option<Bookmark>,
    wanted: Segment,
) -> Result<Open> {
    let Some(bookmark) = bookmark else { return Ok(new_segment(operation, operation.env.writer_id(), None)) };
    let Ok(writer) = bookmark.writer.parse::<WriterId>() else {
        return Ok(new_segment(operation, operation.env.writer_id(), None));
    };
    let is_apart = queue.is_apart(&bookmark.path);
    if wanted == Segment::Fresh || queue.home.keeps_apart() && !is_apart {
        // What git does next may change any segment that it knows.
        return Ok(new_segment(operation, writer, None));
    }
    // The same in the queue's own worktree: `git revert --abort` puts back each that the revert has touched.
    if is_the_persons_to_end(queue)? && queue.home.read_committed(&bookmark.path)?.is_some() {
        return Ok(new_segment(operation, writer, None));
    }
    match queue.read_text(&bookmark.path)? {
        Some(text) if content_hash(text.as_bytes()) == bookmark.content => {
            // A segment ends with its month, so that who looks for what happened since need not open earlier ones.
            let is_of_the_past = layout::log_of_month(operation.at).as_str() > month_folder(&bookmark.path);
            if text.len() >= SEGMENT_BYTES || is_of_the_past {
                return Ok(new_segment(operation, writer, Some(&bookmark.tail)));
            }
            Ok(Open { path: bookmark.path, writer, text, tail: bookmark.tail, is_new: false, prev: None })
        }
        _ => Ok(new_segment(operation, writer, None)),
    }
}

/// The folder of a segment's month.
fn month_folder(segment: &str) -> &str {
    segment.rsplitn(3, '/').last().unwrap_or_default()
}

/// Whether git is in the middle of something that the person may give up.
fn is_the_persons_to_end(queue: &Queue) -> Result<bool> {
    let home = &queue.home;
    Ok(home.is_joining() && matches!(home.conclusion()?, Conclusion::Revert | Conclusion::Theirs(_)))
}

fn new_segment(operation: &Operation, writer: WriterId, prev: Option<&Digest>) -> Open {
    let segment: SegmentId = operation.env.segment_id();
    let text = format::audit::header(writer, segment, prev);
    let tail = format::audit::parse(&text).expect("a header that was just written can be read").seed;
    Open {
        path: layout::segment_path(writer, segment),
        writer,
        text,
        tail,
        is_new: true,
        prev: prev.cloned(),
    }
}

/// Segments with records that were written and that no commit has, although no debt says so any more: git had put them
/// away, with a stash, and brought them back. Each is whole, and begins with what is committed of it.
///
/// # Errors
/// Those of comparing the folder with the last commit, and of reading.
pub(crate) fn returned(queue: &Queue) -> Result<Vec<String>> {
    let debts = queue.home.debts()?;
    let mut paths = Vec::new();
    for changed in queue.home.changed_files()? {
        let is_forgotten = changed.path.starts_with(layout::AUDIT) && !debts.contains(&changed.path);
        if is_forgotten && is_whole_addition(queue, &changed.path)? {
            paths.push(changed.path);
        }
    }
    Ok(paths)
}

/// Whether a file is a segment that is whole, and goes on from what is committed of it.
///
/// # Errors
/// Those of reading it, here and in the last commit.
pub(crate) fn is_whole_addition(queue: &Queue, path: &str) -> Result<bool> {
    let Some(written) = queue.read(path)? else { return Ok(false) };
    let committed = queue.home.read_committed(path)?.unwrap_or_default();
    if written == committed {
        return Ok(false);
    }
    let Ok(segment) = format::audit::parse_bytes(&written) else { return Ok(false) };
    let is_in_place = layout::segment_path(segment.writer, segment.segment) == path;
    Ok(is_in_place && written.starts_with(&committed) && format::audit::verify(&segment).is_empty())
}

fn bookmark(local: &Local) -> Option<Bookmark> {
    serde_json::from_slice(&local.read(BOOKMARK)?).ok()
}
