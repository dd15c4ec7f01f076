//! What a person has just written by hand, below a verb that is killed.

use std::fs;

use crate::crash::Accident;
use crate::sandbox::Sandbox;
use crate::world::{World, add, copies, files, sound};

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

#[test]
fn what_is_moved_or_removed_by_hand_below_a_verb_that_was_killed_stays_so() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.keep();
    let is_moved = std::cell::Cell::new(false);
    world.at_changes(
        Accident::Killed,
        3,
        |world| world.web.call("task . K"),
        |world, point, _| {
            let Some(path) = files(&world.web).into_iter().find(|path| path.ends_with("-k.md")) else {
                return;
            };
            is_moved.set(!is_moved.get());
            let (when, file) = (format!("{point}, moved: {}", is_moved.get()), format!(".swift/{path}"));
            let text = world.web.read(&file);
            fs::remove_file(world.web.path(&file)).unwrap();
            if is_moved.get() {
                world.web.write(".swift/done/k.md", text);
            }
            world.web.swift_ok("task . next");
            let left: Vec<String> =
                files(&world.web).into_iter().filter(|path| path.ends_with("k.md")).collect();
            let expected: &[&str] = if is_moved.get() { &["done/k.md"] } else { &[] };
            assert_eq!(left, expected, "{when}");
            sound(&world.web, &when);
        },
    );
}
