//! The repository as git has it: opened and judged here, its names, its lock files, and the program `git` beside it.
//!
//! The room owns how git's own files are read and moved by git's rules. What the queue is, it does not know, nor when
//! anything is to be written. At the head: configuration, and the reading of objects.
//!
//! Opened anew for each home that is found, because gix caches configuration and identity. It refuses what must not be
//! written to: a repository of somebody else, and storage that gix does not know.

pub(super) mod backwards;
mod clock;
mod extensions;
pub(super) mod external;
pub(super) mod gitlock;
mod identity;
mod legible;
pub(super) mod refs;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::objs::{Find as _, Kind};
use gix::odb::store::init::Slots;

use super::disk::perm::Sharing;
use super::disk::{self, OrIo as _};
use super::objects::deflate;
use super::objects::tree::{self, Line};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;

/// A repository, open for reading objects and configuration.
pub(super) struct Repo {
    gix: gix::Repository,
    objects: RefCell<gix::OdbHandle>,
    pub(super) hash: gix::hash::Kind,
    /// Trees that were read; a commit looks at the same few again and again.
    trees: RefCell<HashMap<ObjectId, Rc<Vec<Line>>>>,
}

/// Which home a repository is opened for. It is opened when it is first needed and then kept, by each thread for
/// itself, because gix's own handle is one thread's.
#[derive(Debug, Clone)]
pub(super) struct Opened(u64);

/// How many open repositories a thread keeps.
const KEPT: usize = 48;

thread_local! {
    static OPEN: RefCell<VecDeque<(u64, Rc<Repo>)>> = const { RefCell::new(VecDeque::new()) };
}

impl Default for Opened {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Opened(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Opened {
    pub(super) fn get(&self, git_dir: &Path) -> Result<Rc<Repo>> {
        let find = |open: &VecDeque<(u64, Rc<Repo>)>| {
            open.iter().find(|(home, _)| *home == self.0).map(|(_, repo)| Rc::clone(repo))
        };
        if let Some(repo) = OPEN.with_borrow(find) {
            return Ok(repo);
        }
        let repo = Rc::new(Repo::open(git_dir)?);
        OPEN.with_borrow_mut(|open| {
            open.truncate(KEPT - 1);
            open.push_front((self.0, Rc::clone(&repo)));
        });
        Ok(repo)
    }
}

/// For how many packs there is room at first. To count them takes as long as to read what is needed; where there are
/// more, the first object that is not found makes us count.
const ROOM_FOR_PACKS: u16 = 128;

/// Trees that are remembered at most.
const TREES: usize = 512;

/// The parts of a commit that the engine needs.
#[derive(Debug, Clone)]
pub(super) struct CommitData {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    pub(super) message: String,
    pub(super) seconds: i64,
}

impl Repo {
    /// Open the repository whose git folder is given.
    pub(super) fn open(git_dir: &Path) -> Result<Repo> {
        let gix = open(git_dir, Slots::Given(ROOM_FOR_PACKS))?;
        if gix.git_dir_trust() != gix::sec::Trust::Full {
            let place = gix.workdir().unwrap_or(git_dir).to_owned();
            if git_dir.to_str().is_none() {
                // Of such a path the library cannot tell whose it is.
                let text =
                    format!("the path of {} is not UTF-8, which cannot be worked with", place.display());
                return Err(Fault::new(Code::Unsupported, text).hint("give the folder another name"));
            }
            if gix.config_snapshot().string("core.worktree").is_some() && !place.exists() {
                let text = format!(
                    "core.worktree of {} is {}, and nothing is there",
                    git_dir.display(),
                    place.display()
                );
                return Err(Fault::new(Code::Unsupported, text)
                    .hint("`git config --show-origin core.worktree` shows where it is set"));
            }
            return Err(Fault::new(Code::Untrusted, format!("{} belongs to another user", place.display()))
                .hint(format!(
                    "`git config --global --add safe.directory {}` if you trust it",
                    place.display()
                )));
        }
        extensions::check(git_dir, gix.config_snapshot().plumbing())?;
        let hash = gix.object_hash();
        let objects = RefCell::new(gix.objects.clone());
        let repo = Repo { gix, objects, hash, trees: RefCell::default() };
        if let Some(format) = repo.text("extensions.refStorage").filter(|format| format != "files") {
            return Err(no_storage(git_dir, &format));
        }
        Ok(repo)
    }

    /// What gix knows besides.
    pub(super) fn gix(&self) -> &gix::Repository {
        &self.gix
    }

    /// A value of the configuration.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.gix.config_snapshot().string(key).map(|value| value.to_string())
    }

    /// All values of a key that may be there several times.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let values = self.gix.config_snapshot().plumbing().strings(key).unwrap_or_default();
        values.iter().map(ToString::to_string).collect()
    }

