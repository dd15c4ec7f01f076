//! Hooks and slash commands of Claude Code: put in after a yes, taken out to the byte, and answers that never stop a
//! prompt by accident.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::sandbox::{Output, Place, Sandbox};

const SETTINGS: &str = ".claude/settings.json";

fn project(sandbox: &Sandbox) -> Place<'_> {
    sandbox.project("web")
}

/// Everything in the checkout that is not git's or the queue's: paths with their bytes.
fn files(place: &Place<'_>) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![place.path("")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if entry.file_type().unwrap().is_dir() {
                let is_own = folder == place.path("") && (name == ".git" || name == ".swift");
                if !is_own {
                    found.push((entry.path().display().to_string(), Vec::new()));
                    waiting.push(entry.path());
                }
            } else {
                found.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_is_written_before_the_yes_and_every_byte_is_shown() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    let before = files(&place);
    let proposed = place.swift("integrate claude");
    assert_eq!(proposed.status, 7, "{proposed:?}");
    assert_eq!(files(&place), before);
    place.swift_ok("integrate claude sesame");
    for (path, bytes) in files(&place).iter().filter(|file| !before.contains(file)) {
        for line in String::from_utf8_lossy(bytes).lines() {
            assert!(proposed.stdout.contains(&format!("+ {line}")), "{path}: `{line}` was not shown");
        }
    }
    let settings: Value = serde_json::from_str(&place.read(SETTINGS)).unwrap();
    assert!(settings["hooks"]["UserPromptSubmit"][0]["hooks"][0]["command"].is_string());
    assert_eq!(place.swift_ok("integrate claude"), "nothing to do\n");
}

#[test]
fn what_was_put_in_is_taken_out_to_the_byte() {
    let kept = [
        None,
        Some("{\r\n\t\"model\": \"opus\", // mine\r\n\t\"hooks\": {}\r\n}"),
        Some("{\"hooks\":{\"UserPromptSubmit\":[],\"Stop\":[{\"hooks\":[]}]}}"),
        Some("\u{feff}{ }\n\n"),
        Some(""),
    ];
    for settings in kept {
        let sandbox = Sandbox::new();
        let place = project(&sandbox);
        if let Some(settings) = settings {
            place.write(SETTINGS, settings);
        }
        place.write(".claude/commands/mine.md", "mine\n");
        let before = files(&place);
        place.swift_ok("integrate claude sesame");
        assert_ne!(files(&place), before);
        place.swift_ok("integrate claude --remove sesame");
        assert_eq!(files(&place), before, "{settings:?}");
        assert_eq!(place.swift_ok("integrate claude --remove"), "nothing to do\n");
    }
}

#[test]
fn what_was_put_in_is_in_the_footprint_and_goes_with_the_queue() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(SETTINGS, "{\n\t\"permissions\": {\"allow\": [\"Bash(ls)\"]},\n\t\"hooks\": {}\n}");
    let before = files(&place);
    place.swift_ok("integrate claude sesame");
    let footprint = place.swift_ok("doctor --footprint");
    assert!(
        footprint.contains(SETTINGS) && footprint.contains(".claude/commands/swift/next.md"),
        "{footprint}"
    );
    let plan = place.swift("uninstall");
    assert!(plan.stdout.contains("out of `.claude`"), "{}", plan.stdout);
    let told = place.swift_ok("uninstall sesame");
    assert!(told.contains("removed the hooks and slash commands for Claude Code"), "{told}");
    assert_eq!(files(&place), before);
    assert!(!place.path(".swift").exists());
}

#[test]
fn a_fresh_checkout_has_no_folder_left_over() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.swift_ok("integrate claude sesame");
    place.swift_ok("integrate claude --remove sesame");
    assert!(!place.path(".claude").exists());
    assert_eq!(place.git("status --porcelain"), "");
}

#[test]
fn what_the_person_changed_since_stays_and_only_ours_goes() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(SETTINGS, "{\n  \"model\": \"opus\"\n}\n");
    place.swift_ok("integrate claude sesame");
    let with = place.read(SETTINGS);
    place.write(SETTINGS, with.replace("opus", "sonnet"));
    place.write(".claude/commands/swift/next.md", "mine now\n");
    let output = place.swift("integrate claude --remove sesame");
    assert_eq!(output.status, 0, "{output:?}");
    assert_eq!(place.read(SETTINGS), "{\n  \"model\": \"sonnet\"\n}\n");
    assert_eq!(place.read(".claude/commands/swift/next.md"), "mine now\n");
    assert!(!place.path(".claude/commands/swift/list.md").exists());
}

