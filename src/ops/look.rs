//! Reading tasks: one, many, by words.

use std::collections::HashSet;

use jiff::Timestamp;

use super::carrier;
use crate::domain::event::Event;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::problem::Problem;
use crate::domain::project::ProjectName;
use crate::domain::task::{Folder, State};
use crate::format::Document;
use crate::store::queue::{Item, Listing, Queue};
use crate::store::{archive, history, layout};

/// One task with everything that is known of it.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) item: Item,
    pub(crate) state: State,
    pub(crate) body: String,
    pub(crate) events: Vec<Event>,
}

/// Everything about one task, wherever it lies.
///
/// # Errors
/// Those of finding and reading it.
pub(crate) fn show(queue: &Queue, reference: &str, now: Timestamp) -> Result<Card> {
    let item = find_anywhere(queue, reference)?;
    let body = body(queue, &item)?;
    let events = match item.id() {
        Some(id) => history::events_of(queue, id)?,
        None => Vec::new(),
    };
    let state = item.task.state(item.folder, now);
    Ok(Card { item, state, body, events })
}

fn body(queue: &Queue, item: &Item) -> Result<String> {
    let bytes = crate::store::archive::read(queue, item)?;
    let document = Document::parse(&bytes, &queue.limits()).map_err(|m| m.at(&item.path))?;
    Ok(document.body().to_owned())
}

/// Live tasks first; then everywhere, archives included for a full id.
fn find_anywhere(queue: &Queue, reference: &str) -> Result<Item> {
    let live = [Folder::Tasks, Folder::Inbox, Folder::Outbox];
    match queue.find(reference, &live) {
        Ok(item) => Ok(item),
        Err(fault) => {
            if let Ok(id) = reference.parse()
                && let Some(item) = queue.anywhere(id)?
            {
                return Ok(item);
            }
            if fault.code == Code::Ambiguous {
                return Err(fault);
            }
            queue.find(reference, &layout::QUEUE_FOLDERS)
        }
    }
}

/// Which tasks a list shows.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Empty: all states of live tasks.
    pub(crate) states: Vec<State>,
    pub(crate) label: Option<String>,
    pub(crate) kind: Option<String>,
    /// The names of a project that the tasks are from or to.
    pub(crate) of: Option<Names>,
}

/// All names that one project has.
#[derive(Debug)]
pub(crate) struct Names {
    all: Vec<ProjectName>,
    /// Whether it is the project in whose queue they are: what names nobody is from and to it.
    is_own: bool,
}

impl Names {
    fn has(&self, name: Option<&str>) -> bool {
        name.map_or(self.is_own, |name| self.all.iter().any(|own| own.as_str() == name))
    }
}

/// Tasks as they stand at one moment.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    pub(crate) problems: Vec<Problem>,
    now: Timestamp,
}

impl Found {
    /// The state of one of the tasks.
    pub(crate) fn state(&self, item: &Item) -> State {
        item.task.state(item.folder, self.now)
    }
}

