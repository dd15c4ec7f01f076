//! What a person writes, changes or removes without `swift`, and commits with plain git or leaves lying about.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, codes, copies, sound, text, twins};

const HAND: &str = "+++\ntitle = \"Hand\"\n+++\nbody\n";

/// A project with two tasks, and the folder in which git works on its queue.
fn project<'a>(sandbox: &'a Sandbox, init: &str) -> (Place<'a>, &'static str) {
    let web = sandbox.repository("web");
    web.swift_ok(format!("{init} --id acme/web").as_str());
    add(&web, ".", "One");
    add(&web, ".", "Two");
    (web, if init == "init" { ".swift" } else { "." })
}

fn commit(place: &Place<'_>, queue: &str) {
    place.git(["-C", queue, "add", "--all", if queue == "." { ".swift" } else { "." }]);
    place.git(["-C", queue, "commit", "--quiet", "--message", "by hand"]);
}

#[track_caller]
fn healthy(place: &Place<'_>) {
    assert_eq!(codes(&place.swift("doctor --json").json()["findings"]), [""; 0]);
}

/// How often the log tells something about a task with a word.
fn told(place: &Place<'_>, kind: &str) -> usize {
    place.swift_ok("log -n 1000").matches(kind).count()
}

#[test]
fn what_was_committed_with_git_is_recorded_by_the_next_verb() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let (web, queue) = project(&sandbox, init);
        web.write(".swift/tasks/h.md", HAND.replace("Hand", "Aa hand") + "\n");
        commit(&web, queue);
        assert_eq!(codes(&web.swift("doctor --json").json()["findings"]), ["unrecorded"]);
        // The very verb that finds it can be about it.
        assert!(web.swift_ok("list").contains("Aa hand"));
        add(&web, ".", "Three");
        let list = web.json("list");
        let hand = list["tasks"].as_array().unwrap().iter().find(|task| task["title"] == "Aa hand").unwrap();
        let id = text(&hand["id"]);
        web.swift_ok(["claim", &id]);
        web.swift_ok(["done", &id]);
        assert_eq!(told(&web, "task.adopted"), 1, "{init}");
        // An edit, and a removal.
        let one = text(&list["tasks"].as_array().unwrap().last().unwrap()["path"]);
        web.write(&one, web.read(&one).replace("Three", "Tre"));
        commit(&web, queue);
        add(&web, ".", "Four");
        fs::remove_file(web.path(&one)).unwrap();
        commit(&web, queue);
        web.swift("doctor --json").ended(0);
        add(&web, ".", "Five");
        assert_eq!(told(&web, "changed-by-hand"), 2, "{init}: {}", web.swift_ok("log -n 1000"));
        add(&web, ".", "Six");
        assert_eq!(told(&web, "changed-by-hand"), 2, "{init}: once");
        sound(&web, init);
        healthy(&web);
    }
}

#[test]
fn what_was_pulled_from_somebody_who_committed_it_with_git_is_recorded_once() {
    for (init, rebase) in
        [("init", "false"), ("init --in-tree", "false"), ("init", "true"), ("init --in-tree", "true")]
    {
        let sandbox = Sandbox::new();
        let (web, queue) = project(&sandbox, init);
        sandbox.root().git("clone --quiet web clone");
        let clone = sandbox.place("clone");
        clone.swift_ok(init);
        clone.write(".swift/tasks/h.md", HAND);
        commit(&clone, queue);
        add(&web, ".", "Three");
        let branch = if init == "init" { "swift" } else { "main" };
        let from = clone.path("").display().to_string();
        let rebase = format!("--rebase={rebase}");
        web.git(["-C", queue, "pull", "--quiet", "--no-edit", &rebase, &from, branch]);
        add(&web, ".", "Four");
        assert_eq!(told(&web, "task.adopted"), 1, "{init} {rebase}");
        sound(&web, init);
        // The other clone gets the record along with the id, and has nothing to add.
        let from = web.path("").display().to_string();
        clone.git(["-C", queue, "pull", "--quiet", "--no-edit", &rebase, &from, branch]);
        add(&clone, ".", "Five");
        assert_eq!(
            (told(&clone, "task.adopted"), told(&clone, "changed-by-hand")),
            (1, 0),
            "{init} {rebase}"
        );
        sound(&clone, init);
    }
}

