//! What a person does beside a run: in its worktree, with its task, with the project's folder, in another clone. Nothing of
//! theirs is lost, and nothing is said of the run that is not so.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::Value;

use crate::claude::{GOOD, Scene, until};
use crate::run_process::Background;
use crate::sandbox::{Place, Sandbox};
use crate::world::text;

/// Works until the test says that it may end.
const WAITS: &str =
    "init; touch \"$HOME/ready\"; while ! [ -e \"$HOME/go\" ]; do sleep 0.02; done; change; result ok";

/// A run of a task that goes on.
fn going_on(sandbox: &Sandbox, scene: &Scene<'_>, task: &str) -> Background {
    scene.script(WAITS);
    let running = Background::start(scene, &["run", task]);
    until("it works", || sandbox.home().path("ready").exists());
    running
}

fn end(sandbox: &Sandbox, running: &Background) -> i32 {
    sandbox.home().write("go", "");
    running.status()
}

/// Where a run worked.
fn folder(sandbox: &Sandbox, document: &Value) -> PathBuf {
    sandbox.home().path(&text(&document["folder"]))
}

fn inside(scene: &Scene<'_>, place: &Place<'_>, words: &[&str]) -> crate::sandbox::Output {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    scene.call(words).inside(&place.path("")).run()
}

/// A task that a run has finished, what it said, and its worktree.
fn finished(sandbox: &Sandbox, scene: &Scene<'_>) -> (String, Value, PathBuf) {
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let at = folder(sandbox, &document);
    (task, document, at)
}

#[test]
fn what_is_written_while_verifiers_run_is_kept_and_not_merged() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    // As a person would: a commit, something staged and changed again, something new.
    scene.settings(
        "[[verify]]\ncommand = [\"sh\", \"-c\", \"echo fix >fix.txt; git add fix.txt; git commit -qm fix; \
         echo staged >both; git add both; echo later >both; echo PRECIOUS >mine.txt; echo more >>README.md\"]\n",
    );
    let task = scene.task("Make the thing");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{document:#}");
    let run = &document["run"];
    let branch = text(&run["branch"]);
    assert_eq!(scene.place.git(["rev-parse", &branch]).trim(), run["commits"][0], "the judged one is merged");
    let at = folder(&sandbox, &document);
    assert_eq!(scene.place.git(["-C", at.to_str().unwrap(), "status", "--porcelain"]), "");
    let told = text(&run["verify"][0]["ended"]);
    let command = told.split('`').nth(1).unwrap_or_else(|| panic!("{told}"));
    let patch = scene.place.git(command.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>());
    for line in ["+fix", "+staged", "+later", "+PRECIOUS", "+more"] {
        assert!(patch.lines().any(|found| found == line), "{line}: {patch}");
    }
    let merged = scene.call(["merge", &task, "sesame"]).run();
    merged.ok();
    assert!(!scene.place.path("mine.txt").exists() && !scene.place.path("fix.txt").exists());
    let patch = scene.place.git(command.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>());
    assert!(patch.contains("+PRECIOUS"), "it outlives the worktree: {patch}");
    let (_, document) = scene.run([scene.task("Make another thing").as_str()]);
    assert!(!document["run"]["moved"].to_string().contains("refs/"), "{document:#}");
}

#[test]
fn a_copy_of_a_project_leaves_its_worktrees_alone() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    scene.call(["reject", &task, "--why", "more"]).run().ok();
    let at = folder(&sandbox, &document);
    std::fs::write(at.join("mine.txt"), "PRECIOUS\n").unwrap();
    sandbox.root().program("cp", ["-r", "web", "copy"]).run().ok();
    let copy = sandbox.place("copy");
    scene.script("init; change more; result ok");
    inside(&scene, &copy, &["runs", "clean"]).ok();
    let ran = inside(&scene, &copy, &["run", &task, "--json"]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    let other: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_ne!(folder(&sandbox, &other), at);
    assert_eq!(std::fs::read_to_string(at.join("mine.txt")).unwrap(), "PRECIOUS\n");
    assert!(!scene.place.git("worktree list").contains("prunable"), "{}", scene.place.git("worktree list"));
    assert!(!folder(&sandbox, &other).join("mine.txt").exists());
    inside(&scene, &copy, &["merge", &task, "sesame"]).ok();
    assert_eq!(copy.git("worktree list").lines().count(), 2, "{}", copy.git("worktree list"));
    assert!(at.join(".git").is_file());
}

