//! What differs from the last commit, and whether a verb would take it along.

use std::collections::HashSet;

use super::hindered::is_hindered;
use crate::domain::fault::Result;
use crate::ops::finding::{Finding, Remedy, Severity};
use crate::store::queue::Queue;
use crate::store::{audit, hand, layout};

/// What has changed, but for what another finding is about already.
pub(super) fn uncommitted(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    let told: HashSet<String> = findings.iter().map(|finding| finding.path.clone()).collect();
    let joined = queue.home.put_there_by_git()?;
    let is_hindered = is_hindered(findings);
    let mut recorded: HashSet<String> = queue.home.debts()?.into_iter().collect();
    recorded.extend(of_swifts_own(queue)?);
    for path in queue.home.changed_files()?.into_iter().map(|changed| changed.path) {
        let top = path.split('/').next().unwrap_or_default();
        if told.contains(&path) || told.contains(top) || joined.contains(&path) {
            continue;
        }
        let finding = Finding::new("uncommitted", Severity::Note, &path, "differs from the last commit");
        let is_taken = hand::is_recorded(&path) || recorded.contains(&path);
        findings.push(if is_taken && is_hindered {
            finding.fix("see it: `git -C .swift diff`; it is committed as soon as git does not hinder it")
        } else if is_taken {
            let fix = "see it: `git -C .swift diff`; record it: `swift doctor --fix`";
            finding.fix(fix).remedy(Remedy::Record)
        } else {
            finding.fix("see it: `git -C .swift diff`")
        });
    }
    Ok(())
}

/// What swift alone writes, and no debt says that it is to be committed: git has put it away and brought it back, or has set
/// back the branch alone.
pub(super) fn of_swifts_own(queue: &Queue) -> Result<Vec<String>> {
    let mut paths = audit::returned(queue)?;
    let changed = queue.home.changed_files()?.into_iter().map(|changed| changed.path);
    let is_there = |path: &String| queue.read(path).is_ok_and(|bytes| bytes.is_some());
    paths.extend(changed.filter(|path| layout::is_keep(path)).filter(is_there));
    Ok(paths)
}
