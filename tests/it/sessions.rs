//! A session is told by whose it is, and one that was lost is not silently another.

use std::fs;

use crate::sandbox::Sandbox;
use crate::world::{add, text};

#[test]
fn a_session_that_somebody_else_opened_says_so() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    assert!(web.swift_ok("start").starts_with("session opened since"));
    let joined = web.swift_ok("--actor bob start");
    assert!(joined.starts_with("session of Ada Example open since"), "{joined}");
    assert_eq!(web.json("--actor bob start")["actor"], "Ada Example");
    let finished = web.swift_ok("--actor bob finish");
    assert!(finished.starts_with("session of Ada Example finished"), "{finished}");
    let path = text(&web.json("log -n 1")["events"][0]["actor"]);
    assert_eq!(path, "bob", "the log tells who ended it");
    let files = web.git("-C .swift ls-files sessions");
    assert!(web.read(&format!(".swift/{}", files.trim())).contains("actor = \"Ada Example\""));
}

#[test]
fn a_session_whose_note_is_lost_is_told_of() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.swift_ok("start");
    fs::remove_dir_all(web.path(".swift/local")).unwrap();
    let told = "the session that Ada Example opened at 2026-03-02T09:00:0";
    let finish = web.swift("finish");
    assert!(finish.status == 5 && finish.stderr.contains(told), "{}", finish.stderr);
    // Another actor has lost nothing.
    assert!(!web.swift("--actor bob finish").stderr.contains(told));
    let again = web.swift("start");
    assert!(
        again.stdout.starts_with("session opened since") && again.stderr.contains(told),
        "{}",
        again.stderr
    );
    // Once is enough.
    assert!(!web.swift("start").stderr.contains(told));
    web.swift_ok("finish");
    assert!(!web.swift("start").stderr.contains("has no end"));
}

#[test]
fn what_was_learned_has_to_say_something() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.swift_ok("start");
    for learned in ["", " \n"] {
        let refused = web.swift(["finish", "--learned", "Oil it", "--learned", learned]);
        assert!(refused.ended(2).stderr.contains("what was learned is empty"), "{}", refused.stderr);
    }
    web.swift_ok("finish --learned 'Oil it'");
    // One that a person has written so.
    let path = format!(".swift/{}", web.git("-C .swift ls-files sessions").trim());
    web.write(&path, web.read(&path).replace("[\"Oil it\"]", "[\"Oil it\", \"\"]"));
    assert_eq!(web.json("start")["learned"], serde_json::json!(["Oil it"]));
}

#[test]
fn a_refusal_needs_a_reason() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/inbox/letter.md", "+++\ntitle = \"t\"\n+++\n");
    add(&web, ".", "a verb that gives it its id");
    let id = text(&web.json("inbox --dry-run")["waiting"][0]["id"]);
    for why in ["", " \n"] {
        let refused = web.swift(["inbox", "refuse", &id, "--why", why]);
        assert!(
            refused.status == 2 && refused.stderr.contains("a reason has to say something"),
            "{}",
            refused.stderr
        );
    }
    web.swift_ok(["inbox", "refuse", &id, "--why", "not ours"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told_once() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/tasks/bad.md", "bad\n");
    let said = web.swift_ok("start");
    assert_eq!(said.matches("bad.md").count(), 1, "{said}");
}

#[test]
fn what_happened_in_a_session_the_log_tells_and_no_clock() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let at = |hour: &str, words: &str| {
        web.call(words).env("SWIFT_TEST_NOW", &format!("2026-03-02T{hour}:00:00Z")).run().ok()
    };
    at("11", "task . 'Before it, by a clock that was ahead'");
    web.swift_ok("start");
    add(&web, ".", "In it");
    at("08", "task . 'In it, by a clock that was behind'");
    let finished = web.json("finish");
    assert_eq!(finished["counts"]["task.created"], 2, "{finished:#}");
    let files = web.git("-C .swift ls-files sessions");
    let told = web.read(&format!(".swift/{}", files.trim()));
    assert!(told.contains("a clock that was behind") && !told.contains("a clock that was ahead"), "{told}");
}

#[test]
fn a_session_and_a_task_may_last_over_the_end_of_a_month() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let at = |time: &str, words: &str| web.call(words).env("SWIFT_TEST_NOW", time).run().ok();
    at("2026-03-31T23:50:00Z", "start");
    at("2026-03-31T23:51:00Z", "task . 'Of March'");
    let id = text(&web.json("list")["tasks"][0]["id"]);
    at("2026-04-01T00:10:00Z", &format!("comment {id} 'In April'"));
    at("2026-06-05T09:00:00Z", &format!("done {id}"));
    let folders = web.git("-C .swift ls-files audit");
    let months: Vec<&str> = folders.lines().filter_map(|path| path.split('/').nth(1)).collect();
    assert_eq!(months, ["2026-03", "2026-04", "2026-06"], "{folders}");
    let kinds = |log: &serde_json::Value| -> Vec<String> {
        log["events"].as_array().unwrap().iter().map(|event| text(&event["kind"])).collect()
    };
    let of_task = web.json(&*format!("log {id}"));
    assert_eq!(kinds(&of_task).len(), 3, "{of_task:#}");
    let newest = web.json("log -n 2");
    assert_eq!(kinds(&newest), ["task.done", "task.commented"], "{newest:#}");
    assert_eq!(kinds(&web.json("log -n 100")).last().map(String::as_str), Some("session.started"));
    let finished = web.call("finish --json").env("SWIFT_TEST_NOW", "2026-06-05T10:00:00Z").run().ok();
    let finished: serde_json::Value = serde_json::from_str(&finished).unwrap();
    let counts = &finished["counts"];
    assert!(
        ["created", "commented", "done"].iter().all(|what| counts[format!("task.{what}")] == 1),
        "{counts:#}"
    );
    // Back in a clock that was ahead nothing is lost either.
    at("2026-04-02T09:00:00Z", "task . 'By a clock that is right again'");
    assert_eq!(kinds(&web.json("log -n 100")).len(), 6);
    web.swift_ok("audit verify");
    // Before segments ended with their month, one went on in the next.
    let april = folders.lines().find(|path| path.contains("2026-04")).unwrap();
    fs::rename(
        web.path(&format!(".swift/{april}")),
        web.path(&format!(".swift/{}", april.replace("2026-04", "2026-03"))),
    )
    .unwrap();
    assert_eq!(kinds(&web.json(&*format!("log {id}"))).len(), 3);
    assert_eq!(kinds(&web.json("log -n 3")), ["session.finished", "task.done", "task.created"]);
}
