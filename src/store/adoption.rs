//! Ids that files without one are about to get.
//!
//! A file that was committed with git before a verb saw it is in every clone that has pulled it, and the next verb in each
//! of them gives it an id. That it stays one task, its id comes from the commit that put it there, not from chance.
//!
//! Any other file dropped by hand has no id until its own repository commits it, and a task that travels is committed at its
//! receiver first. Were the process killed in between, the file would get another id in the next round and arrive twice.
//! So the id is promised on the disk before anybody commits: as long as the file at that path has the same bytes, it gets
//! the same id.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::history::SLACK;
use super::queue::Queue;
use crate::domain::event::Digest;
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::format;
use crate::format::audit::digest;

const NOTE: &str = "adopting.json";

/// How many tasks may have begun at one path, in one second, with the same words.
const MOST_ALIKE: u8 = 16;

/// So many digits of a hash are the 80 bits that an id has beside its time.
const DIGITS: usize = 20;

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

/// The id of a file that HEAD has without one, the same in every clone; `None` if it is not in HEAD, or comes from a commit
/// whose time says nothing.
pub(crate) fn derived(queue: &Queue, path: &str, now: Timestamp) -> Result<Option<TaskId>> {
    let limits = queue.limits();
    let is_without = |bytes: &[u8]| format::parse_summary(bytes, &limits).is_ok_and(|task| task.id.is_none());
    let Some(origin) = queue.home.origin(path, is_without)? else { return Ok(None) };
    // What the log says of a task is looked for from its id's time on.
    let latest = now.checked_add(SLACK).unwrap_or(now).as_second();
    let Some(seconds) = u64::try_from(origin.seconds).ok().filter(|_| origin.seconds <= latest) else {
        return Ok(None);
    };
    let content = digest(&origin.content);
    for number in 0..MOST_ALIKE {
        let basis = format!("{}\0{path}\0{content}\0{seconds}\0{number}", queue.settings.id.as_str());
        let random = u128::from_str_radix(&digest(basis.as_bytes())[..DIGITS], 16).unwrap_or_default();
        let id = TaskId::new(seconds * 1000, random);
        // The one before it came there in the same second.
        if queue.anywhere(id)?.is_none() {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
