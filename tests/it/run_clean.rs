//! Worktrees of runs go when a person says so and nothing is lost by it.

use serde_json::Value;

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::{self, text};

fn worktrees(scene: &Scene<'_>) -> usize {
    scene.place.git("worktree list").lines().filter(|line| line.contains("swift/worktrees")).count()
}

#[test]
fn only_what_is_merged_pushed_or_nothing_at_all_is_removed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    assert!(scene.call("runs").run().ok().contains("0 runs, $0.0000\n"));
    let make = |title: &str, script: &str| {
        scene.script(script);
        let task = scene.task(title);
        let (_, run) = scene.run([task.as_str()]);
        (task, text(&run["run"]["branch"]), text(&run["folder"]))
    };
    let (_, nothing, _) = make("Nothing", "init; result ok");
    let (_, merged, _) = make("Merged by hand", "init; change merged; result ok");
    let (_, pushed, _) = make("Pushed", "init; change pushed; result ok");
    let (_, open, _) = make("Open", "init; change open; result ok");
    let (_, _, dirty) = make("Dirty", "init; result ok");
    scene.place.git(["merge", "--quiet", "--no-edit", &merged]);
    scene.place.git("init --quiet --bare ../remote");
    scene.place.git("remote add origin ../remote");
    scene.place.git(["push", "--quiet", "origin", &pushed]);
    let home = sandbox.home();
    std::fs::write(home.path(&format!("{dirty}/more.txt")), "by hand\n").unwrap();

    let asked = scene.call("runs clean").run();
    assert_eq!((asked.status, worktrees(&scene)), (7, 5), "{asked:?}");
    for part in
        ["nothing was changed", "its work is merged", "its work is pushed", "neither merged nor pushed"]
    {
        assert!(asked.stdout.contains(part), "{part}: {}", asked.stdout);
    }
    let cleaned = scene.call("runs clean sesame --json").run().json();
    let branches = |key: &str| -> Vec<Value> {
        cleaned[key].as_array().unwrap().iter().map(|row| row["branch"].clone()).collect()
    };
    assert_eq!(branches("removed").len(), 3, "{cleaned:#}");
    assert!(branches("kept").contains(&open.clone().into()) && branches("kept").len() == 2, "{cleaned:#}");
    assert_eq!(worktrees(&scene), 2);
    let left = scene.place.git("branch --list --format=%(refname:short)");
    assert!(!left.contains(&nothing) && !left.contains(&merged), "{left}");
    assert!(left.contains(&pushed) && left.contains(&open), "{left}");
    assert_eq!(home.read(&format!("{dirty}/more.txt")), "by hand\n");
    assert!(scene.call("runs clean").run().ok().contains("keep "));
    world::sound(&scene.place, "after cleaning up");
}

#[test]
fn a_run_at_work_keeps_its_worktree_and_one_can_be_named() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; result ok");
    let (first, second) = (scene.task("First"), scene.task("Second"));
    scene.run([first.as_str()]);
    scene.run([second.as_str()]);
    scene.call(["runs", "clean", &first, "sesame"]).run().ok();
    assert_eq!(worktrees(&scene), 1);
    let again = scene.call(["runs", "clean", &first]).run();
    assert_eq!(again.status, 3, "{again:?}");
    assert!(again.stderr.contains("no worktree on this machine"), "{again:?}");
    scene.script("init; hang");
    let running = crate::run_process::Background::start(&scene, &["run", &second]);
    crate::claude::until("it runs", || scene.starts() == 3);
    let refused = scene.call(["runs", "clean", &second, "sesame"]).run();
    assert!(refused.stdout.contains("a run is at work in it"), "{refused:?}");
    assert_eq!(worktrees(&scene), 1);
    scene.call(["run", "stop", &second]).run().ok();
    running.status();
    scene.script(GOOD);
    scene.run([first.as_str()]);
    assert_eq!(worktrees(&scene), 2, "a worktree that was removed is made again");
}

#[test]
fn a_worktree_that_no_run_has_begun_in_goes_when_it_has_nothing_of_its_own() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let make = |title: &str| {
        scene.script("init; result ok");
        let (_, run) = scene.run([scene.task(title).as_str()]);
        sandbox.home().path(&text(&run["folder"]))
    };
    let (empty, dirty) = (make("Empty"), make("Dirty"));
    std::fs::write(dirty.join("more.txt"), "by hand\n").unwrap();
    // As where `swift` was killed after it had made the worktrees, and before the records.
    scene.place.git("-C .swift rm -r --quiet runs");
    scene.place.git("-C .swift commit --quiet --message records");
    let plan = scene.call("runs clean").run();
    assert_eq!(plan.status, 7, "{plan:?}");
    assert!(plan.stdout.contains("no run has begun in it, and it has nothing of its own"), "{plan:?}");
    assert!(plan.stdout.contains("it has work that is not committed"), "{plan:?}");
    let cleaned = scene.call("runs clean sesame --json").run().json();
    assert_eq!(cleaned["removed"].as_array().unwrap().len(), 1, "{cleaned:#}");
    assert!(cleaned["removed"][0]["run"].is_null(), "{cleaned:#}");
    assert!(!empty.exists() && dirty.join("more.txt").is_file());
    assert_eq!(scene.place.git("branch --list swift-run/*").lines().count(), 1);
}

#[test]
fn work_that_git_was_told_not_to_look_at_is_never_removed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    for mark in ["--skip-worktree", "--assume-unchanged"] {
        scene.script("init; change $start; result ok");
        let task = scene.task("Make the thing");
        let (_, run) = scene.run([task.as_str()]);
        let folder = sandbox.home().path(&text(&run["folder"]));
        scene.place.git(["merge", "--quiet", "--no-edit", &text(&run["run"]["branch"])]);
        let file = format!("{}.txt", scene.starts());
        scene.place.git(["-C", folder.to_str().unwrap(), "update-index", mark, &file]);
        assert!(scene.call(["runs", "clean", &task]).run().stdout.contains("its work is merged"));
        std::fs::write(folder.join(&file), "precious\n").unwrap();
        let plan = scene.call(["runs", "clean", &task]).run();
        assert!(plan.stdout.contains("it has work that is not committed"), "{plan:?}");
        scene.call(["runs", "clean", &task, "sesame"]).run();
        scene.call(["merge", &task, "sesame"]).run();
        assert_eq!(std::fs::read_to_string(folder.join(&file)).unwrap(), "precious\n", "{mark}");
        let marks = scene.place.git(["-C", folder.to_str().unwrap(), "ls-files", "-v", &file]);
        assert!(!marks.starts_with('H'), "the mark stays: {marks}");
    }
}
