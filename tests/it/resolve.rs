//! What two clones have both changed becomes one task again, the same wherever it is settled, and nothing written is
//! lost.

use std::fs;

use crate::crash::Accident;
use crate::sandbox::{Output, Place, Sandbox};
use crate::world::{World, add, copies, files, locks, sound, text, twins};

/// A project and a clone of it, each with the other as a remote.
fn clones<'a>(sandbox: &'a Sandbox, init: &str) -> [Place<'a>; 2] {
    twins(sandbox, init, &["the one", "another"])
}

fn first(place: &Place<'_>) -> String {
    text(&place.json("list")["tasks"][0]["id"])
}

/// Merge the other's queue with plain git.
fn merge(place: &Place<'_>) -> Output {
    place.program("git", "-C .swift merge --no-edit refs/remotes/other/swift").run()
}

/// Let git join tasks line by line all the same, as a queue of an older version does.
fn by_lines(place: &Place<'_>) {
    place.write(".git/info/attributes", "tasks/** merge=text\n");
}

fn is_merging(place: &Place<'_>) -> bool {
    place.program("git", "-C .swift rev-parse --verify --quiet MERGE_HEAD").run().status == 0
}

fn fetch(places: &[Place<'_>]) {
    places.iter().for_each(|place| drop(place.git("fetch --quiet other")));
}

/// The files of tasks and their bytes.
fn tasks(place: &Place<'_>) -> Vec<(String, String)> {
    let all = files(place).into_iter().filter(|path| path.ends_with(".md"));
    all.map(|path| (path.clone(), place.read(&format!(".swift/{path}")))).collect()
}

fn file_of(place: &Place<'_>, id: &str) -> String {
    let paths = copies(place, id);
    assert_eq!(paths.len(), 1, "{paths:?}");
    place.read(&format!(".swift/{}", paths[0]))
}

/// Both clones merge what the other had, settle it apart, and have the same; then one takes the other's settlement.
#[track_caller]
fn settled_apart(places: &[Place<'_>; 2]) {
    fetch(places);
    for place in places {
        assert_ne!(merge(place).status, 0, "both changed the same task");
        place.swift_ok("resolve sesame");
        sound(place, "settled");
        assert!(!is_merging(place));
    }
    assert_eq!(tasks(&places[0]), tasks(&places[1]), "each has settled it in the same way");
    fetch(places);
    let merged = merge(&places[0]);
    assert_eq!(merged.status, 0, "the same bytes merge: {}{}", merged.stdout, merged.stderr);
    places[1].git("fetch --quiet other");
    assert_eq!(merge(&places[1]).status, 0);
    assert_eq!(files(&places[0]), files(&places[1]));
    for place in places {
        add(place, ".", "work goes on");
        sound(place, "after both");
        let findings = place.call("doctor --json").run().json();
        assert_eq!(findings["findings"].as_array().unwrap().len(), 0, "{findings:#}");
    }
}

#[test]
fn done_here_and_given_up_there_is_done_and_the_reason_is_kept() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    places[0].swift_ok(["done", &id, "--result", "by web"]);
    for _ in 0..3 {
        places[1].swift_ok(["fail", &id, "--why", "no luck"]);
    }
    settled_apart(&places);
    let task = file_of(&places[0], &id);
    assert!(
        task.contains("state = \"done\"") && task.contains("by web") && task.contains("no luck"),
        "{task}"
    );
    assert!(copies(&places[0], &id)[0].starts_with("done/"));
}

#[test]
fn done_twice_is_done_by_the_first_and_both_results_are_kept() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    places[1].swift_ok(["done", &id, "--result", "by twin"]);
    places[0].swift_ok(["done", &id, "--result", "by web"]);
    settled_apart(&places);
    let task = file_of(&places[0], &id);
    assert!(task.contains("note = \"by twin\"") && task.contains("by web"), "{task}");
}

