//! No verb writes a task that the next one refuses to read because it is too large.

use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, codes, receipt, received, sound, text};

fn limit(place: &Place<'_>, bytes: usize) {
    let settings = place.read(".swift/swift.toml");
    place
        .write(".swift/swift.toml", settings.replace("max_bytes = 1048576", &format!("max_bytes = {bytes}")));
}

/// A task whose text is as large as it may be; its id.
fn as_large_as_may_be(place: &Place<'_>, to: &str, limit: usize) -> String {
    let with = |body: usize| place.call(["task", to, "Crash", "--body", &"x".repeat(body), "--json"]).run();
    let refused = with(limit).ended(8).json_error();
    let message = text(&refused["error"]["message"]);
    let has: usize = message.split("has ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    with(limit - (has - limit) + 1).ended(8);
    text(&with(limit - (has - limit)).ended(0).json()["task"]["id"])
}

fn listed(place: &Place<'_>) -> Value {
    place.json("list --state any")
}

#[test]
fn a_comment_that_does_not_fit_is_refused_and_the_task_goes_on() {
    let sandbox = Sandbox::new();
    let place = sandbox.project("web");
    limit(&place, 2_000);
    let id = add(&place, ".", "One");
    let log = "y".repeat(1_100);
    place.swift_ok(["comment", &id, &log]);
    let before = place.git("-C .swift rev-parse HEAD");
    let refused = place.call(["comment", &id, &log, "--json"]).run();
    assert_eq!(refused.ended(8).json_error()["error"]["code"], "too-large");
    assert_eq!(place.git("-C .swift rev-parse HEAD"), before);
    let long = "z".repeat(70_000);
    for (verb, option) in [("block", "--why"), ("done", "-r")] {
        let refused = place.swift([verb, &id, option, &long]);
        assert!(refused.ended(8).stderr.contains("`swift comment`"), "{}", refused.stderr);
    }
    assert_eq!(codes(&listed(&place)["problems"]), [""; 0]);
    place.swift_ok(["done", &id]);
    sound(&place, "done");
}

#[test]
fn a_task_as_large_as_may_be_is_delivered_worked_on_and_told_of() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    limit(&world.web, 2_000);
    limit(&world.api, 2_000);
    let id = as_large_as_may_be(&world.web, "acme/api", 2_000);
    let reason = "why\n\u{1b}".repeat(4_000);
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "delivered");
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["block", &id, "--why", &reason]);
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    world.api.swift_ok(["unblock", &id]);
    world.api.swift_ok(["claim", &id]);
    world.api.swift_ok(["done", &id, "-r", &reason]);
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "done");
    assert_eq!(received(&world.api, &id).len(), 1);
    for place in [&world.web, &world.api] {
        assert_eq!(codes(&listed(place)["problems"]), [""; 0]);
        sound(place, "told");
    }
}

#[test]
fn a_file_by_hand_that_is_as_large_as_may_be_gets_its_id() {
    let sandbox = Sandbox::new();
    let place = sandbox.project("web");
    limit(&place, 2_000);
    let head = "+++\ntitle = \"by hand\"\n+++\n";
    place.write(".swift/tasks/hand.md", format!("{head}{}", "x".repeat(2_000 - head.len())));
    place.write(".swift/tasks/large.md", format!("{head}{}", "x".repeat(2_001 - head.len())));
    sandbox.later(jiff::SignedDuration::from_mins(1));
    place.swift_ok("start");
    let listed = listed(&place);
    assert_eq!(codes(&listed["problems"]), ["too-large"]);
    let id = text(&listed["tasks"][0]["id"]);
    place.swift_ok(["claim", &id]);
    place.swift_ok(["done", &id]);
}
