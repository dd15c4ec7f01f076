//! A run has its branch, its session and its queue for itself, whatever somebody else does meanwhile.

use crate::claude::{GOOD, Scene, until};
use crate::run_process::Background;
use crate::sandbox::Sandbox;
use crate::world::text;

/// Works until it is told to go on, and then leaves something.
const WAITS: &str =
    "init; touch \"$HOME/ready\"; while ! [ -e \"$HOME/go\" ]; do sleep 0.05; done; change later; result ok";

/// A task, and a run that works on it until it is told to go on.
fn at_work<'a>(sandbox: &Sandbox, scene: &Scene<'a>) -> (String, Background) {
    scene.script(WAITS);
    let task = scene.task("Make it");
    let running = Background::start(scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    (task, running)
}

#[test]
fn a_session_and_its_branch_are_one_runs_at_a_time() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let (_, first) = scene.run(["make the thing work"]);
    let (short, folder) = (text(&first["run"]["short"]), scene.seen(1, "folder").trim().to_owned());
    scene.script(WAITS);
    let running = Background::start(&scene, &["run", "resume", &short, "go on"]);
    until("it works", || sandbox.home().path("ready").exists());
    for words in [vec!["run", "resume", &short, "and this"], vec!["merge", &short, "sesame"]] {
        let refused = scene.call(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).run();
        assert_eq!(refused.status, 5, "{words:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("is at work on the same branch"), "{}", refused.stderr);
    }
    assert_eq!(scene.starts(), 2);
    assert!(std::path::Path::new(&folder).is_dir(), "the worktree is there");
    sandbox.home().write("go", "");
    assert_eq!(running.status(), 0);
    assert_eq!(scene.runs().len(), 2, "what was refused has no record");
    let merged = scene.call(["merge", &short, "sesame"]).run();
    assert_eq!(merged.status, 0, "{}", merged.stderr);
    assert!(scene.place.path("later.txt").exists());
}

#[test]
fn deleting_what_belongs_to_the_machine_ends_no_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let (task, running) = at_work(&sandbox, &scene);
    std::fs::remove_dir_all(scene.place.path(".swift/local")).unwrap();
    let seen = scene.runs();
    assert!(seen[0]["outcome"].is_null(), "it still runs: {seen:?}");
    let refused = scene.call("home tree sesame").run();
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    sandbox.home().write("go", "");
    assert_eq!(running.status(), 0);
    assert_eq!(
        (scene.state(&task), scene.runs()[0]["outcome"].as_str()),
        ("done".to_owned(), Some("completed"))
    );
}

#[test]
fn the_queue_is_not_moved_under_a_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let (task, running) = at_work(&sandbox, &scene);
    let refused = scene.call("home tree sesame").run();
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("is going on in this project"), "{}", refused.stderr);
    sandbox.home().write("go", "");
    assert_eq!(running.status(), 0);
    scene.call("home tree sesame").run().ok();
    assert_eq!(scene.state(&task), "done");
}
