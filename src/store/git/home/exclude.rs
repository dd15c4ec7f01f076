//! The line in `<git folder>/info/exclude` that hides the queue's worktree from the person's `git status`.
//!
//! What was added is noted byte for byte, so that it can be taken out again byte for byte.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::worktree::{FOLDER, write_file};
use crate::domain::fault::Result;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::disk::{self, OrIo as _};
use crate::store::git::repo::external::Git;
use crate::store::git::{Home, HomeKind};

const LINE: &str = "/.swift/";

fn path(common_dir: &Path) -> PathBuf {
    common_dir.join("info").join("exclude")
}

/// The note of what was added, beside the engine's other records.
fn note(common_dir: &Path) -> PathBuf {
    common_dir.join("swift").join("exclude")
}

impl Home {
    /// Whether the person's git passes over the queue's folder, by this line or by another rule.
    ///
    /// # Errors
    /// Those of reading the file and of starting git, which is asked where the line is not there.
    pub(crate) fn is_hidden(&self) -> Result<bool> {
        if self.kind == HomeKind::Tree || has_line(&disk::read(&path(&self.common_dir))?.unwrap_or_default())
        {
            return Ok(true);
        }
        let Some(checkout) = self.root.parent() else { return Ok(true) };
        let asked =
            Git::at(checkout).ask(&["check-ignore", "--quiet", "--no-index", &format!("{FOLDER}/")])?;
        Ok(asked.code == Some(0))
    }

    /// Whether that line was added for the queue, and goes with it.
    pub(crate) fn has_line_of_its_own(&self) -> bool {
        self.kind == HomeKind::Branch && is_ours(&self.common_dir)
    }

    /// Put the line back.
    ///
    /// # Errors
    /// Those of writing the file.
    pub(crate) fn hide(&self) -> Result<()> {
        add(&self.common_dir, self.repo()?.sharing()?)
    }
}

fn has_line(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == LINE.as_bytes())
}

/// Add the line unless it is there.
pub(super) fn add(common_dir: &Path, sharing: Sharing) -> Result<()> {
    let path = path(common_dir);
    let old = disk::read(&path)?;
    let text = old.clone().unwrap_or_default();
    if has_line(&text) {
        return Ok(());
    }
    let made_folder = !sharing.make_folders(path.parent().expect("the file is in a folder"))?.is_empty();
    let added =
        if text.is_empty() || text.ends_with(b"\n") { format!("{LINE}\n") } else { format!("\n{LINE}\n") };
    let origin = match (&old, made_folder) {
        (_, true) => "folder",
        (None, false) => "file",
        (Some(_), false) => "line",
    };
    sharing.make_folders(&common_dir.join("swift"))?;
    write_file(&note(common_dir), &format!("{origin}\n{added}"), sharing)?;
    // In place, so that owner, mode and links of the person's file stay.
    let mut file = OpenOptions::new().append(true).create(true).open(&path).or_io("write", &path)?;
    file.write_all(added.as_bytes()).or_io("write", &path)
}

/// What became of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It is taken out, and the file is as it would be without it.
    TakenOut,
    /// It is not the queue's, or it is gone already: there was nothing to take out.
    NotOurs,
    /// Somebody has changed it, so it stays.
    Stays,
}

/// Whether there is a line that was added, and not one that the person had already.
pub(super) fn is_ours(common_dir: &Path) -> bool {
    note(common_dir).exists()
}

/// Take out what was added, if it is still there as it was.
pub(super) fn remove(common_dir: &Path) -> Result<Line> {
    let path = path(common_dir);
    let Some(note_text) = disk::read(&note(common_dir))? else { return Ok(Line::NotOurs) };
    let note_text = String::from_utf8_lossy(&note_text).into_owned();
    let (origin, added) = note_text.split_once('\n').unwrap_or(("line", ""));
    let Some(text) = disk::read(&path)? else { return Ok(Line::NotOurs) };
    let Some(at) = find(&text, added.as_bytes()) else { return Ok(Line::Stays) };
    let (before, after) = (&text[..at], &text[at + added.len()..]);
    // The line before had no end. Since then rules were added below, and two of them must not become one.
    let end: &[u8] = if added.starts_with('\n') && !after.is_empty() { b"\n" } else { b"" };
    let rest = [before, end, after].concat();
    if rest.is_empty() && origin != "line" {
        // Of a link only what it led to was made.
        disk::remove(&std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone()))?;
        if origin == "folder" {
            // Others may have put something there meanwhile; then it stays.
            let _ = std::fs::remove_dir(path.parent().expect("the file is in a folder"));
        }
    } else {
        shorten(&path, at, &rest, text.len()).or_io("write", &path)?;
    }
    disk::remove(&note(common_dir))?;
    Ok(Line::TakenOut)
}

/// Take our line out of a file whose first bytes stay, in place, so that owner, mode and links of the person's file stay.
/// Cut off at any moment, every line of theirs is there: what follows changes places with ours in one step, and then ours
/// is cut off.
fn shorten(path: &Path, same: usize, rest: &[u8], length: usize) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    if rest.len() > same {
        let last = if rest.ends_with(b"\n") { format!("{LINE}\n") } else { format!("\n{LINE}") };
        let moved = [&rest[same..], last.as_bytes()].concat();
        file.write_all_at(&moved[..length - same], same as u64)?;
    }
    file.set_len(rest.len() as u64)
}

/// The last place where whole lines equal to `added` are.
fn find(text: &[u8], added: &[u8]) -> Option<usize> {
    if added.is_empty() {
        return None;
    }
    (0..=text.len().checked_sub(added.len())?)
        .rev()
        .find(|at| text[*at..].starts_with(added) && (*at == 0 || added[0] == b'\n' || text[at - 1] == b'\n'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// The rules before and after the line, and how they end.
    #[test]
    fn the_line_is_taken_out_in_place_wherever_it_stands() {
        for (first, then) in
            [("*.o\n", ""), ("*.o", ""), ("*.o\n", "*.log\nbuild/\n"), ("*.o", "*.log"), ("", "*.log\n")]
        {
            let folder = tempfile::tempdir().unwrap();
            let (common_dir, path) = (folder.path(), path(folder.path()));
            fs::create_dir(common_dir.join("info")).unwrap();
            fs::write(&path, first).unwrap();
            add(common_dir, Sharing::parse(None).unwrap()).unwrap();
            let with_line = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{with_line}{then}")).unwrap();
            let before = fs::metadata(&path).unwrap().ino();
            assert_eq!(remove(common_dir).unwrap(), Line::TakenOut);
            let between =
                if first.ends_with('\n') || first.is_empty() || then.is_empty() { "" } else { "\n" };
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{first}{between}{then}"));
            assert_eq!(fs::metadata(&path).unwrap().ino(), before, "the person's own file");
        }
    }
}
