//! A task of a list before it is decided whether all of it is wanted: most verbs look at a few words of finished work,
//! of which there is more than of anything else.

use super::row::{Progress, Row, Unreadable, Words};
use crate::domain::id::TaskId;
use crate::domain::project::ProjectId;
use crate::domain::task::Folder;
use crate::store::files::Stamp;
use crate::store::queue::Item;

/// Where a task lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The folder on the disk, relative to `.swift/`.
    pub(crate) path: &'a str,
    pub(crate) name: &'a str,
    pub(crate) folder: Folder,
    pub(crate) stamp: Stamp,
}

/// One task, of which nothing was copied yet.
#[derive(Debug)]
pub(crate) struct Glimpse<'a> {
    place: Place<'a>,
    row: Row<'a>,
    words: &'a mut Words,
}

/// What is taken of each task of a list.
pub(crate) trait Taker: Sync {
    /// What is kept of one.
    type Taken: Send;

    /// What is kept of a task; `None` for nothing.
    ///
    /// # Errors
    /// [`Unreadable`] has its file read again.
    fn take(&self, glimpse: &mut Glimpse<'_>) -> Result<Option<Self::Taken>, Unreadable>;

    /// The same of a task whose file was read.
    fn take_read(&self, item: Item) -> Option<Self::Taken> {
        self.take(&mut Glimpse::of(&item, &mut Words::default())).ok().flatten()
    }
}

/// Takes every task whole.
pub(crate) struct Whole;

impl Taker for Whole {
    type Taken = Item;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> Result<Option<Item>, Unreadable> {
        glimpse.item().map(Some)
    }

    fn take_read(&self, item: Item) -> Option<Item> {
        Some(item)
    }
}

impl<'a> Glimpse<'a> {
    pub(super) fn new(place: Place<'a>, row: Row<'a>, words: &'a mut Words) -> Glimpse<'a> {
        Glimpse { place, row, words }
    }

    fn of(item: &'a Item, words: &'a mut Words) -> Glimpse<'a> {
        let (path, name) = item.path.rsplit_once('/').unwrap_or(("", &item.path));
        let place = Place { path, name, folder: item.folder, stamp: item.stamp };
        Glimpse { place, row: Row::from(&*item.task), words }
    }

    /// The task as it is.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn item(&mut self) -> Result<Item, Unreadable> {
        let Place { path, name, folder, stamp } = self.place;
        let task = Box::new(self.row.task(self.words)?);
        Ok(Item { path: [path, "/", name].concat(), folder, task, stamp })
    }

    pub(crate) fn folder(&self) -> Folder {
        self.place.folder
    }

    /// The id; `None` for a file that no verb has touched yet.
    pub(crate) fn id(&self) -> Option<TaskId> {
        self.row.id.map(TaskId::from_number)
    }

    /// The id of the project that it is from.
    pub(crate) fn from(&self) -> Option<&'a str> {
        self.row.from
    }

    /// The same, shared with the other tasks from there.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn sender(&mut self) -> Result<Option<ProjectId>, Unreadable> {
        self.words.id(self.row.from)
    }

    /// How far it has come.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn progress(&self) -> Result<Progress<'a>, Unreadable> {
        self.row.progress()
    }
}
