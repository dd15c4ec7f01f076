//! The sender's half: strike off what the receivers have, and write the records. What is told of it is what happened: a
//! receiver that had the task already was not delivered to.

use super::super::receipts::receipt_of;
use super::super::{Delivered, StruckOff, Told};
use super::{Carried, OnItsWay, Round, Source, content_hash};
use crate::domain::event::{Digest, EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::project::ProjectId;
use crate::domain::task::{Folder, Receipt, Stage, State, Task};
use crate::format::Document;
use crate::store::layout;

/// What the record of a letter says that was changed when it had arrived.
pub(super) const CHANGED: &str = "it had arrived when it was changed here";

impl Round<'_> {
    /// Strike off what the receivers have, and write the sender's records.
    pub(super) fn depart(&mut self, index: usize) {
        let (own, rest) =
            std::mem::take(&mut self.under_way).into_iter().partition(|way| way.letter.from == index);
        self.under_way = rest;
        for way in own {
            let path = way.letter.item.path.clone();
            if let Err(fault) = self.stage_departure(way) {
                self.problem(index, &path, fault);
            }
        }
    }

    fn stage_departure(&mut self, way: OnItsWay) -> Result<()> {
        let Some(tx) = self.open.get_mut(&way.letter.from) else { return Ok(()) };
        if let Source::Receiver(document) = &way.source {
            let document = document.as_ref().clone();
            return self.depart_late(&way, document);
        }
        let document = match tx.document(&way.letter.item.path) {
            Err(fault) if fault.code == Code::Changed && !way.is_there() => return self.gone(&way, fault),
            document => document?,
        };
        if way.letter.from == way.letter.to {
            tx.remove(&way.letter.item.path)?;
            let state = way.task.state(Folder::Tasks, self.operation.at);
            let fact = Fact::task(EventKind::TaskAccepted, way.id, Some(State::Outbox), state);
            tx.record(fact.leaving(way.hash.clone()));
            self.tell_delivered(&way);
            return Ok(());
        }
        let receiver = &self.posts.all[way.letter.to];
        let Carried::Before(there) = &way.carried else {
            let at = self.operation.at;
            let by = receiver.id.parse::<ProjectId>().ok();
            let note = way.note();
            self.record(&way, document, &Receipt { stage: Stage::Delivered, at, by, note })?;
            self.tell_delivered(&way);
            self.tell_changed(&way);
            return Ok(());
        };
        // Of a task that was lost: another round has brought it again meanwhile, and has written so.
        if way.letter.item.folder != Folder::Outbox || self.is_struck_off(&way)? {
            return Ok(());
        }
        let receipt = receipt_of(there, receiver);
        let at = if receipt.stage.is_final() { receipt.at } else { self.operation.at };
        let note = receipt.note.or_else(|| way.note());
        self.tell_there(&way, document, Receipt { at, note, ..receipt })?;
        self.tell_changed(&way);
        Ok(())
    }

    /// What was changed in the letter has not travelled.
    fn tell_changed(&mut self, way: &OnItsWay) {
        if !matches!(way.source, Source::Changed) {
            return;
        }
        let receiver = &self.posts.all[way.letter.to].id;
        let text = format!("`{receiver}` has it as it was before it was changed here: it had arrived then");
        let hint = format!("`swift task {receiver} \"What is different\"` tells there what has changed");
        let record = layout::task_path(Folder::Sent, way.id, &layout::task_name(way.id, &way.task.title));
        self.problem(way.letter.from, &record, Fault::new(Code::Changed, text).hint(hint));
    }

    /// The letter is not there any more: another round has struck it off between the two commits of this one.
    fn gone(&mut self, way: &OnItsWay, fault: Fault) -> Result<()> {
        let post = &self.posts.all[way.letter.from];
        if post.queue.at_usual_place(way.id, Folder::Sent)?.is_none() {
            return Err(fault);
        }
        self.tell_delivered(way);
        Ok(())
    }

    /// The sender's record of what has left; gives its hash.
    fn record(&mut self, way: &OnItsWay, document: Document, receipt: &Receipt) -> Result<Digest> {
        let tx = self.open.get_mut(&way.letter.from).expect("looked up by the caller");
        let task = Task { receipt: Some(receipt.clone()), ..document.task().clone() };
        let (kind, before) = match (&way.source, way.letter.item.folder) {
            (Source::Receiver(_), _) => (EventKind::TaskSent, State::Gone),
            (_, Folder::Sent) => (EventKind::TaskResent, State::Sent),
            _ => (EventKind::TaskSent, State::Outbox),
        };
        let (_, hash) = match way.source {
            Source::Receiver(_) => tx.add(Folder::Sent, &task, document)?,
            _ => tx.rewrite(&way.letter.item, Folder::Sent, &task, document)?,
        };
        let receiver = self.posts.all[way.letter.to].id.clone();
        tx.record(
            Fact::task(kind, way.id, Some(before), State::Sent).because(receiver).leaving(hash.clone()),
        );
        Ok(hash)
    }

    /// The receiver had it before this round, so the sender is told how far it is there.
    pub(super) fn tell_there(&mut self, way: &OnItsWay, document: Document, receipt: Receipt) -> Result<()> {
        let hash = self.record(way, document, &receipt)?;
        let from = way.letter.from;
        let told = Told::of(way.id, &way.task.title, &self.posts.all[from].id, &receipt);
        if receipt.stage != Stage::Delivered || receipt.note.is_some() {
            let tx = self.open.get_mut(&from).expect("looked up by the caller");
            let fact = Fact::task(EventKind::ReceiptReceived, way.id, Some(State::Sent), State::Sent);
            tx.record(fact.because(told.cause()).leaving(hash));
        }
        self.told.entry(from).or_default().push(told);
        Ok(())
    }

    fn tell_delivered(&mut self, way: &OnItsWay) {
        self.report.delivered.push(Delivered {
            id: way.id,
            title: way.task.title.clone(),
            from: self.posts.all[way.letter.from].id.clone(),
            to: self.posts.all[way.letter.to].id.clone(),
            path: way.path.clone(),
        });
    }

    /// A round that was killed may have committed the sender's record and not removed a file that no commit knew of, or
    /// somebody has copied the file. Then the removal is all that is left to do.
    fn is_struck_off(&mut self, way: &OnItsWay) -> Result<bool> {
        let post = &self.posts.all[way.letter.from];
        let Some(record) = post.queue.at_usual_place(way.id, Folder::Sent)? else { return Ok(false) };
        self.strike_off(way, &record.path)?;
        Ok(true)
    }

    /// Files of one outbox that are the same to the byte are one letter.
    pub(super) fn strike_off_copies(&mut self, index: usize) {
        for way in self.copies.remove(&index).unwrap_or_default() {
            let path = way.letter.item.path.clone();
            if let Err(fault) = self.strike_off_copy(&way) {
                self.problem(index, &path, fault);
            }
        }
    }

    fn strike_off_copy(&mut self, way: &OnItsWay) -> Result<()> {
        let folder = if way.letter.from == way.letter.to { Folder::Tasks } else { Folder::Sent };
        let record = layout::task_path(folder, way.id, &layout::task_name(way.id, &way.task.title));
        let Some(tx) = self.open.get_mut(&way.letter.from) else { return Ok(()) };
        // What did not leave this time stays with its copy.
        if tx.is_staged(&record) { self.strike_off(way, &record) } else { Ok(()) }
    }

    fn strike_off(&mut self, way: &OnItsWay, record: &str) -> Result<()> {
        let Some(tx) = self.open.get_mut(&way.letter.from) else { return Ok(()) };
        let hash = content_hash(&tx.read(record)?.unwrap_or_default());
        tx.remove(&way.letter.item.path)?;
        let receiver = self.posts.all[way.letter.to].id.clone();
        let fact = if way.letter.from == way.letter.to {
            let state = way.task.state(Folder::Tasks, self.operation.at);
            Fact::task(EventKind::TaskAccepted, way.id, Some(State::Outbox), state)
        } else {
            Fact::task(EventKind::TaskSent, way.id, Some(State::Outbox), State::Sent).because(receiver)
        };
        tx.record(fact.leaving(hash));
        self.report.struck_off.push(StruckOff {
            id: way.id,
            project: self.posts.all[way.letter.from].id.clone(),
            path: way.letter.item.path.clone(),
            record: record.to_owned(),
        });
        Ok(())
    }
}
