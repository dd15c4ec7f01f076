//! What git keeps from being committed: it is committed by itself later, and taken back alone or not at all.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, copies, received, sound, text};

/// The lock of git's index of a queue on a branch of its own.
const LOCK: &str = ".git/worktrees/-swift/index.lock";

/// Do something while another program holds the lock that a commit needs.
fn held<T>(place: &Place<'_>, lock: &str, work: impl FnOnce() -> T) -> T {
    fs::write(place.path(lock), "").unwrap();
    let done = work();
    fs::remove_file(place.path(lock)).unwrap();
    done
}

fn trailers(place: &crate::sandbox::Place<'_>, key: &str) -> Vec<String> {
    let format = format!("--format=%(trailers:key={key},valueonly,separator=%x20)");
    place.git(["-C", ".swift", "log", &format]).lines().map(str::to_owned).collect()
}

#[test]
fn what_waited_gets_a_commit_of_its_own_and_undo_takes_back_no_other_operation() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "Zero");
    let lock = web.path(".git/worktrees/-swift/index.lock");
    fs::write(&lock, "").unwrap();
    let (one, two) = (add(&web, ".", "One"), add(&web, ".", "Two"));
    let early = web.swift("undo");
    assert_eq!(early.status, 4, "{}", early.stderr);
    assert!(early.stderr.contains("is not committed yet"), "{}", early.stderr);
    fs::remove_file(&lock).unwrap();
    add(&web, ".", "Three");
    let tasks = trailers(&web, "Swift-Task");
    assert_eq!(tasks[0].split(' ').count(), 1);
    assert_eq!(tasks[1], format!("{one} {two}"), "both are named");
    web.swift_ok("undo");
    let titles = |state: &str| web.json(["list", "--state", state])["tasks"].to_string();
    let left = titles("any");
    assert!(left.contains("One") && left.contains("Two") && !left.contains("Three"), "{left}");
    let named = web.json("log")["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["task"] == one.as_str())
        .map(|event| text(&event["operation"]));
    let joint = web.swift(["undo", &named.unwrap()]);
    assert_eq!(joint.status, 4, "{}", joint.stderr);
    assert!(joint.stderr.contains("holds 2 operations"), "{}", joint.stderr);
    web.swift_ok("audit verify");
    web.swift_ok("doctor");
}

#[test]
fn one_operation_that_waited_can_be_taken_back() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let lock = web.path(".git/worktrees/-swift/index.lock");
    fs::write(&lock, "").unwrap();
    add(&web, ".", "One");
    fs::remove_file(&lock).unwrap();
    web.swift_ok("doctor --fix sesame");
    web.swift_ok("undo");
    assert_eq!(web.json("list --state any")["tasks"].as_array().unwrap().len(), 0);
}

#[test]
fn the_commit_of_a_session_names_what_is_in_it_and_manual_makes_none() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let settings = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
    web.swift_ok("start");
    let (one, two) = (add(&web, ".", "One"), add(&web, ".", "Two"));
    let early = web.swift("undo");
    assert!(early.stderr.contains("`swift finish` commits it"), "{}", early.stderr);
    web.swift_ok("finish");
    assert_eq!(trailers(&web, "Swift-Task")[0], format!("{one} {two}"));
    assert!(trailers(&web, "Swift-Events")[0].contains("task.created"));
    assert_eq!(web.swift("undo").status, 4, "a whole session is not one operation");
    web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"manual\""));
    let before = web.git("-C .swift rev-parse HEAD");
    web.swift_ok("start");
    add(&web, ".", "Three");
    web.swift_ok("finish");
    assert_eq!(web.git("-C .swift rev-parse HEAD"), before, "the person makes it");
}

#[test]
fn a_stored_proposal_can_be_rehearsed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.swift("home tree");
    let before = web.git("log --format=%H --all");
    let rehearsed = web.swift("sesame --dry-run");
    assert_eq!((rehearsed.status, web.git("log --format=%H --all")), (0, before), "{}", rehearsed.stderr);
    assert!(rehearsed.stderr.contains("dry run: nothing was written"), "{}", rehearsed.stderr);
    let id = add(&web, ".", "One");
    assert_eq!(web.json(["done", &id, "--dry-run"])["dry_run"], true);
}

