//! A program that goes on while the test looks at it. It is ended with the test, however that ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::{Call, PATIENCE};

/// A started program and the lines that it writes.
#[derive(Debug)]
pub(crate) struct Streaming {
    child: Child,
    shown: String,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Call<'_> {
    /// Start it, and read its lines as they come.
    pub(crate) fn stream(mut self) -> Streaming {
        let shown = self.shown();
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let (tell, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more: the pipe is closed, as that of a reader that ended.
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let (tell, errors) = channel();
        let mut stderr = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            let _ = tell.send(text);
        });
        Streaming { child, shown, lines, errors }
    }
}

impl Streaming {
    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("{}: no further line: {error}", self.shown))
    }

    /// The next line, if it comes in time.
    pub(crate) fn line_within(&self, limit: Duration) -> Option<String> {
        self.lines.recv_timeout(limit).ok()
    }

    /// The lines that are there already, after those that were read.
    pub(crate) fn ready(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Wait until ctrl-c does not simply end the program, or it has ended.
    pub(crate) fn until_it_hears_ctrl_c(&mut self) {
        let status = format!("/proc/{}/status", self.child.id());
        let shown = self.shown.clone();
        super::until(&format!("`{shown}` hears ctrl-c"), || {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
            caught & (1 << (Signal::INT.as_raw() - 1)) != 0 || self.child.try_wait().unwrap().is_some()
        });
    }

    /// Send a signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Wait for the end: the status as a shell has it, how long it took, and what was said on stderr.
    #[track_caller]
    pub(crate) fn end(mut self) -> (i32, Duration, String) {
        let (start, shown) = (Instant::now(), self.shown.clone());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let status = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap();
                return (status, start.elapsed(), self.errors.recv_timeout(PATIENCE).unwrap_or_default());
            }
            assert!(start.elapsed() < PATIENCE, "{shown}: does not end");
            thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
