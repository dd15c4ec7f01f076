//! A queue whose settings a commit has removed: by hand, or in a merge in which that was the end of a conflict.
//!
//! Without them a folder is no queue's, and a second one would be made beside all tasks. What the settings were, the
//! history of the branch tells.

use std::path::Path;

use gix::ObjectId;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk;
use crate::store::git::home::find::{Place, SETTINGS};
use crate::store::git::home::worktree::{self, FOLDER};
use crate::store::git::home::{create, creation};
use crate::store::git::objects::tree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};

/// How many digits of a commit's id are told.
const DIGITS: usize = 12;

impl Place {
    /// The refusal to see no queue where there is one without settings.
    pub(in crate::store::git) fn without_settings(&self) -> Result<Option<Fault>> {
        let noted = disk::read_line(&creation::folder(&self.common_dir).join("branch"))?;
        match self.branch_without_settings(noted.as_deref().unwrap_or("swift"))? {
            Some(fault) => Ok(Some(fault)),
            None => self.checkout_without_settings(),
        }
    }

    /// The same for a branch of the queue's own, here or at `origin`.
    pub(in crate::store::git) fn branch_without_settings(&self, branch: &str) -> Result<Option<Fault>> {
        let here = refs::resolve(&self.common_dir, &format!("refs/heads/{branch}"))?;
        let there = || refs::resolve(&self.common_dir, &format!("refs/remotes/origin/{branch}"));
        let Some(tip) = here.map_or_else(there, |tip| Ok(Some(tip)))? else { return Ok(None) };
        let Some(commit) = self.last_with(tip, SETTINGS)? else { return Ok(None) };
        if !create::is_queue(&Repo::open(&self.common_dir)?, commit)? {
            return Ok(None);
        }
        let shown = if here.is_some() { branch.to_owned() } else { format!("origin/{branch}") };
        let fault = removed(&shown, SETTINGS);
        let back = |root: &Path| back(&format!("git -C {}", as_word(root)), commit, SETTINGS);
        if here.is_none() {
            let first = format!("in the clone where it was removed: {}", back(Path::new(FOLDER)));
            return Ok(Some(fault.hint(first).hint("then `git -C .swift push` there, and `git fetch` here")));
        }
        let root = self.project()?.join(FOLDER);
        if worktree::registered(&self.common_dir)?.is_some_and(|found| found.root.is_dir()) {
            return Ok(Some(fault.hint(back(&root))));
        }
        let out = format!("`git worktree add --force {} {branch}` checks it out", as_word(&root));
        Ok(Some(fault.hint(out).hint(format!("then {}", back(&root)))))
    }

    /// The same for a queue in the tree of what is checked out.
    fn checkout_without_settings(&self) -> Result<Option<Fault>> {
        let Some(checkout) = self.checkout.as_ref() else { return Ok(None) };
        let tip = refs::tip(&self.git_dir, &self.common_dir)?;
        if let Some(moved) = self.move_that_comes_in()? {
            return self.left_to_take_out(moved).map(Some);
        }
        let path = format!("{FOLDER}/{SETTINGS}");
        let Some(id) = tip.id.filter(|_| self.tracks_folder().unwrap_or(false)) else { return Ok(None) };
        let Some(commit) = self.last_with(id, &path)? else { return Ok(None) };
        if let Some(moved) = self.moved_to_branch()? {
            return self.left_to_take_out(moved).map(Some);
        }
        let fault = removed(tip.short().unwrap_or("HEAD"), &path);
        Ok(Some(fault.hint(back(&format!("git -C {}", as_word(checkout)), commit, &path))))
    }

    /// The last commit before this one that wrote a file which is not in it any more.
    fn last_with(&self, tip: ObjectId, path: &str) -> Result<Option<ObjectId>> {
        let repo = Repo::open(&self.common_dir)?;
        if tree::lookup(&repo, repo.commit(tip)?.tree, path)?.is_some() {
            return Ok(None);
        }
        let tip = tip.to_string();
        // In a merge that ended with the removal only the sides tell of the file.
        let words = ["log", "-1", "--full-history", "--diff-filter=AM", "--format=%H", &tip, "--", path];
        let told = Git::at(&self.common_dir).run(&words)?;
        Ok(ObjectId::from_hex(told.trim_ascii()).ok())
    }
}

fn removed(branch: &str, path: &str) -> Fault {
    Fault::new(
        Code::Malformed,
        format!("`{path}`, the settings of the queue, was removed from the branch `{branch}`"),
    )
}

fn back(git: &str, commit: ObjectId, path: &str) -> String {
    let commit = commit.to_hex_with_len(DIGITS);
    format!(
        "`{git} checkout {commit} -- {path}` puts it back as it was; the next verb that writes commits it"
    )
}
