//! Names that nobody should give, ids that are there more than once, and heads of the corpus, in every queue folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::hostile_places::{SECRET, verbs};
use crate::sandbox::{Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::{World, add, codes, copies, text};

const FOLDERS: [&str; 6] = ["inbox", "outbox", "tasks", "sent", "done", "dead"];

/// Names that mislead, hide or look like something else; all of them are legal to the system.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "\u{202e}dm.elif.md",
        "zero\u{200b}width.md",
        "zerowidth.md",
        "mark\u{feff}.md",
        "line\nend.md",
        "tab\tin.md",
        "\u{1b}[31mred.md",
        "bell\u{7}.md",
        "-rf.md",
        "--yes.md",
        "-.md",
        " .md",
        "two  blanks.md",
        "trailing .md",
        "..md",
        "...md",
        "CON.md",
        "nul.md.md",
        "a:b.md",
        "a\\b.md",
        "*?[x].md",
        "$(touch pwned).md",
        "`touch pwned`;touch pwned.md",
        "%2e%2e%2fx.md",
        "~.md",
        "'\".md",
        "\u{e9}.md",
        "e\u{301}.md",
        "\u{1f480}.md",
        "HEAD.md",
        "swift-tmp.md",
        "01kjpwdcfg1wkx5q9qvvbheakg-../../x.md".split('/').next().unwrap_or_default(),
    ]
    .map(str::to_owned)
    .into();
    names.push(format!("{}.md", "n".repeat(252)));
    names.push(format!("{}.md", "\u{4e16}".repeat(84)));
    names.retain(|name| name.ends_with(".md"));
    names
}

/// What is no file, under names that mislead too.
fn plant_what_is_no_file(place: &Place<'_>, folder: &str) {
    let at = |name: &str| place.path(&format!(".swift/{folder}/{name}"));
    let secret = place.path("$SANDBOX/outside/secret.md");
    symlink(&secret, at("\u{202e}link.md")).unwrap();
    fs::hard_link(&secret, at("hard.md")).unwrap();
    let short = place.path("$SANDBOX/socket");
    drop(UnixListener::bind(&short).unwrap());
    fs::rename(short, at("socket.md")).unwrap();
    // Only root may make a device; others have one kind less.
    place.program("mknod", [at("device.md").to_str().unwrap(), "c", "1", "5"]).run();
    place.program("mkfifo", ["--", at("-pipe\n.md").to_str().unwrap()]).run().ok();
}

fn plant(place: &Place<'_>, folder: &str) {
    fs::create_dir_all(place.path(&format!(".swift/{folder}"))).unwrap();
    for (n, name) in names().iter().enumerate() {
        let head = format!("+++\ntitle = {}\nto = \"acme/api\"\n+++\n", serde_json::to_string(name).unwrap());
        // Half of them under one id, which is there in every folder.
        let head = if n % 2 == 0 {
            head
        } else {
            head.replace("+++\nto", "+++\nid = '01kjpwdcfg1wkx5q9qvvbheakg'\nto")
        };
        place.write(&format!(".swift/{folder}/{name}"), head);
    }
    let same = "+++\ntitle = \"same id\"\nid = \"01kjpwdcfg1wkx5q9qvvbheakg\"\nto = \"acme/api\"\n+++\n";
    place.write(&format!(".swift/{folder}/01kjpwdcfg1wkx5q9qvvbheakg-same.md"), same);
    plant_what_is_no_file(place, folder);
}

/// The tasks of the corpus: dates that no calendar has, line ends, marks, numbers out of range.
fn plant_corpus(place: &Place<'_>, folder: &str) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tasks");
    for entry in fs::read_dir(corpus).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".md") {
            place.write(&format!(".swift/{folder}/{name}"), fs::read(entry.path()).unwrap());
        }
    }
}

/// Every verb over what was planted; good neighbours are processed, nothing outside is touched.
fn try_all(plant: fn(&Place<'_>, &str), init: &str) {
    let sandbox = Sandbox::new();
    let world = World::all(&sandbox, init);
    let web = &world.web;
    sandbox.place("outside").write("secret.md", SECRET);
    let (own, next) = (add(web, ".", "own"), add(web, ".", "own too"));
    let leaving = world.letter("leaving");
    FOLDERS.iter().for_each(|folder| plant(web, folder));
    let take = || [Snapshot::of(&sandbox.place("outside"), &[]), Snapshot::of(web, &[".swift", ".git"])];
    let before = take();

    assert_eq!(web.json(["claim", &own])["lease"]["token"], 1);
    web.swift_ok(["done", &own]);
    let findings = web.call("doctor --json").run().ended(8).json();
    assert!(!codes(&findings["findings"]).is_empty());
    let delivered = world.hub.call("outbox --yes --json").run().json();
    let ids: Vec<String> =
        delivered["delivered"].as_array().unwrap().iter().map(|d| text(&d["id"])).collect();
    assert!(ids.contains(&leaving), "{delivered}");
    let wrong: Vec<String> = (0..4).flat_map(|salt| verbs(&world, &next, salt, false)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    for (before, after) in before.iter().zip(take()) {
        before.assert_same(&after);
    }
    assert_eq!(copies(web, &own).len(), 1);
    for place in [web, &world.api, &world.hub] {
        assert!(!place.path("pwned").exists() && !place.path(".swift/pwned").exists());
        assert_eq!(place.swift("audit verify").status, 0);
        place.program("git", "fsck --strict --no-dangling").run().ok();
    }
}

#[test]
fn names_that_mislead_stop_no_verb() {
    try_all(plant, "init");
}

#[test]
fn names_that_mislead_stop_no_verb_in_tree() {
    try_all(plant, "init --in-tree");
}

#[test]
fn heads_of_the_corpus_stop_no_verb() {
    try_all(plant_corpus, "init");
}

#[test]
fn what_an_editor_leaves_beside_a_task_stands_in_nobodys_way() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        let id = add(&web, ".", "A");
        let path = format!(".swift/{}", copies(&web, &id).remove(0));
        let before = web.read(&path);
        for ending in ["~", ".orig", ".bak"] {
            web.write(&format!("{path}{ending}"), &before);
        }
        web.write(&path, before + "more\n");
        web.swift_ok(["claim", &id]);
        web.swift_ok(["edit", &id, "--priority", "high"]);
        web.swift_ok(["done", &id]);
        assert!(web.swift_ok(["show", &id[10..16]]).contains("more"), "{init}");
        assert!(web.swift(["claim", &id[10..16]]).stderr.contains("it is in `done`"), "{init}");
        let list = web.json("list");
        assert_eq!(codes(&list["problems"]), ["not-a-file"; 3], "{init}: {list:#}");
    }
}
