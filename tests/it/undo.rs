//! What can be taken back, and what is refused because nobody could tell what was before.

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, copies, sound, text};

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

#[test]
fn what_was_moved_or_removed_by_hand_stays_so_when_the_operation_that_recorded_it_is_taken_back() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let (keep, other) = (add(&web, ".", "Keep"), add(&web, ".", "Other"));
    let file = |id: &str| crate::world::copies(&web, id).pop().map(|path| format!(".swift/{path}")).unwrap();
    let moved = web.read(&file(&keep)).replace("Keep", "KEEP");
    std::fs::remove_file(web.path(&file(&keep))).unwrap();
    web.write(".swift/tasks/mine/keep.md", moved);
    std::fs::remove_file(web.path(&file(&other))).unwrap();
    add(&web, ".", "Third");
    web.swift_ok("undo");
    let left = web.swift_ok("list");
    assert!(left.contains("KEEP") && !left.contains("Keep") && left.lines().count() < 5, "{left}");
    assert!(!left.contains("Other") && !left.contains("Third"), "{left}");
    web.swift_ok("doctor");
    // What the operation itself did to a task that was moved is taken back without the move.
    std::fs::rename(web.path(".swift/tasks/mine/keep.md"), web.path(".swift/tasks/kept.md")).unwrap();
    web.swift_ok(["claim", &keep]);
    web.swift_ok("undo");
    let kept = web.read(".swift/tasks/kept.md");
    assert!(kept.contains("KEEP") && !kept.contains("[lease]"), "{kept}");
    assert!(!web.path(".swift/tasks/mine/keep.md").exists());
    web.swift_ok("doctor");
    // A text that was changed by both is in no commit as it was between the two.
    web.write(".swift/tasks/kept.md", kept.replace("KEEP", "Kept"));
    web.swift_ok(["comment", &keep, "said"]);
    let both = web.swift("undo");
    both.ended(4);
    assert!(both.stderr.contains("in the same commit"), "{}", both.stderr);
    web.swift_ok("doctor");
}

#[test]
fn a_token_that_git_has_taken_back_is_not_given_out_again() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        let queue = if init == "init" { ".swift" } else { "." };
        let (id, other) = (add(&web, ".", "One"), add(&web, ".", "Two"));
        let claim = |actor: &str| web.json(["--actor", actor, "claim", &id])["lease"]["token"].as_u64();
        assert_eq!((claim("one"), web.swift("undo").status), (Some(1), 0));
        assert_eq!(claim("two"), Some(2));
        web.git(["-C", queue, "revert", "--no-edit", "HEAD"]);
        web.git("commit --quiet --allow-empty --message unrelated");
        // Any verb notes it, and is taken back without what it noted.
        web.swift_ok(["comment", &other, "now"]);
        web.swift_ok("undo");
        assert_eq!(claim("three"), Some(3));
        web.swift(["--actor", "two", "done", &id, "--token", "2"]).ended(4);
        web.git(["-C", queue, "revert", "--no-edit", "HEAD"]);
        assert_eq!(claim("four"), Some(4));
        web.swift(["--actor", "three", "done", &id, "--token", "3"]).ended(4);
        assert_eq!(web.git(["-C", queue, "status", "--short"]), "");
        web.swift_ok("undo");
        assert!(web.swift_ok(["show", &id]).contains("ready"), "taken back");
        assert_eq!(claim("five"), Some(5));
        web.swift_ok("audit verify");
        web.swift_ok("doctor");
    }
}

#[test]
fn a_record_of_the_log_that_a_stash_has_put_away_and_brought_back_is_committed() {
    for settle in ["task . Later", "doctor --fix sesame"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok("init --in-tree");
        add(&web, ".", "One");
        web.git("branch old");
        web.write(".git/index.lock", "");
        add(&web, ".", "Debt");
        std::fs::remove_file(web.path(".git/index.lock")).unwrap();
        web.git("stash --quiet --include-untracked");
        web.git("checkout --quiet old");
        add(&web, ".", "There");
        web.git("checkout --quiet main");
        web.git("stash pop --quiet");
        web.swift_ok(settle);
        assert_eq!(web.git("status --short"), "", "{settle}");
        assert!(web.swift_ok("log").matches("task.created").count() >= 2, "{settle}");
        web.swift_ok("audit verify");
        web.swift_ok("doctor");
    }
}

#[test]
fn to_take_back_is_offered_only_where_it_can_be() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    assert!(!web.swift_ok("log").contains("swift undo"));
    add(&web, ".", "One");
    assert!(web.swift("log").stderr.contains("next: swift undo"));
    let settings = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
    web.swift_ok("start");
    add(&web, ".", "Two");
    web.write(".swift/inbox/came.md", "+++\ntitle = \"Came\"\nfrom = \"acme/api\"\n+++\n");
    for verb in ["log", "inbox sesame", "log", "finish", "log"] {
        let said = web.swift(verb);
        said.ok();
        assert!(!said.stderr.contains("swift undo"), "{verb}: {}", said.stderr);
    }
}

