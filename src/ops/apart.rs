//! What was done while git was in the middle of something, and waits for a branch that is not at hand.

use crate::domain::text::shown;
use crate::store::queue::Queue;

use super::finding::{Finding, Severity};

/// What every verb says of it; `None` if nothing waits elsewhere.
pub(crate) fn standing(queue: &Queue) -> Option<String> {
    let branch = queue.home.waited_for_elsewhere().ok()?.into_iter().next()?;
    Some(format!("{}; {}", waits(&branch), remedy(&branch)))
}

/// What `doctor` says of it.
pub(super) fn findings(queue: &Queue) -> Vec<Finding> {
    match queue.home.waited_for_elsewhere() {
        Ok(branches) => branches.iter().map(|branch| finding(branch)).collect(),
        Err(fault) => vec![Finding::of_fault("", &fault)],
    }
}

fn finding(branch: &str) -> Finding {
    Finding::new("waits-elsewhere", Severity::Note, "", waits(branch)).fix(remedy(branch))
}

fn waits(branch: &str) -> String {
    format!("what was done while git was busy waits for the branch `{}`", shown(branch))
}

fn remedy(branch: &str) -> String {
    // A name that a shell would read otherwise is none to be pasted.
    let is_plain = branch.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
    match is_plain && !branch.starts_with('-') {
        true => format!("after `git switch {branch}` the next verb that writes commits it"),
        false => "on that branch the next verb that writes commits it".to_owned(),
    }
}
