//! What comes with a pull, a merge or a cherry-pick of plain git, and no verb has seen before.

use serde_json::json;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, codes, copies, sound, text, twins};

const HAND: &str = "+++\ntitle = \"Hand\"\n+++\nhand\n";
const HOMES: [(&str, &str, &str); 2] = [("init", ".swift", "swift"), ("init --in-tree", ".", "main")];

fn commit(place: &Place<'_>, queue: &str) {
    place.git(["-C", queue, "add", "--all", if queue == "." { ".swift" } else { "." }]);
    place.git(["-C", queue, "commit", "--quiet", "--message", "by hand"]);
}

/// Take what the other has; whether git could do it alone.
fn pull(place: &Place<'_>, queue: &str, branch: &str) -> bool {
    place.git("fetch --quiet other");
    let other = format!("refs/remotes/other/{branch}");
    place.program("git", ["-C", queue, "merge", "--quiet", "--no-edit", &other]).run().status == 0
}

/// Id and state of every task with a title.
fn titled(place: &Place<'_>, title: &str) -> Vec<(String, String)> {
    let list = place.json("list --state any");
    let tasks = list["tasks"].as_array().unwrap().iter().filter(|task| task["title"] == title);
    tasks.map(|task| (text(&task["id"]), text(&task["state"]))).collect()
}

fn id_of(place: &Place<'_>, title: &str) -> String {
    titled(place, title).remove(0).0
}

#[track_caller]
fn settle(place: &Place<'_>, queue: &str) {
    place.swift_ok("resolve sesame");
    if queue == "." {
        place.git("commit --quiet --no-edit");
    }
}

#[track_caller]
fn clean(place: &Place<'_>) {
    assert_eq!(codes(&place.swift("doctor --json").json()["findings"]), [""; 0]);
    assert_eq!(place.git("status --porcelain") + &place.git("-C .swift status --porcelain"), "");
}

#[test]
fn a_task_that_was_committed_by_hand_is_one_task_whichever_clone_sees_it_first() {
    for (init, queue, branch) in HOMES {
        let sandbox = Sandbox::new();
        let [web, twin] = twins(&sandbox, init, &["Base"]);
        web.write(".swift/tasks/h.md", HAND);
        web.write(".swift/tasks/copy.md", HAND.replace("Hand", "Copy"));
        commit(&web, queue);
        assert!(pull(&twin, queue, branch));
        add(&web, ".", "Web");
        add(&twin, ".", "Twin");
        let id = id_of(&web, "Hand");
        assert_eq!(id, id_of(&twin, "Hand"), "{init}");
        assert_ne!(id, id_of(&twin, "Copy"), "{init}");
        // One of them has finished it when they come together.
        twin.swift_ok(["done", &id]);
        web.swift_ok(["edit", &id, "--priority", "high"]);
        assert!(!pull(&web, queue, branch), "both changed it");
        settle(&web, queue);
        assert_eq!(titled(&web, "Hand"), [(id.clone(), "done".to_owned())], "{init}");
        assert!(pull(&twin, queue, branch));
        add(&web, ".", "Between");
        // A later file of the same name and words is another task.
        web.write(".swift/tasks/h.md", HAND);
        commit(&web, queue);
        add(&web, ".", "Later");
        let all = titled(&web, "Hand");
        assert!(all.len() == 2 && all[0].0[10..16] != all[1].0[10..16], "{init}: {all:?}");
        for place in [&web, &twin] {
            sound(place, init);
            clean(place);
        }
    }
}

#[test]
fn a_task_that_a_rebase_has_moved_keeps_the_id_that_another_clone_gives_it() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base"]);
    web.write(".swift/tasks/h.md", HAND);
    commit(&web, ".swift");
    assert!(pull(&twin, ".swift", "swift"));
    add(&twin, ".", "Twin");
    let id = id_of(&twin, "Hand");
    // The commit itself is another one afterwards, and the file was edited since.
    web.git("-C .swift rebase --quiet --force-rebase HEAD~2");
    web.write(".swift/tasks/h.md", format!("{HAND}more\n"));
    commit(&web, ".swift");
    add(&web, ".", "Web");
    assert_eq!(id_of(&web, "Hand"), id);
}

#[test]
fn a_letter_that_was_committed_by_hand_is_delivered_once_whoever_gave_it_its_id() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.web.write(".swift/outbox/h.md", HAND.replace("title", "to = \"acme/api\"\ntitle"));
    commit(&world.web, ".swift");
    sandbox.root().git("clone --quiet live/web twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    add(&twin, ".", "Twin");
    world.round();
    world.web.git("remote add other ../../twin");
    assert!(!pull(&world.web, ".swift", "swift"));
    settle(&world.web, ".swift");
    world.round();
    assert_eq!(titled(&world.api, "Hand").len(), 1);
    assert_eq!(titled(&world.web, "Hand").len(), 1);
    sound(&world.web, "merged");
}

#[test]
fn what_keeps_a_folder_is_settled_with_the_tasks() {
    for (init, queue, branch) in HOMES {
        let sandbox = Sandbox::new();
        let [web, twin] = twins(&sandbox, init, &["A"]);
        let id = id_of(&web, "A");
        twin.swift_ok(["done", &id]);
        let path = copies(&web, &id).remove(0);
        web.git(["-C", ".swift", "mv", &path, "tasks/mine.md"]);
        web.git(["-C", queue, "commit", "--quiet", "--message", "mine"]);
        assert!(!pull(&web, queue, branch), "git takes the folder for renamed");
        let settled = web.json("resolve sesame");
        assert_eq!(settled["kept"][0], ".swift/tasks/.keep", "{settled:#}");
        if queue == "." {
            web.git("commit --quiet --no-edit");
        }
        assert_eq!(titled(&web, "A"), [(id, "done".to_owned())]);
        add(&web, ".", "Later");
        sound(&web, init);
        clean(&web);
    }
}

