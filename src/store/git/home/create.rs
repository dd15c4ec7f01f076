//! Making the queue of a repository, or taking over the one that a clone brought along.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::ObjectId;

use super::creation::{self, Creation, Source};
use super::find::{Place, SETTINGS, is_link_to, place};
use super::switch;
use super::worktree::{self, FOLDER, Worktree};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::commit::lock;
use crate::store::git::commit::state::{unfinished, unsafe_home};
use crate::store::git::objects::tree;
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind, Outcome, Request, disk};

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

/// Judges the settings of a queue that would be taken over: nothing is made around one that could not be opened then.
pub(crate) type Judge<'j> = &'j dyn Fn(&[u8]) -> Result<()>;

/// The largest settings file that is looked at.
const MOST_SETTINGS: u64 = 4 << 20;

/// How long other processes are waited for.
const WAIT: Duration = Duration::from_secs(10);

impl Home {
    /// Make the queue of the repository around `start`; `request` is its first commit.
    pub(crate) fn create(
        start: &Path,
        kind: HomeKind,
        branch: &str,
        request: Request<'_>,
        judge: Judge<'_>,
    ) -> Result<Created> {
        let place = place(start)?;
        if place.home()?.is_some() {
            return Home::find(start).map(Created::Existing);
        }
        let repo = may_begin(&place, branch)?;
        match kind {
            HomeKind::Branch => create_branch(&place, &repo, branch, request, judge),
            HomeKind::Tree => create_tree(&place, &repo, request, judge),
        }
    }

    /// Whether `create` would make a queue: everything that it would refuse is refused, and nothing is written.
    pub(crate) fn check_create(start: &Path, kind: HomeKind, branch: &str, judge: Judge<'_>) -> Result<()> {
        let place = place(start)?;
        let repo = may_begin(&place, branch)?;
        let source = match kind {
            HomeKind::Branch => {
                check_root(&place, &place.root_of(kind)?)?;
                source(&place.common_dir, &repo, branch)?
            }
            HomeKind::Tree => Source::New,
        };
        check_source(&place, &repo, &source, branch, judge)
    }

    /// Refuse what `create` could do and no person would want: a queue that is on no branch, and one beside that of a
    /// remote whose branches were not all fetched. Who has `named` the branch wants it all the same.
    pub(crate) fn check_wanted(start: &Path, kind: HomeKind, named: Option<&str>) -> Result<()> {
        let place = place(start)?;
        let is_busy = unfinished(&place.git_dir).is_some();
        if kind == HomeKind::Tree
            && !is_busy
            && refs::tip(&place.git_dir, &place.common_dir)?.branch.is_none()
        {
            let checkout = place.checkout.clone().map_or_else(|| place.project(), Ok)?;
            return Err(switch::no_branch(&checkout));
        }
        match named {
            Some(_) => Ok(()),
            None => {
                place.refuse_unfetched(&Repo::open(&place.common_dir)?, "swift")?;
                place.refuse_unfetched_move()
            }
        }
    }
}

/// Look at what can be in the way, whichever home it is to be.
fn may_begin(place: &Place, branch: &str) -> Result<Repo> {
    refs::check_branch(branch)?;
    let repo = Repo::open(&place.common_dir)?;
    repo.identity()?;
    check_checkout(place, &repo)?;
    Ok(repo)
}

