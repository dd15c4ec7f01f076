//! The text of a cursor: short, safe in URLs and file names, and meaningless to everybody else.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::domain::cursor::{Cursor, Mark, Others, Position, ProjectKey, SegmentKey, ShortHash, Sweep};
use crate::domain::fault::{Code, Fault};
use crate::domain::project::ProjectId;

/// The form that this version writes, the first byte.
const VERSION: u8 = 1;

/// The longest text that is looked at.
const LONGEST: usize = 1 << 20;

/// Bytes of a project's key that are written.
const KEY_BYTES: usize = 6;

/// What stands for a segment's path in cursors.
pub(crate) fn segment_key(path: &str) -> SegmentKey {
    SegmentKey(hash(path))
}

/// What stands for a project in cursors.
pub(crate) fn project_key(id: &ProjectId) -> ProjectKey {
    ProjectKey(hash(id.as_str()) >> (64 - 8 * KEY_BYTES))
}

fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Which parts of a mark follow.
mod part {
    pub(super) const SWEEP: u8 = 1;
    /// The sweep's position is that of the cursor.
    pub(super) const SHARED: u8 = 2;
    pub(super) const MORE: u8 = 4;
    /// There are other bases than exactly one.
    pub(super) const BASES: u8 = 8;
}

/// The text of a cursor.
pub(crate) fn render(cursor: &Cursor) -> String {
    let mut out = vec![VERSION];
    put_position(&mut out, cursor.position);
    match cursor.others {
        Others::Untold => out.push(0),
        Others::From(position) => {
            out.push(1);
            put_position(&mut out, position);
        }
    }
    for (key, mark) in &cursor.marks {
        out.extend_from_slice(&key.0.to_be_bytes()[8 - KEY_BYTES..]);
        put_mark(&mut out, mark, cursor.position);
    }
    BASE64URL_NOPAD.encode(&out)
}

fn put_mark(out: &mut Vec<u8>, mark: &Mark, shared: Position) {
    let is_shared = mark.sweep.is_some_and(|sweep| sweep.position == shared);
    let parts = [
        (mark.sweep.is_some(), part::SWEEP),
        (is_shared, part::SHARED),
        (!mark.more.is_empty(), part::MORE),
        (mark.bases.len() != 1, part::BASES),
    ];
    out.push(parts.iter().filter(|(is_there, _)| *is_there).map(|(_, bit)| bit).sum());
    if mark.bases.len() != 1 {
        put_number(out, mark.bases.len() as u64);
    }
    mark.bases.iter().for_each(|base| out.extend_from_slice(base));
    if let Some(sweep) = mark.sweep {
        out.extend_from_slice(&sweep.commit);
        if !is_shared {
            put_position(out, sweep.position);
        }
    }
    if !mark.more.is_empty() {
        put_number(out, mark.more.len() as u64);
    }
    for (segment, told) in &mark.more {
        out.extend_from_slice(&segment.0.to_be_bytes());
        put_number(out, u64::from(*told));
    }
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    out.extend_from_slice(&position.id.to_be_bytes());
    out.extend_from_slice(&position.segment.0.to_be_bytes());
    put_number(out, u64::from(position.index));
}

/// Seven bits a byte, lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Read the text of a cursor.
///
/// # Errors
/// [`Code::InvalidValue`] for anything that [`render`] does not write.
pub(crate) fn parse(text: &str) -> Result<Cursor, Fault> {
    let bytes = (text.len() <= LONGEST).then(|| BASE64URL_NOPAD.decode(text.as_bytes()).ok()).flatten();
    bytes.as_deref().and_then(|bytes| read(&mut Bytes(bytes))).ok_or_else(|| {
        Fault::new(Code::InvalidValue, "this is no cursor of this version")
            .hint("a cursor is what `cursor` says in a line of `swift events --json`")
    })
}

