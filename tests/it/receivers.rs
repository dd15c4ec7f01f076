//! Receivers that cannot keep a task: each is named, with its reason.

use crate::sandbox::Sandbox;
use crate::world::{World, codes, copies, sound, text};

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
