//! The form in which a run is asked to answer.

use crate::domain::task::words;
use std::fmt;
use std::str::FromStr;

use crate::domain::fault::{Code, Fault};
use crate::domain::text::shown;

words! {
    /// How a run says that it ended.
    Claim, "a status";
    /// The work is done.
    Done = "done";
    /// A stronger model should do it.
    NeedsStrongerModel = "needs_stronger_model";
    /// A person has to decide something first.
    NeedsPerson = "needs_person";
}

/// What a run says of itself. It is heard, and weighed against what can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) claim: Claim,
    pub(crate) summary: String,
    /// Why a stronger model or a person is needed.
    pub(crate) reason: Option<String>,
}

/// The JSON schema of the answer, for the command line of Claude Code.
pub(crate) const SCHEMA: &str = r#"{"type":"object","properties":{"status":{"type":"string","enum":["done","needs_stronger_model","needs_person"]},"summary":{"type":"string","description":"What was done and found, in a few sentences"},"reason":{"type":"string","description":"Unless done: what is in the way, and what was found so far"}},"required":["status","summary"]}"#;
