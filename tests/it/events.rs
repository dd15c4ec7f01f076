//! The stream of events: each once, whoever wrote it, whenever it arrives, wherever the reader stopped.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, text};

/// The events behind a cursor.
#[track_caller]
pub(crate) fn events(place: &Place<'_>, since: Option<&str>, more: &[&str]) -> Vec<Value> {
    let mut args = vec!["events", "--json"];
    args.extend(since.iter().flat_map(|cursor| ["--since", cursor]));
    args.extend(more);
    let output = place.swift(args.into_iter().map(str::to_owned).collect::<Vec<_>>()).ok();
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["id"])).collect()
}

fn kinds(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["type"])).collect()
}

fn last_cursor(events: &[Value]) -> String {
    text(&events.last().expect("there was an event")["cursor"])
}

/// Every id once, and as many as all logs have.
#[track_caller]
fn is_complete(told: &[String], places: &[&Place<'_>]) {
    let unique: BTreeSet<&String> = told.iter().collect();
    assert_eq!(unique.len(), told.len(), "an event came twice");
    let logged: BTreeSet<String> = places.iter().flat_map(|place| logged(place)).collect();
    let told: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(told, logged);
}

/// The ids of all events in the files of a queue's log.
fn logged(place: &Place<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for path in crate::world::files(place).iter().filter(|path| path.starts_with("audit/")) {
        let file = place.read(&format!(".swift/{path}"));
        let records = file.split("[[event]]\n").skip(1);
        all.extend(records.filter_map(|record| Some(record.split('"').nth(1)?.to_owned())));
    }
    all
}

#[test]
fn an_event_has_the_attributes_of_cloudevents() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("Add rate limiting");
    world.round();
    let all = events(&world.hub, None, &[]);
    let sent = all.iter().find(|event| event["type"] == "task.sent").unwrap();
    assert_eq!(sent["specversion"], "1.0");
    assert_eq!(sent["source"], "swift://acme/web");
    assert_eq!(sent["subject"], id.as_str());
    assert_eq!(sent["datacontenttype"], "application/json");
    assert_eq!(sent["data"]["project"], "acme/web");
    assert_eq!(sent["data"]["kind"], "task.sent");
    assert!(sent["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    // Names of attributes: lower-case letters and digits, nothing else (CloudEvents 1.0, 3.1).
    for event in &all {
        for name in event.as_object().unwrap().keys() {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{name}");
        }
        for required in ["id", "source", "specversion", "type", "time", "data", "cursor"] {
            assert!(event.get(required).is_some(), "{required}: {event}");
        }
    }
    is_complete(&ids(&all), &[&world.hub, &world.web, &world.api]);
    let delivered = all.iter().position(|event| event["type"] == "task.delivered").unwrap();
    let sent = all.iter().position(|event| event["type"] == "task.sent").unwrap();
    assert!(delivered < sent, "the receiver has the task before the sender says so");
}

#[test]
fn a_reader_that_stops_anywhere_goes_on_without_gap_or_double() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    for n in 0..6 {
        world.letter(&format!("letter {n}"));
        add(&world.api, ".", &format!("own {n}"));
        if n % 2 == 0 {
            world.round();
        }
    }
    let all = ids(&events(&world.hub, None, &[]));
    assert!(all.len() > 20);
    for size in ["1", "2", "3", "7", "100"] {
        let (mut told, mut cursor) = (Vec::new(), None);
        loop {
            let some = events(&world.hub, cursor.as_deref(), &["--limit", size]);
            if some.is_empty() {
                break;
            }
            cursor = Some(last_cursor(&some));
            told.extend(ids(&some));
        }
        assert_eq!(told, all, "{size} at a time");
    }
    // Every line's cursor is a place to go on from.
    for (index, event) in events(&world.hub, None, &[]).iter().enumerate() {
        let rest = ids(&events(&world.hub, Some(&text(&event["cursor"])), &[]));
        assert_eq!(rest, all[index + 1..], "behind event {index}");
    }
}

#[test]
fn what_happens_while_a_reader_is_half_way_comes_once() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (mut told, mut cursor) = (Vec::new(), None);
    for n in 0..24 {
        if n < 8 {
            world.letter(&format!("letter {n}"));
        }
        if n % 3 == 0 {
            world.round();
        }
        let some = events(&world.hub, cursor.as_deref(), &["--limit", "2"]);
        cursor = some.last().map(|event| text(&event["cursor"])).or(cursor);
        told.extend(ids(&some));
    }
    told.extend(ids(&events(&world.hub, cursor.as_deref(), &[])));
    is_complete(&told, &[&world.hub, &world.web, &world.api]);
}

