//! How far each sent task has come, read off the receiver's queue.

use std::collections::{HashMap, HashSet};

use super::account::{self, Account};
use super::plan::{News, Plan, Tidings};
use super::post::{Address, Post, Posts};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::domain::task::{Folder, Receipt, Stage, State};
use crate::domain::text::shown;
use crate::format::fit_for_a_receipt;
use crate::store::git::Reach;
use crate::store::queue::Item;
use crate::store::{archive, branches, layout};

/// The folders in which a receiver has a task, in the order in which they are believed.
const RECEIVED: [Folder; 4] = [Folder::Dead, Folder::Done, Folder::Tasks, Folder::Inbox];

/// What the receivers have, read once for each receiver.
#[derive(Default)]
pub(super) struct Known {
    posts: HashMap<usize, HashMap<TaskId, Item>>,
    /// What cannot be read, asked for where a task is not found.
    unreadable: HashMap<usize, Vec<Problem>>,
}

impl Known {
    fn at(&mut self, posts: &Posts, index: usize, id: TaskId) -> Option<&Item> {
        self.all(posts, index).get(&id)
    }

    /// Everything that a post has received or written for itself, archives left out.
    pub(super) fn all(&mut self, posts: &Posts, index: usize) -> &HashMap<TaskId, Item> {
        self.posts.entry(index).or_insert_with(|| {
            let items = posts.all[index].queue.list_within(&RECEIVED, Reach::Names).items;
            items.into_iter().rev().filter_map(|item| item.id().map(|id| (id, item))).collect()
        })
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
pub(super) fn compare(posts: &Posts, plan: &mut Plan) -> (Known, Recorded) {
    let (mut known, mut recorded) = (Known::default(), Recorded::new());
    for (index, listing) in posts.list(&[Folder::Sent], |index| posts.is_told(index)) {
        let post = &posts.all[index];
        plan.problems.extend(listing.problems.into_iter().map(|problem| post.problem(problem)));
        keep_few(index, &listing.items, plan);
        recorded.insert(index, listing.items.iter().filter_map(Item::id).collect());
        for item in listing.items {
            match news(posts, &mut known, post, &item) {
                Ok(Some((id, what))) => plan.news.push(News { post: index, item, id, what }),
                Ok(None) => {}
                Err(problem) if plan.problems.contains(&problem) => {}
                Err(problem) => plan.problems.push(*problem),
            }
        }
    }
    (known, recorded)
}

/// Closed records beyond a few hundred go into an archive when the sender commits anyway.
fn keep_few(post: usize, items: &[Item], plan: &mut Plan) {
    let is_closed = |item: &&Item| item.id().is_some() && archive::is_over(&item.task, Folder::Sent);
    let closed: Vec<Item> = items.iter().filter(is_closed).cloned().collect();
    if closed.len() > archive::MOST_LOOSE {
        plan.closed.push((post, closed));
    }
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
            Address::Unreachable | Address::Elsewhere | Address::Unknown => return Ok(None),
        },
    };
    let post = &posts.all[receiver];
    if let Some(there) = known.at(posts, receiver, id) {
        return Ok(changed(present, receipt_of(there, post)).map(|receipt| (id, Tidings::Receipt(receipt))));
    }
    if present.is_some_and(|receipt| receipt.stage.is_final()) {
        return Ok(None);
    }
    if let Some(problem) = known.unreadable(posts, receiver, id) {
        return Err(Box::new(post.problem(problem)));
    }
    missing(post, receiver, id, present)
        .map_err(|fault| Box::new(sender.problem(Problem::at(item.path.clone(), fault))))
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
            Account::Over(receipt) => receipt,
        },
    };
    Ok(changed(present, receipt).map(|receipt| (id, Tidings::Receipt(receipt))))
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
    let task = &item.task;
    let stage = match item.folder {
        Folder::Inbox => Stage::Delivered,
        Folder::Dead => Stage::Dead,
        Folder::Done if task.ending.as_ref().is_some_and(|e| e.state == State::Refused) => Stage::Refused,
        Folder::Done => Stage::Done,
        _ => Stage::Accepted,
    };
    let ending = task.ending.as_ref();
    let born = task.created.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    Receipt {
        stage,
        at: ending.map_or(born, |ending| ending.at),
        by: post.id.parse::<ProjectId>().ok(),
        note: ending.and_then(|ending| ending.note.clone()).map(fit_for_a_receipt),
    }
}

/// The newer receipt, if it says anything that the present one does not. Its time is filled in when it is written.
fn changed(present: Option<&Receipt>, new: Receipt) -> Option<Receipt> {
    let same =
        present.is_some_and(|old| old.stage == new.stage && (old.note == new.note || new.note.is_none()));
    (!same).then_some(new)
}
