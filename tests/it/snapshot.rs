//! What is on the disk, taken down completely, so that two moments can be compared.
//!
//! [`Snapshot::of`] sees every path below a folder with kind, mode, link target and a hash of the bytes.
//! [`Snapshot::of_git`] sees what git would tell a person, and the bytes of git's own files. Taking one writes
//! nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::sandbox::Place;

/// Names and what is there, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Everything below a folder except the named paths and what is below them.
    pub(crate) fn of(place: &Place<'_>, except: &[&str]) -> Self {
        let mut seen = BTreeMap::new();
        walk(&place.path(""), "", except, &mut seen);
        Snapshot(seen)
    }

    /// A repository as git tells it: status, index, refs, stash, configuration, hooks, operations in progress.
    /// Refs in `own_refs` and the folder `.swift` are the queue's and left out.
    pub(crate) fn of_git(place: &Place<'_>, own_refs: &[&str]) -> Self {
        let ask = |args: &str| {
            let output = place.program("git", args).env("GIT_OPTIONAL_LOCKS", "0").run();
            format!("[{}]\n{}{}", output.status, output.stdout, output.stderr)
        };
        let mut seen = BTreeMap::new();
        for question in [
            "status --porcelain=v2 --branch --untracked-files=all -- . :(exclude).swift",
            "ls-files --stage -v -- . :(exclude).swift",
            "diff --binary -- . :(exclude).swift",
            "diff --cached --binary -- . :(exclude).swift",
            "stash list --format=%H",
            "config --list --local",
            "symbolic-ref HEAD",
        ] {
            seen.insert(format!("git {question}"), ask(question));
        }
        for line in ask("for-each-ref --format='%(refname) %(objectname) %(symref)'").lines().skip(1) {
            let (name, target) = line.split_once(' ').unwrap();
            if !own_refs.contains(&name) {
                seen.insert(name.to_owned(), target.to_owned());
            }
        }
        let git_dir = place.git("rev-parse --git-common-dir");
        let mut files = BTreeMap::new();
        walk(
            &place.path(git_dir.trim_end()),
            "",
            &["objects", "refs", "worktrees", "packed-refs"],
            &mut files,
        );
        files.retain(|path, _| !own_refs.iter().any(|name| path == &format!("logs/{name}")));
        seen.extend(files.into_iter().map(|(path, what)| (format!(".git/{path}"), what)));
        Snapshot(seen)
    }

    /// The same with one more name.
    pub(crate) fn with(mut self, name: &str, what: String) -> Self {
        self.0.insert(name.to_owned(), what);
        self
    }

    /// The same without the names that the condition picks: what a test expects to change.
    pub(crate) fn without(mut self, picked: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| !picked(name));
        self
    }

    /// Fail with each difference if anything changed from `self` to `later`.
    #[track_caller]
    pub(crate) fn assert_same(&self, later: &Snapshot) {
        let differences = self.differences(later);
        assert!(differences.is_empty(), "changed:\n{}", differences.join("\n"));
    }

    /// One line for each name that came, went or changed.
    pub(crate) fn differences(&self, later: &Snapshot) -> Vec<String> {
        let mut names: Vec<_> = self.0.keys().chain(later.0.keys()).collect();
        names.sort();
        names.dedup();
        let told = |name: &&String| match (self.0.get(*name), later.0.get(*name)) {
            (before, after) if before == after => None,
            (None, Some(after)) => Some(format!("+ {name}: {after}")),
            (Some(before), None) => Some(format!("- {name}: {before}")),
            (before, after) => Some(format!("~ {name}: {} -> {}", before?, after?)),
        };
        names.iter().filter_map(told).collect()
    }
}

fn walk(dir: &Path, prefix: &str, except: &[&str], seen: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if except.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let what = if metadata.is_dir() {
            walk(&path, &format!("{name}/"), except, seen);
            format!("folder {mode:o}")
        } else if metadata.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_file() {
            format!("file {mode:o} {}", hash(&fs::read(&path).unwrap()))
        } else {
            format!("special {mode:o}")
        };
        seen.insert(name, what);
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    #[test]
    fn a_snapshot_sees_bytes_modes_links_and_kinds() {
        let sandbox = Sandbox::new();
        let place = sandbox.place("web");
        place.write("a/text", "one");
        place.write("own/x", "one");
        let before = Snapshot::of(&place, &["own"]);
        before.assert_same(&Snapshot::of(&place, &["own"]));

        place.write("own/x", "two");
        before.assert_same(&Snapshot::of(&place, &["own"]));
        place.write("a/text", "two");
        std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
        place.program("mkfifo", "pipe").run().ok();
        fs::set_permissions(place.path("a"), fs::Permissions::from_mode(0o700)).unwrap();
        let differences = before.differences(&Snapshot::of(&place, &["own"])).join("\n");
        for expected in [
            "~ a: folder 755 -> folder 700",
            "~ a/text: file 644",
            "+ link: link to nowhere",
            "+ pipe: special",
        ] {
            assert!(differences.contains(expected), "{expected} in\n{differences}");
        }
    }

    #[test]
    fn a_git_snapshot_sees_what_a_person_would_miss() {
        let sandbox = Sandbox::new();
        let check = |change: &dyn Fn(&Place<'_>), named: &str| {
            let place = sandbox.repository(&format!("web-{}", named.replace([' ', '/'], "-")));
            let before = Snapshot::of_git(&place, &["refs/heads/swift"]);
            before.assert_same(&Snapshot::of_git(&place, &["refs/heads/swift"]));
            change(&place);
            let differences = before.differences(&Snapshot::of_git(&place, &["refs/heads/swift"])).join("\n");
            assert!(differences.contains(named), "{named} in\n{differences}");
        };
        check(&|place| place.write("README.md", "changed"), "git diff");
        check(&|place| drop((place.write("new", ""), place.git("add new"))), "git ls-files");
        check(&|place| drop(place.git("tag v1")), "+ refs/tags/v1");
        check(&|place| drop(place.git("config a.b c")), "git config");
        check(&|place| place.write(".git/hooks/pre-commit", "true"), "+ .git/hooks/pre-commit");
        check(&|place| place.write(".git/MERGE_HEAD", ""), "+ .git/MERGE_HEAD");
    }

    #[test]
    fn what_belongs_to_the_queue_is_left_out() {
        let sandbox = Sandbox::new();
        let place = sandbox.repository("web");
        let take = || Snapshot::of_git(&place, &["refs/heads/swift"]);
        let before = take();
        place.git("branch swift");
        place.write(".swift/inbox/task.md", "");
        before.assert_same(&take());
        place.write(".git/info/exclude", "/.swift/\n");
        let expected = |name: &str| name == ".git/info/exclude";
        before.without(expected).assert_same(&take().without(expected));
    }
}
