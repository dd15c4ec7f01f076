//! Workers over the queue, and what a person does with what they finished.

use serde_json::Value;

use crate::claude::{GOOD, Scene, until};
use crate::run_process::Background;
use crate::sandbox::Sandbox;
use crate::world::{self, World, receipt, text};

/// `swift work`, and its document.
#[track_caller]
fn work(scene: &Scene<'_>, args: &[&str]) -> (i32, Value) {
    let mut words = vec!["work".to_owned(), "--json".to_owned()];
    words.extend(args.iter().map(|arg| (*arg).to_owned()));
    let output = scene.call(words).run();
    let document = serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{}", output.stderr));
    (output.status, document)
}

#[test]
fn a_shift_of_two_spends_its_budget() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    for n in 0..6 {
        scene.task(&format!("Make part {n}"));
    }
    let (status, document) = work(&scene, &["--jobs", "2", "--budget-usd", "1.25"]);
    assert_eq!(
        (status, scene.starts(), document["stopped"].as_str()),
        (0, 5, Some("budget")),
        "{document:#}"
    );
}

#[test]
fn workers_take_what_is_ready_and_nothing_twice() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let tasks: Vec<String> = (0..6).map(|number| scene.task(&format!("Make part {number}"))).collect();
    let (status, document) = work(&scene, &["--jobs", "3"]);
    assert_eq!((status, &document["completed"]), (0, &6.into()), "{document:#}");
    assert_eq!((document["stopped"].as_str(), scene.starts()), (Some("nothing-ready"), 6));
    assert!(tasks.iter().all(|task| scene.state(task) == "done"));
    assert_eq!(document["cost_usd"], 1.5);
    world::sound(&scene.place, "after a shift");
}

#[test]
fn money_and_starts_are_counted_before_each_start() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    for number in 0..5 {
        scene.task(&format!("Make part {number}"));
    }
    let (status, document) = work(&scene, &["--max-runs", "2"]);
    assert_eq!((status, scene.starts(), document["stopped"].as_str()), (0, 2, Some("budget")));
    let (_, document) = work(&scene, &["--budget-usd", "0.3"]);
    assert_eq!((scene.starts(), document["stopped"].as_str()), (4, Some("budget")), "{document:#}");
    assert!(scene.seen(3, "arguments").contains("--max-budget-usd\n0.3000"));
    assert!(scene.seen(4, "arguments").contains("--max-budget-usd\n0.0500"));
    let (status, document) = work(&scene, &["--until", "2026-03-02T09:00:00Z"]);
    assert_eq!((status, scene.starts(), document["stopped"].as_str()), (0, 4, Some("time")));
}

#[test]
fn a_task_that_kills_its_runs_is_put_aside_and_the_lane_goes_on() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("attempts = 9\n[run]\nretries = 0\n".replace("attempts = 9\n", "").as_str());
    scene.script("init; case $(cat \"$seen/prompt\") in *Deadly*) kill -9 $$;; esac; change; result ok");
    let deadly = scene.task("Deadly");
    scene.place.swift_ok(["edit", &deadly, "--priority", "critical"]);
    let good = scene.task("Good");
    let (status, document) = work(&scene, &[]);
    assert_eq!(status, 8, "{document:#}");
    assert_eq!((scene.state(&deadly), scene.state(&good)), ("blocked".to_owned(), "done".to_owned()));
    assert_eq!(scene.starts(), 4);
    let why = scene.place.json(["show", &deadly])["task"]["blocked"].to_string();
    assert!(why.contains("quarantined"), "{why}");
    let (_, again) = work(&scene, &[]);
    assert_eq!((scene.starts(), again["runs"].as_array().unwrap().len()), (4, 0));
    scene.script(GOOD);
    scene.place.swift_ok(["unblock", &deadly]);
    let (status, document) = work(&scene, &[]);
    assert_eq!((status, scene.state(&deadly)), (0, "done".to_owned()), "a person has looked: {document:#}");
}

#[test]
fn a_task_that_its_runs_have_put_aside_is_open_again_when_its_work_is_sent_back() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nretries = 0\nescalations = 0\n");
    scene.script("init; exit 3");
    let task = scene.task("Deadly");
    work(&scene, &[]);
    assert_eq!(scene.state(&task), "blocked");
    scene.call(["reject", &task, "--why", "mind the edge"]).run().ok();
    assert_eq!(scene.state(&task), "ready");
    scene.script(GOOD);
    assert_eq!((scene.run([task.as_str()]).0, scene.state(&task)), (0, "done".to_owned()));
    assert!(scene.seen(4, "prompt").contains("mind the edge"));
}

