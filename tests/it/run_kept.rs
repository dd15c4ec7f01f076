//! What a run has cost and done is recorded, whatever becomes of the queue or of the `swift` that runs it.

use std::fs;

use serde_json::Value;

use crate::claude::{GOOD, Scene, until};
use crate::run_process::Background;
use crate::sandbox::Sandbox;
use crate::world::{self, text};

/// The one record.
#[track_caller]
fn only_run(scene: &Scene<'_>) -> Value {
    let mut runs = scene.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

/// It ended well, with what it cost and its one commit.
#[track_caller]
fn assert_completed(run: &Value) {
    let told = (run["outcome"].as_str(), run["cost_usd"].as_f64());
    assert_eq!(told, (Some("completed"), Some(0.25)), "{run:#}");
    assert_eq!(run["commits"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_whose_task_is_left_in_conflict_is_recorded_as_it_ended() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = scene.task("Make the thing");
    let tasks = scene.place.path(".swift/tasks").display().to_string();
    let file = format!("$(find '{tasks}' -name '*make-the-thing.md')");
    scene.script(&format!("echo '<<<<<<< x' >\"{file}\"; {GOOD}"));
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, document["run"]["outcome"].as_str()), (0, Some("completed")), "{document:#}");
    assert!(document["notes"].to_string().contains("git has left a conflict here"), "{document:#}");
    assert_completed(&only_run(&scene));
}

#[test]
fn a_run_that_loses_its_queue_is_recorded_when_that_is_there_again() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = scene.task("Make the thing");
    let queue = scene.place.path(".swift").display().to_string();
    scene.script(&format!("{GOOD}; rm -rf '{queue}'"));
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, document["run"]["outcome"].as_str()), (0, Some("completed")), "{document:#}");
    assert!(document["notes"].to_string().contains("how it ended is kept"), "{document:#}");
    assert_completed(&only_run(&scene));
    assert_eq!(scene.state(&task), "done");
    assert!(scene.call(["run", "logs", &task]).run().ok().contains("make it"), "the transcript is kept");
    let records = fs::read_dir(scene.place.path(".git/swift")).unwrap().flatten();
    let left: Vec<_> =
        records.filter(|entry| entry.file_name().to_string_lossy().starts_with("run-")).collect();
    assert!(left.is_empty(), "{left:?}");
    world::sound(&scene.place, "after the end was recorded");
}

#[test]
fn a_swift_that_is_killed_after_the_result_leaves_what_was_paid() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verify]]\ncommand = [\"sh\", \"-c\", \"touch $HOME/ready; sleep 777\"]\n");
    let task = scene.task("Make the thing");
    scene.script(GOOD);
    let running = Background::start(&scene, &["run", &task]);
    until("the verifier runs", || sandbox.home().path("ready").exists());
    running.kill();
    until("nobody runs it", || scene.runs()[0]["state"] == "ended");
    let run = only_run(&scene);
    assert_eq!(
        (run["outcome"].as_str(), run["cost_usd"].as_f64()),
        (Some("interrupted"), Some(0.25)),
        "{run:#}"
    );
    assert_eq!((run["turns"].as_u64(), text(&run["summary"])), (Some(2), "did it".to_owned()));
    assert_eq!(run["commits"].as_array().unwrap().len(), 1);
    assert_eq!(scene.state(&task), "ready");
}
