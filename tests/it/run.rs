//! One run for each way in which a run can end, and what is written down about it.

use serde_json::Value;

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::{self, text};

/// Script, outcome, failure, exit status, state of the task afterwards.
type Case = (&'static str, &'static str, Option<&'static str>, i32, &'static str);

const CASES: &[Case] = &[
    (GOOD, "completed", None, 0, "done"),
    (
        "init; git commit --quiet --allow-empty -m x; change; git add .; git commit -qm y; result ok",
        "completed",
        None,
        0,
        "done",
    ),
    ("init; result 'nothing to do'", "completed-without-result", None, 8, "ready"),
    (
        "init; change; result ok '\"permission_denials\":[{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"rm x\"}}]'",
        "denied",
        None,
        5,
        "blocked",
    ),
    (
        "init; change; result ok '\"structured_output\":{\"status\":\"needs_person\",\"summary\":\"s\",\"reason\":\"which colour?\"}'",
        "blocked",
        None,
        5,
        "blocked",
    ),
    (
        "echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":0,\"result\":\"\"}'",
        "blocked",
        None,
        5,
        "blocked",
    ),
    ("fail 401 authentication_failed 'Invalid API key'", "failed", Some("login"), 9, "ready"),
    ("fail 400 billing_error 'Credit balance is too low'", "failed", Some("billing"), 9, "ready"),
    ("fail 404 model_not_found 'no such model'", "failed", Some("unknown-model"), 8, "ready"),
    ("init; fail 400 invalid_request 'bad'", "failed", Some("bad-request"), 8, "ready"),
    ("init; change; exit 0", "failed", Some("no-result"), 8, "ready"),
    ("init; change; exit 3", "failed", Some("crash"), 8, "ready"),
    ("init; echo 'error: unknown option' >&2; exit 1", "failed", Some("crash"), 8, "ready"),
    ("init; change; result ok; exit 1", "failed", Some("crash"), 8, "ready"),
    ("init; kill -9 $$", "failed", Some("killed"), 8, "ready"),
    ("init; kill -11 $$", "failed", Some("crash"), 8, "ready"),
    ("init; kill -15 $$", "interrupted", None, 130, "ready"),
    ("init; exit 143", "interrupted", None, 130, "ready"),
    (
        "init; echo '{\"type\":\"result\",\"subtype\":\"error_max_turns\",\"is_error\":true,\"terminal_reason\":\"max_turns\",\"num_turns\":3}'; exit 1",
        "failed",
        Some("max-turns"),
        8,
        "ready",
    ),
    (
        "init; echo '{\"type\":\"result\",\"subtype\":\"error_max_turns\",\"is_error\":false,\"num_turns\":3}'",
        "failed",
        Some("max-turns"),
        8,
        "ready",
    ),
    (
        "init; echo '{\"type\":\"result\",\"subtype\":\"error_max_budget_usd\",\"is_error\":true,\"num_turns\":3}'; exit 1",
        "failed",
        Some("budget"),
        8,
        "ready",
    ),
    (
        "init; change; result first; echo '{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"terminal_reason\":\"prompt_too_long\",\"result\":\"too long\"}'; exit 1",
        "failed",
        Some("prompt-too-long"),
        8,
        "ready",
    ),
    (
        "init; change; printf '{\"type\":\"result\",\"subtype\":\"success\",\"is_err'",
        "failed",
        Some("no-result"),
        8,
        "ready",
    ),
    (
        "init; change; echo not json; echo '{\"type\":\"brand_new\"}'; printf '\\377\\376\\n'; result ok",
        "completed",
        None,
        0,
        "done",
    ),
];

/// Nothing is tried again, so that each case is one run.
const ONCE: &str = "[run]\nretries = 0\nescalations = 0\n";

#[test]
fn each_way_to_end_is_told_apart() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings(ONCE);
    for (script, outcome, failure, status, state) in CASES {
        scene.script(script);
        let task = scene.task("Make it");
        let (ended, document) = scene.run([task.as_str()]);
        let run = &document["run"];
        let told = (text(&run["outcome"]), run["failure"].as_str());
        assert_eq!(told, ((*outcome).to_owned(), *failure), "{script}\n{run:#}");
        assert_eq!(ended, *status, "{script}");
        assert_eq!(scene.state(&task), *state, "{script}");
        let stored = scene.call(["run", "show", &task, "--json"]).run().json();
        assert_eq!(stored["run"]["outcome"], run["outcome"], "{script}");
    }
    world::sound(&scene.place, "after every outcome");
}

