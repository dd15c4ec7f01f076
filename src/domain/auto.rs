//! What may happen without a person: the choice of each project, as rules over the heads of tasks.
//!
//! A rule is evaluated by code and by nothing else. One that cannot be understood is an error, never a yes; and no
//! text of a task can become a rule.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::fault::{Code, Fault};
use super::project::ProjectId;
use super::schedule::Schedule;
use super::task::{Effort, Kind, Priority, Task};
use super::text::shown;

/// What `swift watch` does in a project by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Auto {
    /// Whether tasks in its outbox are carried.
    pub(crate) distribute: bool,
    /// Which tasks in its inbox are accepted.
    pub(crate) accept: Acceptance,
    /// When the inbox is gone through; empty: as soon as something arrives.
    pub(crate) schedule: Vec<Schedule>,
    /// How long a file has to be still before it is taken, unless it came by rename.
    pub(crate) settle: SignedDuration,
    /// After how long a file that cannot be read is put aside; zero: never.
    pub(crate) quarantine_after: SignedDuration,
    /// After how long without news a sent task is asked after; zero: never.
    pub(crate) ask_after: SignedDuration,
}

impl Default for Auto {
    fn default() -> Self {
        Auto {
            distribute: true,
            accept: Acceptance::default(),
            schedule: Vec::new(),
            settle: SignedDuration::from_millis(300),
            quarantine_after: SignedDuration::from_secs(30),
            ask_after: SignedDuration::from_hours(7 * 24),
        }
    }
}

/// Which arriving tasks are accepted: those that at least one rule fits. No rule accepts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Acceptance {
    rules: Vec<Rule>,
}

impl Acceptance {
    /// The acceptance of some rules; `none` stands alone.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] if `none` is one of several.
    pub(crate) fn of(rules: Vec<Rule>) -> Result<Acceptance, Fault> {
        let is_none = |rule: &Rule| rule.conditions.contains(&Condition::Never);
        if rules.len() > 1 && rules.iter().any(is_none) {
            return Err(Fault::new(Code::InvalidValue, "`none` cannot stand beside other rules"));
        }
        Ok(Acceptance { rules: rules.into_iter().filter(|rule| !is_none(rule)).collect() })
    }

    /// Whether nothing is ever accepted.
    pub(crate) fn is_none(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule that accepts a task; `None` if a person has to.
    pub(crate) fn rule_for(&self, task: &Task) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.fits(task))
    }
}

/// Conditions that all have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    conditions: Vec<Condition>,
}

/// One condition on the head of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Never,
    Always,
    From(ProjectId),
    Priority(Order, Priority),
    Effort(Order, Effort),
    Kind(Kind),
    Label(String),
}

/// How a value of the task stands to that of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    AtMost,
    AtLeast,
    Exactly,
}

impl Order {
    fn holds<T: Ord>(self, value: T, bound: T) -> bool {
        match self {
            Order::AtMost => value <= bound,
            Order::AtLeast => value >= bound,
            Order::Exactly => value == bound,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Order::AtMost => "<=",
            Order::AtLeast => ">=",
            Order::Exactly => "=",
        }
    }
}

impl Rule {
    /// Whether the rule accepts this task.
    pub(crate) fn fits(&self, task: &Task) -> bool {
        !self.conditions.is_empty() && self.conditions.iter().all(|condition| condition.holds(task))
    }
}

impl Condition {
    fn holds(&self, task: &Task) -> bool {
        match self {
            Condition::Never => false,
            Condition::Always => true,
            Condition::From(project) => task.from.as_ref() == Some(project),
            Condition::Priority(order, bound) => order.holds(task.priority, *bound),
            Condition::Effort(order, bound) => order.holds(task.effort, *bound),
            Condition::Kind(kind) => task.kind == *kind,
            Condition::Label(label) => task.labels.contains(label),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Never => f.write_str("none"),
            Condition::Always => f.write_str("all"),
            Condition::From(project) => write!(f, "from:{project}"),
            Condition::Priority(order, bound) => write!(f, "priority{}{bound}", order.as_str()),
            Condition::Effort(order, bound) => write!(f, "effort{}{bound}", order.as_str()),
            Condition::Kind(kind) => write!(f, "kind={}", kind.as_str()),
            Condition::Label(label) => write!(f, "label={}", shown(label)),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(" & "))
    }
}

impl FromStr for Rule {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let conditions =
            text.split('&').map(|part| condition(part.trim()).ok_or_else(|| unknown(text, part)));
        let conditions = conditions.collect::<Result<Vec<_>, Fault>>()?;
        let stands_alone = |condition: &Condition| matches!(condition, Condition::Never | Condition::Always);
        if conditions.len() > 1 && conditions.iter().any(stands_alone) {
            return Err(unknown(text, "`all` and `none` stand alone"));
        }
        Ok(Rule { conditions })
    }
}

/// One condition; `None` if it is not one.
fn condition(text: &str) -> Option<Condition> {
    match text {
        "none" => return Some(Condition::Never),
        "all" => return Some(Condition::Always),
        _ => {}
    }
    let at = text.find(|c: char| !c.is_ascii_lowercase())?;
    let (key, rest) = text.split_at(at);
    let rest = rest.trim_start();
    let (order, value) = if let Some(value) = rest.strip_prefix("<=") {
        (Order::AtMost, value)
    } else if let Some(value) = rest.strip_prefix(">=") {
        (Order::AtLeast, value)
    } else {
        (Order::Exactly, rest.strip_prefix(['=', ':'])?)
    };
    let value = value.trim();
    match (key, order) {
        ("from", Order::Exactly) => value.parse().ok().map(Condition::From),
        ("kind", Order::Exactly) => value.parse().ok().map(Condition::Kind),
        ("label", Order::Exactly) if !value.is_empty() => Some(Condition::Label(value.to_owned())),
        ("priority", order) => value.parse().ok().map(|bound| Condition::Priority(order, bound)),
        ("effort", order) => value.parse().ok().map(|bound| Condition::Effort(order, bound)),
        _ => None,
    }
}

fn unknown(rule: &str, part: &str) -> Fault {
    let (rule, part) = (shown(rule), shown(part.trim()));
    let message = if rule == part {
        format!("`{rule}` is not a rule of acceptance")
    } else {
        format!("`{rule}` is not a rule of acceptance: `{part}`")
    };
    Fault::new(Code::InvalidValue, message).hint(
        "a rule is `none`, `all`, or `from:acme/web`, `priority<=low`, `effort<=S`, `kind=bug`, `label=docs`, joined by `&`",
    )
}

#[cfg(test)]
#[path = "auto/tests.rs"]
mod tests;
