//! A delivered task is there exactly once, and the sender's record is true, whatever happened on the way.

use std::fs;

use jiff::SignedDuration;
use serde_json::Value;

use crate::crash::Accident;
use crate::sandbox::{Output, Place, Sandbox, until};
use crate::together::together;
use crate::world::{World, add, codes, copies, receipt, received, sound, text};

/// One copy at the receiver, in this folder; one record at the sender, with this stage.
#[track_caller]
fn carried(from: &Place<'_>, to: &Place<'_>, id: &str, folder: &str, stage: &str, when: &str) {
    let there = received(to, id);
    assert!(there.len() == 1 && there[0].starts_with(folder), "{when}: at the receiver {there:?}");
    let here = copies(from, id);
    assert!(here.len() == 1 && here[0].starts_with("sent/"), "{when}: at the sender {here:?}");
    assert_eq!(receipt(from, id).0, stage, "{when}");
}

fn all_sound(world: &World<'_>, when: &str) {
    for place in [&world.hub, &world.web, &world.api] {
        sound(place, when);
    }
}

#[test]
fn a_second_round_has_nothing_to_do() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids = ["one", "two", "three"].map(|title| world.letter(title));
    assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 3);
    let again = world.round();
    assert_eq!(
        (again["delivered"].as_array().unwrap().len(), again["receipts"].as_array().unwrap().len()),
        (0, 0)
    );
    assert_eq!(again["commits"].as_array().unwrap().len(), 0, "{again}");
    for id in &ids {
        carried(&world.web, &world.api, id, "inbox/", "delivered", "after two rounds");
    }
    all_sound(&world, "after two rounds");
}

#[test]
fn rounds_at_the_same_moment_deliver_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids: Vec<_> = (0..6).map(|n| world.letter(&format!("letter {n}"))).collect();
    let back = add(&world.api, "acme/web", "the other way");
    let outputs = together((0..4).map(|_| world.hub.call("outbox --json --yes")).collect());
    for output in &outputs {
        output.ok();
    }
    let delivered: usize = outputs.iter().map(|o| o.json()["delivered"].as_array().unwrap().len()).sum();
    assert_eq!(delivered, 7, "each delivery is told by one process\n{outputs:#?}");
    for id in &ids {
        carried(&world.web, &world.api, id, "inbox/", "delivered", "four at once");
    }
    carried(&world.api, &world.web, &back, "inbox/", "delivered", "four at once");
    all_sound(&world, "four at once");
}

#[test]
fn rounds_at_the_same_moment_note_a_receipt_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("there");
    world.round();
    let steps = ["inbox sesame".to_owned(), format!("claim {id}"), format!("done {id}")];
    for (step, stage) in steps.iter().zip(["accepted", "accepted", "done"]) {
        world.api.swift_ok(step.as_str());
        let outputs = together((0..4).map(|_| world.hub.call("outbox --json --yes")).collect());
        outputs.iter().for_each(|output| drop(output.ok()));
        let told: usize = outputs.iter().map(|o| o.json()["receipts"].as_array().unwrap().len()).sum();
        assert_eq!(
            told,
            usize::from(!step.starts_with("claim")),
            "{step}: told by one process\n{outputs:#?}"
        );
        let commits: usize = outputs.iter().map(|o| o.json()["commits"].as_array().unwrap().len()).sum();
        let idle = outputs.iter().flat_map(|o| o.json()["commits"].as_array().unwrap().clone());
        let idle = idle.filter(|commit| commit["commit"].is_null()).count();
        assert_eq!(commits - idle, told, "{step}\n{outputs:#?}");
        assert_eq!(receipt(&world.web, &id).0, stage);
    }
    let log = world.web.json("log -n 100");
    let noted = log["events"].as_array().unwrap().iter().filter(|e| e["kind"] == "receipt.received");
    assert_eq!(noted.count(), 2, "{log:#}");
    all_sound(&world, "four at once");
}

#[test]
fn an_equal_file_at_the_receiver_is_the_same_delivery() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let copy = |id: &str, to: &str| {
        let from = copies(&world.web, id).remove(0);
        let text = world.web.read(&format!(".swift/{from}"));
        world.api.write(&format!(".swift/inbox/{to}"), text);
    };
    let ids = ["under its name", "under another", "accepted"].map(|title| world.letter(title));
    copy(&ids[0], copies(&world.web, &ids[0])[0].strip_prefix("outbox/").unwrap());
    copy(&ids[1], "another.md");
    copy(&ids[2], "accepted.md");
    world.api.swift_ok(["inbox", "accept", &ids[2]]);
    // What was changed in the copy is another task.
    let other = world.letter("changed");
    let text = world.web.read(&format!(".swift/{}", copies(&world.web, &other)[0]));
    world.api.write(".swift/inbox/changed.md", text.replace("changed", "altered"));

    let report = world.round();
    assert_eq!(codes(&report["problems"]), ["collision"], "{report:#}");
    carried(&world.web, &world.api, &ids[0], "inbox/", "delivered", "under its name");
    carried(&world.web, &world.api, &ids[1], "inbox/", "delivered", "under another");
    carried(&world.web, &world.api, &ids[2], "tasks/", "accepted", "accepted");
    assert!(copies(&world.web, &other)[0].starts_with("outbox/"));
    all_sound(&world, "equal files");
}

