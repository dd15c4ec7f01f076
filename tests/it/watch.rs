//! Hands-off: what lies in an outbox arrives, what the rules accept is accepted, and whoever says stop is obeyed.

use std::fs;
use std::time::Duration;

use jiff::SignedDuration;
use rustix::process::Signal;

use crate::sandbox::{Place, Running, Sandbox, until};
use crate::world::{World, codes, copies, receipt, received, sound, text};

/// A watcher that is at work.
pub(crate) fn watcher(world: &World<'_>) -> Running {
    let mut running = world.hub.call("watch").start();
    running.says("watching");
    running
}

/// Change what is automatic in a project.
pub(crate) fn set_auto(place: &Place<'_>, lines: &str) {
    let settings = place.read(".swift/swift.toml");
    let own = settings.split("\n[auto]").next().unwrap();
    place.write(".swift/swift.toml", format!("{own}\n[auto]\n{lines}\n"));
}

/// The text of a task by hand.
pub(crate) fn letter(title: &str) -> String {
    format!("+++\ntitle = \"{title}\"\nto = \"acme/api\"\n+++\n\nWhat is to be done.\n")
}

/// The task of this title wherever it lies in a queue's folder; its path relative to `.swift/`.
pub(crate) fn titled(place: &Place<'_>, folder: &str, title: &str) -> Option<String> {
    let line = format!("title = \"{title}\"");
    let all = crate::world::files(place).into_iter().filter(|path| path.starts_with(&format!("{folder}/")));
    all.into_iter().find(|path| {
        fs::read_to_string(place.path(&format!(".swift/{path}"))).is_ok_and(|file| file.contains(&line))
    })
}

#[track_caller]
pub(crate) fn arrives(place: &Place<'_>, folder: &str, title: &str) {
    until(&format!("“{title}” is in {folder}"), || titled(place, folder, title).is_some());
}

fn commits(place: &Place<'_>) -> usize {
    place.git("rev-list --count swift").trim().parse().unwrap()
}

/// Nothing more happens: neither queue gets a commit while the watcher does something else.
#[track_caller]
fn is_quiet(world: &World<'_>, marker: &str) {
    let before = commits(&world.api);
    world.web.write(".swift/outbox/quiet.md", letter(marker));
    arrives(&world.api, "inbox", marker);
    until("the receipt is written", || titled(&world.web, "sent", marker).is_some());
    assert_eq!(commits(&world.api), before + 1, "one commit for one delivery, and no other");
}

#[test]
fn what_is_dropped_into_an_outbox_arrives_and_the_sender_knows() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    world.web.write(".swift/outbox/by-hand.md", letter("By hand"));
    arrives(&world.api, "inbox", "By hand");
    let by_verb = world.letter("By verb");
    until("the task of a verb arrives", || received(&world.api, &by_verb).len() == 1);
    world.web.write(".swift/tmp-file", letter("By rename"));
    fs::rename(world.web.path(".swift/tmp-file"), world.web.path(".swift/outbox/renamed.md")).unwrap();
    arrives(&world.api, "inbox", "By rename");
    until("the outbox is empty", || titled(&world.web, "sent", "By rename").is_some());
    assert_eq!(receipt(&world.web, &by_verb).0, "delivered");
    let (status, took) = running.end(Signal::INT);
    assert_eq!(status, 0, "{}", running.said());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(
        running.said().contains("delivered") && running.said().ends_with("ended\n"),
        "{}",
        running.said()
    );
    sound(&world.web, "after the end");
    sound(&world.api, "after the end");
    assert!(world.hub.json("outbox --yes")["delivered"].as_array().unwrap().is_empty());
}

