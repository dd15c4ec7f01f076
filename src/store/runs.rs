//! Records of runs as files, the live log beside them, and the wish that a run shall stop.
//!
//! A run is alive for as long as somebody holds a lock on its live log: the `swift` that runs it, and the guardian of
//! its processes. So a lock of the operating system tells, and no process id that may be somebody else's by now.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::git::checkout::WORKTREES;
use super::kept::{self, Kept};
use super::layout;
use super::local::{self, LARGEST_INDEX, is_frozen};
use super::presence::{self, Presence};
use super::queue::Queue;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{RunId, SHORTEST_REFERENCE, TaskId};
use crate::domain::problem::Problem;
use crate::domain::run::record::Run;
use crate::domain::text::shown;
use crate::env;
use crate::format;

/// The largest transcript that is read back.
const LARGEST_TRANSCRIPT: u64 = 64 << 20;

/// How much a live log may grow.
const LARGEST_LIVE_LOG: u64 = 16 << 20;

/// A record and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    pub(crate) run: Run,
}

/// Records, and what could not be read as one.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Oldest first.
    pub(crate) all: Vec<Stored>,
    pub(crate) problems: Vec<Problem>,
}

/// The records whose file names pass.
fn some(queue: &Queue, wanted: impl Fn(&str) -> bool) -> Result<Runs> {
    let found = queue.paths(layout::RUNS)?;
    let mut runs = Runs { all: Vec::new(), problems: found.problems };
    for path in found.files {
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(stem) = name.strip_suffix(".toml") else { continue };
        if !wanted(stem) {
            continue;
        }
        match read(queue, &path) {
            Ok(Some(run)) => runs.all.push(Stored { path, run }),
            Ok(None) => {}
            Err(fault) => runs.problems.push(Problem::at(path, fault)),
        }
    }
    runs.all.sort_by_key(|stored| stored.run.id);
    Ok(runs)
}

/// The record at a path.
///
/// # Errors
/// Those of reading and parsing.
pub(crate) fn read(queue: &Queue, path: &str) -> Result<Option<Run>> {
    let Some(text) = queue.read_text(path)? else { return Ok(None) };
    format::run::parse(&text).map(Some).map_err(|m| m.at(path))
}

/// All records.
///
/// # Errors
/// Those of listing the folder.
pub(crate) fn all(queue: &Queue) -> Result<Runs> {
    some(queue, |_| true)
}

/// The records of one task.
///
/// # Errors
/// Those of listing the folder.
pub(crate) fn of_task(queue: &Queue, task: TaskId) -> Result<Runs> {
    let subject = format!("-{}", layout::run_subject(Some(task)));
    let mut runs = some(queue, |stem| stem.ends_with(&subject))?;
    runs.all.retain(|stored| stored.run.task == Some(task));
    Ok(runs)
}

/// The records of all prompts.
///
/// # Errors
/// Those of listing the folder.
pub(crate) fn of_prompts(queue: &Queue) -> Result<Runs> {
    let subject = format!("-{}", layout::run_subject(None));
    some(queue, |stem| stem.ends_with(&subject))
}

/// Other runs that go on at the same branch or in the same session of Claude Code: with a run, and on this machine.
///
/// # Errors
/// Those of listing the folder.
pub(crate) fn beside(queue: &Queue, run: &Run) -> Result<Vec<Run>> {
    let subject = format!("-{}", layout::run_subject(run.task));
    let all = some(queue, |stem| stem.ends_with(&subject))?.all.into_iter().map(|stored| stored.run);
    let is_near =
        |other: &Run| other.session == run.session || (other.branch.is_some() && other.branch == run.branch);
    let goes_on = |other: &Run| other.ending.is_none() && is_alive(queue, other.id);
    Ok(all.filter(|other| other.id != run.id && is_near(other) && goes_on(other)).collect())
}

/// The one run that a reference names: its id or the first characters of its random part.
///
/// # Errors
/// [`Code::RunNotFound`], [`Code::Ambiguous`].
pub(crate) fn find(queue: &Queue, reference: &str) -> Result<Option<Stored>> {
    let full: Option<RunId> = reference.parse().ok();
    let is_short = (SHORTEST_REFERENCE..=16).contains(&reference.len())
        && reference.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if full.is_none() && !is_short {
        return Ok(None);
    }
    // An id is ten characters of time and sixteen of chance.
    let names = |stem: &str| match full {
        Some(id) => stem.starts_with(&id.to_string()),
        None => stem.get(10..).is_some_and(|random| random.starts_with(reference)),
    };
    let mut found = some(queue, names)?.all;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        count => {
            let fault = Fault::new(Code::Ambiguous, format!("`{}` names {count} runs", shown(reference)));
            Err(found.iter().take(8).fold(fault, |fault, stored| {
                fault.hint(format!("`{}`  {}", stored.run.id.random_part(), shown(&stored.run.title)))
            }))
        }
    }
}

