//! The bytes of an index: finding its entries, replacing some of them and leaving all others as they are.
//!
//! Only what differs is rewritten, so ten thousand entries cost one copy of memory instead of decoding each. What
//! this code does not know (version 4, split and sparse indexes, extensions) it names as [`Exotic`], and git does
//! the work then.

use std::collections::{BTreeMap, HashSet};

use gix::ObjectId;

/// An index that only git may rewrite, with what is special about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exotic(pub(super) String);

/// What git remembers about a file, so that it need not read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    pub(super) ctime: (u32, u32),
    pub(super) mtime: (u32, u32),
    pub(super) dev: u32,
    pub(super) ino: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u32,
}

/// A new entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub(super) mode: u32,
    pub(super) id: ObjectId,
    pub(super) stamp: Stamp,
}

/// One entry of an index that was read. There may be very many, so what few are asked for is taken apart only then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) path: &'a [u8],
    /// All of the entry's bytes, and where they begin in the file.
    record: &'a [u8],
    start: u32,
    id_len: u8,
    /// A plain entry of stage 0 that git compares with the file.
    pub(super) plain: bool,
}

impl<'a> Entry<'a> {
    /// The object id.
    pub(super) fn id(&self) -> &'a [u8] {
        &self.record[40..40 + usize::from(self.id_len)]
    }

    /// What git remembers about the file.
    pub(super) fn stamp(&self) -> Stamp {
        let field = |number: usize| be32(self.record, number * 4).unwrap_or_default();
        Stamp {
            ctime: (field(0), field(1)),
            mtime: (field(2), field(3)),
            dev: field(4),
            ino: field(5),
            uid: field(7),
            gid: field(8),
            size: field(9),
        }
    }

    /// The seconds of the time of the last change of the file.
    pub(super) fn modified(&self) -> u32 {
        be32(self.record, 8).unwrap_or_default()
    }

    fn start(&self) -> usize {
        self.start as usize
    }

    fn end(&self) -> usize {
        self.start() + self.record.len()
    }
}

/// An index, taken apart.
#[derive(Debug)]
pub(super) struct IndexFile<'a> {
    data: &'a [u8],
    pub(super) entries: Vec<Entry<'a>>,
    version: u32,
    tree: Option<&'a [u8]>,
    /// Whether the file ends with a checksum; git leaves it out with `index.skipHash`.
    checked: bool,
    hash_len: usize,
}

/// What may happen to extensions that only make git faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extras {
    /// The person's index keeps them, so that git has to do the work.
    Keep,
    /// In the queue's own index they are dropped; git makes them again when it wants them.
    Drop,
}

const HEADER: usize = 12;
const STAGE: u16 = 0x3000;
const VALID: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const SKIP: u16 = 0x4000;
const INTENT: u16 = 0x2000;

