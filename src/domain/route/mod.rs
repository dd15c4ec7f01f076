//! Which model a request goes to, and whether a person is asked first.
//!
//! Decided by rules from the words of the request and the head of the task: no model is asked, nothing is looked
//! up, and the same request gets the same answer every time. The words and their points are data ([`Rules`]);
//! this module owns how they are counted. It refuses to guess: what it does not understand goes to the middle tier
//! with a low confidence.

mod danger;
mod decision;
pub(crate) mod evaluation;
mod grammar;
mod head;
mod language;
pub(crate) mod rules;
mod score;
mod token;
mod vocabulary;

use std::fmt;
use std::str::FromStr;

use super::fault::{Code, Fault, Result};
use super::task::{Effort, Priority, words};
use super::text::shown;
use decision::{by_name, guarded, lifted, verdict_of};
use rules::group::Group;
use rules::lexicon::Hits;
use rules::{Rule, Rules, slip};
use score::{Counted, Step};
use token::normal;

pub(crate) use decision::{Confidence, Decision};
pub(crate) use head::{Head, Model};
pub(crate) use rules::Pattern;
pub(crate) use score::Evidence;

words! {
    /// How strong a model is, weakest first.
    Tier, "a tier";
    /// For mechanical work.
    Haiku = "haiku" | "small";
    /// For ordinary work, and for what is not understood.
    Sonnet = "sonnet" | "middle";
    /// For what is hard, or hard to undo when it goes wrong.
    Opus = "opus" | "large";
}

impl Tier {
    /// What runs when nothing speaks for another.
    pub(crate) const MIDDLE: Tier = Tier::Sonnet;
}

words! {
    /// What becomes of a request.
    Verdict, "a verdict";
    /// It runs at its tier.
    Direct = "direct";
    /// It runs at the strongest tier.
    Escalate = "escalate";
    /// A person has to say yes first, whatever the tier.
    Ask = "ask";
}

/// The largest request that is read, in bytes.
pub(crate) const LARGEST: usize = 1 << 20;

/// So many words of a request are weighed. No person says more of how hard it is; what follows is read for what
/// destroys, and for the project's own rules.
const WEIGHED: usize = 2_000;

/// What is asked: the words, and what the head of the task says beside them.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    text: &'a str,
    head: Head,
}