#[test]
fn two_equal_files_in_an_outbox_are_one_letter() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let path = |id: &str| format!(".swift/{}", copies(&world.web, id)[0]);
    let (equal, late, other) = (world.letter("equal"), world.letter("late"), world.letter("other"));
    let own = add(&world.hub, "acme/api", "at the orchestrator");
    let texts = [&equal, &late].map(|id| world.web.read(&path(id)));
    world.web.write(".swift/outbox/zz.md", &texts[0]);
    let altered = world.web.read(&path(&other)).replace("other", "another");
    world.web.write(".swift/outbox/zzz.md", altered);

    let plan = world.hub.swift("outbox").stdout;
    assert_eq!(plan.matches("deliver ").count(), 4, "{plan}");
    assert!(plan.contains("compare  acme/web  .swift/outbox/zz.md with .swift/outbox/"), "{plan}");
    let report = world.round();
    assert_eq!(report["delivered"].as_array().unwrap().len(), 4, "{report:#}");
    assert_eq!(report["struck_off"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["struck_off"][0]["path"], ".swift/outbox/zz.md");
    assert_eq!(codes(&report["problems"]), ["collision"], "{report:#}");
    assert!(text(&report["problems"][0]["message"]).contains("which differs"), "{report:#}");
    for id in [&equal, &late] {
        carried(&world.web, &world.api, id, "inbox/", "delivered", "equal files");
    }
    carried(&world.hub, &world.api, &own, "inbox/", "delivered", "beside equal files");

    // The same file again, when the task has left.
    fs::remove_file(world.web.path(".swift/outbox/zzz.md")).unwrap();
    world.web.write(".swift/outbox/again.md", &texts[1]);
    let told = world.hub.swift_ok("outbox sesame");
    assert!(told.contains("outbox/again.md: the same has left as .swift/sent/"), "{told}");
    carried(&world.web, &world.api, &late, "inbox/", "delivered", "the same again");
    all_sound(&world, "equal files");
}

#[test]
fn what_the_receiver_had_is_not_said_to_be_delivered() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids = ["accepted", "done"].map(|title| world.letter(title));
    let backup = sandbox.root();
    backup.program("cp", ["-a", "live/web", "backup"]).run().ok();
    world.round();
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["claim", &ids[1]]);
    world.api.swift_ok(["done", &ids[1], "--result", "it works"]);
    fs::remove_dir_all(world.web.path("")).unwrap();
    backup.program("cp", ["-a", "backup", "live/web"]).run().ok();

    let report = world.round();
    assert_eq!(report["delivered"], serde_json::json!([]), "{report:#}");
    let stages: Vec<_> = report["receipts"].as_array().unwrap().iter().map(|r| text(&r["stage"])).collect();
    assert_eq!(stages, ["accepted", "done"], "{report:#}");
    carried(&world.web, &world.api, &ids[0], "tasks/", "accepted", "in the same round");
    carried(&world.web, &world.api, &ids[1], "done/", "done", "in the same round");
    assert_eq!(receipt(&world.web, &ids[1]).1, "it works");
    assert_eq!(world.round()["commits"], serde_json::json!([]));
    all_sound(&world, "restored");
}

#[test]
fn a_round_that_is_killed_anywhere_is_finished_by_the_next() {
    killed_rounds(&World::new(&Sandbox::new()), 13);
}

#[test]
fn a_round_into_a_branch_of_code_that_is_killed_anywhere_is_finished_by_the_next() {
    killed_rounds(&World::in_tree(&Sandbox::new()), 19);
}

/// Letters both ways, so that each repository receives and sends in the round.
fn killed_rounds(world: &World<'_>, step: usize) {
    let (there, back) = (world.letter("there"), add(&world.api, "acme/web", "back"));
    world.keep();
    world.at_changes(
        Accident::Killed,
        step,
        |world| world.hub.call("outbox sesame"),
        |world, point, _| {
            let when = format!("killed at {point}");
            world.round();
            let idle = world.round();
            assert_eq!(idle["commits"].as_array().unwrap().len(), 0, "{when}: {idle}");
            carried(&world.web, &world.api, &there, "inbox/", "delivered", &when);
            carried(&world.api, &world.web, &back, "inbox/", "delivered", &when);
            all_sound(world, &when);
        },
    );
}