#[test]
fn rules_accept_what_they_say_and_the_sender_hears_of_the_end() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.api, "accept = [\"from:acme/web & priority<=low\", \"kind=bug\"]");
    let mut running = watcher(&world);
    let add = |title: &str, more: &str| {
        text(&world.web.json(format!("task acme/api \"{title}\" {more}").as_str())["task"]["id"])
    };
    let low = add("low", "--priority low");
    let high = add("high", "--priority high");
    let bug = add("bug", "--kind bug");
    arrives(&world.api, "tasks", "low");
    arrives(&world.api, "tasks", "bug");
    until("the receipt says accepted", || receipt(&world.web, &low).0 == "accepted");
    assert!(copies(&world.api, &high)[0].starts_with("inbox/"));
    world.api.swift_ok(["done", &bug, "--result", "fixed"]);
    until("the result is known", || receipt(&world.web, &bug) == ("done".to_owned(), "fixed".to_owned()));
    let log = world.api.json("log");
    let accepted =
        log["events"].as_array().unwrap().iter().find(|event| event["kind"] == "task.accepted").unwrap();
    assert_eq!(accepted["actor"], "swift watch");
    assert!(text(&accepted["cause"]).starts_with("by the rule `"), "{accepted}");
    running.end(Signal::TERM);
    sound(&world.api, "after the rules");
}

#[test]
fn a_rule_that_cannot_be_understood_does_nothing_and_is_told() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("waits");
    world.round();
    set_auto(&world.api, "accept = \"evrything\"");
    let output = world.hub.call("watch --once --json").run();
    let report = output.json();
    assert_eq!(report["accepted"].as_array().unwrap().len(), 0);
    assert!(output.stdout.contains("`evrything` is not a rule of acceptance"), "{report}");
    let mut running = watcher(&world);
    running.says("is not a rule of acceptance");
    assert!(copies(&world.api, &id)[0].starts_with("inbox/"));
    set_auto(&world.api, "accept = \"all\"");
    arrives(&world.api, "tasks", "waits");
    running.end(Signal::INT);
}

#[test]
fn a_file_that_is_still_written_is_left_alone() {
    use std::io::Write as _;
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    // Longer than this machine ever pauses between two writes.
    set_auto(&world.web, "settle_ms = 10000");
    let mut running = watcher(&world);
    let path = world.web.path(".swift/outbox/slow.md");
    let mut file = fs::File::create(&path).unwrap();
    // It can be read as a task after the first part, and others come and go meanwhile.
    for part in 0..4 {
        let text = if part == 0 { letter("slow") } else { format!("part {part}\n") };
        file.write_all(text.as_bytes()).unwrap();
        let other = format!("quick {part}");
        world.web.write(".swift/other", letter(&other));
        fs::rename(world.web.path(".swift/other"), world.web.path(&format!(".swift/outbox/quick-{part}.md")))
            .unwrap();
        arrives(&world.api, "inbox", &other);
        assert!(path.exists(), "taken after part {part}");
    }
    drop(file);
    arrives(&world.api, "inbox", "slow");
    let arrived = titled(&world.api, "inbox", "slow").unwrap();
    assert!(world.api.read(&format!(".swift/{arrived}")).ends_with("part 3\n"));
    running.end(Signal::INT);
    let arrived: Vec<String> =
        crate::world::files(&world.api).into_iter().filter(|path| path.starts_with("inbox/")).collect();
    assert_eq!(arrived.len(), 5, "{arrived:?}\n{}", running.said());
    sound(&world.web, "after a slow writer");
}

#[test]
fn files_of_editors_are_no_tasks() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    world.web.write(".swift/outbox/.x.md.swp", letter("swap"));
    world.web.write(".swift/outbox/4913", "");
    world.web.write(".swift/outbox/x.md~", letter("backup"));
    is_quiet(&world, "the task itself");
    assert!(titled(&world.api, "inbox", "swap").is_none() && titled(&world.api, "inbox", "backup").is_none());
    running.end(Signal::INT);
}

#[test]
fn one_cause_makes_one_commit_and_own_commits_wake_nobody() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    for round in 0..5 {
        is_quiet(&world, &format!("task {round}"));
    }
    running.end(Signal::INT);
    let empty = |place: &Place<'_>| {
        let log = place.git("log --format=%H%x20%T swift");
        let trees: Vec<&str> = log.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        trees.windows(2).filter(|pair| pair[0] == pair[1]).count()
    };
    assert_eq!((empty(&world.web), empty(&world.api)), (0, 0), "a commit that changes nothing");
}

