//! Many processes at once, each kind of race in each home, in a fresh queue and in an old one, while a person types git
//! beside them: one wins, nobody's change is lost, each loser is told, and the person's commands are as if alone.
//!
//! The bounded run races four at once; `SWIFT_PROVE_RACE=2,8,32/0,3000` races as many processes as the first numbers say,
//! in queues with as many finished tasks as the second ones do (`benches/prove race`). Each race is a row of the table that
//! is printed in the end.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Call, Output, Place, Sandbox};
use crate::watch::watcher;
use crate::world::{World, add, copies, received, sound, text};

/// Where, how old, and how many.
#[derive(Debug, Clone, Copy)]
struct Setting {
    in_tree: bool,
    /// So many finished tasks are there.
    finished: usize,
    writers: usize,
}

/// One race: prepares, gives the calls of each process one after the other, and judges what came out.
struct Race {
    name: &'static str,
    run: fn(&Scene<'_>) -> Vec<Timed>,
}

/// A process that has ended, and how long it took.
struct Timed {
    output: Output,
    took: Duration,
}

/// Everything that a race has.
struct Scene<'a> {
    world: &'a World<'a>,
    /// The project in which is raced.
    place: &'a Place<'a>,
    setting: Setting,
}

const RACES: [Race; 9] = [
    Race { name: "create", run: create },
    Race { name: "claim the same", run: claim_the_same },
    Race { name: "edit the same field", run: edit_the_same_field },
    Race { name: "edit other fields", run: edit_other_fields },
    Race { name: "done twice", run: done_twice },
    Race { name: "outbox twice", run: outbox_twice },
    Race { name: "undo against claim", run: undo_against_claim },
    Race { name: "watch against outbox", run: watch_against_outbox },
    Race { name: "session commits", run: session_commits },
];

#[test]
fn every_race_has_one_winner_and_loses_nothing() {
    let wanted = std::env::var("SWIFT_PROVE_RACE").unwrap_or_else(|_| "4/0".to_owned());
    let numbers = |text: &str| text.split(',').map(|n| n.parse().unwrap()).collect::<Vec<usize>>();
    let (writers, ages) = wanted.split_once('/').map(|(a, b)| (numbers(a), numbers(b))).expect("two lists");
    let mut rows = vec![
        "| race | home | finished before | processes | verbs | verbs/s | median ms | p99 ms | person's git commands |".to_owned(),
        "|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for in_tree in [false, true] {
        for finished in &ages {
            let sandbox = Sandbox::new();
            let world = if in_tree { World::in_tree(&sandbox) } else { World::new(&sandbox) };
            grow_old(&world.api, *finished);
            for writers in &writers {
                let setting = Setting { in_tree, finished: *finished, writers: *writers };
                for race in &RACES {
                    rows.push(one_race(&world, race, setting));
                }
            }
        }
    }
    eprintln!("{}", rows.join("\n"));
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

fn one_race(world: &World<'_>, race: &Race, setting: Setting) -> String {
    let scene = Scene { world, place: &world.api, setting };
    let person =
        Person { place: scene.place, in_tree: setting.in_tree, text: format!("{} {setting:?}", race.name) };
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let (ended, commands) = thread::scope(|scope| {
        let person = scope.spawn(|| person.works_until(&stop));
        let ended = (race.run)(&scene);
        let took = begun.elapsed();
        stop.store(true, Ordering::SeqCst);
        ((ended, took), person.join().unwrap())
    });
    let (ended, wall) = ended;
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
    row(race, setting, &ended, wall, commands)
}

fn row(race: &Race, setting: Setting, ended: &[Timed], wall: Duration, commands: usize) -> String {
    let mut times: Vec<Duration> = ended.iter().map(|timed| timed.took).collect();
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_millis();
    let (home, rate) =
        (if setting.in_tree { "in-tree" } else { "own branch" }, ended.len() as f64 / wall.as_secs_f64());
    format!(
        "| {} | {home} | {} | {} | {} | {rate:.0} | {} | {} | {commands} |",
        race.name,
        setting.finished,
        setting.writers,
        ended.len(),
        at(50),
        at(99)
    )
}

/// Somebody who works in the same repository and knows nothing of the queue.
struct Person<'a> {
    place: &'a Place<'a>,
    in_tree: bool,
    /// What they write; in each race something else.
    text: String,
}

