//! The verbs that write, each with what has to be there before.

use serde_json::json;

use super::Home;
use super::verdict::COMMITS;
use crate::sandbox::{Call, Output, Place};
use crate::watch::set_auto;
use crate::world::{World, add};

/// What is run after the blow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A verb that has nothing to do with the first: it adds a task.
    Task,
    /// The same once more, which has to bring about what the first was to do.
    Again,
}

/// A verb and the world that it is run in.
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// The repository in which it is run.
    pub(super) at: &'static str,
    pub(super) next: Next,
    /// What is typed where `next` is [`Next::Again`].
    pub(super) again: &'static str,
    /// Whether letters lie ready that have to arrive once.
    pub(super) carries: bool,
    /// Whether it changes several repositories, of which one may refuse.
    pub(super) spans: bool,
    /// What is typed into a session of Claude Code, whose hook the verb is. Its status says nothing: what became of the
    /// line stands in its answer.
    pub(super) prompt: Option<&'static str>,
    pub(super) prepare: fn(&World<'_>, Home) -> Vec<String>,
}

impl Scene {
    const fn of(name: &'static str, at: &'static str, prepare: fn(&World<'_>, Home) -> Vec<String>) -> Self {
        Scene { name, at, next: Next::Task, again: "", carries: false, spans: false, prompt: None, prepare }
    }

    const fn prompted(self, prompt: &'static str) -> Self {
        Scene { prompt: Some(prompt), ..self }
    }

    /// The verb, ready to start.
    pub(super) fn call<'a>(&self, world: &World<'a>, verb: Vec<String>) -> Call<'a> {
        let place = world.folder().place(self.at);
        let call = place.call(verb);
        let Some(prompt) = self.prompt else { return call };
        let message =
            json!({ "cwd": place.path(""), "prompt": prompt, "hook_event_name": "UserPromptSubmit" });
        call.stdin(message.to_string())
    }

    /// What the person hears: of a hook, what the verb in it has said, with the status that this stands for.
    pub(super) fn heard(&self, output: &Output) -> Output {
        if self.prompt.is_none() || output.status != 0 {
            return output.clone();
        }
        let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        let told = answer["reason"].as_str().unwrap_or_default().to_owned();
        let has = |start: &str| told.lines().any(|line| line.starts_with(start));
        let status = if has("error: ") {
            9
        } else if has("added ") {
            0
        } else {
            1
        };
        Output { status, stderr: told, ..output.clone() }
    }

    const fn again(self, words: &'static str) -> Self {
        Scene { next: Next::Again, again: words, ..self }
    }

    const fn carrying(self) -> Self {
        Scene { carries: true, spans: true, ..self }
    }

    const fn spanning(self) -> Self {
        Scene { spans: true, ..self }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Work of a person in a repository: staged, not staged, and not known to git.
fn people(place: &Place<'_>) {
    place.write("staged.txt", "staged\n");
    place.git("add staged.txt");
    place.write("README.md", "changed\n");
    place.write("untracked.txt", "untracked\n");
    let rules = std::fs::read_to_string(place.path(".git/info/exclude")).unwrap_or_default();
    place.write(".git/info/exclude", format!("# above\n{rules}*.own\n"));
}

/// A task of web's own, with a person's work beside it.
fn own(world: &World<'_>) -> String {
    people(&world.web);
    add(&world.web, ".", "own")
}

fn claimed(world: &World<'_>) -> String {
    let id = own(world);
    world.web.swift_ok(["claim", &id]);
    id
}

/// Letters both ways, so that each repository sends and receives.
fn letters(world: &World<'_>) {
    people(&world.web);
    world.letter("there");
    add(&world.api, "acme/web", "back");
}

/// A letter in web's inbox.
fn arrived(world: &World<'_>) -> String {
    people(&world.web);
    let id = add(&world.api, "acme/web", "arriving");
    world.round();
    id
}

fn dead(world: &World<'_>) -> String {
    let id = own(world);
    for _ in 0..3 {
        world.web.swift_ok(["claim", &id]);
        world.web.swift_ok(["fail", &id, "--why", "no"]);
    }
    id
}

/// A repository without a queue.
fn fresh(world: &World<'_>) {
    let place = world.folder().place("fresh");
    place.git("init --quiet");
    place.git("commit --quiet --allow-empty --message Begin");
    place.write("README.md", "# fresh\n");
    place.git("add README.md");
    place.git("commit --quiet --message Readme");
    people(&place);
}

/// A file that is no task, committed by a person.
fn broken(world: &World<'_>, home: Home) {
    world.web.write(".swift/tasks/broken.md", "No task.\n");
    let folder = world.web.place(if home == Home::Branch { ".swift" } else { "." });
    folder.git("add --all .");
    folder.git("commit --quiet --message broken");
    people(&world.web);
}

/// All verbs that write; the homes differ in which way the queue can be moved.
pub(super) fn scenes(home: Home) -> Vec<Scene> {
    let mut all = queue_scenes(home);
    all.extend(task_scenes());
    all.extend(carrying_scenes());
    all.extend(match home {
        Home::Branch => vec![
            Scene::of("init of a clone", "twin", |world, _| {
                own(world);
                world.folder().git("clone --quiet web twin");
                people(&world.folder().place("twin"));
                words(&["init"])
            })
            .again("init"),
            Scene::of("home tree", "web", |world, _| {
                own(world);
                words(&["home", "tree", "sesame"])
            }),
            Scene::of("uninstall --keep-branch", "web", |world, _| {
                own(world);
                words(&["uninstall", "--keep-branch", "sesame"])
            })
            .again("uninstall --keep-branch sesame"),
        ],
        Home::Tree => vec![Scene::of("home branch", "web", |world, _| {
            own(world);
            words(&["home", "branch", "sesame"])
        })],
    });
    all
}

fn queue_scenes(home: Home) -> Vec<Scene> {
    vec![
        Scene::of("init", "fresh", |world, home| {
            fresh(world);
            let mut verb = words(&["init", "--id", "acme/fresh"]);
            verb.extend(words(&["--in-tree"]).into_iter().filter(|_| home == Home::Tree));
            verb
        })
        .again(match home {
            Home::Branch => "init --id acme/fresh",
            Home::Tree => "init --in-tree --id acme/fresh",
        }),
        Scene::of("register", "hub", |world, home| {
            let other = world.folder().place("other");
            other.git("init --quiet");
            other.git("commit --quiet --allow-empty --message x");
            other.swift_ok(format!("{} --id acme/other", home.init()).as_str());
            people(&world.hub);
            words(&["register", "../other"])
        }),
        Scene::of("unregister", "hub", |world, _| {
            people(&world.hub);
            words(&["unregister", "acme/api"])
        }),
        Scene::of("pause", "hub", |world, _| {
            people(&world.hub);
            words(&["pause", "acme/web"])
        }),
        Scene::of("resume", "hub", |world, _| {
            people(&world.hub);
            world.hub.swift_ok("pause --all");
            words(&["resume", "--all"])
        }),
        Scene::of("doctor --fix", "web", |world, home| {
            broken(world, home);
            words(&["doctor", "--fix", "sesame"])
        }),
        Scene::of("start", "web", |world, _| {
            own(world);
            words(&["start"])
        }),
        Scene::of("finish", "web", |world, _| {
            people(&world.web);
            world.web.swift_ok("start");
            add(&world.web, ".", "own");
            words(&["finish", "--learned", "much", "sesame"])
        }),
        Scene::of(COMMITS, "web", |world, _| {
            people(&world.web);
            let settings = world.web.read(".swift/swift.toml");
            world
                .web
                .write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
            world.web.swift_ok("start");
            add(&world.web, ".", "own");
            words(&["finish", "--learned", "much", "sesame"])
        })
        .again("finish --learned much sesame"),
        Scene::of("uninstall", "web", |world, _| {
            own(world);
            words(&["uninstall", "sesame"])
        })
        .again("uninstall sesame"),
        Scene::of("hook", "web", |world, _| {
            people(&world.web);
            words(&["hook", "user-prompt-submit"])
        })
        .prompted("task . Typed into a session sesame"),
    ]
}

fn task_scenes() -> Vec<Scene> {
    vec![
        Scene::of("task", "web", |world, _| {
            people(&world.web);
            words(&["task", ".", "new", "--body", "text"])
        }),
        Scene::of("task to another", "web", |world, _| {
            people(&world.web);
            words(&["task", "acme/api", "new"])
        }),
        Scene::of("claim", "web", |world, _| words(&["claim", &own(world)])),
        Scene::of("renew", "web", |world, _| words(&["renew", &claimed(world), "--lease", "2h"])),
        Scene::of("release", "web", |world, _| words(&["release", &claimed(world)])),
        Scene::of("done", "web", |world, _| words(&["done", &claimed(world), "--result", "well"])),
        Scene::of("fail", "web", |world, _| words(&["fail", &claimed(world), "--why", "no"])),
        Scene::of("block", "web", |world, _| words(&["block", &own(world), "--why", "no"])),
        Scene::of("unblock", "web", |world, _| {
            let id = own(world);
            world.web.swift_ok(["block", &id, "--why", "no"]);
            words(&["unblock", &id])
        }),
        Scene::of("comment", "web", |world, _| words(&["comment", &own(world), "a word"])),
        Scene::of("edit", "web", |world, _| words(&["edit", &own(world), "--priority", "high"])),
        Scene::of("undo", "web", |world, _| {
            own(world);
            words(&["undo", "sesame"])
        }),
        Scene::of("redrive", "web", |world, _| words(&["redrive", &dead(world)])),
    ]
}

fn carrying_scenes() -> Vec<Scene> {
    vec![
        Scene::of("outbox", "hub", |world, _| {
            letters(world);
            words(&["outbox", "sesame"])
        })
        .carrying(),
        Scene::of("sesame", "hub", |world, _| {
            letters(world);
            world.hub.swift("outbox").ended(7);
            words(&["sesame"])
        })
        .carrying(),
        Scene::of("watch --once", "hub", |world, _| {
            letters(world);
            set_auto(&world.api, "accept = \"all\"\nsettle_ms = 0");
            add(&world.api, ".", "records the settings");
            words(&["watch", "--once"])
        })
        .carrying(),
        Scene::of("undo of a round", "hub", |world, _| {
            people(&world.web);
            world.letter("there");
            world.round();
            words(&["undo", "sesame"])
        })
        .spanning(),
        Scene::of("inbox", "web", |world, _| {
            arrived(world);
            words(&["inbox", "sesame"])
        }),
        Scene::of("inbox accept", "web", |world, _| words(&["inbox", "accept", &arrived(world)])),
        Scene::of("inbox refuse", "web", |world, _| {
            words(&["inbox", "refuse", &arrived(world), "--why", "no"])
        }),
        Scene::of("inbox defer", "web", |world, _| {
            words(&["inbox", "defer", &arrived(world), "--until", "3d"])
        }),
    ]
}
