//! A task: what is asked, and how far it has come.
//!
//! The folder says in which part of its life a task is ([`Folder`]); the head says the rest. [`Task::state`] puts
//! the two together with the time of day, which alone decides whether a lease or a deferral has run out.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::actor::Actor;
use super::fault::{Code, Fault};
use super::id::TaskId;
use super::lease::Lease;
use super::project::{ProjectId, ProjectName};
use super::route::{Model, Tier};
use super::text::shown;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal; $($(#[doc = $doc:literal])+ $variant:ident = $text:literal $(| $other:literal)*;)+) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub(crate) const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word in files and on the screen.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        // Not every list of words is enumerated; this counts as a use.
        const _: &[$name] = $name::ALL;

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Result<Self, Fault> {
                $(if text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($other))* {
                    return Ok($name::$variant);
                })+
                let known = [$($text,)+].join("`, `");
                Err(Fault::new(Code::InvalidValue, format!("`{}` is not {}", shown(text), $what))
                    .hint(format!("one of `{known}`")))
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How much it matters; the order is the order of the variants.
    Priority, "a priority";
    /// When nothing else is to be done.
    Low = "low";
    /// The usual.
    Medium = "medium" | "normal";
    /// Before the usual.
    High = "high";
    /// Before everything.
    Critical = "critical" | "urgent";
}

words! {
    /// How much work it is.
    Effort, "an effort";
    /// An hour or two.
    S = "S";
    /// Half a day.
    M = "M";
    /// A day or two.
    L = "L";
    /// More.
    Xl = "XL";
}

words! {
    /// The part of its life that a task is in, told by the folder that its file lies in.
    Folder, "a folder of the queue";
    /// Waits to be carried to another project.
    Outbox = "outbox";
    /// Arrived from another project, not yet accepted.
    Inbox = "inbox";
    /// Accepted, not finished.
    Tasks = "tasks";
    /// The sender's record of a delivered task.
    Sent = "sent";
    /// Finished: done or refused.
    Done = "done";
    /// Given up, with a reason.
    Dead = "dead";
}

words! {
    /// The state of a task as people and scripts see it.
    State, "a state";
    /// Waits in the sender's outbox.
    Outbox = "outbox";
    /// The sender's record of a task that somebody else has.
    Sent = "sent";
    /// Waits in the receiver's inbox for a yes or no.
    Inbox = "inbox";
    /// Accepted and free to be claimed.
    Ready = "ready";
    /// Somebody works on it.
    Claimed = "claimed";
    /// Somebody said that it cannot go on.
    Blocked = "blocked";
    /// Put off until a date.
    Deferred = "deferred";
    /// Finished.
    Done = "done";
    /// The receiver said no.
    Refused = "refused";
    /// Given up, with a reason.
    Dead = "dead";
    /// No longer there.
    Gone = "gone";
}

/// What sort of work it is: one of the known kinds, or a word of the person's own; copies share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(Arc<str>);

impl Kind {
    /// The word itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Kind {
    fn default() -> Self {
        Kind("task".into())
    }
}

impl FromStr for Kind {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let ok = !text.is_empty()
            && text.len() <= 40
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if ok {
            return Ok(Kind(text.to_ascii_lowercase().into()));
        }
        Err(Fault::new(Code::InvalidValue, format!("`{}` is not a kind", shown(text)))
            .hint("a kind is one word, such as `feature`, `bug`, `task` or `question`"))
    }
}

/// A task that has to be finished first: an id, with the project if it is not the own one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Dependency {
    /// `None`: this project, or the one that the task is from; or a task that either has sent.
    pub(crate) project: Option<ProjectName>,
    pub(crate) task: TaskId,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.project {
            Some(project) => write!(f, "{project}#{}", self.task),
            None => write!(f, "{}", self.task),
        }
    }
}

impl FromStr for Dependency {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let (project, task) = match text.rsplit_once(['#', ':']) {
            Some((project, task)) => (Some(project.parse()?), task),
            None => (None, text),
        };
        Ok(Dependency { project, task: task.parse()? })
    }
}

/// How a task ended, written where it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// [`State::Done`], [`State::Refused`] or [`State::Dead`].
    pub(crate) state: State,
    pub(crate) at: Timestamp,
    pub(crate) by: Option<Actor>,
    /// The result, or the reason.
    pub(crate) note: Option<String>,
}

/// How far a sent task has come, as far as the sender knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) stage: Stage,
    pub(crate) at: Timestamp,
    /// The project that has it.
    pub(crate) by: Option<ProjectId>,
    /// The reason of a refusal, the result of finished work.
    pub(crate) note: Option<String>,
}

