//! What a shift of workers came to, and what waits for a person's decision.

use std::fmt::Write as _;

use serde::Serialize;

use super::run::{RunRow, typed};
use super::task::CommitRow;
use super::{View, count};
use crate::domain::text::shown;
use crate::ops::run::review::WentOn;
use crate::ops::run::way::Step;
use crate::store::git::checkout::Prospect;

/// The runs of a shift and why it ended.
#[derive(Debug, Serialize)]
pub(crate) struct WorkView {
    /// The last run of each request; a task that failed may have been taken up again.
    pub(crate) runs: Vec<WorkedRow>,
    /// How many tasks were worked on.
    pub(crate) tasks: usize,
    /// How many of them were completed in the end.
    pub(crate) completed: usize,
    /// Where finished work is looked at.
    #[serde(skip)]
    pub(crate) reviews: Vec<String>,
    pub(crate) cost_usd: f64,
    /// `nothing-ready`, `asked`, `time`, `budget`, `account` or `fault`.
    pub(crate) stopped: &'static str,
    pub(crate) why: String,
    #[serde(rename = "notes")]
    pub(crate) remarks: Vec<String>,
}

/// A run and whose it was.
#[derive(Debug, Serialize)]
pub(crate) struct WorkedRow {
    pub(crate) project: String,
    #[serde(flatten)]
    pub(crate) run: RunRow,
}

impl View for WorkView {
    fn text(&self, out: &mut String) {
        for row in &self.runs {
            row.run.line(out);
        }
        let again = match self.runs.len() {
            requests if requests > self.tasks => format!(" in {}", count(requests, "request")),
            _ => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{} worked on{again}, {} completed, ${:.4}; stopped: {}",
            count(self.tasks, "task"),
            self.completed,
            self.cost_usd,
            shown(&self.why)
        );
    }

    fn next(&self) -> Vec<String> {
        if self.reviews.is_empty() { vec!["swift next --why".to_owned()] } else { self.reviews.clone() }
    }

