//! Runs: their records and their transcripts.

mod list;
mod preview;
mod step;

use std::fmt::Write as _;

use serde::Serialize;

use super::{View, count, moment};
use crate::domain::run::entry::{Entry, EntryKind};
use crate::domain::run::event::Tokens;
use crate::domain::run::outcome::Outcome;
use crate::domain::run::record::{Decision, Run};
use crate::domain::run::spend::Figures;
use crate::domain::text::shown;
use crate::ops::run::way::Step;

pub(crate) use list::{PendingRow, RunsView};
pub(crate) use preview::RunPlanView;
pub(super) use step::typed;

/// One run, with everything that its record tells.
#[derive(Debug, Serialize)]
pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) task: Option<String>,
    pub(crate) title: String,
    pub(crate) attempt: u32,
    pub(crate) follows: Option<String>,
    pub(crate) actor: String,
    /// `running` until it has ended; `elsewhere` if it was begun in another clone, which knows more.
    pub(crate) state: &'static str,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) failure: Option<&'static str>,
    /// For a usage limit: until when.
    pub(crate) until: Option<String>,
    pub(crate) reasons: Vec<String>,
    pub(crate) tier: &'static str,
    pub(crate) rule: String,
    pub(crate) route_reasons: Vec<String>,
    pub(crate) model: Option<String>,
    pub(crate) session: String,
    pub(crate) resumed: bool,
    pub(crate) branch: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) started_at: String,
    pub(crate) ended_at: Option<String>,
    pub(crate) seconds: Option<f64>,
    pub(crate) turns: u64,
    pub(crate) cost_usd: f64,
    /// Whether it is told, estimated, or only known to be no more.
    cost_is: &'static str,
    pub(crate) tokens: TokenRow,
    pub(crate) summary: String,
    pub(crate) commits: Vec<String>,
    /// What is otherwise at branches that are not its own since it began.
    pub(crate) moved: Vec<String>,
    pub(crate) denied: Vec<DenialRow>,
    pub(crate) verify: Vec<VerdictRow>,
    pub(crate) review: Option<ReviewRow>,
    pub(crate) request: String,
    pub(crate) path: String,
    #[serde(skip)]
    told: Option<String>,
    #[serde(skip)]
    cost_told: Option<String>,
}

/// The state of a run that goes on in another clone, as far as is known here.
const ELSEWHERE: &str = "elsewhere";

/// Counts of tokens.
#[derive(Debug, Serialize, Default)]
pub(crate) struct TokenRow {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

impl From<Tokens> for TokenRow {
    fn from(tokens: Tokens) -> Self {
        TokenRow {
            input: tokens.input,
            output: tokens.output,
            cache_read: tokens.cache_read,
            cache_write: tokens.cache_write,
        }
    }
}

/// A tool that was refused.
#[derive(Debug, Serialize)]
pub(crate) struct DenialRow {
    tool: String,
    input: String,
}

/// What a verifier said.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictRow {
    command: Vec<String>,
    passed: bool,
    ended: String,
    said: String,
}

/// What a person decided.
#[derive(Debug, Serialize)]
pub(crate) struct ReviewRow {
    decision: &'static str,
    by: String,
    at: String,
    /// The merge, or the reason.
    what: String,
}

impl ReviewRow {
    /// Whether the work is merged.
    pub(crate) fn is_merge(&self) -> bool {
        self.decision == MERGED
    }
}

/// The decision that brings work to the person's branch.
const MERGED: &str = "merged";