/// Where a run's live log lies.
pub(crate) fn live_path(queue: &Queue, id: RunId) -> PathBuf {
    queue.home.root.join(layout::LOCAL).join("runs").join(format!("{id}.jsonl"))
}

fn stop_name(id: RunId) -> String {
    format!("runs/{id}.stop")
}

/// What a run says while it runs; locked for as long as it does.
#[derive(Debug)]
pub(crate) struct LiveLog {
    file: File,
    pub(crate) path: PathBuf,
    written: u64,
    kept: Kept,
    _presence: Presence,
}

impl LiveLog {
    /// Begin one.
    ///
    /// # Errors
    /// [`Code::Io`]
    pub(crate) fn begin(queue: &Queue, id: RunId) -> Result<LiveLog> {
        let presence = Presence::begin(&queue.home)?;
        queue.local.write(&format!("runs/{id}.jsonl"), b"")?;
        let path = live_path(queue, id);
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|error| io("open", &path, &error))?;
        flock(&file, FlockOperation::LockShared).map_err(|error| io("lock", &path, &error.into()))?;
        Ok(LiveLog { file, path, written: 0, kept: Kept::begin(queue, id), _presence: presence })
    }

    /// Add a line. One that cannot be written is missing, and no reason to end a run.
    pub(crate) fn add(&mut self, line: &str) {
        if self.written <= LARGEST_LIVE_LOG && self.file.write_all(line.as_bytes()).is_ok() {
            self.written += line.len() as u64;
        }
    }

    /// Keep the record as it would be if the run were cut off now.
    pub(crate) fn keep(&mut self, run: &Run) {
        self.kept.note(run);
    }

    /// Whether what was kept has survived a loss of power.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.flush()
    }
}

/// Whether anything of a run lives on this machine. One without a live log was deleted with it, or is another
/// machine's: it counts as alive for as long as any run goes on here.
pub(crate) fn is_alive(queue: &Queue, id: RunId) -> bool {
    let Ok(file) = local::open(&live_path(queue, id)) else { return presence::is_any(&queue.home) };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
}

/// Whether a run was begun here: not in another clone, and not in the folder that this one is a copy of.
pub(crate) fn is_begun_here(queue: &Queue, id: RunId) -> bool {
    kept::is_original(queue, id).unwrap_or_else(|| live_path(queue, id).is_file())
}

/// What goes on in a project on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Nothing,
    Run(RunId),
    /// Some run, whose live log was deleted.
    Unnamed,
}

/// Whether a run goes on in this project on this machine.
pub(crate) fn activity(queue: &Queue) -> Activity {
    let entries = std::fs::read_dir(queue.home.root.join(layout::LOCAL).join("runs")).into_iter().flatten();
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids = names.filter_map(|name| name.strip_suffix(".jsonl")?.parse().ok());
    match ids.find(|id| is_alive(queue, *id)) {
        Some(id) => Activity::Run(id),
        None if presence::is_any(&queue.home) => Activity::Unnamed,
        None => Activity::Nothing,
    }
}

/// The live log as far as it is written; `None` if there is none on this machine.
pub(crate) fn live_text(queue: &Queue, id: RunId) -> Option<Vec<u8>> {
    queue.local.read_up_to(&format!("runs/{id}.jsonl"), LARGEST_INDEX)
}

/// Remove what a run had on this machine while it ran.
pub(crate) fn forget_live(queue: &Queue, id: RunId) {
    // What cannot be removed is in nobody's way.
    let _ = queue.local.remove(&format!("runs/{id}.jsonl"));
    let _ = queue.local.remove(&stop_name(id));
    kept::forget(queue, id);
}

/// Ask a run to stop.
///
/// # Errors
/// [`Code::Io`]
pub(crate) fn ask_to_stop(queue: &Queue, id: RunId) -> Result<()> {
    queue.local.write(&stop_name(id), b"stop\n")
}

/// Whether somebody asked a run to stop.
pub(crate) fn is_asked_to_stop(queue: &Queue, id: RunId) -> bool {
    queue.local.read(&stop_name(id)).is_some()
}

/// A request between two attempts: its last run has ended, and it can still be asked to stop.
#[derive(Debug)]
pub(crate) struct Pause<'q> {
    queue: &'q Queue,
    id: RunId,
    _file: Option<File>,
}

