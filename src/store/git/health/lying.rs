//! A folder with the settings of a queue that git does not have: made by hand, or copied from elsewhere.
//!
//! It is no queue yet, or every verb would commit to the branch that happens to be checked out. `init` makes one of it.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::folder::Folder;
use crate::store::git::home::find::{Place, SETTINGS, place};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::index::sweep::Version;
use crate::store::git::objects::tree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::refs;
use crate::store::git::{Home, HomeKind};

impl Place {
    /// Whether the commit that is checked out has the queue's settings, or the next one will.
    pub(in crate::store::git) fn is_in_git(&self, home: &Home) -> Result<bool> {
        // The index that a verb has left vouches for it, and costs no look into the repository.
        if Version::at(&home.index_path()).is_some_and(|version| home.is_as_written(&version)) {
            return Ok(true);
        }
        let settings = format!("{FOLDER}/{SETTINGS}");
        let repo = home.repo()?;
        if let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id {
            let found = repo.commit(tip).and_then(|commit| tree::lookup(&repo, commit.tree, &settings));
            // What a partial clone or a damaged one does not have cannot be looked at.
            if found.map_or(true, |line| line.is_some()) {
                return Ok(true);
            }
        }
        let staged = Git::at(&home.checkout).run(&["ls-files", "-z", "--cached", "--", &settings]);
        Ok(staged.map_or(true, |names| !names.is_empty()))
    }

    /// That the settings at hand are those of no queue yet.
    pub(in crate::store::git) fn lies_there(&self) -> Option<Fault> {
        let settings = self.checkout.as_ref()?.join(FOLDER).join(SETTINGS);
        settings.is_file().then(|| {
            let text = format!("{} is in no commit: it is no queue yet", settings.display());
            Fault::new(Code::NotInitialised, text).hint("`swift init` makes a queue of it")
        })
    }

    /// The folder that a queue of this kind would be in.
    pub(in crate::store::git) fn root_of(&self, kind: HomeKind) -> Result<PathBuf> {
        let checkout = match (kind, &self.checkout) {
            (HomeKind::Tree, Some(checkout)) => checkout.clone(),
            _ => self.project()?,
        };
        Ok(checkout.join(FOLDER))
    }
}

impl Home {
    /// What lies where a file of the queue will be that is to be made around `start`.
    ///
    /// # Errors
    /// Those of finding the repository; a place that is a link or no regular file.
    pub(crate) fn lying(start: &Path, kind: HomeKind, path: &str) -> Result<Option<Vec<u8>>> {
        let root = place(start)?.root_of(kind)?;
        match root.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => Folder::open(&root)?.read(path),
            _ => Ok(None),
        }
    }
}
