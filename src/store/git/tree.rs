//! Trees: reading their entries and writing the trees that a set of changes leads to.
//!
//! Only the folders on the way to a change are read and rewritten, and siblings are not looked up: in a partial
//! clone they need not be there.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::Kind;

use super::objects::Batch;
use super::repo::Repo;
use crate::domain::fault::{Code, Fault, Result};

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) mode: u32,
    pub(super) name: Vec<u8>,
    pub(super) id: ObjectId,
}

pub(super) const FOLDER: u32 = 0o040_000;
pub(super) const FILE: u32 = 0o100_644;
pub(super) const PROGRAM: u32 = 0o100_755;

impl Line {
    pub(super) fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == FOLDER
    }

    pub(super) fn is_file(&self) -> bool {
        self.mode & 0o170_000 == FILE & 0o170_000
    }

    /// git sorts folders as if their name ended with a slash.
    fn key(&self) -> Vec<u8> {
        let mut key = self.name.clone();
        if self.is_folder() {
            key.push(b'/');
        }
        key
    }
}

/// A file as it is to be in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) mode: u32,
    pub(super) id: ObjectId,
}

/// The lines of a tree object.
pub(super) fn parse(mut data: &[u8], hash_len: usize) -> Option<Vec<Line>> {
    let mut lines = Vec::with_capacity(data.len() / 40);
    while !data.is_empty() {
        let space = data.iter().position(|b| *b == b' ')?;
        let mode = u32::from_str_radix(std::str::from_utf8(&data[..space]).ok()?, 8).ok()?;
        let rest = &data[space + 1..];
        let end = rest.iter().position(|b| *b == 0)?;
        let id = rest.get(end + 1..end + 1 + hash_len)?;
        lines.push(Line { mode, name: rest[..end].to_vec(), id: ObjectId::from_bytes_or_panic(id) });
        data = &rest[end + 1 + hash_len..];
    }
    Some(lines)
}

fn render(lines: &[Line]) -> Vec<u8> {
    let mut data = Vec::with_capacity(lines.len() * 48);
    for line in lines {
        data.extend_from_slice(format!("{:o} ", line.mode).as_bytes());
        data.extend_from_slice(&line.name);
        data.push(0);
        data.extend_from_slice(line.id.as_slice());
    }
    data
}

/// Write the trees below `base` with `changes` made; `None` if nothing is left.
pub(super) fn edit(
    repo: &Repo,
    base: Option<ObjectId>,
    changes: &BTreeMap<String, Option<Leaf>>,
    batch: &mut Batch,
) -> Result<Option<ObjectId>> {
    let steps: Vec<Step<'_>> = changes.iter().map(|(path, leaf)| Step { rest: path, leaf: *leaf }).collect();
    edit_folder(repo, base, &steps, batch)
}

#[derive(Clone, Copy)]
struct Step<'a> {
    rest: &'a str,
    leaf: Option<Leaf>,
}