#[test]
fn a_merge_brings_older_events_in_their_turn() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "before");
    sandbox.place("hosting").git("init --quiet --bare shared.git");
    web.git("remote add origin ../hosting/shared.git");
    web.git("push --quiet origin main swift");
    sandbox.root().git("clone --quiet hosting/shared.git twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    // The twin works first, and its work arrives last.
    add(&twin, ".", "early, elsewhere");
    add(&web, ".", "late, here");
    let here = events(&web, None, &[]);
    let mut told = ids(&here);
    for cursor in here.iter().map(|event| text(&event["cursor"])) {
        // From every place that a reader may have stopped at; nothing is merged yet.
        assert!(events(&web, Some(&cursor), &[]).len() < here.len());
    }
    twin.git("push --quiet origin swift");
    web.git("fetch --quiet origin");
    web.git("-C .swift merge --quiet --no-edit origin/swift");
    let new = events(&web, Some(&last_cursor(&here)), &[]);
    assert_eq!(kinds(&new), ["task.created"]);
    assert!(
        new[0]["time"].as_str() < here.last().unwrap()["time"].as_str(),
        "it is older than what was told"
    );
    told.extend(ids(&new));
    is_complete(&told, &[&web]);
    for (index, event) in here.iter().enumerate() {
        let mut all = ids(&here[..=index]);
        all.extend(ids(&events(&web, Some(&text(&event["cursor"])), &[])));
        is_complete(&all, &[&web]);
    }
    assert_eq!(events(&web, Some(&last_cursor(&new)), &[]), Vec::<Value>::new());
}

#[test]
fn segments_that_are_taken_away_and_put_back_come_once() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let first = web.path(".swift/local/writer");
    fs::remove_file(&first).unwrap();
    add(&web, ".", "two");
    // A file that no commit has yet, as from an archive: hidden, then there.
    let late = sandbox.project("late");
    add(&late, ".", "of another");
    let from = crate::world::files(&late).into_iter().find(|path| path.starts_with("audit/")).unwrap();
    let told = events(&web, None, &[]);
    let cursor = last_cursor(&told);
    web.write(&format!(".swift/{from}"), late.read(&format!(".swift/{from}")));
    let new = events(&web, Some(&cursor), &[]);
    assert_eq!(ids(&new), logged(&late));
    let cursor = last_cursor(&new);
    assert_eq!(events(&web, Some(&cursor), &[]).len(), 0);
    // It is committed later, and is no news.
    web.git("-C .swift add -A");
    web.git(["-C", ".swift", "commit", "--quiet", "-m", "a late segment"]);
    assert_eq!(events(&web, Some(&cursor), &[]).len(), 0);
    add(&web, ".", "three");
    let last = events(&web, Some(&cursor), &[]);
    assert_eq!(kinds(&last), ["task.created"]);
    // What is gone from the disk is still in the commits, and stays told.
    fs::remove_file(web.path(&format!(".swift/{from}"))).unwrap();
    assert_eq!(events(&web, Some(&last_cursor(&last)), &[]).len(), 0);
}

