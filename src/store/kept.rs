//! What is known of the end of a run until that is committed. It lies with git's own files, so that neither a `swift`
//! that is killed nor a queue that cannot be written loses what the run has done and cost.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::local;
use super::queue::Queue;
use crate::domain::id::RunId;
use crate::domain::run::record::Run;
use crate::format;

/// After each state of the record: one that was cut off while it was written has none.
const END: &str = "\n# That is all.\n";

/// What the first line begins with, before the number of the file itself: a copy of it has another.
const BEGUN: &str = "# Begun in file ";

/// How much is read back.
const MOST: u64 = 64 << 20;

/// The record of a run as it would be if it ended now; the last one counts.
#[derive(Debug)]
pub(super) struct Kept {
    /// Held open: wherever the folder is moved to meanwhile, it goes with it.
    file: Option<File>,
    /// Whether the last state is in it.
    is_whole: bool,
}

impl Kept {
    /// Begin. One that cannot be begun is missed only where something else goes wrong, too.
    pub(super) fn begin(queue: &Queue, id: RunId) -> Kept {
        let path = path(queue, id);
        let made = path.parent().map(std::fs::create_dir_all).transpose();
        let file = made.and_then(|_| File::options().create(true).append(true).open(path)).ok();
        if let Some((mut file, meta)) = file.as_ref().and_then(|file| Some((file, file.metadata().ok()?))) {
            // Without it the live log tells where it was begun.
            let _ = file.write_all(format!("{BEGUN}{}\n", meta.ino()).as_bytes());
        }
        Kept { file, is_whole: false }
    }

    /// Add a state.
    pub(super) fn note(&mut self, run: &Run) {
        if let Some(file) = &mut self.file {
            // The first mark ends what was cut off before it.
            let text = format!("{END}{}{END}", format::run::render(run));
            self.is_whole = file.write_all(text.as_bytes()).is_ok();
        }
    }

    /// Bring it to the disk; gives whether it is there.
    pub(super) fn flush(&self) -> bool {
        self.is_whole && self.file.as_ref().is_some_and(|file| file.sync_all().is_ok())
    }
}

/// Keep the end of a run where the machine's user has other things of this program: the disk of the project may be full.
pub(crate) fn keep_elsewhere(run: &Run) -> bool {
    let text = format!("{END}{}{END}", format::run::render(run));
    let shelf = local::Local::of_machine();
    shelf.is_some_and(|shelf| shelf.write_durably(&name(run.id), text.as_bytes()).is_ok())
}

/// Keep the transcript of a run whose end is kept. Usually the live log is still there, too.
pub(crate) fn keep_transcript(queue: &Queue, id: RunId, transcript: &str) {
    // Without it the record is whole.
    let _ = std::fs::write(transcript_path(queue, id), transcript);
}

/// The last state of a run's record that was kept, if that has an end.
pub(crate) fn last(queue: &Queue, id: RunId) -> Option<Run> {
    let elsewhere = local::Local::of_machine().map(|shelf| shelf.path(&name(id)));
    let known = |path: PathBuf| {
        let text = read(path)?;
        let last = text[..text.rfind(END)?].rsplit(END).next()?;
        format::run::parse(last).ok().filter(|run| run.id == id && run.ending.is_some())
    };
    // It is only there where the other could not be written to its end.
    elsewhere.and_then(known).or_else(|| known(path(queue, id)))
}

/// Whether a run was begun with this very file, and not with one that it was copied from; `None` if nothing tells.
pub(super) fn is_original(queue: &Queue, id: RunId) -> Option<bool> {
    let path = path(queue, id);
    let number = std::fs::metadata(&path).ok()?.ino();
    let text = read(path)?;
    let noted = text.lines().next()?.strip_prefix(BEGUN)?;
    Some(noted.parse() == Ok(number))
}

/// The transcript that was kept.
pub(crate) fn transcript(queue: &Queue, id: RunId) -> Option<Vec<u8>> {
    read(transcript_path(queue, id)).map(String::into_bytes)
}

/// It is committed.
pub(super) fn forget(queue: &Queue, id: RunId) {
    // What cannot be removed is in nobody's way.
    let _ = std::fs::remove_file(path(queue, id));
    let _ = local::Local::of_machine().map(|shelf| shelf.remove(&name(id)));
    let _ = std::fs::remove_file(transcript_path(queue, id));
}

fn path(queue: &Queue, id: RunId) -> PathBuf {
    queue.home.records().join(name(id))
}

fn name(id: RunId) -> String {
    format!("run-{id}")
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
