//! Branches from before the queue had one of its own: git writes their files over the queue's, and nobody's work is
//! taken for theirs.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, files, sound};

/// A queue that was in the tree, with two tasks; one is done and one is edited since it has a branch of its own.
struct Moved<'a> {
    web: Place<'a>,
    done: String,
    edited: String,
}

impl<'a> Moved<'a> {
    fn new(sandbox: &'a Sandbox) -> Moved<'a> {
        let web = sandbox.repository("web");
        web.swift_ok("init --in-tree --id acme/web");
        let (done, edited) = (add(&web, ".", "one"), add(&web, ".", "two"));
        web.git("branch release");
        let said = web.swift_ok("home branch sesame");
        assert!(said.contains("still in the tree of `release`;"), "{said}");
        web.swift_ok(["claim", &done]);
        web.swift_ok(["done", &done]);
        web.swift_ok(["edit", &edited, "--title", "two, better"]);
        sound(&web, "moved");
        Moved { web, done, edited }
    }

    /// Everything in the queue, with its content.
    fn content(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = files(&self.web)
            .into_iter()
            .filter(|path| !path.starts_with("local/") && path != ".git")
            .map(|path| (path.clone(), self.web.read(&format!(".swift/{path}"))))
            .collect();
        all.sort();
        all
    }

    fn refuses(&self, verb: &str) {
        let tip = self.web.git("rev-parse swift");
        let refused = self.web.swift(verb);
        refused.ended(9);
        assert!(refused.stderr.contains("in the place of the queue's own"), "{verb}: {}", refused.stderr);
        assert!(refused.stderr.contains("switch -` goes back"), "{verb}: {}", refused.stderr);
        assert_eq!(self.web.git("rev-parse swift"), tip, "{verb}");
    }
}

#[test]
fn an_older_branch_that_is_checked_out_changes_nothing_in_the_queue() {
    for version in ["2", "4"] {
        let sandbox = Sandbox::new();
        let moved = Moved::new(&sandbox);
        let web = &moved.web;
        web.git(["config", "index.version", version]);
        let before = moved.content();
        web.git("checkout --quiet release");
        assert_ne!(moved.content(), before, "git has written its own over them");
        for verb in ["list", "task . three", "doctor", "next", "audit verify", "undo"] {
            moved.refuses(verb);
        }
        web.git("switch --quiet -");
        let told = web.swift("list");
        told.ok();
        assert!(told.stderr.contains("the queue's own are there again"), "{}", told.stderr);
        assert_eq!(moved.content(), before);
        assert!(!web.swift("list").stderr.contains("again"));
        sound(web, "back again");

        // Out of the older branch as well: then the queue is there on that branch, too.
        web.git("checkout --quiet release");
        moved.refuses("list");
        web.git("rm -r --quiet --cached .swift");
        web.git("commit --quiet --message less");
        web.swift_ok("list");
        assert_eq!(moved.content(), before);
        assert_eq!(web.git("status --porcelain"), "");
        add(web, ".", "on the older branch");
        sound(web, "on the older branch");
        web.git("checkout --quiet main");
        sound(web, "on the main branch");
        let states = web.json("list --state any");
        let state = |id: &str| {
            let tasks = states["tasks"].as_array().unwrap();
            tasks.iter().find(|task| task["id"] == id).unwrap()["state"].clone()
        };
        assert_eq!((state(&moved.done), state(&moved.edited)), ("done".into(), "ready".into()));
    }
}

#[test]
fn a_task_that_an_older_branch_brings_with_a_merge_joins_the_queue() {
    let sandbox = Sandbox::new();
    let moved = Moved::new(&sandbox);
    let web = &moved.web;
    let before = moved.content();
    web.git("checkout --quiet release");
    let path = format!(".swift/tasks/{}-brought.md", "by-hand");
    web.write(&path, "+++\ntitle = \"brought\"\n+++\n");
    web.git(["add", "--force", &path]);
    web.git("commit --quiet --message brought");
    web.git("checkout --quiet main");
    web.git("merge --quiet --no-edit release");
    moved.refuses("list");
    moved.refuses("task . four");
    web.git("rm -r --quiet --cached .swift");
    web.git("commit --quiet --message less");
    web.swift_ok("list");
    let mut now = moved.content();
    now.retain(|(path, _)| !path.contains("brought"));
    assert_eq!(now, before);
    add(web, ".", "five");
    sound(web, "merged");
    let titles: Vec<_> =
        web.json("list")["tasks"].as_array().unwrap().iter().map(|t| t["title"].clone()).collect();
    assert!(titles.contains(&"brought".into()), "{titles:?}");
    assert_eq!(web.git("status --porcelain"), "");
}

#[test]
fn an_older_branch_that_came_and_went_unseen_leaves_no_trace() {
    let sandbox = Sandbox::new();
    let moved = Moved::new(&sandbox);
    let web = &moved.web;
    let before = moved.content();
    for verb in ["list", "doctor", "next"] {
        web.git("checkout --quiet release");
        web.git("checkout --quiet main");
        assert!(!web.path(".swift/swift.toml").exists(), "git has taken it away");
        let told = web.swift(verb);
        told.ok();
        assert!(told.stderr.contains("what is committed is there again"), "{verb}: {}", told.stderr);
        assert_eq!(moved.content(), before, "{verb}");
    }
    sound(web, "back again");
    // The settings alone count as well; what else was changed by hand stays.
    fs::remove_file(web.path(".swift/swift.toml")).unwrap();
    let path = crate::world::copies(web, &moved.edited).remove(0);
    let text = format!("{}\nby hand\n", web.read(&format!(".swift/{path}")));
    web.write(&format!(".swift/{path}"), &text);
    add(web, ".", "three");
    assert_eq!(web.read(&format!(".swift/{path}")), text);
    sound(web, "in the end");
}

#[test]
fn what_was_written_by_hand_over_such_a_file_stays() {
    let sandbox = Sandbox::new();
    let moved = Moved::new(&sandbox);
    let web = &moved.web;
    web.git("checkout --quiet release");
    moved.refuses("list");
    let path = crate::world::copies(web, &moved.edited).remove(0);
    let text = format!("{}\nby hand\n", web.read(&format!(".swift/{path}")));
    web.write(&format!(".swift/{path}"), &text);
    web.git("rm -r --quiet --cached --force .swift");
    web.swift_ok("list");
    assert_eq!(web.read(&format!(".swift/{path}")), text);
}

#[test]
fn files_of_other_names_and_a_folder_that_is_left_out_hinder_nobody() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for path in [".swift.d/a", ".swiftlint.yml", "a.swift/b", ".github/c", "#d"] {
        web.write(path, "");
    }
    web.git("add --all");
    web.git("commit --quiet --message names");
    for version in ["2", "3", "4"] {
        web.git(["update-index", "--index-version", version]);
        add(&web, ".", version);
    }
    // A damaged index of the project is git's to tell of.
    fs::write(web.path(".git/index"), b"DIRC\0\0\0\x02\0\0\0\x09").unwrap();
    add(&web, ".", "beside a damaged index");
}
