//! A word of loss in its surroundings: what stands before and behind it, and what it is a part of.

use super::form::{Form, form, previous};
use crate::domain::route::grammar::{clause_end, clause_start, is_action};
use crate::domain::route::rules::group::Group;
use crate::domain::route::rules::lexicon::Hits;
use crate::domain::route::token::{Kind, Token, is_one_of};
use crate::domain::route::vocabulary::{
    ACTORS, CIRCUMSTANCES, EXECUTABLES, PARTS, PLANS, TROUBLES, USERS, WEIGHING, WORKING,
};
/// A word of loss in its surroundings.
pub(super) struct Scene<'a, 't> {
    pub(super) tokens: &'a [Token<'t>],
    pub(super) hits: &'a Hits,
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) start: usize,
    pub(super) limit: usize,
}

impl<'a, 't> Scene<'a, 't> {
    /// The surroundings of the word from `at` to `end`.
    pub(super) fn new(tokens: &'a [Token<'t>], hits: &'a Hits, at: usize, end: usize) -> Scene<'a, 't> {
        Scene { tokens, hits, at, end, start: scene_start(tokens, at), limit: clause_end(tokens, at) }
    }

    pub(super) fn before(&self) -> &'a [Token<'t>] {
        &self.tokens[self.start..self.at]
    }

    pub(super) fn after(&self) -> &'a [Token<'t>] {
        &self.tokens[self.end.min(self.limit)..self.limit]
    }

    pub(super) fn next_is(&self, words: &str) -> bool {
        self.after().first().is_some_and(|next| next.is(words))
    }

    pub(super) fn previous(&self) -> Option<(usize, &'a Token<'t>)> {
        previous(self.tokens, self.at).filter(|(place, _)| *place >= self.start)
    }

    /// Whether what is asked for is a piece of program, of which the loss is a part.
    pub(super) fn is_governed(&self) -> bool {
        let before = self.before();
        if self.is_coordinated() || before.last().is_some_and(|token| token.is("by")) {
            return false;
        }
        if !self.is_work(before) {
            return false;
        }
        !before.iter().any(|token| has(token, EXECUTABLES))
    }

    /// Whether these words ask for a piece of program, or tell of one.
    pub(super) fn is_work(&self, words: &[Token<'_>]) -> bool {
        let plans = match form(self.tokens, self.at) {
            Form::Noun => words.iter().any(|token| token.is(PLANS) || token.is(WEIGHING)),
            Form::Gerund => words.iter().any(|token| token.is(PLANS)),
            Form::Base | Form::Participle | Form::Third => false,
        };
        plans || self.is_work_of(words, PARTS)
    }

    pub(super) fn is_work_of(&self, words: &[Token<'_>], parts: &str) -> bool {
        let offset = self.start;
        let works = |(place, token): (usize, &Token<'_>)| {
            has(token, WORKING) && is_action(self.tokens, offset + place)
        };
        // The feature of `the feature branches` is none.
        let names_store = |place: usize| self.hits.end(offset + place + 1, Group::Store).is_some();
        let is_part = |(place, token): (usize, &Token<'_>)| token.is(parts) && !names_store(place);
        words.iter().enumerate().any(works) || words.iter().enumerate().any(is_part)
    }

    /// Whether the word goes on with a list of orders: `fix it, delete …`, `fix it and delete …`.
    pub(super) fn is_coordinated(&self) -> bool {
        let Some((place, previous)) = self.previous() else { return false };
        if !(previous.kind == Kind::Comma || previous.is("and or but plus then")) {
            return false;
        }
        // `to edit and delete`, `for adding and deleting` goes on with what the program does.
        let before = &self.tokens[self.start..place];
        let goes_on = match form(self.tokens, self.at) {
            Form::Base => before.iter().any(|token| token.is("to can let")),
            Form::Gerund => before.iter().any(|token| token.lower.ends_with("ing")),
            Form::Participle | Form::Third | Form::Noun => true,
        };
        !goes_on
    }

    /// `when the user logs out, clear …` tells what the program does.
    pub(super) fn is_behaviour(&self) -> bool {
        let opening = &self.tokens[clause_start(self.tokens, self.at)..self.start];
        let is_event = opening.first().is_some_and(|first| first.is("when whenever on upon if"));
        is_event && opening.iter().take(4).any(|token| token.is(ACTORS) || token.is(USERS))
    }

    pub(super) fn has_trouble(&self) -> bool {
        let clause = &self.tokens[self.start..self.limit];
        clause.iter().any(|token| {
            token.is(TROUBLES) || ["404", "500", "403", "400", "502"].contains(&token.lower.as_str())
        })
    }
}

/// Where the part of the clause begins that the word is in: behind a circumstance that comes first.
fn scene_start(tokens: &[Token<'_>], at: usize) -> usize {
    let start = clause_start(tokens, at);
    let points = |place: usize, words: &str| tokens[..at].get(place).is_some_and(|token| token.is(words));
    if points(start, "after with besides") && points(start + 1, "that this") {
        return start + 2;
    }
    if let Some(begin) = behind_aside(tokens, start, at) {
        return begin;
    }
    let is_first = tokens[start..at].iter().take(3).any(|token| token.is(CIRCUMSTANCES));
    let comma = tokens[start..at].iter().position(|token| token.kind == Kind::Comma);
    let then = tokens[start..at].iter().rposition(|token| token.is("then"));
    let begin = comma.filter(|_| is_first).max(then);
    begin.map_or(start, |found| start + found + 1)
}

/// Where the words go on behind `while you're at it`, which tells of no circumstance.
fn behind_aside(tokens: &[Token<'_>], start: usize, at: usize) -> Option<usize> {
    let is = |place: usize, words: &str| tokens[..at].get(place).is_some_and(|token| token.is(words));
    let ends = |place: usize| match () {
        () if is(place, "at on about") && is(place + 1, "it that this") => Some(place + 2),
        () if is(place, "there here") => Some(place + 1),
        () => None,
    };
    (start..at).rev().find_map(|place| match () {
        () if !is(place, "while when since as if") => None,
        () if is(place + 1, "you're we're youre i'm") => ends(place + 2),
        () if is(place + 1, "you we i") && is(place + 2, "are am") => ends(place + 3),
        () => None,
    })
}

/// Whether a token is one of these words, in any form.
pub(super) fn has(token: &Token<'_>, words: &str) -> bool {
    token.lemmas.iter().any(|lemma| is_one_of(lemma, words))
}