/// A verb of the hub with one letter meets a full disk at every change; `judge` is told whether the letter still waits.
fn full_disk(verb: &'static str, step: usize, judge: impl Fn(&World<'_>, &str, bool, &Output)) {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("there");
    world.keep();
    world.at_changes(
        Accident::Refused("ENOSPC"),
        step,
        |world| world.hub.call(verb),
        |world, point, output| {
            let when = format!("ENOSPC at {point}\n{}{}", output.stdout, output.stderr);
            let waits = copies(&world.web, &id)[0].starts_with("outbox/");
            assert_eq!(output.status, if waits { 9 } else { 0 }, "{when}: {}", output.status);
            judge(world, &id, waits, output);
            world.round();
            carried(&world.web, &world.api, &id, "inbox/", "delivered", &when);
            all_sound(world, &when);
        },
    );
}

#[test]
fn a_round_that_meets_a_full_disk_loses_nothing() {
    full_disk("outbox sesame", 23, |world, id, waits, output| {
        assert!(!output.stdout.contains("nothing to carry"), "{output:?}");
        let has_arrived = waits && !received(&world.api, id).is_empty();
        assert_eq!(output.stdout.contains("arrived   "), has_arrived, "{output:?}");
    });
}

#[test]
fn a_watcher_that_could_not_do_what_it_had_to_ends_otherwise_than_one_that_had_nothing_to_do() {
    full_disk("watch --once", 41, |_, _, waits, output| {
        assert!(!(waits && output.stdout.contains("nothing to do\n")), "{output:?}");
    });
}

#[test]
fn a_receiver_restored_from_a_backup_gets_its_task_again() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("there");
    world.api.swift_ok("task . local");
    let backup = sandbox.root();
    let restore = || {
        fs::remove_dir_all(world.api.path("")).unwrap();
        backup.program("cp", ["-a", "backup", "live/api"]).run().ok();
    };
    backup.program("cp", ["-a", "live/api", "backup"]).run().ok();

    world.round();
    restore();
    assert_eq!(received(&world.api, &id), Vec::<String>::new());
    assert_eq!(world.round()["delivered"][0]["id"], id.as_str());
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "restored before it was accepted");

    world.api.swift_ok("inbox sesame");
    world.round();
    carried(&world.web, &world.api, &id, "tasks/", "accepted", "accepted");
    restore();
    world.round();
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "restored after it was accepted");
    world.round();
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "a round later");
    all_sound(&world, "after two restored backups");
}

#[test]
fn a_sender_restored_from_a_backup_does_not_send_twice() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("there");
    let backup = sandbox.root();
    backup.program("cp", ["-a", "live/web", "backup"]).run().ok();
    for (verb, folder, stage) in [("list", "inbox/", "delivered"), ("inbox sesame", "tasks/", "accepted")] {
        world.round();
        world.api.swift_ok(verb);
        fs::remove_dir_all(world.web.path("")).unwrap();
        backup.program("cp", ["-a", "backup", "live/web"]).run().ok();
        assert!(copies(&world.web, &id)[0].starts_with("outbox/"));
        world.round();
        world.round();
        carried(&world.web, &world.api, &id, folder, stage, verb);
    }
    let done = format!("done {id}");
    world.api.swift_ok(done.as_str());
    fs::remove_dir_all(world.web.path("")).unwrap();
    backup.program("cp", ["-a", "backup", "live/web"]).run().ok();
    world.round();
    world.round();
    carried(&world.web, &world.api, &id, "done/", "done", "done");
    all_sound(&world, "after a sender was restored");
}

/// What the receiver does with four letters; each step may be followed by a round.
fn answers(ids: &[String; 4]) -> Vec<String> {
    let [accepted, refused, done, dead] = ids;
    let mut steps = vec![
        format!("inbox refuse {refused} --why 'not ours'"),
        format!("inbox accept {done}"),
        format!("inbox accept {dead}"),
        format!("claim {done}"),
        format!("done {done} --result 'it works'"),
    ];
    steps.extend((0..3).flat_map(|_| [format!("claim {dead}"), format!("fail {dead} --why 'no luck'")]));
    steps.push(format!("inbox accept {accepted}"));
    steps
}

fn receipts_come_back(rounds_after: impl Fn(usize) -> usize) {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids = ["a", "b", "c", "d"].map(|title| world.letter(title));
    world.round();
    for (n, step) in answers(&ids).iter().enumerate() {
        world.api.swift_ok(step.as_str());
        (0..rounds_after(n)).for_each(|_| drop(world.round()));
    }
    world.round();
    let [accepted, refused, done, dead] = &ids;
    carried(&world.web, &world.api, accepted, "tasks/", "accepted", "accepted");
    carried(&world.web, &world.api, refused, "done/", "refused", "refused");
    carried(&world.web, &world.api, done, "done/", "done", "done");
    carried(&world.web, &world.api, dead, "dead/", "dead", "dead");
    assert_eq!(receipt(&world.web, refused).1, "not ours");
    assert_eq!(receipt(&world.web, done).1, "it works");
    assert!(receipt(&world.web, dead).1.contains("no luck"));
    let idle = world.round();
    assert_eq!(idle["receipts"].as_array().unwrap().len(), 0, "{idle}");
    all_sound(&world, "after the receipts");
}

