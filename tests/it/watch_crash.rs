//! The watcher killed at random moments, refused by a full disk, and started again: each task once, receipts true.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::crash::{Accident, Point, at_syscall, can_trace, points};
use crate::sandbox::{Place, Sandbox, until};
use crate::watch::{letter, set_auto, titled, watcher};
use crate::world::{World, files, receipt, sound};

/// How often each title is in the queue of a receiver, sent records and quarantine left out.
fn titles(place: &Place<'_>) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for path in files(place).into_iter().filter(|path| path.ends_with(".md")) {
        let Ok(text) = fs::read_to_string(place.path(&format!(".swift/{path}"))) else { continue };
        if let Some(title) = text.lines().find_map(|line| line.strip_prefix("title = \"")) {
            *all.entry(title.trim_end_matches('"').to_owned()).or_default() += 1;
        }
    }
    all
}

/// Every task is where it belongs exactly once, and its sender knows.
#[track_caller]
fn each_once(world: &World<'_>, expected: &[String], when: &str) {
    let there = titles(&world.api);
    for title in expected {
        assert_eq!(there.get(title), Some(&1), "{when}: “{title}” at the receiver");
        let record =
            titled(&world.web, "sent", title).unwrap_or_else(|| panic!("{when}: no record of “{title}”"));
        let id = record.rsplit('/').next().unwrap()[..26].to_owned();
        assert_eq!(receipt(&world.web, &id).0, "accepted", "{when}: “{title}”");
    }
    sound(&world.web, when);
    sound(&world.api, when);
    sound(&world.hub, when);
}

#[test]
fn killed_at_random_moments_under_load_each_task_is_there_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.api, "accept = \"all\"\nsettle_ms = 20");
    set_auto(&world.web, "settle_ms = 20");
    let mut expected = Vec::new();
    let mut chance: u64 = 0x2545_f491_4f6c_dd1d;
    for round in 0..12 {
        let mut running = watcher(&world);
        for n in 0..3 {
            for way in ["in place", "renamed", "verb"] {
                let title = format!("round {round} task {n} {way}");
                match way {
                    "in place" => world.web.write(&format!(".swift/outbox/r{round}-{n}.md"), letter(&title)),
                    "renamed" => {
                        world.web.write(".swift/other", letter(&title));
                        let to = world.web.path(&format!(".swift/outbox/m{round}-{n}.md"));
                        fs::rename(world.web.path(".swift/other"), to).unwrap();
                    }
                    _ => drop(world.letter(&title)),
                }
                expected.push(title);
            }
            // Somebody works in the projects meanwhile.
            world.api.write("code.txt", format!("{round} {n}\n"));
            world.api.git("add code.txt");
            world.api.git(["commit", "--quiet", "--message", "people's work"]);
            world.web.swift_ok(["task", ".", "own work"]);
        }
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        std::thread::park_timeout(Duration::from_millis(chance % 120));
        assert_eq!(running.end(Signal::KILL).0, 137);
    }
    let mut running = watcher(&world);
    let last = expected.last().unwrap().clone();
    until("everything is accepted and known", || {
        let record = titled(&world.web, "sent", &last);
        let all = titles(&world.api);
        record.is_some_and(|path| world.web.read(&format!(".swift/{path}")).contains("stage = \"accepted\""))
            && expected.iter().all(|title| all.contains_key(title))
            && crate::world::files(&world.web)
                .iter()
                .all(|path| !path.starts_with("outbox/") || path.ends_with(".keep"))
    });
    running.end(Signal::INT);
    world.hub.swift_ok("watch --once");
    each_once(&world, &expected, "after twelve kills");
}

/// One pass over a letter that was dropped by hand and has no id, with a rule that accepts it.
fn dropped<'a>(world: &World<'a>) -> crate::sandbox::Call<'a> {
    world.hub.call("watch --once")
}

fn scene<'a>(sandbox: &'a Sandbox) -> World<'a> {
    let world = World::new(sandbox);
    set_auto(&world.api, "accept = \"all\"\nsettle_ms = 0");
    set_auto(&world.web, "settle_ms = 0");
    world.web.write(".swift/outbox/by-hand.md", letter("by hand"));
    world.keep();
    world
}

#[test]
fn killed_at_any_change_a_dropped_file_arrives_once() {
    let sandbox = Sandbox::new();
    let world = scene(&sandbox);
    world.at_changes(Accident::Killed, 9, dropped, |world, point, _| {
        world.hub.swift_ok("watch --once");
        each_once(world, &["by hand".to_owned()], &format!("killed at {point}"));
    });
}

#[test]
fn a_disk_that_is_full_and_free_again_loses_and_doubles_nothing() {
    let sandbox = Sandbox::new();
    let world = scene(&sandbox);
    world.at_changes(Accident::Refused("ENOSPC"), 13, dropped, |world, point, _| {
        world.hub.swift_ok("watch --once");
        each_once(world, &["by hand".to_owned()], &format!("refused at {point}"));
    });
}

#[test]
fn an_interactive_round_that_is_killed_does_not_double_a_dropped_file_either() {
    if !can_trace() {
        return;
    }
    let sandbox = Sandbox::new();
    let world = scene(&sandbox);
    let all: Vec<Point> = points(world.hub.call("outbox sesame")).into_iter().collect();
    for point in all.iter().step_by(9) {
        world.restore();
        at_syscall(world.hub.call("outbox sesame"), Accident::Killed, point);
        world.hub.swift_ok("outbox sesame");
        assert_eq!(titles(&world.api).get("by hand"), Some(&1), "killed at {point}");
    }
}
