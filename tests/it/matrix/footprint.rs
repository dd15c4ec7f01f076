//! What a verb leaves as it was: everything of the person's, to the byte. And no network, and nobody who stays.

use std::fs;

use super::scenes::{Scene, scenes};
use super::{Home, report};
use crate::sandbox::{Place, Sandbox};
use crate::snapshot::Snapshot;
use crate::world::World;

/// What a hook leaves if it is run.
const RAN: &str = "hook-ran";

/// Families of sockets that lead to other machines: of the internet, old and new.
const NETWORK: [i32; 2] = [2, 10];

/// Everything that a repository can have beside a queue.
pub(crate) fn furnish(place: &Place<'_>, library: &str) {
    place.write(".gitignore", "*.log\n");
    place.write("build.log", "ignored\n");
    place.git("add .gitignore");
    place.git("commit --quiet --message ignore");
    place.git(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "library"]);
    place.git("commit --quiet --message submodule");
    place.git("notes add --message note");
    place.git("tag --annotate --message first v1");
    place.git("branch other");
    place.git("config alias.st status");
    place.write("README.md", "put aside\n");
    place.git("stash push --quiet");
    place.git(["worktree", "add", "--quiet", "-b", "side", "linked"]);
    place.write("linked/more.txt", "not committed\n");
    place.git("pack-refs --all");
    for hook in [
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "reference-transaction",
        "post-index-change",
    ] {
        let path = format!(".git/hooks/{hook}");
        place.write(&path, format!("#!/bin/sh\ntouch \"$HOME/{RAN}\"\n"));
        place.program("chmod", ["+x", path.as_str()]).run().ok();
    }
}

/// What may differ after a verb, by its home, as the page of promises says.
fn may_change(home: Home, scene: &Scene, name: &str) -> bool {
    let moves = ["init", "home", "uninstall"].iter().any(|verb| scene.name.starts_with(verb));
    let in_tree = home == Home::Tree || scene.name == "home tree";
    let branch = ["refs/heads/main", ".git/index", ".git/logs/HEAD", ".git/logs/refs/heads/main"];
    name.starts_with(".git/swift")
        || (moves && name == ".git/info/exclude")
        || (in_tree && (branch.contains(&name) || name.starts_with("git status")))
}

/// Everything outside of the queues.
fn taken(sandbox: &Sandbox, world: &World<'_>, home: Home, scene: &Scene) -> Vec<(String, Snapshot)> {
    let mut all = vec![("the home folder".to_owned(), Snapshot::of(&sandbox.home(), &[]))];
    let mut names: Vec<_> =
        fs::read_dir(world.folder().path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let name = name.to_str().unwrap().to_owned();
        let place = world.folder().place(&name);
        let own = ["refs/heads/swift"];
        let git = Snapshot::of_git(&place, &own).without(|name| may_change(home, scene, name));
        all.push((format!("git of {name}"), git));
        all.push((name, Snapshot::of(&place, &[".swift", ".git"])));
    }
    all
}

fn sweep(home: Home) {
    let sandbox = Sandbox::new();
    let world = World::all(&sandbox, home.init());
    let library = sandbox.repository("library").path("").display().to_string();
    [&world.hub, &world.web, &world.api].into_iter().for_each(|place| furnish(place, &library));
    world.keep_as("base");
    let hook = sandbox.home().path(RAN);
    for scene in scenes(home) {
        world.restore_from("base");
        let verb = (scene.prepare)(&world, home);
        fs::remove_file(&hook).ok();
        let before = taken(&sandbox, &world, home, &scene);
        fs::remove_file(&hook).ok();
        let Some(traced) = scene.call(&world, verb).traced(None) else {
            report::skipped();
            return;
        };
        traced.output.ok();
        assert!(!hook.exists(), "{}: a hook of the person's was run", scene.name);
        let after = taken(&sandbox, &world, home, &scene);
        for ((name, before), (_, after)) in before.iter().zip(&after) {
            let differences = before.differences(after);
            assert!(differences.is_empty(), "{} ({home}), {name}:\n{}", scene.name, differences.join("\n"));
        }
        let network = NETWORK.iter().any(|family| traced.sockets.contains(family));
        assert!(!network, "{}: a socket of the network was opened", scene.name);
        assert_eq!(traced.left, 0, "{}: somebody has stayed", scene.name);
    }
}

#[test]
fn every_verb_leaves_what_is_the_persons() {
    sweep(Home::Branch);
}

#[test]
fn every_verb_leaves_what_is_the_persons_in_tree() {
    sweep(Home::Tree);
}