impl RunRow {
    /// The row of a record.
    pub(crate) fn new(run: &Run, path: &str) -> RunRow {
        let ending = run.ending.as_ref();
        let until = match run.outcome() {
            Some(Outcome::Limit(until)) => until,
            _ => None,
        };
        RunRow {
            id: run.id.to_string(),
            short: run.id.short(),
            task: run.task.map(|task| task.to_string()),
            title: run.title.clone(),
            attempt: run.attempt,
            follows: run.follows.map(|run| run.to_string()),
            actor: run.actor.to_string(),
            state: if ending.is_some() { "ended" } else { "running" },
            outcome: run.outcome().map(Outcome::word),
            failure: run.outcome().and_then(Outcome::failure).map(|failure| failure.as_str()),
            until: until.map(|until| until.to_string()),
            reasons: ending.map(|ending| ending.reasons.clone()).unwrap_or_default(),
            tier: run.choice.tier.as_str(),
            rule: run.choice.rule.clone(),
            route_reasons: run.choice.reasons.clone(),
            model: ending.and_then(|ending| ending.model.clone()),
            session: run.session.clone(),
            resumed: run.resumed,
            branch: run.branch.clone(),
            base: run.base.clone(),
            started_at: run.started_at.to_string(),
            ended_at: ending.map(|ending| ending.at.to_string()),
            seconds: ending
                .map(|ending| ending.at.duration_since(run.started_at).as_millis() as f64 / 1000.0),
            turns: ending.map_or(0, |ending| ending.turns),
            cost_usd: ending.map_or(0.0, |ending| ending.spend.usd),
            cost_is: ending.map_or(Figures::Told, |ending| ending.spend.figures).as_str(),
            cost_told: ending.map(|ending| ending.spend.shown()),
            tokens: ending.map(|ending| ending.spend.tokens.into()).unwrap_or_default(),
            summary: ending.map(|ending| ending.summary.clone()).unwrap_or_default(),
            commits: ending.map(|ending| ending.commits.clone()).unwrap_or_default(),
            moved: ending.map(|ending| ending.moved.clone()).unwrap_or_default(),
            denied: denied(run),
            verify: verdicts(run),
            review: run.review.as_ref().map(review),
            request: run.request.clone(),
            path: super::place(path),
            told: run.outcome().map(|outcome| outcome.to_string()),
        }
    }

    /// The same as it is seen from a clone that has not begun it.
    pub(crate) fn seen_from_afar(self) -> RunRow {
        RunRow { state: ELSEWHERE, ..self }
    }

    fn outcome_told(&self) -> &str {
        let state = if self.state == ELSEWHERE { "running elsewhere" } else { "running" };
        self.told.as_deref().unwrap_or(state)
    }

    /// One line of a list.
    pub(crate) fn line(&self, out: &mut String) {
        let outcome = self.outcome_told();
        let review = self.review.as_ref().map(|review| format!(", {}", review.decision)).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{}  {}  {:<7}  {:>9}  {}{review}  {}",
            self.short,
            moment(&self.started_at),
            self.tier,
            self.cost_in_short(),
            shown(outcome),
            shown(&self.title)
        );
    }

    /// What is not certain of it is marked.
    fn cost_in_short(&self) -> String {
        let mark = if self.cost_is == Figures::Told.as_str() { "" } else { "~" };
        format!("{mark}${:.4}", self.cost_usd)
    }

    /// One line for each verifier.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let line = |verdict: &VerdictRow| {
            let verb = if verdict.passed { "passed" } else { "failed" };
            format!("{verb}: {} ({})", verdict.command.join(" "), verdict.ended)
        };
        self.verify.iter().map(line).collect()
    }

    fn whole(&self, out: &mut String) {
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "{name:<9} {}", shown(value));
        };
        line("run", &self.id);
        if let Some(task) = &self.task {
            line("task", task);
        }
        line("title", &self.title);
        line("outcome", self.outcome_told());
        for reason in &self.reasons {
            line("", reason);
        }
        let model = self.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
        line("model", &format!("{}{model} ({}: {})", self.tier, self.rule, self.route_reasons.join("; ")));
        line("attempt", &self.attempt.to_string());
        line("session", &format!("{}{}", self.session, if self.resumed { " (went on)" } else { "" }));
        if let Some(branch) = &self.branch {
            line("branch", branch);
        }
        line("started", &moment(&self.started_at));
        if let (Some(at), Some(seconds)) = (&self.ended_at, self.seconds) {
            line("ended", &format!("{}, after {seconds:.0} s", moment(at)));
            let cost = self.cost_told.as_deref().unwrap_or("$0.0000");
            line("cost", &format!("{cost}, {}", count(self.turns as usize, "turn")));
            let t = &self.tokens;
            line(
                "tokens",
                &format!("{} in, {} out, {} cached", t.input, t.output, t.cache_read + t.cache_write),
            );
        }
        for commit in &self.commits {
            line("commit", commit.get(..12).unwrap_or(commit));
        }
        for moved in &self.moved {
            line("careful", &format!("while it ran, {moved}"));
        }
        for denial in &self.denied {
            line("refused", &format!("{} {}", denial.tool, denial.input));
        }
        for verdict in &self.verify {
            let verb = if verdict.passed { "passed" } else { "failed" };
            line("verify", &format!("{verb}: {} ({})", verdict.command.join(" "), verdict.ended));
            if !verdict.passed {
                for said in verdict.said.lines().rev().take(10).collect::<Vec<_>>().into_iter().rev() {
                    line("", said);
                }
            }
        }
        if let Some(review) = &self.review {
            line("review", &format!("{} by {} ({})", review.decision, review.by, review.what));
        }
        for (number, said) in self.summary.lines().enumerate() {
            line(if number == 0 { "said" } else { "" }, said);
        }
    }
}

