//! The record of a queue that leaves its place: out of the repository, or to its other home.
//!
//! Both take many steps in places that no commit covers. So the record is on the disk before the first of them, where
//! that of a queue that is being made would be, and goes with the last. Whoever finds it under the lock goes on to the
//! end if the commit that decides is made, and puts everything back if it is not; where no commit decides, a yes was
//! given, and it goes on. Until then nobody works on half a queue.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;

use super::find::{Place, SETTINGS, place};
use super::remove::Removed;
use super::worktree::{FOLDER, Worktree};
use super::{creation, switch};
use crate::domain::fault::Result;
use crate::store::git::commit::lock;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{BranchFate, Durability, Guard, Home, HomeKind, Outcome, Request, Signing};

const HEAD_LINE: &str = "swift leaving 1";

/// How long whoever is at it is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// What the queue leaves for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) enum Aim {
    /// Out of the repository.
    Gone(BranchFate),
    /// From its own branch into the tree; the message is that of the commit.
    Tree { message: String },
    /// From its own branch to the tree that was pulled and has the queue already.
    Follow,
    /// From the tree to a branch of its own, by its short name, which begins with the commit that is made for it.
    Branch { name: String, made: ObjectId },
}

/// A queue on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Departure {
    root: PathBuf,
    /// The name of the worktree's administration and its branch in full, in the home on a branch.
    linked: Option<(String, String)>,
    tip: Option<ObjectId>,
    pub(super) aim: Aim,
}

impl Departure {
    /// Note, durably, that a queue leaves.
    pub(in crate::store::git) fn begin(home: &Home, aim: Aim) -> Result<Departure> {
        let departure = Departure::of(home, aim)?;
        let records = creation::folder(&home.common_dir);
        home.repo()?.sharing()?.make_folders(&records)?;
        // In place: a record that is cut short counts for nothing.
        let record = creation::record(&home.common_dir);
        let file = disk::overwrite(&record, departure.render()).or_io("write", &record)?;
        file.sync_all().or_io("flush", &record)?;
        creation::flush_names(&records)?;
        Ok(departure)
    }

    /// The record of a queue as it is now.
    pub(in crate::store::git) fn of(home: &Home, aim: Aim) -> Result<Departure> {
        let tip = home.tip()?;
        let name = home.git_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let linked =
            tip.branch.clone().filter(|_| home.kind == HomeKind::Branch).map(|branch| (name, branch));
        Ok(Departure { root: home.root.clone(), linked, tip: tip.id, aim })
    }

    /// It has left, or stays.
    pub(super) fn end(common_dir: &Path) -> Result<()> {
        disk::remove(&creation::record(common_dir))
    }

    /// Put in order what a killed process has left of this; whoever is at it is waited for.
    pub(super) fn settle(&self, here: &Place) -> Result<()> {
        let guard = lock::hold(&here.common_dir, WAIT)?;
        let now = creation::note(&here.common_dir)?;
        if now.as_deref().and_then(Departure::parse).as_ref() != Some(self) {
            return Ok(());
        }
        let Some(around) = self.around(here) else { return Departure::end(&here.common_dir) };
        match (&self.linked, &self.aim) {
            (Some(linked), Aim::Gone(fate)) => {
                self.linked_home(here, linked)?.take_worktree_out(self, *fate, &mut Removed::default())
            }
            (Some(linked), Aim::Tree { message }) => {
                let home = self.linked_home(here, linked)?;
                self.settle_in_tree(&guard, &home, &around.tree_home(&around.project()?)?, message)
            }
            (Some(linked), Aim::Follow) => {
                let target = around.tree_home(&around.project()?)?;
                self.linked_home(here, linked)?.leave_for_tree(self, &target)
            }
            (None, Aim::Gone(fate)) => self.settle_files(&around, *fate),
            (_, Aim::Branch { name, made }) => self.settle_on_branch(&around, name, *made),
            (None, Aim::Tree { .. } | Aim::Follow) => Departure::end(&here.common_dir),
        }
    }

