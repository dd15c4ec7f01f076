//! What makes a commit wait, and what refuses it, looked at before anything is written.

use std::time::{Duration, Instant};

use super::disk;
use super::{Home, HomeKind};
use crate::domain::fault::{Code, Fault, Result};

/// Files in the git folder that show an unfinished operation, with its name.
const OPERATIONS: &[(&str, &str)] = &[
    ("rebase-merge", "a rebase"),
    ("rebase-apply/applying", "an `am`"),
    ("rebase-apply", "a rebase"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("sequencer", "a cherry-pick or revert"),
    ("BISECT_LOG", "a bisect"),
];

impl Home {
    /// Why a commit has to wait although nothing is wrong; `None` if it need not.
    pub(super) fn waits(&self) -> Result<Option<String>> {
        if self.kind == HomeKind::Tree && self.hook {
            return Ok(Some("called from inside a git hook or alias".to_owned()));
        }
        for (name, operation) in OPERATIONS {
            if self.git_dir.join(name).exists() {
                return Ok(Some(format!("{operation} is in progress in {}", self.checkout.display())));
            }
        }
        self.collection()
    }

    /// `git gc --prune=now` would remove objects that no ref reaches yet.
    fn collection(&self) -> Result<Option<String>> {
        let path = self.common_dir.join("gc.pid");
        let begin = Instant::now();
        while let Some(line) = disk::read_line(&path)? {
            let Some(pid) = line.split(' ').next().and_then(|pid| pid.parse::<i32>().ok()) else { break };
            let Some(pid) = rustix::process::Pid::from_raw(pid) else { break };
            // Of another user is alive, too.
            if rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
                break;
            }
            if begin.elapsed() >= self.patience {
                return Ok(Some("`git gc` is running".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(None)
    }

    /// Refuse a home that is not the folder that it has to be.
    pub(super) fn check_root(&self) -> Result<()> {
        match std::fs::symlink_metadata(&self.root) {
            Ok(metadata) if !metadata.is_dir() => Err(unsafe_home(&self.root)),
            _ => Ok(()),
        }
    }
}

/// `.swift` is something else than a folder.
pub(super) fn unsafe_home(root: &std::path::Path) -> Fault {
    Fault::new(Code::UnsafeHome, format!("{} is a symbolic link or not a folder", root.display()))
        .hint(format!("`ls -ld {}` shows what it is", root.display()))
}
