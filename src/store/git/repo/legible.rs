//! Whether git itself can read the few files that it reads before anything else.
//!
//! The queue is read in-process, and a verb needs little of what git does. So a repository in which every command of git's
//! ends with `fatal` can look healthy from here. And the library opens files as they are: a pipe in the place of one would
//! hold a verb up for ever, as it does git.

use std::path::Path;

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::{as_word, shown};
use crate::store::git::{Home, disk};

/// The longest that a file may be which says little; git reads all of it, again and again.
const SMALL: u64 = 16 << 20;

/// The longest list of branches.
const LONG: u64 = 256 << 20;

/// What the library opens, each time, with the largest size that makes sense.
const OPENED: [(&str, u64); 3] =
    [("config", SMALL), ("packed-refs", LONG), ("objects/info/alternates", SMALL)];

/// What git reads besides, whatever it is asked for.
const READ: [(&str, u64); 4] =
    [("HEAD", SMALL), ("shallow", LONG), ("index", u64::MAX), ("logs/HEAD", u64::MAX)];

/// How much of a line is shown.
const SHOWN: usize = 40;

/// Refuse a repository which the library would wait for, or read for very long. Costs one look from outside for each file.
pub(super) fn refuse_waiting(git_dir: &Path) -> Result<()> {
    let common_dir = match git_dir.parent() {
        Some(worktrees) if worktrees.file_name() == Some("worktrees".as_ref()) => {
            disk::refuse_strange(&git_dir.join("commondir"), SMALL)?;
            worktrees.parent().unwrap_or(git_dir)
        }
        _ => {
            disk::refuse_strange(&git_dir.join("HEAD"), SMALL)?;
            git_dir
        }
    };
    OPENED.iter().try_for_each(|(name, most)| disk::refuse_strange(&common_dir.join(name), *most))
}

impl Home {
    /// The files for which every command of git's would wait, or which it would read for very long.
    pub(crate) fn held_up(&self) -> Vec<Fault> {
        let mut looked_at = vec![(self.git_dir.join("commondir"), SMALL)];
        let folders = [&self.common_dir, &self.git_dir];
        let in_both =
            folders.into_iter().flat_map(|folder| READ.map(|(name, most)| (folder.join(name), most)));
        looked_at.extend(in_both);
        looked_at.extend(OPENED.map(|(name, most)| (self.common_dir.join(name), most)));
        looked_at.extend(self.branch.iter().map(|branch| (self.reflog_of(branch), u64::MAX)));
        looked_at.sort();
        looked_at.dedup();
        looked_at.iter().filter_map(|(path, most)| disk::refuse_strange(path, *most).err()).collect()
    }

    fn reflog_of(&self, branch: &str) -> std::path::PathBuf {
        self.common_dir.join("logs/refs/heads").join(branch)
    }

    /// The lines by which every command of git's ends before it has begun.
    ///
    /// # Errors
    /// Those of reading the files.
    pub(crate) fn illegible(&self) -> Result<Vec<Fault>> {
        let mut found = Vec::new();
        let id_len = self.repo()?.hash.len_in_hex();
        for (name, line_is_sound) in [("packed-refs", is_ref as IsSound), ("shallow", is_id)] {
            let path = self.common_dir.join(name);
            let content = disk::read(&path)?.unwrap_or_default();
            found.extend(unsound_line(&content, id_len, line_is_sound).map(|said| unreadable(&path, &said)));
        }
        let path = self.common_dir.join("HEAD");
        let head = disk::read(&path)?.unwrap_or_default();
        if !head.starts_with(b"ref:") && !is_id(&head, id_len, 0) {
            found.push(unreadable(&path, &said(1, &head)));
        }
        Ok(found)
    }
}

/// Whether git takes a line, by the length of a hash and the line's number.
type IsSound = fn(&[u8], usize, usize) -> bool;

/// The first line that git does not take.
fn unsound_line(content: &[u8], id_len: usize, is_sound: IsSound) -> Option<String> {
    let lines = content.strip_suffix(b"\n").unwrap_or(content);
    if lines.is_empty() {
        return None;
    }
    let mut lines = lines.split(|byte| *byte == b'\n').enumerate();
    let (number, line) = lines.find(|(number, line)| !is_sound(line, id_len, *number))?;
    Some(said(number + 1, line))
}

fn said(number: usize, line: &[u8]) -> String {
    let start = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]).into_owned();
    format!("its line {number} (`{}`) makes no sense", shown(start.trim_end()))
}

/// A hash, and nothing more but what follows a space.
fn is_id(line: &[u8], id_len: usize, _: usize) -> bool {
    let (hex, rest) = line.split_at(line.len().min(id_len));
    hex.len() == id_len
        && hex.iter().all(u8::is_ascii_hexdigit)
        && rest.first().is_none_or(u8::is_ascii_whitespace)
}

/// A hash and a name; the hash of what a tag above leads to; in the first line what the file is.
fn is_ref(line: &[u8], id_len: usize, number: usize) -> bool {
    match line {
        [b'#', ..] => number == 0,
        [b'^', peeled @ ..] => is_id(peeled, id_len, number),
        line => is_id(line, id_len, number) && line.get(id_len + 1).is_some(),
    }
}

fn unreadable(path: &Path, said: &str) -> Fault {
    let text = format!("git cannot work here: {} cannot be read, {said}", path.display());
    Fault::new(Code::Git, text).hint(format!(
        "`cp {0} {0}.aside` keeps it as it is; put the line right, or take it out, in an editor; then `git fsck`",
        as_word(path)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn a_list_of_refs_is_sound_as_git_has_it() {
        let sound = [
            String::new(),
            format!("{ID} refs/heads/main\n"),
            format!("# pack-refs with: peeled fully-peeled sorted \n{ID} refs/tags/v1\n^{ID}\n"),
        ];
        for text in &sound {
            assert_eq!(unsound_line(text.as_bytes(), ID.len(), is_ref), None, "{text}");
        }
        for bad in ["garbage", "", ID, &format!("{ID} "), "# late", &format!("{}g refs/heads/x", &ID[1..])] {
            let text = format!("{ID} refs/heads/main\n{bad}\n");
            let found = unsound_line(text.as_bytes(), ID.len(), is_ref).unwrap_or_default();
            assert!(found.starts_with("its line 2"), "{bad}: {found}");
        }
    }

    #[test]
    fn where_history_was_cut_off_there_are_hashes_only() {
        assert_eq!(unsound_line(format!("{ID}\n{ID}").as_bytes(), ID.len(), is_id), None);
        for bad in ["xx", &"a".repeat(1000), "\n"] {
            assert!(unsound_line(format!("{bad}\n").as_bytes(), ID.len(), is_id).is_some(), "{bad}");
        }
    }
}
