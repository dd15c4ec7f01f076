//! Files that cannot be read as what they should be: where to mend them, and which of them `--fix` puts aside.

use crate::domain::fault::Code;
use crate::domain::problem::Problem;
use crate::ops::finding::{Finding, Remedy};
use crate::store::layout;
use crate::store::queue::Queue;

/// A file in a queue folder that is no task.
pub(super) fn finding(queue: &Queue, problem: &Problem) -> Finding {
    let finding = Finding::from_problem(problem);
    if !may_be_put_aside(queue, problem) {
        return finding;
    }
    let first = finding.fix.clone().unwrap_or_else(|| mend(&problem.path));
    finding.fix(format!("{first}; `swift doctor --fix` puts the file aside")).remedy(Remedy::PutAside)
}

/// Whether a file can be moved out of the way: it can be read as bytes, and nobody else has a use for it.
pub(super) fn may_be_put_aside(queue: &Queue, problem: &Problem) -> bool {
    // A newer version of swift reads what it wrote, and a text with git's marks is a person's to put in order: neither is
    // damaged. What git keeps for itself, as of a repository inside, is nobody's task, and the queue cannot have it.
    !matches!(problem.fault.code, Code::NewerSchema | Code::Unsettled)
        && queue.home.may_have(&problem.path)
        && queue.read(&problem.path).is_ok_and(|bytes| bytes.is_some())
}

/// A file that was found malformed has at least the place at which to look.
pub(super) fn lead_to_the_place(finding: &mut Finding) {
    if finding.code == Code::Malformed.as_str() && finding.fix.is_none() && !finding.path.is_empty() {
        finding.fix = Some(match layout::is_of_log(&finding.path) {
            true => format!("see what it was: `git -C .swift log -p -- {}`", finding.path),
            false => mend(&finding.path),
        });
    }
}

fn mend(path: &str) -> String {
    format!("mend it in an editor: `.swift/{path}`")
}
