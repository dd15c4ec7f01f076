//! Requests that destroy, overwrite or expose something: never for the smallest tier, and a person is asked.
//!
//! A false alarm costs a question, a miss may cost a database; so where the words leave a doubt, the answer is that
//! a person is asked. A word of loss is a request in every mood and order, unless it stands in one of the few ways in
//! which people talk about losing things while they write programs (see [`loss`]). Words that destroy only what
//! they are done to, such as `drop` or `deploy`, need an object that somebody would miss.
//!
//! The room owns that judgement, from the words in their surroundings. How hard a request is does not matter here.

mod command;
mod doubt;
mod form;
mod loss;
mod reading;
mod scene;
mod shell;
mod step;

use std::ops::Range;

use super::decision::Confidence;
use super::grammar::{is_demand, is_negated};
use super::rules::Rules;
use super::rules::group::Group;
use super::rules::lexicon::{Hit, Hits};
use super::token::Token;
use super::vocabulary::{ABSENT, AFTER_PASSIVE};
use form::{Form, form};
use reading::Reading;
use scene::Scene;

/// Something destructive that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) what: String,
    pub(super) confidence: Confidence,
}

impl Found {
    /// Something that is said in so many words.
    pub(super) fn said(words: String, what: impl Into<String>) -> Found {
        Found { words, what: what.into(), confidence: Confidence(90) }
    }
}

/// More reasons for a question than these are not looked for.
const ENOUGH: usize = 10;

