//! A pack of whole objects and its index, in memory.
//!
//! Many objects written one by one cost a file, a flush and four kilobytes each. As one pack they cost two files.
//! No deltas are searched for; `git gc` does that when it repacks.

use gix::ObjectId;
use gix::objs::Kind;

use super::deflate::Deflater;
use crate::domain::fault::{Code, Fault, Result};

/// The two files of a pack.
pub(super) struct Pack {
    /// The hash in the file names.
    pub(super) name: ObjectId,
    pub(super) data: Vec<u8>,
    pub(super) index: Vec<u8>,
}

struct Position {
    id: ObjectId,
    crc: u32,
    offset: u64,
}

/// Build a pack of the objects given.
pub(super) fn write<'a>(
    hash: gix::hash::Kind,
    objects: impl ExactSizeIterator<Item = (ObjectId, Kind, &'a [u8])>,
) -> Result<Pack> {
    let count = u32::try_from(objects.len()).map_err(|_| too_many())?;
    let mut data = Vec::new();
    data.extend_from_slice(b"PACK\0\0\0\x02");
    data.extend_from_slice(&count.to_be_bytes());
    let table = crc_table();
    let mut positions = Vec::with_capacity(objects.len());
    let mut deflater = Deflater::new();
    for (id, kind, content) in objects {
        let offset = data.len();
        data.extend_from_slice(&entry_header(kind, content.len()));
        data.extend_from_slice(deflater.run(content)?);
        positions.push(Position { id, crc: crc(&table, &data[offset..]), offset: offset as u64 });
    }
    let name = digest(hash, &data)?;
    data.extend_from_slice(name.as_slice());
    let index = index(hash, positions, name)?;
    Ok(Pack { name, data, index })
}

fn entry_header(kind: Kind, length: usize) -> Vec<u8> {
    let kind: u8 = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut rest = length >> 4;
    let mut header = vec![(kind << 4) | (length & 0x0f) as u8];
    while rest > 0 {
        *header.last_mut().expect("a header has a first byte") |= 0x80;
        header.push((rest & 0x7f) as u8);
        rest >>= 7;
    }
    header
}

fn index(hash: gix::hash::Kind, mut positions: Vec<Position>, name: ObjectId) -> Result<Vec<u8>> {
    positions.sort_by_key(|position| position.id);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=u8::MAX {
        let count = positions.partition_point(|position| position.id.as_slice()[0] <= first);
        index.extend_from_slice(&u32::try_from(count).map_err(|_| too_many())?.to_be_bytes());
    }
    for position in &positions {
        index.extend_from_slice(position.id.as_slice());
    }
    for position in &positions {
        index.extend_from_slice(&position.crc.to_be_bytes());
    }
    for position in &positions {
        // The format has room for larger offsets, but a queue does not write two gigabytes at once.
        let offset =
            u32::try_from(position.offset).ok().filter(|offset| *offset < 1 << 31).ok_or_else(too_many)?;
        index.extend_from_slice(&offset.to_be_bytes());
    }
    index.extend_from_slice(name.as_slice());
    let own = digest(hash, &index)?;
    index.extend_from_slice(own.as_slice());
    Ok(index)
}

fn too_many() -> Fault {
    Fault::new(Code::TooLarge, "more is written at once than one pack can hold")
}

/// The plain hash of some bytes.
pub(super) fn digest(hash: gix::hash::Kind, data: &[u8]) -> Result<ObjectId> {
    let mut hasher = gix::hash::hasher(hash);
    hasher.update(data);
    hasher.try_finalize().map_err(|error| Fault::new(Code::Git, format!("cannot hash: {error}")))
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

fn crc(table: &[u32; 256], data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| (crc >> 8) ^ table[((crc ^ u32::from(*byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc(&crc_table(), b"123456789"), 0xcbf4_3926);
    }
}
