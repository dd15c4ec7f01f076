//! Whether anything can be written where a queue lies. Asked without trying: whoever looks leaves no trace.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use crate::store::git::Home;

/// What keeps verbs that write from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Barred {
    /// The disk that this lies on takes nothing from anybody.
    Disk(PathBuf),
    /// This user has no right to write there.
    User(PathBuf),
}

/// How deep the folders of a queue are: a month, and in it a hand.
const DEPTH: usize = 3;

impl Home {
    /// Why nothing can be written here, if nothing can; else the places at which some verbs would be refused.
    pub(crate) fn barred(&self) -> Vec<Barred> {
        let all = [&self.root, &self.git_dir, &self.common_dir];
        if let Some(barred) = all.into_iter().find_map(|folder| barred(folder)) {
            return vec![barred];
        }
        let mut places = self.written_in_git();
        folders(&self.root, DEPTH, &mut places);
        let mut found: Vec<Barred> = Vec::new();
        for place in places {
            // What is below is closed for the same reason.
            let is_told = found.iter().any(|barred| place.starts_with(barred.place()));
            if !is_told && let Some(barred) = barred(&place) {
                found.push(barred);
            }
        }
        found
    }

    /// The folders in git's own that every commit needs, and the files that it adds to, where they are there.
    fn written_in_git(&self) -> Vec<PathBuf> {
        let common = |name: &str| self.common_dir.join(name);
        let mut places = vec![common("objects"), common("objects/pack"), self.records(), self.scratch()];
        places.push(self.pending_path());
        let branch = self.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
        let reference = branch.as_ref().map(|branch| common(branch));
        // A branch is replaced, a reflog is added to.
        places.extend(reference.and_then(|path| path.parent().map(Path::to_owned)));
        let logs = [self.git_dir.join("logs/HEAD")].into_iter();
        let logs = logs.chain(branch.iter().map(|branch| common("logs").join(branch)));
        places.extend(logs.filter_map(|log| match log.exists() {
            true => Some(log),
            false => log.parent().map(Path::to_owned),
        }));
        places
    }
}

impl Barred {
    fn place(&self) -> &Path {
        match self {
            Barred::Disk(place) | Barred::User(place) => place,
        }
    }
}

/// The folders below one, the upper ones first; a link is followed by nobody.
fn folders(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != ".git" {
            found.push(entry.path());
            if depth > 1 {
                folders(&entry.path(), depth - 1, found);
            }
        }
    }
}

fn barred(folder: &Path) -> Option<Barred> {
    match access(folder, Access::WRITE_OK) {
        Err(Errno::ROFS) => Some(Barred::Disk(folder.to_owned())),
        Err(Errno::ACCESS | Errno::PERM) => Some(Barred::User(folder.to_owned())),
        _ => None,
    }
}
