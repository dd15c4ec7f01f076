//! Much at once: more events than the system keeps, and two watchers on two orchestrators that share projects.

use std::fs;

use rustix::process::Signal;

use crate::sandbox::{Sandbox, until};
use crate::watch::{arrives, letter, set_auto, titled, watcher};
use crate::world::{World, files, received, sound};

/// How many events the system keeps for a reader that is slow, and some more.
fn too_many() -> usize {
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap_or_default();
    most.trim().parse::<usize>().unwrap_or(16_384) + 1_000
}

#[test]
fn what_an_overflow_of_events_has_hidden_is_found() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    running.signal(Signal::STOP);
    // Renames between two names: two events each, and nothing to read.
    let (one, other) = (world.web.path(".swift/inbox/a.txt"), world.web.path(".swift/inbox/b.txt"));
    fs::write(&one, "").unwrap();
    for _ in 0..too_many() / 4 {
        fs::rename(&one, &other).unwrap();
        fs::rename(&other, &one).unwrap();
    }
    fs::remove_file(&one).unwrap();
    world.web.write(".swift/outbox/hidden.md", letter("hidden"));
    running.signal(Signal::CONT);
    arrives(&world.api, "inbox", "hidden");
    running.end(Signal::INT);
    sound(&world.web, "after an overflow");
}

#[test]
fn two_watchers_of_two_orchestrators_share_projects() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.web, "settle_ms = 20");
    let second = sandbox.repository("second");
    second.swift_ok("init --orchestrator --id acme/second");
    for project in [&world.web, &world.api] {
        second.swift_ok(["register", project.path("").to_str().unwrap()]);
    }
    let mut first = watcher(&world);
    let mut other = second.call("watch").start();
    other.says("watching");
    let mut ids = Vec::new();
    for n in 0..8 {
        world.web.write(&format!(".swift/outbox/drop-{n}.md"), letter(&format!("dropped {n}")));
        ids.push(world.letter(&format!("by verb {n}")));
    }
    until("all of it arrives", || {
        ids.iter().all(|id| !received(&world.api, id).is_empty())
            && (0..8).all(|n| titled(&world.web, "sent", &format!("dropped {n}")).is_some())
    });
    until("the outbox is empty", || {
        crate::world::files(&world.web)
            .iter()
            .all(|path| !path.starts_with("outbox/") || path.ends_with(".keep"))
    });
    first.end(Signal::INT);
    other.end(Signal::INT);
    let there = files(&world.api).into_iter().filter(|path| path.starts_with("inbox/")).count();
    assert_eq!(there, 16, "each task once");
    for (place, when) in [(&world.web, "the sender"), (&world.api, "the receiver")] {
        sound(place, when);
    }
}
