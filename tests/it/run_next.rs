//! What is told to come next after a run can be typed: whatever became of the run, and of its worktree since.

use jiff::SignedDuration;
use serde_json::Value;

use crate::claude::{GOOD, Scene, until};
use crate::run_process::Background;
use crate::sandbox::Sandbox;
use crate::world::text;

/// A result line of an unusual kind.
macro_rules! last {
    ($fields:literal, $status:literal) => {
        concat!(
            "init; change; echo '{\"type\":\"result\",\"session_id\":\"'$session'\",\"usage\":{},",
            "\"permission_denials\":[],",
            $fields,
            "}'; exit ",
            $status
        )
    };
}

/// What a run does, the outcome that this has, and whether it is tried with a prompt, too: where it has an end of its own.
const OUTCOMES: &[(&str, &str, bool)] = &[
    (GOOD, "completed", true),
    ("init; result ''", "completed-without-result", true),
    (
        "init; change; is_silent=yes; result ok '\"permission_denials\":[{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make\"}}]'",
        "denied",
        true,
    ),
    (
        "init; result ask '\"structured_output\":{\"status\":\"needs_person\",\"summary\":\"colour?\"}'",
        "blocked",
        false,
    ),
    (
        last!("\"subtype\":\"success\",\"is_error\":false,\"num_turns\":0,\"result\":\"\"", "0"),
        "blocked",
        true,
    ),
    ("exit 127", "failed (start)", true),
    ("echo \"No conversation found with session ID: $session\" >&2; exit 1", "failed (start)", true),
    ("init; fail 401 authentication_failed 'Invalid API key'", "failed (login)", true),
    ("init; fail 400 billing_error 'Credit balance is too low'", "failed (billing)", false),
    ("init; fail 429 rate_limit 'too many'", "failed (rate-limit)", false),
    ("init; fail 529 overloaded x", "failed (overloaded)", false),
    ("init; fail 500 server_error x", "failed (server)", false),
    ("init; fail 404 model_not_found x", "failed (unknown-model)", false),
    ("init; fail 400 invalid_request x", "failed (bad-request)", false),
    (
        last!("\"subtype\":\"success\",\"is_error\":true,\"stop_reason\":\"refusal\"", "1"),
        "failed (refusal)",
        false,
    ),
    (
        last!("\"subtype\":\"error_max_turns\",\"is_error\":true,\"terminal_reason\":\"max_turns\"", "1"),
        "failed (max-turns)",
        false,
    ),
    (
        last!(
            "\"subtype\":\"error_max_budget_usd\",\"is_error\":true,\"terminal_reason\":\"budget_exhausted\"",
            "1"
        ),
        "failed (budget)",
        false,
    ),
    (
        last!("\"subtype\":\"success\",\"is_error\":true,\"terminal_reason\":\"prompt_too_long\"", "1"),
        "failed (prompt-too-long)",
        false,
    ),
    (
        last!("\"subtype\":\"error_max_structured_output_retries\",\"is_error\":true", "1"),
        "failed (answer-form)",
        false,
    ),
    (last!("\"subtype\":\"error_during_execution\",\"is_error\":true", "1"), "failed (execution)", false),
    ("init; exit 3", "failed (crash)", true),
    ("init; kill -9 $$", "failed (killed)", true),
    ("init; exit 0", "failed (no-result)", true),
    (
        "init; result more '\"structured_output\":{\"status\":\"needs_stronger_model\",\"summary\":\"hard\"}'",
        "failed (needs-stronger-model)",
        false,
    ),
    ("init; touch bad.txt; result ok", "failed (verifier)", true),
    ("init; git checkout -q -b other$start; change; result ok", "failed (worktree)", true),
    ("init; git checkout -q --detach; change; result ok", "failed (worktree)", true),
    ("init; git branch -q -m renamed$start; change; result ok", "failed (worktree)", true),
    ("init; rm .git; change; result ok", "failed (worktree)", true),
    ("init; kill -15 $$", "interrupted", true),
    ("init; hang", "timed-out", true),
];

/// What somebody may have done to the worktree and the branch of a run since; `$wt` and `$branch` are those.
const SINCE: &[&str] = &[
    "true",
    "rm -rf \"$wt\"",
    "echo more >\"$wt/more.txt\"",
    "git merge -q --no-edit \"$branch\"",
    "git -C \"$wt\" switch -q -c mine",
    "rm \"$wt/.git\"",
    "echo 'gitdir: /nowhere' >\"$wt/.git\"",
    "git worktree remove --force \"$wt\" && git switch -q \"$branch\"",
    "git worktree remove --force \"$wt\" && git branch -q -D \"$branch\"",
    "echo x >f2 && git add f2 && git commit -q -m mine",
];

/// What mends a run of each kind, and does what was asked.
const THEN: &str = "init; rm -f bad.txt; change then$start; result 'did it'";

fn scene(sandbox: &Sandbox) -> Scene<'_> {
    let scene = Scene::new(sandbox);
    scene.settings(
        "[run]\nretries = 0\nescalations = 0\n\n[[verify]]\ncommand = [\"test\", \"!\", \"-e\", \"bad.txt\"]\n",
    );
    scene
}

/// The subject of one more run, as it is typed.
fn subject(scene: &Scene<'_>, is_prompt: bool) -> String {
    if is_prompt { "make one more thing".to_owned() } else { scene.task("Make the thing") }
}

