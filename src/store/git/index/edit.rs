//! A new index out of an old one: some entries replaced, all others as they are.
//!
//! What the new file consists of is worked out first, in one look at the old one; then its bytes are copied. So
//! ten thousand entries cost no memory, and nothing is written before it is certain that git need not do the work.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use gix::ObjectId;

use super::file::{Entry, HEADER, Mark, SIZE, SLICE, Stamp, Stream, Tail, Trouble};
use crate::domain::fault::Result;

/// A new entry.
#[derive(Debug, Clone, Copy)]
pub(in crate::store::git) struct Fresh {
    pub(in crate::store::git) mode: u32,
    pub(in crate::store::git) id: ObjectId,
    pub(in crate::store::git) stamp: Stamp,
}

/// What is to be at these paths: a new entry, or none.
pub(in crate::store::git) type Edits = BTreeMap<Vec<u8>, Option<Fresh>>;

/// What may happen to extensions that only make git faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) enum Extras {
    /// The person's index keeps them, so that git has to do the work.
    Keep,
    /// In the queue's own index they are dropped; git makes them again when it wants them.
    Drop,
}

/// What the new file is put together from, in order.
#[derive(Debug)]
enum Piece {
    /// A part of the old file.
    Kept(Range<u64>),
    Made(Vec<u8>),
}

/// The plan of a new index, without the checksum at its end.
#[derive(Debug)]
pub(in crate::store::git) struct Rewrite {
    pieces: Vec<Piece>,
    /// Whether the old file carried a checksum; a new one does.
    pub(in crate::store::git) checked: bool,
    /// What was at the paths of the edits, and is not any more.
    pub(in crate::store::git) replaced: BTreeMap<Vec<u8>, Mark>,
}

impl Rewrite {
    /// An index of nothing but these entries.
    pub(in crate::store::git) fn anew(edits: &Edits) -> Rewrite {
        let mut plan = Plan::default();
        plan.pass(edits.iter());
        plan.finish(2, true)
    }

    /// An old index with these edits. Entries that `is_doubtful` says yes to are marked so that git reads their
    /// files again.
    pub(in crate::store::git) fn of(
        old: &File,
        id_len: usize,
        extras: Extras,
        edits: &Edits,
        mut is_doubtful: impl FnMut(&Entry<'_>) -> bool,
    ) -> Result<Rewrite, Trouble> {
        let mut stream = Stream::open(old, id_len)?;
        let version = stream.version;
        let mut plan = Plan::default();
        let mut pending = edits.iter().peekable();
        let mut obstacles = Obstacles::of(edits);
        let mut before = BTreeMap::new();
        while let Some(entry) = stream.next()? {
            while let Some(edit) = pending.next_if(|(path, _)| path.as_slice() < entry.path) {
                plan.push(edit);
            }
            let replaced = pending.peek().is_some_and(|(path, _)| path.as_slice() == entry.path);
            if replaced && entry.plain {
                before.insert(entry.path.to_vec(), entry.mark());
            }
            if replaced || obstacles.has(entry.path) {
                continue;
            }
            plan.keep(&entry, is_doubtful(&entry));
        }
        plan.pass(pending);
        let tail = stream.tail()?;
        if let Some(tree) = cached_trees(&tail, extras)?.and_then(|tree| invalidated(tree, id_len, edits)) {
            let made = plan.made();
            made.extend_from_slice(b"TREE");
            made.extend_from_slice(&(tree.len() as u32).to_be_bytes());
            made.extend_from_slice(&tree);
        }
        Ok(Rewrite { replaced: before, ..plan.finish(version, tail.checked) })
    }

    /// Hand over all bytes, in slices.
    pub(in crate::store::git) fn write(
        &self,
        old: Option<&File>,
        mut out: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Result<(), std::io::Error>> {
        let mut buffer = Vec::new();
        for piece in &self.pieces {
            match (piece, old) {
                (Piece::Made(bytes), _) => out(bytes)?,
                (Piece::Kept(part), Some(old)) => {
                    let mut at = part.start;
                    while at < part.end {
                        let length = usize::try_from(part.end - at).unwrap_or(SLICE).min(SLICE);
                        buffer.resize(length, 0);
                        if let Err(error) = old.read_exact_at(&mut buffer, at) {
                            return Ok(Err(error));
                        }
                        out(&buffer)?;
                        at += length as u64;
                    }
                }
                (Piece::Kept(_), None) => unreachable!("without an old file there is nothing to keep"),
            }
        }
        Ok(Ok(()))
    }
}

/// A plan in the making.
#[derive(Debug, Default)]
struct Plan {
    pieces: Vec<Piece>,
    count: u32,
}

impl Plan {
    /// The entry stays.
    fn keep(&mut self, entry: &Entry<'_>, is_doubtful: bool) {
        self.count += 1;
        if is_doubtful {
            let made = self.made();
            let start = made.len();
            made.extend_from_slice(entry.record);
            made[start + SIZE..start + SIZE + 4].fill(0);
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Kept(part)) if part.end == entry.start => part.end = entry.end(),
            _ => self.pieces.push(Piece::Kept(entry.start..entry.end())),
        }
    }

    fn pass<'e>(&mut self, edits: impl Iterator<Item = (&'e Vec<u8>, &'e Option<Fresh>)>) {
        edits.for_each(|edit| self.push(edit));
    }

