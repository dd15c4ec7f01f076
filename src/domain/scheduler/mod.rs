//! The brain of the watcher: what is to be done next, given what was noticed and what time it is.
//!
//! Pure: inputs and the time go in, effects come out. So a week of schedules, broken projects and clocks that jump runs in
//! a test in a moment. What was noticed is a hint and no more: the brain has a project looked at before anything is done
//! in it, and what is done reads everything anew under the lock.
//!
//! Each project is a lane: one thing at a time, in order. Lanes do not wait for each other, except where tasks go from one
//! to the other; those are carried together, so that each repository commits once.

mod backoff;
mod group;
mod lane;
mod wake;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::auto::Auto;
use super::fault::Code;
use backoff::{Cause, Retry};
use lane::Lane;

/// How often everything is looked at, whatever was noticed.
const FULL_LOOK: Duration = Duration::from_secs(15 * 60);

/// The wall clock and the other one differ by more than this only if the machine slept or somebody set the clock.
const JUMP: SignedDuration = SignedDuration::from_secs(5);

/// What time it is, by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Since the watcher began; it never goes back.
    pub(crate) tick: Duration,
    /// What a person's clock shows; it may jump.
    pub(crate) wall: Timestamp,
}

/// What of a project has to be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) outbox: bool,
    pub(crate) inbox: bool,
    /// Accepted and finished tasks: what senders are told, and leases.
    pub(crate) standing: bool,
    /// As `standing`, if the queue has a commit that we did not make.
    pub(crate) commits: bool,
    /// Records of sent tasks.
    pub(crate) records: bool,
}

impl Reads {
    /// Everything.
    pub(crate) const ALL: Reads =
        Reads { outbox: true, inbox: true, standing: true, commits: true, records: true };

    /// Whether there is nothing to look at.
    pub(crate) fn is_empty(self) -> bool {
        self == Reads::default()
    }

    fn add(&mut self, other: Reads) {
        self.outbox |= other.outbox;
        self.inbox |= other.inbox;
        self.standing |= other.standing;
        self.commits |= other.commits;
        self.records |= other.records;
    }
}

/// What a look at one project has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// What was looked at; the rest of the fields is only as good as that.
    pub(crate) reads: Reads,
    pub(crate) auto: Auto,
    /// The newest commit of the queue.
    pub(crate) tip: Option<String>,
    /// Ids of the registered projects that the letters in the outbox are for.
    pub(crate) letters: BTreeSet<String>,
    /// Whether there are letters that nobody can be found for.
    pub(crate) has_stray: bool,
    /// Whether the rules accept something in the inbox.
    pub(crate) has_acceptable: bool,
    /// When the first deferred task in the inbox is free.
    pub(crate) deferred_until: Option<Timestamp>,
    /// When the first lease runs out.
    pub(crate) lease_until: Option<Timestamp>,
    /// Projects whose tasks are here, and a digest of how far all of them are.
    pub(crate) senders: BTreeSet<String>,
    pub(crate) standing: String,
    /// Projects that have tasks from here which are not finished.
    pub(crate) awaited: BTreeSet<String>,
    /// When the first of those is to be asked after.
    pub(crate) ask_at: Option<Timestamp>,
    /// How long the youngest file has to be left alone.
    pub(crate) rest: Option<Duration>,
    /// How long the oldest file that cannot be read may still lie where it is.
    pub(crate) put_aside_in: Option<Duration>,
}

/// What the watcher is told.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// All projects that there are, with the last scheduled instant that each has been served.
    Known(Vec<(String, Option<Timestamp>)>),
    /// Something in a project changed; if it may still be written to, not everything is there yet.
    Changed {
        project: String,
        reads: Reads,
        may_be_unfinished: bool,
    },
    /// Changes were missed.
    Missed,
    Paused(Pauses),
    Seen {
        project: String,
        sight: Box<Sight>,
    },
    /// A look or a pass did not succeed.
    Failed {
        project: String,
        code: Code,
    },
    /// Something was carried between projects.
    Carried {
        group: Group,
        outcome: Carried,
    },
    /// Chores in a project were done.
    Tended {
        project: String,
        chores: Chores,
        outcome: Tended,
    },
    /// Time has passed.
    Time,
    /// No new work.
    End,
}

