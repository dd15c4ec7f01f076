//! The queue of a repository that has none where the person is: in the tree of another branch, or on a remote.
//!
//! A queue in the tree is that of its branch, so a checkout of another branch does not have it. It is named there,
//! with commands that lead to it, and no second one is made beside it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::home::create::{self, Judge};
use crate::store::git::home::find::{Place, SETTINGS};
use crate::store::git::home::worktree::{self, FOLDER};
use crate::store::git::objects::tree;
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, backwards, refs};
use crate::store::git::{Home, HomeKind};

/// Among how many branches of remotes a queue is looked for.
const MOST_BRANCHES: usize = 256;

/// A queue in the tree of a branch that is not the one at hand.
#[derive(Debug)]
pub(super) struct Elsewhere {
    /// The branch's short name; `None` for a detached HEAD.
    branch: Option<String>,
    /// Where it is checked out.
    checkout: Option<PathBuf>,
    /// What is checked out at hand has the queue, but its files are not there.
    here: bool,
    /// It is on no branch any more, but in this commit.
    commit: Option<ObjectId>,
    /// Only the remote has the branch.
    remote: bool,
}

impl Place {
    /// The queue in the tree of a branch: of one that is checked out, or else of any other.
    pub(super) fn elsewhere(&self) -> Result<Option<Elsewhere>> {
        let repo = Repo::open(&self.common_dir)?;
        let has_queue = |id| has_queue(&repo, id);
        for (git_dir, checkout) in self.checkouts()? {
            let Ok(tip) = refs::tip(&git_dir, &self.common_dir) else { continue };
            if tip.id.is_some_and(has_queue) {
                let (branch, here) = (tip.short().map(str::to_owned), git_dir == self.git_dir);
                return Ok(Some(Elsewhere {
                    branch,
                    checkout: Some(checkout),
                    here,
                    commit: None,
                    remote: false,
                }));
            }
        }
        for branch in refs::names_below(&self.common_dir, "refs/heads/")? {
            let Ok(Some(id)) = refs::resolve(&self.common_dir, &format!("refs/heads/{branch}")) else {
                continue;
            };
            if has_queue(id) {
                return Ok(Some(Elsewhere {
                    branch: Some(branch),
                    checkout: None,
                    here: false,
                    commit: None,
                    remote: false,
                }));
            }
        }
        let commit = self.set_back_from(has_queue)?;
        Ok(commit.map(|commit| Elsewhere {
            branch: None,
            checkout: None,
            here: false,
            commit: Some(commit),
            remote: false,
        }))
    }

    /// The newest commit with a queue that the branch at hand was at before it was set back, as long as the folder still
    /// has what is this machine's own of that queue: one that was taken out leaves none of that.
    fn set_back_from(&self, has_queue: impl Fn(ObjectId) -> bool) -> Result<Option<ObjectId>> {
        if !self.checkout.as_ref().is_some_and(|checkout| checkout.join(FOLDER).join("local").is_dir()) {
            return Ok(None);
        }
        let found = backwards::find(&self.git_dir.join("logs/HEAD"), |line| {
            let before = backwards::movement(line).map(|(from, _)| from);
            before.filter(|id| has_queue(*id)).map_or(ControlFlow::Continue(()), ControlFlow::Break)
        })?;
        let Some(commit) = found else { return Ok(None) };
        // What a later commit took out again was taken out on purpose.
        let words = ["merge-base", "--is-ancestor", &commit.to_string(), "HEAD"];
        let is_removed = Git::at(&self.common_dir).ask(&words)?.code != Some(1);
        Ok(Some(commit).filter(|_| !is_removed))
    }

    /// The queue in the tree of a branch that only a remote has.
    fn on_a_remote(&self, repo: &Repo) -> Result<Option<Elsewhere>> {
        for (remote, name) in self.remote_branches(repo)?.into_iter().take(MOST_BRANCHES) {
            let full = format!("refs/remotes/{remote}/{name}");
            if is_plain(&name)
                && let Ok(Some(id)) = refs::resolve(&self.common_dir, &full)
                && has_queue(repo, id)
            {
                let branch = Some(format!("{remote}/{name}"));
                return Ok(Some(Elsewhere {
                    branch,
                    checkout: None,
                    here: false,
                    commit: None,
                    remote: true,
                }));
            }
        }
        Ok(None)
    }

    /// Refuse to begin a second queue. One that was taken out of the branch at hand is no obstacle there.
    pub(in crate::store::git) fn refuse_second(&self) -> Result<()> {
        let on_a_remote = || self.on_a_remote(&Repo::open(&self.common_dir)?);
        let found = self.elsewhere()?.map_or_else(on_a_remote, |elsewhere| Ok(Some(elsewhere)))?;
        let Some(elsewhere) = found else { return Ok(()) };
        if !elsewhere.here && self.has_removed_queue() {
            return Ok(());
        }
        let fault = Fault::new(
            Code::QueueElsewhere,
            format!("no second queue is made: that of this repository is {}", elsewhere.place()),
        );
        Err(elsewhere.lead(fault))
    }

