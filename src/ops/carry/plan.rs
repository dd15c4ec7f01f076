//! What a round has to do, found by reading only. The same plan is shown, approved by its hash, and carried out.

use jiff::{SignedDuration, Timestamp};

use super::post::{Address, Post, Posts};
use super::{deliver, receipts, taken_back, there};
use crate::domain::fault::{Code, Fault};
use crate::domain::id::TaskId;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectName;
use crate::domain::task::{Folder, Receipt, Task};
use crate::domain::text::{as_word, shown};
use crate::format::audit::digest as content_hash;
use crate::store::queue::{Item, Listing, Queue};
use crate::store::tx::Operation;
use crate::store::unattended;

/// A task that is to be carried.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Indices of posts.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) item: Item,
    /// How far it is at its receiver, which has it already: all that is left to carry is that.
    pub(crate) there: Option<Receipt>,
}

impl Letter {
    /// A letter that its receiver is not known to have.
    pub(crate) fn new(from: usize, to: usize, item: Item) -> Letter {
        Letter { from, to, item, there: None }
    }
}

/// A receipt that the sender does not know yet.
#[derive(Debug, Clone)]
pub(crate) struct News {
    /// Index of the sender's post.
    pub(crate) post: usize,
    pub(crate) item: Item,
    pub(crate) id: TaskId,
    pub(crate) what: Tidings,
}

/// What is new about a sent task.
#[derive(Debug, Clone)]
pub(crate) enum Tidings {
    Receipt(Receipt),
    /// The receiver never heard of it (restored from a backup): carry it again, to this post.
    Lost(usize),
}

/// A task that has waited too long for a receiver that is not there.
#[derive(Debug, Clone)]
pub(crate) struct Stranded {
    pub(crate) post: usize,
    pub(crate) item: Item,
    pub(crate) reason: String,
}

/// Everything that a round has to do.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) letters: Vec<Letter>,
    pub(crate) news: Vec<News>,
    pub(crate) stranded: Vec<Stranded>,
    /// What a receiver has, and its sender has taken back when it had arrived.
    pub(crate) taken_back: Vec<Letter>,
    pub(crate) problems: Vec<Problem>,
    /// Senders that have more closed records than are kept loose, and when those were closed that stay.
    pub(crate) closed: Vec<(usize, Timestamp)>,
    /// Posts in which something was written that could not be committed, and can be now.
    pub(crate) owing: Vec<usize>,
    /// Tasks that cannot be delivered now, by project and path.
    pub(crate) held: Vec<String>,
    /// Ids of the posts, by index.
    pub(crate) posts: Vec<String>,
    /// SHA-256 over what the plan was made from; a yes is bound to it.
    pub(crate) basis: String,
}

impl Plan {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
            && self.news.is_empty()
            && self.stranded.is_empty()
            && self.taken_back.is_empty()
            && self.owing.is_empty()
    }

    /// The ids of all projects that the round will touch, sorted.
    pub(crate) fn projects(&self) -> Vec<String> {
        let mut all: Vec<usize> = self.letters.iter().flat_map(|letter| [letter.from, letter.to]).collect();
        all.extend(self.news.iter().map(|news| news.post));
        all.extend(self.stranded.iter().map(|stranded| stranded.post));
        all.extend(self.taken_back.iter().map(|letter| letter.from));
        all.extend(&self.owing);
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(|post| self.posts[post].clone()).collect()
    }
}

/// The hash of everything that a round would act on, files with their content.
pub(crate) fn basis(posts: &Posts, plan: &Plan) -> String {
    let mut text = String::new();
    let content = |post: usize, path: &str| {
        let bytes = posts.all[post].queue.read(path).ok().flatten().unwrap_or_default();
        content_hash(&bytes)
    };
    for letter in &plan.letters {
        let (path, to) = (&letter.item.path, &plan.posts[letter.to]);
        let there = letter.there.as_ref().map(|receipt| receipt.stage.to_string()).unwrap_or_default();
        text.push_str(&format!("letter {to} {path} {} {there}\n", content(letter.from, path)));
    }
    for news in &plan.news {
        text.push_str(&format!("news {:?} {} {:?}\n", plan.posts[news.post], news.id, news.what));
    }
    for stranded in &plan.stranded {
        let path = &stranded.item.path;
        text.push_str(&format!("stranded {path} {}\n", content(stranded.post, path)));
    }
    for letter in &plan.taken_back {
        let (path, from) = (&letter.item.path, &plan.posts[letter.from]);
        text.push_str(&format!("taken back {from} {path} {}\n", content(letter.to, path)));
    }
    for post in &plan.owing {
        text.push_str(&format!("owing {}\n", plan.posts[*post]));
    }
    content_hash(text.as_bytes())
}

