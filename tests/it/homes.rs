//! Where a queue is at home stays true whatever git, a move of the repository or another branch does to it.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, copies, intact, sound, text};

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

/// A project with its queue in the tree of `main`, with one task.
fn in_tree(sandbox: &Sandbox) -> Place<'_> {
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    add(&web, ".", "on main");
    web
}

#[test]
fn another_branch_of_a_queue_in_the_tree_leads_to_it_and_gets_no_second_one() {
    let sandbox = Sandbox::new();
    let web = in_tree(&sandbox);
    web.git("worktree add --quiet -b feat ../wt HEAD~2");
    web.git("branch bare HEAD~2");
    let linked = sandbox.place("wt");
    let refs = web.git("for-each-ref");
    for verb in ["list", "task . second", "init", "init --in-tree", "init --dry-run", "init --id acme/web"] {
        let refused = linked.swift(verb);
        let is_init = verb.starts_with("init");
        refused.ended(if is_init { 4 } else { 3 });
        assert!(
            refused.stderr.contains("`main`, which is checked out in $SANDBOX/web"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("`git merge main`"), "{}", refused.stderr);
        assert!(refused.stderr.contains("`swift -C $SANDBOX/web list`"), "{}", refused.stderr);
    }
    assert_eq!(web.git("for-each-ref"), refs);
    assert!(!linked.path(".swift").exists());
    // The hints are true.
    assert!(linked.swift_ok(["-C", web.path("").to_str().unwrap(), "list"]).contains("on main"));
    linked.git("merge --quiet main");
    assert!(linked.swift_ok("list").contains("on main"));

    // In the same checkout, with the queue's branch nowhere checked out.
    web.git("worktree remove --force ../wt");
    web.git("branch --delete --force feat");
    web.git("checkout --quiet bare");
    for verb in ["list", "init"] {
        let refused = web.swift(verb);
        assert!(refused.stderr.contains("in the tree of `main`"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("checked out in"), "{}", refused.stderr);
    }
    web.git("merge --quiet main");
    assert!(web.swift_ok("list").contains("on main"));
    // The other hint: one queue for all.
    web.swift_ok("home branch sesame");
    web.git("worktree add --quiet -b later ../wt HEAD~3");
    assert!(sandbox.place("wt").swift_ok("list").contains("on main"));
}

#[test]
fn files_that_are_not_checked_out_are_no_reason_for_a_second_queue() {
    let sandbox = Sandbox::new();
    let web = in_tree(&sandbox);
    fs::remove_dir_all(web.path(".swift")).unwrap();
    for verb in ["list", "init", "init --in-tree"] {
        let refused = web.swift(verb);
        let hint = "web restore --staged --worktree .swift`";
        assert!(refused.stderr.contains(hint), "{verb}: {}", refused.stderr);
    }
    web.git("restore --staged --worktree .swift");
    assert!(web.swift_ok("list").contains("on main"));
    web.git("rm -r --quiet .swift");
    web.swift("list").ended(3);
    web.git("restore --staged --worktree .swift");
    assert!(web.swift_ok("list").contains("on main"));
}

#[test]
fn a_queue_that_was_taken_out_may_begin_anew_whatever_old_branches_have() {
    let sandbox = Sandbox::new();
    let web = in_tree(&sandbox);
    web.git("branch old");
    web.swift_ok("uninstall sesame");
    assert!(!web.path(".swift").exists());
    web.swift_ok("init --id acme/web");
    add(&web, ".", "anew");
    sound(&web, "anew");
}

#[test]
fn what_init_cannot_make_it_refuses_before_anything_is_written_on_a_dry_run_too() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.git("branch taken");
    let names = || web.program("find", ".git").run().ok();
    let (refs, before) = (web.git("for-each-ref"), names());
    for name in ["@", "a b", "", "HEAD", "../x", "x.lock", "-f", "main", "taken"] {
        for more in [&[][..], &["--dry-run"], &["--in-tree"]] {
            if more == ["--in-tree"] && ["main", "taken"].contains(&name) {
                continue;
            }
            let words = [&["init", "--branch", name], more].concat();
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let refused = web.swift(words);
            assert!([2, 9].contains(&refused.status), "{}: {}", refused.shown, refused.stdout);
        }
    }
    assert_eq!((web.git("for-each-ref"), names()), (refs, before));
    assert!(!web.path(".swift").exists());
    web.swift_ok("init --branch queue --dry-run");
    web.swift_ok("init --branch queue");
}

#[test]
fn a_queue_of_another_name_on_the_remote_is_named_and_a_persons_branch_is_not() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --branch queue --id acme/web");
    web.git("branch swift");
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    let told = twin.swift("list");
    assert!(told.ended(3).stderr.contains("`swift init --branch queue` adopts"), "{}", told.stderr);
    twin.swift("init").ended(9);
    twin.swift_ok("init --branch queue");
    assert_eq!(twin.swift_ok("list"), web.swift_ok("list"));
}