#[test]
fn a_refused_login_stops_the_whole_queue_with_one_message() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("fail 401 authentication_failed 'Invalid API key'");
    let tasks: Vec<String> = (0..3).map(|number| scene.task(&format!("Make part {number}"))).collect();
    let (status, document) = work(&scene, &[]);
    assert_eq!(
        (status, scene.starts(), document["stopped"].as_str()),
        (5, 1, Some("account")),
        "{document:#}"
    );
    assert!(document["why"].as_str().unwrap().contains("Invalid API key"));
    assert!(tasks.iter().all(|task| scene.state(task) == "ready"), "no attempt is counted");
    // A person starts it again: one run tries, and lifts the hold.
    scene.script(GOOD);
    let (status, document) = work(&scene, &[]);
    assert_eq!((status, &document["completed"]), (0, &3.into()), "{document:#}");
}

#[test]
fn ctrl_c_once_lets_the_current_run_end() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(
        "init; touch \"$HOME/ready\"; while ! [ -e \"$HOME/go\" ]; do sleep 0.05; done; change; result ok",
    );
    let (first, second) = (scene.task("First"), scene.task("Second"));
    let running = Background::start(&scene, &["work"]);
    until("it works", || sandbox.home().path("ready").exists());
    running.signal(rustix::process::Signal::INT);
    sandbox.home().write("go", "");
    assert_eq!(running.status(), 130);
    assert_eq!((scene.state(&first), scene.state(&second)), ("done".to_owned(), "ready".to_owned()));
}

#[test]
fn ctrl_c_twice_stops_the_current_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; touch \"$HOME/ready\"; hang");
    let task = scene.task("First");
    let mut running = scene.call("work").start();
    until("it works", || sandbox.home().path("ready").exists());
    // Two signals that come at once are one; the first is answered.
    running.signal(rustix::process::Signal::INT);
    running.says("what runs is finished first, nothing new is begun; ctrl-c again stops it");
    assert_eq!(running.end(rustix::process::Signal::INT).0, 130);
    assert_eq!(running.said().matches("ctrl-c again").count(), 1, "{}", running.said());
    assert_eq!(
        (scene.state(&task), scene.runs()[0]["outcome"].as_str()),
        ("ready".to_owned(), Some("cancelled"))
    );
}

#[test]
fn a_lease_is_renewed_while_a_run_works_and_its_loss_is_taken_well() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let settings = scene.place.read(".swift/swift.toml");
    scene.place.write(".swift/swift.toml", settings.replace("lease = \"30m\"", "lease = \"3s\""));
    scene.script("init; touch \"$HOME/ready\"; hang");
    let task = scene.task("Make it");
    let running = Background::start(&scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    until("the lease is renewed", || scene.place.swift_ok(["log", &task]).contains("task.renewed"));
    // The clock of this sandbox stands still for what runs; for the thief hours have passed.
    sandbox.later(jiff::SignedDuration::from_hours(3));
    scene.call(["claim", &task, "--actor", "thief"]).run().ok();
    assert_eq!(running.status(), 130);
    let run = &scene.runs()[0];
    assert_eq!(
        (run["outcome"].as_str(), run["reasons"][0].as_str()),
        (
            Some("interrupted"),
            Some("the task is not this run's any more: it was taken over, given back or ended")
        )
    );
    assert_eq!(scene.place.json(["show", &task])["task"]["holder"], "thief");
}

#[test]
fn finished_work_is_reviewed_merged_and_cleaned_up() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verify]]\ncommand = [\"test\", \"-f\", \"work.txt\"]\n");
    scene.script(GOOD);
    let task = scene.task("Make it");
    let (_, document) = scene.run([task.as_str()]);
    let (run, branch) = (text(&document["run"]["id"]), text(&document["run"]["branch"]));
    let list = scene.call("review").run().ok();
    assert!(list.contains("1 file changed") && list.contains("passed: test -f work.txt"), "{list}");
    assert!(scene.call(["review", &task]).run().ok().contains("+work of start 1"));
    scene.place.write("mine.txt", "not committed\n");
    let asked = scene.call(["merge", &task]).run();
    assert_eq!(asked.status, 7, "nothing is merged without a yes: {}", asked.stderr);
    assert!(!scene.place.path("work.txt").exists());
    scene.call(["merge", &run, "sesame"]).run().ok();
    assert_eq!(scene.place.read("work.txt"), "work of start 1\n");
    assert_eq!(scene.place.git("log -1 --format=%s"), "Merge the work on: Make it\n");
    assert_eq!(scene.place.git("status --porcelain"), "?? mine.txt\n");
    assert_eq!(scene.place.git(["branch", "--list", &branch]), "");
    assert!(!scene.place.git("worktree list").contains("swift/worktrees"));
    assert!(scene.call("review").run().ok().contains("no finished work waits"));
    assert_eq!(scene.runs()[0]["review"]["decision"], "merged");
    assert_eq!(scene.call(["reject", &run, "--why", "x"]).run().status, 5);
    std::fs::remove_file(scene.place.path("mine.txt")).unwrap();
    world::sound(&scene.place, "after a merge");
}

