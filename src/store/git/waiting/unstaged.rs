//! What a settlement writes for a commit of the person's, until git has it in its index.
//!
//! Files that nobody had before are put beside those that git knows, and staged after that. In between they are files
//! like any that git does not know: whoever is cut off there, and then takes the merge back, would keep them, an event of
//! what never was among them. So they are noted first. What is noted and not in the index is read as if it were not
//! there, and the next verb takes it away; what a person has edited since stays.

use std::collections::{BTreeMap, BTreeSet};

use super::Home;
use super::record::{Kept, Waiting};
use crate::domain::fault::Result;
use crate::store::git::disk::folder::Folder;
use crate::store::git::{Change, Expect, Guard, commit};

/// Where the note is, among what is kept of debts.
const UNSTAGED: &str = "unstaged";

impl Home {
    /// Note the files of these changes that are not there yet: they are about to be written, and then staged.
    pub(in crate::store::git) fn note_unstaged(&self, changes: &[Change]) -> Result<()> {
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?;
        let mut note = self.empty_note();
        for change in changes {
            let Some(content) = &change.content else { continue };
            if folder.stat(&change.path)?.is_none() {
                let base = Some(commit::blob_id(&repo, content)?);
                note.files.insert(change.path.clone(), Kept { base, new: None });
            }
        }
        if note.files.is_empty() {
            return Ok(());
        }
        self.make_records(repo.sharing()?)?;
        repo.sharing()?.make_folders(&note.folder)?;
        self.write_down(&note, [])
    }

    /// They are staged, or were not written.
    pub(in crate::store::git) fn forget_unstaged(&self) -> Result<()> {
        if let Some(note) = self.note()? {
            note.forget()?;
            // Only if nothing is owed, here and in another worktree.
            let _ = std::fs::remove_dir(self.owed_folder());
            let _ = std::fs::remove_dir(self.linked_debts());
        }
        Ok(())
    }

    /// Take away what was written and never staged.
    pub(in crate::store::git) fn take_back_unstaged(&self, guard: &Guard) -> Result<()> {
        let Some(left) = self.unstaged()? else { return self.forget_unstaged() };
        let folder = Folder::open(&self.root)?;
        let mut changes = Vec::new();
        for path in &left {
            if let Some(content) = folder.read(path)? {
                changes.push(Change { path: path.clone(), content: None, expect: Expect::Bytes(content) });
            }
        }
        self.keep_in_place(guard, changes, "it was never staged")?;
        self.settle_debts(&left.iter().map(|path| (path.clone(), ())).collect::<BTreeMap<_, ()>>())?;
        self.forget_unstaged()
    }

    /// Files that were written to be staged, are as they were written, and are not in the index.
    pub(super) fn unstaged(&self) -> Result<Option<BTreeSet<String>>> {
        let Some(note) = self.note()? else { return Ok(None) };
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?;
        let known = self.in_index()?;
        let mut left = BTreeSet::new();
        for (path, kept) in note.files {
            if !known.contains(&path) && folder.id(&repo, &path, kept.base)? == kept.base {
                left.insert(path);
            }
        }
        Ok(Some(left).filter(|left| !left.is_empty()))
    }

    fn note(&self) -> Result<Option<Waiting>> {
        Waiting::read(&self.empty_note().folder)
    }

    fn empty_note(&self) -> Waiting {
        let folder = self.owed_folder().join(UNSTAGED);
        Waiting { folder, branch: String::new(), files: BTreeMap::new() }
    }
}
