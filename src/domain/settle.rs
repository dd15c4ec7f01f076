//! One task from two: what becomes of a task that two sides of a merge have both changed.
//!
//! There is one rule for each field, and none of them asks who is asking: two clones that settle the same pair get
//! the same task. A field that only one side changed has that side's value. What a rule passes over is kept as
//! words, because somebody wrote it.

use jiff::Timestamp;

use super::lease::Lease;
use super::task::{Ending, Folder, Receipt, State, Task};

/// A task as one side of a merge has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version<'a> {
    pub(crate) folder: Folder,
    pub(crate) task: &'a Task,
}

/// What both sides have become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) folder: Folder,
    pub(crate) task: Task,
    /// What was passed over, each as one paragraph.
    pub(crate) kept: Vec<String>,
}

/// Settle one task. `earlier` and `later` are in the order in which the two sides were last edited; `base` is what
/// both began from, if that is known.
pub(crate) fn settle(base: Option<Version<'_>>, earlier: Version<'_>, later: Version<'_>) -> Settled {
    let mut kept = Vec::new();
    let before = base.map(|version| version.task);
    let (one, other) = (earlier.task, later.task);
    let stage = stage(base, earlier, later, &mut kept);
    let (token, lease) = hold(before, one, other);
    let text = |of: fn(&Task) -> String| three(before.map(of), of(one), of(other), |_, later| later);
    let title = text(|task| task.title.clone());
    for passed_over in [&one.title, &other.title] {
        if *passed_over != title && before.map(|before| &before.title) != Some(passed_over) {
            kept.push(format!("Title: {passed_over}"));
        }
    }
    let blocked = blocked(before, one, other, &mut kept);
    let task = Task {
        id: other.id.or(one.id),
        title,
        from: field(before, one, other, |task| task.from.clone(), |_, later| later),
        to: field(before, one, other, |task| task.to.clone(), |_, later| later),
        kind: field(before, one, other, |task| task.kind.clone(), |_, later| later),
        priority: field(before, one, other, |task| task.priority, Ord::max),
        effort: field(before, one, other, |task| task.effort, |_, later| later),
        labels: set(before, one, other, |task| &task.labels),
        created: field(before, one, other, |task| task.created, first_of),
        after: set(before, one, other, |task| &task.after),
        due: field(before, one, other, |task| task.due, first_of),
        tier: field(before, one, other, |task| task.tier, |_, later| later),
        model: field(before, one, other, |task| task.model.clone(), |_, later| later),
        token,
        attempts: attempts(before, one, other),
        lease: lease.filter(|_| stage.folder == Folder::Tasks),
        blocked,
        defer_until: field(before, one, other, |task| task.defer_until, |a, b| Some(a?.min(b?))),
        receipt: field(before, one, other, |task| task.receipt.clone(), later_receipt),
        ending: stage.ending,
    };
    Settled { folder: stage.folder, task, kept }
}

/// The value of a field: of the side that changed it, or by the rule if both did. The rule gets the value of the side
/// that was edited earlier first.
fn three<T: PartialEq>(base: Option<T>, earlier: T, later: T, rule: impl FnOnce(T, T) -> T) -> T {
    if earlier == later || base.as_ref() == Some(&earlier) {
        later
    } else if base.as_ref() == Some(&later) {
        earlier
    } else {
        rule(earlier, later)
    }
}

fn field<T: PartialEq>(
    base: Option<&Task>,
    earlier: &Task,
    later: &Task,
    of: impl Fn(&Task) -> T,
    rule: impl FnOnce(T, T) -> T,
) -> T {
    three(base.map(&of), of(earlier), of(later), rule)
}

fn first_of<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    a.into_iter().chain(b).min()
}

/// How far a task is: the folder, and how it ended if it did. They go together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stage {
    folder: Folder,
    ending: Option<Ending>,
}

impl Stage {
    fn of(version: Version<'_>) -> Stage {
        Stage { folder: version.folder, ending: version.task.ending.clone() }
    }

    /// Later in the life of a task is higher; what was finished outranks what was given up.
    fn rank(&self) -> u8 {
        match self.folder {
            Folder::Outbox => 0,
            Folder::Inbox => 1,
            Folder::Tasks => 2,
            Folder::Dead => 3,
            Folder::Sent => 4,
            Folder::Done if self.is_refused() => 5,
            Folder::Done => 6,
        }
    }