#[test]
fn a_plan_is_not_shown_for_what_is_refused() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "A");
    let operation = text(&web.json("log")["events"][0]["operation"]);
    web.swift_ok("undo");
    for words in [["undo", &operation, "--dry-run"], ["undo", &operation, "--json"]] {
        let said = web.swift(words);
        assert!(said.ended(4).stderr.contains("taken back already"), "{}", said.stderr);
    }
    web.swift_ok("undo");
    web.swift_ok(["edit", &id, "--title", "B"]);
    for words in [["undo", &operation, "--dry-run"], ["undo", &operation, "--json"]] {
        let said = web.swift(words);
        assert!(said.ended(4).stderr.contains("later work rests on it"), "{}", said.stderr);
    }
}

#[test]
fn what_a_repair_merely_recorded_is_passed_over() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "A");
    web.write(".swift/tasks/bh.md", "+++\ntitle = \"byhand\"\n+++\n");
    web.swift_ok("doctor --fix sesame");
    let log = web.swift("log");
    assert!(log.stderr.contains("next: swift undo"), "{}", log.stderr);
    assert!(web.swift_ok("undo").contains(" A”"));
    let left = web.swift_ok("list");
    assert!(left.contains("byhand") && left.lines().count() == 1, "{left}");
    web.swift_ok("doctor");
}

#[test]
fn the_orchestrators_last_operation_may_have_noted_receipts_alone() {
    let sandbox = Sandbox::new();
    let world = crate::world::World::new(&sandbox);
    let new = sandbox.repository("live/new");
    new.swift_ok("init --id acme/new");
    let id = world.letter("T");
    world.round();
    world.hub.swift_ok("register ../new");
    world.api.swift_ok("inbox sesame");
    world.round();
    let stage = || crate::world::receipt(&world.web, &id).0;
    assert_eq!(stage(), "accepted");
    let asked = world.hub.swift("undo");
    assert!(asked.ended(7).stdout.contains("acme/web  sent/"), "{}", asked.stdout);
    world.hub.swift_ok("undo sesame");
    assert_eq!(stage(), "delivered");
    assert!(world.hub.swift_ok("projects").contains("acme/new"));
    // Taking back is an operation too.
    world.hub.swift_ok("undo sesame");
    assert_eq!(stage(), "accepted");
    for place in [&world.hub, &world.web, &world.api] {
        crate::world::sound(place, "taken back twice");
    }
}

#[test]
fn a_clock_that_was_ahead_does_not_make_an_older_round_the_last() {
    let sandbox = Sandbox::new();
    let world = crate::world::World::new(&sandbox);
    let third = sandbox.repository("live/third");
    third.swift_ok("init --id acme/third");
    world.hub.swift_ok("register ../third");
    let right = sandbox.moment().0;
    sandbox.later(jiff::SignedDuration::from_hours(20));
    world.letter("Old");
    world.round();
    sandbox.back_to((right + 600, sandbox.moment().1));
    let id = add(&world.web, "acme/third", "New");
    world.round();
    let plan = world.hub.swift_ok("undo --dry-run");
    assert!(plan.contains(&id) && plan.contains("acme/third") && !plan.contains("acme/api"), "{plan}");
}

#[test]
fn what_was_done_before_a_squash_is_not_taken_back_in_its_place() {
    for tasks in [["A"].as_slice(), &["A", "B", "C"]] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok("init --in-tree");
        add(&web, ".", "Base");
        web.git("checkout --quiet -b topic");
        tasks.iter().for_each(|title| drop(add(&web, ".", title)));
        web.git("checkout --quiet main");
        web.git("merge --quiet --squash topic");
        web.git("commit --quiet --no-edit");
        refused(&web, ".", "revert");
        assert!(!web.swift_ok("list").contains("swift undo"));
    }
}

#[test]
fn a_repair_of_what_is_swifts_own_is_refused_and_nothing_else_taken_back_for_it() {
    for (init, queue) in [("init", ".swift"), ("init --in-tree", ".")] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "One");
        let add_one = text(&web.json("log")["events"][0]["operation"]);
        web.write(".swift/.gitignore", "nothing\n");
        let fixed = web.json("doctor --fix --yes");
        assert_eq!(fixed["restored"][0], ".swift/.gitignore", "{fixed:#}");
        refused(&web, queue, "put back `.gitignore`, which is `swift`'s own: that is not taken back");
        let repair = text(&web.json("log")["events"][0]["operation"]);
        let named = web.swift(["undo", &repair]);
        named.ended(4);
        assert!(!web.json("list")["next_actions"].to_string().contains("swift undo"));
        let hint = named.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
        let command = hint.split('`').nth(1).unwrap().strip_prefix("swift ").unwrap();
        assert!(add_one.ends_with(command.rsplit(' ').next().unwrap()), "{hint}");
        web.swift_ok(command);
        assert_eq!(web.json("list --state any")["tasks"].as_array().unwrap().len(), 0);
    }
}