#[test]
fn a_partial_clone_says_what_it_lacks_and_the_command_it_names_brings_it() {
    for (filter, init) in [
        ("blob:none", "init"),
        ("tree:0", "init"),
        ("blob:none", "init --in-tree"),
        ("tree:0", "init --in-tree"),
    ] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.git("config uploadpack.allowFilter true");
        web.git("config uploadpack.allowAnySHA1InWant true");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        let id = add(&web, ".", "one");
        web.swift_ok(["done", &id]);
        let url = format!("file://{}", web.path("").display());
        sandbox.root().git(["clone", "--quiet", &format!("--filter={filter}"), &url, "twin"]);
        let twin = sandbox.place("twin");
        let verb = if init == "init" { "init" } else { "undo sesame" };
        let refused = twin.swift(verb);
        refused.ended(9);
        let hint = "fetch --refetch --no-filter origin";
        assert!(refused.stderr.contains(&format!("`git {hint}`")), "{filter}, {init}: {}", refused.stderr);
        assert!(refused.stderr.contains("partial clone"), "{filter}, {init}: {}", refused.stderr);
        assert!(init != "init" || !twin.path(".swift").exists(), "{filter}: something is left");
        twin.git(format!("{hint} --quiet").as_str());
        twin.swift_ok("init");
        assert_eq!(twin.swift_ok("list --state any"), web.swift_ok("list --state any"));
        twin.swift_ok("undo sesame");
        add(&twin, ".", "two");
        sound(&twin, "whole again");
    }
}

/// A program as another user of the group 4711, with a umask that lets the group write.
fn with_umask<'a>(call: crate::sandbox::Call<'a>, user: &str, umask: &str) -> crate::sandbox::Call<'a> {
    let user = format!("--reuid={user}");
    let run = format!("umask {umask}; exec \"$@\"");
    let words = ["setpriv", &user, "--regid=4711", "--clear-groups", "sh", "-c", &run, "sh"];
    call.env("USER", "member").under(&words)
}

/// With the usual umask, which shares nothing with the group.
fn member<'a>(call: crate::sandbox::Call<'a>, user: &str) -> crate::sandbox::Call<'a> {
    with_umask(call, user, "022")
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
        // Not every file of git's own is shared by git.
        with_umask(shared.program("git", "commit -q --allow-empty -m first"), alice, "002").run().ok();
        member(shared.call(format!("{init} --id a/shared").as_str()), alice).run().ok();
        for (number, user) in [alice, bob, bob, alice, bob].into_iter().enumerate() {
            let title = format!("number {number}");
            member(shared.call(["task", ".", &title]), user).run().ok();
            let list = member(shared.call("list"), user).run().ok();
            assert_eq!(list.lines().count(), number + 1, "{init}: {list}");
        }
        member(shared.call("undo sesame"), alice).run().ok();
        with_umask(shared.program("git", "-C .swift commit -q --allow-empty -m by-hand"), bob, "002")
            .run()
            .ok();
        member(shared.call("doctor"), bob).run().ok();
        let mine = member(shared.call(["task", ".", "mine"]), bob).run().ok();
        let mine = mine.split_whitespace().nth(1).unwrap();
        for (verb, user) in [("claim", alice), ("release", alice), ("claim", bob), ("done", bob)] {
            member(shared.call([verb, mine]), user).run().ok();
        }
        member(shared.call("start"), alice).run().ok();
        member(shared.call("finish"), bob).run().ok();
        member(shared.program("rm", "-r .swift/local"), alice).run().ok();
        member(shared.call("task . again"), bob).run().ok();
        member(shared.call("task . and-again"), alice).run().ok();
        if init == "init" {
            // One who shares nothing by themselves has the folder checked out again.
            member(shared.program("chmod", "g+w ."), alice).run().ok();
            member(shared.program("rm", "-r .swift"), alice).run().ok();
            with_umask(shared.call("list"), bob, "077").run().ok();
            member(shared.call("task . once-more"), alice).run().ok();
        }
        // Whatever the engine writes, the group can write, too.
        let narrow =
            "find .git/swift .swift -type f ! -perm -660 ! -name .git; find .swift -type d ! -perm -2770";
        assert_eq!(shared.program("sh", ["-c", narrow]).run().ok(), "", "{init}");
    }
}

