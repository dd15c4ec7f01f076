//! What a run has left in its worktree: what is not committed yet, its commits, and what they change.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;
use gix::index::entry::{Flags, Mode, Stage};

use super::{Checkout, embedded, head, hidden, text};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::perm::Sharing;
use crate::store::git::home::find::{Place, place};
use crate::store::git::objects::Batch;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::external::Git;
use crate::store::git::repo::{Repo, refs};

/// The most commits of one run that are told.
const MOST_COMMITS: usize = 1000;

/// What a run has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// The commit that was made now, of what was not committed.
    pub(crate) committed: Option<String>,
    /// The commits since the run began, oldest first.
    pub(crate) commits: Vec<String>,
    /// Whether anything differs from where the run began.
    pub(crate) has_diff: bool,
}

/// Commit everything that a run left uncommitted, and tell what there is then. Not signed: nobody is there to be
/// asked for a passphrase, and it is not the person's own work.
///
/// # Errors
/// [`Code::WrongState`] if it cannot be kept as it is: files in conflict, a repository inside of it, or a branch that
/// has lost where it began. Those of git, such as a missing identity.
pub(crate) fn keep(checkout: &Checkout, start: &str, message: &str) -> Result<Left> {
    let folder = &checkout.path;
    let found = place(folder)?;
    let repo = Repo::open(&found.git_dir)?;
    // One that is gone or broken, git makes anew.
    let mut inside = Vec::new();
    if let Ok(index) = read_index(&repo, &found) {
        refuse_conflicts(&index)?;
        refuse_work_in_submodules(&found, folder, &index)?;
        hidden::show(folder, &index)?;
        inside = embedded::present(folder, &index);
    }
    // What was made outside of a sparse checkout is work too.
    let is_sparse = repo.flag("core.sparseCheckout") == Some(true);
    let words: &[&str] = if is_sparse { &["add", "--all", "--sparse"] } else { &["add", "--all"] };
    embedded::stage(folder, words, &inside)?;
    let committed = match changes(&repo, &found) {
        Ok(changes) if changes.is_empty() => None,
        Ok(changes) => commit(&repo, &found, &changes, message)?,
        // What is special about it, git knows.
        Err(why) => {
            tracing::debug!(%why, "git commits what was left");
            commit_by_git(folder, message)?
        }
    };
    refuse_own_repositories(&repo, folder, &read_index(&repo, &found)?, &checkout.base)?;
    let tip = head(folder)?.unwrap_or_else(|| start.to_owned());
    refuse_another_history(&repo, folder, &checkout.base, &tip)?;
    let commits = commits(&repo, folder, start, &tip)?;
    let has_diff = root(&repo, start)? != root(&repo, &tip)?;
    Ok(Left { committed, commits, has_diff })
}

/// What lies on a branch since a commit of it, whoever has left it; `None` if the branch, as it was at `start`, does not
/// hold that commit.
///
/// # Errors
/// Those of reading objects and of git.
pub(crate) fn left_since(folder: &Path, from: &str, start: &str) -> Result<Option<Left>> {
    let repo = Repo::open(&place(folder)?.git_dir)?;
    if !holds(&repo, folder, from, start)? {
        return Ok(None);
    }
    let tip = head(folder)?.unwrap_or_else(|| start.to_owned());
    let commits = commits(&repo, folder, from, &tip)?;
    let has_diff = root(&repo, from)? != root(&repo, &tip)?;
    Ok(Some(Left { committed: None, commits, has_diff }))
}

pub(super) fn read_index(repo: &Repo, place: &Place) -> Result<gix::index::File> {
    let path = place.git_dir.join("index");
    gix::index::File::at(path, repo.hash, false, gix::index::decode::Options::default()).map_err(special)
}

fn unfit(text: String) -> Fault {
    Fault::new(Code::WrongState, text)
}

/// Adding a file that is in conflict would settle the conflict, markers and all.
fn refuse_conflicts(index: &gix::index::File) -> Result<()> {
    let in_conflict = index.entries().iter().find(|entry| entry.stage() != Stage::Unconflicted);
    match in_conflict {
        Some(entry) => Err(unfit(format!(
            "`{}` is left in conflict, in a merge that was not finished",
            entry.path(index)
        ))),
        None => Ok(()),
    }
}

