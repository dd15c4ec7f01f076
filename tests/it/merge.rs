//! Clones, copies and branches that worked apart come together with plain git, and nothing is lost or doubled.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, copies, files, intact, sound, text};

/// A project and a clone of it, which share a bare repository.
fn clones(sandbox: &Sandbox) -> (Place<'_>, Place<'_>) {
    let web = sandbox.project("web");
    for n in 0..4 {
        add(&web, ".", &format!("common {n}"));
    }
    sandbox.place("hosting").git("init --quiet --bare shared.git");
    web.git("remote add origin ../hosting/shared.git");
    web.git("push --quiet origin main swift");
    sandbox.root().git("clone --quiet hosting/shared.git twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    (web, twin)
}

/// Merge what the other one has pushed, and push.
fn exchange(a: &Place<'_>, b: &Place<'_>) {
    a.git("push --quiet origin swift");
    for place in [b, a] {
        place.git("fetch --quiet origin");
        place.git("-C .swift merge --quiet --no-edit origin/swift");
        place.git("push --quiet origin swift");
    }
}

fn ids(place: &Place<'_>) -> Vec<String> {
    place.json("list")["tasks"].as_array().unwrap().iter().map(|task| text(&task["id"])).collect()
}

#[test]
fn two_clones_that_worked_apart_merge() {
    let sandbox = Sandbox::new();
    let (web, twin) = clones(&sandbox);
    let common = ids(&web);
    assert_eq!(common, ids(&twin), "the clone has taken over the same queue");
    let [a, b, c, d] = common.as_slice() else { panic!("{common:?}") };
    let mine = add(&web, ".", "mine");
    web.swift_ok(["claim", a]);
    web.swift_ok(["done", a, "--result", "by web"]);
    web.swift_ok(["edit", b, "--title", "edited by web"]);
    let theirs = add(&twin, ".", "theirs");
    twin.swift_ok(["claim", c]);
    twin.swift_ok(["fail", c, "--why", "no luck"]);
    twin.swift_ok(["comment", d, "by twin"]);
    twin.swift_ok("start");
    twin.swift_ok("finish --learned much sesame");
    exchange(&web, &twin);
    for place in [&web, &twin] {
        sound(place, "merged");
        for id in common.iter().chain([&mine, &theirs]) {
            assert_eq!(copies(place, id).len(), 1, "{id}");
        }
        assert!(copies(place, a)[0].starts_with("done/"));
        assert_eq!(ids(place).len(), 5);
    }
    assert_eq!(files(&web), files(&twin));

    // A second time, from the merged state.
    web.swift_ok(["done", b]);
    twin.swift_ok(["done", d]);
    let undone = add(&twin, ".", "undone");
    twin.swift_ok("undo sesame");
    exchange(&twin, &web);
    for place in [&web, &twin] {
        sound(place, "merged again");
        assert_eq!(copies(place, &undone), Vec::<String>::new());
        assert_eq!(ids(place).len(), 3);
    }
}

#[test]
fn a_task_that_a_merge_has_left_open_in_another_folder_is_told_wherever_tasks_are_listed() {
    let sandbox = Sandbox::new();
    let (web, twin) = clones(&sandbox);
    let id = &ids(&web)[0];
    web.swift_ok(["done", id, "--result", "by web"]);
    twin.swift_ok(["claim", id]);
    twin.swift_ok(["comment", id, "by twin"]);
    twin.git("push --quiet origin swift");
    web.git("fetch --quiet origin");
    assert_ne!(web.program("git", "-C .swift merge --no-edit origin/swift").run().status, 0);
    for verb in ["list", "next", "start"] {
        let told = web.call(format!("{verb} --json").as_str()).run().json();
        let problems = told["problems"].as_array().unwrap();
        let told_of = problems.iter().filter(|problem| problem["code"] == "unsettled").count();
        assert_eq!(told_of, 1, "{verb}: {told:#}");
        assert!(told["next_actions"].to_string().contains("swift resolve"), "{verb}: {told:#}");
    }
    web.swift_ok("resolve sesame");
    let told = web.json("list");
    assert_eq!(told["problems"].as_array().unwrap().len(), 0, "{told:#}");
}

#[test]
fn a_task_that_both_finished_is_there_once_or_conflicts_and_nothing_is_lost() {
    let sandbox = Sandbox::new();
    let (web, twin) = clones(&sandbox);
    let id = &ids(&web)[0];
    web.swift_ok(["done", id, "--result", "by web"]);
    twin.swift_ok(["done", id, "--result", "by twin"]);
    web.git("push --quiet origin swift");
    twin.git("fetch --quiet origin");
    let merged = twin.program("git", "-C .swift merge --no-edit origin/swift").run();
    assert_ne!(merged.status, 0, "both changed the same task");
    // While it is not settled, verbs say so and lose nothing.
    let told = twin.swift("doctor");
    assert!(told.ended(8).stdout.contains("both sides of a merge"), "{}{}", told.stdout, told.stderr);
    let refused = twin.swift("task . 'in the middle'");
    assert!(refused.stderr.contains("merge"), "{} {}{}", refused.status, refused.stdout, refused.stderr);
    let path = copies(&twin, id);
    twin.git(["-C", ".swift", "checkout", "--theirs", "."]);
    twin.git("-C .swift add -A");
    twin.git("-C .swift commit --quiet --no-edit");
    assert_eq!(copies(&twin, id).len(), 1, "{path:?}");
    add(&twin, ".", "goes on");
    intact(&twin, "settled by hand");
}

#[test]
fn a_copied_repository_writes_segments_of_its_own() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "common");
    sandbox.root().program("cp", ["-a", "web", "copy"]).run().ok();
    let copy = sandbox.place("copy");
    copy.git("-C . worktree repair .swift");
    let (mine, theirs) = (add(&web, ".", "mine"), add(&copy, ".", "theirs"));
    let segments =
        |place: &Place<'_>| files(place).into_iter().filter(|path| path.starts_with("audit/")).count();
    assert_eq!(
        (segments(&web), segments(&copy)),
        (1, 2),
        "the copy does not write on with the original's hand"
    );
    web.git("-C .swift fetch --quiet ../../copy swift");
    web.git("-C .swift merge --quiet --no-edit FETCH_HEAD");
    for id in [&mine, &theirs] {
        assert_eq!(copies(&web, id).len(), 1);
    }
    sound(&web, "merged with its copy");
    add(&web, ".", "more");
    sound(&web, "after that");
}

