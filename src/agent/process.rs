//! The processes below this one: which there are, and their end.
//!
//! Linux tells in `/proc`. Elsewhere only process groups can be reached.

use std::collections::HashMap;
use std::path::Path;

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::guardian::WORD;
use crate::env;

/// A process of the system: its parent, and whether it is a zombie.
#[derive(Debug, Clone, Copy)]
struct Entry {
    pid: i32,
    parent: i32,
    session: i32,
    is_zombie: bool,
}

/// All processes that can be seen.
fn all() -> Vec<Entry> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| parse_stat(pid, &std::fs::read(format!("/proc/{pid}/stat")).ok()?)).collect()
}

/// `pid (name) state ppid …`; the name may have blanks and brackets of its own.
fn parse_stat(pid: i32, stat: &[u8]) -> Option<Entry> {
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(close + 2..)?).ok()?;
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let is_zombie = state == "Z" || state == "X";
    let parent = fields.next()?.parse().ok()?;
    // After the parent comes the process group.
    let session = fields.nth(1)?.parse().ok()?;
    Some(Entry { pid, parent, session, is_zombie })
}

/// The living descendants of this process, in the order in which they were born into the tree.
pub(super) fn descendants() -> Vec<Pid> {
    below(vec![getpid().as_raw_nonzero().get()], &all())
}

/// Kill the children of this process that are in other sessions, if they are meant, with everything below them; gives
/// how many there were.
pub(super) fn kill_children(is_meant: impl Fn(i32) -> bool) -> usize {
    let (all, own) = (all(), getpid().as_raw_nonzero().get());
    let Some(session) = all.iter().find(|entry| entry.pid == own).map(|entry| entry.session) else {
        return 0;
    };
    let strays = all.iter().filter(|entry| entry.parent == own && entry.session != session);
    let strays: Vec<&Entry> = strays.filter(|entry| is_meant(entry.pid)).collect();
    let living = strays.iter().filter(|entry| !entry.is_zombie).filter_map(|entry| Pid::from_raw(entry.pid));
    let mut found: Vec<Pid> = living.collect();
    found.extend(below(strays.iter().map(|entry| entry.pid).collect(), &all));
    for pid in &found {
        let _ = kill_process(*pid, Signal::KILL);
    }
    found.len()
}

/// The living processes below these.
fn below(mut waiting: Vec<i32>, all: &[Entry]) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<Entry>> = HashMap::new();
    for entry in all {
        children.entry(entry.parent).or_default().push(*entry);
    }
    let mut found = Vec::new();
    while let Some(parent) = waiting.pop() {
        for entry in children.remove(&parent).unwrap_or_default() {
            waiting.push(entry.pid);
            if !entry.is_zombie {
                found.extend(Pid::from_raw(entry.pid));
            }
        }
    }
    found
}

/// Send a signal to every living descendant; gives how many there were.
pub(super) fn signal_descendants(signal: Signal) -> usize {
    let all = descendants();
    for pid in &all {
        // One that ended by itself just now is what was wanted.
        let _ = kill_process(*pid, signal);
    }
    all.len()
}

/// Stop and then kill every living descendant: what is stopped cannot start another one meanwhile.
pub(super) fn kill_descendants() -> usize {
    signal_descendants(Signal::STOP);
    signal_descendants(Signal::KILL)
}

/// End the processes of one run wherever they hang, by the mark in their environment; gives how many there were.
pub(crate) fn kill_marked(mark: &str) -> usize {
    let own = getpid().as_raw_nonzero().get();
    let marked: Vec<Pid> = all()
        .iter()
        .filter(|entry| entry.pid != own && !entry.is_zombie && has_mark(entry.pid, mark))
        .filter_map(|entry| Pid::from_raw(entry.pid))
        .collect();
    for pid in &marked {
        let _ = kill_process(*pid, Signal::KILL);
    }
    marked.len()
}

/// Whether this process belongs to a run: its variables say so, or one above it guards a run. Variables can be dropped; who
/// breaks away from its parents becomes the guardian's own child.
pub(crate) fn is_of_a_run() -> bool {
    env::depth() > 0 || is_guarded()
}

fn is_guarded() -> bool {
    let mut pid = getpid().as_raw_nonzero().get();
    for _ in 0..MOST_ABOVE {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
        let Some(above) = parse_stat(pid, &stat).map(|entry| entry.parent).filter(|parent| *parent > 1)
        else {
            return false;
        };
        let command = std::fs::read(format!("/proc/{above}/cmdline")).unwrap_or_default();
        if command.split(|byte| *byte == 0).nth(1) == Some(WORD.as_bytes()) {
            return true;
        }
        pid = above;
    }
    false
}

/// How many processes above this one are looked at.
const MOST_ABOVE: usize = 64;

/// Whether a living process works in a folder; `None` where the system does not tell.
pub(crate) fn works_in(folder: &Path) -> Option<bool> {
    let all = all();
    if all.is_empty() {
        return None;
    }
    let own = getpid().as_raw_nonzero().get();
    let is_there = |entry: &Entry| {
        std::fs::read_link(format!("/proc/{}/cwd", entry.pid)).is_ok_and(|cwd| cwd.starts_with(folder))
    };
    Some(all.iter().any(|entry| entry.pid != own && !entry.is_zombie && is_there(entry)))
}

fn has_mark(pid: i32, mark: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

/// How often the kernel has killed for lack of memory in this process's control group.
pub(super) fn memory_kills() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let events = std::fs::read_to_string(format!("/sys/fs/cgroup{path}/memory.events")).ok()?;
    events.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_is_read() {
        let entry = parse_stat(7, b"7 (a) (b c) S 3 7 5 0").unwrap();
        assert_eq!((entry.parent, entry.session, entry.is_zombie), (3, 5, false));
        assert!(parse_stat(7, b"7 (x) Z 3 7 7").unwrap().is_zombie);
        assert!(parse_stat(7, b"nonsense").is_none());
    }
}