#[test]
fn without_this_machines_memory_the_marks_are_enough() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(SETTINGS, "{\n  // why\n  \"model\": \"opus\" // this\n}\n");
    place.swift_ok("integrate claude sesame");
    fs::remove_dir_all(place.path(".swift/local")).unwrap();
    place.swift_ok("integrate claude --remove sesame");
    assert_eq!(place.read(SETTINGS), "{\n  // why\n  \"model\": \"opus\" // this\n}\n");
}

#[test]
fn links_and_what_is_no_settings_file_are_refused() {
    let refused = |prepare: fn(&Place<'_>), status: i32, part: &str| {
        let sandbox = Sandbox::new();
        let place = project(&sandbox);
        prepare(&place);
        let before = files(&place);
        let output = place.swift("integrate claude sesame");
        assert_eq!(output.status, status, "{output:?}");
        assert!(output.stderr.contains(part), "{output:?}");
        assert_eq!(files(&place), before);
    };
    refused(|place| place.write(SETTINGS, "{ \"hooks\": [] }"), 8, "settings.json:1:12");
    refused(|place| place.write(SETTINGS, "not json"), 8, "settings.json:1:");
    refused(|place| place.write(SETTINGS, b"{\"a\": \"\xff\"}"), 8, "not UTF-8");
    refused(|place| place.write(SETTINGS, "[".repeat(300_000)), 8, "nest too deep");
    refused(|place| place.write(SETTINGS, " ".repeat(2 << 20)), 8, "settings.json");
    let linked = |place: &Place<'_>| {
        place.write("elsewhere.json", "{}");
        fs::create_dir(place.path(".claude")).unwrap();
        symlink("../elsewhere.json", place.path(SETTINGS)).unwrap();
    };
    refused(linked, 8, "symbolic link");
    let linked_folder = |place: &Place<'_>| {
        place.place("elsewhere");
        symlink("elsewhere", place.path(".claude")).unwrap();
    };
    refused(linked_folder, 8, "symbolic link");
    refused(|place| drop(place.place(SETTINGS)), 8, "not what it should be");
}

#[test]
fn a_file_that_is_not_ours_is_left_alone_and_modes_are_kept() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(SETTINGS, "{}\n");
    fs::set_permissions(place.path(SETTINGS), fs::Permissions::from_mode(0o600)).unwrap();
    place.write(".claude/commands/swift/next.md", "their own\n");
    let output = place.swift("integrate claude sesame");
    assert!(output.stderr.contains("next.md` is not ours"), "{output:?}");
    assert_eq!(place.read(".claude/commands/swift/next.md"), "their own\n");
    assert_eq!(fs::metadata(place.path(SETTINGS)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_person_is_told_that_claude_code_reads_no_comments() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(SETTINGS, "{\n  // mine\n}\n");
    let output = place.swift("integrate claude");
    assert!(output.stdout.contains("Claude Code ignores such a file"), "{output:?}");
}

/// What a hook says to a prompt.
fn hook(place: &Place<'_>, prompt: &str, options: &str) -> Output {
    let message = json!({"cwd": place.path(""), "prompt": prompt, "hook_event_name": "UserPromptSubmit"});
    let call = place.call(format!("hook user-prompt-submit {options}").as_str());
    call.env("SWIFT_CLAUDE", "/nowhere/claude").stdin(message.to_string()).run()
}

fn answer(output: &Output) -> Value {
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{output:?}");
    serde_json::from_str(&output.stdout).unwrap_or(Value::Null)
}

#[test]
fn a_line_that_ends_in_sesame_is_executed_and_its_answer_shown() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    for line in
        ["task . \"Fix the login\" sesame", "task . Show the total sesame", "swift task . 'Third one' sesame"]
    {
        let said = answer(&hook(&place, line, ""));
        assert_eq!(said["decision"], "block", "{line}: {said}");
        assert!(said["reason"].as_str().unwrap().contains("added "), "{said}");
    }
    assert_eq!(place.json("list")["tasks"].as_array().unwrap().len(), 3);
    let said = answer(&hook(&place, "next sesame", ""));
    assert!(said["reason"].as_str().unwrap().contains("Show the total"), "{said}");
    let said = answer(&hook(&place, "/swift:list", ""));
    assert!(said["reason"].as_str().unwrap().starts_with("$ swift list\n"), "{said}");
    let said = answer(&hook(&place, "task nowhere/at-all . sesame", ""));
    assert_eq!(said["decision"], "block", "an error is an answer too: {said}");
}

