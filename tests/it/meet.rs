//! Where two sides of a merge meet in one file that is not one task: two tasks of one name, the settings, and the log of
//! a verb that was typed in the middle of it.

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, copies, sound, text, twins};

/// A project with one task, and a clone of it; each has the other as a remote.
fn clones<'a>(sandbox: &'a Sandbox, init: &str) -> [Place<'a>; 2] {
    twins(sandbox, init, &["Base"])
}

/// A task that a person writes under this name, taken in by the next verb.
fn by_hand(place: &Place<'_>, name: &str, title: &str, after: &str) {
    place.write(&format!(".swift/tasks/{name}"), format!("+++\ntitle = \"{title}\"\n+++\n{title} said so\n"));
    add(place, ".", after);
}

fn titles(place: &Place<'_>) -> Vec<String> {
    let list = place.json("list");
    let mut titles: Vec<String> =
        list["tasks"].as_array().unwrap().iter().map(|task| text(&task["title"])).collect();
    titles.sort();
    titles
}

fn id_of(place: &Place<'_>, title: &str) -> String {
    let list = place.json("list");
    let task = list["tasks"].as_array().unwrap().iter().find(|task| task["title"] == title).cloned();
    text(&task.unwrap()["id"])
}

#[test]
fn two_tasks_of_one_name_are_both_kept_and_each_clone_gives_them_the_same_names() {
    for resolve in ["resolve sesame", "resolve REF sesame"] {
        let sandbox = Sandbox::new();
        let places = clones(&sandbox, "init");
        sandbox.later(jiff::SignedDuration::from_mins(1));
        by_hand(&places[0], "new.md", "L", "n1");
        by_hand(&places[1], "new.md", "R", "n2");
        let ids = [id_of(&places[0], "L"), id_of(&places[1], "R")];
        for place in &places {
            place.git("fetch --quiet other");
        }
        for place in &places {
            assert_ne!(
                place.program("git", "-C .swift merge --no-edit refs/remotes/other/swift").run().status,
                0
            );
            place.swift_ok(resolve.replace("REF", &ids[0]).as_str());
            assert_eq!(titles(place), ["Base", "L", "R", "n1", "n2"], "{resolve}");
            sound(place, "settled");
            for id in &ids {
                let paths = copies(place, id);
                assert!(paths.len() == 1 && paths[0].contains(id.as_str()), "{paths:?}");
            }
        }
        let files = |place: &Place<'_>| place.git("-C .swift ls-tree -r swift:tasks");
        assert_eq!(files(&places[0]), files(&places[1]));
        places[0].git("fetch --quiet other");
        places[0].git("-C .swift merge --quiet --no-edit refs/remotes/other/swift");
        places[0].swift_ok(["done", &ids[1]]);
        sound(&places[0], "after both");
    }
}

#[test]
fn settings_that_both_sides_have_changed_are_told_for_what_they_are() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let places = clones(&sandbox, init);
        let main = format!("refs/remotes/other/{}", places[0].git("branch --show-current").trim());
        let (queue, theirs) =
            if init == "init" { (".swift", "refs/remotes/other/swift") } else { (".", main.as_str()) };
        for (place, commit) in places.iter().zip(["manual", "session"]) {
            let settings = place.read(".swift/swift.toml");
            place.write(
                ".swift/swift.toml",
                settings.replace("commit = \"each\"", &format!("commit = \"{commit}\"")),
            );
            place.git(["-C", queue, "commit", "--quiet", "--all", "-m", commit]);
        }
        let [web, _] = &places;
        web.git("fetch --quiet other");
        let merged = web.program("git", ["-C", queue, "merge", "--no-edit", theirs]).run();
        assert_ne!(merged.status, 0, "both have changed the settings");
        for verb in ["list", "doctor", "resolve", "task . New"] {
            let refused = web.swift(verb);
            assert_eq!(refused.status, 4, "{verb}: {}", refused.stderr);
            assert!(refused.stderr.contains("both sides of a merge"), "{}", refused.stderr);
            assert!(refused.stderr.contains("add swift.toml"), "{}", refused.stderr);
        }
        web.git("-C .swift checkout --quiet --ours swift.toml");
        web.git("-C .swift add swift.toml");
        if init == "init" {
            web.swift_ok("resolve sesame");
        } else {
            web.git("commit --quiet --no-edit");
        }
        sound(web, "settled");
    }
}

/// In-tree: `Base` is open in a merge, and `Apart` was written meanwhile.
fn in_the_middle<'a>(sandbox: &'a Sandbox) -> (Place<'a>, String) {
    let [web, twin] = clones(sandbox, "init --in-tree");
    let base = id_of(&web, "Base");
    twin.swift_ok(["edit", &base, "--priority", "high"]);
    web.swift_ok(["edit", &base, "--priority", "low"]);
    web.git("fetch --quiet other");
    let theirs = format!("other/{}", web.git("branch --show-current").trim());
    assert_ne!(web.program("git", ["merge", "--no-edit", &theirs]).run().status, 0);
    add(&web, ".", "Apart");
    web.swift_ok("resolve sesame");
    (web, base)
}

#[test]
fn what_is_settled_in_the_middle_of_a_merge_takes_no_record_of_what_waits_along() {
    let sandbox = Sandbox::new();
    let (web, base) = in_the_middle(&sandbox);
    web.swift_ok(["done", &base]);
    web.git("commit --quiet --no-edit");
    sandbox.root().git("clone --quiet web late");
    let late = sandbox.place("late");
    let findings = late.json("doctor")["findings"].to_string();
    assert_eq!(findings, "[]");
    add(&web, ".", "Next");
    sound(&web, "gone on");
    assert_eq!(web.json("doctor")["findings"].to_string(), "[]");
    let log = web.swift_ok("log -n 20");
    for event in ["task.merged", "task.done"] {
        assert!(log.contains(event), "{event}: {log}");
    }
    assert_eq!(titles(&web), ["Apart", "Next"]);
}

#[test]
fn what_was_settled_in_a_merge_that_is_given_up_leaves_no_record() {
    let sandbox = Sandbox::new();
    let (web, _) = in_the_middle(&sandbox);
    web.git("merge --abort");
    add(&web, ".", "Next");
    sound(&web, "given up");
    assert_eq!(web.json("doctor")["findings"].to_string(), "[]");
    assert!(!web.swift_ok("log -n 20").contains("task.merged"));
    assert_eq!(titles(&web), ["Apart", "Base", "Next"]);
}
