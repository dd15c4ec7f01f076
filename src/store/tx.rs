//! One verb, one transaction, one commit.
//!
//! A [`Tx`] holds the queue's lock from the first read to the commit. Changes are staged with what they were
//! computed from; the commit engine compares once more before it writes. Dropping a `Tx` leaves no trace.

use std::collections::{BTreeMap, BTreeSet};

use super::git::{Change, Conclusion, Expect, Guard, Reach};
use super::queue::{Item, Queue};
use super::{audit, hand, landing, layout, message, waiting};
use crate::domain::event::{Digest, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::settings::CommitPolicy;
use crate::domain::task::{Folder, Task};
use crate::format::Document;
use crate::format::audit::digest as content_hash;

mod kept_folders;
mod prepared;
mod room;

pub(crate) use super::operation::{Attendance, Mode, Operation};
use kept_folders::keep_folders;
use prepared::Work;
pub(crate) use prepared::{Committed, Prepared};
use room::{leave_room_for_a_receipt, refuse_too_large};

/// A change of the queue that is being put together.
#[must_use = "a transaction that is not committed leaves no trace"]
#[derive(Debug)]
pub(crate) struct Tx<'q> {
    pub(crate) queue: &'q Queue,
    pub(crate) operation: &'q Operation<'q>,
    /// `None` on a dry run.
    guard: Option<Guard>,
    read: BTreeMap<String, Option<Vec<u8>>>,
    staged: BTreeMap<String, Option<Vec<u8>>>,
    /// Paths that are committed even where their bytes on disk stay: changes made by hand.
    taken: BTreeSet<String>,
    /// Segments of the log that go into the next commit, whatever else that is for.
    records: BTreeSet<String>,
    facts: Vec<Fact>,
    /// What lies about and could not be recorded.
    pub(crate) problems: Vec<Problem>,
    policy: CommitPolicy,
    reach: Reach,
    conclusion: Conclusion,
}

