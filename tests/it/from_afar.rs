//! `-C` and other options before the verb: the same command, and whatever it offers leads to the same project.

use crate::sandbox::Sandbox;
use crate::world::{World, add, text};

/// What follows `next: ` and what is quoted in hints, in order.
fn offered(stderr: &str) -> Vec<String> {
    let next = stderr.lines().filter_map(|line| line.strip_prefix("next: ")).map(str::to_owned);
    let hints = stderr.lines().filter_map(|line| line.strip_prefix("hint: `")?.split('`').next());
    next.chain(hints.map(str::to_owned)).collect()
}

#[test]
fn the_word_alone_is_heard_behind_options() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let folder = world.folder();
    for line in
        ["-C hub sesame", "--json -C hub sesame", "--actor x -C hub sesame", "-Chub sesame", "sesame -C hub"]
    {
        world.letter("there");
        assert_eq!(folder.swift("-C hub outbox").status, 7);
        let output = folder.swift(line);
        assert_eq!(output.status, 0, "{line}: {}", output.stderr);
        assert!(output.stdout.contains("delivered"), "{line}: {}", output.stdout);
    }
    // It is one proposal, from wherever it was made.
    world.letter("once more");
    assert_eq!(folder.swift("-C hub outbox").status, 7);
    assert_eq!(world.hub.swift("outbox").status, 7);
    world.letter("and behind the verb");
    assert_eq!(folder.swift("-C hub sesame").status, 4, "the plan is another one");
    assert_eq!(folder.swift("outbox sesame -C hub").status, 0);
    assert_eq!(folder.swift("-C hub sesame").status, 3);
}

#[test]
fn what_is_offered_leads_to_the_same_project() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("there");
    let folder = world.folder();
    let lines = [
        "-C hub outbox",
        "-C hub projects",
        "-C web list",
        "-C web show nobody",
        "-C web log",
        "-C web finish",
        "task . --dry-run x -C web",
        "-C hub outbox sesame",
    ];
    for line in lines {
        let output = folder.swift(line);
        let offered = offered(&output.stderr);
        assert!(!offered.is_empty(), "{line}: {}", output.stderr);
        let project = if line.contains("hub") { "swift -C hub " } else { "swift -C web " };
        for command in &offered {
            assert!(command.starts_with(project), "{line}: {command}");
            assert_eq!(command.matches("-C").count(), 1, "{line}: {command}");
        }
    }
    let next = folder.json("-C hub projects");
    assert_eq!(text(&next["next_actions"][0]), "swift -C hub outbox");
    // What is advised about another project leads to that one.
    world.web.write(".swift/outbox/odd.txt", "");
    let round = folder.swift_ok("-C hub outbox sesame");
    assert!(round.contains("hint: look at it: `cat $SANDBOX/live/web/.swift/outbox/odd.txt`"), "{round}");
    // What has to be done somewhere else says so itself.
    let elsewhere = folder.swift("-C web outbox").stderr;
    assert!(elsewhere.contains("run `swift outbox` in the orchestrator's checkout"), "{elsewhere}");
    world.api.write(".swift/inbox/odd.txt", "");
    let problem = folder.swift_ok("-C api list");
    assert!(problem.contains("hint: look at it: `cat api/.swift/inbox/odd.txt`"), "{problem}");
}

#[test]
fn a_proposal_that_cannot_be_carried_out_any_more_is_dropped() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("there");
    world.round();
    assert_eq!(world.hub.swift("undo").status, 7);
    world.api.swift_ok("inbox sesame");
    let refused = world.hub.swift("sesame");
    assert!(refused.stderr.contains("the proposal is dropped"), "{}", refused.stderr);
    assert_eq!(world.hub.swift("sesame").status, 3);
    assert_eq!(world.hub.swift("outbox").status, 7);
    assert_eq!(world.hub.swift("sesame").status, 0);
}

#[test]
fn one_of_several_proposals_is_named() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("there");
    world.round();
    world.letter("another");
    assert_eq!(world.hub.swift("undo").status, 7);
    let second = world.hub.swift("outbox");
    assert_eq!(offered(&second.stderr), ["swift outbox sesame", "swift outbox sesame"], "{}", second.stderr);
}

#[test]
fn what_is_offered_is_for_the_one_who_asks() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "held by w1");
    let claim = web.json(["--actor", "w1", "claim", &id]);
    let next = text(&claim["next_actions"][0]);
    assert!(next.starts_with("swift --actor w1 done "), "{next}");
    for view in [web.json(["show", &id]), web.json(["comment", &id, "a word"])] {
        let offered = view["next_actions"].to_string();
        assert!(!offered.contains("swift done") && !offered.contains("release"), "{offered}");
    }
    web.swift_ok(next.trim_start_matches("swift "));
}
