//! Telling one process from another that got its number later.

use std::fs;

/// When a running process began, in a form that no other process on this machine shares, reboots included.
/// `None` if it does not run, or if the system does not tell.
pub(super) fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may contain anything.
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    // A process that has ended and that nobody has asked about yet does not run.
    (!matches!(state, "Z" | "X")).then(|| format!("{}:{ticks}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_has_a_beginning_and_another_has_a_different_one() {
        let Some(own) = start_of(std::process::id()) else { return };
        assert_eq!(start_of(std::process::id()), Some(own.clone()));
        assert_ne!(start_of(1), Some(own));
        assert_eq!(start_of(u32::MAX), None);
    }
}