/// All that is destructive in these tokens.
pub(super) fn find(rules: &Rules, tokens: &[Token<'_>], hits: &Hits) -> Vec<Found> {
    let mut found = find_at(&Reading { rules, tokens, hits }, 0..tokens.len());
    if found.is_empty() {
        found = find_across_cuts(rules, tokens);
    }
    if found.is_empty() {
        found.extend(doubt::find(&Reading { rules, tokens, hits }));
    }
    found
}

fn find_at(reading: &Reading<'_, '_>, places: Range<usize>) -> Vec<Found> {
    let here = |at: usize| [reading.command(at), reading.verb(at), reading.idiom(at), reading.foreign(at)];
    let mut found: Vec<Found> = places.flat_map(here).flatten().take(ENOUGH).collect();
    found.dedup();
    found
}

/// What stands around a place where a clause without an end was cut: a verb on the one side, its object on the other.
fn find_across_cuts(rules: &Rules, tokens: &[Token<'_>]) -> Vec<Found> {
    let around = |at: usize| {
        let (before, after) = (&tokens[at.saturating_sub(AROUND)..at], &tokens[at + 1..]);
        let window = [before, &after[..AROUND.min(after.len())]].concat();
        let hits = rules.lexicon.hits_of(&window, |group| !matches!(group, Group::Signal(_)));
        let places = before.len().saturating_sub(NEAR)..window.len().min(before.len() + NEAR);
        find_at(&Reading { rules, tokens: &window, hits: &hits }, places)
    };
    let cuts = (0..tokens.len()).filter(|at| tokens[*at].is_cut());
    cuts.map(around).find(|found| !found.is_empty()).unwrap_or_default()
}

/// How many words on either side of a cut are read.
const AROUND: usize = 20;

/// How near to a cut a word is that may reach over it.
const NEAR: usize = 8;

/// The first destructive word far down in a long text: there the word alone is doubt enough.
pub(super) fn find_further(rules: &Rules, tokens: &[Token<'_>]) -> Option<Found> {
    let destroys = |group: Group| match group {
        Group::Command => true,
        Group::Verb(number) => rules.dangers[number].loss && rules.dangers[number].objects.is_none(),
        _ => false,
    };
    let hits = rules.lexicon.hits_of(tokens, destroys);
    let (at, hit) = (0..tokens.len()).find_map(|at| Some((at, hits.at(at).first()?)))?;
    Some(Found::said(quoted(&tokens[at..hit.end]), "a word of loss, far down in a long text"))
}

impl Reading<'_, '_> {
    fn verb(&self, at: usize) -> Option<Found> {
        if !self.tokens[at].is_said() {
            return None;
        }
        self.hits.at(at).iter().find_map(|hit| match hit.group {
            Group::Verb(number) => self.verb_of(number, at, hit),
            _ => None,
        })
    }

    fn verb_of(&self, number: usize, at: usize, hit: &Hit) -> Option<Found> {
        let danger = &self.rules.dangers[number];
        let needs_object = danger.objects.is_some();
        if self.names_a_thing(at, hit.end) || self.is_mentioned(at) {
            return None;
        }
        let is_asked = match danger.loss {
            true => loss::is_demanded(self.tokens, self.hits, at, hit.end, needs_object),
            false => is_demand(self.tokens, at) && !self.is_tested(at, hit.end),
        };
        if !is_asked {
            return None;
        }
        let phrases = self.phrases(at, hit.end);
        let mut words = quoted(&self.tokens[at..hit.end]);
        if needs_object {
            let object = phrases.iter().find_map(|phrase| self.object(phrase, number))?;
            words.push_str(" … ");
            words.push_str(self.tokens[object].raw);
        } else if !phrases.is_empty() && phrases.iter().all(|phrase| self.is_harmless(phrase)) {
            return None;
        }
        Some(Found::said(words, &danger.name))
    }

    /// `add tests for resetting the password`
    fn is_tested(&self, at: usize, end: usize) -> bool {
        let scene = Scene::new(self.tokens, self.hits, at, end);
        form(self.tokens, at) == Form::Gerund && scene.is_governed()
    }

    /// `make them go away`: a wish as it stands, whatever comes first.
    fn idiom(&self, at: usize) -> Option<Found> {
        if !self.tokens[at].is_said() || is_negated(self.tokens, at) {
            return None;
        }
        self.hits.at(at).iter().find_map(|hit| match hit.group {
            Group::Idiom(number)
                if loss::is_wished(self.tokens, self.hits, at, hit.end) && !self.goes_on(hit.end) =>
            {
                let (phrase, words) = (self.around(at), quoted(&self.tokens[at..hit.end]));
                let needs_object = self.rules.dangers[number].objects.is_some();
                let object = self.object(&phrase, number);
                let what = &self.rules.dangers[number].name;
                (object.is_some() || !needs_object).then(|| Found::said(words, what))
            }
            _ => None,
        })
    }

    /// `can go wrong`, `has to go through`: more than the saying.
    fn goes_on(&self, end: usize) -> bool {
        let last = end.checked_sub(1).map(|last| &self.tokens[last]);
        let next = self.tokens.get(end).filter(|next| next.is_said());
        // `an empty list` names a thing.
        if last.is_some_and(|last| last.is(ABSENT)) && next.is_some_and(|next| !next.is(AFTER_PASSIVE)) {
            return true;
        }
        if last.is_some_and(|last| last.is("left"))
            && next.is_some_and(|next| next.is("without alone aligned align out over open"))
        {
            return true;
        }
        let is_going = end.checked_sub(1).is_some_and(|last| self.tokens[last].is("go goes"));
        is_going
            && self
                .tokens
                .get(end)
                .is_some_and(|next| next.is("wrong well live back through on to into over under home directly straight next forward there here further"))
    }

    /// What is not understood may still be destructive.
    fn foreign(&self, at: usize) -> Option<Found> {
        let token = self.tokens.get(at).filter(|token| token.is_said())?;
        let is_known = self.hits.end(at, Group::Foreign).is_some() || self.is_foreign_within(&token.lower);
        let words = token.raw.chars().take(40).collect();
        is_known.then(|| Found::said(words, "a word for deleting in another language"))
    }

    /// Scripts without spaces have their words anywhere in a token.
    fn is_foreign_within(&self, text: &str) -> bool {
        let mut unspaced = text.char_indices().filter(|(_, c)| (*c as u32) >= 0x0e00);
        unspaced.any(|(at, letter)| {
            let key = format!("{letter}*");
            let mut kept = self.rules.lexicon.under(&key);
            kept.any(|(group, pattern)| {
                group == Group::Foreign && text[at..].starts_with(pattern.trim_end_matches('*'))
            })
        })
    }
}

pub(super) fn quoted(tokens: &[Token<'_>]) -> String {
    let words: Vec<&str> = tokens.iter().map(|token| token.raw).filter(|raw| !raw.is_empty()).collect();
    words.join(" ")
}
