//! One project's queue, opened: its home, its settings, and reading tasks from it.

use std::path::Path;
use std::time::Duration;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectName;
use crate::domain::settings::Settings;
use crate::domain::task::{Folder, Task};
use crate::format::{self, Document, Limits};

use super::files::{Most, Root, Seen, Stamp};
use super::git::{Cause, Home, Reach, Rebuilt};
use super::listing::{self, Glance};
use super::local::{Local, is_frozen};
use super::{archive, layout};

mod departed;
mod reader;
mod reference;
mod unsettled;

pub(crate) use super::cache::{Ended, Glimpse, Heard, Taker, Unreadable};
pub(crate) use reader::Reader;
use unsettled::in_conflict;
pub(crate) use unsettled::{id_in_conflict, marks_in};

/// The largest settings, registry or log file that is read.
pub(crate) const SMALL_FILE: u64 = 4 << 20;

/// The largest segment of the log that is read: one commit records whatever was done by hand, be it to very many files.
pub(crate) const LARGEST_SEGMENT: u64 = 256 << 20;

/// A queue that was found and whose settings were read.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    pub(crate) local: Local,
    root: Root,
}

/// One task and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    pub(crate) folder: Folder,
    /// Apart, because tasks are large and items are moved about in thousands.
    pub(crate) task: Box<Task>,
    pub(crate) stamp: Stamp,
}

impl Item {
    /// The id; `None` for a file that no verb has touched yet.
    pub(crate) fn id(&self) -> Option<TaskId> {
        self.task.id
    }

    /// Whether it lies in an archive, which nothing is written into any more.
    pub(crate) fn is_archived(&self) -> bool {
        archive::place(&self.path).is_some()
    }
}

/// Of which tasks a list says that a merge has left them open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Of those in its folders.
    OfThese,
    OfAll,
}

/// Tasks and what could not be read as one.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Item>,
    pub(crate) problems: Vec<Problem>,
}

impl Queue {
    /// The queue that a folder belongs to.
    ///
    /// # Errors
    /// Those of [`Home::find`]; [`Code::Malformed`] or [`Code::NewerSchema`] for the settings.
    pub(crate) fn open(start: &Path) -> Result<Queue> {
        Queue::of(Home::find(start)?)
    }

    /// The queue in a home that was found already.
    ///
    /// # Errors
    /// [`Code::NotInitialised`] without settings; [`Code::Malformed`], [`Code::NewerSchema`], [`Code::Io`].
    pub(crate) fn of(mut home: Home) -> Result<Queue> {
        if finish_what_was_begun(&home)? {
            home.rebuilt.get_or_insert(Rebuilt::because(Cause::Beneath));
        }
        home.refuse_sparse()?;
        let root = Root::open(&home.root)?;
        root.lay_over(home.laid_over()?);
        let Some(bytes) = root.read(layout::SETTINGS, SMALL_FILE)? else {
            return Err(Fault::new(
                Code::NotInitialised,
                format!("`{}` has no `{}`", home.root.display(), layout::SETTINGS),
            )
            .hint(home.restoring()));
        };
        let settings = Queue::parse_settings(&bytes).map_err(|fault| match fault.code {
            _ if in_conflict(&bytes) => marks_in(&home, layout::SETTINGS),
            Code::Malformed => {
                fault.hint(format!("mend it in `{}`", home.root.join(layout::SETTINGS).display()))
            }
            _ => fault,
        })?;
        let local = Local::of(&home.root);
        Ok(Queue { home, settings, local, root })
    }

    /// What a settings file says.
    ///
    /// # Errors
    /// [`Code::Malformed`], [`Code::NewerSchema`].
    pub(crate) fn parse_settings(bytes: &[u8]) -> Result<Settings> {
        let text = text_of(bytes, layout::SETTINGS)?;
        format::settings::parse(text).map_err(|m| m.at(layout::SETTINGS))
    }

    /// Whether a name is this project's: its id, or one of its aliases.
    pub(crate) fn is_called(&self, name: &ProjectName) -> bool {
        self.settings.id.as_str() == name.as_str() || self.settings.aliases.contains(name)
    }

