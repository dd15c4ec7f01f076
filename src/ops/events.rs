//! One ordered stream of the events of all projects, from a cursor on.
//!
//! What is committed comes in the order of event ids, over all projects; a merge that brings older events brings
//! them in their turn, and the cursor knows that they were not told before. Then comes what is not committed yet.
//! Segments are opened when their turn comes and closed when they are told, so memory does not grow with the log.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::PathBuf;

use super::members::{self, Member};
use crate::domain::cursor::{Cursor, Position, ProjectKey};
use crate::domain::event::Event;
use crate::domain::fault::Result;
use crate::domain::problem::Problem;
use crate::domain::project::ProjectId;
use crate::format::cursor::project_key;
use crate::store::queue::Queue;
use crate::store::stream::{Known, Opened, Source};

/// What a follower learned about segments, by project, so that the next look is cheaper.
pub(crate) type Memory = HashMap<ProjectKey, Known>;

/// An event and whose it is.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) project: ProjectId,
    pub(crate) event: Event,
}

/// What the stream is telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Committed,
    Uncommitted,
}

/// The events that a reader does not know yet.
pub(crate) struct Stream {
    sources: Vec<Project>,
    /// The next event of each open segment, the earliest first: where it stands, and whose it is.
    next: BinaryHeap<Reverse<(Position, usize, usize)>>,
    open: Vec<Option<Opened>>,
    phase: Phase,
    /// Behind the last event that was told; of this telling, not of an earlier one.
    position: Position,
    /// As it was in the beginning: what it says of projects that cannot be read now stays.
    cursor: Cursor,
    problems: Vec<Problem>,
}

/// A project's log in the stream.
struct Project {
    id: ProjectId,
    key: ProjectKey,
    source: Source,
    /// Segments that are open.
    open: usize,
}

impl Stream {
    /// Everything that a reader at this cursor has not been told.
    ///
    /// # Errors
    /// Those of reading the registry; a project that cannot be read is a problem of the stream.
    pub(crate) fn open(queue: &Queue, mut cursor: Cursor, memory: &mut Memory) -> Result<Stream> {
        let (members, problems) = members::all(queue)?;
        hand_over_marks(&members, &mut cursor);
        let mut stream = Stream {
            sources: Vec::new(),
            next: BinaryHeap::new(),
            open: Vec::new(),
            phase: Phase::Committed,
            position: Position::START,
            cursor,
            problems,
        };
        for member in members {
            let key = project_key(&member.id);
            let known = memory.remove(&key).unwrap_or_default();
            let source = member.queue.and_then(|queue| Source::open(queue, key, &stream.cursor, known));
            match source {
                Ok(source) => stream.sources.push(Project { id: member.id, key, source, open: 0 }),
                Err(fault) => stream.problems.push(Problem::at("", fault).of(member.id.as_str())),
            }
        }
        stream.settle();
        Ok(stream)
    }

    /// The next event; `None` when all are told that there are now.
    pub(crate) fn next(&mut self) -> Option<Told> {
        loop {
            self.open_what_has_begun();
            if let Some(Reverse((position, project, segment))) = self.next.pop() {
                return Some(self.tell(position, project, segment));
            }
            if !self.go_on() {
                return None;
            }
        }
    }

    /// Open every segment that may have an event earlier than all that are waiting.
    fn open_what_has_begun(&mut self) {
        loop {
            let earliest = self.next.peek().map(|Reverse((position, ..))| *position);
            let began = |(index, project): (usize, &Project)| Some((project.source.next_began()?, index));
            let Some((began, index)) = self.sources.iter().enumerate().filter_map(began).min() else {
                return;
            };
            if earliest.is_some_and(|earliest| earliest < began) {
                return;
            }
            let opened = self.sources[index].source.open_next();
            self.take(index, opened);
            self.settle_one(index);
        }
    }

    fn take(&mut self, project: usize, opened: Opened) {
        let Some((position, _)) = opened.events.front() else { return };
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        self.next.push(Reverse((*position, project, free)));
        if free == self.open.len() {
            self.open.push(None);
        }
        self.open[free] = Some(opened);
        self.sources[project].open += 1;
    }

