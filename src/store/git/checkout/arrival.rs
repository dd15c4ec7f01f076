//! What a merge brings to what is checked out: more than the work of a run, where that began on another branch.

use std::path::Path;

use super::merge::DIFF;
use super::{merged_tree, text};
use crate::domain::fault::{Fault, Result};
use crate::store::git::repo::external::Git;

/// What a merge brings to what is checked out.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// The tree that is there then; that of the branch where git makes none.
    tree: String,
}

/// Look at a merge that is [clean](super::Prospect::Clean).
///
/// # Errors
/// Those of git.
pub(crate) fn arrival(project: &Path, branch: &str) -> Result<Arrival> {
    let theirs = format!("refs/heads/{branch}");
    Ok(Arrival { tree: merged_tree(project, &theirs)?.unwrap_or(theirs) })
}

impl Arrival {
    /// The files at a path that change, and how many lines.
    ///
    /// # Errors
    /// Those of git.
    pub(crate) fn stat(&self, project: &Path, path: &str) -> Result<String> {
        let spec = format!(":(top,literal){path}");
        let spec = if path == "." { ":(top)" } else { spec.as_str() };
        let words = ["--stat", "HEAD", &self.tree, "--", spec];
        Ok(text(&Git::at(project).run(&[&DIFF[..], &words].concat())?))
    }
}

impl Arrival {
    /// The files below a path that become otherwise.
    ///
    /// # Errors
    /// Those of git.
    pub(crate) fn changes(&self, project: &Path, path: &str) -> Result<Vec<Change>> {
        let spec = format!(":(top,literal){path}");
        let words = ["--name-only", "-z", "--no-renames", "HEAD", &self.tree, "--", &spec];
        let told = text(&Git::at(project).run(&[&DIFF[..], &words].concat())?);
        let content = |tree: &str, path: &str| {
            Ok::<_, Fault>(Git::at(project).ask(&["cat-file", "blob", &format!("{tree}:{path}")])?.output)
        };
        let paths = told.split('\0').filter(|path| !path.is_empty());
        let change = |path: &str| {
            let (before, after) = (content("HEAD", path)?, content(&self.tree, path)?);
            Ok(Change { path: path.to_owned(), before, after })
        };
        paths.map(change).collect()
    }
}

/// A file that becomes otherwise; one that is not there is empty.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

/// The commits that a branch began with and that are not in what is checked out, newest first: their short names and
/// subjects.
///
/// # Errors
/// Those of git.
pub(crate) fn from_before(project: &Path, branch: &str, base: &str) -> Result<Vec<String>> {
    let theirs = format!("refs/heads/{branch}");
    let answer = Git::at(project).ask(&["merge-base", "--end-of-options", &theirs, base])?;
    let Some(common) = text(&answer.output).lines().next().map(str::to_owned) else { return Ok(Vec::new()) };
    let range = format!("HEAD..{common}");
    let told = Git::at(project).run(&[
        "log",
        "--no-color",
        "--no-show-signature",
        "--format=%h %s",
        &range,
        "--",
    ])?;
    Ok(text(&told).lines().map(str::to_owned).collect())
}
