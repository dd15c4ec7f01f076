//! What the head of a task says about the model that it needs.

use std::fmt;
use std::str::FromStr;

use super::{Code, Fault, Tier};
use crate::domain::task::{Effort, Kind, Priority, Task};
use crate::domain::text::shown;

/// The fields that count beside the words; what is missing says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Option<Kind>,
    pub(crate) priority: Option<Priority>,
    pub(crate) effort: Option<Effort>,
    pub(crate) labels: Vec<String>,
    /// Asked for by name; this wins over all rules.
    pub(crate) tier: Option<Tier>,
    /// Asked for by name; this wins over the tier too.
    pub(crate) model: Option<Model>,
}

impl Head {
    /// The fields of a task.
    pub(crate) fn of(task: &Task) -> Head {
        Head {
            kind: Some(task.kind.clone()),
            priority: Some(task.priority),
            effort: Some(task.effort),
            labels: task.labels.clone(),
            tier: task.tier,
            model: task.model.clone(),
        }
    }

    /// The same, where what is given on the command line counts more.
    #[must_use]
    pub(crate) fn overridden(mut self, tier: Option<Tier>, model: Option<Model>) -> Head {
        if tier.is_some() || model.is_some() {
            (self.tier, self.model) = (tier, model);
        }
        self
    }
}

/// The name of a model: one word that no program takes for an option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Model(String);

impl Model {
    /// The name itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The tier that the name tells; `None` for a name that tells none.
    pub(crate) fn tier(&self) -> Option<Tier> {
        let mut parts = self.0.split(|c: char| !c.is_ascii_alphanumeric());
        parts.find_map(|part| part.parse().ok())
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Model {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let ok = text.len() <= 100
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:/@[]".contains(c));
        if ok {
            return Ok(Model(text.to_owned()));
        }
        Err(Fault::new(Code::InvalidValue, format!("`{}` cannot name a model", shown(text)))
            .hint("a model is named by one word, such as `sonnet` or `claude-sonnet-5-5`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_tells_its_tier_by_a_whole_part_of_its_name() {
        let tier = |name: &str| name.parse::<Model>().unwrap().tier();
        assert_eq!(tier("claude-opus-5-5"), Some(Tier::Opus));
        assert_eq!(tier("haiku"), Some(Tier::Haiku));
        assert_eq!(tier("us.anthropic.claude-sonnet-4:0"), Some(Tier::Sonnet));
        assert_eq!(tier("magnum-opusculum"), None);
        assert!("--dangerously".parse::<Model>().is_err());
        assert!("two words".parse::<Model>().is_err());
        assert!("".parse::<Model>().is_err());
    }
}
