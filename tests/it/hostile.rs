//! Files that nobody should write, in every folder where somebody could.
//!
//! Each is listed as a problem with its place, none is followed, run or lost, and what lies beside it is processed.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::{World, add, codes, copies, files, received, sound, text};

/// The folders that tasks lie in.
const FOLDERS: [&str; 6] = ["inbox", "outbox", "tasks", "sent", "done", "dead"];

/// A task of which nothing may ever be shown.
const SECRET: &str = "+++\ntitle = \"secret\"\n+++\nsecret\n";

/// Names and contents that cannot be tasks, and the code of the problem.
fn bad_files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let head = |head: &str| format!("+++\ntitle = \"bad\"\n{head}\n+++\nbody\n").into_bytes();
    let mut keys = String::new();
    (0..1_000_000).for_each(|n| keys.push_str(&format!("k{n} = {n}\n")));
    vec![
        ("nul.md", b"+++\ntitle = \"a\0b\"\n+++\n".to_vec(), "malformed"),
        ("not-utf-8.md", b"+++\ntitle = \"\xff\xfe\"\n+++\n".to_vec(), "malformed"),
        (
            "conflict.md",
            b"<<<<<<< a\n+++\ntitle = \"a\"\n=======\n+++\n>>>>>>> b\n+++\n".to_vec(),
            "unsettled",
        ),
        ("million-keys.md", head(&keys), "too-large"),
        ("deep.md", head(&format!("x = {}{}", "[".repeat(20_000), "]".repeat(20_000))), "malformed"),
        ("deep-tables.md", head(&format!("[{}a]", "a.".repeat(9_000))), "malformed"),
        ("newer.md", head("schema = 2"), "newer-schema"),
        ("empty.md", Vec::new(), "malformed"),
        ("no-head.md", b"# Only text\n".to_vec(), "malformed"),
        ("open-head.md", b"+++\ntitle = \"x\"\n".to_vec(), "malformed"),
        ("two-titles.md", head("title = \"b\""), "malformed"),
        ("lines.md", head("kind = \"a\\nb\""), "malformed"),
        ("path-as-to.md", head("to = \"../../etc\""), "malformed"),
        ("root-as-to.md", head("to = \"/etc\""), "malformed"),
        ("path-as-id.md", head("id = \"../../../outside/x\""), "malformed"),
        ("path-as-after.md", head("after = [\"../x\"]"), "malformed"),
        ("huge-token.md", head("token = 18446744073709551616"), "malformed"),
        ("negative-token.md", head("token = -1"), "malformed"),
        ("long-title.md", head(&format!("labels = [\"{}\"]", "x".repeat(5000))), "malformed"),
    ]
}

/// Put everything bad into a queue folder; the expected problems as path and code.
fn plant(place: &Place<'_>, folder: &str) -> Vec<(String, String)> {
    let at = |name: &str| format!(".swift/{folder}/{name}");
    let mut expected = Vec::new();
    for (name, content, code) in bad_files() {
        place.write(&at(name), content);
        expected.push((at(name), code.to_owned()));
    }
    fs::create_dir(place.path(&at("folder.md"))).unwrap();
    place.write(&at("folder.md/inner.md"), SECRET);
    place.program("mkfifo", [at("pipe.md").as_str()]).run().ok();
    symlink(place.path("$SANDBOX/outside/secret.md"), place.path(&at("link.md"))).unwrap();
    symlink(place.path("$SANDBOX/outside"), place.path(&at("linked-folder"))).unwrap();
    symlink("/dev/zero", place.path(&at("zero.md"))).unwrap();
    symlink("loop.md", place.path(&at("loop.md"))).unwrap();
    for name in ["folder.md", "pipe.md", "link.md", "linked-folder", "zero.md", "loop.md"] {
        expected.push((at(name), "not-a-file".to_owned()));
    }
    let huge = fs::File::create(place.path(&at("huge.md"))).unwrap();
    huge.set_len(100 << 20).unwrap();
    expected.push((at("huge.md"), "too-large".to_owned()));
    expected
}

