//! What a sender hears of a task whose file its receiver cannot read, or does not have any more.

use std::fs;

use serde_json::Value;

use crate::sandbox::{Sandbox, until};
use crate::world::{World, codes, copies, receipt, received, sound, text};

/// A letter that the receiver has accepted, of which the sender knows; its id and the path of its file.
fn accepted(world: &World<'_>) -> (String, String) {
    let id = world.letter("there");
    world.round();
    world.api.swift_ok("inbox --yes");
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    let path = received(&world.api, &id).remove(0);
    (id, format!(".swift/{path}"))
}

/// A round brings no receipt, and one problem with this code; the sender's record stays as it was.
#[track_caller]
fn no_news(world: &World<'_>, id: &str, code: &str, when: &str) -> Value {
    let report = world.round();
    assert_eq!(report["receipts"].as_array().unwrap().len(), 0, "{when}: {report:#}");
    assert_eq!(codes(&report["problems"]), [code], "{when}: {report:#}");
    assert_eq!(receipt(&world.web, id).0, "accepted", "{when}");
    report
}

#[test]
fn a_task_that_its_receiver_cannot_read_is_no_news() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (id, path) = accepted(&world);
    let good = world.api.read(&path);
    let slips = [
        (good.replacen("priority = \"medium\"", "priority = mdium", 1), "malformed"),
        (good.replacen("schema = 1", "schema = 2", 1), "newer-schema"),
        (format!("<<<<<<< HEAD\n{good}"), "unsettled"),
        (format!("{good}{}", "x".repeat(2 << 20)), "too-large"),
    ];
    for (text, code) in slips {
        assert_ne!(text, good);
        world.api.write(&path, text);
        let report = no_news(&world, &id, code, code);
        assert_eq!(report["problems"][0]["project"], "acme/api", "{report:#}");
    }
    world.api.write(&path, good);
    let idle = world.round();
    assert_eq!((codes(&idle["problems"]).len(), idle["commits"].as_array().unwrap().len()), (0, 0), "{idle}");
    sound(&world.web, "mended");
}

#[test]
fn a_file_that_is_away_for_a_moment_is_no_news_and_a_recorded_removal_is() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (id, path) = accepted(&world);
    let (there, tasks) = (world.api.path(&path), world.api.path(".swift/tasks"));
    let aside = world.api.path(".swift/local/aside");
    for place in [&there, &tasks] {
        fs::rename(place, &aside).unwrap();
        let report = no_news(&world, &id, "task-not-found", "away");
        assert!(
            report["problems"][0]["message"].as_str().unwrap().contains("its log says ready"),
            "{report}"
        );
        fs::rename(&aside, place).unwrap();
    }
    // A link in the place of the folder is not followed, and tells nothing.
    fs::rename(&tasks, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &tasks).unwrap();
    let report = world.round();
    assert_eq!(report["receipts"].as_array().unwrap().len(), 0, "{report:#}");
    assert_eq!(report["problems"][0]["project"], "acme/api", "{report:#}");
    fs::remove_file(&tasks).unwrap();
    fs::rename(&aside, &tasks).unwrap();

    fs::remove_file(&there).unwrap();
    world.api.swift_ok("task . 'a verb that records the removal'");
    let report = world.round();
    assert_eq!(report["receipts"][0]["stage"], "dead", "{report:#}");
    assert_eq!(
        receipt(&world.web, &id),
        ("dead".to_owned(), "removed from the queue of acme/api".to_owned())
    );
    sound(&world.web, "removed");
}

