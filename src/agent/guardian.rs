//! The process between `swift` and the program that works, which outlives both by a moment.
//!
//! It is a session of its own and the reaper of everything below it: a process that breaks away from its parent, in
//! whatever session, becomes its child. It hears from `swift` over a socket on its stdin; when that closes, because
//! `swift` was killed, it ends everything. When it is killed itself, the program below gets a signal from the kernel
//! ([`become_program`]), and `swift`, a reaper too, does the rest.
//!
//! Over the socket: from `swift`, the length of the input in 8 bytes, the input, then a letter that asks for the end; to `swift`,
//! one line for each thing that happened.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, kill_process_group};

use super::process::{descendants, kill_descendants, memory_kills, signal_descendants};

/// The word by which the program knows that it is a guardian.
pub(crate) const WORD: &str = "__guard";

/// The word by which it knows that it is to become another program.
pub(crate) const BECOME: &str = "__become";

/// The letter that asks for an end with grace.
pub(super) const TERMINATE: u8 = b't';

/// The largest input.
const MOST_INPUT: u64 = 32 << 20;

/// How long what the program left behind may take to end when asked.
const LEFTOVER_GRACE: Duration = Duration::from_millis(300);

/// How long killing is repeated before the rest is given up as unkillable.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// How often killing is repeated.
const KILL_STEP: Duration = Duration::from_millis(20);

/// What the guardian hears.
enum Heard {
    /// `swift` asks for the end.
    Asked,
    /// `swift` is gone.
    Alone,
    Ended(Pid, WaitStatus, Rest),
    /// There is no descendant any more.
    Empty,
}

/// Whether anything was left when a process ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Some,
    None,
}

/// Become another program: with a signal from the kernel in case the guardian dies, and as a session of its own.
pub(crate) fn become_program(words: &[OsString]) -> u8 {
    use std::os::unix::process::CommandExt as _;
    let Some((program, arguments)) = words.split_first() else { return 2 };
    let guardian = rustix::process::getppid();
    die_with_parent();
    // The guardian may have died before the kernel was told.
    if rustix::process::getppid() != guardian {
        return 1;
    }
    let _ = rustix::process::setsid();
    let error = Command::new(program).args(arguments).exec();
    let _ = writeln!(std::io::stderr(), "{}: {error}", program.display());
    127
}

#[cfg(target_os = "linux")]
fn die_with_parent() {
    // A kernel that cannot do it leaves the other two nets.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}

/// Descendants that lose their parent become children of this process.
pub(super) fn reap_for_all() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Guard one program: `<milliseconds of grace> <file to hold or -> <program> <arguments…>`.
pub(crate) fn guard(words: &[OsString]) -> u8 {
    let [grace, held, command @ ..] = words else { return 2 };
    let Some(grace) = grace.to_str().and_then(|text| text.parse().ok()).map(Duration::from_millis) else {
        return 2;
    };
    let _ = rustix::process::setsid();
    reap_for_all();
    let _hold = hold(held);
    match start(command) {
        Ok(guard) => guard.watch(grace),
        Err(error) => {
            say(&format!("broken {error}"));
            1
        }
    }
}

/// As long as this file is locked, the run is not over.
fn hold(path: &OsString) -> Option<std::fs::File> {
    if path == "-" {
        return None;
    }
    let file = std::fs::File::open(path).ok()?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockShared).ok()?;
    Some(file)
}

fn say(line: &str) {
    let text = format!("{line}\n");
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stdin(), rest) {
            Ok(count) => rest = &rest[count..],
            Err(rustix::io::Errno::INTR) => {}
            // Nobody is there to be told.
            Err(_) => return,
        }
    }
}

struct Guard {
    main: Pid,
    heard: Receiver<Heard>,
    memory_kills: Option<u64>,
}

fn start(command: &[OsString]) -> std::io::Result<Guard> {
    let mut input = Vec::new();
    let mut length = [0; 8];
    std::io::stdin().read_exact(&mut length)?;
    let length = u64::from_le_bytes(length).min(MOST_INPUT);
    std::io::stdin().take(length).read_to_end(&mut input)?;
    let mut child =
        Command::new(std::env::current_exe()?).arg(BECOME).args(command).stdin(Stdio::piped()).spawn()?;
    let main = Pid::from_child(&child);
    let pipe = child.stdin.take();
    // From here on only the program and what it starts hold the two streams.
    let nothing = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(nothing.as_fd())?;
    rustix::stdio::dup2_stderr(nothing.as_fd())?;
    say(&format!("started {}", main.as_raw_nonzero()));
    std::thread::spawn(move || {
        if let Some(mut pipe) = pipe {
            // A program may end without having read everything.
            let _ = pipe.write_all(&input);
        }
    });
    let (tell, heard) = channel();
    let reaper = tell.clone();
    std::thread::spawn(move || reap(&reaper));
    std::thread::spawn(move || listen(&tell));
    Ok(Guard { main, heard, memory_kills: memory_kills() })
}

