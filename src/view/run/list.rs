//! Several runs, and what stands in the way of more.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::RunRow;
use crate::domain::run::secret::mask;
use crate::domain::text::{as_word, shown};
use crate::store::background::{Pending, Standing};
use crate::view::breaker::{self, BreakerRow};
use crate::view::problem::{self, ProblemRow};
use crate::view::{View, count};

/// Several runs.
#[derive(Debug, Serialize)]
pub(crate) struct RunsView {
    /// Newest first.
    pub(crate) runs: Vec<RunRow>,
    /// Asked for in the background, and without a record so far.
    pub(crate) pending: Vec<PendingRow>,
    /// What those that are shown cost.
    pub(crate) cost_usd: f64,
    /// How many there are, shown or not, and what they cost.
    pub(crate) total: usize,
    pub(crate) total_cost_usd: f64,
    /// The task whose runs these are, as it was named, if only those were wanted.
    #[serde(skip)]
    pub(crate) task: Option<String>,
    /// Accounts and models that are not asked now, or that failed lately.
    pub(crate) breakers: Vec<BreakerRow>,
    pub(crate) problems: Vec<ProblemRow>,
}

/// A run that was asked for and has no record yet.
#[derive(Debug, Serialize)]
pub(crate) struct PendingRow {
    id: String,
    short: String,
    title: String,
    /// `starting` or `not-begun`.
    state: &'static str,
    why: Option<String>,
}

impl PendingRow {
    /// The row of a request.
    pub(crate) fn new(pending: &Pending) -> PendingRow {
        let first = pending.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let (state, why) = match &pending.standing {
            Standing::Starting => ("starting", None),
            Standing::NotBegun(why) => ("not-begun", Some(why.clone())),
        };
        let id = pending.id;
        PendingRow {
            id: id.to_string(),
            short: id.short(),
            title: mask(first, &[]).chars().take(80).collect(),
            state,
            why,
        }
    }

    fn line(&self, out: &mut String) {
        let why = self.why.as_ref().map(|why| format!(": {}", shown(why))).unwrap_or_default();
        let state = if self.why.is_some() { "was not begun" } else { "is starting" };
        let _ = writeln!(out, "{}  {state}{why}  {}", self.short, shown(&self.title));
    }
}

impl View for RunsView {
    fn text(&self, out: &mut String) {
        self.pending.iter().for_each(|row| row.line(out));
        for run in &self.runs {
            run.line(out);
        }
        let _ = match self.is_cut() {
            false => writeln!(out, "{}, ${:.4}", count(self.total, "run"), self.total_cost_usd),
            true => writeln!(
                out,
                "the newest {} of {}, ${:.4} of ${:.4}",
                self.runs.len(),
                count(self.total, "run"),
                self.cost_usd,
                self.total_cost_usd
            ),
        };
        breaker::text(&self.breakers, out);
        problem::text(&self.problems, out);
    }

    fn next(&self) -> Vec<String> {
        let newest = self.runs.first().map(|run| format!("swift run show {}", run.short));
        let of = self.task.as_ref().map(|task| format!(" --task {}", as_word(Path::new(task))));
        let all = self.is_cut().then(|| format!("swift runs{} -n {}", of.unwrap_or_default(), self.total));
        newest.into_iter().chain(all).collect()
    }
}

impl RunsView {
    /// Whether there are more than are shown.
    fn is_cut(&self) -> bool {
        self.runs.len() < self.total
    }
}
