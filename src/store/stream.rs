//! One project's log as a reader of the stream meets it: what it has not been told yet.
//!
//! First comes what is committed: the segments in which HEAD differs from the commits that the reader knows. They
//! are opened one by one, in the order in which they were begun, so that memory does not grow with the log. Then
//! comes what lies in the folder and is not committed.

mod uncommitted;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use super::git::{Blob, Commit, Committed, CommittedChange as Change};
use super::layout;
use super::queue::{LARGEST_SEGMENT, Queue};
use crate::domain::cursor::{Cursor, Mark, Others, Position, ProjectKey, SegmentKey, ShortHash, Sweep};
use crate::domain::event::Event;
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::id::{EventId, SegmentId};
use crate::domain::problem::Problem;
use crate::format::audit;
use crate::format::cursor::segment_key;

/// Sizes of the segments whose records are all told, by path: they need not be looked at again.
pub(crate) type Known = HashMap<String, u64>;

/// The log of one project, and how much of it is told.
pub(crate) struct Source {
    queue: Queue,
    committed: Committed,
    bases: Vec<Base>,
    /// The commit whose log is being told, with the place where its telling began or goes on.
    target: Option<(Commit, Position)>,
    more: BTreeMap<SegmentKey, u32>,
    /// Segments of `more` of which the target has as much.
    covered: Vec<SegmentKey>,
    /// Segments that are not opened yet, the one to open next at the end.
    waiting: Vec<Section>,
    known: Known,
    pub(crate) problems: Vec<Problem>,
}

/// A commit whose log is told.
struct Base {
    short: ShortHash,
    commit: Commit,
    /// Whether the target has all of it too, so that it need not be remembered.
    is_covered: bool,
}

/// A segment of the target that has records which are not told.
struct Section {
    path: String,
    blob: Blob,
    /// The same file in the bases.
    told: Vec<Blob>,
    began: Position,
}

/// A segment that was opened: its records that are not told, in order.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) events: VecDeque<(Position, Event)>,
}

impl Source {
    /// Find out what a reader at this cursor does not know. A project without a mark is new itself.
    ///
    /// # Errors
    /// Those of opening the repository and reading its commits.
    pub(crate) fn open(queue: Queue, key: ProjectKey, cursor: &Cursor, known: Known) -> Result<Source> {
        let committed = queue.home.committed()?;
        let mut source = Source {
            queue,
            committed,
            bases: Vec::new(),
            target: None,
            more: BTreeMap::new(),
            covered: Vec::new(),
            waiting: Vec::new(),
            known,
            problems: Vec::new(),
        };
        let mark = cursor.marks.get(&key);
        let begin = match (mark, cursor.others) {
            (Some(mark), _) => source.take_up(mark, cursor.position),
            (None, Others::Untold) => Position::START,
            (None, Others::From(position)) => {
                source.pass_over_uncommitted(position)?;
                position
            }
        };
        source.aim_at_head(begin);
        source.find_sections(mark.is_none())?;
        Ok(source)
    }

    /// Whether a mark is of this queue, whatever the project was called then.
    pub(crate) fn is_of(queue: &Queue, mark: &Mark) -> bool {
        let Ok(committed) = queue.home.committed() else { return false };
        let mut commits = mark.bases.iter().chain(mark.sweep.iter().map(|sweep| &sweep.commit));
        commits.any(|short| committed.named(short).is_some())
    }

    /// Go on where the mark stands; gives the place from which a new telling begins.
    fn take_up(&mut self, mark: &Mark, position: Position) -> Position {
        self.more.clone_from(&mark.more);
        let found = |short: &ShortHash| self.committed.named(short);
        let base = |short: &ShortHash| Some(Base { short: *short, commit: found(short)?, is_covered: false });
        self.bases = mark.bases.iter().filter_map(base).collect();
        self.target = mark.sweep.and_then(|sweep| Some((found(&sweep.commit)?, sweep.position)));
        let knew_some = !mark.bases.is_empty() || mark.sweep.is_some();
        if knew_some && self.bases.is_empty() && self.target.is_none() {
            let text = "the commit at which the cursor stands is not there any more; going on by time";
            let hint = "what came since and is older than the cursor is left out; `swift log` shows all";
            self.problems.push(Problem::at("", Fault::new(Code::Changed, text).hint(hint)));
            return position;
        }
        Position::START
    }

