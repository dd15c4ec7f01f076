//! Verbs about a task that waits for its commit, each in what makes it wait, and what a person does to have it committed.

use std::fs;

use crate::matrix::Home;
use crate::world::{World, add};

/// What makes the task wait, and the verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// `commit = "session"`, in a session that is open.
    Session,
    /// A merge that has left something open. In the tree what a verb does there is kept apart.
    Merge,
    /// Another program that holds git's index.
    Lock,
}

/// A verb about one task.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) wait: Wait,
    /// What has happened to the task before.
    before: &'static [&'static str],
    /// The verb; the task's id comes after the first word.
    verb: &'static [&'static str],
}

const FAIL: &[&str] = &["claim", "fail --why no"];
const FAIL_TWICE: &[&str] = &["claim", "fail --why no", "claim", "fail --why no", "claim"];
const DEAD: &[&str] = &["claim", "fail --why no", "claim", "fail --why no", "claim", "fail --why no"];

pub(super) const SCENES: [Scene; 10] = [
    Scene::of("done in a session", Wait::Session, &["claim"], &["done", "--result", "well"]),
    Scene::of("claim in a session", Wait::Session, &[], &["claim"]),
    Scene::of("comment in a session", Wait::Session, FAIL, &["comment", "a word"]),
    Scene::of("fail in a session", Wait::Session, FAIL_TWICE, &["fail", "--why", "no"]),
    Scene::of("redrive in a session", Wait::Session, DEAD, &["redrive"]),
    Scene::of("done in a merge", Wait::Merge, &[], &["done"]),
    Scene::of("comment in a merge", Wait::Merge, &[], &["comment", "a word"]),
    Scene::of("redrive in a merge", Wait::Merge, DEAD, &["redrive"]),
    Scene::of("done beside a lock", Wait::Lock, &["claim"], &["done"]),
    Scene::of("claim beside a lock", Wait::Lock, &[], &["claim"]),
];

impl Scene {
    const fn of(
        name: &'static str,
        wait: Wait,
        before: &'static [&'static str],
        verb: &'static [&'static str],
    ) -> Self {
        Scene { name, wait, before, verb }
    }

    /// A task that waits; its id, and the verb.
    pub(super) fn prepare(&self, world: &World<'_>, home: Home) -> (String, Vec<String>) {
        begin(self.wait, world, home);
        let id = add(&world.web, ".", "own");
        for words in self.before {
            let words: Vec<&str> = words.split(' ').collect();
            world.web.swift_ok(about(&words, &id));
        }
        let waits = world.web.git(["log", "--all", "--format=%s", "--", &format!("*{id}*")]);
        assert_eq!(waits, "", "it is not committed yet");
        let verb = about(self.verb, &id);
        (id, verb)
    }
}

fn about(words: &[&str], id: &str) -> Vec<String> {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.insert(1, id.to_owned());
    words
}

fn begin(wait: Wait, world: &World<'_>, home: Home) {
    let web = &world.web;
    match (wait, home) {
        (Wait::Session, _) => {
            let settings = web.read(".swift/swift.toml");
            web.write(".swift/swift.toml", settings.replace("commit = \"each\"", "commit = \"session\""));
            let folder = web.place(if home == Home::Branch { ".swift" } else { "." });
            folder.git("add --all .");
            folder.git("commit --quiet --message settings");
            web.swift_ok("start");
        }
        (Wait::Merge, Home::Branch) => {
            let id = add(web, ".", "the one");
            world.folder().git("clone --quiet web twin");
            let twin = world.folder().place("twin");
            twin.swift_ok("init");
            web.swift_ok(["edit", &id, "--title", "by web"]);
            twin.swift_ok(["edit", &id, "--title", "by twin"]);
            web.git("fetch --quiet ../twin swift:refs/remotes/other/swift");
            let merged = web.program("git", "-C .swift merge --no-edit refs/remotes/other/swift").run();
            assert_ne!(merged.status, 0);
        }
        (Wait::Merge, Home::Tree) => {
            let id = add(web, ".", "the one");
            web.git("branch side");
            web.swift_ok(["edit", &id, "--title", "on main"]);
            web.git("checkout --quiet side");
            web.swift_ok(["edit", &id, "--title", "on side"]);
            web.git("checkout --quiet main");
            assert_ne!(web.program("git", "merge --no-edit side").run().status, 0);
        }
        (Wait::Lock, _) => web.write(lock(home), ""),
    }
}

/// The lock that another program holds.
fn lock(home: Home) -> &'static str {
    match home {
        Home::Branch => ".git/worktrees/-swift/index.lock",
        Home::Tree => ".git/index.lock",
    }
}

/// The other program ends; whoever waits goes on.
pub(super) fn release(wait: Wait, world: &World<'_>, home: Home) {
    if wait == Wait::Lock {
        fs::remove_file(world.web.path(lock(home))).unwrap();
    }
}

/// What a person does to have everything committed.
pub(super) fn end(wait: Wait, world: &World<'_>, home: Home) {
    let web = &world.web;
    match (wait, home) {
        (Wait::Session, _) => drop(web.swift_ok("finish sesame")),
        (Wait::Merge, Home::Branch) => drop(web.swift_ok("resolve sesame")),
        (Wait::Merge, Home::Tree) => {
            web.swift_ok("resolve sesame");
            web.git("commit --quiet --no-edit");
            add(web, ".", "after the merge");
        }
        (Wait::Lock, _) => drop(add(web, ".", "after the lock")),
    }
}