#[test]
fn the_same_fields_follow_their_rules() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    let dependency = text(&places[0].json("list")["tasks"][1]["id"]);
    places[0].swift_ok([
        "edit",
        &id,
        "--label",
        "a",
        "--priority",
        "high",
        "--title",
        "by web",
        "--due",
        "2026-05-02",
    ]);
    places[1].swift_ok([
        "edit",
        &id,
        "--label",
        "b",
        "--priority",
        "low",
        "--title",
        "by twin",
        "--due",
        "2026-05-01",
    ]);
    places[1].swift_ok(["edit", &id, "--after", &dependency]);
    settled_apart(&places);
    let task = file_of(&places[0], &id);
    for part in [
        "title = \"by twin\"",
        "Title: by web",
        "priority = \"high\"",
        "labels = [\"a\", \"b\"]",
        "due = 2026-05-01",
        &format!("after = [\"{dependency}\"]"),
    ] {
        assert!(task.contains(part), "{part} in\n{task}");
    }
}

#[test]
fn claimed_twice_has_one_holder_and_a_token_that_neither_knows() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    places[0].swift_ok(["claim", &id, "--actor", "ann"]);
    places[1].swift_ok(["claim", &id, "--actor", "bob"]);
    settled_apart(&places);
    for place in &places {
        let task = file_of(place, &id);
        assert!(task.contains("holder = \"bob\"\ntoken = 2\n"), "{task}");
    }
    let late = places[0].swift(["done", &id, "--actor", "ann", "--token", "1"]);
    assert!(late.ended(4).stderr.contains("lost"), "{}", late.stderr);
    places[0].swift_ok(["done", &id, "--actor", "bob"]);
}

#[test]
fn texts_and_keys_of_the_persons_own_are_all_kept() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    let path = format!(".swift/{}", copies(&places[0], &id)[0]);
    for (place, name) in places.iter().zip(["web", "twin"]) {
        let text = place.read(&path).replacen("kind = ", &format!("{name} = 1 # of {name}\nkind = "), 1);
        place.write(&path, format!("{}{name} wrote\na text\n", text.replacen("## What\n", "", 1)));
        place.swift_ok("doctor --fix sesame");
        place.swift_ok(["comment", &id, &format!("{name} says")]);
    }
    settled_apart(&places);
    let task = file_of(&places[0], &id);
    for part in ["web = 1 # of web", "twin = 1 # of twin", "web wrote", "twin wrote", "web says", "twin says"]
    {
        assert!(task.contains(part), "{part} in\n{task}");
    }
    assert!(!["<<<<<<<", "=======", ">>>>>>>"].iter().any(|marker| task.contains(marker)), "{task}");
}

#[test]
fn a_task_that_was_removed_there_and_changed_here_stays() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = text(&places[0].json("list")["tasks"][1]["id"]);
    places[0].git(["-C", ".swift", "rm", "--quiet", &copies(&places[0], &id)[0]]);
    places[0].swift_ok("doctor --fix sesame");
    places[1].swift_ok(["edit", &id, "--title", "changed"]);
    settled_apart(&places);
    assert!(file_of(&places[0], &id).contains("changed"));
}

