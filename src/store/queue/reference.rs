//! How a person names a task, and the one task that is meant.

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{SHORTEST_REFERENCE, TaskId};
use crate::domain::problem::Problem;
use crate::domain::task::Folder;
use crate::domain::text::shown;
use crate::store::{archive, layout};

use super::{Item, Queue};

impl Queue {
    /// The one task that a reference names, among these folders.
    ///
    /// # Errors
    /// [`Code::TaskNotFound`]; [`Code::Overtaken`] if it was there; [`Code::Ambiguous`] with the candidates,
    /// [`Code::InvalidValue`].
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
            _ => Err(match (found[0].id(), found[1].id()) {
                (Some(id), other) if other == Some(id) => {
                    self.in_two_files(id, &found[0].path, &found[1].path)
                }
                _ => ambiguous(reference, &found),
            }),
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
        // What was left beside a task stands for it only where the task itself is nowhere.
        let (own, beside): (Vec<_>, Vec<_>) = self
            .list(Folder::ALL)
            .problems
            .into_iter()
            .filter(is_wanted)
            .partition(|problem| layout::is_named_as_a_task(&problem.path));
        if let Some(problem) = own.into_iter().next() {
            return self.unreadable(problem);
        }
        let archived = || archive::named(self, |id| wanted.is_for(id)).ok().and_then(|mut found| found.pop());
        match self.list(&others).items.into_iter().find(|item| wanted.names(item)).or_else(archived) {
            Some(item) => {
                let place = item.path.split('/').next().unwrap_or_default().to_owned();
                let departed = item.id().and_then(|id| self.departed(id, folders));
                let hints = vec![format!("it is in `{place}`: `swift show {}`", shown(reference))];
                Fault { hints, ..departed.unwrap_or(fault) }
            }
            None => match beside.into_iter().next() {
                Some(problem) => self.unreadable(problem),
                None => self.vanished(|id| wanted.is_for(id), folders).unwrap_or(fault),
            },
        }
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
            let others_here = found.into_iter().map(|seen| seen.path);
            others.extend(others_here.filter(|other| other != path && layout::is_named_as_a_task(other)));
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

    /// Where the file of a task lies that cannot be read as one, or was put aside; `None` if there is none.
    pub(crate) fn unread(&self, id: TaskId) -> Option<String> {
        let is_of_task =
            |path: &String| layout::is_named_as_a_task(path) && layout::id_in_name(path) == Some(id);
        let problems = self.list(&layout::QUEUE_FOLDERS).problems.into_iter();
        problems.map(|problem| problem.path).find(is_of_task).or_else(|| {
            let aside = self.names_in(layout::QUARANTINE).unwrap_or_default().into_iter();
            let mut aside = aside.filter(|name| name.contains(&id.to_string()));
            aside.next().map(|name| format!("{}/{name}", layout::QUARANTINE))
        })
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