impl<'a> IndexFile<'a> {
    /// An index without entries.
    pub(super) fn empty(hash_len: usize) -> IndexFile<'static> {
        IndexFile { data: &[], entries: Vec::new(), version: 2, tree: None, checked: true, hash_len }
    }

    /// Take an index apart; `None` if it is damaged.
    pub(super) fn parse(
        data: &'a [u8],
        hash_len: usize,
        extras: Extras,
    ) -> Option<Result<IndexFile<'a>, Exotic>> {
        if data.len() < HEADER + hash_len || &data[..4] != b"DIRC" {
            return None;
        }
        let version = be32(data, 4)?;
        match version {
            2 | 3 => {}
            4 => return Some(Err(Exotic("version 4".to_owned()))),
            _ => return None,
        }
        let count = be32(data, 8)? as usize;
        let body = data.len() - hash_len;
        let mut entries = Vec::with_capacity(count.min(body / 64));
        let mut at = HEADER;
        for _ in 0..count {
            let entry = entry(&data[..body], at, hash_len)?;
            at = entry.end();
            entries.push(entry);
        }
        let mut tree = None;
        while at < body {
            let name = data.get(at..at + 4)?;
            let end = at.checked_add(8)?.checked_add(be32(data, at + 4)? as usize)?;
            let content = data[..body].get(at + 8..end)?;
            match name {
                b"TREE" => tree = Some(content),
                // Where the parts of this very file are: no longer true after it is rewritten, and optional.
                b"EOIE" | b"IEOT" => {}
                _ if extras == Extras::Drop && name[0].is_ascii_uppercase() => {}
                _ => return Some(Err(Exotic(format!("the extension {}", String::from_utf8_lossy(name))))),
            }
            at = end;
        }
        let checked = data[body..].iter().any(|byte| *byte != 0);
        Some(Ok(IndexFile { data, entries, version, tree, checked, hash_len }))
    }

    /// Whether the file carries a checksum.
    pub(super) fn is_checked(&self) -> bool {
        self.checked
    }

    /// The entries whose paths begin with these bytes.
    pub(super) fn below(&self, prefix: &[u8]) -> &[Entry<'a>] {
        if prefix.is_empty() {
            return &self.entries;
        }
        let first = self.entries.partition_point(|entry| entry.path < prefix);
        let length = self.entries[first..].partition_point(|entry| entry.path.starts_with(prefix));
        &self.entries[first..first + length]
    }

    /// The entry of a path, if there is a plain one.
    pub(super) fn find(&self, path: &[u8]) -> Option<&Entry<'a>> {
        let at = self.entries.partition_point(|entry| entry.path < path);
        self.entries.get(at).filter(|entry| entry.path == path && entry.plain)
    }

    /// The bytes of the index with `edits` made, without the checksum at its end; entries whose position is in
    /// `doubtful` are marked so that git reads their files again.
    pub(super) fn edited(&self, edits: &BTreeMap<Vec<u8>, Option<Fresh>>, doubtful: &[usize]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + edits.len() * 160 + 64);
        out.extend_from_slice(b"DIRC");
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        let mut count = 0;
        let mut pending = edits.iter().peekable();
        let obstacles = self.obstacles(edits);
        let mut doubtful = doubtful.iter().peekable();
        // Entries that stay are copied in runs.
        let mut run: Option<(usize, usize)> = None;
        for (position, entry) in self.entries.iter().enumerate() {
            while let Some((path, fresh)) = pending.next_if(|(path, _)| path.as_slice() < entry.path) {
                flush(&mut out, self.data, &mut run);
                count += push(&mut out, path, *fresh);
            }
            let doubted = doubtful.next_if(|doubt| **doubt == position).is_some();
            let replaced = pending.peek().is_some_and(|(path, _)| path.as_slice() == entry.path);
            if replaced || obstacles.contains(&position) {
                flush(&mut out, self.data, &mut run);
                continue;
            }
            count += 1;
            match &mut run {
                Some((_, end)) if *end == entry.start() => *end = entry.end(),
                _ => {
                    flush(&mut out, self.data, &mut run);
                    run = Some((entry.start(), entry.end()));
                }
            }
            if doubted {
                flush(&mut out, self.data, &mut run);
                let size = out.len() - entry.record.len() + 36;
                out[size..size + 4].fill(0);
            }
        }
        flush(&mut out, self.data, &mut run);
        for (path, fresh) in pending {
            count += push(&mut out, path, *fresh);
        }
        out[8..12].copy_from_slice(&(count as u32).to_be_bytes());
        if let Some(tree) = self.tree.and_then(|tree| invalidated(tree, self.hash_len, edits)) {
            out.extend_from_slice(b"TREE");
            out.extend_from_slice(&(tree.len() as u32).to_be_bytes());
            out.extend_from_slice(&tree);
        }
        out
    }

    /// Positions of entries that cannot stay beside the new ones: a file where a folder has to be, and the other
    /// way round.
    fn obstacles(&self, edits: &BTreeMap<Vec<u8>, Option<Fresh>>) -> HashSet<usize> {
        let mut found = HashSet::new();
        for path in edits.iter().filter(|(_, fresh)| fresh.is_some()).map(|(path, _)| path.as_slice()) {
            for slash in (0..path.len()).filter(|at| path[*at] == b'/') {
                self.positions(&path[..slash], |entry, file| entry == file, &mut found);
            }
            let folder = [path, b"/"].concat();
            self.positions(&folder, |entry, folder| entry.starts_with(folder), &mut found);
        }
        found
    }

    fn positions(&self, from: &[u8], belongs: impl Fn(&[u8], &[u8]) -> bool, into: &mut HashSet<usize>) {
        let first = self.entries.partition_point(|entry| entry.path < from);
        let run = self.entries[first..].iter().take_while(|entry| belongs(entry.path, from)).count();
        into.extend(first..first + run);
    }
}

