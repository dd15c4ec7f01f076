//! One task as the cache has it, and back.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::actor::Actor;
use crate::domain::id::TaskId;
use crate::domain::lease::Lease;
use crate::domain::project::{ProjectId, ProjectName};
use crate::domain::route::Tier;
use crate::domain::task::{Dependency, Effort, Ending, Kind, Priority, Receipt, Stage, State, Task};

/// A word is not what it was when it was written, which makes the file be read again.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// Names that many tasks have in common; copies of them share one text.
#[derive(Debug, Default)]
pub(crate) struct Words {
    ids: Shared<ProjectId>,
    names: Shared<ProjectName>,
    kinds: Shared<Kind>,
    actors: Shared<Actor>,
}

/// The names of one sort that came before, the last ones first.
#[derive(Debug)]
struct Shared<T>(Vec<T>);

/// How many names are looked through before one is read anew.
const REMEMBERED: usize = 32;

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Shared(Vec::new())
    }
}

impl<T: FromStr + Clone> Shared<T> {
    fn get(&mut self, text: &str, as_text: impl Fn(&T) -> &str) -> Result<T, Unreadable> {
        let known = self.0.iter().position(|one| as_text(one) == text);
        let at = match known {
            Some(at) => at,
            None => {
                self.0.truncate(REMEMBERED - 1);
                self.0.push(text.parse().map_err(|_| Unreadable)?);
                self.0.len() - 1
            }
        };
        self.0.swap(0, at);
        Ok(self.0[0].clone())
    }
}

impl Words {
    pub(super) fn id(&mut self, text: Option<&str>) -> Result<Option<ProjectId>, Unreadable> {
        text.map(|text| self.ids.get(text, ProjectId::as_str)).transpose()
    }

    fn name(&mut self, text: Option<&str>) -> Result<Option<ProjectName>, Unreadable> {
        text.map(|text| self.names.get(text, ProjectName::as_str)).transpose()
    }

    fn actor(&mut self, text: Option<&str>) -> Result<Option<Actor>, Unreadable> {
        text.map(|text| self.actors.get(text, Actor::as_str)).transpose()
    }
}

/// Seconds and nanoseconds since 1970.
type Instant = (i64, i32);

/// The file's form of a [`Task`]: what is asked of every task, and then how far it has come and the rest, each decoded when
/// it is wanted.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) id: Option<u128>,
    pub(super) from: Option<&'a str>,
    facts: Facts<'a>,
}

#[derive(Debug)]
enum Facts<'a> {
    /// As they are in the cache.
    Kept(&'a [u8]),
    Read(Box<(Course<'a>, Body<'a>)>),
}

/// How far a task has come: what lists of finished work, which is most of a queue, ask of every row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Course<'a> {
    created: Option<Instant>,
    lease: Option<(&'a str, u64, Instant)>,
    #[serde(borrow)]
    receipt: Option<(u8, Instant, Option<&'a str>, Option<&'a str>)>,
    #[serde(borrow)]
    ending: Option<(&'a str, Instant, Option<&'a str>, Option<&'a str>)>,
}

/// Most of a [`Task`].
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Body<'a> {
    title: &'a str,
    to: Option<&'a str>,
    kind: &'a str,
    priority: u8,
    effort: u8,
    #[serde(borrow)]
    labels: Vec<&'a str>,
    after: Vec<(Option<&'a str>, u128)>,
    token: u64,
    attempts: u32,
    rest: Option<Rest<'a>>,
}

/// What most tasks do not have.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rest<'a> {
    due: Option<(i16, i8, i8)>,
    tier: Option<u8>,
    model: Option<&'a str>,
    blocked: Option<&'a str>,
    defer_until: Option<Instant>,
}

/// How far a sent task has come, by a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard<'a> {
    pub(crate) stage: Stage,
    pub(crate) at: Timestamp,
    /// The id of the project that has it.
    pub(crate) by: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
}

