//! A clone goes along where another one has moved the queue: from its own branch into the tree.
//!
//! The tree that was pulled has the queue already, so no commit is made. The worktree goes; the branch stays if it has
//! commits that the tree has not, and a merge joins them.

use std::collections::BTreeSet;
use std::path::Path;

use super::moved::{self, Unjoined};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::path;
use crate::store::git::home::departure::{Aim, Departure};
use crate::store::git::home::find::place;
use crate::store::git::home::remove::Removed;
use crate::store::git::home::switch::{goes_on, no_branch, not_now};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::index::beginning;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Guard, Home, commit};

impl Home {
    /// The queue of a folder that is on a branch of its own here, and in the tree of what the project has pulled.
    ///
    /// # Errors
    /// Those of finding a queue.
    pub(crate) fn left_behind(start: &Path) -> Result<Option<Home>> {
        let place = place(start)?;
        let Some(home) = place.home()? else { return Ok(None) };
        let Some(overrun) = place.overrun(&home)? else { return Ok(None) };
        Ok(home.moved_into_tree(&overrun.git_dir)?.map(|_| home))
    }

    /// Leave the worktree for the queue that the tree has. Gives the home there, and what is to be joined to it.
    ///
    /// # Errors
    /// [`Code::InProgress`], [`Code::WrongState`] before anything is changed: something would be lost.
    pub(crate) fn follow_into_tree(&self, guard: &Guard) -> Result<(Home, Option<Unjoined>)> {
        self.check(guard);
        let place = place(&self.root)?;
        let checkout = place.project()?;
        let target = place.tree_home(&checkout)?;
        if let Some(reason) = self.waits()?.map_or_else(|| target.waits(), |reason| Ok(Some(reason)))? {
            return Err(not_now(&reason));
        }
        if target.branch.is_none() {
            return Err(no_branch(&checkout));
        }
        if let Some(first) = self.debts()?.first() {
            return Err(self.not_saved(first));
        }
        if let Some(edited) = self.only_here(&Departure::of(self, Aim::Follow)?, &target)?.edited.first() {
            return Err(self.not_saved(edited));
        }
        let departure = Departure::begin(self, Aim::Follow)?;
        self.leave_for_tree(&departure, &target).map_err(goes_on)?;
        let home = Home::find(&checkout)?;
        let unjoined = home.unjoined()?;
        Ok((home, unjoined))
    }

    /// Every step can be done again: whoever finds the record does.
    pub(in crate::store::git) fn leave_for_tree(&self, departure: &Departure, target: &Home) -> Result<()> {
        let folder = Folder::open(&self.root)?;
        let mut change = folder.change();
        let only_here = self.only_here(departure, target)?.committed;
        for path in &only_here {
            drop(change.take(path)?);
        }
        change.complete();
        only_here.iter().for_each(|file| folder.prune(path::parent(file)));
        let tip = refs::tip(&target.git_dir, &target.common_dir)?.id;
        let Some(((branch, own), tip)) = departure.branch().zip(tip) else {
            return self.leave_worktree_alone(&mut Removed::default());
        };
        if moved::has(&self.common_dir, tip, own)? {
            return self.leave_worktree(departure, &mut Removed::default());
        }
        let name = refs::short(branch).to_owned();
        let unjoined = Unjoined { command: target.joining(&name, own, tip)?, name };
        self.leave_worktree_alone(&mut Removed::default())?;
        target.note_unjoined(own, &unjoined)
    }

    /// The files of the branch that the tree has not.
    fn only_here(&self, departure: &Departure, target: &Home) -> Result<OnlyHere> {
        let repo = Repo::open(&self.common_dir)?;
        let in_tree = beginning::below(&target.git_dir.join("index"), format!("{FOLDER}/").as_bytes());
        let in_tree: BTreeSet<Vec<u8>> = in_tree.into_iter().map(|named| named.path).collect();
        let folder = Folder::open(&self.root)?;
        let mut found = OnlyHere::default();
        for (path, leaf) in departure.files(&repo)? {
            if in_tree.contains(format!("{FOLDER}/{path}").as_bytes()) {
                continue;
            }
            match folder.read(&path)?.map(|content| commit::blob_id(&repo, &content)).transpose()? {
                Some(here) if here == leaf.id => found.committed.push(path),
                Some(_) => found.edited.push(path),
                None => {}
            }
        }
        Ok(found)
    }

    fn not_saved(&self, path: &str) -> Fault {
        let text = format!("`.swift/{path}` has changes that are not committed, and would not come along");
        let (root, path) = (as_word(&self.root), as_word(Path::new(path)));
        Fault::new(Code::WrongState, text)
            .hint(format!("`git -C {root} add -- {path}` and `git -C {root} commit -- {path}` keep them on the queue's branch"))
    }
}

/// Files that the branch has and the tree has not, as they are committed and otherwise.
#[derive(Debug, Default)]
struct OnlyHere {
    committed: Vec<String>,
    edited: Vec<String>,
}
