//! Commits that the queue's branch was at and is not any more.
//!
//! `git reset --hard`, or a branch that is removed, takes them out of reach without a trace in what is left. The reflogs
//! know them, until git clears them away.

use std::collections::HashSet;

use gix::ObjectId;

use crate::domain::fault::Result;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::refs;
use crate::store::git::{Entry, Home, HomeKind, disk};

impl Home {
    /// The commits that the branch has left, newest first, without those that are `known` to be in its history.
    ///
    /// # Errors
    /// Those of reading HEAD and the reflogs.
    pub(crate) fn left_commits(&self, known: &HashSet<String>) -> Result<Vec<Entry>> {
        let tip = self.tip()?;
        let Some(branch) = &tip.branch else { return Ok(Vec::new()) };
        // The reflog of the branch goes with the branch, that of the worktree stays.
        let log = disk::read(&self.common_dir.join("logs").join(branch))?.unwrap_or_default();
        let mut left = left_by(&log, tip.id.is_none());
        if self.kind == HomeKind::Branch {
            let log = disk::read(&self.git_dir.join("logs/HEAD"))?.unwrap_or_default();
            left.extend(left_by(&moves_of(&log, refs::short(branch)), tip.id.is_none()));
        }
        let repo = self.repo()?;
        let (mut seen, mut entries) = (HashSet::new(), Vec::new());
        for id in left.into_iter().rev().filter(|id| !known.contains(&id.to_string())) {
            // What is gone altogether, git has cleared away.
            if let (true, Ok(commit)) = (seen.insert(id), repo.commit(id)) {
                entries.push(Entry { id: id.to_string(), message: commit.message, seconds: commit.seconds });
            }
        }
        Ok(entries)
    }

    /// Whether a branch, a tag or anything else that git keeps still leads to a commit. Where git cannot say, it may.
    pub(crate) fn is_kept(&self, commit: &str) -> bool {
        let arguments = ["for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit];
        Git::at(&self.common_dir).run(&arguments).map_or(true, |found| !found.is_empty())
    }

    /// Whether a commit and HEAD have a beginning in common. Where git cannot say, they may.
    pub(crate) fn is_related(&self, commit: &str) -> bool {
        let Ok(Some(head)) = self.head() else { return false };
        let asked = Git::at(&self.common_dir).ask(&["merge-base", commit, &head]);
        asked.map_or(true, |answer| answer.code != Some(1))
    }
}

/// The lines of HEAD's reflog that say how the branch moved. What a rebase tries out, or somebody looks at on another
/// branch, was never in it.
fn moves_of(log: &[u8], branch: &str) -> Vec<u8> {
    let (mut is_there, mut moves) = (true, Vec::new());
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let said = line.split(|byte| *byte == b'\t').nth(1).unwrap_or_default();
        let said = String::from_utf8_lossy(said);
        let to = said.strip_prefix("checkout: moving from ").and_then(|moved| moved.rsplit_once(" to "));
        let back = said.rsplit_once("returning to refs/heads/");
        if let Some((_, to)) = to.or(back) {
            is_there = to.trim_end() == branch;
        } else if said.contains("): checkout ") || said.starts_with("rebase: checkout ") {
            is_there = false;
        } else if is_there {
            moves.extend_from_slice(line);
        }
    }
    moves
}

/// The commits from which a ref moved on to others, by its reflog. One that was never moved on from was not reached: who
/// was killed between the reflog and the ref has left it there.
fn left_by(log: &[u8], is_gone: bool) -> Vec<ObjectId> {
    let mut left = Vec::new();
    let mut before: Option<ObjectId> = None;
    for line in log.split(|byte| *byte == b'\n') {
        let mut words = line.split(|byte| *byte == b' ');
        let mut id = || ObjectId::from_hex(words.next()?).ok();
        let (Some(from), Some(to)) = (id(), id()) else { continue };
        // A ref that begins anew was removed.
        left.extend(if from.is_null() { before.take() } else { Some(from) });
        before = Some(to).filter(|to| !to.is_null());
    }
    left.extend(before.filter(|_| is_gone));
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(moves: &[(u8, u8)], is_gone: bool) -> Vec<u8> {
        let line = |(from, to): &(u8, u8)| format!("{from:040x} {to:040x} A <a@b> 1 +0000\tx\n");
        let log: String = moves.iter().map(line).collect();
        left_by(log.as_bytes(), is_gone).iter().map(|id| id.as_slice()[19]).collect()
    }

    #[test]
    fn what_head_was_at_beside_the_branch_is_no_move_of_it() {
        let log = |said: &[&str]| said.iter().map(|said| format!("a b A <a@b> 1 +0000\t{said}\n")).collect();
        let moves = |said: &[&str]| {
            let log: String = log(said);
            String::from_utf8(moves_of(log.as_bytes(), "swift")).unwrap().lines().count()
        };
        assert_eq!(moves(&["commit: one", "reset: moving to HEAD~1"]), 2);
        let given_up = "rebase (abort): returning to refs/heads/swift";
        assert_eq!(
            moves(&["commit: one", "pull --rebase (start): checkout abc", "rebase (pick): x", given_up]),
            1
        );
        let looked =
            ["checkout: moving from swift to theirs", "commit: two", "checkout: moving from theirs to swift"];
        assert_eq!(moves(&looked), 0);
        assert_eq!(moves(&[&looked[..], &["commit: three"]].concat()), 1);
    }

    #[test]
    fn what_a_branch_has_left_is_what_it_moved_on_from() {
        assert_eq!(left(&[(0, 1), (1, 2), (2, 1)], false), [1, 2]);
        // Killed before the ref moved to 2.
        assert_eq!(left(&[(0, 1), (1, 2), (1, 3)], false), [1, 1]);
        assert_eq!(left(&[(0, 1), (1, 2)], true), [1, 2]);
        // Removed, with a trace and without one.
        assert_eq!(left(&[(0, 1), (1, 2), (2, 0), (0, 3)], false), [1, 2]);
        assert_eq!(left(&[(0, 1), (1, 2), (0, 3)], false), [1, 2]);
        assert_eq!(left(&[], true), [0; 0]);
        assert!(left_by(b"noise\n\xff\n", true).is_empty());
    }
}
