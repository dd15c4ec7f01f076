//! Trees: reading their entries and writing the trees that a set of changes leads to.
//!
//! Only the folders on the way to a change are read and rewritten, and siblings are not looked up: in a partial
//! clone they need not be there.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use gix::ObjectId;
use gix::objs::Kind;

use super::Batch;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::repo::Repo;

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Line {
    pub(in crate::store::git) mode: u32,
    pub(in crate::store::git) name: Vec<u8>,
    pub(in crate::store::git) id: ObjectId,
}

pub(super) const FOLDER: u32 = 0o040_000;
pub(in crate::store::git) const FILE: u32 = 0o100_644;
pub(in crate::store::git) const PROGRAM: u32 = 0o100_755;
/// A commit of another repository.
pub(in crate::store::git) const LINK: u32 = 0o160_000;

impl Line {
    pub(in crate::store::git) fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == FOLDER
    }

    pub(in crate::store::git) fn is_file(&self) -> bool {
        self.mode & 0o170_000 == FILE & 0o170_000
    }

    /// As git sorts: by the bytes of the name, that of a folder as if it ended with a slash.
    fn order(&self, name: &[u8], mode: u32) -> Ordering {
        let both = self.name.len().min(name.len());
        let next = |name: &[u8], mode: u32| match name.get(both) {
            None if mode & 0o170_000 == FOLDER => Some(b'/'),
            next => next.copied(),
        };
        let beginning = self.name[..both].cmp(&name[..both]);
        beginning.then_with(|| next(&self.name, self.mode).cmp(&next(name, mode)))
    }
}

/// The line of this name, in lines that are sorted as git sorts them.
pub(super) fn find<'a>(lines: &'a [Line], name: &[u8]) -> Option<&'a Line> {
    let at = |mode| lines.binary_search_by(|line| line.order(name, mode)).ok();
    at(FILE).or_else(|| at(FOLDER)).map(|at| &lines[at])
}

/// A file as it is to be in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) struct Leaf {
    pub(in crate::store::git) mode: u32,
    pub(in crate::store::git) id: ObjectId,
}

/// The lines of a tree object, sorted. git writes them so, other programs not always.
pub(in crate::store::git) fn parse(mut data: &[u8], hash_len: usize) -> Option<Vec<Line>> {
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
    sort(&mut lines);
    Some(lines)
}

fn sort(lines: &mut [Line]) {
    let order = |left: &Line, right: &Line| left.order(&right.name, right.mode);
    if !lines.is_sorted_by(|left, right| order(left, right).is_le()) {
        lines.sort_by(order);
    }
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
pub(in crate::store::git) fn edit(
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
    let mut entries = Entries {
        before: base.map(|id| repo.tree(id)).transpose()?.unwrap_or_default(),
        changed: BTreeMap::new(),
    };
    let mut below: BTreeMap<&str, Vec<Step<'_>>> = BTreeMap::new();
    for step in steps {
        match (step.rest.split_once('/'), step.leaf) {
            (Some((folder, rest)), leaf) => below.entry(folder).or_default().push(Step { rest, leaf }),
            (None, None) if entries.folder(step.rest).is_some() => {}
            (None, leaf) => entries.set(step.rest, leaf),
        }
    }
    // After the files: one that goes may make room for a folder of the same name.
    for (folder, steps) in below {
        let old = entries.folder(folder);
        if old.is_none() && steps.iter().all(|step| step.leaf.is_none()) {
            continue;
        }
        let new = edit_folder(repo, old, &steps, batch)?;
        entries.set(folder, new.map(|id| Leaf { mode: FOLDER, id }));
    }
    let before = Rc::clone(&entries.before);
    let lines = entries.finish();
    match base {
        _ if lines.is_empty() => Ok(None),
        Some(base) if lines == *before => Ok(Some(base)),
        _ => batch.add(Kind::Tree, render(&lines)).map(Some),
    }
}

/// The entries of one folder and what becomes of them. A folder may have many thousands, and as many changes.
struct Entries {
    before: Rc<Vec<Line>>,
    /// By name; `None` for what goes.
    changed: BTreeMap<Vec<u8>, Option<Leaf>>,
}

impl Entries {
    fn folder(&self, name: &str) -> Option<ObjectId> {
        let leaf = match self.changed.get(name.as_bytes()) {
            Some(changed) => *changed,
            None => find(&self.before, name.as_bytes()).map(|line| Leaf { mode: line.mode, id: line.id }),
        };
        leaf.filter(|leaf| leaf.mode & 0o170_000 == FOLDER).map(|leaf| leaf.id)
    }

    fn set(&mut self, name: &str, leaf: Option<Leaf>) {
        self.changed.insert(name.as_bytes().to_vec(), leaf);
    }

    fn finish(self) -> Vec<Line> {
        let stays = |line: &&Line| !self.changed.contains_key(&line.name);
        let mut lines: Vec<Line> = self.before.iter().filter(stays).cloned().collect();
        let new =
            |(name, leaf): (Vec<u8>, Option<Leaf>)| leaf.map(|Leaf { mode, id }| Line { mode, name, id });
        lines.extend(self.changed.into_iter().filter_map(new));
        sort(&mut lines);
        lines
    }
}

/// The entry at a path below a tree.
pub(in crate::store::git) fn lookup(repo: &Repo, root: ObjectId, path: &str) -> Result<Option<Line>> {
    let mut tree = root;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let lines = repo.tree(tree)?;
        let Some(line) = find(&lines, part.as_bytes()) else { return Ok(None) };
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
pub(in crate::store::git) fn flatten(
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
pub(in crate::store::git) fn compare(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(mode: u32, name: &str) -> Line {
        Line { mode, name: name.as_bytes().to_vec(), id: ObjectId::null(gix::hash::Kind::Sha1) }
    }

    #[test]
    fn names_sort_and_are_found_as_git_sorts_them() {
        // The order that `git mktree` gives these: a folder sorts as if a slash ended its name.
        let names = [(FILE, "a"), (FILE, "a-b"), (FILE, "a.md"), (FOLDER, "a0"), (FOLDER, "b"), (FILE, "b0")];
        let sorted: Vec<Line> = names.iter().map(|(mode, name)| line(*mode, name)).collect();
        let folder = [(FILE, "a-b"), (FILE, "a.md"), (FOLDER, "a"), (FILE, "a0")];
        let folder: Vec<Line> = folder.iter().map(|(mode, name)| line(*mode, name)).collect();
        for lines in [sorted, folder] {
            let mut turned: Vec<Line> = lines.iter().rev().cloned().collect();
            assert_eq!(parse(&render(&turned), 20).as_ref(), Some(&lines), "an unsorted tree is read sorted");
            sort(&mut turned);
            assert_eq!(turned, lines);
            for line in &lines {
                assert_eq!(find(&lines, &line.name), Some(line));
            }
            assert_eq!(find(&lines, b"a-"), None);
            assert_eq!(find(&lines, b"zz"), None);
        }
    }
}
