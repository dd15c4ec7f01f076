//! Clones that work apart at random and merge with plain git, in whatever order, come to the same queue.
//!
//! Each world is made from a seed, which every failure names; `SWIFT_PROVE_SEED` makes it again, `SWIFT_PROVE_ROUNDS`
//! makes so many (`benches/prove merge`). What is asked in each: git finds no conflict unless both sides changed the
//! same task; where they did, `swift resolve` settles it, in two clones with the same bytes; in the end all clones have
//! the same bytes, every task is there once, and neither the log nor the doctor has anything to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::sandbox::{Output, Place, Sandbox};
use crate::world::{add, files, sound};

/// How long the bounded run goes on making worlds.
const ENOUGH: Duration = Duration::from_secs(20);

/// How many worlds the bounded run makes at the least.
const LEAST: u64 = 4;

/// What a world was made of and did, for the last line of a run.
#[derive(Debug, Default)]
struct Tally {
    worlds: u64,
    verbs: usize,
    merges: usize,
    conflicts: usize,
    settled: usize,
}

#[test]
fn clones_that_work_at_random_converge_in_whatever_order_they_merge() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let (rounds, first) = (number("SWIFT_PROVE_ROUNDS"), number("SWIFT_PROVE_SEED").unwrap_or(1));
    let begun = Instant::now();
    let mut tally = Tally::default();
    for seed in first.. {
        let is_enough = match rounds {
            Some(rounds) => tally.worlds >= rounds,
            None => tally.worlds >= LEAST && begun.elapsed() > ENOUGH,
        };
        if is_enough {
            break;
        }
        eprintln!("SWIFT_PROVE_SEED={seed}");
        one_world(seed, &mut tally);
        tally.worlds += 1;
    }
    eprintln!("{tally:?}");
    assert!(tally.conflicts > 0 && tally.settled > 0 || rounds.is_some(), "too tame: {tally:?}");
}

/// One clone of the queue.
struct Clone<'a> {
    place: Place<'a>,
    /// Another worktree of the same repository, from which some verbs are typed.
    linked: Option<Place<'a>>,
    name: String,
    in_tree: bool,
}

fn one_world(seed: u64, tally: &mut Tally) {
    let sandbox = Sandbox::new();
    let mut chance = Chance::of(seed);
    let clones = clones(&sandbox, &mut chance);
    let mut hand = 0;
    for _ in 0..1 + chance.below(2) {
        let base = Picture::of(&clones[0]);
        for clone in &clones {
            for _ in 0..2 + chance.below(7) {
                step(clone, &mut chance, &mut hand, seed);
                tally.verbs += 1;
            }
            // What was done by hand last is recorded, so that git has everything.
            clone.place.swift_ok("doctor --fix sesame");
        }
        let pictures: Vec<Picture> = clones.iter().map(Picture::of).collect();
        let expected = expected(&base, &pictures);
        let apart = apart(&clones, &base, &pictures, &mut chance, tally, seed);
        together(&clones, tally, seed);
        for clone in &clones {
            let picture = Picture::of(clone);
            let there: BTreeSet<&String> = picture.files.keys().collect();
            assert_eq!(there, expected.iter().collect(), "seed {seed}: {}: lost, or there again", clone.name);
            assert!(picture.doubled.is_empty(), "seed {seed}: {}: twice: {:?}", clone.name, picture.doubled);
            let findings = clone.place.call("doctor --json").run().json();
            let findings = findings["findings"].as_array().unwrap().clone();
            assert!(findings.is_empty(), "seed {seed}: {}: {findings:#?}\n{}", clone.name, story(clone));
            sound(&clone.place, &format!("seed {seed}: {}", clone.name));
        }
        if let (true, [one, other]) = (apart, &clones[..]) {
            assert_eq!(bytes(one), bytes(other), "seed {seed}");
        }
    }
}

/// How a clone came to where it is, for a failure.
fn story(clone: &Clone<'_>) -> String {
    let graph =
        clone.place.git(["-C", ".swift", "log", "--graph", "--name-status", "--format=%h %s (%p)", "-60"]);
    format!("{graph}{}", clone.place.swift("log -n 200").stdout)
}

