//! Many processes at once, each kind of race in each home, in a fresh queue and in an old one, while a person types git
//! beside them: one wins, nobody's change is lost, each loser is told, and the person's commands are as if alone.
//!
//! The bounded run races four at once; `SWIFT_PROVE_RACE=2,8,32/0,3000/64` races as many processes as the first numbers
//! say, in queues with as many finished tasks as the second ones do, each race again until the last number of verbs has
//! been timed (`benches/prove race`). Each race is a row of the table that is printed in the end.

mod person;
mod races;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::matrix::said;
use crate::sandbox::{Call, Output, Place, Sandbox};
use crate::world::{World, sound};
use person::Person;
use races::RACES;
use table::{Outcome, Rows};

/// Where, how old, and how many.
#[derive(Debug, Clone, Copy)]
struct Setting {
    in_tree: bool,
    /// So many finished tasks are there.
    finished: usize,
    writers: usize,
    verbs: usize,
}

/// One race: prepares, gives the calls of each process one after the other, and judges what came out.
struct Race {
    name: &'static str,
    run: fn(&Scene<'_>) -> Heat,
}

/// A process that has ended, and how long it took.
struct Timed {
    output: Output,
    took: Duration,
}

/// All processes of a race that was run once, and how long they took together, without what was prepared and looked at.
struct Heat {
    ended: Vec<Timed>,
    wall: Duration,
}

/// Everything that a race has.
struct Scene<'a> {
    world: &'a World<'a>,
    /// The project in which is raced.
    place: &'a Place<'a>,
    setting: Setting,
}

/// The numbers in `SWIFT_PROVE_RACE`.
struct Wanted {
    writers: Vec<usize>,
    finished: Vec<usize>,
    /// A race is run again until so many verbs have been timed; once otherwise.
    verbs: usize,
}

impl Wanted {
    fn read() -> Self {
        let wanted = std::env::var("SWIFT_PROVE_RACE").unwrap_or_else(|_| "4/0/1".to_owned());
        let lists = wanted.split('/').map(|list| list.split(',').map(|n| n.parse().unwrap()).collect());
        let [writers, finished, verbs] =
            <[Vec<usize>; 3]>::try_from(lists.collect::<Vec<_>>()).expect("three lists");
        Wanted { writers, finished, verbs: verbs[0] }
    }
}

#[test]
fn every_race_has_one_winner_and_loses_nothing() {
    let wanted = Wanted::read();
    let mut rows = Rows::begin();
    for in_tree in [false, true] {
        for finished in &wanted.finished {
            let sandbox = Sandbox::new();
            let world = if in_tree { World::in_tree(&sandbox) } else { World::new(&sandbox) };
            grow_old(&world.api, *finished);
            for writers in &wanted.writers {
                let setting =
                    Setting { in_tree, finished: *finished, writers: *writers, verbs: wanted.verbs };
                for race in &RACES {
                    rows.add(race, setting, one_race(&world, race, setting));
                }
            }
        }
    }
    rows.end();
}

/// Finished tasks, written by hand and recorded by one verb.
fn grow_old(place: &Place<'_>, finished: usize) {
    for n in 0..finished {
        let text = format!(
            "+++\ntitle = \"old {n}\"\n\n[result]\nstate = \"done\"\nat = 2026-02-0{}T00:00:00Z\n+++\n",
            1 + n % 9
        );
        place.write(&format!(".swift/done/2026-02/old-{n}.md"), text);
    }
    if finished > 0 {
        place.swift_ok("doctor --fix sesame");
    }
}

/// Race until enough verbs have been timed, with a person beside it; what it came to, or what did not hold.
fn one_race(world: &World<'_>, race: &Race, setting: Setting) -> Result<Outcome, String> {
    let scene = Scene { world, place: &world.api, setting };
    let person =
        Person { place: scene.place, in_tree: setting.in_tree, text: format!("{} {setting:?}", race.name) };
    let stop = AtomicBool::new(false);
    let mut outcome = Outcome::default();
    let held = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            let person = scope.spawn(|| person.works_until(&stop));
            let heats = catch_unwind(AssertUnwindSafe(|| {
                while outcome.times.len() < setting.verbs.max(1) {
                    outcome.note(&(race.run)(&scene));
                }
            }));
            stop.store(true, Ordering::SeqCst);
            outcome.commands = person.join().unwrap_or_else(|panic| resume_unwind(panic));
            heats.unwrap_or_else(|panic| resume_unwind(panic));
        });
        settled(&scene, race);
    }));
    held.map(|()| outcome).map_err(|panic| said(&*panic))
}

/// Everything is whole in all three repositories.
fn settled(scene: &Scene<'_>, race: &Race) {
    let (world, setting) = (scene.world, scene.setting);
    // In-tree git may have refused the person's last commit, because the index was locked; now nobody is there.
    if setting.in_tree && !scene.place.git("status --porcelain -- mine.txt").is_empty() {
        scene.place.git("add mine.txt");
        scene.place.git("commit --quiet --message mine -- mine.txt");
    }
    // What had to wait for a collection of git is committed by the next verb.
    for place in [&world.hub, &world.web, &world.api] {
        place.swift_ok("doctor --fix sesame");
        sound(place, &format!("{} {setting:?}", race.name));
    }
}

/// Start processes at once, each with its calls one after the other.
fn at_once(each: Vec<Vec<Call<'_>>>) -> Heat {
    let barrier = Barrier::new(each.len() + 1);
    let run = |calls: Vec<Call<'_>>| {
        barrier.wait();
        let timed = |call: Call<'_>| {
            let begun = Instant::now();
            Timed { output: call.run(), took: begun.elapsed() }
        };
        calls.into_iter().map(timed).collect::<Vec<_>>()
    };
    let run = &run;
    thread::scope(|scope| {
        let running: Vec<_> = each.into_iter().map(|calls| scope.spawn(move || run(calls))).collect();
        barrier.wait();
        let begun = Instant::now();
        let ended = running.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        Heat { ended, wall: begun.elapsed() }
    })
}
