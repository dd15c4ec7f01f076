//! What strangers have tried, and what once went wrong.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, codes, sound, text};

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
fn what_was_done_is_told_where_its_result_cannot_be_written() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let told = |words: &str| {
        let call = web.call(words).under(&["sh", "-c", "exec \"$@\" >/dev/full", "sh"]);
        call.run().ended(9).stderr.clone()
    };
    let said = told("task . Full");
    let list = web.swift_ok("list");
    let id = list.split(' ').next().unwrap();
    assert!(said.contains("; the command is done all the same, as operation "), "{said}");
    assert!(said.contains(&format!(": task.created {id}\n")), "{said}");
    assert!(said.contains("would do it a second time"), "{said}");
    assert!(said.contains(&format!("`swift show {id}`")), "{said}");
    let said = told("claim --json");
    assert!(said.contains("\"code\":\"output\"") && said.contains("\"retryable\":false"), "{said}");
    assert!(said.contains(&format!("task.claimed {id}")), "{said}");
    for nothing in ["list", "next --json", "task . Rehearsed --dry-run", "log"] {
        let said = told(nothing);
        assert!(said.contains("stdout cannot be written") && !said.contains("is done"), "{nothing}: {said}");
    }
    assert_eq!(web.swift_ok("list").lines().count(), 1);
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

/// Change one line of a project's settings by hand.
fn set(place: &Place<'_>, from: &str, to: &str) {
    let settings = place.read(".swift/swift.toml");
    assert!(settings.contains(from), "{settings}");
    place.write(".swift/swift.toml", settings.replace(from, to));
}

#[test]
fn what_waits_for_a_session_that_is_not_open_is_committed_by_the_commands_of_the_note() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    set(&web, "commit = \"each\"", "commit = \"session\"");
    let said = web.swift("task . 'Do it'");
    let said = format!("{}{}", said.stdout, said.stderr);
    assert!(
        said.contains("`swift start` opens a session, and its `swift finish` makes the commit"),
        "{said}"
    );
    assert_ne!(web.git("-C .swift status --porcelain"), "");
    web.swift_ok("start");
    web.swift_ok("finish");
    assert_eq!(web.git("-C .swift status --porcelain"), "");
}

#[test]
fn the_log_of_what_waited_is_anchored_in_its_commit() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    set(&web, "commit = \"each\"", "commit = \"manual\"");
    web.swift_ok("task . A");
    web.swift_ok("task . B");
    set(&web, "commit = \"manual\"", "commit = \"each\"");
    web.swift_ok("task . C");
    let message = web.git("log -1 --skip 1 --format=%B swift");
    assert!(message.starts_with("swift: record what waited: 2 tasks (created)\n"), "{message}");
    let anchor = message.lines().find_map(|line| line.strip_prefix("Swift-Audit: ")).unwrap();
    let (path, hash) = anchor.rsplit_once('#').unwrap();
    assert!(web.git(["show", &format!("swift~1:{path}")]).trim_end().ends_with(&format!("\"{hash}\"")));
    web.swift_ok("audit verify");
}

#[test]
fn a_commit_of_what_waited_says_what_that_was() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "Paint");
    set(&web, "commit = \"each\"", "commit = \"manual\"");
    web.swift_ok(["claim", &id]);
    web.swift_ok(["done", &id]);
    set(&web, "commit = \"manual\"", "commit = \"each\"");
    web.swift_ok("task . C");
    let short = id[10..16].to_owned();
    let subject = web.git("log -1 --skip 1 --format=%s swift");
    assert_eq!(subject.trim(), format!("swift: record what waited: claimed, done {short} Paint"));
}

#[test]
fn an_editor_that_is_not_asked_or_does_not_start_is_told() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for [option, value] in [["--body", "text"], ["--file", "text.md"]] {
        let refused = web.swift(["task", ".", "Z", "--edit", option, value]);
        assert_eq!(refused.status, 2, "{}{}", refused.stdout, refused.stderr);
    }
    let scratch = sandbox.place("scratch");
    let failed = web
        .call("task . Z --edit")
        .env("EDITOR", "/nonexistent/editor")
        .env("TMPDIR", scratch.path("").to_str().unwrap())
        .run();
    failed.ended(9);
    assert_eq!(fs::read_dir(scratch.path("")).unwrap().count(), 0);
    assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 0);
}

