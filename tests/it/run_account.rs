//! What holds for an account holds wherever it is used; what holds for a model holds for that model.

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::text;

#[test]
fn a_limit_of_the_account_is_known_in_other_projects() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; fail 429 rate_limit '5-hour limit reached ∙ resets 11pm'");
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    let other = sandbox.project("elsewhere");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    let refused = other.call(["run", "hello there you"]).env("SWIFT_CLAUDE", fake).run();
    assert_eq!((refused.status, scene.starts()), (5, 1), "{}", refused.stderr);
    assert!(refused.stderr.contains("the account rests"), "{}", refused.stderr);
    let footprint = other.call("doctor --footprint").run().ok();
    assert!(footprint.contains("swift/account.toml"), "{footprint}");
    assert!(other.call("status").run().ok().contains("5-hour limit reached"));
}

#[test]
fn a_model_that_rests_stops_only_what_needs_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nretries = 0\n");
    scene.script("case $before,$* in *--model\\ haiku*) fail 529 overloaded 'Overloaded';; esac; init; change; result ok");
    let add = |title: &str, tier: &str, priority: &str| {
        let words = ["task", ".", title, "--tier", tier, "--priority", priority, "--json"];
        text(&scene.call(words).run().json()["task"]["id"])
    };
    let weak: Vec<String> = (0..3).map(|number| add(&format!("Weak {number}"), "haiku", "high")).collect();
    let strong: Vec<String> =
        (0..2).map(|number| add(&format!("Strong {number}"), "sonnet", "low")).collect();
    let output = scene.call("work --json").run();
    assert_eq!(output.status, 5, "{}\n{}", output.stdout, output.stderr);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(text(&document["why"]).contains("the model `haiku` failed 5 times in a row"), "{document:#}");
    assert!(strong.iter().all(|task| scene.state(task) == "done"), "{document:#}");
    assert!(weak.iter().any(|task| scene.state(task) == "ready"), "{document:#}");
    assert_eq!(scene.starts(), 7);
}

#[test]
fn a_task_written_by_hand_is_worked_on() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.place.write(".swift/tasks/anything.md", "+++\ntitle = \"Paint the door\"\n+++\n");
    assert_eq!(scene.call("run new").run().status, 2, "it stands for none of them");
    let document = scene.call("work --json").run().json();
    assert_eq!((document["completed"].as_u64(), scene.starts()), (Some(1), 1), "{document:#}");
    assert_eq!(document["runs"][0]["title"], "Paint the door");
}

#[test]
fn a_session_that_goes_on_twice_from_the_same_run_is_paid_once() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // Claude Code tells what the whole session has cost.
    scene.script(
        "init; result \"answer $start\" '\"total_cost_usd\":0.'$((start * 2))',\"modelUsage\":{\"claude-sonnet-5-5\":{\"inputTokens\":'$((start * 100))',\"outputTokens\":1,\"costUSD\":0.1}}'",
    );
    let (_, first) = scene.run(["say something to me"]);
    let short = text(&first["run"]["short"]);
    let mut costs = vec![first["run"]["cost_usd"].as_f64().unwrap()];
    for (attempt, more) in [(2, "and more"), (3, "and still more")] {
        let output = scene.call(["run", "resume", &short, more, "--json"]).run();
        let last: serde_json::Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(last["run"]["attempt"], attempt, "{last:#}");
        costs.push(last["run"]["cost_usd"].as_f64().unwrap());
    }
    let cents: Vec<i64> = costs.iter().map(|usd| (usd * 100.0).round() as i64).collect();
    assert_eq!(cents, [20, 20, 20]);
}

#[test]
fn a_model_that_is_named_is_not_replaced() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verify]]\ncommand = [\"false\"]\n");
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str(), "--model", "my-own-model"]);
    assert_eq!((scene.starts(), text(&document["run"]["failure"])), (1, "verifier".to_owned()));
}

