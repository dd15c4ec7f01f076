//! Folders that the operating system tells of.
//!
//! An event is a hint. It says which project to look at and which part of it, and whether a file came whole; what has
//! happened is read from the disk. Names that only we or editors make (`.swift-tmp-…`, `.x.md.swp`, `4913`) are no hints.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify::event::{ModifyKind, RenameMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::dispatcher::Notice;
use crate::domain::scheduler::Reads;
use crate::store::watcher::PAUSED;
use crate::store::watcher::places::{Marked, Place};

/// How long it is remembered that a file came by rename; by then it has been still long enough anyway.
const REMEMBERED: Duration = Duration::from_secs(60);

/// What an event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hint {
    Changed {
        project: String,
        reads: Reads,
        may_be_unfinished: bool,
    },
    /// The folders of a project are others now.
    Moved {
        project: String,
    },
    /// Who is carried for, or where they are.
    Registry,
    Pauses,
}

/// All folders that are watched.
pub(super) struct Files {
    watcher: Option<RecommendedWatcher>,
    /// What lies in each folder, and whose it is.
    marks: HashMap<PathBuf, BTreeSet<(Place, String)>>,
    /// Where each project lies, also while it is not there.
    checkouts: HashMap<String, PathBuf>,
    /// Files that came by rename, and when.
    whole: HashMap<PathBuf, Duration>,
    /// Projects in which something was taken back, and until when renames there may be that.
    taken_back: HashMap<String, Duration>,
}

/// How long after a failure renames may be those that took back what had been begun.
const TAKING_BACK: Duration = Duration::from_secs(1);

impl Files {
    /// Watch nothing yet. Where the system cannot watch at all, every folder is refused later.
    pub(super) fn new(send: Sender<Notice>) -> Files {
        let handler = move |event: notify::Result<Event>| {
            if let Some(notice) = notice(event) {
                // Nobody listens any more: the watcher is ending.
                let _ = send.send(notice);
            }
        };
        let watcher = notify::recommended_watcher(handler).ok();
        Files {
            watcher,
            marks: HashMap::new(),
            checkouts: HashMap::new(),
            whole: HashMap::new(),
            taken_back: HashMap::new(),
        }
    }

    /// Watch exactly these folders of a project that lies, or lay, in this checkout.
    ///
    /// # Errors
    /// Why the system refuses one of them; the others are watched.
    pub(super) fn cover(&mut self, project: &str, checkout: &Path, folders: &[Marked]) -> Result<(), String> {
        self.checkouts.insert(project.to_owned(), checkout.to_owned());
        let wanted: HashMap<&Path, Place> =
            folders.iter().map(|(path, place)| (path.as_path(), *place)).collect();
        let gone: Vec<PathBuf> = self
            .marks
            .iter()
            .filter(|(path, marks)| {
                marks
                    .iter()
                    .any(|(place, owner)| owner == project && wanted.get(path.as_path()) != Some(place))
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.unmark(&path, Some(project));
        }
        let mut refused = Ok(());
        for (path, place) in folders {
            if let Err(why) = self.mark(path, *place, project) {
                refused = Err(why);
            }
        }
        refused
    }

    /// Watch nothing of a project any more.
    pub(super) fn uncover(&mut self, project: &str) {
        let _ = self.cover(project, Path::new(""), &[]);
        self.checkouts.remove(project);
    }

    fn mark(&mut self, path: &Path, place: Place, project: &str) -> Result<(), String> {
        if !self.marks.contains_key(path) {
            let Some(watcher) = &mut self.watcher else {
                return Err("this system tells nothing of changes".to_owned());
            };
            match watcher.watch(path, RecursiveMode::NonRecursive) {
                Ok(()) => {}
                // It went away in this moment; whoever makes it again is noticed one folder above.
                Err(error) if is_absent(&error) => return Ok(()),
                Err(error) => return Err(why(&error)),
            }
        }
        self.marks.entry(path.to_owned()).or_default().insert((place, project.to_owned()));
        Ok(())
    }

    /// Forget a folder, for one project or for all.
    fn unmark(&mut self, path: &Path, project: Option<&str>) {
        let Some(marks) = self.marks.get_mut(path) else { return };
        marks.retain(|(_, owner)| project.is_some_and(|project| owner != project));
        if marks.is_empty() {
            self.marks.remove(path);
            // The system may have forgotten it before us.
            let _ = self.watcher.as_mut().map(|watcher| watcher.unwatch(path));
        }
    }

    /// The files that came by rename not long ago.
    pub(super) fn whole(&mut self, now: Duration) -> std::collections::HashSet<PathBuf> {
        self.whole.retain(|_, at| *at + REMEMBERED > now);
        self.whole.keys().cloned().collect()
    }

    /// Something failed in a project: what lies there was put back by renames, which say nothing of its being whole.
    pub(super) fn distrust(&mut self, project: &str, now: Duration) {
        self.taken_back.insert(project.to_owned(), now + TAKING_BACK);
        let marks = &self.marks;
        self.whole.retain(|path, _| !is_of(marks, path, project));
    }

    fn is_trusted(&self, path: &Path, now: Duration) -> bool {
        let of_late = self.taken_back.iter().filter(|(_, until)| **until > now);
        of_late.into_iter().all(|(project, _)| !is_of(&self.marks, path, project))
    }

    /// What an event means.
    pub(super) fn hints(&mut self, event: &Event, now: Duration) -> Vec<Hint> {
        let mut hints = Vec::new();
        for path in &event.paths {
            self.note_wholeness(path, &event.kind, now);
            if is_departure(&event.kind) && self.marks.contains_key(path) {
                self.departed(path, &mut hints);
            }
            let marks = path.parent().and_then(|parent| self.marks.get(parent));
            for (place, project) in marks.into_iter().flatten() {
                let is_checkout = || self.checkouts.get(project).is_some_and(|checkout| checkout == path);
                if *place == Place::Around && is_checkout() {
                    hints.push(Hint::Moved { project: project.clone() });
                }
                hints.extend(hint(*place, project, path, &event.kind));
            }
        }
        hints
    }

    fn note_wholeness(&mut self, path: &Path, kind: &EventKind, now: Duration) {
        match kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) if self.is_trusted(path, now) => {
                self.whole.insert(path.to_owned(), now);
            }
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) | EventKind::Remove(_) => {
                self.whole.remove(path);
            }
            _ => {}
        }
    }

    /// A folder that was watched is gone, with all below it.
    fn departed(&mut self, path: &Path, hints: &mut Vec<Hint>) {
        let below: Vec<PathBuf> = self.marks.keys().filter(|key| key.starts_with(path)).cloned().collect();
        for key in below {
            let owners = self.marks.get(&key).into_iter().flatten();
            hints.extend(owners.map(|(_, project)| Hint::Moved { project: project.clone() }));
            self.unmark(&key, None);
        }
    }
}

