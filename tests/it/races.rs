//! Many at the same moment: one wins, the others are told, and nothing is lost.

use std::fs;

use jiff::SignedDuration;

use crate::sandbox::{Output, Place, Sandbox, until};
use crate::together::{processes, together};
use crate::world::{add, copies, sound, text};

/// A project with one task of its own.
fn one_task(sandbox: &Sandbox) -> (Place<'_>, String) {
    let web = sandbox.project("web");
    let id = add(&web, ".", "the one");
    (web, id)
}

#[test]
fn one_of_eight_claims_the_task() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    for in_tree in [false, true] {
        let (place, id) = if in_tree {
            let place = sandbox.repository("tree");
            place.swift_ok("init --in-tree --id acme/tree");
            let id = add(&place, ".", "the one");
            (place, id)
        } else {
            (web.clone(), id.clone())
        };
        let outputs = processes(&place, 8, |n| {
            ["claim", &id, "--actor", &format!("agent-{n}"), "--json"].map(str::to_owned)
        });
        let (won, lost): (Vec<_>, Vec<_>) = outputs.iter().partition(|output| output.status == 0);
        assert_eq!((won.len(), lost.len()), (1, 7));
        let holder = text(&won[0].json()["lease"]["holder"]);
        for output in lost {
            let error = output.ended(4).json_error();
            assert_eq!(error["error"]["code"], "claimed");
            assert!(text(&error["error"]["message"]).contains(&holder), "{error}");
        }
        sound(&place, "after the race");
    }
}

#[test]
fn claims_without_a_reference_take_different_tasks() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for n in 0..4 {
        add(&web, ".", &format!("task {n}"));
    }
    let outputs =
        processes(&web, 6, |n| ["claim", "--actor", &format!("agent-{n}"), "--json"].map(str::to_owned));
    let mut taken: Vec<_> =
        outputs.iter().filter(|o| o.status == 0).map(|o| text(&o.json()["lease"]["task"])).collect();
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 4);
    assert_eq!(outputs.iter().filter(|output| output.status != 0).count(), 2);
    sound(&web, "after the race");
}

#[test]
fn two_hundred_tasks_from_eight_at_once_are_all_there() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let mut ids = Vec::new();
    for _ in 0..25 {
        for output in processes(&web, 8, |n| ["task", ".", &format!("by {n}"), "--json"].map(str::to_owned)) {
            output.ok();
            ids.push(text(&output.json()["task"]["id"]));
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    let committed = web.git("ls-tree -r --name-only swift");
    assert!(ids.iter().all(|id| committed.contains(id.as_str())));
    assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 200);
    assert_eq!(web.git("rev-list --count swift").trim(), "201", "one commit for each");
    sound(&web, "after two hundred");
}

#[test]
fn a_task_is_finished_once() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    let outputs = processes(&web, 6, |n| ["done", &id, "--result", &format!("by {n}")].map(str::to_owned));
    assert_eq!(outputs.iter().filter(|output| output.status == 0).count(), 1);
    for output in outputs.iter().filter(|output| output.status != 0) {
        assert!(output.ended(4).stderr.contains("has ended already"), "{}", output.stderr);
    }
    assert_eq!(copies(&web, &id).len(), 1);
    assert_eq!(web.swift(["done", &id]).status, 4);
    sound(&web, "after the race");
}

#[test]
fn one_claim_is_one_attempt_and_ends_once() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    web.swift_ok(["claim", &id]);
    let outputs = processes(&web, 6, |n| {
        ["fail", &id, "--token", "1", "--why", &format!("by {n}"), "--json"].map(str::to_owned)
    });
    assert_eq!(outputs.iter().filter(|output| output.status == 0).count(), 1);
    for output in outputs.iter().filter(|output| output.status != 0) {
        assert_eq!(output.ended(4).json_error()["error"]["code"], "lease-lost");
    }
    assert_eq!(web.json(["show", &id])["task"]["state"], "ready");
    let file = || web.read(&format!(".swift/{}", copies(&web, &id)[0]));
    assert!(file().contains("attempts = 1\n"), "{}", file());
    for verb in ["fail --why x", "block --why x"] {
        let (verb, rest) = verb.split_once(' ').unwrap_or((verb, ""));
        web.swift(format!("{verb} {id} {rest} --token 1").as_str()).ended(4);
    }
    web.swift_ok(["fail", &id, "--why", "a person says so of a task that nobody holds"]);
    assert!(file().contains("attempts = 2\n"), "{}", file());
    web.swift_ok(["done", &id, "--token", "1"]);
    sound(&web, "after the race");
}

