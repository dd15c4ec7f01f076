//! What a person does with a run's branch: see what it changes, try a merge, make it, and clear up behind it.
//!
//! Nothing here forces anything: a merge that conflicts is not begun, a branch that is not merged stays, a worktree
//! with changes stays.

use std::path::{Path, PathBuf};

use super::cut_off::{self, tree_of};
use super::obstacle::refuse_obstacles;
use super::{administration, current_branch, discard, head, is_dirty, merged_tree, remove_folder, text};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::as_word;
use crate::store::git::commit::state;
use crate::store::git::disk::OrIo as _;
use crate::store::git::home::find::place;
use crate::store::git::repo::external::{Answer, Git};
use crate::store::git::repo::refs;

/// What a branch changes since it began, as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Files, and how many lines.
    Stat,
    /// How many in all, on one line.
    Short,
    /// Everything.
    Patch,
}

/// How differences are asked for, whatever the settings say.
pub(super) const DIFF: [&str; 5] =
    ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--submodule=short"];

/// What a branch changes since it left the other one.
///
/// # Errors
/// Those of git.
pub(crate) fn diff(project: &Path, from: &str, to: &str, detail: Detail) -> Result<String> {
    let how = match detail {
        Detail::Stat => "--stat",
        Detail::Short => "--shortstat",
        Detail::Patch => "--patch",
    };
    let since = format!("{from}...{to}");
    let answer = Git::at(project).ask(&[&DIFF[..], &[how, &since, "--"]].concat())?;
    if answer.code == Some(0) {
        return Ok(text(&answer.output));
    }
    // Branches that have nothing in common differ as they are.
    let out = Git::at(project).run(&[&DIFF[..], &[how, from, to, "--"]].concat())?;
    Ok(text(&out))
}

/// What a merge would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prospect {
    Clean,
    /// There is nothing to merge: it is there already.
    Merged,
    /// These paths conflict.
    Conflicts(Vec<String>),
    /// git refuses, and says this.
    Refused(String),
}

impl Prospect {
    /// The paths that conflict.
    pub(crate) fn conflicts(&self) -> Vec<String> {
        match self {
            Prospect::Conflicts(paths) => paths.clone(),
            Prospect::Clean | Prospect::Merged | Prospect::Refused(_) => Vec::new(),
        }
    }

    /// Why there is no merge at all.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self {
            Prospect::Refused(why) => Some(why.clone()),
            Prospect::Clean | Prospect::Merged | Prospect::Conflicts(_) => None,
        }
    }
}

/// Try a merge into what is checked out, in memory: no file, index or branch is touched.
///
/// # Errors
/// Those of git; [`Code::Unsupported`] below git 2.38.
pub(crate) fn try_merge(project: &Path, branch: &str) -> Result<Prospect> {
    let theirs = format!("refs/heads/{branch}");
    if Git::at(project).ask(&["merge-base", "--is-ancestor", &theirs, "HEAD"])?.code == Some(0) {
        return Ok(Prospect::Merged);
    }
    let words = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "HEAD", &theirs];
    let answer = Git::at(project).ask(&words)?;
    match answer.code {
        Some(0) => Ok(Prospect::Clean),
        Some(1) => {
            let told = text(&answer.output);
            let paths: Vec<String> =
                told.lines().skip(1).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            Ok(Prospect::Conflicts(paths))
        }
        // How git answers words that it does not know.
        Some(129) => {
            Err(Fault::new(Code::Unsupported, "this git cannot try a merge (`git merge-tree --write-tree`)")
                .hint("git 2.38 or newer can"))
        }
        _ => Ok(Prospect::Refused(answer.complaint())),
    }
}

/// Refuse a checkout that nothing can be merged into now.
///
/// # Errors
/// [`Code::InProgress`] in the middle of something of git's, [`Code::WrongState`] on no branch.
pub(crate) fn refuse_unready(project: &Path) -> Result<()> {
    let found = place(project)?;
    if let Some(operation) = state::unfinished(&found.git_dir) {
        let text = format!("{operation} is in progress in {}", project.display());
        return Err(Fault::new(Code::InProgress, text)
            .hint(format!("`git -C {} status` shows how it is finished", as_word(project))));
    }
    if refs::tip(&found.git_dir, &found.common_dir)?.short().is_none() {
        return Err(Fault::new(Code::WrongState, "no branch is checked out, so the merge would be on none")
            .hint("`git switch main` checks out the branch `main`"));
    }
    Ok(())
}

