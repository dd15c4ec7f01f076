//! What clones of a queue have apart from each other because one of them has moved it.

use crate::domain::text::shown;
use crate::store::git::{Landed, Unjoined};
use crate::store::queue::Queue;

use super::finding::{Finding, Severity};

/// What every verb says of it, each with what helps. What cannot be found out, `doctor` says.
pub(crate) fn standing(queue: &Queue) -> Vec<String> {
    let unjoined = queue.home.unjoined().ok().flatten();
    let landed = queue.home.landed().ok().flatten();
    let landed = landed.map(|landed| format!("{}; {}", shown(&landed.text), steps(&landed)));
    unjoined.map(|it| format!("{}; {}", text(&it), step(&it))).into_iter().chain(landed).collect()
}

/// What `doctor` says of it.
///
/// # Errors
/// Those of listing branches and reading commits.
pub(super) fn findings(queue: &Queue) -> crate::domain::fault::Result<Vec<Finding>> {
    let mut all = queue.home.unjoined_branches()?;
    if let Some(noted) = queue.home.unjoined()? {
        all.retain(|other| other.name != noted.name);
        all.insert(0, noted);
    }
    let finding = |it: &Unjoined| Finding::new("unjoined", Severity::Warning, "", text(it)).fix(step(it));
    let mut findings: Vec<Finding> = all.iter().map(finding).collect();
    if let Some(landed) = queue.home.landed()? {
        let finding = Finding::new("at-the-root", Severity::Warning, "", shown(&landed.text));
        findings.push(finding.fix(steps(&landed)));
    }
    Ok(findings)
}

fn text(unjoined: &Unjoined) -> String {
    let name = shown(&unjoined.name);
    format!(
        "`{name}` has commits of this queue from before it was moved here, and their tasks are in no list"
    )
}

fn step(unjoined: &Unjoined) -> String {
    format!("`{}` joins them", shown(&unjoined.command))
}

fn steps(landed: &Landed) -> String {
    shown(&landed.steps.join("; then "))
}
