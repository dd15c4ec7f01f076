//! A queue in a clone that another clone has moved to another home: this one has pulled that, and goes along.

use crate::matrix::Home;
use crate::world::{World, add};

use super::looks::worktrees;
use super::scenes::{Scene, words};

/// With nothing of its own since, and with work of its own, which is joined.
pub(super) fn scenes(home: Home) -> Vec<Scene> {
    let [alone, working] = match home {
        Home::Branch => ["home tree that goes along", "home tree that goes along with work"],
        Home::Tree => ["init that goes along", "init that goes along with work"],
    };
    vec![
        Scene::of(alone, |world, home| left_behind(world, home, Since::Nothing), moved).on_the_branch(),
        Scene::of(working, |world, home| left_behind(world, home, Since::Work), moved).on_the_branch(),
    ]
}

/// What the clone has done since the queue was moved elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    Work,
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

/// A clone of web has moved the queue, and web has pulled that; the verb.
fn left_behind(world: &World<'_>, home: Home, since: Since) -> Vec<String> {
    let web = &world.web;
    add(web, ".", "base");
    world.folder().git("clone --quiet web twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    if since == Since::Work {
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
    assert_eq!(pulled.status != 0, home == Home::Tree && since == Since::Work, "{pulled:?}");
    // A rule below the line that hides the queue.
    let rules = web.read(".git/info/exclude");
    web.write(".git/info/exclude", format!("{rules}*.own\n"));
    if home == Home::Tree && since == Since::Work {
        web.git("rm -r --quiet .swift");
        web.git("commit --quiet --message out");
    }
    verb
}
