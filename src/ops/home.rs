//! Move the queue between its own branch and the current one, or take it out of the repository.

use std::path::Path;

use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::CommitPolicy;
use crate::domain::task::Folder;
use crate::domain::text::{as_word, shown};
use crate::ops::integrate;
use crate::ops::run::leftover::{self, Leftover};
use crate::store::git::{BranchFate, Home, HomeKind, Removed, Request, Unjoined};
use crate::store::local::Local;
use crate::store::queue::Queue;
use crate::store::service::Installation;
use crate::store::tx::{Mode, Operation, Tx};
use crate::store::{audit, hand, layout, message};

/// What moving would do, in lines for a person.
///
/// # Errors
/// Those of [`Home::refuse_unwritable`]: there is nothing to say yes to.
pub(crate) fn move_plan(queue: &Queue, to: HomeKind) -> Result<Vec<String>> {
    queue.home.refuse_unwritable()?;
    let root = queue.home.root.display();
    Ok(match to {
        HomeKind::Tree => vec![
            format!(
                "commit the files of {root} on the current branch, with the history of the queue as a second parent"
            ),
            removal_of_worktree(queue).to_owned(),
        ],
        HomeKind::Branch => {
            let mut lines = vec![
                format!("commit the removal of {root} from the current branch"),
                "make the queue's own branch with the same files and history, and check it out there as a worktree"
                    .to_owned(),
            ];
            lines.extend(told_of(&left_behind(&queue.home)));
            lines
        }
    })
}

fn removal_of_worktree(queue: &Queue) -> &'static str {
    if queue.home.has_line_of_its_own() {
        "remove the queue's own branch, whose commits stay, its worktree and its line in .git/info/exclude"
    } else {
        "remove the queue's own branch, whose commits stay, and its worktree"
    }
}

/// The branches of the project that have `.swift/` in their trees; what cannot be read has nothing to be told of.
fn left_behind(home: &Home) -> Vec<String> {
    home.branches_with_files().unwrap_or_default()
}

/// How many branches are named.
const MOST_NAMED: usize = 10;

/// What to know about branches that still have `.swift/` in their trees, once the queue has a branch of its own.
pub(crate) fn told_of(branches: &[String]) -> Option<String> {
    let named: Vec<String> = branches.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let more = branches.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!named.is_empty()).then(|| {
        format!(
            "`.swift/` is still in the tree of {}{more}; while one of them is checked out here, the queue waits",
            named.join(", ")
        )
    })
}

/// A queue that has moved.
pub(crate) struct Moved {
    pub(crate) home: Home,
    /// Branches that still have its files in their trees.
    pub(crate) left_behind: Vec<String>,
}

/// Move the queue to another home; its files and history stay.
///
/// # Errors
/// [`Claimed`](crate::domain::fault::Code::Claimed) while a run goes on, which would not find its record any more; those
/// of the commit engine. Nothing is changed then.
pub(crate) fn move_to(queue: &Queue, operation: &Operation<'_>, to: HomeKind) -> Result<Moved> {
    if queue.home.kind == to {
        return Ok(Moved { home: queue.home.clone(), left_behind: Vec::new() });
    }
    leftover::refuse_while_running(queue)?;
    let mut tx = Tx::begin(queue, operation)?;
    tx.commit_now();
    tx.commit("record what was not committed yet")?;
    let guard = queue.home.lock(crate::env::lock_wait())?;
    let facts = [Fact::of(EventKind::HomeMoved).because(to.as_str())];
    let note = audit::addition(queue, operation, &facts, audit::Segment::Usual)?;
    let text = message::of(&format!("move the queue ({})", to.as_str()), operation, &facts, &[], Some(&note));
    let branch = queue.settings.branch.clone().unwrap_or_else(|| "swift".to_owned());
    let request = Request { changes: vec![note.change()], ..request(queue, &text) };
    let home = queue.home.switch_kind(&guard, to, &branch, request)?;
    note.settle(&queue.local);
    let left_behind = if to == HomeKind::Branch { left_behind(&home) } else { Vec::new() };
    Ok(Moved { home, left_behind })
}

