//! Files as people and strangers write them, as tables.

use super::*;
use crate::domain::fault::Code;
use crate::domain::id::TaskId;
use crate::domain::lease::Lease;
use crate::domain::task::{Ending, Priority, Receipt, Stage, State};
use crate::format::task::{ROOM_OF_VERBS, fit_for_a_receipt, parse_summary};
use jiff::Timestamp;

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// The message of the refusal; the summary has to agree.
fn refusal(bytes: &[u8]) -> String {
    let defect = Document::parse(bytes, &Limits::default()).unwrap_err();
    assert_eq!(parse_summary(bytes, &Limits::default()), Err(defect.clone()));
    defect.to_string()
}

/// The file after its task was changed; reading it again has to show that task.
fn after(text: &str, change: impl FnOnce(&mut Task)) -> String {
    let mut document = parse(text);
    let mut task = document.task().clone();
    change(&mut task);
    document.apply(&task);
    let written = String::from_utf8(document.to_bytes()).unwrap();
    assert_eq!(parse(&written).task(), &task, "{written}");
    written
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn lease() -> Lease {
    Lease { holder: "ann".parse().unwrap(), token: 3, expires_at: instant("2026-01-01T00:00:00Z") }
}

#[test]
fn a_new_file_has_its_keys_in_order() {
    let mut task = Task::titled("Add \"limits\"");
    task.id = Some(TaskId::new(1_790_000_000_000, 77));
    task.from = Some("acme/web".parse().unwrap());
    task.to = Some("api".parse().unwrap());
    task.labels = vec!["a b".to_owned(), "c".to_owned()];
    task.created = Some(instant("2026-11-21T10:00:00Z"));
    task.after = vec![format!("acme/web#{}", TaskId::new(1, 1)).parse().unwrap()];
    task.due = Some("2026-12-01".parse().unwrap());
    let document = Document::new(&task, "What and why.");
    let text = String::from_utf8(document.to_bytes()).unwrap();
    let expected = r#"+++
schema = 1
id = "01m31rw7m00000000000000002d"
title = "Add \"limits\""
from = "acme/web"
to = "api"
kind = "task"
priority = "medium"
effort = "M"
labels = ["a b", "c"]
created = 2026-11-21T10:00:00Z
after = ["acme/web#00000000010000000000000001"]
due = 2026-12-01
+++

What and why.
"#;
    let id = task.id.unwrap().to_string();
    assert_eq!(text, expected.replace("01m31rw7m00000000000000002d", &id));
    assert_eq!((parse(&text).task(), parse(&text).body()), (&task, "What and why.\n"));
}

#[test]
fn the_shortest_file_is_a_task() {
    for text in [
        "+++\ntitle = \"x\"\n+++",
        "\u{feff}+++ \r\ntitle = 'x'\r\n+++\t\r\n",
        "+++\n\"title\"=\"\"\"x\"\"\"\n+++\nbody",
    ] {
        let document = parse(text);
        assert_eq!(document.task(), &Task::titled("x"));
        assert_eq!(document.to_bytes(), text.as_bytes());
    }
    assert_eq!(parse("+++\ntitle = 'x'\n+++\nbody").body(), "body");
    assert_eq!(parse("+++\r\ntitle = 'x'\r\n+++\r\n\r\nbody").body(), "body");
}

#[test]
fn values_are_taken_in_every_legal_form() {
    let text = "+++\ntitle = 'x'\nlabels = 'one'\nafter = '00000000010000000000000001'\n\
        created = 2026-01-01T02:00:00+02:00\ndefer_until = 2026-01-01\ndue = 2026-01-01T10:00:00Z\n\
        priority = 'URGENT'\ntoken = 0x1_0\nunknown = 1\n[x]\ny = 1\n+++\n";
    let document = parse(text);
    let task = document.task();
    assert_eq!((task.labels.len(), task.after.len(), task.token), (1, 1, 16));
    assert_eq!(task.created, Some(instant("2026-01-01T00:00:00Z")));
    assert_eq!(task.defer_until, task.created);
    assert_eq!(task.due, Some("2026-01-01".parse().unwrap()));
    assert_eq!(task.priority, Priority::Critical);
    assert_eq!(document.warnings(), ["defer_until: no time zone is given, so UTC is taken"]);
}

#[test]
fn what_is_no_task_is_refused_with_its_place() {
    let cases: &[(&str, &str)] = &[
        ("", "1:1: no head: the file has to start with a line `+++`"),
        ("\n+++\n", "1:1: no head: the file has to start with a line `+++`"),
        ("++++\ntitle = 'x'\n+++\n", "1:1: no head: the file has to start with a line `+++`"),
        ("+++\ntitle = 'x'\n", "1:1: no end of the head: a second line `+++` is missing"),
        ("+++\n+++\n", "2:1: title: is missing"),
        ("+++\ntitle = ' '\n+++", "2:9: title: a title cannot be empty"),
        ("+++\ntitle = \"a\\nb\"\n+++", "2:9: title: a title has to be one line"),
        ("+++\ntitle = 7\n+++", "2:9: title: expected a string, found integer"),
        (
            "+++\nid = 'x'\ntitle = 'x'\n+++",
            "2:6: id: `x` is not a task id: 26 lower-case letters and digits",
        ),
        ("+++\ntitle = 'x'\nfrom = '../x'\n+++", "3:8: from: `../x` is not a project id"),
        ("+++\ntitle = 'x'\npriority = 'huge'\n+++", "3:12: priority: `huge` is not a priority"),
        ("+++\ntitle = 'x'\nlabels = ['a', 7]\n+++", "3:16: labels: expected a string, found integer"),
        ("+++\ntitle = 'x'\nlabels = ['a', '']\n+++", "3:16: labels: a label cannot be empty"),
        (
            "+++\ntitle = 'x'\ndue = 'soon'\n+++",
            "3:7: due: expected a date such as `2026-12-01`, found string",
        ),
        ("+++\ntitle = 'x'\ntoken = -1\n+++", "3:9: token: `-1` is out of range"),
        ("+++\ntitle = 'x'\nattempts = 4294967296\n+++", "3:12: attempts: `4294967296` is out of range"),
        ("+++\ntitle = 'x'\nlease = 1\n+++", "3:9: lease: expected a table, found integer"),
        ("+++\ntitle = 'x'\n[[lease]]\n+++", "3:1: lease: expected a table, found array"),
        ("+++\ntitle = 'x'\n[lease]\nholder = 'a'\ntoken = 1\n+++", "3:1: lease.expires_at: is missing"),
        (
            "+++\ntitle = 'x'\n[result]\nstate = 'ready'\n+++",
            "4:9: result.state: `ready` is not an end; one of `done`, `refused`, `dead`",
        ),
        ("+++\ntitle = 'x'\ntitle = 'y'\n+++", "3:1: duplicate key"),
        ("+++\nschema = 0\ntitle = 'x'\n+++", "2:10: schema: versions begin with 1"),
        ("+++\nschema = 2\nmystery = {}\n+++", "2:10: schema: written by a newer swift (schema 2)"),
        ("+++\ntitle = 'x\0'\n+++", "2:11: the file has a NUL byte"),
        ("+++\ntitle = 'x'\n<<<<<<< HEAD\n+++", "3:1: git has left a conflict here"),
        ("+++\ntitle = 'x'\n=======\r\n+++", "3:1: git has left a conflict here"),
        ("<<<<<<< HEAD\n+++\ntitle = 'x'\n+++", "1:1: git has left a conflict here"),
        ("+++\ntitle = 'x'\n+++\na\n<<<<<<< A\n=======\n>>>>>>> B\n", "5:1: git has left a conflict here"),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(text.as_bytes()), *message, "{text}");
    }
    assert_eq!(refusal(b"+++\ntitle = '\xff'\n+++"), "2:10: the file is not UTF-8");
}

