//! An ordinary worktree, made in this process: git needs three processes of its own for it, and a run waits.
//!
//! Ordinary means that nothing but files, links and line ends is involved. For submodules, filter programs, sparse or
//! partial clones and whatever else git or the disk will not have as it is, what was begun is taken back and git does
//! it all.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::filter::plumbing::pipeline::convert::to_worktree::{Options, UnknownEncoding};
use gix::index::entry::{Mode, Stat};
use gix::refs::transaction::PreviousValue;
use gix::worktree::stack::state::attributes::Source;
use rustix::fs::{CWD, OFlags, RenameFlags, openat, symlinkat};

use super::make::INITIALIZING;
use super::{Checkout, administrations, half_made, remove_folder};
use crate::domain::fault::{Code, Fault, Result};
use crate::env;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::find::Place;
use crate::store::git::home::worktree::Worktree;
use crate::store::git::repo::{Repo, refs};

/// Make it; gives whether it is there. If not, nothing of it is.
pub(super) fn make(place: &Place, wanted: &Checkout) -> bool {
    let made = attempt(place, wanted);
    if let Err(why) = &made {
        tracing::debug!(%why, "git makes the worktree");
    }
    made.is_ok()
}

fn special(what: impl std::fmt::Display) -> Fault {
    Fault::new(Code::Unsupported, format!("special: {what}"))
}

fn attempt(place: &Place, wanted: &Checkout) -> Result<()> {
    let repo = Repo::open(&place.common_dir)?;
    refuse_special(&repo, place, wanted)?;
    let present = refs::resolve(&place.common_dir, &format!("refs/heads/{}", wanted.branch))?;
    let commit = present.map_or_else(|| repo.id(&wanted.base), Ok)?;
    let mut index = repo.gix().index_from_tree(&repo.commit(commit)?.tree).map_err(special)?;
    refuse_special_files(&repo, place, &index)?;
    if present.is_none() {
        make_branch(&repo, wanted, commit)?;
    }
    let half = Half::begin(place, wanted, repo.sharing()?)?;
    write_files(&repo, &mut index, &wanted.path)?;
    index.set_path(half.admin.join("index"));
    index.write(gix::index::write::Options::default()).map_err(special)?;
    half.complete(wanted)
}

/// What git does differently, or not at all, in a new worktree.
fn refuse_special(repo: &Repo, place: &Place, wanted: &Checkout) -> Result<()> {
    let flags =
        ["core.sparseCheckout", "extensions.worktreeConfig", "worktree.useRelativePaths", "core.ignoreCase"];
    if let Some(flag) = flags.into_iter().find(|flag| repo.flag(flag) == Some(true)) {
        return Err(special(flag));
    }
    if repo.text("extensions.partialClone").is_some() || repo.flag("core.symlinks") == Some(false) {
        return Err(special("a partial clone, or no symbolic links"));
    }
    let is_taken = |worktree: &Worktree| {
        worktree.root == wanted.path || worktree.branch.as_deref() == Some(&wanted.branch)
    };
    let main = refs::tip(&place.common_dir, &place.common_dir)?;
    if administrations(&place.common_dir)?.iter().any(is_taken) || main.short() == Some(&wanted.branch) {
        return Err(special("git knows such a worktree"));
    }
    Ok(())
}

/// Submodules, and files that programs make out of what git has.
fn refuse_special_files(repo: &Repo, place: &Place, index: &gix::index::State) -> Result<()> {
    let mut attributes = Vec::new();
    for entry in index.entries() {
        if !matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK) {
            return Err(special("a submodule"));
        }
        if entry.path(index).rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes") {
            attributes.push(repo.blob(entry.id)?);
        }
    }
    for file in
        [Some(place.common_dir.join("info/attributes")), persons_attributes(repo)?].into_iter().flatten()
    {
        attributes.extend(disk::read(&file)?);
    }
    let is_special = |text: &Vec<u8>| CONVERSIONS.iter().any(|word| text.contains_str(word));
    match attributes.iter().any(is_special) {
        true => Err(special("files that are made out of others")),
        false => Ok(()),
    }
}

