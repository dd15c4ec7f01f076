//! Where in a sentence something is asked for, as far as words and their order tell.
//!
//! `Delete the table` and `please could the table be deleted` ask for it; `a delete button`, `users can delete`,
//! `deleting fails` and `don't delete` do not. This is English grammar and no matter of settings.

use super::token::{Kind, Token, is_one_of};
use super::vocabulary::{
    ABILITIES, ADVERBS, BEFORE_GERUND, CIRCUMSTANCES, COMPOUNDS, FAILINGS, MODALS, NEGATIONS, OPENERS, PAIRS,
    PERSONS, QUESTIONS, STATING, SURFACES, USERS,
};

/// How far before a word a negation still reaches.
const REACH: usize = 3;

/// Where the clause around a token begins.
pub(super) fn clause_start(tokens: &[Token<'_>], at: usize) -> usize {
    tokens[..at].iter().rposition(|token| token.kind == Kind::Break).map_or(0, |found| found + 1)
}

/// Where the clause around a token ends (exclusive).
pub(super) fn clause_end(tokens: &[Token<'_>], at: usize) -> usize {
    tokens[at..].iter().position(|token| token.kind == Kind::Break).map_or(tokens.len(), |found| at + found)
}

/// Whether something takes the word back.
pub(super) fn is_negated(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at).max(at.saturating_sub(REACH));
    let before = &tokens[start..at];
    let begin = before.iter().rposition(|token| token.kind == Kind::Comma || token.is("but just only"));
    before[begin.map_or(0, |found| found + 1)..].iter().any(|token| token.is(NEGATIONS))
}

/// `are not serializable` tells of something that is missing, and so of the thing itself.
pub(super) fn is_lacked(tokens: &[Token<'_>], at: usize) -> bool {
    let is = |back: usize, words: &str| at.checked_sub(back).is_some_and(|place| tokens[place].is(words));
    let is_quality = ["able", "ible", "safe", "ent", "ic"].iter().any(|end| tokens[at].lower.ends_with(end));
    is_quality && (is(1, "isn't aren't") || (is(1, "not") && is(2, "is are be was were")))
}

/// The token before, if it is in the same clause, beyond adverbs.
fn before<'a, 't>(tokens: &'a [Token<'t>], at: usize) -> Option<(usize, &'a Token<'t>)> {
    let start = clause_start(tokens, at);
    (start..at).rev().map(|index| (index, &tokens[index])).find(|(_, token)| !token.is(ADVERBS))
}

/// Whether the verb at this place is one that somebody is asked to do.
pub(super) fn is_action(tokens: &[Token<'_>], at: usize) -> bool {
    if tokens[at].joined || is_negated(tokens, at) || is_in_a_pair(tokens, at) {
        return false;
    }
    let is_gerund = tokens[at].lower.ends_with("ing");
    let Some((_, previous)) = before(tokens, at) else {
        // `Sorting by date is wrong` tells of something.
        let rest = &tokens[at + 1..clause_end(tokens, at)];
        return !(is_gerund && rest.iter().any(|token| token.is(FAILINGS)));
    };
    previous.kind == Kind::Comma
        || previous.is(OPENERS)
        || previous.is(PERSONS)
        || previous.is("to be needs it")
        || (is_gerund && previous.is(BEFORE_GERUND))
}

/// `drag and drop`, `copy and paste`: two verbs that are one name.
fn is_in_a_pair(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(first) = at.checked_sub(2).filter(|_| tokens[at - 1].is("and n &")) else { return false };
    PAIRS.iter().any(|(one, other)| tokens[first].is_form_of(one) && tokens[at].is_form_of(other))
}

/// Whether what is named before the word here is only shown there: `the security page`, `a race result`.
pub(super) fn names_a_surface(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is(SURFACES))
}

/// `rename is done`, `list view: show …`, `search for products should …`: words that look like an order and name what
/// is told of.
pub(super) fn is_told(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    if let Some((place, previous)) = before(tokens, at) {
        // `…, which is wrong`
        if previous.kind == Kind::Comma && tokens[at].is("which who") {
            return place > clause_start(tokens, at);
        }
        // `users should be able to delete …`
        if previous.is("to") && is_ability_to(tokens, place) {
            return has_users(tokens, place);
        }
        // `the sidebar should turn off …`
        let subject = before(tokens, place).map(|(_, subject)| subject);
        return previous.is("should must shall will")
            && subject.is_some_and(|subject| subject.kind == Kind::Word && !subject.is(PERSONS));
    }
    if tokens[at].is(QUESTIONS) {
        return false;
    }
    let stops = |token: &Token<'_>| {
        token.kind == Kind::Comma || token.is(CIRCUMSTANCES) || token.is("what whatever so and but as if")
    };
    let rest = &tokens[at + 1..clause_end(tokens, at)];
    let near = &rest[..rest.iter().position(stops).unwrap_or(rest.len())];
    let names = |token: &Token<'_>| token.is(COMPOUNDS) && !tokens[at].is("show open read");
    let is_gerund = tokens[at].lower.ends_with("ing") && end == at + 1;
    is_gerund || rest.first().is_some_and(names) || near.iter().any(|token| token.is(STATING))
}

