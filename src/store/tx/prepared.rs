//! What is left of a transaction when everything is worked out: the one commit, or what takes its place.

use crate::domain::fault::Result;
use crate::domain::id::OperationId;
use crate::domain::settings::CommitPolicy;
use crate::env::Stopwatch;
use crate::store::git::{Change, Conclusion, Guard, Outcome, Request};
use crate::store::queue::Queue;
use crate::store::{audit, gauge, layout, message, waiting};

/// How a transaction ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The commit's hash; `None` if nothing changed, on a dry run, or while the commit has to wait.
    pub(crate) commit: Option<String>,
    /// Why the commit has to wait; the files are written.
    pub(crate) debt: Option<String>,
}

/// A transaction with everything worked out and nothing written.
#[must_use = "nothing is written until it is carried out"]
pub(crate) struct Prepared<'q> {
    pub(super) queue: &'q Queue,
    pub(super) operation: OperationId,
    pub(super) verb: &'static str,
    /// `None` if there is nothing to do.
    pub(super) work: Option<Work>,
}

pub(super) struct Work {
    pub(super) guard: Guard,
    pub(super) changes: Vec<Change>,
    pub(super) message: String,
    pub(super) addition: Option<audit::Addition>,
    pub(super) policy: CommitPolicy,
    pub(super) conclusion: Conclusion,
}

impl Prepared<'_> {
    /// Make the one commit.
    ///
    /// # Errors
    /// As [`Tx::commit`](super::Tx::commit).
    pub(crate) fn carry_out(self) -> Result<Committed> {
        let Prepared { queue, operation, verb, work: Some(work) } = self else {
            return Ok(Committed::default());
        };
        let Work { guard, changes, message, addition, policy, conclusion } = work;
        let committed = match policy {
            CommitPolicy::Each => {
                let watch = Stopwatch::start();
                let is_each = conclusion == Conclusion::None && queue.settings.commit == CommitPolicy::Each;
                let paid = if is_each { pay(queue, &guard)? } else { None };
                let mut committed = commit_each(queue, &guard, changes, &message, conclusion)?;
                if committed.debt.is_none() {
                    committed.commit = committed.commit.or(paid);
                }
                if let Some(commit) = &committed.commit {
                    gauge::committed(watch.passed());
                    let (project, took_ms) = (queue.settings.id.as_str(), watch.passed().as_millis());
                    tracing::info!(project, %operation, verb, commit, took_ms, "committed");
                }
                committed
            }
            CommitPolicy::Session | CommitPolicy::Manual => keep(queue, &guard, changes, policy)?,
        };
        if let Some(addition) = addition {
            addition.settle(&queue.local);
        }
        drop(guard);
        queue.look_again()?;
        // Without the lock, and no reason to fail: the commit is there.
        let _ = queue.home.maintenance();
        Ok(committed)
    }
}

/// Commit what earlier verbs could not, by itself: so each operation can be seen, and taken back, alone. Where it still
/// has to wait, so will what comes now.
fn pay(queue: &Queue, guard: &Guard) -> Result<Option<String>> {
    if queue.home.debts()?.is_empty() {
        return Ok(None);
    }
    let (waited, anchor) = (waiting::events(queue)?, waiting::anchor(queue)?);
    let title = match &Vec::from_iter(message::tasks(&waited))[..] {
        [id] => queue.anywhere(*id).ok().flatten().map(|item| item.task.title),
        _ => None,
    };
    let message = message::of_waited(&waited, title.as_deref(), anchor.as_deref());
    commit_each(queue, guard, Vec::new(), &message, Conclusion::None).map(|paid| paid.commit)
}

fn commit_each(
    queue: &Queue,
    guard: &Guard,
    changes: Vec<Change>,
    message: &str,
    conclusion: Conclusion,
) -> Result<Committed> {
    let settings = &queue.settings;
    let request = Request { changes, message, durability: settings.durability, signing: settings.sign };
    let outcome = match conclusion {
        Conclusion::None | Conclusion::Revert => queue.home.commit(guard, request)?,
        Conclusion::Ours => queue.home.conclude(guard, request)?,
        Conclusion::Theirs(command) => {
            let reason = format!("settled and staged; it goes on with `{command}`");
            queue.home.stage(guard, request.changes, &reason)?;
            Outcome::Debt(reason)
        }
    };
    Ok(match outcome {
        Outcome::Committed(commit) => Committed { commit: Some(commit), debt: None },
        Outcome::Unchanged => Committed::default(),
        Outcome::Debt(reason) => Committed { commit: None, debt: Some(reason) },
    })
}

/// Whether git would pass over what waits, because a rule that is meant for other files covers it.
fn hides(queue: &Queue, changes: &[Change]) -> Result<bool> {
    let mut paths = queue.home.debts()?;
    paths.extend(changes.iter().filter(|change| change.content.is_some()).map(|change| change.path.clone()));
    queue.home.hides(&paths)
}

fn keep(queue: &Queue, guard: &Guard, changes: Vec<Change>, policy: CommitPolicy) -> Result<Committed> {
    let reason = match policy {
        CommitPolicy::Session if queue.local.read(layout::OPEN_SESSION).is_some() => {
            "`commit = \"session\"`: `swift finish` makes the commit"
        }
        CommitPolicy::Session => {
            "`commit = \"session\"`: `swift start` opens a session, and its `swift finish` makes the commit"
        }
        _ if hides(queue, &changes)? => {
            "`commit = \"manual\"`: you make the commit, with `git -C .swift add -A -f . ':!local'`, as rules of yours \
             cover tasks, and `git -C .swift commit`"
        }
        _ => {
            "`commit = \"manual\"`: you make the commit, with `git -C .swift add -A` and `git -C .swift commit`"
        }
    };
    queue.home.keep(guard, changes, reason)?;
    Ok(Committed { commit: None, debt: Some(reason.to_owned()) })
}
