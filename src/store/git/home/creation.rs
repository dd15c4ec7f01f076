//! The record of a queue that is being made, so that whoever is killed at it leaves nothing in the way.
//!
//! It is on the disk before anything else is, and goes when the queue is whole. It names all that is to be made:
//! the folder, the files with their content, the administration of the worktree by its identity. Under the lock
//! the next `create` finishes what was all but done and takes back the rest; what the record does not prove to be
//! ours stays. Until then the queue counts as not there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::departure::Departure;
use super::exclude;
use super::find::{Place, SETTINGS, is_link_to, place};
use super::worktree::{self, FOLDER, Worktree};
use crate::domain::fault::{Code, Fault, Result};
use crate::store::git::disk::folder::{Folder, KEPT};
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::repo::gitlock::{self, Identity};
use crate::store::git::repo::{Repo, refs};
use crate::store::git::{Home, HomeKind, Request, commit, objects};

const HEAD_LINE: &str = "swift creating 1";

/// A queue on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Creation {
    root: PathBuf,
    /// Whether the folder was not there before.
    makes_root: bool,
    /// The process, which is in the names of its temporary files.
    process: u32,
    /// Files that were not there, and what they are to be.
    files: Vec<(String, ObjectId)>,
    /// `None` for a queue in the tree.
    worktree: Option<Linked>,
}

/// The worktree of a queue on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    pub(super) branch: String,
    pub(super) source: Source,
    name: String,
    identity: Identity,
}

/// Where the branch comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It begins with the queue.
    New,
    Local,
    /// It is made where that of the remote is.
    Remote(ObjectId),
}

pub(in crate::store::git) fn folder(common_dir: &Path) -> PathBuf {
    common_dir.join("swift")
}

pub(super) fn record(common_dir: &Path) -> PathBuf {
    folder(common_dir).join("creating")
}

/// The record as it is: of a queue that is being made, or that is leaving.
pub(super) fn note(common_dir: &Path) -> Result<Option<Vec<u8>>> {
    disk::read(&record(common_dir))
}

/// Where the administration of a worktree is prepared.
fn prepared(common_dir: &Path) -> PathBuf {
    folder(common_dir).join("worktree")
}

impl Creation {
    /// The folder and the first files; as such, a queue in the tree.
    pub(super) fn of(root: &Path, repo: &Repo, request: &Request<'_>) -> Result<Creation> {
        let mut files = Vec::new();
        for change in &request.changes {
            if let (Some(content), Err(_)) = (&change.content, root.join(&change.path).symlink_metadata()) {
                files.push((change.path.clone(), commit::blob_id(repo, content)?));
            }
        }
        let makes_root = root.symlink_metadata().is_err();
        Ok(Creation { root: root.to_owned(), makes_root, process: std::process::id(), files, worktree: None })
    }

    /// The same on a branch of its own, with the administration of its worktree prepared.
    pub(super) fn on_branch(
        self,
        common_dir: &Path,
        branch: &str,
        source: Source,
        sharing: Sharing,
    ) -> Result<Creation> {
        let prepared = prepared(common_dir);
        remove_tree(&prepared)?;
        worktree::write_admin(&prepared, &self.root, branch, sharing).inspect_err(|_| {
            // The error that matters is the one at hand.
            let _ = remove_tree(&prepared);
            let _ = std::fs::remove_dir(folder(common_dir));
        })?;
        let linked = Linked {
            branch: branch.to_owned(),
            source,
            name: worktree::free_name(common_dir),
            identity: gitlock::identity(&prepared)?.expect("a folder that was made is there"),
        };
        // What is adopted is not taken back file by file: it is all in git.
        let files = if linked.source == Source::New { self.files } else { Vec::new() };
        Ok(Creation { files, worktree: Some(linked), ..self })
    }

    /// Note it, durably; only then make the folder and put the administration in its place.
    pub(super) fn begin(&self, home: &Home, sharing: Sharing) -> Result<()> {
        sharing.make_folders(&folder(&home.common_dir))?;
        let path = record(&home.common_dir);
        let file = disk::overwrite(&path, self.render()).or_io("write", &path)?;
        file.sync_all().or_io("flush", &path)?;
        flush_names(&folder(&home.common_dir))?;
        flush_names(&home.common_dir)?;
        if self.makes_root {
            sharing.make_folders(&self.root)?;
        }
        if self.worktree.is_some() {
            sharing.make_folders(home.git_dir.parent().expect("an administration is in a folder"))?;
            put(&prepared(&home.common_dir), &home.git_dir).or_io("make", &home.git_dir)?;
        }
        Ok(())
    }

