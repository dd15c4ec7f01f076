//! Who caused something: a person, an agent, the watcher. A name, no credential.

use std::fmt;
use std::str::FromStr;

use super::fault::{Code, Fault};
use super::text::shown;

/// A name of at most 100 visible characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Actor(String);

impl Actor {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Actor {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > 100 || shown(trimmed) != trimmed {
            return Err(Fault::new(Code::InvalidValue, format!("`{}` cannot name an actor", shown(text)))
                .hint("set `SWIFT_ACTOR` to a short name such as `alice` or `builder-1`"));
        }
        Ok(Actor(trimmed.to_owned()))
    }
}
