//! Programs that are followed from system call to system call.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use nix::unistd::Pid;

use super::tracer::{self, Strike, Touch};
use super::{Call, Output, PATIENCE};

/// How a program that was followed ended, and what it did.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) output: Output,
    /// Every call with which it touched the world, in their order.
    pub(crate) touches: Vec<Touch>,
    /// The families of the sockets that it opened, as numbers of the system.
    pub(crate) sockets: BTreeSet<i32>,
    /// How many processes were there when it had ended.
    pub(crate) left: usize,
    /// Whether it came to the call that was to be struck.
    pub(crate) struck: bool,
}

/// Waits to be followed, and then becomes the program.
const WAITING: [&str; 3] = ["sh", "-c", "kill -STOP $$; exec \"$0\" \"$@\""];

impl Call<'_> {
    /// Run it under the tracer; `None` where the system does not let a test follow its own children.
    pub(crate) fn traced(self, strike: Option<Strike>) -> Option<Traced> {
        let shown = self.sandbox.neutral(&self.shown());
        let mut call = self.under(&WAITING);
        let streams = [(); 2].map(|()| tempfile::tempfile().unwrap());
        let stdin = match call.input.take() {
            Some(input) => Stdio::from(file_with(&input)),
            None => Stdio::null(),
        };
        let [stdout, stderr] = streams.each_ref().map(|file| file.try_clone().unwrap());
        call.command.stdin(stdin).stdout(stdout).stderr(stderr).process_group(0);
        let mut child = call.command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let group = rustix::process::Pid::from_child(&child);
        let (done, ended) = mpsc::channel::<()>();
        let guard = thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
            }
        });
        let seen = tracer::follow(Pid::from_raw(child.id().cast_signed()), strike);
        if seen.is_err() {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        // The tracer has heard of its end already; where it could not follow, this ends it.
        child.wait().ok();
        drop(done);
        guard.join().unwrap();
        let seen = seen.ok()?;
        let [stdout, stderr] = streams.map(|file| call.sandbox.neutral(&read(file)));
        let touches = seen.touches.into_iter();
        let neutral = |touch: Touch| Touch { what: call.sandbox.neutral(&touch.what), ..touch };
        Some(Traced {
            output: Output { shown, status: seen.status, stdout, stderr },
            touches: touches.map(neutral).collect(),
            sockets: seen.sockets,
            left: seen.left,
            struck: seen.struck,
        })
    }
}

fn file_with(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn read(mut file: File) -> String {
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::super::tracer::{Blow, Strike};
    use super::super::{Place, Sandbox};
    use super::Traced;

    /// Two folders made by the program, and one by a program that it starts.
    fn folders<'a>(place: &Place<'a>) -> super::Call<'a> {
        place.program("sh", ["-c", "mkdir a; (mkdir b; true); mkdir c; echo ended"])
    }

    fn made(place: &Place<'_>) -> String {
        ["a", "b", "c"].into_iter().filter(|name| place.path(name).is_dir()).collect()
    }

    fn struck(at: usize, blow: Blow) -> Option<(Traced, String)> {
        let sandbox = Sandbox::new();
        let traced = folders(&sandbox.root()).traced(Some(Strike { at, blow }))?;
        Some((traced, made(&sandbox.root())))
    }

    #[test]
    fn every_process_is_followed_and_each_call_can_be_struck() {
        let sandbox = Sandbox::new();
        let Some(seen) = folders(&sandbox.root()).traced(None) else { return };
        assert_eq!((seen.output.ok(), made(&sandbox.root())), ("ended\n".to_owned(), "abc".to_owned()));
        assert_eq!((seen.left, seen.struck, seen.sockets.len()), (0, false, 0));
        let mkdirs: Vec<usize> =
            (0..seen.touches.len()).filter(|n| seen.touches[*n].call == "mkdir").collect();
        assert_eq!(mkdirs.len(), 3, "{:#?}", seen.touches);
        assert!(seen.touches.iter().any(|touch| !touch.own && touch.what == "b"));
        for (n, at) in mkdirs.iter().enumerate() {
            let (traced, left) = struck(*at, Blow::KillAll).unwrap();
            assert_eq!((left.as_str(), traced.output.status), (&"abc"[..n], 137));
            let (traced, left) = struck(*at, Blow::KillOne).unwrap();
            assert_eq!((left.len(), traced.output.status), (2, 0), "the shell goes on");
            let (traced, left) = struck(*at, Blow::Refuse(Errno::ENOSPC)).unwrap();
            assert!(traced.output.stderr.contains("No space left"), "{}", traced.output.stderr);
            assert_eq!((left.len(), traced.struck), (2, true));
        }
    }

    #[test]
    fn sockets_and_those_that_stay_are_seen() {
        let sandbox = Sandbox::new();
        let stays = sandbox
            .root()
            .program("sh", ["-c", "(while kill -0 $$; do :; done) 2>/dev/null & exit 3"])
            .traced(None);
        let Some(stays) = stays else { return };
        assert_eq!((stays.output.status, stays.left), (3, 1));
        let python = "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)";
        let call =
            sandbox.root().program("sh", ["-c", "command -v python3 && exec python3 -c \"$0\"", python]);
        let opened = call.traced(None).unwrap();
        assert!(opened.output.status != 0 || opened.sockets.contains(&2), "{opened:?}");
    }
}