    /// Unless an earlier commit is still being told, HEAD is what is told next.
    fn aim_at_head(&mut self, begin: Position) {
        let head = self.committed.head();
        let is_told = |head: &Commit| self.bases.iter().any(|base| base.commit == *head);
        self.target = self.target.or(head.filter(|head| !is_told(head)).map(|head| (head, begin)));
    }

    /// What was aimed at is told; HEAD may have gone on since then. Whether it has.
    ///
    /// # Errors
    /// Those of reading commits.
    pub(crate) fn aim_again(&mut self) -> Result<bool> {
        self.aim_at_head(Position::START);
        let found = self.find_sections(false);
        if found.is_err() {
            // What cannot be told now is told another time.
            self.target = None;
        }
        found.map(|()| self.target.is_some())
    }

    /// The segments in which the target differs from all bases.
    fn find_sections(&mut self, is_new: bool) -> Result<()> {
        let Some((target, position)) = self.target else { return Ok(()) };
        let mut told: Option<BTreeMap<String, (Blob, Vec<Blob>)>> = None;
        for index in 0..self.bases.len() {
            let changes = self.committed.changes(Some(self.bases[index].commit), target, layout::AUDIT)?;
            let size = |blob: Option<Blob>| blob.and_then(|blob| self.committed.size(blob)).unwrap_or(0);
            self.bases[index].is_covered =
                changes.values().all(|change| size(change.after) >= size(change.before));
            told = Some(in_all(told, changes));
        }
        let told = match told {
            Some(told) => told,
            None => in_all(None, self.committed.changes(None, target, layout::AUDIT)?),
        };
        let past = if is_new { past(told.keys(), position) } else { HashSet::new() };
        let sections = told
            .into_iter()
            .filter(|(path, _)| !past.contains(path))
            .map(|(path, (blob, told))| Section { began: began(&path), path, blob, told });
        self.waiting = sections.collect();
        self.waiting.sort_by_key(|section| std::cmp::Reverse(section.began));
        Ok(())
    }

    /// The earliest place at which an event of a segment that is not opened can stand.
    pub(crate) fn next_began(&self) -> Option<Position> {
        self.waiting.last().map(|section| section.began)
    }

    /// Open the segment that was begun first.
    pub(crate) fn open_next(&mut self) -> Opened {
        let Some(section) = self.waiting.pop() else { return Opened::default() };
        let bytes = match self.bytes(&section) {
            Ok(bytes) => bytes,
            Err(fault) => {
                self.problems.push(Problem::at(section.path, fault));
                return Opened::default();
            }
        };
        let from = self.target.map_or(Position::START, |(_, position)| position);
        let key = segment_key(&section.path);
        let greatest = audit::greatest_id(&bytes).map_or(u128::MAX, EventId::number).max(section.began.id);
        if greatest < from.id && !self.more.contains_key(&key) {
            // All of it stands before the place where the telling goes on.
            return Opened::default();
        }
        let entries = audit::entries(&bytes);
        let in_bases = section.told.iter().map(|blob| self.count(*blob)).max().unwrap_or(0);
        let told = in_bases.max(self.more.get(&key).copied().unwrap_or(0));
        if entries.len() >= told as usize {
            self.covered.push(key);
        }
        self.opened(&section.path, entries, told, from)
    }

    /// A segment of the target: from the folder if it has the same length there, as it nearly always has.
    fn bytes(&self, section: &Section) -> Result<Vec<u8>> {
        let on_disk = self.queue.read(&section.path);
        let size = self.committed.size(section.blob);
        if let Ok(Some(bytes)) = &on_disk
            && size.is_none_or(|size| size == bytes.len() as u64)
        {
            return on_disk.map(Option::unwrap_or_default);
        }
        match size {
            Some(size) if size > LARGEST_SEGMENT => Err(Fault::new(
                Code::TooLarge,
                format!("`{}` has {size} bytes; the limit is {LARGEST_SEGMENT}", section.path),
            )),
            _ => self.committed.read(section.blob),
        }
    }

