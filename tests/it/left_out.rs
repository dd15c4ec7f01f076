//! Files of the queue that git leaves out of the checkout: nobody has removed them.

use crate::sandbox::{Place, Sandbox};
use crate::world::add;

/// Every verb says so, and nothing is written.
#[track_caller]
fn refused(place: &Place<'_>, queue: &str, verbs: &[&str], hint: &str) {
    let head = place.git(["-C", queue, "rev-parse", "HEAD"]);
    for verb in verbs {
        let said = place.swift(*verb);
        assert_eq!(said.status, 9, "{verb}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(hint), "{verb}: {}", said.stderr);
    }
    assert_eq!(place.git(["-C", queue, "rev-parse", "HEAD"]), head);
    assert_eq!(place.git(["-C", queue, "status", "--short"]), "");
}

const ALL: [&str; 4] = ["list", "task . Next", "doctor", "doctor --fix sesame"];

#[test]
fn a_sparse_checkout_without_tasks_is_refused() {
    for (init, queue) in [("init", ".swift"), ("init --in-tree", ".")] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        add(&web, ".", "One");
        let pattern = if queue == "." { "!/.swift/tasks/" } else { "!/tasks/" };
        web.git(["-C", queue, "sparse-checkout", "set", "--no-cone", "/*", pattern]);
        refused(&web, queue, &ALL, "sparse-checkout disable");
        web.git(["-C", queue, "update-index", "--index-version", "4"]);
        refused(&web, queue, &ALL, "sparse-checkout disable");
        web.git(["-C", queue, "sparse-checkout", "disable"]);
        assert!(web.swift_ok("list").contains("One"));
        add(&web, ".", "Two");
        web.swift_ok("doctor");
    }
}

#[test]
fn a_sparse_index_hides_no_tasks_and_a_sparse_checkout_of_other_things_is_no_obstacle() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree");
    add(&web, ".", "One");
    web.write("src/a.txt", "a\n");
    web.git("add src");
    web.git("commit --quiet --message src");
    web.git("sparse-checkout set --sparse-index .swift/audit");
    refused(&web, ".", &ALL, "sparse-checkout disable");
    web.git("sparse-checkout set --sparse-index .swift");
    add(&web, ".", "Two");
    assert!(!web.path("src").exists());
    web.swift_ok("doctor");
    assert_eq!(web.git("status --short"), "");
}

#[test]
fn one_file_that_git_does_not_look_for_is_not_taken_for_removed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let path = crate::world::copies(&web, &add(&web, ".", "One")).remove(0);
    web.git(["-C", ".swift", "update-index", "--skip-worktree", &path]);
    std::fs::remove_file(web.path(&format!(".swift/{path}"))).unwrap();
    refused(&web, ".swift", &["task . Next", "doctor --fix sesame"], "--no-skip-worktree");
    web.git(["-C", ".swift", "update-index", "--no-skip-worktree", "--", &path]);
    web.git("-C .swift restore .");
    add(&web, ".", "Next");
    assert!(web.swift_ok("list").contains("One"));
}

#[test]
fn what_git_is_told_to_leave_alone_and_a_split_index_are_not_staged() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let all: Vec<String> = web.git("-C .swift ls-files").lines().map(str::to_owned).collect();
    let mark = ["-C", ".swift", "update-index", "--skip-worktree"].map(str::to_owned);
    web.git(mark.into_iter().chain(all).collect::<Vec<_>>());
    assert!(!web.swift("doctor").stdout.contains("staged"));

    let tree = sandbox.repository("tree");
    tree.git("config core.splitIndex true");
    tree.git("update-index --split-index");
    tree.swift_ok("init --in-tree --id acme/tree");
    let told = tree.swift("doctor");
    assert!(!told.stdout.contains("staged"), "{}", told.stdout);
    tree.git("rm --quiet --cached .swift/.gitattributes");
    let told = tree.swift("doctor");
    assert!(told.stdout.contains("staged otherwise"), "{}", told.stdout);
}
