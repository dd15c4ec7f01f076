//! How hard a request is, counted in points.
//!
//! A request is cut into steps, each with at most one action. A step's score is that of its action and of the topics
//! that it is about; the hardest step decides, because a request is as hard as the hardest thing in it.

use super::Tier;
use super::grammar::{is_action, is_lacked, is_negated, is_told, names_a_surface};
use super::rules::group::Group;
use super::rules::lexicon::Hits;
use super::rules::{Role, Rules, Signal};
use super::token::{Kind, Token};

/// Words that counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) words: String,
    pub(crate) signal: String,
    pub(crate) points: i32,
}

/// One step of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) score: i32,
    /// The signal that says most.
    pub(super) rule: String,
    pub(super) evidence: Vec<Evidence>,
}

/// What of a request counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    All,
    /// Where something is destroyed, what it is makes that no harder.
    Actions,
}

/// From this score on an action is hard whatever it is done to.
const HARD: i32 = 4;

/// The steps about which something is known.
pub(super) fn steps(rules: &Rules, tokens: &[Token<'_>], hits: &Hits, counted: Counted) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut draft = Draft::default();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].kind == Kind::Break {
            steps.extend(std::mem::take(&mut draft).finish(rules));
            at += 1;
            continue;
        }
        if let Some(hit) = action(rules, tokens, hits, at) {
            if draft.action.is_some() && is_coordinated(tokens, at) {
                steps.extend(std::mem::take(&mut draft).finish(rules));
            }
            if draft.action.is_none() {
                draft.action = Some(hit);
            }
        }
        let topic = topic(rules, tokens, hits, at).filter(|_| counted == Counted::All);
        at = topic.as_ref().map_or(at + 1, |hit| hit.end);
        draft.topics.extend(topic);
    }
    steps.extend(draft.finish(rules));
    steps
}

/// What each topic among these words says.
pub(super) fn topics(rules: &Rules, tokens: &[Token<'_>]) -> Vec<i32> {
    let hits = rules.lexicon.hits(tokens);
    let topics = (0..tokens.len()).filter_map(|at| topic(rules, tokens, &hits, at));
    topics.map(|hit| rules.signals[hit.signal].points).collect()
}

/// A pattern that was found.
#[derive(Debug, Clone)]
struct Hit {
    end: usize,
    signal: usize,
    words: String,
}

/// A step that is being read.
#[derive(Default)]
struct Draft {
    action: Option<Hit>,
    topics: Vec<Hit>,
}

impl Draft {
    fn finish(self, rules: &Rules) -> Option<Step> {
        if self.action.is_none() && self.topics.is_empty() {
            return None;
        }
        let signal = |hit: &Hit| &rules.signals[hit.signal];
        let action = self.action.as_ref().map(signal);
        let (base, share) = action.map_or((0, 100), |action| (action.points, action.topics));
        let yields = action.is_none_or(|action| action.yields);
        let mut score = base;
        let mut evidence: Vec<Evidence> =
            self.action.iter().map(|hit| told(hit, signal(hit), base)).collect();
        let mut counted = Vec::new();
        for hit in &self.topics {
            let points = match signal(hit).points {
                _ if counted.contains(&hit.signal) => 0,
                easy if easy < 0 && (!yields || base >= HARD) => 0,
                easy if easy < 0 => easy,
                hard => hard * share / 100,
            };
            counted.push(hit.signal);
            score += points;
            evidence.push(told(hit, signal(hit), points));
        }
        let rule = evidence.iter().max_by_key(|one| one.points.abs()).map(|one| one.signal.clone())?;
        Some(Step { score, rule, evidence })
    }
}

fn told(hit: &Hit, signal: &Signal, points: i32) -> Evidence {
    Evidence { words: hit.words.clone(), signal: signal.name.clone(), points }
}

fn action(rules: &Rules, tokens: &[Token<'_>], hits: &Hits, at: usize) -> Option<Hit> {
    let is_meant = |hit: &Hit| match rules.signals[hit.signal].points {
        easy if easy < 0 => !is_told(tokens, at, hit.end),
        hard if hard >= HARD => !(hit.end == at + 1 && names_a_surface(tokens, hit.end)),
        _ => true,
    };
    let is_asked = !tokens[at].reported && is_action(tokens, at);
    best(rules, tokens, hits, at, Role::Action).filter(|hit| is_asked && is_meant(hit))
}

fn topic(rules: &Rules, tokens: &[Token<'_>], hits: &Hits, at: usize) -> Option<Hit> {
    let counts = |hit: &Hit| match rules.signals[hit.signal].points {
        0 => true,
        easy if easy < 0 => !tokens[at].reported,
        _ => !names_a_surface(tokens, hit.end),
    };
    best(rules, tokens, hits, at, Role::Topic)
        .filter(|hit| (!is_negated(tokens, at) || is_lacked(tokens, at)) && counts(hit))
}

/// The weakest tier that something said here calls for, and the words.
pub(super) fn floor(rules: &Rules, tokens: &[Token<'_>], hits: &Hits) -> Option<(Tier, Evidence)> {
    let said = |at: usize| {
        let hit = topic(rules, tokens, hits, at)?;
        let signal = &rules.signals[hit.signal];
        signal.at_least.map(|tier| (tier, told(&hit, signal, 0)))
    };
    let pasted = tokens.iter().find(|token| token.reported).map(|token| {
        let signal = "a line that a program wrote".to_owned();
        (Tier::MIDDLE, Evidence { words: token.raw.to_owned(), signal, points: 0 })
    });
    pasted.into_iter().chain((0..tokens.len()).filter_map(said)).max_by_key(|(tier, _)| *tier)
}

/// The pattern of this role that says most about the words beginning here.
fn best(rules: &Rules, tokens: &[Token<'_>], hits: &Hits, at: usize, role: Role) -> Option<Hit> {
    let signals = hits.at(at).iter().filter_map(|hit| match hit.group {
        Group::Signal(number) if rules.signals[number].role == role => Some((hit, number)),
        _ => None,
    });
    let (hit, signal) = signals.max_by_key(|&(hit, signal)| {
        (hit.length, rules.signals[signal].points.abs(), rules.precedence(signal))
    })?;
    let words: Vec<&str> =
        tokens[at..hit.end].iter().map(|token| token.raw).filter(|raw| !raw.is_empty()).collect();
    Some(Hit { end: hit.end, signal, words: words.join(" ") })
}

/// Whether the action here is one more, and not a part of the one before.
fn is_coordinated(tokens: &[Token<'_>], at: usize) -> bool {
    let adverbs = "also then please just finally afterwards";
    let before = tokens[..at].iter().rev().find(|token| !token.is(adverbs));
    before.is_some_and(|token| token.kind == Kind::Comma || token.is("and or but plus"))
        || tokens[..at].last().is_some_and(|token| token.is("then"))
}
