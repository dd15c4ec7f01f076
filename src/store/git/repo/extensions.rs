//! Extensions of a repository's format. One that is not known changes what may be written in a way that nobody here
//! knows, so the repository is refused as a whole, as git does it.

use std::path::Path;

use super::external::Git;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;

/// What git reads whatever version the format has, and what is read or of no consequence here.
const KNOWN: [&str; 7] =
    ["noop", "noop-v1", "objectformat", "partialclone", "preciousobjects", "refstorage", "worktreeconfig"];

/// What git refuses in a repository of the first version.
const OF_VERSION_1: [&str; 4] = ["compatobjectformat", "noop-v1", "refstorage", "relativeworktrees"];

/// How worktrees name each other makes no difference here, but git knows it only from 2.48 on.
const RELATIVE_WORKTREES: &str = "relativeworktrees";

/// Refuse a repository that git would refuse, or whose extensions are not known here.
pub(super) fn check(git_dir: &Path, config: &gix::config::File) -> Result<()> {
    let is_version_0 = version(config) == 0;
    for name in names(config) {
        if is_version_0 && !OF_VERSION_1.contains(&name.as_str()) {
            continue;
        }
        if name == RELATIVE_WORKTREES && !is_version_0 {
            check_with_git(git_dir)?;
        } else if is_version_0 || !KNOWN.contains(&name.as_str()) {
            let text = format!("{} has the extension `{}`, which ", git_dir.display(), shown(&name));
            let why =
                if is_version_0 { "its `core.repositoryFormatVersion` forbids" } else { "is not known here" };
            return Err(refused(text + why));
        }
    }
    Ok(())
}

fn check_with_git(git_dir: &Path) -> Result<()> {
    match Git::at(git_dir).ask(&["rev-parse", "--git-dir"]) {
        Ok(answer) if answer.code != Some(0) => {
            Err(refused(format!("git refuses {}: {}", git_dir.display(), shown(&answer.complaint_in_full()))))
        }
        _ => Ok(()),
    }
}

fn refused(text: String) -> Fault {
    Fault::new(Code::Unsupported, text)
        .hint("`git config --show-origin --get-regexp '^(extensions|core.repositoryformatversion)'` shows it")
        .hint("`git status` says what git makes of it")
}

/// git reads both from the repository's own file alone, without what that includes.
fn own<'c>(config: &'c gix::config::File, section: &str) -> Vec<gix::config::file::SectionRef<'c>> {
    let is_own =
        |meta: &gix::config::file::Metadata| meta.source == gix::config::Source::Local && meta.level == 0;
    let found = config.sections_by_name_and_filter(section, is_own);
    found.map(Iterator::collect).unwrap_or_default()
}

fn version(config: &gix::config::File) -> i64 {
    let mut values = own(config, "core").into_iter().filter_map(|core| core.value("repositoryformatversion"));
    values.next_back().and_then(|value| value.to_string().parse().ok()).unwrap_or(0)
}

fn names(config: &gix::config::File) -> Vec<String> {
    let of = |section: gix::config::file::SectionRef<'_>| {
        let below = section.header().subsection_name().map(|name| format!("{name}."));
        let below = below.unwrap_or_default();
        let names: Vec<String> =
            section.value_names().map(|name| format!("{below}{name}").to_lowercase()).collect();
        names
    };
    own(config, "extensions").into_iter().flat_map(of).collect()
}
