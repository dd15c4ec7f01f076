//! Damage of every kind is found and its place named; a healthy queue gives no finding at all.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::Value;

use crate::sandbox::{Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::{World, add, codes, copies, files, sound, text};

/// One kind of damage: what it does to web, and what has to be in the answer.
struct Damage {
    name: &'static str,
    plant: fn(&Place<'_>),
    /// The verb that has to find it: `doctor` or `audit verify`.
    verb: &'static str,
    /// What has to be named: a code and a part of the place or the message.
    named: [&'static str; 2],
}

/// The only audit segment of web.
fn segment(web: &Place<'_>) -> String {
    let mut all: Vec<_> = files(web).into_iter().filter(|path| path.starts_with("audit/")).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    format!(".swift/{}", all.remove(0))
}

/// Rewrite web's segment, record by record.
fn rewrite(web: &Place<'_>, change: impl Fn(Vec<String>) -> Vec<String>) {
    let path = segment(web);
    let text = web.read(&path);
    let parts: Vec<String> = text.split("[[event]]").map(str::to_owned).collect();
    web.write(&path, change(parts).join("[[event]]"));
}

/// Put web's segment into another folder of the log, by a commit.
fn move_segment(web: &Place<'_>, to: &str) {
    let path = segment(web);
    let name = path.rsplit('/').next().unwrap();
    web.write(&format!(".swift/audit/{to}/{name}"), web.read(&path));
    fs::remove_file(web.path(&path)).unwrap();
    commit(web);
}

/// As a person does, with everything that lies there.
fn commit(web: &Place<'_>) {
    web.git("-C .swift add --all");
    web.git("-C .swift commit --quiet --message by-hand");
}

/// The only session of web.
fn session(web: &Place<'_>) -> String {
    let found = files(web).into_iter().find(|path| path.starts_with("sessions/"));
    format!(".swift/{}", found.unwrap())
}

/// The file of the task with this title.
fn file(web: &Place<'_>, title: &str) -> String {
    let line = format!("title = \"{title}\"");
    let found = files(web)
        .into_iter()
        .find(|path| path.ends_with(".md") && web.read(&format!(".swift/{path}")).contains(&line));
    format!(".swift/{}", found.unwrap())
}

/// A receipt, and the end of the head.
const RECEIPT: &str =
    "\n[receipt]\nstage = \"done\"\nat = 2026-03-02T10:00:00Z\nby = \"acme/nobody\"\n+++\n\n";

/// The index of the queue's worktree, relative to `.git`.
fn index_of(web: &Place<'_>) -> String {
    let path = web.git("-C .swift rev-parse --path-format=relative --git-path index");
    path.trim().trim_start_matches("../").trim_start_matches(".git/").to_owned()
}

fn damages() -> Vec<Damage> {
    let damage = |name, verb, named, plant| Damage { name, plant, verb, named };
    vec![
        damage("a bit flipped in a record", "audit verify", ["audit-damaged", "audit/"], |web| {
            let path = segment(web);
            let text = web.read(&path).replacen("task.created", "task.creatfd", 1);
            web.write(&path, text);
        }),
        damage("an actor changed in a record", "audit verify", ["audit-damaged", "audit/"], |web| {
            let path = segment(web);
            let text = web.read(&path).replacen("Ada Example", "Eve Example", 1);
            web.write(&path, text);
        }),
        damage("a record dropped", "audit verify", ["audit-damaged", "audit/"], |web| {
            rewrite(web, |mut parts| {
                parts.remove(2);
                parts
            });
        }),
        damage("records reordered", "audit verify", ["audit-damaged", "audit/"], |web| {
            rewrite(web, |mut parts| {
                parts.swap(1, 2);
                parts
            });
        }),
        damage("a record doubled", "audit verify", ["audit-damaged", "audit/"], |web| {
            rewrite(web, |mut parts| {
                let part = parts[2].clone();
                parts.insert(2, part);
                parts
            });
        }),
        damage("the last record cut off", "audit verify", ["audit-missing", "audit/"], |web| {
            rewrite(web, |mut parts| {
                parts.pop();
                parts
            });
        }),
        damage("a segment cut in the middle of a record", "audit verify", ["audit/", "audit/"], |web| {
            let path = segment(web);
            let text = web.read(&path);
            web.write(&path, &text[..text.len() - 40]);
        }),
        damage("a segment emptied", "audit verify", ["audit/", "audit/"], |web| {
            web.write(&segment(web), "");
        }),
        damage("a segment deleted", "audit verify", ["audit-missing", "audit/"], |web| {
            fs::remove_file(web.path(&segment(web))).unwrap();
        }),
        damage("a segment deleted and committed", "audit verify", ["audit-missing", "audit/"], |web| {
            fs::remove_file(web.path(&segment(web))).unwrap();
            web.git("-C .swift commit --quiet --all --message tidy");
        }),
        damage("the log replaced by noise", "audit verify", ["malformed", "audit/"], |web| {
            web.write(&segment(web), [0_u8, 159, 146, 150]);
        }),
        damage("a segment copied", "audit verify", ["audit-damaged", "twice"], |web| {
            let path = segment(web);
            let text = web.read(&path);
            web.write(&path.replace(".toml", "x.toml"), text);
        }),
        damage("a segment moved to another hand", "audit verify", ["audit-misplaced", "audit/"], |web| {
            move_segment(web, "2026-03/01kjpwdn8ra02wfe0qeyxtg7zz");
        }),
        damage("a segment moved to another month", "audit verify", ["audit-misplaced", "audit/"], |web| {
            let writer = segment(web).rsplit('/').nth(1).unwrap().to_owned();
            move_segment(web, &format!("1999-01/{writer}"));
        }),
        damage("a segment of another project", "doctor", ["audit-foreign", "acme/api"], |web| {
            let api = web.place("../api");
            let path = segment(&api);
            web.write(&path, api.read(&path));
            commit(web);
        }),
        damage("a task emptied", "doctor", ["malformed", "tasks/"], |web| web.write(&file(web, "one"), "")),
        damage("a task cut off", "doctor", ["malformed", "tasks/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path);
            web.write(&path, &text[..40]);
        }),
        damage("a task deleted", "doctor", ["missing", ""], |web| {
            fs::remove_file(web.path(&file(web, "one"))).unwrap()
        }),
        damage("a finished task deleted", "doctor", ["missing", ""], |web| {
            fs::remove_file(web.path(&file(web, "finished"))).unwrap();
        }),
        damage("a record of a sent task deleted", "doctor", ["missing", ""], |web| {
            fs::remove_file(web.path(&file(web, "sent"))).unwrap();
        }),
        damage("a task changed by hand", "doctor", ["changed-by-hand", "tasks/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path) + "more\n";
            web.write(&path, text);
        }),
        damage("a task moved by hand", "doctor", ["state-differs", "done/"], |web| {
            let path = file(web, "one");
            fs::rename(web.path(&path), web.path(".swift/done/moved.md")).unwrap();
        }),
        damage("two files with one id", "doctor", ["id-twice", "tasks/"], |web| {
            let text = web.read(&file(web, "one"));
            web.write(".swift/tasks/copy.md", text);
        }),
        damage("a conflict in a task", "doctor", ["unsettled", "conflict"], |web| {
            let path = file(web, "one");
            let text = format!("<<<<<<< HEAD\n{}=======\n>>>>>>> x\n", web.read(&path));
            web.write(&path, text);
        }),
        damage("a receipt for a task that never left", "doctor", ["changed-by-hand", "sent/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path).replacen("+++\n\n", RECEIPT, 1);
            fs::remove_file(web.path(&path)).unwrap();
            web.write(".swift/sent/2026-03/one.md", text);
        }),
        damage("a receipt for nobody's task", "doctor", ["unrecorded", "sent/"], |web| {
            let text = format!("+++\ntitle = \"never sent\"\nid = \"01kjpwdn8ra02wfe0qeyxtg7zz\"\n{RECEIPT}");
            web.write(".swift/sent/2026-03/nobody.md", text);
        }),
        damage("the queue's branch names no commit", "doctor", ["object-damaged", "missing"], |web| {
            web.write(".git/refs/heads/swift", "ffffffffffffffffffffffffffffffffffffffff\n");
        }),
        damage("the queue's index emptied", "doctor", ["index-damaged", "index"], |web| {
            fs::write(web.path(".git").join(index_of(web)), "").unwrap();
        }),
        damage("the queue's index gone", "doctor", ["index-damaged", "index"], |web| {
            fs::remove_file(web.path(".git").join(index_of(web))).unwrap();
        }),
        damage("sides of a conflict left in the index", "doctor", ["unmerged", "tasks/"], |web| {
            let path = file(web, "one").replacen(".swift/", "", 1);
            let blob = web.git(["rev-parse", &format!("swift:{path}")]).trim().to_owned();
            let side = |stage: u8| format!("100644 {blob} {stage}\t{path}\n");
            let none = format!("0 {}\t{path}\n", "0".repeat(blob.len()));
            let lines = [none, side(1), side(2), side(3)].concat();
            web.program("git", "-C .swift update-index --index-info").stdin(lines).run().ok();
        }),
        damage("the link of the folder emptied", "doctor", ["relinked", ".swift/.git"], |web| {
            web.write(".swift/.git", "");
        }),
        damage("the link of the folder gone", "doctor", ["relinked", ".swift/.git"], |web| {
            fs::remove_file(web.path(".swift/.git")).unwrap();
        }),
        damage("the link of the folder led to another queue", "doctor", ["relinked", "led to"], |web| {
            let other = web.place("../hub").path(".git/worktrees/-swift");
            web.write(".swift/.git", format!("gitdir: {}\n", other.display()));
        }),
        damage("the queue's branch set back, and not the files", "doctor", ["rewound", "commit"], |web| {
            web.git("update-ref refs/heads/swift swift~2");
        }),
        damage("a commit that git replaces", "audit verify", ["object-replaced", "commit"], |web| {
            web.git("replace swift~1 swift~3");
        }),
        damage("a task that git replaces", "doctor", ["object-replaced", "blob"], |web| {
            let object = |title: &str| format!("swift:{}", file(web, title).replacen(".swift/", "", 1));
            web.git(["replace", &object("one"), &object("two")]);
        }),
        damage("a file from elsewhere", "doctor", ["unknown-file", "notes.txt"], |web| {
            web.write(".swift/notes.txt", "x")
        }),
        damage("a folder from elsewhere", "doctor", ["unknown-file", "attic"], |web| {
            web.write(".swift/attic/x.md", "x")
        }),
        damage("a task that waits for itself", "doctor", ["dependency", "tasks/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path);
            let id = text.lines().find_map(|line| line.strip_prefix("id = ")).unwrap().to_owned();
            web.write(&path, text.replacen("labels = []", &format!("labels = []\nafter = [{id}]"), 1));
        }),
        damage("a task that waits for nobody", "doctor", ["dependency", "tasks/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path);
            let after = "labels = []\nafter = [\"01kjpwdn8ra02wfe0qeyxtg7zz\"]";
            web.write(&path, text.replacen("labels = []", after, 1));
        }),
        damage("attributes changed", "doctor", ["own-file", ".gitattributes"], |web| {
            web.write(".swift/.gitattributes", "* text\n")
        }),
        damage("the ignore file deleted", "doctor", ["own-file", ".gitignore"], |web| {
            fs::remove_file(web.path(".swift/.gitignore")).unwrap();
        }),
        damage("a folder that is a link", "doctor", ["not-a-", "tasks/"], |web| {
            symlink(web.path("$SANDBOX"), web.path(".swift/tasks/elsewhere")).unwrap();
        }),
        damage("the place of files on their way is a link", "doctor", ["unsafe-home", ""], |web| {
            fs::remove_dir_all(web.path(".swift/local/tmp")).unwrap();
            symlink("/nonexistent", web.path(".swift/local/tmp")).unwrap();
        }),
        damage("sessions that are a link", "doctor", ["unsafe-home", "sessions"], |web| {
            fs::remove_dir_all(web.path(".swift/sessions")).unwrap();
            symlink(web.path("$SANDBOX"), web.path(".swift/sessions")).unwrap();
        }),
        damage("a session that cannot be read", "doctor", ["malformed", "sessions/"], |web| {
            web.write(".swift/sessions/2026-03/x.md", "no session");
        }),
        damage("two sessions with one id", "doctor", ["session-twice", "sessions/"], |web| {
            let text = web.read(&session(web));
            web.write(".swift/sessions/2026-03/zz.md", text);
        }),
        damage("a session under another name", "doctor", ["session-misplaced", "sessions/"], |web| {
            fs::rename(web.path(&session(web)), web.path(".swift/sessions/2026-03/zz.md")).unwrap();
        }),
        damage("a session that ended before it began", "doctor", ["session-differs", "sessions/"], |web| {
            let path = session(web);
            let text = web.read(&path).replacen("finished_at = 2026", "finished_at = 1999", 1);
            web.write(&path, text);
        }),
        damage("the name of another project taken", "doctor", ["unreachable", "acme/api"], |web| {
            let text = web.read(".swift/swift.toml").replacen("acme/web", "acme/api", 1);
            web.write(".swift/swift.toml", text);
        }),
        damage("a newer task", "doctor", ["newer-schema", "tasks/"], |web| {
            let path = file(web, "one");
            let text = web.read(&path).replacen("schema = 1", "schema = 7", 1);
            web.write(&path, text);
        }),
        damage(
            "a line among git's packed refs that is none",
            "doctor",
            ["git-damaged", "packed-refs"],
            |web| {
                web.git("pack-refs --all");
                let text = web.read(".git/packed-refs") + "garbage\n";
                web.write(".git/packed-refs", text);
            },
        ),
        damage(
            "git's note of a cut-off history overwritten",
            "audit verify",
            ["git-damaged", "shallow"],
            |web| {
                web.write(".git/shallow", "xx\n");
            },
        ),
        damage("the project's HEAD overwritten", "doctor", ["git-damaged", ".git/HEAD"], |web| {
            web.write(".git/HEAD", "garbage\n");
        }),
        damage("a pipe in the place of a reflog", "doctor", ["git-damaged", "logs/HEAD"], |web| {
            let log = index_of(web).replace("index", "logs/HEAD");
            fs::remove_file(web.path(".git").join(&log)).unwrap();
            web.program("mkfifo", [format!(".git/{log}").as_str()]).run().ok();
        }),
        damage("git's newest objects gone", "audit verify", ["object-damaged", "missing"], |web| {
            fs::remove_file(newest_pack(web)).unwrap();
        }),
        damage("git's newest objects emptied", "doctor", ["object-damaged", "commit"], |web| {
            let pack = newest_pack(web);
            fs::remove_file(&pack).unwrap();
            fs::write(&pack, "").unwrap();
        }),
    ]
}

/// The pack that holds HEAD of the queue.
fn newest_pack(web: &Place<'_>) -> PathBuf {
    let head = web.git("-C .swift rev-parse HEAD");
    let packs = fs::read_dir(web.path(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    let mut packs = packs.filter(|path| path.extension().is_some_and(|ending| ending == "pack"));
    packs
        .find(|pack| web.git(["verify-pack", "-v", &pack.display().to_string()]).contains(head.trim()))
        .expect("a pack has the commit")
}

#[test]
fn every_kind_of_damage_is_found_and_its_place_named() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let web = &world.web;
    add(web, ".", "one");
    add(web, ".", "two");
    let finished = add(web, ".", "finished");
    web.swift_ok(["done", &finished]);
    world.letter("sent");
    world.round();
    web.swift_ok("start sesame");
    web.swift_ok("finish sesame");
    world.api.swift_ok("inbox sesame");
    world.keep();
    let mut missed = Vec::new();
    for Damage { name, plant, verb, named } in damages() {
        world.restore();
        plant(web);
        // Without its link no verb sees a queue at all, so each links it first.
        let own = if named[0] == "relinked" { ".swift/.git" } else { ".git" };
        let before = Snapshot::of(web, &[".git", own, ".swift/local/cache"]);
        let output = web.call(format!("{verb} --json").as_str()).run();
        let said = format!("{}{}", output.stdout, output.stderr);
        // A change that is legal is told as a note.
        let status = match named[0] {
            "changed-by-hand" | "unknown-file" | "unrecorded" | "relinked" => 0,
            _ => 8,
        };
        if output.status != status || !named.iter().all(|part| said.contains(part)) {
            missed.push(format!("{name}: `{verb}` ended with {}, {named:?} in\n{said}", output.status));
        }
        before.assert_same(&Snapshot::of(web, &[".git", own, ".swift/local/cache"]));
        let listed = web.swift("list");
        if !listed.stdout.contains("two") && name != "git's object of a task gone" {
            missed.push(format!("{name}: the good neighbour is not listed: {}", listed.stderr));
        }
    }
    assert!(missed.is_empty(), "{} of the damages:\n{}", missed.len(), missed.join("\n"));
}

/// The first line of the table of docs/proof.md.
const HEAD: &str = "| damage | found by | code |\n|---|---|---|\n";

#[test]
fn the_published_table_has_every_kind() {
    let row = |damage: &Damage| format!("| {} | `{}` | `{}` |\n", damage.name, damage.verb, damage.named[0]);
    let table: String = damages().iter().map(row).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/proof.md");
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(HEAD).expect("docs/proof.md has the table");
    let (published, after) = rest.split_at(rest.find("\n\n").unwrap() + 1);
    if std::env::var_os("SWIFT_BLESS").is_some() {
        fs::write(path, format!("{before}{HEAD}{table}{after}")).unwrap();
        return;
    }
    assert_eq!(published, table, "`SWIFT_BLESS=1 cargo test --test it` writes it down");
}

/// What becomes of the bytes of an object; `None` if its file is gone.
type Change<'a> = dyn Fn(&[u8]) -> Option<Vec<u8>> + 'a;

/// One bit in the middle is another one.
fn flipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    Some(bytes)
}

#[test]
fn every_object_that_is_lost_or_damaged_is_named_with_what_it_was_for() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let (one, two) = (add(&web, ".", "one"), add(&web, ".", "two"));
    add(&web, ".", "three");
    let unpack = "for pack in .git/objects/pack/*.pack; do mv $pack .git/x; rm -f ${pack%.pack}.*; \
                  git unpack-objects -q < .git/x; done; rm -f .git/x";
    web.program("sh", ["-c", unpack]).run().ok();
    sound(&web, "every object has a file of its own");
    let task = |id: &str| copies(&web, id).remove(0);
    let log = segment(&web).trim_start_matches(".swift/").to_owned();
    let of = |object: String| web.git(["rev-parse", &object]).trim().to_owned();
    let path = |id: &str| web.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let another = fs::read(path(&of(format!("swift:{}", task(&two))))).unwrap();
    let objects = [
        ("commit", "swift".to_owned()),
        ("commit", "swift~1".to_owned()),
        ("commit", "swift~3".to_owned()),
        ("tasks", "swift:tasks".to_owned()),
        ("audit", "swift:audit".to_owned()),
        ("tasks/", format!("swift:{}", task(&one))),
        ("swift.toml", "swift:swift.toml".to_owned()),
        ("tasks", "swift~1:tasks".to_owned()),
        ("audit/", format!("swift~2:{log}")),
        ("git object", "swift~2^{tree}".to_owned()),
    ];
    let kinds: [(&str, &Change<'_>); 6] = [
        ("lost its end", &|bytes| Some(bytes[..bytes.len() - 3].to_vec())),
        ("lost its end", &|bytes| Some(bytes[..bytes.len() - 1].to_vec())),
        ("missing", &|_| None),
        ("", &|_| Some(Vec::new())),
        ("", &flipped),
        ("", &|_| Some(another.clone())),
    ];
    for (place, object) in &objects {
        let id = of(object.clone());
        let file = path(&id);
        web.program("chmod", ["u+w", &file.display().to_string()]).run().ok();
        let good = fs::read(&file).unwrap();
        for (number, (how, damage)) in kinds.iter().enumerate() {
            match damage(&good) {
                Some(bad) => fs::write(&file, bad).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let found = findings_of(&web, if number % 2 == 0 { "doctor" } else { "audit verify" });
            let names = |finding: &Value| {
                let said = format!("{} {}", text(&finding["path"]), text(&finding["message"]));
                finding["code"] == "object-damaged"
                    && [place, how, id.as_str()].iter().all(|part| said.contains(part))
            };
            assert!(found.iter().any(names), "{object}, {number}: {found:?}");
            fs::write(&file, &good).unwrap();
        }
    }
    sound(&web, "whole again");
}

#[test]
fn a_registry_that_points_elsewhere_is_found() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.keep();
    let paths = ".swift/local/paths.json";
    let cases: [(&str, &dyn Fn(), &str); 4] = [
        (
            "swapped",
            &|| world.hub.write(paths, world.hub.read(paths).replace("/web", "/w").replace("/api", "/web")),
            "acme__api",
        ),
        (
            "a file in the place",
            &|| world.hub.write(paths, world.hub.read(paths).replace("/web", "/hub/README.md")),
            "acme__web",
        ),
        (
            "another id",
            &|| world.hub.write(".swift/projects/acme__web.toml", "schema = 1\nid = \"acme/other\"\n"),
            "acme/other",
        ),
        ("noise", &|| world.hub.write(".swift/projects/acme__web.toml", "id = ["), "acme__web.toml"),
    ];
    for (name, plant, named) in cases {
        world.restore();
        plant();
        let output = world.hub.swift("doctor");
        assert!(output.ended(8).stdout.contains(named), "{name}: {}{}", output.stdout, output.stderr);
        assert!(world.hub.swift("outbox sesame").status != 1, "{name}");
    }
}

#[test]
fn settings_that_cannot_be_read_are_named_by_every_verb() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let good = web.read(".swift/swift.toml");
    for (bad, place) in [
        ("", "swift.toml"),
        ("id = [", "swift.toml:1:"),
        ("schema = 1\nid = \"../x\"\n", "swift.toml:2:"),
        ("schema = 1\nid = \"a/b\"\ncommit = \"never\"\n", "swift.toml:3:"),
        ("schema = 1\nid = \"a/b\"\nlease = -3\n", "swift.toml:3:"),
    ] {
        web.write(".swift/swift.toml", bad);
        for verb in ["list", "doctor", "task . x", "audit verify"] {
            let output = web.swift(verb);
            assert!(output.ended(8).stderr.contains(place), "{verb}: {bad:?}: {}", output.stderr);
        }
    }
    web.write(".swift/swift.toml", good);
    assert_eq!(web.swift("doctor").status, 0);
}

/// The findings of a check.
fn findings_of(web: &Place<'_>, verb: &str) -> Vec<Value> {
    web.swift(format!("{verb} --json").as_str()).json()["findings"].as_array().unwrap().clone()
}

/// What both checks say of a branch that has left a commit.
fn rewound(web: &Place<'_>, when: &str) -> String {
    let found = web.swift("doctor");
    assert!(found.ended(8).stdout.contains("[rewound]"), "{when}: {}", found.stdout);
    let verified = findings_of(web, "audit verify");
    let found: Vec<_> = verified.iter().filter(|finding| finding["code"] == "rewound").collect();
    assert_eq!(found.len(), 1, "{when}: {verified:?}");
    format!("{} {}", text(&found[0]["message"]), text(&found[0]["fix"]))
}

#[test]
fn a_branch_that_was_set_back_is_found_until_its_commits_are_kept() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "first");
    let second = add(&web, ".", "second");
    let third = add(&web, ".", "third");
    let lost = web.git("rev-parse swift");
    web.git("-C .swift reset --quiet --hard HEAD~2");
    assert_eq!((copies(&web, &second).len(), copies(&web, &third).len()), (0, 0));
    for when in ["at once", "after another verb"] {
        let said = rewound(&web, when);
        assert!(said.contains(&format!("`git branch rescue {}`", &lost[..12])), "{when}: {said}");
        assert!(said.contains("third") && said.contains("nor is 1 older one"), "{when}: {said}");
        add(&web, ".", when);
    }
    web.git(["branch", "rescue", lost.trim()]);
    sound(&web, "kept on a branch");
    web.git("-C .swift merge --quiet --no-edit rescue");
    web.git("branch --quiet -D rescue");
    assert_eq!((copies(&web, &second).len(), copies(&web, &third).len()), (1, 1));
    add(&web, ".", "after the rescue");
    sound(&web, "merged again");
}