fn request<'m>(queue: &Queue, text: &'m str) -> Request<'m> {
    Request {
        changes: Vec::new(),
        message: text,
        durability: queue.settings.durability,
        signing: queue.settings.sign,
    }
}

/// A queue that is on a branch of its own here, and in the tree of what was pulled.
pub(crate) struct LeftBehind {
    home: Home,
    pub(crate) local: Local,
}

/// Whether another clone has moved the queue of a folder into the tree, and this one has not gone along.
///
/// # Errors
/// Those of finding a queue.
pub(crate) fn left_behind_by_others(start: &Path) -> Result<Option<LeftBehind>> {
    let home = Home::left_behind(start)?;
    Ok(home.map(|home| LeftBehind { local: Local::of(&home.root), home }))
}

impl LeftBehind {
    /// What going along would do.
    pub(crate) fn plan(&self) -> Vec<String> {
        let branch = self.home.branch.as_deref().unwrap_or("swift");
        vec![
            format!(
                "take {} for the queue as it is in the tree, where another clone has moved it",
                self.home.root.display()
            ),
            format!(
                "remove the worktree of the branch `{branch}`; the branch stays if it has commits that the tree has not"
            ),
        ]
    }

    /// Go along; what is to be joined is given, too.
    ///
    /// # Errors
    /// [`Code::Claimed`] while a run goes on; those of [`Home::follow_into_tree`].
    pub(crate) fn follow(&self) -> Result<(Home, Option<Unjoined>)> {
        leftover::refuse_while_running(&Queue::of(self.home.clone())?)?;
        let guard = self.home.lock(crate::env::lock_wait())?;
        self.home.follow_into_tree(&guard)
    }
}

/// What an uninstall would do, in lines for a person.
///
/// # Errors
/// Those of reading the history and of [`Home::refuse_unwritable`].
pub(crate) fn removal_plan(queue: &Queue, fate: BranchFate) -> Result<Vec<String>> {
    queue.home.refuse_unwritable()?;
    refuse_unknown(queue)?;
    let root = queue.home.root.display();
    let mut lines = vec![match (queue.home.kind, fate) {
        (HomeKind::Tree, BranchFate::Keep) => {
            format!(
                "remove {root}/{}, which belongs to this machine: caches, paths, proposals",
                layout::LOCAL
            )
        }
        _ => format!("remove {root} from this machine, with its caches and proposals"),
    }];
    match (queue.home.kind, fate) {
        (HomeKind::Branch, BranchFate::Keep) => {
            lines.push("keep the branch with all tasks and their history".to_owned())
        }
        (HomeKind::Branch, BranchFate::Delete) => {
            let branch = queue.home.branch.as_deref().unwrap_or("swift");
            let tip = queue.home.head()?.unwrap_or_default();
            if has_uncommitted(queue)? {
                lines.push(format!("commit to the branch `{branch}` what is not committed yet, after {tip}"));
                lines.push(format!("remove the branch `{branch}`"));
            } else {
                lines.push(format!("remove the branch `{branch}`; its last commit is {tip}"));
            }
        }
        (HomeKind::Tree, BranchFate::Keep) => {
            lines.push("keep the committed files, which are a queue as before".to_owned());
        }
        (HomeKind::Tree, BranchFate::Delete) => {
            if has_uncommitted(queue)? {
                lines.push("commit to the current branch what is not committed yet".to_owned());
            }
            lines.push("commit the removal of the files on the current branch".to_owned())
        }
    }
    if queue.home.has_line_of_its_own() {
        lines.push("remove the line `/.swift/` from .git/info/exclude".to_owned());
    }
    lines.extend(leftover::all(queue)?.iter().map(Leftover::plan));
    if let Some(plan) = integrate::installed(queue) {
        lines.push(format!("{HOOKS_OUT} ({} files)", plan.steps.len()));
    }
    match service(queue) {
        Some(service) if service.found.is_unedited() => {
            lines.push(format!("remove {}, which has `swift watch` started", service.path.display()));
        }
        Some(service) => lines.push(format!(
            "leave {}, which has `swift watch` started here and was edited by hand",
            service.path.display()
        )),
        None => {}
    }
    Ok(lines)
}