#[test]
fn an_accepted_task_is_not_sent_on_by_an_edit_and_doctor_names_one_that_lies_astray() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.web, ".", "Mine");
    let editor = "sed -i s,^to\\ =.*,to\\ =\\ \\\"acme/api\\\",";
    let refused = world.web.call(["edit", &id]).env("EDITOR", editor).run();
    assert!(refused.ended(2).stderr.contains("does not go on to `acme/api`"), "{}", refused.stderr);
    sound(&world.web, "refused");
    world.web.write(".swift/tasks/x.md", "+++\ntitle = \"Astray\"\nto = \"acme/api\"\n+++\n");
    world.web.swift_ok("start");
    let findings = world.web.swift("doctor --json").json();
    let found = codes(&findings["findings"]);
    assert_eq!(found, ["astray"], "{findings:#}");
    // As told.
    let fix = findings["findings"][0]["fix"].as_str().unwrap().split('`').nth(1).unwrap().to_owned();
    world.web.program("sh", ["-c", &fix]).run().ok();
    world.hub.swift_ok("outbox sesame");
    let came = world.api.swift("inbox --json").json();
    assert_eq!(came["waiting"][0]["title"], "Astray", "{came:#}");
    sound(&world.web, "carried");
}

#[test]
fn a_whole_task_for_somebody_else_is_not_taken_for_ones_own() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let web = &world.web;
    let whole = |to: &str| format!("+++\ntitle = \"Whole\"\nto = \"{to}\"\n+++\n");
    for (words, said) in [("task . --file -", "acme/api"), ("task acme/lib --file -", "acme/api")] {
        let refused = web.call(words).stdin(whole(said)).run();
        assert!(refused.ended(2).stderr.contains("swift task acme/api …"), "{}", refused.stderr);
    }
    let editor = "sed -i s,^title.*,title=\\\"E\\\"\\\\nto=\\\"acme/api\\\",";
    let refused = web.call("task . --edit").env("EDITOR", editor).run();
    assert!(refused.ended(2).stderr.contains("your text is kept in"), "{}", refused.stderr);
    assert_eq!(web.json("list --state any")["tasks"], serde_json::json!([]));
    web.call("task acme/api --file -").stdin(whole("acme/api")).run().ok();
    web.call("task . --file -").stdin(whole("acme/web")).run().ok();
    // A copy of one's own task may go to somebody else.
    web.call("task acme/api --file -").stdin(whole("acme/web")).run().ok();
    assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 2);
}

#[test]
fn a_template_without_a_title_is_for_the_editor() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let editor = "sed -i s,^title.*,title=\\\"Hangs\\\",";
    web.call("task . -t bug").env("EDITOR", editor).run().ok();
    let listed = web.json("list");
    assert_eq!((&listed["tasks"][0]["title"], &listed["tasks"][0]["kind"]), (&"Hangs".into(), &"bug".into()));
    let refused = web.call("task . -t bug").run();
    assert!(refused.ended(9).stderr.contains("no editor is set"), "{}", refused.stderr);
}

#[test]
fn a_queue_may_move_while_an_editor_is_open() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let swift = env!("CARGO_BIN_EXE_swift");
    let editor = |home: &str, from: &str, title: &str| {
        let moved = format!("SWIFT_TEST_SEED=77{} {swift} home {home} sesame > /dev/null", home.len());
        format!("sh -c '{moved} && sed -i \"s,{from},{title},\" \"$0\"'")
    };
    web.call("task . -t task").env("EDITOR", &editor("tree", "title = .*", "title = \\\"New\\\"")).run().ok();
    assert_eq!(web.git("status --porcelain .swift"), "");
    assert_eq!(web.git("ls-files .swift/tasks").lines().count(), 1);
    let id = text(&web.json("list")["tasks"][0]["id"]);
    web.call(["edit", &id]).env("EDITOR", &editor("branch", "New", "Newer")).run().ok();
    assert_eq!(web.json("list")["tasks"][0]["title"], "Newer");
    assert_eq!(web.git("-C .swift status --porcelain"), "");
    assert_eq!(web.git("ls-files .swift"), "");
    sound(&web, "moved twice");
}

#[test]
fn a_file_is_read_from_the_folder_that_is_named() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write("t.md", "the right one");
    let elsewhere = sandbox.place("elsewhere");
    elsewhere.write("t.md", "the wrong one");
    let folder = web.path("").display().to_string();
    elsewhere.swift_ok(["-C", &folder, "task", ".", "Read", "--file", "t.md"]);
    let listed = web.json("list");
    let shown = web.swift_ok(["show", listed["tasks"][0]["id"].as_str().unwrap()]);
    assert!(shown.contains("the right one"), "{shown}");
}

