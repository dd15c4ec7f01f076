//! Finding the queue of a repository: from a subfolder, from any of its worktrees, or from inside the queue itself.
//!
//! A repository that was moved is healed, and a queue folder that was deleted is checked out again from its branch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gix::ObjectId;

use super::departure::Departure;
use super::worktree::{self, FOLDER, Worktree};
use super::{create, creation, relink};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::commit::state::unsafe_home;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::sync::Barrier;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::index::Missing;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::gitlock::GitLock;
use crate::store::git::repo::{Opened, Repo, refs};
use crate::store::git::{Durability, Home, HomeKind};

/// The file at the top of every queue; a branch is a queue's only if it has it.
pub(in crate::store::git) const SETTINGS: &str = "swift.toml";

/// The folder of the queue that belongs to one machine alone.
const MACHINE: &str = "local/";

/// How long a lock file of another program is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A checkout and its git folders.
#[derive(Debug, Clone)]
pub(in crate::store::git) struct Place {
    /// `None` inside a bare repository.
    pub(in crate::store::git) checkout: Option<PathBuf>,
    pub(in crate::store::git) git_dir: PathBuf,
    pub(in crate::store::git) common_dir: PathBuf,
}

/// The root of the checkout and the repository's shared git folder.
pub(crate) fn project_paths(start: &Path) -> Result<(PathBuf, PathBuf)> {
    let place = place(start)?;
    Ok((place.project()?, place.common_dir))
}

/// The address of the remote of the repository around a folder, if it has one.
pub(crate) fn remote_url_at(start: &Path) -> Option<String> {
    Repo::open(&place(start).ok()?.common_dir).ok()?.text("remote.origin.url")
}

/// The name that git puts on commits in the main checkout of the repository around a folder, if it knows one.
pub(crate) fn identity_name_at(start: &Path) -> Option<String> {
    Repo::open(&place(start).ok()?.common_dir).ok()?.text("user.name")
}

impl Home {
    /// Find the queue that belongs to a folder.
    pub(crate) fn find(start: &Path) -> Result<Home> {
        let place = place(start)?;
        match place.home()? {
            Some(home) => place.without_foreign(home.present()?),
            None => Err(place.not_initialised()?),
        }
    }

    /// The same home with HEAD and configuration read anew.
    pub(crate) fn reopen(&self) -> Result<Home> {
        Home::find(&self.root)
    }

    /// The git folder of the checkout that the queue's commits are made in.
    pub(crate) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The address of the remote that the project is most likely known by.
    pub(crate) fn remote_url(&self) -> Option<String> {
        self.repo().ok()?.text("remote.origin.url")
    }

    /// The name that git puts on commits in the project's main checkout, if it knows one; so the same person is the same
    /// wherever a verb is typed.
    pub(crate) fn identity_name(&self) -> Option<String> {
        let own = self.repo().ok()?;
        if own.is_configured_by_place() {
            Repo::open(&self.common_dir).ok()?.text("user.name")
        } else {
            own.text("user.name")
        }
    }

    /// The opened repository; opened once, because that costs more than most of what is then asked of it.
    pub(in crate::store::git) fn repo(&self) -> Result<Rc<Repo>> {
        self.opened.get(&self.git_dir)
    }

