//! The queue's branch, moved beneath its checkout: by a push into this repository, by `git fetch -u`, by `git update-ref`.
//!
//! git moves the branch then and leaves the files and the index of the worktree as they were. Compared with the new
//! commit they look as if a person had taken back everything that came. The reflog of the worktree's HEAD tells that
//! nobody has: git writes there whatever moves HEAD together with the files, and so do we. Where the new commit goes on
//! from the last one that the files had, they follow it; a file that was edited meanwhile, or a commit that does not go
//! on from it, is for the person to decide on. A branch that was only set back is none of this: what lies here is kept.
//! In the tree it is the person's branch, and only what is below `.swift/` follows it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use gix::ObjectId;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::folder::{Change, Folder};
use crate::store::git::disk::sync::Barrier;
use crate::store::git::index::file::Entries;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::external::Git;
use crate::store::git::repo::refs::{self, Movement, Reflog, Tip};
use crate::store::git::repo::{Repo, backwards};
use crate::store::git::{Durability, Guard, Home, HomeKind, commit, disk};
use crate::store::layout;

/// How git calls what moves a branch without the files of its checkout, at the beginning of a line of a reflog.
const OF_THE_BRANCH_ALONE: [&str; 2] = ["fetch", "push"];

/// The branch is elsewhere than the files.
struct Moved {
    /// The commit that the files were checked out from.
    from: ObjectId,
    to: ObjectId,
    tip: Tip,
}

/// A file in both commits.
struct Step {
    path: String,
    before: Option<ObjectId>,
    after: Option<Leaf>,
}

impl Home {
    /// Whether the branch was moved beneath the files. Costs the end of one reflog.
    ///
    /// # Errors
    /// Those of reading HEAD and its reflog.
    pub(crate) fn is_beneath(&self) -> Result<bool> {
        self.moved_beneath().map(|moved| moved.is_some())
    }

    fn moved_beneath(&self) -> Result<Option<Moved>> {
        if self.kind == HomeKind::Tree && self.hook {
            return Ok(None);
        }
        let tip = refs::tip(&self.git_dir, &self.common_dir)?;
        let (Some(to), Some(_)) = (tip.id, &tip.branch) else { return Ok(None) };
        let from = self.last_with_files()?.filter(|from| *from != to && self.operation().is_none());
        Ok(from.map(|from| Moved { from, to, tip }))
    }

    /// The commit that HEAD was at when the files were moved with it for the last time.
    fn last_with_files(&self) -> Result<Option<ObjectId>> {
        let mut position = None;
        let found = backwards::find(&self.git_dir.join("logs/HEAD"), |line| {
            let mut words = line.split(|byte| *byte == b' ');
            let mut id = || words.next().and_then(|word| ObjectId::from_hex(word).ok());
            let Some((from, to)) = id().zip(id()) else { return ControlFlow::Break(position) };
            let before = Some(from).filter(|from| !from.is_null());
            match before.filter(|_| is_of_the_branch_alone(line)) {
                Some(before) => position = Some(before),
                None => return ControlFlow::Break(position.or(Some(to))),
            }
            ControlFlow::Continue(())
        })?;
        Ok(found.unwrap_or(position))
    }

    /// Have the files and the index follow the branch; whether they had to.
    ///
    /// # Errors
    /// [`Code::InProgress`] if that would lose something; those of reading commits and writing files.
    pub(crate) fn follow(&self, guard: &Guard) -> Result<bool> {
        self.check(guard);
        let Some(moved) = self.moved_beneath()? else { return Ok(false) };
        let repo = self.repo()?;
        if !repo.holds(moved.from) {
            return Ok(false);
        }
        let steps = self.steps(&repo, &moved)?;
        if steps.is_empty() {
            self.note_followed(&repo, &moved);
            return Ok(false);
        }
        if !self.goes_on_from(moved.from, moved.to)? {
            // Set back: what the files have more than the branch goes into the next commit.
            return if self.goes_on_from(moved.to, moved.from)? {
                Ok(false)
            } else {
                Err(self.gone_apart(&moved))
            };
        }
        let any = self.follow_steps(&repo, &moved, steps)?;
        self.note_followed(&repo, &moved);
        Ok(any)
    }

    /// The files that differ in the two commits and that the index has not as in the second. What belongs to one machine is
    /// no commit's.
    fn steps(&self, repo: &Repo, moved: &Moved) -> Result<Vec<Step>> {
        let tree = |id| self.queue_tree(repo, repo.commit(id)?.tree);
        let index = disk::open(&self.index_path())?;
        let index = index.and_then(|index| Entries::all(&index, repo.hash.len_in_bytes()).ok());
        let machine = format!("{}/", layout::LOCAL);
        let mut steps = Vec::new();
        tree::compare(repo, tree(moved.from)?, tree(moved.to)?, "", &mut |path, before, after| {
            let staged = index.as_ref().map(|index| index.find(self.in_tree(&path).as_bytes()));
            let is_staged = match staged {
                Some(Some(entry)) => after.is_some_and(|leaf| leaf.id.as_slice() == entry.id()),
                Some(None) => after.is_none(),
                None => false,
            };
            if !is_staged && !path.starts_with(&machine) {
                steps.push(Step { path, before: before.map(|leaf| leaf.id), after });
            }
        })?;
        Ok(steps)
    }

