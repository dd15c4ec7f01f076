//! What git keeps every commit of the queue waiting for.

use std::time::Duration;

use crate::domain::fault::Result;
use crate::domain::text::as_word;
use crate::ops::finding::{Finding, Severity};
use crate::store::git::Hindrance;
use crate::store::queue::Queue;

/// For so long a program may well be at it: an editor is open for the message of a commit.
const USUAL: Duration = Duration::from_secs(600);

/// What verbs wait for in vain, if there is anything.
pub(super) fn hindered(queue: &Queue, findings: &mut Vec<Finding>) -> Result<()> {
    findings.extend(queue.home.hindrances()?.into_iter().map(|hindrance| match hindrance {
        Hindrance::Operation(operation) => {
            let text = format!(
                "git is in the middle of {operation} in .swift: what verbs write is committed when that is over"
            );
            let fix = "`git -C .swift status` shows it, and how it is ended";
            Finding::new("git-busy", Severity::Note, "", text).fix(fix)
        }
        Hindrance::Lock { path, age, aside } => {
            let text = format!(
                "{} is there, as while git is at work: as long as it stays, nothing of the queue is committed",
                path.display()
            );
            let fix = format!(
                "`ls -l {0}` shows since when; if no git is at work here, one that was ended has left it: `mv -n {0} {1}`",
                as_word(&path),
                as_word(&aside)
            );
            let severity = if age < USUAL { Severity::Note } else { Severity::Warning };
            Finding::new("git-locked", severity, "", text).fix(fix)
        }
    }));
    Ok(())
}

/// Whether one of them was found.
pub(super) fn is_hindered(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| ["git-locked", "git-busy"].contains(&finding.code.as_str()))
}
