//! Programs that are killed, or refused by the system, at each place where they change the disk.
//!
//! `strace` rehearses the program once to learn which calls it makes; then each of them in turn is not executed:
//! the process is killed in its stead, or gets an error such as `ENOSPC`. Every turn has a fresh sandbox. Where
//! `strace` is missing or may not trace, the test says so on stderr and passes.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::io::Write as _;

use crate::sandbox::{Call, Output, Sandbox};

/// The calls that change what is on the disk, or make it last; `?` as not every processor has all of them.
const CHANGES: &str = "trace=?open,?openat,?openat2,?creat,?write,?pwrite64,?writev,?pwritev,?ftruncate,?fallocate,\
    ?copy_file_range,?sendfile,?mkdir,?mkdirat,?rename,?renameat,?renameat2,?link,?linkat,?symlink,?symlinkat,\
    ?unlink,?unlinkat,?rmdir,?chmod,?fchmod,?fchmodat,?fsync,?fdatasync,?sync_file_range,?syncfs";

/// What happens instead of the call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accident {
    /// The process is killed; the call is not executed.
    Killed,
    /// The call fails with this error, for example `ENOSPC`.
    Refused(&'static str),
}

/// One call of a program: the nth of its kind in one of its processes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) syscall: String,
    pub(crate) nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {}", self.syscall, self.nth)
    }
}

/// Let the accident happen at every change in turn. `scene` sets up a sandbox and prepares the program; `check`
/// sees what is left, where it happened, and how the program ended.
pub(crate) fn at_every_change(
    accident: Accident,
    scene: impl for<'a> Fn(&'a Sandbox) -> Call<'a>,
    check: impl Fn(&Sandbox, &Point, &Output),
) {
    if !can_trace() {
        return;
    }
    let rehearsal = Sandbox::new();
    let points = points(scene(&rehearsal));
    assert!(!points.is_empty(), "the program changes nothing on the disk");
    for point in points {
        let sandbox = Sandbox::new();
        let output = at_syscall(scene(&sandbox), accident, &point);
        check(&sandbox, &point, &output);
    }
}

/// Run a program and let the accident happen at one point.
pub(crate) fn at_syscall(call: Call<'_>, accident: Accident, point: &Point) -> Output {
    let Point { syscall, nth } = point;
    let inject = match accident {
        Accident::Killed => format!("inject={syscall}:signal=KILL:when={nth}"),
        Accident::Refused(error) => format!("inject={syscall}:error={error}:when={nth}"),
    };
    let trace = format!("trace={syscall}");
    call.under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]).run()
}

/// Whether `strace` works here; if not, a word about it where the person sees it.
pub(crate) fn can_trace() -> bool {
    let probe = Sandbox::new().root().program("sh", ["-c", "strace -f -qq -o /dev/null true"]).run();
    if probe.status != 0 {
        // Not `eprintln!`: that would be captured, and a test that did nothing would look like one that did.
        let word = format!("SKIPPED a crash test: strace does not work here: {}\n", probe.stderr.trim());
        std::io::stderr().write_all(word.as_bytes()).ok();
    }
    probe.status == 0
}

/// The changes that a program makes, by running it.
pub(crate) fn points(call: Call<'_>) -> BTreeSet<Point> {
    let log = tempfile::NamedTempFile::new().unwrap();
    call.under(&["strace", "-f", "-qq", "-o", log.path().to_str().unwrap(), "-e", CHANGES]).run();
    points_in(&String::from_utf8_lossy(&fs::read(log.path()).unwrap()))
}

/// `strace` counts the calls of each kind in each process on its own, and so does this.
fn points_in(log: &str) -> BTreeSet<Point> {
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut points = BTreeSet::new();
    for line in log.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let Some((syscall, arguments)) = call.trim_start().split_once('(') else { continue };
        // The end of a call that was told before, a signal, an exit.
        if !syscall.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let count = counts.entry((process, syscall)).or_default();
        *count += 1;
        let only_reads =
            syscall.starts_with("open") && !arguments.contains("O_CREAT") && !arguments.contains("O_TRUNC");
        if !only_reads {
            points.insert(Point { syscall: syscall.to_owned(), nth: *count });
        }
    }
    points
}

#[test]
fn calls_are_counted_by_process_and_kind() {
    let log = "\
10 openat(AT_FDCWD, \"lib\", O_RDONLY) = 3
10 openat(AT_FDCWD, \"f\", O_WRONLY|O_CREAT, 0666) = 3
11 write(3, \"a(b\", 1 <unfinished ...>
10 write(3, \"a\", 1) = 1
11 <... write resumed>) = 1
11 write(3, \"a\", 1) = 1
10 --- SIGCHLD {si_signo=SIGCHLD} ---
10 +++ exited with 0 +++
";
    let shown: Vec<_> = points_in(log).iter().map(Point::to_string).collect();
    assert_eq!(shown, ["openat number 2", "write number 1", "write number 2"]);
}

#[test]
fn a_program_is_killed_before_each_change() {
    let folders = ["a", "b", "c"];
    at_every_change(
        Accident::Killed,
        |sandbox| sandbox.root().program("mkdir", folders),
        |sandbox, point, output| {
            let made = folders.iter().filter(|name| sandbox.root().path(name).is_dir()).count();
            assert_eq!((made, output.status), (point.nth - 1, 137), "{point}");
        },
    );
}

#[test]
fn a_program_is_refused_once_and_goes_on() {
    at_every_change(
        Accident::Refused("ENOSPC"),
        |sandbox| sandbox.root().program("ln", ["-s", "nowhere", "link"]),
        |sandbox, point, output| {
            assert_eq!(output.status, 1, "{point}");
            assert!(!sandbox.root().path("link").is_symlink() || point.syscall == "write", "{point}");
        },
    );
}