#[test]
fn a_pause_is_obeyed_at_once_and_survives_a_restart() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    let paused = world.api.json("pause");
    assert_eq!(paused["paused"][0], "acme/api");
    assert_eq!(paused["watcher"], running.pid());
    let held = world.letter("held");
    let other = text(&world.web.json(["task", "acme/hub", "other"])["task"]["id"]);
    until("another project's task arrives", || received(&world.hub, &other).len() == 1);
    assert_eq!(received(&world.api, &held).len(), 0);
    running.end(Signal::INT);
    let mut running = watcher(&world);
    let more = text(&world.web.json(["task", "acme/hub", "more"])["task"]["id"]);
    until("another project's task arrives", || received(&world.hub, &more).len() == 1);
    assert_eq!(received(&world.api, &held).len(), 0);
    world.hub.swift_ok("resume acme/api");
    until("what was held arrives", || received(&world.api, &held).len() == 1);
    world.hub.swift_ok("pause --all");
    let last = world.letter("last");
    running.end(Signal::INT);
    assert_eq!(received(&world.api, &last).len(), 0);
    assert!(world.hub.json("watch --once")["delivered"].as_array().unwrap().is_empty());
    world.hub.swift("resume acme/api").ended(5);
    world.hub.swift_ok("resume");
    assert_eq!(world.hub.json("watch --once")["delivered"].as_array().unwrap().len(), 1);
}

#[test]
fn a_second_watcher_names_the_first_and_a_dead_one_is_replaced() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    for words in ["watch --json", "watch --once --json"] {
        let refused = world.hub.call(words).run();
        let error = refused.ended(5).json_error();
        assert_eq!(error["error"]["code"], "watched");
        assert!(text(&error["error"]["message"]).contains(&format!("process {}", running.pid())), "{error}");
    }
    assert_eq!(running.end(Signal::KILL).0, 137);
    let mut next = watcher(&world);
    next.says(&format!("process {} since", running.pid()));
    next.says("was killed; its place is taken");
    next.end(Signal::INT);
    let mut after = watcher(&world);
    assert!(!after.said().contains("was killed"));
    after.end(Signal::INT);
    world.api.swift("watch").ended(3);
}

#[test]
fn a_rehearsal_shows_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("one");
    set_auto(&world.api, "accept = \"all\"");
    world.api.write(".swift/inbox/two.md", "+++\ntitle = \"two\"\n+++\n");
    world.api.write(
        ".swift/tasks/old.md",
        "+++\ntitle = \"old\"\n[lease]\nholder = \"x\"\ntoken = 1\nexpires_at = 2020-01-01T00:00:00Z\n+++\n",
    );
    world.api.swift_ok("start");
    let before = [&world.hub, &world.web, &world.api].map(|place| place.git("rev-parse swift"));
    let output = world.hub.swift("watch --dry-run");
    output.ok();
    for line in ["delivered", "accepted", "released"] {
        assert!(output.stdout.contains(line), "{line}: {}", output.stdout);
    }
    assert_eq!(before, [&world.hub, &world.web, &world.api].map(|place| place.git("rev-parse swift")));
    assert!(!world.hub.path(".swift/local/watch.json").exists());
}

#[test]
fn one_pass_does_all_there_is_to_do() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.api, "accept = \"all\"");
    set_auto(&world.web, "distribute = false");
    let kept = world.letter("kept back");
    let back = text(&world.api.json(["task", "acme/web", "back"])["task"]["id"]);
    world.hub.write(".swift/outbox/own.md", letter("from the hub"));
    let report = world.hub.json("watch --once");
    assert_eq!(report["delivered"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["accepted"].as_array().unwrap().len(), 1);
    assert_eq!(report["receipts"].as_array().unwrap().len(), 1);
    assert_eq!(received(&world.web, &back).len(), 1);
    assert!(copies(&world.web, &kept)[0].starts_with("outbox/"));
    let again = world.hub.json("watch --once");
    assert_eq!(again["commits"].as_array().unwrap().len(), 0, "{again}");
}

#[test]
fn a_schedule_is_served_once_also_if_it_was_missed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.api, "accept = \"all\"\nschedule = \"0 12 * * *\"");
    // It is nine in the morning; nothing that was due before anybody watched is made up for.
    world.letter("one");
    let pass = || {
        let report = world.hub.json("watch --once");
        report["accepted"].as_array().unwrap().len()
    };
    assert_eq!(pass(), 0);
    sandbox.later(SignedDuration::from_hours(4));
    assert_eq!(pass(), 1, "noon was missed by an hour");
    world.letter("two");
    assert_eq!(pass(), 0, "noon was served");
    sandbox.later(SignedDuration::from_hours(24 * 7));
    assert_eq!(pass(), 1, "a week of noons is one");
    world.letter("three");
    assert_eq!(pass(), 0);
}

