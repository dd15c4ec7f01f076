//! What a run says while it goes on, one value for each thing that is worth telling.
//!
//! Texts are cut where they are read, so that an event is small however much was said.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answer::Told;
use super::usage::Use;

/// One thing that the stream told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The session began; written before the login is checked, so it proves nothing about that.
    Began {
        session: Option<String>,
        model: Option<String>,
        version: Option<String>,
        failed_servers: Vec<String>,
    },
    /// The model said something.
    Text(String),
    /// The model uses a tool: its name, and the part of its input that a person recognises.
    ToolUse { tool: String, input: String },
    /// What a message of the model has used.
    Used(Use),
    /// A tool answered.
    ToolDone { result: String, fault: bool },
    /// A tool was refused.
    Refused { tool: String },
    /// The program tries a request to the model again.
    Retrying { attempt: u64, status: Option<u16>, kind: Trouble },
    /// What is known of the account's usage limit.
    Limit(LimitNotice),
    /// A request to the model failed for good.
    ApiError { kind: Trouble, text: String },
    /// Another model answers than was asked.
    Fallback { to: String },
    /// The last word of a turn.
    Result(Box<ResultLine>),
    /// A kind of message that this version does not know, or has no use for.
    Other(String),
    /// A line that is no message.
    Noise(String),
    /// A line that was too long to be read.
    TooLong(u64),
}

/// A notice about the account's usage limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitNotice {
    /// Whether requests are turned away now; otherwise it is a warning.
    pub(crate) is_rejected: bool,
    pub(crate) resets_at: Option<Timestamp>,
    /// Which window it is, such as `five_hour`.
    pub(crate) window: Option<String>,
}

/// What is wrong between the program and the model, as far as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// 401 or 403: the login.
    Login,
    /// The account cannot pay.
    Billing,
    /// 429 that is no usage limit.
    RateLimit,
    /// 529.
    Overloaded,
    /// 500 to 599.
    Server,
    /// No answer at all.
    Connection,
    /// 404: the model is not known.
    UnknownModel,
    /// 400.
    BadRequest,
    /// Anything else.
    Unknown,
}

impl Trouble {
    /// From the word that Claude Code uses and the status of the response, either of which may be missing.
    pub(crate) fn of(word: Option<&str>, status: Option<u16>) -> Trouble {
        match (word, status) {
            (Some("billing_error" | "account_on_hold"), _) | (_, Some(402)) => Trouble::Billing,
            (
                Some(
                    "authentication_failed"
                    | "oauth_org_not_allowed"
                    | "verification_required"
                    | "cloud_credential_error",
                ),
                _,
            )
            | (_, Some(401 | 403)) => Trouble::Login,
            (Some("model_not_found"), _) | (_, Some(404)) => Trouble::UnknownModel,
            (Some("overloaded"), _) | (_, Some(529)) => Trouble::Overloaded,
            (Some("rate_limit"), _) | (_, Some(429)) => Trouble::RateLimit,
            (_, Some(500..=599)) => Trouble::Server,
            (Some("server_error"), None) => Trouble::Connection,
            (Some("invalid_request"), _) | (_, Some(400..=499)) => Trouble::BadRequest,
            _ => Trouble::Unknown,
        }
    }
}

/// The `result` line of a turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ResultLine {
    pub(crate) subtype: Option<String>,
    pub(crate) is_error: Option<bool>,
    pub(crate) terminal_reason: Option<String>,
    pub(crate) stop_reason: Option<String>,
    /// The final text, or the text of an error.
    pub(crate) text: Option<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) api_status: Option<u16>,
    /// The limit that an error tells of.
    pub(crate) is_usage_limit: bool,
    pub(crate) turns: Option<u64>,
    /// In US dollars, over the whole session as far as the program knows it.
    pub(crate) session_cost: Option<f64>,
    pub(crate) tokens: Tokens,
    /// The same by model, over the whole session.
    pub(crate) models: BTreeMap<String, Tokens>,
    pub(crate) denials: Vec<Denial>,
    pub(crate) answer: Told,
    pub(crate) session: Option<String>,
}

impl ResultLine {
    /// The word for how it ended. A request that the servers refused has `success` there, and is told as an error beside it.
    pub(crate) fn told_as(&self) -> Option<&str> {
        let word = self.subtype.as_deref();
        if self.is_error == Some(true) && word.is_none_or(|word| word == "success") {
            return Some("error");
        }
        word
    }
}

/// A tool that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) tool: String,
    /// The part of its input that a person recognises.
    pub(crate) input: String,
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
}

impl Tokens {
    /// What is more here than there; counts that fell count from nothing.
    pub(crate) fn since(self, before: Tokens) -> Tokens {
        let fell = self.input < before.input
            || self.output < before.output
            || self.cache_read < before.cache_read
            || self.cache_write < before.cache_write;
        let before = if fell { Tokens::default() } else { before };
        Tokens {
            input: self.input - before.input,
            output: self.output - before.output,
            cache_read: self.cache_read - before.cache_read,
            cache_write: self.cache_write - before.cache_write,
        }
    }

    /// Of each count the higher one.
    pub(crate) fn most(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write: self.cache_write.max(other.cache_write),
        }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
        }
    }
}
