//! Requests that destroy, overwrite or expose something: never for the smallest tier, and a person is asked.
//!
//! A false alarm costs a question, a miss may cost a database; so where the words leave a doubt, the answer is that
//! a person is asked. What is only talked about is no request.

use std::ops::Range;

use super::grammar::{clause_end, clause_start, is_demand, is_negated, is_participle};
use super::pattern::{Hearing, Pattern};
use super::rules::Rules;
use super::token::{Kind, Token, Voice, is_one_of};

/// Something destructive that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) what: String,
}

/// Verbs by which a quoted command becomes one.
const EXECUTING: &str = "\
     run execute use call issue invoke type apply launch perform enter eval paste";

/// Verbs by which a command is a matter of conversation.
const TALKING: &str = "\
     explain describe document mention summarise summarize what why difference mean meaning docs \
     documentation understand clarify";

/// Nouns whose quotation is text.
const TEXTS: &str = "\
     string label text wording caption title heading word button message typo spelling comment tooltip \
     placeholder rename phrase sentence section menu example log warning parser keyword named called test";

/// All that is destructive in these tokens.
pub(super) fn find(rules: &Rules, tokens: &[Token<'_>]) -> Vec<Found> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].kind == Kind::Break {
            continue;
        }
        found.extend(command(rules, tokens, at));
        if tokens[at].is_said() {
            found.extend(verb(rules, tokens, at));
        }
        found.extend(foreign(rules, &tokens[at]));
    }
    found.dedup();
    found
}

fn command(rules: &Rules, tokens: &[Token<'_>], at: usize) -> Option<Found> {
    let (end, ..) = rules.commands.at(tokens, at, Hearing::All).max_by_key(|(end, ..)| *end)?;
    let clause = &tokens[clause_start(tokens, at)..clause_end(tokens, at)];
    let said = |words: &str| clause.iter().any(|token| token.is_said() && has(token, words));
    let is_meant = match tokens[at].voice {
        Voice::Prose => !said(TALKING),
        Voice::Code => said(EXECUTING) || !(said(TALKING) || said(TEXTS)),
        Voice::Quoted => said(EXECUTING) && !said(TEXTS),
    };
    let is_thing = end == at + 1 && is_part(rules, tokens, end);
    if !is_meant || is_thing || is_negated(tokens, at) {
        return None;
    }
    Some(Found { words: quoted(&tokens[at..end]), what: "a destructive command".to_owned() })
}

fn verb(rules: &Rules, tokens: &[Token<'_>], at: usize) -> Option<Found> {
    let hits = rules.dangers_by_word.at(tokens, at, Hearing::Said);
    let hits: Vec<_> = hits.map(|(end, _, number)| (end, number)).collect();
    hits.into_iter().find_map(|(end, number)| {
        let is_compound = tokens[at].joined || tokens.get(end).is_some_and(|next| next.joined);
        if is_compound || is_part(rules, tokens, end) || !is_demand(tokens, at) {
            return None;
        }
        let danger = &rules.dangers[number];
        let around = object_range(tokens, at, end);
        if is_harmless(rules, tokens, around.clone()) {
            return None;
        }
        let object = match &danger.objects {
            None => None,
            Some(objects) => Some(find_object(rules, tokens, around, objects)?),
        };
        let mut words = quoted(&tokens[at..end]);
        if let Some(object) = object {
            words.push_str(" … ");
            words.push_str(tokens[object].raw);
        }
        Some(Found { words, what: danger.name.clone() })
    })
}

/// The first of these objects that is one, and not a part of another thing's name.
fn find_object(
    rules: &Rules,
    tokens: &[Token<'_>],
    mut range: Range<usize>,
    objects: &[Pattern],
) -> Option<usize> {
    range.find(|&place| {
        let ends = objects.iter().filter_map(|object| object.end(tokens, place, Hearing::Said));
        ends.max().is_some_and(|end| !is_part(rules, tokens, end))
    })
}

/// Where the object of a verb is looked for: behind it, for a passive before it.
fn object_range(tokens: &[Token<'_>], at: usize, end: usize) -> Range<usize> {
    let refers = |token: &Token<'_>| token.is("it them those these this that both");
    let rests = |token: &Token<'_>| token.is("one ones rest others");
    let is_pronoun = tokens.get(end).is_some_and(refers) || tokens.iter().skip(end).take(3).any(rests);
    if is_pronoun || is_participle(&tokens[at]) {
        return clause_start(tokens, at)..clause_end(tokens, at);
    }
    let limit = clause_end(tokens, at);
    let stops = |token: &Token<'_>| token.is("when if where because so but then");
    let stop = tokens[end..limit].iter().position(stops).map_or(limit, |found| end + found);
    end..stop
}

/// What git has anyway is harmless, unless it lies where git is not.
fn is_harmless(rules: &Rules, tokens: &[Token<'_>], range: Range<usize>) -> bool {
    let mut places = range.clone();
    let has_harmless = places.any(|at| rules.harmless.at(tokens, at, Hearing::Said).next().is_some());
    let is_store = |at: usize| {
        let ends = rules.stores.at(tokens, at, Hearing::Said).map(|(end, ..)| end);
        ends.max().is_some_and(|end| !is_part(rules, tokens, end))
    };
    has_harmless && !range.into_iter().any(is_store)
}

/// Whether the word here makes a thing of the verb before it. Only in the form that such names have: `delete event`
/// may be one, `delete events` is none.
fn is_part(rules: &Rules, tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is_said() && rules.parts.contains(&token.lower))
}

fn foreign(rules: &Rules, token: &Token<'_>) -> Option<Found> {
    // Scripts without spaces have their words anywhere in a token.
    let is_spaced = |word: &str| word.chars().all(|c| (c as u32) < 0x0e00);
    let fits = |word: &&String| match word.strip_suffix('*') {
        Some(part) if is_spaced(part) => token.lower.starts_with(part),
        Some(part) => token.lower.contains(part),
        None => token.lower == **word,
    };
    let word = rules.foreign.iter().filter(|_| token.is_said()).find(fits)?;
    let what = format!("a word for deleting, `{}`", word.trim_end_matches('*'));
    Some(Found { words: token.raw.to_owned(), what })
}

fn has(token: &Token<'_>, words: &str) -> bool {
    token.lemmas.iter().any(|lemma| is_one_of(lemma, words))
}

fn quoted(tokens: &[Token<'_>]) -> String {
    let words: Vec<&str> = tokens.iter().map(|token| token.raw).filter(|raw| !raw.is_empty()).collect();
    words.join(" ")
}
