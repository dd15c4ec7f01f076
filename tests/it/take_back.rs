//! What is taken back is what was done last, and alone; and what a person takes back with git is known for what it is.

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, sound, text};

/// `swift undo` refuses, and nothing changes.
#[track_caller]
fn refused(place: &Place<'_>, words: &str, said: &str) -> String {
    let before = (place.git("for-each-ref"), place.git("-C .swift status --porcelain"));
    let refused = place.swift(words);
    refused.ended(4);
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    assert_eq!((place.git("for-each-ref"), place.git("-C .swift status --porcelain")), before);
    refused.stderr
}

/// A command of a message as it was before the sandbox made it neutral.
fn pasted(sandbox: &Sandbox, hint: &str) -> String {
    hint.replace("$SANDBOX", sandbox.root().path("").to_str().unwrap())
}

/// The operation of the newest event of this kind about this task.
fn operation(place: &Place<'_>, id: &str) -> String {
    let log = place.json("log -n 50");
    let event = log["events"].as_array().unwrap().iter().find(|event| event["task"] == id).cloned();
    text(&event.unwrap()["operation"])
}

#[test]
fn what_a_person_has_committed_is_not_passed_over() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "A");
    let each = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", each.replace("commit = \"each\"", "commit = \"manual\""));
    let b = add(&web, ".", "B");
    web.git("-C .swift add -A");
    web.git("-C .swift commit --quiet -m mine");
    let told = refused(&web, "undo", "does not name the operation");
    let hint = told.split("`swift undo ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    web.write(".swift/swift.toml", each);
    // The same of a debt that was paid by hand.
    let lock = web.path(".git/worktrees/-swift/index.lock");
    std::fs::write(&lock, "").unwrap();
    let c = add(&web, ".", "C");
    std::fs::remove_file(&lock).unwrap();
    web.git("-C .swift add -A");
    web.git("-C .swift commit --quiet -m debt");
    refused(&web, "undo", "does not name the operation");
    // The command that the hint named takes back what it says.
    let left = web.swift_ok(["undo", &hint]);
    assert!(left.contains("A”"), "{left}");
    let list = web.json("list").to_string();
    assert!(list.contains(&b) && list.contains(&c));
    web.swift_ok("undo");
    add(&web, ".", "D");
    web.swift_ok("undo");
    sound(&web, "in the end");
}

#[test]
fn only_an_operation_that_can_be_taken_back_is_named_as_the_one_before() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let set = |from: &str, to: &str| {
        let settings = web.read(".swift/swift.toml");
        web.write(".swift/swift.toml", settings.replace(&format!("\"{from}\""), &format!("\"{to}\"")));
    };
    set("each", "session");
    web.swift_ok("start");
    add(&web, ".", "A");
    web.swift_ok("finish");
    set("session", "manual");
    add(&web, ".", "M");
    web.git("-C .swift add -A");
    web.git("-C .swift commit --quiet -m mine");
    let told = refused(&web, "undo", "does not name the operation");
    assert!(told.contains("show --stat") && !told.contains("swift undo"), "{told}");
}

#[test]
fn a_squashed_commit_is_not_taken_back_as_one_of_its_operations() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let ids = ["A", "B", "C"].map(|title| add(&web, ".", title));
    let operations = ids.each_ref().map(|id| operation(&web, id));
    let squash = "GIT_EDITOR=true GIT_SEQUENCE_EDITOR='sed -i \"3,4s/^pick/squash/\"' \
                  git -C .swift rebase -q -i --root";
    web.program("sh", ["-c", squash]).run().ok();
    assert_eq!(web.git("rev-list --count swift"), "2\n");
    let told = refused(&web, "undo", "holds 3 operations");
    for operation in &operations {
        assert!(told.contains(&operation[operation.len() - 16..]), "{told}");
        refused(&web, &format!("undo {operation}"), "holds 3 operations");
    }
    // What the hint names takes back all of them.
    let hint = told.split('`').find(|part| part.contains(" revert ")).unwrap();
    web.program("sh", ["-c", &pasted(&sandbox, hint).replace("revert", "revert --no-edit")]).run().ok();
    assert!(!web.swift_ok("list").contains('A'));
    web.swift_ok("audit verify");
    // One that the queue begins with would take everything along.
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "A");
    web.program(
        "sh",
        ["-c", "cd .swift; git reset -q --hard $(git log -1 --format=%B | git commit-tree HEAD^{tree})"],
    )
    .run()
    .ok();
    refused(&web, "undo", "the beginning of the queue");
    assert!(web.swift_ok("list").contains('A'));
}