impl Person<'_> {
    /// Commit, look, switch, put aside and collect until it is enough; how many commands that were.
    fn works_until(&self, stop: &AtomicBool) -> usize {
        let mut commands = 0;
        let mut git = |words: &str| {
            let output = self.place.program("git", words).run();
            commands += 1;
            // In-tree both write the same index, and who comes second is told so by git; a queue of its own has its own.
            let lost = self.in_tree
                && ["index.lock", "cannot lock ref", "unable to write new index"]
                    .iter()
                    .any(|part| output.stderr.contains(part));
            assert!(output.status == 0 || lost, "`{}`: {}{}", output.shown, output.stdout, output.stderr);
            !lost
        };
        for n in 0.. {
            self.place.write("mine.txt", format!("{} {n}\n", self.text));
            // What git was refused to take up it does not know.
            if git("add mine.txt") {
                git("commit --quiet --message mine -- mine.txt");
            }
            git("status --porcelain");
            if !self.in_tree {
                git("checkout --quiet -B side");
                self.place.write("mine.txt", format!("{n} changed\n"));
                git("stash --quiet");
                git("stash pop --quiet");
                git("checkout --quiet -- mine.txt");
                git("checkout --quiet main");
            }
            if n % 4 == 3 {
                git("gc --quiet");
            }
            if stop.load(Ordering::SeqCst) {
                return commands;
            }
        }
        commands
    }
}