#[test]
fn the_end_of_a_task_is_told_though_its_file_was_cleared_away() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let ids = ["a", "b", "c"].map(|title| world.letter(title));
    world.round();
    let [done, refused, forgotten] = &ids;
    world.api.swift_ok(["inbox", "refuse", refused, "--why", "not ours"]);
    for id in [done, forgotten] {
        world.api.swift_ok(["inbox", "accept", id]);
        world.api.swift_ok(["done", id, "--result", "it works"]);
    }
    for id in [done, refused] {
        let path = received(&world.api, id).remove(0);
        world.api.git(["-C", ".swift", "rm", "--quiet", &path]);
    }
    world.api.git("-C .swift commit --quiet --message 'clean up'");
    let path = received(&world.api, forgotten).remove(0);
    fs::remove_file(world.api.path(&format!(".swift/{path}"))).unwrap();
    world.api.swift_ok("task . 'a verb that records the removal'");

    assert_eq!(world.round()["receipts"].as_array().unwrap().len(), 3);
    let told = |stage: &str, note: &str| (stage.to_owned(), note.to_owned());
    assert_eq!(receipt(&world.web, done), told("done", "it works"));
    assert_eq!(receipt(&world.web, refused), told("refused", "not ours"));
    assert_eq!(receipt(&world.web, forgotten), told("done", "it works"));
    assert_eq!(world.round()["receipts"].as_array().unwrap().len(), 0);
    sound(&world.web, "cleared away");
}

#[test]
fn a_log_that_cannot_be_read_is_no_reason_to_carry_a_task_again() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (id, path) = accepted(&world);
    let audit = world.api.path(".swift/audit");
    let aside = world.api.path(".swift/local/aside");
    let kept = world.api.path(".swift/local/kept");
    fs::rename(world.api.path(&path), &kept).unwrap();
    fs::rename(&audit, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &audit).unwrap();
    let report = world.round();
    assert_eq!(report["delivered"].as_array().unwrap().len(), 0, "{report:#}");
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    assert!(!codes(&report["problems"]).is_empty());
    fs::remove_file(&audit).unwrap();
    fs::rename(&aside, &audit).unwrap();
    fs::rename(&kept, world.api.path(&path)).unwrap();
    world.round();
    sound(&world.api, "put back");
}

#[test]
fn a_task_that_gets_another_id_by_hand_is_gone_under_the_old_one() {
    for (other, is_committed) in [("", false), ("id = \"01kjpsrhq0zzzzzzzzzzzzzzzz\"\n", false), ("", true)] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let when = format!("{other:?}, committed by hand: {is_committed}");
        let id = world.letter("T");
        world.round();
        let path = format!(".swift/{}", received(&world.api, &id)[0]);
        let text = world.api.read(&path);
        world.api.write(&path, text.replace(&format!("id = \"{id}\"\n"), other));
        if is_committed {
            world.api.git("-C .swift commit --quiet --all -m mine");
        }
        world.api.swift_ok("inbox sesame");
        assert_eq!(received(&world.api, &id), [""; 0], "{when}");
        let report = world.round();
        assert_eq!(codes(&report["problems"]), [""; 0], "{when}: {report:#}");
        let told = ("dead".to_owned(), "removed from the queue of acme/api".to_owned());
        assert_eq!(receipt(&world.web, &id), told, "{when}");
        assert!(world.hub.swift_ok("outbox").contains("nothing to carry"), "{when}");
        for place in [&world.web, &world.api] {
            sound(place, &when);
        }
    }
}

#[test]
fn a_closed_record_hears_of_a_task_that_is_taken_up_again_and_of_another_result() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (id, _) = accepted(&world);
    let told = |stage: &str, note: &str| (stage.to_owned(), note.to_owned());
    world.api.swift_ok(["done", &id, "--result", "it works"]);
    world.round();
    assert_eq!(receipt(&world.web, &id), told("done", "it works"));
    assert_eq!(world.round()["receipts"].as_array().unwrap().len(), 0);

    world.api.swift_ok("undo --yes");
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "accepted");

    world.api.swift_ok(["done", &id, "--result", "it works"]);
    world.round();
    let path = format!(".swift/{}", received(&world.api, &id).remove(0));
    world.api.write(&path, world.api.read(&path).replace("it works", "it works, but slowly"));
    world.api.swift_ok("task . 'a verb that records the new result'");
    world.round();
    assert_eq!(receipt(&world.web, &id), told("done", "it works, but slowly"));
    sound(&world.web, "taken up again");
}

