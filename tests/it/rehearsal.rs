//! A dry run writes nothing, whatever has become of the queue's folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::sandbox::{Place, Sandbox};
use crate::world::World;

/// Every file of a repository with its bytes.
fn bytes(place: &Place<'_>) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    walk(&place.path(""), &mut all);
    all
}

fn walk(folder: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            all.insert(path.display().to_string(), Vec::new());
            walk(&path, all);
        } else {
            all.insert(path.display().to_string(), fs::read(&path).unwrap_or_default());
        }
    }
}

#[test]
fn a_queue_whose_folder_is_gone_is_not_rebuilt_by_a_dry_run() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.letter("waits");
    world.web.git("clean --quiet -ffdx");
    assert!(!world.web.path(".swift").exists());
    let before = bytes(&world.web);
    for verb in ["task . b --dry-run", "uninstall --dry-run", "doctor --fix --dry-run"] {
        let told = world.web.swift(verb);
        told.ended(9);
        assert!(
            told.stderr.contains("is gone") && told.stderr.contains("`swift`"),
            "{verb}: {}",
            told.stderr
        );
    }
    let plan = world.hub.call("outbox --dry-run --json").run().json();
    assert_eq!(plan["problems"][0]["project"], "acme/web", "{plan:#}");
    assert!(plan["problems"].to_string().contains("is gone"), "{plan:#}");
    assert_eq!(bytes(&world.web), before);
    // Its administration is gone, too, as after `git gc`.
    world.web.git("worktree prune");
    let before = bytes(&world.web);
    world.web.swift("task . b --dry-run").ended(9);
    assert_eq!(bytes(&world.web), before);
    assert!(world.web.swift_ok("list").contains("waits"));
    // The repository lies elsewhere now.
    fs::rename(world.web.path(""), world.folder().path("moved")).unwrap();
    let moved = world.folder().place("$SANDBOX/live/moved");
    let before = bytes(&moved);
    moved.swift("task . b --dry-run").ended(9);
    assert_eq!(bytes(&moved), before);
    assert!(moved.swift_ok("list").contains("waits"));
}