/// Wait for every descendant that becomes a child, so that none stays a zombie.
fn reap(tell: &Sender<Heard>) {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if status.exited() || status.signaled() => {
                let _ = tell.send(Heard::Ended(pid, status, rest()));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => {
                let _ = tell.send(Heard::Empty);
                return;
            }
        }
    }
}

/// Whether there are children, living or not; descendants of a process that has ended are among them by then. Asked of
/// the kernel, because to look through all processes takes longer than most of what a run waits for.
fn rest() -> Rest {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::All, look) {
        Err(rustix::io::Errno::CHILD) => Rest::None,
        _ => Rest::Some,
    }
}

fn listen(tell: &Sender<Heard>) {
    let mut letter = [0; 1];
    loop {
        match std::io::stdin().read(&mut letter) {
            Ok(1) => _ = tell.send(Heard::Asked),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            _ => {
                let _ = tell.send(Heard::Alone);
                return;
            }
        }
    }
}

/// How far the end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running,
    /// Asked to end; killed at this instant.
    Asked(Instant),
    /// Killed again and again; given up at this instant.
    Killing(Instant),
}

impl Guard {
    fn watch(self, grace: Duration) -> u8 {
        let mut stage = Stage::Running;
        let mut is_alone = false;
        loop {
            let wait = match stage {
                Stage::Running => Duration::from_secs(3600),
                Stage::Asked(until) => until.saturating_duration_since(Instant::now()),
                Stage::Killing(_) => KILL_STEP,
            };
            match self.heard.recv_timeout(wait) {
                Ok(Heard::Asked) if stage == Stage::Running => stage = self.ask(grace),
                Ok(Heard::Asked) => {}
                Ok(Heard::Alone) if !is_alone => {
                    is_alone = true;
                    if stage == Stage::Running {
                        stage = self.ask(grace);
                    }
                }
                Ok(Heard::Alone) => {}
                Ok(Heard::Ended(pid, status, rest)) if pid == self.main => {
                    self.tell_end(status);
                    if rest == Rest::None {
                        return gone(0);
                    }
                    stage = self.end_leftovers(stage);
                }
                Ok(Heard::Ended(..)) => {}
                Ok(Heard::Empty) => return gone(0),
                Err(RecvTimeoutError::Disconnected) => return gone(descendants().len()),
                Err(RecvTimeoutError::Timeout) => match stage {
                    Stage::Running => {}
                    Stage::Asked(_) => stage = kill(),
                    Stage::Killing(until) => {
                        let left = kill_descendants();
                        if Instant::now() > until {
                            return gone(left);
                        }
                    }
                },
            }
        }
    }

    /// Ask the program to end; it ends its own tools then.
    fn ask(&self, grace: Duration) -> Stage {
        let _ = kill_process(self.main, Signal::TERM);
        let _ = kill_process_group(self.main, Signal::TERM);
        Stage::Asked(Instant::now() + grace)
    }

    fn tell_end(&self, status: WaitStatus) {
        let by_kernel = || match (self.memory_kills, memory_kills()) {
            (Some(before), Some(now)) => now > before,
            _ => false,
        };
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => say(&format!("exited {code}")),
            (None, Some(9)) if by_kernel() => say("memory"),
            (None, Some(signal)) => say(&format!("signalled {signal}")),
            (None, None) => say("lost"),
        }
    }

    /// What outlives the program is asked, and soon killed.
    fn end_leftovers(&self, stage: Stage) -> Stage {
        if let Stage::Killing(_) = stage {
            return stage;
        }
        let left = signal_descendants(Signal::TERM);
        if left > 0 {
            say(&format!("left {left}"));
        }
        Stage::Asked(Instant::now() + LEFTOVER_GRACE)
    }
}

fn kill() -> Stage {
    kill_descendants();
    Stage::Killing(Instant::now() + KILL_PATIENCE)
}

fn gone(left: usize) -> u8 {
    say(&format!("gone {left}"));
    0
}
