//! A pack of whole objects and its index, in memory.
//!
//! Objects written one by one cost a file, a flush and four kilobytes each. As one pack they cost two files.
//! No deltas are searched for; git does that when it repacks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;

use super::deflate::{self, Deflater};
use crate::domain::fault::{Code, Fault, Result};

/// The two files of a pack.
pub(super) struct Pack {
    /// The hash in the file names.
    pub(super) name: ObjectId,
    /// How many objects it holds.
    pub(super) count: usize,
    pub(super) data: Vec<u8>,
    pub(super) index: Vec<u8>,
}

struct Position {
    id: ObjectId,
    crc: u32,
    offset: u64,
}

/// Where a file of a pack is.
pub(super) fn file(objects: &Path, name: ObjectId, ending: &str) -> PathBuf {
    objects.join("pack").join(format!("pack-{name}.{ending}"))
}

/// Up to so many objects, those that are not long are written without compression: preparing to compress costs more
/// than all else in the commit of one task. Such packs are soon joined, and then it is made up for.
const FEW: usize = 32;

/// How long an object without compression may be, in bytes; one block of a zlib stream holds four times as much.
const SHORT: usize = 16 << 10;

/// Build a pack of the objects given.
pub(super) fn write<'a>(
    hash: gix::hash::Kind,
    objects: impl ExactSizeIterator<Item = (ObjectId, Kind, &'a [u8])>,
) -> Result<Pack> {
    let mut builder = Builder::new(hash, objects.len())?;
    let few = objects.len() <= FEW;
    let mut deflater = None;
    for (id, kind, content) in objects {
        let mut entry = entry_header(kind, content.len());
        if few && content.len() <= SHORT {
            deflate::store(content, &mut entry);
        } else {
            entry.extend_from_slice(deflater.get_or_insert_with(Deflater::new).run(content)?);
        }
        builder.push(id, &entry);
    }
    builder.finish()
}

/// One pack with the objects of several, each once. What is compressed is taken over as it is.
pub(super) fn join(hash: gix::hash::Kind, packs: &[Sound<'_>]) -> Result<Pack> {
    let mut entries = BTreeMap::new();
    for pack in packs {
        for entry in pack.entries() {
            entries.entry(entry.id).or_insert(entry);
        }
    }
    let mut builder = Builder::new(hash, entries.len())?;
    let mut deflater = Deflater::new();
    for (id, entry) in entries {
        let (header, stream) = entry.bytes.split_at(header_length(entry.bytes));
        match deflate::stored(stream) {
            Some(content) => {
                let mut entry = header.to_vec();
                entry.extend_from_slice(deflater.run(content)?);
                builder.push(id, &entry);
            }
            None => builder.push(id, entry.bytes),
        }
    }
    builder.finish()
}

/// A pack as it grows.
struct Builder {
    hash: gix::hash::Kind,
    data: Vec<u8>,
    positions: Vec<Position>,
}

impl Builder {
    fn new(hash: gix::hash::Kind, count: usize) -> Result<Builder> {
        let count = u32::try_from(count).map_err(|_| too_many())?;
        let mut data = b"PACK\0\0\0\x02".to_vec();
        data.extend_from_slice(&count.to_be_bytes());
        Ok(Builder { hash, data, positions: Vec::with_capacity(count as usize) })
    }

    fn push(&mut self, id: ObjectId, entry: &[u8]) {
        let crc = zlib_rs::crc32::crc32(0, entry);
        self.positions.push(Position { id, crc, offset: self.data.len() as u64 });
        self.data.extend_from_slice(entry);
    }

    fn finish(self) -> Result<Pack> {
        let Builder { hash, mut data, positions } = self;
        let count = positions.len();
        let name = digest(hash, &data)?;
        data.extend_from_slice(name.as_slice());
        let index = index(hash, positions, name)?;
        Ok(Pack { name, count, data, index })
    }
}

/// Where the table of ids begins in an index.
const IDS: usize = 8 + 256 * 4;

/// A pack of whole objects that was read back, with its checksums compared.
pub(super) struct Sound<'a> {
    data: &'a [u8],
    index: &'a [u8],
    width: usize,
    count: usize,
}

