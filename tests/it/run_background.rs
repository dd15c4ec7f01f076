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
