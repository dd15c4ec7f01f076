//! What makes a commit wait, and what refuses it, looked at before anything is written.

use std::time::Duration;

use std::path::Path;

use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::patience::look_until;
use crate::store::git::repo::external::Git;
use crate::store::git::{Home, HomeKind, disk};

/// Files in the git folder that show an unfinished operation, with its name.
const OPERATIONS: &[(&str, &str)] = &[
    ("rebase-merge", "a rebase"),
    ("rebase-apply/applying", "an `am`"),
    ("rebase-apply", "a rebase"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("sequencer", "a cherry-pick or revert"),
    ("BISECT_LOG", "a bisect"),
];

/// What git is in the middle of in a checkout, by its git folder: `a merge`, `a rebase`.
pub(in crate::store::git) fn unfinished(git_dir: &Path) -> Option<&'static str> {
    OPERATIONS.iter().find(|(name, _)| git_dir.join(name).exists()).map(|(_, operation)| *operation)
}

impl Home {
    /// Why a commit has to wait although nothing is wrong; `None` if it need not.
    pub(in crate::store::git) fn waits(&self) -> Result<Option<String>> {
        if self.kind == HomeKind::Tree && self.hook {
            return Ok(Some("called from inside a git hook or alias".to_owned()));
        }
        match self.operation() {
            Some(operation) => Ok(Some(format!("{operation} is in progress in {}", self.checkout.display()))),
            None => self.collection(),
        }
    }

    /// What git is in the middle of.
    pub(in crate::store::git) fn operation(&self) -> Option<&'static str> {
        unfinished(&self.git_dir)
    }

    /// `git gc --prune=now` would remove objects that no ref reaches yet.
    fn collection(&self) -> Result<Option<String>> {
        let path = self.common_dir.join("gc.pid");
        let reason = "`git gc` is running";
        let free = look_until(self.patience, || Ok((!is_held(&path)?).then_some(())))?.in_time(reason)?;
        Ok(free.is_none().then(|| reason.to_owned()))
    }

    /// Whether a collection is at work now, and has packs in mind that must not go away under it.
    pub(in crate::store::git) fn is_collecting(&self) -> bool {
        is_held(&self.common_dir.join("gc.pid")).unwrap_or(true)
    }

    /// `info/attributes` outranks the attributes by which git takes the queue's files as they are. Refuse it where it
    /// would make git see other bytes than we commit.
    pub(super) fn check_attributes<'a>(&self, paths: impl Iterator<Item = &'a str>) -> Result<()> {
        let file = self.common_dir.join("info/attributes");
        let text = disk::read(&file)?.unwrap_or_default();
        if text
            .split(|byte| *byte == b'\n')
            .all(|line| matches!(line.trim_ascii().first(), None | Some(b'#')))
        {
            return Ok(());
        }
        let mut input = Vec::new();
        for path in paths {
            input.extend_from_slice(self.in_tree(path).as_bytes());
            input.push(0);
        }
        let answer = Git::at(&self.checkout).input(input).run(&[
            "check-attr",
            "-z",
            "--stdin",
            "text",
            "eol",
            "filter",
            "ident",
            "working-tree-encoding",
        ])?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let fields: Vec<&str> = text.split('\0').collect();
        // Triples of path, attribute, value.
        match fields.chunks_exact(3).find(|fields| !matches!(fields[2], "unset" | "unspecified")) {
            Some([path, attribute, _]) => Err(Fault::new(
                Code::Unsupported,
                format!(
                    "{} gives `{path}` the attribute `{attribute}`, so that git changes its bytes",
                    file.display()
                ),
            )
            .hint(format!(
                "a last line `{} -text -filter -ident -working-tree-encoding -eol` there leaves them alone",
                self.in_tree("**")
            ))),
            _ => Ok(()),
        }
    }

    /// Why every verb that writes would be refused because of attributes.
    ///
    /// # Errors
    /// [`Code::Unsupported`] with a file that git would change; those of git.
    pub(crate) fn refuse_attributes(&self) -> Result<()> {
        let files = self.committed_files(&*self.repo()?)?;
        self.check_attributes(files.keys().map(String::as_str))
    }

    /// Refuse a home that is not the folder that it has to be.
    pub(super) fn check_root(&self) -> Result<()> {
        match std::fs::symlink_metadata(&self.root) {
            Ok(metadata) if !metadata.is_dir() => Err(unsafe_home(&self.root)),
            _ => Ok(()),
        }
    }
}

/// Whether the record of a collection names a process that is alive; one of another user is alive, too.
fn is_held(path: &Path) -> Result<bool> {
    let Some(line) = disk::read_line(path)? else { return Ok(false) };
    let number = line.split(' ').next().and_then(|pid| pid.parse::<i32>().ok());
    let Some(pid) = number.and_then(rustix::process::Pid::from_raw) else { return Ok(false) };
    let is_gone = rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
    Ok(!is_gone && !is_old(path))
}

/// git itself does not believe a record of more than twelve hours: the number belongs to somebody else by now.
fn is_old(record: &std::path::Path) -> bool {
    let age = std::fs::metadata(record).and_then(|metadata| metadata.modified()).map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if age > Duration::from_secs(12 * 3600))
}

/// `.swift` is something else than a folder.
pub(in crate::store::git) fn unsafe_home(root: &std::path::Path) -> Fault {
    Fault::new(Code::UnsafeHome, format!("{} is a symbolic link or not a folder", root.display()))
        .hint(format!("`ls -ld {}` shows what it is", root.display()))
}