/// Merge a branch into what is checked out, with a commit in any case; the commit.
///
/// # Errors
/// Those of [`refuse_unready`]; those of git, which refuses when files that are not committed would be overwritten.
/// Nothing is changed then.
pub(crate) fn merge(project: &Path, branch: &str, message: &str) -> Result<String> {
    cut_off::take_back(project, branch)?;
    refuse_unready(project)?;
    refuse_obstacles(project, branch)?;
    let theirs = format!("refs/heads/{branch}");
    let before = head(project)?;
    cut_off::begin(project, branch)?;
    let planned = merged_tree(project, &theirs)?;
    let in_the_way = planned.as_ref().map(|merged| cut_off::is_in_the_way(project, merged)).transpose()?;
    // In full, whatever the settings say; the strategy is in them alone, and the plan is that of git's own.
    let words = [
        "merge",
        "--commit",
        "--no-squash",
        "--no-ff",
        "--no-edit",
        "--no-autostash",
        "--quiet",
        "-m",
        message,
        &theirs,
    ];
    let asked = Git::at(project).with(own_strategy(project)?).ask(&words);
    if !matches!(&asked, Ok(answer) if answer.code == Some(0)) {
        let is_whole = in_the_way == Some(false);
        // None was in progress before, so it is ours: git began it and could not finish.
        if head(project)? == before && project_is_merging(project)? {
            let aborted = Git::at(project).run(&["merge", "--abort"]);
            if !is_whole {
                aborted?;
            }
        }
        // What git refuses because of what is the person's it has not begun.
        let taken_back = if is_whole { cut_off::take_back(project, branch) } else { cut_off::end(project) };
        return Err(refused(project, &asked?, taken_back.err()));
    }
    cut_off::end(project)?;
    let merged = head(project)?
        .filter(|now| Some(now) != before.as_ref())
        .ok_or_else(|| Fault::new(Code::Git, "the merge left no commit"))?;
    if planned.is_some_and(|planned| tree_of(project, "HEAD").ok().as_ref() != Some(&planned)) {
        let short = merged.get(..12).unwrap_or(&merged);
        let text =
            format!("git has merged otherwise than it was planned, as {short}: settings of git's say so");
        return Err(Fault::new(Code::Git, text)
            .hint(format!("`git show --stat {short}` shows what arrived"))
            .hint(format!("`git revert --mainline 1 {short}` takes it back")));
    }
    Ok(merged)
}

/// That git made no merge, and what helps.
fn refused(project: &Path, answer: &Answer, left: Option<Fault>) -> Fault {
    let complaint = answer.complaint_in_full();
    let mut said = format!("git refuses the merge, and nothing was merged: {complaint}");
    if let Some(why) = left {
        said += &format!("; what it has written is taken back by the next `swift merge`: {}", why.message);
    }
    let fault = Fault::new(Code::MergeConflict, said);
    let folder = as_word(project);
    if complaint.contains("unable to write") || complaint.contains("No space left") {
        return fault
            .hint(format!("`df -h {folder}` shows how much room there is; then run the same command again"));
    }
    if complaint.contains("signature") {
        return fault.hint(format!(
            "`git -C {folder} config --get merge.verifySignatures` shows that only signed work may be merged, and what \
             a run commits is not signed; a person can still merge it with `git`"
        ));
    }
    fault.hint(format!("`git -C {folder} status` shows what is in the way"))
}

/// Settings by which git merges as it does unasked: another strategy may drop what was planned.
fn own_strategy(project: &Path) -> Result<Vec<(String, String)>> {
    let branch = current_branch(project)?.unwrap_or_default();
    let plain = [(format!("branch.{branch}.mergeOptions"), "--commit"), ("pull.twohead".to_owned(), "ort")];
    Ok(plain.map(|(name, value)| (name, value.to_owned())).to_vec())
}

/// The merge by which a branch came into what is checked out; its own last commit if there was none.
///
/// # Errors
/// Those of git.
pub(crate) fn merge_of(project: &Path, branch: &str) -> Result<String> {
    cut_off::take_back(project, branch)?;
    let theirs = format!("refs/heads/{branch}");
    let tip = commit_of(project, &theirs)?.unwrap_or_default();
    let range = format!("{theirs}..HEAD");
    let words = ["rev-list", "--parents", "--merges", "--ancestry-path", "--reverse", &range, "--"];
    let listed = Git::at(project).run(&words)?;
    let found = text(&listed);
    let merge = found.lines().find(|line| line.split(' ').skip(1).any(|parent| parent == tip));
    Ok(merge.and_then(|line| line.split(' ').next()).map_or(tip, str::to_owned))
}

