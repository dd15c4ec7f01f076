//! What the verbs beside the queue are about, in lines that are the same whichever way leads there.

use std::fs;

use serde_json::Value;

use crate::sandbox::Place;
use crate::world::World;

fn all_runs(world: &World<'_>) -> Vec<Value> {
    world.web.json("runs -n 99")["runs"].as_array().unwrap().clone()
}

/// The tasks and how far they are, and which of the runs have ended well.
pub(super) fn tasks(world: &World<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for list in ["list", "list --state done"] {
        for task in world.web.json(list)["tasks"].as_array().unwrap() {
            lines.push(format!("{} {}", task["title"], task["state"]));
        }
    }
    lines.sort();
    lines.dedup();
    let runs = all_runs(world);
    lines.push(format!("completed: {}", runs.iter().filter(|run| run["outcome"] == "completed").count()));
    lines.push(format!("going on: {}", runs.iter().filter(|run| run["outcome"].is_null()).count()));
    lines
}

/// The tasks, and how each run has ended.
pub(super) fn runs(world: &World<'_>) -> Vec<String> {
    let mut lines = tasks(world);
    lines.extend(all_runs(world).iter().map(|run| format!("a run: {}", run["outcome"])));
    lines
}

/// What the person's branch has, and what stands beside it.
pub(super) fn branch(world: &World<'_>) -> Vec<String> {
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
pub(super) fn worktrees(world: &World<'_>) -> Vec<String> {
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

/// The files of an agent in the checkout.
pub(super) fn hooks(world: &World<'_>) -> Vec<String> {
    files(&world.web, ".claude")
}

/// Everything in the person's own configuration, where the file lies that starts the watcher.
pub(super) fn service(world: &World<'_>) -> Vec<String> {
    files(&world.hub, "$HOME/.config")
}

/// All that the orchestrator has anywhere.
pub(super) fn everything(world: &World<'_>) -> Vec<String> {
    let hub = &world.hub;
    let mut lines = [files(hub, ".claude"), service(world)].concat();
    lines.push(format!("a queue: {}", hub.path(".swift/swift.toml").exists()));
    lines.push(hub.git("for-each-ref --format=%(refname) refs/heads"));
    lines.push(hub.git("status --porcelain"));
    lines.push(fs::read_to_string(hub.path(".git/info/exclude")).unwrap_or_default());
    lines
}

/// Every file below a folder, with what is in it.
fn files(place: &Place<'_>, folder: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = vec![place.path(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
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

/// Whether the queue is in the middle of a merge, and its tasks.
pub(super) fn unsettled(world: &World<'_>) -> Vec<String> {
    let merging =
        world.web.program("git", "-C .swift rev-parse --verify --quiet MERGE_HEAD").run().status == 0;
    [vec![format!("merging: {merging}")], texts(world)].concat()
}

/// What a merge on the person's branch has left open, and the tasks; whether they have concluded it is theirs.
pub(super) fn conflicts(world: &World<'_>) -> Vec<String> {
    let open = world.web.git("diff --name-only --diff-filter=U");
    [vec![format!("open: {open}")], texts(world)].concat()
}

fn texts(world: &World<'_>) -> Vec<String> {
    let files = crate::world::files(&world.web);
    let tasks = files.iter().filter(|path| path.ends_with(".md"));
    tasks.map(|path| format!("{path}\n{}", world.web.read(&format!(".swift/{path}")))).collect()
}