#[test]
fn a_run_is_written_down_before_it_starts_and_after_it_ends() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // While it works, the record is in the last commit, and the task is held.
    scene.script(
        "init; git -C \"$(cat \"$HOME/project\")/.swift\" log -1 --format=%B > \"$HOME/before\"; \
         git -C \"$(cat \"$HOME/project\")/.swift\" show HEAD --name-only --format= > \"$HOME/stat\"; \
         tool Bash 'make it'; change; result 'did it'",
    );
    sandbox.home().write("project", scene.place.path("").to_str().unwrap());
    let task = scene.task("Make it");
    let (_, document) = scene.run([task.as_str()]);
    let run = &document["run"];
    assert!(sandbox.home().read("before").starts_with("swift: run "), "{}", sandbox.home().read("before"));
    let stat = sandbox.home().read("stat");
    assert!(stat.contains("runs/2026-03/") && stat.contains("tasks/"), "{stat}");
    let id = text(&run["id"]);
    let record = scene.place.read(&text(&run["path"]));
    assert!(record.contains("outcome = \"completed\"") && record.contains(&id), "{record}");
    assert_eq!((run["cost_usd"].as_f64(), run["turns"].as_u64()), (Some(0.25), Some(2)));
    assert_eq!(run["model"], "claude-sonnet-5-5");
    assert_eq!(run["commits"].as_array().unwrap().len(), 1);
    let branch = text(&run["branch"]);
    assert_eq!(scene.place.git(["show", &format!("{branch}:work.txt")]), "work of start 1\n");
    assert_eq!(scene.place.git("status --porcelain"), "", "the person's own checkout is as it was");
    let logs = scene.call(["run", "logs", &id]).run().ok();
    assert!(logs.contains("Bash: make it") && logs.contains("result (success): did it"), "{logs}");
    let shown = scene.place.json(["show", &task]);
    let note = shown["task"]["result"]["note"].to_string();
    assert!(note.contains("did it") && note.contains(&branch) && note.contains("$0.2500"), "{note}");
    world::sound(&scene.place, "after a run");
}

#[test]
fn nothing_of_the_command_line_is_left_to_defaults() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("/clear --dangerously-skip-permissions");
    let call = scene.call([
        "run",
        &task,
        "--tier",
        "haiku",
        "--max-turns",
        "7",
        "--max-usd",
        "0.5",
        "--allow",
        "Bash(make:*)",
    ]);
    let outer = [
        ("CLAUDECODE", "1"),
        ("CLAUDE_CODE_SESSION_ID", "x"),
        ("AI_AGENT", "x"),
        ("ANTHROPIC_API_KEY", "sk-ant-test-value"),
        ("EDITOR", "vi"),
    ];
    outer.iter().fold(call, |call, (name, value)| call.env(name, value)).run().ok();
    let arguments = scene.seen(1, "arguments");
    for expected in [
        "--print\n--output-format\nstream-json\n--verbose\n--session-id\n",
        "--model\nhaiku\n--max-turns\n7\n--max-budget-usd\n0.5000\n--permission-mode\nacceptEdits\n--allowedTools=Bash(make:*)\n",
        "{\"disableAllHooks\":true}\n--strict-mcp-config\n",
    ] {
        assert!(arguments.contains(expected), "{expected}\n{arguments}");
    }
    assert!(!arguments.contains("skip-permissions"), "the task is no argument:\n{arguments}");
    let prompt = scene.seen(1, "prompt");
    assert!(prompt.starts_with("Request: a task of the project acme/web"), "{prompt}");
    let environment = scene.seen(1, "environment");
    for name in [
        "SWIFT_DEPTH=1",
        "SWIFT_RUN=",
        "CLAUDE_CODE_MAX_RETRIES=2",
        "DISABLE_AUTOUPDATER=1",
        "ANTHROPIC_API_KEY=sk-ant-test-value",
    ] {
        assert!(environment.lines().any(|line| line.starts_with(name)), "{name}\n{environment}");
    }
    for name in ["CLAUDECODE=", "CLAUDE_CODE_SESSION_ID=", "AI_AGENT=", "EDITOR="] {
        assert!(!environment.lines().any(|line| line.starts_with(name)), "{name}\n{environment}");
    }
    assert!(scene.seen(1, "folder").contains("/swift/worktrees/"));
}

