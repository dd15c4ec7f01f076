//! Worktrees of finished runs that nobody needs any more. One that has anything of its own stays: changes that are
//! not committed, commits that are neither merged nor pushed, a run at work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;
use crate::env;
use crate::store::git::checkout::{self, Checkout, Whereabouts};
use crate::store::queue::Queue;
use crate::store::runs::{self, Stored};

use super::review::some_of;
use super::{Caller, leftover, list};

/// A worktree that can go.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) run: Stored,
    pub(crate) branch: String,
    pub(crate) folder: PathBuf,
    /// The commit that the branch is at.
    pub(crate) tip: String,
    pub(crate) whereabouts: Whereabouts,
    /// What git ignores in it, which goes with it.
    pub(crate) ignored: Vec<String>,
}

/// A worktree that stays.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) run: Stored,
    pub(crate) folder: PathBuf,
    pub(crate) why: String,
}

/// What would be removed and what not.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) removals: Vec<Removal>,
    pub(crate) kept: Vec<Kept>,
}

impl Plan {
    /// What a person reads before the yes.
    pub(crate) fn lines(&self) -> Vec<String> {
        let removals = self.removals.iter().map(|one| {
            let also = if one.takes_branch() { ", and the branch" } else { "" };
            let with = match one.ignored.as_slice() {
                [] => String::new(),
                ignored => format!("; with it goes what git ignores there: {}", some_of(ignored)),
            };
            let (folder, short) = (one.folder.display(), one.run.run.id.short());
            format!("remove {folder} of run {short}{also}: {}{with}", one.why())
        });
        let kept = self.kept.iter().map(|one| {
            let (short, title) = (one.run.run.id.short(), shown(&one.run.run.title));
            format!("keep {} of run {short}, {title}: {}", one.folder.display(), one.why)
        });
        removals.chain(kept).collect()
    }

    /// What the plan rests on.
    pub(crate) fn basis(&self) -> String {
        let tips = self.removals.iter().map(|one| format!("{} {}", one.branch, one.tip));
        tips.collect::<Vec<_>>().join("\n")
    }
}

impl Removal {
    fn takes_branch(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Nothing | Whereabouts::Merged)
    }

    /// Why nothing is lost.
    pub(crate) fn why(&self) -> &'static str {
        match self.whereabouts {
            Whereabouts::Nothing => "nothing was changed",
            Whereabouts::Merged => "its work is merged",
            Whereabouts::Pushed | Whereabouts::Here => "its work is pushed",
        }
    }
}

/// Look at the worktrees of one run's branch, or of all.
///
/// # Errors
/// [`Code::RunNotFound`]; [`Code::Nothing`] if the run has no worktree here; those of reading and of git.
pub(crate) fn plan(queue: &Queue, caller: &Caller<'_>, reference: Option<&str>) -> Result<Plan> {
    leftover::finish_clearing(queue)?;
    leftover::bring_along(queue)?;
    let named = reference.map(|reference| list::find(queue, caller, reference)).transpose()?;
    let all = list::all(queue, caller)?.all;
    let busy: BTreeSet<String> =
        all.iter().filter(|s| s.run.ending.is_none()).filter_map(branch_of).collect();
    // Of each branch the latest run.
    let latest: BTreeMap<String, Stored> =
        all.into_iter().filter_map(|stored| Some((branch_of(&stored)?, stored))).collect();
    let mut plan = Plan::default();
    for (branch, stored) in latest {
        if named.as_ref().is_some_and(|named| named.run.branch.as_ref() != Some(&branch)) {
            continue;
        }
        let folder = runs::worktree_path(queue, &branch)?;
        if !runs::has_worktree(&folder) {
            continue;
        }
        let is_busy = busy.contains(&branch);
        match look(queue, &stored, branch, &folder, is_busy)? {
            Ok(removal) => plan.removals.push(removal),
            Err(why) => plan.kept.push(Kept { run: stored, folder, why }),
        }
    }
    match named.filter(|_| plan.removals.is_empty() && plan.kept.is_empty()) {
        Some(named) => Err(Fault::new(
            Code::Nothing,
            format!("run {} has no worktree on this machine", named.run.id.short()),
        )),
        None => Ok(plan),
    }
}

fn branch_of(stored: &Stored) -> Option<String> {
    stored.run.branch.clone()
}

/// Whether it can go; otherwise why not.
fn look(
    queue: &Queue,
    stored: &Stored,
    branch: String,
    folder: &std::path::Path,
    is_busy: bool,
) -> Result<Result<Removal, String>> {
    if is_busy {
        return Ok(Err("a run is at work in it".to_owned()));
    }
    let project = runs::project_folder(queue);
    let base = stored.run.base.clone().unwrap_or_default();
    let checkout = Checkout { path: folder.to_owned(), branch, base };
    if let Err(fault) = checkout::confirm(project, &checkout) {
        return Ok(Err(fault.message));
    }
    if checkout::is_dirty(project, folder)? {
        return Ok(Err("it has work that is not committed".to_owned()));
    }
    let Checkout { branch, base, .. } = checkout;
    let tip = checkout::head(folder)?.unwrap_or_default();
    let whereabouts = checkout::whereabouts(project, &base, &tip)?;
    if whereabouts == Whereabouts::Here {
        return Ok(Err(format!(
            "its work is neither merged nor pushed; `swift review {}`",
            stored.run.id.short()
        )));
    }
    if checkout::holds_submodules(project, folder)? {
        return Ok(Err("submodules are checked out in it, and git removes no such worktree".to_owned()));
    }
    let ignored = checkout::ignored(project, folder)?;
    Ok(Ok(Removal { run: stored.clone(), branch, folder: folder.to_owned(), tip, whereabouts, ignored }))
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Cleaned {
    pub(crate) removed: Vec<Removal>,
    /// What was left as it is after all.
    pub(crate) notes: Vec<String>,
}

/// Remove what the plan says, as long as it is still so.
///
/// # Errors
/// Those of the queue's lock and of reading records; what git refuses is left as it is, and told.
pub(crate) fn carry_out(queue: &Queue, plan: Plan) -> Result<Cleaned> {
    // No run's first record is committed meanwhile.
    let _guard = queue.home.lock(env::lock_wait())?;
    let all = runs::all(queue)?.all;
    let busy: BTreeSet<String> =
        all.iter().filter(|s| s.run.ending.is_none()).filter_map(branch_of).collect();
    let mut cleaned = Cleaned::default();
    for removal in plan.removals {
        match remove(queue, &removal, &busy) {
            Ok(note) => {
                cleaned.removed.push(removal);
                cleaned.notes.extend(note);
            }
            Err(fault) => cleaned.notes.push(format!("left as it is: {}", fault.message)),
        }
    }
    Ok(cleaned)
}

/// Gives a note if the branch stays although its work is nowhere else needed.
fn remove(queue: &Queue, removal: &Removal, busy: &BTreeSet<String>) -> Result<Option<String>> {
    let short = removal.run.run.id.short();
    let project = runs::project_folder(queue);
    let tip = checkout::branch_tip(project, &removal.branch)?;
    if busy.contains(&removal.branch) || tip.as_ref() != Some(&removal.tip) {
        return Err(Fault::new(Code::Changed, format!("somebody is at work on the branch of run {short}")));
    }
    let branch = removal.takes_branch().then_some(removal.branch.as_str());
    let refused = leftover::clear(queue, &removal.folder, branch).err();
    if runs::has_worktree(&removal.folder) {
        return refused.map_or(Ok(None), Err);
    }
    Ok(refused.map(|fault| format!("the branch `{}` stays: {}", removal.branch, fault.message)))
}
