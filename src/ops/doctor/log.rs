//! The log against itself, git's history with it, and the logs of other projects.

use crate::domain::fault::Result;
use crate::ops::finding::{Finding, Severity};
use crate::ops::{carrier, verify};
use crate::store::queue::Queue;

pub(super) fn history(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    let verdict = verify::verify(queue)?;
    findings.extend(verdict.findings);
    foreign(queue, &verdict.unanchored, findings);
    Ok(())
}

/// Segments that no verb has committed here and that another project has: what happened there is told as if it were here.
/// One that only lacks its commit, as after a squash, is in no other project.
fn foreign(queue: &Queue, unanchored: &[String], findings: &mut Vec<Finding>) {
    // Where history is cut off, the commits that wrote them may be left out.
    if unanchored.is_empty() || queue.home.is_shallow() {
        return;
    }
    let Ok((registry, _)) = carrier::registry_in_view(queue) else { return };
    let others = registry.projects.iter().filter(|project| project.entry.id != queue.settings.id);
    let others: Vec<_> =
        others.filter(|project| project.path.as_deref() != queue.home.root.parent()).collect();
    for path in unanchored {
        if let Some(other) = others.iter().find(|project| project.has_file(path)) {
            let id = &other.entry.id;
            let text = format!("is of the log of `{id}`: its records are told here as this project's own");
            let fix = format!(
                "`git -C .swift log --oneline -- {path}` names the commit that brought it; `git -C .swift revert` takes that back"
            );
            findings.push(Finding::new("audit-foreign", Severity::Error, path, text).fix(fix));
        }
    }
}
