//! Receivers that cannot tell how far a task is, or cannot keep one: each is named, with its reason.

use std::fs;

use crate::sandbox::Sandbox;
use crate::world::{World, codes, copies, receipt, sound, text};

#[test]
fn a_record_whose_receiver_is_registered_no_longer_is_named() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let world = World::all(&sandbox, init);
        let ids = [world.letter("One"), world.letter("Two")];
        world.round();
        world.hub.swift_ok("unregister acme/api");
        let named = |text: &str| {
            assert!(text.contains("`acme/api` is not registered any more"), "{text}");
            assert!(text.contains("2 tasks, such as ") && text.contains("swift register <path>"), "{text}");
            assert_eq!(text.matches("not registered any more").count(), 1, "once: {text}");
        };
        for verb in ["outbox --yes", "status", "start"] {
            let said = world.hub.swift(verb);
            assert_eq!(said.status, 0, "{verb}: {}", said.stderr);
            named(&(said.stdout + &said.stderr));
            let document = world.hub.json(verb);
            assert_eq!(codes(&document["problems"]), ["unknown-project"], "{verb}: {document:#}");
            assert_eq!(document["problems"][0]["project"], "acme/web", "{verb}");
        }
        // Where a person looks at the sender, what helps leads to the orchestrator.
        for (place, folder) in [(&world.web, Some("hub")), (&world.hub, None)] {
            let findings = place.swift("doctor --json").json();
            let found = findings["findings"].as_array().unwrap();
            let found = found.iter().find(|one| one["code"] == "unknown-project").unwrap();
            assert_eq!(found["severity"], "note", "it may be as a person wants it");
            assert_eq!(text(&found["fix"]).contains("swift -C "), folder.is_some(), "{found}");
        }
        world.hub.swift_ok("register ../api");
        world.api.swift_ok("inbox sesame");
        world.round();
        assert_eq!(ids.map(|id| receipt(&world.web, &id).0), ["accepted", "accepted"]);
        for verb in ["outbox --yes", "status", "start"] {
            assert_eq!(codes(&world.hub.json(verb)["problems"]), [""; 0], "{verb}");
        }
    }
}

#[test]
fn a_receiver_that_is_only_away_is_told_as_that_alone() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("One");
    world.round();
    fs::rename(world.folder().path("api"), world.folder().path("away")).unwrap();
    for verb in ["outbox --yes", "status", "start"] {
        let said = world.hub.swift(verb);
        let said = said.stdout + &said.stderr;
        assert!(!said.contains("not registered any more"), "{verb}: {said}");
    }
    assert!(!world.web.swift("doctor").stdout.contains("not registered any more"));
    fs::rename(world.folder().path("away"), world.folder().path("api")).unwrap();
    // What is over needs no receipt.
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["done", &id]);
    world.round();
    world.hub.swift_ok("unregister acme/api");
    assert_eq!(codes(&world.hub.json("status")["problems"]), [""; 0]);
}

#[test]
fn nothing_is_delivered_onto_a_detached_head() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let id = world.letter("Paint");
    world.api.git("checkout --quiet --detach");
    let head = world.api.git("rev-parse HEAD");
    let round = world.round();
    assert_eq!(codes(&round["problems"]), ["in-progress"], "{round:#}");
    let message = text(&round["problems"][0]["message"]);
    assert!(message.contains("`acme/api` has a detached HEAD") && message.contains("Paint"), "{message}");
    assert!(round["problems"][0]["hints"].to_string().contains("switch -c NAME"), "{round:#}");
    assert_eq!(round["delivered"].as_array().unwrap().len(), 0);
    assert_eq!(
        (copies(&world.web, &id), copies(&world.api, &id)),
        (vec![format!("outbox/{id}-paint.md")], vec![])
    );
    assert_eq!(world.api.git("rev-parse HEAD"), head, "nobody's commit is on no branch");
    world.api.git("switch --quiet -");
    world.round();
    assert_eq!(copies(&world.api, &id), [format!("inbox/{id}-paint.md")]);
    for place in [&world.web, &world.api] {
        sound(place, "on a branch again");
    }
}

#[test]
fn a_queue_on_a_branch_of_its_own_takes_what_comes_wherever_the_project_is() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("Paint");
    world.api.git("checkout --quiet --detach");
    world.round();
    assert_eq!(copies(&world.api, &id), [format!("inbox/{id}-paint.md")]);
    let branch = world.api.git("branch --contains swift --format=%(refname:short)");
    assert_eq!(branch.trim(), "swift");
    sound(&world.api, "detached");
}
