//! What debts are to be, kept below the git folder until they are committed.
//!
//! The files of a debt are not committed, so git takes them away with `stash`, `reset --hard`, `restore` or
//! `checkout -f`: those that it knows and not those that are new, which leaves half of what a verb has reported. That it
//! has, the log tells: no person edits it. `git clean` takes the other half. Then all files are read as they were left, and
//! the next verb puts them back and commits them.
//!
//! In the tree a debt belongs to the branch on which it was made. A checkout carries its files to another one; there
//! they are taken out again and wait for theirs. What is owed in a linked worktree is kept in the shared git folder, as
//! git removes its own with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gix::ObjectId;

use super::record::{Kept, RECORD, Waiting};
use super::{Contents, Versions, WORKTREES};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::folder::Folder;
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Change, Expect, Guard, Home, HomeKind, commit, disk};
use crate::store::layout;

/// So many moves of HEAD, the newest, are looked at for commits of a person's.
const MOST_MOVES: usize = 64;

/// So many records are looked at, where each is replaced while it is.
const MOST_LOOKS: usize = 8;

/// What a debt belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) enum Bond {
    /// The branch at hand: the commit would be there if it had not had to wait.
    Branch,
    /// The person, who says when and where it is committed.
    Person,
}

/// A file of a debt as it is now.
struct Now {
    here: Option<ObjectId>,
    head: Option<ObjectId>,
}

/// What became of debts when the folder was made anew.
pub(in crate::store::git) struct Brought {
    /// Files that are there as they were left.
    pub(in crate::store::git) there: Vec<String>,
    /// Those of which nothing was kept.
    pub(in crate::store::git) lost: Vec<String>,
}

/// The new files of a debt, which no commit has: `git clean` takes them all and leaves the log, where a commit has an
/// earlier one. A person who takes some away leaves others, and one who moves them leaves what is in them.
#[derive(Default)]
struct New {
    there: usize,
    gone: BTreeSet<ObjectId>,
}

impl New {
    fn count(&mut self, kept: Kept, now: &Now) {
        match kept.new.filter(|_| kept.base.is_none() && now.head.is_none()) {
            Some(_) if now.here.is_some() => self.there += 1,
            Some(id) => self.gone.extend([id]),
            None => {}
        }
    }
}

impl Home {
    /// What is owed so far, for changes that are about to be added to it.
    pub(super) fn owed_so_far(&self, repo: &Repo, bond: Bond) -> Result<Waiting> {
        let branch = match bond {
            Bond::Branch if self.kind == HomeKind::Tree => self.tip()?.branch.unwrap_or_default(),
            _ => String::new(),
        };
        let mut owed = self.owed(&self.debt_set()?)?.unwrap_or_else(|| self.nothing_owed());
        owed.branch = branch;
        let paid = self.paid_by_hand(repo, &mut owed)?;
        self.settle_debts(&paid)?;
        Ok(owed)
    }

    pub(super) fn nothing_owed(&self) -> Waiting {
        Waiting { folder: self.owed_folder(), branch: String::new(), files: BTreeMap::new() }
    }

    /// What a person has committed of debts is none any more: what comes now is made to that.
    fn paid_by_hand(&self, repo: &Repo, owed: &mut Waiting) -> Result<BTreeMap<String, Kept>> {
        let mut paid = BTreeMap::new();
        for (path, kept) in &owed.files {
            if self.committed_now(repo, path)? == kept.new {
                paid.insert(path.clone(), *kept);
            }
        }
        owed.files.retain(|path, _| !paid.contains_key(path));
        Ok(paid)
    }

    /// All debts are paid.
    pub(in crate::store::git) fn forget_owed(&self) -> Result<()> {
        match Waiting::read(&self.owed_folder()) {
            Ok(None) => return Ok(()),
            Ok(Some(owed)) => owed.forget()?,
            // One that cannot be read is of no use.
            Err(_) => disk::remove(&self.owed_folder().join(RECORD))?,
        }
        // Only if nothing is owed in another.
        let _ = std::fs::remove_dir(self.linked_debts());
        Ok(())
    }

