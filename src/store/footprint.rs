//! Every byte outside the person's own files that is there because of a queue.

use std::path::Path;

use super::git::{HomeKind, OwnObjects};
use super::queue::Queue;
use super::service::Installation;
use crate::domain::fault::Result;

/// One place.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) what: &'static str,
}

/// The places and their sizes: the folder, its worktree administration, its branch, and the line in git's
/// exclude file; and what it has in git's database.
///
/// # Errors
/// None at present; a place that cannot be read counts nothing.
pub(crate) fn of(queue: &Queue) -> Result<Vec<Entry>> {
    let root = &queue.home.root;
    let common = &queue.home.common_dir;
    let mut entries =
        vec![entry(root, "the queue: tasks, log, settings, and this machine's caches and notes")];
    if queue.home.kind == HomeKind::Branch {
        entries.push(entry(queue.home.git_dir(), "git's administration of the queue's worktree"));
        if let Some(branch) = &queue.home.branch {
            entries.push(entry(&common.join("refs/heads").join(branch), "the queue's branch"));
            entries.push(entry(&common.join("logs/refs/heads").join(branch), "the branch's reflog"));
        }
        entries.push(Entry {
            path: format!("{} (one line: /.swift/)", common.join("info/exclude").display()),
            bytes: 9,
            what: "keeps the folder out of the project's own status",
        });
    }
    entries.push(entry(
        &queue.home.records(),
        "what the commit engine notes: unfinished commits, files not committed yet",
    ));
    if !queue.home.waiting_folder().starts_with(queue.home.records()) {
        entries
            .push(entry(&queue.home.waiting_folder(), "changes that wait for git to be done with something"));
        entries.push(entry(&queue.home.linked_debts(), "files of linked worktrees, not committed yet"));
    }
    if let Ok(service) = Installation::of(queue)
        && service.found.is_for_this()
    {
        entries.push(entry(&service.path, "has `swift watch` started; `swift watch --uninstall` removes it"));
    }
    entries.retain(|entry| entry.bytes > 0);
    entries.push(objects(queue));
    Ok(entries)
}

/// The line about git's database, where the queue's objects lie among those of the project.
fn objects(queue: &Queue) -> Entry {
    let folder = queue.home.common_dir.join("objects").display().to_string();
    match queue.home.own_objects() {
        Ok(OwnObjects::OfTheBranch { count, bytes }) => Entry {
            path: format!("{folder} ({count} of the objects)"),
            bytes,
            what: "commits, folders and files to which only the queue's branch leads",
        },
        Ok(OwnObjects::Shared) => Entry {
            path: folder,
            bytes: 0,
            what: "not counted: the queue's objects are part of the project's own commits",
        },
        Err(fault) => Entry {
            path: format!("{folder}: {fault}"),
            bytes: 0,
            what: "the queue's objects are not counted",
        },
    }
}

fn entry(path: &Path, what: &'static str) -> Entry {
    Entry { path: path.display().to_string(), bytes: size(path), what }
}

/// The bytes of a file, or of all files in a folder.
pub(crate) fn size(path: &Path) -> u64 {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return 0 };
    if !meta.is_dir() {
        return meta.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}
