//! How far each sent task has come, read off the receiver's queue.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::account::{self, Account};
use super::plan::{News, Plan, Tidings};
use super::post::{Address, Post, Posts};
use super::{carried_to, cut_off};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::domain::task::{Folder, Receipt, Stage, State, Task};
use crate::domain::text::shown;
use crate::format::fit_for_a_receipt;
use crate::ops::abreast::abreast;
use crate::store::git::Reach;
use crate::store::queue::{Ended, Glimpse, Heard, Item, Queue, Taker, Unreadable};
use crate::store::{archive, branches, layout, replay};

/// The folders in which a receiver has a task, in the order in which they are believed.
const RECEIVED: [Folder; 4] = [Folder::Dead, Folder::Done, Folder::Tasks, Folder::Inbox];

/// What a receiver has from somebody else, as far as that one is told of it.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) from: Option<ProjectId>,
    receipt: Receipt,
}

/// Takes what is not from the project itself; of what is, the ids that a letter has too.
struct Arrivals<'a> {
    post: &'a Post,
    letters: &'a HashSet<TaskId>,
}

impl Taker for Arrivals<'_> {
    /// No arrival: a task of the project's own.
    type Taken = (TaskId, Option<Arrival>);

    fn take(&self, glimpse: &mut Glimpse<'_>) -> Result<Option<Self::Taken>, Unreadable> {
        let Some(id) = glimpse.id() else { return Ok(None) };
        if glimpse.from() == Some(self.post.queue.settings.id.as_str()) {
            return Ok(self.letters.contains(&id).then_some((id, None)));
        }
        let progress = glimpse.progress()?;
        let receipt = receipt(self.post, glimpse.folder(), progress.ended, progress.created);
        Ok(Some((id, Some(Arrival { from: glimpse.sender()?, receipt }))))
    }
}

/// What the receivers have, read once for each receiver.
#[derive(Default)]
pub(super) struct Known {
    posts: HashMap<usize, HashMap<TaskId, Arrival>>,
    /// By receiver, tasks of its own whose ids letters have too.
    taken: HashSet<(usize, TaskId)>,
    /// What cannot be read, asked for where a task is not found.
    unreadable: HashMap<usize, Vec<Problem>>,
}

impl Known {
    fn of_all(posts: &Posts, letters: &HashSet<TaskId>) -> Known {
        let read = |index: usize| (index, Known::read(&posts.all[index], letters));
        let mut known = Known::default();
        for (index, taken) in abreast((0..posts.all.len()).collect(), read) {
            let mut arrivals = HashMap::with_capacity(taken.len());
            for (id, arrival) in taken.into_iter().rev() {
                match arrival {
                    Some(arrival) => _ = arrivals.insert(id, arrival),
                    None => _ = known.taken.insert((index, id)),
                }
            }
            known.posts.insert(index, arrivals);
        }
        known
    }

    fn read(post: &Post, letters: &HashSet<TaskId>) -> Vec<(TaskId, Option<Arrival>)> {
        post.queue.glance(&RECEIVED, Reach::Names, &Arrivals { post, letters }).taken
    }

    /// Whether a receiver has something under the id of a letter, archives left out.
    pub(super) fn has(&self, index: usize, id: TaskId) -> bool {
        self.taken.contains(&(index, id)) || self.posts.get(&index).is_some_and(|all| all.contains_key(&id))
    }

    fn at(&mut self, posts: &Posts, index: usize, id: TaskId) -> Option<&Arrival> {
        self.all(posts, index).get(&id)
    }

    /// Everything that a post has received, archives left out.
    pub(super) fn all(&mut self, posts: &Posts, index: usize) -> &HashMap<TaskId, Arrival> {
        self.posts.entry(index).or_insert_with(|| {
            let taken = Known::read(&posts.all[index], &HashSet::new()).into_iter().rev();
            taken.filter_map(|(id, arrival)| Some((id, arrival?))).collect()
        })
    }

