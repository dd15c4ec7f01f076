//! The commit engine: the only place that speaks to git.
//!
//! It finds the home of a queue, holds its lock, writes files of the queue and the commit that records them as
//! one step, and reads history back. It knows nothing of tasks: paths and bytes in, commits out. It touches
//! only what belongs to the queue; in the default home it never touches the person's HEAD, index or branch.
//!
//! The rooms, from the ground up; what of each the others may use, its head says:
//!
//! ```text
//! disk      # files and folders: opened, staged, swapped into place, flushed, waited for
//! repo      # the repository as git has it: configuration, refs, git's lock files, the program `git`
//! objects   # git's objects: trees and packs, what a commit adds
//! index     # the index, and what it tells about the files
//! history   # questions to the past; reads only
//! home      # where the queue lies: found, made, put right, moved, taken away
//! commit    # one verb, one commit: lock, plan, record, arrival, recovery
//! waiting   # what is done and not committed yet
//! clones    # what other clones have done, and where two histories meet
//! health    # whether the queue is well; looks only
//! checkout  # worktrees of runs
//! ```

pub(crate) mod checkout;
mod clones;
mod commit;
mod disk;
mod health;
mod history;
mod home;
mod index;
mod objects;
mod repo;
mod waiting;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use clones::{Conclusion, Join, Landed, Unjoined, Unmerged};
pub(crate) use commit::Guard;
pub(crate) use health::{Barred, Harm, Hindrance};
pub(crate) use history::{Blob, Commit, Committed, CommittedChange, Farewells, TakenOut};
pub(crate) use home::{BranchFate, Created, Removed, identity_name_at, project_paths, remote_url_at};
pub(crate) use index::Reach;
pub(crate) use objects::OwnObjects;
pub(crate) use waiting::{Contents, Versions};

pub(crate) use crate::domain::settings::{Durability, Signing};

/// Where the queue is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HomeKind {
    /// `.swift/` is the linked worktree of a branch of its own (the default).
    Branch,
    /// `.swift/` is an ordinary folder of the current branch.
    Tree,
}

impl HomeKind {
    /// The word in commands, output and the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            HomeKind::Branch => "branch",
            HomeKind::Tree => "tree",
        }
    }
}

/// The home of one queue, found and checked; cheap to make (about a millisecond).
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Absolute, canonical path of the `.swift` folder.
    pub(crate) root: PathBuf,
    /// The checkout from which it was found, if that was one of the project.
    pub(crate) stand: Option<PathBuf>,
    pub(crate) kind: HomeKind,
    /// The repository's shared git folder; the lock is held on it.
    pub(crate) common_dir: PathBuf,
    /// The branch that commits go to, short name; `None` on a detached HEAD (in-tree only).
    pub(crate) branch: Option<String>,
    /// What was lost when the folder had to be rebuilt from its branch; empty otherwise.
    pub(crate) rebuilt: Option<Rebuilt>,
    /// What was wrong with the link from the folder to its administration, which is as it should be now. That the
    /// repository has moved is nothing wrong.
    pub(crate) relinked: Option<String>,
    /// The git folder of the checkout that the commits are made in: its HEAD and its index are there.
    git_dir: PathBuf,
    /// Where that checkout is: `root` itself for a branch of its own, the project otherwise.
    checkout: PathBuf,
    /// Whether git has called us from one of its hooks.
    hook: bool,
    /// How long a lock file of another program is waited for.
    patience: Duration,
    opened: repo::Opened,
}

/// `.swift/`, or files in it, were gone or behind their branch and have been checked out again.
#[derive(Debug, Clone)]
pub(crate) struct Rebuilt {
    pub(crate) cause: Cause,
    /// Paths that a verb had written, that were not committed, and that are there again as it left them.
    pub(crate) kept: Vec<String>,
    /// The same of which nothing was kept.
    pub(crate) lost: Vec<String>,
    /// The commits of a merge that was in progress in the folder, and is not any more.
    pub(crate) given_up: Vec<String>,
}

impl Rebuilt {
    /// With nothing that was not committed.
    pub(crate) fn because(cause: Cause) -> Rebuilt {
        Rebuilt { cause, kept: Vec::new(), lost: Vec::new(), given_up: Vec::new() }
    }
}

/// Why files of the queue had to be checked out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The folder was deleted.
    Gone,
    /// git had written those of another branch of the project over them.
    Overrun,
    /// Its settings were gone, and more with them.
    Emptied,
    /// The branch was moved, and its files were not.
    Beneath,
}

/// A file of the queue that is to be written (`Some`) or removed (`None`).
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// Relative to `.swift/`, separated by `/`, no `.` or `..` parts.
    pub(crate) path: String,
    pub(crate) content: Option<Vec<u8>>,
    /// What has to be on disk right now for the change to be right.
    pub(crate) expect: Expect,
}

/// The state of a file that a change was computed from.
#[derive(Debug, Clone)]
pub(crate) enum Expect {
    Absent,
    /// Exactly these bytes are on disk.
    Bytes(Vec<u8>),
    /// Whatever is there (files that only `swift` writes).
    Any,
}

/// One commit to make.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) changes: Vec<Change>,
    /// Subject, body and trailers, as they shall appear.
    pub(crate) message: &'a str,
    pub(crate) durability: Durability,
    pub(crate) signing: Signing,
}

/// How a commit request ended, if not with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The commit's full hash.
    Committed(String),
    /// Nothing differed from HEAD.
    Unchanged,
    /// The files are written; the commit has to wait for the reason given, and the next commit includes them.
    Debt(String),
}

/// One commit of the queue's history.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) message: String,
    /// Committer time, seconds since 1970.
    pub(crate) seconds: i64,
}

/// What one commit did to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    /// Blob hash before and after; `None` where the file was not there.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}
