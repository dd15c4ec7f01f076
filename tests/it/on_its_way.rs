//! A letter that its receiver has, while the round that brought it was cut short before the sender had its record.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, codes, copies, receipt, received, sound, text};

/// Do something while another program holds the lock that a commit needs.
fn held<T>(place: &Place<'_>, work: impl FnOnce() -> T) -> T {
    let lock = place.path(".git/worktrees/-swift/index.lock");
    fs::write(&lock, "").unwrap();
    let done = work();
    fs::remove_file(&lock).unwrap();
    done
}

/// A letter in the outbox of web that api has in its inbox.
fn on_its_way(world: &World<'_>) -> String {
    let id = world.letter("Add login");
    held(&world.api, || world.round());
    assert_eq!(received(&world.api, &id).len(), 1);
    assert!(copies(&world.web, &id)[0].starts_with("outbox/"));
    id
}

fn length(list: &Value) -> usize {
    list.as_array().unwrap().len()
}

#[test]
fn a_letter_that_was_taken_back_when_it_had_arrived_is_recorded_and_told_of() {
    let ways: [fn(&World<'_>, &str); 3] = [
        |world, _| drop(world.web.swift_ok("undo")),
        |world, id| {
            fs::remove_file(world.web.path(&format!(".swift/{}", copies(&world.web, id)[0]))).unwrap()
        },
        |world, id| {
            world.web.git(["-C", ".swift", "rm", "--quiet", &copies(&world.web, id)[0]]);
            world.web.git("-C .swift commit --quiet -m mine");
        },
    ];
    for (number, take_back) in ways.into_iter().enumerate() {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let when = format!("way {number}");
        let id = on_its_way(&world);
        take_back(&world, &id);
        let plan = world.hub.swift("outbox").stdout;
        assert!(plan.contains("taken back when acme/api had it  Add login"), "{when}: {plan}");
        let report = world.round();
        assert_eq!((length(&report["receipts"]), length(&report["problems"])), (1, 0), "{when}: {report:#}");
        let told = ("delivered".to_owned(), "it had arrived when it was taken back".to_owned());
        assert_eq!(receipt(&world.web, &id), told, "{when}");
        assert!(world.hub.swift_ok("outbox").contains("nothing to carry"), "{when}");
        world.api.swift_ok("inbox sesame");
        world.api.swift_ok(["done", &id, "--result", "works"]);
        world.round();
        assert_eq!(receipt(&world.web, &id), ("done".to_owned(), "works".to_owned()), "{when}");
        assert_eq!((copies(&world.web, &id).len(), received(&world.api, &id).len()), (1, 1), "{when}");
        for place in [&world.hub, &world.web, &world.api] {
            sound(place, &when);
        }
    }
}

#[test]
fn what_was_done_with_it_meanwhile_is_told_at_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = on_its_way(&world);
    world.web.swift_ok("undo");
    world.api.swift_ok(["inbox", "refuse", &id, "--why", "not ours"]);
    world.round();
    assert_eq!(receipt(&world.web, &id), ("refused".to_owned(), "not ours".to_owned()));
    assert!(world.hub.swift_ok("outbox").contains("nothing to carry"));
    // A record that a person clears away later stays away.
    let record = copies(&world.web, &id).remove(0);
    fs::remove_file(world.web.path(&format!(".swift/{record}"))).unwrap();
    world.web.swift_ok("task . 'a verb that records the removal'");
    assert!(world.hub.swift_ok("outbox").contains("nothing to carry"));
    assert_eq!(copies(&world.web, &id), [""; 0]);
    sound(&world.web, "cleared away");
}

#[test]
fn a_letter_that_was_changed_when_it_had_arrived_is_recorded_and_not_doubled() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = on_its_way(&world);
    world.web.swift_ok(["edit", &id, "--priority", "high"]);
    let report = world.round();
    assert_eq!(codes(&report["problems"]), ["changed"], "{report:#}");
    let hint = text(&report["problems"][0]["hints"][0]);
    assert!(hint.contains("task acme/api") && !hint.contains("id ="), "{hint}");
    assert_eq!(
        receipt(&world.web, &id),
        ("delivered".to_owned(), "it had arrived when it was changed here".to_owned())
    );
    world.api.swift_ok("inbox sesame");
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    assert!(world.hub.swift_ok("outbox").contains("nothing to carry"));
    assert_eq!((copies(&world.web, &id).len(), received(&world.api, &id).len()), (1, 1));
    for place in [&world.hub, &world.web, &world.api] {
        sound(place, "changed");
    }
}

#[test]
fn a_letter_that_is_addressed_elsewhere_when_it_has_arrived_is_not_doubled() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let lib = sandbox.repository("live/lib");
    lib.swift_ok("init --id acme/lib");
    world.hub.swift_ok("register ../lib");
    let id = on_its_way(&world);
    let path = format!(".swift/{}", copies(&world.web, &id)[0]);
    let letter = world.web.read(&path);
    world.web.write(&path, letter.replace("acme/api", "acme/lib"));
    for when in ["at once", "a round later"] {
        let report = world.round();
        assert_eq!(codes(&report["problems"]), ["collision"], "{when}: {report:#}");
        assert_eq!((received(&lib, &id).len(), received(&world.api, &id).len()), (0, 1), "{when}");
    }
    world.api.swift_ok(["inbox", "refuse", &id, "--why", "no longer for you"]);
    world.round();
    assert!(received(&lib, &id)[0].starts_with("inbox/"));
    assert_eq!(receipt(&world.web, &id).0, "delivered");
    assert!(world.hub.swift_ok("outbox").contains("nothing to carry"));
    // What the project keeps for itself is its own, whoever has its letters.
    add(&world.web, ".", "Own");
    assert!(world.hub.swift_ok("outbox").contains("nothing to carry"));
    for place in [&world.hub, &world.web, &world.api, &lib] {
        sound(place, "addressed elsewhere");
    }
}