/// Read all outboxes and sent records, and compare the latter with the receivers' queues.
pub(crate) fn make(posts: &Posts, operation: &Operation<'_>) -> Plan {
    let mut plan = Plan {
        posts: posts.all.iter().map(|post| post.id.clone()).collect(),
        problems: posts.problems.clone(),
        ..Plan::default()
    };
    for (index, listing) in posts.list(&[Folder::Outbox], |index| posts.sends(index)) {
        outbox(posts, index, listing, operation, &mut plan);
    }
    let (mut known, recorded) = receipts::compare(posts, operation.at, &mut plan);
    taken_back::find(posts, &mut known, &recorded, &mut plan);
    there::compare(posts, &known, operation.at, &mut plan);
    plan.owing = (0..posts.all.len()).filter(|index| posts.all[*index].owes()).collect();
    plan
}

fn outbox(posts: &Posts, index: usize, listing: Listing, operation: &Operation<'_>, plan: &mut Plan) {
    let post = &posts.all[index];
    let problems = listing.problems.into_iter().map(|problem| with_age(&post.queue, problem));
    plan.problems.extend(problems.map(|problem| post.problem(problem)));
    for item in listing.items {
        let is_for_others = posts.address(&item.task) == Address::Elsewhere;
        if is_for_others || operation.leaves_alone(&post.queue, &item.path) {
            continue;
        }
        let to = check(posts, index, &item.task).and_then(|to| fits(posts, index, to, &item).map(|()| to));
        match to {
            Ok(to) => plan.letters.push(Letter::new(index, to, item)),
            Err(fault) => hold_back(posts, index, item, fault, operation.at, plan),
        }
    }
}

fn check(posts: &Posts, index: usize, task: &Task) -> Result<usize, Fault> {
    let post = &posts.all[index];
    if let Some(from) = &task.from
        && !post.is(from.as_str())
    {
        return Err(Fault::new(
            Code::ForgedSender,
            format!("the task says that it is from `{from}`, and lies in the outbox of `{}`", post.id),
        )
        .hint(format!("set `from = \"{}\"` in its head, or remove the line", post.id)));
    }
    let Some(to) = &task.to else {
        return Err(Fault::new(Code::UnknownProject, "the task does not say whom it is for")
            .hint("add a line such as `to = \"acme/api\"` to its head"));
    };
    match posts.address(task) {
        Address::Post(to) => on_a_branch(&posts.all[to]).map(|()| to),
        Address::Unreachable => {
            let why = posts.problems.iter().find(|p| p.project.as_deref() == Some(to.as_str()));
            let why = why.map_or_else(|| "it cannot be reached now".to_owned(), |p| p.fault.message.clone());
            Err(Fault::new(Code::Unreachable, format!("`{to}` cannot be reached: {why}")))
        }
        Address::Elsewhere | Address::Unknown => {
            let fault = posts.registry.resolve(to).err().unwrap_or_else(|| {
                Fault::new(Code::UnknownProject, format!("no project `{to}` is registered"))
            });
            Err(match posts.all.iter().find(|post| post.is(to.as_str())) {
                Some(post) if fault.code == Code::UnknownProject => of_that_name(post, to, fault),
                _ => fault,
            })
        }
    }
}

