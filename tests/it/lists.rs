//! Lists show what was asked for, and say so when there is nothing of that name.

use crate::sandbox::Sandbox;
use crate::world::{World, add, text};

#[test]
fn a_project_is_found_in_lists_under_each_of_its_names() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.hub.swift_ok("register ../api --alias backend");
    add(&world.web, "acme/api", "by id");
    add(&world.web, "backend", "by alias");
    add(&world.web, "acme/hub", "to another");
    add(&world.web, ".", "own");
    world.web.write(".swift/tasks/hand.md", "+++\ntitle = \"by hand\"\n+++\n");
    let count = |name: &str| world.web.json(["list", "-p", name])["tasks"].as_array().unwrap().len();
    assert_eq!((count("acme/api"), count("backend"), count("acme/hub")), (2, 2, 1));
    assert_eq!((count("."), count("acme/web")), (5, 5));

    let settings = world.web.read(".swift/swift.toml").replace("\"acme/web\"", "\"shop/front\"");
    world.web.write(".swift/swift.toml", settings.replace("aliases = []", "aliases = [\"acme/web\"]"));
    assert_eq!((count("."), count("shop/front"), count("acme/web")), (5, 5, 5));

    let unknown = world.web.swift("list -p acme/nosuch");
    assert_eq!(unknown.status, 3, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("no project `acme/nosuch` is known here"), "{}", unknown.stderr);
    assert_eq!(world.api.json("list -p acme/web")["tasks"].as_array().unwrap().len(), 0);
}

#[test]
fn a_list_of_none_is_refused() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "there");
    for line in ["next -n 0", "log -n 0", "next -n -1", "log -n many"] {
        assert_eq!(web.swift(line).status, 2, "{line}");
    }
    assert!(web.swift_ok("next -n 1").contains("there"));
}

#[test]
fn labels_and_dependencies_are_added() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = text(&web.json("task . L --label a,b --label c")["task"]["id"]);
    let [one, two] = ["one", "two"].map(|title| add(&web, ".", title));
    web.swift_ok(["edit", &id, "--label", "d,a", "--after", &one]);
    web.swift_ok(["edit", &id, "--after", &two]);
    let task = web.json(["show", &id]);
    assert_eq!(task["task"]["labels"], serde_json::json!(["a", "b", "c", "d"]), "{task:#}");
    assert_eq!(task["task"]["after"], serde_json::json!([one, two]), "{task:#}");
    web.swift_ok(["edit", &id, "--clear", "labels", "--label", "e"]);
    assert_eq!(web.json(["show", &id])["task"]["labels"], serde_json::json!(["e"]));
}

#[test]
fn an_editor_that_is_set_to_nothing_is_none() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let edited = web.call("task . --edit").env("VISUAL", "").env("EDITOR", "true").run();
    assert!(edited.stderr.contains("nothing was written"), "{}", edited.stderr);
    let edited = web.call("task . --edit").env("VISUAL", " ").env("EDITOR", "").run();
    assert!(edited.stderr.contains("no editor is set"), "{}", edited.stderr);
}

#[test]
fn a_task_that_is_there_and_cannot_be_read_is_no_missing_one() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = text(&web.json("task . newer")["task"]["id"]);
    let path = crate::world::copies(&web, &id).remove(0);
    let file = web.read(&format!(".swift/{path}")).replace("schema = 1", "schema = 2");
    web.write(&format!(".swift/{path}"), file);
    for line in [format!("claim {id}"), format!("show {}", &id[10..16]), format!("done {}", &id[10..16])] {
        let output = web.swift(line.as_str());
        assert_eq!(output.status, 9, "{line}: {}", output.stderr);
        assert!(output.stderr.contains("newer"), "{line}: {}", output.stderr);
    }
}

#[test]
fn a_task_that_somebody_else_holds_is_refused_before_the_editor_opens() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "Held");
    web.swift_ok(["--actor", "bob", "claim", &id]);
    // One that opened would end the verb with a word of its own.
    let edited = web.call(["edit", &id]).env("EDITOR", "false").run();
    assert!(edited.ended(4).stderr.contains("bob") && !edited.stderr.contains("editor"), "{}", edited.stderr);
}

#[test]
fn what_a_project_is_told_to_do_about_others_it_can_do() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.round();
    let follow = |offered: &serde_json::Value| {
        let root = sandbox.root().path("").display().to_string();
        let offered = text(offered).replace("$SANDBOX/", &root);
        let words = shell_words::split(&offered).unwrap();
        world.web.swift_ok(words[1..].to_vec());
        offered
    };
    let next = world.web.json("next --all");
    assert!(follow(&next["next_actions"][1]).ends_with("hub projects"), "{next:#}");
    let from_afar = sandbox.root().json(["-C", "live/web", "next", "--all"]);
    follow(&from_afar["next_actions"][1]);
    // Where it lies now is told in the orchestrator's checkout.
    world.folder().program("mv", "api api-x").run().ok();
    let problems = world.web.json("next --all")["problems"].clone();
    let hint = text(&problems[0]["hints"][0]);
    let command = hint.split('`').nth(1).unwrap();
    assert!(command.contains(" -C "), "{problems:#}");
    let root = sandbox.root().path("").display().to_string();
    let command = command.replace("$SANDBOX/", &root).replace("<path>", "../api-x");
    world.web.swift_ok(shell_words::split(&command).unwrap()[1..].to_vec());
    assert_eq!(world.web.json("next --all")["problems"], serde_json::json!([]));
    // A project that nobody carries for has none.
    let alone = sandbox.project("alone");
    assert_eq!(alone.json("next --all")["next_actions"][1], "swift next");
}

#[test]
fn an_edit_that_changes_nothing_is_no_event_and_a_blocked_task_is_let_go_on_first() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "Paint");
    let head = web.git("rev-parse swift");
    for words in ["--priority medium", "--title Paint"] {
        let said = web.swift_ok(format!("edit {id} {words}").as_str());
        assert!(said.starts_with("nothing changed in "), "{said}");
        assert_eq!(web.json(format!("edit {id} {words}").as_str())["changed"], false, "{words}");
        assert_eq!(web.git("rev-parse swift"), head, "{words}");
    }
    let unedited = web.call(["edit", &id]).env("EDITOR", "true").run();
    assert!(unedited.ok().starts_with("nothing changed in "), "{}", unedited.stdout);
    assert_eq!(web.git("rev-parse swift"), head, "an editor that was closed");
    let events = web.json("log")["events"].to_string();
    assert!(!events.contains("task.edited"), "{events}");
    assert_eq!(web.json(["edit", &id, "--priority", "high"])["changed"], true);
    web.swift_ok(["block", &id, "--why", "no paint"]);
    for verb in ["release", "renew"] {
        let refused = web.swift([verb, &id]);
        let command = refused.ended(5).stderr.split('`').nth(1).unwrap().to_owned();
        assert!(command.starts_with("swift unblock "), "{verb}: {}", refused.stderr);
    }
}
