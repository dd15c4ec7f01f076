//! Where branches are, and which of them are elsewhere later: a run has one branch, and no business with others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::find::place;
use super::super::refs;
use crate::domain::fault::Result;

/// Where branches are at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branches {
    /// By short name.
    heads: BTreeMap<String, String>,
    /// What is checked out in the project's own folder.
    current: Option<String>,
}

/// Look at all branches of a repository, and at what is checked out in this folder.
///
/// # Errors
/// Those of reading refs.
pub(crate) fn branches_at(project: &Path) -> Result<Branches> {
    let place = place(project)?;
    let current = refs::tip(&place.git_dir, &place.common_dir)?.short().map(str::to_owned);
    Ok(Branches { heads: refs::heads(&place.common_dir)?, current })
}

impl Branches {
    /// What is otherwise later, in words; without the branches that are somebody's own.
    pub(crate) fn moves(&self, later: &Branches, is_own: impl Fn(&str) -> bool) -> Vec<String> {
        let names: BTreeSet<&String> =
            self.heads.keys().chain(later.heads.keys()).filter(|name| !is_own(name)).collect();
        let mut told: Vec<String> = names
            .into_iter()
            .filter_map(|name| change(name, self.heads.get(name), later.heads.get(name)))
            .collect();
        if self.current != later.current {
            let name = |current: &Option<String>| current.clone().unwrap_or_else(|| "no branch".to_owned());
            let (before, after) = (name(&self.current), name(&later.current));
            told.push(format!("the project's own folder went from {before} to {after}"));
        }
        told
    }
}

fn change(name: &str, before: Option<&String>, after: Option<&String>) -> Option<String> {
    let short = |id: &String| id.chars().take(10).collect::<String>();
    match (before, after) {
        (Some(before), Some(after)) if before != after => {
            Some(format!("the branch `{name}` went from {} to {}", short(before), short(after)))
        }
        (Some(before), None) => Some(format!("the branch `{name}`, which was at {}, is gone", short(before))),
        (None, Some(after)) => Some(format!("the branch `{name}` is new, at {}", short(after))),
        _ => None,
    }
}