fn clones<'a>(sandbox: &'a Sandbox, chance: &mut Chance) -> Vec<Clone<'a>> {
    let in_tree = chance.below(4) == 0;
    let first = sandbox.repository("a");
    first.swift_ok(if in_tree { "init --in-tree --id acme/a" } else { "init --id acme/a" });
    for n in 0..3 + chance.below(4) {
        add(&first, if n == 2 { "acme/far" } else { "." }, &format!("common {n}"));
    }
    let mut clones = Vec::new();
    for name in ["a", "b", "c"].iter().take(2 + chance.below(2)) {
        let place = sandbox.place(name);
        if *name != "a" {
            sandbox.root().git(["clone", "--quiet", "a", name]);
            if !in_tree {
                place.swift_ok("init");
            }
        }
        let linked = (!in_tree && chance.below(3) == 0).then(|| {
            place.git(["worktree", "add", "--quiet", "--detach", &format!("../{name}-linked")]);
            sandbox.place(&format!("{name}-linked"))
        });
        clones.push(Clone { place, linked, name: (*name).to_owned(), in_tree });
    }
    clones
}

/// The tasks of a clone as they lie there.
struct Picture {
    /// By id.
    files: BTreeMap<String, (String, String)>,
    doubled: Vec<String>,
}

impl Picture {
    fn of(clone: &Clone<'_>) -> Picture {
        let mut picture = Picture { files: BTreeMap::new(), doubled: Vec::new() };
        for path in files(&clone.place).into_iter().filter(|path| path.ends_with(".md")) {
            let text = clone.place.read(&format!(".swift/{path}"));
            if path.starts_with("sessions/") {
                continue;
            }
            let id = text.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
            // A file that was written by hand just now has none yet.
            let id = id.unwrap_or(&path).to_owned();
            if picture.files.insert(id.clone(), (path, text)).is_some() {
                picture.doubled.push(id);
            }
        }
        picture
    }

    /// The tasks that are not as they were, those that are gone included.
    fn changed_since(&self, base: &Picture) -> BTreeSet<String> {
        let ids = self.files.keys().chain(base.files.keys());
        ids.filter(|id| self.files.get(*id) != base.files.get(*id)).cloned().collect()
    }
}

/// The tasks that have to be there in the end: what one side removed is gone unless another one changed it.
fn expected(base: &Picture, pictures: &[Picture]) -> BTreeSet<String> {
    let all: BTreeSet<&String> = pictures.iter().flat_map(|picture| picture.files.keys()).collect();
    let stays = |id: &&String| {
        let is_changed = |p: &Picture| p.files.contains_key(*id) && p.files.get(*id) != base.files.get(*id);
        pictures.iter().all(|picture| picture.files.contains_key(*id)) || pictures.iter().any(is_changed)
    };
    all.into_iter().filter(stays).cloned().collect()
}

/// Everything that is committed, the log included.
fn bytes(clone: &Clone<'_>) -> String {
    clone.place.git(["-C", ".swift", "ls-tree", "-r", "HEAD", "--", "."])
}

