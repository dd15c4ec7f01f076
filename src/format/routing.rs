//! Routing rules as TOML: the built-in ones, and a project's own in the table `[route]` of its settings.
//!
//! Both have the same form, but the built-in ones are read by a test only, which makes the table of them that is part
//! of the program. Unknown keys of a project are left alone.

use std::collections::HashMap;

use serde::Deserialize;

use super::malformed::Malformed;
use super::syntax;
use crate::domain::route::rules::{Danger, Role, Rule, Rules, Signal, Spec};
use crate::domain::route::{Pattern, Tier, Verdict};
use crate::domain::task::Kind;
use crate::domain::text::shown;

/// The rules that are part of the program: what a test makes of `templates/routing.toml`.
const BUILTIN: &str = include_str!("../../templates/routing.table");

/// The built-in rules with those of a settings text over them.
///
/// # Errors
/// [`Malformed`] with the place in the settings.
pub(crate) fn rules(settings: Option<&str>) -> Result<Rules, Malformed> {
    let own = settings.map(own).transpose()?.unwrap_or_default();
    Ok(Rules::new(BUILTIN, own).expect("the built-in rules are read by a test"))
}

/// The table of the built-in rules, as it has to be.
#[cfg(test)]
pub(crate) fn builtin_table() -> String {
    let source = include_str!("../../templates/routing.toml");
    let read: Table = toml::from_str(source).unwrap();
    read.spec(source).unwrap().table()
}

fn own(settings: &str) -> Result<Spec, Malformed> {
    // Most settings say nothing of routing; whether they can be read at all is not asked here.
    if !settings.contains("route") {
        return Ok(Spec::default());
    }
    syntax::parse(settings)?;
    let file: Settings = syntax::read(settings).map_err(|mut defect| {
        defect.message = format!("route: {}", defect.message);
        defect
    })?;
    file.route.spec(settings)
}

/// The part of the settings that is read here.
#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    route: Table,
}

type Text = toml::Spanned<String>;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    haiku_up_to: Option<i32>,
    opus_from: Option<i32>,
    list: HashMap<String, String>,
    rule: Vec<RuleTable>,
    signal: Vec<SignalTable>,
    danger: Vec<DangerTable>,
    commands: Vec<Text>,
    harmless: Vec<Text>,
    stores: Vec<Text>,
    precious: Vec<Text>,
    parts: Vec<Text>,
    foreign: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    name: Text,
    #[serde(default)]
    words: Vec<Text>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    kinds: Vec<Text>,
    tier: Option<Text>,
    decision: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalTable {
    name: String,
    role: Text,
    points: i32,
    #[serde(default = "all")]
    topics: i32,
    #[serde(default)]
    yields: bool,
    at_least: Option<Text>,
    words: Vec<Text>,
}

fn all() -> i32 {
    100
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DangerTable {
    name: String,
    #[serde(default)]
    loss: bool,
    verbs: Vec<Text>,
    #[serde(default)]
    idioms: Vec<Text>,
    objects: Option<Vec<Text>>,
}

impl Table {
    fn spec(self, text: &str) -> Result<Spec, Malformed> {
        let lists = self.list;
        let patterns = |list: Vec<Text>| patterns(text, &lists, list);
        let signal = |table: SignalTable| {
            Ok(Signal {
                name: table.name,
                role: word::<Role>(text, &table.role)?,
                points: table.points.clamp(-99, 99),
                topics: table.topics.clamp(0, 100),
                yields: table.yields,
                at_least: table.at_least.map(|tier| word::<Tier>(text, &tier)).transpose()?,
                words: patterns(table.words)?,
            })
        };
        let danger = |table: DangerTable| {
            let objects = table.objects.map(patterns).transpose()?;
            let (verbs, idioms) = (patterns(table.verbs)?, patterns(table.idioms)?);
            Ok(Danger { name: table.name, loss: table.loss, verbs, idioms, objects })
        };
        let rule = |table: RuleTable| {
            let at = table.name.span().start;
            let rule = Rule {
                name: table.name.into_inner(),
                words: patterns(table.words)?,
                labels: table.labels,
                kinds: table.kinds.iter().map(|kind| word::<Kind>(text, kind)).collect::<Result<_, _>>()?,
                tier: table.tier.map(|tier| word::<Tier>(text, &tier)).transpose()?,
                verdict: table.decision.map(|decision| word::<Verdict>(text, &decision)).transpose()?,
            };
            refuse_unconditional(&rule).map_err(|message| Malformed::in_text(text, at, message))?;
            Ok(rule)
        };
        Ok(Spec {
            haiku_up_to: self.haiku_up_to,
            opus_from: self.opus_from,
            signals: self.signal.into_iter().map(signal).collect::<Result<_, Malformed>>()?,
            rules: self.rule.into_iter().map(rule).collect::<Result<_, Malformed>>()?,
            dangers: self.danger.into_iter().map(danger).collect::<Result<_, Malformed>>()?,
            commands: patterns(self.commands)?,
            harmless: patterns(self.harmless)?,
            stores: patterns(self.stores)?,
            precious: patterns(self.precious)?,
            parts: patterns(self.parts)?,
            foreign: patterns(self.foreign)?,
        })
    }
}

/// A rule without a condition would decide everything, and nobody means that who leaves a list empty.
fn refuse_unconditional(rule: &Rule) -> Result<(), String> {
    if !(rule.words.is_empty() && rule.labels.is_empty() && rule.kinds.is_empty()) {
        return Ok(());
    }
    let name = shown(&rule.name);
    Err(format!(
        "route: the rule `{name}` has no condition and would hold for everything: give it `words`, `labels` or `kinds`"
    ))
}

fn patterns(
    text: &str,
    lists: &HashMap<String, String>,
    items: Vec<Text>,
) -> Result<Vec<Pattern>, Malformed> {
    let read = |item: Text| {
        let wrong = |message: String| Malformed::in_text(text, item.span().start, message);
        let whole = filled(item.get_ref(), lists)
            .map_err(|name| wrong(format!("route: there is no list `{}`", shown(name))))?;
        Pattern::parse(&whole)
            .ok_or_else(|| wrong(format!("route: `{}` is no pattern of words", shown(item.get_ref()))))
    };
    items.into_iter().map(read).collect()
}

/// A pattern with the words of a list for each `{name}`; the name of a list that is missing.
fn filled<'t>(pattern: &'t str, lists: &HashMap<String, String>) -> Result<String, &'t str> {
    let mut whole = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, from)) = rest.split_once('{') {
        // A brace that nothing closes is a character, as in `:(){`.
        let Some((name, after)) = from.split_once('}') else { break };
        whole.push_str(before);
        whole.push_str(lists.get(name).ok_or(name)?);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

fn word<T: std::str::FromStr<Err = crate::domain::fault::Fault>>(
    text: &str,
    item: &Text,
) -> Result<T, Malformed> {
    let place = |fault: crate::domain::fault::Fault| {
        let message = format!("route: {}", fault.message);
        Malformed::in_text(text, item.span().start, message).with_hints(fault.hints)
    };
    item.get_ref().parse().map_err(place)
}

#[cfg(test)]
mod tests;