#[test]
fn a_text_that_cannot_be_taken_is_kept_and_the_person_told_where() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let editor = web.path("editor");
    fs::write(&editor, "#!/bin/sh\nprintf '+++\\ntitle = Unquoted\\n+++\\nAn hour\\n' >\"$1\"\n").unwrap();
    web.program("chmod", ["+x", "editor"]).run();
    let refused = web.call("task . --edit").env("EDITOR", &editor.display().to_string()).run();
    assert_eq!(refused.status, 8, "{}", refused.stderr);
    let hint = refused.stderr.lines().find(|line| line.contains("your text is kept in")).unwrap();
    let path = hint.split('`').nth(1).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let kept = fs::read_to_string(sandbox.home().path("../tmp").join(name)).unwrap();
    assert!(kept.contains("An hour"));
    let id = add(&web, ".", "One");
    let without = web.call(["edit", &id]).env("EDITOR", "").env("VISUAL", "").run();
    assert!(without.stderr.contains(&format!("swift edit {id} --body -")), "{}", without.stderr);
}

#[test]
fn what_was_written_by_hand_is_not_taken_back_with_the_operation_that_recorded_it() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".swift/tasks/hand.md", "+++\ntitle = \"hand\"\n+++\nlong text\n");
    add(&web, ".", "Other");
    web.swift_ok("undo");
    assert!(web.read(".swift/tasks/hand.md").contains("long text"));
    web.write(".swift/tasks/hand.md", web.read(".swift/tasks/hand.md").replace("long", "LONG"));
    add(&web, ".", "Third");
    web.swift_ok("undo");
    assert!(web.read(".swift/tasks/hand.md").contains("LONG text"));
    assert!(!web.json("list").to_string().contains("Third"));
    web.write(".swift/tasks/notes.md", "notes\n");
    web.swift_ok("doctor --fix sesame");
    let refused = web.swift("undo");
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("quarantine"), "{}", refused.stderr);
}

#[test]
fn a_plan_is_not_shown_for_what_would_be_refused() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "One");
    let created = text(&web.json("log")["events"][0]["operation"]);
    web.swift_ok(["edit", &id, "--title", "Two"]);
    assert_eq!(web.swift(["undo", &created, "--dry-run"]).status, 4);
}

#[test]
fn a_fencing_token_is_never_given_out_twice() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "One");
    let claim = |actor: &str| web.json(["--actor", actor, "claim", &id])["lease"]["token"].as_u64().unwrap();
    let first = claim("one");
    web.swift_ok("undo");
    let second = claim("two");
    assert!(second > first, "{second} after {first}");
    let late = web.swift(["--actor", "one", "done", &id, "--token", &first.to_string()]);
    assert_eq!(late.status, 4, "{}", late.stderr);
    web.swift_ok("audit verify");
    web.swift_ok("doctor");
}

#[test]
fn a_round_of_which_a_half_waits_is_not_taken_back_by_halves() {
    for (half, typed) in [("web", "hub"), ("web", "api"), ("api", "hub")] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let place = |name: &str| world.folder().place(name);
        let id = world.letter("New");
        let lock = place(half).path(".git/worktrees/-swift/index.lock");
        fs::write(&lock, "").unwrap();
        world.round();
        let at = [copies(&world.web, &id), received(&world.api, &id)];
        let undo = place(typed).swift("undo sesame");
        assert_eq!(undo.status, 4, "{half} {typed}: {}", undo.stdout);
        assert!(undo.stderr.contains("not committed yet"), "{}", undo.stderr);
        fs::remove_file(&lock).unwrap();
        assert_eq!(place(typed).swift("undo sesame").status, 4, "the lock alone does not commit it");
        assert_eq!([copies(&world.web, &id), received(&world.api, &id)], at);
        let planned = world.hub.call("outbox").run();
        assert!(planned.stdout.contains(&format!("commit   acme/{half}")), "{}", planned.stdout);
        let report = world.round();
        assert_eq!(report["paid"][0], format!("acme/{half}"), "{report:#}");
        for queue in [&world.hub, &world.web, &world.api] {
            sound(queue, "the next round has committed it");
        }
        let idle = world.hub.swift_ok("outbox");
        assert!(idle.contains("nothing to carry"), "{idle}");
    }
}