/// Where nothing is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pauses {
    pub(crate) all: bool,
    pub(crate) projects: BTreeSet<String>,
}

impl Pauses {
    fn covers(&self, project: &str) -> bool {
        self.all || self.projects.contains(project)
    }
}

/// Projects between which something is carried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) among: BTreeSet<String>,
    pub(crate) senders: BTreeSet<String>,
    /// Senders, with the receivers that have news for them.
    pub(crate) news: BTreeSet<(String, String)>,
    /// When the first of its changes was noticed, for each sender.
    pub(crate) noticed: BTreeMap<String, Duration>,
}

/// How carrying ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// Projects that could not take part to the end, and why.
    pub(crate) failed: BTreeMap<String, Code>,
    /// Projects in whose outboxes something had to stay.
    pub(crate) stuck: BTreeSet<String>,
    /// Projects in whose inboxes something arrived.
    pub(crate) reached: BTreeSet<String>,
    /// Senders and receivers of tasks that had gone on at the receiver before their senders knew of the arrival.
    pub(crate) ahead: BTreeSet<(String, String)>,
    /// The newest commit of each project that committed.
    pub(crate) tips: BTreeMap<String, String>,
}

/// What is to be done within one project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Chores {
    pub(crate) accept: bool,
    /// The scheduled instant that this is for.
    pub(crate) due: Option<Timestamp>,
    pub(crate) release: bool,
    pub(crate) put_aside: bool,
    pub(crate) ask: bool,
}

/// How chores ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tended {
    pub(crate) failed: Option<Code>,
    pub(crate) tip: Option<String>,
}

/// What the brain wants to have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Look { project: String, reads: Reads, known: Option<String> },
    Carry(Group),
    Tend { project: String, chores: Chores },
}

/// The state of the brain.
#[derive(Debug)]
pub(crate) struct Scheduler {
    zone: TimeZone,
    /// Spreads the pauses of several watchers.
    seed: u64,
    /// The most effects at a time.
    most: usize,
    running: usize,
    lanes: BTreeMap<String, Lane>,
    pauses: Pauses,
    next_full: Duration,
    last: Option<Now>,
    has_ended: bool,
}

impl Scheduler {
    /// A brain that knows of nothing yet.
    pub(crate) fn new(zone: TimeZone, seed: u64, most: usize) -> Scheduler {
        Scheduler {
            zone,
            seed,
            most,
            running: 0,
            lanes: BTreeMap::new(),
            pauses: Pauses::default(),
            next_full: Duration::ZERO,
            last: None,
            has_ended: false,
        }
    }

    /// Take in what happened; gives what is to be done now.
    pub(crate) fn step(&mut self, input: Input, now: Now) -> Vec<Effect> {
        self.notice_jump(now);
        self.take(input, now);
        if now.tick >= self.next_full {
            self.next_full = now.tick + FULL_LOOK;
            self.look_at_everything(now);
        }
        if self.has_ended { Vec::new() } else { self.effects(now) }
    }

    /// Whether nothing is going on.
    pub(crate) fn is_idle(&self) -> bool {
        self.running == 0
    }