/// Whether the destructive verb at this place is asked for. Stricter than [`is_action`], because talk about deleting
/// is frequent; in doubt it is a request.
pub(super) fn is_demand(tokens: &[Token<'_>], at: usize) -> bool {
    if is_negated(tokens, at) {
        return false;
    }
    let word = &tokens[at].lower;
    if word.ends_with("ing") {
        is_demanded_gerund(tokens, at)
    } else if is_participle(&tokens[at]) {
        is_demanded_passive(tokens, at)
    } else {
        is_demanded_verb(tokens, at)
    }
}

/// Whether the word is a past form, or looks like one.
pub(super) fn is_participle(token: &Token<'_>) -> bool {
    let irregular =
        "torn thrown blown taken swept gotten got overwritten overwrote gone undone withdrawn shut";
    // Words that only end like one.
    let others = "shred seed feed speed embed exceed proceed need";
    (token.lower.ends_with("ed") && !token.is(others)) || token.is(irregular)
}

fn is_demanded_verb(tokens: &[Token<'_>], at: usize) -> bool {
    let Some((place, previous)) = before(tokens, at) else {
        return !tokens.get(at + 1).is_some_and(|token| token.is(FAILINGS));
    };
    if previous.is("to") {
        return !is_ability_to(tokens, place);
    }
    if previous.is(MODALS) {
        return match before(tokens, place) {
            Some((_, subject)) => subject.is(PERSONS) || subject.kind == Kind::Comma,
            None => true,
        };
    }
    if previous.kind == Kind::Comma && begins_with_circumstance(tokens, place) {
        return true;
    }
    if previous.kind == Kind::Comma || previous.is("and then or but") {
        return !follows_circumstance(tokens, place) && !tells_of_ability(tokens, place);
    }
    previous.is(OPENERS) || previous.is(PERSONS)
}

fn is_demanded_gerund(tokens: &[Token<'_>], at: usize) -> bool {
    let rest = &tokens[at + 1..clause_end(tokens, at)];
    match before(tokens, at) {
        None => !rest.iter().any(|token| token.is(FAILINGS)),
        Some((place, previous)) => {
            let lists = previous.kind == Kind::Comma || previous.is("and then or");
            let opens = previous.lemmas.iter().any(|lemma| is_one_of(lemma, BEFORE_GERUND));
            (opens || lists) && !follows_circumstance(tokens, place) && !tells_of_ability(tokens, at)
        }
    }
}

fn is_demanded_passive(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at);
    let before = &tokens[start..at];
    let has = |words: &str| before.iter().any(|token| token.is(words));
    let wanted = has("be") && has("should must can could to needs need shall may will");
    let assured = has("make ensure see") && has("sure ensure it that") && !has("never not");
    if assured {
        return true;
    }
    if has("would could") && before.last().is_some_and(|token| token.is(PERSONS)) {
        return true;
    }
    let ordered = has("want have get like see") && has("all the every everything these");
    let is_condition_first = before.first().is_some_and(|token| token.is(CIRCUMSTANCES));
    (wanted || ordered) && (is_condition_first || !follows_circumstance(tokens, at)) && !has("able")
}

/// Whether what stands before tells of what somebody or something is able to do.
fn tells_of_ability(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at);
    let before = &tokens[start..at];
    let Some(last) = before.iter().rposition(|token| token.is(ABILITIES)) else {
        // `users can create, edit and …`
        let modal = before.iter().rposition(|token| token.is("can could may"));
        return modal.is_some_and(|modal| modal > 0 && !before[modal - 1].is(PERSONS));
    };
    // The ability has to reach to here, through a `to` and a list of verbs.
    before[last + 1..].iter().any(|token| token.is("to for that which"))
        || before[..last].iter().any(|token| token.is("let allow test"))
}

/// Whether the `to` at this place is that of an ability: `able to`, `allow users to`.
fn is_ability_to(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at).max(at.saturating_sub(3));
    tokens[start..at].iter().any(|token| token.is(ABILITIES))
}

/// Whether somebody who uses the program is spoken of before this place.
fn has_users(tokens: &[Token<'_>], at: usize) -> bool {
    tokens[clause_start(tokens, at)..at].iter().any(|token| token.is(USERS))
}

/// `When that is done, …`: what follows the comma is no circumstance any more.
fn begins_with_circumstance(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at);
    let before = &tokens[start..at];
    before.iter().take(2).any(|token| token.is(CIRCUMSTANCES))
        && before.iter().all(|token| token.kind != Kind::Comma)
}

/// Whether a clause of circumstance has begun before.
fn follows_circumstance(tokens: &[Token<'_>], at: usize) -> bool {
    let start = clause_start(tokens, at);
    tokens[start..at].iter().any(|token| token.is(CIRCUMSTANCES))
}
