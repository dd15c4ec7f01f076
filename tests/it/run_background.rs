//! Runs in the background: started by `--detach`, or by the hook of a project that hands its requests over.

use serde_json::{Value, json};

use crate::claude::{GOOD, Scene, until};
use crate::sandbox::{Output, Sandbox};
use crate::world::{self, text};

fn hook<'a>(scene: &Scene<'a>, prompt: &str) -> crate::sandbox::Call<'a> {
    let message = json!({"cwd": scene.place.path(""), "prompt": prompt}).to_string();
    scene.call("hook user-prompt-submit --mode orchestration").stdin(message)
}

fn answer(output: &Output) -> Value {
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{output:?}");
    serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
}

/// The id that an answer names.
fn named(said: &str) -> String {
    let rest =
        said.split_once("Run ").or_else(|| said.split_once("run ")).unwrap_or_else(|| panic!("{said}")).1;
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_run_in_the_background_is_known_at_once_and_can_be_followed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; change; result 'did it'");
    let task = scene.task("Make it");
    let short = named(&scene.call(["run", "--detach", &task]).run().ok());
    let shown = scene.call(["run", "show", &short, "--json"]).run().json();
    assert_eq!(
        (text(&shown["run"]["state"]), text(&shown["run"]["task"])),
        ("running".to_owned(), task.clone())
    );
    sandbox.home().write("go", "");
    let log = scene.call(["run", "logs", "-f", &short]).run().ok();
    assert!(log.contains("result (success): did it"), "{log}");
    assert_eq!(scene.state(&task), "done");
    let runs = scene.call("runs --json").run().json();
    assert_eq!((runs["runs"].as_array().unwrap().len(), &runs["pending"]), (1, &json!([])));
    world::sound(&scene.place, "after a run in the background");
}

#[test]
fn it_can_be_stopped_and_a_prompt_of_stdin_reaches_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; hang");
    let said = scene.call("run --detach --read-only -").stdin("Show what is\nhere").run();
    let short = named(&said.ok());
    until("it runs", || scene.starts() == 1);
    scene.call(["run", "stop", &short]).run().ok();
    scene.call(["run", "logs", "-f", &short]).run().ok();
    let shown = scene.call(["run", "show", &short, "--json"]).run().json();
    assert_eq!(
        (text(&shown["run"]["outcome"]), text(&shown["run"]["title"])),
        ("cancelled".to_owned(), "Show what is".to_owned())
    );
    assert!(scene.seen(1, "prompt").contains("Show what is\nhere"));
}

/// What a session is told when this is typed into it.
fn typed(scene: &Scene<'_>, line: &str) -> Value {
    let message = json!({"cwd": scene.place.path(""), "prompt": line}).to_string();
    answer(&scene.call("hook user-prompt-submit").stdin(message).run())
}

#[test]
fn no_line_of_a_session_waits_for_a_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // Each of these hooks answers while its run is still at work, or it would wait for ever.
    scene.script("init; while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; change; result 'did it'");
    assert_eq!(scene.call(["run", "delete the database"]).run().status, 7);
    let lines = [
        "sesame",
        "swift --json run \"Fix the typo\" sesame",
        "swift run Fix the stop button and show it sesame",
        "swift -C . run Fix the logs sesame",
    ];
    for (number, line) in (1..).zip(lines) {
        let said = typed(&scene, line);
        assert_eq!(said["decision"], "block", "{line}: {said}");
        assert!(said["reason"].as_str().unwrap().contains("run logs -f"), "{line}: {said}");
        until("it runs", || scene.starts() == number);
    }
    let prompt = scene.seen(1, "prompt");
    assert!(prompt.contains("delete the database"), "{prompt}");
    assert_eq!(typed(&scene, "sesame"), Value::Null, "the yes is used up");
    sandbox.home().write("go", "");
    until("all have ended", || scene.runs().iter().all(|run| run["outcome"] == "completed"));
}