/// The letters in an outbox, each with its text.
fn outbox(place: &Place<'_>) -> Vec<(String, String)> {
    let paths = crate::world::files(place).into_iter();
    let letters = paths.filter(|path| path.starts_with("outbox/") && path.ends_with(".md"));
    letters.map(|path| (path.clone(), place.read(&format!(".swift/{path}")))).collect()
}

#[test]
fn the_delivery_of_a_letter_that_was_written_by_hand_is_taken_back_and_the_letter_stays() {
    for from_hub in [true, false] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        world.web.write(
            ".swift/outbox/h.md",
            "+++\n# mine\ntitle = \"by hand\"  # so\nto = \"acme/api\"\nown = 1\n+++\nText.\n",
        );
        let round = world.hub.json("outbox sesame");
        assert!(round["next_actions"].to_string().contains("swift undo"), "{round}");
        let id = text(&round["delivered"][0]["id"]);
        let place = if from_hub { &world.hub } else { &world.web };
        place.swift_ok("undo sesame");
        assert_eq!(copies(&world.api, &id), Vec::<String>::new());
        let [(path, letter)] = &outbox(&world.web)[..] else { panic!("{:?}", copies(&world.web, &id)) };
        assert_eq!(path, "outbox/h.md");
        assert!(letter.contains("title = \"by hand\"  # so\n") && letter.contains("own = 1"), "{letter}");
        assert!(letter.contains(&id) && letter.ends_with("+++\nText.\n"), "{letter}");
        assert!(!letter.contains("receipt"), "{letter}");
        [&world.hub, &world.web, &world.api].iter().for_each(|place| sound(place, "taken back"));
        // That is an operation, too.
        place.swift_ok("undo sesame");
        assert_eq!(copies(&world.api, &id).len(), 1);
        assert_eq!(outbox(&world.web), []);
        place.swift_ok("undo sesame");
        assert_eq!(world.round()["delivered"][0]["id"], id.as_str());
        [&world.hub, &world.web, &world.api].iter().for_each(|place| sound(place, "once more"));
    }
}

#[test]
fn a_letter_to_oneself_lies_in_the_outbox_again_when_its_delivery_is_taken_back() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.web.write(".swift/outbox/self.md", "+++\ntitle = \"mine\"\nto = \"acme/web\"\n+++\n");
    let id = text(&world.round()["delivered"][0]["id"]);
    assert!(copies(&world.web, &id)[0].starts_with("tasks/"));
    world.hub.swift_ok("undo sesame");
    assert_eq!(copies(&world.web, &id), ["outbox/self.md"]);
    sound(&world.web, "taken back");
}

#[test]
fn the_delivery_of_a_letter_that_was_changed_by_hand_is_taken_back_and_the_change_stays() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("A thing");
    let [(path, letter)] = &outbox(&world.web)[..] else { panic!() };
    let changed = letter.replace("A thing", "B thing");
    world.web.write(&format!(".swift/{path}"), &changed);
    world.round();
    world.hub.swift_ok("undo sesame");
    assert_eq!(outbox(&world.web), [(path.clone(), changed)]);
    assert_eq!(copies(&world.api, &id), Vec::<String>::new());
    [&world.web, &world.api].iter().for_each(|place| sound(place, "taken back"));
    // What was accepted is in the inbox again, as it was there.
    world.round();
    let other = world.letter("Other");
    world.round();
    let arrived = format!(".swift/{}", copies(&world.api, &id)[0]);
    let noted = world.api.read(&arrived) + "A line by hand.\n";
    world.api.write(&arrived, &noted);
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok("undo");
    assert_eq!(world.api.read(&arrived), noted);
    assert!(copies(&world.api, &other)[0].starts_with("inbox/"));
    sound(&world.api, "not accepted");
}

#[test]
fn an_operation_in_which_the_orchestrators_own_queue_took_part_is_taken_back_in_a_project() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.hub, "acme/web", "x");
    world.round();
    world.web.swift_ok("undo sesame");
    assert_eq!(copies(&world.web, &id), Vec::<String>::new());
    assert!(copies(&world.hub, &id)[0].starts_with("outbox/"));
    [&world.hub, &world.web].iter().for_each(|place| sound(place, "taken back"));
}
