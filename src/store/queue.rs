//! One project's queue, opened: its home, its settings, and reading tasks from it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{SHORTEST_REFERENCE, TaskId};
use crate::domain::problem::Problem;
use crate::domain::project::ProjectName;
use crate::domain::settings::Settings;
use crate::domain::task::{Folder, Task};
use crate::domain::text::shown;
use crate::format::{self, Document, Limits};

use super::files::{Most, Root, Seen, Stamp};
use super::git::{Conclusion, Home, Reach};
use super::listing;
use super::local::{Local, is_frozen};
use super::{archive, layout};

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
    pub(crate) fn of(home: Home) -> Result<Queue> {
        finish_what_was_begun(&home);
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
        let settings = Queue::parse_settings(&bytes)
            .map_err(|fault| if in_conflict(&bytes) { settings_in_conflict(&home) } else { fault })?;
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
            self.leave_out_open(&mut all);
            all.problems.iter_mut().for_each(|problem| self.lead_to_the_end(&mut problem.fault));
        }
        all
    }

    /// A task that two sides of a merge have both changed.
    pub(crate) fn unsettled(&self, id: TaskId) -> Fault {
        let short = id.short();
        let message = format!("task {short} was changed on both sides of a merge");
        let mut fault = Fault::new(Code::Unsettled, message)
            .hint(format!("`swift resolve {short}` makes one task of the two"))
            .hint(format!("`swift resolve {short} --dry-run` shows what becomes of it"));
        self.lead_to_the_end(&mut fault);
        fault
    }

    /// What a revert has left open `swift resolve` does not settle: what is taken back is the person's to say.
    fn lead_to_the_end(&self, fault: &mut Fault) {
        let is_open = fault.code == Code::Unsettled;
        if is_open && self.home.conclusion().is_ok_and(|conclusion| conclusion == Conclusion::Revert) {
            fault.hints = vec!["`git -C .swift status` shows how the revert goes on".to_owned()];
        }
    }

    /// A task that two sides of a merge have both changed is nobody's to go by before it is settled.
    fn leave_out_open(&self, all: &mut Listing) {
        let Ok(open) = self.home.unmerged() else { return };
        let open: BTreeSet<String> = open.into_iter().map(|entry| entry.path).collect();
        let (left, items) =
            std::mem::take(&mut all.items).into_iter().partition(|item| open.contains(&item.path));
        all.items = items;
        all.problems.extend(Vec::into_iter(left).map(|item: Item| {
            let message = format!("`{}` was changed on both sides of a merge", item.path);
            let fault =
                Fault::new(Code::Unsettled, message).hint("`swift resolve` makes one task of the two");
            Problem::at(item.path, fault)
        }));
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

    /// The one task that a reference names, among these folders.
    ///
    /// # Errors
    /// [`Code::TaskNotFound`], [`Code::Ambiguous`] with the candidates, [`Code::InvalidValue`].
    pub(crate) fn find(&self, reference: &str, folders: &[Folder]) -> Result<Item> {
        let wanted = Reference::parse(reference)?;
        let mut found = self.quick_find(&wanted, folders)?;
        if found.is_empty() {
            found = self.list(folders).items.into_iter().filter(|item| wanted.names(item)).collect();
        }
        if found.is_empty() && (folders.contains(&Folder::Done) || folders.contains(&Folder::Sent)) {
            // Lists show what is in an archive by its short name, too.
            found = archive::named(self, |id| wanted.is_for(id))?;
            found.retain(|item| folders.contains(&item.folder));
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(self.elsewhere(reference, &wanted, folders)),
            _ => Err(ambiguous(reference, &found)),
        }
    }

    /// Not where the verb looks: nowhere, or in a folder where the verb makes no sense.
    fn elsewhere(&self, reference: &str, wanted: &Reference, folders: &[Folder]) -> Fault {
        let others: Vec<Folder> = Folder::ALL.iter().copied().filter(|f| !folders.contains(f)).collect();
        let fault = not_found(reference, folders);
        if let Some(id) = self.unmerged().into_iter().find(|id| wanted.is_for(*id)) {
            return self.unsettled(id);
        }
        let is_wanted =
            |problem: &Problem| layout::id_in_name(&problem.path).is_some_and(|id| wanted.is_for(id));
        if let Some(problem) = self.list(Folder::ALL).problems.into_iter().find(is_wanted) {
            return self.unreadable(problem);
        }
        let archived = || archive::named(self, |id| wanted.is_for(id)).ok().and_then(|mut found| found.pop());
        match self.list(&others).items.into_iter().find(|item| wanted.names(item)).or_else(archived) {
            Some(item) => {
                let place = item.path.split('/').next().unwrap_or_default().to_owned();
                let shown = crate::domain::text::shown(reference);
                Fault { hints: vec![format!("it is in `{place}`: `swift show {shown}`")], ..fault }
            }
            None => fault,
        }
    }

    /// A task that is there and cannot be read is something else than none.
    fn unreadable(&self, problem: Problem) -> Fault {
        let Problem { path, fault, .. } = problem;
        if let Some(id) = layout::id_in_name(&path).filter(|_| fault.code == Code::Unsettled) {
            return Fault { message: fault.message, ..self.unsettled(id) };
        }
        let is_named = fault.code == Code::Unsettled || fault.message.contains(&path);
        let message = if is_named { fault.message } else { format!("`{path}`: {}", fault.message) };
        Fault { message, ..fault }
    }

    /// The tasks of which git has left a path open, if an operation waits.
    fn unmerged(&self) -> Vec<TaskId> {
        let open = if self.home.is_joining() { self.home.unmerged().unwrap_or_default() } else { Vec::new() };
        open.iter().filter_map(|entry| layout::id_in_name(&entry.path)).collect()
    }

    /// Where the id tells the place, look there before everywhere. Only for full ids.
    fn quick_find(&self, wanted: &Reference, folders: &[Folder]) -> Result<Vec<Item>> {
        let Reference::Full(id) = wanted else { return Ok(Vec::new()) };
        for &folder in folders {
            if let Some(item) = self.at_usual_place(*id, folder)? {
                return Ok(vec![item]);
            }
        }
        Ok(Vec::new())
    }

    /// The task of this id in the folder where verbs put it; `None` if it is not there.
    ///
    /// # Errors
    /// [`Code::Io`] if the folder cannot be listed.
    pub(crate) fn at_usual_place(&self, id: TaskId, folder: Folder) -> Result<Option<Item>> {
        for seen in self.root.named(&layout::usual_folder(folder, id), &id.to_string())? {
            if let Ok(item) = self.item(&seen, folder)
                && item.id() == Some(id)
            {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// The paths of other files that a verb has given to the same task: two sides of a merge have put them there.
    ///
    /// # Errors
    /// [`Code::Io`] if a folder cannot be listed.
    pub(crate) fn others_of(&self, id: TaskId, path: &str) -> Result<Vec<String>> {
        let mut others = Vec::new();
        for folder in layout::QUEUE_FOLDERS {
            let found = self.root.named(&layout::usual_folder(folder, id), &id.to_string())?;
            others.extend(found.into_iter().map(|seen| seen.path).filter(|other| other != path));
        }
        Ok(others)
    }

    /// The task of this id wherever it lies, archives included; `None` if it was never here.
    ///
    /// # Errors
    /// [`Code::Io`] if a folder cannot be listed.
    pub(crate) fn anywhere(&self, id: TaskId) -> Result<Option<Item>> {
        for folder in layout::QUEUE_FOLDERS {
            if let Some(item) = self.at_usual_place(id, folder)? {
                return Ok(Some(item));
            }
        }
        if let Some(item) = archive::find(self, id)? {
            return Ok(Some(item));
        }
        Ok(self.list(&layout::QUEUE_FOLDERS).items.into_iter().find(|item| item.id() == Some(id)))
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

/// Reads single files as tasks.
pub(crate) struct Reader {
    limits: Limits,
    bytes: Most,
}

impl Reader {
    /// Read one file as a task; `read` gives its bytes, unless there are more of them than it is told.
    ///
    /// # Errors
    /// [`Code::NotAFile`], [`Code::Changed`], those of reading and parsing.
    pub(crate) fn item(
        &self,
        seen: &Seen,
        folder: Folder,
        read: impl FnOnce(Most) -> Result<Option<Vec<u8>>>,
    ) -> Result<Item> {
        if !seen.path.ends_with(".md") {
            return Err(Fault::new(
                Code::NotAFile,
                format!("`{}` is no task: its name has to end in `.md`", seen.path),
            )
            .hint(format!("look at it: `cat .swift/{}`", seen.path)));
        }
        let bytes = read(self.bytes)?.ok_or_else(|| Fault::new(Code::Changed, "the file is gone"))?;
        let task = format::parse_summary(&bytes, &self.limits).map_err(|m| m.at(&seen.path))?;
        Ok(Item { path: seen.path.clone(), folder, task: Box::new(task), stamp: seen.stamp })
    }
}

/// How long a process that is in the middle of a commit is waited for before its files are read.
const PATIENCE: Duration = Duration::from_secs(2);

/// A killed process may have left files of which only some are moved; nobody is to see that, not even to read it.
/// Where somebody is at work or nothing may be written, the files are read as they are.
fn finish_what_was_begun(home: &Home) {
    if home.is_unfinished() && !is_frozen() {
        // Taking the lock finishes or takes back; that it cannot be had is no reason not to read.
        drop(home.lock(PATIENCE));
    }
}

fn in_conflict(settings: &[u8]) -> bool {
    std::str::from_utf8(settings).is_ok_and(|text| format::conflict::sides(text).is_some())
}

/// Nobody but a person can say which settings hold, and without them nothing of the queue can be used.
fn settings_in_conflict(home: &Home) -> Fault {
    let root = home.root.display().to_string();
    let (file, quoted) = (format!("{root}/{}", layout::SETTINGS), shell_words::quote(&root).into_owned());
    let ending = match home.is_joining() && home.conclusion().is_ok_and(|end| end == Conclusion::Ours) {
        true => "; `swift resolve` ends the merge then",
        false => "",
    };
    Fault::new(
        Code::Unsettled,
        format!("both sides of a merge have changed `{file}`, and git has left its marks there"),
    )
    .hint(format!("edit it, then `git -C {quoted} add {}`{ending}", layout::SETTINGS))
}

/// How a person names a task.
enum Reference {
    Full(TaskId),
    Prefix(String),
}

impl Reference {
    fn parse(text: &str) -> Result<Reference> {
        if let Ok(id) = text.parse() {
            return Ok(Reference::Full(id));
        }
        let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if plain && (SHORTEST_REFERENCE..=16).contains(&text.len()) {
            return Ok(Reference::Prefix(text.to_owned()));
        }
        Err(Fault::new(Code::TaskNotFound, format!("`{}` cannot name a task", shown(text)))
            .hint("a task is named by its id, or by the first 4 or more characters of the short form that lists show")
            .hint("`swift list` shows the tasks"))
    }

    fn names(&self, item: &Item) -> bool {
        item.id().is_some_and(|id| self.is_for(id))
    }

    fn is_for(&self, own: TaskId) -> bool {
        match self {
            Reference::Full(id) => *id == own,
            Reference::Prefix(prefix) => own.random_part().starts_with(prefix),
        }
    }
}

fn not_found(reference: &str, folders: &[Folder]) -> Fault {
    let places: Vec<&str> = folders.iter().map(|folder| folder.as_str()).collect();
    Fault::new(Code::TaskNotFound, format!("no task `{}` in {}", shown(reference), places.join(", ")))
        .hint("`swift list --state any` shows every task")
}

fn ambiguous(reference: &str, found: &[Item]) -> Fault {
    let fault = Fault::new(Code::Ambiguous, format!("`{}` names {} tasks", shown(reference), found.len()));
    found.iter().take(8).fold(fault, |fault, item| {
        let id = item.id().map(|id| id.random_part()).unwrap_or_default();
        fault.hint(format!("`{id}`  {}  ({})", shown(&item.task.title), item.path))
    })
}

fn text_of<'a>(bytes: &'a [u8], path: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Fault::new(Code::Malformed, format!("`{path}` is not UTF-8")))
}