#[test]
fn a_clone_of_a_queue_on_a_branch_of_another_name_begins_no_second_one() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --branch queue --id acme/web");
    crate::world::add(&web, ".", "One");
    for remote in ["origin", "upstream"] {
        sandbox.root().git(["clone", "--quiet", "--origin", remote, "web", remote]);
        let clone = sandbox.place(remote);
        for init in ["init", "init --in-tree", "init --branch other", "init --dry-run"] {
            let refused = clone.swift(init);
            refused.ended(4);
            assert!(refused.stderr.contains("swift init --branch queue"), "{init}: {}", refused.stderr);
        }
        assert_eq!(clone.git("status --short --branch"), format!("## main...{remote}/main\n"));
        clone.swift_ok("init --branch queue");
        assert!(clone.swift_ok("list").contains("One"));
    }
}

#[test]
fn a_remote_of_any_name_brings_its_queue_and_no_second_one_is_made() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    sandbox.root().git("clone --quiet --origin upstream web twin");
    let twin = sandbox.place("twin");
    let told = twin.swift("list");
    assert!(told.ended(3).stderr.contains("`swift init` adopts the queue that is on `upstream/swift`"));
    assert!(twin.swift_ok("init").contains("acme/web"));
    assert_eq!(twin.swift_ok("list"), web.swift_ok("list"));
    // Of two, the person says which.
    let api = sandbox.project("api");
    sandbox.root().git("clone --quiet --origin upstream web both");
    let both = sandbox.place("both");
    both.git("remote add fork ../api");
    both.git("fetch --quiet fork");
    let refused = both.swift("init");
    refused.ended(9);
    assert!(
        refused.stderr.contains("`fork/swift`, `upstream/swift`")
            || refused.stderr.contains("`upstream/swift`, `fork/swift`")
    );
    both.git("branch swift fork/swift");
    both.swift_ok("init");
    assert_eq!(both.json("list")["tasks"], api.json("list")["tasks"]);
}

#[test]
fn a_folder_that_is_the_persons_is_not_taken() {
    let prepare = [
        "git init -q .swift",
        "git init -q ../d; git -C ../d commit -q --allow-empty -m d; \
         git -c protocol.file.allow=always submodule --quiet add ../d .swift; git commit -qm sub",
        "mkdir .swift; echo mine > .swift/config; git add .swift; git commit -qm mine",
    ];
    for words in prepare {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.program("sh", ["-c", words]).run().ok();
        let names = || web.program("find", ". -not -name index").run().ok();
        let before = (names(), web.git("status --porcelain"));
        for verb in ["init", "init --in-tree", "init --dry-run"] {
            let refused = web.swift(verb);
            refused.ended(9);
            assert!(refused.stderr.contains("$SANDBOX/web/.swift"), "{words}: {}", refused.stderr);
        }
        assert_eq!((names(), web.git("status --porcelain")), before, "{words}");
    }
}

