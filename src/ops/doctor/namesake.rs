//! A queue of a remote that has the same branch and nothing else in common with this one: begun here before the remote
//! was looked at, or there. Neither push nor pull will ever join the two.

use crate::domain::fault::Result;
use crate::ops::finding::{Finding, Severity};
use crate::store::queue::Queue;

pub(super) fn namesakes(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    let branch = queue.home.branch.as_deref().unwrap_or("swift");
    for other in queue.home.namesakes()? {
        let id = Queue::parse_settings(&other.settings).ok().map(|settings| settings.id);
        // Where history was left out, what both have in common may be left out, too.
        if other.is_cut && id.as_ref().is_none_or(|id| *id == queue.settings.id) {
            continue;
        }
        let whose = id.map(|id| format!(", that of `{id}`")).unwrap_or_default();
        let text = format!(
            "`{}` is another queue{whose}: no commit is in both, so neither push nor pull joins them",
            other.name
        );
        let fix = format!(
            "to go on with that one: `swift uninstall --keep-branch`, `git branch --move {branch} {branch}-here`, then \
             `swift init`; the tasks made here are on `{branch}-here`"
        );
        findings.push(Finding::new("another-queue", Severity::Error, "", text).fix(fix));
    }
    Ok(())
}