#[test]
fn a_line_under_a_heading_is_no_conflict() {
    let text = "+++\ntitle = 'x'\n+++\nHeading\n=======\n\n    <<<<<<< A\n    =======\n    >>>>>>> B\n";
    assert_eq!(parse(text).to_bytes(), text.as_bytes());
}

#[test]
fn codes_tell_newer_large_and_malformed_apart() {
    let limits = Limits { file_bytes: 100, head_bytes: 50 };
    let code = |text: &str| Document::parse(text.as_bytes(), &limits).map_err(|defect| defect.code);
    let head = "+++\ntitle = 'x'\n";
    assert_eq!(code(&format!("{head}+++\n{}", "x".repeat(101))), Err(Code::TooLarge));
    assert_eq!(code(&"x".repeat(1 << 20)), Err(Code::TooLarge));
    assert_eq!(code(&format!("{head}{}\n+++\n", "#".repeat(60))), Err(Code::TooLarge));
    assert_eq!(code(&format!("+++\n{}\n+++\n", "#".repeat(1 << 20))), Err(Code::TooLarge));
    assert_eq!(code("+++\nschema = 9\n+++\n"), Err(Code::NewerSchema));
    assert_eq!(code("+++\n+++\n"), Err(Code::Malformed));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn hostile_heads_end_fast() {
    let deep = "a.".repeat(30_000);
    let heads = [
        format!("{deep}a = 1"),
        format!("[{deep}a]"),
        format!("a = {}", "[".repeat(60_000)),
        format!("a = {}", "{a=".repeat(20_000)),
        "a.b.c = 1\n".repeat(6_000),
        (0..9_000).map(|n| format!("k{n}=1\n")).collect(),
        "[[a]]\n".repeat(10_000),
        "\"".repeat(60_000),
    ];
    for head in heads {
        let began = std::time::Instant::now();
        let _ = Document::parse(format!("+++\n{head}\n+++\n").as_bytes(), &Limits::default());
        assert!(began.elapsed().as_secs() < 2, "{}", &head[..20]);
    }
}

#[test]
fn a_change_touches_its_line_only() {
    let text = "\u{feff}+++\r\n# why\r\n  title   = 'x' # t\r\nmine = [\r\n 1, # one\r\n]\r\n\r\n[x]\r\ny = 1\r\n+++\r\nbody\nmixed\r\n";
    assert_eq!(after(text, |task| task.title = "y".to_owned()), text.replace("'x' #", "\"y\" #"));
    assert_eq!(
        after(text, |task| task.priority = Priority::High),
        text.replace("# t\r\n", "# t\r\npriority = \"high\"\r\n")
    );
    let claimed = after(text, |task| (task.token, task.lease) = (3, Some(lease())));
    let expected = text.replace("# t\r\n", "# t\r\ntoken = 3\r\n").replace(
        "y = 1\r\n",
        "y = 1\r\n\r\n[lease]\r\nholder = \"ann\"\r\ntoken = 3\r\nexpires_at = 2026-01-01T00:00:00Z\r\n",
    );
    assert_eq!(claimed, expected);
    assert_eq!(after(&claimed, |task| (task.token, task.lease) = (0, None)), text);
}

#[test]
fn odd_but_legal_heads_can_be_changed() {
    let inline = "+++\ntitle = 'x'\nlease = { holder = 'a', token = 1, mine = {x = 1}, expires_at = 2026-01-01T00:00:00Z }\n+++\n";
    let dotted = "+++\nlease.holder = 'a'\ntitle = 'x'\nlease.token = 1\nlease.expires_at = 2026-01-01T00:00:00Z\n+++\n";
    let header = "+++\ntitle = 'x'\n[\"lease\"] # l\nexpires_at = 2026-01-01T00:00:00Z\n# own\n\n'holder' = 'a'\ntoken = 1\n[lease.mine]\nx = 1\n[u]\n+++\n";
    for text in [inline, dotted, header] {
        assert_eq!(
            after(text, |task| task.lease = task.lease.take().map(|l| Lease { token: 9, ..l })),
            text.replace("token = 1", "token = 9")
        );
        after(text, |task| task.lease = Some(lease()));
        let released = after(text, |task| task.lease = None);
        assert!(!released.contains("lease") && !released.contains("mine"), "{released}");
    }
    let done = "+++\ntitle = 'x'\nresult = { state = 'done', at = 2026-01-01 }\n+++\n";
    let noted = after(done, |task| {
        task.ending = task.ending.take().map(|e| Ending { note: Some("n".to_owned()), ..e })
    });
    assert_eq!(noted, done.replace(" }", ", note = \"n\" }"));
    assert_eq!(
        after(&noted, |task| task.ending = task.ending.take().map(|e| Ending { note: None, ..e })),
        done
    );
}

#[test]
fn notes_of_several_lines_cannot_end_the_head() {
    for note in ["one\ntwo", "one\n+++\ntwo", "a\n<<<<<<< A\n=======\n>>>>>>> B\n", "\r\n", "\"\"\"", "\0"] {
        let text = after("+++\ntitle = 'x'\n+++\n", |task| {
            task.blocked = Some(note.to_owned());
            task.ending = Some(Ending {
                state: State::Dead,
                at: instant("2026-01-01T00:00:00Z"),
                by: None,
                note: Some(note.to_owned()),
            });
        });
        assert_eq!(
            after(&text, |task| (task.blocked, task.ending) = (None, None)),
            "+++\ntitle = 'x'\n+++\n"
        );
    }
}

#[test]
fn paragraphs_are_added_after_one_blank_line() {
    let cases = [
        ("+++\ntitle = 'x'\n+++", "+++\ntitle = 'x'\n+++\n\nmore\n"),
        ("+++\ntitle = 'x'\n+++\n\n", "+++\ntitle = 'x'\n+++\n\nmore\n"),
        ("+++\ntitle = 'x'\n+++\nbody", "+++\ntitle = 'x'\n+++\nbody\n\nmore\n"),
        ("+++\ntitle = 'x'\n+++\nbody\n\n", "+++\ntitle = 'x'\n+++\nbody\n\nmore\n"),
        ("+++\r\ntitle = 'x'\r\n+++\r\nbody", "+++\r\ntitle = 'x'\r\n+++\r\nbody\r\n\r\nmore\r\n"),
    ];
    for (text, expected) in cases {
        let mut document = parse(text);
        document.append_to_body("more\n");
        assert_eq!(String::from_utf8(document.to_bytes()).unwrap(), expected);
    }
}

#[test]
fn a_comment_cannot_make_its_task_unreadable() {
    let mut document = parse("+++\ntitle = 'x'\n+++\n\n<<<<<<< A\n=======\n");
    document.append_to_body("a\0b\n>>>>>>> B\n+++\n");
    let again = Document::parse(&document.to_bytes(), &Limits::default()).unwrap();
    assert_eq!(again.body(), "<<<<<<< A\n=======\n\na\u{fffd}b\n >>>>>>> B\n+++\n");
    document.set_body("<<<<<<< A\n=======\n>>>>>>> B");
    assert_eq!(
        parse(&String::from_utf8(document.to_bytes()).unwrap()).body(),
        " <<<<<<< A\n =======\n >>>>>>> B\n"
    );
}

#[test]
fn the_limits_count_what_a_person_wrote() {
    let text = format!("+++\ntitle = 'x'\n+++\n{}", "x".repeat(81));
    let limits = Limits { file_bytes: text.len(), head_bytes: 12 };
    let mut document = Document::parse(text.as_bytes(), &limits).unwrap();
    let note = "a\n\u{202e}\"".repeat(1_000);
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    let task = Task {
        id: Some("01ksp1c3h0k3v9q2w7x4m8n5ta".parse().unwrap()),
        token: 7,
        blocked: Some(note.clone()),
        lease: Some(Lease { holder: "worker".parse().unwrap(), token: 7, expires_at: at }),
        ..document.task().clone()
    };
    document.apply(&task);
    assert_eq!(Document::parse(&document.to_bytes(), &limits).unwrap().task(), &task);
    document.append_to_body("y");
    let defect = Document::parse(&document.to_bytes(), &limits).unwrap_err();
    assert_eq!((defect.code, &*defect.message), (Code::TooLarge, "the text has 105 bytes; the limit is 101"));
}

#[test]
fn a_receipt_always_has_room() {
    let text = format!("+++\ntitle = 'x'\n+++\n{}", "x".repeat(81));
    let limits = Limits { file_bytes: text.len(), head_bytes: 12 };
    let at = "2026-11-22T10:00:00Z".parse().unwrap();
    for unit in ["x", "\u{1b}", "\n", "\u{e0001}", "世"] {
        let mut document = Document::parse(text.as_bytes(), &limits).unwrap();
        let blocked = Some("b".repeat(ROOM_OF_VERBS - 20));
        let note = Some(fit_for_a_receipt(unit.repeat(200_000)));
        let receipt = Some(Receipt { stage: Stage::Done, at, by: Some("acme/api".parse().unwrap()), note });
        document.apply(&Task { blocked, receipt, ..document.task().clone() });
        assert!(Document::parse(&document.to_bytes(), &limits).is_ok(), "{unit:?}");
    }
    assert_eq!(fit_for_a_receipt("short".to_owned()), "short");
}
