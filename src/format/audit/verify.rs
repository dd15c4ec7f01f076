//! Whether a segment is what its writer wrote.

use std::collections::HashSet;

use super::record::Record;
use super::segment::Segment;
use crate::domain::id::EventId;

/// What sort of defect it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DefectKind {
    /// The text is no record.
    Unreadable,
    /// The file ends in the middle of a record.
    CutOff,
    /// The event is of a kind that this version does not know.
    UnknownKind,
    /// The text says something readable in another spelling than it was written in.
    Edited,
    /// The content does not have the hash that stands beside it.
    Hash,
    /// The record does not build on the one before it: records are missing, added or moved.
    Chain,
    /// The same event is there twice.
    Duplicate,
}

/// Something in a segment that its writer did not write so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Defect {
    pub(crate) line: usize,
    pub(crate) event: Option<EventId>,
    pub(crate) what: DefectKind,
    pub(crate) message: String,
}

/// All defects of one segment, in the order of its lines. None means: as written, from the header to the last
/// record that is there.
pub(crate) fn verify(segment: &Segment) -> Vec<Defect> {
    let mut defects = segment.defects.clone();
    let mut seen = HashSet::new();
    let mut prev = &segment.seed;
    for record in &segment.records {
        defects.extend(hash_defect(record));
        if record.prev != *prev {
            defects.push(defect(record, DefectKind::Chain, "the record does not build on the one before it"));
        }
        if !seen.insert(record.event.id) {
            defects.push(defect(record, DefectKind::Duplicate, "the same event is there twice"));
        }
        prev = &record.hash;
    }
    defects.sort_by_key(|defect| defect.line);
    defects
}

fn hash_defect(record: &Record) -> Option<Defect> {
    let is_right = record.expected_hash() == record.hash;
    (!is_right).then(|| defect(record, DefectKind::Hash, "the content does not have its hash"))
}

fn defect(record: &Record, what: DefectKind, message: &str) -> Defect {
    Defect { line: record.line, event: Some(record.event.id), what, message: message.to_owned() }
}
