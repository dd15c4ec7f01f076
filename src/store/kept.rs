//! What is known of the end of a run until that is committed. It lies with git's own files, so that neither a `swift`
//! that is killed nor a queue that cannot be written loses what the run has done and cost.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::local;
use super::queue::Queue;
use crate::domain::id::RunId;
use crate::domain::run::record::Run;
use crate::format;

/// After each state of the record: one that was cut off while it was written has none.
const END: &str = "\n# That is all.\n";

/// How much is read back.
const MOST: u64 = 64 << 20;

/// The record of a run as it would be if it ended now; the last one counts.
#[derive(Debug)]
pub(super) struct Kept {
    /// Held open: wherever the folder is moved to meanwhile, it goes with it.
    file: Option<File>,
}

impl Kept {
    /// Begin. One that cannot be begun is missed only where something else goes wrong, too.
    pub(super) fn begin(queue: &Queue, id: RunId) -> Kept {
        let path = path(queue, id);
        let made = path.parent().map(std::fs::create_dir_all).transpose();
        Kept { file: made.and_then(|_| File::options().create(true).append(true).open(path)).ok() }
    }

    /// Add a state.
    pub(super) fn note(&mut self, run: &Run) {
        if let Some(file) = &mut self.file {
            let text = format::run::render(run) + END;
            // As above.
            let _ = file.write_all(text.as_bytes());
        }
    }

    /// Bring it to the disk; gives whether it is there.
    pub(super) fn flush(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.sync_all().is_ok())
    }
}

/// Keep the transcript of a run whose end is kept. Usually the live log is still there, too.
pub(crate) fn keep_transcript(queue: &Queue, id: RunId, transcript: &str) {
    // Without it the record is whole.
    let _ = std::fs::write(transcript_path(queue, id), transcript);
}

/// The last state of a run's record that was kept, if that has an end.
pub(crate) fn last(queue: &Queue, id: RunId) -> Option<Run> {
    let text = read(path(queue, id))?;
    let whole = &text[..text.rfind(END)?];
    let last = whole.rsplit(END).next()?;
    format::run::parse(last).ok().filter(|run| run.id == id && run.ending.is_some())
}

/// The transcript that was kept.
pub(crate) fn transcript(queue: &Queue, id: RunId) -> Option<Vec<u8>> {
    read(transcript_path(queue, id)).map(String::into_bytes)
}

/// It is committed.
pub(super) fn forget(queue: &Queue, id: RunId) {
    // What cannot be removed is in nobody's way.
    let _ = std::fs::remove_file(path(queue, id));
    let _ = std::fs::remove_file(transcript_path(queue, id));
}

fn path(queue: &Queue, id: RunId) -> PathBuf {
    queue.home.records().join(format!("run-{id}"))
}

fn transcript_path(queue: &Queue, id: RunId) -> PathBuf {
    path(queue, id).with_extension("jsonl")
}

fn read(path: PathBuf) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    local::open(&path).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}
