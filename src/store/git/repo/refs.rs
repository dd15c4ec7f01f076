//! HEAD and branches, read and moved as git does it with its `files` storage.
//!
//! Own code instead of gix's, because the new value has to be flushed between locking and renaming, and because
//! the lock files have to be of known identity.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;

use rustix::fs::{CWD, RenameFlags};

use super::Repo;
use super::external::Git;
use super::gitlock::GitLock;
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::Home;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, Make, OrIo as _};
use crate::store::git::home::creation;

/// Where HEAD points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Tip {
    /// The full name of the branch that a commit moves; `None` on a detached HEAD.
    pub(in crate::store::git) branch: Option<String>,
    /// The commit, `None` on a branch without commits.
    pub(in crate::store::git) id: Option<ObjectId>,
}

impl Tip {
    /// The file that holds the value.
    pub(in crate::store::git) fn file(&self, home: &Home) -> PathBuf {
        match &self.branch {
            Some(branch) => home.common_dir.join(branch),
            None => home.git_dir.join("HEAD"),
        }
    }

    /// The branch without `refs/heads/`.
    pub(in crate::store::git) fn short(&self) -> Option<&str> {
        self.branch.as_deref().map(short)
    }
}

/// A branch's name without `refs/heads/`.
pub(in crate::store::git) fn short(branch: &str) -> &str {
    branch.strip_prefix("refs/heads/").unwrap_or(branch)
}

/// Read HEAD and what it points at.
pub(in crate::store::git) fn tip(git_dir: &Path, common_dir: &Path) -> Result<Tip> {
    let path = git_dir.join("HEAD");
    let head = match disk::read_line(&path)? {
        Some(head) => head,
        // Found a moment ago: another verb has moved the queue, or taken it out.
        None if git_dir != common_dir && !git_dir.exists() => return Err(moved(git_dir)),
        None => return Err(damaged(&path, "is missing")),
    };
    let Some(mut name) = target(&head).map(str::to_owned) else {
        return Ok(Tip { branch: None, id: Some(parse(&head, &path)?) });
    };
    for _ in 0..5 {
        if !is_safe(&name) {
            break;
        }
        match value(common_dir, &name)? {
            Some(Value::Name(next)) => name = next,
            Some(Value::Id(id)) => return Ok(Tip { branch: Some(name), id: Some(id) }),
            None => return Ok(Tip { branch: Some(name), id: None }),
        }
    }
    Err(damaged(&path, "leads nowhere"))
}

fn moved(git_dir: &Path) -> Fault {
    Fault::new(Code::Changed, format!("`{}` is gone: the queue was moved just now", git_dir.display()))
        .hint("run the command again")
}

/// The commit of a ref by its full name.
pub(in crate::store::git) fn resolve(common_dir: &Path, name: &str) -> Result<Option<ObjectId>> {
    match value(common_dir, name)? {
        Some(Value::Id(id)) => Ok(Some(id)),
        Some(Value::Name(next)) if is_safe(&next) && next != name => resolve(common_dir, &next),
        _ => Ok(None),
    }
}

enum Value {
    Id(ObjectId),
    Name(String),
}

fn value(common_dir: &Path, name: &str) -> Result<Option<Value>> {
    let path = common_dir.join(name);
    let loose = match disk::read_line(&path) {
        Err(_) if path.is_dir() => None,
        read => read?,
    };
    match loose {
        Some(line) if !line.is_empty() => match target(&line) {
            Some(next) => Ok(Some(Value::Name(next.to_owned()))),
            None => Ok(Some(Value::Id(parse(&line, &path)?))),
        },
        Some(_) => Err(damaged(&path, "is empty")),
        None => packed(common_dir, name),
    }
}

fn packed(common_dir: &Path, name: &str) -> Result<Option<Value>> {
    let path = common_dir.join("packed-refs");
    let Some(content) = disk::read(&path)? else { return Ok(None) };
    for line in content.split(|byte| *byte == b'\n') {
        if let Some(hex) = line.strip_suffix(name.as_bytes()).and_then(|rest| rest.strip_suffix(b" ")) {
            return parse(&String::from_utf8_lossy(hex), &path).map(|id| Some(Value::Id(id)));
        }
    }
    Ok(None)
}

/// Names of all refs below a folder such as `refs/heads/swift/`.
pub(in crate::store::git) fn any_below(common_dir: &Path, folder: &str) -> Result<bool> {
    if contains_file(&common_dir.join(folder)) {
        return Ok(true);
    }
    let packed = disk::read(&common_dir.join("packed-refs"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&packed)
        .lines()
        .any(|line| line.split_once(' ').is_some_and(|(_, name)| name.starts_with(folder))))
}

/// All branches by their short names, and the commits that they are at.
pub(in crate::store::git) fn heads(common_dir: &Path) -> Result<BTreeMap<String, String>> {
    const HEADS: &str = "refs/heads/";
    let at = |name: String| {
        let id = resolve(common_dir, &format!("{HEADS}{name}")).ok().flatten()?;
        Some((name, id.to_string()))
    };
    Ok(names_below(common_dir, HEADS)?.into_iter().filter_map(at).collect())
}

