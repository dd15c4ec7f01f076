//! Starting a program that a person named in the settings: an argument vector, never a shell.
//!
//! It gets its input, a folder and a time. What it prints is read as far as a bound and the rest thrown away; when it
//! has ended, or when its time is over, its whole process group is ended with it.

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::env::Stopwatch;

/// So much of what it prints is kept.
const KEPT: usize = 2 << 10;

/// How often to look whether it has ended, or is to be ended.
const LOOK: Duration = Duration::from_millis(20);

/// A program to start.
#[derive(Debug)]
pub(crate) struct Program<'p> {
    pub(crate) command: &'p [String],
    pub(crate) folder: PathBuf,
    pub(crate) input: Vec<u8>,
    pub(crate) deadline: Duration,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    /// Why it counts as failed, with what it said last on stderr.
    Failed(String),
    /// It was ended because the caller wished so.
    Stopped,
}

impl Program<'_> {
    /// Run it to its end, or until `stop` says so.
    pub(crate) fn run(self, stop: impl Fn() -> bool) -> End {
        let [program, arguments @ ..] = self.command else { return End::Done };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return End::Failed(format!("`{program}` cannot be started: {error}")),
        };
        let group = Pid::from_child(&child);
        let said = self.serve(&mut child);
        let end = wait(&mut child, self.deadline, stop);
        // Also when it has ended: what it left behind would run on with nobody to know of it.
        let _ = kill_process_group(group, Signal::KILL);
        let status = match end {
            Ended::Itself(status) => status,
            Ended::Late => {
                let _ = child.wait();
                return End::Failed(format!(
                    "`{program}` has not ended after {} seconds and was ended{}",
                    self.deadline.as_secs(),
                    tail(&said)
                ));
            }
            Ended::Stopped => {
                let _ = child.wait();
                return End::Stopped;
            }
        };
        if status.success() {
            End::Done
        } else {
            End::Failed(format!("`{program}`: {status}{}", tail(&said)))
        }
    }

    /// Feed it and read it, each on a thread of its own, so that no pipe is ever full.
    fn serve(&self, child: &mut Child) -> Receiver<Vec<u8>> {
        let (stdin, input) = (child.stdin.take(), self.input.clone());
        std::thread::spawn(move || {
            // A program need not read what it is given.
            stdin.map(|mut stdin| stdin.write_all(&input).is_ok())
        });
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || bounded(stdout));
        }
        let (tell, said) = channel();
        if let Some(stderr) = child.stderr.take() {
            std::thread::spawn(move || {
                // Nobody waits for it any more: then nobody needs it.
                let _ = tell.send(bounded(stderr));
            });
        }
        said
    }
}

enum Ended {
    Itself(ExitStatus),
    Late,
    Stopped,
}

fn wait(child: &mut Child, deadline: Duration, stop: impl Fn() -> bool) -> Ended {
    let watch = Stopwatch::start();
    // A channel that nobody writes to is a clock that can be asked for a short while.
    let (_keep, pause) = channel::<()>();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ended::Itself(status);
        }
        if stop() {
            return Ended::Stopped;
        }
        if watch.passed() >= deadline {
            return Ended::Late;
        }
        let rest = deadline.saturating_sub(watch.passed()).min(LOOK);
        let _ = pause.recv_timeout(rest);
    }
}

/// All that comes, of which the beginning is kept.
fn bounded(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = pipe.read(&mut piece) {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..count.min(room)]);
    }
    kept
}

fn tail(said: &Receiver<Vec<u8>>) -> String {
    let said = said.recv_timeout(LOOK).unwrap_or_default();
    let text = String::from_utf8_lossy(&said);
    match text.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("; it said: {}", crate::domain::text::shown(line.trim())),
        None => String::new(),
    }
}
