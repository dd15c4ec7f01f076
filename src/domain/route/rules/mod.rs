//! The rules as data: which words say what, and how much; their patterns, and where those occur in a request.
//!
//! The room knows words and where they stand. What a sentence asks for it does not know.
//!
//! A project's own are a [`Spec`], which `format` reads from TOML. The built-in rules are a file like that too, but
//! come as the table that a test makes of it (see [`table`]).

pub(super) mod group;
pub(super) mod lexicon;
pub(super) mod pattern;
pub(super) mod slip;
mod table;

pub(crate) use pattern::Pattern;

use std::fmt;
use std::str::FromStr;

use super::{Code, Fault, Tier, Verdict};
use crate::domain::task::{Kind, words};
use crate::domain::text::shown;
use group::Group;
use lexicon::Lexicon;
use table::Table;

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
    /// The weakest tier for a request in which this is said, whatever it is to be done.
    pub(crate) at_least: Option<Tier>,
    /// The patterns; those of the built-in rules are in the lexicon alone.
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
    /// Whether the verbs are words of loss, which are a request in every mood and order; others have to be asked for.
    pub(crate) loss: bool,
    pub(crate) verbs: Vec<Pattern>,
    /// Sayings that wish for it as they stand: `make … go away`.
    pub(crate) idioms: Vec<Pattern>,
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
    /// What would be missed: where nothing is understood of what is to become of it, a person is asked.
    pub(crate) precious: Vec<Pattern>,
    /// Words that make a thing of a verb before them: `delete` **button**.
    pub(crate) parts: Vec<Pattern>,
    /// Destructive words of other languages, by their beginnings.
    pub(crate) foreign: Vec<Pattern>,
}

/// Rules, ready to be applied.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(super) haiku_up_to: i32,
    pub(super) opus_from: i32,
    /// Those of the project behind the built-in ones.
    pub(super) signals: Vec<Signal>,
    /// How many signals are built in.
    builtin_signals: usize,
    pub(super) rules: Vec<Rule>,
    pub(super) dangers: Vec<Danger>,
    pub(super) lexicon: Lexicon,
}

impl Rules {
    /// The built-in rules, as their table, with the project's own over them: its thresholds win, its rules come
    /// first, its words are added. `None` if the text is no such table.
    pub(crate) fn new(builtin: &'static str, own: Spec) -> Option<Rules> {
        let table = Table::new(builtin)?;
        let mut parts = Parts::default();
        table.head.lines().try_for_each(|line| parts.read(line))?;
        let builtin_signals = parts.signals.len();
        let mut entries = own.entries(builtin_signals, parts.dangers.len());
        entries.extend(own.harmless.iter().map(|pattern| (Group::Spared, pattern.clone())));
        Some(Rules {
            haiku_up_to: own.haiku_up_to.unwrap_or(parts.haiku_up_to),
            opus_from: own.opus_from.unwrap_or(parts.opus_from),
            signals: parts.signals.into_iter().chain(own.signals).collect(),
            builtin_signals,
            rules: own.rules,
            dangers: parts.dangers.into_iter().chain(own.dangers).collect(),
            lexicon: Lexicon::new(table, entries),
        })
    }

    /// Whether one signal comes before another where both say as much: those of the project do.
    pub(super) fn precedence(&self, signal: usize) -> impl Ord {
        (signal >= self.builtin_signals, std::cmp::Reverse(signal))
    }
}

impl Spec {
    /// Every pattern with what it belongs to, counted on from so many signals and dangers.
    fn entries(&self, signals: usize, dangers: usize) -> Vec<(Group, Pattern)> {
        let mut entries = Vec::new();
        let mut add = |group: Group, patterns: &[Pattern]| {
            entries.extend(patterns.iter().map(|pattern| (group, pattern.clone())));
        };
        for (number, signal) in self.signals.iter().enumerate() {
            add(Group::Signal(signals + number), &signal.words);
        }
        for (number, rule) in self.rules.iter().enumerate() {
            add(Group::Rule(number), &rule.words);
        }
        for (number, danger) in self.dangers.iter().enumerate() {
            add(Group::Verb(dangers + number), &danger.verbs);
            add(Group::Idiom(dangers + number), &danger.idioms);
            add(Group::Object(dangers + number), danger.objects.as_deref().unwrap_or_default());
        }
        add(Group::Command, &self.commands);
        add(Group::Harmless, &self.harmless);
        add(Group::Store, &self.stores);
        add(Group::Precious, &self.precious);
        add(Group::Part, &self.parts);
        add(Group::Foreign, &self.foreign);
        entries
    }

    /// The rules as the table that [`Rules::new`] reads.
    #[cfg(test)]
    pub(crate) fn table(&self) -> String {
        use std::fmt::Write;

        let mut head = String::new();
        writeln!(head, "thresholds\t{}\t{}", self.haiku_up_to.unwrap(), self.opus_from.unwrap()).unwrap();
        for one in &self.signals {
            let yields = if one.yields { "yields" } else { "stays" };
            let Signal { role, points, topics, name, .. } = one;
            let at_least = one.at_least.map_or_else(|| ANY.to_owned(), |tier| tier.to_string());
            writeln!(head, "signal\t{role}\t{points}\t{topics}\t{yields}\t{at_least}\t{name}").unwrap();
        }
        for one in &self.dangers {
            let objects = if one.objects.is_some() { "these" } else { "any" };
            let loss = if one.loss { "loss" } else { "act" };
            writeln!(head, "danger\t{objects}\t{loss}\t{}", one.name).unwrap();
        }
        table::writing::table(head.trim_end(), &self.entries(0, 0))
    }
}

/// What the table says where a signal has no tier of its own.
const ANY: &str = "any";

/// What the head of the table says.
#[derive(Default)]
struct Parts {
    haiku_up_to: i32,
    opus_from: i32,
    signals: Vec<Signal>,
    dangers: Vec<Danger>,
}

impl Parts {
    fn read(&mut self, line: &str) -> Option<()> {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["thresholds", haiku_up_to, opus_from] => {
                (self.haiku_up_to, self.opus_from) = (haiku_up_to.parse().ok()?, opus_from.parse().ok()?);
            }
            ["signal", role, points, topics, yields, at_least, name] => self.signals.push(Signal {
                name: name.to_owned(),
                role: role.parse().ok()?,
                points: points.parse().ok()?,
                topics: topics.parse().ok()?,
                yields: yields == "yields",
                at_least: if at_least == ANY { None } else { Some(at_least.parse().ok()?) },
                words: Vec::new(),
            }),
            ["danger", objects, loss, name] => self.dangers.push(Danger {
                name: name.to_owned(),
                loss: loss == "loss",
                verbs: Vec::new(),
                idioms: Vec::new(),
                objects: (objects == "these").then(Vec::new),
            }),
            _ => return None,
        }
        Some(())
    }
}
