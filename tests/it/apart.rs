//! A verb in the middle of what a person does with git, with the queue in the tree: git never notices, and the change
//! survives whatever becomes of the operation.

use std::fs;
use std::path::Path;

use crate::crash::{self, Accident};
use crate::sandbox::{Call, Place, Sandbox};
use crate::world::{World, add, copies, sound};

/// What a person has begun, how, and the ways in which it can end. The branch is `main` or `side` in the end.
struct Scene {
    name: &'static str,
    begin: &'static str,
    ends: &'static [&'static str],
}

const SETTLE: &str = "echo settled > f; git add f; ";

const SCENES: [Scene; 7] = [
    Scene {
        name: "a rebase",
        begin: "git checkout -q side; git rebase main",
        ends: &["SETTLE git rebase --continue", "git rebase --abort", "git rebase --skip"],
    },
    Scene {
        name: "a rebase that stops to edit",
        begin: "git checkout -q side; GIT_SEQUENCE_EDITOR='sed -i s/^pick/edit/' git rebase -q -i HEAD~1",
        ends: &["git rebase --continue", "git rebase --abort"],
    },
    Scene {
        name: "an am",
        begin: "git format-patch -q -1 side -o patches; git am -3 patches/*; rm -r patches",
        ends: &["SETTLE git am --continue", "git am --abort"],
    },
    Scene {
        name: "a merge",
        begin: "git merge -q side",
        ends: &["SETTLE git commit -q --no-edit", "git merge --abort", "git reset -q --hard"],
    },
    Scene {
        name: "a cherry-pick",
        begin: "git cherry-pick side",
        ends: &["SETTLE git cherry-pick --continue", "git cherry-pick --abort", "git reset -q --hard"],
    },
    Scene {
        name: "a revert",
        begin: "git revert --no-edit HEAD~1",
        ends: &[
            "SETTLE git revert --continue",
            "git revert --abort",
            "git checkout -q -f; git revert --quit",
        ],
    },
    Scene {
        name: "a bisect",
        begin: "git bisect start; git bisect bad; git bisect good HEAD~3",
        ends: &["git bisect reset", "git bisect good; git bisect reset"],
    },
];

/// A queue in the tree with two tasks; `main` and `side` have both changed the file `f`.
fn project<'a>(sandbox: &'a Sandbox, name: &str) -> (Place<'a>, [String; 2]) {
    let place = sandbox.repository(name);
    place.write("f", "a\n");
    shell(&place, "git add f; git commit -qm f");
    place.swift_ok(["init", "--in-tree", "--id", &format!("acme/{name}")]);
    let tasks = [add(&place, ".", "first"), add(&place, ".", "second")];
    shell(&place, "git checkout -qb side; echo s > f; git commit -qam side; git checkout -q main");
    shell(&place, "for n in 1 2; do echo m$n > f; git commit -qam main$n; done");
    (place, tasks)
}

fn shell(place: &Place<'_>, words: &str) -> String {
    let words = words.replace("SETTLE", SETTLE);
    let call = place.program("sh", ["-c", &words]).env("GIT_EDITOR", "true");
    call.run().stdout
}

/// Everything that git could see of a verb in the checkout.
fn seen(place: &Place<'_>) -> (String, Vec<u8>, String) {
    let status = place.git("status --porcelain=v2 --branch --untracked-files=all --ignored=no");
    (status, fs::read(place.path(".git/index")).unwrap(), place.git("for-each-ref"))
}

fn is_busy(place: &Place<'_>) -> bool {
    let git = place.path(".git");
    ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG"]
        .iter()
        .any(|name| Path::new(&git).join(name).exists())
}

#[track_caller]
fn titles(place: &Place<'_>) -> Vec<String> {
    let list = place.json("list --state any");
    let tasks = list["tasks"].as_array().unwrap().iter();
    let mut titles: Vec<String> =
        tasks.map(|task| format!("{} {}", task["title"], task["state"]).replace('"', "")).collect();
    titles.sort();
    titles
}