#[test]
fn receipts_come_back_in_one_round() {
    receipts_come_back(|_| 0);
}

#[test]
fn receipts_come_back_in_many_rounds() {
    receipts_come_back(|n| usize::from(n % 3 != 1));
}

#[test]
fn finished_work_that_rests_is_still_told_when_it_changes() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids: Vec<_> = (0..16).map(|n| world.letter(&format!("letter {n}"))).collect();
    world.round();
    world.api.swift_ok("inbox --yes");
    for id in &ids {
        world.api.swift_ok(["claim", id]);
        world.api.swift_ok(["done", id, "--result", "well"]);
    }
    assert_eq!(world.round()["receipts"].as_array().unwrap().len(), ids.len());
    // Only what has been still for a while is known without a look at each file.
    let known = |place: &Place<'_>, folder: &str| {
        fs::metadata(place.path(&format!(".swift/local/cache/{folder}"))).map_or(0, |found| found.len())
    };
    until("finished work is known", || {
        assert_eq!(world.round()["receipts"].as_array().unwrap().len(), 0);
        known(&world.api, "done") > 1000 && known(&world.web, "sent") > 1000
    });

    let path = received(&world.api, &ids[3]).remove(0);
    let path = world.api.path(&format!(".swift/{path}"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("well", "better, as was seen later")).unwrap();
    add(&world.api, ".", "a verb that records what was written in place");
    world.round();
    assert_eq!(receipt(&world.web, &ids[3]).1, "better, as was seen later");

    let events = world.api.json("log -n 100");
    let is_end = |event: &&Value| event["kind"] == "task.done" && event["task"] == ids[7].as_str();
    let ended = events["events"].as_array().unwrap().iter().find(is_end).unwrap();
    world.api.swift_ok(["undo", ended["operation"].as_str().unwrap(), "--yes"]);
    world.round();
    assert_eq!(receipt(&world.web, &ids[7]).0, "accepted");
    all_sound(&world, "finished work has changed");
}

#[test]
fn one_project_that_cannot_be_used_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    for name in ["locked", "missing", "moved", "broken", "other"] {
        let place = sandbox.repository(&format!("live/{name}"));
        place.swift_ok(format!("init --id acme/{name}").as_str());
        world.hub.swift_ok(format!("register ../{name}").as_str());
        add(&world.web, &format!("acme/{name}"), &format!("for {name}"));
        add(&place, "acme/api", &format!("from {name}"));
    }
    let good = world.letter("good");
    let path = |name: &str| sandbox.place("live").path(name);
    let lock = fs::File::open(path("locked/.git")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    fs::remove_dir_all(path("missing")).unwrap();
    fs::rename(path("moved"), path("elsewhere")).unwrap();
    fs::write(path("broken/.swift/swift.toml"), "schema = 1\nid = [").unwrap();
    // Another project lies where this one was.
    fs::remove_dir_all(path("other")).unwrap();
    sandbox.place("live").program("cp", ["-a", "elsewhere", "other"]).run().ok();

    let round = || world.hub.call("outbox --json --yes").env("SWIFT_LOCK_WAIT_MS", "50").run();
    let report = round().json();
    carried(&world.web, &world.api, &good, "inbox/", "delivered", "with bad neighbours");
    let problems = report["problems"].as_array().unwrap();
    for name in ["locked", "missing", "moved", "broken", "other"] {
        let named = problems.iter().find(|p| p["project"] == format!("acme/{name}").as_str());
        assert!(named.is_some(), "{name} is not named in {problems:#?}");
    }
    all_sound(&world, "with bad neighbours");

    drop(lock);
    fs::rename(path("elsewhere"), path("moved")).unwrap();
    let report = round().json();
    let titles: Vec<_> = report["delivered"].as_array().unwrap().iter().map(|d| text(&d["title"])).collect();
    for title in ["for locked", "from locked", "for moved", "from moved"] {
        assert!(titles.contains(&title.to_owned()), "{title} in {titles:?}");
    }
}

