//! Carry out a plan: receivers first, then the senders' records; one commit for each repository.
//!
//! Locks are taken for all repositories of the round in one fixed order (by path), each with a bounded wait; a
//! repository whose lock cannot be had is left out and reported. A repository commits when everybody it sends to
//! has committed. Where two send to each other, one commits its arrivals at first and strikes off what it sent at the
//! end, when no other lock is held: a lock that is taken again out of order would make two rounds wait for each other.

mod commits;
pub(super) mod copies;
mod departures;
mod promises;
mod taken_back;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;

use super::plan::{Letter, News, Plan, Stranded, Tidings};
use super::post::Posts;
use super::receipts::{self, Known};
use super::{GivenUp, Report, Told};
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::domain::task::{Ending, Folder, State, Task};
use crate::format::Document;
use crate::format::audit::digest as content_hash;
use crate::store::archive;
use crate::store::queue::Item;
use crate::store::tx::{Operation, Tx};

use copies::{Copy, Parcel, Present};

/// Carry out the plan.
///
/// # Errors
/// None of a single project's; those are problems of the report.
pub(crate) fn execute(posts: &Posts, plan: Plan, operation: &Operation<'_>) -> Result<Report> {
    let mut round = Round::open(posts, &plan, operation);
    round.report.problems.splice(0..0, plan.problems);
    let (letters, news) = redeliveries(plan.letters, plan.news);
    for letter in letters {
        round.arrive(letter);
    }
    for stranded in plan.stranded {
        round.give_up(stranded);
    }
    for news in news {
        round.tell(news);
    }
    for letter in plan.taken_back {
        round.record_late(letter);
    }
    for (post, due) in plan.closed {
        round.put_away(post, due);
    }
    round.promise_ids();
    round.commit_all();
    Ok(round.report)
}

/// A task on its way: arrived at the receiver (staged), not yet struck off at the sender.
struct OnItsWay {
    letter: Letter,
    id: TaskId,
    task: Task,
    /// SHA-256 of what was carried.
    hash: String,
    path: String,
    carried: Carried,
    source: Source,
}

/// What the sender's record is made of.
pub(super) enum Source {
    /// The letter, which has arrived as it is.
    Letter,
    /// The letter, which was changed when a round that was cut short had brought it.
    Changed,
    /// What the receiver has: the sender has taken the letter back when it had arrived.
    Receiver(Box<Document>),
}

/// Who brought a task to its receiver.
enum Carried {
    /// This round.
    Now,
    /// The receiver had it already, committed, as this.
    Before(Item),
}

impl OnItsWay {
    /// What the sender's record has to say beside how far it is.
    fn note(&self) -> Option<String> {
        matches!(self.source, Source::Changed).then(|| departures::CHANGED.to_owned())
    }

    /// Whether the receiver had it already, committed.
    fn is_there(&self) -> bool {
        matches!(self.carried, Carried::Before(_))
    }
}

/// News that are receipts, and those that are lost tasks, which travel like letters.
fn redeliveries(mut letters: Vec<Letter>, news: Vec<News>) -> (Vec<Letter>, Vec<News>) {
    let mut receipts = Vec::new();
    for entry in news {
        match entry.what {
            Tidings::Receipt(_) => receipts.push(entry),
            Tidings::Lost(to) => letters.push(Letter::new(entry.post, to, entry.item)),
        }
    }
    (letters, receipts)
}

/// The state of a round while it runs.
struct Round<'a> {
    posts: &'a Posts,
    operation: &'a Operation<'a>,
    open: HashMap<usize, Tx<'a>>,
    present: HashMap<usize, Present>,
    /// What the receivers have now that the locks are held.
    known: Known,
    under_way: Vec<OnItsWay>,
    /// By sender and id: the content and the path of each letter that is under way.
    first: HashMap<(usize, TaskId), (String, String)>,
    /// Letters that are the same as one before, by sender.
    copies: HashMap<usize, Vec<OnItsWay>>,
    told: HashMap<usize, Vec<Told>>,
    given_up: HashMap<usize, Vec<GivenUp>>,
    /// Who has something of before to commit.
    owing: Vec<usize>,
    report: Report,
}