words! {
    /// The stages that a receipt can tell, in the order in which they come.
    Stage, "a stage of delivery";
    /// Lies in the receiver's inbox.
    Delivered = "delivered";
    /// The receiver said yes.
    Accepted = "accepted";
    /// The receiver said no.
    Refused = "refused";
    /// The receiver finished it.
    Done = "done";
    /// The receiver, or the carrier, gave it up.
    Dead = "dead";
}

impl Stage {
    /// Whether nothing more can come.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Stage::Refused | Stage::Done | Stage::Dead)
    }
}

/// The most characters of a title.
pub(crate) const LONGEST_TITLE: usize = 500;

/// The most characters of a label.
pub(crate) const LONGEST_LABEL: usize = 100;

/// Refuse what cannot be a title: nothing, several lines, too much.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn valid_title(text: &str) -> Result<(), Fault> {
    one_line(text, "a title", LONGEST_TITLE)
}

/// Refuse what cannot be a label.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn valid_label(text: &str) -> Result<(), Fault> {
    one_line(text, "a label", LONGEST_LABEL)
}

fn one_line(text: &str, what: &str, longest: usize) -> Result<(), Fault> {
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let rule = if text.trim().is_empty() {
        "cannot be empty".to_owned()
    } else if text.contains(breaks) {
        "has to be one line".to_owned()
    } else if text.chars().count() > longest {
        format!("has at most {longest} characters")
    } else {
        return Ok(());
    };
    Err(Fault::new(Code::InvalidValue, format!("{what} {rule}")))
}

/// The head of a task file, checked; the body stays text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// `None` in a file written by hand that no verb has touched yet.
    pub(crate) id: Option<TaskId>,
    pub(crate) title: String,
    pub(crate) from: Option<ProjectId>,
    pub(crate) to: Option<ProjectName>,
    pub(crate) kind: Kind,
    pub(crate) priority: Priority,
    pub(crate) effort: Effort,
    pub(crate) labels: Vec<String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) after: Vec<Dependency>,
    pub(crate) due: Option<Date>,
    /// How strong a model has to work on it, if the writer says so.
    pub(crate) tier: Option<Tier>,
    /// Which model has to work on it, if the writer says so.
    pub(crate) model: Option<Model>,
    /// The highest fencing token ever given out for this task; 0 before the first claim.
    pub(crate) token: u64,
    /// How often work on it failed.
    pub(crate) attempts: u32,
    pub(crate) lease: Option<Lease>,
    /// Why it cannot go on.
    pub(crate) blocked: Option<String>,
    pub(crate) defer_until: Option<Timestamp>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) ending: Option<Ending>,
}

impl Task {
    /// A task with nothing but a title.
    pub(crate) fn titled(title: impl Into<String>) -> Self {
        Task {
            id: None,
            title: title.into(),
            from: None,
            to: None,
            kind: Kind::default(),
            priority: Priority::Medium,
            effort: Effort::M,
            labels: Vec::new(),
            created: None,
            after: Vec::new(),
            due: None,
            tier: None,
            model: None,
            token: 0,
            attempts: 0,
            lease: None,
            blocked: None,
            defer_until: None,
            receipt: None,
            ending: None,
        }
    }

    /// The task as it was asked for: nothing of what became of it elsewhere. A task's own text never claims, blocks,
    /// finishes or receipts anything. Named here is what stays, so that a new key of progress does not.
    #[must_use]
    pub(crate) fn without_progress(self) -> Self {
        let Task {
            id,
            title,
            from,
            to,
            kind,
            priority,
            effort,
            labels,
            created,
            after,
            due,
            tier,
            model,
            ..
        } = self;
        let asked = Task::titled(title);
        Task { id, from, to, kind, priority, effort, labels, created, after, due, tier, model, ..asked }
    }

    /// The state, given the folder and the time. An expired lease counts as none.
    pub(crate) fn state(&self, folder: Folder, now: Timestamp) -> State {
        match folder {
            Folder::Outbox => State::Outbox,
            Folder::Sent => State::Sent,
            Folder::Inbox if self.is_deferred(now) => State::Deferred,
            Folder::Inbox => State::Inbox,
            Folder::Dead => State::Dead,
            Folder::Done => self.ending.as_ref().map_or(State::Done, |e| e.state),
            Folder::Tasks if self.held(now).is_some() => State::Claimed,
            Folder::Tasks if self.blocked.is_some() => State::Blocked,
            Folder::Tasks if self.is_deferred(now) => State::Deferred,
            Folder::Tasks => State::Ready,
        }
    }

    /// The lease that holds the task now.
    pub(crate) fn held(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| !lease.is_expired(now))
    }

    fn is_deferred(&self, now: Timestamp) -> bool {
        self.defer_until.is_some_and(|until| until > now)
    }

    /// Whether the due date has passed.
    pub(crate) fn is_overdue(&self, today: Date) -> bool {
        self.due.is_some_and(|due| due < today)
    }
}
