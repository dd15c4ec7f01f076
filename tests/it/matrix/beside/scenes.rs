//! The verbs that reach beside the queue, each with what has to be there before, what it is about, and what a person
//! types to have done with it.

use crate::matrix::Home;
use crate::sandbox::{Place, Running};
use crate::world::{World, add, text};

use super::looks::{branch, conflicts, everything, hooks, runs, service, tasks, unsettled, worktrees};

/// What the model does in a run.
pub(super) const WORK: &str = "init; tool Bash 'make it'; change; result 'did it'";

/// What a verb is about, in lines that are the same whichever way leads there.
pub(super) type Look = fn(&World<'_>) -> Vec<String>;

pub(super) struct Scene {
    pub(super) name: &'static str,
    /// The repository in which it is run.
    pub(super) at: &'static str,
    /// What has to be there before; the verb.
    pub(super) prepare: fn(&World<'_>, Home) -> Vec<String>,
    /// What goes on beside the verb, begun before it each time, and ended by it.
    pub(super) beside: Option<fn(&World<'_>) -> Running>,
    pub(super) look: Look,
    /// The same verb again, and what else a person types to have done with it.
    pub(super) again: fn(&World<'_>, &[String]),
    /// Whether git itself may have been cut off at work on the person's branch, which it says and the verb ends; or the
    /// person is in the middle of a merge of theirs.
    pub(super) on_the_branch: bool,
}

impl Scene {
    pub(super) const fn of(
        name: &'static str,
        prepare: fn(&World<'_>, Home) -> Vec<String>,
        look: Look,
    ) -> Self {
        Scene { name, at: "web", prepare, beside: None, look, again: once_more, on_the_branch: false }
    }

    const fn at(self, at: &'static str) -> Self {
        Scene { at, ..self }
    }

    const fn beside(self, beside: fn(&World<'_>) -> Running) -> Self {
        Scene { beside: Some(beside), ..self }
    }

    const fn again(self, again: fn(&World<'_>, &[String])) -> Self {
        Scene { again, ..self }
    }

    pub(super) const fn on_the_branch(self) -> Self {
        Scene { on_the_branch: true, ..self }
    }

    pub(super) fn place<'a>(&self, world: &World<'a>) -> Place<'a> {
        world.folder().place(self.at)
    }
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
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

/// What the model does from now on.
fn model(world: &World<'_>, script: &str) {
    world.web.write("$HOME/fake.sh", script);
}

/// A run on a new task; the run.
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
    once_more_at(&world.web, verb);
}

#[track_caller]
fn once_more_at(place: &Place<'_>, verb: &[String]) {
    let output = place.call(verb.to_vec()).run();
    assert!([0, 3, 5].contains(&output.status), "again: {output:?}");
}

pub(super) fn scenes(home: Home) -> Vec<Scene> {
    let mut all = run_scenes();
    all.extend(review_scenes());
    all.extend(installing_scenes());
    all.push(match home {
        Home::Branch => Scene::of("resolve", |world, _| unsettle(world), unsettled),
        Home::Tree => Scene::of("resolve", |world, _| unsettle_in_tree(world), conflicts)
            .again(|world, verb| {
                once_more(world, verb);
                world.web.git("commit --quiet --no-edit");
            })
            .on_the_branch(),
    });
    all.extend(super::following::scenes(home));
    all
}

fn run_scenes() -> Vec<Scene> {
    vec![
        Scene::of("run", |world, home| vec!["run".to_owned(), task(world, home, "to run")], tasks),
        Scene::of(
            "run stop",
            |world, home| {
                model(world, "init; touch \"$HOME/ready\"; hang");
                words(&["run", "stop", &task(world, home, "to stop")])
            },
            runs,
        )
        .beside(going_on)
        // Asked already, or ended by now.
        .again(|world, verb| {
            let output = world.web.call(verb.to_vec()).run();
            assert!([0, 5].contains(&output.status), "again: {output:?}");
        }),
        Scene::of(
            "run resume",
            |world, home| {
                model(
                    world,
                    &format!(
                        "case $(cat \"$seen/arguments\") in *--resume*) {WORK};; *) init; exit 0;; esac"
                    ),
                );
                words(&["run", "resume", &worked(world, home, "to go on with"), "go on"])
            },
            tasks,
        )
        // Who sees that the task is done says no more to its session.
        .again(|world, verb| {
            if !tasks(world).contains(&"completed: 1".to_owned()) {
                once_more(world, verb);
            }
        }),
        Scene::of(
            "work",
            |world, home| {
                task(world, home, "one");
                task(world, home, "two");
                words(&["work", "--max-runs", "2"])
            },
            tasks,
        )
        .again(|world, _| once_more(world, &words(&["work"]))),
    ]
}

/// A run that is at work, until somebody stops it.
fn going_on(world: &World<'_>) -> Running {
    std::fs::remove_file(world.web.path("$HOME/ready")).ok();
    let running = world.web.call(["run", &only_task(world)]).start();
    crate::sandbox::until("the model is at work", || world.web.path("$HOME/ready").exists());
    running
}

fn only_task(world: &World<'_>) -> String {
    text(&world.web.json("list")["tasks"][0]["id"])
}

fn review_scenes() -> Vec<Scene> {
    vec![
        Scene::of(
            "merge",
            |world, home| words(&["merge", &worked(world, home, "to merge"), "sesame"]),
            branch,
        )
        .again(|world, verb| {
            once_more(world, verb);
            once_more(world, &words(&["runs", "clean", "sesame"]));
        })
        .on_the_branch(),
        Scene::of(
            "reject",
            |world, home| words(&["reject", &worked(world, home, "to send back"), "--why", "not yet"]),
            |world| [tasks(world), branch(world)].concat(),
        ),
        Scene::of(
            "runs clean",
            |world, home| {
                let merged = worked(world, home, "merged by hand");
                worked(world, home, "open");
                let runs = world.web.json("runs");
                let run =
                    runs["runs"].as_array().unwrap().iter().find(|run| run["id"] == merged.as_str()).unwrap();
                world.web.git(["merge", "--quiet", "--no-edit", &text(&run["branch"])]);
                words(&["runs", "clean", "sesame"])
            },
            worktrees,
        ),
    ]
}

/// What is written outside of the queue: into the checkout, and into the person's own configuration.
fn installing_scenes() -> Vec<Scene> {
    vec![
        Scene::of(
            "integrate claude",
            |world, _| {
                own_settings(&world.web);
                world.web.write(".claude/commands/own.md", "own\n");
                words(&["integrate", "claude", "sesame"])
            },
            hooks,
        ),
        Scene::of(
            "integrate claude --remove",
            |world, _| {
                own_settings(&world.web);
                world.web.swift_ok("integrate claude sesame");
                words(&["integrate", "claude", "--remove", "sesame"])
            },
            hooks,
        ),
        Scene::of("watch --install", |_, _| words(&["watch", "--install", "sesame"]), service)
            .at("hub")
            .again(|world, verb| once_more_at(&world.hub, verb)),
        Scene::of(
            "watch --uninstall",
            |world, _| {
                world.hub.swift_ok("watch --install sesame");
                words(&["watch", "--uninstall", "sesame"])
            },
            service,
        )
        .at("hub")
        .again(|world, verb| once_more_at(&world.hub, verb)),
        Scene::of(
            "uninstall with hooks and a service",
            |world, _| {
                own_settings(&world.hub);
                world.hub.swift_ok("integrate claude sesame");
                world.hub.swift_ok("watch --install sesame");
                let rules = std::fs::read_to_string(world.hub.path(".git/info/exclude")).unwrap_or_default();
                world.hub.write(".git/info/exclude", format!("{rules}*.log\nbuild/\n"));
                words(&["uninstall", "sesame"])
            },
            everything,
        )
        .at("hub")
        .again(|world, verb| once_more_at(&world.hub, verb)),
    ]
}

fn own_settings(place: &Place<'_>) {
    place.write(".claude/settings.json", "{\n  // mine\n  \"model\": \"opus\",\n}\n");
}

/// A merge of two queues that have changed the same task; the verb.
fn unsettle(world: &World<'_>) -> Vec<String> {
    let id = add(&world.web, ".", "the one");
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    world.web.swift_ok(["done", &id, "--result", "by web"]);
    twin.swift_ok(["edit", &id, "--title", "by twin"]);
    add(&twin, ".", "of twin");
    world.web.git("fetch --quiet ../twin swift:refs/remotes/other/swift");
    let merged = world.web.program("git", "-C .swift merge --no-edit refs/remotes/other/swift").run();
    assert_ne!(merged.status, 0);
    words(&["resolve", "sesame"])
}

/// The same where the queue is on the person's branch, who merges another one of theirs; the verb.
fn unsettle_in_tree(world: &World<'_>) -> Vec<String> {
    let web = &world.web;
    let id = add(web, ".", "the one");
    web.git("branch side");
    web.swift_ok(["done", &id, "--result", "on main"]);
    web.git("checkout --quiet side");
    web.swift_ok(["edit", &id, "--title", "on side"]);
    add(web, ".", "of side");
    web.write("side.txt", "of side\n");
    web.git("add side.txt");
    web.git("commit --quiet --message side");
    web.git("checkout --quiet main");
    assert_ne!(web.program("git", "merge --no-edit side").run().status, 0);
    words(&["resolve", "sesame"])
}