#[test]
fn git_goes_on_as_if_no_verb_had_run_and_the_change_is_there_however_it_ends() {
    for scene in SCENES {
        for end in scene.ends {
            let when = format!("{}, {end}", scene.name);
            let sandbox = Sandbox::new();
            let (web, [first, second]) = project(&sandbox, "web");
            shell(&web, scene.begin);
            assert!(is_busy(&web), "{when}");
            let before = seen(&web);
            let told = web.swift(["done", &first]);
            assert!(
                told.ok().contains("done") && told.stderr.contains("in progress"),
                "{when}: {}",
                told.stderr
            );
            web.swift_ok(["comment", &second, "said in the middle"]);
            web.swift_ok("task . third");
            web.swift_ok(["claim", &second]);
            assert_eq!(seen(&web), before, "{when}: git sees something");
            let during = titles(&web);
            assert_eq!(during, ["first done", "second claimed", "third ready"], "{when}");
            assert!(web.swift_ok(["show", &second]).contains("said in the middle"), "{when}");
            assert!(web.swift_ok("log").contains("task.done"), "{when}");
            web.swift_ok("audit verify");

            shell(&web, end);
            assert!(!is_busy(&web), "{when}: {}", web.git("status"));
            assert_eq!(web.git("status --porcelain"), "", "{when}");
            assert_eq!(titles(&web), during, "{when}: before the next verb");
            web.swift_ok("task . fourth");
            assert_eq!(
                titles(&web),
                ["first done", "fourth ready", "second claimed", "third ready"],
                "{when}"
            );
            sound(&web, &when);
            assert!(!web.path(".git/swift/waiting").exists(), "{when}");
            for id in [&first, &second] {
                assert_eq!(copies(&web, id).len(), 1, "{when}");
            }
            let log = web.swift_ok("log");
            let events = ["task.done", "task.commented", "task.claimed"];
            assert!(events.iter().all(|event| log.contains(event)), "{when}: {log}");
        }
    }
}

#[test]
fn a_verb_between_the_steps_of_a_rebase_does_not_stop_it() {
    let sandbox = Sandbox::new();
    let (web, _) = project(&sandbox, "web");
    let swift = web.call("list").into_command();
    let swift = swift.get_program().to_str().unwrap().to_owned();
    shell(&web, "git checkout -q -b topic main~1; echo t > g; git add g; git commit -qm g");
    let rebase = web.program("git", ["rebase", "-q", "main", "-x", &format!("'{swift}' task . stepped")]);
    rebase.run().ok();
    assert!(titles(&web).contains(&"stepped ready".to_owned()));
    web.swift_ok("task . after");
    sound(&web, "after the rebase");
}

#[test]
fn what_waits_stays_with_its_branch() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    shell(&web, "git checkout -q side; git rebase main");
    web.swift_ok(["done", &first]);
    shell(&web, "git rebase --abort; git checkout -q main");
    assert_eq!(titles(&web), ["first ready", "second ready"]);
    add(&web, ".", "on main");
    sound(&web, "on another branch");
    let refused = web.swift("uninstall sesame");
    refused.ended(5);
    assert!(refused.stderr.contains("wait for `side`"), "{}", refused.stderr);
    shell(&web, "git checkout -q side");
    assert_eq!(titles(&web), ["first done", "second ready"]);
    add(&web, ".", "on side");
    sound(&web, "back on its branch");
    shell(&web, "git checkout -q main");
    web.git("merge --quiet --no-edit -X ours side");
    assert_eq!(titles(&web), ["first done", "on main ready", "on side ready", "second ready"]);
    sound(&web, "merged");
}

