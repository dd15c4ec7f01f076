//! In which form a word of loss stands: an order, a passive, a noun, or what somebody else does.

use crate::domain::route::grammar::{clause_end, clause_start, is_participle};
use crate::domain::route::token::{Kind, Token};
use crate::domain::route::vocabulary::{ADVERBS, AFTER_PASSIVE, DETERMINERS, UNCHANGED, USERS};

/// Which form a word of loss has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `delete`
    Base,
    /// `deleting`
    Gerund,
    /// `deleted`
    Participle,
    /// `deletes`
    Third,
    /// `deletion`, `a purge`
    Noun,
}

/// Endings of nouns that are made of verbs.
const NOUNS: [&str; 8] = ["tion", "sion", "al", "ure", "ment", "down", "tions", "als"];

/// The form of the word at this place.
pub(super) fn form(tokens: &[Token<'_>], at: usize) -> Form {
    let word = tokens[at].lower.as_str();
    if word.ends_with("ing") {
        Form::Gerund
    } else if is_like_its_participle(tokens, at) || (is_participle(&tokens[at]) && !tokens[at].is(UNCHANGED))
    {
        Form::Participle
    } else if is_noun(word) || is_after_article(tokens, at) {
        Form::Noun
    } else if word.ends_with('s') && tokens[at].lemmas.len() > 1 {
        Form::Third
    } else {
        Form::Base
    }
}

/// `deletion`, `removal`: a noun in itself.
pub(super) fn is_noun(word: &str) -> bool {
    NOUNS.iter().any(|ending| word.ends_with(ending) && word.len() > ending.len() + 3)
}

/// `I want it reset`: a verb that has the same form for both.
fn is_like_its_participle(tokens: &[Token<'_>], at: usize) -> bool {
    let before = &tokens[clause_start(tokens, at)..at];
    let follows = tokens[at + 1..clause_end(tokens, at)].first();
    let ends = follows.is_none_or(|next| next.kind == Kind::Comma || next.is(AFTER_PASSIVE));
    let wanted = before.iter().any(|token| token.is("be been being gets"))
        || before.iter().any(|token| token.is("want have get need needs make ensure see"));
    tokens[at].is(UNCHANGED) && ends && wanted && before.last().is_some_and(|last| !last.is("to"))
}

/// `the wipe`, `a full wipe`; but not `after that wipe` and `one that wipes`.
pub(super) fn is_after_article(tokens: &[Token<'_>], at: usize) -> bool {
    if let Some((place, before)) = previous(tokens, at)
        && before.is(DETERMINERS)
    {
        let points =
            before.is("that this") && place > 0 && tokens[place - 1].is("after with besides like do");
        let begins = before.is("that") && tokens[at].lower.ends_with('s');
        return !points && !begins;
    }
    // `with rollback`
    if at > 0 && tokens[at - 1].is("with including") && !tokens[at].lower.ends_with("ing") {
        return true;
    }
    let Some(place) = at.checked_sub(2) else { return false };
    // `with automatic rollback` names a thing too.
    let is_article = tokens[place].is("a an the with") && tokens[at - 1].is_said();
    is_article && !tokens[at - 1].is("to and or") && !tokens[at - 1].is(USERS)
}

/// Whether the word stands where an order begins.
pub(super) fn is_order(tokens: &[Token<'_>], at: usize) -> bool {
    if form(tokens, at) != Form::Base {
        return false;
    }
    let opens = "and then or but to please you we i let's must should can could would go help so plus";
    previous(tokens, at).is_none_or(|(_, before)| before.kind == Kind::Comma || before.is(opens))
}

/// The token before in the same clause, beyond adverbs.
pub(super) fn previous<'a, 't>(tokens: &'a [Token<'t>], at: usize) -> Option<(usize, &'a Token<'t>)> {
    let start = clause_start(tokens, at);
    (start..at).rev().map(|place| (place, &tokens[place])).find(|(_, token)| !token.is(ADVERBS))
}
