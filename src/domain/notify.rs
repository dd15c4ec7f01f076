//! What a person wants to be told of, and by which program.

use std::str::FromStr;

use jiff::SignedDuration;

use super::event::EventKind;
use super::fault::{Code, Fault};
use super::text::shown;

/// The notifier of an orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notify {
    /// Program and arguments; empty: nobody is told.
    pub(crate) command: Vec<String>,
    /// What it is started for; empty: every event.
    pub(crate) kinds: Vec<KindPattern>,
    /// After how long it is ended.
    pub(crate) deadline: SignedDuration,
}

impl Default for Notify {
    fn default() -> Self {
        Notify { command: Vec::new(), kinds: Vec::new(), deadline: SignedDuration::from_secs(10) }
    }
}

impl Notify {
    /// Whether it is started for events of this kind.
    pub(crate) fn wants(&self, kind: EventKind) -> bool {
        !self.command.is_empty()
            && (self.kinds.is_empty() || self.kinds.iter().any(|pattern| pattern.fits(kind)))
    }
}

/// One kind of events, or all whose names begin alike: `task.done`, `task.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindPattern {
    One(EventKind),
    /// Those of the same family as this one.
    Family(EventKind),
}

impl KindPattern {
    fn fits(self, kind: EventKind) -> bool {
        match self {
            KindPattern::One(one) => one == kind,
            KindPattern::Family(one) => family(one) == family(kind),
        }
    }
}

/// What stands before the dot.
fn family(kind: EventKind) -> &'static str {
    kind.as_str().split('.').next().unwrap_or_default()
}

impl FromStr for KindPattern {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if let Some(wanted) = text.strip_suffix(".*")
            && let Some(kind) = EventKind::ALL.iter().find(|kind| family(**kind) == wanted)
        {
            return Ok(KindPattern::Family(*kind));
        }
        text.parse().map(KindPattern::One).map_err(|_| {
            Fault::new(Code::InvalidValue, format!("`{}` is not an event kind", shown(text)))
                .hint("an event kind is such as `task.done`, or `task.*` for all of that family")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_chosen_by_name_or_by_family() {
        let notify = |kinds: &[&str]| Notify {
            command: vec!["x".to_owned()],
            kinds: kinds.iter().map(|kind| kind.parse().unwrap()).collect(),
            ..Notify::default()
        };
        assert!(notify(&[]).wants(EventKind::TaskDone));
        assert!(notify(&["task.done"]).wants(EventKind::TaskDone));
        assert!(!notify(&["task.done"]).wants(EventKind::TaskDead));
        assert!(notify(&["session.*", "task.*"]).wants(EventKind::TaskDead));
        assert!(!notify(&["task.*"]).wants(EventKind::SessionStarted));
        assert!(!Notify::default().wants(EventKind::TaskDone), "without a command nobody is told");
        for wrong in ["", "*", "task", "task.", "tas.*", "task.imagined"] {
            assert!(wrong.parse::<KindPattern>().is_err(), "{wrong}");
        }
    }
}