    /// Read what is there now: a verb has just kept changes apart, or put them in place.
    ///
    /// # Errors
    /// Those of [`Home::laid_over`].
    pub(crate) fn look_again(&self) -> Result<()> {
        self.root.lay_over(self.home.laid_over()?);
        Ok(())
    }

    /// Whether what is read of this path is kept apart until git is done.
    pub(crate) fn is_apart(&self, path: &str) -> bool {
        self.root.is_over(path)
    }

    /// The sizes above which a task is not read.
    pub(crate) fn limits(&self) -> Limits {
        let file_bytes = usize::try_from(self.settings.max_bytes).unwrap_or(usize::MAX);
        Limits { file_bytes, ..Limits::default() }
    }

    /// How much of a task's file is read.
    fn most(&self) -> Most {
        Most::and(self.settings.max_bytes, format::ROOM as u64)
    }

    /// The bytes of a file of the queue; `None` if it is not there.
    ///
    /// # Errors
    /// Those of [`Root::read`].
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let limit = match layout::folder_of(path) {
            Some(_) => self.most(),
            None if path.starts_with(layout::AUDIT) => LARGEST_SEGMENT.into(),
            None => SMALL_FILE.into(),
        };
        self.root.read(path, limit)
    }

    /// The bytes of a file that may be larger than others.
    ///
    /// # Errors
    /// Those of [`Root::read`].
    pub(crate) fn read_up_to(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        self.root.read(path, limit)
    }

    /// A small text file of the queue; `None` if it is not there.
    ///
    /// # Errors
    /// Those of [`Root::read`]; [`Code::Malformed`] if it is not UTF-8.
    pub(crate) fn read_text(&self, path: &str) -> Result<Option<String>> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        text_of(&bytes, path).map(|text| Some(text.to_owned()))
    }

    /// The files below a folder, and what is no file.
    ///
    /// # Errors
    /// Those of [`Root::walk`].
    pub(crate) fn walk(&self, folder: &str) -> Result<super::files::Walk> {
        self.root.walk(folder)
    }

    /// The paths of the files below a folder, and what is no file.
    ///
    /// # Errors
    /// Those of [`Root::paths`].
    pub(crate) fn paths(&self, folder: &str) -> Result<super::files::Paths> {
        self.root.paths(folder)
    }

    /// The same for those of the folders below it that are wanted.
    ///
    /// # Errors
    /// Those of [`Root::paths_within`].
    pub(crate) fn paths_within(
        &self,
        folder: &str,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<super::files::Paths> {
        self.root.paths_within(folder, is_wanted)
    }

    /// Visit a folder and each below it.
    ///
    /// # Errors
    /// Those of [`Root::walk_folders`].
    pub(crate) fn walk_folders<V: super::files::Visitor>(
        &self,
        folder: &str,
        visitor: &V,
    ) -> Result<super::files::Walked<V::Part>> {
        self.root.walk_folders(folder, visitor)
    }

    /// How many files lie in a folder, by their names alone.
    ///
    /// # Errors
    /// Those of [`Root::count`].
    pub(crate) fn count(&self, folder: Folder) -> Result<usize> {
        self.root.count(folder.as_str())
    }

    /// The names of everything directly in `.swift/`, sorted.
    ///
    /// # Errors
    /// [`Code::Io`] if the folder cannot be listed.
    pub(crate) fn names_at_top(&self) -> Result<Vec<String>> {
        self.root.names()
    }

    /// The names of the files in a folder.
    ///
    /// # Errors
    /// [`Code::Io`] if the folder cannot be listed.
    pub(crate) fn names_in(&self, folder: &str) -> Result<Vec<String>> {
        let files = self.root.named(folder, "")?;
        Ok(files.into_iter().filter_map(|seen| Some(seen.path.rsplit_once('/')?.1.to_owned())).collect())
    }

    /// All tasks in these folders, in the order of their paths, and every file that is none, with its reason.
    pub(crate) fn list(&self, folders: &[Folder]) -> Listing {
        self.list_within(folders, Reach::Files)
    }

    /// The same; with [`Reach::Names`], finished and sent tasks are looked at only in months in which one came, went or
    /// was replaced. One that was written in place counts when a verb has recorded that.
    pub(crate) fn list_within(&self, folders: &[Folder], reach: Reach) -> Listing {
        self.gather(folders, reach, Open::OfThese)
    }

    /// The same as [`Queue::list`], and what a merge has left open of tasks in other folders: while it is, that is
    /// everybody's problem.
    pub(crate) fn list_and_open(&self, folders: &[Folder]) -> Listing {
        self.gather(folders, Reach::Files, Open::OfAll)
    }

    fn gather(&self, folders: &[Folder], reach: Reach, open: Open) -> Listing {
        let mut all = Listing::default();
        for &folder in folders {
            match listing::of_folder(self, folder, reach) {
                Ok(some) if all.items.is_empty() => {
                    all.items = some.items;
                    all.problems.extend(some.problems);
                }
                Ok(mut some) => {
                    all.items.append(&mut some.items);
                    all.problems.append(&mut some.problems);
                }
                Err(fault) => all.problems.push(Problem::at(folder.as_str(), fault)),
            }
        }
        if self.home.is_joining() {
            self.leave_out_open(&mut all, folders, open);
            all.problems.iter_mut().for_each(|problem| self.lead_to_the_end(&mut problem.fault));
        }
        all
    }

    /// What a taker takes of the tasks in these folders, folder by folder, and every file that is none, with its reason.
    pub(crate) fn glance<T: Taker>(&self, folders: &[Folder], reach: Reach, taker: &T) -> Glance<T::Taken> {
        if self.home.is_joining() {
            let listing = self.list_within(folders, reach);
            let taken = listing.items.into_iter().filter_map(|item| taker.take_read(item)).collect();
            return Glance { taken, problems: listing.problems };
        }
        let mut all = Glance { taken: Vec::new(), problems: Vec::new() };
        for &folder in folders {
            match listing::glance_at(self, folder, reach, taker) {
                Ok(some) => {
                    all.taken.extend(some.taken);
                    all.problems.extend(some.problems);
                }
                Err(fault) => all.problems.push(Problem::at(folder.as_str(), fault)),
            }
        }
        all
    }

    /// A task's file as a document that can be edited.
    ///
    /// # Errors
    /// [`Code::TaskNotFound`] if it is gone by now; those of reading and parsing.
    pub(crate) fn document(&self, path: &str) -> Result<Document> {
        let Some(bytes) = self.read(path)? else {
            return Err(Fault::new(Code::Changed, format!("`{path}` is gone: somebody moved it just now"))
                .hint("run the command again"));
        };
        Document::parse(&bytes, &self.limits()).map_err(|m| m.at(path))
    }

    /// A task as its file has it now, if that was written in place since the task was remembered.
    ///
    /// # Errors
    /// As [`Queue::item`].
    pub(crate) fn as_it_is(&self, item: Item) -> Result<Item> {
        match self.root.written_since(&item.path, &item.stamp) {
            Some(seen) => self.item(&seen, item.folder),
            None => Ok(item),
        }
    }

    /// Read one file as a task.
    pub(crate) fn item(&self, seen: &Seen, folder: Folder) -> Result<Item> {
        self.reader().item(seen, folder, |limit| self.root.read(&seen.path, limit))
    }

    /// What reading tasks takes, for several threads at once.
    pub(crate) fn reader(&self) -> Reader {
        Reader { limits: self.limits(), bytes: self.most() }
    }
}

/// How long a process that is in the middle of a commit is waited for before its files are read.
const PATIENCE: Duration = Duration::from_secs(2);

/// A killed process may have left files of which only some are moved; nobody is to see that, not even to read it.
/// Nor files that are behind their branch. Where somebody is at work or nothing may be written, the files are read as
/// they are. Tells whether the files have followed their branch.
fn finish_what_was_begun(home: &Home) -> Result<bool> {
    let is_behind = || home.is_beneath().unwrap_or(false) || home.has_left_debts();
    if is_frozen() || !home.is_unfinished() && !is_behind() {
        return Ok(false);
    }
    // Taking the lock finishes or takes back; that it cannot be had is no reason not to read.
    let Ok(guard) = home.lock(PATIENCE) else { return Ok(false) };
    let _ = home.take_over_left_debts(&guard);
    match home.follow(&guard) {
        Err(fault) if fault.code != Code::InProgress => Ok(false),
        followed => followed,
    }
}

fn text_of<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Fault::new(Code::Malformed, format!("`{path}` is not UTF-8")))
}
