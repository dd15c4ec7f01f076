//! Files that git has put into the queue's worktree for the project's own checkout.
//!
//! A branch from before the queue moved to its own still has `.swift/` in its tree, and so has one that such a branch
//! was merged into. Checked out, its files come over the queue's, which git takes for ignored ones, and they go when
//! another branch is checked out. Neither is work of somebody's. So nothing is read and nothing recorded as long as the
//! project's index has such files; which they are is noted, and once it has none the queue's own are put back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;

use super::find::{Place, SETTINGS, place};
use super::worktree::FOLDER;
use super::{creation, relink, switch};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::history::Reader;
use crate::store::git::history::committed::{Commit, Committed};
use crate::store::git::index::beginning;
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Cause, Durability, Home, HomeKind, Rebuilt, commit, disk};
use crate::store::local::is_frozen;

/// How long other processes are waited for.
const WAIT: Duration = Duration::from_secs(10);

/// So many characters name a commit in a sentence.
const SHORT: usize = 10;

/// What the project has had at a path of the queue.
type Foreign = BTreeMap<String, BTreeSet<ObjectId>>;

impl Place {
    /// The home, if the files in its folder are its own; what git has put in their place meanwhile is taken back.
    pub(super) fn without_foreign(&self, mut home: Home) -> Result<Home> {
        if let Some(overrun) = self.overrun(&home)? {
            return Err(match home.moved_into_tree(&overrun.git_dir)? {
                Some(commit) => overrun.left_behind(&home, commit),
                None => {
                    home.note_foreign(&overrun.found)?;
                    overrun.told_as_older()
                }
            });
        }
        if home.kind != HomeKind::Branch {
            return Ok(home);
        }
        if home.foreign_path().symlink_metadata().is_ok() {
            relink::refuse_dry_run(&home.root, home.branch.as_deref())?;
            home.put_own_back()?;
            home.rebuilt = Some(Rebuilt::because(Cause::Overrun));
        } else if home.has_lost_settings()? {
            relink::refuse_dry_run(&home.root, home.branch.as_deref())?;
            // Such a branch came and went and no verb has seen it: git has taken away what it had put there.
            home.put_own_back()?;
            home.rebuilt = Some(Rebuilt::because(Cause::Emptied));
        }
        Ok(home)
    }

    /// What git has put into the folder of a queue that is on a branch of its own.
    pub(in crate::store::git) fn overrun(&self, home: &Home) -> Result<Option<Overrun>> {
        let checkout = home.root.parent().filter(|_| home.kind == HomeKind::Branch).map(Path::to_owned);
        let Some(checkout) = checkout else { return Ok(None) };
        let Some(git_dir) = self.git_dir_of(&checkout) else { return Ok(None) };
        let found = beginning::below(&git_dir.join("index"), format!("{FOLDER}/").as_bytes());
        if found.is_empty() {
            return Ok(None);
        }
        let branch = refs::tip(&git_dir, &self.common_dir)?.short().map(str::to_owned);
        Ok(Some(Overrun { checkout, git_dir, branch, found }))
    }

    fn git_dir_of(&self, checkout: &Path) -> Option<PathBuf> {
        if self.checkout.as_deref() == Some(checkout) {
            return Some(self.git_dir.clone());
        }
        if self.common_dir.parent() == Some(checkout) && self.common_dir.ends_with(".git") {
            return Some(self.common_dir.clone());
        }
        let around = place(checkout).ok().filter(|around| around.common_dir == self.common_dir)?;
        Some(around.git_dir)
    }
}

impl Home {
    /// Whether the last commit has the file without which there is no queue, and the folder has not.
    fn has_lost_settings(&self) -> Result<bool> {
        let is_gone = self.root.join(SETTINGS).symlink_metadata().is_err_and(|error| disk::is_absent(&error));
        if !is_gone || self.refuse_sparse().is_err() || self.refuse_other_branch().is_err() {
            return Ok(false);
        }
        let repo = self.repo()?;
        Ok(self.committed_files(&repo)?.contains_key(SETTINGS))
    }

    fn foreign_path(&self) -> PathBuf {
        creation::folder(&self.common_dir).join("foreign")
    }

    /// Add to the note what the project has now.
    fn note_foreign(&self, found: &[beginning::Named]) -> Result<()> {
        let known = self.foreign()?;
        let mut all = known.clone();
        for named in found {
            let path = named.path.get(FOLDER.len() + 1..).and_then(|path| std::str::from_utf8(path).ok());
            if let Some(path) = path.filter(|path| !path.contains('\n')) {
                all.entry(path.to_owned()).or_default().insert(named.id);
            }
        }
        if all == known || is_frozen() {
            return Ok(());
        }
        let lines = all.iter().flat_map(|(path, ids)| ids.iter().map(move |id| format!("{id} {path}\n")));
        self.repo()?.sharing()?.make_folders(&creation::folder(&self.common_dir))?;
        self.write_record(&self.foreign_path(), lines.collect::<String>().as_bytes()).map(drop)
    }