    fn push(&mut self, (path, fresh): (&Vec<u8>, &Option<Fresh>)) {
        let Some(fresh) = fresh else { return };
        self.count += 1;
        fresh.write(path, self.made());
    }

    /// Bytes that are not in the old file, to be added to.
    fn made(&mut self) -> &mut Vec<u8> {
        if !matches!(self.pieces.last(), Some(Piece::Made(_))) {
            self.pieces.push(Piece::Made(Vec::new()));
        }
        match self.pieces.last_mut() {
            Some(Piece::Made(bytes)) => bytes,
            _ => unreachable!("it was just put there"),
        }
    }

    fn finish(mut self, version: u32, checked: bool) -> Rewrite {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(b"DIRC");
        header.extend_from_slice(&version.to_be_bytes());
        header.extend_from_slice(&self.count.to_be_bytes());
        self.pieces.insert(0, Piece::Made(header));
        Rewrite { pieces: self.pieces, checked, replaced: BTreeMap::new() }
    }
}

impl Fresh {
    fn write(&self, path: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let stamp = self.stamp;
        let fields = [
            stamp.ctime.0,
            stamp.ctime.1,
            stamp.mtime.0,
            stamp.mtime.1,
            stamp.dev,
            stamp.ino,
            self.mode,
            stamp.uid,
            stamp.gid,
            stamp.size,
        ];
        for field in fields {
            out.extend_from_slice(&field.to_be_bytes());
        }
        out.extend_from_slice(self.id.as_slice());
        out.extend_from_slice(&(path.len().min(0xfff) as u16).to_be_bytes());
        out.extend_from_slice(path);
        let padding = 8 - (out.len() - start) % 8;
        out.resize(out.len() + padding, 0);
    }
}

/// Entries that cannot stay beside the new ones: a file where a folder has to be, and the other way round. They are
/// asked for in the order of their paths.
struct Obstacles {
    files: Vec<Vec<u8>>,
    folders: Vec<Vec<u8>>,
    file: usize,
    folder: usize,
}

impl Obstacles {
    fn of(edits: &Edits) -> Obstacles {
        let new = || edits.iter().filter(|(_, fresh)| fresh.is_some()).map(|(path, _)| path);
        let mut files: Vec<Vec<u8>> = new().flat_map(|path| above(path).map(<[u8]>::to_vec)).collect();
        files.sort_unstable();
        files.dedup();
        let mut folders: Vec<Vec<u8>> = new().map(|path| [path.as_slice(), b"/"].concat()).collect();
        folders.sort_unstable();
        Obstacles { files, folders, file: 0, folder: 0 }
    }

    fn has(&mut self, path: &[u8]) -> bool {
        while self.files.get(self.file).is_some_and(|file| file.as_slice() < path) {
            self.file += 1;
        }
        while self.folders.get(self.folder + 1).is_some_and(|folder| folder.as_slice() <= path) {
            self.folder += 1;
        }
        self.files.get(self.file).is_some_and(|file| file == path)
            || self.folders.get(self.folder).is_some_and(|folder| path.starts_with(folder))
    }
}

/// The folders that a path is in.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..path.len()).filter(|at| path[*at] == b'/').map(|at| &path[..at])
}

/// The extension with git's cached trees, if all others may be dropped.
fn cached_trees(tail: &Tail, extras: Extras) -> Result<Option<&[u8]>, Trouble> {
    let mut tree = None;
    for (name, content) in tail.extensions()? {
        match name {
            b"TREE" => tree = Some(content),
            // Where the parts of this very file are: no longer true after it is rewritten, and optional.
            b"EOIE" | b"IEOT" => {}
            _ if extras == Extras::Drop && name[0].is_ascii_uppercase() => {}
            _ => return Err(Trouble::Exotic(format!("the extension {}", String::from_utf8_lossy(name)))),
        }
    }
    Ok(tree)
}

/// The cached trees with those on the way to an edit marked as no longer valid; without that git would write its
/// next commit without our files. `None` drops the whole cache, which is always right.
fn invalidated(data: &[u8], id_len: usize, edits: &Edits) -> Option<Vec<u8>> {
    let mut folders = HashSet::from([Vec::new()]);
    for path in edits.keys() {
        // The path itself too: a folder of that name may be giving way to the file.
        folders.insert(path.clone());
        folders.extend(above(path).map(<[u8]>::to_vec));
    }
    let mut out = Vec::with_capacity(data.len());
    let rest = invalidate_one(data, &mut Vec::new(), id_len, &folders, &mut out)?;
    rest.is_empty().then_some(out)
}