/// A queue that begins must not be the second; one that is on its branch already does not begin, and is looked at first.
fn check_source(place: &Place, repo: &Repo, source: &Source, branch: &str, judge: Judge<'_>) -> Result<()> {
    let commit = match source {
        Source::New => {
            place.refuse_second()?;
            return place.refuse_beside_a_branch(repo, judge);
        }
        Source::Local => refs::resolve(&place.common_dir, &format!("refs/heads/{branch}"))?,
        Source::Remote(id) => Some(*id),
    };
    let not_taken = |fault: Fault| {
        let message = format!("the queue on the branch `{branch}` cannot be taken over: {}", fault.message);
        Fault { message, ..fault }
    };
    let found = commit.map(|commit| settings(repo, commit)).transpose().map_err(not_taken)?.flatten();
    found.map_or(Ok(()), |settings| judge(&settings)).map_err(|fault| {
        not_taken(fault).hint(format!("`git log --remotes --branches -- {SETTINGS}` shows its history"))
    })
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

fn create_tree(place: &Place, repo: &Repo, request: Request<'_>, judge: Judge<'_>) -> Result<Created> {
    let checkout = place.checkout.clone().map_or_else(|| place.project(), Ok)?;
    let home = place.tree_home(&checkout)?;
    check_root(place, &home.root)?;
    let sharing = repo.sharing()?;
    let guard = lock::hold(&home.common_dir, WAIT)?;
    creation::settle(place, sharing)?;
    if let Some(home) = place.home()? {
        // Another process was faster, or was killed when all but the end was done.
        return Ok(Created::Existing(home));
    }
    home.recover()?;
    check_source(place, repo, &Source::New, "", judge)?;
    if let Some(reason) = home.waits()? {
        return Err(not_now(&reason));
    }
    let creation = Creation::of(&home.root, repo, &request)?;
    let undo = Undo::of(creation, &home);
    undo.creation.begin(&home, sharing)?;
    if let Outcome::Debt(reason) = home.commit(&guard, request)? {
        return Err(not_now(&reason));
    }
    undo.keep()?;
    home.reopen().map(Created::New)
}

fn create_branch(
    place: &Place,
    repo: &Repo,
    branch: &str,
    request: Request<'_>,
    judge: Judge<'_>,
) -> Result<Created> {
    let root = place.project()?.join(FOLDER);
    check_root(place, &root)?;
    let common_dir = &place.common_dir;
    let sharing = repo.sharing()?;
    let guard = lock::hold(common_dir, WAIT)?;
    creation::settle(place, sharing)?;
    if let Some(home) = place.home()? {
        // Another process was faster, or was killed when all but the end was done.
        return Ok(Created::Existing(home));
    }
    let source = source(common_dir, repo, branch)?;
    check_source(place, repo, &source, branch, judge)?;
    let is_new = source == Source::New;
    let creation = Creation::of(&root, repo, &request)?.on_branch(common_dir, branch, source, sharing)?;
    let home = creation.home(place)?.expect("a queue on a branch has a home");
    let undo = Undo::of(creation, &home);
    undo.creation.begin(&home, sharing)?;
    undo.creation.furnish(&home, sharing)?;
    if !is_new {
        home.check_out()?;
        undo.keep()?;
        return Ok(Created::Adopted(home));
    }
    if let Outcome::Debt(reason) = home.commit(&guard, request)? {
        return Err(not_now(&reason));
    }
    undo.keep()?;
    Ok(Created::New(home))
}

/// Whether the folder can become the queue's: not if it is something else already.
fn check_root(place: &Place, root: &Path) -> Result<()> {
    if root.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(unsafe_home(root));
    }
    let is_ours = || {
        let Ok(Some(line)) = disk::read_line(&root.join(".git")) else { return false };
        let admin = line.strip_prefix("gitdir:").map(|path| Path::new(path.trim()));
        admin.and_then(Path::parent).is_some_and(|above| above.ends_with("worktrees"))
    };
    if root.join(".git").symlink_metadata().is_ok() && !is_ours() {
        return Err(Fault::new(
            Code::UnsafeHome,
            format!("{} is a repository of its own, or a submodule", root.display()),
        )
        .hint(format!("`git -C {} status` shows what is in it", as_word(root))));
    }
    if place.tracks_link()? {
        let text = format!("the last commit has {} as a link to another repository", root.display());
        return Err(Fault::new(Code::UnsafeHome, text)
            .hint("`git rm --cached --quiet .swift` and `git commit` take it out; then `swift init`")
            .hint("`git log -p -- .swift` shows who put it there"));
    }
    if place.tracks_folder()? {
        return Err(Fault::new(
            Code::UnsafeHome,
            format!("{} has files of the project itself", root.display()),
        )
        .hint("`git ls-files .swift` shows them"));
    }
    Ok(())
}

fn not_now(reason: &str) -> Fault {
    Fault::new(Code::InProgress, format!("the queue cannot be made now: {reason}"))
        .hint("`git status` shows what is in progress")
}

/// Where the branch is to come from, if one of that name is a queue's; refused if it is somebody else's.
fn source(common_dir: &Path, repo: &Repo, branch: &str) -> Result<Source> {
    let full = format!("refs/heads/{branch}");
    if let Some(id) = refs::resolve(common_dir, &full)? {
        if !is_queue(repo, id)? {
            return Err(taken(branch, "is not a queue's"));
        }
        if let Some(other) = checked_out(common_dir, branch, None)? {
            let at = as_word(&other);
            let leave = format!(
                "`git -C {at} switch NAME`, to another branch, frees it; then `swift init` takes it over"
            );
            return Err(refs::taken(branch, &format!("is checked out in {at}")).hint(leave));
        }
        return Ok(Source::Local);
    }
    let mut above = branch.match_indices('/').map(|(end, _)| &branch[..end]);
    if let Some(other) = above.find(|name| {
        refs::resolve(common_dir, &format!("refs/heads/{name}")).is_ok_and(|found| found.is_some())
    }) {
        return Err(taken(branch, &format!("cannot be beside the branch `{other}`")));
    }
    if refs::any_below(common_dir, &format!("{full}/"))? {
        return Err(taken(branch, "is the folder of other branches"));
    }
    let head = disk::read_line(&common_dir.join("HEAD"))?;
    if head.as_deref() == Some(&format!("ref: {full}")) {
        return Err(taken(branch, "is the branch that is about to be born here"));
    }
    match refs::resolve(common_dir, &format!("refs/remotes/origin/{branch}"))? {
        Some(id) if is_queue(repo, id)? => Ok(Source::Remote(id)),
        Some(_) => Err(taken(branch, "of `origin` is not a queue's")),
        None => of_other_remotes(common_dir, repo, branch),
    }
}

