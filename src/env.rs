//! The facts of the world that a verb needs: the time, random bits, a few environment variables, and the wish that it ends.
//!
//! The only module that reads the clock and the environment. `SWIFT_TEST_NOW` (an RFC 3339 instant) and
//! `SWIFT_TEST_SEED` (a number) fix the first two, so that tests and documents repeat exactly.

#![expect(clippy::disallowed_methods, reason = "this module is where the clock and the environment are read")]

pub(crate) mod signals;

use std::cell::Cell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::actor::Actor;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{EventId, OperationId, ProposalId, RunId, SegmentId, SessionId, TaskId, WriterId};
use crate::domain::mode::Surroundings;

/// Clock, identifiers and environment of one process.
#[derive(Debug)]
pub(crate) struct Env {
    fixed_now: Option<Timestamp>,
    seed: Cell<Option<u64>>,
    /// The last identifier's random part in this process, so that a batch sorts in the order it was made.
    last: Cell<(u64, u128)>,
}

/// The 80 random bits of an identifier.
const RANDOM_BITS: u128 = (1 << 80) - 1;

impl Env {
    /// Read the process's environment.
    ///
    /// # Errors
    /// [`Code::Usage`] if a test variable is set and cannot be read.
    pub(crate) fn of_process() -> Result<Self> {
        let fixed_now = match variable("SWIFT_TEST_NOW") {
            Some(text) => Some(text.parse().map_err(|_| bad_variable("SWIFT_TEST_NOW", &text))?),
            None => None,
        };
        let seed = match variable("SWIFT_TEST_SEED") {
            Some(text) => Some(text.parse().map_err(|_| bad_variable("SWIFT_TEST_SEED", &text))?),
            None => None,
        };
        check_clock(fixed_now)?;
        Ok(Env { fixed_now, seed: Cell::new(seed), last: Cell::new((0, 0)) })
    }

    /// An environment for another thread: the same clock, and chance of its own.
    pub(crate) fn split(&self) -> Env {
        let seed = self.seed.get().map(|_| self.random() as u64);
        Env { fixed_now: self.fixed_now, seed: Cell::new(seed), last: Cell::new((0, 0)) }
    }

    /// What spreads the pauses of several programs.
    pub(crate) fn jitter(&self) -> u64 {
        self.random() as u64
    }

    /// The present instant for a program that runs on: a fixed clock goes on from where it is fixed.
    pub(crate) fn now_after(&self, passed: Duration) -> Timestamp {
        match self.fixed_now {
            Some(fixed) => fixed.saturating_add(passed).unwrap_or(fixed),
            None => self.now(),
        }
    }

    /// The present instant, to the millisecond.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.fixed_now.unwrap_or_else(clock);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// A fresh task id. Its random part is its own even within one millisecond: people type the beginning of it.
    pub(crate) fn task_id(&self) -> TaskId {
        let milliseconds = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        TaskId::new(milliseconds, self.random() & RANDOM_BITS)
    }

    /// A fresh operation id.
    pub(crate) fn operation_id(&self) -> OperationId {
        let (milliseconds, random) = self.fresh();
        OperationId::new(milliseconds, random)
    }

    /// A fresh event id; later ones of one process sort after earlier ones.
    pub(crate) fn event_id(&self) -> EventId {
        let (milliseconds, random) = self.fresh();
        EventId::new(milliseconds, random)
    }

    /// A fresh writer id.
    pub(crate) fn writer_id(&self) -> WriterId {
        let (milliseconds, random) = self.fresh();
        WriterId::new(milliseconds, random)
    }

    /// A fresh segment id.
    pub(crate) fn segment_id(&self) -> SegmentId {
        let (milliseconds, random) = self.fresh();
        SegmentId::new(milliseconds, random)
    }

    /// A fresh session id.
    pub(crate) fn session_id(&self) -> SessionId {
        let (milliseconds, random) = self.fresh();
        SessionId::new(milliseconds, random)
    }

    /// A fresh run id.
    pub(crate) fn run_id(&self) -> RunId {
        let (milliseconds, random) = self.fresh();
        RunId::new(milliseconds, random)
    }