#[test]
fn a_removal_after_the_clock_was_ahead_is_believed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("L");
    world.round();
    world.api.call("inbox sesame").env("SWIFT_TEST_NOW", "2026-03-02T09:30:00Z").run().ok();
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    let path = received(&world.api, &id).remove(0);
    fs::remove_file(world.api.path(&format!(".swift/{path}"))).unwrap();
    world.api.swift_ok("task . 'the clock is right again'");
    let report = world.round();
    assert_eq!(codes(&report["problems"]), [""; 0], "{report:#}");
    let told = ("dead".to_owned(), "removed from the queue of acme/api".to_owned());
    assert_eq!(receipt(&world.web, &id), told);
}

#[test]
fn a_record_that_names_a_project_which_never_had_the_task_is_told_and_nothing_is_carried() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    sandbox.repository("live/lib").swift_ok("init --id acme/lib");
    world.hub.swift_ok("register ../lib");
    let lib = sandbox.place("live/lib");
    let (id, _) = accepted(&world);
    let path = format!(".swift/{}", crate::world::copies(&world.web, &id)[0]);
    let good = world.web.read(&path);
    let by = |text: &str, name: &str| text.replace("by = \"acme/api\"", &format!("by = \"{name}\""));
    let to = |text: &str, name: &str| text.replace("to = \"acme/api\"", &format!("to = \"{name}\""));
    let slips = [
        (by(&good, "acme/lib"), true),
        (by(&to(&good, "acme/lib"), "acme/lib"), true),
        (by(&to(&good, "acme/nobody"), "acme/nobody"), true),
        // Whom it is for leads to the one that has it.
        (by(&good, "acme/nobody"), false),
    ];
    for (text, is_told) in slips {
        assert_ne!(text, good);
        world.web.write(&path, &text);
        for is_recorded in [false, true] {
            if is_recorded {
                world.web.swift_ok("task . 'a verb that records it'");
            }
            let found = world.web.swift("doctor --json").ended(8).json();
            assert!(codes(&found["findings"]).contains(&"receipt-differs".to_owned()), "{text}\n{found:#}");
        }
        let report = world.round();
        for what in ["delivered", "receipts"] {
            assert_eq!(report[what].as_array().unwrap().len(), 0, "{text}\n{report:#}");
        }
        let told: &[&str] = if is_told { &["receipt-differs"] } else { &[] };
        assert_eq!(codes(&report["problems"]), told, "{text}\n{report:#}");
        assert_eq!(received(&lib, &id), [""; 0]);
        world.web.write(&path, &good);
        world.web.swift_ok("task . 'a verb that records it'");
    }
    assert_eq!(codes(&world.round()["problems"]), [""; 0]);
    for place in [&world.web, &world.api, &lib] {
        place.swift_ok("doctor");
        sound(place, "mended");
    }
}

#[test]
fn a_record_that_was_written_in_place_is_recorded_and_told_how_far_its_task_is() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let letters: Vec<String> = (0..20).map(|n| world.letter(&format!("letter {n}"))).collect();
    world.round();
    let cache = world.web.path(".swift/local/cache/sent");
    until("what was sent is known by its names", || {
        world.round();
        fs::metadata(&cache).is_ok_and(|found| found.len() > 1000)
    });
    let path = world.web.path(&format!(".swift/{}", copies(&world.web, &letters[7])[0]));
    let record = fs::read_to_string(&path).unwrap();
    // In place, as some editors write: the folder does not change.
    fs::write(&path, record.replace("stage = \"delivered\"", "stage = \"refused\"")).unwrap();
    assert_eq!(receipt(&world.web, &letters[7]).0, "refused");
    let round = world.round();
    assert_eq!(round["receipts"].as_array().unwrap().len(), 1, "{round:#}");
    assert_eq!(receipt(&world.web, &letters[7]).0, "delivered");
    let log = world.web.json("log -n 2");
    let kinds: Vec<String> = log["events"].as_array().unwrap().iter().map(|it| text(&it["kind"])).collect();
    assert_eq!(kinds, ["receipt.received", "changed-by-hand"], "{log:#}");
    sound(&world.web, "recorded");
}