    /// What a worktree needs besides its administration; made again, it is the same.
    pub(super) fn furnish(&self, home: &Home, sharing: Sharing) -> Result<()> {
        let Some(linked) = &self.worktree else { return Ok(()) };
        if let Source::Remote(id) = &linked.source {
            let path = linked.reference(&home.common_dir);
            if !path.exists() {
                sharing.make_folders(path.parent().expect("a branch is in a folder"))?;
                worktree::write_file(&path, &format!("{id}\n"), sharing)?;
            }
        }
        worktree::link(&home.git_dir, &home.root, sharing)?;
        exclude::add(&home.common_dir, sharing)?;
        worktree::write_file(
            &folder(&home.common_dir).join("branch"),
            &format!("{}\n", linked.branch),
            sharing,
        )
    }

    /// The home that it is to be; `None` if its folder is no longer this repository's.
    pub(super) fn home(&self, here: &Place) -> Result<Option<Home>> {
        let around = self.root.parent().and_then(|folder| place(folder).ok());
        let around = around.filter(|around| around.common_dir == here.common_dir);
        match (&self.worktree, around) {
            (Some(linked), around) => {
                let root = if around.is_some() { self.root.clone() } else { here.project()?.join(FOLDER) };
                let admin = here.common_dir.join("worktrees").join(&linked.name);
                let branch = Some(linked.branch.clone());
                Ok(Some(here.branch_home(Worktree { admin, root, branch })))
            }
            (None, Some(Place { checkout: Some(checkout), git_dir, common_dir })) => {
                let around = Place { checkout: None, git_dir, common_dir };
                around.tree_home(&checkout).map(Some)
            }
            (None, _) => Ok(None),
        }
    }

    /// The queue is whole, or nothing of it is left.
    pub(super) fn forget(common_dir: &Path) -> Result<()> {
        disk::remove(&record(common_dir))?;
        flush_names(&folder(common_dir))
    }

    /// Remove exactly what is ours.
    pub(super) fn take_back(&self, home: &Home) -> Result<()> {
        self.take_back_files(home)?;
        self.take_back_checkout(home);
        home.write_debts(&Default::default())?;
        self.take_back_worktree(home)?;
        self.take_back_temporaries(home)?;
        let pending = home.records().join("pending");
        if std::fs::metadata(&pending).is_ok_and(|record| record.len() == 0) {
            disk::remove(&pending)?;
        }
        // Folders that are not empty, or not there, stay as they are.
        if self.makes_root {
            let local = home.root.join("local");
            remove_tree(&local.join("tmp"))?;
            let kept = KEPT.map(|folder| home.root.join(folder));
            for empty in kept.into_iter().chain([local, home.root.clone()]) {
                let _ = std::fs::remove_dir(empty);
            }
        }
        let _ = std::fs::remove_dir(home.scratch());
        disk::remove(&record(&home.common_dir))?;
        for empty in [home.records(), folder(&home.common_dir)] {
            let _ = std::fs::remove_dir(empty);
        }
        Ok(())
    }

    fn take_back_files(&self, home: &Home) -> Result<()> {
        if !home.root.is_dir() {
            return Ok(());
        }
        let folder = Folder::open(&home.root)?;
        for (path, id) in &self.files {
            let Ok(Some(content)) = folder.read(path) else { continue };
            if objects::hash(id.kind(), gix::objs::Kind::Blob, &content)? == *id {
                disk::remove(&home.root.join(path))?;
            }
        }
        Ok(())
    }

    /// What was checked out of a branch into a folder that was not there: it is all in git, and would be in the way.
    fn take_back_checkout(&self, home: &Home) {
        let Some(linked) = self.worktree.as_ref().filter(|_| self.makes_root) else { return };
        let commit = match &linked.source {
            Source::New => return,
            Source::Local => {
                refs::resolve(&home.common_dir, &format!("refs/heads/{}", linked.branch)).ok().flatten()
            }
            Source::Remote(id) => Some(*id),
        };
        // On the way out of an error, which is the one that is reported.
        let _ = commit.map(|commit| home.take_files_of(commit));
    }

