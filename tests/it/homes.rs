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

/// A program as another user of the group 4711, with a umask that lets the group write.
fn member<'a>(call: crate::sandbox::Call<'a>, user: &str) -> crate::sandbox::Call<'a> {
    let user = format!("--reuid={user}");
    let words =
        ["setpriv", &user, "--regid=4711", "--clear-groups", "sh", "-c", "umask 002; exec \"$@\"", "sh"];
    call.env("USER", "member").under(&words)
}

#[test]
fn every_member_of_a_group_that_shares_a_repository_works_with_its_queue() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let (alice, bob) = ("4712", "4713");
    let open = "chmod 755 \"$1\"; chmod 777 \"$1/work\" \"$1/home\" \"$1/tmp\"";
    let base = root.path("..");
    root.program("sh", ["-c", open, "sh", base.to_str().unwrap()]).run().ok();
    if member(root.program("true", ""), alice).run().status != 0 {
        // Not `eprintln!`: that would be captured, and a test that did nothing would look like one that did.
        use std::io::Write as _;
        let _ = std::io::stderr().write_all(b"SKIPPED a test of two users: only root can be two of them\n");
        return;
    }
    root.git("config --global --add safe.directory *");
    for init in ["init", "init --in-tree"] {
        let name = init.replace([' ', '-'], "");
        member(root.program("git", ["init", "-q", "--shared=group", &name]), alice).run().ok();
        let shared = root.place(&name);
        member(shared.program("git", "commit -q --allow-empty -m first"), alice).run().ok();
        member(shared.call(format!("{init} --id a/shared").as_str()), alice).run().ok();
        for (number, user) in [alice, bob, bob, alice, bob].into_iter().enumerate() {
            let title = format!("number {number}");
            member(shared.call(["task", ".", &title]), user).run().ok();
            let list = member(shared.call("list"), user).run().ok();
            assert_eq!(list.lines().count(), number + 1, "{init}: {list}");
        }
        member(shared.call("undo sesame"), alice).run().ok();
        member(shared.program("git", "-C .swift commit -q --allow-empty -m by-hand"), bob).run().ok();
        member(shared.call("doctor"), bob).run().ok();
        // Whatever the engine notes, the group can write.
        let narrow = "find .git/swift -type f ! -perm -660";
        assert_eq!(shared.program("sh", ["-c", narrow]).run().ok(), "", "{init}");
    }
}
