//! Where a queue is at home stays true whatever git, a move of the repository or another branch does to it.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, intact, sound};

/// All commits that a branch of the person's own can have.
fn commits(place: &Place<'_>) -> String {
    place.git("log --format=%H%d --branches --not swift")
}

/// What may take the administration of the queue's worktree away.
const LOSSES: [&str; 3] =
    ["git worktree prune", "git -c gc.worktreePruneExpire=now gc --quiet", "rm -rf .git/worktrees"];

#[test]
fn a_worktree_that_git_has_pruned_is_linked_again_and_nothing_goes_to_another_branch() {
    for loss in LOSSES {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        let (kept, gone) = (add(&web, ".", "kept"), add(&web, ".", "gone"));
        web.git("branch topic");
        let before = commits(&web);
        fs::rename(web.path(""), web.path("../moved")).unwrap();
        let moved = sandbox.place("moved");
        moved.program("sh", ["-c", loss]).run().ok();
        assert!(!moved.path(".git/worktrees").exists(), "{loss}");
        // What was done by hand meanwhile is neither lost nor taken back.
        let paths = crate::world::copies(&moved, &gone);
        fs::remove_file(moved.path(&format!(".swift/{}", paths[0]))).unwrap();
        let path = crate::world::copies(&moved, &kept).remove(0);
        let text = moved.read(&format!(".swift/{path}"));
        moved.write(&format!(".swift/{path}"), format!("{text}\nby hand\n"));

        let new = add(&moved, ".", "after the loss");
        assert_eq!(commits(&moved), before, "{loss}: the person's branches");
        assert!(moved.git("log -1 --format=%s swift").contains("after the loss"), "{loss}");
        assert!(moved.read(&format!(".swift/{path}")).ends_with("by hand\n"), "{loss}");
        assert_eq!(crate::world::copies(&moved, &gone), Vec::<String>::new(), "{loss}");
        assert!(moved.git("-C .swift log -1 --stat").contains(&path), "{loss}: the edit is committed");
        assert_eq!(crate::world::copies(&moved, &new).len(), 1);
        sound(&moved, loss);
        assert_eq!(moved.git("status --porcelain"), "", "{loss}");
    }
}

#[test]
fn a_folder_that_has_lost_its_branch_is_no_queue_in_the_tree() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let before = web.git("rev-parse HEAD");
    web.program("rm", ["-rf", ".git/worktrees", ".git/swift"]).run().ok();
    // The usual name is enough to find the branch.
    add(&web, ".", "two");
    assert_eq!(web.git("rev-list --count swift"), "3\n");
    sound(&web, "without records");
    web.program("rm", ["-rf", ".git/worktrees", ".git/swift"]).run().ok();
    web.git("branch --move swift elsewhere");
    for verb in ["list", "task . three", "init", "init --in-tree"] {
        let refused = web.swift(verb);
        refused.ended(9);
        assert!(refused.stderr.contains("that branch is gone"), "{verb}: {}", refused.stderr);
    }
    assert_eq!(web.git("rev-parse HEAD"), before);
    web.git("branch --move elsewhere swift");
    web.swift_ok("list");
}

#[test]
fn a_folder_whose_link_is_gone_keeps_what_is_not_committed() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "one");
    let path = format!(".swift/{}", crate::world::copies(&web, &id)[0]);
    web.write(&path, format!("{}\nby hand\n", web.read(&path)));
    fs::remove_file(web.path(".swift/.git")).unwrap();
    let output = web.swift("task . two");
    output.ok();
    assert!(web.read(&path).ends_with("by hand\n"));
    assert!(web.git("-C .swift show --stat").contains(&id), "the edit is seen and recorded");
    sound(&web, "without its link");
}

#[test]
fn a_queue_in_the_tree_stays_there_whatever_an_old_record_says() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    web.write(".git/swift/branch", "swift\n");
    web.git("branch swift");
    let id = add(&web, ".", "one");
    assert!(web.git("show --stat").contains(&id), "committed on the current branch");
    intact(&web, "with an old record");
}

#[test]
fn the_persons_branch_is_not_taken_by_a_move_even_if_it_points_at_head() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    add(&web, ".", "precious");
    web.git("branch swift");
    let before = web.git("for-each-ref");
    let refused = web.swift("home branch sesame");
    refused.ended(9);
    assert!(refused.stderr.contains("the branch `swift` is there already"), "{}", refused.stderr);
    assert_eq!(web.git("for-each-ref"), before);
    assert!(web.swift_ok("list").contains("precious"));
    sound(&web, "refused");
    web.git("branch --move swift mine");
    web.swift_ok("home branch sesame");
    assert!(web.swift_ok("list").contains("precious"));
    sound(&web, "moved");
}