/// What stands in all names but those of branches here: tags, the stash, notes, what is known of branches elsewhere. What
/// swift itself keeps under a name is left out.
pub(in crate::store::git) fn others(common_dir: &Path) -> Result<BTreeMap<String, String>> {
    let is_other = |name: &str| {
        !["heads/", "worktree/", "bisect/", "rewritten/", "swift/left/"]
            .iter()
            .any(|own| name.starts_with(own))
    };
    let packed = disk::read(&common_dir.join("packed-refs"))?.unwrap_or_default();
    let packed = String::from_utf8_lossy(&packed).into_owned();
    let lines = packed.lines().filter(|line| !line.starts_with(['#', '^']));
    let pairs =
        lines.filter_map(|line| line.split_once(" refs/").map(|(id, name)| (name.to_owned(), id.to_owned())));
    let mut all: BTreeMap<String, String> = pairs.filter(|(name, _)| is_other(name)).collect();
    let mut loose = BTreeSet::new();
    loose_below(&common_dir.join("refs"), "", &mut loose);
    for name in loose.into_iter().filter(|name| is_other(name)) {
        let value = disk::read_line(&common_dir.join("refs").join(&name)).ok().flatten().unwrap_or_default();
        all.insert(name, value);
    }
    Ok(all)
}

/// The names below a folder such as `refs/heads/`, without it, in order.
pub(in crate::store::git) fn names_below(common_dir: &Path, folder: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    loose_below(&common_dir.join(folder), "", &mut names);
    let packed = disk::read(&common_dir.join("packed-refs"))?.unwrap_or_default();
    let lines = String::from_utf8_lossy(&packed).into_owned();
    let packed = lines.lines().filter_map(|line| line.split_once(' ')?.1.strip_prefix(folder));
    names.extend(packed.map(str::to_owned));
    Ok(names)
}

fn loose_below(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        // What is no UTF-8 cannot be the name of a queue's branch.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        match entry.path().is_dir() {
            true => loose_below(&entry.path(), &format!("{name}/"), names),
            false if name.ends_with(".lock") => {}
            false => drop(names.insert(name)),
        }
    }
}

/// git leaves empty folders behind, so that a folder alone means nothing.
fn contains_file(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| !entry.path().is_dir() || contains_file(&entry.path()))
}

fn target(line: &str) -> Option<&str> {
    line.strip_prefix("ref:").map(str::trim)
}

fn is_safe(name: &str) -> bool {
    name.starts_with("refs/") && !name.split('/').any(|part| part.is_empty() || part == "." || part == "..")
}

fn parse(hex: &str, path: &Path) -> Result<ObjectId> {
    ObjectId::from_hex(hex.trim().as_bytes()).map_err(|_| damaged(path, "does not hold a commit's hash"))
}

fn damaged(path: &Path, how: &str) -> Fault {
    Fault::new(Code::Git, format!("{} {how}", path.display()))
        .hint("`git fsck` lists what is damaged; `git reflog --all` shows where each branch was")
}

/// Make a branch that is not there.
pub(in crate::store::git) fn create(home: &Home, branch: &str, id: ObjectId, sharing: Sharing) -> Result<()> {
    let path = home.common_dir.join(branch);
    sharing.make_folders(path.parent().expect("a branch is in a folder"))?;
    home.make_records(sharing)?;
    let mut file = GitLock::prepare(&path, &home.scratch(), sharing)?;
    file.write(format!("{id}\n").as_bytes())?;
    file.handle()?.sync_all().or_io("flush", &path)?;
    match file.found()? {
        true => Ok(()),
        false => Err(taken(short(branch), "is there already")),
    }
}

/// The name of a branch is taken by what is not the queue's.
pub(in crate::store::git) fn taken(branch: &str, why: &str) -> Fault {
    Fault::new(Code::BranchTaken, format!("the branch `{branch}` {why}"))
        .hint("`git branch --all` shows the branches that are there")
}

/// Remove a branch that is at this commit, with its reflog. In no step is there a lock file that a killed process
/// could leave: the file is moved aside, and back again if somebody has just written another value into it.
pub(in crate::store::git) fn delete(home: &Home, branch: &str, id: ObjectId) -> Result<()> {
    let common_dir = &home.common_dir;
    if matches!(packed(common_dir, branch)?, Some(Value::Id(_))) {
        return unpack(home, branch, id);
    }
    let (path, reflog) = (common_dir.join(branch), common_dir.join("logs").join(branch));
    let aside = creation::folder(common_dir).join("branch-aside");
    std::fs::rename(&path, &aside).or_io("remove", &path)?;
    if disk::read_line(&aside)?.as_deref() != Some(id.to_string().as_str()) {
        rustix::fs::renameat_with(CWD, &aside, CWD, &path, RenameFlags::NOREPLACE)
            .or_io("put back", &path)?;
        return Err(moved_on(branch));
    }
    disk::remove(&aside)?;
    disk::remove(&reflog)?;
    remove_empty_above(&path, &common_dir.join("refs/heads"));
    remove_empty_above(&reflog, &common_dir.join("logs/refs/heads"));
    Ok(())
}

