//! The worst files in every place where a file of ours can lie, and every verb over them.
//!
//! Whatever lies there, no verb panics or calls it a fault of its own, each ends within a time and within an amount of
//! memory, says nothing with characters that hide, and neither reads nor writes what lies outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sandbox::{Output, Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::{World, add, sound};

/// A file that lies outside. It is never changed, and shown only where it is a file of the queue under another name.
pub(crate) const SECRET: &str = "+++\ntitle = \"secret\"\n+++\nsecret\n";

/// How long a verb may take, without optimisation and on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// How many kilobytes of address space a verb may ask for: a file of 100 MB that is read is refused the room for it,
/// beside what the program, its threads and git need anyway.
const MOST_KILOBYTES: &str = "1000000";

/// The run that may be going on.
const RUN: &str = "01kjpwdcfg1wkx5q9qvvbheakg";

/// Verbs that look.
const LOOKS: [&str; 24] = [
    "list",
    "list --state done",
    "list --json",
    "next --why",
    "next --all",
    "show OWN",
    "search secret",
    "log",
    "audit verify",
    "doctor",
    "doctor --footprint",
    "inbox --dry-run",
    "outbox --dry-run",
    "watch --once --dry-run",
    "undo --dry-run",
    "status",
    "runs",
    "runs clean --dry-run",
    "review",
    "events --limit 5",
    "prime",
    "projects",
    "resolve --dry-run",
    "uninstall --dry-run",
];

/// Verbs that write.
const WRITES: [&str; 15] = [
    "start",
    "task . more",
    "task acme/api more",
    "claim OWN",
    "renew OWN",
    "done OWN",
    "comment OWN why",
    "inbox --yes",
    "outbox --yes",
    "watch --once",
    "pause",
    "resume",
    "finish --learned much",
    "undo --yes",
    "doctor --fix --yes",
];

/// Verbs of the orchestrator.
const CARRIES: [&str; 8] = [
    "status",
    "next --all",
    "projects",
    "outbox --yes",
    "watch --once",
    "doctor",
    "events --limit 5",
    "pause acme/web",
];

/// What can lie where a file is expected.
const KINDS: [&str; 11] = [
    "nothing in it",
    "nul bytes",
    "conflict",
    "deep",
    "100 MB",
    "link out",
    "link to a device",
    "hard link out",
    "pipe",
    "socket",
    "folder",
];

/// Put one kind of thing in the place of a file.
fn replace(place: &Place<'_>, path: &Path, kind: &str) {
    let secret = place.path("$SANDBOX/outside/secret.md");
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir_all(path).unwrap();
    } else if path.symlink_metadata().is_ok() {
        fs::remove_file(path).unwrap();
    }
    let name = path.to_str().unwrap();
    match kind {
        "nothing in it" => fs::write(path, "").unwrap(),
        "nul bytes" => {
            fs::write(path, [b"\0\xff\xfe\x1b[31m\xe2\x80\xae".as_slice(), &[0; 5000]].concat()).unwrap()
        }
        "conflict" => fs::write(path, "<<<<<<< a\nx = 1\n=======\nx = 2\n>>>>>>> b\n").unwrap(),
        "deep" => fs::write(path, format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000))).unwrap(),
        "100 MB" => fs::File::create(path).unwrap().set_len(100 << 20).unwrap(),
        "link out" => symlink(secret, path).unwrap(),
        "link to a device" => symlink("/dev/zero", path).unwrap(),
        "hard link out" => fs::hard_link(secret, path).unwrap(),
        "pipe" => drop(place.program("mkfifo", [name]).run().ok()),
        "socket" => {
            // A socket's name may not be as long as a path.
            let short = place.path("$SANDBOX/socket");
            drop(UnixListener::bind(&short).unwrap());
            fs::rename(short, path).unwrap();
        }
        _ => fs::create_dir(path).unwrap(),
    }
}

/// Run a verb where it may neither take long nor much; what it owes and has not given.
fn broken(place: &Place<'_>, verb: &str, is_link: bool) -> Option<String> {
    let begun = Instant::now();
    let limited = ["sh", "-c", "ulimit -v \"$0\" && exec \"$@\"", MOST_KILOBYTES];
    let output = place.call(verb).under(&limited).run();
    let Output { status, stdout, stderr, .. } = &output;
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || "\u{200b}\u{200e}\u{200f}\u{202e}\u{2066}\u{feff}".contains(c)
    };
    let said = stdout.chars().chain(stderr.chars());
    let what = if ![0, 3, 4, 5, 7, 8, 9].contains(status) {
        "a status that is not the world's"
    } else if stderr.contains("panicked") {
        "a panic"
    } else if ![0, 8].contains(status) && !stderr.contains("error") {
        "no word of why"
    } else if begun.elapsed() > LONGEST {
        "too long"
    } else if !verb.contains("--json") && said.clone().any(is_hidden) {
        "hidden characters"
    } else if is_link && said.collect::<String>().contains("secret\n") {
        "what lies outside is shown"
    } else {
        return None;
    };
    Some(format!("{what}: `{verb}` {status} {:?}\n{stdout}{stderr}", begun.elapsed()))
}