#[test]
fn who_comes_too_late_for_a_task_or_an_operation_is_told_so_and_not_that_it_is_not_there() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    let lost = |outputs: &[Output]| {
        assert_eq!(outputs.iter().filter(|output| output.status == 0).count(), 1);
        for output in outputs.iter().filter(|output| output.status != 0) {
            let code = text(&output.ended(4).json_error()["error"]["code"]);
            assert_eq!(code, "overtaken", "{}", output.stderr);
        }
    };
    let at_once = |words: &[&str]| {
        let words: Vec<String> = words.iter().chain(&["--json"]).map(|word| (*word).to_owned()).collect();
        processes(&web, 8, |_| words.clone())
    };
    web.write(".swift/inbox/came.md", "+++\ntitle = \"Came\"\nfrom = \"acme/api\"\n+++\n");
    web.swift_ok("doctor --fix sesame");
    let came = text(&web.json("list --state inbox")["tasks"][0]["id"]);
    lost(&at_once(&["inbox", "accept", &came]));
    let said = web.swift(["inbox", "refuse", &came, "--why", "late"]).ended(4).stderr.clone();
    assert!(said.contains("is not in inbox any more: `task.accepted` by `"), "{said}");

    for _ in 0..3 {
        web.swift_ok(["fail", &id, "--why", "no"]);
    }
    web.swift(["claim", &id]).ended(4);
    lost(&at_once(&["redrive", &id]));
    web.swift_ok(["done", &id]);
    let said = web.swift(["claim", &id]).ended(4).stderr.clone();
    assert!(said.contains("`task.done` by `"), "{said}");

    let gone = add(&web, ".", "gone");
    web.swift_ok("undo");
    let said = web.swift(["claim", &gone]).ended(4).stderr.clone();
    assert!(said.contains("`operation.undone` by `"), "{said}");
    web.swift(["show", &gone[10..16]]).ended(4);

    let operation = text(&web.json(["log", &id])["events"][0]["operation"]);
    lost(&at_once(&["undo", &operation, "sesame"]));
    // What never was there is not there, and who asks for any task is told that there is none.
    web.swift(["redrive", &came]).ended(3);
    web.swift("inbox accept zzzz").ended(3);
    web.swift_ok(["done", &id]);
    web.swift_ok(["done", &came]);
    web.swift("claim").ended(3);
    sound(&web, "after the races");
}

#[test]
fn what_speaks_against_an_undo_is_looked_at_again_when_the_other_process_is_done() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    let operation = text(&web.json(["log", &id])["events"][0]["operation"]);
    let file = web.path(&format!(".swift/{}", copies(&web, &id)[0]));
    let content = fs::read(&file).unwrap();
    // Another process is in the middle of something.
    let lock = fs::File::open(web.path(".git")).unwrap();
    lock.lock().unwrap();
    fs::remove_file(&file).unwrap();
    let mut undo = web.call(["undo", &operation, "sesame"]).start();
    let waits = |pid: u32| {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&format!(" {pid} ")))
    };
    until("it waits for the lock, or has ended", || waits(undo.pid()) || !undo.said().is_empty());
    // It could not be done, and is taken back.
    fs::write(&file, content).unwrap();
    drop(lock);
    assert_eq!(undo.ends(), 0, "{}", undo.said());
    assert!(copies(&web, &id).is_empty());
    sound(&web, "taken back");
}

#[test]
fn edits_at_once_all_happen_one_after_the_other() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    let outputs = processes(&web, 6, |n| match n {
        0 => ["edit", &id, "--priority", "high"].map(str::to_owned),
        1 => ["edit", &id, "--effort", "S"].map(str::to_owned),
        n => ["edit", &id, "--title", &format!("title {n}")].map(str::to_owned),
    });
    outputs.iter().for_each(|output| drop(output.ok()));
    let task = &web.json("list")["tasks"][0];
    assert_eq!((task["priority"].as_str(), task["effort"].as_str()), (Some("high"), Some("S")));
    assert!(text(&task["title"]).starts_with("title "));
    assert_eq!(copies(&web, &id).len(), 1);
    sound(&web, "after the race");
}

#[test]
fn comments_at_once_are_all_kept() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    processes(&web, 6, |n| ["comment", &id, &format!("word {n}")].map(str::to_owned))
        .iter()
        .for_each(|o| drop(o.ok()));
    let file = web.read(&format!(".swift/{}", copies(&web, &id)[0]));
    assert!((0..6).all(|n| file.contains(&format!("word {n}"))), "{file}");
    sound(&web, "after the race");
}

