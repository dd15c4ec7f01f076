//! How things stand, on one screen.

use jiff::Timestamp;
use serde::Serialize;

use super::breaker::{self, BreakerRow};
use super::problem::{self, ProblemRow};
use super::{View, count, moment};
use crate::domain::fault::Fault;
use crate::domain::problem::Problem;
use crate::domain::settings::Role;
use crate::domain::task::State;
use crate::domain::text::shown;
use crate::ops::status::{Depths, Standing, Status, Waiting, Watching};
use crate::store::watcher::{Pass, Record, Trouble};

/// So many problems are shown to people; scripts get all.
const PROBLEMS: usize = 10;

/// The screen.
#[derive(Debug, Serialize)]
pub(crate) struct StatusView {
    project: String,
    role: &'static str,
    watcher: WatcherRow,
    /// Whether everything is paused, and the projects that are.
    paused_all: bool,
    paused: Vec<String>,
    projects: Vec<StandingRow>,
    /// What keeps runs from being started: those of accounts and models that count failures or rest.
    breakers: Vec<BreakerRow>,
    problems: Vec<ProblemRow>,
    /// What stands in the watcher's way, and when it tries again.
    troubles: Vec<Trouble>,
    #[serde(skip)]
    next: Vec<String>,
}

/// Who watches.
#[derive(Debug, Serialize)]
struct WatcherRow {
    /// `up`, `ended`, `killed`, `never` or `unknown`.
    state: &'static str,
    pid: Option<u32>,
    started_at: Option<String>,
    stopped_at: Option<String>,
    last_pass: Option<Pass>,
    /// Projects that are looked at again and again, because the system tells nothing of their changes.
    polled: Vec<String>,
}

/// One queue.
#[derive(Debug, Serialize)]
struct StandingRow {
    id: String,
    path: Option<String>,
    reachable: bool,
    reason: Option<FaultRow>,
    paused: bool,
    /// Without numbers where the queue cannot be read.
    #[serde(flatten)]
    depths: Option<DepthsRow>,
    oldest: Option<OldestRow>,
}

/// Why a queue cannot be read.
#[derive(Debug, Serialize)]
struct FaultRow {
    code: &'static str,
    message: String,
    hints: Vec<String>,
}

/// How many tasks are in which state.
#[derive(Debug, Serialize)]
struct DepthsRow {
    inbox: usize,
    outbox: usize,
    ready: usize,
    claimed: usize,
    blocked: usize,
    deferred: usize,
    dead: usize,
    /// Files in queue folders that cannot be read.
    unreadable: usize,
}

/// The task that has waited longest in outbox, inbox or among the ready ones.
#[derive(Debug, Serialize)]
struct OldestRow {
    task: Option<String>,
    title: String,
    state: &'static str,
    since: String,
    #[serde(skip)]
    short: String,
    #[serde(skip)]
    age: String,
}

impl StatusView {
    /// The view of everything.
    pub(crate) fn new(status: &Status) -> StatusView {
        let record = status.watching.record();
        StatusView {
            project: status.id.clone(),
            role: status.role.as_str(),
            watcher: WatcherRow::new(&status.watching),
            paused_all: status.paused.all,
            paused: status.paused.projects.iter().cloned().collect(),
            projects: status.projects.iter().map(|standing| StandingRow::new(standing, status.at)).collect(),
            breakers: breaker::rows(&status.breakers),
            problems: problem::rows(&problems(status)),
            troubles: match &status.watching {
                Watching::Up(record) => record.problems.clone(),
                _ => Vec::new(),
            },
            next: next(status, record),
        }
    }
}

/// Those of projects as a whole are problems like the others.
fn problems(status: &Status) -> Vec<Problem> {
    let unread = status.projects.iter().filter_map(|standing| {
        let fault = standing.queue.as_ref().err()?;
        Some(Problem::at("", fault.clone()).of(&standing.id))
    });
    unread.chain(status.problems.iter().cloned()).collect()
}

fn next(status: &Status, record: Option<&Record>) -> Vec<String> {
    let waits = |state| status.projects.iter().filter_map(|p| p.queue.as_ref().ok()).any(|d| d.of(state) > 0);
    let mut next = Vec::new();
    match (&status.watching, status.role) {
        (Watching::Up(_), _) => {}
        (_, Role::Orchestrator) if waits(State::Outbox) => next.push("swift outbox".to_owned()),
        (_, Role::Orchestrator) if record.is_some() => next.push("swift watch".to_owned()),
        _ => {}
    }
    let here = status.projects.first().and_then(|standing| standing.queue.as_ref().ok());
    if here.is_some_and(|depths| depths.of(State::Inbox) > 0) {
        next.push("swift inbox".to_owned());
    }
    next.push(if status.role == Role::Orchestrator { "swift next --all" } else { "swift next" }.to_owned());
    next
}

impl WatcherRow {
    fn new(watching: &Watching) -> WatcherRow {
        let state = match watching {
            Watching::Up(_) => "up",
            Watching::Ended(_) => "ended",
            Watching::Killed(_) => "killed",
            Watching::Never => "never",
            Watching::Unknown => "unknown",
        };
        let record = watching.record();
        WatcherRow {
            state,
            pid: record.filter(|_| state == "up").map(|record| record.pid),
            started_at: record.map(|record| record.started_at.clone()),
            stopped_at: record.and_then(|record| record.stopped_at.clone()),
            last_pass: record.and_then(|record| record.last_pass.clone()),
            polled: record.map(|record| record.polled.clone()).unwrap_or_default(),
        }
    }