fn edit_folder(
    repo: &Repo,
    base: Option<ObjectId>,
    steps: &[Step<'_>],
    batch: &mut Batch,
) -> Result<Option<ObjectId>> {
    let before = base.map(|id| repo.tree(id)).transpose()?.unwrap_or_default();
    let mut lines: Vec<Line> = before.to_vec();
    let mut below: BTreeMap<&str, Vec<Step<'_>>> = BTreeMap::new();
    // Removals first: a file may make room for a folder of the same name.
    let (gone, there): (Vec<&Step<'_>>, Vec<&Step<'_>>) = steps.iter().partition(|step| step.leaf.is_none());
    for step in gone.into_iter().chain(there) {
        match step.rest.split_once('/') {
            Some((folder, rest)) => below.entry(folder).or_default().push(Step { rest, leaf: step.leaf }),
            None => match step.leaf {
                Some(leaf) => put(&mut lines, step.rest.as_bytes(), leaf),
                None => lines.retain(|line| line.name != step.rest.as_bytes() || line.is_folder()),
            },
        }
    }
    for (folder, steps) in below {
        let at = lines.iter().position(|line| line.name == folder.as_bytes());
        let old = at.map(|at| &lines[at]).filter(|line| line.is_folder()).map(|line| line.id);
        if old.is_none() && steps.iter().all(|step| step.leaf.is_none()) {
            continue;
        }
        match edit_folder(repo, old, &steps, batch)? {
            Some(id) => put(&mut lines, folder.as_bytes(), Leaf { mode: FOLDER, id }),
            None => lines.retain(|line| line.name != folder.as_bytes()),
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    if let Some(base) = base
        && lines == *before
    {
        return Ok(Some(base));
    }
    lines.sort_by_cached_key(Line::key);
    batch.add(Kind::Tree, render(&lines)).map(Some)
}

fn put(lines: &mut Vec<Line>, name: &[u8], leaf: Leaf) {
    match lines.iter_mut().find(|line| line.name == name) {
        Some(line) => (line.mode, line.id) = (leaf.mode, leaf.id),
        None => lines.push(Line { mode: leaf.mode, name: name.to_vec(), id: leaf.id }),
    }
}

/// The entry at a path below a tree.
pub(super) fn lookup(repo: &Repo, root: ObjectId, path: &str) -> Result<Option<Line>> {
    let mut tree = root;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let lines = repo.tree(tree)?;
        let Some(line) = lines.iter().find(|line| line.name == part.as_bytes()) else { return Ok(None) };
        if parts.peek().is_none() {
            return Ok(Some(line.clone()));
        }
        if !line.is_folder() {
            return Ok(None);
        }
        tree = line.id;
    }
    Ok(None)
}

/// All files below a tree, with `prefix` in front of their paths.
pub(super) fn flatten(
    repo: &Repo,
    root: ObjectId,
    prefix: &str,
    into: &mut BTreeMap<String, Leaf>,
) -> Result<()> {
    for line in repo.tree(root)?.iter() {
        let path = join(prefix, &line.name)?;
        if line.is_folder() {
            flatten(repo, line.id, &path, into)?;
        } else {
            into.insert(path, Leaf { mode: line.mode, id: line.id });
        }
    }
    Ok(())
}

/// What differs between two trees, called with path, before and after.
pub(super) fn compare(
    repo: &Repo,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    prefix: &str,
    found: &mut dyn FnMut(String, Option<Leaf>, Option<Leaf>),
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    let mut pairs: BTreeMap<Vec<u8>, (Option<Line>, Option<Line>)> = BTreeMap::new();
    for line in before.map(|id| repo.tree(id)).transpose()?.unwrap_or_default().iter() {
        let name = line.name.clone();
        pairs.entry(name).or_default().0 = Some(line.clone());
    }
    for line in after.map(|id| repo.tree(id)).transpose()?.unwrap_or_default().iter() {
        let name = line.name.clone();
        pairs.entry(name).or_default().1 = Some(line.clone());
    }
    for (name, (old, new)) in pairs {
        if old == new {
            continue;
        }
        let path = join(prefix, &name)?;
        let folder = |line: &Option<Line>| line.as_ref().filter(|line| line.is_folder()).map(|line| line.id);
        let leaf = |line: &Option<Line>| {
            line.as_ref().filter(|line| !line.is_folder()).map(|line| Leaf { mode: line.mode, id: line.id })
        };
        if leaf(&old) != leaf(&new) {
            found(path.clone(), leaf(&old), leaf(&new));
        }
        compare(repo, folder(&old), folder(&new), &path, found)?;
    }
    Ok(())
}

fn join(prefix: &str, name: &[u8]) -> Result<String> {
    let name = std::str::from_utf8(name)
        .map_err(|_| Fault::new(Code::Unsupported, format!("a file name in `{prefix}` is not UTF-8")))?;
    Ok(if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") })
}