/// The same for a branch that `git pack-refs` has put into its one file; that file only git rewrites.
fn unpack(home: &Home, branch: &str, id: ObjectId) -> Result<()> {
    Git::at(&home.common_dir).run(&["update-ref", "-d", branch, &id.to_string()]).map(drop)
}

fn moved_on(branch: &str) -> Fault {
    Fault::new(Code::Changed, format!("the branch `{}` has just moved on", short(branch)))
        .hint("run the same command again")
}

/// Folders that a branch with slashes in its name leaves empty.
fn remove_empty_above(path: &Path, end: &Path) {
    let above = path.ancestors().skip(1).take_while(|folder| *folder != end && folder.starts_with(end));
    // A folder that is not empty stays, and those above it.
    let _ = above.map(std::fs::remove_dir).find(std::result::Result::is_err);
}

/// Folders for reflogs that were made for the queue's branch: git makes them with the first commit of the project's own, and
/// that HEAD then has a reflog, too.
pub(in crate::store::git) fn remove_empty_logs(common_dir: &Path) {
    let logs = common_dir.join("logs");
    if !logs.join("HEAD").exists() {
        let _ = ["refs/heads", "refs", ""]
            .iter()
            .map(|name| std::fs::remove_dir(logs.join(name)))
            .find(Result::is_err);
    }
}

/// Whether a name can be a branch, by git's rules.
pub(in crate::store::git) fn check_branch(name: &str) -> Result<()> {
    let full = format!("refs/heads/{name}");
    let valid = gix::validate::reference::name(full.as_str().into()).is_ok()
        && !name.starts_with('-')
        && name != "HEAD";
    if valid {
        Ok(())
    } else {
        Err(Fault::new(Code::InvalidValue, format!("`{name}` cannot be the name of a branch")))
    }
}

/// One movement of a branch for the reflogs.
pub(in crate::store::git) struct Movement<'a> {
    pub(in crate::store::git) from: Option<ObjectId>,
    pub(in crate::store::git) to: ObjectId,
    pub(in crate::store::git) who: &'a gix::actor::Signature,
    /// What is written beside it.
    pub(in crate::store::git) message: &'a str,
}

/// Whether and how reflogs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::git) enum Reflog {
    Write,
    /// Only where one exists.
    Continue,
}

impl Reflog {
    /// As the repository is configured.
    pub(in crate::store::git) fn of(repo: &Repo) -> Reflog {
        match repo.text("core.logAllRefUpdates").as_deref() {
            None | Some("true" | "always" | "yes" | "on" | "1") => Reflog::Write,
            Some(_) => Reflog::Continue,
        }
    }
}

/// Append to the reflogs of HEAD and of the branch.
pub(in crate::store::git) fn log(
    home: &Home,
    tip: &Tip,
    movement: &Movement<'_>,
    reflog: Reflog,
    sharing: Sharing,
) -> Result<()> {
    log_of_head(home, movement, reflog, sharing)?;
    match &tip.branch {
        Some(branch) => {
            append(&home.common_dir.join("logs").join(branch), &movement.line()?, reflog, sharing)
        }
        None => Ok(()),
    }
}

/// Append to the reflog of HEAD alone.
pub(in crate::store::git) fn log_of_head(
    home: &Home,
    movement: &Movement<'_>,
    reflog: Reflog,
    sharing: Sharing,
) -> Result<()> {
    append(&home.git_dir.join("logs/HEAD"), &movement.line()?, reflog, sharing)
}

impl Movement<'_> {
    fn line(&self) -> Result<Vec<u8>> {
        let zero = ObjectId::null(self.to.kind());
        let mut line = format!("{} {} ", self.from.unwrap_or(zero), self.to).into_bytes();
        self.who
            .write_to(&mut line)
            .map_err(|error| Fault::new(Code::Git, format!("the identity is not sound: {error}")))?;
        line.extend_from_slice(format!("\t{}\n", self.message).as_bytes());
        Ok(line)
    }
}

fn append(path: &Path, line: &[u8], reflog: Reflog, sharing: Sharing) -> Result<()> {
    let make = match reflog {
        Reflog::Write => Make::New,
        Reflog::Continue => Make::Nothing,
    };
    let mut file = match disk::extend(path, make) {
        Ok(file) => file,
        Err(error) if disk::is_absent(&error) && reflog == Reflog::Continue => return Ok(()),
        Err(error) if disk::is_absent(&error) => {
            sharing.make_folders(path.parent().expect("a log is in a folder"))?;
            disk::extend(path, make).or_io("write", path)?
        }
        Err(error) => return Err(error).or_io("write", path),
    };
    file.write_all(line).or_io("write", path)?;
    sharing.file(&file, path)
}