fn read(bytes: &mut Bytes<'_>) -> Option<Cursor> {
    if bytes.byte()? != VERSION {
        return None;
    }
    let position = bytes.position()?;
    let others = match bytes.byte()? {
        0 => Others::Untold,
        1 => Others::From(bytes.position()?),
        _ => return None,
    };
    let mut marks = BTreeMap::new();
    while !bytes.0.is_empty() {
        let mut key = [0; 8];
        key[8 - KEY_BYTES..].copy_from_slice(bytes.take(KEY_BYTES)?);
        marks.insert(ProjectKey(u64::from_be_bytes(key)), read_mark(bytes, position)?);
    }
    Some(Cursor { position, marks, others })
}

fn read_mark(bytes: &mut Bytes<'_>, shared: Position) -> Option<Mark> {
    let parts = bytes.byte()?;
    let has = |bit| parts & bit != 0;
    let bases = if has(part::BASES) { bytes.number()? } else { 1 };
    let bases = (0..bases).map(|_| bytes.hash()).collect::<Option<Vec<_>>>()?;
    let sweep = match (has(part::SWEEP), has(part::SHARED)) {
        (false, false) => None,
        (false, true) => return None,
        (true, is_shared) => {
            let commit = bytes.hash()?;
            Some(Sweep { commit, position: if is_shared { shared } else { bytes.position()? } })
        }
    };
    let count = if has(part::MORE) { bytes.number()? } else { 0 };
    let one = |_| Some((SegmentKey(bytes.eight()?), u32::try_from(bytes.number()?).ok()?));
    let more = (0..count).map(one).collect::<Option<BTreeMap<_, _>>>()?;
    Some(Mark { bases, sweep, more })
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn eight(&mut self) -> Option<u64> {
        self.hash().map(u64::from_be_bytes)
    }

    fn hash(&mut self) -> Option<ShortHash> {
        self.take(8)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn position(&mut self) -> Option<Position> {
        let id = u128::from_be_bytes(self.take(16)?.try_into().ok()?);
        let segment = SegmentKey(self.eight()?);
        Some(Position { id, segment, index: u32::try_from(self.number()?).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position() -> impl Strategy<Value = Position> {
        let parts = (any::<u128>(), any::<u64>(), any::<u32>());
        parts.prop_map(|(id, segment, index)| Position { id, segment: SegmentKey(segment), index })
    }

    fn mark() -> impl Strategy<Value = Mark> {
        let sweep = proptest::option::of((any::<ShortHash>(), position()));
        let more = proptest::collection::btree_map(any::<u64>().prop_map(SegmentKey), any::<u32>(), 0..3);
        let bases = proptest::collection::vec(any::<ShortHash>(), 0..4);
        (bases, sweep, more).prop_map(|(bases, sweep, more)| {
            let sweep = sweep.map(|(commit, position)| Sweep { commit, position });
            Mark { bases, sweep, more }
        })
    }

    fn cursor() -> impl Strategy<Value = Cursor> {
        let key = (0_u64..1 << 48).prop_map(ProjectKey);
        let others = proptest::option::of(position());
        let parts = (position(), others, proptest::collection::btree_map(key, mark(), 0..4));
        parts.prop_map(|(position, others, marks)| Cursor {
            position,
            marks,
            others: others.map_or(Others::Untold, Others::From),
        })
    }

    proptest! {
        #![proptest_config(crate::format::few_cases(128))]

        #[test]
        fn what_is_written_is_read(cursor in cursor()) {
            prop_assert_eq!(parse(&render(&cursor)), Ok(cursor));
        }

        #[test]
        fn a_position_that_all_share_is_read_too(mut cursor in cursor()) {
            let shared = cursor.position;
            for sweep in cursor.marks.values_mut().filter_map(|mark| mark.sweep.as_mut()) {
                sweep.position = shared;
            }
            prop_assert_eq!(parse(&render(&cursor)), Ok(cursor));
        }

        #[test]
        fn any_text_is_read_in_bounded_time(text in "[A-Za-z0-9_-]{0,200}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn fifty_projects_at_rest_have_a_short_cursor() {
        let mark = Mark { bases: vec![[7; 8]], ..Mark::default() };
        let marks = (0..50).map(|key| (ProjectKey(key), mark.clone())).collect();
        let text = render(&Cursor { marks, ..Cursor::START });
        assert!(text.len() < 1050, "{} characters", text.len());
    }
}