/// What lies outside of the queue and may not change.
fn outside(place: &Place<'_>) -> [Snapshot; 3] {
    let sandbox = place.place("$SANDBOX/outside");
    [
        Snapshot::of(&sandbox, &[]),
        Snapshot::of(place, &[".swift", ".git"]),
        Snapshot::of_git(place, &["refs/heads/swift"]).without(|name| name.starts_with(".git/swift/")),
    ]
}

fn told(list: &Value) -> Vec<(String, String)> {
    list.as_array().unwrap().iter().map(|p| (text(&p["path"]), text(&p["code"]))).collect()
}

#[track_caller]
fn assert_told(list: &Value, expected: &[(String, String)], verb: &str) {
    let told = told(list);
    for problem in expected {
        assert!(told.contains(problem), "{verb}: {problem:?} is not among {told:#?}");
    }
}

#[test]
fn bad_files_in_every_folder_are_listed_and_good_ones_processed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let web = &world.web;
    sandbox.place("outside").write("secret.md", SECRET);
    let arriving = add(&world.api, "acme/web", "arriving");
    world.round();
    let (own, leaving) = (add(web, ".", "own"), world.letter("leaving"));
    let mut expected: Vec<Vec<(String, String)>> = Vec::new();
    for folder in FOLDERS {
        fs::create_dir_all(web.path(&format!(".swift/{folder}"))).unwrap();
        expected.push(plant(web, folder));
    }
    let planted = Snapshot::of(web, &[".git", ".swift/local"]);
    let before = outside(web);
    let [inbox, outbox, tasks, ..] = expected.as_slice() else { panic!() };

    for (verb, all) in
        [("list", [inbox, outbox, tasks].as_slice()), ("search secret", &[tasks]), ("next", &[tasks])]
    {
        let document = web.json(verb);
        all.iter().for_each(|expected| assert_told(&document["problems"], expected, verb));
        assert!(!document["tasks"].to_string().contains("secret"), "{verb}: {document}");
    }
    let findings = web.call("doctor --json").run().ended(8).json();
    expected.iter().for_each(|expected| assert_told(&findings["findings"], expected, "doctor"));
    planted.assert_same(&Snapshot::of(web, &[".git", ".swift/local"]));

    assert!(web.swift_ok(["show", &own]).contains("own"));
    web.swift_ok("start sesame");
    assert_eq!(web.json(["claim", &own])["lease"]["token"], 1);
    web.swift_ok(["done", &own]);
    assert_told(&web.json("inbox --yes")["problems"], inbox, "inbox");
    assert!(received(web, &arriving)[0].starts_with("tasks/"));
    let document = world.round();
    assert_eq!(document["delivered"][0]["id"], leaving.as_str(), "{document}");
    assert_told(&document["problems"], outbox, "outbox");
    web.swift_ok("finish sesame");
    web.swift_ok("undo --dry-run");

    // Every bad file is there still, to the byte; nothing outside was touched.
    let bad = |name: &str| {
        let good = [&own, &arriving, &leaving].iter().any(|id| name.contains(id.as_str()));
        good || name.starts_with(".swift/audit")
            || name.starts_with(".swift/sessions")
            || !name.ends_with(".md")
    };
    planted.without(bad).assert_same(&Snapshot::of(web, &[".git", ".swift/local"]).without(bad));
    for (before, after) in before.iter().zip(outside(web)) {
        before.assert_same(&after);
    }
    assert_eq!(web.swift("audit verify").status, 0);
}