    /// Who has a task from this sender, as far as that was read.
    fn holder<'p>(&self, posts: &'p Posts, sender: &Post, id: TaskId) -> Option<&'p Post> {
        let is_from = |there: &Arrival| there.from.as_ref().is_some_and(|from| sender.is(from.as_str()));
        let has = |index: &usize| self.posts.get(index).and_then(|all| all.get(&id)).is_some_and(is_from);
        (0..posts.all.len()).find(has).map(|index| &posts.all[index])
    }

    /// Why the file of this task cannot be read, or the place cannot be looked into where it would be.
    pub(super) fn unreadable(&mut self, posts: &Posts, index: usize, id: TaskId) -> Option<Problem> {
        let folders = &layout::QUEUE_FOLDERS;
        let all = self
            .unreadable
            .entry(index)
            .or_insert_with(|| posts.all[index].queue.list_within(folders, Reach::Names).problems);
        let places = folders.map(|folder| format!("{}/", layout::usual_folder(folder, id)));
        let hides_it = |problem: &&Problem| {
            layout::id_in_name(&problem.path) == Some(id)
                || places.iter().any(|place| place.starts_with(&format!("{}/", problem.path)))
        };
        all.iter().find(hides_it).cloned()
    }
}

/// Of which tasks each post that is told has a record, archives left out.
pub(super) type Recorded = HashMap<usize, HashSet<TaskId>>;

/// Compare every sent record with the receiver's queue and note what is new. Gives what was read for it.
pub(super) fn compare(posts: &Posts, now: Timestamp, plan: &mut Plan) -> (Known, Recorded) {
    let letters = plan.letters.iter().filter_map(|letter| letter.item.id()).collect();
    let (mut known, mut recorded) = (Known::of_all(posts, &letters), Recorded::new());
    let told = (0..posts.all.len()).filter(|index| posts.is_told(*index)).collect();
    let records = Records { known: &known, places: posts.places() };
    let glance = |index: usize| posts.all[index].queue.glance(&[Folder::Sent], Reach::Names, &records);
    for (index, glance) in abreast(told, |index: usize| (index, glance(index))) {
        let post = &posts.all[index];
        plan.problems.extend(glance.problems.into_iter().map(|problem| post.problem(problem)));
        // Closed records go into an archive after a while, when the sender commits anyway.
        let due = archive::due(glance.taken.iter().filter_map(Record::end).collect(), now);
        plan.closed.extend(due.map(|due| (index, due)));
        recorded.insert(index, glance.taken.iter().filter_map(Record::id).collect());
        let mut alone = Vec::new();
        for record in glance.taken {
            let Record::Open(item) = record else { continue };
            // Sent tasks are known by their names alone; of those that something may be told, which are few, somebody may
            // have written one in place.
            let path = item.path.clone();
            let item = post.queue.as_it_is(*item).map_err(|fault| {
                let problem = Problem::at(path, fault);
                Box::new(post.problem(problem))
            });
            let told = item.and_then(|item| Ok((news(posts, &mut known, post, &item)?, item)));
            match told {
                Ok((Some((id, what)), item)) => plan.news.push(News { post: index, item, id, what }),
                Ok((None, item)) if cut_off::is_cut_off(&item.task, &posts.own, &posts.registry) => {
                    alone.push(item);
                }
                Ok((None, _)) => {}
                Err(problem) if plan.problems.contains(&problem) => {}
                Err(problem) => plan.problems.push(*problem),
            }
        }
        plan.problems.extend(cut_off::told(alone).into_iter().map(|problem| problem.of(&post.id)));
    }
    (known, recorded)
}

/// A sender's record.
enum Record {
    /// The task is over since then, and the receiver says nothing else.
    Settled(TaskId, Timestamp),
    Open(Box<Item>),
}

impl Record {
    fn id(&self) -> Option<TaskId> {
        match self {
            Record::Settled(id, _) => Some(*id),
            Record::Open(item) => item.id(),
        }
    }

    /// When it was closed; `None` as long as it is open.
    fn end(&self) -> Option<Timestamp> {
        match self {
            Record::Settled(_, end) => Some(*end),
            Record::Open(item) => is_closed(item).then(|| archive::end_of(item)),
        }
    }
}

/// Takes the records, and of those that are settled the id alone.
struct Records<'a> {
    known: &'a Known,
    /// Where each project is among the posts.
    places: HashMap<&'a str, usize>,
}