/// How far a task has come, by a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress<'a> {
    pub(crate) created: Option<Timestamp>,
    pub(crate) lease_until: Option<Timestamp>,
    /// If it was sent.
    pub(crate) heard: Option<Heard<'a>>,
    /// If it is over.
    pub(crate) ended: Option<Ended<'a>>,
}

/// How a task ended, by a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended<'a> {
    pub(crate) state: State,
    pub(crate) at: Timestamp,
    pub(crate) note: Option<&'a str>,
}

impl<'a> From<&'a Task> for Row<'a> {
    fn from(task: &'a Task) -> Self {
        Row {
            id: task.id.map(TaskId::number),
            from: task.from.as_ref().map(|from| from.as_str()),
            facts: Facts::Read(Box::new((Course::from(task), Body::from(task)))),
        }
    }
}

impl<'a> From<&'a Task> for Course<'a> {
    fn from(task: &'a Task) -> Self {
        let Task { created, lease, receipt, ending, .. } = task;
        Course {
            created: created.map(instant),
            lease: lease.as_ref().map(|l| (l.holder.as_str(), l.token, instant(l.expires_at))),
            receipt: receipt.as_ref().map(|r| {
                (r.stage as u8, instant(r.at), r.by.as_ref().map(|by| by.as_str()), r.note.as_deref())
            }),
            ending: ending.as_ref().map(|e| {
                (e.state.as_str(), instant(e.at), e.by.as_ref().map(|by| by.as_str()), e.note.as_deref())
            }),
        }
    }
}

impl<'a> From<&'a Task> for Body<'a> {
    fn from(task: &'a Task) -> Self {
        let Task { due, tier, model, blocked, defer_until, .. } = task;
        let rest = Rest {
            due: due.map(|due| (due.year(), due.month(), due.day())),
            tier: tier.map(|tier| tier as u8),
            model: model.as_ref().map(|model| model.as_str()),
            blocked: blocked.as_deref(),
            defer_until: defer_until.map(instant),
        };
        let plain =
            due.is_none() && tier.is_none() && model.is_none() && blocked.is_none() && defer_until.is_none();
        Body {
            title: &task.title,
            to: task.to.as_ref().map(|to| to.as_str()),
            kind: task.kind.as_str(),
            priority: task.priority as u8,
            effort: task.effort as u8,
            labels: task.labels.iter().map(String::as_str).collect(),
            after: task
                .after
                .iter()
                .map(|d| (d.project.as_ref().map(|project| project.as_str()), d.task.number()))
                .collect(),
            token: task.token,
            attempts: task.attempts,
            rest: (!plain).then_some(rest),
        }
    }
}

impl<'a> Row<'a> {
    /// The bytes that stand for a task in the cache.
    pub(super) fn bytes_of(task: &Task) -> Vec<u8> {
        let row = Row::from(task);
        let Facts::Read(facts) = row.facts else { unreachable!("it was made of a task") };
        postcard::to_stdvec(&(row.id, row.from, *facts)).expect("rows hold nothing that cannot be written")
    }