    fn text(&self) -> String {
        let at = |instant: &Option<String>| moment(instant.as_deref().unwrap_or_default());
        let said = match self.state {
            "up" => format!("up since {}, process {}", at(&self.started_at), self.pid.unwrap_or_default()),
            "ended" => format!("none; the last one ended at {}", at(&self.stopped_at)),
            "killed" => format!("none; the one since {} was killed", at(&self.started_at)),
            "never" => "none".to_owned(),
            _ => "unknown: no orchestrator on this machine carries for this project".to_owned(),
        };
        match &self.last_pass {
            Some(pass) => format!("{said}; last pass at {} ({} ms)", moment(&pass.at), pass.took_ms),
            None => said,
        }
    }
}

impl StandingRow {
    fn new(standing: &Standing, now: Timestamp) -> StandingRow {
        let depths = standing.queue.as_ref().ok();
        StandingRow {
            id: standing.id.clone(),
            path: standing.path.as_ref().map(|path| path.display().to_string()),
            reachable: depths.is_some(),
            reason: standing.queue.as_ref().err().map(FaultRow::new),
            paused: standing.is_paused,
            depths: depths.map(DepthsRow::new),
            oldest: depths
                .and_then(|depths| depths.oldest.as_ref())
                .map(|oldest| OldestRow::new(oldest, now)),
        }
    }

    fn text(&self, width: usize, out: &mut String) {
        let mark = if self.paused { "  (paused)" } else { "" };
        out.push_str(&format!("{:<width$}", self.id));
        let Some(depths) = &self.depths else {
            out.push_str(&format!("  cannot be reached{mark}\n"));
            return;
        };
        for (name, number) in depths.columns() {
            let number = if number == 0 { "·".to_owned() } else { number.to_string() };
            out.push_str(&format!("  {number:>width$}", width = name.len()));
        }
        if let Some(oldest) = &self.oldest {
            out.push_str(&format!("  {}  {} {}", oldest.age, oldest.short, shown(&clipped(&oldest.title))));
        }
        out.push_str(&format!("{mark}\n"));
    }
}

impl FaultRow {
    fn new(fault: &Fault) -> FaultRow {
        FaultRow { code: fault.code.as_str(), message: fault.message.clone(), hints: fault.hints.clone() }
    }
}

impl DepthsRow {
    fn new(depths: &Depths) -> DepthsRow {
        DepthsRow {
            inbox: depths.of(State::Inbox),
            outbox: depths.of(State::Outbox),
            ready: depths.of(State::Ready),
            claimed: depths.of(State::Claimed),
            blocked: depths.of(State::Blocked),
            deferred: depths.of(State::Deferred),
            dead: depths.of(State::Dead),
            unreadable: depths.problems,
        }
    }

    fn columns(&self) -> [(&'static str, usize); 7] {
        [
            ("inbox", self.inbox),
            ("outbox", self.outbox),
            ("ready", self.ready),
            ("claimed", self.claimed),
            ("blocked", self.blocked),
            ("deferred", self.deferred),
            ("dead", self.dead),
        ]
    }
}

impl OldestRow {
    fn new(oldest: &Waiting, now: Timestamp) -> OldestRow {
        OldestRow {
            task: oldest.id.map(|id| id.to_string()),
            title: oldest.title.clone(),
            state: oldest.state.as_str(),
            since: oldest.since.to_string(),
            short: oldest.id.map(|id| id.short()).unwrap_or_default(),
            age: age(oldest.since, now),
        }
    }
}

/// How long ago, in the largest unit.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// As much of a title as has room on a line.
fn clipped(title: &str) -> String {
    const ROOM: usize = 40;
    match title.char_indices().nth(ROOM) {
        Some((at, _)) => format!("{}…", &title[..at]),
        None => title.to_owned(),
    }
}

impl View for StatusView {
    fn text(&self, out: &mut String) {
        out.push_str(&format!("{} ({})\nwatcher: {}\n", self.project, self.role, self.watcher.text()));
        if self.paused_all {
            out.push_str("paused: everything\n");
        } else if !self.paused.is_empty() {
            out.push_str(&format!("paused: {}\n", self.paused.join(", ")));
        }
        breaker::text(&self.breakers, out);
        if !self.watcher.polled.is_empty() && self.watcher.state == "up" {
            out.push_str(&format!("looked at again and again: {}\n", self.watcher.polled.join(", ")));
        }
        let width = self.projects.iter().map(|row| row.id.len()).max().unwrap_or(0).max("project".len());
        out.push_str(&format!(
            "\n{:<width$}  inbox  outbox  ready  claimed  blocked  deferred  dead  oldest waiting\n",
            "project"
        ));
        self.projects.iter().for_each(|row| row.text(width, out));
        let hidden = self.problems.len().saturating_sub(PROBLEMS);
        if !self.problems.is_empty() {
            out.push('\n');
            problem::text(&self.problems[..self.problems.len() - hidden], out);
        }
        if hidden > 0 {
            out.push_str(&format!("and {} more: `swift status --json`\n", count(hidden, "problem")));
        }
        for trouble in self.troubles.iter().take(PROBLEMS) {
            let again = trouble.next_try_at.as_deref().map_or_else(
                || "again on the next change".to_owned(),
                |at| format!("again at {}", moment(at)),
            );
            let times = count(usize::try_from(trouble.tries).unwrap_or(usize::MAX), "time");
            out.push_str(&format!(
                "in the watcher's way: {} {} [{}], tried {times}, {again}\n",
                trouble.project,
                shown(&trouble.message),
                trouble.code
            ));
        }
    }

    fn next(&self) -> Vec<String> {
        self.next.clone()
    }
}