#[test]
fn a_move_is_one_commit_on_the_branch_that_gets_the_queue_and_has_its_event() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    for (to, branch) in [("tree", "main"), ("branch", "swift"), ("tree", "main")] {
        let before = web.git("rev-list --count --first-parent main");
        web.swift_ok(format!("home {to} sesame").as_str());
        let told = web.git(["log", "-1", "--format=%s%n%(trailers:key=Swift-Events)", branch]);
        assert_eq!(told, format!("swift: move the queue ({to})\nSwift-Events: home.moved\n\n"));
        assert!(web.git(["show", "-m", "--first-parent", branch]).contains("home.moved"), "{to}");
        let count = |text: &str| text.trim().parse::<u32>().unwrap();
        let after = web.git("rev-list --count --first-parent main");
        assert_eq!(count(&after) - count(&before), 1, "{to}: one commit on the person's branch");
        assert_eq!(
            web.swift_ok("log").matches("home.moved").count(),
            web.swift_ok("log").matches("home.").count()
        );
        sound(&web, to);
    }
    assert_eq!(web.swift_ok("log").matches("home.moved").count(), 3);
}

#[test]
fn the_queues_checkout_on_another_branch_is_not_written_to() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    web.git("-C .swift checkout --quiet -b other");
    let refused = web.swift("task . two");
    refused.ended(9);
    assert!(refused.stderr.contains("is on the branch `other`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("git -C $SANDBOX/web/.swift switch swift"), "{}", refused.stderr);
    assert_eq!(web.git("rev-parse other"), web.git("rev-parse swift"));
    web.git("-C .swift switch --quiet swift");
    add(&web, ".", "two");
    sound(&web, "back");
    // A branch that was renamed is still the queue's.
    web.git("branch --move swift queue");
    add(&web, ".", "three");
    sound(&web, "renamed");
}

#[test]
fn a_name_that_cannot_be_in_a_commit_as_it_is_goes_in_as_git_writes_it() {
    for (name, email) in
        [("Ada <x>", "ada@example.com"), ("Ada", "<ada@example.com>"), (" \"Ada\".", "ada@example.com")]
    {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.git(["config", "user.name", name]);
        web.git(["config", "user.email", email]);
        web.git("commit --quiet --allow-empty -m by-git");
        web.swift_ok("init --id acme/web");
        add(&web, ".", "one");
        let who = ["log", "-1", "--format=%an %ae %cn %ce"];
        assert_eq!(
            web.git([&who[..], &["swift"]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()),
            web.git(who)
        );
        sound(&web, name);
    }
}

#[test]
fn a_queue_does_not_move_into_the_tree_of_no_branch() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let before = web.git("rev-parse swift HEAD");
    web.git("checkout --quiet --detach");
    let refused = web.swift("home tree sesame");
    refused.ended(5);
    assert!(refused.stderr.contains("no branch is checked out in"), "{}", refused.stderr);
    assert_eq!(web.git("rev-parse swift HEAD"), before);
    sound(&web, "refused");
    web.git("switch --quiet -");
    web.swift_ok("home tree sesame");
    sound(&web, "on a branch");
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_is_not_checked_out_twice() {
    let ways: [&[&str]; 2] = [
        &["worktree move .swift ../elsewhere"],
        &["worktree remove --force .swift", "worktree add --quiet ../elsewhere swift"],
    ];
    for commands in ways {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        add(&web, ".", "one");
        commands.iter().for_each(|command| drop(web.git(*command)));
        for verb in ["task . two", "list", "init"] {
            let refused = web.swift(verb);
            refused.ended(9);
            assert!(refused.stderr.contains("is checked out in $SANDBOX/elsewhere"), "{}", refused.stderr);
        }
        assert!(!web.path(".swift").exists());
        assert_eq!(web.git("-C ../elsewhere status --porcelain"), "");
        web.git("worktree move ../elsewhere .swift");
        add(&web, ".", "two");
        sound(&web, "back in its place");
    }
}

#[test]
fn whoever_acts_is_the_same_for_every_verb() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    web.write(".git/bot", "[user]\n\tname = Bot\n");
    web.git("config includeIf.onbranch:swift.path bot");
    let id = add(&web, ".", "by branch");
    web.swift_ok(["claim", &id]);
    web.swift_ok(["done", &id]);
    assert!(!web.swift_ok("log").contains("Bot"));

    web.git("config extensions.worktreeConfig true");
    web.git("config --worktree user.name Main");
    let id = add(&web, ".", "by worktree");
    web.swift_ok(["claim", &id]);
    web.swift_ok(["done", &id]);
    let by = web.json(["show", &id]);
    assert!(by["events"].as_array().unwrap().iter().all(|event| event["actor"] == "Main"), "{by}");
}

#[test]
fn a_folder_that_nothing_hides_any_more_is_found_and_hidden_again() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let good = web.read(".git/info/exclude");
    web.write(".git/info/exclude", good.replace("/.swift/\n", ""));
    let found = web.swift("doctor");
    assert!(found.ended(8).stdout.contains("not-hidden"), "{}", found.stdout);
    let said = web.swift_ok("doctor --fix sesame");
    assert!(said.contains("put back: .git/info/exclude"), "{said}");
    assert_eq!(web.read(".git/info/exclude"), good);
    sound(&web, "hidden again");
    web.write(".git/info/exclude", good.replace("/.swift/\n", ""));
    web.swift_ok("init --dry-run");
    assert_eq!(web.git("status --porcelain"), "?? .swift/\n");
    web.swift_ok("init");
    assert_eq!(web.read(".git/info/exclude"), good);
    // What is there may be no file; the rest of the queue is looked at all the same.
    fs::remove_file(web.path(".git/info/exclude")).unwrap();
    fs::create_dir(web.path(".git/info/exclude")).unwrap();
    assert!(web.swift("doctor").ended(8).stdout.contains("is not a regular file"));
    web.swift("init").ended(9);
    fs::remove_dir(web.path(".git/info/exclude")).unwrap();
    // A rule of the person's own does it, too.
    web.write(".git/info/exclude", "");
    web.write(".gitignore", ".swift\n");
    web.git("add .gitignore");
    web.git("commit --quiet --message rule");
    sound(&web, "hidden by another rule");
}