#[test]
fn a_run_is_given_its_end_by_the_clone_that_began_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = scene.task("Make the thing");
    let running = going_on(&sandbox, &scene, &task);
    sandbox.root().git("clone --quiet web twin");
    sandbox.root().program("cp", ["-r", "web", "copy"]).run().ok();
    let (twin, copy) = (sandbox.place("twin"), sandbox.place("copy"));
    twin.swift_ok("init");
    for other in [&twin, &copy] {
        let before = other.git("-C .swift rev-parse HEAD");
        let runs = inside(&scene, other, &["runs"]).ok();
        assert!(runs.contains("running elsewhere") && !runs.contains("interrupted"), "{runs}");
        let shown = inside(&scene, other, &["run", "show", &task, "--json"]).json();
        assert_eq!(shown["run"]["state"], "elsewhere", "{shown:#}");
        inside(&scene, other, &["run", &task]).ended(4);
        inside(&scene, other, &["run", "logs", "-f", &task]).ended(5);
        let refused = inside(&scene, other, &["run", "stop", &task]);
        assert!(refused.stderr.contains("begun in another clone"), "{}", refused.stderr);
        assert_eq!(other.git("-C .swift rev-parse HEAD"), before, "nothing is recorded");
    }
    assert_eq!((end(&sandbox, &running), scene.starts()), (0, 1));
    twin.git("-C .swift pull --quiet --ff-only origin swift");
    assert!(inside(&scene, &twin, &["runs"]).ok().contains("completed"));
    // The copy never hears of it: once the lease is over, the task may be taken.
    sandbox.later(SignedDuration::from_hours(1));
    assert!(inside(&scene, &copy, &["runs"]).ok().contains("running elsewhere"));
    inside(&scene, &copy, &["run", &task]).ok();
    let runs = inside(&scene, &copy, &["runs"]).ok();
    assert!(runs.contains("interrupted") && runs.contains("completed"), "{runs}");
    assert!(runs.contains("~$"), "what it cost is not known: {runs}");
}

#[test]
fn a_task_that_was_given_up_during_a_run_is_not_finished_by_it() {
    for words in [vec!["release"], vec!["fail", "--why", "no"]] {
        let sandbox = Sandbox::new();
        let scene = Scene::new(&sandbox);
        let task = scene.task("Make the thing");
        let running = going_on(&sandbox, &scene, &task);
        let said = [&words[..1], &[task.as_str()], &words[1..]].concat();
        scene.place.swift_ok(said.into_iter().map(str::to_owned).collect::<Vec<_>>());
        scene.place.swift_ok(["block", &task, "--why", "ask Bob first"]);
        end(&sandbox, &running);
        assert_eq!(scene.state(&task), "blocked", "{words:?}");
        let log = scene.place.swift_ok("log");
        assert!(!log.contains("task.done"), "{log}");
        assert_eq!(scene.runs()[0]["cost_usd"].as_f64(), Some(0.25), "what it cost is recorded");
    }
}

#[test]
fn a_plan_of_a_merge_shows_all_that_arrives() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let main = scene.place.git("branch --show-current").trim().to_owned();
    scene.place.git("checkout --quiet -b feature");
    scene.place.write("half", "half done\n");
    scene.place.git("add half");
    scene.place.git(["commit", "--quiet", "--message", "not to be merged yet"]);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let here = scene.call(["merge", &task]).run().stdout;
    assert!(here.contains("work.txt") && !here.contains("half") && !here.contains("careful"), "{here}");
    scene.place.git(["checkout", "--quiet", &main]);
    let plan = scene.call(["merge", &task]).run().stdout;
    assert!(plan.contains("half     | 1 +") && plan.contains("work.txt | 1 +"), "{plan}");
    assert!(plan.contains("careful: it brings a commit from before the run began"), "{plan}");
    assert!(plan.contains("not to be merged yet"), "{plan}");
    // What is in the current branch already does not arrive.
    scene.place.git("merge --quiet --ff-only feature");
    scene.place.write("other", "other\n");
    scene.place.git("add other");
    scene.place.git("commit --quiet --message other");
    let at = folder(&sandbox, &document);
    scene.place.git(["-C", at.to_str().unwrap(), "rebase", "--quiet", &main]);
    let plan = scene.call(["merge", &task]).run().stdout;
    assert!(plan.contains("work.txt") && !plan.contains("half") && !plan.contains("other |"), "{plan}");
}

