//! The queue's worktree, found again after one of its ends is gone.
//!
//! `git worktree prune`, which `git gc` runs too, takes its administration away while the folder is not where git
//! expects it, as after a move of the repository; `git clean` takes the folder. What is left of the two, and the
//! branch, are enough to link them again. A folder that was a worktree never counts as a queue in the tree: then the
//! next commit would land on the person's own branch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::find::{Place, SETTINGS, is_link_to};
use super::worktree::{self, FOLDER, Worktree};
use super::{create, creation};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::commit::lock;
use crate::store::git::commit::state::unsafe_home;
use crate::store::git::disk::folder::Folder;
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::waiting::owed::Brought;
use crate::store::git::{Cause, Home, HomeKind, Rebuilt, disk};
use crate::store::local::is_frozen;

/// What the note of the queue's branch is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) enum Noted {
    Right,
    /// It names no queue's branch, and the checkout is at one.
    Amiss,
}

/// How long other processes are waited for.
const WAIT: Duration = Duration::from_secs(10);

impl Place {
    /// The administration is gone, or does not lead to the folder any more: make it again if the branch is known to be a
    /// queue's.
    pub(super) fn register_again(&self) -> Result<Option<Worktree>> {
        let Some((project, git_dir)) = self.project_and_head()? else { return Ok(None) };
        let root = project.join(FOLDER);
        let admin = worktree::admin_named_by(&root, &self.common_dir);
        if let Some(worktree) =
            admin.as_ref().map(|admin| self.lead_back(admin, &root)).transpose()?.flatten()
        {
            return Ok(Some(worktree));
        }
        let is_cut_off = admin.is_some_and(|admin| !worktree::is_there(&admin));
        let Some(branch) = self.branch_of_queue(is_cut_off)? else { return Ok(None) };
        if !is_cut_off && root.join(SETTINGS).is_file() && self.has_queue(&git_dir)? {
            // The files of a queue in the tree, whatever record was left over.
            return Ok(None);
        }
        if root.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(unsafe_home(&root));
        }
        refuse_dry_run(&root, Some(&branch))?;
        let _guard = lock::hold(&self.common_dir, WAIT)?;
        if let Some(found) = worktree::registered(&self.common_dir)? {
            // Another process was faster.
            return Ok(Some(found));
        }
        if let Some(other) = create::checked_out(&self.common_dir, &branch, None)? {
            return Err(has_moved(&root, &branch, &other));
        }
        let sharing = Repo::open(&self.common_dir)?.sharing()?;
        sharing.make_folders(&root)?;
        let records = creation::folder(&self.common_dir);
        sharing.make_folders(&records)?;
        worktree::write_file(&records.join("branch"), &format!("{branch}\n"), sharing)?;
        let admin = worktree::make(&self.common_dir, &root, &branch, sharing)?;
        // Without its link the folder is seen to be unfinished, whoever finds it.
        disk::remove(&root.join(".git"))?;
        Ok(Some(Worktree { admin, root, branch: Some(branch) }))
    }

    /// The queue's folder leads to its administration, and that leads back to nothing: its `gitdir` was torn or is gone, and
    /// is written again. What leads back to another folder was moved there.
    fn lead_back(&self, admin: &Path, root: &Path) -> Result<Option<Worktree>> {
        let is_moved = |there: Worktree| is_link_to(&there.root, admin);
        if !worktree::is_there(admin) || worktree::read(admin)?.is_some_and(is_moved) {
            return Ok(None);
        }
        let branch = worktree::branch_of(admin)?;
        let repo = Repo::open(&self.common_dir)?;
        let tip = refs::tip(admin, &self.common_dir)?.id;
        if !tip.map(|tip| create::is_queue(&repo, tip)).transpose()?.unwrap_or(false) {
            return Ok(None);
        }
        refuse_dry_run(root, branch.as_deref())?;
        let _guard = lock::hold(&self.common_dir, WAIT)?;
        worktree::repair(admin, root, || repo.sharing())?;
        Ok(Some(Worktree { admin: admin.to_owned(), root: root.to_owned(), branch }))
    }

    /// Refuse to see no queue where its own checkout was switched to a branch of the project: the next one would be made
    /// over it.
    pub(super) fn refuse_strayed(&self, worktree: &Worktree) -> Result<()> {
        let Some(own) = noted_branch(&self.common_dir)? else { return Ok(()) };
        let now = worktree.branch.as_deref();
        let tip = refs::resolve(&self.common_dir, &format!("refs/heads/{own}"))?;
        let is_queues = tip.is_some_and(|tip| {
            Repo::open(&self.common_dir).and_then(|repo| create::is_queue(&repo, tip)).unwrap_or(false)
        });
        if now == Some(own.as_str()) || !is_queues || !worktree.root.is_dir() {
            return Ok(());
        }
        Err(strayed(&worktree.root, &own, now))
    }

    /// The checkout that the queue's folder would be in, and the git folder that its HEAD is in.
    fn project_and_head(&self) -> Result<Option<(PathBuf, PathBuf)>> {
        if let Some(main) = self.main_checkout()? {
            return Ok(Some((main, self.common_dir.clone())));
        }
        Ok(self.checkout.clone().map(|checkout| (checkout, self.git_dir.clone())))
    }

    /// The branch that was noted as the queue's; for a folder that has lost everything else, the usual one.
    fn branch_of_queue(&self, is_cut_off: bool) -> Result<Option<String>> {
        let noted = disk::read_line(&note_of_branch(&self.common_dir))?;
        let usual = is_cut_off.then(|| "swift".to_owned());
        for branch in [noted, usual].into_iter().flatten() {
            let Some(tip) = refs::resolve(&self.common_dir, &format!("refs/heads/{branch}"))? else {
                continue;
            };
            if create::is_queue(&Repo::open(&self.common_dir)?, tip)? {
                return Ok(Some(branch));
            }
        }
        Ok(None)
    }

    /// Whether what is checked out has a queue in its tree.
    fn has_queue(&self, git_dir: &Path) -> Result<bool> {
        let Some(tip) = refs::tip(git_dir, &self.common_dir)?.id else { return Ok(false) };
        let repo = Repo::open(&self.common_dir)?;
        let settings = format!("{FOLDER}/{SETTINGS}");
        Ok(tree::lookup(&repo, repo.commit(tip)?.tree, &settings)?.is_some())
    }
}

