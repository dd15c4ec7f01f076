//! `.swift.example/`: a whole queue with something in every folder, made by the program and readable on its own.
//!
//! With `SWIFT_BLESS` set it is made anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::sandbox::{Place, Sandbox};

/// Every file below a folder, with its bytes; without what belongs to one machine or to git.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(folder.join(&path)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let inner = if path.is_empty() { name } else { format!("{path}/{name}") };
            match entry.file_type().unwrap().is_dir() {
                true if inner != "local" => waiting.push(inner),
                false if inner != ".git" => drop(found.insert(inner, fs::read(entry.path()).unwrap())),
                _ => {}
            }
        }
    }
    found
}

/// The id of the newest task with this title, wherever it lies.
fn id(place: &Place<'_>, title: &str) -> String {
    let list = place.json("list --state any");
    let tasks = list["tasks"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["title"] == title).unwrap_or_else(|| panic!("no `{title}`"));
    task["id"].as_str().unwrap().to_owned()
}

/// A day in the life of an orchestrator that has work of its own.
fn make(sandbox: &Sandbox) -> Place<'_> {
    let (web, api, hub) = (sandbox.project("web"), sandbox.project("api"), sandbox.orchestrator());
    hub.swift_ok("register ../web --alias shop");
    hub.swift_ok("register ../api");
    hub.write(".swift/templates/release.md", "+++\nschema = 1\ntitle = \"\"\nkind = \"release\"\neffort = \"L\"\n+++\n\n## Version\n\n## Announced\n\n- [ ]\n");
    hub.swift_ok("start");
    hub.swift_ok("task . 'Write the release notes' --template release --due 2026-03-20");
    hub.swift_ok("task . 'Agree on an error format' --kind question --priority high --label api,http");
    hub.swift_ok([
        "task",
        ".",
        "Tell everybody",
        "--body",
        "In the usual channels.",
        "--after",
        &id(&hub, "Write the release notes"),
    ]);
    hub.swift_ok("task . 'Order cake' --effort S");
    hub.swift_ok("task acme/api 'Add rate limiting' --kind feature --priority high --body 'At most 100 requests a minute, then 429.'");
    hub.swift_ok("task shop 'Show a message when the limit is reached'");
    web.swift_ok("task acme/hub 'Who reviews the release?' --kind question");
    hub.swift_ok("outbox sesame");
    web.swift_ok([
        "inbox",
        "refuse",
        &id(&web, "Show a message when the limit is reached"),
        "--why",
        "The shop has no limit",
    ]);
    api.swift_ok("inbox sesame");
    api.swift_ok("claim");
    api.swift_ok(["done", &id(&api, "Add rate limiting"), "--result", "429 after 100 requests a minute"]);
    hub.swift_ok("outbox sesame");
    hub.swift_ok(["claim", &id(&hub, "Agree on an error format"), "--lease", "365d"]);
    hub.swift_ok(["comment", &id(&hub, "Agree on an error format"), "RFC 9457 looks right."]);
    hub.swift_ok(["block", &id(&hub, "Write the release notes"), "--why", "The version is not decided"]);
    let cake = id(&hub, "Order cake");
    hub.swift_ok(["claim", &cake]);
    hub.swift_ok(["done", &cake, "--result", "Friday at four"]);
    hub.swift_ok("task . 'Find the old server' --priority low");
    let server = id(&hub, "Find the old server");
    for why in ["Not in the cellar", "Not in the attic", "Nobody remembers it"] {
        hub.swift_ok(["claim", &server]);
        hub.swift_ok(["fail", &server, "--why", why]);
    }
    hub.swift_ok("finish --learned 'Ask for the version before writing notes'");
    hub.swift_ok("task acme/web 'Link the release notes'");
    hub
}

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".swift.example")
}

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), bytes).unwrap();
    }
}

#[test]
fn the_example_is_what_the_program_makes() {
    let sandbox = Sandbox::new();
    let made = files(&make(&sandbox).path(".swift"));
    if std::env::var_os("SWIFT_BLESS").is_some() {
        fs::remove_dir_all(example()).ok();
        write(&example(), &made);
    }
    let there = files(&example());
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&there), "`SWIFT_BLESS=1 cargo test --test it` makes the example anew");
    for (path, bytes) in &made {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(bytes), text(&there[path]), "{path}");
    }
    for folder in
        ["audit", "dead", "done", "inbox", "outbox", "projects", "sent", "sessions", "tasks", "templates"]
    {
        assert!(made.keys().any(|path| path.starts_with(&format!("{folder}/"))), "nothing in {folder}");
    }
}

/// Anybody can put the folder into a repository and has a queue.
#[test]
fn the_example_is_a_queue_on_its_own() {
    if std::env::var_os("SWIFT_BLESS").is_some() {
        return; // It is being made anew next door.
    }
    let sandbox = Sandbox::new();
    let place = sandbox.repository("copy");
    write(&place.path(".swift"), &files(&example()));
    place.git("add .swift");
    place.git("commit --quiet --message Example");

    let list = place.json("list --state any");
    assert_eq!(list["problems"].as_array().unwrap().len(), 0, "{list}");
    let tasks = list["tasks"].as_array().unwrap();
    let states: Vec<&str> = tasks.iter().map(|task| task["state"].as_str().unwrap()).collect();
    for state in ["ready", "claimed", "blocked", "inbox", "outbox", "sent", "done", "dead"] {
        assert!(states.contains(&state), "no task is {state}: {states:?}");
    }
    for task in tasks {
        let card = place.json(["show", task["id"].as_str().unwrap()]);
        assert_eq!(card["task"]["title"], task["title"]);
    }
    assert_eq!(place.json("audit verify")["findings"].as_array().unwrap().len(), 0);
    // Where the registered projects lie is told to each machine anew; nothing else is amiss.
    let doctor = place.swift("doctor --json").json();
    let findings = doctor["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["code"] == "unreachable"), "{doctor}");

    place.swift_ok("task . 'It goes on'");
    place.swift_ok("inbox sesame");
    assert_eq!(place.git("status --porcelain"), "");
}
