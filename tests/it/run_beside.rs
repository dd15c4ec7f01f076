//! What a person does beside a run: in its worktree, with its task, with the project's folder, in another clone. Nothing of
//! theirs is lost, and nothing is said of the run that is not so.

use std::path::PathBuf;

use serde_json::Value;

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::text;

/// Where a run worked.
fn folder(sandbox: &Sandbox, document: &Value) -> PathBuf {
    sandbox.home().path(&text(&document["folder"]))
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