/// No shell reads the line: nothing but marks around whole words is taken away.
#[test]
fn a_title_typed_into_a_session_keeps_every_character() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    for (typed, title) in [
        ("It's Bob's", "It's Bob's"),
        ("Can't log in when the user's name is long", "Can't log in when the user's name is long"),
        (r"Fix C:\path\x", r"Fix C:\path\x"),
        (r"Line one\nline two", r"Line one\nline two"),
        ("Show $HOME | \"more\" & 'less'", "Show $HOME | \"more\" & 'less'"),
        ("Login - it fails", "Login - it fails"),
        ("\"Say \\\"no\\\" to C:\\x\" -p high --body=\"it's so\"", r#"Say "no" to C:\x"#),
        ("'It is \"so\"' -l 'two words'", "It is \"so\""),
    ] {
        let said = answer(&hook(&place, &format!("task . {typed} sesame"), ""));
        assert_eq!(said["decision"], "block", "{typed}: {said}");
        let tasks = place.json("list")["tasks"].clone();
        assert!(
            tasks.as_array().unwrap().iter().any(|task| task["title"] == title),
            "{typed}: {said} {tasks}"
        );
    }
    let said = answer(&hook(&place, r"/swift:task . Bob's C:\x", ""));
    assert!(said["reason"].as_str().is_some_and(|text| text.contains(r"Bob's C:\x")), "{said}");
}

/// In a session nothing is piped in, and a task with nothing in it is not what was meant.
#[test]
fn what_reads_a_pipe_is_not_for_the_inside_of_a_session() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    for line in ["task . y --body - sesame", "task . y -f - sesame", "task . y --file=- sesame"] {
        let said = answer(&hook(&place, line, ""));
        let context = said["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or("");
        assert!(context.contains("nothing is inside of a session"), "{line}: {said}");
    }
    assert_eq!(place.json("list")["tasks"].as_array().unwrap().len(), 0);
}

#[test]
fn prose_is_never_stopped() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.swift_ok(["task", ".", "One"]);
    let prompts = [
        "next",
        "what does open sesame mean",
        "start the server with sesame",
        "finish this and add sesame",
        "sesame",
        "/compact",
        "first\nnext sesame",
        "drop the users table",
        "Fix typo in README",
        "",
    ];
    for prompt in prompts {
        let output = hook(&place, prompt, "");
        assert!(answer(&output).get("decision").is_none(), "{prompt:?} was stopped: {output:?}");
    }
    assert_eq!(place.json("list")["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn sesame_alone_approves_only_what_waits() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    assert_eq!(hook(&place, "sesame", "").stdout, "");
    assert_eq!(place.swift("integrate claude").status, 7);
    let said = answer(&hook(&place, "sesame", ""));
    assert_eq!(said["decision"], "block", "{said}");
    assert!(place.path(SETTINGS).exists());
}

#[test]
fn a_hook_is_silent_where_it_has_nothing_to_say() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    let silent = |output: Output| {
        assert_eq!(
            (output.status, output.stdout.as_str(), output.stderr.as_str()),
            (0, "", ""),
            "{output:?}"
        );
    };
    for input in ["", "garbage", "[]", "{}", "{\"prompt\": 7}", "{\"prompt\": \"next sesame\", \"cwd\": 7"] {
        silent(place.call("hook user-prompt-submit").stdin(input).run());
    }
    silent(place.call("hook user-prompt-submit").stdin(vec![b'x'; 20 << 20]).run());
    silent(place.call("hook no-such-event").stdin("{}").run());
    silent(place.call("hook user-prompt-submit --no-such-option").stdin("{}").run());
    silent(place.call("hook").run());
    silent(place.call("hook session-start --mode nonsense").stdin("{}").run());
    silent(place.call("hook user-prompt-submit").env("SWIFT_TEST_NOW", "nonsense").stdin("{}").run());
    let line = json!({"cwd": place.path(""), "prompt": "next sesame"}).to_string();
    silent(place.call("hook user-prompt-submit").env("SWIFT_DEPTH", "1").stdin(line).run());
    let gone = json!({"cwd": place.path("gone"), "prompt": "next sesame"}).to_string();
    silent(place.call("hook user-prompt-submit").stdin(gone).run());
    let elsewhere = json!({"cwd": sandbox.root().path(""), "prompt": "Design the architecture"}).to_string();
    silent(place.call("hook user-prompt-submit").stdin(elsewhere).run());
}