    /// Refuse to begin a queue beside one that is on a branch of its own, of whatever name. A file of that name can also
    /// be the person's own; so the settings have to read as a queue's.
    pub(in crate::store::git) fn refuse_beside_a_branch(&self, repo: &Repo, judge: Judge<'_>) -> Result<()> {
        let is_queues = |id| match create::settings(repo, id) {
            Ok(Some(settings)) => {
                judge(&settings).map_or_else(|fault| fault.code != Code::Malformed, |()| true)
            }
            // What a partial clone does not have cannot be looked at.
            _ => false,
        };
        let at = |full: &str| refs::resolve(&self.common_dir, full).ok().flatten();
        let mut names: Vec<String> =
            refs::names_below(&self.common_dir, "refs/heads/")?.into_iter().collect();
        names.sort_by_key(|name| name != "swift");
        let local = names.into_iter().take(MOST_BRANCHES);
        let local = local.map(|name| (format!("refs/heads/{name}"), name.clone(), name));
        let remote = self.remote_branches(repo)?.into_iter().take(MOST_BRANCHES);
        let remote = remote.map(|(remote, name)| {
            (format!("refs/remotes/{remote}/{name}"), format!("{remote}/{name}"), name)
        });
        let mut all = local.chain(remote);
        let Some((_, shown, name)) = all.find(|(full, ..)| at(full).is_some_and(is_queues)) else {
            return Ok(());
        };
        let text = format!("no second queue is made: that of this repository is on `{shown}`");
        let fault = Fault::new(Code::QueueElsewhere, text);
        Err(match is_plain(&name) {
            true if name == "swift" => {
                fault.hint("`swift init` takes it over; `swift home` can move it then")
            }
            true => fault
                .hint(format!("`swift init --branch {name}` takes it over; `swift home` can move it then")),
            false => fault.hint("`git branch --all` shows the branches"),
        })
    }