#[test]
fn a_branch_that_was_removed_is_found_before_and_after_it_begins_anew() {
    for way in ["git -C .swift update-ref -d refs/heads/swift", "rm .git/refs/heads/swift"] {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        add(&web, ".", "first");
        let lost = web.git("rev-parse swift");
        web.program("sh", ["-c", way]).run().ok();
        let named = format!("`git branch rescue {}`", &lost[..12]);
        let said = rewound(&web, way);
        assert!(said.contains(&named), "{way}: {said}");
        add(&web, ".", "second");
        let said = rewound(&web, way);
        assert!(said.contains(&named), "{way}: {said}");
        web.git(["branch", "rescue", lost.trim()]);
        sound(&web, way);
    }
}

#[test]
fn a_branch_that_was_written_anew_has_lost_nothing() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "first");
    add(&web, ".", "second");
    // The files of now under an older commit: they are hand changes, and are recorded.
    web.git("-C .swift reset --quiet --soft HEAD~1");
    add(&web, ".", "third");
    sound(&web, "set back softly");
    assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 3);
    web.git("-C .swift commit --quiet --amend --message other");
    sound(&web, "another message");
    web.git("-C .swift commit --quiet --allow-empty --message empty");
    web.git("-C .swift reset --quiet --hard HEAD~1");
    sound(&web, "a commit of the person's own");
    add(&web, ".", "fourth");
    web.swift_ok("undo");
    sound(&web, "taken back");
    web.git("-C .swift rebase --quiet --force-rebase HEAD~2");
    sound(&web, "rebased");
    web.git("-C .swift reset --quiet --hard HEAD~1");
    web.git("reflog expire --expire=now --all");
    web.git("gc --quiet --prune=now");
    assert_eq!(findings_of(&web, "audit verify"), [] as [Value; 0], "cleared away");
}

