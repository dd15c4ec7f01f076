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

/// Whether a run has to answer in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    Free,
    Status,
}

/// What came of the wish that a run answers in a form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Told {
    /// No answer in a form: it was not asked for, or the model never gave one, which Claude Code counts as success.
    #[default]
    Nothing,
    /// An answer that does not have the form.
    Malformed,
    Answer(Answer),
}

impl Told {
    /// The answer, if there is one in the right form.
    pub(crate) fn given(&self) -> Option<&Answer> {
        match self {
            Told::Answer(answer) => Some(answer),
            Told::Nothing | Told::Malformed => None,
        }
    }
}

/// The JSON schema of the answer, for the command line of Claude Code.
pub(crate) const SCHEMA: &str = r#"{"type":"object","properties":{"status":{"type":"string","enum":["done","needs_stronger_model","needs_person"]},"summary":{"type":"string","description":"What was done and found, in a few sentences"},"reason":{"type":"string","description":"Unless done: what is in the way, and what was found so far"}},"required":["status","summary"]}"#;
