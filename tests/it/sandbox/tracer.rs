//! Follows every thread and process of a program from system call to system call, and strikes at one of them.
//!
//! Unlike a wrapper that counts for each process on its own, this numbers all calls that touch the world in the
//! order in which they come, whoever makes them, so that each of them can be reached. At the one that is meant the
//! whole tree of processes is killed, or the process that makes the call, or the call is refused. What opens a
//! socket, and who outlives the program, is noted on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A call that touches the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) call: &'static str,
    /// The path or what the descriptor leads to.
    pub(crate) what: String,
    /// Whether the program itself makes it, and not one that it started.
    pub(crate) own: bool,
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.own { "" } else { " of a child" };
        write!(f, "{}{whose} at {}", self.call, self.what)
    }
}

/// What happens instead of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The program and all that it started are killed; the call is not executed.
    KillAll,
    /// The process that makes the call is killed; who started it goes on.
    KillOne,
    /// The call is not executed and ends with this error.
    Refuse(Errno),
}

/// Strike at the call with this number, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strike {
    pub(crate) at: usize,
    pub(crate) blow: Blow,
}

/// What was seen of a program.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) status: i32,
    pub(super) touches: Vec<Touch>,
    /// The families of the sockets that were opened.
    pub(super) sockets: BTreeSet<i32>,
    /// How many processes were there when the program itself had ended.
    pub(super) left: usize,
    pub(super) struck: bool,
}

/// Follow a process that has stopped itself, until it and all that it started have ended.
pub(super) fn follow(main: Pid, strike: Option<Strike>) -> nix::Result<Seen> {
    waitpid(main, Some(WaitPidFlag::WUNTRACED | WaitPidFlag::__WNOTHREAD))?;
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(main, options)?;
    kill(main, Signal::SIGCONT)?;
    let mut follower = Follower { main, strike, begun: false, tasks: BTreeMap::new(), seen: Seen::default() };
    loop {
        // Only what this thread follows: the other tests have children too.
        match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
            Ok(status) => follower.hear(status),
            Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => return Ok(follower.seen),
            Err(error) => return Err(error),
        }
    }
}

/// Events of a task that makes another one.
const MAKES_ANOTHER: [i32; 3] = [libc::PTRACE_EVENT_FORK, libc::PTRACE_EVENT_VFORK, libc::PTRACE_EVENT_CLONE];

/// A thread of a process.
#[derive(Debug, Default)]
struct Task {
    /// Between the entry to a call and its end.
    inside: bool,
    /// The error that the call is to end with.
    refused: Option<Errno>,
}

struct Follower {
    main: Pid,
    strike: Option<Strike>,
    /// Whether the program itself has begun, and not what starts it.
    begun: bool,
    tasks: BTreeMap<i32, Task>,
    seen: Seen,
}

impl Follower {
    fn hear(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::Exited(pid, code) => self.ended(pid, code),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, 128 + signal as i32),
            WaitStatus::PtraceSyscall(pid) => {
                self.syscall(pid);
                ptrace::syscall(pid, None).ok();
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                self.tasks.entry(pid.as_raw()).or_default();
                if event == libc::PTRACE_EVENT_EXEC && pid == self.main {
                    self.begun = true;
                }
                if MAKES_ANOTHER.contains(&event) {
                    // Its own first stop may be heard only after the end of who made it.
                    let made = ptrace::getevent(pid).ok().and_then(|made| i32::try_from(made).ok());
                    self.tasks.entry(made.unwrap_or_else(|| pid.as_raw())).or_default();
                }
                ptrace::syscall(pid, None).ok();
            }
            WaitStatus::Stopped(pid, signal) => drop(ptrace::syscall(pid, signal)),
            _ => {}
        }
    }

    fn ended(&mut self, pid: Pid, status: i32) {
        self.tasks.remove(&pid.as_raw());
        if pid == self.main {
            self.seen.status = status;
            self.seen.left = self.processes().len();
        }
    }

    /// The processes that are there, each by its first thread.
    fn processes(&self) -> BTreeSet<i32> {
        self.tasks.keys().filter_map(|task| process_of(*task)).collect()
    }

    /// A task is at the entry to a call, or at its end.
    fn syscall(&mut self, pid: Pid) {
        let Ok(mut registers) = ptrace::getregs(pid) else { return };
        let task = self.tasks.entry(pid.as_raw()).or_default();
        // A new task is first seen at the end of the call that made it.
        let enters = !task.inside && registers.rax == -i64::from(libc::ENOSYS) as u64;
        task.inside = enters;
        if let Some(error) = task.refused.take().filter(|_| !enters) {
            registers.rax = -i64::from(error as i32) as u64;
            ptrace::setregs(pid, registers).ok();
        }
        if !enters || !self.begun {
            return;
        }
        let call = Call {
            number: registers.orig_rax as i64,
            arguments: [registers.rdi, registers.rsi, registers.rdx, registers.r10],
        };
        if call.number == libc::SYS_socket {
            self.seen.sockets.insert(call.arguments[0] as i32);
        }
        let Some(name) = call.touches() else { return };
        let own = process_of(pid.as_raw()) == Some(self.main.as_raw());
        let number = self.seen.touches.len();
        self.seen.touches.push(Touch { call: name, what: call.what(pid, name), own });
        if let Some(strike) = self.strike.filter(|strike| strike.at == number) {
            self.seen.struck = true;
            self.strike(pid, strike.blow, registers);
        }
    }

    fn strike(&mut self, pid: Pid, blow: Blow, mut registers: libc::user_regs_struct) {
        match blow {
            Blow::Refuse(error) => {
                // The kernel knows no such call and does nothing.
                registers.orig_rax = u64::MAX;
                ptrace::setregs(pid, registers).ok();
                self.tasks.entry(pid.as_raw()).or_default().refused = Some(error);
            }
            Blow::KillAll => self.processes().into_iter().for_each(end),
            Blow::KillOne => process_of(pid.as_raw()).into_iter().for_each(end),
        }
    }
}