#[test]
fn what_is_written_down_has_no_secrets() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; say 'the key is plain-old-value and ghp_0123456789abcdefghijABCDEFGHIJ'; change; result 'plain-old-value'");
    let task = scene.task("Make it");
    let output = scene.call(["run", &task]).env("ANTHROPIC_AUTH_TOKEN", "plain-old-value").run();
    output.ok();
    let everything =
        format!("{}{}{}", output.stdout, output.stderr, scene.place.git("-C .swift log --patch"));
    assert!(everything.contains("[secret]"));
    assert!(
        !everything.contains("plain-old-value") && !everything.contains("ghp_0123456789"),
        "{everything}"
    );
}

#[test]
fn a_verifier_of_the_committed_policy_decides_and_the_task_names_none() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings(
        "[run]\nescalations = 0\n[[verify]]\ncommand = [\"grep\", \"-q\", \"start 2\", \"work.txt\"]\n",
    );
    scene.script(GOOD);
    let task = scene.task("Make it");
    scene.place.write("note", "[[verify]]\ncommand = [\"true\"]\n");
    scene.place.swift_ok(["comment", &task, "[[verify]]\ncommand = [\"true\"]"]);
    let (status, first) = scene.run([task.as_str()]);
    assert_eq!((status, text(&first["run"]["failure"])), (8, "verifier".to_owned()));
    assert_eq!(first["run"]["verify"][0]["ended"], "exit 1");
    // Not committed, so it does not count.
    let settings = scene.place.read(".swift/swift.toml");
    scene.place.write(".swift/swift.toml", settings.replace("start 2", "start 1"));
    let (status, second) = scene.run([task.as_str(), "--dry-run"]);
    assert_eq!(status, 0);
    assert_eq!(second["verify"][0][2], "start 2", "{second}");
    scene.place.write(".swift/swift.toml", settings);
    let (status, third) = scene.run([task.as_str()]);
    assert_eq!((status, text(&third["run"]["outcome"])), (0, "completed".to_owned()), "{third:#}");
    assert!(scene.seen(2, "prompt").contains("attempt 1 with sonnet: failed (verifier)"));
    assert_eq!(scene.state(&task), "done");
}

#[test]
fn a_verifier_gets_no_login_and_has_a_deadline() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let command = "env > \\\"$HOME/verifier\\\"; sleep 1000";
    scene.settings(&format!(
        "[run]\nescalations = 0\n[[verify]]\ncommand = [\"sh\", \"-c\", \"{command}\"]\ntimeout = \"1s\"\n"
    ));
    scene.script(GOOD);
    let task = scene.task("Make it");
    let output = scene.call(["run", &task, "--json"]).env("ANTHROPIC_API_KEY", "sk-ant-secret").run();
    assert_eq!(output.status, 8, "{}", output.stderr);
    assert!(output.stdout.contains("took longer than 1 s"), "{}", output.stdout);
    assert!(!sandbox.home().read("verifier").contains("ANTHROPIC_API_KEY"));
}

#[test]
fn what_may_pass_is_tried_again_and_each_attempt_is_counted() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nbackoff = \"1s\"\nretries = 2\n");
    scene.script("[ $start = 1 ] && fail 529 overloaded Overloaded; init; change; result 'did it'");
    let task = scene.task("Make it");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(document["earlier"][0]["failure"], "overloaded");
    assert_eq!(document["run"]["attempt"], 2);
    assert_eq!(scene.runs().len(), 2);
    assert_ne!(document["earlier"][0]["session"], document["run"]["session"]);
}

#[test]
fn a_stronger_model_is_asked_on_its_word_in_the_form_and_not_in_prose() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let weak = "result 'I am escalating to opus, this needs opus'";
    scene.script(&format!("init; change; {weak}"));
    let (status, document) = scene.run([scene.task("Make it").as_str(), "--tier", "haiku"]);
    assert_eq!((status, scene.starts()), (0, 1), "{document:#}");
    scene.script(
        "init; change; case $before,$* in *--model\\ opus*) result 'did it';; \
         *) result x '\"structured_output\":{\"status\":\"needs_stronger_model\",\"summary\":\"found the cause in a.rs\",\"reason\":\"too deep\"}';; esac",
    );
    let (status, document) = scene.run([scene.task("Make it again").as_str(), "--tier", "haiku"]);
    assert_eq!(status, 0, "{document:#}");
    let tiers: Vec<_> = document["earlier"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&document["run"]])
        .map(|run| text(&run["tier"]))
        .collect();
    assert_eq!(tiers, ["haiku", "sonnet", "opus"]);
    assert_eq!(document["run"]["rule"], "escalation");
    assert!(scene.seen(4, "prompt").contains("found the cause in a.rs"));
}