    /// Remove contents that no record names: they were written by whoever was cut off or refused.
    pub(in crate::store::git) fn sweep_owed(&self) {
        match Waiting::read(&self.owed_folder()) {
            Ok(Some(owed)) => owed.sweep(),
            Ok(None) => {
                self.nothing_owed().sweep();
                // Only if nothing is in it, here and in another worktree.
                let _ = std::fs::remove_dir(self.owed_folder());
                let _ = std::fs::remove_dir(self.linked_debts());
            }
            Err(_) => {}
        }
    }

    /// What is to be read in place of files that git has taken back.
    pub(super) fn owed_over(&self) -> Result<BTreeMap<String, Option<PathBuf>>> {
        let Some(owed) = look_again(|| self.taken_back_of_debts())? else { return Ok(BTreeMap::new()) };
        let content = |kept: &Kept| kept.new.map(|id| owed.content(id));
        Ok(owed.files.iter().map(|(path, kept)| (path.clone(), content(kept))).collect())
    }

    /// Put back what git has taken back; it is a debt as before. Tells as [`Home::land`] does.
    pub(super) fn put_debts_back(
        &self,
        guard: &Guard,
        settle: &dyn Fn(&BTreeMap<String, Versions>) -> Contents,
    ) -> Result<Vec<String>> {
        let Some(mut owed) = self.taken_back_of_debts()? else { return Ok(Vec::new()) };
        self.land_one(guard, &mut owed, settle, "git has taken it back")
    }

    /// Put what is owed into a folder that was made anew.
    pub(in crate::store::git) fn bring_back(&self, guard: &Guard) -> Result<Brought> {
        let debts = self.debt_set()?;
        // Of a record that cannot be read nothing is kept.
        let owed = self.owed(&debts).ok().flatten().map(|mut owed| {
            let folder = owed.folder.clone();
            owed.files.retain(|_, kept| kept.new.is_none_or(|id| folder.join(id.to_string()).is_file()));
            owed
        });
        let mut there = BTreeSet::new();
        let mut files = Vec::new();
        if let Some(mut owed) = owed {
            let repo = self.repo()?;
            self.goes_on(&repo, &Folder::open(&self.root)?, &mut owed)?;
            self.land_one(guard, &mut owed, &|_| Contents::new(), "the folder was gone")?;
            let left = owed.files.iter().filter(|(_, kept)| kept.new.is_some());
            files.extend(left.map(|(path, _)| path.clone()));
            there.extend(owed.files.into_keys());
        }
        self.write_debts(&there)?;
        let lost = debts.difference(&there).cloned().collect();
        Ok(Brought { there: files, lost })
    }

    /// What was left on another branch, and came here with its files, is taken out here and waits for its branch.
    pub(super) fn leave_to_its_branch(&self, guard: &Guard) -> Result<()> {
        let Some(owed) = self.owed_elsewhere()? else { return Ok(()) };
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?;
        let mut changes = Vec::new();
        for (path, kept) in &owed.files {
            let now = self.now(&repo, &folder, path)?;
            if now.here == now.head {
                continue;
            }
            if now.here != kept.new {
                return Err(was_edited(path, refs::short(&owed.branch)));
            }
            let expect = kept.new.map(|id| owed.read_content(id)).transpose()?;
            changes.push(Change {
                path: path.clone(),
                content: now.head.map(|id| repo.blob(id)).transpose()?,
                expect: expect.map_or(Expect::Absent, Expect::Bytes),
            });
        }
        self.hand_over(&repo, &owed)?;
        self.keep_in_place(guard, changes, "it waits for another branch")?;
        self.settle_debts(&owed.files)
    }

    /// What is owed to another branch than the one at hand, and is not in that one either.
    pub(super) fn owed_elsewhere(&self) -> Result<Option<Waiting>> {
        let is_any = self.kind == HomeKind::Tree && self.owed_folder().join(RECORD).exists();
        if !is_any || self.is_in_the_middle() {
            return Ok(None);
        }
        let Some(owed) = self.owed(&self.debt_set()?)? else { return Ok(None) };
        let is_of_another = !owed.branch.is_empty() && self.tip()?.branch.as_ref() != Some(&owed.branch);
        if !is_of_another || refs::resolve(&self.common_dir, &owed.branch)?.is_none() {
            return Ok(None);
        }
        let repo = self.repo()?;
        for (path, kept) in &owed.files {
            if self.committed_now(&repo, path)? != kept.new {
                return Ok(Some(owed));
            }
        }
        Ok(None)
    }

