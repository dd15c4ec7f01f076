//! Every verb that writes, killed or refused by the disk in the middle: the old state or the new one, never a third.
//!
//! Which calls are tried is a sample of those that change the disk, the same in each run.

use std::fs;

use crate::crash::{self, Accident, Point};
use crate::sandbox::{Output, Place, Sandbox};
use crate::world::{World, add, sound};

/// A verb and what has to be there before.
struct Scene {
    name: &'static str,
    prepare: fn(&World<'_>) -> Vec<String>,
}

/// The project in which a verb is run: web, and hub for those of the orchestrator.
fn place<'w, 'a>(world: &'w World<'a>, verb: &[String]) -> &'w Place<'a> {
    if verb[0] == "register" { &world.hub } else { &world.web }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn scenes() -> Vec<Scene> {
    let scene = |name, prepare| Scene { name, prepare };
    vec![
        scene("task", |_| words(&["task", ".", "new"])),
        scene("register", |world| {
            let other = world.folder().place("other");
            other.git("init --quiet");
            other.git("commit --quiet --allow-empty --message x");
            other.swift_ok("init --id acme/other");
            words(&["register", "../other"])
        }),
        scene("inbox", |world| {
            add(&world.api, "acme/web", "arriving");
            world.round();
            words(&["inbox", "sesame"])
        }),
        scene("refuse", |world| {
            let id = add(&world.api, "acme/web", "arriving");
            world.round();
            words(&["inbox", "refuse", &id, "--why", "no"])
        }),
        scene("claim", |world| words(&["claim", &add(&world.web, ".", "own")])),
        scene("done", |world| words(&["done", &add(&world.web, ".", "own")])),
        scene("fail", |world| {
            let id = add(&world.web, ".", "own");
            world.web.swift_ok(["claim", &id]);
            words(&["fail", &id, "--why", "no"])
        }),
        scene("edit", |world| words(&["edit", &add(&world.web, ".", "own"), "--priority", "high"])),
        scene("undo", |world| {
            add(&world.web, ".", "own");
            words(&["undo", "sesame"])
        }),
        scene("finish", |world| {
            world.web.swift_ok("start");
            add(&world.web, ".", "own");
            words(&["finish", "--learned", "much", "sesame"])
        }),
    ]
}

/// The queue's files as they are, without names and contents that are new each time.
fn state(place: &Place<'_>) -> Vec<String> {
    let listed = |state: &str| place.swift_ok(["list", "--state", state, "--json"]);
    let states = ["ready", "claimed", "inbox", "outbox", "done", "refused", "dead"];
    let mut all: Vec<String> =
        states.iter().map(|state| format!("{state}: {}", tasks(&listed(state)))).collect();
    let tree = place.git("ls-tree -r --name-only swift");
    all.push(format!("sessions {}", tree.matches("sessions/").count()));
    all.push(format!("projects {}", tree.matches("projects/").count()));
    all.push(format!("commits {}", place.git("rev-list --count swift").trim()));
    all
}

fn tasks(json: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(json).unwrap();
    let mut all: Vec<_> = document["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| format!("{} {}", t["title"], t["priority"]))
        .collect();
    all.sort();
    all.join(", ")
}

fn sweep(
    accident: impl Fn(usize) -> Accident,
    step: usize,
    check: impl Fn(&World<'_>, &Point, &Output, &str),
) {
    if !crash::can_trace() {
        return;
    }
    for (n, scene) in scenes().iter().enumerate() {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let verb = (scene.prepare)(&world);
        world.keep();
        let old = state(place(&world, &verb));
        place(&world, &verb).call(verb.clone()).run().ok();
        let new = state(place(&world, &verb));
        assert_ne!(old, new);
        let program = || place(&world, &verb).call(verb.clone());
        world.restore();
        let points: Vec<Point> = crash::points(program()).into_iter().collect();
        for point in points.iter().skip(n % step).step_by(step) {
            world.restore();
            let output = crash::at_syscall(program(), accident(n), point);
            let when = format!("{} at {point}", scene.name);
            check(&world, point, &output, &when);
            let target = place(&world, &verb);
            // The next verb; it writes nothing of its own.
            target.swift_ok("doctor --fix --yes");
            let now = state(target);
            assert!(now == old || now == new, "{when}: a third state\n{now:#?}\n{old:#?}\n{new:#?}");
            let told = !output.stderr.contains("stdout cannot be written");
            let failed = output.status != 0 && output.status < 100 && told;
            assert!(!failed || now == old, "{when}: it failed, and did it\n{}", output.stderr);
            assert!(output.status != 0 || now == new, "{when}: it succeeded, and did not do it");
            sound(target, &when);
            add(target, ".", "the verb after that");
            sound(target, &when);
        }
    }
}

#[test]
fn a_killed_verb_leaves_the_old_state_or_the_new_one() {
    sweep(
        |_| Accident::Killed,
        37,
        |_, _, output, when| {
            assert!(output.status == 137 || output.status == 0, "{when}: {}", output.status);
        },
    );
}

#[test]
fn a_verb_that_the_disk_refuses_says_so() {
    let errors = ["ENOSPC", "EIO", "EROFS"];
    sweep(
        |n| Accident::Refused(errors[n % 3]),
        41,
        |_, _, output, when| {
            let clear = output.status == 0 || (output.status == 9 && output.stderr.starts_with("error: "));
            assert!(clear, "{when}: {} {}{}", output.status, output.stdout, output.stderr);
        },
    );
}

#[test]
fn a_killed_init_is_finished_by_the_next() {
    if !crash::can_trace() {
        return;
    }
    for (n, init) in ["init --id acme/web", "init --in-tree --id acme/web"].into_iter().enumerate() {
        let rehearsal = Sandbox::new();
        let points: Vec<Point> = crash::points(rehearsal.repository("web").call(init)).into_iter().collect();
        for point in points.iter().skip(n).step_by(19) {
            let sandbox = Sandbox::new();
            let web = sandbox.repository("web");
            crash::at_syscall(web.call(init), Accident::Killed, point);
            let when = format!("{init} killed at {point}");
            web.swift_ok(init);
            add(&web, ".", "works");
            sound(&web, &when);
            let branches = web.git("for-each-ref --format=%(refname:short) refs/heads");
            assert_eq!(branches, if n == 0 { "main\nswift\n" } else { "main\n" }, "{when}");
            assert!(fs::read_dir(web.path("")).unwrap().count() <= 3, "{when}");
        }
    }
}
