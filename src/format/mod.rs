//! Text to domain types and back: the one place that knows how files look.
//!
//! Pure: bytes in, values out; no disk, no clock. Every reader is bounded in time and depth, because a file may
//! come from anybody. Files that persons edit are changed in place ([`edit`]), so that every byte that `swift`
//! does not own survives; the answer to a file that cannot be read is a `Malformed` with its line and column.

pub(crate) mod account;
mod array;
pub(crate) mod audit;
pub(crate) mod cases;
pub(crate) mod claude;
pub(crate) mod conflict;
#[cfg(test)]
mod corpus;
pub(crate) mod cursor;
pub(crate) mod date;
pub(crate) mod duration;
mod edit;
mod fields;
mod file;
pub(crate) mod hooks;
mod instant;
mod layout;
mod malformed;
mod plain;
pub(crate) mod policy;
mod quote;
pub(crate) mod registry;
pub(crate) mod routing;
pub(crate) mod run;
mod seen;
pub(crate) mod service;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod since;
mod syntax;
pub(crate) mod task;
pub(crate) mod template;
pub(crate) mod transcript;

pub(crate) use malformed::Malformed;
pub(crate) use task::{
    Document, Limits, ROOM, ROOM_OF_VERBS, fit_for_a_receipt, is_too_large, parse_summary,
};

/// A text as JSON.
fn quote_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Properties are checked in a moment, and leave no file behind. `PROPTEST_CASES` asks for more.
#[cfg(test)]
fn few_cases(cases: u32) -> proptest::test_runner::Config {
    let wished = proptest::test_runner::Config::default();
    let cases = cases.max(if wished.cases > 256 { wished.cases } else { 0 });
    proptest::test_runner::Config { cases, failure_persistence: None, ..wished }
}