#[test]
fn a_round_of_which_a_person_has_committed_a_half_is_not_taken_back_by_halves() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("New");
    held(&world.web, LOCK, || world.round());
    world.web.git("-C .swift add -A");
    world.web.git("-C .swift commit --quiet -m mine");
    let undo = world.hub.swift("undo sesame");
    assert_eq!(undo.status, 4, "{}", undo.stdout);
    assert!(undo.stderr.contains("does not name it"), "{}", undo.stderr);
    assert_eq!(received(&world.api, &id).len(), 1);
}

#[test]
fn a_round_of_which_a_half_had_to_wait_is_taken_back_as_a_whole() {
    for typed in ["hub", "web", "api"] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let id = world.letter("New");
        held(&world.web, LOCK, || world.round());
        world.round();
        world.folder().place(typed).swift_ok("undo sesame");
        assert_eq!(received(&world.api, &id), [""; 0], "{typed}");
        let here = copies(&world.web, &id);
        assert!(here.len() == 1 && here[0].starts_with("outbox/"), "{typed}: {here:?}");
        assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 1);
        for queue in [&world.hub, &world.web, &world.api] {
            sound(queue, typed);
        }
    }
}

#[test]
fn a_receipt_that_had_to_wait_is_the_last_operation_all_the_same() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("New");
    world.round();
    world.api.swift_ok("inbox sesame");
    held(&world.web, LOCK, || world.round());
    assert!(world.hub.swift("undo sesame").ended(4).stderr.contains("not committed yet"));
    world.round();
    world.hub.swift_ok("undo sesame");
    assert_eq!(crate::world::receipt(&world.web, &id).0, "delivered");
    assert!(received(&world.api, &id)[0].starts_with("tasks/"));
}

/// Each task with its state, sorted.
fn states(place: &Place<'_>) -> Vec<String> {
    let list = place.json("list --state any");
    let tasks = list["tasks"].as_array().unwrap().iter();
    let mut states: Vec<String> =
        tasks.map(|task| format!("{} {}", text(&task["title"]), text(&task["state"]))).collect();
    states.sort();
    states
}

/// A debt of two verbs; git takes it back in each way, in a copy of the repository.
fn is_whole_whatever_git_takes_back(init: &str, at: &str, lock: &str) {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok(init);
    let (one, two) = (add(&web, ".", "One"), add(&web, ".", "Two"));
    held(&web, lock, || {
        web.swift_ok(["done", &one]);
        web.swift_ok(["--actor", "x", "claim", &two]);
    });
    let all = ["One done", "Two claimed"];
    assert_eq!(states(&web), all);
    let ways: [&[&str]; 8] = [
        &["stash --quiet"],
        &["stash --quiet -u"],
        &["reset --quiet --hard"],
        &["restore ."],
        &["checkout -q -f ."],
        &["clean -q -f -d"],
        &["commit -q -a -m wip", "clean -q -f -d"],
        &["commit -q -a -m wip", "stash --quiet -u"],
    ];
    for (number, way) in ways.iter().enumerate() {
        let when = format!("{init}: {way:?}");
        let name = format!("copy-{number}");
        sandbox.root().program("cp", ["-a", "web", &name]).run().ok();
        let copy = sandbox.place(&name);
        assert_eq!(states(&copy), all, "{when}");
        for words in *way {
            copy.git(format!("-C {at} {words}").as_str());
        }
        assert_eq!(states(&copy), all, "{when}: before the next verb");
        copy.swift(["--actor", "y", "claim", &two]).ended(4);
        add(&copy, ".", "Three");
        assert_eq!(states(&copy), ["One done", "Three ready", "Two claimed"], "{when}");
        let log = copy.swift_ok("log");
        assert!(log.contains("task.done") && log.contains("task.claimed"), "{when}: {log}");
        sound(&copy, &when);
        assert!(!copy.path(".git/swift/owed").exists(), "{when}");
    }
}

