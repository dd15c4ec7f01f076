//! Which Claude Code there is on this machine, and how old it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{Order, Stdout};
use super::session::{self, Deadlines};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::evidence::Exit;

/// Names another program than the `claude` of the path.
pub(crate) const VARIABLE: &str = "SWIFT_CLAUDE";

/// The oldest version whose options are the ones that are given.
const OLDEST: Version = Version(2, 0, 0);

/// Below this version much of what a run tells is missing.
const RECOMMENDED: Version = Version(2, 1, 0);

/// A version of Claude Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u64, u64, u64);

/// The program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// What tells this file from any other version of it.
    pub(crate) stamp: String,
}

/// Find the program.
///
/// # Errors
/// [`Code::NoClaude`]
pub(crate) fn find(environment: &[(OsString, OsString)]) -> Result<Program> {
    let value =
        |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str());
    if let Some(named) = value(VARIABLE).filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return program(&path).ok_or_else(|| {
            Fault::new(Code::NoClaude, format!("`{}`, which {VARIABLE} names, is no program", path.display()))
        });
    }
    let path = value("PATH").unwrap_or(OsStr::new(""));
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| program(&folder.join("claude")))
        .ok_or_else(|| {
            Fault::new(Code::NoClaude, "there is no program `claude` on the path")
                .hint("`npm install -g @anthropic-ai/claude-code` installs Claude Code")
                .hint(format!("or set {VARIABLE} to where it is"))
        })
}

/// Refuse to go on without git, by which the work of a run is kept: it would be paid for and lost.
///
/// # Errors
/// [`Code::Git`]
pub(crate) fn git(environment: &[(OsString, OsString)]) -> Result<()> {
    let Some((_, path)) = environment.iter().find(|(key, _)| key == "PATH") else { return Ok(()) };
    let is_there = std::env::split_paths(path).any(|folder| program(&folder.join("git")).is_some());
    is_there.then_some(()).ok_or_else(|| {
        Fault::new(Code::Git, "there is no program `git` on the path, so no work of a run could be kept")
            .hint("install git, or add its folder to PATH")
    })
}

/// Whether a word names a program that can be started from any folder; one that lies in the folder itself may still come.
pub(crate) fn may_start(environment: &[(OsString, OsString)], word: &str) -> bool {
    if word.contains('/') {
        return !word.starts_with('/') || program(Path::new(word)).is_some();
    }
    let Some((_, path)) = environment.iter().find(|(key, _)| key == "PATH") else { return true };
    std::env::split_paths(path).any(|folder| !folder.is_absolute() || program(&folder.join(word)).is_some())
}

fn program(path: &Path) -> Option<Program> {
    let meta = std::fs::metadata(path).ok()?;
    let can_run = meta.is_file() && meta.permissions().mode() & 0o111 != 0;
    let stamp =
        format!("{} {} {} {}.{}", path.display(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec());
    can_run.then(|| Program { path: path.to_owned(), stamp })
}

/// Ask the program for its version; `None` if it gives none.
pub(crate) fn ask_version(
    program: &Program,
    folder: &Path,
    environment: Vec<(OsString, OsString)>,
) -> Option<String> {
    let order = Order {
        program: program.path.clone(),
        arguments: vec!["--version".into()],
        folder: folder.to_owned(),
        environment,
        input: Vec::new(),
        held: None,
        grace: Duration::from_millis(200),
        mark: None,
    };
    let deadlines = Deadlines { whole: Duration::from_secs(10), silence: Duration::from_secs(10) };
    let finished = session::run(order, Stdout::Text, deadlines, &mut |_| {}, &mut || None);
    let first = finished.said.lines().next()?.trim().to_owned();
    (finished.exit == Exit::Code(0)).then_some(first)
}

/// Refuse a version that is too old; a word of warning about one that is old, or unknown.
///
/// # Errors
/// [`Code::NoClaude`]
pub(crate) fn check(said: Option<&str>) -> Result<Option<String>> {
    match said.and_then(parse) {
        Some(version) if version < OLDEST => Err(Fault::new(
            Code::NoClaude,
            format!("claude {} is too old: runs need {} or newer", shown(version), shown(OLDEST)),
        )
        .hint("`npm install -g @anthropic-ai/claude-code` installs the newest")),
        Some(version) if version < RECOMMENDED => Ok(Some(format!(
            "claude {} is old; from {} on it tells more of what happens",
            shown(version),
            shown(RECOMMENDED)
        ))),
        Some(_) => Ok(None),
        None => Ok(Some("claude does not tell its version".to_owned())),
    }
}

fn shown(version: Version) -> String {
    format!("{}.{}.{}", version.0, version.1, version.2)
}

/// `2.1.329 (Claude Code)`.
fn parse(said: &str) -> Option<Version> {
    let mut parts = said.split_whitespace().next()?.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    });
    Some(Version(parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(check(Some("2.1.329 (Claude Code)")), Ok(None));
        assert_eq!(check(Some("10.0.0")), Ok(None));
        assert!(check(Some("2.0.77 (Claude Code)")).unwrap().unwrap().contains("is old"));
        assert_eq!(check(Some("1.0.128 (Claude Code)")).unwrap_err().code, Code::NoClaude);
        assert!(check(Some("hello")).unwrap().unwrap().contains("does not tell"));
        assert!(check(None).unwrap().is_some());
    }
}
