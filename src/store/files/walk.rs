//! Walking through the folders of a queue, each opened once, and what lies in them that is no file of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, openat, statat};
use rustix::io::Errno;

use super::{FOLDER_FLAGS, Most, Root, Seen, Stamp, io, is_passed_over, not_a_file};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::store::{entries, layout};

/// The end of the names of tasks.
const TASK: &str = ".md";

/// Where files are records.
const OF_RECORDS: [&str; 3] = [layout::PROJECTS, layout::AUDIT, layout::RUNS];

/// How deep folders are followed below a queue folder.
pub(super) const DEEPEST: usize = 8;

/// Refuse a file that lies where no list looks for it: what cannot be read back must not be taken for a task.
///
/// # Errors
/// [`Code::NotAFile`], with what its folder is.
pub(crate) fn check_reach(path: &str) -> Result<()> {
    let mut folders: Vec<&str> = path.split('/').skip(1).collect();
    folders.pop();
    if folders.len() > DEEPEST {
        return Err(too_deep(path));
    }
    match folders.iter().find(|name| name.ends_with(TASK)) {
        Some(name) => Err(named_as_a_file(name)),
        None => Ok(()),
    }
}

/// Everything that lies below a folder.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Seen>,
    pub(crate) problems: Vec<Problem>,
}

/// What is done with the folders on a walk.
pub(crate) trait Visitor: Sync {
    /// What comes of one folder.
    type Part: Send;

    /// What comes of a folder that was only seen from outside; `None` has it opened.
    fn unopened(&self, path: &str, stamp: Stamp) -> Option<Self::Part>;

    /// What comes of a folder of which the names are known, so that it need not be listed; `None` has it listed.
    fn unlisted(&self, _: &Opened<'_>) -> Option<Self::Part> {
        None
    }

    /// What comes of the files of a folder, in the order of their names, while it is open.
    fn folder(&self, opened: &Opened<'_>, files: Vec<Seen>) -> Self::Part;

    /// Whether a second thread may take half of many folders.
    fn is_worth_sharing(&self) -> bool {
        true
    }
}

/// The files, and nothing else.
struct Files;

impl Visitor for Files {
    type Part = Vec<Seen>;

    fn unopened(&self, _: &str, _: Stamp) -> Option<Vec<Seen>> {
        None
    }

    fn folder(&self, _: &Opened<'_>, files: Vec<Seen>) -> Vec<Seen> {
        files
    }
}

/// What came of the folders that were walked.
pub(crate) struct Walked<T> {
    /// One for each folder.
    pub(crate) folders: Vec<T>,
    pub(crate) problems: Vec<Problem>,
}

/// A folder that is open for reading.
pub(crate) struct Opened<'a> {
    root: &'a Root,
    fd: OwnedFd,
    /// Relative to the root, separated by `/`.
    pub(crate) path: String,
    /// What the folder was like just before it was opened; `None` if that does not tell all of what is in it: something
    /// in it is neither a file nor could be told, or is read from elsewhere.
    pub(crate) stamp: Option<Stamp>,
}

impl Opened<'_> {
    /// The bytes of a file that was seen in this folder; `None` if it is gone.
    ///
    /// # Errors
    /// As [`Root::read`].
    pub(crate) fn read(&self, seen: &Seen, limit: Most) -> Result<Option<Vec<u8>>> {
        match self.root.read_over(&seen.path, limit)? {
            Some(bytes) => Ok(bytes),
            None => self.root.read_in(self.fd.as_fd(), self.name_of(seen), &seen.path, limit),
        }
    }

    /// What a file directly in this folder is like; `None` if there is none of this name.
    pub(crate) fn stamp_of(&self, name: &str) -> Option<Stamp> {
        let stat = statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| Stamp::from(&stat))
    }

    /// The name of a file that was seen in this folder.
    pub(crate) fn name_of<'s>(&self, seen: &'s Seen) -> &'s str {
        &seen.path[self.path.len() + 1..]
    }

    fn path_of(&self, name: &str) -> String {
        let mut path = String::with_capacity(self.path.len() + 1 + name.len());
        path.push_str(&self.path);
        path.push('/');
        path.push_str(name);
        path
    }
}

