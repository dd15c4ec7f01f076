//! What a receiver has, and of which its sender has neither letter nor record. Between the two commits of a round, or while
//! the receiver's has to wait, the letter still lies in the outbox: there it can be removed, moved and addressed anew.

use std::collections::{BTreeMap, HashMap};

use super::plan::{Letter, Plan};
use super::post::{Address, Posts};
use super::receipts::{Known, Recorded, receipt_of};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::task::{Folder, Stage, State};
use crate::domain::text::as_word;
use crate::store::archive::Held;
use crate::store::git::Reach;
use crate::store::queue::Item;
use crate::store::{history, layout, replay};

/// Find what has arrived and is not recorded, and note what becomes of it.
pub(super) fn find(posts: &Posts, known: &mut Known, recorded: &Recorded, plan: &mut Plan) {
    for (from, arrived) in unrecorded(posts, known, recorded) {
        if let Err(fault) = judge(posts, known, from, arrived, plan) {
            plan.problems.push(posts.all[from].problem(Problem::at("", fault)));
        }
    }
}

/// What a receiver has: whose post it is, and the task.
type Arrived = (usize, TaskId);

/// By sender, what the others have from it without a record of the loose ones. Most of that lies in an archive.
fn unrecorded(posts: &Posts, known: &mut Known, recorded: &Recorded) -> BTreeMap<usize, Vec<Arrived>> {
    let senders: HashMap<&str, usize> =
        recorded.keys().map(|&index| (posts.all[index].queue.settings.id.as_str(), index)).collect();
    let mut all: BTreeMap<usize, Vec<Arrived>> = BTreeMap::new();
    for to in 0..posts.all.len() {
        for (id, arrival) in known.all(posts, to) {
            let Some(from) = arrival.from.as_ref().and_then(|from| senders.get(from.as_str())) else {
                continue;
            };
            if *from != to && !recorded[from].contains(id) {
                all.entry(*from).or_default().push((to, *id));
            }
        }
    }
    all.values_mut().for_each(|arrived| arrived.sort_by_key(|(to, id)| (*id, *to)));
    all
}

fn judge(
    posts: &Posts,
    known: &mut Known,
    from: usize,
    mut arrived: Vec<Arrived>,
    plan: &mut Plan,
) -> Result<()> {
    let sender = &posts.all[from].queue;
    let archived = Held::of(sender)?;
    arrived.retain(|(_, id)| !archived.contains(*id));
    let mut letters = Vec::with_capacity(arrived.len());
    for (to, id) in arrived {
        let item = posts.all[to].queue.anywhere(id)?;
        letters.extend(item.map(|item| Letter::new(from, to, item)));
    }
    if letters.is_empty() {
        return Ok(());
    }
    let own = sender.list_within(&layout::QUEUE_FOLDERS, Reach::Names).items;
    let own: HashMap<TaskId, Item> =
        own.into_iter().filter_map(|item| item.id().map(|id| (id, item))).collect();
    for letter in letters {
        let Some(id) = letter.item.id() else { continue };
        match own.get(&id) {
            None if known.unreadable(posts, from, id).is_some() => {}
            None if was_taken_back(posts, &letter, id)? => plan.taken_back.push(letter),
            None => {}
            Some(there) if there.folder == Folder::Sent || is_for(posts, there, letter.to) => {}
            Some(there) => keep_apart(posts, there, &letter, id, plan)?,
        }
    }
    Ok(())
}

/// Whether it is the very letter that has arrived: the round knows what to do with it.
fn is_for(posts: &Posts, item: &Item, to: usize) -> bool {
    item.folder == Folder::Outbox && posts.address(&item.task) == Address::Post(to)
}

/// Whether it has left: a round has brought it, and the sender has never seen it go. A record that was removed is not
/// made again.
fn was_taken_back(posts: &Posts, letter: &Letter, id: TaskId) -> Result<bool> {
    let log = replay::account_of(&posts.all[letter.from].queue, id)?;
    let lasting = log.events.iter().rev().filter_map(|event| event.fact.to).find(|to| *to != State::Gone);
    let was_letter = log.problems.is_empty() && lasting == Some(State::Outbox);
    Ok(was_letter && history::was_carried_here(&posts.all[letter.to].queue, id)?)
}

/// The sender keeps it for itself, has given it up, or wants it elsewhere: while the receiver has it that makes two of one.
fn keep_apart(posts: &Posts, there: &Item, letter: &Letter, id: TaskId, plan: &mut Plan) -> Result<()> {
    let receiver = &posts.all[letter.to];
    let stage = receipt_of(&letter.item, receiver).stage;
    let is_over = matches!(stage, Stage::Refused | Stage::Dead);
    if is_over || !history::was_carried_here(&receiver.queue, id)? {
        return Ok(());
    }
    let (own, short) = (&posts.all[letter.from].id, id.short());
    plan.letters.retain(|other| other.from != letter.from || other.item.id() != Some(id));
    let text = format!(
        "`{}` has task {short} already ({stage}): a round that was cut short brought it there",
        receiver.id
    );
    let root = &receiver.queue.home.root;
    let folder = as_word(root.parent().unwrap_or(root));
    let mut fault = Fault::new(Code::Collision, text);
    if there.folder == Folder::Outbox {
        fault = fault
            .hint(format!("with `to = \"{}\"` in its head again it becomes the record of that", receiver.id));
    }
    if stage == Stage::Delivered {
        let why = "\"no longer for you\"";
        fault =
            fault.hint(format!("`swift -C {folder} inbox refuse {short} --why {why}` leaves this one alone"));
    } else {
        fault = fault.hint(format!("`swift -C {folder} show {short}` tells how far it is there"));
    }
    plan.problems.push(Problem::at(there.path.clone(), fault).of(own));
    Ok(())
}
