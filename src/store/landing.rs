//! One task again, of what was done to it while git was in the middle of something and what git has made of it meanwhile.
//!
//! A merge that is taken back, or a rebase that goes on, brings another version of a task than the one that the verb has
//! changed. The rules are those by which `resolve` settles two sides of a merge.

use super::git::{Contents, Versions};
use super::layout;
use super::queue::Queue;
use super::tx::Tx;
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::settle::{self, Settled};
use crate::domain::task::Folder;
use crate::format::{self, Document};

use std::collections::BTreeMap;

/// What becomes of the files of tasks that clash, the others left out.
pub(crate) fn settle(queue: &Queue, files: &BTreeMap<String, Versions>) -> Contents {
    let clashes = files.iter().filter(|(_, versions)| versions.clash());
    clashes.filter_map(|(path, versions)| one(queue, files, path, versions)).flatten().collect()
}

/// A version of a task.
struct Version {
    folder: Folder,
    document: Document,
}

impl Version {
    fn of(queue: &Queue, path: &str, bytes: Option<&Vec<u8>>) -> Option<Version> {
        let folder = layout::folder_of(path)?;
        Some(Version { folder, document: Document::parse(bytes?, &queue.limits()).ok()? })
    }

    fn fields(&self) -> settle::Version<'_> {
        settle::Version { folder: self.folder, task: self.document.task() }
    }
}

/// The files of one task; `None` if there is no telling, and both versions stay.
fn one(
    queue: &Queue,
    files: &BTreeMap<String, Versions>,
    path: &str,
    versions: &Versions,
) -> Option<Contents> {
    let here = Version::of(queue, path, versions.here.as_ref())?;
    let base = Version::of(queue, path, versions.base.as_ref());
    let id = here.document.task().id?;
    // Where the verb has left it: in its place, or moved on.
    let left = |(path, versions): (&String, &Versions)| {
        let version = Version::of(queue, path, versions.new.as_ref())?;
        (version.document.task().id == Some(id)).then(|| (path.clone(), version))
    };
    let mut all = files.iter().filter_map(left);
    let ((to, new), None) = (all.next()?, all.next()) else { return None };
    let Settled { folder, task, kept } =
        settle::settle(base.as_ref().map(Version::fields), here.fields(), new.fields());
    let base = base.as_ref().map(|base| &base.document);
    let (document, _) = Document::settled(base, &here.document, &new.document, &task, kept);
    let bytes = document.to_bytes();
    if format::is_too_large(&bytes, &queue.limits()) {
        return None;
    }
    let target = if folder == new.folder { to.clone() } else { path.to_owned() };
    let mut contents = Contents::from([(path.to_owned(), None), (to, None)]);
    contents.insert(target, Some(bytes));
    Some(contents)
}

/// Record that these files are what became of two versions.
pub(crate) fn record(tx: &mut Tx<'_>, settled: &[String]) -> Result<()> {
    for path in settled {
        let (Some(folder), Some(bytes)) = (layout::folder_of(path), tx.take(path)?) else { continue };
        let task = format::parse_summary(&bytes, &tx.queue.limits()).map_err(|m| m.at(path))?;
        let Some(id) = task.id else { continue };
        let fact = Fact::task(EventKind::TaskMerged, id, None, task.state(folder, tx.operation.at));
        tx.record(
            fact.because("changed while git was in the middle of something")
                .leaving(format::audit::digest(&bytes)),
        );
    }
    Ok(())
}
