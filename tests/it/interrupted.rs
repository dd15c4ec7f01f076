//! ctrl-c while a verb waits for another program: it ends with a word that is true, and nothing is half done.

use std::fs;

use rustix::process::Signal;

use crate::sandbox::{Arguments, Place, Sandbox};
use crate::world::{LOCKS_OF_GIT, World, add, copies, files, sound, text};

/// So often a verb is started again that was not interrupted before it gave up waiting by itself.
const TRIES: usize = 10;

/// Run a verb while another program holds a lock of git's, and type ctrl-c as soon as it waits; what it said on stderr.
#[track_caller]
fn interrupt(place: &Place<'_>, lock: &str, args: impl Arguments + Clone) -> String {
    for _ in 0..TRIES {
        fs::write(place.path(lock), "").unwrap();
        let mut running = place.call(args.clone()).stream();
        running.until_it_hears_ctrl_c();
        running.signal(Signal::INT);
        let (status, _, said) = running.end();
        fs::remove_file(place.path(lock)).unwrap();
        if status != 0 {
            assert_eq!(status, 130, "{said}");
            return said;
        }
        // On a machine that was busy for as long as the wait: what it kept is committed, and it may try again.
        place.swift_ok("doctor --fix sesame");
    }
    panic!("it was never interrupted");
}

#[test]
fn a_verb_that_waits_for_a_lock_of_git_says_what_ctrl_c_has_left() {
    for (init, lock) in LOCKS_OF_GIT {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "One");
        let (before, head) = (files(&web), web.git("-C .swift rev-parse HEAD"));
        let said = interrupt(&web, lock, ["task", ".", "Two"]);
        let told: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(told.len(), 1, "{said}");
        assert!(told[0].contains(lock) && told[0].contains("the change that waited is not made"), "{said}");
        assert!(said.contains("hint: run the same command again"), "{said}");
        sound(&web, lock);
        assert_eq!((files(&web), web.git("-C .swift rev-parse HEAD")), (before, head), "{lock}");

        let said = interrupt(&web, lock, ["task", ".", "Two", "--json"]);
        let error: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(error["error"]["code"], "interrupted", "{said}");
        add(&web, ".", "Two");
        assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 2, "{lock}");
        sound(&web, lock);
    }
}

#[test]
fn a_verb_that_waits_for_another_swift_says_that_it_was_interrupted() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let held = fs::File::open(web.path(".git")).unwrap();
    held.lock().unwrap();
    let mut running = web.call(["task", ".", "One"]).stream();
    running.until_it_hears_ctrl_c();
    running.signal(Signal::INT);
    let (status, _, said) = running.end();
    drop(held);
    assert_eq!(status, 130, "{said}");
    assert!(said.contains("error: interrupted while another `swift` holds the queue"), "{said}");
    assert_eq!(web.json("list --state any")["tasks"].as_array().unwrap().len(), 0);
    sound(&web, "interrupted");
}

#[test]
fn a_round_that_is_interrupted_on_either_side_leaves_the_task_once() {
    for (held, lock) in [("api", ".git/index.lock"), ("web", ".git/worktrees/-swift/index.lock")] {
        let sandbox = Sandbox::new();
        let world = World::in_tree(&sandbox);
        let id = world.letter("Paint");
        let lock = format!("../{held}/{lock}");
        let said = interrupt(&world.hub, &lock, "outbox --yes --json");
        let error: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(text(&error["error"]["code"]), "interrupted", "{said}");
        assert_eq!(
            copies(&world.web, &id),
            [format!("outbox/{id}-paint.md")],
            "{held}: it is still to be carried"
        );
        for place in [&world.web, &world.api] {
            sound(place, held);
        }
        world.round();
        assert_eq!(copies(&world.web, &id).len(), 1);
        assert!(copies(&world.web, &id)[0].starts_with("sent/"), "{held}");
        assert_eq!(copies(&world.api, &id), [format!("inbox/{id}-paint.md")], "{held}");
        for place in [&world.web, &world.api] {
            sound(place, held);
        }
    }
}