#[test]
fn what_waits_outlives_the_worktree_in_which_it_was_kept() {
    for is_earlier in [false, true] {
        let sandbox = Sandbox::new();
        let (web, _) = project(&sandbox, "web");
        shell(
            &web,
            "git worktree add -q wt side; git worktree add -q --detach on-none side; git -C wt rebase main",
        );
        shell(&web, "git -C on-none rebase main");
        web.swift_ok(["-C", "wt", "task", ".", "of a branch"]);
        web.swift_ok(["-C", "on-none", "task", ".", "of none"]);
        if is_earlier {
            shell(&web, "mkdir .git/worktrees/wt/swift; mv .git/swift/waiting .git/worktrees/wt/swift/");
            web.swift_ok(["-C", "wt", "task", ".", "second"]);
        }
        assert_eq!(titles(&web), ["first ready", "second ready"], "it waits for another branch");
        shell(&web, "git -C wt rebase --abort; git -C on-none rebase --abort");
        assert_eq!(shell(&web, "git -C wt status --short; git -C on-none status --short"), "");
        shell(&web, "git worktree remove wt; git worktree remove on-none");
        let refused = web.swift("uninstall sesame");
        assert!(refused.stderr.contains("wait for `side`"), "{}", refused.stderr);
        if !is_earlier {
            assert!(titles(&web).contains(&"of none ready".to_owned()), "the worktree is gone");
        }
        shell(&web, "git checkout -q side");
        assert!(titles(&web).contains(&"of a branch ready".to_owned()), "{:?}", titles(&web));
        add(&web, ".", "on side");
        sound(&web, "back on its branch");
        assert!(!web.path(".git/swift/waiting").exists());
    }
}

#[test]
fn a_task_that_git_has_changed_meanwhile_has_both_changes() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    web.swift_ok(["edit", &first, "--title", "by main"]);
    shell(&web, "git checkout -q side");
    web.swift_ok(["edit", &first, "--priority", "high"]);
    shell(&web, "git rebase main");
    assert!(is_busy(&web));
    web.git("checkout -q --ours .swift");
    web.swift_ok(["comment", &first, "in the middle"]);
    shell(&web, "git rebase --abort");
    let told = web.swift("task . after");
    told.ok();
    let paths = copies(&web, &first);
    assert_eq!(paths.len(), 1, "{paths:?}");
    let text = web.read(&format!(".swift/{}", paths[0]));
    assert!(text.contains("in the middle") && text.contains("high"), "{text}");
    sound(&web, "settled");
}

#[test]
fn a_task_that_was_done_in_the_middle_is_done_whatever_git_brings() {
    let merge = "git merge side";
    let ends = [
        (merge, "git merge --abort", "done"),
        (merge, "git merge --abort; git reset -q --hard HEAD~1", "done"),
        ("git checkout -q side; git rebase main", "SETTLE git rebase --continue", "done"),
        ("git checkout -q side; git rebase main", "git rebase --abort", "done"),
        (merge, "git merge --abort", "claim"),
        ("git checkout -q side; git rebase main", "SETTLE git rebase --continue", "claim"),
    ];
    for (begin, end, verb) in ends {
        let when = format!("{verb} in {begin}, {end}");
        let sandbox = Sandbox::new();
        let (web, [first, second]) = project(&sandbox, "web");
        shell(&web, "git checkout -q side");
        web.swift_ok(["edit", &first, "--priority", "high"]);
        shell(&web, "git checkout -q main");
        shell(&web, begin);
        assert!(is_busy(&web), "{when}");
        web.swift_ok([verb, &first]);
        shell(&web, end);
        assert!(!is_busy(&web), "{when}: {}", web.git("status"));
        web.swift(["show", "no-such-task"]).ended(3);
        // A verb that comes to nothing does not lose what it has found.
        web.swift(["done", "no-such-task"]).ended(3);
        add(&web, ".", "after");
        let state = if verb == "done" { "first done" } else { "first claimed" };
        assert_eq!(titles(&web), ["after ready", state, "second ready"], "{when}");
        assert_eq!(copies(&web, &first).len(), 1, "{when}");
        let text = web.read(&format!(".swift/{}", copies(&web, &first)[0]));
        assert!(!end.contains("rebase") || text.contains("priority = \"high\""), "{when}: {text}");
        assert_eq!(copies(&web, &second).len(), 1, "{when}");
        sound(&web, &when);
    }
}

