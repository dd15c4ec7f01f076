//! Finished work that was put away in bulk is there once, whoever wrote it and whichever clones put it away.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, files, receipt, sound, text};

/// So many finished tasks that the next one makes an archive.
const MANY: usize = 520;

/// Finished tasks with names that a person gives.
fn finished_by_hand(place: &Place<'_>) {
    finished(place, 0..MANY);
}

fn finished(place: &Place<'_>, numbers: std::ops::Range<usize>) {
    finished_at(place, "2026-02-03T00:00:00Z", numbers);
}

fn finished_at(place: &Place<'_>, end: &str, numbers: std::ops::Range<usize>) {
    for n in numbers {
        let text = format!("+++\ntitle = \"old {n}\"\n\n[result]\nstate = \"done\"\nat = {end}\n+++\n");
        place.write(&format!(".swift/done/2026-02/old-{n}.md"), text);
    }
    place.swift_ok("doctor --fix sesame");
}

fn finish_one(place: &Place<'_>, title: &str) -> String {
    let id = add(place, ".", title);
    place.swift_ok(["done", &id]);
    id
}

/// The titles of all finished tasks; none may be there twice.
#[track_caller]
fn done(place: &Place<'_>) -> BTreeSet<String> {
    let list = place.json("list --state done");
    let titles: Vec<String> =
        list["tasks"].as_array().unwrap().iter().map(|task| text(&task["title"])).collect();
    let once: BTreeSet<String> = titles.iter().cloned().collect();
    assert_eq!(titles.len(), once.len(), "twice in the list");
    once
}

fn archives(place: &Place<'_>) -> usize {
    files(place).iter().filter(|path| path.starts_with("archive/")).count()
}

#[test]
fn clones_that_put_the_same_work_away_have_it_once() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    finished_by_hand(&web);
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    finish_one(&web, "of web");
    let of_twin = finish_one(&twin, "of twin");
    assert_eq!((archives(&web), archives(&twin)), (1, 1), "each has put away for itself");
    assert_eq!(
        (done(&web).len(), done(&twin).len()),
        (MANY + 1, MANY + 1),
        "names given by hand are found again"
    );
    sound(&web, "put away");
    web.git("fetch --quiet ../twin +swift:refs/remotes/other/swift");
    web.git("-C .swift merge --quiet --no-edit refs/remotes/other/swift");
    assert_eq!(archives(&web), 2);
    let all = done(&web);
    assert!(all.len() == MANY + 2 && all.contains("of web") && all.contains("of twin"), "{}", all.len());
    let findings = web.call("doctor --json").run().json();
    assert_eq!(findings["findings"].as_array().unwrap().len(), 0, "{findings:#}");

    // What one puts away and the other one changes stays as it was changed.
    let old = text(&web.json("list --state done")["tasks"][0]["id"]);
    assert_eq!(text(&web.json(["show", &old])["task"]["id"]), old);
    assert_eq!(text(&web.json(["show", &of_twin])["task"]["id"]), of_twin);
    sound(&web, "merged");
}

#[test]
fn what_is_in_an_archive_has_its_short_name_and_a_cut_one_is_told() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    finished_by_hand(&web);
    finish_one(&web, "the last");
    let list = web.json("list --state done");
    let archived = list["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| text(&task["path"]).contains("archive/"))
        .unwrap();
    let short = text(&archived["id"])[10..16].to_owned();
    assert_eq!(web.json(["show", &short])["task"]["title"], archived["title"]);
    for verb in [["comment", &short, "more"], ["done", &short, "--json"], ["fail", &short, "--why=x"]] {
        let run = web.call(verb).run();
        let refused = run.ended(5);
        assert!(refused.stderr.contains("in an archive"), "{}", refused.stderr);
    }
    let claim = web.call(["claim", &short]).run();
    assert!(claim.ended(3).stderr.contains("it is in `archive`"), "{}", claim.stderr);
    let path = files(&web).into_iter().find(|path| path.starts_with("archive/")).unwrap();
    let path = web.path(&format!(".swift/{path}"));
    let bytes = std::fs::read(&path).unwrap();
    let half = bytes[..bytes.len() / 2].iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(&path, &bytes[..half]).unwrap();
    let list = web.swift("list --state done");
    assert!(
        list.stderr.contains("of its 256 tasks") || list.stdout.contains("of its 256 tasks"),
        "{}",
        list.stderr
    );
    let doctor = web.swift("doctor");
    assert_eq!(doctor.status, 8, "{}", doctor.stdout);
    assert!(doctor.stdout.contains("archive-damaged"), "{}", doctor.stdout);
}