impl<'q> Pause<'q> {
    /// From now on, until it is dropped. One that cannot be noted only cannot be asked.
    pub(crate) fn begin(queue: &'q Queue, id: RunId) -> Pause<'q> {
        let (local, name) = (&queue.local, pause_name(id));
        let draft = format!("{name}.new");
        let noted = local.write(&draft, b"").ok();
        let file = noted.and_then(|()| local::open(&local.path(&draft)).ok());
        let file = file.filter(|file| flock(file, FlockOperation::NonBlockingLockShared).is_ok());
        // Whoever finds it under its name finds it locked.
        let file = file.filter(|_| std::fs::rename(local.path(&draft), local.path(&name)).is_ok());
        Pause { queue, id, _file: file }
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let _ = self.queue.local.remove(&pause_name(self.id));
        let _ = self.queue.local.remove(&stop_name(self.id));
    }
}

/// Whether another attempt is to follow a run that has ended, here on this machine.
pub(crate) fn is_paused(queue: &Queue, id: RunId) -> bool {
    let file = local::open(&queue.local.path(&pause_name(id)));
    file.is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_err())
}

/// The runs after which another attempt was to follow, by a `swift` that is gone.
pub(crate) fn left_pauses(queue: &Queue) -> Vec<RunId> {
    let names = queue.local.names("runs").into_iter();
    let ids = names.filter_map(|name| name.strip_suffix(".pause")?.parse().ok());
    ids.filter(|id| !is_paused(queue, *id)).collect()
}

/// Forget one of those.
pub(crate) fn forget_pause(queue: &Queue, id: RunId) {
    // What cannot be removed is looked at again.
    let _ = queue.local.remove(&pause_name(id));
    let _ = queue.local.remove(&stop_name(id));
}

fn pause_name(id: RunId) -> String {
    format!("runs/{id}.pause")
}

/// The committed transcript, or the live log while it runs.
///
/// # Errors
/// Those of reading.
pub(crate) fn transcript(queue: &Queue, stored: &Stored) -> Result<Option<Vec<u8>>> {
    match queue.read_up_to(&layout::transcript_path(&stored.path), LARGEST_TRANSCRIPT)? {
        Some(bytes) if stored.run.ending.is_some() => Ok(Some(bytes)),
        _ => Ok(live_text(queue, stored.run.id)),
    }
}

/// Where the worktree of a branch of this project lies on this machine.
///
/// # Errors
/// [`Code::Io`] if there is no place for it.
pub(crate) fn worktree_path(queue: &Queue, branch: &str) -> Result<PathBuf> {
    let common = queue.home.common_dir.to_string_lossy();
    let hash = format::audit::digest(common.as_bytes());
    let name =
        main_folder(queue).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let leaf = branch.rsplit('/').next().unwrap_or(branch);
    let state = env::state_dir().ok_or_else(|| {
        Fault::new(Code::Io, "there is no place for worktrees: neither XDG_STATE_HOME nor HOME is set")
    })?;
    Ok(state.join(WORKTREES).join(format!("{name}-{}", &hash[..8])).join(leaf))
}

/// The checkout whose `.swift` the queue is.
fn main_folder(queue: &Queue) -> &Path {
    queue.home.root.parent().unwrap_or(&queue.home.root)
}

/// The checkout in which the person stands: runs begin at what is checked out there, and merges go into it. From
/// inside the queue, or in the worktree of a run, it is the one whose `.swift` the queue is.
pub(crate) fn project_folder(queue: &Queue) -> &Path {
    let stand = queue.home.stand.as_deref().filter(|stand| !is_of_a_run(stand));
    stand.unwrap_or_else(|| main_folder(queue))
}

fn is_of_a_run(folder: &Path) -> bool {
    env::state_dir().is_some_and(|state| {
        let worktrees = state.join(WORKTREES);
        folder.starts_with(&worktrees)
            || std::fs::canonicalize(worktrees).is_ok_and(|worktrees| folder.starts_with(worktrees))
    })
}

/// Whether a run's worktree is there.
pub(crate) fn has_worktree(path: &Path) -> bool {
    path.join(".git").is_file()
}

/// Whether the queue's folder is where it was.
pub(crate) fn has_queue(queue: &Queue) -> bool {
    queue.home.root.is_dir()
}

/// Whether git's folder of the queue is where it was.
pub(crate) fn has_repository(queue: &Queue) -> bool {
    queue.home.git_dir().is_dir()
}

/// Remove the folders above a worktree that is gone, up to that of the program itself, if they are empty.
pub(crate) fn forget_worktree_folders(worktree: &Path) {
    let mut above = worktree.ancestors().skip(1).take(3);
    let _ = above.try_for_each(std::fs::remove_dir);
}

/// Whether this is a dry run.
pub(crate) fn is_dry() -> bool {
    is_frozen()
}

fn io(what: &str, path: &Path, error: &std::io::Error) -> Fault {
    Fault::of_system(format_args!("{what} `{}`", path.display()), error)
}