#[test]
fn a_project_in_the_middle_of_a_merge_is_told_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let (to_api, to_hub) = (world.letter("to api"), add(&world.web, "acme/hub", "to hub"));
    let api = &world.api;
    for (branch, line) in [("side", "one\n"), ("main", "two\n")] {
        api.git(["checkout", "--quiet", "-B", branch]);
        api.write("README.md", line);
        api.git(["commit", "--quiet", "--all", "--message", branch]);
        if branch == "side" {
            api.git("checkout --quiet -B main HEAD~1");
        }
    }
    assert_ne!(api.program("git", "merge side").run().status, 0);
    let conflict = api.read("README.md");
    let report = world.round();
    carried(&world.web, &world.hub, &to_hub, "inbox/", "delivered", "in the middle of a merge");
    assert_eq!(codes(&report["problems"]), ["in-progress"], "{report}");
    assert!(
        copies(&world.web, &to_api)[0].starts_with("outbox/"),
        "it is not struck off before it is committed"
    );
    assert_eq!(api.read("README.md"), conflict);

    api.git("merge --abort");
    world.round();
    world.round();
    carried(&world.web, api, &to_api, "inbox/", "delivered", "after the merge");
    all_sound(&world, "after the merge");
}

#[test]
fn a_read_only_project_is_told_and_the_rest_goes_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("to api");
    let other = add(&world.web, "acme/hub", "to hub");
    let folders = ["live/api/.git", "live/api/.git/objects", "live/api/.swift", "live/api/.git/refs/heads"];
    let set = |mode: u32| {
        for folder in folders {
            fs::set_permissions(sandbox.root().path(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o555);
    if fs::write(world.api.path(".git/probe"), "").is_ok() {
        return set(0o755); // the superuser may write everywhere
    }
    let report = world.hub.call("outbox sesame --json").run().ended(9).json();
    assert_eq!(report["problems"][0]["project"], "acme/api", "{report}");
    assert_eq!(report["failed"], serde_json::json!(["acme/api"]), "{report}");
    carried(&world.web, &world.hub, &other, "inbox/", "delivered", "read-only neighbour");
    set(0o755);
    world.round();
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "writable again");
    all_sound(&world, "writable again");
}

#[test]
fn what_cannot_be_delivered_becomes_a_dead_letter_and_can_be_put_back() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.web, "acme/nobody", "to nobody");
    sandbox.later(SignedDuration::from_hours(13 * 24));
    let report = world.round();
    assert_eq!(codes(&report["problems"]), ["unknown-project"]);
    assert!(text(&report["problems"][0]["message"]).contains("13 days"), "{report}");
    assert!(copies(&world.web, &id)[0].starts_with("outbox/"));

    sandbox.later(SignedDuration::from_hours(2 * 24));
    assert_eq!(world.round()["dead"][0]["id"], id.as_str());
    assert!(copies(&world.web, &id)[0].starts_with("dead/"));
    assert!(world.web.swift_ok("dead").contains("to nobody"));
    sound(&world.web, "given up");

    world.web.swift_ok(format!("redrive {id}").as_str());
    assert!(copies(&world.web, &id)[0].starts_with("outbox/"));
    assert_eq!(codes(&world.round()["problems"]), ["unknown-project"], "its days count anew");
    let nobody = sandbox.repository("live/nobody");
    nobody.swift_ok("init --id acme/nobody");
    world.hub.swift_ok("register ../nobody");
    world.round();
    carried(&world.web, &nobody, &id, "inbox/", "delivered", "put back");
    let file = nobody.read(&format!(".swift/{}", received(&nobody, &id)[0]));
    assert!(!file.contains("[result]") && !file.contains("defer_until"), "{file}");
    sound(&nobody, "put back");
    sound(&world.web, "put back");
}

/// A letter that is too large for its receiver, which takes little.
fn too_large(world: &World<'_>) -> String {
    let settings = world.api.read(".swift/swift.toml").replace("max_bytes = 1048576", "max_bytes = 900");
    world.api.write(".swift/swift.toml", settings);
    text(&world.web.json(["task", "acme/api", "large", "--body", &"x".repeat(900)])["task"]["id"])
}

#[test]
fn what_is_too_large_for_its_receiver_waits_with_reason_and_age() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let large = too_large(&world);
    let good = world.letter("good");
    // Small enough; its sender's name, which is added, does not count.
    let start =
        "+++\nschema = 1\nid = \"01ksp1c3h0k3v9q2w7x4m8n5ta\"\ntitle = \"t\"\nto = \"acme/api\"\n+++\n";
    world.web.write(".swift/outbox/edge.md", format!("{start}{}", "x".repeat(899 - start.len())));
    sandbox.later(SignedDuration::from_hours(72));
    for when in ["at first", "a round later"] {
        let report = world.round();
        let problems = report["problems"].as_array().unwrap();
        assert_eq!(codes(&report["problems"]), ["too-large"], "{when}: {report:#}");
        assert!(problems.iter().all(|problem| problem["project"] == "acme/web"), "{when}: {report:#}");
        let told = problems.iter().map(|problem| text(&problem["message"]));
        let of_large = told.filter(|told| told.contains("“large”")).collect::<String>();
        assert!(of_large.contains("takes at most 900") && of_large.contains("3 days"), "{when}: {report:#}");
        assert!(copies(&world.web, &large)[0].starts_with("outbox/"), "{when}");
        carried(&world.web, &world.api, &good, "inbox/", "delivered", when);
    }
    assert_eq!(world.round()["commits"].as_array().unwrap().len(), 0);
    let settings = world.api.read(".swift/swift.toml").replace("max_bytes = 900", "max_bytes = 2000");
    world.api.write(".swift/swift.toml", settings);
    assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 1);
    carried(&world.web, &world.api, &large, "inbox/", "delivered", "the limit is raised");
    all_sound(&world, "the limit is raised");
}