#[test]
fn records_that_a_cherry_pick_has_brought_along_are_no_loss() {
    for meanwhile in [true, false] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok("init --in-tree --id acme/web");
        add(&web, ".", "A");
        web.git("checkout --quiet -b feature");
        let first = add(&web, ".", "F1");
        add(&web, ".", "F2");
        web.swift_ok(["done", &first]);
        web.git("checkout --quiet main");
        if meanwhile {
            add(&web, ".", "M");
        }
        web.git("cherry-pick feature~1");
        add(&web, ".", "Later");
        let doctor = web.swift("doctor --json").ended(0).json();
        assert_eq!(codes(&doctor["findings"]), ["records-alone"], "{meanwhile}: {doctor:#}");
        assert!(!web.swift_ok("log -n 50").contains("changed-by-hand"), "{meanwhile}");
        web.git("merge --quiet --no-edit feature");
        assert_eq!(titled(&web, "F1"), [(first, "done".to_owned())]);
        assert_eq!(titled(&web, "F2").len(), 1);
        sound(&web, "merged");
        clean(&web);
    }
}

#[test]
fn a_segment_of_the_log_that_a_cherry_pick_has_left_open_is_kept() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    web.git("branch rel");
    let first = add(&web, ".", "T1");
    add(&web, ".", "T5");
    web.git("switch --quiet rel");
    assert_ne!(web.program("git", "cherry-pick main").run().status, 0, "the segment is not on this branch");
    let said = web.swift("list").ended(0).stderr.clone();
    assert!(said.contains("a segment of the audit log") && !said.contains("a task was changed"), "{said}");
    let plan = web.swift_ok("resolve --dry-run");
    assert!(plan.contains("keep .swift/audit/") && !plan.contains("is no task"), "{plan}");
    let settled = web.json("resolve sesame");
    assert_eq!(
        (&settled["problems"], &settled["conclusion"]),
        (&json!([]), &json!("git cherry-pick --continue"))
    );
    web.git("-c core.editor=true cherry-pick --continue");
    assert_eq!((titled(&web, "T5").len(), titled(&web, "T1").len()), (1, 0));
    add(&web, ".", "OnRel");
    web.git("merge --quiet --no-edit main");
    assert_eq!(titled(&web, "T1"), [(first, "ready".to_owned())]);
    sound(&web, "merged");
}

/// What is done in the middle of git's work or next to its lock waits, and what waits says nothing about other tasks.
#[test]
fn what_waits_makes_no_removal_of_records_that_came_along() {
    let picked = ["add .swift", "-c core.editor=true cherry-pick --continue"];
    for end in [&picked[..], &["cherry-pick --abort"], &[]] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok("init --in-tree --id acme/web");
        let from = if end.is_empty() { 1 } else { 0 };
        let titles = ["T1", "T2", "T3"].map(|title| {
            if title == "T2" && from == 1 || title == "T1" && from == 0 {
                web.git("branch rel");
            }
            (add(&web, ".", title), title)
        });
        web.git("switch --quiet rel");
        let pick = web.program("git", ["cherry-pick", "main"]).run();
        assert_eq!(pick.status == 0, end.is_empty(), "{}", pick.stderr);
        if end.is_empty() {
            web.write(".git/index.lock", "");
            let during = web.call("task . During").env("SWIFT_LOCK_WAIT_MS", "50").run();
            assert!(during.stderr.contains("index.lock"), "{}", during.stderr);
            std::fs::remove_file(web.path(".git/index.lock")).unwrap();
        } else {
            web.swift_ok("task . During");
        }
        end.iter().for_each(|words| drop(web.git(*words)));
        add(&web, ".", "OnRel");
        let log = web.swift_ok("log -n 50");
        assert!(!log.contains("changed-by-hand"), "{end:?}: {log}");
        let doctor = web.swift("doctor --json").ended(0).json();
        assert!(codes(&doctor["findings"]).iter().all(|code| code == "records-alone"), "{end:?}: {doctor:#}");
        web.git("merge --quiet --no-edit main");
        for (id, title) in &titles {
            assert_eq!(titled(&web, title), [(id.clone(), "ready".to_owned())], "{end:?}");
        }
        sound(&web, &format!("{end:?}"));
    }
}

#[test]
fn a_merge_in_which_nothing_could_be_settled_is_not_said_to_go_on() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init --in-tree", &["A"]);
    let id = id_of(&web, "A");
    for (place, letter) in [(&web, "w"), (&twin, "t")] {
        place.swift_ok(["edit", &id, "--body", &letter.repeat(90_000)]);
        let settings = place.read(".swift/swift.toml").replace("max_bytes = 1048576", "max_bytes = 100000");
        place.write(".swift/swift.toml", settings);
        commit(place, ".");
    }
    assert!(!pull(&web, ".", "main"));
    let said = web.swift("resolve sesame");
    said.ended(8);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.contains("max_bytes") && !all.contains("goes on with"), "{all}");
    assert!(all.contains("next: git -C .swift status"), "{all}");
    web.git("merge --abort");
    sound(&web, "given up");
}
