//! The link between the queue's folder and git, torn at git's end; and the note of its branch.

use std::fs;

use crate::sandbox::Sandbox;
use crate::world::{add, sound};

const LINK: &str = ".git/worktrees/-swift/gitdir";

#[test]
fn a_link_that_leads_back_to_nothing_is_put_right_in_its_place() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "One");
    let whole = web.read(LINK);
    let at = |path: &str| format!("{}\n", web.path(path).display());
    let torn =
        [String::new(), "\n".to_owned(), at(".swift"), at(".git"), at("nowhere/.git"), whole[..9].to_owned()];
    for link in torn {
        web.write(LINK, &link);
        web.swift("list --dry-run").ended(9);
        assert_eq!(web.read(LINK), link, "a dry run writes nothing");
        assert_eq!(web.json("list")["tasks"][0]["id"], id.as_str(), "{link:?}");
        assert_eq!(web.read(LINK), whole);
        sound(&web, &format!("after {link:?}"));
    }
    fs::remove_file(web.path(LINK)).unwrap();
    sound(&web, "after it was removed");
    assert_eq!(web.git("branch --show-current").trim(), "main");
    assert_eq!(fs::read_dir(web.path(".git/worktrees")).unwrap().count(), 1);
}

#[test]
fn a_folder_that_is_gone_too_is_checked_out_again() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "One");
    for link in [String::new(), format!("{}\n", web.path(".git").display())] {
        web.write(LINK, &link);
        fs::remove_dir_all(web.path(".swift")).unwrap();
        assert_eq!(web.json("list")["tasks"][0]["id"], id.as_str(), "{link:?}");
        sound(&web, "after it was checked out");
        web.git("worktree prune");
        sound(&web, "after git has cleared up");
        fs::rename(web.path(".git/worktrees/-swift1"), web.path(".git/worktrees/-swift")).unwrap();
    }
}

#[test]
fn a_folder_that_was_moved_is_named_where_it_is() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.git("worktree move .swift ../elsewhere");
    let told = web.swift("list").ended(9).stderr.clone();
    assert!(told.contains("git worktree move") && told.contains("elsewhere"), "{told}");
    web.git("worktree move ../elsewhere .swift");
    sound(&web, "moved back");
}

#[test]
fn a_note_that_names_a_branch_of_the_persons_counts_for_nothing_and_is_put_right() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "One");
    web.git("branch other");
    for noted in ["main\n", "other\n", "nobody\n", "swift"] {
        web.write(".git/swift/branch", noted);
        add(&web, ".", noted.trim());
        sound(&web, noted);
        assert_eq!(
            web.read(".git/swift/branch").trim(),
            "swift",
            "{noted}: the next verb notes the right one"
        );
    }
    assert_eq!(web.git("branch --show-current").trim(), "main");
    // A dry run and whoever only reads write nothing.
    web.write(".git/swift/branch", "other\n");
    web.swift_ok("list");
    web.swift_ok("task . --dry-run Two");
    assert_eq!(web.read(".git/swift/branch"), "other\n");
    web.git("branch --move swift queue");
    add(&web, ".", "Renamed");
    assert_eq!(web.read(".git/swift/branch"), "queue\n");
    web.git("branch --move queue swift");
    add(&web, ".", "Renamed again");
    assert_eq!(web.read(".git/swift/branch"), "swift\n");
    sound(&web, "renamed");
    // That the checkout is at another branch than the queue's is found as ever.
    web.git("-C .swift switch --quiet -c aside");
    assert!(web.swift("task . Two").ended(9).stderr.contains("and the queue's is `swift`"));
}
