//! What lies in the folder of a log beyond what is committed: sessions that are open, commits that a person makes,
//! segments that somebody has put there.

use super::super::git::{Blob, Commit};
use super::{Opened, Source};
use crate::domain::cursor::Position;
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::format::audit;
use crate::format::cursor::segment_key;
use crate::store::layout;

impl Source {
    /// What lies in the folder beyond what is committed. To be called when everything else is told.
    ///
    /// # Errors
    /// Those of listing the folder and of reading the commits.
    pub(crate) fn uncommitted(&mut self) -> Result<Vec<Opened>> {
        let mut all = Vec::new();
        for (path, told) in self.grown()? {
            let Some(bytes) = self.queue.read(&path).unwrap_or_else(|fault| {
                self.problems.push(Problem::at(path.clone(), fault));
                None
            }) else {
                continue;
            };
            all.push(self.opened(&path, audit::entries(&bytes), told, Position::START));
        }
        all.retain(|opened| !opened.events.is_empty());
        Ok(all)
    }

    /// The segments that are larger on the disk than in any commit that is told, with the number of records told.
    fn grown(&mut self) -> Result<Vec<(String, u32)>> {
        let walk = self.queue.walk(layout::AUDIT)?;
        self.problems.extend(walk.problems);
        let fresh: Vec<_> = walk
            .files
            .into_iter()
            .filter(|seen| self.known.get(&seen.path) != Some(&seen.stamp.size))
            .collect();
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let mut commits: Vec<Commit> = self.bases.iter().map(|base| base.commit).collect();
        commits.extend(self.target.map(|(commit, _)| commit));
        let mut files = Vec::new();
        for commit in commits {
            files.push(self.committed.files(commit, layout::AUDIT)?);
        }
        let mut grown = Vec::new();
        for seen in fresh {
            let blobs: Vec<Blob> = files.iter().filter_map(|files| files.get(&seen.path)).copied().collect();
            let largest = blobs.iter().filter_map(|blob| self.committed.size(*blob)).max();
            if largest.is_none_or(|largest| largest < seen.stamp.size) {
                let committed = blobs.iter().map(|blob| self.count(*blob)).max().unwrap_or(0);
                let told = self.more.get(&segment_key(&seen.path)).copied().unwrap_or(0);
                grown.push((seen.path.clone(), committed.max(told)));
            }
            self.known.insert(seen.path, seen.stamp.size);
        }
        Ok(grown)
    }

    /// A record of a segment that is not committed was told.
    pub(crate) fn told(&mut self, position: Position) {
        self.more.insert(position.segment, position.after().index);
    }

    /// The stream begins at a time: what is older and not committed counts as told.
    pub(super) fn pass_over_uncommitted(&mut self, begin: Position) -> Result<()> {
        if let Some(head) = self.committed.head() {
            self.target = Some((head, begin));
        }
        for (path, told) in self.grown()? {
            let Ok(Some(bytes)) = self.queue.read(&path) else { continue };
            let all = audit::entries(&bytes).len() as u32;
            let later = self.opened(&path, audit::entries(&bytes), told, begin).events;
            let first = later.front().map_or(all, |(position, _)| position.index);
            if first > 0 {
                self.more.insert(segment_key(&path), first);
            }
            self.known.remove(&path);
        }
        self.target = None;
        Ok(())
    }
}