/// Which tasks lie in archives this machine remembers; nothing but speed hangs on that.
#[test]
fn what_is_remembered_of_the_archives_may_be_lost_noise_or_that_of_former_ones() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    finished_by_hand(&web);
    finish_one(&web, "the last");
    let list = web.json("list --state done");
    let tasks = list["tasks"].as_array().unwrap();
    let archived = tasks.iter().find(|task| text(&task["path"]).contains("archive/")).unwrap();
    let short = text(&archived["id"])[10..16].to_owned();
    let is_found = || web.json(["show", &short])["task"]["title"] == archived["title"];
    let kept = web.path(".swift/local/cache/archived");
    // A folder that was changed just now is not trusted to a cache.
    while !kept.exists() {
        assert!(is_found());
    }
    let good = std::fs::read(&kept).unwrap();
    let mut scribbled = good.clone();
    let last = scribbled.len() - 1;
    scribbled[last] ^= 0x5a;
    for bad in [&scribbled[..], &good[..last], b"", b"noise"] {
        std::fs::write(&kept, bad).unwrap();
        assert!(is_found());
        assert_eq!(std::fs::read(&kept).unwrap(), good, "it is made anew");
    }
    let archive = files(&web).into_iter().find(|path| path.starts_with("archive/")).unwrap();
    let aside = web.path("aside");
    std::fs::rename(web.path(&format!(".swift/{archive}")), &aside).unwrap();
    assert_eq!(web.call(["show", &short]).run().status, 3, "that archive is elsewhere");
    std::fs::rename(&aside, web.path(&format!(".swift/{archive}"))).unwrap();
    assert!(is_found(), "and is there again");
    web.git(format!("-C .swift rm --quiet {archive}").as_str());
    assert_eq!(web.call(["show", &short]).run().status, 3, "that archive is gone");
    std::fs::remove_file(&kept).unwrap();
    assert_eq!(web.call(["show", &short]).run().status, 3, "and nothing was remembered");
}

#[test]
fn a_record_that_a_round_opens_again_is_not_put_away_by_it() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("done, and not done after all");
    world.round();
    world.api.swift_ok("inbox --yes");
    world.folder().program("cp", "-a api backup").run().ended(0);
    world.api.swift_ok(["done", &id]);
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "done");
    world.folder().program("rm", "-r api").run().ended(0);
    world.folder().program("mv", "backup api").run().ended(0);
    for n in 0..MANY {
        let receipt = "[receipt]\nstage = \"done\"\nat = 2026-02-03T00:00:00Z\nby = \"acme/api\"\n";
        let text = format!("+++\ntitle = \"old {n}\"\nto = \"acme/api\"\n\n{receipt}+++\n");
        world.web.write(&format!(".swift/sent/2026-02/old-{n}.md"), text);
    }
    world.web.swift_ok("doctor --fix sesame");
    world.round();
    assert_eq!(archives(&world.web), 1);
    assert_eq!(receipt(&world.web, &id).0, "accepted");
    world.api.swift_ok(["done", &id]);
    world.round();
    assert_eq!(receipt(&world.web, &id).0, "done");
    sound(&world.web, "opened again");
}