#[test]
fn a_misspelt_section_of_the_settings_begins_no_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verifier]]\ncommand = [\"false\"]\n");
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let refused = scene.call(["run", &task]).run();
    assert_eq!(refused.status, 8, "{}", refused.stderr);
    assert!(refused.stderr.contains("no section `verifier` is known"), "{}", refused.stderr);
    assert_eq!(scene.starts(), 0);
    let told = scene.call("doctor").run();
    assert!(told.stdout.contains("no section `verifier`"), "{}", told.stdout);
}

#[test]
fn a_mended_setting_counts_when_it_is_recorded_as_the_hint_says() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    for (wrong, right) in [
        ("[run]\ntimeot = \"3m\"\n", ""),
        ("[[route.rule]]\nname = \"x\"\nwords = [\"y\"]\ntier = \"opsu\"\n", ""),
    ] {
        scene.settings(wrong);
        let mended = scene.place.read(".swift/swift.toml").replace(wrong, right);
        scene.place.write(".swift/swift.toml", mended);
        let refused = scene.call("work").run();
        assert_eq!((refused.status, scene.starts()), (8, 0), "{}", refused.stderr);
        assert!(refused.stderr.contains("`swift doctor --fix` records it"), "{}", refused.stderr);
        scene.call("doctor --fix sesame").run().ok();
        assert_eq!(scene.place.git("-C .swift status --porcelain"), "");
    }
    assert_eq!((scene.run([task.as_str()]).0, scene.starts()), (0, 1));
}

#[test]
fn what_holds_for_another_login_is_told_of_as_another_ones() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let with = |key: &str, words: &str| scene.call(words).env("ANTHROPIC_API_KEY", key).run();
    scene.script("init; fail 401 authentication_failed 'Invalid API key'");
    with("sk-bad", "run 'say it to me'").ended(9);
    scene.script("init; result ok");
    with("sk-good", "run 'say it to me again'").ok();
    for words in ["status", "runs"] {
        let (bad, good) = (with("sk-bad", words).stdout, with("sk-good", words).stdout);
        assert!(bad.contains("before a person has looked: Invalid API key"), "{words}: {bad}");
        assert!(!good.contains("Invalid API key"), "{words}: {good}");
        let document = with("sk-good", &format!("{words} --json")).json();
        assert_eq!(document["breakers"][0]["own"], false, "{document:#}");
    }
}

#[test]
fn a_shift_that_can_run_nothing_in_a_project_says_so_and_works_on_the_others() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.settings("[run]\natempts = 20\n");
    let (one, two) = (scene.task("One"), scene.task("Two"));
    let alone = scene.call("work").run();
    assert_eq!((alone.status, scene.starts()), (8, 0), "{}", alone.stderr);
    assert_eq!(alone.stderr.matches("unknown field `atempts`").count(), 1, "said once: {}", alone.stderr);
    assert!(!alone.stdout.contains("nothing more is ready"), "{}", alone.stdout);

    let hub = sandbox.orchestrator();
    let other = sandbox.project("other");
    for place in [&scene.place, &other] {
        hub.swift_ok(["register", place.path("").to_str().unwrap()]);
    }
    let done = crate::world::add(&other, ".", "Three");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    let output = hub.call("work --json").env("SWIFT_CLAUDE", fake).run();
    assert_eq!((output.status, text(&output.json()["stopped"])), (8, "fault".to_owned()), "{output:?}");
    assert!(output.stderr.contains("acme/web: nothing is run there"), "{}", output.stderr);
    assert_eq!(text(&other.json(["show", &done])["task"]["state"]), "done");
    assert!([one, two].iter().all(|task| scene.state(task) == "ready"));
}

#[test]
fn a_verifier_that_is_not_there_costs_no_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.settings("[[verify]]\ncommand = [\"carg0\", \"test\"]\n");
    let task = scene.task("Make the thing");
    for words in [vec!["run", &task], vec!["work"]] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let refused = scene.call(words.clone()).run();
        assert_eq!((refused.status, scene.starts()), (9, 0), "{words:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("`carg0`, which is to verify"), "{}", refused.stderr);
    }
    assert_eq!(scene.state(&task), "ready");
}

