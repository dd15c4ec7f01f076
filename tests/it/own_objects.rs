//! What the queue has in git's database is counted where it can be told from what the project has there.

use crate::sandbox::{Place, Sandbox};
use crate::world::add;

/// The line about git's objects: its path, its bytes and what it is.
fn objects(place: &Place<'_>) -> (String, u64, String) {
    let document = place.json("doctor --footprint");
    let all = document["footprint"].as_array().unwrap();
    let of_git = |entry: &&serde_json::Value| entry["path"].as_str().unwrap().contains("/.git/objects");
    let [entry] = all.iter().filter(of_git).collect::<Vec<_>>()[..] else { panic!("{document:#}") };
    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
    (text("path"), entry["bytes"].as_u64().unwrap(), text("what"))
}

#[test]
fn the_objects_of_the_queues_branch_are_counted_and_nobody_elses() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "One");
    web.git("commit --quiet --allow-empty --message mine");
    let own = web.git("rev-list --objects --no-object-names swift --not main").lines().count();
    let (path, bytes, what) = objects(&web);
    assert!(path.ends_with(&format!("({own} of the objects)")), "{own}: {path}");
    assert!(bytes > 0 && what.contains("only the queue's branch leads"), "{bytes} {what}");
    // What a remote has of the queue is the queue's, too.
    sandbox.root().git("init --quiet --bare there");
    web.git("remote add origin ../there");
    web.git("push --quiet origin main swift");
    web.git("fetch --quiet origin");
    assert_eq!(objects(&web), (path, bytes, what.clone()));
    // A branch of the person's that has the queue's commits leads to them as well.
    web.git("branch mine swift");
    assert_eq!(objects(&web).1, 0);
}

#[test]
fn in_the_tree_it_is_said_that_they_are_not_counted() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree");
    add(&web, ".", "One");
    let (_, bytes, what) = objects(&web);
    assert_eq!(
        (bytes, what.as_str()),
        (0, "not counted: the queue's objects are part of the project's own commits")
    );
}
