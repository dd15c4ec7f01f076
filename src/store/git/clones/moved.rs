//! Clones of a queue that one of them has moved: which home is the newer one, and what a clone still has at the former.
//!
//! A move is a commit, so whoever pulls the branch that the queue has come to, or that it has left, has it in its history.
//! What a clone has committed at the former home meanwhile is joined by git itself: told that the one side has its files
//! below `.swift/`, `git merge` brings them where they belong.

use std::path::Path;

use gix::ObjectId;

use super::elsewhere::{has_queue, is_plain};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::home::find::{Place, SETTINGS};
use crate::store::git::home::worktree::FOLDER;
use crate::store::git::home::{create, creation};
use crate::store::git::objects::tree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind, disk};

/// The first line of a commit that moves a queue, without the word for its new home and the bracket that ends it.
const SUBJECT: &str = "swift: move the queue (";

/// The same for git's search.
const PATTERN: &str = "^swift: move the queue \\((tree|branch)\\)$";

/// How many commits with such a line are looked at: it can also be one of the text of another commit.
const MOST_MOVES: &str = "--max-count=16";

/// Among how many branches of remotes those of the queue are looked for.
const MOST_BRANCHES: usize = 256;

/// So many characters name a commit in a sentence.
const SHORT: usize = 12;

/// The commit of a clone that is not joined yet, and how that is done.
const NOTE: &str = "unjoined";

/// A commit that has moved a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) commit: ObjectId,
    pub(super) to: HomeKind,
}

/// What was committed at the former home of a queue and is not at its present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unjoined {
    /// The branch, or the commit.
    pub(crate) name: String,
    /// What joins the two.
    pub(crate) command: String,
}

/// The newest move in the histories of some commits that is not in another's.
pub(super) fn newest(common_dir: &Path, of: &[ObjectId], but: Option<ObjectId>) -> Result<Option<Move>> {
    if of.is_empty() {
        return Ok(None);
    }
    let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
    let but = but.map(|id| format!("^{id}"));
    let pattern = format!("--grep={PATTERN}");
    let mut words = vec!["rev-list", "--topo-order", "--extended-regexp", MOST_MOVES, pattern.as_str()];
    words.extend(ids.iter().map(String::as_str).chain(but.as_deref()));
    let told = Git::at(common_dir).run(&words)?;
    let repo = Repo::open(common_dir)?;
    for line in String::from_utf8_lossy(&told).lines() {
        let commit = repo.id(line.trim())?;
        let message = repo.commit(commit)?.message;
        match message.lines().next().and_then(|line| line.strip_prefix(SUBJECT)) {
            Some("tree)") => return Ok(Some(Move { commit, to: HomeKind::Tree })),
            Some("branch)") => return Ok(Some(Move { commit, to: HomeKind::Branch })),
            _ => {}
        }
    }
    Ok(None)
}

/// Whether a commit has another in its history.
pub(super) fn has(common_dir: &Path, later: ObjectId, earlier: ObjectId) -> Result<bool> {
    let words = ["merge-base", "--is-ancestor", &earlier.to_string(), &later.to_string()];
    Ok(Git::at(common_dir).ask(&words)?.code == Some(0))
}

