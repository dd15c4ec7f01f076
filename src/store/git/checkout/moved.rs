//! Where branches and other names are, what the repository is set up to do, and what of it is otherwise later: a run has
//! one branch, and no business with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::domain::fault::Result;
use crate::format::audit::digest;
use crate::store::git::disk;
use crate::store::git::home::find::place;
use crate::store::git::repo::refs;

/// Where branches are at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branches {
    /// By short name.
    heads: BTreeMap<String, String>,
    /// Tags, the stash, notes, what is known of branches elsewhere.
    others: BTreeMap<String, String>,
    /// What the configuration and the hooks are, each as a whole.
    set_up: BTreeMap<&'static str, String>,
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
    let (heads, others) = (refs::heads(&place.common_dir)?, refs::others(&place.common_dir)?);
    Ok(Branches { heads, others, set_up: set_up(&place.common_dir), current })
}

/// What may make git start programs.
fn set_up(common_dir: &Path) -> BTreeMap<&'static str, String> {
    let contents = |path: &Path| {
        let bytes = disk::read(path).ok().flatten().unwrap_or_default();
        digest(&bytes)
    };
    let mut hooks = String::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(common_dir.join("hooks")).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        hooks += &format!("{:?} {}\n", entry.file_name(), contents(&entry.path()));
    }
    BTreeMap::from([
        ("the configuration", contents(&common_dir.join("config"))),
        ("the hooks", digest(hooks.as_bytes())),
    ])
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
        let names: BTreeSet<&String> = self.others.keys().chain(later.others.keys()).collect();
        let is_own_there = |name: &str| {
            let there = name.strip_prefix(REMOTES).and_then(|rest| rest.split_once('/'));
            there.is_some_and(|(_, branch)| is_own(branch))
        };
        let (there, here): (Vec<_>, Vec<_>) = names
            .into_iter()
            .filter(|name| !is_own_there(name))
            .filter_map(|name| Some((name, other(name, self.others.get(name), later.others.get(name))?)))
            .partition(|(name, _)| name.starts_with(REMOTES));
        told.extend(here.into_iter().map(|(_, text)| text));
        match there.as_slice() {
            [(first, _), ..] if there.len() > MOST_THERE => {
                let (number, first) = (there.len(), first.strip_prefix(REMOTES).unwrap_or(first));
                told.push(format!(
                    "{number} branches of other repositories changed, `{first}` is one of them"
                ));
            }
            _ => told.extend(there.into_iter().map(|(_, text)| text)),
        }
        let changed = self.set_up.iter().filter(|(what, before)| later.set_up.get(*what) != Some(before));
        told.extend(changed.map(|(what, _)| format!("{what} of the repository changed")));
        if self.current != later.current {
            let name = |current: &Option<String>| current.clone().unwrap_or_else(|| "no branch".to_owned());
            let (before, after) = (name(&self.current), name(&later.current));
            told.push(format!("the project's own folder went from {before} to {after}"));
        }
        told
    }
}

/// What the names of branches of other repositories begin with, as far as they are known here.
const REMOTES: &str = "remotes/";

/// So many of them are told one by one: somebody may fetch meanwhile.
const MOST_THERE: usize = 5;

/// `the tag v1`, `the stash`: in fewer words than a branch.
fn other(name: &str, before: Option<&String>, after: Option<&String>) -> Option<String> {
    let what = match name.split_once('/') {
        Some(("tags", tag)) => format!("the tag `{tag}`"),
        Some(("remotes", branch)) => format!("the branch `{branch}` of another repository"),
        None if name == "stash" => "the stash".to_owned(),
        _ => format!("`refs/{name}`"),
    };
    match (before, after) {
        (Some(before), Some(after)) if before != after => Some(format!("{what} changed")),
        (Some(_), None) => Some(format!("{what} is gone")),
        (None, Some(_)) => Some(format!("{what} is new")),
        _ => None,
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