#[test]
fn a_doctor_records_what_the_log_does_not_know_however_it_came_to_that() {
    let sandbox = Sandbox::new();
    let (web, queue) = project(&sandbox, "init");
    web.write(".swift/tasks/h.md", HAND);
    commit(&web, queue);
    // A verb of somebody whose `swift` did not look for it, and no record of what verbs left.
    web.git([
        "-C",
        queue,
        "commit",
        "--quiet",
        "--amend",
        "--message",
        "swift: x\n\nSwift-Operation: 01kjpwdn8r9rskehm61dhf8qa7\n",
    ]);
    fs::remove_file(web.path(".git/swift/in-step")).unwrap();
    add(&web, ".", "Three");
    assert_eq!(codes(&web.swift("doctor --json").json()["findings"]), ["unrecorded"]);
    web.swift_ok("doctor --fix sesame");
    assert_eq!(told(&web, "task.adopted"), 1);
    assert_eq!(codes(&web.swift("doctor --json").json()["findings"]), [""; 0]);
}

#[test]
fn no_rule_of_the_person_keeps_a_task_out_of_git() {
    for (init, place, rule) in [
        ("init", "rules", "*.md"),
        ("init", "rules", "tasks"),
        ("init", "rules", "h*"),
        ("init --in-tree", ".gitignore", ".swift/"),
        ("init --in-tree", ".git/info/exclude", "*.md"),
    ] {
        let sandbox = Sandbox::new();
        let (web, queue) = project(&sandbox, init);
        web.write(place, format!("{rule}\n"));
        web.git(["config", "core.excludesFile", web.path("rules").to_str().unwrap()]);
        web.write(".swift/tasks/h.md", HAND);
        web.write(".swift/tasks/h.txt", "none");
        add(&web, ".", "Three");
        assert_eq!(told(&web, "task.adopted"), 1, "{rule}");
        let committed = web.git(["-C", queue, "ls-tree", "-r", "--name-only", "HEAD"]);
        assert!(committed.contains("tasks/h.md") && !committed.contains("h.txt"), "{rule}: {committed}");
        web.git("clean --quiet -ffdx -e rules -e .gitignore");
        assert!(web.swift_ok("list").contains("Hand"), "{rule}");
    }
}

#[test]
fn a_clock_that_ran_ahead_for_a_while_is_no_change_by_hand() {
    let sandbox = Sandbox::new();
    let (web, _) = project(&sandbox, "init");
    let id = add(&web, ".", "Three");
    web.call(["claim", &id]).env("SWIFT_TEST_NOW", "2026-03-02T12:00:00Z").run().ok();
    web.swift_ok(["comment", &id, "--actor", "Ada Example", "now"]);
    healthy(&web);
    for absurd in ["9999-06-01T00:00:00Z", "1969-06-01T00:00:00Z"] {
        let output = web.call("task . Later").env("SWIFT_TEST_NOW", absurd).run();
        output.ended(9);
        assert!(output.stderr.contains("clock"), "{}", output.stderr);
    }
}

#[test]
fn what_was_done_during_a_revert_that_is_given_up_keeps_its_record() {
    let sandbox = Sandbox::new();
    let (web, queue) = project(&sandbox, "init");
    let (id, other) = (add(&web, ".", "Three"), add(&web, ".", "Four"));
    web.swift_ok(["claim", &id]);
    let revert = web.program("git", ["-C", queue, "revert", "--no-edit", "HEAD~2"]).run();
    assert_ne!(revert.status, 0, "{}", revert.stdout);
    web.swift_ok(["done", &other]);
    add(&web, ".", "New");
    web.git(["-C", queue, "revert", "--abort"]);
    add(&web, ".", "Later");
    let log = web.swift_ok("log -n 100");
    assert_eq!((log.matches("task.done").count(), log.matches("task.created").count()), (1, 6), "{log}");
    sound(&web, "given up");
    healthy(&web);
}

