//! Segments of the audit log: append-only files of one writer, chained by hash.
//!
//! A segment begins with a header; then come records, each in exactly one spelling. The hash of a record covers
//! its text and the hash before it, the first one's that of the header, so a changed byte shows in the segment
//! itself. What a segment alone cannot show is that records are missing at its end: for that, the writer's next
//! segment names the last hash, and every commit of git has its own copy.

mod header;
mod record;
mod segment;
mod verify;

#[cfg(test)]
mod properties;

pub(crate) use header::header;
pub(crate) use record::append;
pub(crate) use segment::{Segment, entries, events_of_kinds, greatest_id, parse, parse_bytes, read_bytes};
pub(crate) use verify::{Defect, DefectKind, verify};

use sha2::{Digest as _, Sha256};

use crate::domain::event::Digest;

/// SHA-256 of bytes in lower-case hex, as everywhere in the log.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        for half in [byte >> 4, byte & 0xf] {
            out.push(char::from(b"0123456789abcdef"[usize::from(half)]));
        }
    }
    out
}

/// Whether a text is such a hash.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