/// What is done in a submodule is on no branch of this repository: the name of a commit is, and that one only helps who
/// can fetch it.
fn refuse_work_in_submodules(place_of: &Place, folder: &Path, index: &gix::index::File) -> Result<()> {
    for entry in index.entries().iter().filter(|entry| entry.mode == Mode::COMMIT) {
        let path = gix::path::from_bstr(entry.path(index)).map_err(special)?;
        let inner = folder.join(&path);
        if inner.join(".git").symlink_metadata().is_err() {
            continue;
        }
        let shown = path.display();
        let found = place(&inner)?;
        if !found.git_dir.starts_with(&place_of.common_dir) {
            return Err(unfit(format!("the submodule `{shown}` leads to another repository than it should")));
        }
        let head = refs::tip(&found.git_dir, &found.common_dir)?.id;
        if head.is_some_and(|head| head != entry.id) {
            let contains = format!("--contains={}", head.map(|head| head.to_string()).unwrap_or_default());
            let words = ["for-each-ref", "--count=1", &contains, "refs/remotes", "refs/tags"];
            if Git::at(&inner).run(&words)?.is_empty() {
                return Err(unfit(format!("commits in the submodule `{shown}` are nowhere else")));
            }
        }
        if embedded::is_dirty(place_of, &inner)? {
            return Err(unfit(format!("work in the submodule `{shown}` is on no branch of this repository")));
        }
    }
    Ok(())
}

/// A repository that was made inside of the worktree is committed as nothing but a name; its files would be nowhere.
fn refuse_own_repositories(repo: &Repo, folder: &Path, index: &gix::index::File, base: &str) -> Result<()> {
    for entry in index.entries().iter().filter(|entry| entry.mode == Mode::COMMIT) {
        let path = std::str::from_utf8(entry.path(index)).map_err(special)?;
        let is_new = tree::lookup(repo, root(repo, base)?, path)?.is_none();
        if is_new && !submodules(folder)?.iter().any(|known| known == path) {
            return Err(unfit(format!(
                "`{path}` is a repository of its own, whose files are on no branch of this one"
            )));
        }
    }
    Ok(())
}

/// The paths of those that were made as submodules.
fn submodules(folder: &Path) -> Result<Vec<String>> {
    let words = ["config", "--file", ".gitmodules", "--null", "--get-regexp", r"^submodule\..*\.path$"];
    let told = text(&Git::at(folder).ask(&words)?.output);
    Ok(told.split('\0').filter_map(|entry| entry.split_once('\n')).map(|(_, path)| path.to_owned()).collect())
}

fn refuse_another_history(repo: &Repo, folder: &Path, base: &str, tip: &str) -> Result<()> {
    if holds(repo, folder, base, tip)? {
        return Ok(());
    }
    let short = base.get(..12).unwrap_or(base);
    Err(unfit(format!("its branch no longer holds the commit that it began at, {short}")))
}

/// Whether a commit is another one, or came before it.
fn holds(repo: &Repo, folder: &Path, earlier: &str, later: &str) -> Result<bool> {
    Ok(chain(repo, repo.id(earlier)?, repo.id(later)?).is_some()
        || Git::at(folder).ask(&["merge-base", "--is-ancestor", earlier, later])?.code == Some(0))
}

/// Files of git's that stand for something begun, which a commit would end.
pub(super) const BEGUN: [&str; 7] = [
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "REBASE_HEAD",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
];

fn special(what: impl std::fmt::Display) -> Fault {
    Fault::new(Code::Unsupported, format!("special: {what}"))
}

/// What the index has that the last commit has not.
fn changes(repo: &Repo, place: &Place) -> Result<BTreeMap<String, Option<Leaf>>> {
    if let Some(begun) = BEGUN.into_iter().find(|name| place.git_dir.join(name).exists()) {
        return Err(special(begun));
    }
    if repo.sharing()? != Sharing::Umask {
        return Err(special("core.sharedRepository"));
    }
    let tip = refs::tip(&place.git_dir, &place.common_dir)?.id.ok_or_else(|| special("no commit yet"))?;
    let mut before = BTreeMap::new();
    tree::flatten(repo, repo.commit(tip)?.tree, "", &mut before)?;
    let index = read_index(repo, place)?;
    let mut changes = BTreeMap::new();
    for entry in index.entries() {
        let is_plain = entry.stage() == Stage::Unconflicted
            && !entry.flags.contains(Flags::INTENT_TO_ADD)
            && matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK | Mode::COMMIT);
        let path = std::str::from_utf8(entry.path(&index)).map_err(special)?;
        if !is_plain {
            return Err(special(path));
        }
        let leaf = Leaf { mode: entry.mode.bits(), id: entry.id };
        if before.remove(path).map(usual) != Some(leaf) {
            changes.insert(path.to_owned(), Some(leaf));
        }
    }
    changes.extend(before.into_keys().map(|path| (path, None)));
    Ok(changes)
}