    /// Whether what is checked out at hand has something else than a queue where the queue would be.
    pub(in crate::store::git) fn tracks_folder(&self) -> Result<bool> {
        let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(false) };
        let repo = Repo::open(&self.common_dir)?;
        let root = repo.commit(tip)?.tree;
        let there = tree::lookup(&repo, root, FOLDER)?.is_some();
        Ok(there && tree::lookup(&repo, root, &format!("{FOLDER}/{SETTINGS}"))?.is_none())
    }

    /// Whether what is checked out at hand has a commit of another repository there, as `git add -f` makes it of a queue.
    pub(in crate::store::git) fn tracks_link(&self) -> Result<bool> {
        let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(false) };
        let repo = Repo::open(&self.common_dir)?;
        let line = tree::lookup(&repo, repo.commit(tip)?.tree, FOLDER)?;
        Ok(line.is_some_and(|line| line.mode == tree::LINK))
    }

    fn has_removed_queue(&self) -> bool {
        let Some(checkout) = &self.checkout else { return false };
        let settings = format!("{FOLDER}/{SETTINGS}");
        let words = ["log", "-1", "--diff-filter=D", "--format=%H", "HEAD", "--", &settings];
        Git::at(checkout).run(&words).is_ok_and(|answer| !answer.is_empty())
    }

    /// Each checkout of the repository with its git folder, the one at hand first.
    fn checkouts(&self) -> Result<Vec<(PathBuf, PathBuf)>> {
        let mut all: Vec<(PathBuf, PathBuf)> = Vec::new();
        all.extend(self.checkout.clone().map(|checkout| (self.git_dir.clone(), checkout)));
        all.extend(self.main_checkout()?.map(|main| (self.common_dir.clone(), main)));
        for entry in std::fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().flatten() {
            let found = worktree::read(&entry.path())?.filter(|found| found.root.is_dir());
            all.extend(found.map(|found| (found.admin, found.root)));
        }
        Ok(all)
    }

    /// That there is no queue, and what leads to one.
    pub(in crate::store::git) fn not_initialised(&self) -> Result<Fault> {
        if let Some(fault) = self.without_settings()? {
            return Ok(fault);
        }
        let place = self.checkout.as_ref().unwrap_or(&self.common_dir).display();
        if let Some(elsewhere) = self.elsewhere()? {
            let place = format!("{place} has no queue: that of this repository is {}", elsewhere.place());
            return Ok(elsewhere.lead(Fault::new(Code::NotInitialised, place)));
        }
        let is_known = self.checkout.as_ref().is_some_and(|checkout| checkout.join(FOLDER).is_dir());
        if let Some(fault) = is_known.then(|| self.moved_away()).transpose()?.flatten() {
            return Ok(Fault { code: Code::NotInitialised, ..fault });
        }
        let fault = Fault::new(Code::NotInitialised, format!("{place} has no queue yet"));
        if let Err(bare) = self.project() {
            return Ok(Fault { hints: bare.hints, ..fault });
        }
        let repo = Repo::open(&self.common_dir)?;
        if let Some(name) = self.local_queue(&repo)? {
            let branch = if name == "swift" { String::new() } else { format!(" --branch {name}") };
            let hint = format!("`swift init{branch}` takes over the queue that is on the branch `{name}`");
            return Ok(fault.hint(hint));
        }
        match self.adoptable()?.as_ref().map(|(remote, name)| (remote.as_str(), name.as_str())) {
            Some((remote, "swift")) => {
                return Ok(fault.hint(format!("`swift init` adopts the queue that is on `{remote}/swift`")));
            }
            Some((remote, name)) => {
                let hint =
                    format!("`swift init --branch {name}` adopts the queue that is on `{remote}/{name}`");
                return Ok(fault.hint(hint));
            }
            None => {}
        }
        if let Some(elsewhere) = self.on_a_remote(&repo)? {
            let place = format!("{place} has no queue: that of this repository is {}", elsewhere.place());
            return Ok(elsewhere.lead(Fault::new(Code::NotInitialised, place)));
        }
        if let Some(fault) = self.lies_there() {
            return Ok(fault);
        }
        Ok(match self.unfetched(&repo, "swift") {
            Some(unfetched) => {
                fault.hint(unfetched.remedy()).hint("then `swift init` adopts one, or makes one")
            }
            None => fault.hint("`swift init` makes one"),
        })
    }

    /// The branch of this repository that is a queue's, as `uninstall --keep-branch` and a bare clone leave one.
    fn local_queue(&self, repo: &Repo) -> Result<Option<String>> {
        let mut names: Vec<String> =
            refs::names_below(&self.common_dir, "refs/heads/")?.into_iter().collect();
        names.sort_by_key(|name| name != "swift");
        let is_queues = |name: &String| {
            let tip = refs::resolve(&self.common_dir, &format!("refs/heads/{name}"));
            is_plain(name)
                && tip.is_ok_and(|id| id.is_some_and(|id| create::is_queue(repo, id).unwrap_or(false)))
        };
        Ok(names.into_iter().take(MOST_BRANCHES).find(is_queues))
    }

    /// The branches of all remotes, each with its remote; the usual names first.
    pub(super) fn remote_branches(&self, repo: &Repo) -> Result<Vec<(String, String)>> {
        let names = refs::names_below(&self.common_dir, "refs/remotes/")?;
        let remotes: Vec<String> = repo.gix().remote_names().iter().map(ToString::to_string).collect();
        let part = |name: &String| {
            let of = |remote: &String| {
                Some((remote.clone(), name.strip_prefix(remote)?.strip_prefix('/')?.to_owned()))
            };
            remotes.iter().find_map(of)
        };
        let mut all: Vec<(String, String)> = names.iter().filter_map(part).collect();
        all.sort_by_key(|(remote, name)| (name != "swift", remote != "origin"));
        Ok(all)
    }

    /// The remote and its branch that is a queue's.
    fn adoptable(&self) -> Result<Option<(String, String)>> {
        if refs::names_below(&self.common_dir, "refs/remotes/")?.is_empty() {
            return Ok(None);
        }
        let repo = Repo::open(&self.common_dir)?;
        for (remote, name) in self.remote_branches(&repo)?.into_iter().take(MOST_BRANCHES) {
            let full = format!("refs/remotes/{remote}/{name}");
            let Ok(Some(id)) = refs::resolve(&self.common_dir, &full) else { continue };
            // Of the usual one `init` says what a partial clone lacks to tell.
            if is_plain(&name) && create::is_queue(&repo, id).unwrap_or(name == "swift") {
                return Ok(Some((remote, name)));
            }
        }
        Ok(None)
    }
}

/// Whether a commit has a queue in its tree. What a partial clone does not have cannot be looked at.
pub(super) fn has_queue(repo: &Repo, id: ObjectId) -> bool {
    let settings = format!("{FOLDER}/{SETTINGS}");
    let tree = repo.commit(id).map(|commit| commit.tree);
    tree.and_then(|tree| tree::lookup(repo, tree, &settings)).is_ok_and(|line| line.is_some())
}

/// A name that a shell would read otherwise is none to be pasted.
pub(super) fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) && !name.starts_with('-')
}