/// What no verb commits would be nowhere but in a folder that nothing hides any more.
fn refuse_unknown(queue: &Queue) -> Result<()> {
    let changed = queue.home.changed_files()?.into_iter().map(|changed| changed.path);
    let debts = queue.home.debts()?;
    let unknown: Vec<String> =
        changed.filter(|path| !hand::is_taken(path) && !debts.contains(path)).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let others = match unknown.len() - 1 {
        0 => String::new(),
        1 => " and 1 other file".to_owned(),
        more => format!(" and {more} other files"),
    };
    let text = format!("`.swift/{}`{others} are not committed, and no verb commits such files", shown(first));
    let text = if others.is_empty() { text.replace(" are not", " is not") } else { text };
    let top = first.split('/').next().unwrap_or_default();
    let what = if top.parse::<Folder>().is_ok() { first.as_str() } else { top };
    let name = what.rsplit('/').next().unwrap_or_default();
    let (from, to) = (queue.home.root.join(what), queue.home.root.with_file_name(name));
    Err(Fault::new(Code::WrongState, text)
        .hint(format!("`git -C {} status --short` shows them", as_word(&queue.home.root)))
        .hint(format!("`mv -n {} {}` takes it out of the queue", as_word(&from), as_word(&to))))
}

/// What becomes of what `swift integrate claude` has put in.
const HOOKS_OUT: &str = "take the hooks and slash commands for Claude Code out of `.claude`";

/// The file that has the watcher started here, if a person has had one written.
fn service(queue: &Queue) -> Option<Installation> {
    Installation::of(queue).ok().filter(|service| service.found.is_for_this())
}

fn has_uncommitted(queue: &Queue) -> Result<bool> {
    Ok(!queue.home.changed_files()?.is_empty() || !queue.home.debts()?.is_empty())
}

/// Take the queue out of the repository.
///
/// # Errors
/// Those of the commit engine.
pub(crate) fn remove(queue: &Queue, operation: &Operation<'_>, fate: BranchFate) -> Result<Removed> {
    if operation.mode == Mode::DryRun {
        return Ok(Removed::default());
    }
    leftover::refuse_while_running(queue)?;
    let leftovers = leftover::all(queue)?;
    if has_uncommitted(queue)? || queue.settings.commit != CommitPolicy::Each {
        let mut tx = Tx::begin(queue, operation)?;
        tx.commit_now();
        tx.commit("record what was not committed yet")?;
    }
    let guard = queue.home.lock(crate::env::lock_wait())?;
    let text = message::of("take the queue out of this repository", operation, &[], &[], None);
    // The queue goes last: cut off in between, it is there, and the same verb finds what is left beside it.
    let (steps, left) = remove_beside(queue, &leftovers);
    let mut removed = queue.home.remove(&guard, fate, request(queue, &text))?;
    removed.steps.extend(steps);
    removed.left.extend(left);
    Ok(removed)
}

/// Take away what the queue has beside it; the words for what was removed, and for what stays.
fn remove_beside(queue: &Queue, leftovers: &[Leftover]) -> (Vec<String>, Vec<String>) {
    let (mut removed, mut left) = leftover::remove(queue, leftovers);
    if let Some(plan) = integrate::installed(queue) {
        // It was shown before; what a person has changed in the moment since stays.
        match integrate::carry_out(queue, &plan) {
            Ok(()) => removed.push("the hooks and slash commands for Claude Code".to_owned()),
            Err(fault) => left.push(format!("the hooks for Claude Code: {}", fault.message)),
        }
    }
    if let Some(service) = service(queue) {
        let is_gone = service.found.is_unedited() && service.remove().is_ok();
        if is_gone { &mut removed } else { &mut left }.push(service.path.display().to_string());
    }
    (removed, left)
}
