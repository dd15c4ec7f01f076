//! How much of its remotes a repository knows: a clone of one branch has the others nowhere, and a checkout that fetched
//! nothing but the commit that it was to test has not even looked for them.
//!
//! What is not known here may be a queue, and beside that none is begun without a word.

use std::path::Path;

use super::elsewhere::is_plain;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::home::create;
use crate::store::git::home::find::Place;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind, disk};

/// A remote of which the branch of the queue was not fetched, whether it has it or not.
pub(super) enum Unfetched {
    /// The configuration tells which branches are fetched.
    Configured(String),
    /// Each branch that was ever fetched was asked for by its name.
    Named(String),
}

impl Unfetched {
    /// What brings all branches.
    pub(super) fn remedy(&self) -> String {
        match self {
            Unfetched::Configured(remote) if is_plain(remote) => format!(
                "`git remote set-branches --add {remote} '*' && git fetch {remote}` brings all of its branches here"
            ),
            Unfetched::Named(remote) if is_plain(remote) => {
                format!(
                    "`git fetch {remote} '+refs/heads/*:refs/remotes/{remote}/*'` brings all of its branches here"
                )
            }
            _ => "`git remote --verbose` shows the remotes, and `git remote set-branches` fetches more"
                .to_owned(),
        }
    }

    fn remote(&self) -> &str {
        match self {
            Unfetched::Configured(remote) | Unfetched::Named(remote) => remote,
        }
    }
}

impl Place {
    /// A remote that may have a branch of this name, as far as is known here.
    pub(super) fn unfetched(&self, repo: &Repo, branch: &str) -> Option<Unfetched> {
        let full = format!("refs/heads/{branch}");
        let is_told = |remote: &str| {
            let words = repo.texts(&format!("remote.{remote}.fetch"));
            words.is_empty() || words.iter().any(|words| covers(words, &full))
        };
        repo.gix().remote_names().iter().map(ToString::to_string).find_map(|remote| {
            if !is_told(&remote) {
                return Some(Unfetched::Configured(remote));
            }
            self.is_known_by_name_only(&remote).then_some(Unfetched::Named(remote))
        })
    }

    /// Whether something was fetched from a remote, and never all that it has. One that was only pushed to, or never
    /// spoken with, is not meant.
    fn is_known_by_name_only(&self, remote: &str) -> bool {
        let fetched = [&self.git_dir, &self.common_dir].map(|folder| {
            let told = disk::read(&folder.join("FETCH_HEAD")).ok().flatten().unwrap_or_default();
            String::from_utf8_lossy(&told).into_owned()
        });
        // Nobody asks for a branch that is not to be merged.
        if fetched.iter().any(|told| told.contains("\tnot-for-merge\tbranch ")) {
            return false;
        }
        let below = format!("refs/remotes/{remote}/");
        let Ok(names) = refs::names_below(&self.common_dir, &below) else { return false };
        let names: Vec<String> = names.into_iter().filter(|name| name != "HEAD").collect();
        if names.is_empty() {
            return fetched.iter().any(|told| !told.is_empty());
        }
        let log = |name: &str| self.common_dir.join("logs").join(&below).join(name);
        let is_cloned = first_line(&log("HEAD")).is_some_and(|line| line.contains("\tclone: "));
        !is_cloned
            && names.iter().all(|name| first_line(&log(name)).is_some_and(|line| by_name(&line, remote)))
    }

    /// Refuse to begin a queue where a remote may have one that was never fetched.
    pub(in crate::store::git) fn refuse_unfetched(&self, repo: &Repo, branch: &str) -> Result<()> {
        let Some(unfetched) = self.unfetched(repo, branch) else { return Ok(()) };
        let local = refs::resolve(&self.common_dir, &format!("refs/heads/{branch}"))?;
        let is_fetched = self.remote_branches(repo)?.iter().any(|(_, name)| name == branch);
        if local.is_some() || is_fetched {
            return Ok(());
        }
        let remote = unfetched.remote();
        let text = format!(
            "whether `{remote}` has a queue is not known here: this clone has not all of its branches"
        );
        Err(Fault::new(Code::QueueElsewhere, text)
            .hint(unfetched.remedy())
            .hint(format!("`swift init --branch {branch}` makes a new queue all the same")))
    }
}