/// The verbs, in the project and in the orchestrator; what they owe. A test run tries every fourth, others for each
/// kind; with `SWIFT_PROVE` set, all.
pub(crate) fn verbs(world: &World<'_>, own: &str, salt: usize, is_link: bool) -> Vec<String> {
    let each = if std::env::var_os("SWIFT_PROVE").is_some() { 1 } else { 4 };
    let here = LOOKS.iter().chain(&WRITES).map(|verb| (&world.web, verb.replace("OWN", own)));
    let there = CARRIES.iter().map(|verb| (&world.hub, (*verb).to_owned()));
    let all = here.chain(there).enumerate().filter(|(at, _)| (at + salt).is_multiple_of(each));
    all.filter_map(|(_, (place, verb))| broken(place, &verb, is_link)).collect()
}

/// A world in which every folder of a queue has something in it, and something outside.
fn lived_in(sandbox: &Sandbox) -> (World<'_>, String) {
    let world = World::new(sandbox);
    sandbox.place("outside").write("secret.md", SECRET);
    let done = add(&world.web, ".", "done already");
    world.web.swift_ok(["claim", &done]);
    world.web.swift_ok(["done", &done]);
    world.letter("carried");
    add(&world.api, "acme/web", "arriving");
    world.round();
    world.hub.swift_ok("watch --once");
    world.web.swift_ok("start");
    world.web.swift_ok("finish --learned something");
    world.letter("leaving");
    // A run that may be going on: whether it lives is asked of its log on this machine.
    let record = include_str!("../corpus/runs/no-end.toml");
    world.web.write(&format!(".swift/runs/2026-03/{RUN}-prompt.toml"), record);
    let own = add(&world.web, ".", "own");
    world.web.swift_ok("start");
    world.hub.swift_ok("pause acme/api");
    world.keep();
    (world, own)
}

/// Paths of all regular files below a folder, sorted.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path())
            } else if kind.is_file() {
                found.push(entry.path())
            }
        }
    }
    found.sort();
    found
}

/// For each kind: all files that are picked become of that kind, and every verb has to bear it.
fn in_place_of(pick: impl Fn(&World<'_>) -> Vec<PathBuf>) {
    let sandbox = Sandbox::new();
    let (world, own) = lived_in(&sandbox);
    let outside = Snapshot::of(&sandbox.place("outside"), &[]);
    let persons = Snapshot::of(&world.web, &[".swift", ".git"]);
    let mut wrong = Vec::new();
    for (salt, kind) in KINDS.into_iter().enumerate() {
        world.restore();
        let paths = pick(&world);
        assert!(!paths.is_empty());
        for path in paths {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            replace(&world.web, &path, kind);
        }
        let owed = verbs(&world, &own, salt, kind == "link out");
        wrong.extend(owed.into_iter().map(|what| format!("{kind}: {what}")));
        let changed = outside.differences(&Snapshot::of(&sandbox.place("outside"), &[]));
        wrong.extend(changed.into_iter().map(|what| format!("{kind}: outside {what}")));
        sandbox.place("outside").write("secret.md", SECRET);
        persons.assert_same(&Snapshot::of(&world.web, &[".swift", ".git"]));
    }
    assert!(wrong.is_empty(), "{}\n{} in all", wrong.join("\n"), wrong.len());
}

#[test]
fn the_settings_may_be_anything() {
    in_place_of(|world| vec![world.web.path(".swift/swift.toml")]);
}

#[test]
fn what_is_this_machines_own_may_be_anything() {
    in_place_of(|world| {
        let mut all = Vec::new();
        for place in [&world.web, &world.hub] {
            let local = place.path(".swift/local");
            all.extend(files_below(&local));
            let more = [
                "paths.json",
                "orchestrator",
                "proposals/p.json",
                "writer",
                "session.json",
                "account.toml",
                "claude-version",
                "runs/01kjpwdcfg1wkx5q9qvvbheakg.jsonl",
                "runs/01kjpwdcfg1wkx5q9qvvbheakg.request",
                "runs/01kjpwdcfg1wkx5q9qvvbheakg.said",
                "runs/01kjpwdcfg1wkx5q9qvvbheakg.stop",
                "watch.json",
                "paused.json",
                "notify.json",
                "served.json",
                "cache/tasks",
                "tmp/left",
            ];
            all.extend(more.map(|name| local.join(name)));
        }
        all
    });
}

#[test]
fn notes_in_gits_folder_may_be_anything() {
    in_place_of(|world| {
        [&world.web, &world.hub].iter().flat_map(|place| files_below(&place.path(".git/swift"))).collect()
    });
}

#[test]
fn records_may_be_anything() {
    in_place_of(|world| {
        let mut all: Vec<PathBuf> = Vec::new();
        for folder in ["sent", "done", "sessions", "inbox", "outbox", "dead", "archive", "runs"] {
            all.extend(files_below(&world.web.path(&format!(".swift/{folder}"))));
        }
        let more = [
            "archive/2026-03.md",
            "archive/x",
            "runs/2026-03/01kjpwdcfg1wkx5q9qvvbheakg-prompt.toml",
            "runs/2026-03/01kjpwdcfg1wkx5q9qvvbheakg-prompt.jsonl",
            "templates/task.md",
            "templates/bug.md",
            "quarantine/x.md",
            ".gitignore",
            ".gitattributes",
            "tasks/.keep",
        ];
        all.extend(more.map(|name| world.web.path(&format!(".swift/{name}"))));
        all
    });
}

#[test]
fn the_log_may_be_anything() {
    in_place_of(|world| files_below(&world.web.path(".swift/audit")));
}

#[test]
fn the_registry_may_be_anything() {
    in_place_of(|world| files_below(&world.hub.path(".swift/projects")));
}

#[test]
fn a_file_of_any_size_is_named_and_not_read() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let one = add(&web, ".", "one");
    let path = format!(".swift/{}", crate::world::copies(&web, &one)[0]);
    let sparse = |path: &str| {
        let path = web.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path).unwrap().set_len(3 << 30).unwrap();
    };
    ["tasks/h/s.md", "notes.bin", "templates/x.md", "sessions/2026-03/x.md"]
        .iter()
        .for_each(|path| sparse(&format!(".swift/{path}")));
    for verb in ["task . two", &format!("claim {one}"), "list", "undo", "doctor", "doctor --fix sesame"] {
        assert_eq!(broken(&web, verb, false), None);
    }
    let listed = web.swift("list");
    let said = format!("{}{}", listed.stdout, listed.stderr);
    assert!(said.contains("tasks/h/s.md") && said.contains("3221225472 bytes"), "{said}");
    assert!(web.swift("doctor").stdout.contains("notes.bin"));
    // One that git has already, too.
    sparse(&path);
    for verb in ["task . three", "list", "doctor"] {
        assert_eq!(broken(&web, verb, false), None);
    }
}