#[test]
fn a_cache_that_lies_changes_nothing() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for n in 0..80 {
        web.write(&format!(".swift/tasks/{n}.md"), format!("+++\ntitle = \"task {n}\"\n+++\n"));
    }
    add(&web, ".", "the last");
    let list = || {
        let mut all: Vec<_> =
            web.json("list")["tasks"].as_array().unwrap().iter().map(|t| text(&t["title"])).collect();
        all.sort();
        all
    };
    let truth = list();
    assert_eq!(truth.len(), 81);
    let local = web.path(".swift/local");
    let tasks = local.join("cache/tasks");
    // Files that were written just now are not trusted to a cache.
    while fs::metadata(&tasks).map_or(0, |found| found.len()) < 4000 {
        assert_eq!(list(), truth);
    }
    let good = fs::read(&tasks).unwrap();
    for step in [1, 7, 31, good.len() / 3, good.len() - 1] {
        let mut bad = good.clone();
        bad.iter_mut().skip(step).step_by(step.max(97)).for_each(|byte| *byte ^= 0x5a);
        fs::write(&tasks, &bad).unwrap();
        assert_eq!(list(), truth, "scribbled from {step}");
        fs::write(&tasks, &good[..step]).unwrap();
        assert_eq!(list(), truth, "cut off at {step}");
    }
    for name in ["cache/tasks", "writer", "session"] {
        fs::write(local.join(name), b"\xff\0noise").unwrap();
    }
    assert_eq!(list(), truth, "everything of this machine is noise");
    add(&web, ".", "one more");
    sound(&web, "with noise in the machine's own folder");
    fs::remove_dir_all(&local).unwrap();
    add(&web, ".", "and another");
    assert_eq!(list().len(), 83);
    sound(&web, "without the machine's own folder");
}

