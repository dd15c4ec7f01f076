//! What is decided, and what may still change it: a floor, a name, a danger.

use super::danger;
use super::head::{Head, Model};
use super::score::Evidence;
use super::{Tier, Verdict};
use crate::domain::text::shown;

/// How sure a decision is, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Confidence(pub(crate) u8);

impl Confidence {
    /// As a share of one.
    pub(crate) fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) tier: Tier,
    /// The model that the head names, if it names one.
    pub(crate) model: Option<Model>,
    pub(crate) confidence: Confidence,
    /// Sentences for people, the weightiest first.
    pub(crate) reasons: Vec<String>,
    /// The name of the rule that decided.
    pub(crate) rule: String,
    /// The words that counted, in their order.
    pub(crate) evidence: Vec<Evidence>,
}

impl Decision {
    pub(super) fn of(tier: Tier, rule: &str, why: String) -> Decision {
        Decision {
            verdict: verdict_of(tier),
            tier,
            model: None,
            confidence: Confidence(60),
            reasons: vec![why],
            rule: rule.to_owned(),
            evidence: Vec::new(),
        }
    }

    /// The middle tier, because there is no decision to be had.
    pub(crate) fn middle(rule: &str, why: impl Into<String>) -> Decision {
        Decision { confidence: Confidence(30), ..Decision::of(Tier::MIDDLE, rule, why.into()) }
    }
}

pub(super) fn verdict_of(tier: Tier) -> Verdict {
    if tier == Tier::Opus { Verdict::Escalate } else { Verdict::Direct }
}

/// At least as strong as something that is said calls for.
pub(super) fn lifted(decision: Decision, floor: Option<(Tier, Evidence)>) -> Decision {
    let Some((tier, said)) = floor.filter(|(tier, _)| *tier > decision.tier) else { return decision };
    let reason = format!("`{}` is {}", shown(&said.words), said.signal);
    Decision {
        verdict: verdict_of(tier),
        tier,
        confidence: Confidence(60),
        reasons: std::iter::once(reason).chain(decision.reasons).collect(),
        rule: said.signal,
        ..decision
    }
}

/// A tier or model that was asked for by name wins.
pub(super) fn by_name(judged: Decision, head: &Head) -> Decision {
    let named = head.model.as_ref().and_then(Model::tier).or(head.tier);
    if named.is_none() && head.model.is_none() {
        return judged;
    }
    let tier = named.unwrap_or(judged.tier);
    let name = head.model.as_ref().map_or_else(|| tier.to_string(), Model::to_string);
    let verdict = if judged.verdict == Verdict::Ask { Verdict::Ask } else { verdict_of(tier) };
    let instead = (tier != judged.tier).then(|| format!("the words alone would go to {}", judged.tier));
    Decision {
        verdict,
        tier,
        model: head.model.clone(),
        confidence: Confidence(100),
        reasons: std::iter::once(format!("`{}` is asked for by name", shown(&name))).chain(instead).collect(),
        rule: "named".to_owned(),
        evidence: judged.evidence,
    }
}

/// Nothing destructive runs without a person's yes, and none of it at the smallest tier unless that is asked for by
/// name.
pub(super) fn guarded(decision: Decision, dangers: &[danger::Found]) -> Decision {
    let Some(first) = dangers.first() else { return decision };
    let mut reasons: Vec<String> =
        dangers.iter().take(3).map(|one| format!("`{}`: {}", shown(&one.words), one.what)).collect();
    reasons.push("a person is asked first".to_owned());
    let is_named = decision.rule == "named";
    let tier = if is_named { decision.tier } else { decision.tier.max(Tier::MIDDLE) };
    reasons.extend(decision.reasons);
    let asked =
        dangers.iter().map(|one| Evidence { words: one.words.clone(), signal: one.what.clone(), points: 0 });
    let evidence = decision.evidence.into_iter().chain(asked).collect();
    let rule = format!("ask: {}", first.what);
    let confidence = dangers.iter().map(|one| one.confidence).max().unwrap_or(first.confidence);
    Decision { verdict: Verdict::Ask, tier, rule, reasons, evidence, confidence, model: decision.model }
}