impl Taker for Records<'_> {
    type Taken = Record;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> Result<Option<Record>, Unreadable> {
        Ok(Some(match (glimpse.id(), glimpse.progress()?.heard) {
            (Some(id), Some(heard)) if self.is_settled(id, heard) => Record::Settled(id, heard.at),
            _ => Record::Open(Box::new(glimpse.item()?)),
        }))
    }
}

impl Records<'_> {
    fn is_settled(&self, id: TaskId, heard: Heard<'_>) -> bool {
        let receiver = heard.by.and_then(|by| self.places.get(by));
        let Some(arrivals) = receiver.and_then(|receiver| self.known.posts.get(receiver)) else {
            return false;
        };
        let says_the_same = |there: &Arrival| says(heard.stage, heard.note, &there.receipt);
        heard.stage.is_final() && arrivals.get(&id).is_none_or(says_the_same)
    }
}

/// The records of a sender that were closed before an instant.
pub(super) fn closed_before(sender: &Queue, due: Timestamp) -> Vec<Item> {
    let mut items = sender.list_within(&[Folder::Sent], Reach::Names).items;
    items.retain(|item| is_closed(item) && archive::end_of(item) < due);
    items
}

fn is_closed(item: &Item) -> bool {
    item.id().is_some() && archive::is_over(&item.task, Folder::Sent)
}

/// What a record does not say yet that another round has changed since the plan was made. A task that the receiver has
/// lost, or that cannot be read there, is left to the next round.
pub(super) fn again(posts: &Posts, known: &mut Known, sender: usize, item: &Item) -> Option<Receipt> {
    match news(posts, known, &posts.all[sender], item) {
        Ok(Some((_, Tidings::Receipt(receipt)))) => Some(receipt),
        Ok(Some((_, Tidings::Lost(_))) | None) | Err(_) => None,
    }
}

/// What is new about a sent task; or why that cannot be told, which is no news.
type Told = Result<Option<(TaskId, Tidings)>, Box<Problem>>;

fn news(posts: &Posts, known: &mut Known, sender: &Post, item: &Item) -> Told {
    let Some(id) = item.id() else { return Ok(None) };
    let present = item.task.receipt.as_ref();
    let receiver = present.and_then(|receipt| receipt.by.as_ref()).and_then(|by| posts.named(by.as_str()));
    let receiver = match receiver {
        Some(post) => post,
        None => match posts.address(&item.task) {
            Address::Post(post) => post,
            Address::Unknown => return named_by_nobody(posts, known, sender, item, id),
            Address::Unreachable | Address::Elsewhere => return Ok(None),
        },
    };
    let post = &posts.all[receiver];
    if let Some(there) = known.at(posts, receiver, id) {
        return Ok(changed(present, &there.receipt).map(|receipt| (id, Tidings::Receipt(receipt))));
    }
    if present.is_some_and(|receipt| receipt.stage.is_final()) {
        return Ok(None);
    }
    if let Some(problem) = known.unreadable(posts, receiver, id) {
        return Err(Box::new(post.problem(problem)));
    }
    let told = missing(post, receiver, id, present);
    let told = told.and_then(|told| match told {
        Some((_, Tidings::Lost(_))) => was_carried_to(posts, receiver, sender, item, id).map(|()| told),
        told => Ok(told),
    });
    told.map_err(|fault| Box::new(sender.problem(Problem::at(item.path.clone(), fault))))
}

/// A record of which nobody who is registered is told to have the task: somebody may have it all the same.
fn named_by_nobody(posts: &Posts, known: &Known, sender: &Post, item: &Item, id: TaskId) -> Told {
    match known.holder(posts, sender, id) {
        Some(holder) if is_open(item) => {
            let fault = carried_to::says_otherwise(&named(&item.task), &holder.id);
            Err(Box::new(sender.problem(Problem::at(item.path.clone(), fault))))
        }
        _ => Ok(None),
    }
}

fn is_open(item: &Item) -> bool {
    !item.task.receipt.as_ref().is_some_and(|receipt| receipt.stage.is_final())
}

/// Whom a record names as the one that has the task.
pub(super) fn named(task: &Task) -> String {
    let by = task.receipt.as_ref().and_then(|receipt| receipt.by.as_ref()).map(ToString::to_string);
    by.or_else(|| task.to.as_ref().map(ToString::to_string)).unwrap_or_default()
}