#[test]
fn a_record_that_a_stash_brings_back_later_is_committed_by_the_next_verb() {
    let sandbox = Sandbox::new();
    let (web, _) = project(&sandbox, "init --in-tree");
    web.write(".git/index.lock", "");
    add(&web, ".", "Debt");
    fs::remove_file(web.path(".git/index.lock")).unwrap();
    web.git("stash --quiet");
    add(&web, ".", "Later");
    web.git("stash pop --quiet");
    add(&web, ".", "Later still");
    sound(&web, "brought back");
    healthy(&web);
}

#[test]
fn a_copy_with_the_id_of_another_task_is_named_and_stops_only_that_one() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let (web, _) = project(&sandbox, init);
        let one = text(&web.json("list")["tasks"][0]["id"]);
        let original = web.read(&format!(".swift/tasks/{}/{one}-one.md", &one[25..]));
        let copy = original.replace("\"One\"", "\"Copy\"") + "another text\n";
        web.write(".swift/tasks/a-copy.md", &copy);
        for verb in ["list", "next"] {
            let told = web.json(verb);
            assert_eq!(codes(&told["problems"]), ["unsettled"], "{init} {verb}: {told:#}");
        }
        // The other task is ready, and taken.
        assert!(web.swift_ok("claim").contains("Two"), "{init}");
        let refused = web.swift(["done", &one[10..16]]);
        assert!(
            refused.ended(4).stderr.contains("line `id = …` `.swift/tasks/a-copy.md`"),
            "{}",
            refused.stderr
        );
        // Nobody makes one task of two that no merge has brought together.
        let settled = web.swift("resolve sesame");
        assert!(settled.ended(8).stdout.contains("two titles"), "{init}: {}", settled.stdout);
        assert_eq!(web.read(".swift/tasks/a-copy.md"), copy);
        web.write(".swift/tasks/a-copy.md", copy.replace(&format!("id = \"{one}\"\n"), ""));
        web.swift_ok(["done", &one[10..16]]);
        assert!(web.swift_ok("claim").contains("Copy"), "{init}");
        sound(&web, init);
        healthy(&web);
    }
}

#[test]
fn what_a_squash_has_brought_is_committed_with_its_log() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["first"]);
    let second = add(&twin, ".", "second");
    twin.swift_ok(["done", &second]);
    web.git("fetch --quiet other");
    web.git("-C .swift merge --quiet --squash other/swift");
    add(&web, ".", "third");
    sound(&web, "squashed");
    healthy(&web);
    assert_eq!(copies(&web, &second).len(), 1);
    assert!(!web.path(".git/worktrees/-swift/SQUASH_MSG").exists(), "git has nothing left to tell of it");
}

#[test]
fn what_a_person_removes_before_it_could_be_committed_is_recorded_as_gone() {
    for (init, lock) in [("init", ".git/worktrees/-swift/index.lock"), ("init --in-tree", ".git/index.lock")]
    {
        let sandbox = Sandbox::new();
        let (web, _) = project(&sandbox, init);
        web.write(lock, "");
        // Where nothing of it is left, `git clean` may have been at it; the log alone does not tell.
        let (id, _) = (add(&web, ".", "Waits"), add(&web, ".", "Stays"));
        fs::remove_file(web.path(lock)).unwrap();
        let path = crate::world::copies(&web, &id).remove(0);
        fs::remove_file(web.path(&format!(".swift/{path}"))).unwrap();
        add(&web, ".", "Three");
        assert_eq!(told(&web, "changed-by-hand"), 1, "{init}");
        add(&web, ".", "Four");
        assert_eq!(told(&web, "changed-by-hand"), 1, "{init}: once");
        healthy(&web);
        sound(&web, init);
    }
}

