//! A world without disk under a virtual clock: what the brain wants is answered, and time goes from one wake to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;

/// Projects as a test describes them, and what was done in them.
struct World {
    brain: Scheduler,
    now: Now,
    /// Letters that wait in outboxes: sender, receiver.
    letters: Vec<(String, String)>,
    /// Who cannot be read or written now, and why.
    broken: BTreeMap<String, Code>,
    auto: BTreeMap<String, Auto>,
    leases: BTreeMap<String, Timestamp>,
    /// Tasks in inboxes that the rules accept.
    inbox: BTreeMap<String, u32>,
    tips: BTreeMap<String, u32>,
    log: Vec<(Duration, String)>,
    wakes: u32,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl World {
    fn new(projects: &[&str]) -> World {
        let now = Now { tick: Duration::ZERO, wall: at("2026-03-02T07:00:00Z") };
        let mut world = World {
            brain: Scheduler::new(TimeZone::UTC, 7, 4),
            now,
            letters: Vec::new(),
            broken: BTreeMap::new(),
            auto: BTreeMap::new(),
            leases: BTreeMap::new(),
            inbox: BTreeMap::new(),
            tips: BTreeMap::new(),
            log: Vec::new(),
            wakes: 0,
        };
        world.know(projects, None);
        world
    }

    fn know(&mut self, projects: &[&str], served: Option<Timestamp>) {
        let all = projects.iter().map(|id| ((*id).to_owned(), served)).collect();
        self.give(Input::Known(all));
    }

    /// Give an input, and answer everything that is wanted until nothing is wanted now.
    fn give(&mut self, input: Input) {
        let mut waiting = self.brain.step(input, self.now);
        let mut answers = 0;
        while !waiting.is_empty() {
            answers += 1;
            assert!(answers < 1_000, "never comes to rest: {:?}", self.brain);
            let effect = waiting.remove(0);
            let answer = self.answer(effect);
            waiting.extend(self.brain.step(answer, self.now));
        }
    }

    fn answer(&mut self, effect: Effect) -> Input {
        match effect {
            Effect::Look { project, reads, .. } => match self.broken.get(&project).copied() {
                Some(code) if code != Code::Busy => {
                    self.note(format!("failed {project}"));
                    Input::Failed { project, code }
                }
                _ => Input::Seen { sight: Box::new(self.sight(&project, reads)), project },
            },
            Effect::Carry(group) => self.carry(group),
            Effect::Tend { project, chores } => self.tend(project, chores),
        }
    }

    fn sight(&self, project: &str, reads: Reads) -> Sight {
        let mine = self.letters.iter().filter(|(from, _)| from == project);
        Sight {
            reads,
            auto: self.auto.get(project).cloned().unwrap_or_default(),
            tip: Some(self.tips.get(project).copied().unwrap_or(0).to_string()),
            letters: mine.map(|(_, to)| to.clone()).collect(),
            has_acceptable: self.inbox.get(project).is_some_and(|count| *count > 0),
            lease_until: self.leases.get(project).copied(),
            ..Sight::default()
        }
    }

    fn carry(&mut self, group: Group) -> Input {
        let mut outcome = Carried::default();
        for id in &group.among {
            if let Some(code) = self.broken.get(id) {
                outcome.failed.insert(id.clone(), *code);
            }
        }
        let goes = |(from, to): &(String, String)| {
            let ready = |id: &String| group.among.contains(id) && !outcome.failed.contains_key(id);
            group.senders.contains(from) && ready(from) && ready(to)
        };
        let (gone, kept): (Vec<_>, Vec<_>) = self.letters.drain(..).partition(|letter| goes(letter));
        self.letters = kept;
        for (from, to) in &gone {
            *self.inbox.entry(to.clone()).or_default() += 1;
            for id in [from, to] {
                *self.tips.entry(id.clone()).or_default() += 1;
            }
            outcome.reached.insert(to.clone());
        }
        let names: Vec<&str> = group.among.iter().map(String::as_str).collect();
        self.note(format!("carried {} among {}", gone.len(), names.join(" ")));
        Input::Carried { group, outcome }
    }

    fn tend(&mut self, project: String, chores: Chores) -> Input {
        let failed = self.broken.get(&project).copied();
        if failed.is_none() {
            if chores.accept {
                let count = self.inbox.insert(project.clone(), 0).unwrap_or(0);
                self.note(format!("accepted {count} in {project}"));
            }
            if chores.release {
                self.leases.remove(&project);
                self.note(format!("released in {project}"));
            }
        }
        Input::Tended { project, chores, outcome: Tended { failed, tip: None } }
    }

    fn note(&mut self, what: String) {
        self.log.push((self.now.tick, what));
    }

    /// Let time pass; nothing is noticed meanwhile.
    fn pass(&mut self, time: Duration) {
        let end = self.now.tick + time;
        while self.now.tick < end {
            let rest = self.brain.rest(self.now).max(Duration::from_micros(1)).min(end - self.now.tick);
            self.now.tick += rest;
            self.now.wall += rest;
            self.wakes += 1;
            assert!(self.wakes < 1_000_000, "spins at {:?}: {:?}", self.now, self.brain);
            self.give(Input::Time);
        }
    }

    fn letter(&mut self, from: &str, to: &str) {
        self.letters.push((from.to_owned(), to.to_owned()));
        self.changed(from);
    }

    fn changed(&mut self, project: &str) {
        let reads = Reads { outbox: true, ..Reads::default() };
        self.give(Input::Changed { project: project.to_owned(), reads, may_be_unfinished: false });
    }

    fn did(&self, what: &str) -> usize {
        self.log.iter().filter(|(_, done)| done.starts_with(what)).count()
    }

    fn accepts(&mut self, project: &str, schedule: &[&str]) {
        let auto = Auto {
            accept: crate::domain::auto::Acceptance::of(vec!["all".parse().unwrap()]).unwrap(),
            schedule: schedule.iter().map(|text| text.parse().unwrap()).collect(),
            ..Auto::default()
        };
        self.auto.insert(project.to_owned(), auto);
        let reads = Reads::ALL;
        self.give(Input::Changed { project: project.to_owned(), reads, may_be_unfinished: false });
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_letter_is_carried_at_once_and_once() {
    let mut world = World::new(&["a", "b", "c"]);
    world.letter("a", "b");
    assert_eq!(world.did("carried 1 among a b"), 1);
    world.pass(DAY);
    assert_eq!(world.did("carried"), 1, "{:?}", world.log);
}

#[test]
fn a_week_of_schedule_runs_five_times() {
    let mut world = World::new(&["a", "b"]);
    world.accepts("b", &["0 8 * * 1-5"]);
    world.letter("a", "b");
    world.pass(7 * DAY);
    assert_eq!(world.did("accepted"), 5, "{:?}", world.log);
    let hours: Vec<u64> = world
        .log
        .iter()
        .filter(|(_, what)| what.starts_with("accepted"))
        .map(|(tick, _)| tick.as_secs())
        .collect();
    assert_eq!(hours, (0..5).map(|day| 3600 + day * 24 * 3600).collect::<Vec<_>>());
    assert_eq!(world.did("accepted 1"), 1);
}

#[test]
fn several_schedules_of_a_week_are_all_served_once() {
    let mut world = World::new(&["b"]);
    world.accepts("b", &["*/30 * * * *", "0 9 * * 1"]);
    world.pass(7 * DAY);
    assert_eq!(world.did("accepted"), 7 * 48);
}

#[test]
fn what_was_missed_is_made_up_for_once_at_the_start() {
    let missed = |served: &str| {
        let mut world = World::new(&[]);
        world.accepts("b", &["0 6 * * *"]);
        world.know(&["b"], Some(at(served)));
        world.pass(Duration::from_secs(3600));
        world.did("accepted")
    };
    assert_eq!(missed("2026-02-20T06:00:00Z"), 1);
    assert_eq!(missed("2026-03-01T06:00:00Z"), 1);
    assert_eq!(missed("2026-03-02T06:00:00Z"), 0);
}

#[test]
fn a_clock_that_jumps_back_serves_nothing_twice() {
    let mut world = World::new(&["b"]);
    world.accepts("b", &["0 8 * * *"]);
    world.pass(Duration::from_secs(2 * 3600));
    assert_eq!(world.did("accepted"), 1);
    world.now.wall = at("2026-03-02T07:30:00Z");
    world.pass(Duration::from_secs(2 * 3600));
    assert_eq!(world.did("accepted"), 1, "{:?}", world.log);
    world.now.wall = at("2026-02-27T00:00:00Z");
    world.pass(2 * DAY);
    assert_eq!(world.did("accepted"), 1);
    world.now.wall = at("2026-03-03T07:30:00Z");
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.did("accepted"), 2);
}

#[test]
fn a_clock_that_jumps_forward_is_noticed_within_half_a_minute() {
    let mut world = World::new(&["b"]);
    world.leases.insert("b".to_owned(), at("2026-03-02T12:00:00Z"));
    world.give(Input::Missed);
    world.now.wall = at("2026-03-02T12:00:01Z");
    world.pass(Duration::from_secs(31));
    assert_eq!(world.did("released in b"), 1);
}

#[test]
fn an_expired_lease_is_released_when_it_ends() {
    let mut world = World::new(&["b"]);
    world.leases.insert("b".to_owned(), at("2026-03-02T07:10:00Z"));
    world.give(Input::Missed);
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.log, [(Duration::from_secs(600), "released in b".to_owned())]);
}

#[test]
fn a_locked_project_delays_no_other_and_is_not_spun_on() {
    let mut world = World::new(&["a", "b", "c"]);
    world.broken.insert("b".to_owned(), Code::Busy);
    world.letter("a", "b");
    world.letter("a", "c");
    assert_eq!(world.did("carried 1 among a c"), 1, "{:?}", world.log);
    let wakes = world.wakes;
    world.pass(Duration::from_secs(600));
    assert!(world.wakes - wakes < 600 * 2, "{} wakes in ten minutes", world.wakes - wakes);
    let before = world.did("carried");
    assert!(before < 450, "{before} tries in ten minutes");
    world.broken.clear();
    world.pass(Duration::from_secs(3));
    assert!(world.letters.is_empty());
}

#[test]
fn a_broken_project_is_tried_less_and_less_and_at_once_when_it_changes() {
    let mut world = World::new(&["a", "b"]);
    world.broken.insert("b".to_owned(), Code::Unreachable);
    world.give(Input::Missed);
    world.letter("a", "b");
    world.pass(DAY);
    let tries = world.did("failed b");
    assert!((200..800).contains(&tries), "{tries} looks at a project that is gone, in a day");
    world.broken.clear();
    let reads = Reads::ALL;
    world.give(Input::Changed { project: "b".to_owned(), reads, may_be_unfinished: false });
    world.pass(Duration::from_secs(2));
    world.pass(Duration::from_secs(400));
    assert!(world.letters.is_empty(), "{:?}", world.log.last());
}

#[test]
fn a_pause_holds_and_its_end_brings_what_was_missed() {
    let mut world = World::new(&["a", "b"]);
    let pauses = Pauses { all: false, projects: ["b".to_owned()].into() };
    world.give(Input::Paused(pauses));
    world.letter("a", "b");
    world.pass(DAY);
    assert_eq!(world.did("carried"), 0);
    world.give(Input::Paused(Pauses::default()));
    assert_eq!(world.did("carried 1"), 1);
}

#[test]
fn what_is_not_to_be_distributed_stays() {
    let mut world = World::new(&["a", "b"]);
    world.auto.insert("a".to_owned(), Auto { distribute: false, ..Auto::default() });
    world.letter("a", "b");
    world.letter("b", "a");
    world.pass(DAY);
    assert_eq!(world.letters, [("a".to_owned(), "b".to_owned())]);
}

#[test]
fn a_file_that_may_be_unfinished_waits_until_it_is_still() {
    let mut world = World::new(&["a", "b"]);
    world.letters.push(("a".to_owned(), "b".to_owned()));
    let reads = Reads { outbox: true, ..Reads::default() };
    world.give(Input::Changed { project: "a".to_owned(), reads, may_be_unfinished: true });
    assert_eq!(world.did("carried"), 0);
    world.pass(Duration::from_millis(301));
    assert_eq!(world.did("carried 1"), 1);
}

#[test]
fn independent_projects_are_carried_side_by_side_and_dependent_ones_together() {
    let mut brain = Scheduler::new(TimeZone::UTC, 7, 8);
    let now = Now { tick: Duration::ZERO, wall: at("2026-03-02T07:00:00Z") };
    let known = ["a", "b", "c", "d", "e"].map(|id| (id.to_owned(), None)).into();
    assert_eq!(brain.step(Input::Known(known), now).len(), 5);
    let mut seen = |project: &str, letters: &[&str]| {
        let letters = letters.iter().map(|id| (*id).to_owned()).collect();
        let sight = Box::new(Sight { reads: Reads::ALL, letters, ..Sight::default() });
        let effects = brain.step(Input::Seen { project: project.to_owned(), sight }, now);
        let among = effects.into_iter().map(|effect| match effect {
            Effect::Carry(group) => group.among.into_iter().collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        });
        among.collect::<Vec<_>>()
    };
    for (project, letters) in [("a", "b"), ("c", "b"), ("d", "e")] {
        assert!(seen(project, &[letters]).is_empty());
    }
    assert_eq!(seen("e", &[]), ["d e"]);
    assert_eq!(seen("b", &["a"]), ["a b c"]);
}

#[test]
fn nothing_is_begun_in_a_project_that_is_busy_and_no_more_than_there_are_hands() {
    let projects: Vec<String> = (0..20).map(|n| format!("p{n:02}")).collect();
    let mut brain = Scheduler::new(TimeZone::UTC, 7, 4);
    let now = Now { tick: Duration::ZERO, wall: at("2026-03-02T07:00:00Z") };
    let known = projects.iter().map(|id| (id.clone(), None)).collect();
    let first = brain.step(Input::Known(known), now);
    assert_eq!(first.len(), 4);
    assert!(brain.step(Input::Missed, now).is_empty());
    assert!(brain.rest(now) > Duration::ZERO);
    let mut busy: BTreeSet<String> = BTreeSet::new();
    for effect in first {
        let Effect::Look { project, .. } = effect else { panic!("{effect:?}") };
        assert!(busy.insert(project));
    }
    let seen = Input::Seen { project: busy.first().unwrap().clone(), sight: Box::default() };
    assert_eq!(brain.step(seen, now).len(), 1);
}

#[test]
fn an_idle_day_costs_few_thoughts() {
    let projects: Vec<String> = (0..50).map(|n| format!("p{n:02}")).collect();
    let names: Vec<&str> = projects.iter().map(String::as_str).collect();
    let mut world = World::new(&names);
    world.pass(DAY);
    assert!(world.wakes <= 2 * 24 * 60 + 200, "{} wakes in a day", world.wakes);
}

mod any_world {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Act {
        Letter(usize, usize),
        Break(usize, Code),
        Mend(usize),
        Pause(usize),
        Resume,
        Pass(u64),
        Jump(i64),
        Miss,
    }

