//! Check the audit log against itself and against git's history.
//!
//! Within a segment every record carries the hash of the one before it. What a segment cannot show by itself, that
//! its end was cut off or that it is missing as a whole, shows in git: each commit of a verb names the last record
//! that it added, and that record has to be there still.

use std::collections::{HashMap, HashSet};

use crate::domain::fault::Result;
use crate::domain::id::WriterId;
use crate::domain::text::shown;
use crate::format::audit::{Segment, verify as verify_segment};
use crate::store::queue::Queue;
use crate::store::{history, message};

use super::finding::{Finding, Severity};

/// What was checked and what was found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) findings: Vec<Finding>,
    pub(crate) records: usize,
    pub(crate) segments: usize,
    /// Commits whose anchor was looked up.
    pub(crate) anchors: usize,
}

/// Check the whole log.
///
/// # Errors
/// Those of listing the log and of reading git's history.
pub(crate) fn verify(queue: &Queue) -> Result<Verdict> {
    let (stored, problems) = history::segments(queue)?;
    let mut verdict = Verdict { segments: stored.len(), ..Verdict::default() };
    verdict.findings.extend(problems.iter().map(Finding::from_problem));
    let mut parsed: Vec<(String, Segment)> = Vec::new();
    for segment in stored {
        match history::parse(&segment) {
            Ok(read) => parsed.push((segment.path, read)),
            Err(fault) => verdict.findings.push(Finding::of_fault(&segment.path, &fault)),
        }
    }
    within_segments(&parsed, &mut verdict);
    between_segments(&parsed, &mut verdict);
    against_history(queue, &parsed, &mut verdict)?;
    Ok(verdict)
}

fn within_segments(parsed: &[(String, Segment)], verdict: &mut Verdict) {
    for (path, segment) in parsed {
        verdict.records += segment.records.len();
        for defect in verify_segment(segment) {
            let event = defect.event.map(|id| format!(" (event {id})")).unwrap_or_default();
            let text = format!("line {}{event}: {}", defect.line, defect.message);
            verdict.findings.push(
                Finding::new("audit-damaged", Severity::Error, path, text)
                    .fix(format!("see what it was: `git -C .swift log -p -- {path}`")),
            );
        }
    }
}

/// A segment that continues another names the other's last record; that record has to be there.
fn between_segments(parsed: &[(String, Segment)], verdict: &mut Verdict) {
    let mut known: HashMap<WriterId, HashSet<&str>> = HashMap::new();
    let mut names = HashSet::new();
    for (path, segment) in parsed {
        let hashes = known.entry(segment.writer).or_default();
        hashes.insert(segment.seed.as_str());
        hashes.extend(segment.records.iter().map(|record| record.hash.as_str()));
        if !names.insert(segment.segment) {
            let text = format!("segment {} is there twice", segment.segment);
            verdict.findings.push(Finding::new("audit-damaged", Severity::Error, path, text));
        }
    }
    for (path, segment) in parsed {
        let Some(prev) = &segment.prev else { continue };
        if !known.get(&segment.writer).is_some_and(|hashes| hashes.contains(prev.as_str())) {
            let text =
                format!("the record that this segment builds on is missing: {}", &prev[..12.min(prev.len())]);
            verdict.findings.push(
                Finding::new("audit-missing", Severity::Error, path, text)
                    .fix("see what was removed: `git -C .swift log --stat -- audit`"),
            );
        }
    }
}

fn against_history(queue: &Queue, parsed: &[(String, Segment)], verdict: &mut Verdict) -> Result<()> {
    let present: HashSet<&str> =
        parsed.iter().flat_map(|(_, segment)| &segment.records).map(|record| record.hash.as_str()).collect();
    let mut missing = Vec::new();
    for entry in queue.home.history()? {
        let entry = entry?;
        let Some(anchor) = message::trailer(&entry.message, message::AUDIT) else { continue };
        verdict.anchors += 1;
        let Some((path, hash)) = anchor.rsplit_once('#') else { continue };
        if !present.contains(hash) {
            missing.push((
                entry.id,
                path.to_owned(),
                entry.message.lines().next().unwrap_or_default().to_owned(),
            ));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let reverted = queue.home.taken_back(message::is_of_a_verb)?;
    for (commit, path, subject) in missing {
        // A person's `git revert` takes the record out together with the change; that is theirs to do.
        if reverted.contains(&commit) {
            continue;
        }
        let text = format!(
            "the record of commit {} (“{}”) is missing",
            &commit[..12.min(commit.len())],
            shown(&subject)
        );
        verdict.findings.push(Finding::new("audit-missing", Severity::Error, &path, text).fix(format!(
            "see what it was: `git -C .swift show {}:{path}`",
            &commit[..12.min(commit.len())]
        )));
    }
    Ok(())
}