#[test]
fn the_doctor_puts_bad_files_aside_and_leaves_newer_ones() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let good = add(&web, ".", "good");
    sandbox.place("outside").write("secret.md", SECRET);
    plant(&web, "tasks");
    // Links, pipes and folders stay, and are findings still.
    web.swift("doctor --fix --yes").ended(8);
    let left: Vec<_> = files(&web).into_iter().filter(|path| path.starts_with("tasks/")).collect();
    for kept in ["newer.md", "huge.md", "conflict.md"] {
        assert!(left.contains(&format!("tasks/{kept}")), "{left:?}");
    }
    let aside = files(&web).into_iter().filter(|path| path.starts_with("quarantine/")).count();
    let unreadable = bad_files().iter().filter(|(_, _, code)| *code == "malformed").count();
    assert_eq!(aside, unreadable, "{:?}", files(&web));
    assert_eq!(copies(&web, &good).len(), 1);
    assert!(web.path(".swift/tasks/link.md").is_symlink());
    assert_eq!(web.swift("audit verify").status, 0);
}

#[test]
fn control_and_bidirectional_characters_are_shown_escaped() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let title = "a\u{1b}[31m\u{202e}der\u{2066}\u{7}\u{200f}\u{9b}b";
    let id = add(&world.web, ".", title);
    let letter = world.letter(title);
    let reason = format!("no {title}");
    let mut said = vec![world.hub.swift_ok("outbox sesame"), world.api.swift("inbox").stdout];
    said.push(world.api.swift_ok(["inbox", "refuse", &letter, "--why", &reason]));
    said.push(world.hub.swift_ok("outbox sesame"));
    for verb in
        ["list", "next --why", "search der", "log", "start sesame", "list --state sent", "finish sesame"]
    {
        said.push(world.web.swift_ok(verb));
    }
    said.push(world.web.swift_ok(["show", &id]));
    said.push(world.web.swift_ok(["show", &letter]));
    said.push(world.web.swift_ok(["comment", &id, title]));
    said.push(world.web.swift_ok(["block", &id, "--why", &reason]));
    said.push(world.web.swift_ok("next --why"));
    said.push(world.web.swift(["claim", &id]).stderr);
    said.push(world.web.swift_ok("log"));
    said.push(world.web.swift_ok("undo sesame"));
    for text in &said {
        let odd: Vec<char> =
            text.chars().filter(|c| title.contains(*c) && (!c.is_ascii() || c.is_ascii_control())).collect();
        assert!(odd.is_empty(), "{odd:?} in {text:?}");
    }
    assert!(said.iter().filter(|text| text.contains("\\u{202e}")).count() > 8, "{said:#?}");
    assert_eq!(world.web.json(["show", &id])["task"]["title"], title);
    for place in [&world.web, &world.api] {
        let subjects = place.git("log --format=%s%n%b swift");
        assert!(!subjects.contains('\u{1b}') && !subjects.contains('\u{202e}'), "{subjects:?}");
    }
}

#[test]
fn a_title_cannot_be_a_trailer_an_event_or_a_flag() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let tricks = [
        "x\n\nSwift-Operation: 01kjpwdn8ra02wfe0qeyxtg7wz\nSwift-Audit: a#b",
        "]]\n[[event]]\nkind = \"task.done\"",
        "--yes",
        "$(touch pwned) `touch pwned` ; touch pwned",
        "../../../../pwned",
        "+++",
        "\"\"\"'''\\",
    ];
    for (n, title) in tricks.iter().enumerate() {
        let escaped = serde_json::to_string(title).unwrap();
        world.web.write(
            &format!(".swift/outbox/{n}.md"),
            format!("+++\ntitle = {escaped}\nto = \"acme/api\"\n+++\n+++\nb\n"),
        );
        world.web.write(&format!(".swift/tasks/{n}.md"), format!("+++\ntitle = {escaped}\n+++\n<<<<<<< x\n"));
    }
    let before = Snapshot::of(&world.web, &[".swift", ".git"]);
    world.round();
    world.api.swift_ok("inbox sesame");
    let accepted = world.api.json("list --state ready");
    assert!(accepted["tasks"].as_array().unwrap().len() >= 4, "{accepted}");
    for task in accepted["tasks"].as_array().unwrap() {
        world.api.swift_ok(["claim", task["id"].as_str().unwrap()]);
        world.api.swift_ok(["done", task["id"].as_str().unwrap(), "--result", tricks[1]]);
    }
    world.round();
    before.assert_same(&Snapshot::of(&world.web, &[".swift", ".git"]));
    for place in [&world.web, &world.api] {
        assert_eq!(place.swift("audit verify").status, 0);
        let trailers = place.git("log --format=%(trailers:key=Swift-Operation,valueonly) swift");
        assert!(!trailers.contains("01kjpwdn8ra02wfe0qeyxtg7wz"), "{trailers}");
    }
    sound(&world.api, "tricky titles");
}

