//! What `swift.toml` says is what happens.

use crate::sandbox::Sandbox;
use crate::world::{add, sound};

#[test]
fn a_task_may_fail_for_ever_where_the_settings_say_so() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "the one");
    let settings = web.read(".swift/swift.toml");
    assert!(settings.contains("\nattempts = 3\n"));
    web.write(".swift/swift.toml", settings.replace("\nattempts = 3\n", "\nattempts = 0\n"));
    for _ in 0..4 {
        assert_eq!(web.json(["fail", &id, "--why", "again"])["task"]["state"], "ready");
    }
}

#[test]
fn a_commit_by_hand_takes_along_what_rules_for_other_files_cover() {
    let sandbox = Sandbox::new();
    for init in ["init", "init --in-tree"] {
        let web = sandbox.repository(if init == "init" { "apart" } else { "tree" });
        web.write(".gitignore", "tasks/\n*.md\n");
        web.git("add .gitignore");
        web.git("commit --quiet -m rules");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        let settings = web.read(".swift/swift.toml");
        web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"manual\""));
        let said = web.swift("task . M").ended(0).stderr.clone();
        let told = said.split('`').filter(|word| word.starts_with("git -C .swift "));
        let commands: Vec<String> = told.map(str::to_owned).collect();
        assert_eq!(commands.len(), 2, "{said}");
        web.git(commands[0].strip_prefix("git ").unwrap());
        web.git("-C .swift commit --quiet -m mine");
        let committed = web.git("-C .swift ls-files");
        assert!(committed.contains("-m.md") && !committed.contains("local"), "{init}: {committed}");
        web.swift("doctor --json").ended(0);
        sound(&web, init);
    }
}

#[test]
fn a_value_that_is_not_allowed_is_answered_with_those_that_are() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let settings = web.read(".swift/swift.toml");
    let line =
        |key: &str| settings.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap().to_owned();
    for (key, wrong, right) in [
        ("mode", "mode = \"bogus\"", "`directive`, `orchestration`, `hybrid`"),
        ("lease", "lease = \"x\"", "`30m`"),
        ("commit", "commit = \"never\"", "`each`, `session`, `manual`"),
    ] {
        web.write(".swift/swift.toml", settings.replace(&line(key), wrong));
        for verb in ["list", "doctor", "task . x"] {
            let told = web.swift(verb);
            assert!(told.ended(8).stderr.contains(right), "{told:?}");
            assert!(told.stderr.contains("web/.swift/swift.toml`"), "{told:?}");
        }
        let prompt = serde_json::json!({"prompt": "Rename it", "cwd": web.path("")}).to_string();
        let told = web.call("hook user-prompt-submit").stdin(prompt).run();
        assert!(told.ended(0).stdout.contains("cannot be read") && told.stdout.contains(right), "{told:?}");
        assert!(told.json().get("decision").is_none(), "no prompt is held up: {told:?}");
    }
    web.write(
        ".swift/swift.toml",
        format!("{settings}\n[[route.rule]]\nname = \"x\"\nwords = [\"y\"]\ntier = \"gpt\"\n"),
    );
    let told = web.swift("route y");
    assert!(told.ended(8).stderr.contains("`haiku`") && told.stderr.contains("mend it in"), "{told:?}");
}

#[test]
fn texts_for_other_programs_are_one_document_where_one_is_asked_for() {
    let sandbox = Sandbox::new();
    let place = sandbox.root();
    for verb in ["man task", "completions bash", "shell-init zsh"] {
        let document = place.json(verb);
        assert_eq!(document["text"], place.swift_ok(verb), "{verb}");
    }
}
