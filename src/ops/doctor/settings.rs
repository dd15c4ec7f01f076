//! Settings that only some verbs read: what runs may do, and the project's own rules of routing.

use crate::format::{policy, routing};
use crate::ops::finding::{Finding, Severity};
use crate::store::layout;
use crate::store::queue::Queue;

/// Settings about runs that cannot be read: no run begins with them.
pub(super) fn of_runs(queue: &Queue, findings: &mut Vec<Finding>) {
    let Ok(Some(text)) = queue.read_text(layout::SETTINGS) else { return };
    if let Err(malformed) = policy::parse(&text) {
        let message = format!("no run begins with these settings: {malformed}");
        findings.push(
            Finding::new("run-settings", Severity::Warning, layout::SETTINGS, message)
                .fix(format!("mend it in `.swift/{}`", layout::SETTINGS)),
        );
    }
}

/// Rules of the project that cannot be read: what they ask about cannot be known.
pub(super) fn of_routing(queue: &Queue, findings: &mut Vec<Finding>) {
    let Ok(Some(text)) = queue.read_text(layout::SETTINGS) else { return };
    if let Err(malformed) = routing::rules(Some(&text)) {
        let message = format!("`swift work` runs nothing with these rules: {malformed}");
        findings.push(
            Finding::new("route-settings", Severity::Warning, layout::SETTINGS, message)
                .fix(format!("mend it in `.swift/{}`", layout::SETTINGS)),
        );
    }
}