#[test]
fn linked_worktrees_and_subfolders_see_one_queue() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "one");
    web.git("worktree add --quiet ../linked -b side");
    let linked = sandbox.place("linked");
    let deep = linked.place("a/b/c");
    assert_eq!(ids(&deep), std::slice::from_ref(&id));
    deep.swift_ok(["claim", &id]);
    assert_eq!(web.json("list")["tasks"][0]["state"], "claimed");
    web.swift_ok(["done", &id]);
    assert_eq!(ids(&linked), Vec::<String>::new());
    add(&linked, ".", "two");
    assert_eq!(ids(&web).len(), 1);
    assert!(!linked.path(".swift").exists());
    assert_eq!(linked.git("status --porcelain"), "");
    sound(&web, "worked from a linked worktree");
}

#[test]
fn branches_of_code_with_a_queue_in_them_merge() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let [a, b] = ["a", "b"].map(|title| add(&web, ".", title));
    web.git("branch side");
    let mine = add(&web, ".", "mine");
    web.swift_ok(["done", &a]);
    web.git("checkout --quiet side");
    assert_eq!(ids(&web).len(), 2, "the branch has its own state");
    let theirs = add(&web, ".", "theirs");
    web.swift_ok(["done", &b]);
    web.git("checkout --quiet main");
    web.git("merge --quiet --no-edit side");
    for id in [&a, &b, &mine, &theirs] {
        assert_eq!(copies(&web, id).len(), 1);
    }
    sound(&web, "merged branches");
    assert_eq!(ids(&web).len(), 2);
    add(&web, ".", "goes on");
    sound(&web, "goes on");
}

#[test]
fn a_commit_that_git_reverts_is_no_alarm() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let older = add(&web, ".", "older");
    let middle = add(&web, ".", "middle");
    let newest = add(&web, ".", "newest");
    web.git("-C .swift revert --no-edit HEAD");
    assert_eq!(copies(&web, &newest), Vec::<String>::new());
    assert_eq!(web.swift("audit verify").status, 0, "{}", web.swift("audit verify").stdout);
    add(&web, ".", "the next verb records it");
    sound(&web, "reverted the newest");
    web.swift_ok(["done", &older]);

    // An older one: its records are in the middle of a segment, so git leaves the settling to the person.
    let commit = web.git("-C .swift log --format=%H --grep=middle -1");
    let reverted = web.program("git", ["-C", ".swift", "revert", "--no-edit", commit.trim()]).run();
    if reverted.status != 0 {
        let audit: Vec<_> = files(&web).into_iter().filter(|path| path.starts_with("audit/")).collect();
        for path in audit {
            web.git(["-C", ".swift", "checkout", "HEAD", "--", &path]);
        }
        web.git("-C .swift -c core.editor=true revert --continue");
    }
    assert_eq!(copies(&web, &middle), Vec::<String>::new());
    assert_eq!(web.swift("audit verify").status, 0, "{}", web.swift("audit verify").stdout);
    add(&web, ".", "records that too");
    sound(&web, "reverted an older one");
}

#[test]
fn a_pushed_queue_is_taken_over_after_the_clone_is_lost() {
    let sandbox = Sandbox::new();
    let (web, twin) = clones(&sandbox);
    let id = add(&web, ".", "pushed");
    web.git("push --quiet origin swift");
    fs::remove_dir_all(web.path("")).unwrap();
    twin.git("fetch --quiet origin");
    twin.git("-C .swift merge --quiet --no-edit origin/swift");
    assert!(ids(&twin).contains(&id));
    sandbox.root().git("clone --quiet hosting/shared.git third");
    let third = sandbox.place("third");
    third.swift_ok("init");
    assert_eq!(ids(&third), ids(&twin));
    assert_eq!(third.git("log --format=%H -1 swift"), twin.git("log --format=%H -1 origin/swift"));
    sound(&third, "taken over");
}

#[test]
fn letters_between_clones_of_one_project_arrive_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    sandbox.place("hosting").git("init --quiet --bare api.git");
    world.api.git("remote add origin ../../hosting/api.git");
    let id = world.letter("one");
    world.round();
    world.api.git("push --quiet origin main swift");
    sandbox.root().git("clone --quiet hosting/api.git other-api");
    let other = sandbox.place("other-api");
    other.swift_ok("init");
    other.swift_ok("inbox sesame");
    other.git("push --quiet origin swift");
    world.api.git("fetch --quiet");
    world.api.git("-C .swift merge --quiet --no-edit origin/swift");
    world.round();
    assert_eq!(copies(&world.api, &id).len(), 1);
    assert!(copies(&world.api, &id)[0].starts_with("tasks/"));
    sound(&world.api, "accepted in the other clone");
    sound(&world.web, "accepted in the other clone");
}
