//! The circuit breakers of accounts and models.

use std::fmt::Write as _;

use serde::Serialize;

use super::{count, moment};
use crate::domain::run::breaker::State;
use crate::domain::text::shown;
use crate::ops::run::account::Seen;

/// The circuit breaker of an account, or of one of its models.
#[derive(Debug, Serialize)]
pub(crate) struct BreakerRow {
    /// A hash that stands for the account.
    account: String,
    /// Whether that is the account that would be asked from here.
    own: bool,
    model: Option<String>,
    /// `closed`, `open` or `half-open`.
    state: &'static str,
    /// When an open one lets one run try; nobody knows where a person has to look first.
    until: Option<String>,
    /// What a person has to look at before anything is started.
    held: Option<String>,
    /// Why it rests, where that was told: a usage limit, for example.
    why: Option<String>,
    /// Failures in a row.
    failures: u32,
}

impl BreakerRow {
    fn new(seen: &Seen) -> BreakerRow {
        let until = match seen.state {
            State::Open(until) => until.map(|until| until.to_string()),
            State::Closed | State::HalfOpen => None,
        };
        BreakerRow {
            account: seen.account.clone(),
            own: seen.is_own,
            model: seen.model.clone(),
            state: seen.state.word(),
            until,
            held: seen.breaker.held.clone(),
            why: seen.breaker.why.clone(),
            failures: seen.breaker.failures,
        }
    }

    fn line(&self, out: &mut String) {
        let what = match &self.model {
            Some(model) => format!("runs of model {}", shown(model)),
            None => "runs".to_owned(),
        };
        let said = match (self.state, &self.until) {
            ("open", Some(until)) => format!("open, nothing is started before {}", moment(until)),
            ("open", None) => "open, nothing is started before a person has looked".to_owned(),
            ("half-open", _) => "half-open, one run may try".to_owned(),
            _ => format!("closed, {} in a row", count(self.failures as usize, "failure")),
        };
        let why = self.held.as_deref().or(self.why.as_deref()).filter(|_| self.state != "closed");
        let why = why.map(|why| format!(": {}", shown(why))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{what}: {said}{why}");
    }
}

/// The rows of all that are known.
pub(crate) fn rows(seen: &[Seen]) -> Vec<BreakerRow> {
    seen.iter().map(BreakerRow::new).collect()
}

/// Those that hold something back here, or are about to. Those of another login, which may be gone for good, are for
/// scripts.
pub(super) fn text(rows: &[BreakerRow], out: &mut String) {
    for row in rows.iter().filter(|row| row.own && (row.state != "closed" || row.failures > 0)) {
        row.line(out);
    }
}