fn flush(out: &mut Vec<u8>, data: &[u8], run: &mut Option<(usize, usize)>) {
    if let Some((start, end)) = run.take() {
        out.extend_from_slice(&data[start..end]);
    }
}

fn push(out: &mut Vec<u8>, path: &[u8], fresh: Option<Fresh>) -> usize {
    let Some(fresh) = fresh else { return 0 };
    let start = out.len();
    let stamp = fresh.stamp;
    let fields = [
        stamp.ctime.0,
        stamp.ctime.1,
        stamp.mtime.0,
        stamp.mtime.1,
        stamp.dev,
        stamp.ino,
        fresh.mode,
        stamp.uid,
        stamp.gid,
        stamp.size,
    ];
    for field in fields {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(fresh.id.as_slice());
    out.extend_from_slice(&(path.len().min(0xfff) as u16).to_be_bytes());
    out.extend_from_slice(path);
    let padding = 8 - (out.len() - start) % 8;
    out.resize(out.len() + padding, 0);
    1
}

fn entry(data: &[u8], start: usize, hash_len: usize) -> Option<Entry<'_>> {
    let field = |number: usize| be32(data, start + number * 4);
    let flags_at = start + 40 + hash_len;
    let flags = be16(data, flags_at)?;
    let mut path_at = flags_at + 2;
    let mut more = 0;
    if flags & EXTENDED != 0 {
        more = be16(data, path_at)?;
        path_at += 2;
    }
    let length = match flags & 0xfff {
        0xfff => data.get(path_at..)?.iter().position(|byte| *byte == 0)?,
        length => usize::from(length),
    };
    let path = data.get(path_at..path_at + length)?;
    let used = path_at + length - start;
    let end = start + used + 8 - used % 8;
    if end > data.len() {
        return None;
    }
    let mode = field(6)?;
    Some(Entry {
        path,
        record: &data[start..end],
        start: u32::try_from(start).ok()?,
        id_len: u8::try_from(hash_len).ok()?,
        plain: flags & (STAGE | VALID) == 0 && more & (SKIP | INTENT) == 0 && mode & 0o170_000 == 0o100_000,
    })
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

/// The cached trees with those on the way to an edit marked as no longer valid; without that git would write its
/// next commit without our files. `None` drops the whole cache, which is always right.
fn invalidated(data: &[u8], hash_len: usize, edits: &BTreeMap<Vec<u8>, Option<Fresh>>) -> Option<Vec<u8>> {
    let mut folders = HashSet::from([Vec::new()]);
    for path in edits.keys() {
        // The path itself too: a folder of that name may be giving way to the file.
        folders.insert(path.clone());
        folders.extend((0..path.len()).filter(|at| path[*at] == b'/').map(|at| path[..at].to_vec()));
    }
    let mut out = Vec::with_capacity(data.len());
    let rest = invalidate_one(data, &mut Vec::new(), hash_len, &folders, &mut out)?;
    rest.is_empty().then_some(out)
}

fn invalidate_one<'a>(
    data: &'a [u8],
    folder: &mut Vec<u8>,
    hash_len: usize,
    folders: &HashSet<Vec<u8>>,
    out: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    let name_end = data.iter().position(|byte| *byte == 0)?;
    let line_end = name_end + 1 + data[name_end + 1..].iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&data[name_end + 1..line_end]).ok()?;
    let (count, below) = line.split_once(' ')?;
    let (count, below): (i64, usize) = (count.parse().ok()?, below.parse().ok()?);
    let depth = folder.len();
    if depth > 0 {
        folder.push(b'/');
    }
    folder.extend_from_slice(&data[..name_end]);
    let mut rest = &data[line_end + 1..];
    let id = if count >= 0 { rest.split_off(..hash_len)? } else { &[] };
    out.extend_from_slice(&data[..=name_end]);
    if count < 0 || folders.contains(folder.as_slice()) {
        out.extend_from_slice(format!("-1 {below}\n").as_bytes());
    } else {
        out.extend_from_slice(format!("{count} {below}\n").as_bytes());
        out.extend_from_slice(id);
    }
    for _ in 0..below {
        rest = invalidate_one(rest, folder, hash_len, folders, out)?;
    }
    folder.truncate(depth);
    Some(rest)
}
