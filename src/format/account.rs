//! `account.toml`: the circuit breakers of this machine's accounts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::instant::{Recorded, to_toml};
use super::quote::string;
use super::syntax;
use crate::domain::run::breaker::Breaker;

/// Which breaker: a hash that stands for an account, and a model; without one, the whole account.
pub(crate) type Key = (String, Option<String>);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    breaker: Vec<Table>,
}

#[derive(Deserialize)]
struct Table {
    account: String,
    model: Option<String>,
    #[serde(default)]
    failures: u32,
    #[serde(default)]
    openings: u32,
    open_until: Option<Recorded>,
    probing_since: Option<Recorded>,
    held: Option<String>,
    why: Option<String>,
}

/// The text of the file. Breakers that are as new are left out.
pub(crate) fn render(breakers: &BTreeMap<Key, Breaker>) -> String {
    let mut text = String::from(
        "# Written by swift: circuit breakers. Removing the file closes them all.\nschema = 1\n",
    );
    for ((account, model), breaker) in breakers.iter().filter(|(_, breaker)| **breaker != Breaker::default())
    {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[[breaker]]\naccount = {}\n", string(account));
        if let Some(model) = model {
            let _ = writeln!(text, "model = {}", string(model));
        }
        let _ = write!(text, "failures = {}\nopenings = {}\n", breaker.failures, breaker.openings);
        if let Some(until) = breaker.open_until {
            let _ = writeln!(text, "open_until = {}", to_toml(until));
        }
        if let Some(since) = breaker.probing_since {
            let _ = writeln!(text, "probing_since = {}", to_toml(since));
        }
        if let Some(held) = &breaker.held {
            let _ = writeln!(text, "held = {}", string(held));
        }
        if let Some(why) = &breaker.why {
            let _ = writeln!(text, "why = {}", string(why));
        }
    }
    text
}

/// What the file says; a file that cannot be read says nothing, because it may be removed at any time.
pub(crate) fn parse(text: &str) -> BTreeMap<Key, Breaker> {
    let file = syntax::read(text).unwrap_or(File { breaker: Vec::new() });
    let instant = |at: Option<Recorded>| at.map(|at| at.0);
    let one = |table: Table| {
        let breaker = Breaker {
            failures: table.failures,
            openings: table.openings,
            open_until: instant(table.open_until),
            probing_since: instant(table.probing_since),
            held: table.held,
            why: table.why,
        };
        ((table.account, table.model), breaker)
    };
    file.breaker.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let mut all = BTreeMap::new();
        all.insert(("a".to_owned(), None), Breaker { held: Some("x\n\"y".to_owned()), ..Breaker::default() });
        let open = Breaker {
            failures: 5,
            openings: 1,
            open_until: Some(at),
            probing_since: Some(at),
            held: None,
            why: Some("the limit is reached".to_owned()),
        };
        all.insert(("a".to_owned(), Some("opus".to_owned())), open);
        assert_eq!(parse(&render(&all)), all);
        assert_eq!(parse("nonsense ="), BTreeMap::new());
    }
}