#[test]
fn leases_that_ran_out_are_released() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = crate::world::add(&world.api, ".", "work");
    world.api.swift_ok(["claim", &id, "--actor", "gone"]);
    assert!(world.hub.json("watch --once")["released"].as_array().unwrap().is_empty());
    sandbox.later(SignedDuration::from_hours(1));
    let report = world.hub.json("watch --once");
    assert_eq!(report["released"][0]["id"], id.as_str());
    let file = world.api.read(&format!(".swift/{}", copies(&world.api, &id)[0]));
    assert!(file.contains("token = 1") && !file.contains("[lease]"), "{file}");
    world.api.swift(["done", &id, "--token", "2"]).ended(4);
    world.api.swift_ok(["done", &id, "--token", "1", "--actor", "gone"]);
    sound(&world.api, "after a release");
}

#[test]
fn a_file_that_cannot_be_read_is_put_aside_and_told() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    set_auto(&world.web, "quarantine_after = \"1s\"");
    let mut running = watcher(&world);
    world.web.write(".swift/outbox/broken.md", b"+++\ntitle = \xff\xfe\n+++\n");
    world.web.write(".swift/outbox/no-head.md", "just words\n");
    running.says("put aside acme/web");
    until("both are put aside", || {
        let all = crate::world::files(&world.web);
        all.iter().filter(|path| path.starts_with("quarantine/")).count() == 2
    });
    assert!(
        !crate::world::files(&world.web)
            .iter()
            .any(|path| path.starts_with("outbox/") && path.ends_with(".md"))
    );
    until("it is committed", || world.web.git("-C .swift status --porcelain").is_empty());
    running.end(Signal::INT);
    let log = world.web.swift_ok("log");
    assert!(log.contains("queue.repaired"), "{log}");
}

#[test]
fn sent_tasks_without_news_are_asked_after_once_in_a_while() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("slow");
    let asked = || world.hub.json("watch --once")["asked"].as_array().unwrap().len();
    assert_eq!(asked(), 0);
    sandbox.later(SignedDuration::from_hours(24 * 8));
    assert_eq!(asked(), 1);
    assert_eq!(asked(), 0);
    sandbox.later(SignedDuration::from_hours(24 * 8));
    assert_eq!(asked(), 1);
    assert!(world.web.swift_ok("log").contains("receipt.overdue"));
}

#[test]
fn a_project_that_comes_moves_or_goes_is_noticed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    let lab = sandbox.project("lab");
    world.hub.swift_ok(["register", lab.path("").to_str().unwrap()]);
    lab.write(".swift/outbox/hello.md", letter("from the lab"));
    arrives(&world.api, "inbox", "from the lab");
    fs::rename(lab.path(""), sandbox.root().path("moved")).unwrap();
    let moved = sandbox.place("moved");
    world.hub.swift_ok(["register", moved.path("").to_str().unwrap()]);
    moved.write(".swift/outbox/again.md", letter("from elsewhere"));
    arrives(&world.api, "inbox", "from elsewhere");
    world.hub.swift_ok("unregister acme/lab");
    moved.write(".swift/outbox/late.md", letter("too late"));
    is_quiet(&world, "still at work");
    assert!(titled(&world.api, "inbox", "too late").is_none());
    running.end(Signal::INT);
}

#[test]
fn a_folder_that_is_deleted_and_made_again_is_watched_again() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let mut running = watcher(&world);
    world.web.write(".swift/outbox/one.md", letter("one"));
    arrives(&world.api, "inbox", "one");
    until("the sender has its record", || titled(&world.web, "sent", "one").is_some());
    fs::remove_dir_all(world.web.path(".swift/outbox")).unwrap();
    world.web.write(".swift/outbox/two.md", letter("two"));
    arrives(&world.api, "inbox", "two");
    until("the sender has its record", || titled(&world.web, "sent", "two").is_some());
    // The watcher may be putting it back while it is still being emptied.
    until("the folder is deleted", || fs::remove_dir_all(world.web.path(".swift")).is_ok());
    until("it is checked out again", || world.web.path(".swift/swift.toml").exists());
    until("its folders are there", || world.web.path(".swift/outbox").is_dir());
    world.web.write(".swift/outbox/three.md", letter("three"));
    arrives(&world.api, "inbox", "three");
    running.end(Signal::INT);
}