    /// In the tree the person's own files may still be where they were, and their reflog is theirs.
    fn note_followed(&self, repo: &Repo, moved: &Moved) {
        if self.kind == HomeKind::Branch {
            self.note_position(repo, moved.to, Some(moved.to), "swift: the files follow their branch");
        }
    }

    fn follow_steps(&self, repo: &Repo, moved: &Moved, steps: Vec<Step>) -> Result<bool> {
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let (mut change, mut barrier) = (folder.change(), Barrier::default());
        let (mut leaves, mut any) = (BTreeMap::new(), false);
        for step in steps {
            let here = folder.read(&step.path)?.map(|content| commit::blob_id(repo, &content)).transpose()?;
            if here != step.after.map(|leaf| leaf.id) {
                if here.is_some() && here != step.before {
                    return Err(self.both(&step.path));
                }
                place(repo, &folder, &mut change, &step, here, &mut barrier)?;
                any = true;
            }
            leaves.insert(step.path, step.after);
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        self.refresh_index(repo, &folder, &moved.tip, &leaves)?;
        change.complete();
        Ok(any)
    }

    /// Leave word that the files are those of this commit. Without it the same is found out again.
    pub(super) fn note_position(&self, repo: &Repo, to: ObjectId, from: Option<ObjectId>, message: &str) {
        let (Ok(who), Ok(sharing)) = (repo.identity(), repo.sharing()) else { return };
        let movement = Movement { from, to, who: &who.committer, message };
        let _ = refs::log_of_head(self, &movement, Reflog::of(repo), sharing);
    }

    fn goes_on_from(&self, earlier: ObjectId, later: ObjectId) -> Result<bool> {
        let words = ["merge-base", "--is-ancestor", &earlier.to_string(), &later.to_string()];
        let answer = Git::at(&self.common_dir).ask(&words)?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(Fault::new(Code::Git, format!("`git merge-base` failed: {}", answer.complaint()))
                .hint("`git fsck` tells whether the repository is whole")),
        }
    }

    fn both(&self, path: &str) -> Fault {
        let file = self.root.join(path);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let aside = self.root.with_file_name(format!("{}-{name}", super::worktree::FOLDER));
        let text = format!(
            "`.swift/{path}` was edited and is not committed, and the queue's branch was moved to a commit that has it \
             otherwise"
        );
        Fault::new(Code::InProgress, text)
            .hint(format!(
                "`git -C {} diff HEAD -- {}` shows both",
                as_word(&self.checkout),
                as_word(Path::new(&self.in_tree(path)))
            ))
            .hint(format!(
                "`mv {} {}` keeps the edited one; the next verb puts the committed one in its place",
                as_word(&file),
                as_word(&aside)
            ))
    }

    fn gone_apart(&self, moved: &Moved) -> Fault {
        let branch = moved.tip.short().unwrap_or("swift");
        let root = as_word(&self.checkout);
        let text = format!(
            "the branch `{branch}` was moved to the commit {}, which does not have the last one of {}, {}",
            moved.to.to_hex_with_len(SHORT),
            self.checkout.display(),
            moved.from.to_hex_with_len(SHORT)
        );
        Fault::new(Code::InProgress, text)
            .hint(format!("`git -C {root} branch {branch}-moved {}` keeps what came", moved.to))
            .hint(format!(
                "`git -C {root} reset --soft {}` then leads back to the last commit of these files",
                moved.from
            ))
            .hint(format!("`git -C {root} merge {branch}-moved` brings the two together"))
    }
}

/// So many characters name a commit in a sentence.
const SHORT: usize = 10;

fn place(
    repo: &Repo,
    folder: &Folder,
    change: &mut Change<'_>,
    step: &Step,
    here: Option<ObjectId>,
    barrier: &mut Barrier,
) -> Result<()> {
    let staged = step.after.map(|leaf| folder.stage(&repo.blob(leaf.id)?, barrier)).transpose()?;
    match (staged, here) {
        (Some(staged), None) => change.make(&step.path, &staged),
        (Some(staged), Some(_)) => change.replace(&step.path, &staged).map(drop),
        (None, _) => change.take(&step.path).map(drop),
    }
}

fn is_of_the_branch_alone(line: &[u8]) -> bool {
    let message = line.iter().position(|byte| *byte == b'\t').map_or(&[][..], |at| &line[at + 1..]);
    message.is_empty() || OF_THE_BRANCH_ALONE.iter().any(|word| message.starts_with(word.as_bytes()))
}