#[test]
fn a_clock_that_ran_ahead_is_told() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.call("task . early").env("SWIFT_TEST_NOW", "2031-01-01T00:00:00Z").run().ok();
    let findings = web.call("doctor --json").run().ended(8).json();
    assert!(codes(&findings["findings"]).contains(&"clock".to_owned()), "{findings}");
    assert_eq!(web.swift("audit verify").status, 0);
    add(&web, ".", "late");
    sound(&web, "after the clock was set back");
}

#[test]
fn a_healthy_queue_gives_no_finding() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    // `benches/prove damage` asks for ten thousand.
    let count = std::env::var("SWIFT_PROVE_HEALTHY").ok().and_then(|n| n.parse().ok()).unwrap_or(250);
    for n in 0..count {
        let to = if n % 5 == 0 { "to = \"acme/api\"\n" } else { "" };
        let folder = if n % 5 == 0 { "outbox" } else { "tasks" };
        world
            .web
            .write(&format!(".swift/{folder}/{n}.md"), format!("+++\ntitle = \"task {n}\"\n{to}+++\nbody\n"));
    }
    world.web.swift_ok("start sesame");
    world.round();
    world.api.swift_ok("inbox sesame");
    for place in [&world.web, &world.api] {
        for n in 0..8 {
            let id = text(&place.json("claim")["lease"]["task"]);
            match n % 4 {
                0 => drop(place.swift_ok(["done", &id])),
                1 => drop(place.swift_ok(["fail", &id, "--why", "x"])),
                2 => drop(place.swift_ok(["block", &id, "--why", "x"])),
                _ => {}
            }
        }
    }
    world.web.swift_ok("undo sesame");
    world.web.swift_ok("finish --learned much sesame");
    world.round();
    // A clone works on, and comes back with what both have done; the home moves and moves back; the watcher passes.
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    let both = add(&world.web, ".", "of both");
    twin.git("fetch --quiet ../web +swift:refs/remotes/other/swift");
    twin.git("-C .swift merge --quiet --no-edit refs/remotes/other/swift");
    twin.swift_ok(["done", &both]);
    world.web.swift_ok(["comment", &both, "a word"]);
    world.web.git("fetch --quiet ../twin +swift:refs/remotes/other/swift");
    let merge = "-C .swift merge --quiet --no-edit refs/remotes/other/swift";
    assert_ne!(world.web.program("git", merge).run().status, 0, "both changed it");
    world.web.swift_ok("resolve sesame");
    world.api.swift_ok("home tree sesame");
    world.api.swift_ok("home branch sesame");
    world.hub.swift_ok("watch --once");
    sandbox.later(SignedDuration::from_hours(72));
    for place in [&world.hub, &world.web, &world.api] {
        let findings = place.call("doctor --json").run().ended(0).json();
        assert_eq!(findings["findings"].as_array().unwrap().len(), 0, "{findings:#}");
        sound(place, "healthy");
    }
}

