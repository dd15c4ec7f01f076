//! Files that were dropped without an id keep theirs when the round that carries them is cut off.

use std::collections::{HashMap, HashSet};

use super::{OnItsWay, Round, content_hash};
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::Result;
use crate::domain::id::TaskId;
use crate::domain::task::{Folder, State};
use crate::store::adoption;

impl Round<'_> {
    /// Letters without an id on the disk keep the one that they got in this round, whatever happens to it. A sender for
    /// whom that cannot be written sends nothing.
    pub(super) fn promise_ids(&mut self) {
        let mut files: HashMap<usize, Vec<(String, Vec<u8>, TaskId)>> = HashMap::new();
        for way in self.under_way.iter().filter(|way| way.letter.item.id().is_none()) {
            let path = &way.letter.item.path;
            let found = self.open.get(&way.letter.from).and_then(|tx| tx.found(path));
            let entry = found.map(|bytes| (path.clone(), bytes.to_vec(), way.id));
            files.entry(way.letter.from).or_default().extend(entry);
        }
        for (index, files) in files {
            if let Err(fault) = adoption::promise(&self.posts.all[index].queue, &files) {
                self.give_way(index);
                self.problem(index, "", fault);
            }
        }
    }

    /// Nothing of this sender has arrived anywhere yet, and nothing of it shall: its receivers go without their share too,
    /// because what is staged for them cannot be told apart.
    fn give_way(&mut self, index: usize) {
        let receivers: HashSet<usize> =
            self.under_way.iter().filter(|way| way.letter.from == index).map(|way| way.letter.to).collect();
        self.under_way.retain(|way| way.letter.from != index && !receivers.contains(&way.letter.to));
        self.open.retain(|open, _| *open != index && !receivers.contains(open));
    }

    /// A round that was killed may have committed the sender's record and not removed a file that no commit knew of. Then
    /// the removal is all that is left to do.
    pub(super) fn is_struck_off(&mut self, way: &OnItsWay) -> Result<bool> {
        let post = &self.posts.all[way.letter.from];
        let Some(record) = post.queue.at_usual_place(way.id, Folder::Sent)? else { return Ok(false) };
        let Some(tx) = self.open.get_mut(&way.letter.from) else { return Ok(false) };
        let hash = content_hash(&tx.read(&record.path)?.unwrap_or_default());
        tx.remove(&way.letter.item.path)?;
        let receiver = self.posts.all[way.letter.to].id.clone();
        let fact = Fact::task(EventKind::TaskSent, way.id, Some(State::Outbox), State::Sent);
        tx.record(fact.because(receiver).leaving(hash));
        Ok(true)
    }
}