#[test]
fn what_a_person_writes_in_the_middle_is_recorded_once() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    shell(&web, "git checkout -q side; git rebase main");
    web.write(".swift/tasks/by-hand.md", "+++\ntitle = \"By hand\"\n+++\nwritten\n");
    let path = format!(".swift/{}", copies(&web, &first)[0]);
    web.write(&path, format!("{}\nedited\n", web.read(&path)));
    let before = seen(&web);
    web.swift_ok("task . third");
    web.swift_ok("task . fourth");
    assert_eq!(seen(&web), before);
    shell(&web, &format!("git checkout -q -- {path}; git rebase --abort"));
    web.swift_ok("task . fifth");
    assert_eq!(titles(&web).len(), 6);
    assert!(web.read(&path).ends_with("edited\n"));
    let events = web.swift_ok("log");
    assert_eq!(events.matches("task.adopted").count(), 1, "{events}");
    sound(&web, "by hand");
}

#[test]
fn a_session_keeps_apart_what_is_done_in_the_middle() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    let settings = web.read(".swift/swift.toml");
    let lines: Vec<&str> = settings.lines().filter(|line| !line.starts_with("commit = ")).collect();
    web.write(".swift/swift.toml", format!("commit = \"session\"\n{}\n", lines.join("\n")));
    shell(
        &web,
        "git add .swift; git commit -qm settings; git checkout -qB side; echo x > f; git commit -qam x",
    );
    shell(&web, "git checkout -q main; echo y > f; git commit -qam y; git merge -q side");
    assert!(is_busy(&web));
    let before = seen(&web);
    web.swift_ok(["done", &first]);
    assert_eq!(seen(&web), before);
    shell(&web, "git merge --abort");
    web.swift_ok("task . third");
    assert_eq!(titles(&web), ["first done", "second ready", "third ready"]);
}

#[test]
fn killed_at_any_point_a_change_is_kept_as_a_whole_or_not_at_all() {
    if !crash::can_trace() {
        return;
    }
    let sandbox = Sandbox::new();
    let (live, [first, _]) = project(&sandbox, "live/web");
    let root = sandbox.root();
    let copy = |from: &str, to: &str| {
        root.program("rm", ["-rf", to]).run().ok();
        root.program("cp", ["-a", from, to]).run().ok();
    };
    shell(&live, "git checkout -q side; git rebase main");
    sweep(
        &copy,
        "middle",
        || live.call(["done", &first]),
        |when| {
            let now = titles(&live);
            assert!(
                now == ["first ready", "second ready"] || now == ["first done", "second ready"],
                "{when}: {now:?}"
            );
            live.swift_ok(["comment", &first, "more"]);
            shell(&live, "git rebase --abort");
            assert_eq!(live.git("status --porcelain"), "", "{when}");
            live.swift_ok("task . third");
            let mut then = now;
            then.push("third ready".to_owned());
            assert_eq!(titles(&live), then, "{when}");
            sound(&live, when);
        },
    );
    live.swift_ok(["done", &first]);
    shell(&live, "git rebase --abort");
    sweep(
        &copy,
        "landing",
        || live.call("task . third"),
        |when| {
            live.swift_ok("task . fourth");
            let now: Vec<String> =
                titles(&live).into_iter().filter(|title| !title.starts_with("third")).collect();
            assert_eq!(now, ["first done", "fourth ready", "second ready"], "{when}");
            sound(&live, when);
        },
    );
}

