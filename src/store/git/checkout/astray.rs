//! A folder that is not the worktree which a run works in: why, and the command with which a person puts that right.

use std::path::{Path, PathBuf};

use super::{Checkout, administrations, current_branch};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::home::find::{Place, place};
use crate::store::git::repo::refs;

/// What is wrong, and what helps.
#[derive(Debug)]
pub(super) struct Astray {
    why: String,
    command: String,
    /// What a person should know besides: before the command, and after it.
    around: (&'static str, &'static str),
}

impl Astray {
    fn refusal(self) -> Fault {
        let Astray { why, command, around: (before, after) } = self;
        Fault::new(Code::Git, why).hint(format!("{before}`{command}`{after}"))
    }
}

/// The command that makes a place ready for a run on its branch, if it is not, as far as that is seen without a process of
/// git; the next run would come to nothing there.
///
/// # Errors
/// Those of reading git's folder.
pub(crate) fn way_back(project: &Path, wanted: &Checkout) -> Result<Option<String>> {
    let is_absent = wanted.path.symlink_metadata().is_err_and(|error| disk::is_absent(&error));
    if is_absent || is_empty(&wanted.path) {
        return taken(project, wanted);
    }
    Ok(match found(project, &wanted.path)? {
        Ok(found) => elsewhere(&found, wanted)?.map(|astray| astray.command),
        Err(astray) => Some(astray.command),
    })
}

/// The command that puts a folder aside which is in the place of a worktree and is none any more.
pub(crate) fn put_aside(project: &Path, folder: &Path) -> Option<String> {
    refuse_stranger(project, folder).err()?;
    found(project, folder).ok()?.err().map(|astray| astray.command)
}

/// Who has checked out the branch of a run in a folder of their own has to leave it before a run has it again.
fn taken(project: &Path, wanted: &Checkout) -> Result<Option<String>> {
    let is_it = |branch: Option<&str>| branch == Some(&wanted.branch);
    let common = place(project)?.common_dir;
    let others = administrations(&common)?.into_iter().filter(|other| is_it(other.branch.as_deref()));
    // One that lies where those of runs do comes along by itself, and one without a folder is forgotten.
    let mut folders =
        others.map(|other| other.root).filter(|root| root.is_dir() && !super::make::is_of_runs(root));
    let folder = match is_it(current_branch(project)?.as_deref()) {
        true => Some(project.to_owned()),
        false => folders.next(),
    };
    Ok(folder.map(|folder| format!("git -C {} switch -", as_word(&folder))))
}

/// The folder is the top of a worktree of this very repository, and on the branch that it should be on. What a run
/// has left in its place is not believed: a `.git` file can lead anywhere.
///
/// # Errors
/// [`Code::Git`] if not.
pub(crate) fn confirm(project: &Path, wanted: &Checkout) -> Result<()> {
    let found = own_place(project, &wanted.path)?;
    elsewhere(&found, wanted)?.map_or(Ok(()), |astray| Err(astray.refusal()))
}

/// A worktree that is on another branch, or on none, or whose branch has another name by now.
fn elsewhere(found: &Place, wanted: &Checkout) -> Result<Option<Astray>> {
    let branch = refs::tip(&found.git_dir, &found.common_dir)?.short().map(str::to_owned);
    if branch.as_deref() == Some(&wanted.branch) {
        return Ok(None);
    }
    let (folder, name) = (as_word(&wanted.path), &wanted.branch);
    let is_there = refs::resolve(&found.common_dir, &format!("refs/heads/{name}"))?.is_some();
    let (command, after) = match (is_there, &branch) {
        (true, _) => (format!("git -C {folder} switch {name}"), " goes back to it"),
        (false, Some(_)) => (format!("git -C {folder} branch -m {name}"), " gives the branch its name back"),
        (false, None) => (format!("git -C {folder} switch -c {name}"), " makes the branch anew"),
    };
    let is_on = branch.map_or_else(|| "on no branch".to_owned(), |branch| format!("on `{branch}`"));
    let why = format!("the worktree `{}` should be on `{name}` and is {is_on}", wanted.path.display());
    Ok(Some(Astray { why, command, around: ("", after) }))
}

/// Where git keeps what belongs to a worktree of this very repository. In a folder whose `.git` leads elsewhere git is
/// never started: the configuration that it finds there names programs.
pub(super) fn own_place(project: &Path, folder: &Path) -> Result<Place> {
    found(project, folder)?.map_err(Astray::refusal)
}

fn found(project: &Path, folder: &Path) -> Result<std::result::Result<Place, Astray>> {
    let canonical = std::fs::canonicalize(folder).or_io("find", folder)?;
    let (project, found) = (place(project)?, place(folder).ok());
    let is_own = |found: &Place| {
        found.common_dir == project.common_dir
            && found.git_dir.parent() == Some(&found.common_dir.join("worktrees"))
            && found.checkout.as_ref() == Some(&canonical)
    };
    Ok(found.filter(is_own).ok_or_else(|| stranger(&project, folder)))
}

/// A folder in the place of a worktree that is none any more.
fn stranger(project: &Place, folder: &Path) -> Astray {
    let is_there = folder.join(".git").symlink_metadata().is_ok();
    let why = format!(
        "`{}` is no worktree of {} any more: its `.git` {}",
        folder.display(),
        project.common_dir.display(),
        if is_there { "leads elsewhere" } else { "is gone" }
    );
    let command = format!("mv {} {}", as_word(folder), as_word(&aside(folder)));
    Astray { why, command, around: ("do not use git in it; put it aside: ", "; the next run makes it anew") }
}

/// Where it is put aside: a name that is free, so that nothing comes to lie within what was put aside before.
fn aside(folder: &Path) -> PathBuf {
    let numbered = (2..).map(|number| format!(".aside-{number}"));
    let names = std::iter::once(".aside".to_owned()).chain(numbered).map(|end| {
        let mut name = folder.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    names.into_iter().find(|name| name.symlink_metadata().is_err()).expect("one of endless names is free")
}

/// Refuse a folder in the place of a worktree that is none any more, because its `.git` is gone or leads elsewhere: what
/// is in it git neither sees nor overwrites. An empty one is as good as none.
///
/// # Errors
/// [`Code::Git`], with how it is put aside.
pub(crate) fn refuse_stranger(project: &Path, folder: &Path) -> Result<()> {
    let is_absent = folder.symlink_metadata().is_err_and(|error| disk::is_absent(&error));
    if is_absent || is_empty(folder) { Ok(()) } else { own_place(project, folder).map(drop) }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