#[test]
fn a_debt_in_the_tree_is_whole_whatever_git_takes_back() {
    is_whole_whatever_git_takes_back("init --in-tree --id acme/web", ".", ".git/index.lock");
}

#[test]
fn a_debt_on_a_branch_of_its_own_is_whole_whatever_git_takes_back() {
    is_whole_whatever_git_takes_back("init --id acme/web", ".swift", LOCK);
}

#[test]
fn a_file_of_a_debt_that_a_person_edits_or_takes_away_is_not_put_back() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let (one, two) = held(&web, LOCK, || (add(&web, ".", "One"), add(&web, ".", "Two")));
    let path = |id: &str| web.path(&format!(".swift/{}", crate::world::copies(&web, id)[0]));
    fs::remove_file(path(&one)).unwrap();
    let edited = fs::read_to_string(path(&two)).unwrap() + "\nby hand\n";
    fs::write(path(&two), edited).unwrap();
    add(&web, ".", "Three");
    assert_eq!(states(&web), ["Three ready", "Two ready"]);
    assert!(web.swift_ok(["show", &two]).contains("by hand"));
}

#[test]
fn a_new_file_of_a_debt_that_a_person_moves_is_not_put_back() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let zero = add(&web, ".", "Zero");
    let folder = web.path(&format!(".swift/{}", copies(&web, &zero)[0]));
    let one = held(&web, ".git/index.lock", || add(&web, ".", "One"));
    let path = web.path(&format!(".swift/{}", copies(&web, &one)[0]));
    fs::rename(&path, folder.with_file_name("moved.md")).unwrap();
    add(&web, ".", "Two");
    assert_eq!(states(&web), ["One ready", "Two ready", "Zero ready"]);
    assert!(!path.exists());
    sound(&web, "moved");
}

#[test]
fn what_waits_is_there_again_in_a_folder_that_was_cleaned_away_whoever_rebuilds_it() {
    for rebuilds in ["hub", "web"] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let web = &world.web;
        let zero = add(web, ".", "Zero");
        held(web, LOCK, || {
            add(web, ".", "One");
            web.swift_ok(["done", &zero]);
        });
        web.git("clean -q -ffdx");
        let told = world.folder().place(rebuilds).swift("next --all").stderr;
        let is_told = told.contains("not committed yet, and there as a verb had left it: .swift/tasks/");
        assert_eq!(is_told, rebuilds == "web", "{told}");
        assert_eq!(states(web), ["One ready", "Zero done"], "{rebuilds}");
        add(web, ".", "Two");
        assert_eq!(states(web), ["One ready", "Two ready", "Zero done"], "{rebuilds}");
        sound(web, rebuilds);
    }
}

#[test]
fn what_waits_for_its_commit_stays_with_the_branch_on_which_it_was_done() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let base = add(&web, ".", "Base");
    web.git("branch spike");
    held(&web, ".git/index.lock", || {
        add(&web, ".", "Precious");
        web.swift_ok(["done", &base]);
    });
    web.git("checkout --quiet spike");
    let told = web.swift(["task", ".", "On spike"]);
    told.ok();
    assert_eq!(states(&web), ["Base ready", "On spike ready"]);
    assert!(web.swift("list").stderr.contains("`main`"), "{}", web.swift("list").stderr);
    assert_eq!(web.git("status --porcelain"), "");
    web.git("checkout --quiet main");
    web.git("branch --quiet -D spike");
    assert_eq!(states(&web), ["Base done", "Precious ready"]);
    add(&web, ".", "Next");
    assert_eq!(states(&web), ["Base done", "Next ready", "Precious ready"]);
    assert!(web.swift_ok("log").contains("task.done"));
    sound(&web, "on main");

    // A branch that is not there any more has nothing to wait for.
    held(&web, ".git/index.lock", || add(&web, ".", "Later"));
    web.git("branch --quiet -m main trunk");
    add(&web, ".", "Last");
    assert!(states(&web).contains(&"Later ready".to_owned()));
    sound(&web, "on a branch of another name");
}