#[test]
fn what_has_no_end_in_a_session_is_not_begun_there_and_goes_on_waiting() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let run = text(&scene.run("Fix typo in README").1["run"]["short"]);
    for line in ["swift work sesame", "swift --json work sesame", "swift -C . events -fn 3 sesame"] {
        let said = typed(&scene, line);
        let context = said["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default();
        assert!(context.contains("in a terminal of your own"), "{line}: {said}");
    }
    let resume = ["run", "resume", &run, "now delete the database"];
    assert_eq!(scene.call(resume).run().status, 7);
    let said = typed(&scene, "sesame");
    let reason = said["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("in a terminal of your own: `swift run resume"), "{said}");
    assert_eq!(scene.starts(), 1);
    assert_eq!(scene.call("sesame").run().status, 0, "it still waits");
    assert_eq!(scene.starts(), 2);
}

#[test]
fn a_yes_to_the_same_run_in_the_background_leaves_no_proposal_behind() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    assert_eq!(scene.call(["run", "delete the database"]).run().status, 7);
    scene.call(["run", "--detach", "delete the database", "sesame"]).run().ok();
    assert_eq!(scene.call("sesame").run().status, 3);
    until("it has ended", || scene.runs().iter().any(|run| run["outcome"] == "completed"));
    assert_eq!(scene.starts(), 1);
}

#[test]
fn where_requests_are_handed_over_the_prompt_ends_at_the_hook_and_a_run_makes_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let said = answer(&hook(&scene, "Rename foo to bar").run());
    assert_eq!(said["decision"], "block", "{said}");
    let told = text(&said["reason"]);
    let short = named(&told);
    for part in ["swift run logs -f", "swift review", "haiku"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    scene.call(["run", "logs", "-f", &short]).run().ok();
    let shown = scene.call(["run", "show", &short, "--json"]).run().json();
    assert_eq!(
        (text(&shown["run"]["outcome"]), text(&shown["run"]["title"])),
        ("completed".to_owned(), "Rename foo to bar".to_owned())
    );
    assert!(scene.seen(1, "prompt").contains("Rename foo to bar"));
}

#[test]
fn what_cannot_be_handed_over_goes_to_the_session() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let context = |output: &Output| text(&answer(output)["hookSpecificOutput"]["additionalContext"]);
    let dangerous = hook(&scene, "please drop the users table").run();
    assert!(context(&dangerous).contains("Ask the person"), "{dangerous:?}");
    let missing = hook(&scene, "Rename foo to bar").env("SWIFT_CLAUDE", "/nowhere/claude").run();
    assert!(context(&missing).contains("not possible now"), "{missing:?}");
    let below = hook(&scene, "Rename foo to bar").env("SWIFT_DEPTH", "1").run();
    assert_eq!((below.status, below.stdout.as_str()), (0, ""));
    assert_eq!((scene.starts(), scene.runs().len()), (0, 0));
}

/// What is known at once is not said to be done.
#[test]
fn what_cannot_begin_goes_to_the_session() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let context = |prompt: &str| {
        let said = answer(&hook(&scene, prompt).run());
        text(&said["hookSpecificOutput"]["additionalContext"])
    };
    let usual = scene.place.read(".swift/swift.toml");
    for (settings, part) in [
        ("[run]\ntimeot = \"3m\"\n", "unknown field `timeot`"),
        ("[[verify]]\ncommand = [\"no-such-program\"]\n", "`no-such-program`"),
    ] {
        scene.place.write(".swift/swift.toml", &usual);
        scene.settings(settings);
        let told = context("Rename foo to bar");
        assert!(told.contains("not possible now") && told.contains(part), "{settings}: {told}");
    }
    scene.place.write(".swift/swift.toml", &usual);
    scene.settings("");
    scene.place.git("update-ref -d HEAD");
    let told = context("Rename foo to bar");
    assert!(told.contains("the repository has no commit yet"), "{told}");
    let runs = scene.call("runs --json").run().json();
    assert_eq!((&runs["pending"], scene.starts()), (&json!([]), 0));
}

#[test]
fn what_the_built_in_rules_ask_about_is_asked_where_those_of_the_project_cannot_be_read() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.settings("[[route.rule]]\nname = \"x\"\nwords = [\"invoice\"]\ntier = \"opsu\"\n");
    for mode in ["orchestration", "directive"] {
        let prompt = "rm -rf ~/backups and drop the production database";
        let message = json!({"cwd": scene.place.path(""), "prompt": prompt}).to_string();
        let words = ["hook", "user-prompt-submit", "--mode", mode];
        let said = answer(&scene.call(words).stdin(message).run());
        let told = text(&said["hookSpecificOutput"]["additionalContext"]);
        assert!(told.contains("Ask the person") && told.contains("`opsu` is not a tier"), "{mode}: {said}");
    }
    let runs = scene.call("runs --json").run().json();
    assert_eq!((&runs["pending"], scene.starts()), (&json!([]), 0));
}

#[test]
fn a_run_that_cannot_begin_says_why_and_keeps_the_request() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let nobody = |call: crate::sandbox::Call<'_>| {
        call.env("GIT_CONFIG_GLOBAL", "/dev/null").env("SWIFT_ACTOR", "ada").run()
    };
    let said = answer(&nobody(hook(&scene, "Rename foo to bar")));
    assert_eq!(said["decision"], "block", "{said}");
    let short = named(&text(&said["reason"]));
    let failed = scene.call(["run", "logs", "-f", &short]).run();
    assert_eq!(failed.status, 3, "{failed:?}");
    assert!(failed.stderr.contains("was not begun: git does not know who"), "{failed:?}");
    let kept = failed.stderr.split("cat ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    assert_eq!(scene.place.read(&kept), "Rename foo to bar");
    let runs = scene.call("runs --json").run().json();
    assert_eq!(runs["pending"][0]["state"], "not-begun", "{runs:#}");
    assert!(scene.call("runs").run().ok().contains("was not begun"));
    assert_eq!(scene.starts(), 0);
}
