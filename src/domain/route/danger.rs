//! Requests that destroy, overwrite or expose something: never for the smallest tier, and a person is asked.
//!
//! A false alarm costs a question, a miss may cost a database; so where the words leave a doubt, the answer is that
//! a person is asked. What is only talked about is no request.

use super::grammar::{clause_end, clause_start, is_demand, is_negated};
use super::pattern::Hearing;
use super::rules::Rules;
use super::token::{Kind, Token, Voice};

/// Something destructive that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) what: String,
}

/// Verbs by which a quoted command becomes one.
const EXECUTING: [&str; 14] = [
    "run", "execute", "use", "call", "issue", "invoke", "type", "apply", "do", "launch", "perform", "enter",
    "eval", "paste",
];

/// Verbs by which a command is a matter of conversation.
const TALKING: [&str; 15] = [
    "explain",
    "describe",
    "document",
    "mention",
    "summarise",
    "summarize",
    "what",
    "why",
    "difference",
    "mean",
    "meaning",
    "docs",
    "documentation",
    "understand",
    "clarify",
];

/// Nouns whose quotation is text.
const TEXTS: [&str; 28] = [
    "string",
    "label",
    "text",
    "wording",
    "caption",
    "title",
    "heading",
    "word",
    "button",
    "message",
    "typo",
    "spelling",
    "comment",
    "tooltip",
    "placeholder",
    "rename",
    "phrase",
    "sentence",
    "section",
    "menu",
    "example",
    "log",
    "warning",
    "parser",
    "keyword",
    "named",
    "called",
    "test",
];

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
    let said = |words: &[&str]| clause.iter().any(|token| token.is_said() && has(token, words));
    let is_meant = match tokens[at].voice {
        Voice::Prose => !said(&TALKING),
        Voice::Code => said(&EXECUTING) || !(said(&TALKING) || said(&TEXTS)),
        Voice::Quoted => said(&EXECUTING) && !said(&TEXTS),
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
        let object = match &danger.objects {
            None if is_harmless(rules, tokens, around.clone()) => return None,
            None => None,
            Some(objects) => {
                let mut places = around.clone();
                let found = places.find(|&place| {
                    objects.iter().any(|object| object.end(tokens, place, Hearing::Said).is_some())
                })?;
                let named = is_part(rules, tokens, found + 1) || is_harmless(rules, tokens, around);
                if named { return None } else { Some(found) }
            }
        };
        let mut words = quoted(&tokens[at..end]);
        if let Some(object) = object {
            words.push_str(" … ");
            words.push_str(tokens[object].raw);
        }
        Some(Found { words, what: danger.name.clone() })
    })
}

/// Where the object of a verb is looked for: behind it, for a passive before it.
fn object_range(tokens: &[Token<'_>], at: usize, end: usize) -> std::ops::Range<usize> {
    let is_passive = tokens[at].lower.ends_with("ed") || tokens[at].lower.ends_with("en");
    if is_passive {
        return clause_start(tokens, at)..clause_end(tokens, at);
    }
    let limit = clause_end(tokens, at);
    let stops = |token: &Token<'_>| token.is(&["when", "if", "where", "because", "so", "but", "then"]);
    let stop = tokens[end..limit].iter().position(stops).map_or(limit, |found| end + found);
    end..stop
}

fn is_harmless(rules: &Rules, tokens: &[Token<'_>], mut range: std::ops::Range<usize>) -> bool {
    range.any(|place| rules.harmless.at(tokens, place, Hearing::Said).next().is_some())
}

/// Whether the word here makes a thing of the verb before it.
fn is_part(rules: &Rules, tokens: &[Token<'_>], at: usize) -> bool {
    at < tokens.len() && rules.parts.at(tokens, at, Hearing::Said).next().is_some()
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

fn has(token: &Token<'_>, words: &[&str]) -> bool {
    token.lemmas.iter().any(|lemma| words.contains(&lemma.as_str()))
}

fn quoted(tokens: &[Token<'_>]) -> String {
    let words: Vec<&str> = tokens.iter().map(|token| token.raw).filter(|raw| !raw.is_empty()).collect();
    words.join(" ")
}
