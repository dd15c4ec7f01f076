//! Where two histories come together: what git could not join by itself, and the commit that ends a merge.
//!
//! Merging is git's work. Here is read what it has left open, and what each side had; and once every file of the queue
//! is settled, a merge of the queue's own branch is concluded. A merge of the person's branch never is: there, the
//! settled files are staged and the rest is left to them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use gix::ObjectId;

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::commit::Joined;
use crate::store::git::history::committed::{Blob, Commit};
use crate::store::git::history::{Reader, Since};
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::Repo;
use crate::store::git::repo::external::Git;
use crate::store::git::{Change, Guard, Home, HomeKind, Outcome, Request, disk};
use crate::store::layout;

/// The commit that is being merged in.
const MERGE_HEAD: &str = "MERGE_HEAD";

/// What git keeps of a merge until it is concluded, in the order in which it is taken away.
const MERGE_STATE: [&str; 5] = [MERGE_HEAD, "MERGE_RR", "MERGE_MSG", "MERGE_MODE", "AUTO_MERGE"];

/// A merge that set work of the person aside, which only git puts back.
const AUTOSTASH: &str = "MERGE_AUTOSTASH";

/// What git leaves beside the changes of a merge of which it is to make an ordinary commit.
const SQUASH: &str = "SQUASH_MSG";

/// Folders of the queue that nobody writes by hand, and that no verb looks at for changes.
const WRITTEN_ONCE: [&str; 2] = [layout::ARCHIVE, layout::RUNS];

/// Among how many commits since the last verb merges are looked for.
const MOST_COMMITS: usize = 64;

/// A path that git could not join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmerged {
    /// Relative to `.swift/`.
    pub(crate) path: String,
    /// What both sides began from, ours, theirs.
    pub(crate) base: Option<Blob>,
    pub(crate) ours: Option<Blob>,
    pub(crate) theirs: Option<Blob>,
}

/// Two commits that are brought together, and what both began from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) base: Option<Commit>,
    pub(crate) ours: Commit,
    pub(crate) theirs: Commit,
}

/// Who ends the operation that has left something open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// No operation waits.
    None,
    /// A merge of the queue's own branch, which `swift` can conclude.
    Ours,
    /// The person, who takes something back.
    Revert,
    /// The person, or a later call, with the command given.
    Theirs(&'static str),
}

impl Home {
    /// What git could not join in the queue.
    ///
    /// # Errors
    /// Those of git.
    pub(crate) fn unmerged(&self) -> Result<Vec<Unmerged>> {
        let mut found: BTreeMap<String, Unmerged> = BTreeMap::new();
        for (path, stage, leaf) in self.staged(&["--unmerged"])? {
            let entry =
                found.entry(path.clone()).or_insert(Unmerged { path, base: None, ours: None, theirs: None });
            let blob = Some(Blob::of(leaf.id));
            match stage {
                1 => entry.base = blob,
                2 => entry.ours = blob,
                _ => entry.theirs = blob,
            }
        }
        Ok(found.into_values().collect())
    }