#[test]
fn records_that_lead_elsewhere_are_not_followed() {
    for kind in ["", "--in-tree"] {
        for folder in [".git/swift", ".git/swift/tmp"] {
            let sandbox = Sandbox::new();
            let web = sandbox.repository("web");
            web.swift_ok(&*format!("init --id acme/web {kind}"));
            web.swift_ok("task . one");
            let (place, out) = (web.path(folder), web.path("$SANDBOX/out"));
            fs::create_dir(&out).unwrap();
            fs::write(out.join("victim.md"), "victim").unwrap();
            fs::remove_dir_all(&place).unwrap();
            symlink(&out, &place).unwrap();
            for verb in ["task . two", "doctor --fix sesame", "undo", "init", "uninstall sesame"] {
                let output = web.swift(verb);
                assert_ne!(output.status, 0, "{verb}: {}", output.stdout);
                assert!(output.stderr.contains("symbolic link"), "{verb}: {}", output.stderr);
            }
            let found = web.swift("doctor");
            assert!(found.ended(8).stdout.contains("[unsafe-home]"), "{}", found.stdout);
            let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["victim.md"], "{folder} {kind}");
            fs::remove_file(&place).unwrap();
            web.swift_ok("task . two");
            web.swift_ok("uninstall sesame");
        }
    }
}

#[test]
fn what_hinders_every_verb_that_writes_is_a_finding() {
    for kind in ["", "--in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(&*format!("init --id acme/web {kind}"));
        web.swift_ok("task . one");
        let (records, pending) = (web.path(".git/swift"), web.path(".git/swift/pending"));
        let hinders = |said: &str| {
            let refused = web.swift("task . two");
            assert!(refused.ended(9).stderr.contains(said), "{kind}: {}", refused.stderr);
            let found = web.swift("doctor");
            assert!(found.ended(8).stdout.contains(said), "{kind}: {}", found.stdout);
        };
        fs::remove_dir_all(&records).unwrap();
        fs::write(&records, "").unwrap();
        hinders("is not a folder");
        fs::remove_file(&records).unwrap();
        web.swift_ok("task . three");
        fs::remove_file(&pending).unwrap();
        symlink(web.path("$SANDBOX"), &pending).unwrap();
        hinders("is not a regular file");
        fs::remove_file(&pending).unwrap();
        web.swift_ok("task . four");
        assert_eq!(web.swift_ok("doctor"), "the queue is healthy\n", "{kind}");
    }
}

