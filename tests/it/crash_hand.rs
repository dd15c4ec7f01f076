//! What a person has just written by hand, below a verb that is killed.

use crate::crash::Accident;
use crate::sandbox::Sandbox;
use crate::world::{World, add, copies, sound};

#[test]
fn an_edit_by_hand_below_a_verb_that_is_killed_is_kept_with_what_the_verb_did() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.web, ".", "one");
    let path = format!(".swift/{}", copies(&world.web, &id)[0]);
    let text = world.web.read(&path);
    world.web.write(&path, format!("{text}\nby hand\n"));
    world.keep();
    world.at_changes(
        Accident::Killed,
        1,
        |world| world.web.call(["claim", &id]),
        |world, point, _| {
            let (before, file) = (world.web.git("log --format=%s -1 swift"), || world.web.read(&path));
            world.web.swift_ok("task . next");
            let claimed = file().contains("[lease]");
            assert!(file().contains("by hand"), "{point}: {}", file());
            assert_eq!(
                claimed,
                world.web.git("log --format=%s swift").contains("claim"),
                "{point}: {before}"
            );
            sound(&world.web, &point.to_string());
        },
    );
}