#[test]
fn a_home_that_is_a_link_is_refused() {
    let sandbox = Sandbox::new();
    for in_tree in [false, true] {
        let web = sandbox.repository(if in_tree { "tree" } else { "web" });
        web.swift_ok(if in_tree { "init --in-tree --id acme/x" } else { "init --id acme/x" });
        add(&web, ".", "here");
        let elsewhere = web.path("$SANDBOX").join(if in_tree { "moved-tree" } else { "moved" });
        fs::rename(web.path(".swift"), &elsewhere).unwrap();
        symlink(&elsewhere, web.path(".swift")).unwrap();
        let before = Snapshot::of(
            &web.place(elsewhere.strip_prefix("/").map(|_| elsewhere.to_str().unwrap()).unwrap()),
            &[],
        );
        for verb in [
            "list",
            "next",
            "task . x",
            "doctor",
            "inbox sesame",
            "claim",
            "init",
            "start sesame",
            "audit verify",
        ] {
            let output = web.swift(verb);
            assert!(
                [8, 9].contains(&output.status),
                "{verb}: {} {}{}",
                output.status,
                output.stdout,
                output.stderr
            );
            assert!(output.stderr.contains(".swift"), "{verb}: {}", output.stderr);
        }
        before.assert_same(&Snapshot::of(&web.place(elsewhere.to_str().unwrap()), &[]));
        assert!(web.path(".swift").is_symlink());
    }
}

#[test]
fn a_queue_folder_that_is_a_link_is_never_followed() {
    for folder in
        ["tasks", "inbox", "outbox", "done", "audit", "local", "sessions", "projects", "sent", "dead"]
    {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let (web, outside) = (&world.web, sandbox.place("outside"));
        let own = add(web, ".", "own");
        outside.write("secret.md", SECRET);
        outside.write("00/secret.md", SECRET);
        let path = web.path(&format!(".swift/{folder}"));
        if path.exists() {
            fs::rename(&path, web.path(&format!("kept-{folder}"))).unwrap();
        }
        symlink(outside.path(""), &path).unwrap();
        let before = Snapshot::of(&outside, &[]);
        let letter = add(&world.api, "acme/web", "arriving");
        let mut said = String::new();
        for verb in
            ["list", "next", "task . more", "task acme/api more", "inbox sesame", "doctor", "search secret"]
        {
            let output = web.swift(verb);
            assert!(
                [0, 4, 7, 8, 9].contains(&output.status),
                "{folder} {verb}: {}{}",
                output.status,
                output.stderr
            );
            said.push_str(&format!("{}{}", output.stdout, output.stderr));
        }
        let done = web.swift(["done", &own]);
        let round = world.hub.swift("outbox sesame");
        assert!(
            [0, 3, 4, 8, 9].contains(&done.status) && round.status != 1,
            "{folder}: {}{}",
            done.stderr,
            round.stderr
        );
        before.assert_same(&Snapshot::of(&outside, &[]));
        assert!(!said.contains("  secret"), "{folder}: {said}");
        assert!(
            said.contains("is not a plain folder")
                || said.contains("is a symbolic link")
                || said.contains("is not a regular file"),
            "{folder}: {said}"
        );
        assert_eq!(copies(&world.api, &letter).len(), 1, "{folder}: nothing is lost");
    }
}