    fn foreign(&self) -> Result<Foreign> {
        let note = disk::read(&self.foreign_path())?.unwrap_or_default();
        let mut all = Foreign::new();
        for line in String::from_utf8_lossy(&note).lines() {
            let Some((id, path)) = line.split_once(' ') else { continue };
            if let Ok(id) = ObjectId::from_hex(id.as_bytes()) {
                all.entry(path.to_owned()).or_default().insert(id);
            }
        }
        Ok(all)
    }

    /// Put back what git has written over or taken away. What was written by anybody else stays, and so does a file that
    /// the queue has never had: it is a task that the other branch brings.
    fn put_own_back(&self) -> Result<()> {
        let _guard = self.lock(WAIT)?;
        let repo = self.repo()?;
        let own = self.committed_files(&repo)?;
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let (mut change, mut barrier) = (folder.change(), Barrier::default());
        let mut all = self.foreign()?;
        if folder.stat(SETTINGS)?.is_none() {
            // git took away what it had put there before it was seen, too.
            for path in own.keys() {
                all.entry(path.clone()).or_default();
            }
        }
        for (path, foreign) in all {
            let Ok(found) = folder.read(&path) else { continue };
            let found = found.map(|content| commit::blob_id(&repo, &content)).transpose()?;
            let own = own.get(&path).map(|leaf| leaf.id);
            match (found, own) {
                (None, Some(own)) => {
                    change.make(&path, &folder.stage(&repo.blob(own)?, &mut barrier)?)?;
                }
                (Some(found), Some(own)) if found != own && foreign.contains(&found) => {
                    change.replace(&path, &folder.stage(&repo.blob(own)?, &mut barrier)?)?;
                }
                (Some(found), None) if foreign.contains(&found) && self.has_had(&path, found)? => {
                    change.take(&path)?;
                }
                _ => {}
            }
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        change.complete();
        disk::remove(&self.foreign_path())
    }

    /// Whether an older commit of the queue has this file with this content.
    fn has_had(&self, path: &str, blob: ObjectId) -> Result<bool> {
        let mut committed: Committed = self.committed()?;
        for entry in self.history()? {
            let commit = Commit::of(self.repo()?.id(&entry?.id)?);
            if committed.file(commit, path)?.is_some_and(|found| found.is(blob)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The branches of the project that still have a queue's files in their trees.
    ///
    /// # Errors
    /// Those of listing the branches.
    pub(crate) fn branches_with_files(&self) -> Result<Vec<String>> {
        let repo = self.repo()?;
        let mut reader = Reader::new(self.repo()?);
        let heads = refs::heads(&self.common_dir)?;
        let own = self.branch.as_deref();
        let others = heads.into_iter().filter(|(name, _)| Some(name.as_str()) != own);
        Ok(others.filter(|(_, id)| has_folder(&repo, &mut reader, id)).map(|(name, _)| name).collect())
    }
}

/// A branch that cannot be read has nothing to be told of here.
fn has_folder(repo: &Repo, reader: &mut Reader, id: &str) -> bool {
    let found = repo.id(id).and_then(|id| Ok((repo.commit(id)?.tree, reader.queue(id)?)));
    found.is_ok_and(|(root, queue)| {
        queue.is_some()
            && tree::lookup(repo, root, FOLDER).is_ok_and(|line| line.is_some_and(|line| line.is_folder()))
    })
}

/// What the project's index has in the place of the queue.
pub(in crate::store::git) struct Overrun {
    checkout: PathBuf,
    pub(in crate::store::git) git_dir: PathBuf,
    /// The branch that is checked out.
    branch: Option<String>,
    found: Vec<beginning::Named>,
}

impl Overrun {
    fn on(&self) -> String {
        match &self.branch {
            Some(branch) => format!("the branch `{branch}`"),
            None => "the commit".to_owned(),
        }
    }

    /// The files are those of the queue as it was before it moved away from the tree.
    fn told_as_older(&self) -> Fault {
        let first = self.found.first().map(|named| String::from_utf8_lossy(&named.path).into_owned());
        let others = match self.found.len() - 1 {
            0 => String::new(),
            1 => " and 1 other file".to_owned(),
            more => format!(" and {more} other files"),
        };
        let text = format!(
            "{} that is checked out in {} has `{}`{others} in the place of the queue's own, as before it moved",
            self.on(),
            self.checkout.display(),
            first.unwrap_or_default()
        );
        let at = as_word(&self.checkout);
        let mut fault = Fault::new(Code::InProgress, text);
        if switch::was_elsewhere(&self.checkout) {
            fault = fault.hint(format!(
                "`git -C {at} switch -` goes back; the next verb brings the queue's own files back"
            ));
        }
        fault.hint(format!("`git -C {at} rm -r --quiet --cached {FOLDER}` takes them out of that branch"))
    }

    /// The files are those of the queue itself, which another clone has moved into the tree.
    fn left_behind(&self, home: &Home, commit: Option<ObjectId>) -> Fault {
        let since = commit.map(|commit| format!(", since commit {}", commit.to_hex_with_len(SHORT)));
        let text = format!(
            "the queue is in the tree of {} now{}, and still on the branch `{}` in this clone",
            self.on(),
            since.unwrap_or_default(),
            home.branch.as_deref().unwrap_or("swift")
        );
        Fault::new(Code::InProgress, text).hint(
            "`swift home tree` goes along; it keeps what this clone alone has, and says how that is joined",
        )
    }
}
