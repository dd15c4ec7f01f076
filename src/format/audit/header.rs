//! The first lines of a segment: whose it is, and what came before it.

use super::{digest, is_digest};
use crate::domain::event::Digest;
use crate::domain::id::{SegmentId, WriterId};
use crate::format::fields::Fields;
use crate::format::malformed::Malformed;
use crate::format::syntax;

/// The text that a segment begins with. `prev` is the hash of the last record of the writer's former segment.
pub(crate) fn header(writer: WriterId, segment: SegmentId, prev: Option<&Digest>) -> String {
    let mut text = format!("schema = 1\nwriter = \"{writer}\"\nsegment = \"{segment}\"\n");
    if let Some(prev) = prev {
        text.push_str(&format!("prev = \"{prev}\"\n"));
    }
    let hash = digest(text.as_bytes());
    text.push_str(&format!("hash = \"{hash}\"\n"));
    text
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) writer: WriterId,
    pub(super) segment: SegmentId,
    pub(super) prev: Option<Digest>,
    /// The hash that the first record builds on.
    pub(super) hash: Digest,
    /// Whether the text is exactly what [`header`] writes for these values.
    pub(super) is_intact: bool,
}

impl Header {
    /// Read a header.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let table = syntax::parse(text)?;
        let fields = Fields::new(text, &table);
        fields.check_schema()?;
        let writer = fields.required("writer", fields.word("writer")?)?;
        let segment = fields.required("segment", fields.word("segment")?)?;
        let prev = hash(&fields, "prev")?;
        let hash = fields.required("hash", hash(&fields, "hash")?)?;
        let is_intact = header(writer, segment, prev.as_ref()) == text;
        Ok(Header { writer, segment, prev, hash, is_intact })
    }
}

/// A hash among the fields.
pub(super) fn hash(fields: &Fields<'_>, key: &'static str) -> Result<Option<Digest>, Malformed> {
    match fields.text(key)? {
        Some(text) if !is_digest(text) => Err(fields.wrong(key, "expected 64 hex digits")),
        found => Ok(found.map(str::to_owned)),
    }
}
