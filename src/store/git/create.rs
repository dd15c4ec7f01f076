//! Making the queue of a repository, or taking over the one that a clone brought along.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;

use super::disk::{self, OrIo as _};
use super::find::{Place, SETTINGS, place};
use super::repo::Repo;
use super::state::unsafe_home;
use super::worktree::{self, FOLDER, Worktree};
use super::{Home, HomeKind, Outcome, Request, exclude, lock, refs, tree};
use crate::domain::fault::{Code, Fault, Result};

/// What `create` has found or made.
#[derive(Debug)]
pub(crate) enum Created {
    /// A new queue, with the files asked for committed.
    New(Home),
    /// The queue of an existing branch, local or of a remote, is checked out.
    Adopted(Home),
    /// There was one already; nothing has changed.
    Existing(Home),
}

/// How long other processes are waited for.
const WAIT: Duration = Duration::from_secs(10);

impl Home {
    /// Make the queue of the repository around `start`; `request` is its first commit.
    pub(crate) fn create(
        start: &Path,
        kind: HomeKind,
        branch: &str,
        request: Request<'_>,
    ) -> Result<Created> {
        let place = place(start)?;
        if place.home()?.is_some() {
            return Home::find(start).map(Created::Existing);
        }
        refs::check_branch(branch)?;
        let repo = Repo::open(&place.common_dir)?;
        repo.identity()?;
        check_checkout(&place, &repo)?;
        match kind {
            HomeKind::Branch => create_branch(&place, &repo, branch, request),
            HomeKind::Tree => create_tree(&place, request),
        }
    }
}

/// `core.worktree` can name another checkout than the one that `.git` lies in; nothing here would find that.
fn check_checkout(place: &Place, repo: &Repo) -> Result<()> {
    let (Some(named), Some(checkout)) = (repo.text("core.worktree"), &place.checkout) else { return Ok(()) };
    let same = std::fs::canonicalize(place.common_dir.join(&named)).is_ok_and(|named| named == *checkout);
    if same || place.git_dir != place.common_dir {
        return Ok(());
    }
    Err(Fault::new(Code::Unsupported, format!("core.worktree of {} is {named}", place.common_dir.display()))
        .hint("`git config --show-origin core.worktree` shows where it is set"))
}

fn create_tree(place: &Place, request: Request<'_>) -> Result<Created> {
    let checkout = place.checkout.clone().map_or_else(|| place.project(), Ok)?;
    let home = place.tree_home(&checkout)?;
    let mut undo = Undo::new(&home.root)?;
    undo.make_root()?;
    let guard = home.lock(WAIT)?;
    if let Some(home) = place.home()? {
        // Another process was faster.
        undo.keep();
        return Ok(Created::Existing(home));
    }
    if let Some(reason) = home.waits()? {
        return Err(not_now(&reason));
    }
    let paths: Vec<PathBuf> = request.changes.iter().map(|change| home.root.join(&change.path)).collect();
    if let Outcome::Debt(reason) = home.commit(&guard, request)? {
        paths.into_iter().for_each(|path| undo.also(path));
        home.write_debts(&Default::default())?;
        return Err(not_now(&reason));
    }
    undo.keep();
    home.reopen().map(Created::New)
}

fn create_branch(place: &Place, repo: &Repo, branch: &str, request: Request<'_>) -> Result<Created> {
    let root = place.project()?.join(FOLDER);
    let common_dir = &place.common_dir;
    let sharing = repo.sharing()?;
    let guard = lock::hold(common_dir, WAIT)?;
    if let Some(home) = place.home()? {
        // Another process was faster.
        return Ok(Created::Existing(home));
    }
    let existing = existing(common_dir, repo, branch)?;
    let mut undo = Undo::new(&root)?;
    undo.make_root()?;
    if let Some(Existing::Remote(id)) = existing {
        let path = common_dir.join("refs/heads").join(branch);
        sharing.make_folders(path.parent().expect("a branch is in a folder"))?;
        worktree::write_file(&path, &format!("{id}\n"), sharing)?;
        undo.also(path);
    }
    let admin = worktree::make(common_dir, &root, branch, sharing)?;
    undo.admin = Some(admin.clone());
    exclude::add(common_dir, sharing)?;
    undo.excluded = Some(common_dir.clone());
    sharing.make_folders(&common_dir.join("swift"))?;
    worktree::write_file(&common_dir.join("swift").join("branch"), &format!("{branch}\n"), sharing)?;
    undo.also(common_dir.join("swift").join("branch"));
    let home = Home {
        checkout: root.clone(),
        root,
        kind: HomeKind::Branch,
        common_dir: common_dir.clone(),
        branch: Some(branch.to_owned()),
        rebuilt: None,
        git_dir: admin,
        hook: false,
        patience: Duration::from_secs(2),
    };
    if existing.is_some() {
        home.check_out()?;
        undo.keep();
        return Ok(Created::Adopted(home));
    }
    if let Outcome::Debt(reason) = home.commit(&guard, request)? {
        return Err(not_now(&reason));
    }
    undo.keep();
    Ok(Created::New(home))
}