/// Very old trees have modes that an index does not know.
fn usual(leaf: Leaf) -> Leaf {
    match (leaf.mode & 0o170_000, leaf.mode & 0o100) {
        (0o100_000, 0) => Leaf { mode: tree::FILE, ..leaf },
        (0o100_000, _) => Leaf { mode: tree::PROGRAM, ..leaf },
        _ => leaf,
    }
}

fn commit(
    repo: &Repo,
    place: &Place,
    changes: &BTreeMap<String, Option<Leaf>>,
    message: &str,
) -> Result<Option<String>> {
    use gix::objs::Write as _;
    let failed = |error: gix::Error| Fault::new(Code::Git, format!("cannot commit what was left: {error}"));
    let tip = refs::tip(&place.git_dir, &place.common_dir)?.id;
    let mut batch = Batch::new(repo.hash);
    let before = tip.map(|id| repo.commit(id)).transpose()?.map(|commit| commit.tree);
    let after = match tree::edit(repo, before, changes, &mut batch)? {
        Some(after) => after,
        None => batch.add(gix::objs::Kind::Tree, Vec::new())?,
    };
    for (kind, data) in batch.objects() {
        repo.gix().write_buf(kind, data).map_err(failed)?;
    }
    let identity = repo.identity()?;
    let (mut first, mut second) =
        (gix::date::parse::TimeBuf::default(), gix::date::parse::TimeBuf::default());
    let id = repo
        .gix()
        .commit_as(
            identity.committer.to_ref(&mut first),
            identity.author.to_ref(&mut second),
            "HEAD",
            message,
            after,
            tip,
        )
        .map_err(failed)?;
    Ok(Some(id.to_string()))
}

fn commit_by_git(folder: &Path, message: &str) -> Result<Option<String>> {
    if embedded::status(folder)?.is_empty() {
        return Ok(None);
    }
    Git::at(folder).input(message.as_bytes().to_vec()).run(&[
        "commit",
        "--quiet",
        "--no-gpg-sign",
        "--file",
        "-",
    ])?;
    head(folder)
}

/// The commits from one to another, oldest first, merges included.
fn commits(repo: &Repo, folder: &Path, from: &str, to: &str) -> Result<Vec<String>> {
    if let Some(chain) = chain(repo, repo.id(from)?, repo.id(to)?) {
        return Ok(chain);
    }
    let range = format!("{from}..{to}");
    let most = format!("--max-count={MOST_COMMITS}");
    let out = Git::at(folder).run(&["rev-list", "--reverse", &most, &range, "--"])?;
    Ok(text(&out).lines().map(str::to_owned).collect())
}

/// The same where each commit has one parent, as nearly always.
fn chain(repo: &Repo, from: ObjectId, to: ObjectId) -> Option<Vec<String>> {
    let (mut chain, mut at) = (Vec::new(), to);
    while at != from {
        let [parent] = repo.commit(at).ok()?.parents[..] else { return None };
        chain.push(at.to_string());
        at = parent;
        if chain.len() > MOST_COMMITS {
            return None;
        }
    }
    chain.reverse();
    Some(chain)
}

fn root(repo: &Repo, commit: &str) -> Result<ObjectId> {
    Ok(repo.commit(repo.id(commit)?)?.tree)
}

/// Whether two commits differ at any of these paths.
///
/// # Errors
/// Those of reading objects.
pub(crate) fn paths_differ(folder: &Path, from: &str, to: &str, paths: &[&str]) -> Result<bool> {
    let repo = Repo::open(&place(folder)?.git_dir)?;
    let (from, to) = (root(&repo, from)?, root(&repo, to)?);
    for path in paths {
        if tree::lookup(&repo, from, path)? != tree::lookup(&repo, to, path)? {
            return Ok(true);
        }
    }
    Ok(false)
}
