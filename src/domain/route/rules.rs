//! The rules as data: which words say what, and how much.
//!
//! Built once from a [`Spec`], which `format` reads from TOML; the built-in rules are a file like a project's own.

use std::collections::HashSet;

use super::pattern::{Index, Pattern};
use super::{Tier, Verdict};
use crate::domain::task::{Kind, words};
use std::fmt;
use std::str::FromStr;

use super::{Code, Fault};
use crate::domain::text::shown;

words! {
    /// What a word of a signal is about.
    Role, "a role of words";
    /// What is to be done; it counts where something is asked for.
    Action = "action";
    /// What it is done to; it counts wherever it is said.
    Topic = "topic";
}

/// Words that say how hard a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Above zero: harder; below: easier.
    pub(crate) points: i32,
    /// For an action: how much of what the topics say counts with it, in percent.
    pub(crate) topics: i32,
    /// For an action: whether an easy topic makes it easy, as `typo` does with `fix`.
    pub(crate) yields: bool,
    pub(crate) words: Vec<Pattern>,
}

/// A rule of the project that decides at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) words: Vec<Pattern>,
    pub(crate) labels: Vec<String>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) tier: Option<Tier>,
    pub(crate) verdict: Option<Verdict>,
}

/// Verbs that destroy or expose, and to what they have to be done for a person to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Danger {
    pub(crate) name: String,
    pub(crate) verbs: Vec<Pattern>,
    /// `None`: anything that is not harmless.
    pub(crate) objects: Option<Vec<Pattern>>,
}

/// Everything that rules are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The highest score of the smallest tier.
    pub(crate) haiku_up_to: Option<i32>,
    /// The lowest score of the strongest tier.
    pub(crate) opus_from: Option<i32>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) dangers: Vec<Danger>,
    /// Commands of shells and databases that a person is asked about, also in code.
    pub(crate) commands: Vec<Pattern>,
    /// What may be deleted in source code without asking.
    pub(crate) harmless: Vec<Pattern>,
    /// Where things lie that git does not have.
    pub(crate) stores: Vec<Pattern>,
    /// Words that make a thing of a verb before them: `delete` **button**.
    pub(crate) parts: Vec<String>,
    /// Destructive words of other languages, by their beginnings.
    pub(crate) foreign: Vec<String>,
}

/// Rules, ready to be applied.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(super) haiku_up_to: i32,
    pub(super) opus_from: i32,
    pub(super) signals: Vec<Signal>,
    pub(super) signals_by_word: Index<usize>,
    pub(super) rules: Vec<Rule>,
    pub(super) dangers: Vec<Danger>,
    pub(super) dangers_by_word: Index<usize>,
    pub(super) commands: Index<()>,
    pub(super) harmless: Index<()>,
    pub(super) stores: Index<()>,
    pub(super) parts: HashSet<String>,
    pub(super) foreign: Vec<String>,
}

impl Rules {
    /// The built-in rules with the project's own over them: its thresholds win, its rules come first, its words
    /// are added.
    pub(crate) fn new(builtin: Spec, own: Spec) -> Rules {
        let signals: Vec<Signal> = own.signals.into_iter().chain(builtin.signals).collect();
        let dangers: Vec<Danger> = own.dangers.into_iter().chain(builtin.dangers).collect();
        let mut signals_by_word = Index::default();
        for (number, signal) in signals.iter().enumerate() {
            signal.words.iter().for_each(|pattern| signals_by_word.insert(pattern.clone(), number));
        }
        let mut dangers_by_word = Index::default();
        for (number, danger) in dangers.iter().enumerate() {
            danger.verbs.iter().for_each(|pattern| dangers_by_word.insert(pattern.clone(), number));
        }
        Rules {
            haiku_up_to: own.haiku_up_to.or(builtin.haiku_up_to).unwrap_or(-2),
            opus_from: own.opus_from.or(builtin.opus_from).unwrap_or(4),
            signals,
            signals_by_word,
            rules: own.rules.into_iter().chain(builtin.rules).collect(),
            dangers,
            dangers_by_word,
            commands: index(own.commands, builtin.commands),
            harmless: index(own.harmless, builtin.harmless),
            stores: index(own.stores, builtin.stores),
            parts: own.parts.into_iter().chain(builtin.parts).collect(),
            foreign: own.foreign.into_iter().chain(builtin.foreign).collect(),
        }
    }
}

fn index(own: Vec<Pattern>, builtin: Vec<Pattern>) -> Index<()> {
    let mut index = Index::default();
    own.into_iter().chain(builtin).for_each(|pattern| index.insert(pattern, ()));
    index
}
