//! A program that works under a guardian, as seen by `swift`.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::guardian::{self, TERMINATE};
use super::guardians;
use super::lines::{self, Line};
use super::process::kill_marked;
use crate::domain::run::evidence::Exit;
use crate::env;

/// What is to be started, and how.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) folder: PathBuf,
    /// All of it; nothing else of the environment reaches the program.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What it reads on stdin.
    pub(crate) input: Vec<u8>,
    /// A file that is locked for as long as anything of it lives.
    pub(crate) held: Option<PathBuf>,
    /// How long it may take to end when asked.
    pub(crate) grace: Duration,
    /// A variable of the environment that only this program and its descendants have: `NAME=value`.
    pub(crate) mark: Option<String>,
}

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Messages, one a line.
    Messages,
    /// Text of which the end is kept.
    Text,
}

/// What was heard of a program.
#[derive(Debug)]
pub(crate) enum Heard {
    Event(crate::domain::run::event::Event),
    Exit(Exit),
    /// Descendants that were still there when the program had ended.
    Left(u32),
    /// Nothing of it lives any more; how many could not be ended.
    Gone(u32),
    /// The guardian ended without a word.
    Unguarded,
    /// A stream has come to its end.
    Closed,
    /// The end of a text stream.
    Tail(Vec<u8>),
}

/// How much of a text is kept.
const TAIL: usize = 16 << 10;

/// A program and its guardian.
#[derive(Debug)]
pub(crate) struct Guarded {
    guardian: Child,
    control: UnixStream,
    heard: Receiver<Heard>,
    mark: Option<String>,
    /// Bytes that came on stdout so far.
    pub(crate) seen: Arc<AtomicU64>,
}

/// Start it.
///
/// # Errors
/// Those of starting this program once more.
pub(crate) fn start(order: Order, stdout: Stdout) -> std::io::Result<Guarded> {
    guardian::reap_for_all();
    let (control, theirs) = UnixStream::pair()?;
    let own = env::program().map_err(|fault| std::io::Error::other(fault.message))?;
    let mut command = Command::new(own);
    command.arg(guardian::WORD).arg(order.grace.as_millis().to_string());
    command.arg(order.held.as_ref().map_or(OsString::from("-"), |path| path.clone().into_os_string()));
    command.arg(&order.program).args(&order.arguments);
    command.current_dir(&order.folder).env_clear().envs(order.environment);
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut guardian = guardians::born(|| command.spawn())?;
    // The command holds a copy of the guardian's end, which would hide that it is gone.
    drop(command);
    let (tell, heard) = sync_channel(64);
    let seen = Arc::new(AtomicU64::new(0));
    let streams = (guardian.stdout.take(), guardian.stderr.take());
    let (Some(out), Some(err)) = streams else { return Err(std::io::Error::other("a stream is missing")) };
    let (to, count) = (tell.clone(), Arc::clone(&seen));
    std::thread::spawn(move || match stdout {
        Stdout::Messages => messages(out, &count, &to),
        Stdout::Text => tail(out, &count, &to),
    });
    let (to, nobody) = (tell.clone(), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || tail(err, &nobody, &to));
    let reader = control.try_clone()?;
    std::thread::spawn(move || reports(reader, &tell));
    let mut writer = control.try_clone()?;
    let input = order.input;
    std::thread::spawn(move || {
        let length = (input.len() as u64).to_le_bytes();
        // A guardian that is gone is told of by its reports.
        let _ = writer.write_all(&length).and_then(|()| writer.write_all(&input));
    });
    Ok(Guarded { guardian, control, heard, mark: order.mark, seen })
}

fn messages(out: impl Read, seen: &AtomicU64, tell: &SyncSender<Heard>) {
    lines::read(
        out,
        |count| _ = seen.fetch_add(count as u64, Ordering::Relaxed),
        |line| {
            let events = match line {
                Line::Whole(bytes) => super::message::events(bytes),
                Line::TooLong(length) => vec![crate::domain::run::event::Event::TooLong(length)],
            };
            events.into_iter().all(|event| tell.send(Heard::Event(event)).is_ok())
        },
    );
    let _ = tell.send(Heard::Closed);
}

/// Keep the end of a text.
fn tail(mut from: impl Read, seen: &AtomicU64, tell: &SyncSender<Heard>) {
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 8 << 10];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                seen.fetch_add(count as u64, Ordering::Relaxed);
                kept.extend_from_slice(&chunk[..count]);
                if kept.len() > 2 * TAIL {
                    kept.drain(..kept.len() - TAIL);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    kept.drain(..kept.len().saturating_sub(TAIL));
    let _ = tell.send(Heard::Tail(kept));
    let _ = tell.send(Heard::Closed);
}

/// What the guardian says.
fn reports(from: UnixStream, tell: &SyncSender<Heard>) {
    for line in BufReader::new(from).lines() {
        let Ok(line) = line else { break };
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let number = rest.parse::<i32>();
        let heard = match (word, number) {
            ("exited", Ok(code)) => Heard::Exit(Exit::Code(code)),
            ("signalled", Ok(signal)) => Heard::Exit(Exit::Signal(signal)),
            ("memory", _) => Heard::Exit(Exit::OutOfMemory),
            ("lost", _) => Heard::Exit(Exit::Unknown),
            ("broken", _) => Heard::Exit(Exit::NeverStarted),
            ("left", Ok(count)) => Heard::Left(count.unsigned_abs()),
            ("gone", Ok(count)) => {
                let _ = tell.send(Heard::Gone(count.unsigned_abs()));
                return;
            }
            _ => continue,
        };
        if tell.send(heard).is_err() {
            return;
        }
    }
    let _ = tell.send(Heard::Unguarded);
}

impl Guarded {
    /// What comes next, or nothing for as long as this.
    pub(crate) fn next(&self, wait: Duration) -> Option<Heard> {
        self.heard.recv_timeout(wait).ok()
    }

    /// Ask it to end; what does not is killed after the grace.
    pub(crate) fn terminate(&mut self) {
        let _ = self.control.write_all(&[TERMINATE]);
    }

    /// Do the guardian's work, because it is gone or does not do it.
    pub(crate) fn sweep(&mut self) {
        let _ = self.guardian.kill();
        // What was below it is this process's to end from then on.
        let _ = self.guardian.wait();
        let until = Instant::now() + Duration::from_secs(5);
        let marked = || self.mark.as_ref().map_or(0, |mark| kill_marked(mark));
        while marked() + guardians::kill_strays() > 0 && Instant::now() < until {
            std::thread::yield_now();
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        let _ = self.guardian.wait();
        guardians::buried(&self.guardian);
    }
}
