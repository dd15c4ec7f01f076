//! What can be done after a run, as it is typed.

use std::collections::BTreeSet;

use super::RunRow;
use crate::domain::run::outcome::Outcome;
use crate::ops::run::way::Step;

/// A step after a run, as a command.
pub(in crate::view) fn typed(step: &Step, run: &RunRow) -> String {
    let short = &run.short;
    match step {
        Step::Unblock(task) => format!("swift unblock {}", task.short()),
        Step::Redrive(task) => format!("swift redrive {}", task.short()),
        Step::PutRight(command) | Step::LookAtChanges(command) => command.clone(),
        Step::Resume => format!("swift run resume {short}{}", allowing(run)),
        Step::Run(task) => format!("swift run {}{}", task.short(), allowing(run)),
        Step::AskAnew => format!("swift run \"…\"{}", allowing(run)),
        Step::Follow(other) => format!("swift run logs -f {}", other.short()),
        Step::AwaitAccount => "swift runs".to_owned(),
        Step::LookAtTask(task) => format!("swift show {}", task.short()),
        Step::Review => format!("swift review {short}"),
        Step::Merge => format!("swift merge {short}"),
        Step::NextTask => "swift next".to_owned(),
    }
}

/// The options that would allow what was refused to a run that ended because of that.
fn allowing(run: &RunRow) -> String {
    // The names are what a program has said.
    let is_plain = |tool: &&str| {
        !tool.is_empty() && tool.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let is_denied = run.outcome == Some(Outcome::Denied.word());
    let tools = run.denied.iter().filter(|_| is_denied).map(|denial| denial.tool.as_str());
    let tools: BTreeSet<&str> = tools.filter(is_plain).filter(|tool| !tool.starts_with('-')).collect();
    tools.iter().map(|tool| format!(" --allow {tool}")).collect()
}