#[test]
fn in_the_middle_a_queue_is_neither_moved_nor_taken_out() {
    let sandbox = Sandbox::new();
    let (web, _) = project(&sandbox, "web");
    for (verbs, prepare) in
        [(["home branch", "uninstall"], ""), (["home tree", "home tree"], "swift home branch")]
    {
        if !prepare.is_empty() {
            web.swift_ok("home branch sesame");
            shell(&web, "git checkout -q -B side; echo z > f; git commit -qam z; git checkout -q main");
            shell(&web, "echo y > f; git commit -qam y");
        }
        shell(&web, "git merge -q side");
        assert!(is_busy(&web));
        let (before, list) = (seen(&web), titles(&web));
        for verb in verbs {
            let refused = web.swift(format!("{verb} sesame").as_str());
            refused.ended(9);
            assert!(refused.stderr.contains("a merge is in progress"), "{verb}: {}", refused.stderr);
            assert_eq!((seen(&web), titles(&web)), (before.clone(), list.clone()), "{verb}");
        }
        assert!(!web.path(".git/swift/waiting").exists());
        shell(&web, "git merge --abort");
        web.swift_ok("task . after");
        sound(&web, verbs[0]);
    }
}

#[test]
fn a_commit_whose_editor_was_open_is_made_as_the_document_says() {
    let sandbox = Sandbox::new();
    let (web, _) = project(&sandbox, "web");
    let swift = web.call("list").into_command();
    let editor = format!(
        "sh -c 'echo my text > \"$0\"; env -u GIT_DIR -u GIT_INDEX_FILE {} task . meanwhile'",
        swift.get_program().to_str().unwrap()
    );
    shell(&web, "echo mine > f; git add f");
    let refused = web.program("git", "commit").env("GIT_EDITOR", &editor).run();
    assert!(refused.ended(128).stderr.contains("cannot lock ref 'HEAD'"), "{}", refused.stderr);
    assert_eq!(web.git("status --porcelain"), "M  f\n");
    let again = web.program("git", "commit -q -e -F .git/COMMIT_EDITMSG").env("GIT_EDITOR", "true").run();
    again.ok();
    assert_eq!(web.git("log -1 --format=%s --name-only"), "my text\n\nf\n");
    assert_eq!(titles(&web), ["first ready", "meanwhile ready", "second ready"]);
    sound(&web, "after it");
}

#[test]
fn where_git_is_locked_a_queue_stays_whole_in_its_place() {
    for verb in ["home branch", "uninstall"] {
        let sandbox = Sandbox::new();
        let (web, _) = project(&sandbox, "web");
        let files = crate::world::files(&web);
        web.write(".git/index.lock", "");
        web.swift(format!("{verb} sesame").as_str()).ended(9);
        fs::remove_file(web.path(".git/index.lock")).unwrap();
        assert_eq!(crate::world::files(&web), files, "{verb}");
        assert_eq!(titles(&web), ["first ready", "second ready"], "{verb}");
        web.swift_ok("task . after");
        sound(&web, verb);
    }
}

/// Kill a program at a sample of the changes that it makes on the disk.
fn sweep<'a>(copy: &impl Fn(&str, &str), name: &str, program: impl Fn() -> Call<'a>, check: impl Fn(&str)) {
    copy("live", name);
    let points: Vec<_> = crash::points(program()).into_iter().collect();
    assert!(points.len() > 5, "the program changes something");
    for point in points.iter().step_by((points.len() / 12).max(1)) {
        copy(name, "live");
        crash::at_syscall(program(), Accident::Killed, point);
        check(&format!("{name}, killed at {point:?}"));
    }
    copy(name, "live");
}

