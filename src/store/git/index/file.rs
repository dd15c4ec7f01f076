//! The bytes of an index: its entries, read from the file in slices.
//!
//! There may be very many entries, and memory that is touched for the first time costs more than anything that is
//! done with them. So the file is never held as a whole unless all of it is asked for, and nothing of an entry is
//! taken apart before it is needed. What this code does not know (version 4, extensions) it names as
//! [`Trouble::Exotic`], and git does the work then.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use gix::ObjectId;

use crate::domain::fault::{Code, Fault};
use crate::store::git::disk::OrIo as _;

/// Why an index cannot be read here.
#[derive(Debug)]
pub(in crate::store::git) enum Trouble {
    /// Only git may rewrite it, and what is special about it.
    Exotic(String),
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Io(error)
    }
}

impl Trouble {
    /// The trouble as a fault, for who has no other way to read the index.
    pub(in crate::store::git) fn at(self, path: &Path) -> Fault {
        let what = match self {
            Trouble::Exotic(what) => format!("of a kind that only git reads ({what})"),
            Trouble::Damaged => "damaged".to_owned(),
            Trouble::Io(error) => {
                return Err::<(), _>(error).or_io("read", path).expect_err("it is an error");
            }
        };
        Fault::new(Code::Git, format!("the index {} is {what}", path.display()))
            .hint("`git status` says what git makes of it")
    }
}

/// What git remembers about a file, so that it need not read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store::git) struct Stamp {
    pub(in crate::store::git) ctime: (u32, u32),
    pub(in crate::store::git) mtime: (u32, u32),
    pub(in crate::store::git) dev: u32,
    pub(in crate::store::git) ino: u32,
    pub(in crate::store::git) uid: u32,
    pub(in crate::store::git) gid: u32,
    pub(in crate::store::git) size: u32,
}

/// A blob and the file that it was read from, as a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Mark(pub(in crate::store::git) String);

/// How a mark ends that names no file: the blob came out of a commit.
const NO_FILE: &str = ":0.0:0.0:0";

impl Mark {
    /// Whether it names the file.
    pub(in crate::store::git) fn names_a_file(&self) -> bool {
        !self.0.ends_with(NO_FILE)
    }

    /// Whether it is of this blob.
    pub(in crate::store::git) fn is_of(&self, blob: &ObjectId) -> bool {
        self.0.split(':').next() == Some(blob.to_string().as_str())
    }
}

/// Where the size of the file stands in an entry.
pub(in crate::store::git) const SIZE: usize = 36;

/// One entry of an index.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::git) struct Entry<'a> {
    pub(in crate::store::git) path: &'a [u8],
    /// All of the entry's bytes.
    pub(in crate::store::git) record: &'a [u8],
    /// Where they begin in the file.
    pub(in crate::store::git) start: u64,
    id_len: usize,
    /// A plain entry of stage 0 that git compares with the file.
    pub(in crate::store::git) plain: bool,
    /// Whether git was told to leave it out of the checkout.
    pub(in crate::store::git) left_out: bool,
}

impl<'a> Entry<'a> {
    /// The entry that the data begins with; `None` if not all of it is there.
    fn parse(data: &'a [u8], start: u64, id_len: usize) -> Option<Entry<'a>> {
        let flags = be16(data, 40 + id_len)?;
        let is_extended = flags & EXTENDED != 0;
        let path_at = 42 + id_len + if is_extended { 2 } else { 0 };
        let more = if is_extended { be16(data, 42 + id_len)? } else { 0 };
        let length = match flags & 0xfff {
            0xfff => data.get(path_at..)?.iter().position(|byte| *byte == 0)?,
            length => usize::from(length),
        };
        let used = path_at + length;
        let record = data.get(..used + 8 - used % 8)?;
        let mode = be32(data, 24)?;
        let plain =
            flags & (STAGE | VALID) == 0 && more & (SKIP | INTENT) == 0 && mode & 0o170_000 == 0o100_000;
        let left_out = more & SKIP != 0;
        Some(Entry { path: &record[path_at..used], record, start, id_len, plain, left_out })
    }

    /// The object id.
    pub(in crate::store::git) fn id(&self) -> &'a [u8] {
        &self.record[40..40 + self.id_len]
    }