/// What is committed on no branch the next checkout leaves behind: the sender would have a receipt for a task that nobody
/// sees any more.
fn on_a_branch(receiver: &Post) -> Result<(), Fault> {
    if !receiver.queue.home.is_on_no_branch() {
        return Ok(());
    }
    let root = &receiver.queue.home.root;
    let folder = as_word(root.parent().unwrap_or(root));
    let text =
        format!("`{}` has a detached HEAD, and a task that arrives there is on no branch", receiver.id);
    Err(Fault::new(Code::InProgress, text)
        .hint(format!(
            "`git -C {folder} switch -c NAME` makes a branch of it, `git -C {folder} switch -` goes back"
        ))
        .hint("the next round delivers it"))
}

/// A project's own file names it so, and nobody has taken that over into the registry yet.
fn of_that_name(post: &Post, name: &ProjectName, fault: Fault) -> Fault {
    let folder = post.queue.home.root.parent().unwrap_or(&post.queue.home.root).display().to_string();
    let text = format!("`{}` calls itself `{name}` since it was registered: ", post.id);
    let command = format!("`swift register {}` enters the name", shell_words::quote(&folder));
    Fault { hints: vec![format!("{text}{command}")], ..fault }
}

/// What the receiver could not read stays where it is.
fn fits(posts: &Posts, from: usize, to: usize, item: &Item) -> Result<(), Fault> {
    let (sender, receiver) = (&posts.all[from].queue, &posts.all[to]);
    if from == to || item.stamp.size <= receiver.queue.settings.max_bytes {
        return Ok(());
    }
    let parcel = deliver::parcel(sender.document(&item.path)?, &sender.settings.id);
    receiver.takes(&parcel.to_bytes())
}

/// The task stays where it is and is listed with its age; after the days that the settings allow it is given up.
pub(super) fn hold_back(
    posts: &Posts,
    index: usize,
    item: Item,
    fault: Fault,
    now: Timestamp,
    plan: &mut Plan,
) {
    let post = &posts.all[index];
    let age = age(&post.queue, &item, now);
    let days = post.queue.settings.undeliverable_after_days;
    let limit = SignedDuration::from_hours(24 * i64::from(days));
    let is_stranded = is_for_good(fault.code);
    let key = format!("{} {}", post.id, item.path);
    let tries = posts.attempts.get(&key).copied().unwrap_or(0);
    let most = post.queue.settings.undeliverable_attempts;
    let too_old = days > 0 && age >= limit;
    if is_stranded && (too_old || most > 0 && tries >= most) {
        let how_long =
            if too_old { format!("{} days", age.as_hours() / 24) } else { format!("{tries} rounds") };
        let reason = format!("undeliverable for {how_long}: {}", fault.message);
        plan.stranded.push(Stranded { post: index, item, reason });
        return;
    }
    plan.held.extend(is_stranded.then_some(key));
    let mut fault = fault;
    fault.message =
        format!("{} (“{}”, waiting for {})", fault.message, shown(&item.task.title), days_text(age));
    plan.problems.push(Problem::at(item.path, fault).of(&post.id));
}

/// Whether only a person can make the task one that arrives; what the disk or git has refused may work the next time.
fn is_for_good(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownProject
            | Code::Unreachable
            | Code::Ambiguous
            | Code::ForgedSender
            | Code::Collision
            | Code::TooLarge
    )
}

/// A file that cannot be read as a task does not say since when it waits; its place does.
fn with_age(queue: &Queue, problem: Problem) -> Problem {
    let Some(age) = unattended::age(queue, &problem.path).filter(|_| !problem.path.is_empty()) else {
        return problem;
    };
    let message = format!("{} (lies there for {})", problem.fault.message, days_text(age));
    Problem { fault: Fault { message, ..problem.fault }, ..problem }
}

/// How long the task has been waiting: since it was written, or since it was put back. A file that was written by hand, and
/// that no verb has taken in, says nothing of that itself.
fn age(queue: &Queue, item: &Item, now: Timestamp) -> SignedDuration {
    let task = &item.task;
    let born = task.id.and_then(|id| Timestamp::from_millisecond(id.milliseconds() as i64).ok());
    let since = task.defer_until.max(task.created).or(born);
    let of_file = || unattended::age(queue, &item.path).unwrap_or(SignedDuration::ZERO);
    since.map_or_else(of_file, |since| now.duration_since(since))
}

fn days_text(age: SignedDuration) -> String {
    match age.as_hours() {
        ..1 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        hours @ 2..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}
