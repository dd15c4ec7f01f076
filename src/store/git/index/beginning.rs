//! The first entries of an index, read no further than a question needs.
//!
//! Entries stand in the order of their paths, so whether an index has anything below `.swift/` shows in its first few
//! kilobytes, however long it is. Version 4 is read, too; what is in the shared part of a split index is not seen.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use gix::ObjectId;

use crate::store::git::disk;

/// How much is read in one go.
const SLICE: usize = 8 << 10;

/// The longest path that is one.
const LONGEST: usize = 64 << 10;

const EXTENDED: u16 = 0x4000;
const SKIP: u16 = 0x4000;

/// A path of an index, and the blob that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Named {
    pub(in crate::store::git) path: Vec<u8>,
    pub(in crate::store::git) id: ObjectId,
}

/// The files below a folder, without those that git has left out of the checkout. `folder` ends in `/`. Of an index that
/// is missing or that makes no sense there are none: git says itself what is wrong with it.
pub(in crate::store::git) fn below(index: &Path, folder: &[u8]) -> Vec<Named> {
    // Which hash it uses, an index does not say, and the configuration takes longer to read than all of this.
    [20, 32].into_iter().find_map(|id_len| read(index, folder, id_len)).unwrap_or_default()
}

/// `None` if the index cannot be read with hashes of this length.
fn read(index: &Path, folder: &[u8], id_len: usize) -> Option<Vec<Named>> {
    let mut from = BufReader::with_capacity(SLICE, disk::open(index).ok()??);
    let header: [u8; 12] = bytes(&mut from, 12)?.try_into().ok()?;
    let version = header[7];
    if &header[..4] != b"DIRC" || header[4..7] != [0; 3] || !(2..=4).contains(&version) {
        return None;
    }
    let count = u32::from_be_bytes(header[8..].try_into().ok()?);
    let (mut found, mut path) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let entry = Entry::read(&mut from, id_len, version, &mut path)?;
        match path.starts_with(folder) {
            true if entry.is_checked_out => {
                found.push(Named { path: path.clone(), id: ObjectId::try_from(entry.id.as_slice()).ok()? });
            }
            true => {}
            false if path.as_slice() > folder => break,
            false => {}
        }
    }
    Some(found)
}

struct Entry {
    id: Vec<u8>,
    is_checked_out: bool,
}

impl Entry {
    /// Read one entry; its path takes the place of the one before.
    fn read(from: &mut impl BufRead, id_len: usize, version: u8, path: &mut Vec<u8>) -> Option<Entry> {
        let fixed = bytes(from, 42 + id_len)?;
        let mode = u32::from_be_bytes(fixed[24..28].try_into().ok()?);
        if !matches!(mode, 0o100_644 | 0o100_755 | 0o120_000 | 0o160_000 | 0o040_000) {
            return None;
        }
        let flags = u16::from_be_bytes(fixed[40 + id_len..].try_into().ok()?);
        let more =
            if flags & EXTENDED == 0 { 0 } else { u16::from_be_bytes(bytes(from, 2)?.try_into().ok()?) };
        let used = 42 + id_len + if flags & EXTENDED == 0 { 0 } else { 2 };
        let kept = if version == 4 { path.len().checked_sub(number(from)?)? } else { 0 };
        path.truncate(kept);
        from.take(LONGEST as u64).read_until(0, path).ok()?;
        let length = path.len().checked_sub(1).filter(|length| *length > 0)?;
        let said = usize::from(flags & 0xfff);
        if path.pop() != Some(0) || said != length.min(0xfff) {
            return None;
        }
        if version != 4 {
            // One NUL is read already.
            bytes(from, 7 - (used + length) % 8)?;
        }
        Some(Entry { id: fixed[40..40 + id_len].to_vec(), is_checked_out: more & SKIP == 0 })
    }
}

/// A number as git writes it in version 4: seven bits a byte, and each but the last counts one more.
fn number(from: &mut impl Read) -> Option<usize> {
    let mut byte = bytes(from, 1)?[0];
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = bytes(from, 1)?[0];
        value = value.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
    }
    Some(value)
}

fn bytes(from: &mut impl Read, count: usize) -> Option<Vec<u8>> {
    let mut read = vec![0; count];
    from.read_exact(&mut read).ok()?;
    Some(read)
}
