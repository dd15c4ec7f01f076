//! What can be taken back, and what is refused because nobody could tell what was before.

use crate::sandbox::{Place, Sandbox};
use crate::world::add;

/// All files of the queue and their commit.
fn as_it_is(place: &Place<'_>, queue: &str) -> String {
    place.git(["-C", queue, "rev-parse", "HEAD"]) + &place.git(["-C", queue, "status", "--short", "."])
}

#[track_caller]
fn refused(place: &Place<'_>, queue: &str, hint: &str) {
    let before = as_it_is(place, queue);
    let undo = place.swift("undo");
    assert_ne!(undo.status, 0, "{}", undo.stdout);
    assert!(undo.stderr.contains(hint), "{}", undo.stderr);
    assert_eq!(as_it_is(place, queue), before);
    place.swift_ok("list");
}

#[test]
fn what_was_before_the_edge_of_a_shallow_clone_is_not_taken_for_nothing() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let origin = sandbox.repository("web");
        origin.swift_ok(init);
        add(&origin, ".", "One");
        add(&origin, ".", "Two");
        let url = format!("file://{}", origin.path("").display());
        sandbox.root().git(["clone", "--quiet", "--depth", "1", "--no-single-branch", &url, "clone"]);
        let clone = sandbox.place("clone");
        clone.swift_ok(init);
        let queue = if init == "init" { ".swift" } else { "." };
        refused(&clone, queue, "git fetch --unshallow");
        clone.git("fetch --quiet --unshallow");
        assert!(clone.swift_ok("undo").contains("Two"));
        assert!(clone.swift_ok("list").contains("One"));
    }
}

#[test]
fn a_commit_that_another_stands_in_for_is_not_taken_back() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "One");
    web.git("replace --graft swift");
    refused(&web, ".swift", "git replace --list");
    web.git(["replace", "--delete", web.git("rev-parse swift").trim()]);
    web.swift_ok("undo");
    web.swift_ok("audit verify");
}
