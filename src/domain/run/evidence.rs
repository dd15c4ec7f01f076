//! Everything that a judgement rests on.

use jiff::Zoned;

use super::answer::AnswerForm;
use super::event::{Event, LimitNotice, ResultLine, Trouble};
use super::usage::Usage;

/// How the process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// Killed, and the kernel says that memory had run out.
    OutOfMemory,
    /// Nobody saw it end.
    Unknown,
    /// It never began.
    NeverStarted,
}

/// Why the run ended when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It ended by itself.
    OfItself,
    /// The time given was over.
    TimedOut,
    /// It said nothing for too long.
    Silent,
    /// A person stopped it.
    Cancelled,
    /// The task's lease was lost to somebody else.
    LeaseLost,
    /// The stream told of something that waiting does not mend, such as a refused login.
    Hopeless,
}

/// What a verifier said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The command as it is in the policy.
    pub(crate) command: Vec<String>,
    pub(crate) passed: bool,
    /// How it ended, in words: `exit 1`, `timed out after 10m`.
    pub(crate) ended: String,
    /// The end of what it said.
    pub(crate) said: String,
}

/// What has to be there when a run is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// A change of files.
    Diff,
    /// A text.
    Text,
    /// Either.
    Something,
}

/// What was asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) due: Due,
    pub(crate) form: AnswerForm,
}

/// What a run left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Product {
    /// Whether the branch differs from where a person last looked at it, or where it began: what attempts that came to no
    /// end have left there is work, too.
    pub(crate) has_diff: bool,
}

/// What is known of a program when nothing of it lives any more, and before that what has been heard so far.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) exit: Exit,
    pub(crate) end: End,
    /// The last result line.
    pub(crate) result: Option<ResultLine>,
    /// What the stream told of use as it went on.
    pub(crate) usage: Usage,
    /// The last notice about a usage limit.
    pub(crate) limit: Option<LimitNotice>,
    /// The last trouble between the program and the model.
    pub(crate) trouble: Option<Trouble>,
    /// Tools that were refused, as the stream told.
    pub(crate) refused: Vec<String>,
    /// The end of a text stream: stderr, and stdout where that is text.
    pub(crate) said: String,
    /// Descendants that outlived the program and were ended.
    pub(crate) leftovers: u32,
}

impl Default for Finished {
    /// Before anything happened.
    fn default() -> Finished {
        Finished {
            exit: Exit::NeverStarted,
            end: End::OfItself,
            result: None,
            usage: Usage::default(),
            limit: None,
            trouble: None,
            refused: Vec::new(),
            said: String::new(),
            leftovers: 0,
        }
    }
}

impl Finished {
    /// It never began, because of this.
    pub(crate) fn never(why: impl Into<String>) -> Finished {
        Finished { said: why.into(), ..Finished::default() }
    }

    /// Take in what the stream told. Of several results the last counts.
    pub(crate) fn hear(&mut self, event: &Event) {
        self.usage.hear(event);
        match event {
            Event::Result(result) => self.result = Some((**result).clone()),
            Event::Limit(notice) => self.limit = Some(notice.clone()),
            Event::ApiError { kind, .. } | Event::Retrying { kind, .. } => self.trouble = Some(*kind),
            Event::Refused { tool } => self.refused.push(tool.clone()),
            // The model answers again: what was wrong is over.
            Event::Text(_) | Event::ToolUse { .. } => self.trouble = None,
            _ => {}
        }
    }

    /// Whether the stream told of something that no waiting mends.
    pub(crate) fn is_hopeless(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Login | Trouble::Billing))
    }
}

/// The facts of one run.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) finished: Finished,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) expected: Expected,
    pub(crate) product: Product,
    /// When this is judged, on the machine's clock: texts tell a time of day.
    pub(crate) now: Zoned,
}

impl Evidence {
    /// What the program itself has shown; nobody has looked at its work yet.
    pub(crate) fn of(finished: Finished, expected: Expected, now: Zoned) -> Evidence {
        Evidence { finished, verdicts: Vec::new(), expected, product: Product::default(), now }
    }
}