impl<'a> Request<'a> {
    /// A request that can be decided.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] if there is nothing in it, or a NUL; [`Code::TooLarge`] above [`LARGEST`] bytes.
    pub(crate) fn new(text: &'a str, head: Head) -> Result<Request<'a>> {
        if text.len() > LARGEST {
            let message = format!("the request has {} bytes and may have {LARGEST}", text.len());
            return Err(Fault::new(Code::TooLarge, message).hint("say in a few sentences what is to be done"));
        }
        if let Some(at) = text.find('\0') {
            return Err(Fault::new(
                Code::InvalidValue,
                format!("the request has a NUL character at byte {at}"),
            ));
        }
        if text.trim().is_empty() {
            return Err(Fault::new(Code::InvalidValue, "the request is empty")
                .hint("`swift route \"what is to be done\"`"));
        }
        Ok(Request { text, head })
    }
}

/// Decide. Always gives an answer, and always the same one.
pub(crate) fn route(rules: &Rules, request: &Request<'_>) -> Decision {
    let text = normal::normal(request.text);
    let mut tokens = token::tokens(&text);
    slip::correct(&rules.lexicon, &mut tokens);
    // Points are given to the beginning alone.
    let is_short = tokens.len() <= WEIGHED;
    let mut hits = rules.lexicon.hits_of(&tokens, |group| is_short || !matches!(group, Group::Signal(_)));
    let mut dangers = danger::find(rules, &tokens, &hits);
    let own = own_rule(rules, request, &hits);
    if !is_short {
        dangers.extend(danger::find_further(rules, &tokens[WEIGHED..]));
        tokens.truncate(WEIGHED);
        hits = rules.lexicon.hits(&tokens);
    }
    let tokens = &tokens[..];
    let counted = if dangers.is_empty() { Counted::All } else { Counted::Actions };
    let judged = match own {
        Some(rule) => by_rule(rule),
        None if language::is_english(tokens, &hits) => {
            let floor = score::floor(rules, tokens, &hits).filter(|_| counted == Counted::All);
            lifted(by_score(rules, request, &score::steps(rules, tokens, &hits, counted)), floor)
        }
        None => Decision::middle("not English", "not in English, which is all that the rules know"),
    };
    let named = by_name(judged, &request.head);
    guarded(named, &dangers)
}

/// The first rule all of whose conditions hold.
fn own_rule<'r>(rules: &'r Rules, request: &Request<'_>, hits: &Hits) -> Option<&'r Rule> {
    let holds = |(number, rule): &(usize, &Rule)| {
        let head = &request.head;
        let labelled = |label: &String| head.labels.iter().any(|own| own.eq_ignore_ascii_case(label));
        (rule.words.is_empty() || hits.any(Group::Rule(*number)))
            && (rule.labels.is_empty() || rule.labels.iter().any(labelled))
            && (rule.kinds.is_empty() || head.kind.as_ref().is_some_and(|kind| rule.kinds.contains(kind)))
    };
    rules.rules.iter().enumerate().find(holds).map(|(_, rule)| rule)
}

fn by_rule(rule: &Rule) -> Decision {
    let tier = rule.tier.unwrap_or(Tier::MIDDLE);
    Decision {
        verdict: rule.verdict.unwrap_or(verdict_of(tier)),
        confidence: Confidence(95),
        evidence: Vec::new(),
        ..Decision::of(tier, &rule.name, format!("the rule `{}` says so", shown(&rule.name)))
    }
}

fn by_score(rules: &Rules, request: &Request<'_>, steps: &[Step]) -> Decision {
    let head = head_evidence(rules, &request.head);
    let Some(hardest) = steps.iter().max_by_key(|step| step.score) else {
        if head.is_empty() {
            return Decision::middle("nothing known", "no word of it is known to the rules");
        }
        return decided(rules, request, "head", head, 0);
    };
    let evidence: Vec<Evidence> =
        steps.iter().flat_map(|step| step.evidence.clone()).chain(head.clone()).collect();
    let extra = breadth(steps, hardest);
    let total = hardest.score + extra;
    let decision = decided(rules, request, &hardest.rule, head, total);
    Decision { evidence, reasons: [because(hardest, steps.len()), decision.reasons].concat(), ..decision }
}

/// Several hard steps are harder than the hardest alone.
fn breadth(steps: &[Step], hardest: &Step) -> i32 {
    let others = steps.iter().filter(|step| step.score >= 2).count();
    i32::from(others > 2 && hardest.score >= 2)
}

fn because(step: &Step, steps: usize) -> Vec<String> {
    let mut told: Vec<&Evidence> = step.evidence.iter().filter(|one| one.points != 0).collect();
    told.sort_by_key(|one| -one.points.abs());
    let mut reasons: Vec<String> = told
        .iter()
        .take(3)
        .map(|one| format!("`{}` is {} ({:+})", shown(&one.words), one.signal, one.points))
        .collect();
    if reasons.is_empty() {
        let words = step.evidence.first().map_or("", |one| one.words.as_str());
        reasons.push(format!("`{}` is ordinary work", shown(words)));
    }
    if steps > 1 {
        reasons.push(format!("the hardest of {steps} steps decides"));
    }
    reasons
}

/// What the head adds to the score.
fn head_evidence(rules: &Rules, head: &Head) -> Vec<Evidence> {
    let one = |words: String, points: i32| Evidence { words, signal: "head".to_owned(), points };
    let mut evidence = Vec::new();
    match head.effort {
        Some(Effort::S) => evidence.push(one("effort S".to_owned(), -1)),
        Some(Effort::L) => evidence.push(one("effort L".to_owned(), 1)),
        Some(Effort::Xl) => evidence.push(one("effort XL".to_owned(), 3)),
        Some(Effort::M) | None => {}
    }
    if matches!(head.priority, Some(Priority::Critical)) {
        evidence.push(one("priority critical".to_owned(), 1));
    }
    let kind = head.kind.iter().map(|kind| ("kind", kind.as_str()));
    for (field, word) in kind.chain(head.labels.iter().map(|label| ("label", label.as_str()))) {
        let tokens = token::tokens(word);
        let strongest = score::topics(rules, &tokens).into_iter().max_by_key(|points| points.abs());
        if let Some(points) = strongest.filter(|points| points.abs() >= 3) {
            evidence.push(one(format!("{field} {}", shown(word)), points / 2));
        }
    }
    evidence
}

fn decided(rules: &Rules, request: &Request<'_>, rule: &str, head: Vec<Evidence>, words: i32) -> Decision {
    let score = words + head.iter().map(|one| one.points).sum::<i32>();
    let is_urgent = request.head.priority == Some(Priority::Critical);
    let tier = match score {
        score if score >= rules.opus_from => Tier::Opus,
        score if score <= rules.haiku_up_to && !is_urgent => Tier::Haiku,
        _ => Tier::Sonnet,
    };
    let margin = match tier {
        Tier::Opus => score - rules.opus_from,
        Tier::Haiku => rules.haiku_up_to - score,
        Tier::Sonnet => (rules.opus_from - 1 - score).min(score - rules.haiku_up_to - 1).max(0),
    };
    let confidence = Confidence(u8::try_from((60 + 8 * margin).min(95)).unwrap_or(60));
    let reasons = head.iter().map(|one| format!("{} ({:+})", one.words, one.points)).collect();
    Decision { confidence, reasons, evidence: head, ..Decision::of(tier, rule, String::new()) }
}
