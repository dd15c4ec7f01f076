//! Verbs that reach beside the queue: runs and their worktrees, merges into the person's branch, hooks of an agent, tasks
//! that a merge has left unsettled. They take several steps, some of them git's or an agent's own, so between the old
//! state and the new one there are others. What has to hold after a kill: nothing of the person's is lost or half, and the
//! same verb, typed again, brings about exactly what it would have.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::report::{self, Row};
use super::verdict::Found;
use super::{Blow, Extent, Home, Trial};
use crate::sandbox::{Place, Sandbox, Strike, Traced};
use crate::snapshot::Snapshot;
use crate::world::{World, add, intact, locks, text};

/// What the model does in a run.
const WORK: &str = "init; tool Bash 'make it'; change; result 'did it'";

struct Scene {
    name: &'static str,
    /// What has to be there before; the verb.
    prepare: fn(&World<'_>, Home) -> Vec<String>,
    /// What the verb is about, in lines that are the same whichever way leads there.
    look: fn(&World<'_>) -> Vec<String>,
    /// The same verb again, and what else a person types to have done with it.
    again: fn(&World<'_>, &[String]),
    /// Whether git itself may have been cut off at work on the person's branch, which it says and the verb ends.
    on_the_branch: bool,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A task, and settings with which a run that fails is not tried again.
fn task(world: &World<'_>, home: Home, title: &str) -> String {
    let settings = world.web.read(".swift/swift.toml");
    if !settings.contains("[run]") {
        world.web.write(".swift/swift.toml", format!("{settings}\n[run]\nretries = 0\n"));
        let folder = world.web.place(if home == Home::Branch { ".swift" } else { "." });
        folder.git("add --all .");
        folder.git("commit --quiet --message settings");
    }
    add(&world.web, ".", title)
}

/// A task on which a run has worked; the run.
fn worked(world: &World<'_>, home: Home, title: &str) -> String {
    let id = task(world, home, title);
    let output = world.web.call(["run", id.as_str(), "--json"]).run();
    let last = output.stdout.lines().last().unwrap_or_default().to_owned();
    let document: serde_json::Value = serde_json::from_str(&last).unwrap();
    text(&document["run"]["id"])
}

/// The same verb once more; it may also say that there is nothing left to do.
#[track_caller]
fn once_more(world: &World<'_>, verb: &[String]) {
    let output = world.web.call(verb.to_vec()).run();
    assert!([0, 3, 5].contains(&output.status), "again: {output:?}");
}

/// The tasks and how far they are, and which of the runs have ended well.
fn tasks(world: &World<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for list in ["list", "list --state done"] {
        for task in world.web.json(list)["tasks"].as_array().unwrap() {
            lines.push(format!("{} {}", task["title"], task["state"]));
        }
    }
    lines.sort();
    lines.dedup();
    let runs = world.web.json("runs -n 99");
    let runs = runs["runs"].as_array().unwrap();
    lines.push(format!("completed: {}", runs.iter().filter(|run| run["outcome"] == "completed").count()));
    lines.push(format!("going on: {}", runs.iter().filter(|run| run["outcome"].is_null()).count()));
    lines
}

/// What the person's branch has, and what stands beside it.
fn branch(world: &World<'_>) -> Vec<String> {
    let web = &world.web;
    let tree: String = web.git("ls-tree -r HEAD").lines().filter(|line| !line.contains("\t.swift")).collect();
    let status = web.git("status --porcelain -- . :(exclude).swift");
    let merges = web.git("rev-list --count --merges HEAD");
    let merging = web.path(".git/MERGE_HEAD").exists();
    let mut lines = vec![format!("{tree}{status}{merges}merging: {merging}")];
    lines.extend(
        web.json("runs")["runs"].as_array().unwrap().iter().map(|run| run["review"]["decision"].to_string()),
    );
    lines.extend(worktrees(world));
    lines
}

/// Worktrees and branches of runs.
fn worktrees(world: &World<'_>) -> Vec<String> {
    let listed = world.web.git("worktree list --porcelain");
    let mut lines: Vec<String> = listed
        .lines()
        .filter(|line| line.starts_with("branch refs/heads/swift-run"))
        .map(str::to_owned)
        .collect();
    lines.extend(
        world.web.git("for-each-ref --format=%(refname) refs/heads/swift-run").lines().map(str::to_owned),
    );
    lines
}

/// The files of an agent in the checkout, and the note of what was put there.
fn hooks(world: &World<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = vec![world.web.path(".claude")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                let bytes = fs::read(entry.path()).unwrap();
                lines.push(format!("{} {:?}", entry.path().display(), String::from_utf8_lossy(&bytes)));
            }
        }
    }
    lines.sort();
    lines
}

fn unsettled(world: &World<'_>) -> Vec<String> {
    let merging =
        world.web.program("git", "-C .swift rev-parse --verify --quiet MERGE_HEAD").run().status == 0;
    let mut lines = vec![format!("merging: {merging}")];
    for path in crate::world::files(&world.web).iter().filter(|path| path.ends_with(".md")) {
        lines.push(format!("{path}\n{}", world.web.read(&format!(".swift/{path}"))));
    }
    lines
}

/// Where the queue is, what it has, and what of it is joined. Of one that cannot be told the refusal.
fn moved(world: &World<'_>) -> Vec<String> {
    let web = &world.web;
    let list = web.swift("list --state any --json");
    if list.status != 0 {
        return list.stderr.lines().filter(|line| line.starts_with("error: ")).map(str::to_owned).collect();
    }
    let mut lines: Vec<String> = list.json()["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| format!("{} {}", task["title"], task["path"]))
        .collect();
    lines.sort();
    for question in [
        "for-each-ref --format=%(refname) refs/heads",
        "rev-parse HEAD",
        "status --porcelain",
        "-C .swift status --porcelain",
        "-C .swift rev-parse --show-toplevel HEAD",
        "-C .swift ls-files",
    ] {
        lines.push(format!("{question}:\n{}", web.git(question)));
    }
    lines.extend(worktrees(world));
    lines.push(web.read(".git/info/exclude"));
    let told = list.stderr.lines().filter(|line| line.contains("joins them"));
    lines.extend(told.map(str::to_owned));
    lines
}

/// A clone of web has moved the queue, and web has pulled that; whether it has work of its own that is to be joined.
fn left_behind(world: &World<'_>, home: Home, has_own: bool) -> Vec<String> {
    let web = &world.web;
    add(web, ".", "base");
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    if has_own {
        add(web, ".", "of web");
    }
    let (to, verb) = match home {
        Home::Branch => ("home tree sesame", words(&["home", "tree", "sesame"])),
        Home::Tree => ("home branch sesame", words(&["init"])),
    };
    twin.swift_ok(to);
    add(&twin, ".", "since");
    web.git("remote add other ../twin");
    web.git("fetch --quiet other");
    // In the tree git leaves what was written here, and the person takes it out.
    let pulled = web.program("git", "pull --quiet --no-rebase --no-edit other main").run();
    assert_eq!(pulled.status != 0, home == Home::Tree && has_own, "{pulled:?}");
    // A rule below the line that hides the queue.
    let rules = web.read(".git/info/exclude");
    web.write(".git/info/exclude", format!("{rules}*.own\n"));
    if home == Home::Tree && has_own {
        web.git("rm -r --quiet .swift");
        web.git("commit --quiet --message out");
    }
    verb
}

fn scenes(home: Home) -> Vec<Scene> {
    let mut all = vec![
        Scene {
            name: "run",
            prepare: |world, home| vec!["run".to_owned(), task(world, home, "to run")],
            look: tasks,
            again: once_more,
            on_the_branch: false,
        },
        Scene {
            name: "work",
            prepare: |world, home| {
                task(world, home, "one");
                task(world, home, "two");
                words(&["work", "--max-runs", "2"])
            },
            look: tasks,
            again: |world, _| once_more(world, &words(&["work"])),
            on_the_branch: false,
        },
        Scene {
            name: "merge",
            prepare: |world, home| {
                vec!["merge".to_owned(), worked(world, home, "to merge"), "sesame".to_owned()]
            },
            look: branch,
            again: |world, verb| {
                once_more(world, verb);
                once_more(world, &words(&["runs", "clean", "sesame"]));
            },
            on_the_branch: true,
        },
        Scene {
            name: "reject",
            prepare: |world, home| {
                words(&["reject", &worked(world, home, "to send back"), "--why", "not yet"])
            },
            look: |world| [tasks(world), branch(world)].concat(),
            again: once_more,
            on_the_branch: false,
        },
        Scene {
            name: "runs clean",
            prepare: |world, home| {
                let merged = worked(world, home, "merged by hand");
                worked(world, home, "open");
                let runs = world.web.json("runs");
                let run =
                    runs["runs"].as_array().unwrap().iter().find(|run| run["id"] == merged.as_str()).unwrap();
                world.web.git(["merge", "--quiet", "--no-edit", &text(&run["branch"])]);
                words(&["runs", "clean", "sesame"])
            },
            look: worktrees,
            again: once_more,
            on_the_branch: false,
        },
        Scene {
            name: "integrate claude",
            prepare: |world, _| {
                world.web.write(".claude/settings.json", "{\n  // mine\n  \"model\": \"opus\",\n}\n");
                world.web.write(".claude/commands/own.md", "own\n");
                words(&["integrate", "claude", "sesame"])
            },
            look: hooks,
            again: once_more,
            on_the_branch: false,
        },
        Scene {
            name: "integrate claude --remove",
            prepare: |world, _| {
                world.web.write(".claude/settings.json", "{\n  // mine\n  \"model\": \"opus\",\n}\n");
                world.web.swift_ok("integrate claude sesame");
                words(&["integrate", "claude", "--remove", "sesame"])
            },
            look: hooks,
            again: once_more,
            on_the_branch: false,
        },
    ];
    all.extend([
        Scene {
            name: "resolve",
            prepare: |world, home| {
                unsettle(world, home);
                words(&["resolve", "sesame"])
            },
            look: unsettled,
            again: once_more,
            on_the_branch: home == Home::Tree,
        },
        Scene {
            name: match home {
                Home::Branch => "home tree of a clone",
                Home::Tree => "init of a clone",
            },
            prepare: |world, home| left_behind(world, home, false),
            look: moved,
            again: once_more,
            on_the_branch: true,
        },
        Scene {
            name: match home {
                Home::Branch => "home tree of a clone that has work",
                Home::Tree => "init of a clone that has work",
            },
            prepare: |world, home| left_behind(world, home, true),
            look: moved,
            again: once_more,
            on_the_branch: true,
        },
    ]);
    all
}

/// A merge of two queues that have changed the same task.
fn unsettle(world: &World<'_>, home: Home) {
    let id = add(&world.web, ".", "the one");
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    world.web.swift_ok(["done", &id, "--result", "by web"]);
    twin.swift_ok(["edit", &id, "--title", "by twin"]);
    add(&twin, ".", "of twin");
    let (at, branch) = match home {
        Home::Branch => (".swift", "swift"),
        Home::Tree => (".", "main"),
    };
    world.web.git(["fetch", "--quiet", "../twin", &format!("{branch}:refs/remotes/other/{branch}")]);
    let merge = format!("-C {at} merge --no-edit refs/remotes/other/{branch}");
    assert_ne!(world.web.program("git", merge.as_str()).run().status, 0);
}

/// The world and what runs keep in the home folder, as they were.
struct Kept<'w, 'a> {
    world: &'w World<'a>,
    state: Place<'a>,
    kept: Place<'a>,
}

impl<'w, 'a> Kept<'w, 'a> {
    fn new(sandbox: &'a Sandbox, world: &'w World<'a>) -> Self {
        world.keep();
        let kept = Kept { world, state: sandbox.home().place(".local"), kept: sandbox.place("kept-state") };
        kept.copy(&kept.state, &kept.kept);
        kept
    }

    fn restore(&self) {
        self.world.restore();
        self.copy(&self.kept, &self.state);
    }

    fn copy(&self, from: &Place<'_>, to: &Place<'_>) {
        fs::remove_dir_all(to.path("")).unwrap();
        let names = [from, to].map(|place| place.path("").display().to_string());
        self.world
            .hub
            .program("cp", ["-a", names[0].trim_end_matches('/'), names[1].trim_end_matches('/')])
            .run()
            .ok();
    }
}

/// Kill each verb at the calls with which it touches the world; what did not hold.
fn run(home: Home) {
    let extent = Extent::wanted();
    let only = std::env::var("SWIFT_PROVE_VERB").ok();
    let mut failures = Vec::new();
    for (salt, scene) in scenes(home).iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != scene.name) {
            continue;
        }
        let sandbox = Sandbox::new();
        sandbox.has_claude(WORK);
        let world = World::all(&sandbox, home.init());
        let Some(row) = strike_scene(&sandbox, &world, home, scene, (extent, salt)) else {
            report::skipped();
            return;
        };
        row.write();
        failures.extend(row.failures);
    }
    assert!(failures.is_empty(), "{} did not hold:\n{}", failures.len(), failures.join("\n\n"));
}

fn strike_scene(
    sandbox: &Sandbox,
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    (extent, salt): (Extent, usize),
) -> Option<Row> {
    let verb = (scene.prepare)(world, home);
    let kept = Kept::new(sandbox, world);
    let moment = sandbox.moment();
    let old = (scene.look)(world);
    kept.restore();
    sandbox.back_to(moment);
    let rehearsal = world.web.call(verb.clone()).traced(None)?;
    rehearsal.output.ok();
    let new = (scene.look)(world);
    assert_ne!(old, new, "{} changes something", scene.name);
    let mut row = Row::new(home, Trial::Kill, scene.name, &rehearsal);
    // Who is killed is everybody: to end one program of many is another trial, in which the verb goes on.
    let strikes = extent.strikes(Trial::Kill, &rehearsal.touches, salt);
    let calls: BTreeSet<usize> = strikes.into_iter().map(|strike| strike.at).collect();
    for strike in calls.into_iter().map(|at| Strike { at, blow: Blow::KillAll }) {
        kept.restore();
        sandbox.back_to(moment);
        let Some(traced) = world.web.call(verb.clone()).traced(Some(strike)) else { continue };
        if !traced.struck {
            row.missed += 1;
            continue;
        }
        row.tried += 1;
        let own = traced.touches.get(strike.at).is_some_and(|touch| touch.own);
        let held =
            catch_unwind(AssertUnwindSafe(|| hold(world, home, scene, &verb, [&old, &new], (strike, own))));
        match held {
            Ok(found) => row.note(&found),
            Err(panic) => row.failures.push(format!(
                "{}\n{}",
                told(scene, home, strike, &traced),
                report::said(&*panic)
            )),
        }
    }
    Some(row)
}

fn told(scene: &Scene, home: Home, strike: Strike, traced: &Traced) -> String {
    let touch = traced.touches.get(strike.at).map(ToString::to_string).unwrap_or_default();
    format!("{} ({home}): killed instead of call {}, {touch}", scene.name, strike.at)
}

/// Judge what is left; a panic says what does not hold.
fn hold(
    world: &World<'_>,
    home: Home,
    scene: &Scene,
    verb: &[String],
    [old, new]: [&Vec<String>; 2],
    (strike, own): (Strike, bool),
) -> Found {
    let web = &world.web;
    // Where git itself is killed with a lock file of its own in place, the person removes it, as git says.
    let stale = if own { Vec::new() } else { locks(&web.path(".git")) };
    stale.iter().for_each(|lock| fs::remove_file(web.path(&format!(".git/{lock}"))).unwrap());
    let people = Snapshot::of(web, &[".swift", ".git", ".claude", "work.txt"]);
    let now = (scene.look)(world);
    let commits = strike.at.is_multiple_of(2) && !scene.on_the_branch;
    let commit = || web.program("git", "commit --quiet --allow-empty --message people").run();
    let blocked = commits && commit().status != 0;
    assert!(!blocked || home == Home::Tree, "git is blocked though the queue has a branch of its own");
    (scene.again)(world, verb);
    if blocked {
        commit().ok();
    }
    let then = (scene.look)(world);
    assert_eq!(&then, new, "typed again it brings about the same; just after the kill it was {now:#?}");
    people.assert_same(&Snapshot::of(web, &[".swift", ".git", ".claude", "work.txt"]));
    intact(web, "after that");
    let worktrees = web.git("worktree list --porcelain");
    assert!(!worktrees.contains("prunable"), "{worktrees}");
    web.git("checkout --quiet -b elsewhere");
    Found { is_old: &now == old, went_on: false, blocked: blocked || !stale.is_empty() }
}

#[test]
fn a_killed_verb_beside_the_queue_is_finished_by_the_next() {
    run(Home::Branch);
}

#[test]
fn a_killed_verb_beside_the_queue_is_finished_by_the_next_in_tree() {
    run(Home::Tree);
}