#[test]
fn letters_that_cannot_be_read_are_named_in_the_plan_too() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/inbox/good.md", "+++\ntitle = \"Good\"\n+++\n");
    web.write(".swift/inbox/bad.md", "+++\npriority = \"high\"\n+++\n");
    let asked = web.swift("inbox");
    assert_eq!(asked.status, 7, "{}{}", asked.stdout, asked.stderr);
    assert!(asked.stdout.contains("accept") && asked.stdout.contains("leave  inbox/bad.md"), "{asked:#?}");
}

#[test]
fn help_is_a_word_too() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    assert_eq!(root.swift_ok("help"), root.swift_ok("--help"));
    assert_eq!(root.swift_ok("help inbox refuse"), root.swift_ok("inbox refuse --help"));
    assert_eq!(root.swift("help nothing").status, 2);
}

#[test]
fn a_name_that_the_registry_does_not_know_yet_is_entered_by_the_hint() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set(&world.api, "aliases = []", "aliases = [\"backend\"]");
    add(&world.web, "backend", "T");
    let report = world.round();
    assert_eq!(report["problems"][0]["code"], "unknown-project", "{report:#}");
    let hint = report["problems"][0]["hints"][0].as_str().unwrap().to_owned();
    let command = hint.split('`').find(|part| part.starts_with("swift register ")).unwrap();
    let place = command.strip_prefix("swift register ").unwrap();
    let place = place.replace("$SANDBOX", sandbox.root().path("").to_str().unwrap());
    world.hub.swift_ok(["register", &place]);
    assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 1);
}

#[test]
fn a_whole_task_may_lack_the_title_that_is_given_apart() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let head = "+++\npriority = \"high\"\n+++\ntext";
    let added = web.call("task . Given --file - --json").stdin(head).run().json();
    assert_eq!((&added["task"]["title"], &added["task"]["priority"]), (&"Given".into(), &"high".into()));
    let refused = web.call("task . Given --file -").stdin("+++\npriority = high\n+++\ntext").run();
    assert!(refused.status != 0 && refused.stderr.contains("2:12"), "{refused:#?}");
    let refused = web.call("task . --file -").stdin(head).run();
    assert!(refused.status != 0 && refused.stderr.contains("title: is missing"), "{refused:#?}");
}

#[test]
fn who_says_yes_to_a_proposal_and_names_himself_is_the_one_who_acts() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    for (proposed, approved, acts) in [
        ("outbox", "--actor carol sesame", "carol"),
        ("--actor agent outbox", "--actor human sesame", "human"),
        ("--actor agent outbox", "sesame --actor human", "human"),
        ("--actor agent outbox", "sesame", "agent"),
    ] {
        world.letter("T");
        world.hub.swift(proposed).ended(7);
        world.hub.swift_ok(approved);
        let log = world.web.json("log -n 1");
        assert_eq!(log["events"][0]["actor"], acts, "{approved}: {log}");
        let message = world.web.git("log -1 --format=%B swift");
        assert!(message.contains(&format!("Swift-Actor: {acts}")), "{message}");
        world.hub.swift("sesame").ended(3);
    }
}

#[test]
fn options_before_the_verb_leave_it_the_verb() {
    let sandbox = Sandbox::new();
    sandbox.project("web");
    let root = sandbox.root();
    for words in ["-C web help", "--json help", "-C web help list", "--actor x help list"] {
        assert!(root.swift_ok(words).contains("Usage: swift"), "{words}");
    }
    for words in ["-C web audit", "--actor x audit", "audit"] {
        let said = root.swift(words).ended(2).stderr.clone();
        assert!(said.contains("`swift audit` needs a command"), "{said}");
        assert!(said.contains("audit --help` lists the commands"), "{said}");
    }
}

#[test]
fn a_text_with_windows_line_ends_is_shown_without_them() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/tasks/c.md", "+++\r\ntitle = \"c\"\r\n+++\r\n\r\nbody line\r\nlast\r\n");
    let id = crate::world::text(&web.json("claim")["task"]["id"]);
    let shown = web.swift_ok(["show", &id]);
    assert!(shown.contains("\nbody line\nlast\n") && !shown.contains("\\u{d}"), "{shown}");
}
