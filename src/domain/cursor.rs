//! How far a reader of the event stream has come.
//!
//! A time would not do: a merge brings segments whose events are older than what was told already. And a list of
//! everything that was told would grow with the log. So a cursor names, for each project, commits of its queue:
//! everything in their logs is told. While the log of one more commit is being told, a [`Position`] says how far
//! that has come; and for the few segments that are not committed yet, it has the number of records told.

use std::collections::BTreeMap;

/// The beginning of a commit's hash.
pub(crate) type ShortHash = [u8; 8];

/// Stands for a segment of the log: a hash of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentKey(pub(crate) u64);

/// Stands for a project: 48 bits of a hash of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProjectKey(pub(crate) u64);

/// A place in the order of the stream; what lies before it is told.
///
/// The order is that of event ids. Where a clock went backwards within a segment, the segment's own order wins:
/// a record counts as no older than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The number of the greatest event id so far in the segment.
    pub(crate) id: u128,
    pub(crate) segment: SegmentKey,
    /// The record's number in its segment.
    pub(crate) index: u32,
}

/// How many bits of an id's number are random; those above tell the time.
const RANDOM_BITS: u32 = 80;

impl Position {
    /// Before everything.
    pub(crate) const START: Position = Position { id: 0, segment: SegmentKey(0), index: 0 };

    /// Before the first event of this millisecond since 1970.
    pub(crate) fn at(milliseconds: u64) -> Position {
        Position { id: u128::from(milliseconds) << RANDOM_BITS, ..Position::START }
    }

    /// The milliseconds since 1970 that it stands at.
    pub(crate) fn milliseconds(self) -> u64 {
        u64::try_from(self.id >> RANDOM_BITS).unwrap_or(u64::MAX)
    }

    /// The place right behind this record.
    pub(crate) fn after(self) -> Position {
        Position { index: self.index.saturating_add(1), ..self }
    }
}

/// The log of one more commit, told as far as a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sweep {
    pub(crate) commit: ShortHash,
    pub(crate) position: Position,
}

/// How far the reader has come in one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Commits whose logs are told. More than one only where a queue on a person's branch went to another branch.
    pub(crate) bases: Vec<ShortHash>,
    pub(crate) sweep: Option<Sweep>,
    /// Records told of segments that have more on the disk than in any of those commits.
    pub(crate) more: BTreeMap<SegmentKey, u32>,
}

/// How far the reader has come in all projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Behind the last event that was told.
    pub(crate) position: Position,
    pub(crate) marks: BTreeMap<ProjectKey, Mark>,
    /// What is told of a project that has no mark.
    pub(crate) others: Others,
}

/// What a cursor says about projects that it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nothing of them is told: they were registered later.
    Untold,
    /// What is older than this is passed over: the stream was begun at a time.
    From(Position),
}

impl Cursor {
    /// Nothing is told.
    pub(crate) const START: Cursor =
        Cursor { position: Position::START, marks: BTreeMap::new(), others: Others::Untold };

    /// Everything before a time is passed over.
    pub(crate) fn since(milliseconds: u64) -> Cursor {
        let position = Position::at(milliseconds);
        Cursor { position, marks: BTreeMap::new(), others: Others::From(position) }
    }
}