    /// The home, with its folder checked out again if it was deleted.
    fn present(mut self) -> Result<Home> {
        match std::fs::symlink_metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(unsafe_home(&self.root)),
            Err(error) if disk::is_absent(&error) => {}
            Err(error) => return Err(error).or_io("inspect", &self.root),
        }
        if self.kind == HomeKind::Branch && !self.root.join(".git").exists() {
            relink::refuse_dry_run(&self.root, self.branch.as_deref())?;
            self.rebuilt = self.link_again()?;
            self.relinked = self.rebuilt.is_none().then(|| "was gone".to_owned());
        }
        Ok(self)
    }

    /// Write all files of HEAD that are not there, and a new index.
    pub(super) fn check_out(&self) -> Result<()> {
        let repo = self.repo()?;
        let folder = Folder::open(&self.root)?.shared(repo.sharing()?);
        let Some(tip) = refs::tip(&self.git_dir, &self.common_dir)?.id else { return Ok(()) };
        let root = repo.commit(tip)?.tree;
        let mut all = BTreeMap::new();
        tree::flatten(&repo, root, "", &mut all)?;
        let mut barrier = Barrier::default();
        let mut change = folder.change();
        let mut made: BTreeMap<String, Option<Leaf>> = BTreeMap::new();
        // What somebody has committed of another machine's own files is not this machine's.
        all.retain(|path, _| !path.starts_with(MACHINE));
        // The settings last: a folder that has them has everything.
        let settings = all.remove_entry(SETTINGS);
        for (path, leaf) in all.into_iter().chain(settings) {
            if folder.stat(&path)?.is_none() {
                let staged = folder.stage(&repo.blob(leaf.id)?, &mut barrier)?;
                change.make(&path, &staged)?;
                made.insert(path, Some(leaf));
            }
        }
        change.flush(&mut barrier);
        barrier.wait(Durability::Full)?;
        change.complete();
        disk::remove(&self.git_dir.join("index"))?;
        self.begin_index(&repo, &folder, &made, root)?;
        self.note_position(&repo, tip, None, "swift: the files are checked out");
        Ok(())
    }

    /// Write an index of HEAD's files where there is none. It vouches only for those that were just `made`: what lay
    /// there before may have been edited.
    pub(super) fn begin_index(
        &self,
        repo: &Repo,
        folder: &Folder,
        made: &BTreeMap<String, Option<Leaf>>,
        root: ObjectId,
    ) -> Result<()> {
        let sharing = repo.sharing()?;
        self.make_records(sharing)?;
        let mut index = GitLock::prepare(&self.git_dir.join("index"), &self.scratch(), sharing)?;
        self.update_index(repo, folder, &mut index, made, Missing::Fill(root))?;
        let path = self.git_dir.join("index");
        index.handle()?.sync_all().or_io("flush", &path)?;
        index.found()?;
        let mut barrier = Barrier::default();
        barrier.name_of(&path);
        barrier.wait(Durability::Full)
    }
}

impl Place {
    /// The queue's home, if this repository has one that is whole.
    pub(in crate::store::git) fn home(&self) -> Result<Option<Home>> {
        let note = creation::note(&self.common_dir)?;
        if let Some(departure) = note.as_deref().and_then(Departure::parse) {
            departure.settle(self)?;
            return self.home();
        }
        match self.any_home()? {
            Some(home) if creation::is_half_made(&home, note.as_deref()) => Ok(None),
            home => Ok(home),
        }
    }

    fn any_home(&self) -> Result<Option<Home>> {
        if let Some((worktree, relinked)) = self.worktree()? {
            return Ok(Some(Home { relinked, ..self.branch_home(worktree) }));
        }
        let Some(checkout) = &self.checkout else { return Ok(None) };
        let root = checkout.join(FOLDER);
        match std::fs::symlink_metadata(&root) {
            Ok(metadata) if !metadata.is_dir() => Err(unsafe_home(&root)),
            Ok(_) if worktree::is_cut_off(&root, &self.common_dir) => Err(relink::without_branch(&root)),
            Ok(_) if root.join(SETTINGS).is_file() => {
                let home = self.tree_home(checkout)?;
                Ok(self.is_in_git(&home)?.then_some(home))
            }
            _ => Ok(None),
        }
    }

    /// The queue's worktree, with both of its ends pointing at each other, and what was wrong with its link.
    fn worktree(&self) -> Result<Option<(Worktree, Option<String>)>> {
        let Some(found) = worktree::registered(&self.common_dir)? else {
            return Ok(self.register_again()?.map(|worktree| (worktree, None)));
        };
        // A copied or moved repository: the administration still names the old place.
        let mut roots = self.likely_roots().into_iter();
        let root = match roots.find(|root| is_link_to(root, &found.admin)) {
            Some(root) => root,
            None if found.root.parent().is_some_and(Path::is_dir) && self.owns(&found.root) => {
                found.root.clone()
            }
            None => self.project()?.join(FOLDER),
        };
        let sharing = || {
            relink::refuse_dry_run(&root, found.branch.as_deref())?;
            Repo::open(&self.common_dir)?.sharing()
        };
        let mut relinked = None;
        if root.join(".git").is_file() {
            relinked = worktree::repair(&found.admin, &root, sharing)?;
        } else if root != found.root {
            worktree::write_file(
                &found.admin.join("gitdir"),
                &format!("{}\n", root.join(".git").display()),
                sharing()?,
            )?;
        }
        let found = Worktree { root, ..found };
        if self.is_queue(&found)? {
            return Ok(Some((found, relinked)));
        }
        self.refuse_strayed(&found)?;
        match found.branch.as_deref().map(|branch| self.branch_without_settings(branch)).transpose()? {
            Some(Some(fault)) => Err(fault),
            _ => Ok(None),
        }
    }