#[test]

fn the_way_back_from_an_uninstall_has_what_was_not_committed() {
    for commit in ["each", "manual"] {
        let sandbox = Sandbox::new();
        let web = sandbox.project("web");
        let settings = web.read(".swift/swift.toml");
        web.write(
            ".swift/swift.toml",
            settings.replace("commit = \"each\"", &format!("commit = \"{commit}\"")),
        );
        web.swift_ok("doctor --fix sesame");
        let id = add(&web, ".", "kept");
        let file = format!(".swift/{}", copies(&web, &id)[0]);
        let edited = web.read(&file) + "two hours\n";
        web.write(&file, &edited);
        let plan = web.swift_ok("uninstall --dry-run");
        assert!(plan.contains("what is not committed yet"), "{plan}");
        let gone = sandbox.root().json(["-C", "web", "uninstall", "--yes"]);
        let next = text(&gone["next_actions"][0]);
        assert!(next.starts_with("git -C web branch swift ") && !next.contains('#'), "{next}");
        assert!(next.ends_with(&text(&gone["last_commit"])), "{gone}");
        sandbox.root().program("sh", ["-c", &next]).run().ok();
        web.swift_ok("init");
        assert_eq!(web.read(&file), edited);
        assert_eq!(copies(&web, &id).len(), 1);
        sound(&web, "back again");
    }
}

#[test]
fn rules_that_were_written_below_the_line_stay_rules_of_their_own() {
    for leave in ["uninstall sesame", "home tree sesame"] {
        for before in ["*.o", "*.o\n"] {
            let sandbox = Sandbox::new();
            let web = sandbox.repository("web");
            web.write(".git/info/exclude", before);
            web.swift_ok("init --id acme/web");
            let with_line = web.read(".git/info/exclude");
            web.write(".git/info/exclude", with_line + "secret.env\n");
            web.swift_ok(leave);
            assert_eq!(web.read(".git/info/exclude"), "*.o\nsecret.env\n");
        }
    }
}

#[test]
fn a_line_of_the_persons_own_is_not_said_to_be_removed() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.write(".git/info/exclude", "/.swift/\n");
    web.swift_ok("init --id acme/web");
    let plan = web.swift_ok("uninstall --dry-run");
    let done = web.swift_ok("uninstall sesame");
    assert!(!plan.contains("exclude") && !done.contains("exclude"), "{plan}{done}");
    assert_eq!(web.read(".git/info/exclude"), "/.swift/\n");
}