impl<'q> Tx<'q> {
    /// Take the lock and record what was changed by hand since the last commit.
    ///
    /// # Errors
    /// [`Code::Busy`] if the lock is held for too long; those of the commit engine's recovery.
    pub(crate) fn begin(queue: &'q Queue, operation: &'q Operation<'q>) -> Result<Tx<'q>> {
        Tx::begin_within(queue, operation, Reach::Files)
    }

    /// The same for a verb about one task. That task's file is looked at closely when it is changed
    /// ([`Tx::record_by_hand`]), so that in a large queue every other one need not be. What was written in place
    /// elsewhere is recorded by the next verb about the whole queue.
    ///
    /// # Errors
    /// As [`Tx::begin`].
    pub(crate) fn begin_for_one(queue: &'q Queue, operation: &'q Operation<'q>) -> Result<Tx<'q>> {
        Tx::begin_within(queue, operation, Reach::Names)
    }

    fn begin_within(queue: &'q Queue, operation: &'q Operation<'q>, reach: Reach) -> Result<Tx<'q>> {
        let guard = match operation.mode {
            Mode::Write => Some(queue.home.lock(operation.patience())?),
            Mode::DryRun => None,
        };
        let mut settled = Vec::new();
        if let Some(guard) = &guard {
            queue.home.follow(guard)?;
            settled = queue.home.land(guard, |files| landing::settle(queue, files))?;
            queue.look_again()?;
        }
        let mut tx = Tx {
            queue,
            operation,
            guard,
            read: BTreeMap::new(),
            staged: BTreeMap::new(),
            taken: BTreeSet::new(),
            records: BTreeSet::new(),
            facts: Vec::new(),
            problems: Vec::new(),
            policy: queue.settings.commit,
            reach,
            conclusion: Conclusion::None,
        };
        landing::record(&mut tx, &settled)?;
        hand::record_changes(&mut tx, reach)?;
        Ok(tx)
    }

    /// Commit at the end whatever the settings say (a session's end, undo, moving the home).
    pub(crate) fn commit_now(&mut self) {
        self.policy = CommitPolicy::Each;
    }

    /// Commit at the end as the operation of git that waits asks for: with both parents of a merge of the queue's own
    /// branch; staged, and left to the person, in every other.
    pub(crate) fn conclude(&mut self, conclusion: Conclusion) {
        self.commit_now();
        self.conclusion = conclusion;
    }

    /// The bytes of a file as this transaction sees it.
    ///
    /// # Errors
    /// Those of [`Queue::read`].
    pub(crate) fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        if let Some(staged) = self.staged.get(path) {
            return Ok(staged.clone());
        }
        if let Some(read) = self.read.get(path) {
            return Ok(read.clone());
        }
        let bytes = self.queue.read(path)?;
        self.read.insert(path.to_owned(), bytes.clone());
        Ok(bytes)
    }

    /// A task's file as a document.
    ///
    /// # Errors
    /// [`Code::Changed`] if it is gone, those of parsing.
    pub(crate) fn document(&mut self, path: &str) -> Result<Document> {
        let bytes = self.read(path)?.ok_or_else(|| {
            Fault::new(Code::Changed, format!("`{path}` is gone: somebody moved it just now"))
                .hint("run the command again")
        })?;
        Document::parse(&bytes, &self.queue.limits()).map_err(|m| m.at(path))
    }

    /// Stage a file's new bytes; gives their hash.
    ///
    /// # Errors
    /// [`Code::TooLarge`] for a task that nobody could read again; those of reading what is there now.
    pub(crate) fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<Digest> {
        refuse_too_large(path, &bytes, &self.queue.limits())?;
        self.note_what_is_there(path)?;
        let hash = content_hash(&bytes);
        self.staged.insert(path.to_owned(), Some(bytes));
        Ok(hash)
    }

    /// Stage the removal of a file.
    ///
    /// # Errors
    /// Those of reading what is there now.
    pub(crate) fn remove(&mut self, path: &str) -> Result<()> {
        self.note_what_is_there(path)?;
        self.staged.insert(path.to_owned(), None);
        Ok(())
    }

    /// Commit a file as it lies there now, or its absence.
    ///
    /// # Errors
    /// Those of [`Queue::read`].
    pub(crate) fn take(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        let bytes = self.read(path)?;
        self.staged.insert(path.to_owned(), bytes.clone());
        self.taken.insert(path.to_owned());
        Ok(bytes)
    }

    /// Have the next commit take along a segment of the log that git has left without one.
    pub(crate) fn has_come_back(&mut self, segment: &str) {
        self.records.insert(segment.to_owned());
    }

    /// Commit a staged path even where its bytes are on the disk already: git may have it otherwise in its index.
    pub(crate) fn even_if_same(&mut self, path: &str) {
        self.taken.insert(path.to_owned());
    }

    fn note_what_is_there(&mut self, path: &str) -> Result<()> {
        if !self.read.contains_key(path) {
            let bytes = self.queue.read(path)?;
            self.read.insert(path.to_owned(), bytes);
        }
        Ok(())
    }

    /// Write a task back, in the same folder or another; gives the new path and the hash of the bytes.
    ///
    /// # Errors
    /// [`Code::Collision`] if another file has the new name; [`Code::TooLarge`]; those of reading.
    pub(crate) fn rewrite(
        &mut self,
        item: &Item,
        to: Folder,
        task: &Task,
        mut document: Document,
    ) -> Result<(String, Digest)> {
        document.apply(task);
        if to != Folder::Sent {
            leave_room_for_a_receipt(&document)?;
        }
        let path = if to == item.folder { item.path.clone() } else { self.new_path(to, task)? };
        if path != item.path {
            self.remove(&item.path)?;
        }
        let hash = self.put(&path, document.to_bytes())?;
        Ok((path, hash))
    }

    /// Write a task that is not in the queue yet; gives its path and the hash of the bytes.
    ///
    /// # Errors
    /// As [`Tx::rewrite`].
    pub(crate) fn add(
        &mut self,
        folder: Folder,
        task: &Task,
        mut document: Document,
    ) -> Result<(String, Digest)> {
        document.apply(task);
        let path = self.new_path(folder, task)?;
        let hash = self.put(&path, document.to_bytes())?;
        Ok((path, hash))
    }

    /// The path that a task gets in a folder.
    ///
    /// # Errors
    /// [`Code::Collision`] if a file of that name is there.
    pub(crate) fn new_path(&mut self, folder: Folder, task: &Task) -> Result<String> {
        let id = task.id.expect("a task has its id before it is moved");
        let path = layout::task_path(folder, id, &layout::task_name(id, &task.title));
        match self.read(&path)? {
            None => Ok(path),
            Some(_) => Err(Fault::new(Code::Collision, format!("`{path}` is there already"))
                .hint(format!("look at it: `cat .swift/{path}`"))),
        }
    }

    /// The path of a task that this transaction is about to add to the inbox, by its id.
    pub(crate) fn staged_copy(&self, id: TaskId) -> Option<String> {
        let prefix = format!("{}/{id}", Folder::Inbox);
        let mut with_prefix =
            self.staged.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        with_prefix.find(|(_, content)| content.is_some()).map(|(path, _)| path.clone())
    }

    /// The bytes that a file had when this transaction first read it.
    pub(crate) fn found(&self, path: &str) -> Option<&[u8]> {
        self.read.get(path)?.as_deref()
    }

    /// Whether this transaction changes a file already.
    pub(crate) fn is_staged(&self, path: &str) -> bool {
        self.staged.contains_key(path)
    }

    /// The files that this transaction changes so far.
    pub(crate) fn staged(&self) -> impl Iterator<Item = &str> {
        self.staged.keys().map(String::as_str)
    }

    /// Record what was done by hand to a file that is about to be changed.
    ///
    /// # Errors
    /// Those of reading it here and in the last commit.
    pub(crate) fn record_by_hand(&mut self, path: &str) -> Result<()> {
        match self.reach {
            Reach::Files => Ok(()),
            Reach::Names => hand::record_one(self, path),
        }
    }

    /// Record every task that is otherwise than the log says, however it came to that; one that is gone is left to the
    /// person.
    ///
    /// # Errors
    /// Those of reading the log and of what git has begun.
    pub(crate) fn record_what_the_log_does_not_know(&mut self) -> Result<()> {
        hand::record_all(self)
    }

    /// Record a fact; it becomes an event in the same commit.
    pub(crate) fn record(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// The facts recorded so far.
    pub(crate) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Make the one commit. On a dry run nothing happens.
    ///
    /// # Errors
    /// Those of the commit engine: [`Code::Changed`], [`Code::Io`], [`Code::NoIdentity`] and others; the files
    /// are then as they were before.
    pub(crate) fn commit(self, subject: &str) -> Result<Committed> {
        self.prepare(subject)?.carry_out()
    }

    /// Everything that the commit needs, worked out. What is left touches this queue alone, so that several
    /// queues can do it at the same time.
    ///
    /// # Errors
    /// [`Code::Io`] if the log cannot be read.
    pub(crate) fn prepare(mut self, subject: &str) -> Result<Prepared<'q>> {
        let (queue, policy, conclusion) = (self.queue, self.policy, self.conclusion);
        let nothing = Prepared { queue, operation: self.operation.id, verb: self.operation.verb, work: None };
        let Some(guard) = self.guard.take() else { return Ok(nothing) };
        let is_empty = self.staged.is_empty() && self.facts.is_empty();
        if is_empty && conclusion == Conclusion::None && queue.home.debts()?.is_empty() {
            return Ok(nothing);
        }
        let addition = (!self.facts.is_empty())
            .then(|| audit::addition(queue, self.operation, &self.facts, self.segment()))
            .transpose()?;
        let was_moved = addition.as_ref().is_some_and(|addition| addition.was_moved_by_git);
        if was_moved && !queue.home.keeps_apart() || queue.home.is_squash_open() {
            for path in audit::returned(queue)?.into_iter().chain(queue.home.squashed()?) {
                self.take(&path)?;
            }
        }
        for path in std::mem::take(&mut self.records).iter().filter(|_| !queue.home.keeps_apart()) {
            self.take(path)?;
        }
        // One commit for a session names all that is in it; otherwise what waited gets a commit of its own.
        let waited =
            if queue.settings.commit == CommitPolicy::Each { Vec::new() } else { waiting::events(queue)? };
        let message = message::of(subject, self.operation, &self.facts, &waited, addition.as_ref());
        let mut changes = self.changes();
        changes.extend(keep_folders(queue, &changes)?);
        if let Some(addition) = &addition {
            changes.retain(|change| change.path != addition.path);
            changes.push(addition.change());
        }
        Ok(Prepared { work: Some(Work { guard, changes, message, addition, policy, conclusion }), ..nothing })
    }

    /// What is staged for a commit of the person's goes there without what is kept apart until it is made, and goes with it
    /// if they take it back.
    fn segment(&self) -> audit::Segment {
        let is_staged = matches!(self.conclusion, Conclusion::Theirs(_));
        if is_staged { audit::Segment::Fresh } else { audit::Segment::Usual }
    }

    fn changes(&self) -> Vec<Change> {
        let differs = |path: &String, content: &Option<Vec<u8>>| self.read.get(path) != Some(content);
        self.staged
            .iter()
            .filter(|(path, content)| self.taken.contains(*path) || differs(path, content))
            .map(|(path, content)| Change {
                path: path.clone(),
                content: content.clone(),
                expect: self.expectation(path),
            })
            .collect()
    }

    fn expectation(&self, path: &str) -> Expect {
        match self.read.get(path) {
            Some(Some(bytes)) => Expect::Bytes(bytes.clone()),
            Some(None) => Expect::Absent,
            None => Expect::Any,
        }
    }
}