#[test]
fn whatever_keeps_a_letter_from_arriving_for_good_makes_a_dead_letter_of_it_in_the_end() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let large = too_large(&world);
    let taken = world.letter("taken");
    let own = add(&world.api, ".", "its own");
    let path = copies(&world.api, &own).remove(0);
    let file = world.api.read(&format!(".swift/{path}")).replace(&own, &taken);
    world.api.write(&format!(".swift/{path}"), file);
    let forged = world.letter("forged");
    let path = format!(".swift/{}", copies(&world.web, &forged)[0]);
    world.web.write(
        &path,
        world.web.read(&path).replace("\"acme/web\"", "\"acme/api\"").replacen(
            "to = \"acme/api\"",
            "to = \"acme/hub\"",
            1,
        ),
    );
    world.web.write(".swift/outbox/bad.md", "+++\ntitle = \n+++\n");
    let report = world.round();
    let mut told = codes(&report["problems"]);
    told.sort();
    assert_eq!(told, ["collision", "forged-sender", "malformed", "too-large"], "{report:#}");
    for problem in report["problems"].as_array().unwrap() {
        assert!(text(&problem["message"]).contains("less than an hour"), "{problem:#}");
    }
    sandbox.later(SignedDuration::from_hours(15 * 24));
    let report = world.round();
    assert_eq!(codes(&report["problems"]), ["malformed"], "{report:#}");
    for id in [&large, &taken, &forged] {
        assert!(copies(&world.web, id)[0].starts_with("dead/"), "{:?}", copies(&world.web, id));
    }
    assert_eq!(report["dead"].as_array().unwrap().len(), 3);
}

#[test]
fn a_plan_says_of_what_the_receiver_has_already_what_the_round_will_do() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("There already");
    world.keep();
    // Another task has the id.
    let letter = world.web.read(&format!(".swift/{}", copies(&world.web, &id)[0]));
    world.api.write(&format!(".swift/inbox/{id}-x.md"), letter.replace("There already", "Another"));
    let plan = world.hub.call("outbox --json").run().ended(0).json();
    assert_eq!(codes(&plan["problems"]), ["collision"], "{plan:#}");
    assert!(!plan.to_string().contains("deliver "), "{plan:#}");
    // The sender's queue was restored from before the delivery, and the receiver is done by now.
    world.restore();
    let before = sandbox.place("former").path("web");
    world.web.program("cp", ["-a", ".", before.to_str().unwrap()]).run().ok();
    world.round();
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["done", &id]);
    std::fs::remove_dir_all(world.web.path("")).unwrap();
    std::fs::rename(&before, world.web.path("")).unwrap();
    let plan = world.hub.call("outbox --json").run().ended(7).json();
    let told = plan["plan"].to_string();
    assert!(told.contains("done by acme/api") && !told.contains("deliver "), "{plan:#}");
    let report = world.hub.json("sesame");
    assert_eq!(report["receipts"][0]["stage"], "done", "{report:#}");
    assert_eq!(received(&world.api, &id).len(), 1);
    all_sound(&world, "told");
}

#[test]
fn a_dead_letter_that_names_no_receiver_is_put_back_into_the_outbox() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.web.write(".swift/outbox/nobody.md", "+++\ntitle = \"for nobody\"\n+++\n");
    add(&world.web, ".", "takes the file in");
    sandbox.later(SignedDuration::from_hours(15 * 24));
    let id = text(&world.round()["dead"][0]["id"]);
    world.web.swift_ok(["redrive", &id]);
    assert!(copies(&world.web, &id)[0].starts_with("outbox/"), "{:?}", copies(&world.web, &id));
    assert_eq!(world.round()["dead"].as_array().unwrap().len(), 0, "its days count anew");
    let path = format!(".swift/{}", copies(&world.web, &id)[0]);
    world.web.write(&path, world.web.read(&path).replacen("+++\n", "+++\nto = \"acme/api\"\n", 1));
    world.round();
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "addressed");
    all_sound(&world, "addressed");
}