#[test]
fn a_checkout_of_the_queue_that_is_on_another_branch_is_written_to_by_no_verb() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let state = || (web.git("for-each-ref --format=%(refname)%(objectname)"), web.read(".git/info/exclude"));
    web.git("-C .swift switch --quiet --create exp");
    let before = state();
    let found = web.swift("doctor");
    assert!(found.ended(8).stdout.contains("is on the branch `exp`"), "{}", found.stdout);
    for verb in ["task . two", "init", "uninstall --dry-run", "uninstall sesame", "home tree --dry-run"] {
        let refused = web.swift(verb);
        assert!(refused.ended(9).stderr.contains("switch swift` goes back"), "{verb}: {}", refused.stderr);
    }
    // A branch of the project itself: there is no queue to be seen, and none is made over it.
    for switch in ["checkout --quiet -B theirs main", "checkout --quiet --detach main"] {
        web.git(&*format!("-C .swift {switch}"));
        for verb in ["list", "init", "init --in-tree", "task . three", "doctor", "uninstall --dry-run"] {
            let refused = web.swift(verb);
            assert!(
                refused.ended(9).stderr.contains("switch swift` goes back"),
                "{verb}: {}",
                refused.stderr
            );
        }
        assert_eq!(web.git("-C .swift status --porcelain"), "?? local/\n");
    }
    web.git("branch --quiet -D theirs");
    assert_eq!(state(), before);
    web.git("-C .swift switch --quiet swift");
    add(&web, ".", "four");
    sound(&web, "back again");
    // Another name is no other branch.
    web.git("branch -m swift queue");
    add(&web, ".", "five");
    sound(&web, "renamed");
}

#[test]
fn another_repository_in_the_place_of_the_link_is_not_taken_for_the_queues() {
    let sandbox = Sandbox::new();
    let (web, other) = (sandbox.project("web"), sandbox.project("other"));
    add(&web, ".", "one");
    let link = web.read(".swift/.git");
    web.write(".swift/.git", format!("gitdir: {}\n", other.path(".git").display()));
    let inside = web.place(".swift");
    assert!(inside.swift_ok("list").contains("one"));
    assert_eq!(web.read(".swift/.git"), link);
    fs::remove_file(web.path(".swift/.git")).unwrap();
    inside.git("init --quiet");
    assert!(web.swift_ok("list").contains("one"));
    let found = web.swift("doctor");
    assert!(found.ended(8).stdout.contains("has a repository of its own in it"), "{}", found.stdout);
    for verb in ["task . two", "init", "uninstall sesame"] {
        let refused = web.swift(verb);
        assert!(refused.ended(9).stderr.contains("puts it aside"), "{verb}: {}", refused.stderr);
    }
    fs::rename(web.path(".swift/.git"), web.path("$SANDBOX/aside")).unwrap();
    add(&web, ".", "three");
    assert_eq!(web.read(".swift/.git"), link);
    sound(&web, "linked again");
}

#[test]
fn a_queue_that_a_reset_took_off_every_branch_is_named_and_gets_no_second_one() {
    for init in ["init --in-tree", "init"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(init);
        add(&web, ".", "one");
        if init == "init" {
            web.swift_ok("home tree sesame");
        }
        let before = web.git("rev-list --max-parents=0 --first-parent HEAD");
        let tip = web.git("rev-parse --short=12 HEAD").trim().to_owned();
        web.git(["reset", "--quiet", "--hard", before.trim()]);
        for verb in ["list", "init", "init --in-tree", "init --dry-run", "doctor"] {
            let refused = web.swift(verb);
            assert!(matches!(refused.status, 3 | 4), "{init}, {verb}: {}", refused.stdout);
            assert!(refused.stderr.contains(&format!("`git merge {tip}`")), "{verb}: {}", refused.stderr);
        }
        web.git(["merge", "--quiet", &tip]);
        assert!(web.swift_ok("list").contains("one"));
        sound(&web, init);
        // One that is put aside by hand, or taken out, is not missed.
        web.git(["reset", "--quiet", "--hard", before.trim()]);
        fs::rename(web.path(".swift"), web.path("$SANDBOX/old")).unwrap();
        web.swift_ok("init --dry-run");
        web.git(["merge", "--quiet", &tip]);
        web.swift_ok("uninstall sesame");
        web.git("reset --quiet --hard HEAD~1");
        web.swift_ok("uninstall sesame");
        web.swift_ok("init");
    }
}

