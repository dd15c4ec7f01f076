//! Which new files git would not take up, because the person said so.
//!
//! A rule that is meant for other files, such as `*.md` or `TODO*` in a person's own list, covers tasks as well. Whoever
//! reads tasks does not ask git, so neither does who records them: one that is written by hand is a task all the same.

use std::collections::HashSet;

use gix::worktree::stack::state::ignore::Source;

use crate::domain::fault::Result;
use crate::store::git::Home;
use crate::store::git::repo::external::Git;

/// The folders whose files are the queue, with the ends of their names.
const OWN: [(&str, &str); 9] = [
    ("outbox/", ".md"),
    ("inbox/", ".md"),
    ("tasks/", ".md"),
    ("sent/", ".md"),
    ("done/", ".md"),
    ("dead/", ".md"),
    ("projects/", ".toml"),
    ("sessions/", ".md"),
    ("templates/", ".md"),
];

/// Whether a path relative to `.swift/` is taken up whatever rule covers it.
pub(in crate::store::git) fn is_never_ignored(path: &str) -> bool {
    OWN.iter().any(|(folder, end)| path.starts_with(folder) && path.ends_with(end))
}

impl Home {
    /// Whether git ignores one of these files of the queue.
    ///
    /// # Errors
    /// As [`Home::ignored`].
    pub(crate) fn hides(&self, paths: &[String]) -> Result<bool> {
        let paths: Vec<String> = paths.iter().map(|path| self.in_tree(path)).collect();
        Ok(!self.ignored(&paths)?.is_empty())
    }

    /// Those of these paths of the checkout that git ignores.
    ///
    /// # Errors
    /// Those of starting git, which is asked where the patterns cannot be read here.
    pub(in crate::store::git) fn ignored(&self, paths: &[String]) -> Result<HashSet<String>> {
        match self.ignored_here(paths) {
            Some(ignored) => Ok(ignored),
            None => self.ignored_by_git(paths),
        }
    }

    /// Without a process, which would cost more than the commit. `None` if something cannot be read.
    pub(in crate::store::git) fn ignored_here(&self, paths: &[String]) -> Option<HashSet<String>> {
        let repo = self.repo().ok()?;
        let gix = repo.gix();
        if gix.workdir()?.canonicalize().ok()? != self.checkout.canonicalize().ok()? {
            return None;
        }
        // Only the files of the checkout are looked at, not what the index has in place of files that are not there.
        let index = gix::index::State::new(repo.hash);
        let mut stack = gix.excludes(&index, None, Source::WorktreeThenIdMappingIfNotSkipped).ok()?;
        let mut ignored = HashSet::new();
        for path in paths {
            if stack.at_path(path, None).ok()?.is_excluded() {
                ignored.insert(path.clone());
            }
        }
        Some(ignored)
    }

    /// The same, answered by git.
    pub(in crate::store::git) fn ignored_by_git(&self, paths: &[String]) -> Result<HashSet<String>> {
        let mut input = Vec::new();
        for path in paths {
            input.extend_from_slice(path.as_bytes());
            input.push(0);
        }
        let answer = Git::at(&self.checkout).input(input).ask(&["check-ignore", "-z", "--stdin"])?;
        if !matches!(answer.code, Some(0 | 1)) {
            return Ok(HashSet::new());
        }
        let names = answer.output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }
}