#[test]
fn a_task_on_a_branch_that_is_not_at_hand_is_not_delivered_again() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let main = world.api.git("branch --show-current").trim().to_owned();
    world.api.git("switch --quiet --create feature");
    let id = world.letter("T");
    world.round();
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["claim", &id]);
    world.round();
    world.api.git(["switch", "--quiet", &main]);
    for when in ["switched", "a round later"] {
        let report = world.round();
        assert_eq!(report["delivered"].as_array().unwrap().len(), 0, "{when}: {report:#}");
        assert_eq!(codes(&report["problems"]), ["queue-elsewhere"], "{when}: {report:#}");
        assert!(text(&report["problems"][0]["hints"][0]).contains("merge feature"), "{when}: {report:#}");
        assert_eq!((receipt(&world.web, &id).0.as_str(), received(&world.api, &id).len()), ("accepted", 0));
    }
    world.api.git("switch --quiet feature");
    world.api.swift_ok(["done", &id]);
    world.round();
    world.api.git(["switch", "--quiet", &main]);
    assert_eq!(codes(&world.round()["problems"]), [""; 0], "it is over");
    assert_eq!(receipt(&world.web, &id).0, "done");
    world.api.git("merge --quiet feature");
    world.round();
    carried(&world.web, &world.api, &id, "done/", "done", "merged");
    // What is on no branch any more is lost.
    world.api.git("switch --quiet --create other");
    let lost = world.letter("Lost");
    world.round();
    world.api.git(["switch", "--quiet", &main]);
    world.api.git("branch --quiet -D other");
    assert_eq!(world.round()["delivered"].as_array().unwrap().len(), 1);
    carried(&world.web, &world.api, &lost, "inbox/", "delivered", "lost");
    all_sound(&world, "in the end");
}

#[test]
fn a_task_on_a_branch_that_was_pushed_and_deleted_here_is_not_delivered_again() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let main = world.api.git("branch --show-current").trim().to_owned();
    world.folder().git("init --quiet --bare origin");
    world.api.git("remote add origin ../origin");
    world.api.git(["push", "--quiet", "--set-upstream", "origin", &main]);
    world.api.git("switch --quiet --create feat");
    let id = world.letter("T");
    world.round();
    world.api.swift_ok("inbox sesame");
    world.api.swift_ok(["claim", &id]);
    world.round();
    world.api.git("push --quiet origin feat");
    world.api.git(["switch", "--quiet", &main]);
    world.api.git("branch --quiet -D feat");
    let report = world.round();
    assert_eq!(report["delivered"].as_array().unwrap().len(), 0, "{report:#}");
    assert!(text(&report["problems"][0]["hints"][0]).contains("merge origin/feat"), "{report:#}");
    assert_eq!((receipt(&world.web, &id).0.as_str(), received(&world.api, &id).len()), ("accepted", 0));
    world.api.git("merge --quiet origin/feat");
    assert_eq!(codes(&world.round()["problems"]), [""; 0]);
    carried(&world.web, &world.api, &id, "tasks/", "accepted", "merged");
    all_sound(&world, "in the end");
}

#[test]
fn a_task_waits_for_what_its_sender_has_named() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let lib = sandbox.repository("live/lib");
    lib.swift_ok("init --id acme/lib");
    world.hub.swift_ok("register ../lib");
    let (own, sent) = (add(&world.web, ".", "Own"), world.letter("Sent"));
    let at_hub = add(&world.hub, ".", "At the hub");
    let ask = |place: &Place<'_>, title: &str, after: &str| {
        text(&place.json(["task", "acme/lib", title, "--after", after])["task"]["id"])
    };
    let waiting = [ask(&world.web, "A", &own), ask(&world.web, "B", &sent), ask(&world.hub, "C", &at_hub)];
    world.round();
    lib.swift_ok("inbox sesame");
    world.api.swift_ok("inbox sesame");
    let reasons = |place: &Place<'_>, words: &str| place.json(words)["skipped"].to_string();
    let first = reasons(&lib, "next --why");
    assert!(!first.contains("not known") && first.matches("waits for").count() == 3, "{first}");
    for id in &waiting {
        lib.swift(["claim", id]).ended(5);
    }
    world.web.swift_ok(["done", &own]);
    world.hub.swift_ok(["done", &at_hub]);
    world.api.swift_ok(["done", &sent]);
    world.round();
    assert_eq!(reasons(&lib, "next --why"), "[]");
    assert_eq!(reasons(&world.hub, "next --all --why"), "[]");
    for id in &waiting {
        lib.swift_ok(["claim", id]);
    }
    // What nobody knows is not met.
    let lost = ask(&world.web, "D", "01kjpsrhq0zzzzzzzzzzzzzzzz");
    world.round();
    lib.swift_ok("inbox sesame");
    let reason = reasons(&lib, "next --why");
    assert!(reason.contains("which is not known in acme/lib or acme/web"), "{reason}");
    lib.swift(["claim", &lost]).ended(5);
}