/// Whether a file lies in a folder of this project.
fn is_of(marks: &HashMap<PathBuf, BTreeSet<(Place, String)>>, path: &Path, project: &str) -> bool {
    let folder = path.parent().and_then(|parent| marks.get(parent));
    folder.into_iter().flatten().any(|(_, owner)| owner == project)
}

/// What is passed on at all: most events are our own reading.
fn notice(event: notify::Result<Event>) -> Option<Notice> {
    match event {
        Ok(event) if event.need_rescan() => Some(Notice::Missed),
        Ok(event) if matches!(event.kind, EventKind::Access(_) | EventKind::Other | EventKind::Any) => None,
        Ok(event) => Some(Notice::File(event)),
        Err(_) => Some(Notice::Missed),
    }
}

fn is_departure(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)))
}

fn hint(place: Place, project: &str, path: &Path, kind: &EventKind) -> Option<Hint> {
    let name = path.file_name()?.to_str()?;
    let changed = |reads: Reads| {
        let came_whole = is_departure(kind) || matches!(kind, EventKind::Modify(ModifyKind::Name(_)));
        Hint::Changed { project: project.to_owned(), reads, may_be_unfinished: !came_whole }
    };
    let moved = || Some(Hint::Moved { project: project.to_owned() });
    let none = Reads::default();
    match place {
        Place::Around => None,
        Place::Checkout if name == ".swift" => moved(),
        Place::Checkout => None,
        Place::Top if name == "swift.toml" => Some(changed(Reads::ALL)),
        Place::Top if is_folder_of_ours(name) => moved(),
        Place::Top => None,
        Place::Git if name == "index" || name == "HEAD" => Some(changed(Reads { commits: true, ..none })),
        Place::Git => None,
        Place::Projects => name.ends_with(".toml").then_some(Hint::Registry),
        Place::Local if name == PAUSED => Some(Hint::Pauses),
        Place::Local if name == "paths.json" => Some(Hint::Registry),
        Place::Local => None,
        _ if name.starts_with('.') => None,
        _ if !name.ends_with(".md") => is_folder_event(kind).then(moved).flatten(),
        // What left an outbox needs nobody.
        Place::Outbox if is_departure(kind) => None,
        Place::Outbox => Some(changed(Reads { outbox: true, ..none })),
        Place::Inbox => Some(changed(Reads { inbox: true, ..none })),
        Place::Standing => Some(changed(Reads { standing: true, ..none })),
    }
}

fn is_folder_of_ours(name: &str) -> bool {
    ["outbox", "inbox", "tasks", "done", "dead", "projects", "local"].contains(&name)
}

/// A folder that came or went; a renamed one does not say what it is, so any name without an ending may be one.
fn is_folder_event(kind: &EventKind) -> bool {
    use notify::event::{CreateKind, RemoveKind};
    matches!(
        kind,
        EventKind::Create(CreateKind::Folder)
            | EventKind::Remove(RemoveKind::Folder)
            | EventKind::Modify(ModifyKind::Name(RenameMode::To))
    )
}

fn is_absent(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn why(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::MaxFilesWatch => "the system's limit of watched folders is reached".to_owned(),
        ErrorKind::Io(error) if error.raw_os_error() == Some(28) => {
            "the system's limit of watched folders is reached".to_owned()
        }
        _ => error.to_string(),
    }
}
