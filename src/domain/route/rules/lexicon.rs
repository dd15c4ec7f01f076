//! All patterns of the rules, and where in a request they occur.
//!
//! A request is gone through once; whoever asks later for signals or for dangers reads what was found.

use std::collections::HashMap;

use super::group::Group;
use super::pattern::{self, Hearing, Pattern};
use super::table::Table;
use crate::domain::route::token::Token;

/// The patterns of the built-in rules, and those of the project.
#[derive(Debug, Clone)]
pub(in crate::domain::route) struct Lexicon {
    builtin: Table,
    own: Vec<(Group, Pattern)>,
    own_by_word: HashMap<String, Vec<usize>>,
}

/// A pattern that occurs in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain::route) struct Hit {
    /// Where it ends (exclusive).
    pub(in crate::domain::route) end: usize,
    /// How many words the pattern has.
    pub(in crate::domain::route) length: usize,
    pub(in crate::domain::route) group: Group,
}

/// The patterns that occur in a request, by the token at which they begin.
#[derive(Debug, Clone)]
pub(in crate::domain::route) struct Hits {
    hits: Vec<Hit>,
    /// Where the hits of each token begin, and at last where all end.
    starts: Vec<usize>,
}

impl Hits {
    /// Those that begin here.
    pub(in crate::domain::route) fn at(&self, at: usize) -> &[Hit] {
        match self.starts.get(at..at + 2) {
            Some(&[start, end]) => &self.hits[start..end],
            _ => &[],
        }
    }

    /// Whether one of a group begins anywhere.
    pub(in crate::domain::route) fn any(&self, group: Group) -> bool {
        self.hits.iter().any(|hit| hit.group == group)
    }

    /// Where the longest of a group that begins here ends.
    pub(in crate::domain::route) fn end(&self, at: usize, group: Group) -> Option<usize> {
        self.at(at).iter().filter(|hit| hit.group == group).map(|hit| hit.end).max()
    }
}

impl Lexicon {
    /// These patterns over the built-in ones.
    pub(super) fn new(builtin: Table, own: Vec<(Group, Pattern)>) -> Lexicon {
        let mut own_by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, (_, pattern)) in own.iter().enumerate() {
            for key in pattern::keys(pattern.as_str()) {
                own_by_word.entry(key).or_default().push(number);
            }
        }
        Lexicon { builtin, own, own_by_word }
    }

    /// Where in these tokens which patterns occur.
    pub(in crate::domain::route) fn hits(&self, tokens: &[Token<'_>]) -> Hits {
        self.hits_of(tokens, |_| true)
    }

    /// Where in these tokens the patterns of these groups occur.
    pub(in crate::domain::route) fn hits_of(
        &self,
        tokens: &[Token<'_>],
        is_wanted: impl Fn(Group) -> bool,
    ) -> Hits {
        let mut found = Hits { hits: Vec::new(), starts: Vec::with_capacity(tokens.len() + 1) };
        for (at, token) in tokens.iter().enumerate() {
            found.starts.push(found.hits.len());
            let letter = token.lower.chars().next().map(|letter| format!("{letter}*"));
            let words = token.lemmas.iter().map(String::as_str);
            let itself = token.lemmas.is_empty().then_some(token.lower.as_str());
            let unlike = (!token.is_said()).then_some("<");
            for word in words.chain(itself).chain(letter.as_deref()).chain(unlike).chain(["*"]) {
                let wanted = self.under(word).filter(|(group, _)| is_wanted(*group));
                found.hits.extend(wanted.filter_map(|(group, pattern)| hit(group, pattern, tokens, at)));
            }
        }
        found.starts.push(found.hits.len());
        found
    }

    /// The patterns that are kept under a word.
    pub(in crate::domain::route) fn under<'l>(
        &'l self,
        word: &str,
    ) -> impl Iterator<Item = (Group, &'l str)> + use<'l> {
        let own = self.own_by_word.get(word).into_iter().flatten();
        let own = own.map(|&number| (self.own[number].0, self.own[number].1.as_str()));
        let builtin =
            self.builtin.under(word).map(|(group, pattern)| -> (Group, &'l str) { (group, pattern) });
        own.chain(builtin)
    }
}

fn hit(group: Group, pattern: &str, tokens: &[Token<'_>], at: usize) -> Option<Hit> {
    let hearing = if group == Group::Command { Hearing::All } else { Hearing::Said };
    // `delete event` may name a thing, `delete events` names none; so the form counts.
    if group == Group::Part && tokens[at].lower != pattern {
        return None;
    }
    let end = pattern::end(pattern, tokens, at, hearing)?;
    Some(Hit { end, length: pattern::length(pattern), group })
}