#[test]
fn what_cannot_be_looked_at_and_what_is_told_already_are_no_findings_of_their_own() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "one");
    let told = web.call("doctor").env("PATH", "/nonexistent").run();
    assert!(
        told.ended(8).stdout.contains("git") && !told.stdout.contains("index-damaged"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("1 finding"), "{}", told.stdout);
    let path = crate::world::copies(&web, &id).remove(0);
    std::fs::copy(web.path(&format!(".swift/{path}")), web.path(".swift/tasks/copy.md")).unwrap();
    web.swift("doctor --fix sesame");
    let told = web.swift("doctor");
    assert!(told.ended(8).stdout.contains("id-twice"), "{}", told.stdout);
    assert!(!told.stdout.contains("unrecorded"), "{}", told.stdout);
}

#[test]
fn a_git_that_is_killed_says_nothing_of_the_index() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let git = sandbox.home().path("bin/git");
    sandbox.home().write("bin/git", "#!/bin/sh\nkill -KILL $$\n");
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let told = web.call("doctor").env("PATH", git.parent().unwrap().to_str().unwrap()).run();
    assert!(
        told.ended(8).stdout.contains("was ended from outside") && !told.stdout.contains("damaged"),
        "{}",
        told.stdout
    );
}

#[test]
fn files_with_the_longest_names_are_put_aside_and_so_are_those_beside_them() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for name in ["m".repeat(252), format!("{}n", "m".repeat(251)), "ä".repeat(126), "x".to_owned()] {
        web.write(&format!(".swift/tasks/{name}.md"), "bad");
    }
    web.swift_ok("doctor --fix sesame");
    sound(&web, "put aside");
    let aside: Vec<_> = files(&web).into_iter().filter(|path| path.starts_with("quarantine/")).collect();
    assert_eq!(aside.len(), 4, "{aside:?}");
    assert!(aside.iter().all(|path| path.ends_with(".md")), "{aside:?}");
}

