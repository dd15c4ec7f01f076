//! Where a request goes, and how good the rules are.

use serde::Serialize;

use super::View;
use crate::domain::route::evaluation::{Miss, Tally};
use crate::domain::route::{Decision, Tier, Verdict};
use crate::domain::text::shown;
use crate::ops::route::{Evaluated, Routed, Subject};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Brief,
    /// Which words did what.
    Explained,
}

/// A decision.
#[derive(Debug, Serialize)]
pub(crate) struct RouteView {
    decision: &'static str,
    tier: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    confidence: f64,
    reasons: Vec<String>,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<WordRow>>,
    #[serde(skip)]
    next: Vec<String>,
}

/// The task that was routed.
#[derive(Debug, Serialize)]
struct TaskRow {
    id: Option<String>,
    title: String,
}

/// Words that counted.
#[derive(Debug, Serialize)]
struct WordRow {
    words: String,
    signal: String,
    points: i32,
}

impl RouteView {
    /// The view of a decision.
    pub(crate) fn new(routed: &Routed, detail: Detail) -> RouteView {
        let decision = &routed.decision;
        let task = match &routed.subject {
            Subject::Task { id, title } => {
                Some(TaskRow { id: id.map(|id| id.to_string()), title: title.clone() })
            }
            Subject::Text(_) => None,
        };
        let words = (detail == Detail::Explained).then(|| word_rows(decision));
        RouteView {
            decision: decision.verdict.as_str(),
            tier: decision.tier.as_str(),
            model: decision.model.as_ref().map(ToString::to_string),
            confidence: decision.confidence.share(),
            reasons: decision.reasons.clone(),
            rule: decision.rule.clone(),
            task,
            words,
            next: Vec::new(),
        }
    }
}

fn word_rows(decision: &Decision) -> Vec<WordRow> {
    let row = |one: &crate::domain::route::Evidence| WordRow {
        words: one.words.clone(),
        signal: one.signal.clone(),
        points: one.points,
    };
    decision.evidence.iter().map(row).collect()
}

