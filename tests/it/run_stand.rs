//! Who stands in a linked worktree means that one.

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::text;

#[test]
fn runs_begin_and_merges_end_where_the_person_stands() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.place.git("worktree add --quiet -b feature ../wt");
    let linked = sandbox.place("wt");
    linked.write("f", "f\n");
    linked.git("add f");
    linked.git("commit --quiet --message feature");
    let main = scene.place.git("rev-parse HEAD");
    let task = scene.task("From the feature");
    let inside = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        scene.call(words).inside(&linked.path("")).run()
    };
    let ran = inside(&["run", &task, "--json"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let document: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(text(&document["run"]["base"]), linked.git("rev-parse HEAD").trim());
    inside(&["merge", &task, "sesame"]).ok();
    assert!(linked.path("work.txt").exists() && !scene.place.path("work.txt").exists());
    assert_eq!(scene.place.git("rev-parse HEAD"), main, "the other branch stays where it is");
    // A worker, too.
    let task = scene.task("From the feature again");
    inside(&["work", "--json"]).ok();
    let run = scene.runs().into_iter().find(|run| run["task"] == task.as_str()).unwrap();
    assert_eq!(text(&run["base"]), linked.git("rev-parse HEAD").trim());
}

#[test]
fn claude_code_is_set_up_where_the_person_stands_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.git("worktree add --quiet -b feature ../wt");
    let linked = sandbox.place("wt");
    let inside = |words: &str| scene.call(words).inside(&linked.path("")).run().ok();
    scene.call("integrate claude sesame").run().ok();
    inside("integrate claude sesame");
    assert!(linked.read(".claude/settings.json").contains("swift"));
    // Without the memory of what was there before, as in a clone.
    std::fs::remove_dir_all(scene.place.path(".swift/local")).unwrap();
    inside("integrate claude --remove sesame");
    assert!(!linked.path(".claude").exists(), "there was nothing before");
    assert!(scene.place.path(".claude/settings.json").exists(), "the other checkout is as it was");
    scene.place.write(".claude/settings.json", "{\"disableAllHooks\": true}\n");
    let told = scene.call("integrate claude").run();
    assert!(
        told.stderr.contains("disableAllHooks") || told.stdout.contains("disableAllHooks"),
        "{}",
        told.stdout
    );
}

#[test]
fn a_folder_that_git_has_no_worktrees_for_is_told_before_anything_starts() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let odd = sandbox.root().path("two\nlines");
    std::fs::create_dir(&odd).unwrap();
    scene.place.program("git", ["clone", "--quiet", ".", odd.to_str().unwrap()]).run();
    let inside = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        scene.call(words).inside(&odd).run()
    };
    inside(&["init"]).ok();
    let refused = inside(&["run", "do something for me"]);
    assert_eq!((refused.status, scene.starts()), (9, 0), "{}", refused.stderr);
    assert!(refused.stderr.contains("has a line break in its name"), "{}", refused.stderr);
}
