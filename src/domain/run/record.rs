//! The record of a run: written before it starts, completed when it has ended.

use jiff::Timestamp;

use super::event::Denial;
use super::evidence::Verdict;
use super::outcome::Outcome;
use super::spend::Spend;
use super::tier::Choice;
use crate::domain::actor::Actor;
use crate::domain::id::{RunId, TaskId};

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// `None` for a prompt without a task.
    pub(crate) task: Option<TaskId>,
    pub(crate) title: String,
    /// Its ordinal among the runs of its task.
    pub(crate) attempt: u32,
    /// The run that this one follows: a retry, an escalation, a resumption.
    pub(crate) follows: Option<RunId>,
    pub(crate) actor: Actor,
    /// The fencing token under which it holds its task.
    pub(crate) token: Option<u64>,
    /// SHA-256 of the prompt.
    pub(crate) request: String,
    pub(crate) choice: Choice,
    /// The session of Claude Code.
    pub(crate) session: String,
    /// Whether the session was there before.
    pub(crate) resumed: bool,
    /// The branch that it works on and the commit that the branch began at; none for a run that changes nothing.
    pub(crate) branch: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) started_at: Timestamp,
    /// `None` while it runs.
    pub(crate) ending: Option<RunEnding>,
    /// What a person decided about its work.
    pub(crate) review: Option<Review>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunEnding {
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) reasons: Vec<String>,
    /// The model that answered.
    pub(crate) model: Option<String>,
    pub(crate) turns: u64,
    pub(crate) spend: Spend,
    /// What it said at the end.
    pub(crate) summary: String,
    pub(crate) denials: Vec<Denial>,
    pub(crate) verdicts: Vec<Verdict>,
    /// Commits on its branch that it made, oldest first; if it made none and found the work done by attempts that came to
    /// no end, theirs.
    pub(crate) commits: Vec<String>,
    /// What is otherwise at branches that are not its own since it began, in words.
    pub(crate) moved: Vec<String>,
    /// Descendants that had to be ended after it.
    pub(crate) leftovers: u32,
}

/// What a person decided about the work of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Review {
    pub(crate) at: Timestamp,
    pub(crate) by: Actor,
    pub(crate) decision: Decision,
}

/// The decision itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Merged, as this commit.
    Merged(String),
    /// Sent back, for this reason.
    Rejected(String),
}

impl Run {
    /// The outcome; `None` while it runs.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.ending.as_ref().map(|ending| ending.outcome)
    }

    /// Why a person has sent its work back, if they have.
    pub(crate) fn sent_back_because(&self) -> Option<&str> {
        match &self.review.as_ref()?.decision {
            Decision::Rejected(why) => Some(why),
            Decision::Merged(_) => None,
        }
    }
}
