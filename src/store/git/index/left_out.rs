//! Files of the queue that git was told to leave out of the checkout: by a sparse checkout, or one by one.
//!
//! They are in HEAD and not on the disk, and nobody has removed them. A queue of which a part cannot be seen is refused.

use super::file::{Stream, Trouble};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::{as_word, shown};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::repo::external::Git;
use crate::store::git::{Home, HomeKind, disk};

impl Home {
    /// Refuse a sparse checkout that leaves out files of the queue. Costs a look for one name where there is none.
    ///
    /// # Errors
    /// [`Code::Unsupported`] with the file; those of reading the index.
    pub(crate) fn refuse_sparse(&self) -> Result<()> {
        let patterns = self.git_dir.join("info/sparse-checkout");
        if patterns.symlink_metadata().is_err() || self.repo()?.flag("core.sparseCheckout") != Some(true) {
            return Ok(());
        }
        match self.left_out()? {
            None => Ok(()),
            Some(path) => {
                let (path, checkout) = (shown(&self.in_tree(&path)), as_word(&self.checkout));
                let text = format!("`{path}` is left out of the sparse checkout {}", self.checkout.display());
                Err(Fault::new(Code::Unsupported, text)
                    .hint(format!("`git -C {checkout} sparse-checkout list` shows what is checked out"))
                    .hint(format!("`git -C {checkout} sparse-checkout disable` checks out everything")))
            }
        }
    }

    /// Refuse to take files that are not there for removed, if git was told to leave one of them out.
    ///
    /// # Errors
    /// As [`Home::refuse_sparse`].
    pub(super) fn refuse_left_out(&self) -> Result<()> {
        let Some(path) = self.left_out()? else { return Ok(()) };
        let (checkout, path) = (as_word(&self.checkout), shown(&self.in_tree(&path)));
        let text =
            format!("`{path}` is not in {}, and git was told not to look for it", self.checkout.display());
        Err(Fault::new(Code::Unsupported, text)
            .hint(format!("`git -C {checkout} ls-files -t` marks such files with `S`"))
            .hint("`git update-index --no-skip-worktree` makes git look for a file again"))
    }

    /// A file, or a folder, that is marked so and not there, relative to `.swift/`.
    fn left_out(&self) -> Result<Option<String>> {
        let Some(index) = disk::open(&self.index_path())? else { return Ok(None) };
        let marked = match Stream::open(&index, self.repo()?.hash.len_in_bytes())
            .and_then(|entries| marked(entries, self.prefix().as_bytes()))
        {
            Ok(marked) => marked,
            Err(Trouble::Exotic(_)) => self.marked_by_git()?,
            // What is wrong with it is told where it is needed.
            Err(_) => Vec::new(),
        };
        let is_gone = |path: &String| self.root.join(path).symlink_metadata().is_err();
        Ok(marked.into_iter().find(is_gone))
    }

    fn marked_by_git(&self) -> Result<Vec<String>> {
        let below = match self.kind {
            HomeKind::Branch => ".",
            HomeKind::Tree => FOLDER,
        };
        let told = Git::at(&self.checkout).run(&["ls-files", "--full-name", "-t", "-z", "--", below])?;
        let paths = told.split(|byte| *byte == 0).filter_map(|line| line.strip_prefix(b"S "));
        Ok(paths.filter_map(|path| own(path, self.prefix().as_bytes())).collect())
    }
}

/// The paths below the queue that git does not compare with the disk. The queue's entries stand together.
fn marked(mut entries: Stream<'_>, prefix: &[u8]) -> Result<Vec<String>, Trouble> {
    let mut paths = Vec::new();
    while let Some(entry) = entries.next()? {
        if entry.left_out {
            paths.extend(own(entry.path, prefix));
        }
        if !entry.path.starts_with(prefix) && entry.path > prefix {
            break;
        }
    }
    Ok(paths)
}

fn own(path: &[u8], prefix: &[u8]) -> Option<String> {
    String::from_utf8(path.strip_prefix(prefix)?.to_vec()).ok()
}