#[test]
fn a_segment_of_the_log_may_be_larger_than_other_files() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "first");
    let path = segment(&web);
    web.write(&path, format!("{}# {}\n", web.read(&path), "x".repeat(5 << 20)));
    // The line is none of the log's; that it is long hides nothing that stands before it.
    let said = web.swift("audit verify");
    assert!(said.ended(8).stdout.contains("1 record"), "{}", said.stderr);
    assert!(!said.stdout.contains("too-large"));
    assert!(web.json("log").to_string().contains("task.created"));
    add(&web, ".", "second");
}

#[test]
fn an_index_of_the_queue_that_a_power_cut_has_torn_is_made_anew() {
    let torn: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |_| Vec::new(),
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |bytes| vec![0; bytes.len()],
        |bytes| bytes[..bytes.len() - 1].to_vec(),
    ];
    for (number, tear) in torn.into_iter().enumerate() {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        let one = add(&web, ".", "one");
        let path = web.path(".git").join(index_of(&web));
        let (staged, by_hand) = (file(&web, "one"), ".swift/templates/task.md");
        let text = web.read(&staged);
        web.write(by_hand, "staged");
        web.write(&staged, format!("{text}staged\n"));
        web.git(["-C", ".swift", "add", "-A"]);
        web.write(&staged, &text);
        fs::write(&path, tear(fs::read(&path).unwrap())).unwrap();
        web.swift("doctor").ended(8);
        match number % 2 {
            0 => drop(web.swift_ok("doctor --fix sesame")),
            _ => drop(web.swift_ok(["claim", &one])),
        }
        add(&web, ".", "two");
        assert_eq!(web.git("-C .swift status --porcelain"), "", "{number}");
        web.git("-C .swift fsck");
        assert_eq!(web.git("-C .swift show HEAD:templates/task.md"), "staged", "{number}");
        let told = web.swift_ok("doctor");
        // Of one that was emptied nothing is left.
        assert_eq!(told.contains("torn-index"), number != 0, "{number}: {told}");
        web.swift_ok("uninstall sesame");
        assert!(!web.path(".git/swift").exists(), "{number}");
    }
}