#[test]
fn a_commit_of_nothing_whose_tree_nobody_stored_is_as_any_other() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.place("web");
        web.git("init --quiet");
        let first = web.git("commit-tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904 -m first");
        web.git(["update-ref", "refs/heads/main", first.trim()]);
        web.swift_ok(init);
        add(&web, ".", "one");
        assert_eq!(web.swift_ok("doctor"), "the queue is healthy\n", "{init}");
        web.swift_ok("audit verify");
        web.swift_ok("undo");
        assert_eq!(web.swift_ok("doctor"), "the queue is healthy\n", "{init}");
    }
}

#[test]
fn a_queue_in_the_tree_does_not_begin_on_no_branch() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.git("checkout --quiet --detach");
    let head = web.git("rev-parse HEAD");
    for init in ["init --in-tree", "init --in-tree --dry-run"] {
        let refused = web.swift(init);
        refused.ended(5);
        assert!(refused.stderr.contains("no branch is checked out in"), "{}", refused.stderr);
        assert!(refused.stderr.contains("switch --create NAME"), "{}", refused.stderr);
    }
    assert_eq!(web.git("rev-parse HEAD"), head);
    assert!(!web.path(".swift").exists());
    web.git("switch --quiet --create kept");
    web.swift_ok("init --in-tree");
    sound(&web, "on a branch");
}

#[test]
fn a_clone_of_one_branch_begins_no_second_queue_without_a_word() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "One");
    let url = format!("file://{}", web.path("").display());
    let clone = |name: &str, words: &[&str]| {
        let all = [&["clone", "--quiet"], words, &[url.as_str(), name]].concat();
        sandbox.root().git(all.into_iter().map(str::to_owned).collect::<Vec<_>>());
        sandbox.place(name)
    };
    for (name, words) in [("shallow", &["--depth", "1"][..]), ("single", &["--single-branch"])] {
        let one = clone(name, words);
        let hint = "git remote set-branches --add origin '*' && git fetch origin";
        let told = one.swift("list");
        assert!(told.ended(3).stderr.contains(hint), "{}", told.stderr);
        for init in ["init", "init --in-tree", "init --dry-run"] {
            let refused = one.swift(init);
            assert!(refused.ended(4).stderr.contains(hint), "{}", refused.stderr);
        }
        assert!(!one.path(".swift").exists());
        one.program("sh", ["-c", hint]).run().ok();
        one.swift_ok("init");
        assert_eq!(one.json("list")["tasks"], web.json("list")["tasks"]);
    }
    // The other hint, and a branch that was fetched by itself.
    let anew = clone("anew", &["--single-branch"]);
    assert!(anew.swift_ok("init --branch swift --id acme/anew").contains("acme/anew"));
    let fetched = clone("fetched", &["--single-branch"]);
    fetched.git("fetch --quiet origin swift:swift");
    assert!(fetched.swift_ok("init").contains("acme/web"));
}

#[test]
fn a_queue_in_the_tree_of_a_branch_that_only_the_remote_has_is_named() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.git("checkout --quiet -b dev");
    web.swift_ok("init --in-tree --id acme/web");
    add(&web, ".", "One");
    web.git("checkout --quiet main");
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    for (verb, status) in [("list", 3), ("init", 4), ("init --in-tree", 4), ("init --dry-run", 4)] {
        let refused = twin.swift(verb);
        refused.ended(status);
        assert!(refused.stderr.contains("in the tree of `origin/dev`"), "{verb}: {}", refused.stderr);
        assert!(refused.stderr.contains("`git switch dev`"), "{verb}: {}", refused.stderr);
    }
    assert!(!twin.path(".swift").exists());
    twin.git("switch --quiet dev");
    assert!(twin.swift_ok("list").contains("One"));
}

#[test]
fn a_clone_that_stands_on_the_queues_branch_is_told_what_helps() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "One");
    sandbox.root().git("clone --quiet --branch swift web twin");
    let twin = sandbox.place("twin");
    let refused = twin.swift("init");
    assert!(refused.ended(9).stderr.contains("switch NAME"), "{}", refused.stderr);
    twin.git("switch --quiet main");
    twin.swift_ok("init");
    assert!(twin.swift_ok("list").contains("One"));
}

