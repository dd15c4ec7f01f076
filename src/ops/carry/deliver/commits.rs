//! The commits of a round: each repository after those that it sends to, and at the same time as all that wait for
//! nobody any more.

use std::collections::{BTreeSet, HashSet};

use super::super::Delivered;
use super::Round;
use crate::domain::event::{EventKind, Fact};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::settings::CommitPolicy;
use crate::ops::abreast::abreast;
use crate::store::tx::{Committed, Prepared};

/// What is committed next.
enum Next {
    /// Repositories whose receivers have all committed.
    Whole(Vec<usize>),
    /// One of those that send to each other: what arrived there, and not yet what it sent.
    Arrivals(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Arrivals,
    Whole,
}

impl Round<'_> {
    /// Commit every repository after those that it sends to.
    pub(super) fn commit_all(&mut self) {
        let mut arrivals: HashSet<usize> =
            self.under_way.iter().filter(|way| !way.is_there()).map(|way| way.letter.to).collect();
        let mut waiting: BTreeSet<usize> = self.open.keys().copied().collect();
        let mut late = Vec::new();
        while let Some(next) = self.next_to_commit(&waiting, &arrivals) {
            let done = match next {
                Next::Whole(free) => {
                    self.commit_whole(&free);
                    free
                }
                Next::Arrivals(index) => {
                    self.commit(&[index], Half::Arrivals);
                    late.push(index);
                    vec![index]
                }
            };
            for index in done {
                waiting.remove(&index);
                arrivals.remove(&index);
            }
        }
        for index in late {
            self.open_one(index);
            self.commit_whole(&[index]);
        }
    }

    fn next_to_commit(&self, waiting: &BTreeSet<usize>, arrivals: &HashSet<usize>) -> Option<Next> {
        let bound: HashSet<usize> = self
            .under_way
            .iter()
            .filter(|way| way.letter.to != way.letter.from && arrivals.contains(&way.letter.to))
            .map(|way| way.letter.from)
            .collect();
        let free: Vec<usize> = waiting.iter().copied().filter(|index| !bound.contains(index)).collect();
        if free.is_empty() {
            return waiting.iter().copied().find(|index| arrivals.contains(index)).map(Next::Arrivals);
        }
        Some(Next::Whole(free))
    }

    fn commit_whole(&mut self, indices: &[usize]) {
        for index in indices {
            self.depart(*index);
            self.strike_off_copies(*index);
        }
        self.commit(indices, Half::Whole);
    }

    /// Commit these repositories, none of which waits for another.
    fn commit(&mut self, indices: &[usize], half: Half) {
        let mut ready = Vec::new();
        for &index in indices {
            let Some(tx) = self.open.remove(&index) else { continue };
            let subject = subject(&self.posts.all[index].id, tx.facts());
            match tx.prepare(&subject) {
                Ok(prepared) => ready.push((index, prepared)),
                Err(fault) => self.failed(index, fault, half),
            }
        }
        let results = abreast(ready, |(index, prepared)| (index, Prepared::carry_out(prepared)));
        for (index, result) in results {
            self.committed(index, result, half);
        }
    }

    fn committed(&mut self, index: usize, result: Result<Committed>, half: Half) {
        match result {
            Ok(committed) => {
                self.report.receipts.extend(self.told.remove(&index).unwrap_or_default());
                self.report.dead.extend(self.given_up.remove(&index).unwrap_or_default());
                let debt = committed.debt.clone();
                if debt.is_none() && self.owing.contains(&index) {
                    self.report.paid.push(self.posts.all[index].id.clone());
                }
                self.report.commits.push((self.posts.all[index].id.clone(), committed));
                if let Some(reason) = debt {
                    self.unfinished(index, &reason);
                }
            }
            Err(fault) => self.failed(index, fault, half),
        }
    }

    /// What arrived lies there and is not committed yet. The senders keep it in their outboxes until it is, unless
    /// the receiver has chosen to commit at another time.
    fn unfinished(&mut self, index: usize, reason: &str) {
        if self.posts.all[index].queue.settings.commit != CommitPolicy::Each {
            return;
        }
        self.under_way.retain(|way| way.letter.to != index || way.is_there());
        let text = format!("the commit has to wait: {reason}");
        self.problem(index, "", Fault::new(Code::InProgress, text).hint("the next round makes it"));
    }

    /// A repository that could not commit: nothing arrived there, and nothing was struck off there.
    fn failed(&mut self, index: usize, fault: Fault, half: Half) {
        let post = self.posts.all[index].id.clone();
        self.under_way.retain(|way| way.letter.to != index || way.is_there());
        if half == Half::Whole {
            let (own, others) = std::mem::take(&mut self.report.delivered)
                .into_iter()
                .partition(|delivered| delivered.from == post);
            self.report.delivered = others;
            let own: Vec<Delivered> = own;
            self.report.arrived.extend(own.into_iter().filter(|delivered| delivered.to != post));
            self.report.struck_off.retain(|entry| entry.project != post);
        }
        self.told.remove(&index);
        self.given_up.remove(&index);
        self.could_not(index, "", fault);
    }
}

/// `deliver 3 tasks to acme/api`, `send 2 tasks, 1 receipt`.
fn subject(own: &str, facts: &[Fact]) -> String {
    let count = |kinds: &[EventKind]| facts.iter().filter(|fact| kinds.contains(&fact.kind)).count();
    let words = [
        ("deliver", "task", count(&[EventKind::TaskDelivered])),
        ("send", "task", count(&[EventKind::TaskSent, EventKind::TaskResent])),
        ("take in", "task", count(&[EventKind::TaskAccepted])),
        ("note", "receipt", count(&[EventKind::ReceiptReceived])),
        ("give up", "task", count(&[EventKind::TaskDead])),
    ];
    let parts: Vec<String> = words
        .iter()
        .filter(|(_, _, n)| *n > 0)
        .map(|(verb, noun, n)| {
            let plural = if *n == 1 { "" } else { "s" };
            let place = if *verb == "deliver" { format!(" to {own}") } else { String::new() };
            format!("{verb} {n} {noun}{plural}{place}")
        })
        .collect();
    if parts.is_empty() { "record changes made by hand".to_owned() } else { parts.join(", ") }
}