impl Home {
    /// Link a folder that has no link to the administration. A folder that was deleted is checked out again, with what
    /// verbs had written and not committed; one that has the queue's files stays as it is, with all that is not committed
    /// yet.
    pub(super) fn link_again(&self) -> Result<Option<Rebuilt>> {
        let guard = lock::hold(&self.common_dir, WAIT)?;
        if self.root.join(SETTINGS).is_file() {
            if !self.git_dir.join("index").exists() {
                self.index_of_head()?;
            }
            worktree::link(&self.git_dir, &self.root, self.repo()?.sharing()?)?;
            return Ok(None);
        }
        let other = self
            .branch
            .as_deref()
            .map(|branch| create::checked_out(&self.common_dir, branch, Some(&self.git_dir)));
        if let (Some(branch), Some(other)) = (&self.branch, other.transpose()?.flatten()) {
            return Err(has_moved(&self.root, branch, &other));
        }
        // Of a checkout that is not there the library cannot tell whose it is.
        let sharing = Repo::open(&self.common_dir)?.sharing()?;
        sharing.make_folders(&self.root)?;
        let given_up = self.give_up_merge()?;
        self.check_out()?;
        let Brought { there, lost } = self.bring_back(&guard)?;
        worktree::link(&self.git_dir, &self.root, sharing)?;
        Ok(Some(Rebuilt { kept: there, lost, given_up, ..Rebuilt::because(Cause::Gone) }))
    }

    /// In the queue's own checkout a person can switch to another branch; what would be committed there, nobody who goes
    /// by the queue's branch would see.
    pub(in crate::store::git) fn refuse_other_branch(&self) -> Result<Noted> {
        let Some(now) = self.branch.as_deref().filter(|_| self.kind == HomeKind::Branch) else {
            return Ok(Noted::Right);
        };
        let Some(own) = disk::read_line(&note_of_branch(&self.common_dir))?.filter(|own| own != now) else {
            return Ok(Noted::Right);
        };
        if self.is_noted_amiss(&own, now)? {
            return Ok(Noted::Amiss);
        }
        match refs::resolve(&self.common_dir, &format!("refs/heads/{own}"))? {
            Some(_) => Err(strayed(&self.root, &own, Some(now))),
            None => Ok(Noted::Right),
        }
    }