#[test]
fn the_index_of_a_persons_checkout_is_theirs() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    fs::write(web.path(".git/index"), "").unwrap();
    let refused = web.swift("task . one");
    refused.ended(9);
    assert!(refused.stderr.contains("index") && refused.stderr.contains("damaged"), "{}", refused.stderr);
    assert_eq!(fs::read(web.path(".git/index")).unwrap(), b"");
}

#[test]
fn what_brings_the_settings_back_leaves_all_other_work_alone() {
    for (init, remove) in
        [("init", "rm -f .swift/swift.toml"), ("init --in-tree", "git -C .swift rm -q swift.toml")]
    {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("it's web");
        web.swift_ok(init);
        let id = add(&web, ".", "A");
        let file = format!(".swift/{}", copies(&web, &id)[0]);
        let edited = web.read(&file) + "two hours of notes\n";
        web.write(&file, &edited);
        web.program("sh", ["-c", remove]).run().ok();
        if init == "init" {
            // There the program itself puts back what is missing.
            web.swift_ok("list");
            assert_eq!(web.read(&file), edited);
            continue;
        }
        let said = web.swift("list").ended(3).stderr.clone();
        let command =
            said.split('`').find(|part| part.starts_with("git -C")).unwrap_or_else(|| panic!("{said}"));
        let command = command.replace("$SANDBOX", sandbox.root().path("").to_str().unwrap());
        web.program("sh", ["-c", &command]).run().ok();
        assert_eq!(web.read(&file), edited);
        web.swift_ok("list");
        // Where nothing else is left, everything comes back.
        web.program("sh", ["-c", "rm -r .swift/*"]).run().ok();
        let said = web.swift("list").ended(3).stderr.clone();
        assert!(said.contains("--worktree .swift`"), "{said}");
    }
}

/// Do what the first hint of a refusal says.
#[track_caller]
fn take_hint(web: &Place<'_>, verb: &str) {
    let said = web.swift(verb).ended(8).stderr.clone();
    let command = said.split('`').find(|part| part.starts_with("git -C")).unwrap_or_else(|| panic!("{said}"));
    let root = web.path("").parent().unwrap().to_str().unwrap().to_owned();
    web.program("sh", ["-c", &command.replace("$SANDBOX", &root)]).run().ok();
}

#[test]
fn settings_that_a_commit_has_removed_are_brought_back_and_make_no_second_queue() {
    let ends = ["rm -q .swift/swift.toml", "-C .swift rm -q swift.toml"];
    for (init, remove) in [("init --in-tree", ends[0]), ("init", ends[1])] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        add(&web, ".", "A");
        let at = if init == "init" { ".swift" } else { "." };
        web.git(remove);
        web.git(format!("-C {at} commit -q -m removed").as_str());
        let before = web.git("for-each-ref");
        for verb in ["list", "init", "doctor", "init --branch other", "task . B"] {
            let said = web.swift(verb).ended(8).stderr.clone();
            assert!(said.contains("swift.toml`, the settings of the queue, was removed"), "{verb}: {said}");
        }
        assert_eq!(web.git("for-each-ref"), before, "{init}");
        take_hint(&web, "list");
        assert!(web.swift_ok("list").contains("ready     medium    A"));
        add(&web, ".", "B");
        assert_eq!(web.git(format!("-C {at} status --porcelain").as_str()), "", "{init}");
        sound(&web, init);
    }
}

#[test]
fn settings_that_were_removed_at_the_end_of_a_conflict_are_told_of_in_a_clone_too() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init");
    add(&web, ".", "A");
    web.git("-C .swift switch -q -c other");
    let settings = web.read(".swift/swift.toml");
    for side in ["other", "swift"] {
        web.git(["-C", ".swift", "switch", "-q", side]);
        web.write(".swift/swift.toml", format!("{settings}# {side}\n"));
        web.git("-C .swift commit -q -a -m changed");
    }
    web.program("git", "-C .swift merge -q other").run().ended(1);
    web.git("-C .swift rm -q swift.toml");
    web.git("-C .swift commit -q -m merged");
    sandbox.root().git("clone -q web clone");
    let clone = sandbox.place("clone");
    for verb in ["list", "init"] {
        let said = clone.swift(verb).ended(8).stderr.clone();
        assert!(said.contains("was removed from the branch `origin/swift`"), "{verb}: {said}");
    }
    assert_eq!(clone.git("branch --list swift"), "");
    take_hint(&web, "init");
    add(&web, ".", "B");
    clone.git("fetch -q");
    clone.swift_ok("init");
    assert!(clone.swift_ok("list").contains("ready     medium    B"));
}

#[test]
fn a_merge_whose_files_are_gone_is_not_concluded_without_them() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init");
    let id = add(&web, ".", "A");
    let file = format!(".swift/{}", copies(&web, &id)[0]);
    web.git("-C .swift switch -q -c other");
    let text = web.read(&file);
    web.write(&file, format!("{text}there\n"));
    web.git("-C .swift commit -q -a -m there");
    web.git("-C .swift switch -q swift");
    web.write(&file, format!("{text}here\n"));
    web.git("-C .swift commit -q -a -m here");
    web.program("git", "-C .swift merge -q other").run().ended(1);
    let in_the_middle = add(&web, ".", "In the middle");
    web.git("clean -q -ffdx");
    let said = web.swift("list").stderr;
    assert!(said.contains("a merge was in progress there, and is not any more: `git -C"), "{said}");
    assert!(said.contains(&in_the_middle.to_lowercase()), "{said}");
    add(&web, ".", "After");
    web.program("git", "-C .swift merge -q other").run().ended(1);
    web.swift_ok("resolve sesame");
    let text = web.read(&file);
    assert!(text.contains("here\n") && text.contains("there\n"), "{text}");
    let list = web.swift_ok("list");
    assert!(list.contains("After") && list.contains("In the middle"), "{list}");
    sound(&web, "merged again");
}