#[test]
fn names_that_differ_in_case_only_and_longest_names_are_tasks_of_their_own() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let long = format!("{}.md", "n".repeat(252));
    for name in [
        "Task.md",
        "task.md",
        "TASK.MD",
        long.as_str(),
        "with space.md",
        "ünï.md",
        "-rf.md",
        "*.md",
        "a\\b.md",
    ] {
        web.write(
            &format!(".swift/tasks/{name}"),
            format!("+++\ntitle = {}\n+++\n", serde_json::to_string(name).unwrap()),
        );
    }
    let listed = web.json("list");
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 8, "{listed:#}");
    assert_eq!(told(&listed["problems"]), [(".swift/tasks/TASK.MD".to_owned(), "not-a-file".to_owned())]);
    fs::remove_file(web.path(".swift/tasks/TASK.MD")).unwrap();
    add(&web, ".", "another");
    let listed = web.json("list");
    for task in listed["tasks"].as_array().unwrap() {
        web.swift_ok(["claim", &text(&task["id"])]);
        web.swift_ok(["done", &text(&task["id"])]);
    }
    sound(&web, "odd names");
}

#[test]
fn hand_written_files_keep_every_byte_that_is_not_ours() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let texts = [
        ("crlf", "+++\r\ntitle = \"crlf\" # c\r\nmine = [ 1,\r\n  2 ]\r\n+++\r\nbody\r\n"),
        ("bom", "\u{feff}+++\ntitle = 'bom'\n\n[mine.deep]\n\"odd key\" = 0x1F\n+++\nbody\n"),
        ("no-end", "+++\ntitle='no end'\n+++\nno newline"),
        ("no-body", "+++\ntitle = \"\"\"no body\"\"\"\n+++"),
        (
            "inline",
            "+++\nmine = { x = 1, y = \"+++\" }\npriority    =    \"high\"   # wide\ntitle = \"inline\"\n+++\n\n\n  body  \n\n",
        ),
    ];
    for (name, text) in texts {
        web.write(&format!(".swift/tasks/{name}.md"), text);
    }
    for task in web.json("list")["tasks"].as_array().unwrap() {
        assert!(task["id"].is_null(), "reading writes nothing: {task}");
    }
    add(&web, ".", "the verb that records");
    for (name, before) in texts {
        let path = format!(".swift/tasks/{name}.md");
        let adopted = web.read(&path);
        let id = adopted.lines().find(|line| line.starts_with("id = ")).unwrap().to_owned();
        let newline = if name == "crlf" { "\r\n" } else { "\n" };
        assert_eq!(
            adopted.replacen(&format!("{id}{newline}").replace("\r\r", "\r"), "", 1),
            before,
            "{name}"
        );
        let id = id.trim_end().trim_start_matches("id = ").trim_matches('"').to_owned();
        for verb in [["claim", id.as_str()], ["release", &id]] {
            web.swift_ok(verb);
        }
        let back = web.read(&format!(".swift/{}", copies(&web, &id)[0]));
        for line in adopted.lines() {
            assert!(back.contains(line), "{name}: {line:?} in\n{back}");
        }
        assert!(back.ends_with(before.rsplit("+++").next().unwrap()), "{name}: {back:?}");
    }
    sound(&web, "by hand");
}

#[test]
fn two_files_with_one_id_are_told_and_neither_is_lost() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "original");
    let path = format!(".swift/{}", copies(&web, &id)[0]);
    let copy = web.read(&path).replace("original", "copy");
    web.write(".swift/tasks/copy.md", copy);
    let findings = web.call("doctor --json").run().ended(8).json();
    assert!(codes(&findings["findings"]).contains(&"id-twice".to_owned()), "{findings:#}");
    let short = &id[10..16];
    let output = web.swift(["done", short]);
    assert!(output.ended(4).stderr.contains("copy"), "{}", output.stderr);
    // The whole id means the file that has it in its name.
    assert_eq!(web.json(["done", &id])["task"]["title"], "original");
    assert_eq!(copies(&web, &id).len(), 2);
}