#[test]
fn every_verb_says_what_is_open_and_nothing_is_lost_meanwhile() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, _] = &places;
    let id = first(web);
    web.swift_ok(["done", &id]);
    places[1].swift_ok(["edit", &id, "--title", "edited", "--priority", "low"]);
    places[1].swift_ok(["block", &id, "--why", "no paint"]);
    places[1].swift_ok(["done", &id, "--result", "by twin"]);
    fetch(&places);
    assert_ne!(merge(web).status, 0);
    for verb in ["list", "next", "status", "log", "doctor", "inbox", "task . meanwhile"] {
        let said = web.swift(verb).stderr;
        assert!(said.contains("`swift resolve`"), "{verb}: {said}");
    }
    for verb in ["claim", "done", "release"] {
        let output = web.swift([verb, &id]);
        assert!(output.ended(4).stderr.contains("`swift resolve "), "{verb}: {}", output.stderr);
        let output = web.swift([verb, &id, "--json"]).ended(4).json_error();
        assert_eq!(output["error"]["code"], "unsettled");
    }
    let planned = web.swift("resolve");
    assert!(
        planned.ended(7).stdout.contains("settle") || planned.stdout.contains("done"),
        "{}",
        planned.stdout
    );
    let before = web.git("-C .swift status --porcelain");
    web.swift_ok("resolve --dry-run");
    assert_eq!(web.git("-C .swift status --porcelain"), before);
    web.swift_ok("sesame");
    sound(web, "settled by the stored yes");
    assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 2, "the task of meanwhile is there");
    assert_eq!(web.swift("resolve").ended(3).stdout, "");
}

#[test]
fn in_tree_the_queue_is_settled_and_the_persons_conflict_is_left_to_them() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let id = add(&web, ".", "the one");
    web.git("branch side");
    web.swift_ok(["edit", &id, "--title", "on main", "--priority", "high"]);
    web.write("README.md", "# main\n");
    web.git("commit --quiet --all --message main");
    web.git("checkout --quiet side");
    web.swift_ok(["edit", &id, "--title", "on side"]);
    web.write("README.md", "# side\n");
    web.git("commit --quiet --all --message side");
    web.git("checkout --quiet main");
    assert_ne!(web.program("git", "merge --no-edit side").run().status, 0);
    let head = web.git("rev-parse HEAD");
    assert!(web.swift("list").stderr.contains("`swift resolve`"));
    web.swift_ok("resolve sesame");
    assert_eq!(web.git("rev-parse HEAD"), head, "the person's merge is theirs to conclude");
    assert_eq!(web.git("diff --name-only --diff-filter=U"), "README.md\n");
    assert_eq!(web.git("diff --name-only -- .swift"), "", "everything of the queue is staged");
    web.write("README.md", "# both\n");
    web.git("add README.md");
    web.git("commit --quiet --no-edit");
    let task = file_of(&web, &id);
    assert!(task.contains("title = \"on side\"") && task.contains("priority = \"high\""), "{task}");
    sound(&web, "concluded by the person");
    add(&web, ".", "goes on");
    sound(&web, "goes on");
    assert_eq!(web.call("doctor --json").run().json()["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_task_that_a_clean_merge_left_in_two_files_becomes_one() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    for (place, name) in places.iter().zip(["web", "twin"]) {
        place.swift_ok(["edit", &id, "--title", &format!("title of {name}")]);
        // So long that git takes the finished file for another one than the one that is gone.
        place.swift_ok(["done", &id, "--result", &format!("{name} found much to tell. ").repeat(60)]);
    }
    fetch(&places);
    for place in &places {
        let merged =
            place.program("git", "-C .swift merge -X no-renames --no-edit refs/remotes/other/swift").run();
        assert_eq!(merged.status, 0, "as two files git sees no conflict: {}", merged.stdout);
        assert_eq!(copies(place, &id).len(), 2);
        let refused = place.swift(["comment", &id, "which one"]);
        assert!(refused.ended(4).stderr.contains("`swift resolve "), "{}", refused.stderr);
        assert!(place.swift("doctor").ended(8).stdout.contains("swift resolve"));
        place.swift_ok(["resolve", &id, "sesame"]);
        sound(place, "one file again");
    }
    assert_eq!(tasks(&places[0]), tasks(&places[1]));
    let task = file_of(&places[0], &id);
    assert!(task.contains("title of twin") && task.contains("Title: title of web"), "{task}");
}

