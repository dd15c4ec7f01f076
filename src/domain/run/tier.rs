//! How strong a model is asked for, and the choice of one with its reasons.

pub(crate) use crate::domain::route::Tier;

impl Tier {
    /// The next stronger one.
    pub(crate) fn stronger(self) -> Option<Tier> {
        match self {
            Tier::Haiku => Some(Tier::Sonnet),
            Tier::Sonnet => Some(Tier::Opus),
            Tier::Opus => None,
        }
    }
}

/// Which tier a run gets, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) tier: Tier,
    /// The model as the command line takes it, if the person named one.
    pub(crate) model: Option<String>,
    /// What decided: `asked`, `escalation`, the name of a rule, or `fallback`.
    pub(crate) rule: String,
    pub(crate) reasons: Vec<String>,
}

impl Choice {
    /// What is given to `--model`.
    pub(crate) fn model(&self) -> &str {
        self.model.as_deref().unwrap_or(self.tier.as_str())
    }
}
