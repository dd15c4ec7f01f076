//! Ids that files without one are about to get.
//!
//! A file dropped by hand has no id until its own repository commits it, and a task that travels is committed at its
//! receiver first. Were the process killed in between, the file would get another id in the next round and arrive twice.
//! So the id is promised on the disk before anybody commits: as long as the file at that path has the same bytes, it gets
//! the same id.

use std::collections::BTreeMap;

use super::queue::Queue;
use crate::domain::event::Digest;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::format::audit::digest;

const NOTE: &str = "adopting.json";

/// Path, to the hash of the bytes that were there and the id.
type Promises = BTreeMap<String, (Digest, String)>;

/// Promise ids to files of a queue; earlier promises are over.
///
/// # Errors
/// Those of writing below the machine's own folder; then nothing may be sent under these ids.
pub(crate) fn promise(queue: &Queue, files: &[(String, Vec<u8>, TaskId)]) -> Result<()> {
    let promises: Promises =
        files.iter().map(|(path, bytes, id)| (path.clone(), (digest(bytes), id.to_string()))).collect();
    let text = serde_json::to_vec(&promises).expect("a map of texts is plain data");
    queue.local.write_durably(NOTE, &text)
}

/// The id that was promised to a file with these bytes.
pub(crate) fn promised(queue: &Queue, path: &str, bytes: &[u8]) -> Option<TaskId> {
    let promises: Promises = serde_json::from_slice(&queue.local.read(NOTE)?).ok()?;
    let (hash, id) = promises.get(path)?;
    if *hash == digest(bytes) { id.parse().ok() } else { None }
}