impl<'a> Round<'a> {
    fn open(posts: &'a Posts, plan: &Plan, operation: &'a Operation<'a>) -> Round<'a> {
        let mut round = Round {
            posts,
            operation,
            open: HashMap::new(),
            present: HashMap::new(),
            known: Known::default(),
            under_way: Vec::new(),
            first: HashMap::new(),
            copies: HashMap::new(),
            told: HashMap::new(),
            given_up: HashMap::new(),
            owing: plan.owing.clone(),
            report: Report::default(),
        };
        let mut needed: Vec<usize> =
            plan.letters.iter().flat_map(|letter| [letter.from, letter.to]).collect();
        needed.extend(plan.stranded.iter().map(|stranded| stranded.post));
        needed.extend(plan.taken_back.iter().flat_map(|letter| [letter.from, letter.to]));
        needed.extend(&plan.owing);
        for news in &plan.news {
            needed.push(news.post);
            if let Tidings::Lost(to) = news.what {
                needed.push(to);
            }
        }
        needed.sort_by(|&a, &b| posts.all[a].queue.home.root.cmp(&posts.all[b].queue.home.root));
        needed.dedup();
        for index in needed {
            round.open_one(index);
        }
        round
    }

    fn open_one(&mut self, index: usize) {
        let post = &self.posts.all[index];
        match Tx::begin(&post.queue, self.operation) {
            Ok(mut tx) => {
                // A sender lets go of what its receiver has committed, whenever that one's own verbs do so.
                tx.commit_now();
                self.open.insert(index, tx);
            }
            Err(fault) => self.could_not(index, "", fault),
        }
    }

    /// A problem that has kept the round from what it had to do.
    fn could_not(&mut self, index: usize, path: &str, fault: Fault) {
        if !is_of_the_machine(fault.code) {
            self.report.failed.push((self.posts.all[index].id.clone(), fault.code));
        }
        self.problem(index, path, fault);
    }

    fn problem(&mut self, index: usize, path: &str, fault: Fault) {
        let post = &self.posts.all[index];
        if is_of_the_machine(fault.code) {
            self.report.failed.push((post.id.clone(), fault.code));
        }
        let is_known =
            self.report.problems.iter().any(|p| p.project.as_ref() == Some(&post.id) && p.path == path);
        if !is_known {
            self.report.problems.push(post.problem(Problem::at(path, fault)));
        }
    }

    /// Stage one task at its receiver.
    fn arrive(&mut self, letter: Letter) {
        if !self.open.contains_key(&letter.from) || !self.open.contains_key(&letter.to) {
            return;
        }
        let (from, path) = (letter.from, letter.item.path.clone());
        match self.stage_arrival(letter) {
            Ok(under_way) => self.set_out(under_way),
            Err(fault) => self.problem(from, &path, fault),
        }
    }

    fn stage_arrival(&mut self, letter: Letter) -> Result<OnItsWay> {
        let sender = self.posts.all[letter.from].queue.settings.id.clone();
        let tx = self.open.get_mut(&letter.from).expect("checked by the caller");
        let document = tx.document(&letter.item.path)?;
        let Some(id) = document.task().id else {
            return Err(Fault::new(
                Code::Changed,
                "the file was written while the round ran; the next one takes it",
            ));
        };
        let own = content_hash(&document.to_bytes());
        let parcel = parcel(document, &sender);
        let (bytes, task) = (parcel.to_bytes(), parcel.task().clone());
        let hash = content_hash(&bytes);
        if let Some((content, other)) = self.first.get(&(letter.from, id)) {
            if *content != hash {
                return Err(copies::twins(id, &letter.item.path, other));
            }
            let (path, carried, source) = (String::new(), Carried::Now, Source::Letter);
            return Ok(OnItsWay { letter, id, task, hash, path, carried, source });
        }
        let receiver = self.open.get_mut(&letter.to).expect("checked by the caller");
        let (there, source) = if letter.from == letter.to {
            (Copy::None, Source::Letter)
        } else {
            let to = &self.posts.all[letter.to];
            let present = match self.present.entry(letter.to) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(empty) => empty.insert(Present::of(&to.queue)?),
            };
            let from = &self.posts.all[letter.from].queue;
            copies::copy_at(to, present, receiver, &Parcel { id, hash: &hash, own: &own, from })?
        };
        match there {
            Copy::Committed(there) => {
                let (path, carried) = (there.path.clone(), Carried::Before(there));
                return Ok(OnItsWay { letter, id, task, hash, path, carried, source });
            }
            Copy::Staged(path) => {
                return Ok(OnItsWay { letter, id, task, hash, path, carried: Carried::Now, source });
            }
            Copy::None => {}
        }
        let folder = if letter.from == letter.to { Folder::Tasks } else { Folder::Inbox };
        if letter.from != letter.to {
            self.posts.all[letter.to].takes(&bytes)?;
        }
        let path = receiver.new_path(folder, &task)?;
        receiver.put(&path, bytes)?;
        if letter.from != letter.to {
            let state = task.state(folder, self.operation.at);
            let fact = Fact::task(EventKind::TaskDelivered, id, None, state).because(sender.as_str());
            receiver.record(fact.leaving(hash.clone()));
        }
        Ok(OnItsWay { letter, id, task, hash, path, carried: Carried::Now, source })
    }