impl View for RouteView {
    fn text(&self, out: &mut String) {
        if let Some(task) = &self.task {
            out.push_str(&format!("{}\n", shown(&task.title)));
        }
        let model = self.model.as_ref().map(|model| format!(" ({})", shown(model))).unwrap_or_default();
        out.push_str(&format!(
            "{}: {}{model}, confidence {:.2}\n",
            self.decision, self.tier, self.confidence
        ));
        for reason in &self.reasons {
            out.push_str(&format!("  {reason}\n"));
        }
        if let Some(words) = &self.words {
            out.push_str(&format!("rule: {}\n", shown(&self.rule)));
            for row in words {
                out.push_str(&format!(
                    "  {:>3}  {}  ({})\n",
                    signed(row.points),
                    shown(&row.words),
                    row.signal
                ));
            }
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }
}

fn signed(points: i32) -> String {
    if points == 0 { "0".to_owned() } else { format!("{points:+}") }
}

/// How good the rules are.
#[derive(Debug, Serialize)]
pub(crate) struct EvaluationView {
    cases: usize,
    accuracy: f64,
    right: usize,
    under_routed: usize,
    over_routed: usize,
    penalty: usize,
    always_middle: TallyRow,
    /// Label, then decision, then how many.
    confusion: Vec<ConfusionRow>,
    asking: AskingRow,
    misses: Vec<MissRow>,
    problems: Vec<String>,
    #[serde(skip)]
    detail: Detail,
}

/// Counts of a way to route.
#[derive(Debug, Serialize)]
struct TallyRow {
    accuracy: f64,
    right: usize,
    under_routed: usize,
    over_routed: usize,
    penalty: usize,
}

#[derive(Debug, Serialize)]
struct ConfusionRow {
    label: &'static str,
    haiku: usize,
    sonnet: usize,
    opus: usize,
}

#[derive(Debug, Serialize)]
struct AskingRow {
    cases: usize,
    asked: usize,
    missed: usize,
    needless: usize,
}

#[derive(Debug, Serialize)]
struct MissRow {
    line: usize,
    text: String,
    label: String,
    decision: &'static str,
    tier: &'static str,
    rule: String,
}

impl EvaluationView {
    /// The view of an evaluation.
    pub(crate) fn new(evaluated: &Evaluated, detail: Detail) -> EvaluationView {
        let evaluation = &evaluated.evaluation;
        let tally = tally_row(&evaluation.tally);
        let confusion = Tier::ALL.iter().zip(evaluation.confusion);
        let asking = evaluation.asking;
        EvaluationView {
            cases: evaluation.tally.cases,
            accuracy: tally.accuracy,
            right: tally.right,
            under_routed: tally.under_routed,
            over_routed: tally.over_routed,
            penalty: tally.penalty,
            always_middle: tally_row(&evaluation.always_middle),
            confusion: confusion
                .map(|(label, [haiku, sonnet, opus])| ConfusionRow {
                    label: label.as_str(),
                    haiku,
                    sonnet,
                    opus,
                })
                .collect(),
            asking: AskingRow {
                cases: asking.cases,
                asked: asking.asked,
                missed: asking.missed,
                needless: asking.needless,
            },
            misses: evaluation.misses.iter().map(miss_row).collect(),
            problems: evaluated.problems.clone(),
            detail,
        }
    }
}

fn tally_row(tally: &Tally) -> TallyRow {
    TallyRow {
        accuracy: (tally.accuracy() * 1000.0).round() / 1000.0,
        right: tally.right,
        under_routed: tally.under,
        over_routed: tally.over,
        penalty: tally.penalty(),
    }
}

fn miss_row(miss: &Miss) -> MissRow {
    let tier = miss.case.tier.map(Tier::as_str);
    let verdict = miss.case.verdict.map(Verdict::as_str);
    let label: Vec<&str> = verdict.into_iter().chain(tier).collect();
    MissRow {
        line: miss.case.line,
        text: miss.case.text.clone(),
        label: label.join(" "),
        decision: miss.decision.verdict.as_str(),
        tier: miss.decision.tier.as_str(),
        rule: miss.decision.rule.clone(),
    }
}

impl View for EvaluationView {
    fn text(&self, out: &mut String) {
        let row = |name: &str, tally: &TallyRow| {
            format!(
                "  {name:<14} {:>5.1} %  {:>4} right  {:>4} under  {:>4} over  penalty {}\n",
                tally.accuracy * 100.0,
                tally.right,
                tally.under_routed,
                tally.over_routed,
                tally.penalty
            )
        };
        let own = TallyRow {
            accuracy: self.accuracy,
            right: self.right,
            under_routed: self.under_routed,
            over_routed: self.over_routed,
            penalty: self.penalty,
        };
        out.push_str(&format!(
            "{} with a tier; penalty: 2 for each under, 1 for each over\n",
            super::count(self.cases, "case")
        ));
        out.push_str(&row("rules", &own));
        out.push_str(&row("always sonnet", &self.always_middle));
        out.push_str("\n  label      haiku  sonnet    opus\n");
        for row in &self.confusion {
            out.push_str(&format!("  {:<8} {:>7} {:>7} {:>7}\n", row.label, row.haiku, row.sonnet, row.opus));
        }
        if self.asking.cases > 0 {
            let AskingRow { cases, asked, missed, needless } = self.asking;
            out.push_str(&format!(
                "\n{} with a decision: {asked} asked rightly, {missed} missed, {needless} asked needlessly\n",
                super::count(cases, "case")
            ));
        }
        if self.detail == Detail::Explained && !self.misses.is_empty() {
            out.push_str("\nmisses:\n");
            for miss in &self.misses {
                let text: String = shown(&miss.text).chars().take(90).collect();
                out.push_str(&format!(
                    "  line {:<4} {} -> {} {}  [{}]  {text}\n",
                    miss.line, miss.label, miss.decision, miss.tier, miss.rule
                ));
            }
        }
        for problem in &self.problems {
            out.push_str(&format!("not a case: {}\n", shown(problem)));
        }
    }
}