fn denied(run: &Run) -> Vec<DenialRow> {
    let denials = run.ending.iter().flat_map(|ending| &ending.denials);
    denials.map(|denial| DenialRow { tool: denial.tool.clone(), input: denial.input.clone() }).collect()
}

fn verdicts(run: &Run) -> Vec<VerdictRow> {
    let verdicts = run.ending.iter().flat_map(|ending| &ending.verdicts);
    verdicts
        .map(|verdict| VerdictRow {
            command: verdict.command.clone(),
            passed: verdict.passed,
            ended: verdict.ended.clone(),
            said: verdict.said.clone(),
        })
        .collect()
}

fn review(review: &crate::domain::run::record::Review) -> ReviewRow {
    let (decision, what) = match &review.decision {
        Decision::Merged(commit) => (MERGED, commit.clone()),
        Decision::Rejected(why) => ("rejected", why.clone()),
    };
    ReviewRow { decision, by: review.by.to_string(), at: review.at.to_string(), what }
}

/// One run, shown whole.
#[derive(Debug, Serialize)]
pub(crate) struct RunView {
    pub(crate) run: RunRow,
    /// Attempts before it that belong to the same request.
    pub(crate) earlier: Vec<RunRow>,
    /// What all attempts cost together.
    pub(crate) cost_usd: f64,
    /// Where its work lies.
    pub(crate) folder: Option<String>,
    /// Until when the task waits for the account.
    pub(crate) parked_until: Option<String>,
    /// What can be done after it, if it has ended.
    #[serde(skip)]
    pub(crate) way: Vec<Step>,
    #[serde(rename = "notes")]
    pub(crate) remarks: Vec<String>,
}

impl View for RunView {
    fn text(&self, out: &mut String) {
        for earlier in &self.earlier {
            earlier.line(out);
        }
        self.run.whole(out);
        if !self.earlier.is_empty() {
            let _ = writeln!(out, "{:<9} ${:.4}, {} runs", "in all", self.cost_usd, self.earlier.len() + 1);
        }
        if let Some(folder) = &self.folder {
            let _ = writeln!(out, "{:<9} {}", "folder", shown(folder));
        }
        if let Some(until) = &self.parked_until {
            let _ = writeln!(out, "{:<9} until {}", "waits", moment(until));
        }
    }

    fn next(&self) -> Vec<String> {
        let short = &self.run.short;
        let steps = self.way.iter().map(|step| typed(step, &self.run));
        match self.run.outcome {
            Some("completed") => steps.collect(),
            None if self.run.state == ELSEWHERE => Vec::new(),
            None => vec![format!("swift run logs -f {short}"), format!("swift run stop {short}")],
            Some(_) => std::iter::once(format!("swift run logs {short}")).chain(steps).collect(),
        }
    }

    fn notes(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// A line of a transcript as a person reads it; `None` for what only fills the screen.
pub(crate) fn progress(entry: &Entry) -> Option<String> {
    let name = shown(entry.name.as_deref().unwrap_or_default());
    let first = entry.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let cut: String = shown(first).chars().take(160).collect();
    Some(match entry.kind {
        EntryKind::Prompt | EntryKind::Answer => return None,
        EntryKind::Began => format!("began: {name} {cut}"),
        EntryKind::Text => cut,
        EntryKind::Tool => format!("{name}: {cut}"),
        EntryKind::Fault => format!("  failed: {cut}"),
        EntryKind::Refused => format!("refused: {name}"),
        EntryKind::Retry => format!("retry: {cut}"),
        EntryKind::Limit => format!("usage limit {name}: {cut}"),
        EntryKind::ApiError => format!("error ({name}): {cut}"),
        EntryKind::Model => format!("model: {name}"),
        EntryKind::Result => format!("result ({name}): {cut}"),
        EntryKind::Verify => format!("verify: {name}: {cut}"),
        EntryKind::Note => format!("note: {cut}"),
    })
}