/// An object as it lies in a pack.
pub(super) struct Entry<'a> {
    id: ObjectId,
    bytes: &'a [u8],
}

impl<'a> Sound<'a> {
    /// The pack of this name that [`write()`] or [`join`] has made; `None` if the bytes are not what they were.
    pub(super) fn of(name: ObjectId, data: &'a [u8], index: &'a [u8]) -> Option<Sound<'a>> {
        let hash = name.kind();
        let width = hash.len_in_bytes();
        let whole = |bytes: &[u8]| {
            let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(width)?)?;
            (digest(hash, body).ok()?.as_slice() == sum).then(|| sum.to_vec())
        };
        let count = number(data, 8)? as usize;
        let expected = IDS + count * (width + 8) + 2 * width;
        let sound = whole(data)? == name.as_slice() && whole(index).is_some() && index.len() == expected;
        sound.then_some(Sound { data, index, width, count })
    }

    fn entries(&self) -> Vec<Entry<'a>> {
        let offsets = IDS + self.count * (self.width + 4);
        let offset = |at: usize| number(self.index, offsets + at * 4).expect("a table as long as it says");
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_by_key(|at| offset(*at));
        let end = self.data.len() - self.width;
        let ends = order.iter().skip(1).map(|at| offset(*at) as usize).chain([end]);
        let entry = |(at, end): (&usize, usize)| {
            let id = IDS + at * self.width;
            Entry {
                id: ObjectId::from_bytes_or_panic(&self.index[id..id + self.width]),
                bytes: &self.data[offset(*at) as usize..end],
            }
        };
        order.iter().zip(ends).map(entry).collect()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
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

/// Where the compressed content of an entry begins: the size goes on while the highest bit is set.
fn header_length(entry: &[u8]) -> usize {
    entry.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pack_of(texts: &[&str]) -> Pack {
        let hash = gix::hash::Kind::Sha1;
        let id = |text: &str| gix::objs::compute_hash(hash, Kind::Blob, text.as_bytes()).unwrap();
        write(hash, texts.iter().map(|text| (id(text), Kind::Blob, text.as_bytes()))).unwrap()
    }

    #[test]
    fn joined_packs_hold_each_object_once() {
        let (one, two) = (pack_of(&["a", "b"]), pack_of(&["b", &"c".repeat(9000)]));
        let sound = |pack: &Pack| Sound::of(pack.name, &pack.data, &pack.index).is_some();
        assert!(sound(&one) && sound(&two));
        let parts = [&one, &two].map(|pack| Sound::of(pack.name, &pack.data, &pack.index).unwrap());
        let joined = join(gix::hash::Kind::Sha1, &parts).unwrap();
        assert!(sound(&joined));
        assert_eq!(joined.count, 3);
        assert!(joined.data.len() < 200, "{} bytes: compressed now", joined.data.len());
        let again = Sound::of(joined.name, &joined.data, &joined.index).unwrap();
        assert_eq!(join(gix::hash::Kind::Sha1, &[again]).unwrap().name, joined.name);
    }

    #[test]
    fn a_pack_that_is_not_what_it_was_is_told() {
        let pack = pack_of(&["a", "bc"]);
        for at in 0..pack.data.len() {
            let mut data = pack.data.clone();
            data[at] ^= 1;
            assert!(Sound::of(pack.name, &data, &pack.index).is_none(), "byte {at}");
            assert!(Sound::of(pack.name, &pack.data[..at], &pack.index).is_none(), "cut at {at}");
        }
        for at in 0..pack.index.len() {
            assert!(Sound::of(pack.name, &pack.data, &pack.index[..at]).is_none(), "cut at {at}");
        }
    }
}
