//! git's index: of the queue's own worktree, or of the person's checkout.

use crate::domain::fault::{Code, Result};
use crate::ops::finding::{Finding, Remedy, Severity};
use crate::store::queue::Queue;

/// Whether it can be read, and has what it should.
pub(super) fn of(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    readable(queue, findings)?;
    let unmerged = unmerged(queue);
    let both = unmerged.first().map(|path| path.as_str());
    if let Some(path) = queue.home.staged_otherwise()?.filter(|path| Some(path.as_str()) != both) {
        let text =
            "is staged otherwise than the last commit has it: the next `git commit` would take that along";
        let fix = "see it: `git -C .swift diff --cached`; `git -C .swift restore --staged .` leaves the files as they are";
        findings.push(Finding::new("staged", Severity::Note, &path, text).fix(fix));
    }
    if let Some(path) = both {
        let text =
            "has the sides of a conflict in git's index, and no merge is in progress: `git commit` refuses";
        let fix =
            "see them: `git -C .swift diff`; `git -C .swift restore --staged .` leaves the files as they are";
        findings.push(Finding::new("unmerged", Severity::Warning, path, text).fix(fix));
    }
    if let Some(aside) = queue.home.index_aside() {
        let message =
            "an index that could not be read was made anew; what was staged by hand is in the old one";
        let fix = format!("when nothing is missed, take it away: it is {}", aside.display());
        findings.push(Finding::new("index-torn", Severity::Note, "", message).fix(fix));
    }
    Ok(())
}

fn readable(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    let damaged =
        |message: String, fix: &str| Finding::new("index-damaged", Severity::Error, "", message).fix(fix);
    let unreadable = |why: String, fix: &str| damaged(format!("git cannot read the index: {why}"), fix);
    if let Some(path) = queue.home.missing_index()? {
        let text =
            format!("there is no index: {} is gone, so that to git every file is removed", path.display());
        let fix =
            "`git -C .swift reset --quiet` makes it from the last commit and leaves the files as they are";
        findings.push(damaged(text, fix));
    } else if let Some(torn) = queue.home.torn_index()? {
        let fix = "`swift doctor --fix`, or any verb that writes, makes it anew from the last commit";
        findings.push(unreadable(format!("{} is damaged", torn.display()), fix).remedy(Remedy::PutBack));
    } else if let Err(fault) = queue.home.unmerged() {
        // That there is no git says nothing about the index.
        findings.push(match fault.code {
            Code::Io => Finding::of_fault("", &fault),
            // Our own look has found it whole, and git speaks of something else.
            _ if !fault.message.contains("index") => Finding::of_fault("", &fault),
            _ => unreadable(fault.message, "`git -C .swift status` says what git makes of it"),
        });
    }
    Ok(())
}

/// Paths with sides of a conflict while nothing is being joined: `swift resolve` has nothing to end there.
fn unmerged(queue: &Queue) -> Vec<String> {
    if queue.home.is_joining() {
        return Vec::new();
    }
    let unmerged = queue.home.unmerged().unwrap_or_default();
    unmerged.into_iter().map(|unmerged| unmerged.path).collect()
}
