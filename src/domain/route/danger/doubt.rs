//! Wishes of which nothing is understood but that they have to do with something that would be missed.
//!
//! Losses that are only hinted at have no words of their own, and no list will ever hold them. But who asks for work on a
//! program says so: there is a verb of writing or fixing, a part of a program, something that goes wrong, a question.
//! Where none of these is said, and a database, a bucket or a branch of the remote is, a person knows what is meant.

use super::reading::Reading;
use super::scene::has;
use super::{Found, quoted, shell};
use crate::domain::route::decision::Confidence;
use crate::domain::route::grammar::{is_action, is_negated};
use crate::domain::route::rules::Role;
use crate::domain::route::rules::group::Group;
use crate::domain::route::token::{Kind, Token};
use crate::domain::route::vocabulary::{
    AFTER_NOUN, AFTER_PASSIVE, BLAND, BROKEN, PARTS, PROGRAMMING, QUESTIONS, SHOWING, SURFACES, WORKING,
};

/// A longer text tells enough of what it is about.
const SHORT: usize = 40;

/// What would be missed, if nothing else is understood.
pub(super) fn find(reading: &Reading<'_, '_>) -> Option<Found> {
    let tokens = reading.tokens;
    if tokens.len() > SHORT || is_question(tokens) || (0..tokens.len()).any(|at| is_understood(reading, at)) {
        return None;
    }
    let at = (0..tokens.len()).find(|&at| is_precious(reading, at))?;
    let end = reading.hits.end(at, Group::Precious).unwrap_or(at + 1);
    let words = quoted(&tokens[at..end]);
    let what = "what is to become of it is not understood".to_owned();
    Some(Found { words, what, confidence: Confidence(60) })
}

fn is_precious(reading: &Reading<'_, '_>, at: usize) -> bool {
    let Some(end) = reading.hits.end(at, Group::Precious).filter(|_| !reading.is_spared(at)) else {
        return false;
    };
    // `the database URL` is another thing.
    let names_more = |next: &Token<'_>| next.is_said() && !next.is(AFTER_NOUN) && !next.is(AFTER_PASSIVE);
    !reading.tokens.get(end).is_some_and(names_more)
}

fn is_question(tokens: &[Token<'_>]) -> bool {
    let first = tokens.iter().find(|token| token.kind == Kind::Word);
    first.is_none_or(|first| first.is(QUESTIONS) && !first.is("can could would should will is have"))
}

/// Whether the word here is one of work on a program, or of what goes wrong in it.
fn is_understood(reading: &Reading<'_, '_>, at: usize) -> bool {
    let (tokens, token) = (reading.tokens, &reading.tokens[at]);
    if token.reported {
        return true;
    }
    if !token.is_said() {
        return token.kind == Kind::Opaque && (token.lower.contains('(') || shell::is_file(&token.lower));
    }
    if has(token, PROGRAMMING) && is_action(tokens, at) {
        return true;
    }
    let is_work = |number: usize| reading.rules.signals[number].role == Role::Action && !has(token, BLAND);
    let works =
        reading.hits.at(at).iter().any(|hit| matches!(hit.group, Group::Signal(number) if is_work(number)));
    (works && is_action(tokens, at))
        || (has(token, WORKING) && !has(token, BLAND) && (is_action(tokens, at) || is_negated(tokens, at)))
        || [BROKEN, PARTS, SHOWING, SURFACES].iter().any(|words| token.is(words))
}