    fn take_back_worktree(&self, home: &Home) -> Result<()> {
        let Some(linked) = &self.worktree else { return Ok(()) };
        let common_dir = &home.common_dir;
        remove_tree(&prepared(common_dir))?;
        if linked.is_at(&home.git_dir)? {
            exclude::remove(common_dir)?;
            disk::remove(&folder(common_dir).join("exclude"))?;
            disk::remove(&folder(common_dir).join("branch"))?;
            if is_link_to(&home.root, &home.git_dir) {
                disk::remove(&home.root.join(".git"))?;
            }
            linked.take_back_branch(common_dir)?;
            // The identity last: with it goes the proof.
            remove_tree(&home.git_dir)?;
        }
        let _ = std::fs::remove_dir(common_dir.join("worktrees"));
        Ok(())
    }

    /// Small files under the names that they are written with first.
    fn take_back_temporaries(&self, home: &Home) -> Result<()> {
        let Some(linked) = &self.worktree else { return Ok(()) };
        let records = folder(&home.common_dir);
        let reference = linked.reference(&home.common_dir);
        let files = [home.root.join(".git"), records.join("branch"), records.join("exclude"), reference];
        files.iter().try_for_each(|file| disk::remove(&worktree::temporary(file, self.process)))
    }

    /// Whether git has it: then it is a queue, whatever else was to come.
    fn is_committed(&self, home: &Home) -> Result<bool> {
        let is_there = match &self.worktree {
            Some(linked) => linked.source == Source::New && linked.is_at(&home.git_dir)?,
            None => true,
        };
        Ok(is_there && home.read_committed(SETTINGS)?.is_some())
    }

    fn render(&self) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = vec![HEAD_LINE.into(), self.root.as_os_str().as_bytes().to_owned()];
        let made = if self.makes_root { "makes" } else { "finds" };
        lines.push(format!("root {made} {}", self.process).into());
        if let Some(Linked { branch, source, name, identity }) = &self.worktree {
            let source = match source {
                Source::New => "new".to_owned(),
                Source::Local => "local".to_owned(),
                Source::Remote(id) => id.to_string(),
            };
            lines.push(format!("worktree {source} {} {name} {branch}", identity.0).into());
        }
        lines.extend(self.files.iter().map(|(path, id)| format!("file {id} {path}").into_bytes()));
        lines.push("end".into());
        lines.into_iter().flat_map(|line| [line, vec![0]].concat()).collect()
    }

    /// A record that is cut short counts for nothing: nothing has been made yet.
    fn parse(record: &[u8]) -> Option<Creation> {
        let mut lines = record.strip_suffix(b"\0end\0")?.split(|byte| *byte == 0);
        if lines.next()? != HEAD_LINE.as_bytes() {
            return None;
        }
        let root = PathBuf::from(OsStr::from_bytes(lines.next()?));
        let (made, process) =
            std::str::from_utf8(lines.next()?).ok()?.strip_prefix("root ")?.split_once(' ')?;
        let (makes_root, process) = (made == "makes", process.parse().ok()?);
        let mut creation = Creation { root, makes_root, process, files: Vec::new(), worktree: None };
        for line in lines {
            let (what, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            match what {
                "worktree" => creation.worktree = Some(Linked::parse(rest)?),
                "file" => {
                    let (id, path) = rest.split_once(' ')?;
                    creation.files.push((path.to_owned(), ObjectId::from_hex(id.as_bytes()).ok()?));
                }
                _ => return None,
            }
        }
        Some(creation)
    }
}

impl Linked {
    /// Whether the administration at a path is the one that was prepared.
    fn is_at(&self, admin: &Path) -> Result<bool> {
        Ok(gitlock::identity(admin)?.as_ref() == Some(&self.identity))
    }

    fn reference(&self, common_dir: &Path) -> PathBuf {
        common_dir.join("refs").join("heads").join(&self.branch)
    }

