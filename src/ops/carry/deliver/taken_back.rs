//! A letter that was taken back when it had arrived: its sender gets the record of it all the same, and hears how far it is.

use super::super::plan::Letter;
use super::super::receipts::receipt_of;
use super::copies::is_uncommitted;
use super::{Carried, OnItsWay, Round, Source, content_hash};
use crate::domain::fault::{Code, Result};
use crate::domain::task::Receipt;
use crate::format::Document;
use crate::store::queue::Item;

/// What the record says of it.
const TAKEN_BACK: &str = "it had arrived when it was taken back";

impl Round<'_> {
    /// What the receiver has sets out to its sender's records, behind the receiver's commit.
    pub(super) fn record_late(&mut self, letter: Letter) {
        let (to, path) = (letter.to, letter.item.path.clone());
        match self.stage_late(letter) {
            Ok(way) => self.under_way.extend(way),
            Err(fault) => self.problem(to, &path, fault),
        }
    }

    fn stage_late(&mut self, letter: Letter) -> Result<Option<OnItsWay>> {
        let (sender, receiver) = (&self.posts.all[letter.from], &self.posts.all[letter.to]);
        if !self.open.contains_key(&letter.from) {
            return Ok(None);
        }
        let Some(tx) = self.open.get_mut(&letter.to) else { return Ok(None) };
        let Some(id) = letter.item.id() else { return Ok(None) };
        // Another round, or a person, may have been faster on either side. The next round sees what has become of it.
        if sender.queue.anywhere(id)?.is_some() {
            return Ok(None);
        }
        let mut document = match tx.document(&letter.item.path) {
            Err(fault) if fault.code == Code::Changed => return Ok(None),
            document => document?,
        };
        let item = Item { task: Box::new(document.task().clone()), ..letter.item };
        let path = item.path.clone();
        let carried = match is_uncommitted(receiver, tx, &path)? {
            true => Carried::Now,
            false => Carried::Before(item.clone()),
        };
        document.apply(&document.task().clone().without_progress());
        let (task, hash) = (document.task().clone(), content_hash(&document.to_bytes()));
        let (letter, source) = (Letter { item, ..letter }, Source::Receiver(Box::new(document)));
        Ok(Some(OnItsWay { letter, id, task, hash, path, carried, source }))
    }

    /// The sender's record of what it has taken back.
    pub(super) fn depart_late(&mut self, way: &OnItsWay, document: Document) -> Result<()> {
        let receipt = receipt_of(&way.letter.item, &self.posts.all[way.letter.to]);
        let at = if receipt.stage.is_final() { receipt.at } else { self.operation.at };
        let note = receipt.note.or_else(|| Some(TAKEN_BACK.to_owned()));
        self.tell_there(way, document, Receipt { at, note, ..receipt })
    }
}
