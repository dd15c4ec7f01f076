//! What of a clause a command belongs to.
//!
//! A command in code or quotation marks is only named where it is a part of what is said: `the typo in the docs of
//! "rm -rf"`. Where it stands as an order does, at the beginning, behind `and`, a comma or `then`, it is an order of
//! its own, and what the others are about says nothing of it: `fix the typo and then "rm -rf x"`.

use std::ops::Range;

use super::reading::Reading;
use super::scene::has;
use super::shell;
use crate::domain::route::grammar::{clause_end, clause_start, is_action, is_participle};
use crate::domain::route::rules::Role;
use crate::domain::route::rules::group::Group;
use crate::domain::route::token::{Kind, Token, Voice};
use crate::domain::route::vocabulary::{
    ADVERBS, AFTERWARDS, CIRCUMSTANCES, DETERMINERS, EXECUTING, MOMENTS, OF, PERSONS, QUERYING, RETELLING,
    WORKING,
};

/// The words that a command belongs to, and how it stands among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// From where to before where.
    pub(super) places: Range<usize>,
    pub(super) standing: Standing,
}

/// How a command stands in its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Where an order stands: nothing that is asked for comes before it.
    Order,
    /// A part of what is said.
    Part,
}

impl Reading<'_, '_> {
    /// The step of the command that begins here.
    pub(super) fn step(&self, at: usize) -> Step {
        let (start, limit) = (clause_start(self.tokens, at), clause_end(self.tokens, at));
        let span = self.span(at);
        if let Some(earlier) = self.is_listed_behind(span.start) {
            let step = self.step(earlier);
            return Step { places: step.places.start..step.places.end.max(span.end), ..step };
        }
        let from = self.behind_others(start, span.start);
        match from {
            Some(from) => Step { places: from..self.until(span.end, limit), standing: Standing::Order },
            None => {
                let from = self.own_verb(start, span.start).unwrap_or(start);
                Step { places: from..limit, standing: Standing::Part }
            }
        }
    }

    /// The piece of code or the quotation that is around here, within its clause.
    pub(super) fn span(&self, at: usize) -> Range<usize> {
        let voice = self.tokens[at].voice;
        if voice == Voice::Prose {
            return at..at + 1;
        }
        let is_same = |token: &&Token<'_>| token.voice == voice && token.kind != Kind::Break;
        let before = self.tokens[..at].iter().rev().take_while(is_same).count();
        let after = self.tokens[at..].iter().take_while(is_same).count();
        at - before..at + after
    }

    /// Where an order begins that has no words of its own before the command; None where it is a part of something.
    fn behind_others(&self, start: usize, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let fills = |token: &Token<'_>| {
            [ADVERBS, AFTERWARDS, PERSONS, "do to too can could would pls plz hey hi ok okay"]
                .iter()
                .any(|words| token.is(words))
        };
        let fillers = tokens[start..at].iter().rev().take_while(|token| fills(token)).count();
        let begin = at - fillers;
        let is_later = tokens[begin..at].iter().any(|token| token.is(AFTERWARDS));
        let Some(before) = tokens[start..begin].last() else { return Some(begin) };
        let earlier = &tokens[start..begin - 1];
        let joins = before.is("and but plus or so") || before.kind == Kind::Comma && before.raw != "(";
        // `(then …)`; what stands alone in brackets tells more of what is before them.
        let breaks = before.raw == "(" && (is_later || self.is_timed(at));
        let follows = before.is("by") && earlier.last().is_some_and(|token| token.is("followed"));
        let behind = before.is("that which this") && earlier.last().is_some_and(|token| token.is("after"));
        // `when the typo is fixed …`
        let is_done = (is_participle(before) || before.is("done ready through over"))
            && earlier.iter().any(|token| token.is(MOMENTS));
        let is_code = tokens[at].voice != Voice::Prose;
        // `once foo is renamed to bar …`
        let is_opened = is_code
            && tokens[start].is("after once")
            && before.kind != Kind::Comma
            && !(has(before, EXECUTING) || before.is(OF) || before.lower.ends_with('s'));
        let is_next = joins && is_code && !self.is_retold(start..begin);
        let opens = is_later || is_next || breaks || follows || behind || is_done || is_opened;
        (opens && !before.is(DETERMINERS)).then_some(begin)
    }

    /// Whether what follows the command here tells when.
    fn is_timed(&self, at: usize) -> bool {
        let end = self.span(at).end;
        self.tokens.get(end).is_some_and(|next| next.is(MOMENTS) || next.is(AFTERWARDS))
    }

    /// `explain the flag and …`: whatever is listed there is talked about.
    fn is_retold(&self, places: Range<usize>) -> bool {
        let retells = |at: usize| has(&self.tokens[at], RETELLING) && is_action(self.tokens, at);
        places.into_iter().any(|at| retells(at) || self.tokens[at].is(QUERYING))
    }

    /// `tests of "ls" and "rm -rf"`: the earlier member of the list that the piece of code here belongs to.
    fn is_listed_behind(&self, at: usize) -> Option<usize> {
        let joins =
            |token: &Token<'_>| token.kind == Kind::Comma && token.raw != "(" || token.is("and or nor");
        let joining = self.tokens[..at].iter().rev().take_while(|token| joins(token)).count();
        let last = at.checked_sub(joining + 1).filter(|_| joining > 0)?;
        if self.tokens[last].voice == Voice::Prose || self.tokens[at].voice != self.tokens[last].voice {
            return None;
        }
        let earlier = self.span(last);
        let loses = |at: &usize| {
            self.hits.end(*at, Group::Command).is_some() || shell::run_from(self.tokens, *at).is_some()
        };
        let is_of = earlier.start.checked_sub(1).is_some_and(|before| self.tokens[before].is(OF));
        let command = earlier.clone().find(loses);
        let further = || self.is_listed_behind(earlier.start);
        command.or(is_of.then_some(earlier.start)).or_else(further)
    }

    /// Where the words of the last verb before the command begin, if it is joined to others.
    fn own_verb(&self, start: usize, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let is_verb = |place: usize| {
            let signals = self.hits.at(place).iter();
            let mut actions = signals.filter(|hit| {
                matches!(hit.group, Group::Signal(number) if self.rules.signals[number].role == Role::Action)
            });
            is_action(tokens, place)
                && (actions.next().is_some()
                    || has(&tokens[place], EXECUTING)
                    || has(&tokens[place], WORKING))
        };
        let joins = |place: usize| {
            let fillers = tokens[start..place]
                .iter()
                .rev()
                .take_while(|token| token.is(ADVERBS) || token.is(AFTERWARDS))
                .count();
            let is_later = tokens[place - fillers..place].iter().any(|token| token.is(AFTERWARDS));
            let before = tokens[start..place - fillers].last();
            before.is_some_and(|before| is_later || before.kind == Kind::Comma || before.is("and but plus"))
        };
        (start + 1..at).rev().find(|&place| is_verb(place) && joins(place))
    }

    /// Where an order ends that a command is.
    fn until(&self, from: usize, limit: usize) -> usize {
        let tokens = self.tokens;
        let is_other = |at: usize| {
            let joins = tokens[at].kind == Kind::Comma || tokens[at].is("and or but plus then");
            let goes_on = tokens[at + 1..limit].first().is_some_and(|next| next.voice != Voice::Prose);
            let tells_when =
                tokens[at].is(CIRCUMSTANCES) && !tokens[at].is("that which who whose whom where");
            joins && !goes_on || tells_when
        };
        (from..limit).find(|&at| is_other(at)).unwrap_or(limit)
    }
}