    /// The row that these bytes are.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Row<'a>> {
        let ((id, from), facts) = postcard::take_from_bytes(bytes).ok()?;
        Some(Row { id, from, facts: Facts::Kept(facts) })
    }

    fn course(&self) -> Result<Course<'a>, Unreadable> {
        match &self.facts {
            Facts::Kept(bytes) => {
                postcard::take_from_bytes(bytes).map(|(course, _)| course).map_err(|_| Unreadable)
            }
            Facts::Read(facts) => Ok(facts.0),
        }
    }

    fn facts(&self) -> Result<Cow<'_, (Course<'a>, Body<'a>)>, Unreadable> {
        match &self.facts {
            Facts::Kept(bytes) => postcard::from_bytes(bytes).map(Cow::Owned).map_err(|_| Unreadable),
            Facts::Read(facts) => Ok(Cow::Borrowed(facts)),
        }
    }

    /// Back to a task.
    pub(super) fn task(&self, words: &mut Words) -> Result<Task, Unreadable> {
        let dependency = |(project, task): &(Option<&str>, u128)| {
            Ok(Dependency { project: parsed(*project)?, task: TaskId::from_number(*task) })
        };
        let facts = self.facts()?;
        let (course, body) = &*facts;
        let plain = Task {
            id: self.id.map(TaskId::from_number),
            from: words.id(self.from)?,
            to: words.name(body.to)?,
            kind: words.kinds.get(body.kind, Kind::as_str)?,
            priority: known(Priority::ALL, body.priority)?,
            effort: known(Effort::ALL, body.effort)?,
            labels: body.labels.iter().map(|label| (*label).to_owned()).collect(),
            after: body.after.iter().map(dependency).collect::<Result<_, Unreadable>>()?,
            token: body.token,
            attempts: body.attempts,
            ..course.complete(Task::titled(body.title), words)?
        };
        match &body.rest {
            None => Ok(plain),
            Some(rest) => rest.complete(plain),
        }
    }

    /// How far it has come and how it stands.
    pub(super) fn progress(&self) -> Result<Progress<'a>, Unreadable> {
        let course = self.course()?;
        let heard = |(stage, at, by, note)| {
            Ok(Heard { stage: known(Stage::ALL, stage)?, at: timestamp(at)?, by, note })
        };
        let ended = |(state, at, _, note): (&str, Instant, Option<&str>, Option<&'a str>)| {
            Ok(Ended { state: state.parse().map_err(|_| Unreadable)?, at: timestamp(at)?, note })
        };
        Ok(Progress {
            created: course.created.map(timestamp).transpose()?,
            lease_until: course.lease.map(|(_, _, at)| timestamp(at)).transpose()?,
            heard: course.receipt.map(heard).transpose()?,
            ended: course.ending.map(ended).transpose()?,
        })
    }
}

impl Course<'_> {
    fn complete(&self, task: Task, words: &mut Words) -> Result<Task, Unreadable> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let lease = match self.lease {
            Some((holder, token, at)) => {
                let holder = words.actor(Some(holder))?.ok_or(Unreadable)?;
                Some(Lease { holder, token, expires_at: timestamp(at)? })
            }
            None => None,
        };
        let receipt = match self.receipt {
            Some((stage, at, by, note)) => {
                let (stage, by) = (known(Stage::ALL, stage)?, words.id(by)?);
                Some(Receipt { stage, at: timestamp(at)?, by, note: text(note) })
            }
            None => None,
        };
        let ending = match self.ending {
            Some((state, at, by, note)) => {
                let state = state.parse::<State>().map_err(|_| Unreadable)?;
                Some(Ending { state, at: timestamp(at)?, by: words.actor(by)?, note: text(note) })
            }
            None => None,
        };
        Ok(Task { created: self.created.map(timestamp).transpose()?, lease, receipt, ending, ..task })
    }
}

impl Rest<'_> {
    fn complete(&self, task: Task) -> Result<Task, Unreadable> {
        let due = |(year, month, day)| Date::new(year, month, day).map_err(|_| Unreadable);
        Ok(Task {
            due: self.due.map(due).transpose()?,
            tier: self.tier.map(|tier| known(Tier::ALL, tier)).transpose()?,
            model: parsed(self.model)?,
            blocked: self.blocked.map(str::to_owned),
            defer_until: self.defer_until.map(timestamp).transpose()?,
            ..task
        })
    }
}

fn instant(at: Timestamp) -> Instant {
    (at.as_second(), at.subsec_nanosecond())
}

fn timestamp((seconds, nanoseconds): Instant) -> Result<Timestamp, Unreadable> {
    Timestamp::new(seconds, nanoseconds).map_err(|_| Unreadable)
}

/// The value with this number.
fn known<T: Copy>(all: &[T], number: u8) -> Result<T, Unreadable> {
    all.get(usize::from(number)).copied().ok_or(Unreadable)
}

fn parsed<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Unreadable> {
    text.map(|text| text.parse().map_err(|_| Unreadable)).transpose()
}