    /// The entries of the index below the queue, whatever format it has: path, stage, leaf.
    fn staged(&self, which: &[&str]) -> Result<Vec<(String, u8, Leaf)>> {
        let below = match self.kind {
            HomeKind::Branch => ".",
            HomeKind::Tree => crate::store::git::home::worktree::FOLDER,
        };
        let words = [&["ls-files", "--full-name", "-z", "--stage"], which, &["--", below]].concat();
        let answer = Git::at(&self.checkout).run(&words)?;
        let repo = self.repo()?;
        let mut entries = Vec::new();
        for line in answer.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            // A path that is not UTF-8 is none of the queue's.
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let Some((fields, path)) = line.split_once('\t') else { continue };
            let [mode, id, stage] = fields.split(' ').collect::<Vec<_>>()[..] else { continue };
            let Some(path) = path.strip_prefix(self.prefix()) else { continue };
            let mode = u32::from_str_radix(mode, 8).unwrap_or(tree::FILE);
            let stage = stage.parse().unwrap_or_default();
            entries.push((path.to_owned(), stage, Leaf { mode, id: repo.id(id)? }));
        }
        Ok(entries)
    }

    /// Whether `git merge --squash` has put changes into the queue's own worktree that nobody has committed yet. In the
    /// tree they are the person's to commit.
    pub(crate) fn is_squash_open(&self) -> bool {
        self.kind == HomeKind::Branch && self.git_dir.join(SQUASH).symlink_metadata().is_ok()
    }

    /// What such a merge has brought of files that are not looked at otherwise, the log left out.
    ///
    /// # Errors
    /// Those of comparing the folder with HEAD.
    pub(crate) fn squashed(&self) -> Result<Vec<String>> {
        if !self.is_squash_open() {
            return Ok(Vec::new());
        }
        let is_once = |path: &str| WRITTEN_ONCE.iter().any(|top| path.starts_with(&format!("{top}/")));
        let is_keep = |path: &str| path.rsplit('/').next() == Some(layout::KEEP);
        let mut changed = self.changed_files()?;
        changed.retain(|changed| is_keep(&changed.path) || changed.after.is_some() && is_once(&changed.path));
        Ok(changed.into_iter().map(|changed| changed.path).collect())
    }

    /// It is committed. git takes the same away with a commit of its own.
    pub(in crate::store::git) fn forget_squash(&self) {
        if self.kind == HomeKind::Branch {
            let _ = disk::remove(&self.git_dir.join(SQUASH));
        }
    }

    /// What the person ends without `swift resolve`: what a revert takes back is theirs to say, and a rebase of the queue's
    /// own branch has no branch on which a commit could be made.
    pub(crate) fn left_to_the_person(&self) -> Option<&'static str> {
        let has = |name: &str| self.git_dir.join(name).symlink_metadata().is_ok();
        match self.conclusion() {
            Ok(Conclusion::Revert) => Some("revert"),
            Ok(Conclusion::Theirs(_)) if self.kind == HomeKind::Branch => {
                (has("rebase-merge") || has("rebase-apply")).then_some("rebase")
            }
            _ => None,
        }
    }

    /// Whether an operation of git that joins two sides waits for its end. Cheap.
    pub(crate) fn is_joining(&self) -> bool {
        [MERGE_HEAD, "REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"]
            .iter()
            .any(|name| self.git_dir.join(name).symlink_metadata().is_ok())
    }

    /// Who ends what waits.
    ///
    /// # Errors
    /// Those of reading git's records.
    pub(crate) fn conclusion(&self) -> Result<Conclusion> {
        let has = |name: &str| self.git_dir.join(name).symlink_metadata().is_ok();
        let theirs = |own: &'static str, tree: &'static str| {
            Conclusion::Theirs(if self.kind == HomeKind::Branch { own } else { tree })
        };
        Ok(match () {
            () if has("rebase-merge") || has("rebase-apply") => {
                theirs("git -C .swift rebase --continue", "git rebase --continue")
            }
            () if has("CHERRY_PICK_HEAD") => {
                theirs("git -C .swift cherry-pick --continue", "git cherry-pick --continue")
            }
            () if has("REVERT_HEAD") => Conclusion::Revert,
            () if !has(MERGE_HEAD) => Conclusion::None,
            () if self.kind == HomeKind::Tree || has(AUTOSTASH) || self.merged_in()?.len() != 1 => {
                theirs("git -C .swift commit", "git commit")
            }
            () => Conclusion::Ours,
        })
    }

    /// The two commits that are being joined, or that HEAD has joined last.
    ///
    /// # Errors
    /// Those of reading commits and of `git merge-base`.
    pub(crate) fn join(&self) -> Result<Option<Join>> {
        let repo = self.repo()?;
        let Some(head) = self.tip_or_detached()? else { return Ok(None) };
        if let [theirs] = self.merged_in()?[..] {
            return self.join_of(head, theirs).map(Some);
        }
        for name in ["REBASE_HEAD", "CHERRY_PICK_HEAD"] {
            if let Some(line) = disk::read_line(&self.git_dir.join(name))? {
                let theirs = repo.id(&line)?;
                let base = repo.commit(theirs)?.parents.first().copied().map(Commit::of);
                return Ok(Some(Join { base, ours: Commit::of(head), theirs: Commit::of(theirs) }));
            }
        }
        match repo.commit(head)?.parents[..] {
            [ours, theirs] if repo.holds(ours) && repo.holds(theirs) => self.join_of(ours, theirs).map(Some),
            _ => Ok(None),
        }
    }

    fn join_of(&self, ours: ObjectId, theirs: ObjectId) -> Result<Join> {
        let words = ["merge-base", "--all", &ours.to_string(), &theirs.to_string()];
        let answer = Git::at(&self.common_dir).ask(&words)?;
        let text = String::from_utf8_lossy(&answer.output).into_owned();
        // Of several the same one on either side, whoever asks.
        let first = text.lines().min();
        let base = first.map(|line| self.repo()?.id(line)).transpose()?.map(Commit::of);
        Ok(Join { base, ours: Commit::of(ours), theirs: Commit::of(theirs) })
    }

    /// Whether a commit brings several together.
    ///
    /// # Errors
    /// Those of reading it.
    pub(crate) fn is_merge(&self, commit: &str) -> Result<bool> {
        let repo = self.repo()?;
        let id = repo.id(commit)?;
        Ok(repo.commit(id)?.parents.len() > 1)
    }

    /// The commits that a merge in progress brings in.
    fn merged_in(&self) -> Result<Vec<ObjectId>> {
        let text = disk::read(&self.git_dir.join(MERGE_HEAD))?.unwrap_or_default();
        let repo = self.repo()?;
        String::from_utf8_lossy(&text).lines().map(|line| repo.id(line.trim())).collect()
    }

    fn tip_or_detached(&self) -> Result<Option<ObjectId>> {
        Ok(crate::store::git::repo::refs::tip(&self.git_dir, &self.common_dir)?.id)
    }

    /// Paths that a merge in progress has put on the disk: nobody has changed them by hand.
    ///
    /// # Errors
    /// Those of git and of reading the files.
    pub(crate) fn put_there_by_git(&self) -> Result<BTreeSet<String>> {
        if !self.is_joining() {
            return Ok(BTreeSet::new());
        }
        let repo = self.repo()?;
        let folder = crate::store::git::disk::folder::Folder::open(&self.root)?;
        let head = self.head_leaves(&repo)?;
        let mut paths = BTreeSet::new();
        let staged = self.staged(&[])?;
        let known: BTreeSet<&String> = staged.iter().map(|(path, ..)| path).collect();
        paths.extend(head.keys().filter(|path| !known.contains(path)).cloned());
        for (path, stage, leaf) in &staged {
            if *stage != 0 {
                paths.insert(path.clone());
            } else if head.get(path) != Some(leaf) {
                let here = folder
                    .read(path)?
                    .map(|content| crate::store::git::commit::blob_id(&repo, &content))
                    .transpose()?;
                if here == Some(leaf.id) {
                    paths.insert(path.clone());
                }
            }
        }
        Ok(paths)
    }

    fn head_leaves(&self, repo: &Repo) -> Result<BTreeMap<String, Leaf>> {
        let mut files = BTreeMap::new();
        let Some(id) = self.tip_or_detached()? else { return Ok(files) };
        if let Some(top) = self.queue_tree(repo, repo.commit(id)?.tree)? {
            tree::flatten(repo, top, "", &mut files)?;
        }
        Ok(files)
    }

    /// Conclude a merge of the queue's own branch with a commit of both parents; an ordinary commit where no merge
    /// waits. What git has joined by itself goes into it as it was staged.
    ///
    /// # Errors
    /// Those of a commit; [`Code::Unsettled`] if a path is open that the request does not settle.
    pub(crate) fn conclude(&self, guard: &Guard, request: Request<'_>) -> Result<Outcome> {
        self.check(guard);
        let merged_in = match self.conclusion()? {
            Conclusion::Ours => self.merged_in()?,
            _ => Vec::new(),
        };
        let Some(theirs) = merged_in.first().copied() else { return self.commit(guard, request) };
        let repo = self.repo()?;
        if self.has_joined(&repo, theirs)? {
            // A former conclusion was cut off just before its end.
            self.forget_merge()?;
            return self.commit(guard, request);
        }
        let joined = Joined { parents: vec![theirs], leaves: self.joined_leaves(&repo, &request.changes)? };
        self.check_request(guard, &request)?;
        let outcome = self.commit_joined(guard, request, joined)?;
        if matches!(outcome, Outcome::Committed(_)) {
            self.forget_merge()?;
        }
        Ok(outcome)
    }

    /// What the index has otherwise than HEAD.
    fn joined_leaves(&self, repo: &Repo, changes: &[Change]) -> Result<BTreeMap<String, Option<Leaf>>> {
        let settled: BTreeSet<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let mut head = self.head_leaves(repo)?;
        let mut leaves = BTreeMap::new();
        for (path, stage, leaf) in self.staged(&[])? {
            let before = head.remove(&path);
            if settled.contains(path.as_str()) {
                continue;
            }
            if stage != 0 {
                return Err(Fault::new(Code::Unsettled, format!("`{path}` is not settled"))
                    .hint("`git -C .swift status` shows what is open"));
            }
            if before != Some(leaf) {
                leaves.insert(path, Some(leaf));
            }
        }
        leaves.extend(
            head.into_keys().filter(|path| !settled.contains(path.as_str())).map(|path| (path, None)),
        );
        Ok(leaves)
    }

    /// Whether HEAD is a merge with this commit already.
    fn has_joined(&self, repo: &Repo, theirs: ObjectId) -> Result<bool> {
        let Some(head) = self.tip_or_detached()? else { return Ok(false) };
        Ok(head == theirs || repo.commit(head)?.parents.contains(&theirs))
    }

    /// Whether a commit on its way is the one that ends the merge that waits.
    pub(in crate::store::git) fn would_conclude(&self, repo: &Repo, commit: ObjectId) -> Result<bool> {
        let parents = repo.commit(commit)?.parents;
        Ok(matches!(self.merged_in()?[..], [theirs] if parents.len() > 1 && parents.contains(&theirs)))
    }

    /// Take away what git kept of a merge that is concluded, if it is.
    pub(in crate::store::git) fn forget_concluded(&self, repo: &Repo) -> Result<()> {
        match self.merged_in()?[..] {
            [theirs] if self.kind == HomeKind::Branch && self.has_joined(repo, theirs)? => {
                self.forget_merge()
            }
            _ => Ok(()),
        }
    }

    /// A merge whose files are all gone cannot be concluded: what it was to bring would count as removed. Gives the commits
    /// that it was to bring.
    pub(in crate::store::git) fn give_up_merge(&self) -> Result<Vec<String>> {
        let theirs = self.merged_in()?;
        if !theirs.is_empty() {
            self.forget_merge()?;
        }
        Ok(theirs.iter().map(ToString::to_string).collect())
    }

    fn forget_merge(&self) -> Result<()> {
        MERGE_STATE.iter().try_for_each(|name| disk::remove(&self.git_dir.join(name)))
    }

    /// Write settled files and stage them; the person concludes. Other entries of the index stay as they are.
    ///
    /// # Errors
    /// Those of writing; [`Code::Git`] if the index is held by another program.
    pub(crate) fn stage(&self, guard: &Guard, changes: Vec<Change>, reason: &str) -> Result<()> {
        let mut paths = Vec::new();
        for change in &changes {
            paths.extend_from_slice(self.in_tree(&change.path).as_bytes());
            paths.push(0);
        }
        let changes = self.also_apart(guard, changes)?;
        self.note_unstaged(&changes)?;
        let words = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
        let staged = self
            .keep_in_place(guard, changes, reason)
            .and_then(|()| Git::at(&self.checkout).input(paths).run(&words));
        if let Err(fault) = staged {
            // What cannot be taken back now is taken back by the next verb.
            let _ = self.take_back_unstaged(guard);
            return Err(fault);
        }
        self.forget_unstaged()
    }

    /// The paths of which the index has anything.
    pub(in crate::store::git) fn in_index(&self) -> Result<BTreeSet<String>> {
        Ok(self.staged(&[])?.into_iter().map(|(path, ..)| path).collect())
    }

    /// Files that are neither side's in merges that git made by itself since the last verb, each with the merge.
    ///
    /// # Errors
    /// Those of reading commits and trees.
    pub(crate) fn merged_by_git(&self, is_verb: impl Fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
        let repo = self.repo()?;
        let mut reader = Reader::new(Rc::clone(&repo));
        let mut found = BTreeMap::new();
        let Some(head) = self.tip_or_detached()? else { return Ok(found) };
        let top = reader.queue(head)?;
        for Since { id, here, .. } in reader.since_verb(head, is_verb, MOST_COMMITS)? {
            let [ours, theirs] = here[..] else { continue };
            for (path, leaf) in of_neither(&mut reader, id, [ours, theirs])? {
                let line = top.map(|top| tree::lookup(&repo, top, &path)).transpose()?.flatten();
                if line.is_some_and(|line| line.id == leaf.id) {
                    found.entry(path).or_insert_with(|| id.to_string());
                }
            }
        }
        Ok(found)
    }
}

/// Files of a merge that differ from both of its parents. The move of a home is a merge, too, and the queue lies at
/// another place in one of its parents.
fn of_neither(
    reader: &mut Reader,
    merge: ObjectId,
    parents: [ObjectId; 2],
) -> Result<BTreeMap<String, Leaf>> {
    let merged = reader.queue(merge)?;
    let mut changed = [BTreeMap::new(), BTreeMap::new()];
    for (parent, changed) in parents.into_iter().zip(&mut changed) {
        let before = reader.queue(parent)?;
        if before == merged {
            return Ok(BTreeMap::new());
        }
        tree::compare(&reader.repo, before, merged, "", &mut |path, _, new| {
            changed.extend(new.map(|leaf| (path, leaf)));
        })?;
    }
    let [mut ours, theirs] = changed;
    ours.retain(|path, _| theirs.contains_key(path));
    Ok(ours)
}
