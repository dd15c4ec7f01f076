//! Files that were dropped without an id keep theirs when the round that carries them is cut off.

use std::collections::{HashMap, HashSet};

use super::Round;
use crate::domain::id::TaskId;
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
        self.copies.remove(&index);
        self.open.retain(|open, _| *open != index && !receivers.contains(open));
    }
}