    /// What git remembers about the file.
    pub(in crate::store::git) fn stamp(&self) -> Stamp {
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

    /// What tells it from every entry of another version of the file: git keeps the times of the one that was there when
    /// it was added, and none of what it takes from a commit.
    pub(in crate::store::git) fn mark(&self) -> Mark {
        let Stamp { ctime, mtime, ino, .. } = self.stamp();
        let id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        Mark(format!("{id}:{}.{}:{}.{}:{ino}", ctime.0, ctime.1, mtime.0, mtime.1))
    }

    /// The seconds of the time of the last change of the file.
    pub(in crate::store::git) fn modified(&self) -> u32 {
        be32(self.record, 8).unwrap_or_default()
    }

    /// Where the next entry begins in the file.
    pub(in crate::store::git) fn end(&self) -> u64 {
        self.start + self.record.len() as u64
    }
}

pub(in crate::store::git) const HEADER: usize = 12;
const STAGE: u16 = 0x3000;
const VALID: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const SKIP: u16 = 0x4000;
const INTENT: u16 = 0x2000;

/// How much of the file is looked at in one go.
pub(in crate::store::git) const SLICE: usize = 64 << 10;

/// The entries of an index, one after the other.
#[derive(Debug)]
pub(in crate::store::git) struct Stream<'f> {
    file: &'f File,
    id_len: usize,
    /// The version that the file says it has: 2 or 3.
    pub(in crate::store::git) version: u32,
    /// How many entries are still to come.
    pub(in crate::store::git) left: u32,
    /// Where the checksum begins.
    body: u64,
    buffer: Vec<u8>,
    /// Where the next entry is in the buffer, and where its content ends.
    begin: usize,
    filled: usize,
    /// Where the buffer's content begins in the file.
    offset: u64,
}

impl<'f> Stream<'f> {
    /// Begin with the first entry.
    pub(in crate::store::git) fn open(file: &'f File, id_len: usize) -> Result<Stream<'f>, Trouble> {
        let length = file.metadata()?.len();
        let body = length.checked_sub(id_len as u64).filter(|body| *body >= HEADER as u64);
        let body = body.ok_or(Trouble::Damaged)?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        let version = be32(&header, 4).ok_or(Trouble::Damaged)?;
        match version {
            _ if &header[..4] != b"DIRC" => return Err(Trouble::Damaged),
            2 | 3 => {}
            4 => return Err(Trouble::Exotic("version 4".to_owned())),
            _ => return Err(Trouble::Damaged),
        }
        let left = be32(&header, 8).ok_or(Trouble::Damaged)?;
        let room = usize::try_from(body).unwrap_or(SLICE).min(SLICE);
        let buffer = vec![0; room];
        Ok(Stream { file, id_len, version, left, body, buffer, begin: 0, filled: 0, offset: HEADER as u64 })
    }

    /// The next entry.
    pub(in crate::store::git) fn next(&mut self) -> Result<Option<Entry<'_>>, Trouble> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut length = None;
        while length.is_none() {
            let entry = Entry::parse(&self.buffer[self.begin..self.filled], 0, self.id_len);
            length = entry.map(|entry| entry.record.len());
            if length.is_none() && !self.more()? {
                return Err(Trouble::Damaged);
            }
        }
        let at = self.begin;
        self.begin += length.unwrap_or_default();
        self.left -= 1;
        Ok(Entry::parse(&self.buffer[at..self.filled], self.offset + at as u64, self.id_len))
    }

    /// Read on; `false` at the end of the file.
    fn more(&mut self) -> Result<bool, Trouble> {
        self.buffer.copy_within(self.begin..self.filled, 0);
        self.offset += self.begin as u64;
        self.filled -= self.begin;
        self.begin = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let from = self.offset + self.filled as u64;
        let room = u64::try_from(self.buffer.len() - self.filled).unwrap_or(u64::MAX);
        let wanted = usize::try_from(self.body.saturating_sub(from).min(room)).unwrap_or(0);
        let read = self.file.read_at(&mut self.buffer[self.filled..self.filled + wanted], from)?;
        self.filled += read;
        Ok(read > 0)
    }

    /// What stands behind the last entry, once all are read.
    pub(in crate::store::git) fn tail(self) -> Result<Tail, Trouble> {
        let from = self.offset + self.begin as u64;
        let extensions = read(self.file, from..self.body)?;
        let sum = read(self.file, self.body..self.body + self.id_len as u64)?;
        Ok(Tail { extensions, checked: sum.iter().any(|byte| *byte != 0) })
    }
}

/// An extension's name and content.
type Extension<'a> = (&'a [u8], &'a [u8]);

/// What stands behind the entries.
#[derive(Debug)]
pub(in crate::store::git) struct Tail {
    extensions: Vec<u8>,
    /// Whether the file ends with a checksum; git leaves it out with `index.skipHash`.
    pub(in crate::store::git) checked: bool,
}