/// Attributes by which more than line ends is converted. gix's results differ from git's in some bytes, and programs may
/// be involved.
const CONVERSIONS: [&str; 3] = ["filter", "ident", "encoding"];

/// The attributes of all repositories of a person.
fn persons_attributes(repo: &Repo) -> Result<Option<PathBuf>> {
    let set = repo.gix().config_snapshot().trusted_path("core.attributesFile").map_err(special)?;
    Ok(set.or_else(|| Some(env::config_home()?.join("git/attributes"))))
}

fn make_branch(repo: &Repo, wanted: &Checkout, commit: ObjectId) -> Result<()> {
    let name = format!("refs/heads/{}", wanted.branch);
    let log = format!("branch: Created from {}", wanted.base);
    repo.gix()
        .reference(name.as_str(), commit, PreviousValue::MustNotExist, log)
        .map(drop)
        .map_err(|error| special(format!("the branch cannot be made: {error}")))
}

/// A worktree that is not there yet: taken away again unless it is completed.
struct Half {
    admin: PathBuf,
    folder: PathBuf,
    sharing: Sharing,
    is_complete: bool,
}

impl Half {
    fn begin(place: &Place, wanted: &Checkout, sharing: Sharing) -> Result<Half> {
        match std::fs::create_dir(&wanted.path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                // An empty folder is as good as none; anything else is not ours.
                std::fs::remove_dir(&wanted.path).or_io("use", &wanted.path)?;
                std::fs::create_dir(&wanted.path).or_io("make", &wanted.path)?;
            }
            made => made.or_io("make", &wanted.path)?,
        }
        // All at once into its place: to git a worktree without one of these files is an error.
        let prepared = half_made(&place.common_dir);
        remove_folder(&prepared)?;
        sharing.make_folders(&prepared)?;
        let mut half = Half { admin: prepared, folder: wanted.path.clone(), sharing, is_complete: false };
        half.put("locked", INITIALIZING)?;
        half.put("gitdir", &wanted.path.join(".git").to_string_lossy())?;
        half.put("commondir", "../..")?;
        half.put("HEAD", &format!("ref: refs/heads/{}", wanted.branch))?;
        half.admin = into_place(place, &half.admin, &wanted.path, sharing)?;
        Ok(half)
    }

    fn put(&self, name: &str, line: &str) -> Result<()> {
        let path = self.admin.join(name);
        let mut file = new_file(&path, 0o666)?;
        file.write_all(format!("{line}\n").as_bytes()).or_io("write", &path)?;
        self.sharing.file(&file, &path)
    }

    /// The link into the worktree is the last thing that is made, the mark that it is half made the last to go.
    fn complete(mut self, wanted: &Checkout) -> Result<()> {
        let link = wanted.path.join(".git");
        let mut file = new_file(&link, 0o666)?;
        file.write_all(format!("gitdir: {}\n", self.admin.display()).as_bytes()).or_io("write", &link)?;
        disk::remove(&self.admin.join("locked"))?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if !self.is_complete {
            // What cannot be removed is known by its mark, and removed when it is made again.
            let _ = std::fs::remove_dir_all(&self.folder);
            let _ = std::fs::remove_dir_all(&self.admin);
        }
    }
}

/// Move an administration below `worktrees`, under a name that is free, as git chooses it.
fn into_place(place: &Place, prepared: &Path, path: &Path, sharing: Sharing) -> Result<PathBuf> {
    let all = place.common_dir.join("worktrees");
    sharing.make_folders(&all)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let numbered = (1..1000).map(|number| format!("{name}{number}"));
    for name in std::iter::once(name.clone()).chain(numbered) {
        let admin = all.join(name);
        match rustix::fs::renameat_with(CWD, prepared, CWD, &admin, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(admin),
            Err(rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY) => {}
            Err(error) => return Err(error).or_io("make", &admin),
        }
    }
    Err(special("no name is free"))
}