    fn count(&self, blob: Blob) -> u32 {
        let small = self.committed.size(blob).is_some_and(|size| size <= LARGEST_SEGMENT);
        let bytes = if small { self.committed.read(blob).ok() } else { None };
        bytes.map_or(0, |bytes| audit::entries(&bytes).len() as u32)
    }

    /// The records from one on, those that stand before a place left out.
    fn opened(
        &mut self,
        path: &str,
        entries: Vec<Result<Event, crate::format::Malformed>>,
        told: u32,
        from: Position,
    ) -> Opened {
        let segment = segment_key(path);
        let mut greatest = began(path).id;
        let mut events = VecDeque::new();
        for (index, entry) in (0_u32..).zip(entries) {
            let event = match entry {
                Ok(event) => event,
                Err(_) if index < told => continue,
                Err(malformed) => {
                    self.problems.push(Problem::at(path, malformed.at(path)));
                    continue;
                }
            };
            greatest = greatest.max(event.id.number());
            let position = Position { id: greatest, segment, index };
            if index >= told && position >= from {
                events.push_back((position, event));
            }
        }
        Opened { events }
    }

    /// All segments of the target are told: from now on it is one of the commits whose logs are.
    pub(crate) fn settle(&mut self) {
        let Some((commit, _)) = self.target.take() else { return };
        self.bases.retain(|base| !base.is_covered);
        for key in self.covered.drain(..) {
            self.more.remove(&key);
        }
        self.bases.insert(0, Base { short: commit.short(), commit, is_covered: false });
    }

    /// How far the telling has come, if that of the whole stream has come to `position`.
    pub(crate) fn mark(&self, position: Position) -> Mark {
        let sweep = self
            .target
            .map(|(commit, begin)| Sweep { commit: commit.short(), position: begin.max(position) });
        Mark { bases: self.bases.iter().map(|base| base.short).collect(), sweep, more: self.more.clone() }
    }

    /// The folder in which the log grows.
    pub(crate) fn folder(&self) -> PathBuf {
        self.queue.home.root.join(layout::AUDIT)
    }

    /// What was found out about segments, for the next time.
    pub(crate) fn into_known(self) -> Known {
        self.known
    }
}

/// Before every record of a segment: the id in its name is older than those of its records.
fn began(path: &str) -> Position {
    let name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
    let id = name.and_then(|name| name.parse::<SegmentId>().ok());
    Position { id: id.map_or(0, SegmentId::number), segment: segment_key(path), index: 0 }
}

/// The segments that differ from all commits so far and from one more, with what those have.
fn in_all(
    told: Option<BTreeMap<String, (Blob, Vec<Blob>)>>,
    changes: BTreeMap<String, Change>,
) -> BTreeMap<String, (Blob, Vec<Blob>)> {
    let mut all = BTreeMap::new();
    for (path, change) in changes {
        let Some(after) = change.after else { continue };
        let mut before = match &told {
            Some(told) => match told.get(&path) {
                Some((_, before)) => before.clone(),
                None => continue,
            },
            None => Vec::new(),
        };
        before.extend(change.before);
        all.insert(path, (after, before));
    }
    all
}

/// The segments whose writer began another one before this place: all that they hold is older.
fn past<'p>(paths: impl Iterator<Item = &'p String>, place: Position) -> HashSet<String> {
    let mut newest: HashMap<&str, &String> = HashMap::new();
    let mut past = HashSet::new();
    // Paths are in the order of month, writer and time.
    for path in paths.filter(|path| began(path) < place) {
        let writer = path.rsplit('/').nth(1).unwrap_or_default();
        past.extend(newest.insert(writer, path).cloned());
    }
    past
}
