//! What a destructive verb is done to, and whether somebody would miss it.

use std::ops::Range;

use super::form::{Form, form, is_order};
use crate::domain::route::grammar::{clause_end, clause_start, is_participle};
use crate::domain::route::rules::Rules;
use crate::domain::route::rules::group::Group;
use crate::domain::route::rules::lexicon::Hits;
use crate::domain::route::token::{Kind, Token};
use crate::domain::route::vocabulary::{ADVERBS, OBJECT_BEGINNINGS, PRONOUNS};

/// How many words before its last one the name of a thing may have.
const LONGEST_NAME: usize = 12;

/// A request and what is known of it.
pub(super) struct Reading<'r, 't> {
    pub(super) rules: &'r Rules,
    pub(super) tokens: &'r [Token<'t>],
    pub(super) hits: &'r Hits,
}

/// Words that are an object, from one to before another.
pub(super) struct Phrase {
    from: usize,
    to: usize,
}

impl Phrase {
    fn places(&self) -> Range<usize> {
        self.from..self.to
    }
}

impl Reading<'_, '_> {
    /// The first object of this danger that is one, and not a part of another thing's name.
    pub(super) fn object(&self, phrase: &Phrase, number: usize) -> Option<usize> {
        if self.is_harmless(phrase) {
            return None;
        }
        phrase
            .places()
            .find(|&at| self.hits.end(at, Group::Object(number)).is_some_and(|end| !self.is_renamed(end)))
    }

    /// What the verb is done to: what stands behind it; for a passive, a noun or a pronoun what is around it.
    pub(super) fn phrases(&self, at: usize, end: usize) -> Vec<Phrase> {
        let tokens = self.tokens;
        let (start, limit) = (clause_start(tokens, at), clause_end(tokens, at));
        let rest = &tokens[end.min(limit)..limit];
        let is_alone = |after: Option<&Token<'_>>| after.is_none_or(|after| !is_noun_like(after));
        let is_pronoun = rest.first().is_some_and(|next| next.is(PRONOUNS)) && is_alone(rest.get(1));
        // `drop and recreate it`: the object follows the second verb, and may stand before.
        let shares = rest.first().is_some_and(|next| next.is("and or"))
            && rest.get(2).is_some_and(|object| object.is(PRONOUNS));
        if is_pronoun || shares || rest.iter().take(3).any(|token| token.is("one ones rest others")) {
            return vec![Phrase { from: self.clause_before(at), to: limit }];
        }
        let is_all = tokens[start..limit]
            .iter()
            .all(|token| token.kind == Kind::Comma || token.is(ADVERBS) || is_participle(token));
        // `All old branches: gone, please`
        if is_participle(&tokens[at]) && is_all {
            return vec![Phrase { from: self.clause_before(at), to: limit }];
        }
        if is_participle(&tokens[at]) || matches!(form(tokens, at), Form::Noun | Form::Participle) {
            return vec![Phrase { from: start, to: limit }];
        }
        let stops = |token: &Token<'_>| token.is("when if where because so but then while once until unless");
        match rest.iter().position(stops).unwrap_or(rest.len()) {
            // `Old branches? Gone.`
            0 if limit - start <= 3 => vec![Phrase { from: self.clause_before(at), to: limit }],
            0 if end == at + 3 && tokens[at + 1].is(PRONOUNS) => {
                vec![Phrase { from: self.clause_before(at), to: limit }]
            }
            0 if end > at + 2 => vec![Phrase { from: at + 1, to: end }],
            0 => vec![Phrase { from: start, to: limit }],
            // In `roll the database back` it stands within.
            length => self.listed(at + 1, end + length),
        }
    }

    /// What is around a saying; and what is before, if it only points there.
    pub(super) fn around(&self, at: usize) -> Phrase {
        let (start, limit) = (clause_start(self.tokens, at), clause_end(self.tokens, at));
        let points = limit - start <= 3 || self.tokens[start..limit].iter().any(|token| token.is(PRONOUNS));
        Phrase { from: if points { self.clause_before(at) } else { start }, to: limit }
    }