/// Whether a remote's branch is one of those that these words of the configuration fetch.
fn covers(words: &str, branch: &str) -> bool {
    let from = words.trim_start_matches('+').split(':').next().unwrap_or_default();
    match from.split_once('*') {
        Some((before, after)) => branch.starts_with(before) && branch.ends_with(after),
        None => from == branch || Some(from) == branch.strip_prefix("refs/heads/"),
    }
}

fn first_line(log: &Path) -> Option<String> {
    let bytes = disk::read(log).ok()??;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Some(String::from_utf8_lossy(line).into_owned())
}

/// Whether a branch is there since somebody fetched it by its name: the first line of its log has the command, such as
/// `fetch --depth=1 origin +refs/heads/main:refs/remotes/origin/main: storing head`.
fn by_name(line: &str, remote: &str) -> bool {
    let Some((who, message)) = line.split_once('\t') else { return false };
    let is_first = who.split(' ').next().is_some_and(|before| before.bytes().all(|digit| digit == b'0'));
    let command = message.rsplit_once(": ").map_or(message, |(command, _)| command);
    let mut words = command.split(' ');
    if !is_first || !matches!(words.next(), Some("fetch" | "pull")) || !words.any(|word| word == remote) {
        return false;
    }
    let mut branches = words.filter(|word| !word.starts_with('-') && word.parse::<u64>().is_err()).peekable();
    branches.peek().is_some() && !branches.any(|branch| branch.contains('*'))
}

/// A queue of a remote on a branch of the same name.
pub(crate) struct Namesake {
    /// `origin/swift`
    pub(crate) name: String,
    pub(crate) settings: Vec<u8>,
    /// Whether this repository was told not to have the whole history.
    pub(crate) is_cut: bool,
}

impl Home {
    /// The queues of remotes that have nothing in common with this one, on branches of the same name.
    ///
    /// # Errors
    /// Those of reading branches.
    pub(crate) fn namesakes(&self) -> Result<Vec<Namesake>> {
        let (HomeKind::Branch, Some(branch)) = (self.kind, &self.branch) else { return Ok(Vec::new()) };
        let (repo, mut found) = (self.repo()?, Vec::new());
        let Some(own) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(found) };
        for remote in repo.gix().remote_names() {
            let name = format!("{remote}/{branch}");
            let tip = refs::resolve(&self.common_dir, &format!("refs/remotes/{name}"))?;
            let Some(other) = tip.filter(|tip| *tip != own) else { continue };
            let Ok(Some(settings)) = create::settings(&repo, other) else { continue };
            let words = ["merge-base", &own.to_string(), &other.to_string()];
            let answer = Git::at(&self.common_dir).ask(&words)?;
            if answer.code == Some(1) && create::is_queue(&repo, other)? {
                let is_cut = self.common_dir.join("shallow").exists();
                found.push(Namesake { name, settings, is_cut });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_by_its_name_tells_nothing_of_the_rest() {
        let none = "0".repeat(40);
        let some = "1".repeat(40);
        let line = |before: &str, message: &str| format!("{before} {some} Ada <a@b.c> 1 +0000\t{message}");
        let named = [
            "fetch --no-tags --depth=1 origin +1f:refs/remotes/origin/main: storing head",
            "fetch origin --depth 20 --prune +refs/heads/main:refs/remotes/origin/main: storing head",
            "fetch -q origin main: storing head",
            "pull --rebase origin main: storing head",
        ];
        for message in named {
            assert!(by_name(&line(&none, message), "origin"), "{message}");
            assert!(!by_name(&line(&some, message), "origin"), "{message}");
        }
        let whole = [
            "fetch: storing head",
            "fetch origin --depth 20: storing head",
            "fetch --prune origin +refs/heads/*:refs/remotes/origin/*: storing head",
            "fetch --all: storing head",
            "pull: storing head",
            "update by push",
        ];
        for message in whole {
            assert!(!by_name(&line(&none, message), "origin"), "{message}");
        }
    }
}
