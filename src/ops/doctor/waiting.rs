//! Tasks that wait for what will never come.

use jiff::Timestamp;

use crate::domain::fault::Result;
use crate::ops::finding::{Finding, Severity};
use crate::ops::rank::{self, Obstacle, Scope};
use crate::store::queue::Queue;

/// Tasks that wait for themselves, or for one that nobody knows.
pub(super) fn waiting(queue: &Queue, now: Timestamp, findings: &mut Vec<Finding>) -> Result<()> {
    let ranking = rank::rank(queue, now, Scope::Project)?;
    for skipped in ranking.skipped() {
        let fix = match (skipped.obstacle, skipped.item.id()) {
            (Obstacle::Passing, _) => continue,
            (Obstacle::Unreadable, _) => {
                "put that file in order; what waits for it is right to wait".to_owned()
            }
            (Obstacle::NeverMet, Some(id)) => {
                format!("change `after`: `swift edit {} --clear after`", id.short())
            }
            (Obstacle::NeverMet, None) => format!("change `after` in `.swift/{}`", skipped.item.path),
        };
        let finding = Finding::new("dependency", Severity::Warning, &skipped.item.path, skipped.reason);
        findings.push(finding.fix(fix));
    }
    Ok(())
}
