//! git sets something back under the queue without touching its files: the index, or the branch. The next verb puts in
//! order what nobody has wanted so, and leaves what a person has.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, copies, sound, text};

/// A project with its queue in the tree, and three tasks.
fn in_tree(sandbox: &Sandbox) -> (Place<'_>, [String; 3]) {
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let ids = ["One", "Two", "Three"].map(|title| add(&web, ".", title));
    (web, ids)
}

fn status(web: &Place<'_>) -> String {
    web.git("status --short --untracked-files=all")
}

/// What `git stash` does that was begun before these verbs, and gets the lock after them: it writes back what it has read.
fn stale(web: &Place<'_>, verbs: impl FnOnce()) {
    let index = fs::read(web.path(".git/index")).unwrap();
    verbs();
    fs::write(web.path(".git/index"), index).unwrap();
}

#[test]
fn an_index_that_git_writes_back_as_it_was_before_commits_of_verbs_is_put_right() {
    let sandbox = Sandbox::new();
    let (web, [one, two, three]) = in_tree(&sandbox);
    let all: [(&str, &dyn Fn()); 4] = [
        ("changed", &|| drop(web.swift_ok(["comment", &one, "hello"]))),
        ("new", &|| drop(add(&web, ".", "Four"))),
        ("moved", &|| drop(web.swift_ok(["done", &two]))),
        ("several commits", &|| {
            web.swift_ok(["edit", &one, "--title", "First"]);
            add(&web, ".", "Five");
            web.swift_ok(["done", &one]);
        }),
    ];
    for (when, verbs) in all {
        web.write("mine.txt", format!("{when}\n"));
        web.git("add mine.txt");
        stale(&web, verbs);
        assert!(status(&web).contains("MM .swift/audit/"), "{when}: {}", status(&web));
        // Another task, so that only the log is written by it as well.
        web.swift_ok(["comment", &three, when]);
        assert_eq!(status(&web).trim(), "A  mine.txt", "{when}: what is the person's stays as it was");
        web.git(["commit", "--quiet", "--message", when]);
        assert_eq!(status(&web), "", "{when}");
        sound(&web, when);
        web.git("rm --quiet mine.txt");
        web.git("commit --quiet --message away");
    }
}

#[test]
fn what_a_person_has_staged_of_the_queue_stays_staged() {
    let sandbox = Sandbox::new();
    let (web, [one, two, three]) = in_tree(&sandbox);
    let path = |id: &str| format!(".swift/{}", copies(&web, id)[0]);
    web.swift_ok(["comment", &one, "hello"]);
    web.git(["restore", "--staged", "--source=HEAD~1", "--", &path(&one)]);
    web.git(["rm", "--quiet", "--cached", "--", &path(&two)]);
    let before = status(&web);
    assert!(before.contains("MM .swift/tasks/") && before.contains("D  .swift/tasks/"), "{before}");
    web.swift_ok(["comment", &three, "again"]);
    assert_eq!(status(&web), before);
    // Nor is it taken for an older index with one that is.
    stale(&web, || drop(web.swift_ok(["comment", &three, "and again"])));
    web.swift_ok(["comment", &three, "for the last time"]);
    assert_eq!(status(&web), before);
}

#[test]
fn an_index_that_is_not_there_is_not_made_of_the_queues_files_alone() {
    let sandbox = Sandbox::new();
    let (web, [one, ..]) = in_tree(&sandbox);
    web.write("mine.txt", "mine\n");
    web.git("add mine.txt");
    web.git("commit --quiet --message mine");
    fs::remove_file(web.path(".git/index")).unwrap();
    web.swift_ok(["comment", &one, "hello"]);
    add(&web, ".", "Four");
    assert!(!web.path(".git/index").exists());
    let doctor = web.swift("doctor --json").ended(8).json();
    assert_eq!(text(&doctor["findings"][0]["code"]), "index-damaged", "{doctor}");
    assert!(text(&doctor["findings"][0]["fix"]).contains("`git -C .swift reset --quiet`"), "{doctor}");
    web.git("-C .swift reset --quiet");
    assert_eq!(status(&web), "");
    sound(&web, "made anew");
    // Where nothing is committed yet there is none either, and all that it has to have is the queue's.
    let api = sandbox.place("api");
    api.git("init --quiet");
    api.swift_ok("init --in-tree --id acme/api");
    assert_eq!(status(&api), "");
}

#[test]
fn what_another_clone_has_logged_is_committed_again_when_the_branch_was_set_back() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        add(&web, ".", "One");
        let (at, branch) = if init == "init" { (".swift", "swift") } else { (".", "main") };
        web.git("clone --quiet --no-local . ../clone");
        let clone = sandbox.place("clone");
        if init == "init" {
            clone.git("branch --quiet swift origin/swift");
            clone.swift_ok("init --id acme/web");
        }
        let theirs = add(&clone, ".", "Theirs");
        let ours = add(&web, ".", "Ours");
        let from = clone.path("").display().to_string();
        web.git([
            "-C",
            at,
            "pull",
            "--quiet",
            "--no-rebase",
            "--no-edit",
            from.trim_end_matches('/'),
            branch,
        ]);
        let reference = format!("refs/heads/{branch}");
        web.git(["update-ref", &reference, &format!("{reference}~1")]);
        add(&web, ".", "Next");
        assert_eq!(web.git(["-C", at, "status", "--short"]), "", "{init}");
        assert_eq!([copies(&web, &theirs).len(), copies(&web, &ours).len()], [1, 1], "{init}");
        assert_eq!(web.git(["-C", at, "log", "-1", "--format=%s"]).split(' ').nth(1), Some("add"), "{init}");
        sound(&web, init);
    }
}
