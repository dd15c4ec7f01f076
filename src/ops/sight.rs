//! A look at one project: what could be done in it now. Reads only, takes no lock, and reads no more than it is asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::scheduler::{Reads, Sight};
use crate::domain::task::{Folder, State, Task};
use crate::format::audit::digest;
use crate::store::git::Reach;
use crate::store::queue::{Glimpse, Item, Queue, Taker, Unreadable};
use crate::store::registry::Registry;
use crate::store::unattended::Unattended;

use super::upkeep::{self, Asked};

/// Where letters can go.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The orchestrator's own id and other names; the id comes first.
    pub(crate) own: Vec<ProjectName>,
    pub(crate) registry: Registry,
}

impl Directory {
    /// Read from an orchestrator.
    ///
    /// # Errors
    /// Those of reading the registry.
    pub(crate) fn read(orchestrator: &Queue) -> Result<Directory> {
        let mut own: Vec<ProjectName> = vec![(&orchestrator.settings.id).into()];
        own.extend(orchestrator.settings.aliases.iter().cloned());
        Ok(Directory { own, registry: Registry::read(orchestrator)? })
    }

    /// The id of the registered project that a task is for.
    fn receiver(&self, task: &Task) -> Option<String> {
        let name = task.to.as_ref()?;
        if self.own.contains(name) {
            return Some(self.own[0].as_str().to_owned());
        }
        self.registry.resolve(name).ok().map(|project| project.entry.id.to_string())
    }
}

/// Look at a project. What cannot be read is told beside what was seen.
///
/// # Errors
/// Those of reading the newest commit.
pub(crate) fn look(
    queue: &Queue,
    directory: &Directory,
    unattended: &Unattended,
    (wanted, known): (Reads, Option<&str>),
    now: Timestamp,
) -> Result<(Sight, Vec<Problem>)> {
    let tip = queue.home.head()?;
    let others = wanted.commits && tip.as_deref() != known;
    let reads = Reads {
        outbox: wanted.outbox || others,
        inbox: wanted.inbox || others,
        standing: wanted.standing || others,
        ..wanted
    };
    let sight = Sight { reads, auto: queue.settings.auto.clone(), tip, ..Sight::default() };
    let mut look = Look { queue, directory, unattended, sight, problems: Vec::new() };
    if reads.outbox {
        look.outbox();
    }
    if reads.inbox {
        look.inbox(now);
    }
    if reads.standing {
        look.standing();
    }
    if reads.records {
        look.records();
    }
    look.broken();
    Ok((look.sight, look.problems))
}

struct Look<'a> {
    queue: &'a Queue,
    directory: &'a Directory,
    unattended: &'a Unattended,
    sight: Sight,
    problems: Vec<Problem>,
}

