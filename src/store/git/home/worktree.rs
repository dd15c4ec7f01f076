//! The linked worktree that holds the queue in its default home.
//!
//! Its administration is four small files, described in gitrepository-layout(5). Written here and not by
//! `git worktree add`, because that needs git 2.42 for an orphan branch, runs the person's post-checkout hook and
//! copies their sparse-checkout patterns.

use std::path::{Path, PathBuf};

use super::creation;
use crate::domain::fault::Result;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, OrIo as _};

/// The name of the queue's folder.
pub(in crate::store::git) const FOLDER: &str = ".swift";

/// The administration of one linked worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::git) struct Worktree {
    /// `<common>/worktrees/<name>`.
    pub(in crate::store::git) admin: PathBuf,
    /// Where the administration says that the checkout is.
    pub(in crate::store::git) root: PathBuf,
    /// The short name of its branch.
    pub(in crate::store::git) branch: Option<String>,
}

/// The worktree of a queue that the repository knows, whether its folder is still there or not.
pub(in crate::store::git) fn registered(common_dir: &Path) -> Result<Option<Worktree>> {
    let folder = common_dir.join("worktrees");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if disk::is_absent(&error) => return Ok(None),
        Err(error) => return Err(error).or_io("list", &folder),
    };
    let mut found: Vec<Worktree> = Vec::new();
    for entry in entries {
        let admin = entry.or_io("list", &folder)?.path();
        found.extend(read(&admin)?.filter(|worktree| worktree.root.ends_with(FOLDER)));
    }
    // The person may have a worktree of that name, too: the branch tells which is the queue's.
    let noted = disk::read_line(&creation::folder(common_dir).join("branch"))?;
    found.sort_by_key(|worktree| (noted.is_none() || worktree.branch != noted, worktree.admin.clone()));
    Ok(found.into_iter().next())
}

/// Read one administration folder.
pub(in crate::store::git) fn read(admin: &Path) -> Result<Option<Worktree>> {
    let Some(link) = disk::read(&admin.join("gitdir"))? else { return Ok(None) };
    // A folder may have a line break in its name.
    let link = admin.join(String::from_utf8_lossy(&link).trim_end());
    let branch = branch_of(admin)?;
    Ok(link.parent().map(|root| Worktree { admin: admin.to_owned(), root: root.to_owned(), branch }))
}

/// The short name of the branch that is checked out in a worktree.
pub(super) fn branch_of(admin: &Path) -> Result<Option<String>> {
    let head = disk::read_line(&admin.join("HEAD"))?.unwrap_or_default();
    Ok(head.strip_prefix("ref: refs/heads/").map(str::to_owned))
}

/// Write the administration of a new worktree and the link in its folder; returns the administration folder.
pub(super) fn make(common_dir: &Path, root: &Path, branch: &str, sharing: Sharing) -> Result<PathBuf> {
    let admin = common_dir.join("worktrees").join(free_name(common_dir));
    write_admin(&admin, root, branch, sharing)?;
    link(&admin, root, sharing)?;
    Ok(admin)
}

/// Write the administration alone; it may be put below `worktrees` later.
pub(super) fn write_admin(admin: &Path, root: &Path, branch: &str, sharing: Sharing) -> Result<()> {
    sharing.make_folders(admin)?;
    let write = |name: &str, content: String| write_file(&admin.join(name), &content, sharing);
    write("commondir", "../..\n".to_owned())?;
    write("HEAD", format!("ref: refs/heads/{branch}\n"))?;
    write("gitdir", format!("{}\n", root.join(".git").display()))
}

/// The file that leads from the checkout to its administration.
pub(super) fn link(admin: &Path, root: &Path, sharing: Sharing) -> Result<()> {
    write_file(&root.join(".git"), &format!("gitdir: {}\n", admin.display()), sharing)
}

/// Whether a folder is the checkout of a worktree that the repository around it does not know: its administration was
/// pruned, or stayed behind.
pub(super) fn is_cut_off(root: &Path, common_dir: &Path) -> bool {
    admin_named_by(root, common_dir).is_some_and(|admin| !is_there(&admin))
}

/// The administration in this repository that has the name which the link in a folder leads to, wherever that is.
pub(super) fn admin_named_by(root: &Path, common_dir: &Path) -> Option<PathBuf> {
    let line = disk::read_line(&root.join(".git")).ok().flatten()?;
    let admin = Path::new(line.strip_prefix("gitdir:")?.trim());
    let is_worktree = admin.parent().and_then(Path::file_name) == Some("worktrees".as_ref());
    let name = admin.file_name().filter(|_| is_worktree)?;
    Some(common_dir.join("worktrees").join(name))
}

/// Whether an administration is one.
pub(super) fn is_there(admin: &Path) -> bool {
    admin.join("HEAD").is_file()
}

/// After a move: make both ends point at each other again. Gives what was wrong with the link in the checkout, if it did
/// not only lead to where the repository was before.
pub(super) fn repair(
    admin: &Path,
    root: &Path,
    sharing: impl Fn() -> Result<Sharing>,
) -> Result<Option<String>> {
    let link_there = format!("gitdir: {}", admin.display());
    let here = disk::read_line(&root.join(".git"))?.unwrap_or_default();
    let mut mended = None;
    if here != link_there {
        link(admin, root, sharing()?)?;
        mended = match here.strip_prefix("gitdir:").map(|path| root.join(path.trim())) {
            // It may be written in another way, as from here on.
            Some(other) if other.canonicalize().ok() == admin.canonicalize().ok() => None,
            Some(other) => other.exists().then(|| format!("led to {}", other.display())),
            None => Some("was no link".to_owned()),
        };
    }
    let back = root.join(".git").display().to_string();
    if disk::read_line(&admin.join("gitdir"))?.as_deref() != Some(back.as_str()) {
        write_file(&admin.join("gitdir"), &format!("{back}\n"), sharing()?)?;
    }
    Ok(mended)
}

/// `git worktree add .swift` would call it `-swift`.
pub(super) fn free_name(common_dir: &Path) -> String {
    let folder = common_dir.join("worktrees");
    let mut names = std::iter::once("-swift".to_owned()).chain((1..).map(|number| format!("-swift{number}")));
    names.find(|name| !folder.join(name).exists()).expect("the numbers do not end")
}

/// Write a small file in one step.
pub(super) fn write_file(path: &Path, content: &str, sharing: Sharing) -> Result<()> {
    let temporary = temporary(path, std::process::id());
    std::fs::write(&temporary, content).or_io("write", &temporary)?;
    let file = std::fs::File::open(&temporary).or_io("open", &temporary)?;
    sharing.file(&file, &temporary)?;
    file.sync_all().or_io("flush", &temporary)?;
    std::fs::rename(&temporary, path).or_io("write", path)?;
    let folder = path.parent().expect("a file is in a folder");
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).or_io("flush", folder)
}

/// The name under which a process writes a small file first.
pub(super) fn temporary(path: &Path, process: u32) -> PathBuf {
    let mut name = path.file_name().expect("a file has a name").to_owned();
    name.push(format!(".swift-{process}"));
    path.with_file_name(name)
}

/// Remove what killed processes have left of a small file under such names; nobody is at work there.
pub(super) fn sweep_temporaries(path: &Path) -> Result<()> {
    let folder = path.parent().expect("a file is in a folder");
    let start = format!("{}.swift-", path.file_name().expect("a file has a name").to_string_lossy());
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(start.as_str()));
        if process.is_some_and(|process| process.parse::<u32>().is_ok()) {
            disk::remove(&entry.path())?;
        }
    }
    Ok(())
}