#[test]
fn a_task_that_cannot_be_read_is_not_said_to_be_missing() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for (what, with) in [("schema = 1", "schema = 2"), ("title = ", "title "), ("+++", "xxx")] {
        let id = add(&web, ".", "A");
        let file = format!(".swift/{}", copies(&web, &id)[0]);
        let good = web.read(&file);
        web.write(&file, good.replace(what, with));
        let found = findings_of(&web, "doctor");
        assert!(found.iter().any(|finding| text(&finding["path"]) == file), "{found:?}");
        assert!(found.iter().all(|finding| finding["code"] != "missing"), "{found:?}");
        web.write(&file, good);
    }
    sound(&web, "mended");
}

#[test]
fn an_index_that_is_older_than_the_last_commit_is_told() {
    for (init, at) in [("init", ".swift"), ("init --in-tree", ".")] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        add(&web, ".", "one");
        let index = match init {
            "init" => web.path(".git").join(index_of(&web)),
            _ => web.path(".git/index"),
        };
        let old = fs::read(&index).unwrap();
        add(&web, ".", "two");
        fs::write(&index, old).unwrap();
        let found = web.swift("doctor");
        assert!(found.ok().contains("is staged otherwise"), "{init}: {}", found.stdout);
        web.git(["-C", at, "restore", "--staged", "."]);
        assert_eq!(web.swift_ok("doctor"), "the queue is healthy\n", "{init}");
        sound(&web, init);
    }
}

#[test]
fn what_was_only_looked_at_was_never_in_the_branch() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "one");
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    twin.swift_ok(["edit", &id, "--priority", "high"]);
    web.swift_ok(["edit", &id, "--priority", "low"]);
    web.program("git", "-C .swift pull --quiet --rebase ../../twin swift").run();
    web.git("-C .swift rebase --abort");
    web.git("-C .swift switch --quiet --detach FETCH_HEAD");
    web.git("-C .swift switch --quiet swift");
    assert_eq!(web.swift_ok("doctor"), "the queue is healthy\n");
    web.swift_ok("audit verify");
    web.git("-C .swift reset --quiet --hard HEAD~1");
    rewound(&web, "and one that was in it is");
}

#[test]
fn a_repository_in_a_folder_of_tasks_keeps_nothing_from_being_mended() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        add(&web, ".", "one");
        web.git("init --quiet .swift/tasks/lib");
        web.write(".swift/tasks/bad.md", "bad");
        web.swift("doctor --fix sesame").ended(8);
        assert!(!web.path(".swift/tasks/bad.md").exists(), "{init}: it is put aside");
        assert!(web.path(".swift/tasks/lib/.git/HEAD").exists(), "{init}: and that is not");
        assert!(web.swift("doctor").ended(8).stdout.contains("tasks/lib"));
        add(&web, ".", "two");
    }
}

#[test]
fn a_damaged_ref_of_the_queue_is_a_finding_beside_the_others() {
    for bad in ["", "noise\n", "4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"] {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        add(&web, ".", "one");
        web.write(".swift/tasks/bad.md", "bad");
        web.write(".git/refs/heads/swift", bad);
        let found = codes(&web.swift("doctor --json").ended(8).json()["findings"]);
        assert!(found.contains(&"malformed".to_owned()), "{bad}: {found:?}");
        assert!(found.iter().any(|code| code == "git" || code == "object-damaged"), "{bad}: {found:?}");
        assert!(web.swift("doctor").stdout.contains("git fsck"), "{bad}");
    }
}

#[test]
fn attributes_by_which_git_changes_the_files_are_found() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".git/info/attributes", "* text eol=crlf\n");
    let refused = web.swift("task . one");
    refused.ended(9);
    let told = web.swift("doctor");
    assert!(told.ended(8).stdout.contains("gives `"), "{}", told.stdout);
    let line = told.stdout.split('`').find(|word| word.contains("-text")).unwrap();
    web.write(".git/info/attributes", format!("* text eol=crlf\n{line}\n"));
    web.swift_ok("task . one");
    web.swift_ok("doctor");
}

#[test]
fn a_note_of_this_machine_that_is_no_file_is_named_and_pauses_no_less() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let healthy = |place: &Place<'_>| assert_eq!(place.swift_ok("doctor"), "the queue is healthy\n");
    for name in ["session.json", "paused.json", "served.json"] {
        let (path, place) = (format!(".swift/local/{name}"), &world.hub);
        if place.path(&path).exists() {
            fs::remove_file(place.path(&path)).unwrap();
        }
        fs::create_dir(place.path(&path)).unwrap();
        let told = place.swift("doctor");
        assert!(told.ended(8).stdout.contains(&format!("local/{name}: is not a file")), "{}", told.stdout);
        let command = told.stdout.split('`').find(|word| word.starts_with("mv ")).unwrap().to_owned();
        place.program("sh", ["-c", &command]).run().ok();
        healthy(place);
    }
    world.hub.swift_ok("start sesame");
    let id = world.letter("there");
    world.hub.write(".swift/local/paused.json", "{");
    for is_folder in [false, true] {
        if is_folder {
            fs::remove_file(world.hub.path(".swift/local/paused.json")).unwrap();
            fs::create_dir(world.hub.path(".swift/local/paused.json")).unwrap();
        }
        let told = world.hub.swift("doctor");
        assert!(told.ended(8).stdout.contains("local/paused.json"), "{}", told.stdout);
        let once = world.hub.swift("watch --once");
        assert!(once.ended(8).stderr.contains("cannot be read"), "{}{}", once.stdout, once.stderr);
        assert_eq!(crate::world::received(&world.api, &id), [""; 0], "everything is paused");
    }
    fs::remove_dir(world.hub.path(".swift/local/paused.json")).unwrap();
    world.hub.swift_ok("watch --once");
    assert_eq!(crate::world::received(&world.api, &id).len(), 1);
}