#[test]
fn markers_that_were_committed_are_taken_out() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let id = first(&places[0]);
    places[0].swift_ok(["edit", &id, "--title", "by web"]);
    places[1].swift_ok(["edit", &id, "--title", "by twin"]);
    fetch(&places);
    for place in &places {
        by_lines(place);
        assert_ne!(merge(place).status, 0);
        place.git("-C .swift add --all");
        place.git("-C .swift commit --quiet --no-edit");
        assert!(place.swift("list").stdout.contains("swift resolve"));
        place.swift_ok("resolve sesame");
        sound(place, "without markers");
    }
    assert_eq!(tasks(&places[0]), tasks(&places[1]));
    assert!(file_of(&places[0], &id).contains("title = \"by twin\""));
}

#[test]
fn what_a_person_settled_by_hand_is_taken_as_it_is() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, _] = &places;
    let id = first(web);
    web.swift_ok(["edit", &id, "--title", "by web"]);
    places[1].swift_ok(["edit", &id, "--title", "by twin"]);
    fetch(&places);
    assert_ne!(merge(web).status, 0);
    let path = format!(".swift/{}", copies(web, &id)[0]);
    let text = web.git(["-C", ".swift", "show", &format!("HEAD:{}", copies(web, &id)[0])]);
    web.write(&path, text.replacen("by web", "by hand", 1));
    web.swift_ok("resolve sesame");
    sound(web, "concluded with the hand's text");
    assert!(file_of(web, &id).contains("title = \"by hand\""));
}

#[test]
fn a_conflict_in_the_settings_is_left_to_the_person() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, _] = &places;
    let id = first(web);
    for (place, name) in places.iter().zip(["web", "twin"]) {
        place.write(".swift/templates/task.md", format!("+++\ntitle = \"{name}\"\n+++\n"));
        place.swift_ok(["edit", &id, "--title", name]);
        place.swift_ok("doctor --fix sesame");
    }
    fetch(&places);
    assert_ne!(merge(web).status, 0);
    let before = tasks(web);
    let refused = web.swift("resolve sesame");
    assert!(refused.ended(4).stderr.contains("templates/task.md"), "{}", refused.stderr);
    assert_eq!(tasks(web), before, "nothing is changed");
    web.swift_ok(["resolve", &id, "sesame"]);
    assert_eq!(web.git("-C .swift diff --name-only --diff-filter=U"), "templates/task.md\n");
    web.write(".swift/templates/task.md", "+++\ntitle = \"both\"\n+++\n");
    web.git("-C .swift add templates/task.md");
    web.swift_ok("resolve sesame");
    sound(web, "concluded");
    assert!(web.read(".swift/templates/task.md").contains("both"));
}

#[test]
fn a_rebase_of_the_queues_own_branch_is_named() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, twin] = &places;
    let id = first(web);
    web.swift_ok(["edit", &id, "--title", "by web"]);
    twin.swift_ok(["edit", &id, "--title", "by twin"]);
    fetch(&places);
    assert_ne!(web.program("git", "-C .swift rebase refs/remotes/other/swift").run().status, 0);
    let refused = web.swift("resolve sesame");
    assert!(refused.ended(9).stderr.contains("a rebase is in progress"), "{}", refused.stderr);
    // What is refused is not advised.
    let paths = copies(web, &id);
    for verb in ["list", "doctor", "next", "status", &format!("show {id}")] {
        let said = web.swift(verb);
        let said = format!("{}{}", said.stdout, said.stderr);
        assert!(!said.contains("swift resolve") && said.contains("rebase"), "{verb}: {said}");
    }
    assert!(web.swift("doctor").ended(8).stdout.contains(&paths[0]), "it is a finding beside others");
    web.git("-C .swift rebase --abort");
    assert_ne!(merge(web).status, 0);
    web.swift_ok("resolve sesame");
    sound(web, "merged instead");
}

