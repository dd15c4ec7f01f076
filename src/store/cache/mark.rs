//! A stamp as the cache keeps it: always of the same length, because there is one in each row and every list reads all.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::store::files::Stamp;

/// Four numbers of eight bytes, the lowest first.
const LENGTH: usize = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Kept(pub(super) Stamp);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stamp { size, modified, changed, inode } = self.0;
        let numbers =
            [size.to_le_bytes(), modified.to_le_bytes(), changed.to_le_bytes(), inode.to_le_bytes()];
        serializer.serialize_bytes(numbers.as_flattened())
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes).map(Kept)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Stamp;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{LENGTH} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Stamp, E> {
        match bytes.as_chunks() {
            (&[size, modified, changed, inode], []) => Ok(Stamp {
                size: u64::from_le_bytes(size),
                modified: i64::from_le_bytes(modified),
                changed: i64::from_le_bytes(changed),
                inode: u64::from_le_bytes(inode),
            }),
            _ => Err(E::invalid_length(bytes.len(), &self)),
        }
    }
}