    /// A worktree of that name can also be the person's own.
    fn is_queue(&self, worktree: &Worktree) -> Result<bool> {
        if worktree.root.join(SETTINGS).is_file() {
            return Ok(true);
        }
        let Some(tip) = refs::tip(&worktree.admin, &self.common_dir)?.id else { return Ok(false) };
        create::is_queue(&Repo::open(&self.common_dir)?, tip)
    }

    /// Whether a folder recorded as the queue's belongs to this repository and not to one that it was copied from.
    fn owns(&self, root: &Path) -> bool {
        let Some(parent) = root.parent() else { return false };
        place(parent).is_ok_and(|place| place.common_dir == self.common_dir)
    }

    fn likely_roots(&self) -> Vec<PathBuf> {
        let beside = (self.common_dir.file_name() == Some(".git".as_ref()))
            .then(|| self.common_dir.parent())
            .flatten();
        let checkout = self.checkout.as_deref();
        [beside, checkout].into_iter().flatten().map(|folder| folder.join(FOLDER)).collect()
    }

    pub(super) fn branch_home(&self, worktree: Worktree) -> Home {
        Home {
            checkout: worktree.root.clone(),
            stand: self.checkout.clone().filter(|checkout| *checkout != worktree.root),
            root: worktree.root,
            kind: HomeKind::Branch,
            common_dir: self.common_dir.clone(),
            branch: worktree.branch,
            rebuilt: None,
            relinked: None,
            git_dir: worktree.admin,
            hook: false,
            patience: PATIENCE,
            opened: Opened::default(),
        }
    }

    pub(in crate::store::git) fn tree_home(&self, checkout: &Path) -> Result<Home> {
        Ok(Home {
            root: checkout.join(FOLDER),
            stand: self.checkout.clone(),
            kind: HomeKind::Tree,
            common_dir: self.common_dir.clone(),
            branch: refs::tip(&self.git_dir, &self.common_dir)?.short().map(str::to_owned),
            rebuilt: None,
            relinked: None,
            git_dir: self.git_dir.clone(),
            checkout: checkout.to_owned(),
            hook: in_hook_of(&self.common_dir),
            patience: PATIENCE,
            opened: Opened::default(),
        })
    }

    /// The folder that a queue's worktree is made in: the main checkout, so that it outlives linked ones.
    pub(in crate::store::git) fn project(&self) -> Result<PathBuf> {
        if let Some(main) = self.main_checkout()? {
            return Ok(main);
        }
        self.checkout.clone().ok_or_else(|| {
            Fault::new(
                Code::Unsupported,
                format!("{} is a bare repository without a checkout", self.common_dir.display()),
            )
            .hint("`git worktree add ../checkout` makes one; run `swift` in there")
        })
    }

    pub(in crate::store::git) fn main_checkout(&self) -> Result<Option<PathBuf>> {
        if self.git_dir == self.common_dir {
            return Ok(self.checkout.clone());
        }
        if self.common_dir.file_name() != Some(".git".as_ref()) {
            return Ok(None);
        }
        let bare = Repo::open(&self.common_dir)?.flag("core.bare") == Some(true);
        Ok(self.common_dir.parent().filter(|_| !bare).map(Path::to_owned))
    }
}

/// Whether git has told us, through the environment, to use this repository or its index. A hook of another one does not
/// hold up this one; where it cannot be told which it is, it may be this one's.
fn in_hook_of(common_dir: &Path) -> bool {
    let told = |name: &str| std::env::var_os(name).filter(|_| !cfg!(test)).map(PathBuf::from);
    let index = || told("GIT_INDEX_FILE").map(|index| index.parent().unwrap_or(&index).to_owned());
    let Some(git_dir) = told("GIT_DIR").or_else(index) else { return false };
    let Ok(git_dir) = std::fs::canonicalize(git_dir) else { return true };
    !is_git_dir(&git_dir) || git_dir.starts_with(common_dir)
}