#[test]
fn a_renamed_project_is_found_under_its_old_name() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let before = world.letter("before");
    world.round();
    let settings = world.api.read(".swift/swift.toml");
    let settings = settings.replace("id = \"acme/api\"", "id = \"acme/backend\"");
    world.api.write(".swift/swift.toml", settings.replace("aliases = []", "aliases = [\"acme/api\"]"));
    world.api.swift_ok("doctor --fix --yes");
    let between = world.letter("between");
    world.round();
    carried(&world.web, &world.api, &between, "inbox/", "delivered", "renamed, not registered anew");
    world.hub.swift_ok("register ../api");
    let after = world.letter("after");
    world.api.swift_ok("inbox sesame");
    world.round();
    carried(&world.web, &world.api, &after, "inbox/", "delivered", "renamed");
    for id in [&before, &between] {
        carried(&world.web, &world.api, id, "tasks/", "accepted", "delivered under the old name");
    }
    all_sound(&world, "renamed");
}

#[test]
fn a_forged_sender_and_a_tricky_receiver_stay_where_they_are() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let good = world.letter("good");
    let heads = [
        "from = \"acme/api\"\nto = \"acme/api\"",
        "to = \"../api\"",
        "to = \"/etc\"",
        "to = \"acme/../api\"",
        "to = \"acme/api\\u0000\"",
        "to = \"$(reboot)\"",
        "to = [\"acme/api\"]",
        "title = \"twice\"\nto = \"acme/api\"",
        "",
    ];
    for (n, head) in heads.iter().enumerate() {
        world.web.write(&format!(".swift/outbox/{n}.md"), format!("+++\ntitle = \"t\"\n{head}\n+++\nbody\n"));
    }
    let report = world.round();
    assert_eq!(report["delivered"].as_array().unwrap().len(), 1, "{report:#}");
    carried(&world.web, &world.api, &good, "inbox/", "delivered", "with tricky neighbours");
    for n in 0..heads.len() {
        assert!(world.web.path(&format!(".swift/outbox/{n}.md")).exists());
        let path = format!("outbox/{n}.md");
        let told = report["problems"].as_array().unwrap().iter().any(|p| text(&p["path"]).ends_with(&path));
        assert!(told, "{path} in {report:#}");
    }
}

#[test]
fn a_letter_that_claims_progress_arrives_without_it() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = "01ksp1c3h0k3v9q2w7x4m8n5ta";
    let head = "schema = 1\nid = \"01ksp1c3h0k3v9q2w7x4m8n5ta\"\ntitle = \"t\"\nto = \"acme/api\"\nextra = \"kept\" # why\n\
        token = 9223372036854775807\nattempts = 7\nblocked = \"by me\"\ndefer_until = 2999-01-01T00:00:00Z\n\
        [lease]\nholder = \"mallory\"\ntoken = 9223372036854775807\nexpires_at = 2999-01-01T00:00:00Z\n\
        [receipt]\nstage = \"done\"\nat = 2026-01-01T00:00:00Z\nby = \"acme/api\"\nnote = \"paid\"\n\
        [result]\nstate = \"done\"\nat = 2026-01-01T00:00:00Z\nby = \"mallory\"\nnote = \"done already\"\n";
    world.web.write(".swift/outbox/letter.md", format!("+++\n{head}+++\nbody\n"));
    world.round();
    assert_eq!(receipt(&world.web, id).0, "delivered");
    world.api.swift(["inbox", "accept", id]).ok();
    let listed = world.api.json("list");
    assert_eq!(listed["tasks"][0]["state"], "ready", "{listed}");
    let accepted = world.api.read(&format!(".swift/{}", received(&world.api, id)[0]));
    for stripped in
        ["mallory", "token", "attempts", "[receipt]", "[result]", "[lease]", "blocked", "defer_until"]
    {
        assert!(!accepted.contains(stripped), "{stripped} in\n{accepted}");
    }
    assert!(accepted.contains("extra = \"kept\" # why\n"), "{accepted}");
    assert_eq!(world.api.json(["claim", id])["lease"]["token"], 1);
    world.round();
    carried(&world.web, &world.api, id, "tasks/", "accepted", "claimed progress");
}

#[test]
fn a_task_dropped_by_hand_is_carried_to_the_byte() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let file = "\u{feff}+++\r\ntitle = 'by hand' # mine\r\nto = \"acme/api\"\r\n\r\n[mine]\r\nx = [1,\r\n 2]\r\n+++\r\nno newline at the end";
    world.web.write(".swift/outbox/By Hand.md", file);
    let report = world.round();
    let id = text(&report["delivered"][0]["id"]);
    carried(&world.web, &world.api, &id, "inbox/", "delivered", "by hand");
    let there = world.api.read(&format!(".swift/{}", received(&world.api, &id)[0]));
    let mut rest = there.as_str();
    // Nothing but added lines: what was written is a subsequence in whole lines.
    for line in file.split_inclusive("\r\n") {
        let found = rest.find(line).unwrap_or_else(|| panic!("{line:?} in\n{there:?}"));
        rest = &rest[found + line.len()..];
    }
    assert_eq!(rest, "");
    all_sound(&world, "by hand");
}