    /// A fresh session id for Claude Code: a UUID of version 4 (RFC 9562).
    pub(crate) fn session_uuid(&self) -> String {
        let (high, low) = (self.random(), self.random());
        let part = |number: u128, bits: u32| number & ((1 << bits) - 1);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            part(high, 32),
            part(high >> 32, 16),
            part(high >> 48, 12),
            0x8000 | part(high >> 60, 14),
            part(low, 48)
        )
    }

    /// A number below 1000 by chance.
    pub(crate) fn chance(&self) -> u64 {
        u64::try_from(self.random() % 1000).unwrap_or(0)
    }

    /// The same for another thread: its identifiers are others than here.
    pub(crate) fn fork(&self, number: u64) -> Env {
        let seed = self.seed.get().map(|seed| split_mix(seed.wrapping_add(number.wrapping_mul(7919))).1);
        Env { fixed_now: self.fixed_now, seed: Cell::new(seed), last: Cell::new((0, 0)) }
    }

    /// A fresh proposal id.
    pub(crate) fn proposal_id(&self) -> ProposalId {
        let (milliseconds, random) = self.fresh();
        ProposalId::new(milliseconds, random)
    }

    /// Milliseconds and 80 bits; in one millisecond each call counts up by a small random step, so that the
    /// order of ids is the order of calls.
    fn fresh(&self) -> (u64, u128) {
        let milliseconds = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        let (last_milliseconds, last_random) = self.last.get();
        let random = if milliseconds == last_milliseconds {
            last_random.wrapping_add(1 + (self.random() >> 72)) & RANDOM_BITS
        } else {
            self.random() & RANDOM_BITS
        };
        self.last.set((milliseconds, random));
        (milliseconds, random)
    }

    fn random(&self) -> u128 {
        match self.seed.get() {
            None => from_system(),
            Some(seed) => {
                let (next, high) = split_mix(seed);
                let (next, low) = split_mix(next);
                self.seed.set(Some(next));
                (u128::from(high) << 64 | u128::from(low)) & RANDOM_BITS
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the next state and a number; for repeatable tests only.
fn split_mix(state: u64) -> (u64, u64) {
    let next = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = next;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (next, z ^ (z >> 31))
}

fn from_system() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    u128::from_le_bytes(bytes) & RANDOM_BITS
}

/// The instant that tests have fixed, for what is stamped away from an [`Env`].
pub(crate) fn fixed_instant() -> Option<Timestamp> {
    variable("SWIFT_TEST_NOW").and_then(|text| text.parse().ok())
}

/// Who acts, if the environment says so.
///
/// # Errors
/// [`Code::InvalidValue`] if `SWIFT_ACTOR` cannot be a name.
pub(crate) fn actor() -> Result<Option<Actor>> {
    variable("SWIFT_ACTOR").map(|name| name.parse()).transpose()
}

/// The login name, as the last resort for naming an actor: as the environment has it, as the system has it, or the
/// number alone, which there always is.
pub(crate) fn login() -> Option<Actor> {
    let id = rustix::process::getuid().as_raw();
    let named = variable("USER").or_else(|| variable("LOGNAME")).or_else(|| account(id));
    named.and_then(|name| name.parse().ok()).or_else(|| format!("user-{id}").parse().ok())
}

/// The name of a local account.
fn account(id: u32) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let id = id.to_string();
    let is_own = |line: &&str| line.split(':').nth(2) == Some(&id);
    accounts.lines().find(is_own)?.split(':').next().map(str::to_owned)
}

/// The name that git puts on commits if the environment says so, as it does on build machines.
pub(crate) fn author() -> Option<String> {
    variable("GIT_AUTHOR_NAME").or_else(|| variable("GIT_COMMITTER_NAME"))
}

/// A clock that never goes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begin to count.
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// The time since then.
    pub(crate) fn passed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The time zone of this machine, or that of `TZ`.
pub(crate) fn zone() -> TimeZone {
    TimeZone::system()
}

/// How many things this machine can do at a time.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The person's editor: `$VISUAL`, else `$EDITOR`.
pub(crate) fn editor() -> Option<String> {
    let set = |name| variable(name).filter(|editor| !editor.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR"))
}

/// How long to wait for a queue that another process holds. Ten seconds, or `SWIFT_LOCK_WAIT_MS`.
pub(crate) fn lock_wait() -> Duration {
    let set = variable("SWIFT_LOCK_WAIT_MS").and_then(|text| text.parse().ok());
    Duration::from_millis(set.unwrap_or(10_000))
}

/// Which operating system this is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Linux,
    MacOs,
    Other,
}

/// The operating system; tests of `SWIFT_TEST_PLATFORM` see another one.
pub(crate) fn platform() -> Platform {
    match variable("SWIFT_TEST_PLATFORM").as_deref().unwrap_or(std::env::consts::OS) {
        "linux" => Platform::Linux,
        "macos" => Platform::MacOs,
        _ => Platform::Other,
    }
}

/// The person's home folder.
pub(crate) fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The folder of the person's configuration.
pub(crate) fn config_home() -> Option<PathBuf> {
    let named = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| home().map(|home| home.join(".config")))
}