    /// The first letter of an id is carried; others are the same, and go when it has left.
    fn set_out(&mut self, way: OnItsWay) {
        if way.letter.item.folder == Folder::Outbox {
            let key = (way.letter.from, way.id);
            match self.first.entry(key) {
                Entry::Occupied(_) => return self.copies.entry(way.letter.from).or_default().push(way),
                Entry::Vacant(empty) => {
                    empty.insert((way.hash.clone(), way.letter.item.path.clone()));
                }
            }
        }
        self.under_way.push(way);
    }

    fn give_up(&mut self, stranded: Stranded) {
        if let Err(fault) = self.stage_giving_up(&stranded) {
            self.problem(stranded.post, &stranded.item.path, fault);
        }
    }

    fn stage_giving_up(&mut self, stranded: &Stranded) -> Result<()> {
        let Some(tx) = self.open.get_mut(&stranded.post) else { return Ok(()) };
        let document = tx.document(&stranded.item.path)?;
        let mut task = document.task().clone();
        let Some(id) = task.id else { return Ok(()) };
        task.ending = Some(Ending {
            state: State::Dead,
            at: self.operation.at,
            by: Some(self.operation.actor.clone()),
            note: Some(stranded.reason.clone()),
        });
        let (_, hash) = tx.rewrite(&stranded.item, Folder::Dead, &task, document)?;
        let fact = Fact::task(EventKind::TaskDead, id, Some(State::Outbox), State::Dead);
        tx.record(fact.because(stranded.reason.clone()).leaving(hash));
        let project = self.posts.all[stranded.post].id.clone();
        let gone = GivenUp { id, title: task.title, project, reason: stranded.reason.clone() };
        self.given_up.entry(stranded.post).or_default().push(gone);
        Ok(())
    }

    fn tell(&mut self, news: News) {
        let (post, path) = (news.post, news.item.path.clone());
        if let Err(fault) = self.stage_receipt(news) {
            self.problem(post, &path, fault);
        }
    }

    fn stage_receipt(&mut self, news: News) -> Result<()> {
        let Some(tx) = self.open.get_mut(&news.post) else { return Ok(()) };
        let Tidings::Receipt(mut receipt) = news.what else { return Ok(()) };
        let document = tx.document(&news.item.path)?;
        let mut task = document.task().clone();
        if task.receipt != news.item.task.receipt {
            // Another round has told the record something since the plan was made. What the plan has seen at the
            // receiver may be older than that; what is seen now, with the lock held, is not.
            let item = Item { task: Box::new(task.clone()), ..news.item.clone() };
            match receipts::again(self.posts, &mut self.known, news.post, &item) {
                Some(newer) => receipt = newer,
                None => return Ok(()),
            }
        }
        if !receipt.stage.is_final() {
            receipt.at = self.operation.at;
        }
        let told = Told::of(news.id, &task.title, &self.posts.all[news.post].id, &receipt);
        task.receipt = Some(receipt);
        let (_, hash) = tx.rewrite(&news.item, Folder::Sent, &task, document)?;
        let fact = Fact::task(EventKind::ReceiptReceived, news.id, Some(State::Sent), State::Sent);
        tx.record(fact.because(told.cause()).leaving(hash));
        self.told.entry(news.post).or_default().push(told);
        Ok(())
    }

    fn put_away(&mut self, post: usize, due: Timestamp) {
        let Some(tx) = self.open.get_mut(&post) else { return };
        let closed = receipts::closed_before(&self.posts.all[post].queue, due);
        if let Err(fault) = archive::put_away(tx, closed) {
            self.problem(post, "", fault);
        }
    }
}

/// Whether the disk or git has refused, and not a file or a rule.
fn is_of_the_machine(code: Code) -> bool {
    matches!(code, Code::Io | Code::Git)
}

/// What is carried: the sender's bytes. How far a task has come is not the sender's to say, so keys of that kind are
/// left out; a task without a sender gets one, which it needs at the other end.
pub(super) fn parcel(mut document: Document, sender: &ProjectId) -> Document {
    let clean = document.task().clone().without_progress();
    let from = clean.from.clone().or_else(|| Some(sender.clone()));
    document.apply(&Task { from, ..clean });
    document
}