#[test]
fn work_that_is_not_committed_is_seen_in_a_project_that_was_moved() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let (task, _, at) = finished(&sandbox, &scene);
    std::fs::write(at.join("mine.txt"), "PRECIOUS\n").unwrap();
    std::fs::rename(scene.place.path(""), sandbox.root().path("moved")).unwrap();
    let moved = sandbox.place("moved");
    let rehearse = || inside(&scene, &moved, &["merge", &task, "--dry-run"]);
    assert_eq!(rehearse().status, 9, "the queue has to be found again first, and a dry run writes nothing");
    assert_eq!(inside(&scene, &moved, &["list"]).status, 0);
    let refused = rehearse();
    assert_eq!(refused.status, 5, "{}\n{}", refused.stdout, refused.stderr);
    assert!(at.join("mine.txt").exists(), "nothing is moved yet");
    let refused = inside(&scene, &moved, &["merge", &task, "sesame"]);
    assert!(refused.stderr.contains("has work that is not committed"), "{}", refused.stderr);
    let clean = inside(&scene, &moved, &["runs", "clean"]).stdout;
    assert!(clean.contains("it has work that is not committed"), "{clean}");
    let list = moved.git("worktree list");
    let at = list.lines().find_map(|line| line.split_once(' ').filter(|_| line.contains("swift-run/")));
    let at = sandbox.home().path(at.expect("the worktree is known").0);
    assert_eq!(std::fs::read_to_string(at.join("mine.txt")).unwrap(), "PRECIOUS\n");
    std::fs::remove_file(at.join("mine.txt")).unwrap();
    inside(&scene, &moved, &["merge", &task, "sesame"]).ok();
    assert_eq!(moved.git("worktree list").lines().count(), 2);
    assert!(!moved.git("branch --list").contains("swift-run/"), "{}", moved.git("branch --list"));
}

#[test]
fn a_worktree_that_a_person_has_made_stays_where_it_is() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let (task, document, at) = finished(&sandbox, &scene);
    scene.place.git(["worktree", "remove", at.to_str().unwrap()]);
    scene.place.git(["worktree", "add", "--quiet", "../look", &text(&document["run"]["branch"])]);
    scene.call(["reject", &task, "--why", "more"]).run().ok();
    scene.call("runs clean").run().ok();
    scene.run([task.as_str()]);
    assert!(scene.place.path("../look/work.txt").exists());
}

#[test]
fn nothing_untrue_is_said_of_a_project_that_is_moved_or_loses_its_queue_during_a_run() {
    for is_moved in [true, false] {
        let sandbox = Sandbox::new();
        let scene = Scene::new(&sandbox);
        let task = scene.task("Make the thing");
        let (from, to) = (scene.place.path(""), sandbox.root().path("moved"));
        let accident = match is_moved {
            true => format!("mv '{}' '{}'", from.display().to_string().trim_end_matches('/'), to.display()),
            false => format!("rm -rf '{}/.swift'", from.display()),
        };
        scene.script(&format!("{GOOD}; {accident}"));
        let (_, document) = scene.run([task.as_str()]);
        let notes = document["notes"].to_string();
        assert!(!notes.contains("settings were committed") && !notes.contains("was changed"), "{notes}");
    }
}

#[test]
fn a_branch_in_the_way_of_those_of_runs_is_named() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.place.git("branch swift-run");
    let task = scene.task("Make the thing");
    let refused = scene.call(["run", &task]).run();
    assert_eq!((refused.status, scene.starts()), (5, 0), "{}", refused.stderr);
    let hint = refused.stderr.split('`').find(|part| part.starts_with("git branch")).unwrap().to_owned();
    scene.place.git(hint.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(scene.run([task.as_str()]).0, 0);
}
