//! Following the stream: woken by what happens, ended by ctrl-c, by a limit, or by a reader that goes away.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::events::events;
use crate::sandbox::{Place, Sandbox, Streaming};
use crate::world::{World, add, text};

fn start(place: &Place<'_>, args: &[&str]) -> Streaming {
    let args = ["events", "--follow", "--json"].iter().chain(args).map(|arg| (*arg).to_owned());
    place.call(args.collect::<Vec<_>>()).stream()
}

/// Start following and wait until it does: tasks are made until it tells of one, and all that it has to tell of
/// these is read.
fn follow(place: &Place<'_>) -> Streaming {
    let running = start(place, &[]);
    let mut made = Vec::new();
    let mut told = loop {
        made.push(add(place, ".", "is it there yet?"));
        if let Some(line) = running.line_within(Duration::from_secs(1)) {
            break subject(&line);
        }
    };
    assert!(made.contains(&told), "what was before is not told");
    while Some(&told) != made.last() {
        told = subject(&running.line());
    }
    running
}

fn subject(line: &str) -> String {
    text(&serde_json::from_str::<Value>(line).unwrap()["subject"])
}

#[test]
fn following_tells_what_happens_in_all_projects_and_ends_on_ctrl_c() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("before");
    let running = follow(&world.hub);
    let letter = world.letter("after");
    assert_eq!(subject(&running.line()), letter);
    world.round();
    let kinds: BTreeSet<String> = (0..4)
        .map(|_| running.line())
        .map(|line| text(&serde_json::from_str::<Value>(&line).unwrap()["type"]))
        .collect();
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), ["task.delivered", "task.sent"]);
    running.signal(Signal::INT);
    let (status, took, said) = running.end();
    assert_eq!((status, said.as_str()), (130, ""));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn following_wakes_without_being_asked_and_rests_otherwise() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "there is a log");
    let running = follow(&web);
    let before = Instant::now();
    add(&web, ".", "second");
    running.line();
    assert!(before.elapsed() < Duration::from_secs(10), "it was woken, and did not wait for its next look");
    assert_eq!(running.ready(), [""; 0]);
}

#[test]
fn following_from_a_cursor_begins_with_what_was_missed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let one = add(&web, ".", "one");
    let two = add(&web, ".", "two");
    let cursor = text(&events(&web, None, &["--limit", "1"])[0]["cursor"]);
    let running = start(&web, &["--since", &cursor, "--limit", "2"]);
    let three = add(&web, ".", "three");
    let told = [subject(&running.line()), subject(&running.line())];
    assert_eq!(told, [two, three]);
    assert!(!told.contains(&one));
    assert_eq!(running.end().0, 0, "two were asked for");
}

#[test]
fn following_outlives_a_queue_that_is_away_for_a_while() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "there is a log");
    let running = follow(&web);
    let settings = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", "schema = ");
    web.write(".swift/audit/wakes.toml", "");
    let away = web.swift("events");
    away.ended(8);
    web.write(".swift/swift.toml", settings);
    let id = add(&web, ".", "back again");
    assert_eq!(subject(&running.line()), id);
}

#[test]
fn a_reader_that_goes_away_ends_the_stream_in_silence() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for n in 0..300 {
        web.write(&format!(".swift/tasks/{n}.md"), format!("+++\ntitle = \"{n}\"\n+++\n"));
    }
    add(&web, ".", "records them all");
    let head =
        web.program("sh", ["-c", "\"$0\" events --json | head -n 1", env!("CARGO_BIN_EXE_swift")]).run();
    assert_eq!((head.status, head.stderr.as_str()), (0, ""));
    let script = "\"$0\" events --follow --since 2026-01-01 --json 2>said | head -n 1 >told; echo ended";
    let follow = web.program("sh", ["-c", script, env!("CARGO_BIN_EXE_swift")]).run();
    assert_eq!(follow.stdout, "ended\n");
    assert_eq!((web.read("said").as_str(), web.read("told").lines().count()), ("", 1));
}
