//! Taking back what a stale index has reverted, in the in-tree home only.
//!
//! `git commit` reads the index before it locks it. A commit of ours in between is therefore silently reverted by
//! the person's commit, with our files still on the disk. So the paths of the last commits are remembered, and
//! where HEAD no longer has what the disk has, the next commit brings it back.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use gix::ObjectId;

use super::blob_id;
use crate::domain::fault::Result;
use crate::store::git::disk::folder::Folder;
use crate::store::git::objects::tree::{self, Leaf};
use crate::store::git::repo::Repo;
use crate::store::git::{Home, HomeKind, disk};

/// How many paths are remembered.
const REMEMBERED: usize = 256;

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

    /// Remember what was committed.
    pub(super) fn remember(&self, commit: ObjectId, leaves: &BTreeMap<String, Option<Leaf>>) -> Result<()> {
        if self.kind == HomeKind::Branch {
            return Ok(());
        }
        let mut paths = self.recent()?.map(|record| record.paths).unwrap_or_default();
        paths.retain(|(path, _)| !leaves.contains_key(path));
        paths.extend(leaves.iter().map(|(path, leaf)| (path.clone(), leaf.map(|leaf| leaf.id.to_string()))));
        while paths.len() > REMEMBERED {
            paths.pop_front();
        }
        let record = Record { commit: commit.to_string(), branch: self.tip()?.branch, paths };
        // Lost in a power cut it costs nothing: what it heals needs a running git next to us.
        self.write_record(&self.recent_path(), record.render().as_bytes()).map(drop)
    }

    fn recent(&self) -> Result<Option<Record>> {
        Ok(disk::read(&self.recent_path())?.and_then(|record| Record::parse(&record)))
    }

    fn recent_path(&self) -> PathBuf {
        self.records().join("recent")
    }
}

struct Record {
    commit: String,
    branch: Option<String>,
    paths: VecDeque<(String, Option<String>)>,
}

impl Record {
    fn render(&self) -> String {
        let mut text = format!("{}\0{}\0", self.commit, self.branch.as_deref().unwrap_or_default());
        for (path, blob) in &self.paths {
            text.push_str(&format!("{} {path}\0", blob.as_deref().unwrap_or("-")));
        }
        text.push_str("end\0");
        text
    }

    fn parse(record: &[u8]) -> Option<Record> {
        let text = std::str::from_utf8(record).ok()?.strip_suffix("end\0")?;
        let mut fields = text.split_terminator('\0');
        let commit = fields.next()?.to_owned();
        let branch = Some(fields.next()?.to_owned()).filter(|branch| !branch.is_empty());
        let paths = fields
            .map(|field| field.split_once(' '))
            .map(|pair| {
                pair.map(|(blob, path)| (path.to_owned(), Some(blob.to_owned()).filter(|blob| blob != "-")))
            })
            .collect::<Option<_>>()?;
        Some(Record { commit, branch, paths })
    }
}