fn end(process: i32) {
    kill(Pid::from_raw(process), Signal::SIGKILL).ok();
}

/// The process that a thread belongs to.
fn process_of(task: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{task}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// A system call at its entry.
struct Call {
    number: i64,
    arguments: [u64; 4],
}

impl Call {
    /// Its name, if it changes the disk, makes a change last, takes a lock, or starts somebody.
    fn touches(&self) -> Option<&'static str> {
        let [_, second, third, _] = self.arguments;
        let writes = (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY | libc::O_RDWR) as u64;
        let locks = [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
        let clones = 0x4004_9409;
        match self.number {
            libc::SYS_open => (second & writes != 0).then_some("open"),
            libc::SYS_openat => (third & writes != 0).then_some("openat"),
            libc::SYS_fcntl => locks.contains(&(second as i32)).then_some("fcntl"),
            libc::SYS_ioctl => (second == clones).then_some("ioctl"),
            number => NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name),
        }
    }

    /// The path that it names, or where its descriptor leads.
    fn what(&self, pid: Pid, name: &str) -> String {
        let [first, second, _, fourth] = self.arguments;
        let by_descriptor = |fd: u64| {
            let link = fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32));
            link.map(|path| path.display().to_string()).unwrap_or_default()
        };
        let text = |at: u64| text_at(pid, at);
        match name {
            "open" | "creat" | "mkdir" | "rmdir" | "unlink" | "chmod" | "truncate" | "execve" => text(first),
            "rename" | "link" | "symlink" => text(second),
            "openat" | "openat2" | "mkdirat" | "unlinkat" | "fchmodat" | "utimensat" | "mknodat" => {
                text(second)
            }
            "renameat" | "renameat2" | "linkat" => text(fourth),
            "symlinkat" => text(self.arguments[2]),
            "clone" | "clone3" | "fork" | "vfork" => String::new(),
            _ => by_descriptor(first),
        }
    }
}

/// A text in the memory of a process, up to its end or the end of what can be read.
fn text_at(pid: Pid, at: u64) -> String {
    let mut bytes = vec![0; 512];
    let read = File::open(format!("/proc/{pid}/mem")).and_then(|memory| memory.read_at(&mut bytes, at));
    bytes.truncate(read.unwrap_or_default());
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Calls that always touch the world.
const NAMES: [(i64, &str); 44] = [
    (libc::SYS_openat2, "openat2"),
    (libc::SYS_creat, "creat"),
    (libc::SYS_write, "write"),
    (libc::SYS_pwrite64, "pwrite64"),
    (libc::SYS_writev, "writev"),
    (libc::SYS_pwritev, "pwritev"),
    (libc::SYS_pwritev2, "pwritev2"),
    (libc::SYS_truncate, "truncate"),
    (libc::SYS_ftruncate, "ftruncate"),
    (libc::SYS_fallocate, "fallocate"),
    (libc::SYS_copy_file_range, "copy_file_range"),
    (libc::SYS_sendfile, "sendfile"),
    (libc::SYS_mkdir, "mkdir"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_mknodat, "mknodat"),
    (libc::SYS_rename, "rename"),
    (libc::SYS_renameat, "renameat"),
    (libc::SYS_renameat2, "renameat2"),
    (libc::SYS_link, "link"),
    (libc::SYS_linkat, "linkat"),
    (libc::SYS_symlink, "symlink"),
    (libc::SYS_symlinkat, "symlinkat"),
    (libc::SYS_unlink, "unlink"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_rmdir, "rmdir"),
    (libc::SYS_chmod, "chmod"),
    (libc::SYS_fchmod, "fchmod"),
    (libc::SYS_fchmodat, "fchmodat"),
    (libc::SYS_fchown, "fchown"),
    (libc::SYS_fchownat, "fchownat"),
    (libc::SYS_utimensat, "utimensat"),
    (libc::SYS_setxattr, "setxattr"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_sync_file_range, "sync_file_range"),
    (libc::SYS_syncfs, "syncfs"),
    (libc::SYS_sync, "sync"),
    (libc::SYS_msync, "msync"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_clone, "clone"),
    (libc::SYS_clone3, "clone3"),
    (libc::SYS_fork, "fork"),
    (libc::SYS_vfork, "vfork"),
    (libc::SYS_execve, "execve"),
];