fn project_is_merging(project: &Path) -> Result<bool> {
    Ok(commit_of(project, "MERGE_HEAD")?.is_some())
}

/// Where the work of a branch is besides on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// There is none.
    Nothing,
    /// In what is checked out.
    Merged,
    /// In a branch of another repository, as far as is known here.
    Pushed,
    /// Nowhere else.
    Here,
}

/// Where what was made from one commit to another is.
///
/// # Errors
/// Those of git.
pub(crate) fn whereabouts(project: &Path, base: &str, tip: &str) -> Result<Whereabouts> {
    if tip == base {
        return Ok(Whereabouts::Nothing);
    }
    if Git::at(project).ask(&["merge-base", "--is-ancestor", tip, "HEAD"])?.code == Some(0) {
        return Ok(Whereabouts::Merged);
    }
    let contains = format!("--contains={tip}");
    let remote = Git::at(project).run(&["for-each-ref", "--count=1", &contains, "refs/remotes"])?;
    Ok(if remote.is_empty() { Whereabouts::Here } else { Whereabouts::Pushed })
}

/// Remove a worktree in which everything is committed. What was in it lies aside until [`forget`]; cut off before that,
/// [`finish`] does the rest.
///
/// # Errors
/// [`Code::WrongState`] if something is not committed; those of git.
pub(crate) fn remove(project: &Path, path: &Path) -> Result<()> {
    if !path.join(".git").is_file() {
        return forget_missing(project, path);
    }
    if is_dirty(project, path)? {
        return Err(Fault::new(
            Code::WrongState,
            format!("`{}` has work that is not committed", path.display()),
        )
        .hint(format!("look at it: `git -C {} status --ignore-submodules=dirty`", as_word(path))));
    }
    let common_dir = place(project)?.common_dir;
    match administration(&common_dir, path)? {
        // What is locked, or has submodules, git refuses or knows how to take apart.
        Some(admin) if !admin.join("locked").exists() && !admin.join("modules").exists() => {
            std::fs::rename(path, aside(path)).or_io("remove", path)?;
            discard(&common_dir, &admin)
        }
        _ => Git::at(project).run(&["worktree", "remove", "--", &path.to_string_lossy()]).map(drop),
    }
}

/// git would keep the branch for a worktree whose folder was deleted by hand.
fn forget_missing(project: &Path, path: &Path) -> Result<()> {
    let common_dir = place(project)?.common_dir;
    match administration(&common_dir, path)? {
        Some(admin) if !path.exists() && !admin.join("locked").exists() => discard(&common_dir, &admin),
        _ => Ok(()),
    }
}

/// What the names of worktrees begin with that are being removed.
const ASIDE: &str = ".swift-gone-";

fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{ASIDE}{name}"))
}

/// Remove what [`remove`] has put aside.
///
/// # Errors
/// Those of the disk.
pub(crate) fn forget(path: &Path) -> Result<()> {
    remove_folder(&aside(path))
}

/// Let git forget the worktrees in a folder whose removal was cut off; where they were, for [`forget`].
///
/// # Errors
/// Those of the disk.
pub(crate) fn finish(project: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let common_dir = place(project)?.common_dir;
    let mut paths = Vec::new();
    for path in names.filter_map(|name| Some(folder.join(name.strip_prefix(ASIDE)?))) {
        if path.exists() {
            // There is another one by now.
            forget(&path)?;
            continue;
        }
        if let Some(admin) = administration(&common_dir, &path)? {
            discard(&common_dir, &admin)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Remove a branch that is merged; git refuses otherwise.
///
/// # Errors
/// Those of git.
pub(crate) fn delete_merged(project: &Path, branch: &str) -> Result<()> {
    Git::at(project).run(&["branch", "--quiet", "-d", "--", branch]).map(drop)
}

fn commit_of(folder: &Path, revision: &str) -> Result<Option<String>> {
    let spec = format!("{revision}^{{commit}}");
    let answer = Git::at(folder).ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &spec])?;
    Ok((answer.code == Some(0)).then(|| text(&answer.output).trim().to_owned()))
}