    /// Have what is owed wait for its branch.
    pub(super) fn hand_over(&self, repo: &Repo, owed: &Waiting) -> Result<()> {
        let mut waiting = self.waiting_for(repo, &owed.branch)?;
        self.bring_along(repo, &mut waiting)?;
        let mut contents = Vec::new();
        for (path, kept) in &owed.files {
            contents.extend(kept.new.map(|id| owed.read_content(id).map(|content| (id, content))));
            let base = waiting.files.get(path).map_or(kept.base, |before| before.base);
            waiting.files.insert(path.clone(), Kept { base, new: kept.new });
        }
        let contents = contents.into_iter().collect::<Result<Vec<_>>>()?;
        repo.sharing()?.make_folders(&waiting.folder)?;
        self.write_down(&waiting, contents.iter().map(|(id, content)| (*id, content.as_slice())))
    }

    /// The debts, if the log says that git has taken them back; those that a person has edited since left out.
    fn taken_back_of_debts(&self) -> Result<Option<Waiting>> {
        if !self.owed_folder().join(RECORD).exists() || self.is_in_the_middle() {
            return Ok(None);
        }
        let Some(mut owed) = self.owed(&self.debt_set()?)? else { return Ok(None) };
        if !owed.branch.is_empty() && self.tip()?.branch.as_ref() != Some(&owed.branch) {
            return Ok(None);
        }
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?;
        if !self.goes_on(&repo, &folder, &mut owed)? {
            return Ok(None);
        }
        let mut is_taken = false;
        for (path, kept, now) in self.log_of(&repo, &folder, &owed)? {
            if now.here != kept.new {
                is_taken = true;
                if self.was_committed(&repo, &path, kept)? {
                    return Ok(None);
                }
            }
        }
        let mut left = BTreeMap::new();
        let mut new = New::default();
        for (path, kept) in owed.files {
            let now = self.now(&repo, &folder, &path)?;
            new.count(kept, &now);
            if [kept.new, kept.base, now.head].contains(&now.here) {
                left.insert(path, kept);
            }
        }
        owed.files = left;
        let is_taken = is_taken || self.was_cleaned(&repo, &folder, &new)?;
        Ok(Some(owed).filter(|_| is_taken))
    }

    /// Whether the log is as it was left, or as it was before, or ends between the two, because a person has committed
    /// some of it; then the rest was made to that. Something else again is a history that was set back, or goes on from
    /// elsewhere.
    fn goes_on(&self, repo: &Repo, folder: &Folder, owed: &mut Waiting) -> Result<bool> {
        for (path, kept, now) in self.log_of(repo, folder, owed)? {
            if now.here == kept.new || now.here == kept.base {
                continue;
            }
            let (Some(new), Some(head), true) = (kept.new, now.head, now.here == now.head) else {
                return Ok(false);
            };
            let (committed, left) = (repo.blob(head)?, owed.read_content(new)?);
            let before = kept.base.map(|id| repo.blob(id)).transpose();
            let is_longer = before.is_ok_and(|before| committed.starts_with(&before.unwrap_or_default()));
            if !is_longer || !left.starts_with(&committed) {
                return Ok(false);
            }
            owed.files.insert(path, Kept { base: now.here, ..kept });
        }
        Ok(true)
    }