#[test]
fn a_shift_counts_tasks_and_names_what_it_cannot_reach() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nretries = 0\nescalations = 0\n");
    scene.script("init; case $(cat \"$seen/prompt\") in *Poison*) exit 0;; esac; change; result ok");
    let (poison, good) = (scene.task("Poison"), scene.task("Good"));
    let output = scene.call("work").run();
    assert_eq!(output.status, 8, "{}", output.stderr);
    assert!(output.stdout.contains("2 tasks worked on in 4 requests, 1 completed"), "{}", output.stdout);
    assert_eq!((scene.state(&poison), scene.state(&good)), ("dead".to_owned(), "done".to_owned()));

    let hub = sandbox.orchestrator();
    let gone = sandbox.project("gone");
    for place in [&scene.place, &gone] {
        hub.swift_ok(["register", place.path("").to_str().unwrap()]);
    }
    std::fs::rename(gone.path(""), sandbox.root().path("moved")).unwrap();
    scene.task("Another");
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
    let output = hub.call("work").env("SWIFT_CLAUDE", fake).run();
    assert_eq!(output.status, 0, "{}", output.stderr);
    assert!(output.stderr.contains("acme/gone: not worked on"), "{}", output.stderr);
    assert!(output.stderr.contains("/web review"), "where the work is looked at: {}", output.stderr);
    assert!(hub.call("review").run().stderr.contains("this is the orchestrator's own work"));
}

/// A message that tells what it has used: of this model four dollars, twice.
const DEAR: &str = r#"for part in 1 2; do echo '{"type":"assistant","message":{"id":"m7","model":"claude-opus-5-5","content":[{"type":"text","text":"working"}],"usage":{"input_tokens":500000,"output_tokens":100000}}}'; done"#;

#[test]
fn what_a_run_without_figures_has_used_counts_against_the_budget() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\ntimeout = \"1s\"\nretries = 0\nescalations = 0\n");
    scene.script(&format!("init; {DEAR}; change; hang"));
    for number in 0..3 {
        scene.task(&format!("Make part {number}"));
    }
    let document = scene.call("work --budget-usd 3 --json").run().json();
    assert_eq!((document["stopped"].as_str(), scene.starts()), (Some("budget"), 1), "{document:#}");
    assert_eq!(document["cost_usd"], 4.0);
    let run = &scene.runs()[0];
    assert_eq!(
        (run["cost_is"].as_str(), run["tokens"]["output"].as_u64()),
        (Some("estimated"), Some(100_000))
    );
    let shown = scene.call(["run", "show", &text(&run["short"])]).run().ok();
    assert!(shown.contains("cost      about $4.0000"), "{shown}");
    assert!(scene.call("runs").run().ok().contains("~$4.0000"));
}

#[test]
fn what_nobody_knows_of_a_run_counts_as_all_that_it_was_allowed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\ntimeout = \"1s\"\nretries = 2\nbackoff = \"1s\"\nescalations = 0\n");
    scene.script("init; hang");
    scene.task("Make the thing");
    let document = scene.call("work --budget-usd 2 --json").run().json();
    assert_eq!((document["stopped"].as_str(), scene.starts()), (Some("budget"), 1), "{document:#}");
    assert_eq!(
        (document["cost_usd"].as_f64(), scene.runs()[0]["cost_is"].as_str()),
        (Some(2.0), Some("at-most"))
    );
    // Attempts of one request share what it may cost.
    scene.script(&format!("init; {DEAR}; exit 1"));
    let (_, document) = scene.run(["make this other thing", "--max-usd", "4.5"]);
    assert_eq!((scene.starts(), document["cost_usd"].as_f64()), (3, Some(8.0)), "{document:#}");
    assert!(scene.seen(3, "arguments").contains("--max-budget-usd\n0.5000"));
    assert!(document["notes"].to_string().contains("nothing is left for another attempt"), "{document:#}");
}