#[test]
fn undo_and_claim_at_once_leave_one_truth() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for round in 0..4 {
        let id = add(&web, ".", "the one");
        let outputs = together(vec![web.call("undo sesame"), web.call(["claim", &id])]);
        let ended = (outputs[0].status, outputs[1].status);
        let there = copies(&web, &id).len();
        // Undone first: no task to claim any more. Claimed first: the claim is what was undone, or undo is refused.
        match ended {
            (0, 4) => assert_eq!(there, 0, "round {round}"),
            (0, 0) | (4 | 5, 0) => assert_eq!(there, 1, "round {round}"),
            _ => panic!("round {round}: {ended:?}\n{}{}", outputs[0].stderr, outputs[1].stderr),
        }
        sound(&web, "after undo and claim");
        if there == 1 {
            web.swift_ok(["done", &id]);
        }
    }
}

#[test]
fn a_late_former_holder_is_refused_by_its_token() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    let token = |args: &[&str]| {
        let mut all = vec!["claim".to_owned(), id.clone()];
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        web.json(all)["lease"]["token"].as_u64().unwrap()
    };
    assert_eq!(token(&["--actor", "ann"]), 1);
    sandbox.later(SignedDuration::from_hours(1));
    assert_eq!(token(&["--actor", "bob"]), 2);
    for late in ["done", "fail --why x", "release", "renew", "block --why x"] {
        let (verb, rest) = late.split_once(' ').unwrap_or((late, ""));
        let command = format!("{verb} {id} {rest} --token 1 --actor ann --json");
        let error = web.swift(command.as_str()).ended(4).json_error();
        assert_eq!(error["error"]["code"], "lease-lost", "{error}");
        let command = format!("{verb} {id} {rest} --actor ann --json");
        let error = web.swift(command.as_str()).ended(4).json_error();
        assert!(text(&error["error"]["message"]).contains("bob"), "{error}");
    }
    web.swift_ok(format!("done {id} --token 2 --actor bob").as_str());
    sound(&web, "after the late holder");
}

#[test]
fn leases_of_one_name_differ_by_token() {
    let sandbox = Sandbox::new();
    let (web, id) = one_task(&sandbox);
    web.swift_ok(["claim", &id]);
    sandbox.later(SignedDuration::from_hours(1));
    web.swift_ok(["claim", &id]);
    web.swift(["done", &id, "--token", "1"]).ended(4);
    web.swift(["done", &id, "--token", "2"]).ok();
}

#[test]
fn starts_at_the_same_moment_open_one_session_and_one_finish_ends_it() {
    let sandbox = Sandbox::new();
    let (web, _) = one_task(&sandbox);
    let by = |verb: &str, n: usize| [verb, "--json", "--actor", &format!("agent-{n}")].map(str::to_owned);
    let outputs = processes(&web, 4, |n| by("start", n));
    let started: Vec<_> = outputs.iter().map(|output| output.json()).collect();
    let opened = started.iter().filter(|situation| situation["opened"] == true);
    assert_eq!(opened.count(), 1, "{started:#?}");
    assert!(started.iter().all(|situation| situation["session"] == started[0]["session"]), "{started:#?}");

    let outputs = processes(&web, 4, |n| by("finish", n));
    assert_eq!(outputs.iter().filter(|output| output.status == 0).count(), 1, "{outputs:#?}");
    assert!(outputs.iter().all(|output| output.status == 0 || output.status == 5), "{outputs:#?}");
    let events = web.json("log -n 100");
    let of_kind = |kind: &str| {
        events["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).count()
    };
    assert_eq!((of_kind("session.started"), of_kind("session.finished")), (1, 1), "{events:#}");
    sound(&web, "after the sessions");
}

#[test]
fn projects_that_are_registered_at_the_same_moment_are_all_reached() {
    let sandbox = Sandbox::new();
    let hub = sandbox.repository("hub");
    hub.swift_ok("init --orchestrator --id acme/hub");
    let names: Vec<_> = (0..8).map(|n| format!("p{n}")).collect();
    for name in &names {
        sandbox.repository(name).swift_ok(format!("init --id acme/{name}").as_str());
    }
    for output in processes(&hub, 8, |n| ["register".to_owned(), format!("../{}", names[n])]) {
        output.ok();
    }
    let all = hub.json("projects");
    let reached = all["projects"].as_array().unwrap().iter().filter(|project| project["reachable"] == true);
    assert_eq!(reached.count(), 8, "{all:#}");
    sound(&hub, "after the projects");
}
