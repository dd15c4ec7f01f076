//! Which paths the queue may have.
//!
//! Callers pass paths that came from task files or from other machines. Whatever git would refuse in a tree, and
//! whatever could lead out of the folder, is refused here before anything else looks at it.

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::Home;

/// Check a path relative to `.swift/` that is to be committed.
pub(in crate::store::git) fn check(path: &str) -> Result<()> {
    let bad =
        |why: &str| Err(Fault::new(Code::InvalidValue, format!("the path {path:?} in the queue {why}")));
    if path.contains('\0') {
        return bad("contains a NUL byte");
    }
    if path == "local" || path.starts_with("local/") {
        return bad("is machine-local and never committed");
    }
    for part in path.split('/') {
        match part {
            "" => return bad("has an empty part"),
            "." | ".." => return bad("has a `.` or `..` part"),
            part if is_git(part) => return bad("has a part that git keeps for itself"),
            _ => {}
        }
    }
    Ok(())
}

impl Home {
    /// Whether a file of this path could be committed at all.
    pub(crate) fn may_have(&self, path: &str) -> bool {
        check(path).is_ok()
    }
}

/// Names that mean `.git` on some file system: by case, on Windows, or by characters that HFS+ ignores.
fn is_git(part: &str) -> bool {
    let visible: String = part.chars().filter(|c| !ignored_by_hfs(*c)).collect();
    let stem = visible.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    stem.eq_ignore_ascii_case(".git") || stem.eq_ignore_ascii_case("git~1")
}

fn ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// The folder part of a path, empty at the top.
pub(in crate::store::git) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_out_or_into_git_are_refused() {
        for bad in [
            "",
            "/x",
            "a//b",
            "a/",
            "../x",
            "a/../b",
            "./a",
            ".git",
            "a/.GIT/x",
            ".git.",
            ".g\u{200c}it",
            "GIT~1/x",
            "a\0b",
            "local/x",
        ] {
            assert!(check(bad).is_err(), "{bad:?} passed");
        }
        for good in ["swift.toml", ".gitignore", "tasks/0a/x y.md", "inbox/ä\n.md", "..a/b"] {
            assert_eq!(check(good), Ok(()));
        }
    }
}