/// What `RUST_LOG` says is to be told, if it says anything.
pub(crate) fn log_filter() -> Option<String> {
    variable("RUST_LOG").filter(|text| !text.trim().is_empty())
}

/// The present instant where no [`Env`] is at hand; tests fix it.
pub(crate) fn instant() -> Timestamp {
    fixed_instant().unwrap_or_else(clock)
}

/// What the clock of the machine says; the end of all instants where it says something that is none.
fn clock() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX)
}

/// Seconds since 1970 at the beginning of the year 9000. Later than that, no room is left for leases and delays.
const LATEST: i64 = 221_845_392_000;

fn check_clock(fixed: Option<Timestamp>) -> Result<()> {
    let now = fixed.unwrap_or_else(clock);
    if (0..LATEST).contains(&now.as_second()) {
        return Ok(());
    }
    Err(Fault::new(
        Code::Io,
        format!("the clock of this machine cannot be right: it says {now} or something beyond"),
    )
    .hint("compare the clock: `date -u`"))
}

/// The folder in which the process was started.
///
/// # Errors
/// [`Code::Io`] if it is gone.
pub(crate) fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().map_err(|e| Fault::of_system("the current folder cannot be read", &e))
}

/// The folder for scratch files.
pub(crate) fn scratch_dir() -> PathBuf {
    std::env::temp_dir()
}

/// Where this machine keeps what programs do between two starts; absolute.
pub(crate) fn state_dir() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let named = variable("XDG_STATE_HOME").map(PathBuf::from).and_then(absolute);
    let usual =
        || variable("HOME").map(PathBuf::from).and_then(absolute).map(|home| home.join(".local/state"));
    named.or_else(usual)
}

/// How deep this process is below another `swift` that started it for a run.
pub(crate) fn depth() -> u32 {
    variable("SWIFT_DEPTH").map_or(0, |text| text.parse().unwrap_or(1))
}

/// What tells whether a person is there.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        ci: variable("CI"),
        attended: variable("CLAUDE_CODE_SESSION_ATTENDED"),
        entrypoint: variable("CLAUDE_CODE_ENTRYPOINT"),
    }
}

/// The words of the command line, without the program's name, as text.
///
/// # Errors
/// [`Code::Usage`] if a word is not UTF-8.
pub(crate) fn arguments() -> Result<Vec<String>> {
    std::env::args_os()
        .skip(1)
        .map(|word| {
            word.into_string().map_err(|word| {
                Fault::new(Code::Usage, format!("the argument `{}` is not UTF-8", word.to_string_lossy()))
            })
        })
        .collect()
}

/// The words of the command line as they are.
pub(crate) fn raw_arguments() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}

/// The whole environment, for building another one from parts of it.
pub(crate) fn variables() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// The path of the running program.
///
/// # Errors
/// [`Code::Io`] if the system does not tell.
pub(crate) fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Fault::of_system("the program's own path is unknown", &e))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn bad_variable(name: &str, text: &str) -> Fault {
    Fault::new(Code::Usage, format!("the variable {name} has a value that cannot be read: `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_ids_keep_their_order() {
        let make = || Env {
            fixed_now: Some(Timestamp::UNIX_EPOCH),
            seed: Cell::new(Some(7)),
            last: Cell::new((1, 0)),
        };
        let (a, b) = (make(), make());
        let first: Vec<_> = (0..100).map(|_| a.event_id()).collect();
        let second: Vec<_> = (0..100).map(|_| b.event_id()).collect();
        assert_eq!(first, second);
        assert!(first.is_sorted());
        let tasks: std::collections::HashSet<_> = (0..100).map(|_| a.task_id().short()).collect();
        assert_eq!(tasks.len(), 100, "tasks of one instant differ where people name them");
    }
}
