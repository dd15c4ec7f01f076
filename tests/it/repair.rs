//! `doctor --fix`: its plan is what it does, and what it leaves to a person has a fix of its own.

use std::fs;

use crate::sandbox::Sandbox;
use crate::world::{add, copies, text};

#[test]
fn a_repair_without_anything_to_do_asks_for_nothing() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let told = web.swift("doctor --fix");
    assert_eq!((told.status, told.stdout.as_str()), (0, "the queue is healthy\n"), "{told:?}");
    web.swift("sesame").ended(3);
    // What only a person can mend is told with its fix, and no plan is offered for it.
    fs::create_dir(web.path(".swift/tasks/folder.md")).unwrap();
    web.write(".swift/tasks/newer.md", "+++\nschema = 9\ntitle = \"n\"\n+++\n");
    let told = web.swift("doctor --fix");
    assert!(told.ended(8).stdout.contains("give the folder another name"), "{told:?}");
    assert!(!told.stderr.contains("doctor --fix"), "{told:?}");
    web.swift("sesame").ended(3);
}

#[test]
fn the_plan_of_a_repair_is_what_is_done_and_no_more() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/tasks/bad.md", "no head\n");
    web.write(".swift/tasks/nul.md", "+++\ntitle = \"n\"\n+++\n\0\n");
    web.write(".swift/tasks/mine.md", "+++\ntitle = \"by hand\"\n+++\n");
    web.write(".swift/tasks/newer.md", "+++\nschema = 9\ntitle = \"n\"\n+++\n");
    let findings = web.call("doctor --json").run().ended(8).json();
    for finding in findings["findings"].as_array().unwrap() {
        assert!(finding["fix"].is_string(), "{finding}");
    }
    let planned = web.call("doctor --fix --json").run().ended(7).json();
    let plan: Vec<String> = planned["plan"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(plan.len(), 3, "{plan:?}");
    assert!(plan.iter().filter(|line| line.starts_with("put aside: ")).count() == 2, "{plan:?}");
    assert!(plan.iter().any(|line| line.starts_with("record: .swift/tasks/mine.md")), "{plan:?}");
    let shown = web.swift("doctor --fix");
    assert!(shown.stdout.contains("left to you:\n  warning: .swift/tasks/newer.md"), "{shown:?}");
    let done = web.swift("sesame");
    assert!(done.ended(8).stdout.contains("newer.md") && !done.stderr.contains("doctor --fix"), "{done:?}");
    assert_eq!(done.stdout.matches("put aside: ").count(), 2, "{done:?}");
}

#[test]
fn a_task_whose_file_cannot_be_read_is_waited_for_all_the_same() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let first = add(&web, ".", "first");
    let second = web.json(["task", ".", "second", "--after", &first]);
    let second = second["task"]["id"].as_str().unwrap();
    let path = format!(".swift/{}", copies(&web, &first).remove(0));
    let whole = web.read(&path);
    web.write(&path, whole.replacen("title", "after = []\nafter = []\ntitle", 1));
    for repair in ["doctor", "doctor --fix sesame"] {
        let told = web.swift(repair);
        assert!(told.ended(8).stdout.contains("whose file in acme/web cannot be read"), "{told:?}");
        assert!(!told.stdout.contains("--clear after"), "{told:?}");
        let refused = web.swift(["claim", second]);
        assert!(refused.ended(5).stderr.contains("cannot be read"), "{refused:?}");
        assert!(!refused.stderr.contains("--clear after"), "{refused:?}");
    }
}

#[test]
fn marks_of_git_in_a_text_of_nobody_lead_to_an_editor() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let marked = "+++\ntitle = \"n\"\n+++\n<<<<<<< a\nb\n=======\nc\n>>>>>>> d\n";
    web.write(".swift/tasks/marks.md", marked);
    for verb in ["list --json", "next --json", "doctor --json"] {
        let told = web.swift(verb).stdout;
        assert!(told.contains("edit `.swift/tasks/marks.md`") && !told.contains("swift resolve"), "{told}");
    }
    let told = web.swift("resolve");
    assert!(told.ended(8).stdout.contains("edit `.swift/tasks/marks.md`"), "{told:?}");
    web.swift("sesame").ended(3);
    // With an id in it, there are rules.
    let id = "01kjpwdder5819aeqbe1kkwaeb";
    web.write(".swift/tasks/marks.md", marked.replace("title", &format!("id = \"{id}\"\ntitle")));
    assert!(web.swift("list --json").stdout.contains("`swift resolve` makes one text"));
    web.swift_ok("resolve sesame");
}
