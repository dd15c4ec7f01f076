//! Commit messages: a subject that a person likes to read, and trailers that a program can.

use std::collections::BTreeSet;

use super::audit::Addition;
use super::tx::Operation;
use crate::domain::event::{Event, Fact};
use crate::domain::id::{OperationId, TaskId};
use crate::domain::text::shown;

/// The trailer that names the operation.
pub(crate) const OPERATION: &str = "Swift-Operation";
/// The trailer that names the projects of an operation that touched several.
pub(crate) const PROJECTS: &str = "Swift-Projects";
/// The trailer that anchors the audit log.
pub(crate) const AUDIT: &str = "Swift-Audit";
/// The trailer that names further operations, which waited and are in the same commit.
pub(crate) const ALSO: &str = "Swift-Also";
/// The trailer that names the kinds of events.
pub(crate) const EVENTS: &str = "Swift-Events";
/// The trailer that names the verb.
pub(crate) const VERB: &str = "Swift-Verb";

/// How many task ids a message names at most.
const MOST_TASKS: usize = 20;

/// The whole message of an operation's commit, and of what waited for it.
pub(crate) fn of(
    subject: &str,
    operation: &Operation,
    facts: &[Fact],
    waited: &[Event],
    addition: Option<&Addition>,
) -> String {
    let mut text = format!("swift: {subject}\n\n{OPERATION}: {}\n{VERB}: {}\n", operation.id, operation.verb);
    line(&mut text, "Swift-Actor", operation.actor.as_str());
    also(&mut text, operation.id, waited);
    let all: Vec<&Fact> = waited.iter().map(|event| &event.fact).chain(facts).collect();
    what_happened(&mut text, &all);
    if operation.projects.len() > 1 {
        line(&mut text, PROJECTS, &operation.projects.join(" "));
    }
    if let Some(addition) = addition {
        line(&mut text, AUDIT, &addition.anchor);
    }
    text
}

/// `k3v9q2 Add rate limiting`: what a subject says of a task.
pub(crate) fn about(id: TaskId, title: &str) -> String {
    let title = shown(title);
    let cut: String = title.chars().take(50).collect();
    let dots = if cut.len() < title.len() { "…" } else { "" };
    format!("{} {cut}{dots}", id.short())
}

/// The tasks that what waited is about.
pub(crate) fn tasks(waited: &[Event]) -> BTreeSet<TaskId> {
    waited.iter().filter_map(|event| event.fact.task).collect()
}

/// The message of a commit of nothing but what waited. It names no verb: there may have been several. The title is that
/// of the task, if what waited is about one alone.
pub(crate) fn of_waited(waited: &[Event], title: Option<&str>, anchor: Option<&str>) -> String {
    let mut text = format!("swift: record what waited: {}\n\n", what_waited(waited, title));
    if let Some(last) = waited.last() {
        line(&mut text, OPERATION, &last.operation.to_string());
        line(&mut text, "Swift-Actor", last.actor.as_str());
        also(&mut text, last.operation, waited);
    }
    what_happened(&mut text, &waited.iter().map(|event| &event.fact).collect::<Vec<_>>());
    if let Some(anchor) = anchor {
        line(&mut text, AUDIT, anchor);
    }
    text
}

/// `created k3v9q2 Add rate limiting`, or `3 tasks (created, done)`.
fn what_waited(waited: &[Event], title: Option<&str>) -> String {
    let tasks = tasks(waited);
    let mut kinds: Vec<&str> = Vec::new();
    for event in waited.iter().filter(|event| tasks.is_empty() || event.fact.task.is_some()) {
        let kind = event.fact.kind.as_str().trim_start_matches("task.");
        kinds.retain(|known| *known != kind);
        kinds.push(kind);
    }
    let kinds = kinds.join(", ");
    match (tasks.first(), tasks.len()) {
        (Some(id), 1) => format!("{kinds} {}", about(*id, title.unwrap_or_default()).trim_end()),
        (Some(_), several) => format!("{several} tasks ({kinds})"),
        // The log was committed without what it tells of.
        (None, _) if kinds.is_empty() => "files of which the log is committed".to_owned(),
        (None, _) => kinds,
    }
}

/// The other operations, oldest first.
fn also(text: &mut String, own: OperationId, waited: &[Event]) {
    let others: BTreeSet<OperationId> =
        waited.iter().map(|event| event.operation).filter(|id| *id != own).collect();
    if !others.is_empty() {
        line(text, ALSO, &others.iter().map(OperationId::to_string).collect::<Vec<_>>().join(" "));
    }
}

fn what_happened(text: &mut String, facts: &[&Fact]) {
    let kinds: BTreeSet<&str> = facts.iter().map(|fact| fact.kind.as_str()).collect();
    if !kinds.is_empty() {
        line(text, EVENTS, &kinds.into_iter().collect::<Vec<_>>().join(" "));
    }
    let tasks: BTreeSet<String> =
        facts.iter().filter_map(|fact| fact.task).map(|id| id.to_string()).collect();
    for task in tasks.iter().take(MOST_TASKS) {
        line(text, "Swift-Task", task);
    }
    if tasks.len() > MOST_TASKS {
        line(text, "Swift-Tasks-More", &(tasks.len() - MOST_TASKS).to_string());
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    text.push_str(key);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

/// Whether a message is that of a verb's commit.
pub(crate) fn is_of_a_verb(message: &str) -> bool {
    trailer(message, OPERATION).is_some()
}

/// Whether a commit of this message may take the whole queue out of a tree: `uninstall`, and `home` to a branch of its own;
/// also as one of several in a squash.
pub(crate) fn is_farewell(message: &str) -> bool {
    values(message, VERB).any(|verb| ["uninstall", "home"].contains(&verb))
}

/// The value of a trailer; of the last one if there are several.
pub(crate) fn trailer<'m>(message: &'m str, key: &str) -> Option<&'m str> {
    let lines = message.trim_end().lines().rev().map_while(|l| (!l.trim().is_empty()).then_some(l));
    lines.filter_map(|l| l.split_once(": ")).find(|(name, _)| *name == key).map(|(_, value)| value.trim())
}

/// All values of a trailer, wherever a squash has put it.
pub(crate) fn values<'m>(message: &'m str, key: &'m str) -> impl Iterator<Item = &'m str> {
    let lines = message.lines().filter_map(|line| line.trim_start().split_once(": "));
    lines.filter(move |(name, _)| *name == key).map(|(_, value)| value.trim())
}

/// All operations that a message names, wherever it does: a squash puts the messages of several commits into one, and
/// may indent them.
pub(crate) fn operations(message: &str) -> BTreeSet<OperationId> {
    let named = values(message, OPERATION).chain(values(message, ALSO));
    named.flat_map(str::split_whitespace).filter_map(|id| id.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_found_only_at_the_end() {
        let text = "swift: x\n\nSwift-Operation: no\n\nSwift-Operation: yes\nSwift-Verb: done\n";
        assert_eq!(trailer(text, OPERATION), Some("yes"));
        assert_eq!(trailer(text, VERB), Some("done"));
        assert_eq!(trailer("Swift-Verb: done\n\nbody", VERB), None);
    }
}
