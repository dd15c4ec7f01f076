//! What a merge has left open: tasks, settings and entries of projects that both sides have changed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::domain::fault::{Code, Fault};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::Folder;
use crate::domain::text::as_word;
use crate::format::{self, Limits};
use crate::store::git::{Conclusion, Home};
use crate::store::layout;

use super::{Item, Listing, Open, Queue};

impl Queue {
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

    /// A task of which there are two files: a merge has put them there, or somebody has copied one to write another task.
    pub(crate) fn in_two_files(&self, id: TaskId, path: &str, other: &str) -> Fault {
        let message = format!("task {} is in `{path}` and in `{other}`", id.short());
        let mut fault = Fault { message, ..self.unsettled(id) };
        if self.home.is_joining() {
            return fault;
        }
        // Verbs name a task's file by its id; a copy has a name of somebody's own.
        let copy = [path, other].into_iter().find(|path| layout::id_in_name(path) != Some(id));
        let copy = copy.map_or_else(|| "the copy".to_owned(), |path| format!("`.swift/{path}`"));
        fault
            .hints
            .insert(0, format!("if one is a copy: without the line `id = …` {copy} is a task of its own"));
        fault
    }

    /// The tasks of which there is more than one file among these.
    pub(crate) fn in_two_files_among(&self, items: &[Item]) -> BTreeMap<TaskId, Problem> {
        let (mut first, mut twice) = (HashMap::with_capacity(items.len()), BTreeMap::new());
        for item in items {
            let Some(id) = item.id() else { continue };
            match first.entry(id) {
                Entry::Vacant(place) => drop(place.insert(&item.path)),
                Entry::Occupied(one) => {
                    let fault = || self.in_two_files(id, one.get(), &item.path);
                    twice.entry(id).or_insert_with(|| Problem::at(item.path.clone(), fault()));
                }
            }
        }
        twice
    }

    /// What `swift resolve` does not settle is not said to be settled by it.
    pub(super) fn lead_to_the_end(&self, fault: &mut Fault) {
        if fault.code != Code::Unsettled {
            return;
        }
        if let Some(operation) = self.home.left_to_the_person() {
            fault.hints = vec![format!("`git -C .swift status` shows how the {operation} goes on")];
        } else if !fault.hints.iter().any(|hint| hint.contains("`swift resolve")) {
            fault.hints.push("`swift resolve` tells what else the merge has left open".to_owned());
        }
    }

    /// A task that two sides of a merge have both changed is nobody's to go by before it is settled.
    pub(super) fn leave_out_open(&self, all: &mut Listing, folders: &[Folder], shown: Open) {
        let Ok(open) = self.home.unmerged() else { return };
        let open: BTreeSet<String> = open.into_iter().map(|entry| entry.path).collect();
        let (left, items): (Vec<Item>, Vec<Item>) =
            std::mem::take(&mut all.items).into_iter().partition(|item| open.contains(&item.path));
        all.items = items;
        all.problems.extend(left.into_iter().map(|item| changed_on_both(item.path)));
        if shown == Open::OfAll {
            let told: BTreeSet<_> =
                all.problems.iter().map(|problem| layout::id_in_name(&problem.path)).collect();
            let is_elsewhere = |path: &String| {
                let folder = layout::folder_of(path).filter(|_| layout::is_named_as_a_task(path));
                folder.is_some_and(|folder| !folders.contains(&folder))
                    && !told.contains(&layout::id_in_name(path))
            };
            all.problems.extend(open.into_iter().filter(is_elsewhere).map(changed_on_both));
        }
    }

    /// The tasks of which git has left a path open, if an operation waits.
    pub(super) fn unmerged(&self) -> Vec<TaskId> {
        let open = if self.home.is_joining() { self.home.unmerged().unwrap_or_default() } else { Vec::new() };
        let tasks = open.iter().filter(|entry| layout::is_named_as_a_task(&entry.path));
        tasks.filter_map(|entry| layout::id_in_name(&entry.path)).collect()
    }
}

fn changed_on_both(path: String) -> Problem {
    let message = format!("`{path}` was changed on both sides of a merge");
    let fault = Fault::new(Code::Unsettled, message).hint("`swift resolve` makes one task of the two");
    Problem::at(path, fault)
}

/// The id of the task of which git has left two texts in a file; `None` if neither has one.
pub(crate) fn id_in_conflict(bytes: &[u8], limits: &Limits) -> Option<TaskId> {
    let sides = format::conflict::sides(std::str::from_utf8(bytes).ok()?)?;
    let id = |text: &str| format::parse_summary(text.as_bytes(), limits).ok()?.id;
    id(&sides.ours).or_else(|| id(&sides.theirs))
}

pub(super) fn in_conflict(settings: &[u8]) -> bool {
    std::str::from_utf8(settings).is_ok_and(|text| format::conflict::sides(text).is_some())
}

/// Nobody but a person can say what holds in a file that is no task: settings, without which nothing of the queue can be
/// used, or the entry of a project.
pub(crate) fn marks_in(home: &Home, path: &str) -> Fault {
    let root = home.root.display().to_string();
    let (file, quoted) = (format!("{root}/{path}"), shell_words::quote(&root).into_owned());
    let ending = match home.is_joining() && home.conclusion().is_ok_and(|end| end == Conclusion::Ours) {
        true => "; `swift resolve` ends the merge then",
        false => "",
    };
    Fault::new(
        Code::Unsettled,
        format!("both sides of a merge have changed `{file}`, and git has left its marks there"),
    )
    .hint(format!("edit it, then `git -C {quoted} add {}`{ending}", as_word(Path::new(path))))
}