    /// Note the branch of the checkout as the queue's.
    pub(in crate::store::git) fn note_branch(&self) -> Result<()> {
        let Some(branch) = &self.branch else { return Ok(()) };
        worktree::write_file(
            &note_of_branch(&self.common_dir),
            &format!("{branch}\n"),
            self.repo()?.sharing()?,
        )
    }

    /// Whether the note names a branch that is no queue's, while that of the checkout is: a torn note, or another hand's.
    /// To go by it would be to take the person's own branch for the queue's.
    fn is_noted_amiss(&self, noted: &str, now: &str) -> Result<bool> {
        let repo = self.repo()?;
        let is_queues = |branch: &str| -> Result<bool> {
            let tip = refs::resolve(&self.common_dir, &format!("refs/heads/{branch}"))?;
            Ok(tip.map(|tip| create::is_queue(&repo, tip)).transpose()?.unwrap_or(false))
        };
        Ok(!is_queues(noted)? && is_queues(now)?)
    }

    pub(in crate::store::git) fn index_of_head(&self) -> Result<()> {
        let repo = self.repo()?;
        let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(()) };
        let folder = Folder::open(&self.root)?;
        self.begin_index(&repo, &folder, &BTreeMap::new(), repo.commit(tip)?.tree)
    }
}

fn note_of_branch(common_dir: &Path) -> PathBuf {
    creation::folder(common_dir).join("branch")
}

/// The branch that was noted as the queue's, if it is there: another one is renamed, if anything.
fn noted_branch(common_dir: &Path) -> Result<Option<String>> {
    let Some(own) = disk::read_line(&note_of_branch(common_dir))? else { return Ok(None) };
    Ok(refs::resolve(common_dir, &format!("refs/heads/{own}"))?.map(|_| own))
}

/// What every other verb mends on its way, a dry run says: it writes nothing at all.
pub(super) fn refuse_dry_run(root: &Path, branch: Option<&str>) -> Result<()> {
    if !is_frozen() {
        return Ok(());
    }
    let what =
        if root.symlink_metadata().is_err() { "is gone" } else { "is not whole, or not linked to git" };
    let branch = branch.map(|branch| format!(" from its branch `{branch}`")).unwrap_or_default();
    let text = format!(
        "{} {what}: any other verb rebuilds it{branch}, and a dry run writes nothing",
        root.display()
    );
    let project = root.parent().unwrap_or(root);
    Err(Fault::new(Code::Git, text).hint(format!("`swift -C {} list` rebuilds it", as_word(project))))
}

/// The queue's own checkout is at something else than the queue.
fn strayed(root: &Path, own: &str, now: Option<&str>) -> Fault {
    let at = now.map_or("no branch".to_owned(), |now| format!("the branch `{now}`"));
    let text = format!("{} is on {at}, and the queue's is `{own}`", root.display());
    let root = as_word(root);
    Fault::new(Code::InProgress, text)
        .hint(format!("`git -C {root} switch {own}` goes back to it"))
        .hint(format!("`git -C {root} log {own}..HEAD` shows what only the other one has"))
}

/// The folder was a worktree, and no branch that could be its own is there.
pub(super) fn without_branch(root: &Path) -> Fault {
    Fault::new(
        Code::Git,
        format!("{} was the worktree of a branch of its own, and that branch is gone", root.display()),
    )
    .hint("`git branch --all` shows the branches that are there")
    .hint(format!("`mv {0} {0}-old` puts the files aside; then `swift init` makes a queue", root.display()))
}

/// One branch, one worktree, as git has it: what is committed in the one shows as removed in the other.
fn has_moved(root: &Path, branch: &str, other: &Path) -> Fault {
    Fault::new(
        Code::BranchTaken,
        format!(
            "{} is gone, and its branch `{branch}` is checked out in {}",
            root.display(),
            other.display()
        ),
    )
    .hint(format!("`git worktree move {} {}` brings it back", other.display(), root.display()))
    .hint(format!("`git -C {} switch --detach` frees the branch", as_word(other)))
}
