//! Waiting for a change in some folders.
//!
//! What wakes is a hint and nothing more: who is woken looks for itself. Where the system cannot watch a folder (no
//! room for more watches, a network file system, a folder that is not there yet) everything is looked at again after
//! a short while.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// How long to wait where every folder is watched, in case that a change was not reported.
const WATCHED: Duration = Duration::from_secs(30);

/// How long to wait where one is not.
const UNWATCHED: Duration = Duration::from_secs(1);

/// Events that belong together are waited for so long.
const TOGETHER: Duration = Duration::from_millis(5);

/// Watches over folders; they end with it.
pub(crate) struct Wake {
    watcher: Option<RecommendedWatcher>,
    /// Keeps the channel open where nothing can be watched.
    _tell: Sender<()>,
    changes: Receiver<()>,
    /// Folders by path, with what tells a folder from one that was made in its place.
    watched: HashMap<PathBuf, u64>,
    /// Why some folder is looked at again and again instead of being watched.
    pub(crate) polling: Option<String>,
    waited: Duration,
}

/// Why waiting was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something may have changed.
    Look,
    /// Nothing that is known of; a moment for other things.
    Quiet,
}

impl Wake {
    /// Watch nothing yet.
    pub(crate) fn new() -> Wake {
        let (tell, changes) = channel();
        let told = tell.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is no change; an error may be one.
            if event.map_or(true, |event| !event.kind.is_access()) {
                let _ = told.send(());
            }
        });
        let polling = watcher.as_ref().err().map(ToString::to_string);
        let waited = Duration::ZERO;
        Wake { watcher: watcher.ok(), _tell: tell, changes, watched: HashMap::new(), polling, waited }
    }

    /// Watch these folders and all below them, and no others. Whether one is watched that was not before: what
    /// happened in it until now is not told.
    pub(crate) fn over(&mut self, folders: &[PathBuf]) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let is_gone = |path: &PathBuf, inode: u64| !folders.contains(path) || inode_of(path) != Some(inode);
        let gone: Vec<PathBuf> = self
            .watched
            .iter()
            .filter(|(path, inode)| is_gone(path, **inode))
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            let _ = watcher.unwatch(&path);
            self.watched.remove(&path);
        }
        self.polling = None;
        let mut is_more = false;
        for folder in folders {
            if self.watched.contains_key(folder) {
                continue;
            }
            let Some(inode) = inode_of(folder) else {
                self.polling = Some(format!("`{}` is not there yet", folder.display()));
                continue;
            };
            match watcher.watch(folder, RecursiveMode::Recursive) {
                Ok(()) => {
                    self.watched.insert(folder.clone(), inode);
                    is_more = true;
                }
                Err(error) => self.polling = Some(format!("`{}`: {error}", folder.display())),
            }
        }
        is_more
    }

    /// Wait for a change, for as long as `most` at once.
    pub(crate) fn wait(&mut self, most: Duration) -> Woken {
        let patience = if self.polling.is_some() { UNWATCHED } else { WATCHED };
        match self.changes.recv_timeout(most.min(patience.saturating_sub(self.waited))) {
            Ok(()) => while self.changes.recv_timeout(TOGETHER).is_ok() {},
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.waited += most;
                if self.waited < patience {
                    return Woken::Quiet;
                }
            }
        }
        self.waited = Duration::ZERO;
        Woken::Look
    }
}

fn inode_of(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).ok().filter(std::fs::Metadata::is_dir).map(|meta| meta.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `wait` says until it says `Look`, at most so many times.
    fn waits(wake: &mut Wake, most: usize) -> Option<usize> {
        (1..=most).find(|_| wake.wait(Duration::from_millis(100)) == Woken::Look)
    }

    #[test]
    fn a_folder_that_cannot_be_watched_is_looked_at_again_soon() {
        let mut wake = Wake::new();
        assert!(!wake.over(&[PathBuf::from("/nowhere/at-all")]));
        assert!(wake.polling.is_some());
        assert!(waits(&mut wake, 10).is_some_and(|times| times > 5), "after a second, and not at once");
    }

    #[test]
    fn a_change_wakes_also_in_a_folder_that_was_made_anew() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("log");
        std::fs::create_dir(&folder).unwrap();
        let mut wake = Wake::new();
        assert!(wake.over(std::slice::from_ref(&folder)));
        assert!(!wake.over(std::slice::from_ref(&folder)), "nothing new to watch");
        assert_eq!(wake.wait(Duration::from_millis(1)), Woken::Quiet);
        for turn in 0..2 {
            std::fs::write(folder.join("segment"), "x").unwrap();
            assert_eq!(wake.wait(Duration::from_secs(20)), Woken::Look, "turn {turn}");
            std::fs::rename(&folder, scratch.path().join(format!("old {turn}"))).unwrap();
            std::fs::create_dir(&folder).unwrap();
            assert!(wake.over(std::slice::from_ref(&folder)), "it is another folder now");
            while wake.wait(Duration::from_millis(1)) == Woken::Look {}
        }
    }
}
