//! What strangers have tried, and what once went wrong.

use std::fs;

use crate::sandbox::Sandbox;
use crate::world::{World, add};

#[test]
fn a_registry_holds_no_password_of_a_remote() {
    let sandbox = Sandbox::new();
    let hub = sandbox.repository("hub");
    hub.swift_ok("init --orchestrator --id acme/hub");
    let api = sandbox.repository("api");
    api.git("remote add origin https://x-access-token:ghp_SECRET123@github.com/acme/api.git");
    api.swift_ok("init");
    hub.swift_ok("register ../api");
    hub.swift_ok("register https://user:tok@host.example/x/y.git");
    hub.swift_ok("register ssh://git@host.example/x/z.git");
    let log = hub.git("-C .swift log --patch");
    assert!(!log.contains("SECRET123") && !log.contains("tok@"), "{log}");
    assert!(
        log.contains("https://github.com/acme/api.git") && log.contains("ssh://git@host.example/x/z.git")
    );
}

#[test]
fn an_alias_is_no_other_projects_id() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let refused = world.hub.swift("register ../api --alias acme/web");
    assert_eq!(refused.status, 4, "{}", refused.stderr);
}

#[test]
fn a_receiver_whose_verbs_commit_later_has_committed_what_was_delivered() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let settings = world.api.read(".swift/swift.toml");
    world.api.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
    world.letter("Do it");
    world.round();
    assert!(world.api.git("-C .swift ls-files inbox").contains("do-it"), "it is committed");
    assert_eq!(world.api.git("-C .swift status --porcelain"), "");
}

#[test]
fn words_are_looked_for_in_title_labels_and_text_alone() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.swift_ok(["task", ".", "Paint", "--body", "the back door"]);
    let found = |word: &str| web.json(["search", word])["tasks"].as_array().unwrap().len();
    assert_eq!((found("door"), found("paint"), found("created"), found("priority")), (1, 1, 0, 0));
}

#[test]
fn names_of_files_are_shown_escaped() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/tasks/n \u{1b}[31m\u{7}.md", "bad");
    web.write(".swift/tasks/bidi \u{202e}.md", "bad");
    web.write(".swift/tasks/ok \u{1b}[31m.md", "+++\ntitle = \"ok\"\n+++\n");
    for verb in ["doctor", "doctor --fix --dry-run", "doctor --footprint", "list", "claim", "undo", "status"]
    {
        let output = web.swift(verb);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{verb}: {said:?}");
    }
}

#[test]
fn a_name_that_git_would_trim_is_trimmed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.git(["config", "user.name", "Jörg <x>"]);
    web.git(["config", "user.email", "<j@example.com>"]);
    add(&web, ".", "One");
    assert_eq!(web.git("-C .swift log -1 --format=%an|%ae").trim(), "Jörg x|j@example.com");
}

#[test]
fn a_text_without_end_is_refused_at_the_limit() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let refused = web.swift("task . Endless --file /dev/zero");
    assert!(refused.stderr.contains("which is the limit"), "{}", refused.stderr);
    fs::write(web.path("nul"), "a\0b").unwrap();
    assert_eq!(web.swift("task . Nul --file nul").status, 2);
}

#[test]
fn somebody_without_a_name_in_the_environment_acts_all_the_same() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let named = web.call("task . One").without("USER").without("LOGNAME").run();
    assert_eq!(named.status, 0, "{}", named.stderr);
}

#[test]
fn no_place_on_this_machine_is_committed_with_the_registry() {
    let sandbox = Sandbox::new();
    let hub = sandbox.repository("hub");
    hub.swift_ok("init --orchestrator --id acme/hub");
    let web = sandbox.project("web");
    let remotes = [web.path("").display().to_string(), format!("file://{}", web.path("").display())];
    for (n, remote) in remotes.iter().map(String::as_str).chain(["../srv:x/web.git"]).enumerate() {
        let clone = sandbox.repository(&format!("clone-{n}"));
        clone.git(["remote", "add", "origin", remote]);
        clone.swift_ok(format!("init --id acme/clone-{n}").as_str());
        hub.swift_ok(format!("register ../clone-{n}").as_str());
        assert!(!hub.read(&format!(".swift/projects/acme__clone-{n}.toml")).contains("url ="), "{remote}");
        let refused = hub.swift(["register", &format!("file://{remote}"), "--id", "acme/other"]);
        assert_eq!(refused.status, 2, "{}{}", refused.stdout, refused.stderr);
        // What a former version has committed goes out again.
        let path = format!(".swift/projects/acme__clone-{n}.toml");
        hub.write(&path, format!("{}url = \"{remote}\"\n", hub.read(&path)));
        hub.swift_ok(format!("register ../clone-{n}").as_str());
        assert!(!hub.read(&path).contains(remote), "{remote}");
    }
    assert_eq!(hub.git("-C .swift status --porcelain"), "");
}
