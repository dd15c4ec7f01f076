//! What belongs to this machine: a note that is no file is read by nobody and cannot be written.

use crate::ops::finding::{Finding, Severity};
use crate::store::queue::Queue;
use crate::store::watcher::Paused;
use crate::store::{layout, local};

/// What is wrong with the machine's own notes.
pub(super) fn notes(queue: &Queue, findings: &mut Vec<Finding>) {
    for name in local::NOTES {
        if queue.local.is_no_file(name) {
            let path = format!("{}/{name}", layout::LOCAL);
            let text = "is not a file: what was noted there is not known, and nothing can be noted";
            let fix = format!("`mv .swift/{path} .swift/{path}.aside` makes room for a new one");
            findings.push(Finding::new("not-a-file", Severity::Warning, &path, text).fix(fix));
        } else if name == local::PAUSED
            && let Err(fault) = Paused::read(&queue.local)
        {
            findings.push(Finding::of_fault(&format!("{}/{name}", layout::LOCAL), &fault));
        }
    }
}