fn invalidate_one<'a>(
    data: &'a [u8],
    folder: &mut Vec<u8>,
    id_len: usize,
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
    let id = if count >= 0 { rest.split_off(..id_len)? } else { &[] };
    out.extend_from_slice(&data[..=name_end]);
    if count < 0 || folders.contains(folder.as_slice()) {
        out.extend_from_slice(format!("-1 {below}\n").as_bytes());
    } else {
        out.extend_from_slice(format!("{count} {below}\n").as_bytes());
        out.extend_from_slice(id);
    }
    for _ in 0..below {
        rest = invalidate_one(rest, folder, id_len, folders, out)?;
    }
    folder.truncate(depth);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh(number: u8) -> Fresh {
        let id = ObjectId::from_bytes_or_panic(&[number; 20]);
        Fresh { mode: 0o100_644, id, stamp: Stamp { size: u32::from(number) + 1, ..Stamp::default() } }
    }

    fn bytes(rewrite: &Rewrite, old: Option<&File>) -> Vec<u8> {
        let mut all = Vec::new();
        let wrote = rewrite.write(old, |slice| {
            all.extend_from_slice(slice);
            Ok(())
        });
        wrote.unwrap().unwrap();
        all.extend_from_slice(&[0; 20]);
        all
    }

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, content).unwrap();
        file
    }

    fn paths(file: &File) -> Vec<(String, u8)> {
        let mut stream = Stream::open(file, 20).unwrap();
        let mut all = Vec::new();
        while let Some(entry) = stream.next().unwrap() {
            all.push((String::from_utf8(entry.path.to_vec()).unwrap(), entry.id()[0]));
        }
        all
    }

    proptest! {
        /// Edits of the file are edits of a map of paths, with files and folders in each other's way.
        #[test]
        fn an_edited_index_is_an_edited_map(
            old in proptest::collection::btree_map("[a-c](/[a-c]){0,2}|[a-c]{1,3}-?", 0_u8..99, 0..40),
            edits in proptest::collection::btree_map("[a-c](/[a-c]){0,2}", proptest::option::of(100_u8..), 0..4),
        ) {
            let is_above = |folder: &str, path: &str| path.starts_with(&format!("{folder}/"));
            // No tree can have a file and a folder of one name.
            let new: Vec<&String> = edits.iter().filter(|(_, new)| new.is_some()).map(|(path, _)| path).collect();
            prop_assume!(!new.iter().any(|a| new.iter().any(|b| is_above(a, b))));
            let entries = |map: &BTreeMap<String, u8>| -> Edits {
                map.iter().map(|(path, number)| (path.clone().into_bytes(), Some(fresh(*number)))).collect()
            };
            let first = file(&bytes(&Rewrite::anew(&entries(&old)), None));
            let wanted: Edits =
                edits.iter().map(|(path, new)| (path.clone().into_bytes(), new.map(fresh))).collect();
            let second = Rewrite::of(&first, 20, Extras::Keep, &wanted, |_| false).unwrap();
            let second = file(&bytes(&second, Some(&first)));
            let mut map = old.clone();
            for (path, new) in &edits {
                map.remove(path);
                if new.is_some() {
                    map.retain(|other, _| !is_above(other, path) && !is_above(path, other));
                }
            }
            map.extend(edits.iter().filter_map(|(path, new)| Some((path.clone(), (*new)?))));
            prop_assert_eq!(paths(&second), map.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_doubtful_entry_says_that_its_file_is_empty_and_keeps_the_rest() {
        let edits: Edits = [(b"a".to_vec(), Some(fresh(1))), (b"b".to_vec(), Some(fresh(2)))].into();
        let old = file(&bytes(&Rewrite::anew(&edits), None));
        let new = Rewrite::of(&old, 20, Extras::Keep, &Edits::new(), |entry| entry.path == b"a").unwrap();
        let new = file(&bytes(&new, Some(&old)));
        let mut stream = Stream::open(&new, 20).unwrap();
        assert_eq!(stream.next().unwrap().unwrap().stamp().size, 0);
        assert_eq!(stream.next().unwrap().unwrap().stamp().size, 3);
        assert_eq!(paths(&old), paths(&new));
    }

    #[test]
    fn an_index_larger_than_a_slice_with_a_path_longer_than_one_is_read_whole() {
        let long = "x".repeat(SLICE + 100);
        let edits: Edits = (0..2_000)
            .map(|number| (format!("tasks/{number:05}"), number as u8))
            .chain([(long, 7)])
            .map(|(path, number)| (path.into_bytes(), Some(fresh(number))))
            .collect();
        let old = file(&bytes(&Rewrite::anew(&edits), None));
        let read: Vec<Vec<u8>> = paths(&old).into_iter().map(|(path, _)| path.into_bytes()).collect();
        assert_eq!(read, edits.keys().cloned().collect::<Vec<_>>());
    }

    #[test]
    fn an_index_that_is_cut_anywhere_is_damaged_or_exotic_and_never_half_read() {
        let edits: Edits = (0..20).map(|n| (format!("a/{n}").into_bytes(), Some(fresh(n)))).collect();
        let whole = bytes(&Rewrite::anew(&edits), None);
        for length in 0..whole.len() {
            let cut = file(&whole[..length]);
            let read = Rewrite::of(&cut, 20, Extras::Keep, &Edits::new(), |_| false);
            assert!(read.is_err(), "cut at {length}");
        }
    }
}