impl Look<'_> {
    fn list(&mut self, folders: &[Folder]) -> Vec<Item> {
        let listing = self.queue.list_within(folders, Reach::Names);
        self.problems.extend(listing.problems);
        listing.items
    }

    /// Whether a file may be taken; if not, it is looked at again when it may.
    fn is_still(&mut self, item: &Item) -> bool {
        let rest = self.unattended.rest(self.queue, &item.path);
        self.sight.rest = shorter(self.sight.rest, rest);
        rest.is_none()
    }

    fn outbox(&mut self) {
        for item in self.list(&[Folder::Outbox]) {
            if !self.is_still(&item) {
                continue;
            }
            match self.directory.receiver(&item.task) {
                Some(id) => drop(self.sight.letters.insert(id)),
                None => self.sight.has_stray = true,
            }
        }
    }

    fn inbox(&mut self, now: Timestamp) {
        for item in self.list(&[Folder::Inbox]) {
            let accepts = self.sight.auto.accept.rule_for(&item.task).is_some();
            if !accepts || !self.is_still(&item) {
                continue;
            }
            if item.task.state(Folder::Inbox, now) == State::Deferred {
                self.sight.deferred_until = earlier(self.sight.deferred_until, item.task.defer_until);
            } else {
                self.sight.has_acceptable = true;
            }
        }
    }

    fn standing(&mut self) {
        let folders = [Folder::Tasks, Folder::Done, Folder::Dead];
        let glance = self.queue.glance(&folders, Reach::Names, &Standing(&self.queue.settings.id));
        self.problems.extend(glance.problems);
        let mut told = String::new();
        for stand in glance.taken {
            self.sight.lease_until = earlier(self.sight.lease_until, stand.lease_until);
            if let Some((from, line)) = stand.told {
                self.sight.senders.insert(from);
                told.push_str(&line);
            }
        }
        self.sight.standing = digest(told.as_bytes());
    }

    fn records(&mut self) {
        let asked = Asked::read(self.queue);
        let glance = self.queue.glance(&[Folder::Sent], Reach::Names, &Awaiting);
        self.problems.extend(glance.problems);
        for item in glance.taken {
            let by = item.task.receipt.as_ref().and_then(|receipt| receipt.by.as_ref());
            self.sight
                .awaited
                .extend(by.map(ToString::to_string).or_else(|| self.directory.receiver(&item.task)));
            self.sight.ask_at = earlier(self.sight.ask_at, asked.next(self.queue, &item));
        }
    }

    /// A file that is still being written is no problem yet.
    fn broken(&mut self) {
        let (queue, after) = (self.queue, self.sight.auto.quarantine_after);
        for problem in &self.problems {
            let rest = upkeep::rest_of_broken(queue, problem, after).map(|rest| rest.unsigned_abs());
            self.sight.put_aside_in = shorter(self.sight.put_aside_in, rest);
        }
        let (unattended, sight) = (self.unattended, &mut self.sight);
        self.problems.retain(|problem| {
            let rest = unattended.rest(queue, &problem.path).filter(|_| !problem.path.is_empty());
            sight.rest = shorter(sight.rest, rest);
            rest.is_none()
        });
    }
}

/// What counts of an accepted task.
struct Stand {
    lease_until: Option<Timestamp>,
    /// The sender, and a line of what it is told.
    told: Option<(String, String)>,
}

/// Takes what is from somebody else than this project, and what is claimed.
struct Standing<'a>(&'a ProjectId);

impl Taker for Standing<'_> {
    type Taken = Stand;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> std::result::Result<Option<Stand>, Unreadable> {
        let is_open = glimpse.folder() == Folder::Tasks;
        let lease_until = if is_open { glimpse.progress()?.lease_until } else { None };
        let from = glimpse.from().filter(|from| *from != self.0.as_str()).map(str::to_owned);
        let told = match from {
            Some(from) => Some((from, line(glimpse)?)),
            None => None,
        };
        Ok((lease_until.is_some() || told.is_some()).then_some(Stand { lease_until, told }))
    }
}

/// Takes the records of sent tasks of which something is still to be heard.
struct Awaiting;

impl Taker for Awaiting {
    type Taken = Item;

    fn take(&self, glimpse: &mut Glimpse<'_>) -> std::result::Result<Option<Item>, Unreadable> {
        let is_over = glimpse.progress()?.heard.is_some_and(|heard| heard.stage.is_final());
        if is_over { Ok(None) } else { glimpse.item().map(Some) }
    }
}

/// What a sender is told of a task.
fn line(glimpse: &Glimpse<'_>) -> std::result::Result<String, Unreadable> {
    let id = glimpse.id().map(|id| id.to_string()).unwrap_or_default();
    let ended = glimpse.progress()?.ended;
    let state = ended.map(|ended| ended.state.as_str()).unwrap_or_default();
    let note = ended.and_then(|ended| ended.note).unwrap_or_default();
    Ok(format!("{id} {} {state} {note:?}\n", glimpse.folder()))
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

fn shorter(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}

/// The ids of all projects among these names, for those who tell of them.
pub(crate) fn ids(directory: &Directory) -> BTreeSet<String> {
    let own = directory.own.first().map(|name| name.as_str().to_owned());
    own.into_iter().chain(directory.registry.projects.iter().map(|p| p.entry.id.to_string())).collect()
}