#[test]
fn a_newer_queue_is_refused_and_never_written() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "here");
    let settings = web.read(".swift/swift.toml").replace("schema = 1", "schema = 2");
    web.write(".swift/swift.toml", settings);
    let before = Snapshot::of(&web, &[]);
    for verb in [
        "list",
        "next",
        "task . x",
        "doctor",
        "doctor --fix --yes",
        "inbox sesame",
        "claim",
        "init",
        "undo sesame",
    ] {
        let output = web.swift(verb);
        assert_eq!(output.status, 9, "{verb}: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.contains("newer"), "{verb}: {}", output.stderr);
    }
    before.assert_same(&Snapshot::of(&web, &[]));
}

#[test]
fn an_inbox_cannot_be_filled_with_false_progress_by_hand() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let head = "+++\ntitle = \"t\"\nfrom = \"acme/other\"\ntoken = 18446744073709551615\nattempts = 4000000000\n\
        [lease]\nholder = \"mallory\"\ntoken = 9223372036854775807\nexpires_at = 2999-01-01T00:00:00Z\n\
        [result]\nstate = \"done\"\nat = 2026-01-01T00:00:00Z\n+++\n";
    web.write(".swift/inbox/t.md", head);
    web.swift_ok("inbox sesame");
    let task = &web.json("list")["tasks"][0];
    assert_eq!(task["state"], "ready");
    let id = text(&task["id"]);
    assert_eq!(web.json(["claim", &id])["lease"]["token"], 1);
    assert_eq!(received(&web, &id).len(), 1);

    // Where nobody stands between, the highest token is the end of counting, and no crash.
    web.write(".swift/tasks/t.md", head.replace("mallory", "me").replace("2999", "2001"));
    add(&web, ".", "records it");
    let listed = web.json("list");
    let full = listed["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["title"] == "t" && t["id"] != id.as_str())
        .unwrap();
    let output = web.swift(["claim", full["id"].as_str().unwrap()]);
    assert!(output.status != 101 && output.status != 1, "{} {}", output.status, output.stderr);
    assert_eq!(web.swift("list").status, 0);
    sound(&web, "false progress");
}

#[test]
fn a_name_that_is_no_text_is_a_problem_and_hides_nothing() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "good");
    web.write(".swift/tasks/bad.md", "");
    fs::write(web.path(".swift/tasks").join(std::ffi::OsStr::from_bytes(b"\xff.md")), SECRET).unwrap();
    assert!(
        told(&web.json("list")["problems"])
            .contains(&(".swift/tasks/\u{fffd}.md".to_owned(), "not-a-file".to_owned()))
    );
    let findings = web.call("doctor --json").run().ended(8).json();
    for path in [".swift/tasks/\u{fffd}.md", ".swift/tasks/bad.md"] {
        assert!(findings["findings"].to_string().contains(path), "{path} in {findings}");
    }
    web.swift_ok("claim");
    assert_eq!(web.json("list")["tasks"][0]["state"], "claimed");
}

#[test]
fn a_name_that_is_no_text_stops_no_verb_and_stays() {
    use std::os::unix::ffi::OsStrExt as _;
    for kind in ["init --id acme/web", "init --in-tree --id acme/web"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(kind);
        let bad = web.path(".swift/tasks").join(std::ffi::OsStr::from_bytes(b"\xff.md"));
        web.write(".swift/tasks/by-hand.md", "+++\ntitle = \"by hand\"\n+++\n");
        fs::write(&bad, SECRET).unwrap();
        let id = add(&web, ".", "by verb");
        web.swift_ok(["claim", &id]);
        web.swift_ok(["done", &id]);
        let tasks = web.json("list");
        assert_eq!(tasks["tasks"][0]["title"], "by hand", "{tasks}");
        assert!(tasks["tasks"][0]["id"].is_string(), "the file written by hand is recorded: {tasks}");
        assert_eq!(fs::read_to_string(&bad).unwrap(), SECRET);
        web.swift("audit verify").ended(0);
    }
}