#[test]
fn what_is_not_committed_comes_once_and_committing_it_is_no_news() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let settings = web.read(".swift/swift.toml").replace("commit = \"each\"", "commit = \"manual\"");
    web.write(".swift/swift.toml", settings);
    let (mut told, mut cursor) = (Vec::new(), None::<String>);
    for n in 0..5 {
        add(&web, ".", &format!("task {n}"));
        let new = events(&web, cursor.as_deref(), &[]);
        assert!(!new.is_empty());
        cursor = Some(last_cursor(&new));
        told.extend(ids(&new));
        if n == 2 {
            web.git("-C .swift add -A");
            web.git(["-C", ".swift", "commit", "--quiet", "-m", "by hand"]);
            assert_eq!(events(&web, cursor.as_deref(), &[]).len(), 0);
        }
    }
    is_complete(&told, &[&web]);
}

#[test]
fn a_queue_that_goes_from_branch_to_branch_tells_each_event_once() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    add(&web, ".", "on main");
    let (mut told, mut cursor) = (BTreeSet::new(), None::<String>);
    let mut read = |web: &Place<'_>| {
        let new = events(web, cursor.as_deref(), &[]);
        cursor = new.last().map(|event| text(&event["cursor"])).or(cursor.clone());
        for id in ids(&new) {
            assert!(told.insert(id), "an event came twice");
        }
        new.len()
    };
    assert!(read(&web) > 0);
    web.git("switch --quiet --create side");
    add(&web, ".", "on side");
    assert_eq!(read(&web), 1);
    for n in 0..3 {
        web.git("switch --quiet main");
        assert_eq!(read(&web), 0, "nothing new on main");
        add(&web, ".", &format!("on main {n}"));
        assert_eq!(read(&web), 1);
        web.git("switch --quiet side");
        assert_eq!(read(&web), usize::from(n > 0), "only what was not read yet");
        add(&web, ".", &format!("on side {n}"));
        // This one is read after the merge.
    }
    web.git("switch --quiet main");
    web.git("merge --quiet --no-edit side");
    let rest = read(&web);
    assert!(rest >= 1);
    assert_eq!(told, logged(&web).into_iter().collect());
}

#[test]
fn a_project_that_cannot_be_reached_is_named_and_comes_later() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("one");
    world.round();
    let before = events(&world.hub, None, &["--limit", "3"]);
    let cursor = last_cursor(&before);
    let (away, here) = (world.folder().path("api-away"), world.api.path(""));
    fs::rename(&here, &away).unwrap();
    let args = ["events", "--json", "--since", &cursor];
    let output = world.hub.swift(args);
    output.ended(0);
    assert!(
        output.stderr.contains("acme/api") && output.stderr.contains("[unreachable]"),
        "{}",
        output.stderr
    );
    let without: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(without.iter().all(|event| event["source"] != "swift://acme/api"));
    fs::rename(&away, &here).unwrap();
    let rest = events(&world.hub, Some(&last_cursor(&without)), &[]);
    let told = [ids(&before), ids(&without), ids(&rest)].concat();
    is_complete(&told, &[&world.hub, &world.web, &world.api]);
}

#[test]
fn a_project_under_another_name_is_no_news() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("one");
    world.round();
    let told = events(&world.hub, None, &[]);
    let settings = world.web.read(".swift/swift.toml");
    let settings =
        settings.replace("\"acme/web\"", "\"acme/shop\"").replace("aliases = []", "aliases = [\"acme/web\"]");
    world.web.write(".swift/swift.toml", settings);
    world.hub.swift_ok("register ../web");
    let new = events(&world.hub, Some(&last_cursor(&told)), &[]);
    assert!(new.iter().all(|event| event["source"] == "swift://acme/hub"), "{new:?}");
    let own = add(&world.web, ".", "under the new name");
    let new = events(&world.hub, Some(&last_cursor(&new)), &[]);
    let task = new.iter().find(|event| event["subject"] == own.as_str()).unwrap();
    assert_eq!(task["source"], "swift://acme/shop");
}