#[test]
fn a_lease_that_runs_out_on_a_task_that_is_blocked_too_is_nobodys_change() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["One"]);
    let id = text(&web.json("list")["tasks"][0]["id"]);
    twin.swift_ok(["block", &id, "--why", "w"]);
    web.swift_ok(["claim", &id, "--actor", "bob"]);
    web.program("git", "-C .swift pull --quiet --no-rebase --no-edit ../../twin swift").run().ended(1);
    web.swift_ok("resolve sesame");
    let shown = web.json(["show", &id]);
    assert_eq!(text(&shown["task"]["state"]), "claimed");
    sandbox.later(jiff::SignedDuration::from_hours(2));
    assert_eq!(text(&web.json(["show", &id])["task"]["state"]), "blocked");
    healthy(&web);
    let before = web.git("-C .swift log --format=%H");
    web.swift_ok("doctor --fix sesame");
    assert_eq!(web.git("-C .swift log --format=%H"), before, "there was nothing to record");
    add(&web, ".", "Two");
    healthy(&web);
    assert_eq!(told(&web, "from claimed to blocked"), 0);
}

#[test]
fn a_task_that_a_commit_removes_is_recorded_though_the_clock_was_days_ahead() {
    for ahead in [false, true] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        let day = "2026-03-07T09:00:00Z";
        let early = |args: &str| match ahead {
            true => web.call(args).env("SWIFT_TEST_NOW", day).run().ok(),
            false => web.call(args).run().ok(),
        };
        early("init --id acme/web");
        early("task . One");
        let id = text(&web.json("list --state any")["tasks"][0]["id"]);
        let path = copies(&web, &id).remove(0);
        web.git(["-C", ".swift", "rm", "--quiet", &path]);
        web.git("-C .swift commit --quiet --message away");
        let findings = web.swift("doctor --json").json();
        assert!(!codes(&findings["findings"]).contains(&"records-alone".to_owned()), "{findings}");
        add(&web, ".", "Two");
        assert_eq!(told(&web, "changed-by-hand"), 1, "ahead: {ahead}");
        let findings = web.swift("doctor --json").json();
        let left = codes(&findings["findings"]);
        assert!(left.iter().all(|code| code == "clock"), "ahead: {ahead}: {findings:#}");
    }
}

#[test]
fn a_merge_that_takes_the_place_of_one_side_and_the_text_of_the_other_is_recorded() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["One"]);
    let id = text(&web.json("list")["tasks"][0]["id"]);
    twin.swift_ok(["edit", &id, "--title", "Another"]);
    web.swift_ok(["done", &id]);
    web.program("git", "-C .swift pull --quiet --no-rebase --no-edit -X theirs ../../twin swift").run();
    if !web.git("-C .swift status --porcelain").is_empty() {
        web.git("-C .swift add --all");
        web.git("-C .swift commit --quiet --no-edit");
    }
    healthy(&web);
    add(&web, ".", "Two");
    healthy(&web);
}

#[test]
fn a_template_that_was_changed_on_both_sides_is_not_called_a_task() {
    let sandbox = Sandbox::new();
    let places = twins(&sandbox, "init", &["One"]);
    for (place, name) in places.iter().zip(["web", "twin"]) {
        place.write(".swift/templates/own.md", format!("+++\ntitle = \"{name}\"\n+++\n"));
        add(place, ".", name);
    }
    let [web, _] = &places;
    web.program("git", "-C .swift pull --quiet --no-rebase --no-edit ../../twin swift").run().ended(1);
    let told = web.swift("list");
    let note = told.stderr.lines().find(|line| line.contains("both sides")).unwrap_or_default();
    assert!(note.contains("templates/own.md` was changed") && note.contains("is no task"), "{}", told.stderr);
    web.write(".swift/templates/own.md", "+++\ntitle = \"both\"\n+++\n");
    let command = note.split('`').find(|word| word.starts_with("git -C .swift add ")).unwrap();
    web.program("sh", ["-c", command]).run().ok();
    web.swift_ok("resolve sesame");
    sound(web, "put in order");
}