    /// Whether a person has committed a file as it was left: what is there now they have gone on to, or back.
    fn was_committed(&self, repo: &Repo, path: &str, kept: Kept) -> Result<bool> {
        let log = disk::read(&self.git_dir.join("logs/HEAD"))?.unwrap_or_default();
        for line in log.split(|byte| *byte == b'\n').rev().take(MOST_MOVES) {
            let to = line.split(|byte| *byte == b' ').nth(1).and_then(|hex| ObjectId::from_hex(hex).ok());
            let Some(Ok(commit)) = to.map(|id| repo.commit(id)) else { continue };
            let there = tree::lookup(repo, commit.tree, &self.in_tree(path)).ok().flatten();
            if there.filter(|line| !line.is_folder()).map(|line| line.id) == kept.new {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The segments of the log among debts, each as it is now.
    fn log_of(&self, repo: &Repo, folder: &Folder, owed: &Waiting) -> Result<Vec<(String, Kept, Now)>> {
        let log = owed.files.iter().filter(|(path, _)| path.starts_with(layout::AUDIT));
        log.map(|(path, kept)| Ok((path.clone(), *kept, self.now(repo, folder, path)?))).collect()
    }

    /// Whether git has taken these away as files that it does not know.
    fn was_cleaned(&self, repo: &Repo, folder: &Folder, new: &New) -> Result<bool> {
        if new.gone.is_empty() || new.there > 0 {
            return Ok(false);
        }
        let committed = self.committed_files(repo)?;
        let mut present = Vec::new();
        folder.list("", &mut present)?;
        for path in present.iter().filter(|path| !committed.contains_key(*path)) {
            if folder.id(repo, path, None)?.is_some_and(|id| new.gone.contains(&id)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is kept of these debts.
    pub(super) fn owed(&self, debts: &BTreeSet<String>) -> Result<Option<Waiting>> {
        let Some(mut owed) = Waiting::read(&self.owed_folder())? else { return Ok(None) };
        owed.files.retain(|path, _| debts.contains(path));
        Ok(Some(owed).filter(|owed| !owed.files.is_empty()))
    }

    fn now(&self, repo: &Repo, folder: &Folder, path: &str) -> Result<Now> {
        let here = folder.read(path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
        Ok(Now { here, head: self.committed_now(repo, path)? })
    }

    pub(super) fn committed_now(&self, repo: &Repo, path: &str) -> Result<Option<ObjectId>> {
        let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(None) };
        let line = tree::lookup(repo, repo.commit(tip)?.tree, &self.in_tree(path))?;
        Ok(line.filter(|line| !line.is_folder()).map(|line| line.id))
    }

    /// Whether git is at something that ends with other files than are here now.
    fn is_in_the_middle(&self) -> bool {
        self.operation().is_some() || self.kind == HomeKind::Tree && self.hook
    }

    /// Whether anything is kept of debts. One look at a name that most often is not there.
    pub(super) fn has_owed(&self) -> bool {
        self.owed_folder().exists()
    }

    pub(in crate::store::git) fn owed_folder(&self) -> PathBuf {
        let own = self.records().join("owed");
        let worktree = self.git_dir.strip_prefix(self.common_dir.join(WORKTREES));
        match worktree {
            Ok(name) if self.kind == HomeKind::Tree && !own.join(RECORD).exists() => {
                self.linked_debts().join(name)
            }
            _ => own,
        }
    }
}

/// Who looks without the lock may have a record before it that another process replaces, and contents of it sweeps, before
/// they are read: the record that counts is the one that is there now.
fn look_again<T>(mut look: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 1..MOST_LOOKS {
        match look() {
            Err(fault) if fault.code == Code::Io => {}
            looked => return looked,
        }
    }
    look()
}

fn was_edited(path: &str, branch: &str) -> Fault {
    Fault::new(
        Code::InProgress,
        format!("`.swift/{path}` was written on `{branch}`, is not committed, and was edited here since"),
    )
    .hint(format!("`git switch {branch}` goes back there; the next verb commits it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of looking when the first looks fail so, and how many looks that were.
    fn looked(failing: usize, code: Code) -> (Result<()>, usize) {
        let mut looks = 0;
        let result = look_again(|| {
            looks += 1;
            if looks > failing { Ok(()) } else { Err(Fault::new(code, "gone")) }
        });
        (result, looks)
    }

    #[test]
    fn what_vanishes_under_a_look_is_looked_at_again_and_not_for_ever() {
        assert!(matches!(looked(0, Code::Io), (Ok(()), 1)));
        assert!(matches!(looked(3, Code::Io), (Ok(()), 4)));
        assert!(matches!(looked(usize::MAX, Code::Io), (Err(_), MOST_LOOKS)));
        assert!(matches!(looked(1, Code::Git), (Err(_), 1)));
    }
}