#[test]
fn in_tree_a_rebase_a_cherry_pick_and_a_stash_are_settled_and_go_on() {
    let sandbox = Sandbox::new();
    for operation in ["rebase", "cherry-pick"] {
        let tree = sandbox.repository(operation);
        tree.swift_ok(["init", "--in-tree", "--id", "acme/tree"]);
        let id = add(&tree, ".", "the one");
        tree.git("checkout --quiet -b side");
        tree.swift_ok(["edit", &id, "--title", "on side"]);
        tree.git("checkout --quiet main");
        tree.swift_ok(["edit", &id, "--title", "on main"]);
        assert_ne!(tree.program("git", [operation, "side"]).run().status, 0);
        assert!(tree.swift("list").stderr.contains("`swift resolve`"));
        tree.swift_ok("resolve sesame");
        tree.git(["-c", "core.editor=true", operation, "--continue"]);
        sound(&tree, operation);
        let task = file_of(&tree, &id);
        assert!(
            task.contains("title = \"on main\"") && task.contains("Title: on side"),
            "{operation}: {task}"
        );
    }
    let tree = sandbox.repository("stash");
    tree.swift_ok("init --in-tree --id acme/tree");
    let id = add(&tree, ".", "the one");
    let path = format!(".swift/{}", copies(&tree, &id)[0]);
    let text = tree.read(&path);
    tree.write(&path, text.replacen("the one", "stashed", 1));
    tree.git("stash --quiet");
    tree.swift_ok(["edit", &id, "--title", "committed"]);
    assert_ne!(tree.program("git", "stash pop").run().status, 0);
    tree.swift_ok("resolve sesame");
    sound(&tree, "after the stash");
    let task = file_of(&tree, &id);
    assert!(task.contains("stashed") && task.contains("committed"), "{task}");
}

#[test]
fn a_merge_without_a_conflict_that_waits_is_concluded() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, twin] = &places;
    add(web, ".", "of web");
    let theirs = add(twin, ".", "of twin");
    fetch(&places);
    web.git("-C .swift merge --quiet --no-commit refs/remotes/other/swift");
    let log = web.git("-C .swift log --format=%H");
    add(web, ".", "meanwhile");
    assert_eq!(web.git("-C .swift log --format=%H"), log, "it waits");
    web.swift_ok("resolve sesame");
    sound(web, "concluded");
    assert_eq!(copies(web, &theirs).len(), 1);
    let log = web.git("-C .swift log --format=%P -1");
    assert_eq!(log.split_whitespace().count(), 2, "both parents");
    let adopted = web.swift_ok("log -n 50");
    assert!(!adopted.contains("task.adopted"), "what a merge brings nobody has written by hand: {adopted}");
}

#[test]
fn a_settling_that_is_killed_anywhere_is_finished_by_the_next() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.web, ".", "the one");
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    world.web.swift_ok(["done", &id, "--result", "by web"]);
    twin.swift_ok(["edit", &id, "--title", "by twin"]);
    twin.swift_ok(["block", &id, "--why", "by twin"]);
    let other = add(&twin, ".", "of twin");
    twin.swift_ok(["done", &id, "--result", "by twin"]);
    world.web.git("fetch --quiet ../twin swift:refs/remotes/other/swift");
    assert_ne!(merge(&world.web).status, 0);
    assert!(is_merging(&world.web));
    world.keep();
    world.at_changes(
        Accident::Killed,
        3,
        |world| world.web.call("resolve sesame"),
        |world, point, _| {
            let again = world.web.swift("resolve sesame");
            assert!([0, 3].contains(&again.status), "{point:?}: {}{}", again.stdout, again.stderr);
            sound(&world.web, &format!("{point:?}"));
            assert_eq!(
                (copies(&world.web, &id).len(), copies(&world.web, &other).len()),
                (1, 1),
                "{point:?}"
            );
            assert!(!is_merging(&world.web), "{point:?}");
        },
    );
}