#[test]
fn a_project_that_is_registered_later_is_told_from_its_beginning() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("one");
    let told = events(&world.hub, None, &[]);
    let ios = sandbox.project("ios");
    let early = add(&ios, ".", "before it was registered");
    let recent = events(&world.hub, Some("now"), &[]);
    assert_eq!(recent.len(), 0);
    world.hub.swift_ok(["register", ios.path("").to_str().unwrap()]);
    let new = events(&world.hub, Some(&last_cursor(&told)), &[]);
    assert!(new.iter().any(|event| event["subject"] == early.as_str()));
    world.hub.swift_ok("unregister acme/ios");
    let cursor = last_cursor(&new);
    add(&ios, ".", "while it is not registered");
    assert_eq!(kinds(&events(&world.hub, Some(&cursor), &[])), ["project.unregistered"]);
    world.hub.swift_ok(["register", ios.path("").to_str().unwrap()]);
    let kinds = kinds(&events(&world.hub, Some(&cursor), &[]));
    assert_eq!(kinds, ["project.unregistered", "task.created", "project.registered"]);
}

#[test]
fn a_damaged_segment_hides_nothing_but_itself() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for n in 0..4 {
        add(&web, ".", &format!("task {n}"));
    }
    let path = crate::world::files(&web).into_iter().find(|path| path.starts_with("audit/")).unwrap();
    let path = format!(".swift/{path}");
    let sound = web.read(&path);
    let second = sound.match_indices("kind = ").nth(1).unwrap().0;
    let mut damaged = sound.clone().into_bytes();
    damaged[second] = 0xff;
    web.write(&path, &damaged);
    web.write(".swift/audit/2026-03/rubbish/not-a-segment.toml", [0xff, 0xfe, 0]);
    let odd = std::os::unix::ffi::OsStrExt::from_bytes(&b"\xff\xfe.toml"[..]);
    let odd: &std::ffi::OsStr = odd;
    fs::write(web.path(".swift/audit/2026-03/rubbish").join(odd), "x").unwrap();
    let output = web.swift("events --json");
    output.ended(0);
    assert_eq!(output.stdout.lines().count(), 3, "{}", output.stdout);
    assert!(output.stderr.contains(&path[".swift/".len()..]), "{}", output.stderr);
    web.write(&path, sound);
}

#[test]
fn a_time_is_a_beginning_too() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    add(&web, ".", "two");
    let all = events(&web, None, &[]);
    let from = text(&all.last().unwrap()["time"]);
    let late = events(&web, Some(&from), &[]);
    assert_eq!(ids(&late), ids(&all[all.len() - 1..]));
    assert_eq!(events(&web, Some(&last_cursor(&late)), &[]).len(), 0);
    assert_eq!(events(&web, Some("1h"), &[]).len(), all.len());
    assert_eq!(events(&web, Some("now"), &[]).len(), 0);
    for nonsense in ["yesterday", "2026-13-40", "5 parsecs", "AQ", ""] {
        let refused = web.swift(["events", "--json", "--since", nonsense]);
        assert_eq!(text(&refused.ended(2).json_error()["error"]["code"]), "invalid-value", "{nonsense}");
    }
}

#[test]
fn a_cursor_whose_commit_is_gone_goes_on_by_time_and_says_so() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let keep = web.git("rev-parse swift").trim().to_owned();
    add(&web, ".", "two");
    let told = events(&web, None, &[]);
    web.git(["-C", ".swift", "reset", "--quiet", "--hard", &keep]);
    web.git("reflog expire --expire=now --all");
    web.git("gc --quiet --prune=now");
    add(&web, ".", "three");
    let output = web.swift(["events", "--json", "--since", &last_cursor(&told)]);
    output.ended(0);
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert!(output.stderr.contains("going on by time"), "{}", output.stderr);
}

#[test]
fn a_project_sees_its_own_events_only() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("one");
    world.round();
    let own = events(&world.web, None, &[]);
    assert!(!own.is_empty() && own.iter().all(|event| event["source"] == "swift://acme/web"));
    let shown = world.web.swift_ok("events");
    assert_eq!(shown.lines().count(), own.len());
    assert!(shown.starts_with("acme/web"), "{shown}");
}