#[test]
fn what_waits_for_a_session_that_nobody_has_opened_is_led_to_one() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let settings = web.read(".swift/swift.toml");
    web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
    add(&web, ".", "One");
    let told = web.swift("undo").ended(4).stderr.clone();
    assert!(told.contains("`swift start` opens a session"), "{told}");
    web.swift_ok("start");
    web.swift_ok("finish");
    assert_eq!(web.git("-C .swift status --porcelain"), "");
}

/// With `manual` a person commits now and then; what comes after that is as safe as what came before.
#[test]
fn what_comes_after_a_commit_of_the_persons_is_whole_whatever_git_takes_back() {
    for (init, at) in [("init", ".swift"), ("init --in-tree", ".")] {
        for taken in ["stash --include-untracked", "reset --hard", "clean -fdq", "clean -ffdxq"] {
            for staged in [false, true] {
                let when = format!("{init}, {taken}, {staged}");
                let sandbox = Sandbox::new();
                let web = sandbox.repository("web");
                web.swift_ok(init);
                let settings = web.read(".swift/swift.toml").replace("\"each\"", "\"manual\"");
                web.write(".swift/swift.toml", settings);
                web.git(["-C", at, "commit", "--quiet", "-am", "settings"]);
                let a = add(&web, ".", "A");
                web.git(["-C", at, "add", "--all", "."]);
                let early = staged.then(|| add(&web, ".", "B"));
                web.git(["-C", at, "commit", "--quiet", "--message", "mine"]);
                let b = early.unwrap_or_else(|| add(&web, ".", "B"));
                web.swift_ok(["done", &a]);
                // With all that git ignores its own worktree goes, too.
                let place = if taken.contains('x') { "." } else { at };
                web.git(format!("-C {place} {taken}").as_str());
                let listed = web.swift("list -s any");
                assert!(
                    !listed.stderr.contains(&format!("tasks/{}/{a}", &a[25..])),
                    "{when}: {}",
                    listed.stderr
                );
                assert_eq!(states(&web), ["A done", "B ready"], "{when}: {}", listed.stderr);
                add(&web, ".", "C");
                assert_eq!(states(&web), ["A done", "B ready", "C ready"], "{when}");
                assert_eq!((copies(&web, &a).len(), copies(&web, &b).len()), (1, 1), "{when}");
                web.git(["-C", at, "add", "--all", "."]);
                web.git(["-C", at, "commit", "--quiet", "--message", "mine again"]);
                sound(&web, &when);
            }
        }
    }
}

/// What was committed is the person's to take back; a debt it is no more.
#[test]
fn what_a_person_has_committed_and_set_back_is_not_put_back() {
    for (init, at) in [("init", ".swift"), ("init --in-tree", ".")] {
        for back in ["reset --quiet --hard HEAD~1", "revert --no-edit HEAD"] {
            let sandbox = Sandbox::new();
            let web = sandbox.repository("web");
            web.swift_ok(init);
            let settings = web.read(".swift/swift.toml").replace("\"each\"", "\"manual\"");
            web.write(".swift/swift.toml", settings);
            for title in ["A", "B"] {
                add(&web, ".", title);
                web.git(["-C", at, "add", "--all", "."]);
                web.git(["-C", at, "commit", "--quiet", "--message", "mine"]);
            }
            web.git(format!("-C {at} {back}").as_str());
            assert_eq!(states(&web), ["A ready"], "{init}, {back}");
            add(&web, ".", "C");
            assert_eq!(states(&web), ["A ready", "C ready"], "{init}, {back}");
        }
    }
}