/// A file that was not there: no link is followed, nothing is overwritten.
fn new_file(path: &Path, mode: u32) -> Result<std::fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path).or_io("make", path)
}

/// Write what the index names, and what the files are like then into the index.
fn write_files(repo: &Repo, index: &mut gix::index::File, root: &Path) -> Result<()> {
    let gix = repo.gix();
    let attributes = gix.attributes_only(index, Source::IdMapping).map_err(special)?.detach();
    let pipeline = gix::filter::Pipeline::new(gix, attributes).map_err(special)?;
    let top = open_folder(CWD, root)?;
    let mut writer =
        Writer { repo, root, pipeline, here: (PathBuf::new(), top.try_clone().or_io("open", root)?), top };
    // Links come last: nothing is written through one, whatever a tree says.
    for links in [false, true] {
        for (entry, path) in index.entries_mut_with_paths() {
            if (entry.mode == Mode::SYMLINK) == links {
                entry.stat = writer.write(entry.id, entry.mode, path)?;
            }
        }
    }
    Ok(())
}

struct Writer<'a> {
    repo: &'a Repo,
    root: &'a Path,
    pipeline: gix::filter::Pipeline<'a>,
    top: OwnedFd,
    /// The folder that was last written to, relative to the root. Files are made relative to it: a path from the root of
    /// the system costs more than the file.
    here: (PathBuf, OwnedFd),
}

impl Writer<'_> {
    fn write(&mut self, id: ObjectId, mode: Mode, path: &BStr) -> Result<Stat> {
        let relative = gix::path::from_bstr(path).map_err(special)?;
        let (folder, name) = (relative.parent().unwrap_or(Path::new("")), relative.file_name());
        let name = name.ok_or_else(|| special("a path without a name"))?;
        self.enter(folder)?;
        let content = self.repo.blob(id)?;
        let target = || self.root.join(&relative);
        let found = if mode == Mode::SYMLINK {
            let to = gix::path::from_bstr(content.as_bstr()).map_err(special)?;
            symlinkat(to.as_ref(), &self.here.1, name).or_io("make", &target())?;
            gix::index::fs::Metadata::from_path_no_follow(&target())
        } else {
            let bits = if mode == Mode::FILE_EXECUTABLE { 0o777 } else { 0o666 };
            let content = self.converted(&content, path)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = openat(&self.here.1, name, flags, bits.into()).or_io("make", &target())?;
            let mut file = std::fs::File::from(made);
            file.write_all(&content).or_io("write", &target())?;
            gix::index::fs::Metadata::from_file(&file)
        };
        let found = found.or_io("inspect", &target())?;
        Stat::from_fs(&found).map_err(special)
    }

    /// The folder that the next file is in, made if it is not there.
    fn enter(&mut self, relative: &Path) -> Result<()> {
        if self.here.0 == relative {
            return Ok(());
        }
        let opened = if relative.as_os_str().is_empty() {
            self.top.try_clone().or_io("open", self.root)?
        } else {
            let folder = self.root.join(relative);
            std::fs::create_dir_all(&folder).or_io("make", &folder)?;
            open_folder(&self.top, relative)?
        };
        self.here = (relative.to_owned(), opened);
        Ok(())
    }

    /// With the line ends and the encoding that the attributes ask for.
    fn converted<'c>(&mut self, content: &'c [u8], path: &BStr) -> Result<std::borrow::Cow<'c, [u8]>> {
        let options = Options { unknown_encoding: UnknownEncoding::Fail, ..Options::default() };
        let mut outcome = self.pipeline.convert_to_worktree(content, path, options).map_err(special)?;
        if outcome.as_bytes() == Some(content) {
            return Ok(content.into());
        }
        let mut changed = Vec::new();
        outcome.read_to_end(&mut changed).map_err(special)?;
        Ok(changed.into())
    }
}

fn open_folder(at: impl AsFd, path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, path, flags, rustix::fs::Mode::empty()).or_io("open", path)
}
