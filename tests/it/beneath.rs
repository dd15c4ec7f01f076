//! The queue's branch, moved by git beneath its files: they follow it, and nothing is taken back in anybody's name.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, copies, intact, sound, text, twins};

/// A project with a task, and a clone in which it is done and another is there.
fn ahead(sandbox: &Sandbox) -> ([Place<'_>; 2], [String; 2]) {
    let [web, twin] = twins(sandbox, "init", &["first"]);
    let first = text(&web.json("list")["tasks"][0]["id"]);
    let second = add(&twin, ".", "second");
    twin.swift_ok(["done", &first]);
    ([web, twin], [first, second])
}

/// Where the files of a task are, in folders without their shelves.
fn folders(place: &Place<'_>, id: &str) -> Vec<String> {
    copies(place, id).iter().map(|path| path.split('/').next().unwrap().to_owned()).collect()
}

fn shell(place: &Place<'_>, words: &str) {
    place.program("sh", ["-c", words]).run().ok();
}

#[test]
fn a_branch_that_is_moved_beneath_its_files_takes_them_along() {
    let moves = [
        "git fetch --quiet --update-head-ok ../twin swift:swift",
        "git config receive.denyCurrentBranch ignore && git -C ../twin push --quiet other swift",
        "git config receive.denyCurrentBranch updateInstead && git -C ../twin push --quiet other swift",
        "git fetch --quiet ../twin swift && git update-ref refs/heads/swift FETCH_HEAD && git -C .swift status",
        "git -C .swift fetch --quiet --update-head-ok ../../twin swift:swift",
    ];
    for (number, words) in moves.into_iter().enumerate() {
        let sandbox = Sandbox::new();
        let ([web, _twin], [first, second]) = ahead(&sandbox);
        shell(&web, words);
        let tip = web.git("rev-parse swift");
        if number % 2 == 0 {
            let list = web.swift("list");
            assert!(list.ok().contains("second") && !list.stdout.contains("first"), "{words}: {list:?}");
            assert_eq!(list.stderr.contains("they have followed it"), number != 2, "{words}: {list:?}");
            assert_eq!(web.git("rev-parse swift"), tip, "{words}: to look commits nothing");
        }
        let third = add(&web, ".", "third");
        assert_eq!(web.git("rev-parse swift~1"), tip, "{words}");
        assert_eq!(folders(&web, &first), ["done"], "{words}");
        assert_eq!(folders(&web, &second), ["tasks"], "{words}");
        assert_eq!(folders(&web, &third), ["tasks"], "{words}");
        assert!(!web.swift_ok("log").contains("by-hand"), "{words}");
        sound(&web, words);
        web.swift_ok("undo");
    }
}

#[test]
fn what_was_edited_meanwhile_is_the_persons_to_decide_on() {
    let sandbox = Sandbox::new();
    let ([web, _twin], [first, second]) = ahead(&sandbox);
    let path = format!(".swift/{}", copies(&web, &first)[0]);
    let edited = format!("{}\nby hand\n", web.read(&path));
    web.write(&path, &edited);
    web.git("fetch --quiet --update-head-ok ../twin swift:swift");
    for verb in ["list", "task . third", "doctor"] {
        let refused = web.swift(verb);
        refused.ended(9);
        assert!(refused.stderr.contains("was edited and is not committed"), "{}", refused.stderr);
    }
    assert_eq!(web.read(&path), edited);
    assert_eq!(copies(&web, &second), Vec::<String>::new(), "all of it or nothing");
    let hint = web.swift("list").stderr;
    let hint = hint.split('`').find(|word| word.starts_with("mv ")).unwrap().replace("$SANDBOX/web/", "");
    shell(&web, &hint);
    web.swift_ok("list");
    assert_eq!(folders(&web, &first), ["done"]);
    let aside = fs::read_dir(web.path("")).unwrap().map(|entry| entry.unwrap().path());
    let aside = aside.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    assert!(aside.map(|path| fs::read_to_string(path).unwrap()).any(|text| text == edited));
}

#[test]
fn a_commit_that_does_not_go_on_from_the_last_one_is_merged_as_the_hints_say() {
    let sandbox = Sandbox::new();
    let ([web, _twin], [first, second]) = ahead(&sandbox);
    let own = add(&web, ".", "own");
    web.git("fetch --quiet --update-head-ok ../twin +swift:swift");
    let refused = web.swift("task . third");
    refused.ended(9);
    assert!(refused.stderr.contains("does not have the last one of"), "{}", refused.stderr);
    assert_eq!(folders(&web, &own), ["tasks"], "nothing is touched");
    let commands = refused.stderr.split('`').filter(|word| word.starts_with("git "));
    commands.for_each(|command| shell(&web, &command.replace("$SANDBOX/web/", "")));
    let third = add(&web, ".", "third");
    for (id, folder) in [(first, "done"), (second, "tasks"), (own, "tasks"), (third, "tasks")] {
        assert_eq!(folders(&web, &id), [folder]);
    }
    web.git("branch --delete --force swift-moved");
    sound(&web, "merged");
}

#[test]
fn what_a_branch_that_was_set_back_has_no_more_is_kept() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let first = add(&web, ".", "first");
    web.git("update-ref refs/heads/swift swift~1");
    assert!(web.swift_ok("list").contains("first"));
    add(&web, ".", "second");
    assert_eq!(folders(&web, &first), ["tasks"]);
    sound(&web, "set back");
}

#[test]
fn in_the_tree_the_queues_files_follow_and_the_persons_stay() {
    let moves = [
        "git config receive.denyCurrentBranch ignore && git -C ../twin push --quiet other main",
        "git fetch --quiet --update-head-ok ../twin main:main",
    ];
    for words in moves {
        let sandbox = Sandbox::new();
        let [web, twin] = twins(&sandbox, "init --in-tree", &["first"]);
        let first = text(&web.json("list")["tasks"][0]["id"]);
        let second = add(&twin, ".", "second");
        twin.swift_ok(["done", &first]);
        twin.write("README.md", "theirs\n");
        twin.git("commit --quiet --all --message theirs");
        web.write("own", "not committed\n");
        web.git("add own");
        let readme = web.read("README.md");
        shell(&web, words);
        let list = web.swift("list");
        assert!(list.ok().contains("second") && list.stderr.contains("followed it"), "{words}: {list:?}");
        let third = add(&web, ".", "third");
        for (id, folder) in [(&first, "done"), (&second, "tasks"), (&third, "tasks")] {
            assert_eq!(folders(&web, id), [folder], "{words}");
        }
        let changed = web.git("show --name-only --format= HEAD");
        assert!(changed.lines().all(|path| path.starts_with(".swift/")), "{words}: {changed}");
        assert_eq!(web.git("status --porcelain .swift"), "", "{words}");
        assert_eq!((web.read("README.md"), web.read("own").as_str()), (readme, "not committed\n"), "{words}");
        assert!(web.git("status --porcelain own").starts_with("A "), "{words}");
        intact(&web, words);
    }
}