    /// Whether nothing is going on and nothing waits to be done but what depends on a later time: a pause after a
    /// failure, a schedule, a lease.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_idle() && self.lanes.iter().all(|(id, lane)| self.pauses.covers(id) || lane.is_settled())
    }

    /// When a project that failed is tried again.
    pub(crate) fn next_try(&self, project: &str, now: Now) -> Option<Timestamp> {
        let lane = self.lanes.get(project)?;
        let retry = lane.trouble.as_ref().or(lane.stuck.as_ref())?;
        now.wall.checked_add(retry.at.saturating_sub(now.tick)).ok()
    }

    fn notice_jump(&mut self, now: Now) {
        if let Some(last) = self.last.replace(now) {
            let passed = SignedDuration::try_from(now.tick.saturating_sub(last.tick)).unwrap_or_default();
            let shown = now.wall.duration_since(last.wall);
            if shown.saturating_sub(passed).abs() > JUMP {
                self.look_at_everything(now);
            }
        }
    }

    fn look_at_everything(&mut self, now: Now) {
        for lane in self.lanes.values_mut() {
            lane.want(Reads::ALL, now.tick);
            lane.try_again(now.tick);
        }
    }

    fn take(&mut self, input: Input, now: Now) {
        match input {
            Input::Known(projects) => self.know(projects, now),
            Input::Changed { project, reads, may_be_unfinished } => {
                if let Some(lane) = self.lanes.get_mut(&project) {
                    lane.changed(reads, may_be_unfinished, now.tick);
                }
            }
            Input::Missed => self.look_at_everything(now),
            Input::Paused(pauses) => self.pause(pauses, now),
            Input::Seen { project, sight } => self.seen(&project, *sight, now),
            Input::Failed { project, code } => self.failed(&project, code, now),
            Input::Carried { group, outcome } => self.carried(group, outcome, now),
            Input::Tended { project, chores, outcome } => self.tended(&project, chores, outcome, now),
            Input::Time => {}
            Input::End => self.has_ended = true,
        }
    }

    fn know(&mut self, projects: Vec<(String, Option<Timestamp>)>, now: Now) {
        let ids: BTreeSet<&String> = projects.iter().map(|(id, _)| id).collect();
        self.lanes.retain(|id, lane| ids.contains(id) || lane.is_busy);
        self.lanes.iter_mut().for_each(|(id, lane)| lane.is_gone = !ids.contains(id));
        for (id, served) in projects {
            let lane = self.lanes.entry(id).or_insert_with(|| Lane::new(served.unwrap_or(now.wall)));
            lane.want(Reads::ALL, now.tick);
            lane.try_again(now.tick);
        }
    }

    /// What is let go on is looked at as a whole: nothing was noticed meanwhile.
    fn pause(&mut self, pauses: Pauses, now: Now) {
        let before = std::mem::replace(&mut self.pauses, pauses);
        for (id, lane) in &mut self.lanes {
            if before.covers(id) && !self.pauses.covers(id) {
                lane.want(Reads::ALL, now.tick);
                lane.try_again(now.tick);
            }
        }
    }

    fn seen(&mut self, project: &str, sight: Sight, now: Now) {
        self.running = self.running.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(project) else { return };
        let news = lane.see(sight, now);
        let senders: Vec<String> = news.into_iter().filter(|sender| sender != project).collect();
        for sender in senders {
            if let Some(lane) = self.lanes.get_mut(&sender) {
                lane.news.insert(project.to_owned());
            }
        }
    }

    fn failed(&mut self, project: &str, code: Code, now: Now) {
        self.running = self.running.saturating_sub(1);
        let seed = self.seed;
        if let Some(lane) = self.lanes.get_mut(project) {
            lane.is_busy = false;
            lane.want(Reads::ALL, now.tick);
            lane.trouble =
                Some(Retry::after(lane.trouble.take(), (Cause::Reading, code), now.tick, seed, project));
        }
    }

    fn carried(&mut self, group: Group, outcome: Carried, now: Now) {
        self.running = self.running.saturating_sub(1);
        let seed = self.seed;
        for id in &group.among {
            let Some(lane) = self.lanes.get_mut(id) else { continue };
            lane.is_busy = false;
            if let Some(tip) = outcome.tips.get(id) {
                lane.tip = Some(tip.clone());
            }
            match outcome.failed.get(id) {
                Some(code) => {
                    lane.trouble =
                        Some(Retry::after(lane.trouble.take(), (Cause::Writing, *code), now.tick, seed, id));
                }
                None => lane.trouble = None,
            }
            if outcome.reached.contains(id) {
                lane.want(Reads { inbox: true, ..Reads::default() }, now.tick);
            }
            let sends = group.senders.contains(id);
            if outcome.stuck.contains(id) || sends && !outcome.failed.is_empty() {
                lane.stuck = Some(Retry::after(
                    lane.stuck.take(),
                    (Cause::Writing, Code::Unreachable),
                    now.tick,
                    seed,
                    id,
                ));
            } else if sends {
                lane.stuck = None;
            }
        }
        for (sender, receiver) in outcome.ahead {
            self.lanes.get_mut(&sender).map(|lane| lane.news.insert(receiver));
        }
        if outcome.failed.is_empty() {
            return;
        }
        // What was to go to or from a project that failed has not gone.
        for (sender, receiver) in group.news {
            if outcome.failed.contains_key(&sender) || outcome.failed.contains_key(&receiver) {
                self.lanes.get_mut(&sender).map(|lane| lane.news.insert(receiver));
            }
        }
        for sender in &group.senders {
            if let Some(lane) = self.lanes.get_mut(sender) {
                lane.want(Reads { outbox: true, ..Reads::default() }, now.tick);
                lane.noticed = lane.noticed.or(group.noticed.get(sender).copied());
            }
        }
    }

    fn tended(&mut self, project: &str, chores: Chores, outcome: Tended, now: Now) {
        self.running = self.running.saturating_sub(1);
        let seed = self.seed;
        let Some(lane) = self.lanes.get_mut(project) else { return };
        lane.is_busy = false;
        if outcome.tip.is_some() {
            lane.tip = outcome.tip;
        }
        lane.want(
            Reads {
                inbox: chores.accept || chores.put_aside,
                standing: chores.accept || chores.release,
                outbox: chores.put_aside,
                records: chores.ask,
                commits: false,
            },
            now.tick,
        );
        match outcome.failed {
            Some(code) => {
                lane.owed = chores.due.or(lane.owed);
                lane.trouble =
                    Some(Retry::after(lane.trouble.take(), (Cause::Writing, code), now.tick, seed, project));
            }
            None => {
                lane.trouble = None;
                if chores.due.is_some() {
                    lane.owed = None;
                }
            }
        }
    }

    /// Everything that can be done now, no more at a time than there are hands.
    fn effects(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.lanes.values_mut().for_each(|lane| lane.wake(now.tick));
        let mut room = self.most.saturating_sub(self.running);
        self.look(now, &mut room, &mut effects);
        self.tend(now, &mut room, &mut effects);
        if room > 0 {
            let groups = group::groups(&self.lanes, &self.pauses, now.tick);
            effects.extend(groups.into_iter().take(room).map(|group| Effect::Carry(self.begin(group))));
        }
        self.running += effects.len();
        effects
    }

    fn look(&mut self, now: Now, room: &mut usize, effects: &mut Vec<Effect>) {
        for (id, lane) in &mut self.lanes {
            if *room == 0 {
                return;
            }
            if self.pauses.covers(id) || !lane.is_free(now.tick) || !lane.is_due(now.tick) {
                continue;
            }
            *room -= 1;
            let (reads, known) = lane.begin_look();
            effects.push(Effect::Look { project: id.clone(), reads, known });
        }
    }

    fn tend(&mut self, now: Now, room: &mut usize, effects: &mut Vec<Effect>) {
        for (id, lane) in &mut self.lanes {
            if *room == 0 {
                return;
            }
            if self.pauses.covers(id) || !lane.is_free(now.tick) {
                continue;
            }
            if let Some(chores) = lane.chores(now, &self.zone) {
                *room -= 1;
                lane.is_busy = true;
                effects.push(Effect::Tend { project: id.clone(), chores });
            }
        }
    }

    fn begin(&mut self, mut group: Group) -> Group {
        for id in &group.among {
            let Some(lane) = self.lanes.get_mut(id) else { continue };
            lane.is_busy = true;
            if group.senders.contains(id) {
                lane.letters.retain(|to| !group.among.contains(to));
                lane.has_stray = false;
                group.noticed.extend(lane.noticed.take().map(|tick| (id.clone(), tick)));
            }
            lane.news.retain(|receiver| !group.news.contains(&(id.clone(), receiver.clone())));
        }
        group
    }
}