/// Nothing is advised or enforced with settings that cannot be read, and nobody would know.
#[test]
fn a_hook_tells_of_settings_that_cannot_be_read_and_holds_nothing_up() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.write(".swift/swift.toml", "id = 7\n");
    let line = json!({"cwd": place.path(""), "prompt": "Design the architecture"}).to_string();
    for event in ["user-prompt-submit", "session-start"] {
        let told = place.call(["hook", event]).stdin(line.clone()).run();
        assert_eq!((told.status, told.stderr.as_str()), (0, ""), "{told:?}");
        let said = answer(&told);
        assert!(said.get("decision").is_none(), "{said}");
        let context = said["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
        assert!(context.contains("cannot be read") && context.contains("swift.toml:1:6"), "{context}");
    }
}

#[test]
fn the_installed_command_is_harmless_without_swift_and_with_another_program_of_that_name() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    place.swift_ok("integrate claude sesame");
    let settings: Value = serde_json::from_str(&place.read(SETTINGS)).unwrap();
    let bin = sandbox.place("bin");
    symlink("/bin/sh", bin.path("sh")).unwrap();
    for event in ["UserPromptSubmit", "SessionStart"] {
        let command = settings["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap();
        for other in [None, Some("#!/bin/sh\necho \"error: no such subcommand\" >&2\nexit 2\n")] {
            if let Some(other) = other {
                bin.write("swift", other);
                fs::set_permissions(bin.path("swift"), fs::Permissions::from_mode(0o755)).unwrap();
            }
            let path = bin.path("").display().to_string();
            let output = place.program("/bin/sh", ["-c", command]).env("PATH", &path).stdin("{}").run();
            assert_eq!(
                (output.status, output.stdout.as_str(), output.stderr.as_str()),
                (0, "", ""),
                "{command}"
            );
        }
        fs::remove_file(bin.path("swift")).unwrap();
    }
}

#[test]
fn in_directive_mode_the_model_is_advised_and_in_orchestration_a_run_is_to_make_it() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    let context = |prompt: &str, options: &str| {
        let said = answer(&hook(&place, prompt, options));
        said["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or("").to_owned()
    };
    assert!(context("Design the architecture of the importer", "").contains("escalate at `opus`"));
    assert!(context("please drop the users table", "").contains("Ask the person"));
    assert_eq!(context("yes", ""), "", "nothing is known of it");
    // Without Claude Code on the path nothing can be handed over, and the session goes on.
    assert!(
        context("Rename foo to bar", "--mode orchestration")
            .contains("`swift run`, which was not possible now")
    );
    let settings = place.read(".swift/swift.toml").replace("\"hybrid\"", "\"orchestration\"");
    place.write(".swift/swift.toml", settings);
    assert!(context("Rename foo to bar", "").contains("swift run"), "the setting");
    assert!(!context("Rename foo to bar", "--mode directive").contains("swift run"), "what is said wins");
}

#[test]
fn a_session_begins_with_at_most_1500_characters() {
    let sandbox = Sandbox::new();
    let place = project(&sandbox);
    assert!(place.swift_ok("prime").contains("It is empty."));
    for number in 0..5 {
        place.swift_ok(["task", ".", &format!("{number} {}", "long title \u{202e} ".repeat(30))]);
    }
    place.swift_ok("claim");
    let text = place.swift_ok("prime");
    assert!(text.chars().count() <= 1501, "{text}");
    assert!(text.contains("4 ready, 1 in work") && !text.contains('\u{202e}'), "{text}");
    let message = json!({"cwd": place.path(""), "source": "startup"}).to_string();
    let said = answer(&place.call("hook session-start").stdin(message).run());
    let context = said["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
    assert_eq!(context, text.trim_end());
    let before = place.git("-C .swift rev-parse HEAD");
    place.swift_ok("prime");
    assert_eq!(place.git("-C .swift rev-parse HEAD"), before, "nothing is written");
}