#[test]
fn what_git_merges_by_itself_is_no_alarm_and_the_next_verb_records_it() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, twin] = &places;
    let id = first(web);
    web.swift_ok(["edit", &id, "--title", "by web"]);
    twin.swift_ok(["comment", &id, "by twin"]);
    fetch(&places);
    for place in &places {
        by_lines(place);
        assert_eq!(merge(place).status, 0, "different lines");
        let findings = place.call("doctor --json").run().json();
        assert_eq!(findings["findings"].as_array().unwrap().len(), 0, "{findings:#}");
        add(place, ".", "next");
        assert_eq!(place.swift_ok("log -n 9").matches("task.merged").count(), 1);
        let findings = place.call("doctor --json").run().json();
        assert_eq!(findings["findings"].as_array().unwrap().len(), 0, "{findings:#}");
        sound(place, "recorded");
    }
    let task = file_of(web, &id);
    assert!(task.contains("by web") && task.contains("by twin"), "{task}");
}

#[test]
fn markers_around_what_is_no_task_are_named_and_left() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "good");
    web.write(".swift/tasks/odd.md", "<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> z\n");
    let said = web.swift("resolve sesame");
    assert!(said.ended(8).stdout.contains("tasks/odd.md"), "{}", said.stdout);
    assert!(web.read(".swift/tasks/odd.md").starts_with("<<<<<<<"));
}

#[test]
fn folders_that_are_emptied_here_take_what_was_put_into_them_there() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, twin] = &places;
    let id = first(web);
    let folder = copies(web, &id)[0].rsplit_once('/').unwrap().0.to_owned();
    web.swift_ok(["done", &id]);
    // A task of the same shard, written by hand; to git the shard looks as if it was renamed to `done/`.
    twin.write(&format!(".swift/{folder}/new.md"), "+++\ntitle = \"new\"\n+++\n");
    twin.swift_ok("doctor --fix sesame");
    fetch(&places);
    for place in &places {
        let merged = merge(place);
        assert_eq!(merged.status, 0, "no task was changed by both: {}", merged.stdout);
        assert!(place.path(&format!(".swift/{folder}/new.md")).exists());
        sound(place, "merged");
    }
}

#[test]
fn a_task_that_git_takes_for_another_one_gets_none_of_its_words() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [web, twin] = &places;
    let id = first(web);
    web.swift_ok(["edit", &id, "--label", "of-the-one"]);
    twin.git(["-C", ".swift", "rm", "--quiet", &copies(twin, &id)[0]]);
    let new = add(twin, ".", "the new");
    fetch(&places);
    for place in &places {
        assert_ne!(merge(place).status, 0, "git sees a task that was renamed and changed");
        place.swift_ok("resolve sesame");
        sound(place, "settled");
    }
    assert_eq!(tasks(web), tasks(twin));
    assert!(file_of(web, &id).contains("of-the-one") && !file_of(web, &new).contains("of-the-one"));
}

#[test]
fn a_record_of_a_run_that_both_sides_have_written_becomes_one() {
    let sandbox = Sandbox::new();
    let places = clones(&sandbox, "init");
    let [here, there] = &places;
    sandbox.home().write("fake.sh", "init; change; result ok");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    here.call("run 'make a thing'").env("SWIFT_CLAUDE", fake).run().ok();
    let run = text(&here.json("runs")["runs"][0]["short"]);
    fetch(&places);
    assert_eq!(merge(there).status, 0);
    for (place, why) in [(here, "no tests"), (there, "too slow")] {
        place.swift_ok(["reject", &run, "--why", why]);
    }
    let path = text(&here.json("runs")["runs"][0]["path"]);
    fetch(&places);
    for place in &places {
        assert_ne!(merge(place).status, 0, "both have written the record");
        let told = place.swift("list").stderr;
        assert!(told.contains("the record of a run was written on both sides"), "{told}");
        place.swift_ok("resolve sesame");
        assert!(!is_merging(place));
        sound(place, "settled");
    }
    assert_eq!(here.read(&path), there.read(&path), "each has settled it in the same way");
    let settled = here.json(["run", "show", &run]);
    assert_eq!(text(&settled["run"]["review"]["what"]), "too slow", "the later one: {settled:#}");
    assert!(settled["run"]["reasons"].to_string().contains("sent it back: no tests"), "{settled:#}");
}