#[test]
fn what_waits_for_a_branch_that_is_renamed_or_merged_and_deleted_goes_to_the_one_at_hand() {
    for end in ["git checkout -q main; git merge -q side; git branch -q -d side", "git branch -m side other"]
    {
        let sandbox = Sandbox::new();
        let (web, [first, _]) = project(&sandbox, "web");
        shell(&web, "git checkout -q side; git rebase main");
        web.swift_ok(["done", &first]);
        add(&web, ".", "precious");
        shell(&web, &format!("SETTLE git rebase --continue; {end}"));
        assert!(!is_busy(&web), "{}", web.git("status"));
        let there = ["first done", "precious ready", "second ready"];
        assert_eq!(titles(&web), there, "{end}: before the next verb");
        // Without a branch there is nothing to put it on.
        shell(&web, "git checkout -q --detach");
        assert!(web.swift("list").stderr.contains("waits for the branch `side`"), "{end}");
        shell(&web, "git checkout -q -");
        add(&web, ".", "third");
        assert_eq!(titles(&web), ["first done", "precious ready", "second ready", "third ready"], "{end}");
        assert!(!web.path(".git/swift/waiting").exists(), "{end}");
        sound(&web, end);
    }
}

#[test]
fn what_waits_for_a_branch_that_is_not_at_hand_is_named_by_every_verb() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    shell(&web, "git checkout -q side; git rebase main");
    web.swift_ok(["done", &first]);
    shell(&web, "SETTLE git rebase --continue; git checkout -q main; git merge -q side");
    for verb in ["list", "next", "task . third"] {
        let said = web.swift(verb).stderr;
        assert!(said.contains("waits for the branch `side`") && said.contains("git switch side"), "{said}");
    }
    let told = web.swift("doctor");
    assert!(told.stdout.contains("waits-elsewhere") && told.stdout.contains("git switch side"), "{told:?}");
    shell(&web, "git switch -q side");
    let there = web.swift("list");
    assert!(!there.stderr.contains("waits for"), "{}", there.stderr);
    web.swift_ok("task . fourth");
    sound(&web, "at last");
}

#[test]
fn what_waits_outlives_the_worktree_that_it_was_done_in() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    web.git("worktree add -q ../beside side");
    let beside = sandbox.place("beside");
    shell(&beside, "git rebase main");
    beside.swift_ok(["done", &first]);
    assert_eq!(titles(&beside), ["first done", "second ready"]);
    shell(&beside, "SETTLE git rebase --continue");
    assert!(!beside.git("status").contains("rebase"), "{}", beside.git("status"));
    shell(&web, "git merge -q side; git worktree remove ../beside; git branch -q -d side");
    assert!(!beside.path("").exists());
    add(&web, ".", "third");
    assert_eq!(titles(&web), ["first done", "second ready", "third ready"]);
    sound(&web, "without the worktree");
}

#[test]
fn what_is_owed_in_a_linked_worktree_outlives_it() {
    let sandbox = Sandbox::new();
    let (web, [first, second]) = project(&sandbox, "web");
    let ends = [("feature", "true"), ("other", "git branch -q -D other"), ("paid", "true")];
    for (branch, end) in ends {
        web.git(["worktree", "add", "-q", "-b", branch, "../beside", "main"]);
        let beside = sandbox.place("beside");
        // git's own lock is waited for; called from a hook, a verb leaves its commit to the next one at once.
        let lock = web.path(".git/worktrees/beside/index.lock");
        let words = ["task", ".", &format!("for {branch}")];
        let told = match branch {
            "feature" => {
                fs::write(&lock, "").unwrap();
                let told = beside.swift(words);
                fs::remove_file(&lock).unwrap();
                told
            }
            _ => beside.call(words).env("GIT_INDEX_FILE", "index").run(),
        };
        assert!(told.stderr.contains("not committed yet"), "{told:?}");
        let done = [("feature", &first), ("other", &second)].into_iter().find(|(name, _)| *name == branch);
        done.map(|(_, id)| beside.call(["done", id]).env("GIT_INDEX_FILE", "index").run().ok());
        if branch == "paid" {
            shell(&beside, "git add .swift; git commit -q -m mine");
        }
        web.git("worktree remove --force ../beside");
        web.program("sh", ["-c", end]).run().ok();
        let listed = web.swift("list");
        assert_eq!(
            listed.stderr.contains("waits for the branch `feature`"),
            branch == "feature",
            "{listed:?}"
        );
        if branch == "feature" {
            assert!(web.swift("uninstall sesame").stderr.contains("wait for `feature`"));
            web.git("switch -q feature");
        }
        let there = titles(&web);
        let state =
            |name: &str| there.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>();
        match branch {
            "feature" => assert_eq!(state("f"), ["first done", "for feature ready"]),
            "other" => assert_eq!(there, ["first ready", "for other ready", "second done"]),
            _ => assert_eq!(there, ["after other ready", "first ready", "for other ready", "second done"]),
        }
        if branch != "paid" {
            add(&web, ".", &format!("after {branch}"));
        }
        assert!(
            !web.path(".git/swift/owed-in").exists() && !web.path(".git/swift/waiting").exists(),
            "{branch}"
        );
        sound(&web, branch);
        web.git("switch -q main");
    }
}