    fn is_refused(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.state == State::Refused)
    }

    /// For two ends of the same rank: the one that came first stands.
    fn age(&self) -> (Option<Timestamp>, String) {
        let ending = self.ending.as_ref();
        (ending.map(|ending| ending.at), ending.map(words).unwrap_or_default())
    }
}

fn stage(
    base: Option<Version<'_>>,
    earlier: Version<'_>,
    later: Version<'_>,
    kept: &mut Vec<String>,
) -> Stage {
    let (one, other) = (Stage::of(earlier), Stage::of(later));
    three(base.map(Stage::of), one, other, |one, other| {
        let is_one = match one.rank().cmp(&other.rank()) {
            std::cmp::Ordering::Equal => one.age() <= other.age(),
            order => order.is_gt(),
        };
        let (winner, loser) = if is_one { (one, other) } else { (other, one) };
        kept.extend(loser.ending.as_ref().map(words));
        winner
    })
}

/// An end as a sentence.
fn words(ending: &Ending) -> String {
    let by = ending.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let note = ending.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("Also {}{by}, {}{note}", ending.state, ending.at)
}

/// The hold on the task. Where both sides gave out tokens, the same number means two holds; a new one makes both of
/// them late, and the lease that stays is known by its holder.
fn hold(base: Option<&Task>, one: &Task, other: &Task) -> (u64, Option<Lease>) {
    let highest = one.token.max(other.token);
    let lease = field(
        base,
        one,
        other,
        |task| task.lease.clone(),
        |a, b| match one.token.cmp(&other.token) {
            std::cmp::Ordering::Greater => a,
            std::cmp::Ordering::Less => b,
            std::cmp::Ordering::Equal => longer(a, b),
        },
    );
    let given = |task: &Task| base.is_none_or(|base| task.token > base.token) && task.token > 0;
    if !given(one) || !given(other) || (base.is_none() && one.lease == other.lease) {
        return (highest, lease);
    }
    let token = highest.saturating_add(1);
    (token, lease.map(|lease| Lease { token, ..lease }))
}

fn longer(a: Option<Lease>, b: Option<Lease>) -> Option<Lease> {
    let key = |lease: &Lease| (lease.expires_at, lease.holder.to_string());
    a.into_iter().chain(b).max_by_key(key)
}

/// Failures on both sides add up; where one side began to count anew, the side that was edited later is right.
fn attempts(base: Option<&Task>, one: &Task, other: &Task) -> u32 {
    let before = base.map(|task| task.attempts);
    three(before, one.attempts, other.attempts, |a, b| match before {
        Some(before) if a > before && b > before => (a - before).saturating_add(b),
        Some(_) => b,
        None => a.max(b),
    })
}

fn blocked(base: Option<&Task>, one: &Task, other: &Task, kept: &mut Vec<String>) -> Option<String> {
    field(
        base,
        one,
        other,
        |task| task.blocked.clone(),
        |a, b| match (a, b) {
            (Some(a), Some(b)) => {
                kept.push(format!("Blocked: {a}"));
                Some(b)
            }
            (_, b) => b,
        },
    )
}

/// What either side added is there, what either side took away is gone. Those that were there before come first.
fn set<T: Clone + Ord>(base: Option<&Task>, one: &Task, other: &Task, of: fn(&Task) -> &Vec<T>) -> Vec<T> {
    let before: &[T] = base.map(of).map_or(&[], |list| list);
    let (a, b) = (of(one), of(other));
    if a == b || before == b.as_slice() && base.is_some() {
        return a.clone();
    }
    if base.is_some() && before == a.as_slice() {
        return b.clone();
    }
    let stays = |item: &&T| a.contains(item) && b.contains(item);
    let mut all: Vec<T> = before.iter().filter(stays).cloned().collect();
    let mut added: Vec<T> = a.iter().chain(b).filter(|item| !before.contains(item)).cloned().collect();
    added.sort_unstable();
    added.dedup();
    all.extend(added);
    all
}

/// A receipt only ever tells of a later stage; of two that are final the younger one.
fn later_receipt(a: Option<Receipt>, b: Option<Receipt>) -> Option<Receipt> {
    let key = |receipt: &Receipt| {
        let stage = if receipt.stage.is_final() { 9 } else { receipt.stage as u8 };
        (stage, receipt.at, receipt.note.clone())
    };
    a.into_iter().chain(b).max_by_key(key)
}