    /// The checkout that the folder is in, if it is one of this repository: it may have been copied.
    fn around(&self, here: &Place) -> Option<Place> {
        let around = self.root.parent().and_then(|folder| place(folder).ok());
        let around = around.filter(|around| around.common_dir == here.common_dir);
        around.or_else(|| here.project().ok().and_then(|folder| place(&folder).ok()))
    }

    fn linked_home(&self, here: &Place, (name, branch): &(String, String)) -> Result<Home> {
        let is_ours = self.root.parent().and_then(|folder| place(folder).ok());
        let is_ours = is_ours.is_some_and(|around| around.common_dir == here.common_dir);
        let root = if is_ours { self.root.clone() } else { here.project()?.join(FOLDER) };
        let admin = here.common_dir.join("worktrees").join(name);
        let branch = Some(refs::short(branch).to_owned());
        Ok(here.branch_home(Worktree { admin, root, branch }))
    }

    /// In the tree the commit decides that removes the files.
    fn settle_files(&self, around: &Place, fate: BranchFate) -> Result<()> {
        let Some(checkout) = &around.checkout else { return Departure::end(&around.common_dir) };
        let home = around.tree_home(checkout)?;
        home.recover()?;
        if fate == BranchFate::Delete && home.read_committed(SETTINGS)?.is_some() {
            home.put_back()?;
            return Departure::end(&home.common_dir);
        }
        home.take_files_out(fate, &mut Removed::default())
    }

    /// Into the tree: the commit decides that has the queue's history as a second parent.
    fn settle_in_tree(&self, guard: &Guard, home: &Home, target: &Home, message: &str) -> Result<()> {
        let repo = target.repo()?;
        let Some(tip) = self.tip else { return Departure::end(&home.common_dir) };
        target.recover()?;
        if !target.has_parent(&repo, tip)? {
            if target.read_committed(SETTINGS)?.is_none() {
                home.take_note_back()?;
                target.write_debts(&Default::default())?;
                return Departure::end(&home.common_dir);
            }
            // A commit of the person's has taken the files along that were in the index already.
            let request = Request {
                changes: Vec::new(),
                message,
                durability: Durability::Full,
                signing: Signing::AsConfigured,
            };
            if let Outcome::Debt(reason) = target.commit_on(guard, request, &[tip])? {
                return Err(switch::not_now(&reason));
            }
        }
        home.leave_worktree(self, &mut Removed::default())
    }

    /// To a branch: the commit decides that removes the files from the tree.
    fn settle_on_branch(&self, around: &Place, name: &str, made: ObjectId) -> Result<()> {
        let Some(checkout) = &around.checkout else { return Departure::end(&around.common_dir) };
        let home = around.tree_home(checkout)?;
        home.recover()?;
        if home.read_committed(SETTINGS)?.is_none() {
            return home.move_in(name).map(drop);
        }
        home.take_branch_back(name, made)?;
        home.put_back()?;
        Departure::end(&home.common_dir)
    }

    /// What the queue had in git when it left.
    pub(in crate::store::git) fn files(&self, repo: &Repo) -> Result<BTreeMap<String, tree::Leaf>> {
        let mut files = BTreeMap::new();
        if let Some(tip) = self.tip {
            tree::flatten(repo, repo.commit(tip)?.tree, "", &mut files)?;
        }
        Ok(files)
    }

    /// The queue's branch and where it stood.
    pub(in crate::store::git) fn branch(&self) -> Option<(&str, ObjectId)> {
        self.linked.as_ref().map(|(_, branch)| branch.as_str()).zip(self.tip)
    }