/// The folders that can hold a task in these states.
fn folders(states: &[State]) -> Vec<Folder> {
    let of = |state: &State| match state {
        State::Outbox => vec![Folder::Outbox],
        State::Sent => vec![Folder::Sent],
        State::Inbox => vec![Folder::Inbox],
        State::Deferred => vec![Folder::Inbox, Folder::Tasks],
        State::Ready | State::Claimed | State::Blocked => vec![Folder::Tasks],
        State::Done | State::Refused => vec![Folder::Done],
        State::Dead => vec![Folder::Dead],
        State::Gone => vec![],
    };
    let mut all: Vec<Folder> = states.iter().flat_map(of).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The tasks that pass a filter, in the order of folders and paths.
pub(crate) fn list(queue: &Queue, filter: &Filter, now: Timestamp) -> Found {
    let folders = match filter.states.as_slice() {
        [] => vec![Folder::Outbox, Folder::Inbox, Folder::Tasks],
        states => folders(states),
    };
    let Listing { mut items, mut problems } = queue.list_and_open(&folders);
    problems.extend(queue.in_two_files_among(&items).into_values());
    if folders.contains(&Folder::Done) || folders.contains(&Folder::Sent) {
        problems.extend(archive::problems(queue).unwrap_or_default());
        let mut archived = archive::all(queue).unwrap_or_default();
        if !archived.is_empty() {
            // What another clone has changed while this one put it away lies beside its archive.
            let loose: HashSet<_> = items.iter().filter_map(Item::id).collect();
            archived.retain(|item| item.id().is_none_or(|id| !loose.contains(&id)));
        }
        items.extend(archived);
    }
    items.retain(|item| passes(filter, item, now));
    // Those of one id, or of none, stay in the order of their paths, as they were read.
    put_in_order(&mut items, |item| (item.folder, item.id()));
    Found { items, problems, now }
}

/// The tasks that pass a filter and are from or to a project, whatever it was called when they were written.
///
/// # Errors
/// [`Code::InvalidValue`] for what is no name; [`Code::UnknownProject`] if nobody is known under it and no task names it.
pub(crate) fn list_of(queue: &Queue, filter: Filter, name: &str, now: Timestamp) -> Result<Found> {
    let own = &queue.settings;
    let name: ProjectName = if name == "." { (&own.id).into() } else { name.parse()? };
    let (registry, missing) = carrier::registry_in_view(queue)?;
    let entry = registry.resolve(&name);
    let is_own = queue.is_called(&name);
    let mut all = vec![name.clone()];
    if is_own {
        all.push((&own.id).into());
        all.extend(own.aliases.iter().cloned());
    } else if let Ok(project) = &entry {
        all.push((&project.entry.id).into());
        all.extend(project.entry.aliases.iter().cloned());
    }
    let found = list(queue, &Filter { of: Some(Names { all: all.clone(), is_own }), ..filter }, now);
    if is_own || entry.is_ok() || !found.items.is_empty() {
        return Ok(found);
    }
    let ever = Filter { states: State::ALL.to_vec(), of: Some(Names { all, is_own }), ..Filter::default() };
    if !list(queue, &ever, now).items.is_empty() {
        return Ok(found);
    }
    let text = format!("no project `{name}` is known here, and no task names it");
    let fault = Fault::new(Code::UnknownProject, text);
    Err(match missing {
        Some(missing) => fault.hint(missing.message),
        None => fault.hint("`swift list --state any` shows from and to whom tasks are"),
    })
}

/// Sort with each element moved once or twice, and looked at once: sorting in place would move each many times, and
/// tasks lie far apart in memory.
fn put_in_order<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    let mut order: Vec<(K, usize)> = items.iter().enumerate().map(|(at, item)| (key(item), at)).collect();
    order.sort_unstable();
    let mut order: Vec<usize> = order.into_iter().map(|(_, at)| at).collect();
    for at in 0..order.len() {
        // What belongs here may have been moved on already, to where an earlier swap has put it.
        let mut from = order[at];
        while from < at {
            from = order[from];
        }
        items.swap(at, from);
        order[at] = from;
    }
}

fn passes(filter: &Filter, item: &Item, now: Timestamp) -> bool {
    let task = &item.task;
    (filter.states.is_empty() || filter.states.contains(&task.state(item.folder, now)))
        && filter.label.as_ref().is_none_or(|label| task.labels.contains(label))
        && filter.kind.as_ref().is_none_or(|kind| task.kind.as_str() == kind)
        && filter.of.as_ref().is_none_or(|of| {
            of.has(task.from.as_ref().map(|from| from.as_str()))
                || of.has(task.to.as_ref().map(ProjectName::as_str))
        })
}

/// The tasks whose title, labels or body hold all these words, whatever their case.
///
/// # Errors
/// None of a single file's; those are problems of the result.
pub(crate) fn search(queue: &Queue, words: &[String], states: &[State], now: Timestamp) -> Result<Found> {
    let filter = Filter { states: states.to_vec(), ..Filter::default() };
    let mut found = list(queue, &filter, now);
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    found.items.retain(|item| holds(queue, item, &words));
    Ok(found)
}

fn holds(queue: &Queue, item: &Item, words: &[String]) -> bool {
    let head = format!("{}\n{}", item.task.title, item.task.labels.join("\n")).to_lowercase();
    if words.iter().all(|word| head.contains(word)) {
        return true;
    }
    let Ok(bytes) = archive::read(queue, item) else { return false };
    let Ok(document) = Document::parse(&bytes, &queue.limits()) else { return false };
    let text = document.body().to_lowercase();
    words.iter().all(|word| head.contains(word) || text.contains(word))
}

/// The newest events, newest first.
///
/// # Errors
/// Those of listing the log.
pub(crate) fn log(queue: &Queue, task: Option<&str>, most: usize) -> Result<history::Log> {
    let mut log = match task {
        Some(reference) => {
            let id = match reference.parse() {
                Ok(id) => id,
                Err(_) => find_anywhere(queue, reference)?.id().expect("found by its id"),
            };
            history::Log { events: history::events_of(queue, id)?, problems: Vec::new() }
        }
        None => return history::newest(queue, most),
    };
    log.events.reverse();
    log.events.truncate(most);
    Ok(log)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn put_in_order_is_a_stable_sort(items in proptest::collection::vec((0_u8..9, any::<u8>()), 0..60)) {
            let (mut own, mut theirs) = (items.clone(), items);
            put_in_order(&mut own, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(own, theirs);
        }
    }
}