    fn notes(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// Finished work that waits for a person.
#[derive(Debug, Serialize)]
pub(crate) struct ReviewsView {
    pub(crate) waiting: Vec<WaitingRow>,
    #[serde(rename = "notes")]
    pub(crate) remarks: Vec<String>,
}

/// One branch that waits.
#[derive(Debug, Serialize)]
pub(crate) struct WaitingRow {
    #[serde(flatten)]
    pub(crate) run: RunRow,
    pub(crate) diffstat: String,
    pub(crate) conflicts: Vec<String>,
    /// Why git merges nothing of it, whatever the paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    pub(crate) mergeable: bool,
    #[serde(skip)]
    prospect: Prospect,
}

impl WaitingRow {
    /// The row of a run's work.
    pub(crate) fn new(run: RunRow, diffstat: &str, prospect: &Prospect) -> WaitingRow {
        WaitingRow {
            run,
            diffstat: diffstat.to_owned(),
            conflicts: prospect.conflicts(),
            refused: prospect.refusal(),
            mergeable: *prospect == Prospect::Clean,
            prospect: prospect.clone(),
        }
    }
}

impl View for ReviewsView {
    fn text(&self, out: &mut String) {
        if self.waiting.is_empty() {
            out.push_str("no finished work waits for you\n");
        }
        for row in &self.waiting {
            row.run.line(out);
            let _ = writeln!(out, "        {}", shown(&row.diffstat));
            for verdict in row.run.verdicts() {
                let _ = writeln!(out, "        {}", shown(&verdict));
            }
            if !row.conflicts.is_empty() {
                let _ = writeln!(out, "        conflicts in {}", shown(&row.conflicts.join(", ")));
            }
            if let Some(why) = &row.refused {
                let _ = writeln!(out, "        git does not merge it: {}", shown(why));
            }
        }
    }

    fn next(&self) -> Vec<String> {
        let Some(first) = self.waiting.first() else { return Vec::new() };
        let mut next = vec![format!("swift review {}", first.run.short)];
        next.extend(decisions(&first.run, &first.prospect));
        next
    }

    fn notes(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// One run's work in full.
#[derive(Debug, Serialize)]
pub(crate) struct ReviewView {
    pub(crate) run: RunRow,
    pub(crate) diffstat: String,
    pub(crate) diff: String,
    conflicts: Vec<String>,
    /// Why git merges nothing of it, whatever the paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// That the branch went on after the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    careful: Option<String>,
    #[serde(skip)]
    judged: Option<String>,
    #[serde(skip)]
    prospect: Prospect,
}

impl ReviewView {
    /// The work of a run, with what a merge of it would come to.
    pub(crate) fn new(
        run: RunRow,
        diffstat: String,
        diff: String,
        prospect: Prospect,
        went_on: Option<WentOn>,
    ) -> ReviewView {
        ReviewView {
            run,
            diffstat,
            diff,
            conflicts: prospect.conflicts(),
            refused: prospect.refusal(),
            careful: went_on.as_ref().map(WentOn::told),
            judged: went_on.map(|went_on| went_on.judged),
            prospect,
        }
    }
}

impl View for ReviewView {
    fn text(&self, out: &mut String) {
        self.run.line(out);
        if let Some(careful) = &self.careful {
            let _ = writeln!(out, "{careful}");
        }
        let at = self.judged.as_ref().map(|judged| format!("at {judged} ")).unwrap_or_default();
        for verdict in self.run.verdicts() {
            let _ = writeln!(out, "{at}{}", shown(&verdict));
        }
        if !self.run.summary.is_empty() {
            for line in self.run.summary.lines() {
                let _ = writeln!(out, "  {}", shown(line));
            }
        }
        out.push_str(&self.diffstat);
        // Lines of somebody's file may hold anything.
        for line in self.diff.lines() {
            let _ = writeln!(out, "{}", line.split('\t').map(shown).collect::<Vec<_>>().join("\t"));
        }
        if !self.conflicts.is_empty() {
            let _ = writeln!(out, "conflicts in {}", shown(&self.conflicts.join(", ")));
        }
        if let Some(why) = &self.refused {
            let _ = writeln!(out, "git does not merge it: {}", shown(why));
        }
    }

    fn next(&self) -> Vec<String> {
        decisions(&self.run, &self.prospect)
    }
}

/// What a person can decide.
fn decisions(run: &RunRow, prospect: &Prospect) -> Vec<String> {
    let short = &run.short;
    let merge = (*prospect == Prospect::Clean).then(|| format!("swift merge {short} sesame"));
    // What is merged is taken back with git.
    let is_merged = run.review.as_ref().is_some_and(|review| review.is_merge());
    let reject = (!is_merged).then(|| format!("swift reject {short} --why \"…\""));
    merge.into_iter().chain(reject).collect()
}

/// What became of finished work.
#[derive(Debug, Serialize)]
pub(crate) struct DecidedView {
    pub(crate) run: RunRow,
    pub(crate) decision: &'static str,
    /// The merge.
    pub(crate) merge: Option<String>,
    /// The task of merged work that is still to be worked on.
    #[serde(skip)]
    pub(crate) open: Option<String>,
    /// What can be done after work that was sent back.
    #[serde(skip)]
    pub(crate) way: Vec<Step>,
    #[serde(flatten)]
    pub(crate) commit: CommitRow,
    #[serde(rename = "notes")]
    pub(crate) remarks: Vec<String>,
}

impl View for DecidedView {
    fn text(&self, out: &mut String) {
        let title = shown(&self.run.title);
        let _ = match &self.merge {
            Some(commit) => {
                writeln!(out, "merged {} as {}  {title}", self.run.short, commit.get(..12).unwrap_or(commit))
            }
            None => writeln!(out, "{} {}  {title}", self.decision, self.run.short),
        };
    }

    fn next(&self) -> Vec<String> {
        match &self.merge {
            Some(_) => {
                let done = self.open.as_ref().map(|task| format!("swift done {task}"));
                done.into_iter().chain(["swift review".to_owned()]).collect()
            }
            None => self.way.iter().map(|step| typed(step, &self.run)).collect(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.remarks.iter().cloned().chain(self.commit.notes()).collect()
    }
}