/// What two commits have both begun from.
pub(super) fn base(common_dir: &Path, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>> {
    let told = Git::at(common_dir).ask(&["merge-base", &one.to_string(), &other.to_string()])?;
    Ok(ObjectId::from_hex(told.output.trim_ascii()).ok())
}

/// What a checkout has: its commit, and those that are being merged into it.
pub(super) fn at_hand(git_dir: &Path, common_dir: &Path) -> Result<Vec<ObjectId>> {
    let mut all: Vec<ObjectId> = refs::tip(git_dir, common_dir)?.id.into_iter().collect();
    let merged = disk::read(&git_dir.join("MERGE_HEAD"))?.unwrap_or_default();
    all.extend(merged.split(|byte| *byte == b'\n').filter_map(|line| ObjectId::from_hex(line).ok()));
    Ok(all)
}

impl Home {
    /// Where the project's history says that this queue, which is on a branch of its own here, is in the tree now: the
    /// commit, or `None` inside if another clone's move came as part of a commit that says nothing of it.
    pub(in crate::store::git) fn moved_into_tree(&self, git_dir: &Path) -> Result<Option<Option<ObjectId>>> {
        let all = at_hand(git_dir, &self.common_dir)?;
        let repo = Repo::open(&self.common_dir)?;
        if !all.iter().any(|id| has_queue(&repo, *id)) {
            return Ok(None);
        }
        let own = self.own_tip()?;
        Ok(match newest(&self.common_dir, &all, own)? {
            Some(found) => (found.to == HomeKind::Tree).then_some(Some(found.commit)),
            // It has never been in the tree as far as is known here, so this is not from before it left that.
            None => {
                let own: Vec<ObjectId> = own.into_iter().collect();
                newest(&self.common_dir, &own, None)?
                    .is_none_or(|found| found.to == HomeKind::Tree)
                    .then_some(None)
            }
        })
    }

    fn own_tip(&self) -> Result<Option<ObjectId>> {
        match &self.branch {
            Some(branch) => refs::resolve(&self.common_dir, &format!("refs/heads/{branch}")),
            None => Ok(None),
        }
    }

    /// The command that joins a commit of the former home to the branch that the queue is on now.
    pub(super) fn joining(&self, name: &str, commit: ObjectId, onto: ObjectId) -> Result<String> {
        let git = match self.kind {
            HomeKind::Tree => "git".to_owned(),
            HomeKind::Branch => format!("git -C {}", as_word(&self.root)),
        };
        let related = match base(&self.common_dir, onto, commit)? {
            Some(_) => "",
            None => "--allow-unrelated-histories ",
        };
        Ok(format!("{git} merge {related}-X subtree={FOLDER} {name}"))
    }

    /// Leave word of what is to be joined, so that each verb can say so until it is.
    pub(super) fn note_unjoined(&self, commit: ObjectId, unjoined: &Unjoined) -> Result<()> {
        let folder = creation::folder(&self.common_dir);
        self.repo()?.sharing()?.make_folders(&folder)?;
        let text = format!("{commit}\n{}\n{}\n", unjoined.name, unjoined.command);
        self.write_record(&folder.join(NOTE), text.as_bytes()).map(drop)
    }

    /// What was noted as not joined and still is not. Costs one look at a name that is not there.
    ///
    /// # Errors
    /// Those of reading the note and of git.
    pub(crate) fn unjoined(&self) -> Result<Option<Unjoined>> {
        let path = creation::folder(&self.common_dir).join(NOTE);
        let Some(note) = disk::read(&path)? else { return Ok(None) };
        let note = String::from_utf8_lossy(&note).into_owned();
        let [commit, name, command] = note.lines().collect::<Vec<_>>()[..] else { return Ok(None) };
        let (Ok(commit), Some(tip)) =
            (ObjectId::from_hex(commit.as_bytes()), refs::tip(&self.git_dir, &self.common_dir)?.id)
        else {
            return Ok(None);
        };
        if has(&self.common_dir, tip, commit)? {
            // Whoever cannot remove it looks again the next time.
            let _ = disk::remove(&path);
            return Ok(None);
        }
        Ok(Some(Unjoined { name: name.to_owned(), command: command.to_owned() }))
    }

    /// The branches, here and of remotes, on which the queue was before it moved into the tree and that have commits which
    /// it has not. One on which it is again is none of them.
    ///
    /// # Errors
    /// Those of listing branches and of git.
    pub(crate) fn unjoined_branches(&self) -> Result<Vec<Unjoined>> {
        let (HomeKind::Tree, Some(tip)) = (self.kind, refs::tip(&self.git_dir, &self.common_dir)?.id) else {
            return Ok(Vec::new());
        };
        let repo = Repo::open(&self.common_dir)?;
        let heads = refs::names_below(&self.common_dir, "refs/heads/")?;
        let mut names: Vec<(String, String)> =
            heads.into_iter().map(|name| (format!("refs/heads/{name}"), name)).collect();
        for name in refs::names_below(&self.common_dir, "refs/remotes/")?.into_iter().take(MOST_BRANCHES) {
            names.push((format!("refs/remotes/{name}"), name));
        }
        let (mut found, mut seen): (Vec<Unjoined>, Vec<ObjectId>) = (Vec::new(), Vec::new());
        for (full, name) in names.into_iter().filter(|(_, name)| is_plain(name)) {
            let Ok(Some(id)) = refs::resolve(&self.common_dir, &full) else { continue };
            if seen.contains(&id) || !create::is_queue(&repo, id).unwrap_or(false) || has_queue(&repo, id) {
                continue;
            }
            seen.push(id);
            let is_ours = base(&self.common_dir, tip, id)?.is_some() && !has(&self.common_dir, tip, id)?;
            let is_newer = || newest(&self.common_dir, &[id], Some(tip));
            if is_ours && is_newer()?.is_none_or(|found| found.to == HomeKind::Tree) {
                found.push(Unjoined { command: self.joining(&name, id, tip)?, name });
            }
        }
        Ok(found)
    }

    /// After the branch that another clone has moved the queue to was taken over: leave word of what this one has committed
    /// in the tree meanwhile.
    pub(crate) fn note_left_in_tree(&self) -> Result<()> {
        let (Some(tip), Some(project)) = (self.own_tip()?, self.root.parent()) else { return Ok(()) };
        let Some(left) = crate::store::git::home::find::place(project)?.left_in_tree(tip)? else {
            return Ok(());
        };
        let name = left.to_string();
        let command = self.joining(&name, left, tip)?;
        self.note_unjoined(left, &Unjoined { name, command })
    }
}

impl Place {
    /// The commit that took the queue out of the tree of what is at hand, to a branch of its own, if that is the last that
    /// is known of it there.
    pub(in crate::store::git) fn moved_to_branch(&self) -> Result<Option<ObjectId>> {
        let all = at_hand(&self.git_dir, &self.common_dir)?;
        let found = newest(&self.common_dir, &all, None)?.filter(|found| found.to == HomeKind::Branch);
        Ok(found.map(|found| found.commit))
    }

    /// The same of a merge that is in progress, and that could not take away what was changed here.
    pub(in crate::store::git) fn move_that_comes_in(&self) -> Result<Option<ObjectId>> {
        let all = at_hand(&self.git_dir, &self.common_dir)?;
        let Some((here, merged)) = all.split_first().filter(|(_, merged)| !merged.is_empty()) else {
            return Ok(None);
        };
        let found = newest(&self.common_dir, merged, Some(*here))?;
        Ok(found.filter(|found| found.to == HomeKind::Branch).map(|found| found.commit))
    }

    /// The last commit of this clone that still had the queue in the tree and that a branch does not have.
    pub(super) fn left_in_tree(&self, than: ObjectId) -> Result<Option<ObjectId>> {
        let all = at_hand(&self.git_dir, &self.common_dir)?;
        if self.moved_to_branch()?.is_none() {
            return Ok(None);
        }
        let ids: Vec<String> = all.iter().map(ToString::to_string).collect();
        let but = format!("^{than}");
        // A merge that ended without the files looks like one that never had them.
        let mut words = vec!["rev-list", "--topo-order", "--full-history"];
        words.extend(ids.iter().map(String::as_str).chain([but.as_str(), "--", FOLDER]));
        let told = Git::at(&self.common_dir).run(&words)?;
        let repo = Repo::open(&self.common_dir)?;
        let is_whole = |id: &ObjectId| {
            let root = repo.commit(*id).map(|commit| commit.tree);
            let settings = root.and_then(|root| tree::lookup(&repo, root, &format!("{FOLDER}/{SETTINGS}")));
            settings.is_ok_and(|line| line.is_some())
        };
        let told = String::from_utf8_lossy(&told).into_owned();
        Ok(told.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes()).ok()).find(is_whole))
    }

    /// Another clone has moved the queue out of this tree, and what was committed here meanwhile is left in it.
    pub(in crate::store::git) fn left_to_take_out(&self, moved: ObjectId) -> Result<Fault> {
        let checkout = self.checkout.as_deref().unwrap_or(&self.common_dir);
        let text = format!(
            "the queue has moved from the tree to a branch of its own, in commit {}; what {} still has in `.swift/` is \
             what was committed here meanwhile",
            moved.to_hex_with_len(SHORT),
            checkout.display()
        );
        let at = as_word(checkout);
        let fault = Fault::new(Code::QueueElsewhere, text).hint(format!(
            "`git -C {at} rm -r --quiet {FOLDER}` and `git -C {at} commit` take it out of the tree; the commits before have it"
        ));
        Ok(fault.hint(format!("{} and says how they are joined", self.taking_over()?)))
    }

    /// What leads to the queue's branch.
    pub(super) fn taking_over(&self) -> Result<&'static str> {
        Ok(match self.has_queue_branch()? {
            true => "`swift init` takes the queue over from its branch",
            false => "`git fetch` brings the queue's branch from the remote; then `swift init` takes it over",
        })
    }

    fn has_queue_branch(&self) -> Result<bool> {
        let repo = Repo::open(&self.common_dir)?;
        let mut full: Vec<String> = Vec::new();
        for folder in ["refs/heads/", "refs/remotes/"] {
            let names = refs::names_below(&self.common_dir, folder)?;
            full.extend(names.into_iter().take(MOST_BRANCHES).map(|name| format!("{folder}{name}")));
        }
        Ok(full.iter().any(|full| {
            let id = refs::resolve(&self.common_dir, full).ok().flatten();
            id.is_some_and(|id| !has_queue(&repo, id) && create::is_queue(&repo, id).unwrap_or(false))
        }))
    }

    /// Refuse to begin a queue where another clone has moved the one of this tree to a branch that is not here yet.
    pub(in crate::store::git) fn refuse_unfetched_move(&self) -> Result<()> {
        match self.moved_away()? {
            Some(fault) => Err(fault.hint("`swift init --branch swift` makes a new queue all the same")),
            None => Ok(()),
        }
    }

    /// The queue has moved from this tree to a branch, and no branch that is known here has it.
    pub(super) fn moved_away(&self) -> Result<Option<Fault>> {
        let repo = Repo::open(&self.common_dir)?;
        if repo.gix().remote_names().is_empty() || self.has_queue_branch()? {
            return Ok(None);
        }
        let Some(moved) = self.moved_to_branch()? else { return Ok(None) };
        let text = format!(
            "the queue has moved from the tree to a branch of its own, in commit {}, and that branch is not here",
            moved.to_hex_with_len(SHORT)
        );
        Ok(Some(Fault::new(Code::QueueElsewhere, text).hint(self.taking_over()?)))
    }
}