#[test]
fn what_git_changes_is_noticed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("to be done");
    world.round();
    // Somebody else's clone of the queue, in which the task is finished.
    let api = &world.api;
    api.git("worktree add --quiet --detach ../other swift");
    let mut running = watcher(&world);
    let path = copies(api, &id).remove(0);
    let other = sandbox.place("live/other");
    fs::create_dir_all(other.path("done/2026-03")).unwrap();
    fs::rename(other.path(&path), other.path(&format!("done/2026-03/{id}-x.md"))).unwrap();
    other.git("add --all");
    other.git("commit --quiet --message elsewhere");
    let head = other.git("rev-parse HEAD");
    api.git(["-C", ".swift", "merge", "--quiet", "--ff-only", head.trim()]);
    until("the sender hears of it", || receipt(&world.web, &id).0 == "done");
    running.end(Signal::INT);
}

#[test]
fn branches_are_switched_under_it() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let mut running = watcher(&world);
    let mut ids = Vec::new();
    for round in 0..4 {
        ids.push(world.letter(&format!("round {round}")));
        world.api.git(format!("switch --quiet --create side{round}").as_str());
        ids.push(world.letter(&format!("side {round}")));
        until("all of it arrives", || ids.iter().all(|id| received(&world.api, id).len() == 1));
    }
    running.end(Signal::INT);
    for id in &ids {
        assert_eq!(received(&world.api, id).len(), 1);
    }
    sound(&world.web, "after switching");
}

#[test]
fn a_broken_project_delays_no_other() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let lost = text(&world.web.json(["task", "acme/nobody", "lost"])["task"]["id"]);
    let lab = sandbox.project("lab");
    world.hub.swift_ok(["register", lab.path("").to_str().unwrap()]);
    fs::rename(lab.path(".git"), lab.path("gone")).unwrap();
    let stuck = text(&world.web.json(["task", "acme/lab", "stuck"])["task"]["id"]);
    let mut running = watcher(&world);
    let good = world.letter("good");
    until("the good one arrives", || received(&world.api, &good).len() == 1);
    running.says("[unknown-project]");
    running.says("[unreachable]");
    fs::rename(lab.path("gone"), lab.path(".git")).unwrap();
    world.hub.swift_ok(["register", lab.path("").to_str().unwrap()]);
    until("the stuck one arrives", || received(&lab, &stuck).len() == 1);
    assert!(copies(&world.web, &lost)[0].starts_with("outbox/"));
    running.end(Signal::INT);
    let record = world.hub.read(".swift/local/watch.json");
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(codes(&record["problems"]), ["unknown-project"], "{record}");
}

#[test]
fn a_held_queue_is_waited_for() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let git_folder = fs::File::open(world.api.path(".git")).unwrap();
    git_folder.lock().unwrap();
    let mut running = watcher(&world);
    let held = world.letter("held");
    running.says("[busy]");
    let other = text(&world.web.json(["task", "acme/hub", "other"])["task"]["id"]);
    until("others arrive", || received(&world.hub, &other).len() == 1);
    assert_eq!(received(&world.api, &held).len(), 0);
    drop(git_folder);
    until("what was held arrives", || received(&world.api, &held).len() == 1);
    running.end(Signal::INT);
}

#[test]
fn without_inotify_it_polls_and_says_so() {
    if !crate::crash::can_trace() {
        return;
    }
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=inotify_add_watch", "-e"];
    let trace = [trace.as_slice(), &["inject=inotify_add_watch:error=ENOSPC"]].concat();
    let mut running = world.hub.call("watch").under(&trace).start();
    running.says("is looked at every two seconds, because the system's limit of watched folders is reached");
    world.web.write(".swift/outbox/slow.md", letter("slowly"));
    arrives(&world.api, "inbox", "slowly");
    assert_eq!(running.said().matches("acme/web is looked at").count(), 1);
    running.end(Signal::INT);
}