/// Whether a checkout's link leads to an administration of that name.
pub(super) fn is_link_to(root: &Path, admin: &Path) -> bool {
    let Some(name) = admin.file_name() else { return false };
    let Ok(Some(link)) = disk::read_line(&root.join(".git")) else { return false };
    // After a move the link names the old place, but still this administration.
    link.strip_prefix("gitdir:").map(|path| Path::new(path.trim())).is_some_and(|path| {
        path.file_name() == Some(name)
            && path.parent().and_then(Path::file_name) == Some("worktrees".as_ref())
    })
}

/// The repository that a folder belongs to.
pub(in crate::store::git) fn place(start: &Path) -> Result<Place> {
    let start = std::fs::canonicalize(start).or_io("enter", start)?;
    for folder in start.ancestors() {
        let dot_git = folder.join(".git");
        if dot_git.is_dir() && is_git_dir(&dot_git) {
            let git_dir = std::fs::canonicalize(&dot_git).or_io("enter", &dot_git)?;
            return with_common(Some(folder.to_owned()), git_dir);
        }
        refuse_closed(&dot_git)?;
        if dot_git.is_file()
            && let Some(git_dir) = follow(&dot_git)?
        {
            let place = with_common(Some(folder.to_owned()), git_dir)?;
            // In the queue's own checkout: the project is what matters, and it is around or known to git.
            return if folder.file_name() == Some(FOLDER.as_ref()) {
                around(folder, place)
            } else {
                Ok(place)
            };
        }
        if is_git_dir(folder) {
            let checkout =
                folder.parent().filter(|_| folder.file_name() == Some(".git".as_ref())).map(Path::to_owned);
            return with_common(checkout, folder.to_owned());
        }
    }
    Err(Fault::new(Code::NoRepository, format!("{} is not in a git repository", start.display()))
        .hint("`git init` makes one here"))
}

/// From inside the queue's checkout to the project around it.
fn around(folder: &Path, inner: Place) -> Result<Place> {
    let outer = folder.parent().map(place).transpose().ok().flatten();
    match outer {
        Some(outer) if outer.common_dir == inner.common_dir => Ok(outer),
        // Its link leads elsewhere, but the project around it knows the folder for its queue's.
        Some(outer) if is_registered(&outer, folder) => Ok(outer),
        _ => Ok(Place { checkout: None, git_dir: inner.common_dir.clone(), common_dir: inner.common_dir }),
    }
}

fn is_registered(outer: &Place, folder: &Path) -> bool {
    worktree::registered(&outer.common_dir).is_ok_and(|found| found.is_some_and(|found| found.root == folder))
}

fn with_common(checkout: Option<PathBuf>, git_dir: PathBuf) -> Result<Place> {
    let common_dir = match disk::read_line(&git_dir.join("commondir"))? {
        Some(line) => {
            let path = git_dir.join(line);
            std::fs::canonicalize(&path).or_io("enter", &path)?
        }
        None => git_dir.clone(),
    };
    Ok(Place { checkout, git_dir, common_dir })
}

/// Where a `.git` file leads; `None` if there is nothing any more.
fn follow(dot_git: &Path) -> Result<Option<PathBuf>> {
    let line = disk::read_line(dot_git)?.unwrap_or_default();
    let Some(path) = line.strip_prefix("gitdir:") else { return Ok(None) };
    let path = dot_git.parent().expect("a file is in a folder").join(path.trim());
    Ok(std::fs::canonicalize(path).ok().filter(|path| path.join("HEAD").is_file()))
}

/// A repository that we may not look into is none that is not there.
fn refuse_closed(git_dir: &Path) -> Result<()> {
    let head = git_dir.join("HEAD");
    match head.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(error).or_io("inspect", &head)
        }
        _ => Ok(()),
    }
}

fn is_git_dir(folder: &Path) -> bool {
    folder.join("HEAD").symlink_metadata().is_ok()
        && (folder.join("commondir").is_file()
            || (folder.join("objects").is_dir() && folder.join("refs").is_dir()))
}
