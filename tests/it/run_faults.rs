//! Runs with a fault each, chosen by chance from a seed that is told: none hangs, leaks a process, loses a record, or
//! is told to have ended otherwise than it did.
//!
//! A short form with every test; `SWIFT_FAULTS=1000` for the long one, `SWIFT_FAULTS_SEED` for another order.

use serde_json::Value;

use crate::chance::Chance;
use crate::claude::{Scene, processes_with, until};
use crate::run_process::Background;
use crate::sandbox::Sandbox;
use crate::world::{self, text};

/// What a program does, and the outcomes that are true of it.
type Fault = (&'static str, &'static [&'static str]);

/// Faults of the program itself.
const FAULTS: &[Fault] = &[
    ("change; result ok", &["completed"]),
    ("result ok", &["completed-without-result"]),
    ("change; exit 0", &["failed"]),
    ("change; exit 7", &["failed"]),
    ("kill -9 $$", &["failed"]),
    ("kill -11 $$", &["failed"]),
    ("kill -15 $$", &["interrupted"]),
    ("kill -9 $PPID; hang", &["interrupted"]),
    ("kill -15 $PPID; hang", &["interrupted", "timed-out"]),
    ("fail 529 overloaded x", &["failed"]),
    ("fail 500 server_error x", &["failed"]),
    ("head -c 3000000 /dev/zero; echo; change; result ok", &["completed"]),
    ("head -c 200000 /dev/urandom; echo; change; result ok", &["completed"]),
    ("printf '{\"type\":\"result\",\"is_error\":fal'", &["failed"]),
    ("(setsid sleep 999 &); change; result ok", &["completed"]),
    ("trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 999' &); change; result ok", &["completed"]),
    ("exec >&-; change; hang", &["timed-out"]),
    ("exec >&- 2>&-; exit 0", &["failed"]),
    ("hang", &["timed-out"]),
    ("trap '' TERM; say x; kill -STOP $$", &["timed-out"]),
    ("change; result one; result two", &["completed"]),
    ("rm -rf .git; change; result ok", &["failed", "completed-without-result"]),
    ("git checkout -q --detach; change; result ok", &["failed"]),
    ("git checkout -q -b elsewhere$$; change; result ok", &["failed"]),
    ("mkdir sub; chmod 0 sub; change; result ok", &["completed"]),
];

/// What may happen to `swift` meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accident {
    None,
    Killed,
    Stopped,
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn no_fault_hangs_leaks_loses_or_lies() {
    let (runs, seed) = (number("SWIFT_FAULTS", 30), number("SWIFT_FAULTS_SEED", 7));
    let mut chance = Chance::of(seed);
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nretries = 0\nescalations = 0\ntimeout = \"2s\"\n");
    let mark = format!("HOME={}", sandbox.home().path("").to_str().unwrap().trim_end_matches('/'));
    let mut late = 0;
    for round in 0..runs {
        let (script, outcomes) =
            FAULTS[if round < FAULTS.len() as u64 { round as usize } else { chance.below(FAULTS.len()) }];
        let accident = match chance.below(8) {
            0 if round >= FAULTS.len() as u64 => Accident::Killed,
            1 if round >= FAULTS.len() as u64 => Accident::Stopped,
            _ => Accident::None,
        };
        let what = format!("round {round}, seed {seed}: {script}, {accident:?}");
        scene.script(&format!("rm -f \"$HOME/through\"; init; {script}; echo >\"$HOME/through\""));
        let task = scene.task(&format!("Make part {round}"));
        let before = scene.starts();
        let running = Background::start(&scene, &["run", &task]);
        if accident != Accident::None {
            until(&what, || scene.starts() > before || running.has_ended());
        }
        match accident {
            Accident::None => {}
            Accident::Killed => running.kill(),
            Accident::Stopped => _ = scene.call(["run", "stop", &task]).run(),
        }
        running.status();
        if accident == Accident::Killed && script.contains("$PPID") {
            // Both that watch were killed at once: what the kernel's signal does not end, the next look at runs does.
            scene.call(["run", "show", &task]).run();
        }
        until(&what, || processes_with(&mark).is_empty());
        let record = scene.call(["run", "show", &task, "--json"]).run();
        assert_eq!(record.status, 0, "{what}: {}", record.stderr);
        let outcome = text(&record.json()["run"]["outcome"]);
        let by_accident = match accident {
            Accident::None => "",
            Accident::Killed => "interrupted",
            Accident::Stopped => "cancelled",
        };
        // On a machine that is busy enough, time runs out for any of them, and then that is how it ended.
        let is_late = outcome == "timed-out"
            && record.json()["run"]["seconds"].as_f64().unwrap() >= 2.0
            && !sandbox.home().path("through").exists();
        late += u64::from(is_late);
        assert!(
            outcomes.contains(&outcome.as_str()) || outcome == by_accident || is_late,
            "{what}: {outcome}\n{:#}",
            record.json()
        );
    }
    println!("{runs} runs, seed {seed}: {late} ended by the time limit");
    let all: Vec<Value> = scene.runs();
    assert_eq!(all.len() as u64, runs, "every run has a record");
    assert!(all.iter().all(|run| run["state"] == "ended"), "every record has an end");
    scene.place.git("worktree prune");
    world::intact(&scene.place, "after all faults");
}