/// What is directly in one folder.
#[derive(Default)]
struct Here {
    files: Vec<Seen>,
    problems: Vec<Problem>,
    /// Folders, which are left for later, and what they are like.
    below: Vec<(String, Stamp)>,
}

impl Here {
    fn visit(&mut self, folder: &Opened<'_>, name: &str, depth: usize) {
        if is_passed_over(name) {
            return;
        }
        let path = folder.path_of(name);
        if folder.root.over().contains_key(&path) {
            return;
        }
        let stat = match statat(&folder.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return,
            Err(error) => {
                let fault = io("stat", &folder.root.shown(&path), error);
                return self.problems.push(Problem::at(path, fault));
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.files.push(Seen { path, stamp: Stamp::from(&stat) }),
            FileType::Directory if is_named_as_a_file(&path) => {
                self.problems.push(Problem::at(path.clone(), named_as_a_file(&path)));
            }
            FileType::Directory if depth > 0 => self.below.push((name.to_owned(), Stamp::from(&stat))),
            FileType::Directory => self.problems.push(Problem::at(path.clone(), too_deep(&path))),
            _ => self.problems.push(Problem::at(path.clone(), not_a_file(&path))),
        }
    }
}

/// The names in one folder, in one piece of memory.
#[derive(Default)]
struct Names {
    text: String,
    spans: Vec<Range<usize>>,
}

impl Names {
    fn push(&mut self, name: &str) {
        let start = self.text.len();
        self.text.push_str(name);
        self.spans.push(start..self.text.len());
    }

    fn in_order(mut self, mut each: impl FnMut(&str)) {
        let text = self.text;
        self.spans.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        self.spans.into_iter().for_each(|span| each(&text[span]));
    }
}

impl Root {
    /// All regular files below a folder, sorted by path, and whatever else lies there as problems.
    /// A folder that is missing is empty.
    ///
    /// # Errors
    /// [`Code::UnsafeHome`] if the folder is a symbolic link or a file, [`Code::Io`] if it cannot be listed.
    pub(crate) fn walk(&self, folder: &str) -> Result<Walk> {
        let walked = self.walk_folders(folder, &Files)?;
        let mut files: Vec<Seen> = walked.folders.into_iter().flatten().collect();
        // Nearly in order already, so this is one pass.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Walk { files, problems: walked.problems })
    }

    /// Visit a folder and each below it, on two threads if many have to be opened. What comes of those is in the order of
    /// their paths; of each folder those below it that were not opened come before the others.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn walk_folders<V: Visitor>(&self, folder: &str, visitor: &V) -> Result<Walked<V::Part>> {
        let mut walked = match self.folder(folder)? {
            Some(fd) => {
                let top = Opened { root: self, fd, path: folder.to_owned(), stamp: None };
                self.walk_one(top, DEEPEST, visitor)?
            }
            None => Walked { folders: Vec::new(), problems: Vec::new() },
        };
        let mut above: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        for seen in self.seen_over(&format!("{folder}/")) {
            let (parent, _) = seen.path.rsplit_once('/').unwrap_or_default();
            above.entry(parent.to_owned()).or_default().push(seen);
        }
        for (path, seen) in above {
            let fd = self.fd.try_clone().map_err(|e| Fault::of_system(format_args!("open `{path}`"), &e))?;
            walked.folders.push(visitor.folder(&Opened { root: self, fd, path, stamp: None }, seen));
        }
        Ok(walked)
    }

