//! Carry out a plan: receivers first, then the senders' records; one commit for each repository.
//!
//! Locks are taken for all repositories of the round in one fixed order (by path), each with a bounded wait; a
//! repository whose lock cannot be had is left out and reported. A repository commits when everybody it sends to
//! has committed. Where two send to each other, one commits its arrivals at first and strikes off what it sent at the
//! end, when no other lock is held: a lock that is taken again out of order would make two rounds wait for each other.

mod commits;
mod promises;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::plan::{Letter, News, Plan, Stranded, Tidings};
use super::post::{Post, Posts};
use super::{Delivered, GivenUp, Report, Told};
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::domain::task::{Ending, Folder, Receipt, Stage, State, Task};
use crate::format::Document;
use crate::format::audit::digest as content_hash;
use crate::store::queue::{Item, Queue};
use crate::store::tx::{Operation, Tx};
use crate::store::{archive, history, layout};

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
    for (post, closed) in plan.closed {
        round.put_away(post, closed);
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
    /// Whether the receiver had it already, committed.
    again: bool,
}

/// News that are receipts, and those that are lost tasks, which travel like letters.
fn redeliveries(mut letters: Vec<Letter>, news: Vec<News>) -> (Vec<Letter>, Vec<News>) {
    let mut receipts = Vec::new();
    for entry in news {
        match entry.what {
            Tidings::Receipt(_) => receipts.push(entry),
            Tidings::Lost(to) => letters.push(Letter { from: entry.post, to, item: entry.item }),
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
    under_way: Vec<OnItsWay>,
    told: HashMap<usize, Vec<Told>>,
    given_up: HashMap<usize, Vec<GivenUp>>,
    report: Report,
}

impl<'a> Round<'a> {
    fn open(posts: &'a Posts, plan: &Plan, operation: &'a Operation<'a>) -> Round<'a> {
        let mut round = Round {
            posts,
            operation,
            open: HashMap::new(),
            present: HashMap::new(),
            under_way: Vec::new(),
            told: HashMap::new(),
            given_up: HashMap::new(),
            report: Report::default(),
        };
        let mut needed: Vec<usize> =
            plan.letters.iter().flat_map(|letter| [letter.from, letter.to]).collect();
        needed.extend(plan.stranded.iter().map(|stranded| stranded.post));
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
            Err(fault) => self.problem(index, "", fault),
        }
    }

    fn problem(&mut self, index: usize, path: &str, fault: Fault) {
        let post = &self.posts.all[index].id;
        let known = self.report.problems.iter().any(|p| p.project.as_deref() == Some(post) && p.path == path);
        if !known {
            self.report.problems.push(Problem::at(path, fault).of(post));
        }
    }

    /// Stage one task at its receiver.
    fn arrive(&mut self, letter: Letter) {
        if !self.open.contains_key(&letter.from) || !self.open.contains_key(&letter.to) {
            return;
        }
        let (from, path) = (letter.from, letter.item.path.clone());
        match self.stage_arrival(letter) {
            Ok(under_way) => self.under_way.push(under_way),
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
        let parcel = parcel(document, &sender);
        let (bytes, task) = (parcel.to_bytes(), parcel.task().clone());
        let hash = content_hash(&bytes);
        let to = &self.posts.all[letter.to];
        let receiver = self.open.get_mut(&letter.to).expect("checked by the caller");
        let there = if letter.from == letter.to {
            None
        } else {
            let present = match self.present.entry(letter.to) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(empty) => empty.insert(Present::of(&to.queue)?),
            };
            copy_at(to, present, receiver, id, &hash)?
        };
        if let Some(path) = there {
            let again = !to.queue.home.debts()?.contains(&path);
            return Ok(OnItsWay { letter, id, task, hash, path, again });
        }
        let folder = if letter.from == letter.to { Folder::Tasks } else { Folder::Inbox };
        if letter.from != letter.to {
            to.takes(bytes.len())?;
        }
        let path = receiver.new_path(folder, &task)?;
        receiver.put(&path, bytes)?;
        if letter.from != letter.to {
            let state = task.state(folder, self.operation.at);
            let fact = Fact::task(EventKind::TaskDelivered, id, None, state).because(sender.as_str());
            receiver.record(fact.leaving(hash.clone()));
        }
        Ok(OnItsWay { letter, id, task, hash, path, again: false })
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
        if !receipt.stage.is_final() {
            receipt.at = self.operation.at;
        }
        let document = tx.document(&news.item.path)?;
        let mut task = document.task().clone();
        let told = Told {
            id: news.id,
            title: task.title.clone(),
            project: self.posts.all[news.post].id.clone(),
            by: receipt.by.as_ref().map(ToString::to_string).unwrap_or_default(),
            stage: receipt.stage,
            note: receipt.note.clone(),
        };
        let cause = match &receipt.note {
            Some(note) => format!("{} by {}: {note}", receipt.stage, told.by),
            None => format!("{} by {}", receipt.stage, told.by),
        };
        task.receipt = Some(receipt);
        let (_, hash) = tx.rewrite(&news.item, Folder::Sent, &task, document)?;
        let fact = Fact::task(EventKind::ReceiptReceived, news.id, Some(State::Sent), State::Sent);
        tx.record(fact.because(cause).leaving(hash));
        self.told.entry(news.post).or_default().push(told);
        Ok(())
    }

    fn put_away(&mut self, post: usize, closed: Vec<Item>) {
        let Some(tx) = self.open.get_mut(&post) else { return };
        if let Err(fault) = archive::put_away(tx, closed) {
            self.problem(post, "", fault);
        }
    }

    /// Strike off what the receivers have, and write the sender's records.
    fn depart(&mut self, index: usize) {
        let (own, rest) =
            std::mem::take(&mut self.under_way).into_iter().partition(|way| way.letter.from == index);
        self.under_way = rest;
        for way in own {
            let path = way.letter.item.path.clone();
            match self.stage_departure(way) {
                Ok(Some(delivered)) => self.report.delivered.push(delivered),
                Ok(None) => {}
                Err(fault) => self.problem(index, &path, fault),
            }
        }
    }

    fn stage_departure(&mut self, way: OnItsWay) -> Result<Option<Delivered>> {
        let Some(tx) = self.open.get_mut(&way.letter.from) else { return Ok(None) };
        let receiver = &self.posts.all[way.letter.to];
        let delivered = Delivered {
            id: way.id,
            title: way.task.title.clone(),
            from: self.posts.all[way.letter.from].id.clone(),
            to: receiver.id.clone(),
            path: way.path.clone(),
        };
        let document = tx.document(&way.letter.item.path)?;
        if way.letter.from == way.letter.to {
            tx.remove(&way.letter.item.path)?;
            let state = way.task.state(Folder::Tasks, self.operation.at);
            let fact = Fact::task(EventKind::TaskAccepted, way.id, Some(State::Outbox), state);
            tx.record(fact.leaving(way.hash));
            return Ok(Some(delivered));
        }
        if way.again && way.letter.item.folder == Folder::Outbox && self.is_struck_off(&way)? {
            return Ok(None);
        }
        let tx = self.open.get_mut(&way.letter.from).expect("looked up above");
        let mut task = document.task().clone();
        task.receipt = Some(Receipt {
            stage: Stage::Delivered,
            at: self.operation.at,
            by: receiver.id.parse::<ProjectId>().ok(),
            note: None,
        });
        let kind =
            if way.letter.item.folder == Folder::Sent { EventKind::TaskResent } else { EventKind::TaskSent };
        let from = if kind == EventKind::TaskResent { State::Sent } else { State::Outbox };
        let (_, hash) = tx.rewrite(&way.letter.item, Folder::Sent, &task, document)?;
        tx.record(
            Fact::task(kind, way.id, Some(from), State::Sent).because(receiver.id.clone()).leaving(hash),
        );
        Ok(Some(delivered))
    }
}

/// What is carried: the sender's bytes. How far a task has come is not the sender's to say, so keys of that kind are
/// left out; a task without a sender gets one, which it needs at the other end.
pub(super) fn parcel(mut document: Document, sender: &ProjectId) -> Document {
    let clean = document.task().clone().without_progress();
    let from = clean.from.clone().or_else(|| Some(sender.clone()));
    document.apply(&Task { from, ..clean });
    document
}

/// What a receiver had when the round began, read once: looking for each letter alone would read it all each time.
struct Present {
    items: HashMap<TaskId, Item>,
    archived: HashSet<TaskId>,
}

impl Present {
    fn of(queue: &Queue) -> Result<Present> {
        let items = queue.list(&layout::QUEUE_FOLDERS).items.into_iter().rev();
        let items = items.filter_map(|item| item.id().map(|id| (id, item))).collect();
        Ok(Present { items, archived: archive::ids(queue)? })
    }

    fn find(&self, queue: &Queue, id: TaskId) -> Result<Option<Item>> {
        match self.items.get(&id) {
            Some(item) => Ok(Some(item.clone())),
            None if self.archived.contains(&id) => archive::find(queue, id),
            None => Ok(None),
        }
    }
}

/// Where the receiver has this very task already; `None` if it never had it.
///
/// # Errors
/// [`Code::Collision`] if it has another task under the same id.
fn copy_at(
    post: &Post,
    present: &Present,
    tx: &mut Tx<'_>,
    id: TaskId,
    hash: &str,
) -> Result<Option<String>> {
    if let Some(path) = tx.staged_copy(id) {
        return Err(collision(post, id, &path));
    }
    let Some(there) = present.find(&post.queue, id)? else { return Ok(None) };
    let same = content_hash(&archive::read(&post.queue, &there)?) == hash;
    if same || history::was_delivered(&post.queue, id, hash)? {
        return Ok(Some(there.path));
    }
    Err(collision(post, id, &there.path))
}

fn collision(post: &Post, id: TaskId, path: &str) -> Fault {
    Fault::new(Code::Collision, format!("`{}` has another task with the id {id}: `{path}`", post.id))
        .hint("remove the line `id = …` from the head of this one; it gets a new id")
}