/// The branch of a remote that is not called `origin`, if it is a queue's; whose of several, only the person knows.
fn of_other_remotes(common_dir: &Path, repo: &Repo, branch: &str) -> Result<Source> {
    let mut found: BTreeMap<ObjectId, String> = BTreeMap::new();
    for remote in repo.gix().remote_names() {
        if let Some(id) = refs::resolve(common_dir, &format!("refs/remotes/{remote}/{branch}"))?
            && is_queue(repo, id)?
        {
            found.entry(id).or_insert_with(|| remote.to_string());
        }
    }
    match found.len() {
        0 => Ok(Source::New),
        1 => Ok(found.into_keys().next().map_or(Source::New, Source::Remote)),
        _ => {
            let names: Vec<String> = found.values().map(|remote| format!("`{remote}/{branch}`")).collect();
            Err(Fault::new(
                Code::BranchTaken,
                format!("more than one remote has a queue: {}", names.join(", ")),
            )
            .hint(format!("`git branch {branch} REMOTE/{branch}` chooses one; then `swift init`")))
        }
    }
}

/// Where a branch is checked out, the worktree with this administration left out, and each whose folder does not lead back
/// to what says that it is there.
pub(super) fn checked_out(common_dir: &Path, branch: &str, but: Option<&Path>) -> Result<Option<PathBuf>> {
    let head = format!("ref: refs/heads/{branch}");
    if disk::read_line(&common_dir.join("HEAD"))?.as_deref() == Some(head.as_str()) {
        return Ok(Some(common_dir.parent().unwrap_or(common_dir).to_owned()));
    }
    let Ok(entries) = std::fs::read_dir(common_dir.join("worktrees")) else { return Ok(None) };
    for entry in entries.flatten().filter(|entry| Some(entry.path().as_path()) != but) {
        if let Some(Worktree { root, branch: Some(other), .. }) = worktree::read(&entry.path())?
            && other == branch
            && is_link_to(&root, &entry.path())
        {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// A branch is a queue's if its tree has the settings file at the top, and that reads as a queue's. A file of that name can
/// be somebody's own: it is also that of a language.
pub(in crate::store::git) fn is_queue(repo: &Repo, commit: ObjectId) -> Result<bool> {
    let tree = repo.commit(commit)?.tree;
    let there = tree::lookup(repo, tree, SETTINGS)?.is_some_and(|line| !line.is_folder());
    // What cannot be looked at may be a queue's.
    Ok(there && settings(repo, commit).map_or(true, |found| found.is_none_or(|text| names_project(&text))))
}

/// Whether this can be the settings of a queue, be they damaged: they have a key of ours, or nothing else has one there.
fn names_project(settings: &[u8]) -> bool {
    let keys = settings.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.trim_ascii();
        let key = line.split(|byte| *byte == b'=').next().filter(|key| key.len() < line.len())?.trim_ascii();
        Some(key).filter(|key| !key.is_empty() && !key.starts_with(b"#"))
    });
    let mut keys = keys.peekable();
    keys.peek().is_none() || keys.any(|key| matches!(key, b"schema" | b"id" | b"\"id\"" | b"'id'"))
}

/// The settings of the queue in a commit; `None` if it has none.
pub(in crate::store::git) fn settings(repo: &Repo, commit: ObjectId) -> Result<Option<Vec<u8>>> {
    let tree = repo.commit(commit)?.tree;
    let Some(line) = tree::lookup(repo, tree, SETTINGS)? else { return Ok(None) };
    if !line.is_file() {
        let text = format!("`{SETTINGS}` on the branch is not a regular file (a link, folder or submodule)");
        return Err(Fault::new(Code::NotAFile, text));
    }
    if repo.size(line.id).is_some_and(|size| size > MOST_SETTINGS) {
        return Err(Fault::new(
            Code::TooLarge,
            format!("`{SETTINGS}` on the branch is larger than any settings"),
        ));
    }
    repo.blob(line.id).map(Some)
}

fn taken(branch: &str, why: &str) -> Fault {
    refs::taken(branch, why).hint("`swift init --branch NAME` takes another name")
}

/// Takes back a half-made queue.
struct Undo {
    creation: Creation,
    home: Home,
    done: bool,
}

impl Undo {
    fn of(creation: Creation, home: &Home) -> Undo {
        Undo { creation, home: home.clone(), done: false }
    }

    fn keep(mut self) -> Result<()> {
        self.done = true;
        Creation::forget(&self.home.common_dir)
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // A commit of which not everything could be put back is finished by the next `create`.
        if !self.done && !self.home.is_unfinished() {
            // On the way out of an error, which is the one that is reported.
            let _ = self.creation.take_back(&self.home);
        }
    }
}
