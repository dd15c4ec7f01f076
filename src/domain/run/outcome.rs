//! The one way in which a run ended.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::domain::fault::{Code, Fault};
use crate::domain::task::words;
use crate::domain::text::shown;

words! {
    /// Why a run failed.
    Failure, "a failure";
    /// The program could not be started.
    Start = "start";
    /// 401 or 403.
    Login = "login";
    /// The account cannot pay.
    Billing = "billing";
    /// Too many requests, without a time at which they are welcome again.
    RateLimit = "rate-limit";
    /// The model's servers have too much to do.
    Overloaded = "overloaded";
    /// The model's servers failed.
    Server = "server";
    /// No connection, or it broke.
    Connection = "connection";
    /// The model is not known.
    UnknownModel = "unknown-model";
    /// The request was refused as wrong.
    BadRequest = "bad-request";
    /// The model refused to answer.
    Refusal = "refusal";
    /// The turns ran out.
    MaxTurns = "max-turns";
    /// The money for this run ran out.
    Budget = "budget";
    /// The prompt is too long for the model.
    PromptTooLong = "prompt-too-long";
    /// The answer never had the form that was asked.
    AnswerForm = "answer-form";
    /// Something failed while it worked.
    Execution = "execution";
    /// The program ended by itself with an error and without a result.
    Crash = "crash";
    /// Killed by a signal that `swift` did not send; the kernel does that when memory runs out.
    Killed = "killed";
    /// The program ended as if all were well and gave no result.
    NoResult = "no-result";
    /// It says that a stronger model is needed.
    NeedsStrongerModel = "needs-stronger-model";
    /// A verifier says no.
    Verifier = "verifier";
    /// The work could not be kept in git.
    Worktree = "worktree";
}

/// How a run ended; exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    /// As completed, but there is nothing to show where something was due.
    WithoutResult,
    /// Tools were refused.
    Denied,
    /// A person has to decide something first.
    Blocked,
    Failed(Failure),
    TimedOut,
    /// Somebody stopped it.
    Cancelled,
    /// It was cut off: by a signal, by the end of `swift`, by the loss of its lease.
    Interrupted,
    /// The account's usage limit is reached; until when, if that was told.
    Limit(Option<Timestamp>),
}

impl Outcome {
    /// The word in files and documents.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::WithoutResult => "completed-without-result",
            Outcome::Denied => "denied",
            Outcome::Blocked => "blocked",
            Outcome::Failed(_) => "failed",
            Outcome::TimedOut => "timed-out",
            Outcome::Cancelled => "cancelled",
            Outcome::Interrupted => "interrupted",
            Outcome::Limit(_) => "limit",
        }
    }

    /// Every word, for reading files.
    pub(crate) fn parse(word: &str, failure: Option<Failure>, until: Option<Timestamp>) -> Option<Outcome> {
        Some(match word {
            "completed" => Outcome::Completed,
            "completed-without-result" => Outcome::WithoutResult,
            "denied" => Outcome::Denied,
            "blocked" => Outcome::Blocked,
            "failed" => Outcome::Failed(failure?),
            "timed-out" => Outcome::TimedOut,
            "cancelled" => Outcome::Cancelled,
            "interrupted" => Outcome::Interrupted,
            "limit" => Outcome::Limit(until),
            _ => return None,
        })
    }

    /// The kind of failure, if it is one.
    pub(crate) fn failure(self) -> Option<Failure> {
        match self {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::WithoutResult => f.write_str("completed without result"),
            Outcome::Failed(failure) => write!(f, "failed ({failure})"),
            Outcome::TimedOut => f.write_str("timed out"),
            Outcome::Limit(Some(until)) => write!(f, "limit (until {until})"),
            other => f.write_str(other.word()),
        }
    }
}
