//! Taking back what a stale index has reverted, in the in-tree home only.
//!
//! git may read the index before it locks it, and write back what it has read. A commit of ours in between is then staged
//! the other way round, with our files still on the disk ([`super::stale`]), and silently reverted by the person's next
//! commit. So the paths of the last commits are remembered, and where HEAD no longer has what the disk has, the next
//! commit brings it back.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use gix::ObjectId;

use super::arrival::Arrival;
use super::blob_id;
use super::stale::Replaced;
use crate::domain::fault::Result;
use crate::store::git::disk::folder::Folder;
use crate::store::git::index::file::Mark;
use crate::store::git::objects::tree;
use crate::store::git::repo::Repo;
use crate::store::git::{Home, HomeKind, disk};

/// How many paths are remembered.
const REMEMBERED: usize = 256;

/// Of how many it is remembered what a commit has replaced in the index: those of the last commits.
const MOST_REPLACED: usize = 64;

impl Home {
    /// Paths that are on the disk as we committed them and that HEAD has otherwise.
    pub(super) fn reverted(
        &self,
        repo: &Repo,
        folder: &Folder,
        base: Option<ObjectId>,
    ) -> Result<Vec<String>> {
        let (Some(base), HomeKind::Tree) = (base, self.kind) else { return Ok(Vec::new()) };
        let Some(record) = self.recent()? else { return Ok(Vec::new()) };
        let tip = self.tip()?;
        if tip.id.map(|id| id.to_string()).as_deref() == Some(record.commit.as_str())
            || tip.branch != record.branch
        {
            return Ok(Vec::new());
        }
        let mut reverted = Vec::new();
        for (path, wanted) in &record.paths {
            let disk = folder.read(path)?.map(|content| blob_id(repo, &content)).transpose()?;
            let disk = disk.map(|id| id.to_string());
            let head = tree::lookup(repo, base, &self.in_tree(path))?.map(|line| line.id.to_string());
            if disk == *wanted && head != *wanted {
                reverted.push(path.clone());
            }
        }
        Ok(reverted)
    }

    /// Remember what was committed, and what that has `replaced` in the index.
    pub(super) fn remember(
        &self,
        arrival: &Arrival<'_>,
        replaced: Option<&BTreeMap<Vec<u8>, Mark>>,
    ) -> Result<()> {
        if self.kind == HomeKind::Branch {
            return Ok(());
        }
        let leaves = arrival.leaves;
        let before = self.recent()?;
        let (mut paths, mut marks) = before.map(|record| (record.paths, record.replaced)).unwrap_or_default();
        paths.retain(|(path, _)| !leaves.contains_key(path));
        paths.extend(leaves.iter().map(|(path, leaf)| (path.clone(), leaf.map(|leaf| leaf.id.to_string()))));
        while paths.len() > REMEMBERED {
            paths.pop_front();
        }
        if let Some(replaced) = replaced {
            let number = marks.back().map_or(0, |last| last.number + 1);
            for (path, leaf) in leaves {
                let mark = replaced.get(self.in_tree(path).as_bytes()).cloned();
                // Who finishes a commit that was cut off may find it there already.
                if !mark.as_ref().zip(*leaf).is_some_and(|(mark, leaf)| mark.is_of(&leaf.id)) {
                    marks.push_back(Replaced { number, path: path.clone(), mark });
                }
            }
        }
        while marks.len() > MOST_REPLACED {
            marks.pop_front();
        }
        let branch = arrival.tip.branch.clone();
        let record = Record { commit: arrival.id.to_string(), branch, paths, replaced: marks };
        // Lost in a power cut it costs nothing: what it heals needs a running git next to us.
        self.write_record(&self.recent_path(), record.render().as_bytes()).map(drop)
    }

    pub(super) fn recent(&self) -> Result<Option<Record>> {
        Ok(disk::read(&self.recent_path())?.and_then(|record| Record::parse(&record)))
    }

    fn recent_path(&self) -> PathBuf {
        self.records().join("recent")
    }
}

/// What the last commits of verbs had in them.
pub(super) struct Record {
    commit: String,
    pub(super) branch: Option<String>,
    /// Each with the blob that it became, the oldest first.
    pub(super) paths: VecDeque<(String, Option<String>)>,
    pub(super) replaced: VecDeque<Replaced>,
}

/// What a line begins with that tells what was replaced.
const REPLACED: &str = "replaced ";

impl Record {
    fn render(&self) -> String {
        let mut text = format!("{}\0{}\0", self.commit, self.branch.as_deref().unwrap_or_default());
        for (path, blob) in &self.paths {
            text.push_str(&format!("{} {path}\0", blob.as_deref().unwrap_or("-")));
        }
        for Replaced { number, path, mark } in &self.replaced {
            let mark = mark.as_ref().map_or("-", |mark| &mark.0);
            text.push_str(&format!("{REPLACED}{number} {mark} {path}\0"));
        }
        text.push_str("end\0");
        text
    }

    fn parse(record: &[u8]) -> Option<Record> {
        let text = std::str::from_utf8(record).ok()?.strip_suffix("end\0")?;
        let mut fields = text.split_terminator('\0');
        let commit = fields.next()?.to_owned();
        let branch = Some(fields.next()?.to_owned()).filter(|branch| !branch.is_empty());
        let (mut paths, mut replaced) = (VecDeque::new(), VecDeque::new());
        let known = |word: &str| Some(word.to_owned()).filter(|word| word != "-");
        for field in fields {
            if let Some(told) = field.strip_prefix(REPLACED) {
                let mut words = told.splitn(3, ' ');
                let (number, mark) = (words.next()?.parse().ok()?, known(words.next()?).map(Mark));
                replaced.push_back(Replaced { number, mark, path: words.next()?.to_owned() });
            } else {
                let (blob, path) = field.split_once(' ')?;
                paths.push_back((path.to_owned(), known(blob)));
            }
        }
        Some(Record { commit, branch, paths, replaced })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_is_none() {
        let mark = Mark("ab:1.2:3.4:5".to_owned());
        let replaced = [("a b\n", Some(mark)), ("replaced 1", None)];
        let replaced = replaced.map(|(path, mark)| Replaced { number: 7, path: path.to_owned(), mark });
        let record = Record {
            commit: "cd".to_owned(),
            branch: Some("refs/heads/main".to_owned()),
            paths: [("a b\n".to_owned(), Some("ef".to_owned())), ("gone".to_owned(), None)].into(),
            replaced: replaced.into(),
        };
        let text = record.render();
        for cut in 0..text.len() {
            assert!(Record::parse(&text.as_bytes()[..cut]).is_none(), "cut at {cut}");
        }
        let read = Record::parse(text.as_bytes()).expect("it is whole");
        assert_eq!((read.paths, read.replaced), (record.paths, record.replaced));
        assert_eq!((read.commit, read.branch), (record.commit, record.branch));
    }
}