    fn render(&self) -> Vec<u8> {
        let mut fields: Vec<Vec<u8>> = vec![HEAD_LINE.into(), self.root.as_os_str().as_bytes().to_owned()];
        let mut field = |text: String| fields.push(text.into_bytes());
        field(self.tip.map(|tip| tip.to_string()).unwrap_or_default());
        match &self.linked {
            Some((name, branch)) => field(format!("{name} {branch}")),
            None => field(String::new()),
        }
        match &self.aim {
            Aim::Gone(BranchFate::Keep) => field("gone keep".to_owned()),
            Aim::Gone(BranchFate::Delete) => field("gone delete".to_owned()),
            Aim::Follow => field("tree-of pulled".to_owned()),
            Aim::Tree { message } => field(format!("tree {}", message.replace('\0', ""))),
            Aim::Branch { name, made } => field(format!("branch {made} {name}")),
        }
        field("end".to_owned());
        fields.into_iter().flat_map(|field| [field, vec![0]].concat()).collect()
    }

    /// A record that is cut short counts for nothing: nothing has been done yet.
    pub(super) fn parse(record: &[u8]) -> Option<Departure> {
        let mut fields = record.strip_suffix(b"\0end\0")?.split(|byte| *byte == 0);
        if fields.next()? != HEAD_LINE.as_bytes() {
            return None;
        }
        let root = PathBuf::from(OsStr::from_bytes(fields.next()?));
        let mut texts = fields.map(|field| std::str::from_utf8(field).ok());
        let tip = texts.next()??;
        let tip = if tip.is_empty() { None } else { Some(ObjectId::from_hex(tip.as_bytes()).ok()?) };
        let linked =
            texts.next()??.split_once(' ').map(|(name, branch)| (name.to_owned(), branch.to_owned()));
        let aim = match texts.next()??.split_once(' ')? {
            ("gone", "keep") => Aim::Gone(BranchFate::Keep),
            ("gone", "delete") => Aim::Gone(BranchFate::Delete),
            ("tree-of", "pulled") => Aim::Follow,
            ("tree", message) => Aim::Tree { message: message.to_owned() },
            ("branch", rest) => {
                let (made, name) = rest.split_once(' ')?;
                Aim::Branch { name: name.to_owned(), made: ObjectId::from_hex(made.as_bytes()).ok()? }
            }
            _ => return None,
        };
        Some(Departure { root, linked, tip, aim })
    }
}

impl Home {
    /// Write every committed file that is not on the disk, and nothing else.
    pub(super) fn put_back(&self) -> Result<()> {
        let repo = self.repo()?;
        let sharing = repo.sharing()?;
        sharing.make_folders(&self.root)?;
        let folder = Folder::open(&self.root)?.shared(sharing);
        let (mut change, mut barrier) = (folder.change(), Barrier::default());
        for (path, leaf) in self.committed_files(&repo)? {
            if folder.stat(&path)?.is_none() {
                let staged = folder.stage(&repo.blob(leaf.id)?, &mut barrier)?;
                change.make(&path, &staged)?;
            }
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        change.complete();
        self.write_debts(&Default::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_counts_for_nothing() {
        let id = ObjectId::from_hex(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904").expect("a hash");
        let aims = [
            Aim::Gone(BranchFate::Keep),
            Aim::Gone(BranchFate::Delete),
            Aim::Tree { message: "move\n\nwhy: x".to_owned() },
            Aim::Follow,
            Aim::Branch { name: "queue/a".to_owned(), made: id },
        ];
        for aim in aims {
            for linked in [None, Some(("-swift".to_owned(), "refs/heads/swift".to_owned()))] {
                let departure = Departure {
                    root: PathBuf::from("/a b\n/.swift"),
                    linked,
                    tip: Some(id),
                    aim: aim.clone(),
                };
                let record = departure.render();
                for cut in 0..record.len() {
                    assert_eq!(Departure::parse(&record[..cut]), None, "cut at {cut}");
                }
                assert_eq!(Departure::parse(&record), Some(departure));
            }
        }
    }
}