#[test]
fn what_a_person_makes_of_a_debt_and_commits_is_recorded_by_the_next_verb() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let (web, queue) = project(&sandbox, init);
        let settings = web.read(".swift/swift.toml").replace("\"each\"", "\"manual\"");
        web.write(".swift/swift.toml", settings);
        commit(&web, queue);
        let id = add(&web, ".", "A debt");
        let same = add(&web, ".", "Another debt");
        let path = format!(".swift/{}", copies(&web, &id)[0]);
        web.write(&path, web.read(&path).replace("A debt", "As written by hand"));
        commit(&web, queue);
        add(&web, ".", "The next verb");
        let log = web.json("log -n 99");
        let events = log["events"].as_array().unwrap();
        let by_hand: Vec<_> = events
            .iter()
            .filter(|event| event["kind"] == "changed-by-hand" && !event["task"].is_null())
            .collect();
        assert_eq!(by_hand.len(), 1, "{init}: {log:#}");
        assert_eq!(by_hand[0]["task"], id.as_str(), "{init}: and not {same}");
        let changed = codes(&web.json("doctor")["findings"]);
        assert!(!changed.contains(&"changed-by-hand".to_owned()), "{init}: {changed:?}");
        commit(&web, queue);
        assert!(web.read(&path).contains("As written by hand"), "{init}");
        healthy(&web);
        sound(&web, init);
    }
}

#[test]
fn a_task_that_was_removed_is_recorded_by_the_next_verb_whatever_removed_it() {
    for (init, how) in [
        ("init", "git rm --quiet"),
        ("init --in-tree", "git rm --quiet"),
        ("init", "rm"),
        ("init --in-tree", "rm"),
    ] {
        let sandbox = Sandbox::new();
        let (web, _) = project(&sandbox, init);
        let id = text(&web.json("list")["tasks"][0]["id"]);
        let path = copies(&web, &id).remove(0);
        web.program("sh", ["-c", &format!("cd .swift && {how} {path}")]).run().ok();
        add(&web, ".", "Three");
        assert_eq!(told(&web, "changed-by-hand"), 1, "{init}, {how}");
        healthy(&web);
        sound(&web, how);
    }
}

#[test]
fn what_was_not_committed_and_is_removed_does_not_come_back() {
    for init in ["init", "init --in-tree"] {
        for how in ["rm", "git add --all . && git rm --quiet --force"] {
            let sandbox = Sandbox::new();
            let web = sandbox.repository("web");
            web.swift_ok(format!("{init} --id acme/web").as_str());
            let settings = web.read(".swift/swift.toml");
            web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"manual\""));
            let id = add(&web, ".", "One");
            add(&web, ".", "Two");
            let path = copies(&web, &id).remove(0);
            web.program("sh", ["-c", &format!("cd .swift && {how} {path}")]).run().ok();
            add(&web, ".", "Three");
            let gone = |when: &str| {
                assert_eq!(copies(&web, &id), [""; 0], "{init}, {how}, {when}");
                assert_eq!(
                    told(&web, "changed-by-hand"),
                    2,
                    "the settings and the task: {init}, {how}, {when}"
                );
            };
            gone("recorded");
            commit(&web, if init == "init" { ".swift" } else { "." });
            add(&web, ".", "Four");
            gone("committed by hand");
            commit(&web, if init == "init" { ".swift" } else { "." });
            healthy(&web);
        }
    }
}

#[test]
fn a_label_is_added_to_a_list_as_it_is_written() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let written = "+++\ntitle = \"by hand\"\nlabels = [ \"a\",  # the first\n  \"b\" ]\n+++\n";
    web.write(".swift/tasks/mine.md", written);
    web.swift_ok("doctor --fix sesame");
    let id = web.json("list")["tasks"][0]["id"].as_str().unwrap().to_owned();
    web.swift_ok(["edit", &id, "-l", "c"]);
    let now = web.read(".swift/tasks/mine.md");
    assert!(now.contains("labels = [ \"a\",  # the first\n  \"b\",\n  \"c\" ]\n"), "{now}");
}
