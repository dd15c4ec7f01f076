//! Who a project is: a stable id, and the names that persons gave it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::fault::{Code, Fault};
use super::text::shown;

/// The longest project id or alias, in bytes.
const LONGEST: usize = 100;

/// `org/name`: two to four parts of letters, digits, `.`, `_` and `-`; compared exactly. Thousands of tasks have the
/// same one, so copies share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProjectId(Arc<str>);

impl ProjectId {
    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as one file-name part; `__` stands for `/` (a part cannot contain it).
    pub(crate) fn file_stem(&self) -> String {
        self.0.replace('/', "__")
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectId {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let parts = text.split('/').count();
        if (2..=4).contains(&parts) && is_name(text) {
            return Ok(ProjectId(text.into()));
        }
        Err(Fault::new(Code::InvalidValue, format!("`{}` is not a project id", shown(text)))
            .hint("a project id looks like `acme/api`: letters, digits, `.`, `_`, `-`"))
    }
}

/// A name that may stand for a project: an id or an alias. Which project it is, only a registry can tell.
/// Copies share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProjectName(Arc<str>);

impl ProjectName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&ProjectId> for ProjectName {
    fn from(id: &ProjectId) -> Self {
        ProjectName(Arc::clone(&id.0))
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProjectName {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if is_name(text) {
            return Ok(ProjectName(text.into()));
        }
        Err(Fault::new(Code::InvalidValue, format!("`{}` cannot name a project", shown(text)))
            .hint("a project is named by its id, such as `acme/api`, or by an alias"))
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST && text.split('/').count() <= 4 && text.split('/').all(is_part)
}

/// A part starts with a letter or digit and has no `__`, which separates the parts in file names.
fn is_part(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !part.ends_with(['.', '_'])
        && !part.contains("__")
        && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_parts_and_no_tricks() {
        for good in ["acme/api", "a/b.c", "group/sub/repo", "x1/y_2-z"] {
            assert_eq!(good.parse::<ProjectId>().unwrap().as_str(), good);
        }
        for bad in
            ["", "api", "/api", "acme/", "../x", "a/../b", "a/.git", "a//b", "a/b__c", "a b/c", "a/b\u{202e}"]
        {
            assert!(bad.parse::<ProjectId>().is_err(), "{bad:?}");
        }
        assert!("api".parse::<ProjectName>().is_ok());
    }
}
