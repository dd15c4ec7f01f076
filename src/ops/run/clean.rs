//! Worktrees of finished runs that nobody needs any more. One that has anything of its own stays: changes that are
//! not committed, commits that are neither merged nor pushed, a run at work.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;
use crate::env;
use crate::store::git::checkout::{self, Checkout, Whereabouts};
use crate::store::queue::Queue;
use crate::store::runs::{self, Activity, Runs, Stored};

use super::ground::PREFIX;
use super::review::some_of;
use super::{Caller, leftover, list};

/// A worktree that can go.
#[derive(Debug)]
pub(crate) struct Removal {
    /// `None` if none has a record of it: whoever made it was killed before.
    pub(crate) run: Option<Stored>,
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
    pub(crate) run: Option<Stored>,
    pub(crate) branch: String,
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
            let (folder, of) = (one.folder.display(), of_run(one.run.as_ref()));
            format!("remove {folder}{of}{also}: {}{with}", one.why())
        });
        let kept = self.kept.iter().map(|one| {
            let title = one.run.as_ref().map(|stored| format!(", {}", shown(&stored.run.title)));
            let (of, title) = (of_run(one.run.as_ref()), title.unwrap_or_default());
            format!("keep {}{of}{title}: {}", one.folder.display(), one.why)
        });
        removals.chain(kept).collect()
    }

    /// What the plan rests on.
    pub(crate) fn basis(&self) -> String {
        let tips = self.removals.iter().map(|one| format!("{} {}", one.branch, one.tip));
        tips.collect::<Vec<_>>().join("\n")
    }
}

fn of_run(stored: Option<&Stored>) -> String {
    stored.map(|stored| format!(" of run {}", stored.run.id.short())).unwrap_or_default()
}

impl Removal {
    fn takes_branch(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Nothing | Whereabouts::Merged)
    }

    /// Why nothing is lost.
    pub(crate) fn why(&self) -> &'static str {
        match self.whereabouts {
            _ if self.run.is_none() => "no run has begun in it, and it has nothing of its own",
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
    let Runs { all, problems } = list::all(queue, caller)?;
    let busy: BTreeSet<String> =
        all.iter().filter(|s| s.run.ending.is_none()).filter_map(branch_of).collect();
    // Of each branch the latest run.
    let latest: BTreeMap<String, Stored> =
        all.into_iter().filter_map(|stored| Some((branch_of(&stored)?, stored))).collect();
    let project = runs::project_folder(queue);
    let mut wanted: Vec<(String, Option<Stored>)> = Vec::new();
    if named.is_none() {
        let begun = checkout::branches(project, PREFIX)?;
        wanted.extend(begun.into_iter().filter(|b| !latest.contains_key(b)).map(|branch| (branch, None)));
    }
    wanted.extend(latest.into_iter().map(|(branch, stored)| (branch, Some(stored))));
    if let Some(named) = &named {
        wanted.retain(|(branch, _)| named.run.branch.as_ref() == Some(branch));
    }
    let mut plan = Plan::default();
    for (branch, stored) in wanted {
        let folder = runs::worktree_path(queue, &branch)?;
        if let Err(fault) = checkout::refuse_stranger(project, &folder) {
            plan.kept.push(Kept { run: stored, branch, folder, why: in_full(fault) });
            continue;
        }
        if !runs::has_worktree(&folder) {
            continue;
        }
        let looked = match &stored {
            Some(_) if busy.contains(&branch) => Err("a run is at work in it".to_owned()),
            // It may be that one's.
            None if runs::activity(queue) != Activity::Nothing => Err(GOING_ON.to_owned()),
            None if !problems.is_empty() => {
                Err("it may be that of a run whose record cannot be read; `swift runs` names those"
                    .to_owned())
            }
            stored => look(queue, stored.as_ref(), branch.clone(), &folder)?,
        };
        match looked {
            Ok(removal) => plan.removals.push(removal),
            Err(why) => plan.kept.push(Kept { run: stored, branch, folder, why }),
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

/// Of one that no run has begun in yet.
const GOING_ON: &str = "a run is going on, which may have just made it";

/// What is wrong, and what helps.
fn in_full(fault: Fault) -> String {
    fault.hints.into_iter().fold(fault.message, |said, hint| format!("{said}; {hint}"))
}

/// Whether it can go; otherwise why not.
fn look(
    queue: &Queue,
    stored: Option<&Stored>,
    branch: String,
    folder: &std::path::Path,
) -> Result<Result<Removal, String>> {
    let project = runs::project_folder(queue);
    let base = stored.and_then(|stored| stored.run.base.clone()).unwrap_or_default();
    let checkout = Checkout { path: folder.to_owned(), branch, base };
    if let Err(fault) = checkout::confirm(project, &checkout) {
        return Ok(Err(in_full(fault)));
    }
    if checkout::is_dirty(project, folder)? {
        return Ok(Err("it has work that is not committed".to_owned()));
    }
    let Checkout { branch, base, .. } = checkout;
    let tip = checkout::head(folder)?.unwrap_or_default();
    let whereabouts = checkout::whereabouts(project, &base, &tip)?;
    if whereabouts == Whereabouts::Here {
        let look = stored.map(|stored| format!("; `swift review {}`", stored.run.id.short()));
        return Ok(Err(format!("its work is neither merged nor pushed{}", look.unwrap_or_default())));
    }
    if checkout::holds_submodules(project, folder)? {
        return Ok(Err("submodules are checked out in it, and git removes no such worktree".to_owned()));
    }
    let ignored = checkout::ignored(project, folder)?;
    Ok(Ok(Removal { run: stored.cloned(), branch, folder: folder.to_owned(), tip, whereabouts, ignored }))
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
    let begun: BTreeSet<String> = all.iter().filter_map(branch_of).collect();
    let mut cleaned = Cleaned::default();
    for removal in plan.removals {
        let others = if removal.run.is_some() { &busy } else { &begun };
        match remove(queue, &removal, others) {
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
    let project = runs::project_folder(queue);
    let tip = checkout::branch_tip(project, &removal.branch)?;
    if busy.contains(&removal.branch) || tip.as_ref() != Some(&removal.tip) {
        let text = format!("somebody is at work on the branch `{}`", removal.branch);
        return Err(Fault::new(Code::Changed, text));
    }
    if removal.run.is_none() && runs::activity(queue) != Activity::Nothing {
        return Err(Fault::new(Code::Changed, format!("{}: {GOING_ON}", removal.folder.display())));
    }
    let branch = removal.takes_branch().then_some(removal.branch.as_str());
    let refused = leftover::clear(queue, &removal.folder, branch).err();
    if runs::has_worktree(&removal.folder) {
        return refused.map_or(Ok(None), Err);
    }
    Ok(refused.map(|fault| format!("the branch `{}` stays: {}", removal.branch, fault.message)))
}