#[test]
fn a_revert_of_a_merge_is_no_false_alarm_and_neither_is_one_with_a_message_of_its_own() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "Base");
        sandbox.root().git("clone --quiet web twin");
        let twin = sandbox.place("twin");
        twin.swift_ok("init");
        add(&twin, ".", "C1");
        add(&twin, ".", "C2");
        add(&web, ".", "R1");
        let branch = if init == "init" { "swift" } else { "main" };
        let git = |words: &str| web.git(format!("-C .swift {words}").as_str());
        let pull = |from: &Place<'_>| {
            web.git([
                "-C",
                ".swift",
                "pull",
                "-q",
                "--no-rebase",
                "--no-edit",
                from.path("").to_str().unwrap(),
                branch,
            ])
        };
        pull(&twin);
        git("revert --no-edit -m 1 HEAD");
        add(&web, ".", "after");
        sound(&web, "a merge that git says is reverted");
        assert!(!web.swift_ok("list").contains("C1"));
        sandbox.root().git("clone --quiet web third");
        let third = sandbox.place("third");
        third.swift_ok("init");
        add(&third, ".", "C3");
        add(&web, ".", "R2");
        pull(&third);
        assert!(web.swift_ok("list").contains("C3"));
        git("revert --no-commit -m 1 HEAD");
        git("commit --quiet -m mine");
        add(&web, ".", "after");
        sound(&web, "a merge that somebody has taken back");
        assert!(!web.swift_ok("list").contains("C3"));
        // One operation of this clone, in words of one's own, or with git's short form.
        for words in ["revert --no-commit HEAD", "-c revert.reference=true revert --no-edit HEAD"] {
            let id = add(&web, ".", "gone");
            git(words);
            if words.contains("--no-commit") {
                git("commit --quiet -m mine");
            }
            add(&web, ".", "after");
            sound(&web, words);
            assert!(!web.json("list").to_string().contains(&id));
        }
        // A record that is cut off by hand is found as before.
        let id = add(&web, ".", "cut");
        let path = git("show --name-only --format= HEAD")
            .lines()
            .find(|line| line.contains("audit/"))
            .unwrap()
            .to_owned();
        let path = path.trim_start_matches(".swift/").to_owned();
        let all = web.read(&format!(".swift/{path}"));
        let at = all.rfind("[[event]]").unwrap();
        web.write(&format!(".swift/{path}"), &all[..at]);
        git("commit --quiet --all -m cut");
        assert!(all[at..].contains(&id));
        let told = web.swift("audit verify");
        assert!(told.ended(8).stdout.contains("audit-missing"), "{}", told.stdout);
    }
}

#[test]
fn a_fencing_token_of_a_branch_that_was_set_back_is_never_given_out_again() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        let (task, other) = (add(&web, ".", "A"), add(&web, ".", "B"));
        let claim =
            |actor: &str| web.json(["--actor", actor, "claim", &task])["lease"]["token"].as_u64().unwrap();
        let place = if init == "init" { ".swift" } else { "." };
        assert_eq!(claim("w2"), 1, "{init}");
        web.git(["-C", place, "reset", "--quiet", "--hard", "HEAD~1"]);
        assert_eq!(claim("w3"), 2, "{init}");
        web.swift(["--actor", "w2", "done", &task, "--token", "1"]).ended(4);
        // Over several commits, of others too, and in two steps.
        web.swift_ok(["edit", &other, "--title", "C"]);
        web.swift_ok(["done", &task, "--token", "2"]);
        web.git(["-C", place, "commit", "--quiet", "--allow-empty", "--message", "mine"]);
        web.git(["-C", place, "reset", "--quiet", "--hard", "HEAD~2"]);
        web.git(["-C", place, "reset", "--quiet", "--hard", "HEAD~3"]);
        assert_eq!(claim("w4"), 3, "{init}");
        // One that goes on where it was has nothing to be noted.
        web.git(["-C", place, "reset", "--quiet", "--hard", "HEAD~1"]);
        web.git(["-C", place, "reset", "--quiet", "--hard", "HEAD@{1}"]);
        web.swift_ok(["done", &task, "--token", "3"]);
        let by_hand = web.json("log -n 50").to_string().matches("changed-by-hand").count();
        assert_eq!(by_hand, 1, "{init}");
        assert_eq!(web.git(["-C", place, "status", "--porcelain"]), "", "{init}");
    }
}

#[test]
fn a_delivery_that_waited_with_other_work_is_refused_where_it_lies() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let settings = world.web.read(".swift/swift.toml");
    world.web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
    world.letter("T");
    add(&world.web, ".", "Own");
    world.round();
    let refused = world.hub.swift("undo");
    refused.ended(4);
    assert!(refused.stderr.contains("live/web/.swift holds 3 operations"), "{}", refused.stderr);
    // The command of the hint is for the repository that has the commit, and it changes nothing.
    let hint = refused.stderr.split('`').find(|part| part.starts_with("git -C")).unwrap().to_owned();
    assert!(hint.contains(" show "), "{hint}");
    world.hub.program("sh", ["-c", &pasted(&sandbox, &hint)]).run().ok();
}

#[test]
fn a_proposal_that_cannot_be_carried_out_any_more_goes() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("T1");
    world.round();
    world.hub.swift("undo").ended(7);
    world.api.swift_ok("inbox sesame");
    world.hub.swift("sesame").ended(4);
    // Nothing is left that would be in the way of the next one.
    world.letter("T2");
    world.hub.swift("outbox").ended(7);
    world.hub.swift_ok("sesame");
}

#[test]
fn what_rests_on_a_change_by_hand_is_shown_by_git() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "A");
    web.swift_ok(["edit", &id, "--priority", "high"]);
    let path = format!(".swift/{}", crate::world::copies(&web, &id).remove(0));
    web.write(&path, format!("{}more\n", web.read(&path)));
    let told = refused(&web, "undo", "it was changed by hand");
    assert!(told.contains("diff` shows how"), "{told}");
}