    fn tell(&mut self, position: Position, project: usize, segment: usize) -> Told {
        let opened = self.open[segment].as_mut().expect("what waits is open");
        let (_, event) = opened.events.pop_front().expect("what waits is there");
        match opened.events.front() {
            Some((next, _)) => self.next.push(Reverse((*next, project, segment))),
            None => {
                self.open[segment] = None;
                self.sources[project].open -= 1;
            }
        }
        self.position = position.after();
        if self.phase == Phase::Uncommitted {
            self.sources[project].source.told(position);
        }
        self.settle_one(project);
        Told { project: self.sources[project].id.clone(), event }
    }

    /// All of a project's committed events are told as soon as none is left.
    fn settle_one(&mut self, index: usize) {
        let project = &mut self.sources[index];
        if self.phase == Phase::Committed && project.open == 0 && project.source.next_began().is_none() {
            project.source.settle();
        }
    }

    fn settle(&mut self) {
        (0..self.sources.len()).for_each(|index| self.settle_one(index));
    }

    /// Nothing waits: look whether HEAD has moved on, and then at what is not committed.
    fn go_on(&mut self) -> bool {
        if self.phase == Phase::Uncommitted {
            return false;
        }
        let mut again = false;
        for project in &mut self.sources {
            match project.source.aim_again() {
                Ok(is_new) => again |= is_new,
                Err(fault) => self.problems.push(Problem::at("", fault).of(project.id.as_str())),
            }
        }
        if again {
            self.position = Position::START;
            self.settle();
            return true;
        }
        self.phase = Phase::Uncommitted;
        for index in 0..self.sources.len() {
            match self.sources[index].source.uncommitted() {
                Ok(all) => all.into_iter().for_each(|opened| self.take(index, opened)),
                Err(fault) => {
                    self.problems.push(Problem::at("", fault).of(self.sources[index].id.as_str()));
                }
            }
        }
        true
    }

    /// The folders whose changes may bring more.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        self.sources.iter().map(|project| project.source.folder()).collect()
    }

    /// How far the stream has come.
    pub(crate) fn cursor(&self) -> Cursor {
        let mut cursor = self.cursor.clone();
        for project in &self.sources {
            cursor.marks.insert(project.key, project.source.mark(self.position));
        }
        // At rest the position is only the time of the last event, for a cursor whose commits are lost.
        if self.position > Position::START {
            cursor.position = self.position;
        }
        cursor
    }

    /// What could not be read, since this was last asked.
    pub(crate) fn problems(&mut self) -> Vec<Problem> {
        let mut all = std::mem::take(&mut self.problems);
        for project in &mut self.sources {
            let found = std::mem::take(&mut project.source.problems);
            all.extend(found.into_iter().map(|problem| problem.of(project.id.as_str())));
        }
        all
    }

    /// Keep what was learned for the next look.
    pub(crate) fn remember(self, memory: &mut Memory) {
        memory.extend(self.sources.into_iter().map(|project| (project.key, project.source.into_known())));
    }
}

/// A project that has another id than when the cursor was made is known by its commits.
fn hand_over_marks(members: &[Member], cursor: &mut Cursor) {
    let present: HashSet<ProjectKey> = members.iter().map(|member| project_key(&member.id)).collect();
    let mut orphans: Vec<ProjectKey> =
        cursor.marks.keys().copied().filter(|key| !present.contains(key)).collect();
    for member in members {
        let key = project_key(&member.id);
        let (false, Ok(queue)) = (orphans.is_empty() || cursor.marks.contains_key(&key), &member.queue)
        else {
            continue;
        };
        let former = orphans.iter().position(|orphan| Source::is_of(queue, &cursor.marks[orphan]));
        if let Some(mark) = former.and_then(|at| cursor.marks.remove(&orphans.swap_remove(at))) {
            cursor.marks.insert(key, mark);
        }
    }
}