/// Nobody has lost what never came: before a task is carried again, the sender's log has to know that it was carried
/// there, or, where the log tells nothing, the task has to be for that project.
fn was_carried_to(
    posts: &Posts,
    receiver: usize,
    sender: &Post,
    item: &Item,
    id: TaskId,
) -> crate::domain::fault::Result<()> {
    let log = replay::account_of(&sender.queue, id)?;
    let carried = carried_to::projects(log.events.iter());
    let post = &posts.all[receiver];
    let by = item.task.receipt.as_ref().and_then(|receipt| receipt.by.as_ref());
    let is_known = carried.iter().any(|name| post.is(name))
        || by.is_some_and(|by| carried.contains(by.as_str()))
        || carried.is_empty() && posts.address(&item.task) == Address::Post(receiver);
    if is_known {
        return Ok(());
    }
    let for_whom = item.task.to.as_ref().map(ToString::to_string).unwrap_or_default();
    let truth = carried.first().map_or(for_whom, |name| (*name).to_owned());
    Err(carried_to::says_otherwise(&named(&item.task), &truth))
}

/// The receiver's folders do not have it: archived, removed by hand, or never there (a restored backup).
fn missing(
    post: &Post,
    receiver: usize,
    id: TaskId,
    present: Option<&Receipt>,
) -> crate::domain::fault::Result<Option<(TaskId, Tidings)>> {
    let receipt = match post.queue.anywhere(id)? {
        Some(archived) => receipt_of(&archived, post),
        None => match account::of(post, id)? {
            Account::NeverHeardOf => match branches::with_task(&post.queue, id)? {
                None => return Ok(Some((id, Tidings::Lost(receiver)))),
                Some(branch) => return Err(on_another_branch(post, id, &branch)),
            },
            Account::On(branch) => return Err(on_another_branch(post, id, &branch)),
            Account::Over(receipt) => receipt,
        },
    };
    Ok(changed(present, &receipt).map(|receipt| (id, Tidings::Receipt(receipt))))
}

/// The receiver's queue is in the tree, and the person has checked out a branch on which the task is not yet.
fn on_another_branch(post: &Post, id: TaskId, branch: &str) -> Fault {
    let root = &post.queue.home.root;
    let folder = root.parent().unwrap_or(root).display().to_string();
    let (short, name) = (id.short(), shown(branch));
    let text =
        format!("`{}` has task {short} on its branch `{name}`, and another one is checked out", post.id);
    let merge = format!("git -C {} merge {}", shell_words::quote(&folder), shell_words::quote(branch));
    let fault = Fault::new(Code::QueueElsewhere, text);
    if name == branch { fault.hint(format!("`{merge}` brings it to the one at hand")) } else { fault }
}

/// How far the receiver has come with a task that it has.
pub(super) fn receipt_of(item: &Item, post: &Post) -> Receipt {
    let ending = item.task.ending.as_ref();
    let ended = ending.map(|e| Ended { state: e.state, at: e.at, note: e.note.as_deref() });
    receipt(post, item.folder, ended, item.task.created)
}

fn receipt(post: &Post, folder: Folder, ended: Option<Ended<'_>>, created: Option<Timestamp>) -> Receipt {
    let stage = match folder {
        Folder::Inbox => Stage::Delivered,
        Folder::Dead => Stage::Dead,
        Folder::Done if ended.is_some_and(|ended| ended.state == State::Refused) => Stage::Refused,
        Folder::Done => Stage::Done,
        _ => Stage::Accepted,
    };
    let at = ended.map(|ended| ended.at).or(created).unwrap_or(Timestamp::UNIX_EPOCH);
    let note = ended.and_then(|ended| ended.note).map(str::to_owned).map(fit_for_a_receipt);
    Receipt { stage, at, by: post.project.clone(), note }
}

/// The newer receipt, if it says anything that the present one does not. Its time is filled in when it is written.
fn changed(present: Option<&Receipt>, new: &Receipt) -> Option<Receipt> {
    let same = present.is_some_and(|old| says(old.stage, old.note.as_deref(), new));
    (!same).then(|| new.clone())
}

/// Whether a record says already what a receipt does.
fn says(stage: Stage, note: Option<&str>, new: &Receipt) -> bool {
    stage == new.stage && (new.note.is_none() || note == new.note.as_deref())
}
