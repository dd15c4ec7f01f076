//! What checks found.

use serde::Serialize;

use super::problem::located;
use super::task::CommitRow;
use super::{View, count, led_hint, place};
use crate::domain::text::shown;
use crate::ops::doctor::Repaired;
use crate::ops::finding::{Finding, Severity};
use crate::ops::verify::Verdict;

#[derive(Debug, Serialize)]
struct FindingRow {
    code: String,
    severity: &'static str,
    path: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl From<&Finding> for FindingRow {
    fn from(finding: &Finding) -> Self {
        FindingRow {
            code: finding.code.clone(),
            severity: finding.severity.as_str(),
            path: place(&finding.path),
            message: finding.message.clone(),
            fix: finding.fix.as_deref().map(led_hint),
        }
    }
}

fn text(rows: &[FindingRow], out: &mut String) {
    for row in rows {
        let what = located(&row.path, &row.message);
        out.push_str(&format!("{}: {} [{}]\n", row.severity, shown(&what), row.code));
        if let Some(fix) = &row.fix {
            out.push_str(&format!("    fix: {}\n", shown(fix)));
        }
    }
}

/// What `doctor --fix` would do, line by line.
pub(crate) fn steps(findings: &[Finding], rehearsed: &Repaired) -> Vec<String> {
    let step = |finding: &Finding| {
        let what = located(&place(&finding.path), &finding.message);
        Some(format!("{}: {}", finding.remedy?.as_str(), shown(&what)))
    };
    let told = |path: &&String| findings.iter().all(|f| f.remedy.is_none() || f.path != **path);
    let by_hand = rehearsed.recorded.iter().filter(told);
    let by_hand = by_hand.map(|path| format!("record: {}", shown(&place(path))));
    let mut steps: Vec<String> = findings.iter().filter_map(step).chain(by_hand).collect();
    if steps.is_empty() && rehearsed.records > 0 {
        steps.push("record: what git has joined, or a person committed, since the last verb".to_owned());
    }
    steps
}

/// What a person has to mend, each with its own fix.
pub(crate) fn left(findings: &[Finding]) -> Vec<String> {
    let is_left = |finding: &&Finding| {
        finding.remedy.is_none() && (finding.severity > Severity::Note || finding.fix.is_some())
    };
    let rows: Vec<FindingRow> = findings.iter().filter(is_left).map(FindingRow::from).collect();
    let mut out = String::new();
    text(&rows, &mut out);
    out.lines().map(str::to_owned).collect()
}

/// What `doctor` found, and did.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorView {
    findings: Vec<FindingRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quarantined: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restored: Vec<String>,
    #[serde(flatten)]
    commit: CommitRow,
    /// Whether `--fix` would do something about a finding.
    #[serde(skip)]
    is_mendable: bool,
}

impl DoctorView {
    /// The view of findings, and of a repair if there was one.
    pub(crate) fn new(findings: &[Finding], repaired: &Repaired) -> DoctorView {
        DoctorView {
            findings: findings.iter().map(FindingRow::from).collect(),
            quarantined: repaired.quarantined.iter().map(|(a, b)| (place(a), place(b))).collect(),
            restored: repaired.restored.clone(),
            commit: CommitRow::new(&repaired.committed),
            is_mendable: findings.iter().any(|finding| finding.remedy.is_some()),
        }
    }
}

impl View for DoctorView {
    fn text(&self, out: &mut String) {
        for (from, to) in &self.quarantined {
            out.push_str(&format!("put aside: {} → {}\n", shown(from), shown(to)));
        }
        for path in &self.restored {
            out.push_str(&format!("put back: {}\n", shown(path)));
        }
        text(&self.findings, out);
        match self.findings.len() {
            0 => out.push_str("the queue is healthy\n"),
            n => out.push_str(&format!("{}\n", count(n, "finding"))),
        }
    }

    fn next(&self) -> Vec<String> {
        match self.is_mendable {
            true => vec!["swift doctor --fix --dry-run".to_owned()],
            false => vec!["swift audit verify".to_owned()],
        }
    }

    fn notes(&self) -> Vec<String> {
        self.commit.notes()
    }
}

/// What `audit verify` found.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictView {
    findings: Vec<FindingRow>,
    records: usize,
    segments: usize,
    commits: usize,
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> Self {
        VerdictView {
            findings: verdict.findings.iter().map(FindingRow::from).collect(),
            records: verdict.records,
            segments: verdict.segments,
            commits: verdict.anchors,
        }
    }
}

impl View for VerdictView {
    fn text(&self, out: &mut String) {
        text(&self.findings, out);
        let (records, segments) = (count(self.records, "record"), count(self.segments, "segment"));
        let commits = count(self.commits, "commit");
        match self.findings.len() {
            0 => out.push_str(&format!("the log is whole: {records} in {segments}, anchored in {commits}\n")),
            n => out.push_str(&format!("{} in {records}, {segments}, {commits}\n", count(n, "finding"))),
        }
    }

    fn next(&self) -> Vec<String> {
        vec!["swift doctor".to_owned()]
    }
}
