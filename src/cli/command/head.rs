//! Arguments that several verbs have: the fields of a task's head that say how it is worked on, given when a task is
//! written and when a text that is no task yet is routed; and reasons.

use clap::Args;

use crate::domain::fault::{Code, Fault};
use crate::domain::route::{Head, Model, Tier};
use crate::domain::task::{Effort, Kind, Priority};

/// Fields of the head, as arguments.
#[derive(Args)]
pub(super) struct HeadArguments {
    /// feature, bug, task, question, or a word of your own
    #[arg(long, short = 'k', value_name = "KIND")]
    pub(super) kind: Option<Kind>,
    /// low, medium, high or critical
    #[arg(long, short = 'p', value_name = "PRIORITY")]
    pub(super) priority: Option<Priority>,
    /// S, M, L or XL
    #[arg(long, short = 'e', value_name = "EFFORT")]
    pub(super) effort: Option<Effort>,
    /// A label; may be given several times, or as `one,two`
    #[arg(long = "label", short = 'l', value_name = "LABEL", value_delimiter = ',')]
    pub(super) labels: Vec<String>,
    /// The tier of the model that is to work on it: haiku, sonnet or opus (default: as `swift route` decides)
    #[arg(long, value_name = "TIER")]
    pub(super) tier: Option<Tier>,
    /// The model that is to work on it, by name
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<Model>,
}

impl From<HeadArguments> for Head {
    fn from(given: HeadArguments) -> Head {
        let HeadArguments { kind, priority, effort, labels, tier, model } = given;
        Head { kind, priority, effort, labels, tier, model }
    }
}

/// A reason that is given to somebody: not an empty one.
///
/// # Errors
/// [`Code::InvalidValue`].
pub(super) fn reason(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(Code::InvalidValue, "a reason has to say something"));
    }
    Ok(text.to_owned())
}