#[test]
fn a_file_that_only_another_user_may_read_stops_nothing_else() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let user = "4712";
    let base = root.path("..");
    let open = "chmod 755 \"$1\"; chmod 777 \"$1/work\" \"$1/home\" \"$1/tmp\"";
    root.program("sh", ["-c", open, "sh", base.to_str().unwrap()]).run().ok();
    if member(root.program("true", ""), user).run().status != 0 {
        use std::io::Write as _;
        let _ = std::io::stderr().write_all(b"SKIPPED a test of another user: only root can be one\n");
        return;
    }
    for is_folder in [false, true] {
        let name = if is_folder { "folder" } else { "file" };
        member(root.program("git", ["init", "-q", name]), user).run().ok();
        let web = root.place(name);
        member(web.program("git", "commit -q --allow-empty -m first"), user).run().ok();
        member(web.call("init --id a/web"), user).run().ok();
        for title in ["One", "Two"] {
            member(web.call(["task", ".", title]), user).run().ok();
        }
        let list = web.json("list")["tasks"].as_array().unwrap().clone();
        let path = list[0]["path"].as_str().unwrap().to_owned();
        let closed = match is_folder {
            true => path.rsplit_once('/').unwrap().0.to_owned(),
            false => path,
        };
        let closed = web.path(&format!(".swift/{}", closed.trim_start_matches(".swift/")));
        let closed = closed.to_str().unwrap();
        web.program("chmod", ["000", closed]).run().ok();
        member(web.call("task . Three"), user).run().ok();
        member(web.call("claim"), user).run().ok();
        for doctor in ["doctor", "doctor --fix sesame"] {
            let told = member(web.call(doctor), user).run();
            assert_eq!(told.status, 8, "{name}: {}{}", told.stdout, told.stderr);
            assert!(told.stdout.contains("Permission denied"), "{name}: {}", told.stdout);
            assert!(!told.stdout.contains("missing"), "{name}: {}", told.stdout);
        }
        let refused = member(web.call("uninstall sesame"), user).run();
        assert_ne!(refused.status, 0, "{name}");
        assert!(web.path(".swift").is_dir(), "{name}");
        web.program("chmod", [if is_folder { "755" } else { "644" }, closed]).run().ok();
        member(web.call("task . Four"), user).run().ok();
        assert_eq!(member(web.program("git", "-C .swift status --porcelain"), user).run().ok(), "", "{name}");
        member(web.call("audit verify"), user).run().ok();
        member(web.call("doctor"), user).run().ok();
        for (closed, status) in [(".swift/audit/2026-03", 8), (".git/objects", 9), (".git", 9)] {
            web.program("chmod", ["000", closed]).run().ok();
            let told = member(web.call("audit verify"), user).run();
            let said = format!("{}{}", told.stdout, told.stderr);
            assert_eq!(told.status, status, "{closed}: {said}");
            assert!(said.contains("ermission denied") && !said.contains("missing"), "{closed}: {said}");
            web.program("chmod", ["755", closed]).run().ok();
        }
    }
}

#[test]
fn a_queue_that_the_project_has_in_its_own_index_is_found_and_taken_out() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    web.git("add --force --all");
    web.git("commit --quiet --message all");
    assert!(web.git("ls-tree HEAD").contains("160000 commit"));
    let take_out = |place: &Place<'_>, said: &str| {
        let command = said.split('`').find(|word| word.starts_with("git rm ")).unwrap().to_owned();
        place.program("sh", ["-c", &command]).run().ok();
        place.git("commit --quiet --message out");
    };
    sandbox.root().git("clone --quiet web twin");
    let twin = sandbox.place("twin");
    let refused = twin.swift("init");
    take_out(&twin, &refused.ended(9).stderr);
    twin.swift_ok("init");
    sound(&twin, "taken out of the clone");

    let told = web.swift("doctor");
    assert!(told.ended(8).stdout.contains("in-the-project"), "{}", told.stdout);
    take_out(&web, &told.stdout);
    add(&web, ".", "two");
    web.swift_ok("doctor");
    sound(&web, "taken out");
}
