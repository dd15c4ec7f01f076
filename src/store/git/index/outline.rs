//! Which folders an index has files in, so that only the entries of some of them need be kept.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::ops::Range;

use super::file::{Entries, Stream, Trouble};

/// The name of the file that keeps a folder out of which everything was taken.
const KEPT: &[u8] = b".keep";

/// Entries that follow each other in an index and are in the same folder.
#[derive(Debug)]
struct Group {
    folder: Vec<u8>,
    /// Where they are in the file.
    part: Range<u64>,
    count: u32,
    /// Whether the first of them only keeps the folder.
    begins_kept: bool,
}

/// The entries of an index below a prefix, by folder.
#[derive(Debug)]
pub(in crate::store::git) struct Outline {
    groups: Vec<Group>,
    id_len: usize,
}

impl Outline {
    /// Look through an index.
    pub(in crate::store::git) fn of(index: &File, id_len: usize, prefix: &[u8]) -> Result<Outline, Trouble> {
        let mut stream = Stream::open(index, id_len)?;
        let mut groups: Vec<Group> = Vec::new();
        while let Some(entry) = stream.next()? {
            if !entry.path.starts_with(prefix) {
                continue;
            }
            let folder = &entry.path[..name_at(entry.path)];
            match groups.last_mut() {
                Some(group) if group.folder == folder && group.part.end == entry.start => {
                    group.part.end = entry.end();
                    group.count += 1;
                }
                _ => groups.push(Group {
                    folder: folder.to_vec(),
                    part: entry.start..entry.end(),
                    count: 1,
                    begins_kept: &entry.path[name_at(entry.path)..] == KEPT,
                }),
            }
        }
        Ok(Outline { groups, id_len })
    }

    /// How many entries there are.
    pub(in crate::store::git) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.count as usize).sum()
    }

    /// The folders that have files and no folders in them, each with a `/` at its end.
    pub(in crate::store::git) fn leaves(&self) -> impl Iterator<Item = &[u8]> {
        let above: HashSet<&[u8]> = self.groups.iter().flat_map(|group| above(&group.folder)).collect();
        let folders: HashSet<&[u8]> = self.groups.iter().map(|group| group.folder.as_slice()).collect();
        folders.into_iter().filter(move |folder| !folder.is_empty() && !above.contains(folder))
    }

    /// The folders that hold at least so many files themselves, each with a `/` at its end.
    pub(in crate::store::git) fn from(&self, files: usize) -> HashSet<&[u8]> {
        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for group in &self.groups {
            *counts.entry(&group.folder).or_default() += group.count as usize;
        }
        counts.retain(|_, count| *count >= files);
        counts.into_keys().collect()
    }

    /// The folders below another one, all but the last by name, if they hold at least so many files together.
    pub(in crate::store::git) fn all_but_last(&self, above: &[u8], files: usize) -> HashSet<&[u8]> {
        let below = || self.groups.iter().filter(|group| group.folder.starts_with(above));
        let last = below().map(|group| group.folder.as_slice()).max();
        let is_many = below().map(|group| group.count as usize).sum::<usize>() >= files;
        let all = below().filter(|_| is_many).map(|group| group.folder.as_slice());
        all.filter(|folder| Some(*folder) != last).collect()
    }

    /// The folders that hold nothing but the file that keeps them, each with a `/` at its end.
    pub(in crate::store::git) fn emptied(&self) -> HashSet<&[u8]> {
        let mut full: HashSet<&[u8]> = HashSet::new();
        let mut kept: HashSet<&[u8]> = HashSet::new();
        for group in &self.groups {
            let is_kept_only = group.begins_kept && group.count == 1;
            if is_kept_only {
                kept.insert(&group.folder)
            } else {
                full.insert(&group.folder)
            };
        }
        kept.retain(|folder| !full.contains(folder));
        kept
    }

    /// The entries of all folders but some.
    pub(in crate::store::git) fn entries_outside(
        &self,
        index: &File,
        is_left_out: impl Fn(&[u8]) -> bool,
    ) -> Result<Entries, Trouble> {
        let kept = self.groups.iter().filter(|group| !is_left_out(&group.folder));
        Entries::of(index, self.id_len, kept.map(|group| (group.part.clone(), group.count)))
    }
}

/// Where a path's last part begins.
fn name_at(path: &[u8]) -> usize {
    path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

/// The folders that a folder is in, each with a `/` at its end.
fn above(folder: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inner = folder.len().saturating_sub(1);
    (0..inner).filter(|at| folder[*at] == b'/').map(|at| &folder[..=at])
}
