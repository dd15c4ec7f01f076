//! What a person had written by hand and the operation has gone on with at once. As it was then is in no commit, but all of
//! it is in what the operation has made of it: that without what verbs write is the file, if the log's hash says so.

use std::collections::BTreeMap;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::task::Task;
use crate::domain::text::as_word;
use crate::format::Document;
use crate::format::audit::digest;
use crate::store::layout;
use crate::store::queue::Queue;

use super::hand::Hand;
use super::{Former, Reversal};

/// Let each of these files return as the person had left it.
///
/// # Errors
/// [`Code::UndoBlocked`] where that cannot be told; those of reading commits.
pub(super) fn bring_back(queue: &Queue, hand: &Hand, files: &mut BTreeMap<String, Reversal>) -> Result<()> {
    for (path, written, task) in hand.taken_on() {
        let known = known_texts(queue, path, task, files)?;
        if known.is_empty() {
            continue;
        }
        let is_it = |bytes: &Vec<u8>| written.content.as_ref() == Some(&digest(bytes));
        let former = known.iter().flat_map(|bytes| without_verbs(queue, bytes)).find(is_it);
        let former = former.ok_or_else(|| is_in_no_commit(queue, path))?;
        let file =
            files.entry(path.clone()).or_insert(Reversal { path: path.clone(), left: None, before: None });
        file.before = Some(Former::Written(former));
    }
    Ok(())
}

/// What commits have of the task: what the operation has left of it, and what was at its place before.
fn known_texts(
    queue: &Queue,
    path: &str,
    task: TaskId,
    files: &BTreeMap<String, Reversal>,
) -> Result<Vec<Vec<u8>>> {
    let is_its = |file: &&Reversal| file.path == path || layout::id_in_name(&file.path) == Some(task);
    let mut blobs = Vec::new();
    for file in files.values().filter(is_its) {
        blobs.extend(file.left.as_ref());
        if let (true, Some(Former::Committed(before))) = (file.path == path, &file.before) {
            blobs.push(before);
        }
    }
    blobs.into_iter().map(|blob| queue.home.blob(blob)).collect()
}

/// The text as it is, and without what the verbs write that go on with a task.
fn without_verbs(queue: &Queue, bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(document) = Document::parse(bytes, &queue.limits()) else { return vec![bytes.to_owned()] };
    let task = document.task().clone();
    let asked = task.clone().without_progress();
    let unsigned = Task { from: None, ..asked.clone() };
    let open = Task { receipt: None, ending: None, lease: None, ..task };
    let written = |task: &Task| {
        let mut document = document.clone();
        document.apply(task);
        document.to_bytes()
    };
    std::iter::once(bytes.to_owned()).chain([open, asked, unsigned].iter().map(written)).collect()
}

fn is_in_no_commit(queue: &Queue, path: &str) -> Fault {
    let text = format!(
        "`{path}` in {} was written by hand, and changed by the operation in the same commit: as it was between the two is \
         in no commit",
        queue.settings.id
    );
    Fault::new(Code::UndoBlocked, text).hint(format!(
        "`git -C {} log --patch` shows what came of both; `swift edit` changes what you want otherwise",
        as_word(&queue.home.root)
    ))
}