#[test]
fn a_queue_on_a_disk_that_takes_nothing_is_sound_and_said_to_be_read_only() {
    let script =
        "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && cd \"$1\" && shift && exec \"$@\"";
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        let id = add(&web, ".", "to be read");
        let folder = web.path("").display().to_string();
        let read_only = |words: &[&str]| {
            let before = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder.as_str()];
            let words = before.iter().chain(words).map(|word| (*word).to_owned());
            web.program("unshare", words.collect::<Vec<String>>()).run()
        };
        if read_only(&["sh", "-c", "! mkdir here"]).status != 0 {
            use std::io::Write as _;
            let _ = std::io::stderr()
                .write_all(b"SKIPPED a test of a read-only disk: no mount of one's own here\n");
            return;
        }
        let swift = env!("CARGO_BIN_EXE_swift");
        let doctor = read_only(&[swift, "doctor"]);
        let said = doctor.ok();
        assert!(
            said.contains("note: ")
                && said.contains("is mounted read-only")
                && said.contains("[not-writable]"),
            "{said}"
        );
        assert!(said.contains("findmnt -T ") && said.contains("1 finding"), "{said}");
        assert!(read_only(&[swift, "list"]).ok().contains("to be read"));
        assert_eq!(read_only(&[swift, "claim", &id]).status, 9);
        assert_eq!(web.json("doctor")["findings"].to_string(), "[]");
    }
}

#[test]
fn a_folder_that_takes_nothing_is_named_wherever_a_verb_would_write() {
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && cd \"$2\" && shift 2 && exec \"$@\"";
    for (init, own) in [("init", "swift"), ("init --in-tree", "main")] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "one");
        let closed = |place: &str, words: &[&str]| {
            let (place, folder) = (web.path(place).display().to_string(), web.path("").display().to_string());
            let start = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", &place, &folder];
            let words = start.iter().chain(words).map(|word| (*word).to_owned());
            web.program("unshare", words.collect::<Vec<String>>()).run()
        };
        if closed(".swift/tasks", &["sh", "-c", "! mkdir .swift/tasks/here"]).status != 0 {
            use std::io::Write as _;
            let _ = std::io::stderr()
                .write_all(b"SKIPPED a test of a read-only folder: no mount of one's own here\n");
            return;
        }
        let log = format!(".git/logs/refs/heads/{own}");
        let places = [".git/objects", ".git/objects/pack", ".git/refs/heads", ".git/swift", &log];
        let places = places.into_iter().chain([".swift/tasks", ".swift/audit", ".swift/local"]);
        for place in places.filter(|place| web.path(place).exists()) {
            let swift = env!("CARGO_BIN_EXE_swift");
            let told = closed(place, &[swift, "doctor"]);
            let said = told.ok();
            let is_named = said.contains(&format!("{place} is mounted read-only"));
            assert!(is_named && said.contains("[not-writable]"), "{init}, {place}: {said}");
            assert_eq!(closed(place, &[swift, "task", ".", "two"]).status, 9, "{init}, {place}");
        }
        assert_eq!(web.json("doctor")["findings"].to_string(), "[]");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_of_gits_holds_nobody_up() {
    let admin = ".git/worktrees/-swift";
    let both = ["config", "packed-refs", "objects/info/alternates", "HEAD", "index", "logs/refs/heads/swift"];
    let both = both.map(|name| format!(".git/{name}"));
    let own = ["commondir", "index", "logs/HEAD"].map(|name| format!("{admin}/{name}"));
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    for file in both.iter().chain(&own) {
        let kept = web.path("$SANDBOX/kept");
        let is_there = web.path(file).exists();
        if is_there {
            fs::rename(web.path(file), &kept).unwrap();
        }
        web.program("mkfifo", [file.as_str()]).run().ok();
        for verb in ["doctor", "audit verify"] {
            let told = web.swift(verb);
            let line = told.stdout.lines().find(|line| line.contains("[git-damaged]"));
            assert!(line.is_some_and(|line| line.contains(file.as_str())), "{verb}, {file}: {}", told.stdout);
            told.ended(8);
        }
        assert!(web.swift("list").stdout.contains("one"), "{file}");
        for verb in ["next", "uninstall --dry-run", "task . two --dry-run"] {
            let output = web.swift(verb);
            assert!(matches!(output.status, 0 | 9), "{verb}, {file}: {}", output.stderr);
        }
        // One that is the queue's own worktree's is made anew.
        let added = web.swift("task . two");
        assert!(added.status == 0 || added.stderr.contains("not a regular file"), "{file}: {}", added.stderr);
        if web.path(file).symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
            fs::remove_file(web.path(file)).unwrap();
            if is_there {
                fs::rename(&kept, web.path(file)).unwrap();
            }
        }
        sound(&web, file);
    }
}