#[test]
fn a_merge_that_conflicts_touches_nothing() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; echo theirs >README.md; result ok");
    let task = scene.task("Make it");
    scene.run([task.as_str()]);
    scene.place.write("README.md", "mine\n");
    scene.place.git("add README.md");
    scene.place.git("commit --quiet --message mine");
    let before = (
        scene.place.git("rev-parse HEAD"),
        scene.place.git("status --porcelain"),
        scene.place.git("-C .swift rev-parse HEAD"),
    );
    let refused = scene.call(["merge", &task, "sesame", "--json"]).run();
    assert_eq!(
        (refused.status, text(&refused.json_error()["error"]["code"])),
        (4, "merge-conflict".to_owned())
    );
    assert!(refused.stderr.contains("README.md"));
    let after = (
        scene.place.git("rev-parse HEAD"),
        scene.place.git("status --porcelain"),
        scene.place.git("-C .swift rev-parse HEAD"),
    );
    assert_eq!(before, after);
    assert!(scene.call("review").run().ok().contains("conflicts in README.md"));
}

#[test]
fn work_in_progress_of_the_person_is_never_overwritten() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; echo theirs >README.md; result ok");
    let task = scene.task("Make it");
    scene.run([task.as_str()]);
    scene.place.write("README.md", "mine, not committed\n");
    let refused = scene.call(["merge", &task, "sesame"]).run();
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert_eq!(scene.place.read("README.md"), "mine, not committed\n");
    assert_eq!(scene.place.git("log --format=%s"), "Begin\n");
}

#[test]
fn a_worktree_with_work_in_it_is_never_removed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make it");
    let (_, document) = scene.run([task.as_str()]);
    let folder = std::path::PathBuf::from(
        text(&document["folder"])
            .replace("$HOME", sandbox.home().path("").to_str().unwrap().trim_end_matches('/')),
    );
    std::fs::write(folder.join("more.txt"), "by hand\n").unwrap();
    let refused = scene.call(["merge", &task, "sesame"]).run();
    assert_eq!(refused.status, 5, "{}", refused.stderr);
    assert!(folder.join("more.txt").exists() && folder.join("work.txt").exists());
}

#[test]
fn rejected_work_goes_back_with_its_reason() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change part$start; result ok");
    let task = scene.task("Make it");
    scene.run([task.as_str()]);
    assert_eq!(scene.state(&task), "done");
    scene.call(["reject", &task, "--why", "the tests are missing"]).run().ok();
    assert_eq!(scene.state(&task), "ready");
    assert!(scene.call("review").run().ok().contains("no finished work waits"));
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, document["run"]["attempt"].as_u64()), (0, Some(2)));
    assert!(scene.seen(2, "prompt").contains("sent it back: the tests are missing"));
    scene.call(["merge", &task, "sesame"]).run().ok();
    assert!(scene.place.path("part1.txt").exists() && scene.place.path("part2.txt").exists());
    world::sound(&scene.place, "after a rejection");
}

#[test]
fn a_receipt_carries_the_result_to_the_sender() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    sandbox.home().write("fake.sh", GOOD);
    let id = world.letter("Make it");
    world.round();
    world.api.swift_ok("inbox sesame");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    let output = world.hub.call("work --json --project acme/api").env("SWIFT_CLAUDE", fake).run();
    output.ok();
    assert_eq!(output.json()["runs"][0]["project"], "acme/api");
    world.round();
    let (stage, note) = receipt(&world.web, &id);
    assert_eq!(stage, "done");
    for part in ["did it", "branch swift-run/", "commits ", "cost $0.2500"] {
        assert!(note.contains(part), "{part}: {note}");
    }
    for place in [&world.hub, &world.web, &world.api] {
        world::sound(place, "after work for another project");
    }
}

#[test]
fn a_queue_on_the_current_branch_is_worked_on_as_well() {
    let sandbox = Sandbox::new();
    let place = sandbox.repository("tree");
    place.swift_ok("init --in-tree --id acme/tree");
    sandbox.home().write("fake.sh", GOOD);
    let task = world::add(&place, ".", "Make it");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    place.call(["run", &task]).env("SWIFT_CLAUDE", fake).run().ok();
    place.call(["merge", &task, "sesame"]).env("SWIFT_CLAUDE", fake).run().ok();
    assert_eq!(place.read("work.txt"), "work of start 1\n");
    world::sound(&place, "after work in the tree");
}