#[test]
fn a_limit_parks_the_task_and_the_same_session_goes_on_after_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // An hour after the sandbox opens.
    let reset = 1_772_442_000 + 3_600;
    scene.script(&format!(
        "if [ $start = 1 ]; then init; change half; \
         echo '{{\"type\":\"rate_limit_event\",\"rate_limit_info\":{{\"status\":\"rejected\",\"resetsAt\":{reset},\"rateLimitType\":\"five_hour\"}}}}'; \
         echo '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"terminal_reason\":\"api_error\",\"api_error_status\":429,\"total_cost_usd\":0.5,\"result\":\"You have hit your limit\"}}'; exit 1; fi; \
         init; change; result 'did it' '\"total_cost_usd\":0.75'"
    ));
    let task = scene.task("Make it");
    let (status, first) = scene.run([task.as_str()]);
    assert_eq!((status, text(&first["run"]["outcome"])), (5, "limit".to_owned()));
    assert_eq!(scene.state(&task), "deferred");
    let other = scene.task("Something else");
    let refused = scene.call(["run", &other, "--json"]).run();
    assert_eq!(
        (refused.status, text(&refused.json_error()["error"]["code"])),
        (5, "account-rests".to_owned())
    );
    assert_eq!(scene.starts(), 1, "nothing is started on an account that rests");
    let runs = scene.call("runs --json").run().json();
    assert_eq!(runs["breakers"][0]["state"], "open", "{runs:#}");
    let status = scene.call("status --json").run().json();
    assert_eq!(status["breakers"], runs["breakers"]);
    let told = scene.call("status").run().ok();
    for part in ["runs: open, nothing is started before", "usage limit is reached (five_hour)"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    sandbox.later(jiff::SignedDuration::from_mins(90));
    assert!(scene.call("status").run().ok().contains("half-open, one run may try"));
    let (status, second) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{second:#}");
    assert_eq!(second["run"]["session"], first["run"]["session"]);
    assert!(
        scene.seen(2, "arguments").contains("--resume\n")
            && !scene.seen(2, "arguments").contains("--session-id")
    );
    assert_eq!(second["run"]["cost_usd"], 0.25, "what the session had cost before is not paid again");
    assert_eq!(scene.place.json(["show", &task])["task"]["attempts"].as_u64().unwrap_or(0), 0);
    assert_eq!(scene.state(&task), "done");
}

#[test]
fn a_program_that_is_missing_or_too_old_is_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make it");
    let missing = scene.call(["run", &task, "--json"]).env("SWIFT_CLAUDE", "/nowhere/claude").run();
    assert_eq!((missing.status, text(&missing.json_error()["error"]["code"])), (9, "no-claude".to_owned()));
    let none = scene.place.call(["run", &task]).run();
    assert_eq!(none.status, 9, "{}", none.stderr);
    sandbox.home().write("fake.version", "1.0.128 (Claude Code)\n");
    let old = scene.call(["run", &task]).run();
    assert_eq!(old.status, 9);
    assert!(old.stderr.contains("claude 1.0.128 is too old"), "{}", old.stderr);
    assert_eq!(scene.state(&task), "ready");
    assert!(scene.runs().is_empty());
    // The file is the same: it may only start another, which is newer by now, or older.
    sandbox.home().write("fake.version", "2.1.329 (Claude Code)\n");
    assert_eq!(scene.run([task.as_str()]).0, 0);
    sandbox.home().write("fake.version", "1.0.128 (Claude Code)\n");
    sandbox.later(jiff::SignedDuration::from_hours(2));
    let old = scene.call("run 'and more'").run();
    assert_eq!(old.status, 9, "{}", old.stderr);
}

#[test]
fn a_run_cannot_start_another() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change; \"$(cat \"$HOME/swift\")\" run 'do more' >\"$HOME/inner\" 2>&1; echo $? >>\"$HOME/inner\"; result ok");
    sandbox.home().write("swift", env!("CARGO_BIN_EXE_swift"));
    let (status, _) = scene.run([scene.task("Make it").as_str()]);
    assert_eq!(status, 0);
    let inner = sandbox.home().read("inner");
    assert!(inner.contains("a run cannot start another run") && inner.ends_with("\n5\n"), "{inner}");
    assert_eq!(scene.starts(), 1);
}