/// Each clone merges what each other one had, in an order of its own. Whether two clones have settled the same pair.
fn apart(
    clones: &[Clone<'_>],
    base: &Picture,
    pictures: &[Picture],
    chance: &mut Chance,
    tally: &mut Tally,
    seed: u64,
) -> bool {
    let tips: Vec<String> = clones.iter().map(tip).collect();
    let changed: Vec<BTreeSet<String>> = pictures.iter().map(|picture| picture.changed_since(base)).collect();
    for (at, clone) in clones.iter().enumerate() {
        let mut others: Vec<usize> = (0..clones.len()).filter(|other| *other != at).collect();
        chance.shuffle(&mut others);
        let mut own = changed[at].clone();
        for other in others {
            let is_conflict = merge(clone, &clones[other], &tips[other], tally, seed);
            let both: BTreeSet<&String> = own.intersection(&changed[other]).collect();
            assert!(
                !is_conflict || !both.is_empty(),
                "seed {seed}: {} meets a conflict with {}, and no task was changed by both",
                clone.name,
                clones[other].name
            );
            own.extend(changed[other].iter().cloned());
        }
    }
    if let [one, other] = clones {
        let texts = |clone| Picture::of(clone).files;
        let (texts, others) = (texts(one), texts(other));
        assert_eq!(texts, others, "seed {seed}: settled apart\n{}\n{}", story(one), story(other));
        return true;
    }
    false
}

fn tip(clone: &Clone<'_>) -> String {
    clone.place.git("-C .swift rev-parse HEAD").trim().to_owned()
}

/// The first one takes everything; the others take that over.
fn together(clones: &[Clone<'_>], tally: &mut Tally, seed: u64) {
    let (first, others) = clones.split_first().unwrap();
    for other in others {
        merge(first, other, &tip(other), tally, seed);
    }
    for other in others {
        assert!(!merge(other, first, &tip(first), tally, seed), "seed {seed}: all of it is there already");
        assert_eq!(tip(other), tip(first), "seed {seed}: {}", other.name);
        assert_eq!(bytes(other), bytes(first), "seed {seed}: {}", other.name);
    }
}

/// Merge with plain git, and settle what it leaves open; whether there was a conflict.
fn merge(clone: &Clone<'_>, from: &Clone<'_>, tip: &str, tally: &mut Tally, seed: u64) -> bool {
    tally.merges += 1;
    let (place, remote) = (&clone.place, format!("../{}", from.name));
    place.git(["fetch", "--quiet", &remote, "+refs/heads/*:refs/remotes/other/*"]);
    let words = ["-C", ".swift", "merge", "--quiet", "--no-edit", tip];
    let merged = place.program("git", words).run();
    let told = |output: &Output| format!("{}{}", output.stdout, output.stderr);
    if merged.status != 0 {
        tally.conflicts += 1;
        tally.settled += place.json("resolve sesame")["resolved"].as_array().unwrap().len();
        if clone.in_tree {
            place.git("commit --quiet --no-edit");
        }
        let merging = place.program("git", "-C .swift rev-parse --verify --quiet MERGE_HEAD").run();
        assert_ne!(merging.status, 0, "seed {seed}: {}", told(&merged));
    }
    // Two files of one task, where git took a finished task for another file.
    if !Picture::of(clone).doubled.is_empty() {
        tally.settled += place.json("resolve sesame")["resolved"].as_array().unwrap().len();
        return true;
    }
    assert_eq!(place.git("status --porcelain"), "", "seed {seed}: {}", told(&merged));
    merged.status != 0
}

/// One verb, or something by hand; the verb may be refused by the state of the task, and by nothing else.
fn step(clone: &Clone<'_>, chance: &mut Chance, hand: &mut usize, seed: u64) {
    let place = match &clone.linked {
        Some(linked) if chance.below(2) == 0 => linked,
        _ => &clone.place,
    };
    let tasks: Vec<(String, String)> =
        Picture::of(clone).files.into_iter().map(|(id, (path, _))| (id, path)).collect();
    let (id, path) = chance.one_of(&tasks).clone();
    let id = id.as_str();
    let actor = format!("{}{}", clone.name, chance.below(2));
    let word = format!("{} {}", clone.name, chance.below(1000));
    let long = word.repeat(if chance.below(8) == 0 { 200 } else { 1 });
    let words: Vec<&str> = match chance.below(20) {
        0 | 1 => vec!["task", ".", &word],
        2 => vec!["task", "acme/far", &word],
        3 => vec!["edit", id, "--title", &word],
        4 => vec!["edit", id, "--priority", *chance.one_of(&["low", "medium", "high", "critical"])],
        5 => vec!["edit", id, "--label", *chance.one_of(&["x", "y", "z"])],
        6 => vec!["edit", id, "--due", *chance.one_of(&["2026-04-01", "2026-05-01"])],
        7 => vec!["edit", id, "--body", &long],
        8 | 9 => vec!["comment", id, &word],
        10 | 11 => vec!["claim", id],
        12 => vec!["release", id],
        13 => vec!["done", id, "--result", &long],
        14 => vec!["fail", id, "--why", &word],
        15 => vec!["block", id, "--why", &word],
        16 => vec!["unblock", id],
        17 => vec!["redrive", id],
        18 => vec!["undo", "sesame"],
        _ => return by_hand(clone, &path, chance, hand),
    };
    let words: Vec<String> = words.into_iter().chain(["--actor", &actor]).map(str::to_owned).collect();
    let output = place.swift(words);
    let is_refused = [0, 3, 4, 5].contains(&output.status);
    assert!(is_refused, "seed {seed}: {} ended with {}: {}", output.shown, output.status, output.stderr);
}

/// What a person does with an editor.
fn by_hand(clone: &Clone<'_>, path: &str, chance: &mut Chance, hand: &mut usize) {
    *hand += 1;
    let path = format!(".swift/{path}");
    match chance.below(4) {
        0 => {
            let name = format!(".swift/tasks/hand-{}-{hand}.md", clone.name);
            clone.place.write(&name, format!("+++\ntitle = \"by hand {hand}\"\n+++\n"));
        }
        1 => {
            let text = clone.place.read(&path);
            clone.place.write(&path, text.replacen("kind = ", &format!("own{hand} = {hand}\nkind = "), 1));
        }
        2 => fs::remove_file(clone.place.path(&path)).unwrap(),
        _ => {
            let text = clone.place.read(&path);
            clone.place.write(&path, format!("{text}\nby hand {hand} in {}\n", clone.name));
        }
    }
}