fn not_now(reason: &str) -> Fault {
    Fault::new(Code::InProgress, format!("the queue cannot be made now: {reason}"))
        .hint("`git status` shows what is in progress")
}

enum Existing {
    Local,
    Remote(ObjectId),
}

/// A branch of that name that is a queue's; refused if it is somebody else's.
fn existing(common_dir: &Path, repo: &Repo, branch: &str) -> Result<Option<Existing>> {
    let full = format!("refs/heads/{branch}");
    if let Some(id) = refs::resolve(common_dir, &full)? {
        if !is_queue(repo, id)? {
            return Err(taken(branch, "is not a queue's"));
        }
        if let Some(other) = checked_out(common_dir, branch)? {
            return Err(taken(branch, &format!("is checked out in {}", other.display())));
        }
        return Ok(Some(Existing::Local));
    }
    if refs::any_below(common_dir, &format!("{full}/"))? {
        return Err(taken(branch, "is the folder of other branches"));
    }
    let head = disk::read_line(&common_dir.join("HEAD"))?;
    if head.as_deref() == Some(&format!("ref: {full}")) {
        return Err(taken(branch, "is the branch that is about to be born here"));
    }
    match refs::resolve(common_dir, &format!("refs/remotes/origin/{branch}"))? {
        Some(id) if is_queue(repo, id)? => Ok(Some(Existing::Remote(id))),
        Some(_) => Err(taken(branch, "of `origin` is not a queue's")),
        None => Ok(None),
    }
}

fn checked_out(common_dir: &Path, branch: &str) -> Result<Option<PathBuf>> {
    let head = format!("ref: refs/heads/{branch}");
    if disk::read_line(&common_dir.join("HEAD"))?.as_deref() == Some(head.as_str()) {
        return Ok(Some(common_dir.parent().unwrap_or(common_dir).to_owned()));
    }
    let Ok(entries) = std::fs::read_dir(common_dir.join("worktrees")) else { return Ok(None) };
    for entry in entries.flatten() {
        if let Some(Worktree { root, branch: Some(other), .. }) = worktree::read(&entry.path())?
            && other == branch
            && root.is_dir()
        {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// A branch is a queue's if its tree has the settings file at the top.
pub(super) fn is_queue(repo: &Repo, commit: ObjectId) -> Result<bool> {
    let tree = repo.commit(commit)?.tree;
    Ok(tree::lookup(repo, tree, SETTINGS)?.is_some_and(|line| !line.is_folder()))
}

fn taken(branch: &str, why: &str) -> Fault {
    Fault::new(Code::BranchTaken, format!("the branch `{branch}` {why}"))
        .hint(format!("git log -3 {branch}"))
        .hint("`swift init --branch NAME` takes another name")
}

/// Takes back a half-made queue.
struct Undo {
    root: PathBuf,
    made_root: bool,
    admin: Option<PathBuf>,
    excluded: Option<PathBuf>,
    files: Vec<PathBuf>,
    done: bool,
}

impl Undo {
    fn new(root: &Path) -> Result<Undo> {
        if root.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(unsafe_home(root));
        }
        Ok(Undo {
            root: root.to_owned(),
            made_root: false,
            admin: None,
            excluded: None,
            files: Vec::new(),
            done: false,
        })
    }

    fn make_root(&mut self) -> Result<()> {
        if !self.root.exists() {
            std::fs::create_dir(&self.root).or_io("make the folder", &self.root)?;
            self.made_root = true;
        }
        Ok(())
    }

    fn also(&mut self, file: PathBuf) {
        self.files.push(file);
    }

    fn keep(mut self) {
        self.done = true;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // On the way out of an error, which is the one that is reported.
        if let Some(common_dir) = &self.excluded {
            let _ = exclude::remove(common_dir);
        }
        if let Some(admin) = &self.admin {
            let _ = std::fs::remove_dir_all(admin);
            let _ = std::fs::remove_file(self.root.join(".git"));
            let _ = admin.parent().map(std::fs::remove_dir);
        }
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
        if let Some(common_dir) = &self.excluded {
            let _ = std::fs::remove_dir(common_dir.join("swift").join("tmp"));
            let _ = std::fs::remove_dir(common_dir.join("swift"));
        }
        if self.made_root {
            let _ = std::fs::remove_dir(self.root.join("local").join("tmp"));
            let _ = std::fs::remove_dir(self.root.join("local"));
            let _ = std::fs::remove_dir(&self.root);
        }
    }
}