    /// The regular files directly in a folder whose names begin with these letters; nothing else there is looked at.
    ///
    /// # Errors
    /// As [`Root::walk`].
    pub(crate) fn named(&self, folder: &str, prefix: &str) -> Result<Vec<Seen>> {
        let start = format!("{folder}/{prefix}");
        let mut above = self.seen_over(&start);
        above.retain(|seen| !seen.path[folder.len() + 1..].contains('/'));
        let Some(fd) = self.folder(folder)? else { return Ok(above) };
        let mut names = Names::default();
        let read = entries::each(&fd, |raw, _| {
            raw.to_str()
                .ok()
                .filter(|name| name.starts_with(prefix))
                .into_iter()
                .for_each(|name| names.push(name));
        });
        read.map_err(|e| io("list", &self.shown(folder), e))?;
        let mut here = Here::default();
        let opened = Opened { root: self, fd, path: folder.to_owned(), stamp: None };
        names.in_order(|name| here.visit(&opened, name, 0));
        if !above.is_empty() {
            here.files.append(&mut above);
            here.files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Ok(here.files)
    }

    fn walk_one<V: Visitor>(
        &self,
        mut folder: Opened<'_>,
        depth: usize,
        visitor: &V,
    ) -> Result<Walked<V::Part>> {
        if let Some(part) = visitor.unlisted(&folder) {
            return Ok(Walked { folders: vec![part], problems: Vec::new() });
        }
        let (mut here, mut names) = (Here::default(), Names::default());
        let read = entries::each(&folder.fd, |raw, _| match raw.to_str() {
            Ok(name) => names.push(name),
            Err(_) => {
                let shown = folder.path_of(&raw.to_string_lossy());
                here.problems.push(Problem::at(shown, Fault::new(Code::NotAFile, "the name is not UTF-8")));
            }
        });
        read.map_err(|e| io("list", &self.shown(&folder.path), e))?;
        here.files.reserve_exact(names.spans.len());
        names.in_order(|name| here.visit(&folder, name, depth));
        if !here.below.is_empty() || !here.problems.is_empty() {
            folder.stamp = None;
        }
        let mut all = Walked { folders: vec![visitor.folder(&folder, here.files)], problems: here.problems };
        let mut closed = Vec::new();
        for below in here.below {
            match self.unopened(&folder, &below, visitor) {
                Some(part) => all.folders.push(part),
                None => closed.push(below),
            }
        }
        let walk = |below: &(String, Stamp)| self.walk_below(&folder, below, depth, visitor);
        let parts = match visitor.is_worth_sharing() {
            true => entries::shared(&closed, walk),
            false => closed.iter().map(walk).collect(),
        };
        for part in parts {
            all.folders.extend(part.folders);
            all.problems.extend(part.problems);
        }
        Ok(all)
    }

    /// What comes of a folder that is not opened: most are as they were, and not worth a second thread.
    fn unopened<V: Visitor>(
        &self,
        folder: &Opened<'_>,
        (name, stamp): &(String, Stamp),
        visitor: &V,
    ) -> Option<V::Part> {
        let is_all = self.over().is_empty();
        is_all.then(|| visitor.unopened(&folder.path_of(name), *stamp)).flatten()
    }

    /// A folder in a folder, opened; what cannot be read becomes a problem, so that its neighbours are still seen.
    fn walk_below<V: Visitor>(
        &self,
        folder: &Opened<'_>,
        (name, stamp): &(String, Stamp),
        depth: usize,
        visitor: &V,
    ) -> Walked<V::Part> {
        let path = folder.path_of(name);
        let stamp = self.over().is_empty().then_some(*stamp);
        let fd = openat(&folder.fd, name.as_str(), FOLDER_FLAGS, Mode::empty());
        fd.map_err(|e| io("open", &self.shown(&path), e))
            .and_then(|fd| {
                self.walk_one(Opened { root: self, fd, path: path.clone(), stamp }, depth - 1, visitor)
            })
            .unwrap_or_else(|fault| Walked { folders: Vec::new(), problems: vec![Problem::at(path, fault)] })
    }
}

/// A folder that is named as a task, or as the record that would be in its place, is none that anybody meant.
pub(super) fn is_named_as_a_file(folder: &str) -> bool {
    let top = folder.split('/').next().unwrap_or_default();
    folder.ends_with(TASK) || folder.ends_with(".toml") && OF_RECORDS.contains(&top)
}

pub(super) fn named_as_a_file(path: &str) -> Fault {
    Fault::new(
        Code::NotAFile,
        format!("`{path}` is a folder, and named as a file; what is in it is not read"),
    )
    .hint("give the folder another name")
}

pub(super) fn too_deep(path: &str) -> Fault {
    Fault::new(
        Code::NotAFile,
        format!("`{path}` lies more than {DEEPEST} folders deep; what is there is not read"),
    )
    .hint("move the tasks up: `mv` keeps them what they are")
}