#[test]
fn what_a_revert_has_left_open_leads_to_git() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "one");
    web.swift_ok("claim");
    let revert = web.program("git", "-C .swift revert --no-edit HEAD~1").run();
    assert_ne!(revert.status, 0, "{}", revert.stdout);
    for verb in
        [vec!["list".to_owned()], vec!["show".to_owned(), id.clone()], vec!["done".to_owned(), id.clone()]]
    {
        let told = web.swift(verb.clone());
        let all = told.stdout + &told.stderr;
        assert!(all.contains("`git -C .swift status`"), "{verb:?}: {all}");
        assert!(!all.contains("swift resolve"), "{verb:?}: {all}");
    }
    web.swift("resolve").ended(9);
}

/// What a person who takes the merge back has after a settlement that was killed: nothing of it.
fn nothing_was_settled(web: &Place<'_>, folder: &Place<'_>, when: &str) {
    for lock in locks(&web.path(".git")) {
        fs::remove_file(web.path(&format!(".git/{lock}"))).unwrap();
    }
    // A folder that was copied has other inodes than its index says.
    folder.git("status");
    folder.git("merge --abort");
    let kinds = || web.json("log -n 99")["events"].to_string();
    assert!(!kinds().contains("task.merged"), "{when}");
    assert_eq!(web.swift("audit verify").status, 0, "{when}");
    add(web, ".", "after that");
    assert!(!kinds().contains("task.merged"), "{when}: {}", kinds());
    sound(web, when);
    assert_eq!(web.json("doctor")["findings"].to_string(), "[]", "{when}");
}

#[test]
fn a_settlement_that_is_killed_and_taken_back_leaves_no_word_of_it() {
    let (path, git) = (std::env::var("PATH").unwrap(), "git-that-kills");
    for (init, verb) in [("init --in-tree", "resolve sesame"), ("init", "resolve REF sesame")] {
        let sandbox = Sandbox::new();
        let world = World::all(&sandbox, init);
        let [one, other] = ["the one", "another"].map(|title| add(&world.web, ".", title));
        world.folder().git("clone --quiet web twin");
        let twin = world.folder().place("twin");
        twin.swift_ok("init");
        for id in [&one, &other] {
            world.web.swift_ok(["done", id, "--result", "by web"]);
            twin.swift_ok(["edit", id, "--title", "by twin"]);
        }
        let (at, branch) = if init == "init" { (".swift", "swift") } else { (".", "main") };
        world.web.git(["fetch", "--quiet", "../twin", &format!("{branch}:refs/remotes/other/{branch}")]);
        let folder = world.web.place(at);
        let merge = format!("merge --no-edit refs/remotes/other/{branch}");
        assert_ne!(folder.program("git", merge.as_str()).run().status, 0);
        world.keep();
        let verb = verb.replace("REF", &one);

        // Everything is written, and git does not come to stage it.
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *update-index*) kill -9 $PPID; exit 1;; esac\nPATH='{path}' exec git \"$@\"\n"
        );
        let bin = sandbox.place(git);
        bin.write("git", script);
        bin.program("chmod", "755 git").run().ok();
        let call = world.web.call(verb.as_str()).env("PATH", &format!("{}:{path}", bin.path("").display()));
        assert_eq!(call.run().status, 137);
        nothing_was_settled(&world.web, &folder, &format!("{init}: nothing is staged"));

        world.at_changes(
            Accident::Killed,
            13,
            |world| world.web.call(verb.as_str()),
            |world, point, _| nothing_was_settled(&world.web, &folder, &format!("{init}: {point}")),
        );
    }
}
