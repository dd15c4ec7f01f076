//! Requests that a process in the background takes up: known from the moment at which they are made, until the record of
//! the run is committed.
//!
//! Whoever takes one up holds a lock on its file for as long as it lives. So a request whose file nobody holds was not
//! taken up, and its text is not lost.

use std::fs::File;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock};

use super::local;
use super::queue::Queue;
use super::runs;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::RunId;

/// How long a request that was not taken up is told of.
const TOLD_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// How much of what was said is read back.
const SAID: usize = 4096;

fn request_name(id: RunId) -> String {
    format!("runs/{id}.request")
}

fn said_name(id: RunId) -> String {
    format!("runs/{id}.said")
}

/// The two files of a request, open: what it reads, and where it says what is wrong.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) request: File,
    pub(crate) said: File,
}

/// Write a request down, held by whoever holds the file that comes back.
///
/// # Errors
/// [`Code::Io`]
pub(crate) fn hand_over(queue: &Queue, id: RunId, text: &str) -> Result<Handed> {
    queue.local.write(&said_name(id), b"")?;
    queue.local.write(&request_name(id), text.as_bytes())?;
    let folder = runs::live_path(queue, id);
    let open = |ending: &str, options: &mut std::fs::OpenOptions| {
        let path = folder.with_extension(ending);
        let file = options.open(&path);
        file.map_err(|error| Fault::new(Code::Io, format!("cannot open {}: {error}", path.display())))
    };
    let request = open("request", File::options().read(true))?;
    flock(&request, FlockOperation::LockShared)
        .map_err(|error| Fault::new(Code::Io, format!("cannot lock the request: {error}")))?;
    Ok(Handed { request, said: open("said", File::options().append(true))? })
}

/// The record is there, or nothing will come of it: nothing has to be remembered.
pub(crate) fn forget(queue: &Queue, id: RunId) {
    // What cannot be removed is told of for a while, and no more than that.
    let _ = queue.local.remove(&request_name(id));
    let _ = queue.local.remove(&said_name(id));
}

/// A request without a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) id: RunId,
    /// The text of the request, or its beginning.
    pub(crate) text: String,
    pub(crate) standing: Standing,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Starting,
    /// Nobody takes it up; the last that was said of it.
    NotBegun(String),
}

/// All of them, oldest first.
pub(crate) fn pending(queue: &Queue) -> Vec<Pending> {
    let names = queue.local.names("runs");
    names
        .iter()
        .filter_map(|name| name.strip_suffix(".request")?.parse().ok())
        .filter_map(|id| one(queue, id))
        .collect()
}

fn one(queue: &Queue, id: RunId) -> Option<Pending> {
    let path = runs::live_path(queue, id).with_extension("request");
    let file = local::open(&path).ok()?;
    let is_held = flock(&file, FlockOperation::NonBlockingLockExclusive).is_err();
    let age =
        file.metadata().and_then(|meta| meta.modified()).ok().map(|at| SystemTime::now().duration_since(at));
    if !is_held && age.is_some_and(|age| age.is_ok_and(|age| age > TOLD_FOR)) {
        forget(queue, id);
        return None;
    }
    let beginning = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes[..bytes.len().min(SAID)]).into_owned();
    let text = queue.local.read(&request_name(id)).map(beginning)?;
    let standing = if is_held { Standing::Starting } else { Standing::NotBegun(why(queue, id)) };
    Some(Pending { id, text, standing })
}

fn why(queue: &Queue, id: RunId) -> String {
    let said = queue.local.read(&said_name(id)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let error = said.lines().find_map(|line| line.strip_prefix("error: "));
    error.or(said.lines().last()).unwrap_or("its process ended without a word").to_owned()
}