    fn act() -> impl Strategy<Value = Act> {
        let code = prop::sample::select(vec![Code::Busy, Code::Io, Code::Unreachable, Code::InProgress]);
        prop_oneof![
            4 => (0usize..5, 0usize..5).prop_map(|(from, to)| Act::Letter(from, to)),
            1 => (0usize..5, code).prop_map(|(at, code)| Act::Break(at, code)),
            2 => (0usize..5).prop_map(Act::Mend),
            1 => (0usize..5).prop_map(Act::Pause),
            1 => Just(Act::Resume),
            3 => (1u64..2_000_000).prop_map(Act::Pass),
            1 => (-200_000i64..200_000).prop_map(Act::Jump),
            1 => Just(Act::Miss),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn everything_arrives_when_everything_is_well_again(acts in prop::collection::vec(act(), 0..40)) {
            let names = ["a", "b", "c", "d", "e"];
            let mut world = World::new(&names);
            let mut pauses = Pauses::default();
            for act in acts {
                match act {
                    Act::Letter(from, to) => world.letter(names[from], names[to]),
                    Act::Break(at, code) => drop(world.broken.insert(names[at].to_owned(), code)),
                    Act::Mend(at) => drop(world.broken.remove(names[at])),
                    Act::Pause(at) => {
                        pauses.projects.insert(names[at].to_owned());
                        world.give(Input::Paused(pauses.clone()));
                    }
                    Act::Resume => {
                        pauses = Pauses::default();
                        world.give(Input::Paused(pauses.clone()));
                    }
                    Act::Pass(milliseconds) => world.pass(Duration::from_millis(milliseconds)),
                    Act::Jump(seconds) => world.now.wall += SignedDuration::from_secs(seconds),
                    Act::Miss => world.give(Input::Missed),
                }
            }
            world.broken.clear();
            world.give(Input::Paused(Pauses::default()));
            world.pass(Duration::from_secs(16 * 60));
            prop_assert!(world.letters.is_empty(), "{:?}", world.letters);
            prop_assert!(world.brain.is_idle());
            let done = world.log.len();
            world.pass(DAY);
            prop_assert_eq!(world.log.len(), done, "something is done without a cause");
        }
    }
}