    /// The objects of a list: `the table, its index and all backups`.
    fn listed(&self, start: usize, stop: usize) -> Vec<Phrase> {
        let mut phrases = Vec::new();
        let mut from = start;
        for at in start..=stop {
            let divides =
                at == stop || self.tokens[at].kind == Kind::Comma || self.tokens[at].is("and or plus");
            if !divides {
                continue;
            }
            let is_object = from == start
                || self.tokens[from..at].first().is_some_and(|first| first.is(OBJECT_BEGINNINGS))
                || (from..at.min(from + 2))
                    .any(|at| self.is_store(at) || self.hits.end(at, Group::Harmless).is_some());
            if from < at && is_object {
                phrases.push(Phrase { from, to: at });
            }
            from = at + 1;
        }
        phrases
    }

    /// Where the clause before this one begins, for that is where a pronoun points.
    fn clause_before(&self, at: usize) -> usize {
        let start = clause_start(self.tokens, at);
        if start == 0 { 0 } else { clause_start(self.tokens, start - 1) }
    }

    /// What git has anyway is harmless, unless it lies where git is not.
    pub(super) fn is_harmless(&self, phrase: &Phrase) -> bool {
        let is_named = |at: &usize| self.hits.end(*at, Group::Harmless).is_some();
        // `to the state of last week` tells no more what it is done to.
        let is_object =
            |at: &usize| *at == phrase.from || !self.tokens[*at].is("to with by into until after");
        phrase.places().take_while(is_object).any(|at| is_named(&at))
            && !phrase.places().any(|at| self.is_store(at))
    }

    /// Whether the word here makes another thing of what is named before it; `take the database down` does not.
    fn is_renamed(&self, at: usize) -> bool {
        self.is_part(at) && !self.tokens[at].is("down off offline away out")
    }

    fn is_store(&self, at: usize) -> bool {
        self.hits.end(at, Group::Store).is_some_and(|end| !self.is_part(end)) && !self.is_spared(at)
    }

    /// Whether the word here belongs to something that the project itself says to be harmless.
    pub(super) fn is_spared(&self, at: usize) -> bool {
        let reaches = |from: usize| self.hits.end(from, Group::Spared).is_some_and(|end| end > at);
        (at.saturating_sub(LONGEST_NAME)..=at).any(reaches)
    }

    /// Whether the verb is a part of a name: `drop-down`, `a delete button`.
    pub(super) fn names_a_thing(&self, at: usize, end: usize) -> bool {
        let tokens = self.tokens;
        let how = "mass bulk hard force batch re self";
        let is_prefixed = tokens[at].joined && !tokens[..at].last().is_some_and(|token| token.is(how));
        if is_prefixed || tokens.get(end).is_some_and(|next| next.joined) {
            return true;
        }
        if !self.is_part(end) {
            return false;
        }
        // `drop column x`, `delete order 17` and `purge messages` are orders, though these words make names.
        let names_one = tokens.get(end + 1).is_some_and(|next| next.kind == Kind::Opaque)
            || (self.hits.end(end, Group::Store).is_some() && !self.is_part(end + 1));
        let is_plural = tokens[end].lower.ends_with('s') && tokens[end].lemmas.len() > 1;
        !((names_one || is_plural) && is_order(tokens, at))
    }

    /// `the word delete`, `a rule against force pushing`
    pub(super) fn is_mentioned(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| &self.tokens[before]);
        before.is_some_and(|before| {
            before.is("word words term verb keyword named called labelled titled against")
        })
    }

    /// Whether the word here makes a thing of the verb before it. Only in the form that such names have: `delete
    /// event` may be one, `delete events` is none. Whatever a hyphen joins is one too: `production-like`.
    pub(super) fn is_part(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at).filter(|token| token.is_said()) else { return false };
        (token.joined && token.lower.chars().all(char::is_alphabetic))
            || self.hits.end(at, Group::Part).is_some()
    }
}

/// Whether a pronoun before this word only points at it: `this table`, `all users`.
fn is_noun_like(token: &Token<'_>) -> bool {
    let follows =
        "from in on at of for by with to and or now please again when if before after too as well also";
    matches!(token.kind, Kind::Word | Kind::Opaque) && !token.is(follows)
}