impl Tail {
    /// Each extension's name and content.
    pub(in crate::store::git) fn extensions(&self) -> Result<Vec<Extension<'_>>, Trouble> {
        let (mut all, mut at) = (Vec::new(), 0);
        while at < self.extensions.len() {
            let extension = self.extension(at).ok_or(Trouble::Damaged)?;
            at += 8 + extension.1.len();
            all.push(extension);
        }
        Ok(all)
    }

    fn extension(&self, at: usize) -> Option<Extension<'_>> {
        let end = at.checked_add(8)?.checked_add(be32(&self.extensions, at + 4)? as usize)?;
        Some((self.extensions.get(at..at + 4)?, self.extensions.get(at + 8..end)?))
    }
}

/// Entries that were read and are kept, in the order of their paths.
#[derive(Debug, Default)]
pub(in crate::store::git) struct Entries {
    data: Vec<u8>,
    /// Where each begins in the data.
    starts: Vec<u32>,
    id_len: usize,
}

impl Entries {
    /// All entries of an index.
    pub(in crate::store::git) fn all(file: &File, id_len: usize) -> Result<Entries, Trouble> {
        let left = Stream::open(file, id_len)?.left;
        let whole = HEADER as u64..file.metadata()?.len() - id_len as u64;
        let mut all = Entries { id_len, ..Entries::default() };
        all.add(read(file, whole)?, left)?;
        Ok(all)
    }

    /// The entries in these parts of an index, each with how many it has.
    pub(in crate::store::git) fn of(
        file: &File,
        id_len: usize,
        parts: impl Iterator<Item = (Range<u64>, u32)>,
    ) -> Result<Entries, Trouble> {
        let mut some = Entries { id_len, ..Entries::default() };
        let mut run: (Range<u64>, u32) = (0..0, 0);
        for (part, count) in parts {
            if part.start == run.0.end {
                run = (run.0.start..part.end, run.1 + count);
            } else {
                let done = std::mem::replace(&mut run, (part, count));
                some.add(read(file, done.0)?, done.1)?;
            }
        }
        some.add(read(file, run.0)?, run.1)?;
        Ok(some)
    }

    fn add(&mut self, data: Vec<u8>, count: u32) -> Result<(), Trouble> {
        let mut at = self.data.len();
        if at == 0 {
            self.data = data;
        } else {
            self.data.extend(data);
        }
        for _ in 0..count {
            let entry = Entry::parse(&self.data[at..], 0, self.id_len).ok_or(Trouble::Damaged)?;
            let start = u32::try_from(at).map_err(|_| Trouble::Damaged)?;
            at += entry.record.len();
            self.starts.push(start);
        }
        // Behind the last of all entries there may be extensions.
        self.data.truncate(at);
        Ok(())
    }

    /// How many there are.
    pub(in crate::store::git) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The entry at a position; its `start` is not that in the file.
    pub(in crate::store::git) fn at(&self, position: usize) -> Entry<'_> {
        let start = self.starts[position] as usize;
        Entry::parse(&self.data[start..], start as u64, self.id_len).expect("it was read before")
    }

    /// The positions of the entries whose paths begin with these bytes.
    pub(in crate::store::git) fn below(&self, prefix: &[u8]) -> Range<usize> {
        let first = self.first(prefix);
        let end = first + self.starts[first..].partition_point(|start| self.path(*start).starts_with(prefix));
        first..end
    }

    /// The entry of a path, if there is a plain one.
    pub(in crate::store::git) fn find(&self, path: &[u8]) -> Option<Entry<'_>> {
        let at = self.first(path);
        (at < self.len()).then(|| self.at(at)).filter(|entry| entry.path == path && entry.plain)
    }

    /// Where among these entries, all in one folder, the one of this name is; `folder` is how long the path of the folder
    /// is.
    pub(in crate::store::git) fn position(
        &self,
        among: Range<usize>,
        folder: usize,
        name: &[u8],
    ) -> Option<usize> {
        let own = self.starts.get(among.clone())?;
        let found = own.binary_search_by(|start| self.path(*start)[folder..].cmp(name)).ok()?;
        Some(among.start + found)
    }

    fn first(&self, path: &[u8]) -> usize {
        self.starts.partition_point(|start| self.path(*start) < path)
    }

    fn path(&self, start: u32) -> &[u8] {
        let entry = Entry::parse(&self.data[start as usize..], 0, self.id_len);
        entry.map_or(&[], |entry| entry.path)
    }
}

/// A part of a file.
fn read(file: &File, part: Range<u64>) -> Result<Vec<u8>, Trouble> {
    let length = usize::try_from(part.end.saturating_sub(part.start)).map_err(|_| Trouble::Damaged)?;
    let mut data = vec![0; length];
    file.read_exact_at(&mut data, part.start)?;
    Ok(data)
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}