/// What a run drops of its variables does not make it a person.
#[test]
fn a_run_that_drops_its_variables_is_still_a_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let merge = scene.task("Make it");
    scene.run([merge.as_str()]);
    scene.task("Make another thing");
    scene.script(
        "init; change; swift() { env -i PATH=\"$PATH\" HOME=\"$HOME\" SWIFT_CLAUDE=\"$0\" SWIFT_ACTOR=ada \"$(cat \"$HOME/swift\")\" \"$@\"; }; \
         cd \"$HOME/../web\"; for words in \"run 'do more'\" \"run --detach 'do more'\" work \"merge $(cat \"$HOME/merge\") sesame\"; do \
         eval \"setsid -w env true; swift $words\" >>\"$HOME/inner\" 2>&1; echo \"= $?\" >>\"$HOME/inner\"; done; result ok",
    );
    sandbox.home().write("swift", env!("CARGO_BIN_EXE_swift"));
    sandbox.home().write("merge", &merge);
    scene.run([scene.task("Go too far").as_str()]);
    let inner = sandbox.home().read("inner");
    assert_eq!(inner.matches("a run cannot start another run").count(), 3, "{inner}");
    assert_eq!(inner.matches("= 5").count(), 3, "{inner}");
    assert!(inner.ends_with("= 7\n"), "{inner}");
    assert_eq!(scene.starts(), 2);
    assert!(!scene.place.path("work.txt").exists(), "nothing is merged");
}

#[test]
fn servers_of_tools_that_are_not_there_cost_no_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.place.write("text.json", "hello\n");
    scene.place.write("good.json", "{\"mcpServers\":{}}\n");
    for wrong in ["nope.json", ".swift", "text.json", "{\"mcpServers\""] {
        let refused = scene.call(["run", "do it", "--mcp-config", wrong]).run();
        assert_eq!((refused.status, scene.starts()), (2, 0), "{wrong}: {}", refused.stderr);
        assert!(refused.stderr.contains("names no servers of tools"), "{wrong}: {}", refused.stderr);
    }
    for (number, good) in ["good.json", "{\"mcpServers\":{}}"].into_iter().enumerate() {
        scene.run(["do it", "--mcp-config", good]);
        let arguments = scene.seen(number as u32 + 1, "arguments");
        let given = arguments.lines().find_map(|line| line.strip_prefix("--mcp-config=")).unwrap();
        assert!(given == good || given.ends_with("/web/good.json"), "{given}");
    }
}

#[test]
fn a_prompt_needs_no_task_and_a_read_only_run_no_worktree() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; result 'forty-two'");
    let (status, document) = scene.run(["what is the answer", "--read-only"]);
    assert_eq!((status, text(&document["run"]["summary"])), (0, "forty-two".to_owned()));
    assert_eq!(document["run"]["branch"], Value::Null);
    assert!(scene.seen(1, "arguments").contains("--permission-mode\ndontAsk"));
    assert_eq!(scene.seen(1, "prompt"), "Request:\nwhat is the answer\n");
    let piped = scene.call("run - --json").stdin("/clear everything\n").run();
    assert_eq!(piped.status, 0, "{}", piped.stderr);
    assert_eq!(scene.seen(2, "prompt"), "Request:\n/clear everything\n");
    let typo = scene.call("run k3v9q2 --json").run();
    assert_eq!((typo.status, scene.starts()), (3, 2), "a reference that names nothing is no prompt");
}

#[test]
fn a_run_goes_on_with_its_session_when_asked() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; [ $start = 1 ] && exit 0; change; result 'did it'");
    scene.settings(ONCE);
    let task = scene.task("Make it");
    let (_, first) = scene.run([task.as_str()]);
    let id = text(&first["run"]["id"]);
    let (status, second) = scene.run(["resume", &id]);
    assert_eq!((status, &second["run"]["session"]), (0, &first["run"]["session"]), "{second:#}");
    assert_eq!(
        (&second["run"]["follows"], &second["run"]["branch"]),
        (&first["run"]["id"], &first["run"]["branch"])
    );
    assert!(scene.seen(2, "arguments").contains(&format!("--resume\n{}", text(&first["run"]["session"]))));
}

#[test]
fn a_plan_says_everything_and_does_nothing() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make it");
    let before = (scene.place.git("-C .swift rev-parse HEAD"), scene.place.git("branch --list"));
    let plan = scene.call(["run", &task, "--plan", "--json"]).run();
    plan.ok();
    assert_eq!(plan.json()["branch"], format!("swift-run/{}", &task[10..16]));
    assert_eq!(plan.json()["permission"], "acceptEdits");
    assert_eq!(scene.starts(), 0);
    assert_eq!(before, (scene.place.git("-C .swift rev-parse HEAD"), scene.place.git("branch --list")));
}