    /// A branch that git has made has a log; ours has not.
    fn take_back_branch(&self, common_dir: &Path) -> Result<()> {
        let Source::Remote(id) = &self.source else { return Ok(()) };
        let path = self.reference(common_dir);
        let is_ours = disk::read(&path)?.is_some_and(|content| content == format!("{id}\n").as_bytes())
            && !common_dir.join("logs").join("refs").join("heads").join(&self.branch).exists();
        if is_ours { disk::remove(&path) } else { Ok(()) }
    }

    fn parse(text: &str) -> Option<Linked> {
        let mut parts = text.splitn(4, ' ');
        let source = match parts.next()? {
            "new" => Source::New,
            "local" => Source::Local,
            id => Source::Remote(ObjectId::from_hex(id.as_bytes()).ok()?),
        };
        let identity = Identity(parts.next()?.to_owned());
        let (name, branch) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Linked { branch, source, name, identity })
    }
}

/// The record of a repository, if a queue is being made there, or was by a process that was killed.
fn read(common_dir: &Path) -> Result<Option<Creation>> {
    Ok(note(common_dir)?.as_deref().and_then(Creation::parse))
}

/// Whether a home is one that is not whole yet.
pub(super) fn is_half_made(home: &Home, note: Option<&[u8]>) -> bool {
    let Some(creation) = note.and_then(Creation::parse) else { return false };
    let is_its_own = |linked: &Linked| {
        home.kind == HomeKind::Branch && home.git_dir.file_name() == Some(linked.name.as_ref())
    };
    creation.root == home.root || creation.worktree.as_ref().is_some_and(is_its_own)
}

/// Under the lock, which a process at work would hold: finish or take back what a killed one began.
pub(super) fn settle(here: &Place, sharing: Sharing) -> Result<()> {
    if note(&here.common_dir)?.as_deref().and_then(Departure::parse).is_some() {
        return Err(Fault::new(Code::Busy, "the queue of this repository was just being taken out")
            .hint("run the same command again"));
    }
    let Some(creation) = read(&here.common_dir)? else {
        remove_tree(&prepared(&here.common_dir))?;
        return disk::remove(&record(&here.common_dir));
    };
    let Some(home) = creation.home(here)? else { return Creation::forget(&here.common_dir) };
    let has_git = home.git_dir.join("HEAD").is_file();
    if has_git {
        home.recover()?;
        if creation.is_committed(&home)? {
            return Creation::forget(&here.common_dir);
        }
    }
    match &creation.worktree {
        Some(linked) if linked.source != Source::New && linked.is_at(&home.git_dir)? => {
            if !home.root.exists() {
                std::fs::create_dir(&home.root).or_io("make the folder", &home.root)?;
            }
            creation.take_back_temporaries(&home)?;
            creation.furnish(&home, sharing)?;
            home.check_out()?;
            Creation::forget(&here.common_dir)
        }
        _ => creation.take_back(&home),
    }
}

/// Give a folder its name, if that is free.
fn put(from: &Path, to: &Path) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Without that flag a folder still takes the place of none but an empty one.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rustix::fs::rename(from, to),
        done => done,
    }
}

pub(super) fn flush_names(folder: &Path) -> Result<()> {
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).or_io("flush", folder)
}

fn remove_tree(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if !disk::is_absent(&error) => Err(error).or_io("remove", path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_counts_for_nothing() {
        let id = ObjectId::from_hex(b"4b825dc642cb6eb9a060e54bf8d69288fbee4904").expect("a hash");
        for source in [Source::New, Source::Local, Source::Remote(id)] {
            let creation = Creation {
                root: PathBuf::from(OsStr::from_bytes(b"/a \xff\n/.swift")),
                makes_root: true,
                process: 7,
                files: vec![("swift.toml".into(), id), (".gitignore".into(), id)],
                worktree: Some(Linked {
                    branch: "queue/a".into(),
                    source,
                    name: "-swift1".into(),
                    identity: Identity("5:0.0".into()),
                }),
            };
            let record = creation.render();
            for cut in 0..record.len() {
                assert_eq!(Creation::parse(&record[..cut]), None, "cut at {cut}");
            }
            assert_eq!(Creation::parse(&record), Some(creation));
        }
    }
}