/// Whether a queue's folder has anything in it that may be work.
fn has_files(root: &Path) -> bool {
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = Vec::new();
    let is_work = |name: &OsStr| name != "local" && !name.as_encoded_bytes().starts_with(b".");
    for entry in entries(root).filter(|entry| is_work(&entry.file_name())) {
        folders.push(entry.path());
    }
    while let Some(path) = folders.pop() {
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => folders.extend(entries(&path).map(|entry| entry.path())),
            Ok(_) => return true,
            Err(_) => {}
        }
    }
    false
}

impl Home {
    /// Whether a checkout of the project has the queue's own in its index.
    pub(crate) fn is_linked_by_the_project(&self) -> bool {
        if self.kind != HomeKind::Branch {
            return false;
        }
        let checkouts: BTreeSet<&Path> =
            self.root.parent().into_iter().chain(self.stand.as_deref()).collect();
        let words = ["ls-files", "--full-name", "--stage", "-z", "--", FOLDER];
        checkouts.into_iter().any(|checkout| {
            let line = Git::at(checkout).run(&words).unwrap_or_default();
            line.starts_with(b"160000 ")
        })
    }

    /// What brings back lost settings. Where other files are left, they may have work in them that is in no commit: then
    /// it is the settings and nothing else.
    pub(crate) fn restoring(&self) -> String {
        let at = as_word(&self.root);
        match has_files(&self.root) {
            true => format!(
                "`git -C {at} restore --staged --worktree {SETTINGS}` brings it back as it is committed"
            ),
            false => format!("`git -C {at} restore --staged --worktree .` brings back what is committed"),
        }
    }
}

impl Elsewhere {
    fn place(&self) -> String {
        if let Some(commit) = self.commit {
            return format!(
                "in commit {}, from which the branch at hand was set back",
                commit.to_hex_with_len(12)
            );
        }
        let branch = match &self.branch {
            Some(branch) => format!("in the tree of `{branch}`"),
            None => "in the tree of a detached HEAD".to_owned(),
        };
        match &self.checkout {
            Some(_) if self.here => format!("{branch}, and its files are not checked out"),
            Some(checkout) => format!("{branch}, which is checked out in {}", checkout.display()),
            None => branch,
        }
    }

    /// What brings back the files. Where some of them are there, they may have work in them that is in no commit: then
    /// it is only the one that makes a queue of them.
    fn restoring(&self) -> String {
        let checkout = self.checkout.clone().unwrap_or_default();
        let what = match has_files(&checkout.join(FOLDER)) {
            true => format!("{FOLDER}/{SETTINGS}"),
            false => FOLDER.to_owned(),
        };
        let at = as_word(&checkout);
        format!("`git -C {at} restore --staged --worktree {what}` brings them back")
    }

    /// Whether git was told to leave the files out of the checkout.
    fn is_left_out(&self) -> bool {
        let Some(checkout) = &self.checkout else { return false };
        let words = ["ls-files", "-t", "-z", "--", &format!("{FOLDER}/{SETTINGS}")];
        Git::at(checkout).run(&words).is_ok_and(|told| told.starts_with(b"S "))
    }

    /// The commands that lead there.
    fn lead(&self, fault: Fault) -> Fault {
        if let Some(commit) = self.commit {
            let commit = commit.to_hex_with_len(12);
            return fault
                .hint(format!("`git merge {commit}` brings it to the branch at hand"))
                .hint(format!("`git branch rescue {commit}` keeps it, on a branch of its own"))
                .hint("if it is not missed: `mv .swift .swift-old`, and `swift init` begins anew");
        }
        if self.here && self.is_left_out() {
            let at = as_word(self.checkout.as_deref().unwrap_or(Path::new(".")));
            return fault.hint(format!("`git -C {at} sparse-checkout add {FOLDER}` checks them out"));
        }
        if self.here {
            return fault.hint(self.restoring());
        }
        let fault = match &self.checkout {
            Some(checkout) => fault.hint(format!("`swift -C {} list` shows it", checkout.display())),
            None => fault,
        };
        if let Some((_, name)) =
            self.branch.as_deref().filter(|_| self.remote).and_then(|it| it.split_once('/'))
        {
            let there = "there `swift home branch` makes it one queue for all branches and worktrees";
            let fault = fault.hint(format!("`git switch {name}` goes to that branch; {there}"));
            let branch = self.branch.as_deref().unwrap_or_default();
            return fault.hint(format!("`git merge {branch}` brings it to the branch at hand"));
        }
        let fault = match &self.branch {
            Some(branch) => fault.hint(format!("`git merge {branch}` brings it to the branch at hand")),
            None => fault,
        };
        let at = self.checkout.as_ref().map(|checkout| format!(" -C {}", checkout.display()));
        fault.hint(format!(
            "`swift{} home branch`, typed where it is, makes it one queue for all branches and worktrees",
            at.unwrap_or_default()
        ))
    }
}