#[test]
fn what_the_next_verb_leaves_to_its_branch_is_named_before() {
    let sandbox = Sandbox::new();
    let (web, [first, _]) = project(&sandbox, "web");
    web.call(["done", &first]).env("GIT_INDEX_FILE", "index").run().ok();
    assert!(!web.swift("list").stderr.contains("waits for"), "it is at hand");
    web.git("checkout -q side");
    for verb in ["list", "task . OnSide", "next"] {
        let said = web.swift(verb);
        said.ended(0);
        assert!(said.stderr.contains("waits for the branch `main`"), "{verb}: {}", said.stderr);
        assert_eq!(said.stderr.matches("waits for").count(), 1, "{verb}: {}", said.stderr);
    }
    assert_eq!(titles(&web), ["OnSide ready", "first ready", "second ready"]);
    sound(&web, "on another branch");
    web.git("checkout -q main");
    add(&web, ".", "on main");
    assert_eq!(titles(&web), ["first done", "on main ready", "second ready"]);
    sound(&web, "back on its branch");
}

#[test]
fn a_hook_of_another_repository_holds_up_nothing() {
    let sandbox = Sandbox::new();
    let world = World::in_tree(&sandbox);
    let swift = env!("CARGO_BIN_EXE_swift");
    let hub = world.hub.path("").display().to_string();
    let hook = format!("#!/bin/sh\n{swift} -C {hub} outbox sesame\n");
    let other = sandbox.repository("other");
    other.git("worktree add --quiet ../linked");
    let bare = sandbox.place("bare");
    bare.git("init --quiet --bare");
    other.git("remote add origin ../bare");
    for path in ["other/.git/hooks/post-commit", "bare/hooks/post-receive"] {
        sandbox.root().write(path, &hook);
        sandbox.root().program("chmod", ["+x", path]).run().ok();
    }
    for (place, words) in [
        (&other, "commit --quiet --allow-empty -m here"),
        (&sandbox.place("linked"), "commit --quiet --allow-empty -m linked"),
        (&other, "push --quiet origin main"),
    ] {
        let id = world.letter("T");
        place.git(words);
        assert_eq!(copies(&world.api, &id).len(), 1, "{words}");
        assert_eq!(world.api.git("status --porcelain"), "", "{words}");
        assert_eq!(copies(&world.web, &id)[0].split('/').next(), Some("sent"), "{words}");
    }
    // One of its own does, and the next verb commits.
    let own = format!("#!/bin/sh\n{swift} task . 'In a hook'\n");
    world.api.write(".git/hooks/post-commit", own);
    world.api.program("chmod", ["+x", ".git/hooks/post-commit"]).run().ok();
    world.api.git("commit --quiet --allow-empty -m own");
    assert_ne!(world.api.git("status --porcelain"), "");
    add(&world.api, ".", "Later");
    sound(&world.api, "in the end");
}
