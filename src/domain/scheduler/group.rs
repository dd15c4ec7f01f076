//! Which projects are carried for together.
//!
//! Two projects belong together if a task or a receipt goes from one to the other. Each such group is carried in one go, so
//! that each of its repositories commits once; groups have nothing to do with each other and go side by side. A project
//! that is busy, paused or in trouble is in no group, and what concerns it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lane::Lane;
use super::{Group, Pauses};
use crate::domain::fault::Code;

/// All groups that can be carried now.
pub(super) fn groups(lanes: &BTreeMap<String, Lane>, pauses: &Pauses, now: Duration) -> Vec<Group> {
    let free: BTreeSet<&String> =
        lanes.iter().filter(|(id, lane)| !pauses.covers(id) && lane.is_free(now)).map(|(id, _)| id).collect();
    let is_lost = |id: &String| {
        let trouble = lanes.get(id).filter(|lane| !lane.is_busy).and_then(|lane| lane.trouble.as_ref());
        !pauses.covers(id) && trouble.is_some_and(|trouble| trouble.code == Code::Unreachable)
    };
    let mut all = Vec::new();
    for &id in &free {
        let lane = &lanes[id];
        let mut one = Group::default();
        if lane.auto.distribute && !lane.is_due(now) {
            let goes = lane.letters.iter().filter(|to| free.contains(to));
            one.among.extend(goes.cloned());
            // What cannot be delivered is tried, counted and in the end given up.
            if lane.tries_stuck(now) {
                one.among.extend(lane.letters.iter().filter(|to| is_lost(to)).cloned());
            }
            if !one.among.is_empty() || lane.has_stray && lane.tries_stuck(now) {
                one.senders.insert(id.clone());
            }
        }
        for receiver in lane.news.iter().filter(|receiver| free.contains(receiver)) {
            one.among.insert(receiver.clone());
            one.news.insert((id.clone(), receiver.clone()));
        }
        if !one.senders.is_empty() || !one.news.is_empty() {
            one.among.insert(id.clone());
            all.push(one);
        }
    }
    joined(all)
}

impl Group {
    fn take_in(&mut self, mut other: Group) {
        // The few go to the many: where all projects belong together, the one group grows with each of them.
        if self.news.len() < other.news.len() {
            std::mem::swap(self, &mut other);
        }
        self.among.extend(other.among);
        self.senders.extend(other.senders);
        self.news.extend(other.news);
    }
}

/// Groups that share a project become one.
fn joined(all: Vec<Group>) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    for mut group in all {
        let (shared, apart): (Vec<Group>, Vec<Group>) =
            out.into_iter().partition(|other| !other.among.is_disjoint(&group.among));
        for other in shared {
            group.take_in(other);
        }
        out = apart;
        out.push(group);
    }
    out
}
