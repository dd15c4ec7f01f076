//! A program is told of chosen events: each once, over restarts too, and whatever it does it disturbs nothing.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::sandbox::{Place, Sandbox, Streaming, until};
use crate::world::{World, add, text};

/// Have the orchestrator's watcher start this for events of these kinds.
fn notify(hub: &Place<'_>, command: &[&str], more: &str) {
    let settings = hub.read(".swift/swift.toml");
    let settings = settings.split("\n[notify]").next().unwrap();
    let command: Vec<String> = command.iter().map(|word| format!("'{word}'")).collect();
    hub.write(
        ".swift/swift.toml",
        format!("{settings}\n[notify]\ncommand = [{}]\n{more}\n", command.join(", ")),
    );
}

/// A notifier that keeps what it reads.
fn keeper(hub: &Place<'_>, more: &str) {
    let log = hub.path("$SANDBOX/told.jsonl");
    notify(hub, &["sh", "-c", "cat >> \"$0\"", log.to_str().unwrap()], more);
}

fn told(hub: &Place<'_>) -> Vec<Value> {
    let text = fs::read_to_string(hub.path("$SANDBOX/told.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each kind with its task.
fn facts(events: &[Value]) -> Vec<(String, String)> {
    events.iter().map(|event| (text(&event["type"]), text(&event["subject"]))).collect()
}

fn watching(hub: &Place<'_>) -> Streaming {
    let running = hub.call("watch --json").stream();
    while !running.line().contains("\"watching\"") {}
    running
}

#[test]
fn chosen_events_are_told_once_and_also_those_of_the_time_between() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    keeper(&world.hub, "kinds = ['task.delivered', 'task.done']");
    let before = world.letter("before anybody watched");
    world.hub.swift_ok("outbox sesame");
    let first = world.letter("first");
    world.hub.swift_ok("watch --once");
    let delivered = |id: &String| ("task.delivered".to_owned(), id.clone());
    assert_eq!(facts(&told(&world.hub)), [delivered(&first)], "what was before {before} is not told");
    // Done by hand, with nobody watching.
    let second = world.letter("second");
    world.round();
    let own = add(&world.web, ".", "own");
    world.web.swift_ok(["claim", &own]);
    world.web.swift_ok(["done", &own]);
    world.hub.swift_ok("watch --once");
    world.hub.swift_ok("watch --once");
    let all = [delivered(&first), delivered(&second), ("task.done".to_owned(), own)];
    assert_eq!(facts(&told(&world.hub)), all);
    let event = &told(&world.hub)[1];
    assert_eq!(
        (event["specversion"].as_str(), event["source"].as_str()),
        (Some("1.0"), Some("swift://acme/api"))
    );
    assert!(event.get("cursor").is_none());
}

#[test]
fn a_watcher_that_runs_tells_at_once_and_a_killed_one_loses_nothing() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    keeper(&world.hub, "kinds = ['task.delivered']");
    let mut expected = BTreeSet::new();
    for n in 0..3 {
        let watcher = watching(&world.hub);
        let id = world.letter(&format!("letter {n}"));
        until("it is told", || facts(&told(&world.hub)).iter().any(|(_, told)| *told == id));
        expected.insert(id);
        watcher.signal(if n == 1 { Signal::INT } else { Signal::KILL });
        watcher.end();
    }
    world.hub.swift_ok("watch --once");
    let told = facts(&told(&world.hub));
    let unique: BTreeSet<String> = told.iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(unique, expected);
    // A kill between the end of the notifier and the note of it tells one event again, and no other.
    assert!(told.len() <= expected.len() + 2, "{told:?}");
}

#[test]
fn a_notifier_that_fails_is_a_warning_and_nothing_more() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    for (command, says) in [
        (vec!["/nowhere/at-all"], "cannot be started"),
        (vec!["sh", "-c", "echo broken >&2; exit 3"], "it said: broken"),
    ] {
        notify(&world.hub, &command, "kinds = ['task.delivered']");
        let id = world.letter("delivered all the same");
        let output = world.hub.swift("watch --once");
        output.ended(0);
        assert!(output.stderr.contains("WARN") && output.stderr.contains(says), "{}", output.stderr);
        assert!(output.stderr.contains("acme/api"), "{}", output.stderr);
        assert_eq!(crate::world::received(&world.api, &id).len(), 1);
        // It counts as told.
        assert_eq!(world.hub.swift("watch --once").ended(0).stderr.matches("WARN").count(), 0);
    }
}

#[test]
fn a_notifier_that_never_ends_is_ended_with_all_that_it_started() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let pids = world.hub.path("$SANDBOX/pids");
    let script = "tail -f /dev/null & echo $! >> \"$0\"; echo $$ >> \"$0\"; yes";
    notify(
        &world.hub,
        &["sh", "-c", script, pids.to_str().unwrap()],
        "kinds = ['task.delivered']\ndeadline = '1s'",
    );
    world.letter("one");
    let output = world.hub.swift("watch --once");
    output.ended(0);
    assert!(output.stderr.contains("has not ended after 1 seconds"), "{}", output.stderr);
    let pids = fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        until("it is gone", || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.is_empty() || status.contains("State:\tZ")
        });
    }
}

#[test]
fn a_slow_notifier_delays_no_delivery_and_no_end() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    notify(&world.hub, &["tail", "-f", "/dev/null"], "deadline = '1h'");
    let watcher = watching(&world.hub);
    for n in 0..2 {
        let id = world.letter(&format!("letter {n}"));
        until("it is delivered", || crate::world::received(&world.api, &id).len() == 1);
    }
    watcher.signal(Signal::INT);
    let (status, took, _) = watcher.end();
    assert_eq!(status, 0);
    assert!(took < Duration::from_secs(5), "{took:?}");
}