/// Start processes at once, each with its calls one after the other.
fn at_once(each: Vec<Vec<Call<'_>>>) -> Vec<Timed> {
    let barrier = Barrier::new(each.len());
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
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

impl Scene<'_> {
    /// One call for each process.
    fn each(&self, words: impl Fn(usize) -> Vec<String>) -> Vec<Timed> {
        at_once((0..self.setting.writers).map(|n| vec![self.place.call(words(n))]).collect())
    }

    fn events(&self, id: &str, kind: &str) -> usize {
        let log = self.place.json(["show", id]);
        log["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).count()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn all_succeed(ended: &[Timed]) {
    ended.iter().for_each(|timed| drop(timed.output.ok()));
}

/// One succeeds; every other one is told, with status 4 or 5.
fn one_wins(ended: &[Timed]) -> &Output {
    let (won, lost): (Vec<_>, Vec<_>) =
        ended.iter().map(|timed| &timed.output).partition(|output| output.status == 0);
    assert_eq!(won.len(), 1, "{won:#?}");
    for output in lost {
        assert!([4, 5].contains(&output.status) && output.stderr.contains("error: "), "{output:?}");
    }
    won[0]
}

fn create(scene: &Scene<'_>) -> Vec<Timed> {
    let calls = |n: usize| {
        (0..5).map(|round| scene.place.call(["task", ".", &format!("{n} {round}"), "--json"])).collect()
    };
    let ended = at_once((0..scene.setting.writers).map(calls).collect());
    for timed in &ended {
        timed.output.ok();
        let id = text(&timed.output.json()["task"]["id"]);
        assert_eq!(copies(scene.place, &id).len(), 1, "{id}");
    }
    ended
}

fn claim_the_same(scene: &Scene<'_>) -> Vec<Timed> {
    let id = add(scene.place, ".", "the one");
    let ended = scene.each(|n| words(&["claim", &id, "--actor", &format!("agent-{n}")]));
    let won = one_wins(&ended);
    let holder = text(&scene.place.json(["show", &id])["task"]["holder"]);
    assert!(won.stdout.contains(&holder), "{holder}: {}", won.stdout);
    assert_eq!(scene.events(&id, "task.claimed"), 1);
    ended
}

fn edit_the_same_field(scene: &Scene<'_>) -> Vec<Timed> {
    let id = add(scene.place, ".", "title of nobody");
    let ended = scene.each(|n| words(&["edit", &id, "--title", &format!("title of {n}")]));
    all_succeed(&ended);
    assert_eq!(
        scene.events(&id, "task.edited"),
        scene.setting.writers,
        "every edit happened, one after the other"
    );
    ended
}

fn edit_other_fields(scene: &Scene<'_>) -> Vec<Timed> {
    let id = add(scene.place, ".", "the one");
    let ended = scene.each(|n| match n {
        0 => words(&["edit", &id, "--priority", "high"]),
        1 => words(&["edit", &id, "--effort", "S"]),
        n => words(&["comment", &id, &format!("word <{n}>")]),
    });
    all_succeed(&ended);
    let file = scene.place.read(&format!(".swift/{}", copies(scene.place, &id)[0]));
    let mut parts = vec!["priority = \"high\"".to_owned(), "effort = \"S\"".to_owned()];
    parts.extend((2..scene.setting.writers).map(|n| format!("word <{n}>")));
    assert!(parts.iter().all(|part| file.contains(part)), "{file}");
    ended
}

fn done_twice(scene: &Scene<'_>) -> Vec<Timed> {
    let id = add(scene.place, ".", "the one");
    let ended = scene.each(|n| words(&["done", &id, "--result", &format!("by <{n}>")]));
    one_wins(&ended);
    let paths = copies(scene.place, &id);
    assert!(paths.len() == 1 && paths[0].starts_with("done/"), "{paths:?}");
    assert_eq!(scene.events(&id, "task.done"), 1);
    ended
}

fn outbox_twice(scene: &Scene<'_>) -> Vec<Timed> {
    let ids: Vec<String> = (0..3).map(|n| scene.world.letter(&format!("letter {n}"))).collect();
    let calls = (0..scene.setting.writers).map(|_| vec![scene.world.hub.call("outbox --json --yes")]);
    let ended = at_once(calls.collect());
    let told = |timed: &Timed| match timed.output.status {
        0 => timed.output.json()["delivered"].as_array().unwrap().len(),
        status => {
            assert!([4, 5].contains(&status), "{:?}", timed.output);
            0
        }
    };
    assert_eq!(ended.iter().map(told).sum::<usize>(), ids.len(), "each delivery is told by one");
    delivered(scene, &ids);
    ended
}

fn delivered(scene: &Scene<'_>, ids: &[String]) {
    for id in ids {
        assert_eq!(received(&scene.world.api, id).len(), 1, "{id}");
        let sent = copies(&scene.world.web, id);
        assert!(sent.len() == 1 && sent[0].starts_with("sent/"), "{sent:?}");
    }
}

fn undo_against_claim(scene: &Scene<'_>) -> Vec<Timed> {
    let id = add(scene.place, ".", "the one");
    let ended = scene.each(|n| match n {
        0 => words(&["undo", "sesame"]),
        n => words(&["claim", &id, "--actor", &format!("agent-{n}")]),
    });
    let (undone, claims) = ended.split_first().unwrap();
    let statuses: Vec<i32> = claims.iter().map(|timed| timed.output.status).collect();
    let won = statuses.iter().filter(|status| **status == 0).count();
    assert!(statuses.iter().all(|status| [0, 3, 4, 5].contains(status)), "{statuses:?}");
    let (undid, there) = (undone.output.status == 0, copies(scene.place, &id).len());
    assert!(undid || [4, 5].contains(&undone.output.status), "{:?}", undone.output);
    // Undone first: nothing is left to claim. Otherwise it takes back a claim, after which another one may win.
    match there {
        0 => assert!(undid && won == 0, "{statuses:?}"),
        _ => assert!(there == 1 && (1..=1 + usize::from(undid)).contains(&won), "{there} {statuses:?}"),
    }
    ended
}

fn watch_against_outbox(scene: &Scene<'_>) -> Vec<Timed> {
    let watching = watcher(scene.world);
    let calls = |n: usize| {
        let letter = scene.world.web.call(["task", "acme/api", &format!("letter {n}"), "--json"]);
        vec![letter, scene.world.hub.call("outbox --json --yes")]
    };
    let ended = at_once((0..scene.setting.writers).map(calls).collect());
    for timed in &ended {
        assert!([0, 4, 5].contains(&timed.output.status), "{:?}", timed.output);
    }
    scene.world.round();
    let letters = ended
        .iter()
        .map(|timed| timed.output.json())
        .filter_map(|told: Value| told["task"]["id"].as_str().map(str::to_owned));
    let letters: Vec<String> = letters.collect();
    assert_eq!(letters.len(), scene.setting.writers, "every letter is written");
    drop(watching);
    scene.world.round();
    delivered(scene, &letters);
    ended
}

fn session_commits(scene: &Scene<'_>) -> Vec<Timed> {
    let settings = scene.place.read(".swift/swift.toml");
    scene.place.write(".swift/swift.toml", settings.replacen("commit = \"each\"", "commit = \"session\"", 1));
    scene.place.swift_ok("start sesame");
    let ended = scene.each(|n| words(&["task", ".", &format!("in a session {n}"), "--json"]));
    all_succeed(&ended);
    scene.place.swift_ok("finish sesame");
    let committed = scene.place.git(["-C", ".swift", "ls-tree", "-r", "--name-only", "HEAD"]);
    for timed in &ended {
        let id = text(&timed.output.json()["task"]["id"]);
        assert!(committed.contains(&id), "{id} is in the commit of the session");
    }
    scene.place.write(".swift/swift.toml", settings);
    ended
}
