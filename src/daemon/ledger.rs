//! What the watcher has done and what stands in its way, for itself and for those who read its record.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hands::{Covered, Done};
use super::report::Work;
use crate::domain::problem::Problem;
use crate::domain::scheduler::{Input, Reads};
use crate::store::local::Local;
use crate::store::watcher::{Counts, LATENCY_BOUNDS, Pass, Record, Trouble, process_start};

/// The watcher's books.
#[derive(Debug)]
pub(super) struct Ledger {
    record: Record,
    /// By project, path and code.
    problems: BTreeMap<(String, String, &'static str), Trouble>,
}

impl Ledger {
    /// A watcher begins.
    pub(super) fn new(at: String) -> Ledger {
        let record = Record {
            schema: 1,
            pid: std::process::id(),
            process_start: process_start(),
            started_at: at,
            latency: vec![0; LATENCY_BOUNDS.len() + 1],
            ..Record::default()
        };
        Ledger { record, problems: BTreeMap::new() }
    }

    /// Enter what came of one thing; gives the problems that are new, and whether the record has to be written.
    pub(super) fn enter(&mut self, done: &Done, at: &str, now: Duration) -> (Vec<Problem>, bool) {
        let new = self.enter_problems(done, at);
        let counts = counts_of(&done.work);
        let is_pass = !done.work.is_empty()
            || matches!(&done.covered, Covered::Looked { reads, .. } if *reads == Reads::ALL);
        let has_changed = is_pass || !new.0.is_empty() || new.1;
        if is_pass {
            self.add(counts);
            let took_ms = u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX);
            self.record.last_pass = Some(Pass { at: at.to_owned(), took_ms, counts });
        }
        self.enter_latency(done, now);
        (new.0, has_changed)
    }

    fn add(&mut self, more: Counts) {
        let total = &mut self.record.total;
        total.passes += more.passes;
        total.commits += more.commits;
        total.delivered += more.delivered;
        total.receipts += more.receipts;
        total.accepted += more.accepted;
        total.released += more.released;
        total.quarantined += more.quarantined;
        total.given_up += more.given_up;
        total.asked += more.asked;
    }

    /// Problems of what was covered are those that are told now; whether one is over.
    fn enter_problems(&mut self, done: &Done, at: &str) -> (Vec<Problem>, bool) {
        let told: Vec<_> = done.work.problems.iter().map(|problem| (key(problem), problem)).collect();
        let count = self.problems.len();
        self.problems
            .retain(|key, _| told.iter().any(|(other, _)| other == key) || !covers(&done.covered, key));
        let is_over = self.problems.len() < count;
        let mut new = Vec::new();
        for (key, problem) in told {
            *self.record.failures.entry(key.2.to_owned()).or_default() += 1;
            match self.problems.get_mut(&key) {
                Some(trouble) => {
                    trouble.tries += 1;
                    trouble.message.clone_from(&problem.fault.message);
                }
                None => {
                    new.push(problem.clone());
                    self.problems.insert(key, trouble(problem, at));
                }
            }
        }
        (new, is_over)
    }

    fn enter_latency(&mut self, done: &Done, now: Duration) {
        let Input::Carried { group, .. } = &done.input else { return };
        for delivered in &done.work.delivered {
            let Some(noticed) = group.noticed.get(&delivered.from) else { continue };
            let took = u64::try_from(now.saturating_sub(*noticed).as_millis()).unwrap_or(u64::MAX);
            let bucket =
                LATENCY_BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(LATENCY_BOUNDS.len());
            self.record.latency[bucket] += 1;
            self.record.latency_sum_ms += took;
        }
    }

    /// A project is looked at again and again; whether that is new.
    pub(super) fn polls(&mut self, project: &str) -> bool {
        let is_new = !self.record.polled.iter().any(|known| known == project);
        if is_new {
            self.record.polled.push(project.to_owned());
        }
        is_new
    }

    /// A project is told of by the system, or gone.
    pub(super) fn polls_no_longer(&mut self, project: &str) {
        self.record.polled.retain(|known| known != project);
    }

    /// Forget what stood in the way in projects that are no longer there.
    pub(super) fn keep(&mut self, is_known: impl Fn(&str) -> bool) {
        self.problems.retain(|(project, ..), _| is_known(project));
        self.record.polled.retain(|project| is_known(project));
    }

    /// Write the record. It is a note: where it cannot be written the work goes on.
    pub(super) fn write(&mut self, local: &Local, next_try: impl Fn(&str) -> Option<String>) {
        let problems = self.problems.values().cloned();
        self.record.problems =
            problems.map(|trouble| Trouble { next_try_at: next_try(&trouble.project), ..trouble }).collect();
        let _ = self.record.write(local);
    }

    /// The watcher ends.
    pub(super) fn close(&mut self, local: &Local, at: String) {
        self.record.stopped_at = Some(at);
        self.write(local, |_| None);
    }
}

fn key(problem: &Problem) -> (String, String, &'static str) {
    (problem.project.clone().unwrap_or_default(), problem.path.clone(), problem.fault.code.as_str())
}

fn trouble(problem: &Problem, at: &str) -> Trouble {
    Trouble {
        project: problem.project.clone().unwrap_or_default(),
        path: problem.path.clone(),
        code: problem.fault.code.as_str().to_owned(),
        message: problem.fault.message.clone(),
        since: at.to_owned(),
        tries: 1,
        next_try_at: None,
    }
}

/// Whether a report would have told of a problem if it were still there.
fn covers(covered: &Covered, (project, path, _): &(String, String, &'static str)) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    match covered {
        Covered::Looked { project: looked, reads } => {
            project == looked
                && match folder {
                    "" | "inbox" => reads.inbox,
                    // Whether a letter can be carried, a look does not say.
                    "outbox" => false,
                    "tasks" | "done" | "dead" => reads.standing,
                    "sent" => reads.records,
                    _ => *reads == Reads::ALL,
                }
        }
        Covered::Carried { among, senders } => {
            among.contains(project) && (folder.is_empty() || folder == "outbox" && senders.contains(project))
        }
        Covered::Tended { project: tended } => project == tended && folder.is_empty(),
    }
}

fn counts_of(work: &Work) -> Counts {
    let count = |n: usize| n as u64;
    Counts {
        passes: 1,
        commits: count(work.commits.iter().filter(|(_, done)| done.commit.is_some()).count()),
        delivered: count(work.delivered.len()),
        receipts: count(work.receipts.len()),
        accepted: count(work.accepted.len()),
        released: count(work.released.len()),
        quarantined: count(work.put_aside.len()),
        given_up: count(work.given_up.len()),
        asked: count(work.asked.len()),
    }
}