    /// A yes or no of the configuration.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.gix.config_snapshot().boolean(key)
    }

    /// Whether the configuration may be another one in another checkout of the repository.
    pub(super) fn is_configured_by_place(&self) -> bool {
        self.flag("extensions.worktreeConfig") == Some(true)
            || self.gix.config_snapshot().sections_by_name("includeIf").is_some()
    }

    /// How files in the git folder are shared.
    pub(super) fn sharing(&self) -> Result<Sharing> {
        Sharing::parse(self.text("core.sharedRepository").as_deref())
    }

    /// An object of any kind; a fault if it is not there.
    pub(super) fn object(&self, id: ObjectId) -> Result<(Kind, Vec<u8>)> {
        if let Ok(found) = self.find(id) {
            return Ok(found);
        }
        // Packs are joined and collected while we read; what was there has only moved, and a new look finds it.
        *self.objects.borrow_mut() = open(self.gix.git_dir(), Slots::default())?.objects;
        self.find(id)
    }

    fn find(&self, id: ObjectId) -> Result<(Kind, Vec<u8>)> {
        let mut data = Vec::new();
        let found = self.objects.borrow().try_find(&id, &mut data).map(|found| found.map(|found| found.kind));
        match found {
            Ok(Some(kind)) => Ok((kind, data)),
            // git has this one without anybody's storing it.
            Ok(None) if id == ObjectId::empty_tree(self.hash) => Ok((Kind::Tree, Vec::new())),
            Ok(None) => Err(self.missing(id)),
            Err(error) => Err(unsound(id, &format!("cannot be read: {error}"))),
        }
    }

    /// What is not there was left out of a partial clone, or is lost. git would fetch the former in passing; nothing goes
    /// over the network unasked, so the command is named that does.
    pub(super) fn missing(&self, id: ObjectId) -> Fault {
        match self.promisor() {
            Some(remote) => Fault::new(
                Code::Git,
                format!("this is a partial clone, and git object {id} was left out of it"),
            )
            .hint(format!("`git fetch --refetch --no-filter {remote}` brings what was left out")),
            None => unsound(id, "is missing"),
        }
    }

    /// The remote that has what was left out of a partial clone.
    fn promisor(&self) -> Option<String> {
        let names = self.gix.remote_names();
        let is_promisor = |name: &String| self.flag(&format!("remote.{name}.promisor")) == Some(true);
        let named = names.iter().map(ToString::to_string).find(is_promisor);
        let named = named.or_else(|| self.text("extensions.partialClone"))?;
        // A name that a shell would read otherwise is none to be pasted.
        let is_plain = named.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
        Some(if is_plain && !named.starts_with('-') { named } else { "REMOTE".to_owned() })
    }

    /// Whether there is something of that name, sound or not.
    pub(super) fn has(&self, id: ObjectId) -> bool {
        self.gix.has_object(id)
    }

    /// Look where the file of an object, or the pack that has it, would be.
    ///
    /// # Errors
    /// [`Code::Io`] where the system does not let us.
    pub(super) fn look_for(&self, id: ObjectId) -> Result<()> {
        let objects = self.gix.objects.store_ref().path();
        for folder in [objects.to_owned(), objects.join(&id.to_string()[..2]), objects.join("pack")] {
            match std::fs::read_dir(&folder) {
                Err(error) if !disk::is_absent(&error) => return Err(error).or_io("list", &folder),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the file of an object that can be read here lost its end, where git reads nothing of it any more.
    pub(super) fn is_cut_off(&self, id: ObjectId) -> bool {
        if !matches!(self.gix.find_header(id), Ok(gix::odb::find::Header::Loose { .. })) {
            return false;
        }
        let store = self.gix.objects.store_ref();
        let others = store.alternate_db_paths().unwrap_or_default();
        let hex = id.to_string();
        let files = std::iter::once(store.path().to_owned())
            .chain(others)
            .map(|objects| objects.join(&hex[..2]).join(&hex[2..]));
        files.filter_map(|file| disk::read(&file).ok().flatten()).any(|stream| !deflate::is_whole(&stream))
    }

    /// Whether an object was left out of a partial clone.
    pub(super) fn is_left_out(&self, id: ObjectId) -> bool {
        !self.has(id) && self.promisor().is_some()
    }

    /// Whether an object can be read in full.
    pub(super) fn holds(&self, id: ObjectId) -> bool {
        self.object(id).is_ok()
    }

    /// The content of a file in history.
    pub(super) fn blob(&self, id: ObjectId) -> Result<Vec<u8>> {
        match self.object(id)? {
            (Kind::Blob, data) => Ok(data),
            (kind, _) => Err(unsound(id, &format!("is a {kind}, not a file"))),
        }
    }

    /// How many bytes an object has, read from its header alone; `None` if it is not there.
    pub(super) fn size(&self, id: ObjectId) -> Option<u64> {
        self.gix.find_header(id).ok().map(|header| header.size())
    }

    /// The one object whose hash begins with these bytes; `None` if there is none, or more than one.
    pub(super) fn completed(&self, beginning: &[u8]) -> Option<ObjectId> {
        let mut whole = vec![0; self.hash.len_in_bytes()];
        whole.get_mut(..beginning.len())?.copy_from_slice(beginning);
        let whole = ObjectId::from_bytes_or_panic(&whole);
        let prefix = gix::hash::Prefix::new(&whole, beginning.len() * 2).ok()?;
        self.gix.objects.lookup_prefix(prefix, None).ok()??.ok()
    }

    /// The lines of a tree.
    pub(super) fn tree(&self, id: ObjectId) -> Result<Rc<Vec<Line>>> {
        if let Some(lines) = self.trees.borrow().get(&id) {
            return Ok(Rc::clone(lines));
        }
        let (kind, data) = self.object(id)?;
        let lines = (kind == Kind::Tree).then(|| tree::parse(&data, self.hash.len_in_bytes())).flatten();
        let lines = lines.ok_or_else(|| unsound(id, "is not a sound tree"))?;
        let lines = Rc::new(lines);
        let mut trees = self.trees.borrow_mut();
        if trees.len() >= TREES {
            trees.clear();
        }
        trees.insert(id, Rc::clone(&lines));
        Ok(lines)
    }

    /// A commit, decoded.
    pub(super) fn commit(&self, id: ObjectId) -> Result<CommitData> {
        let damaged = || unsound(id, "is not a sound commit");
        let (kind, data) = self.object(id)?;
        if kind != Kind::Commit {
            return Err(damaged());
        }
        let commit = gix::objs::CommitRef::from_bytes(&data, self.hash).map_err(|_| damaged())?;
        Ok(CommitData {
            tree: commit.tree(),
            parents: commit.parents().collect(),
            message: commit.message.to_string(),
            seconds: commit.committer().map_or(0, |committer| committer.seconds()),
        })
    }

    /// When the author of a commit wrote it, in seconds since 1970. A rebase and a cherry-pick keep that.
    pub(super) fn authored(&self, id: ObjectId) -> Result<i64> {
        let (_, data) = self.object(id)?;
        let commit = gix::objs::CommitRef::from_bytes(&data, self.hash)
            .map_err(|_| unsound(id, "is not a sound commit"))?;
        Ok(commit.author().map_or(0, |author| author.seconds()))
    }

    /// The object id that a full hash in text names.
    pub(super) fn id(&self, hex: &str) -> Result<ObjectId> {
        ObjectId::from_hex(hex.as_bytes())
            .ok()
            .filter(|id| id.kind() == self.hash)
            .ok_or_else(|| Fault::new(Code::Git, format!("`{hex}` is not the hash of a git object")))
    }
}

fn unsound(id: ObjectId, how: &str) -> Fault {
    Fault::new(Code::Git, format!("git object {id} {how}")).hint("`git fsck` lists what is damaged")
}

fn open(git_dir: &Path, slots: Slots) -> Result<gix::Repository> {
    legible::refuse_waiting(git_dir)?;
    let options = gix::open::Options::default().permissions(permissions()).object_store_slots(slots);
    let opened = options.open_path_as_is(true).open(git_dir);
    Ok(opened.map_err(|error| refusal(git_dir, &error))?.to_thread_local())
}

/// Everything that git would read, except the variables that point at another repository. Tests must not depend on
/// the configuration of the machine that they run on.
fn permissions() -> gix::open::Permissions {
    let mut permissions =
        if cfg!(test) { gix::open::Permissions::isolated() } else { gix::open::Permissions::all() };
    permissions.env.objects = gix::sec::Permission::Deny;
    permissions.config.includes = true;
    if std::env::var_os("HOME").is_none() {
        // The library would ask the system for one. git does not, and knows nobody then.
        permissions.env.home = gix::sec::Permission::Deny;
    }
    permissions
}

fn refusal(git_dir: &Path, error: &gix::Error) -> Fault {
    let text = error.to_string();
    if format!("{error:#}").contains("reftable") || text.contains("reftable") {
        return no_storage(git_dir, "reftable");
    }
    let cause = error.probable_cause().to_string();
    let text = if text.contains(&cause) { text } else { format!("{text}: {cause}") };
    Fault::new(code(error), format!("cannot open the repository {}: {}", git_dir.display(), shown(&text)))
        .hint("`git status` says what git makes of it")
}

/// Whether git's data or the disk is to blame.
fn code(error: &gix::Error) -> Code {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return Code::Io;
        }
        cause = error.source();
    }
    Code::Git
}

fn no_storage(git_dir: &Path, format: &str) -> Fault {
    Fault::new(Code::Unsupported, format!("{} keeps its refs as `{format}`", git_dir.display()))
        .hint("`git refs migrate --ref-format=files` converts it (git 2.46 or newer)")
}
