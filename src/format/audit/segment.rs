//! A whole segment, read as far as it can be read.
//!
//! A record that cannot be read costs nothing but itself: the others are there, and the defect with them.

use super::header::Header;
use super::record::{self, Record};
use super::verify::{Defect, DefectKind};
use crate::domain::event::{Digest, Event, EventKind};
use crate::domain::id::{EventId, SegmentId, WriterId};
use crate::format::malformed::Malformed;

/// What a segment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) writer: WriterId,
    pub(crate) segment: SegmentId,
    /// The last hash of the writer's former segment.
    pub(crate) prev: Option<Digest>,
    /// The hash of the header, on which the first record builds.
    pub(crate) seed: Digest,
    pub(crate) records: Vec<Record>,
    /// What was wrong with the text itself; `verify` repeats it.
    pub(crate) defects: Vec<Defect>,
}

/// Read a segment. Unreadable records become defects; an unreadable header is an error.
///
/// # Errors
/// [`Malformed`], if it cannot be told whose segment it is.
pub(crate) fn parse(text: &str) -> Result<Segment, Malformed> {
    read(text, &|segment, record, text| segment.defects.extend(record.misspelt(text)))
}

/// What is done with a record and its text before it joins its segment.
type Look<'l> = &'l dyn Fn(&mut Segment, &Record, &str);

fn read(text: &str, look: Look<'_>) -> Result<Segment, Malformed> {
    let (header_text, rest) = split_header(text);
    let header = Header::parse(header_text)?;
    let mut segment = Segment {
        writer: header.writer,
        segment: header.segment,
        prev: header.prev,
        seed: header.hash,
        records: Vec::new(),
        defects: Vec::new(),
    };
    if !header.is_intact {
        let message = "the header is not as it was written";
        segment.defects.push(Defect {
            line: 1,
            event: None,
            what: DefectKind::Edited,
            message: message.to_owned(),
        });
    }
    let mut line = 1 + lines(header_text);
    for piece in pieces(rest) {
        // Each piece begins with the blank line before the record.
        read_piece(&mut segment, &piece[1..], line + 1, look);
        line += lines(piece);
    }
    Ok(segment)
}

/// Read a segment whose bytes may be damaged.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_bytes(bytes: &[u8]) -> Result<Segment, Malformed> {
    // What is no UTF-8 becomes replacement characters; the hash of that record then tells.
    parse(&String::from_utf8_lossy(bytes))
}

/// The same for who wants to know what is told, and not whether each record has the one spelling: that takes as long as
/// reading it.
///
/// # Errors
/// As [`parse`].
pub(crate) fn read_bytes(bytes: &[u8]) -> Result<Segment, Malformed> {
    read(&String::from_utf8_lossy(bytes), &|_, _, _| {})
}

/// Every record of a segment in the order of the file, or why it is none. Neither the header nor a damaged record
/// keeps the others from being read. What is damaged at the very end may still be on its way: it does not count.
pub(crate) fn entries(bytes: &[u8]) -> Vec<Result<Event, Malformed>> {
    let text = String::from_utf8_lossy(bytes);
    let (header, rest) = split_header(&text);
    let mut line = 1 + lines(header);
    let mut all = Vec::new();
    for piece in pieces(rest) {
        let read = record::read(&piece[1..], line + 1);
        all.push(read.map(|record| record.event).map_err(|unreadable| unreadable.defect));
        line += lines(piece);
    }
    let sound = all.iter().rposition(Result::is_ok).map_or(0, |last| last + 1);
    all.truncate(sound);
    all
}

/// The events of some kinds, in the order of the file; of the others only the line is read that tells their kind. What
/// cannot be read is passed over.
pub(crate) fn events_of_kinds(bytes: &[u8], kinds: &[EventKind]) -> Vec<Event> {
    let text = String::from_utf8_lossy(bytes);
    let (_, rest) = split_header(&text);
    let may_count =
        |piece: &&str| told_kind(piece).is_none_or(|told| kinds.iter().any(|kind| kind.as_str() == told));
    let read = |piece: &str| record::read(&piece[1..], 1).ok();
    let events = pieces(rest).filter(may_count).filter_map(read).map(|record| record.event);
    events.filter(|event| kinds.contains(&event.fact.kind)).collect()
}

/// The kind of a record, if it is spelt as records are.
fn told_kind(piece: &str) -> Option<&str> {
    let line = piece.lines().find_map(|line| line.strip_prefix("kind = \""))?;
    line.strip_suffix('"')
}

/// The greatest event id of a segment, found without reading its records; `None` if some record has none that can be
/// found so.
pub(crate) fn greatest_id(bytes: &[u8]) -> Option<EventId> {
    let (mut records, mut ids, mut greatest) = (0, 0, None);
    for line in bytes.split(|byte| *byte == b'\n') {
        records += usize::from(line == b"[[event]]");
        let id = line.strip_prefix(b"id = \"").and_then(|rest| rest.get(..26));
        if let Some(id) = id.and_then(|id| std::str::from_utf8(id).ok()?.parse().ok()) {
            ids += 1;
            greatest = greatest.max(Some(id));
        }
    }
    greatest.filter(|_| records == ids)
}

fn read_piece(segment: &mut Segment, text: &str, line: usize, look: Look<'_>) {
    let record = match record::read(text, line) {
        Ok(record) => record,
        Err(unreadable) => {
            let what = if text.ends_with('\n') { unreadable.what } else { DefectKind::CutOff };
            let message = unreadable.defect.message;
            return segment.defects.push(Defect { line: unreadable.defect.line, event: None, what, message });
        }
    };
    look(segment, &record, text);
    segment.records.push(record);
}

/// The header ends before the first blank line.
fn split_header(text: &str) -> (&str, &str) {
    text.split_at(before_blank_line(text))
}

/// The records, each with the blank line before it. No record has a blank line in it.
fn pieces(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let inner = rest.get(1..)?;
        let (piece, after) = rest.split_at(1 + before_blank_line(inner));
        rest = after;
        Some(piece)
    })
}

fn before_blank_line(text: &str) -> usize {
    text.find("\n\n").map_or(text.len(), |at| at + 1)
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}