/// Type each line as a person would; none is refused.
#[track_caller]
fn type_all(scene: &Scene<'_>, document: &Value, what: &str) {
    let lines: Vec<String> = document["next_actions"].as_array().unwrap().iter().map(text).collect();
    let web = scene.place.path("");
    let root = web.parent().unwrap();
    for line in &lines {
        let words = line.replace('…', "make it anew");
        let output = match words.strip_prefix("swift ") {
            Some(rest) => scene.call(quoted(rest)).run(),
            // A folder is shown as one of the sandbox.
            None => scene.place.program("sh", ["-c", &words]).env("SANDBOX", root.to_str().unwrap()).run(),
        };
        // With the status 7 a plan waits for the yes.
        assert!(
            matches!(output.status, 0 | 7),
            "{what}: `{line}` of {lines:?}:\n{}{}",
            output.stdout,
            output.stderr
        );
    }
    assert!(!lines.is_empty(), "{what}");
}

/// Words as a shell reads them: blanks between, quotation marks around.
fn quoted(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        1 => vec![part.to_owned()],
        _ => part.split_whitespace().map(str::to_owned).collect(),
    });
    words.collect()
}

fn told(document: &Value) -> String {
    let run = &document["run"];
    match run["failure"].as_str() {
        Some(failure) => format!("{} ({failure})", text(&run["outcome"])),
        None => text(&run["outcome"]),
    }
}

#[test]
fn whatever_became_of_a_run_what_comes_next_can_be_typed() {
    let sandbox = Sandbox::new();
    let scene = scene(&sandbox);
    for (script, outcome, has_prompt) in OUTCOMES {
        for is_prompt in [false, true] {
            if is_prompt && !has_prompt {
                continue;
            }
            let what = format!("{outcome}, prompt: {is_prompt}, {script}");
            scene.script(script);
            let limit = if *outcome == "timed-out" { "1s" } else { "60s" };
            let (_, document) = scene.run([&subject(&scene, is_prompt), "--timeout", limit]);
            assert_eq!(told(&document), *outcome, "{what}: {document:#}");
            let shown = scene.call(["run", "show", &text(&document["run"]["id"]), "--json"]).run().json();
            assert_eq!(shown["next_actions"], document["next_actions"], "{what}: the same is told later");
            scene.script(THEN);
            type_all(&scene, &document, &what);
        }
    }
}

#[test]
fn whatever_became_of_its_worktree_what_comes_next_can_be_typed() {
    let crash = ("init; change; exit 3", "failed (crash)");
    for ((script, outcome), is_prompt) in [((GOOD, "completed"), false), (crash, false), (crash, true)] {
        let sandbox = Sandbox::new();
        let scene = scene(&sandbox);
        for since in SINCE {
            let what = format!("{outcome}, prompt: {is_prompt}, then {since}");
            scene.script(script);
            let (_, document) = scene.run([subject(&scene, is_prompt).as_str()]);
            assert_eq!(told(&document), outcome, "{what}: {document:#}");
            let folder = sandbox.home().path(&text(&document["folder"]));
            let branch = text(&document["run"]["branch"]);
            let done = scene
                .place
                .program("sh", ["-c", since])
                .env("wt", folder.to_str().unwrap())
                .env("branch", &branch)
                .run();
            done.ok();
            let id = text(&document["run"]["id"]);
            let shown = scene.call(["run", "show", &id, "--json"]).run().json();
            scene.script(THEN);
            type_all(&scene, &shown, &what);
            scene.place.program("sh", ["-c", "git switch -q main"]).run();
        }
    }
}

#[test]
fn what_comes_next_after_a_stop_a_limit_and_three_kills_can_be_typed() {
    for is_prompt in [false, true] {
        let sandbox = Sandbox::new();
        let scene = scene(&sandbox);
        scene.script("init; touch \"$HOME/ready\"; hang");
        let running = Background::start(&scene, &["run", &subject(&scene, is_prompt)]);
        until("it works", || sandbox.home().path("ready").exists());
        let id = text(&scene.runs()[0]["id"]);
        scene.call(["run", "stop", &id]).run().ok();
        assert_eq!(running.status(), 130);
        let shown = scene.call(["run", "show", &id, "--json"]).run().json();
        assert_eq!(told(&shown), "cancelled");
        scene.script(THEN);
        type_all(&scene, &shown, "cancelled");
        scene.script("init; kill -9 $$");
        let deadly = subject(&scene, is_prompt);
        let all: Vec<_> = (0..3).map(|_| scene.run([deadly.as_str()]).1).collect();
        scene.script(THEN);
        type_all(&scene, &all[2], "killed three times");
        scene.script("init; change; fail 429 rate_limit '5-hour limit reached ∙ resets 11pm'");
        let (_, limited) = scene.run([subject(&scene, is_prompt).as_str()]);
        assert_eq!(told(&limited), "limit");
        type_all(&scene, &limited, "limit");
        sandbox.later(SignedDuration::from_hours(30));
        let id = text(&limited["run"]["id"]);
        scene.script(THEN);
        type_all(&scene, &scene.call(["run", "show", &id, "--json"]).run().json(), "after the limit");
    }
}

#[test]
fn a_prompt_whose_session_is_gone_is_asked_anew() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change; exit 3");
    scene.settings("[run]\nretries = 0\nescalations = 0\n");
    let (_, first) = scene.run(["make one more thing"]);
    scene.script("echo \"No conversation found with session ID: $session\" >&2; exit 1");
    let first = text(&first["run"]["id"]);
    let (_, gone) = scene.run(["resume", &first]);
    let next = |document: &Value| document["next_actions"].to_string();
    assert!(next(&gone).contains("swift run \\\"…\\\"") && !next(&gone).contains("resume"), "{gone:#}");
    assert!(gone["notes"].to_string().contains("its session is not there any more"), "{gone:#}");
    // Nor does the run that the session was begun in lead there again.
    let shown = scene.call(["run", "show", &first, "--json"]).run().json();
    assert!(!next(&shown).contains("resume"), "{shown:#}");
    assert!(shown["notes"].to_string().contains(&text(&shown["run"]["branch"])), "{shown:#}");
}