#[test]
fn dozens_that_have_been_over_for_two_weeks_are_put_away_and_younger_ones_stay_at_hand() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let now = jiff::Timestamp::from_second(sandbox.moment().0).unwrap();
    finished_at(&web, &now.to_string(), 0..70);
    finish_one(&web, "on the same day");
    assert_eq!(archives(&web), 0);
    sandbox.later(SignedDuration::from_hours(13 * 24));
    finish_one(&web, "on the thirteenth day");
    assert_eq!(archives(&web), 0);
    sandbox.later(SignedDuration::from_hours(2 * 24));
    let young = finish_one(&web, "on the fifteenth day");
    assert_eq!(archives(&web), 1);
    let list = web.json("list --state done");
    let loose =
        list["tasks"].as_array().unwrap().iter().filter(|task| !text(&task["path"]).contains("archive/"));
    let loose: BTreeSet<String> = loose.map(|task| text(&task["title"])).collect();
    let expected = ["on the thirteenth day", "on the fifteenth day"].map(str::to_owned);
    assert_eq!(loose, expected.into());
    assert_eq!(done(&web).len(), 73);
    web.swift_ok("undo --yes");
    assert_eq!(text(&web.json(["show", &young])["task"]["state"]), "ready");
    assert_eq!(
        (archives(&web), done(&web).len()),
        (0, 72),
        "the archive was made by the operation that was taken back"
    );
    sound(&web, "put away");
}

#[test]
fn of_two_clones_that_put_a_task_away_the_one_that_changed_it_is_right() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    // Not so many that any is put away.
    finished(&web, 0..28);
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    let mut old: Vec<(String, String)> = web.json("list --state done")["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (text(&task["id"]), text(&task["title"])))
        .collect();
    old.sort();
    let [by_web, by_twin, by_both] = [0, 1, 2].map(|at| old[at].0.clone());
    web.swift_ok(["comment", &by_web, "from web"]);
    twin.swift_ok(["comment", &by_twin, "from twin"]);
    web.swift_ok(["comment", &by_both, "web alone"]);
    twin.swift_ok(["comment", &by_both, "twin alone"]);
    finished(&web, 60..70);
    finished(&twin, 70..80);
    finish_one(&web, "of web");
    finish_one(&twin, "of twin");
    for (place, other) in [(&web, "twin"), (&twin, "web")] {
        place.git(["fetch", "--quiet", &format!("../{other}"), "+swift:refs/remotes/other/swift"]);
    }
    for place in [&web, &twin] {
        place.git("-C .swift merge --quiet --no-edit refs/remotes/other/swift");
        assert_eq!((archives(place), done(place).len()), (2, 50));
        assert!(place.swift_ok(["show", &by_web]).contains("from web"));
        assert!(place.swift_ok(["show", &by_twin]).contains("from twin"));
        // Both have changed it: one of the two is shown, and what the other one has is told of.
        assert!(place.swift_ok(["show", &by_both]).contains("twin alone"));
        let findings = place.swift("doctor --json").ended(0).json()["findings"].clone();
        assert_eq!(crate::world::codes(&findings), ["archived-twice"], "{findings:#}");
        assert!(text(&findings[0]["message"]).contains(&by_both[10..16]), "{findings:#}");
    }
}

#[test]
fn taking_back_and_again_what_put_work_away_says_nothing_of_it() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    finished_by_hand(&web);
    let id = finish_one(&web, "the last");
    let before = done(&web);
    web.swift_ok("undo");
    assert_eq!((archives(&web), done(&web).len()), (0, MANY));
    web.swift_ok("undo");
    assert_eq!((archives(&web), done(&web)), (1, before));
    let log = web.json("log -n 600");
    let events = log["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["to"] != "gone"), "{log:#}");
    let undone: Vec<String> = events
        .iter()
        .filter(|event| event["kind"] == "operation.undone")
        .map(|event| text(&event["task"]))
        .collect();
    assert_eq!(undone, [id.clone(), id], "{log:#}");
    sound(&web, "in the end");
}
