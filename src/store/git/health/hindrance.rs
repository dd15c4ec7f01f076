//! What keeps commits of the queue from being made although nothing is wrong with it, and would for ever if nobody looked:
//! lock files of git, and an operation of git's that was begun in the queue's own checkout and not ended.
//!
//! git writes no name into its locks, so whose one is cannot be told; only how long it has been there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::fault::Result;
use crate::store::git::disk::patience::look_until;
use crate::store::git::repo::{gitlock, refs};
use crate::store::git::{Home, HomeKind};

/// Something of git's that verbs wait for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// A lock file that has stayed as long as a verb waits.
    Lock {
        path: PathBuf,
        /// Since it was last written to.
        age: Duration,
        /// A free name in the git folder that it can be put aside under; below `refs` git would take it for a branch.
        aside: PathBuf,
    },
    /// What git is in the middle of, as `a rebase`.
    Operation(&'static str),
}

impl Home {
    /// All of them. One look at each lock costs nothing; only where one is there it is waited for.
    ///
    /// # Errors
    /// Those of reading HEAD and of looking at a lock; [`Code::Interrupted`](crate::domain::fault::Code::Interrupted).
    pub(crate) fn hindrances(&self) -> Result<Vec<Hindrance>> {
        let mut found = Vec::new();
        let branch =
            refs::tip(&self.git_dir, &self.common_dir)?.branch.map(|name| self.common_dir.join(name));
        let targets = [Some(self.index_path()), Some(self.git_dir.join("HEAD")), branch];
        for target in targets.into_iter().flatten() {
            let mut lock = target.into_os_string();
            lock.push(".lock");
            found.extend(self.staying(Path::new(&lock))?);
        }
        // A merge is told with what it has to settle; and in the person's checkout it is the person's business.
        let operation = self.operation().filter(|name| self.kind == HomeKind::Branch && *name != "a merge");
        found.extend(operation.map(Hindrance::Operation));
        Ok(found)
    }

    /// A lock that is the same one for as long as a verb would wait for it.
    fn staying(&self, lock: &Path) -> Result<Option<Hindrance>> {
        let Some(first) = gitlock::identity(lock)? else { return Ok(None) };
        let look = || Ok((gitlock::identity(lock)?.as_ref() != Some(&first)).then_some(()));
        let gone =
            look_until(self.patience, look)?.in_time(format!("another program holds {}", lock.display()))?;
        let name = lock.file_name().unwrap_or_default().to_string_lossy();
        let folder = if lock.starts_with(&self.git_dir) { &self.git_dir } else { &self.common_dir };
        let mut names = (1..).map(|number| folder.join(format!("{name}.aside-{number}")));
        Ok(gone.is_none().then(|| Hindrance::Lock {
            path: lock.to_owned(),
            age: age(lock),
            aside: names.find(|path| path.symlink_metadata().is_err()).expect("the numbers do not end"),
        }))
    }
}

fn age(path: &Path) -> Duration {
    let written = path.symlink_metadata().and_then(|metadata| metadata.modified());
    written.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default()
}
