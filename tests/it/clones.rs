//! One clone moves the queue, another one has not heard of it: each is told where the queue is, what it has of its own
//! comes along, and no second queue is made.

use crate::sandbox::{Output, Place, Sandbox};
use crate::world::{add, sound, text, twins};

/// The commands between backticks in what a verb has said, in their order.
fn commands(said: &str) -> Vec<String> {
    said.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Run a command of a hint as a person would paste it.
fn paste(place: &Place<'_>, command: &str) -> Output {
    let at = place.path("");
    let above = at.parent().unwrap().display().to_string();
    place.program("sh", ["-c", &format!("SANDBOX={above}; {command}")]).run()
}

/// Title and state of every task.
fn tasks(place: &Place<'_>) -> Vec<(String, String)> {
    let list = place.json("list --state any");
    let mut all: Vec<_> = list["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (text(&task["title"]), text(&task["state"])))
        .collect();
    all.sort();
    all
}

fn titles(place: &Place<'_>) -> Vec<String> {
    tasks(place).into_iter().map(|(title, _)| title).collect()
}

fn id_of(place: &Place<'_>, title: &str) -> String {
    let list = place.json("list");
    let found = list["tasks"].as_array().unwrap().iter().find(|task| task["title"] == title).cloned();
    text(&found.unwrap()["id"])
}

fn healthy(place: &Place<'_>) {
    assert_eq!(place.json("doctor")["findings"].to_string(), "[]");
    sound(place, "healthy");
}

/// What a verb that refuses has said.
fn refused(place: &Place<'_>, verb: &str) -> String {
    let tips = place.git("for-each-ref");
    let said = place.swift(verb);
    assert_ne!(said.status, 0, "{verb}: {}", said.stdout);
    assert_eq!(place.git("for-each-ref"), tips, "{verb}");
    said.stderr
}

#[test]
fn a_clone_goes_along_when_another_one_has_moved_the_queue_into_the_tree() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base", "Done by both"]);
    let both = id_of(&web, "Done by both");
    add(&twin, ".", "From the twin");
    twin.swift_ok(["done", &both, "--result", "there"]);
    twin.swift_ok(["edit", &id_of(&twin, "Base"), "--priority", "high"]);
    web.swift_ok("home tree sesame");
    add(&web, ".", "Since");
    web.swift_ok(["done", &both, "--result", "here"]);
    twin.git("pull --quiet --no-rebase --no-edit other main");
    for verb in
        ["list", "doctor", "task . New", "init", "uninstall --keep-branch sesame", "home branch sesame"]
    {
        let said = refused(&twin, verb);
        assert!(said.contains("is in the tree of the branch `main` now, since commit"), "{verb}: {said}");
        assert_eq!(commands(&said).last().unwrap(), "swift home tree", "{verb}: {said}");
        assert!(!said.contains("git rm"), "{verb}: {said}");
    }
    let plan = twin.swift("home tree --dry-run");
    assert!(plan.ok().contains("remove the worktree of the branch `swift`"), "{}", plan.stdout);
    let main = twin.git("rev-parse main");
    let said = twin.swift_ok("home tree sesame");
    assert_eq!((twin.git("rev-parse main"), twin.git("status --porcelain")), (main, String::new()));
    assert_eq!(titles(&twin), titles(&web));

    // Until its own commits are joined, every verb and `doctor` say so, with the command that joins them.
    let command = "git merge -X subtree=.swift swift";
    assert!(said.contains("`swift` has commits of this clone"), "{said}");
    assert!(twin.swift("list").stderr.contains(command));
    let doctor = twin.swift("doctor");
    assert!(doctor.ended(8).stdout.contains(command), "{}", doctor.stdout);
    assert_ne!(paste(&twin, &format!("{command} --no-edit")).status, 0, "both have finished one task");
    twin.swift_ok("resolve sesame");
    twin.git("commit --quiet --no-edit");
    let told = twin.swift("list");
    assert!(!told.stderr.contains("joins"), "{}", told.stderr);
    let all = ["Base", "Done by both", "From the twin", "Since"];
    assert_eq!(titles(&twin), all);
    assert_eq!(twin.json("list")["tasks"].as_array().unwrap().len(), 3);
    healthy(&twin);
    web.git("pull --quiet --no-rebase --no-edit other main");
    assert_eq!(tasks(&web), tasks(&twin));
    healthy(&web);
}

#[test]
fn a_clone_that_has_nothing_of_its_own_goes_along_and_keeps_no_branch() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base"]);
    web.swift_ok("home tree sesame");
    twin.git("pull --quiet --no-rebase --no-edit other main");
    assert!(refused(&twin, "list").contains("swift home tree"));
    twin.swift_ok("home tree sesame");
    assert_eq!(twin.git("branch --list swift"), "");
    assert_eq!(titles(&twin), ["Base"]);
    healthy(&twin);
    // And back: the other one takes the branch over again.
    twin.swift_ok("home branch sesame");
    add(&twin, ".", "There");
    healthy(&twin);
}

#[test]
fn what_is_not_committed_is_not_left_behind() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base"]);
    let own = add(&twin, ".", "From the twin");
    web.swift_ok("home tree sesame");
    twin.git("pull --quiet --no-rebase --no-edit other main");
    let path = format!(".swift/{}", crate::world::copies(&twin, &own)[0]);
    twin.write(&path, format!("{}\nby hand\n", twin.read(&path)));
    let said = refused(&twin, "home tree sesame");
    assert!(said.contains("not committed"), "{said}");
    for command in commands(&said).into_iter().filter(|command| command.starts_with("git ")) {
        let command = command.replace(" commit ", " commit --quiet --message by-hand ");
        paste(&twin, &command).ok();
    }
    twin.swift_ok("home tree sesame");
    twin.git("merge --quiet --no-edit -X subtree=.swift swift");
    assert!(twin.read(&path).ends_with("by hand\n"));
    assert_eq!(titles(&twin), ["Base", "From the twin"]);
}

#[test]
fn a_move_that_came_as_part_of_another_commit_is_seen_by_the_files() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base"]);
    add(&twin, ".", "From the twin");
    let before = web.git("rev-parse main");
    web.swift_ok("home tree sesame");
    web.git(["reset", "--quiet", "--soft", before.trim()]);
    web.git("commit --quiet --message squashed");
    twin.git("pull --quiet --no-rebase --no-edit other main");
    let said = refused(&twin, "list");
    assert!(!said.contains("git rm"), "{said}");
    twin.swift_ok("home tree sesame");
    let command = commands(&twin.swift("list").stderr).pop().unwrap();
    paste(&twin, &format!("{command} --no-edit")).ok();
    assert_eq!(titles(&twin), ["Base", "From the twin"]);
}

#[test]
fn a_clone_in_the_tree_goes_along_to_the_branch_and_makes_no_second_queue() {
    for is_fetched in [true, false] {
        for conflict in [true, false] {
            let sandbox = Sandbox::new();
            let [web, twin] = twins(&sandbox, "init --in-tree", &["Base", "Open"]);
            add(&twin, ".", "From the twin");
            if conflict {
                twin.swift_ok(["done", &id_of(&twin, "Open")]);
                twin.swift_ok(["edit", &id_of(&twin, "Base"), "--priority", "high"]);
            }
            web.swift_ok("home branch sesame");
            web.swift_ok(["edit", &id_of(&web, "Base"), "--label", "colour"]);
            if is_fetched {
                twin.git("fetch --quiet other");
            }
            let pulled = twin.program("git", "pull --no-rebase --no-edit other main").run();
            assert_eq!(pulled.status != 0, conflict, "{}", pulled.stdout);
            let said = refused(&twin, "list");
            for verb in ["task . New", "init", "init --in-tree"] {
                let said = refused(&twin, verb);
                assert!(said.contains("moved from the tree to a branch"), "{verb}: {said}");
                assert!(!said.contains("checkout"), "{verb}: {said}");
            }
            assert!(said.contains("moved from the tree to a branch of its own, in commit"), "{said}");
            let steps: Vec<_> =
                commands(&said).into_iter().filter(|step| step.starts_with("git -C")).collect();
            assert_eq!(steps.len(), 2, "{said}");
            paste(&twin, &steps[0]).ok();
            paste(&twin, &format!("{} --quiet --message out", steps[1])).ok();
            if !is_fetched {
                let said = refused(&twin, "init");
                assert!(said.contains("git fetch"), "{said}");
                assert!(refused(&twin, "list").contains("git fetch"));
                twin.git("fetch --quiet other");
            }
            twin.swift_ok("init");
            let said = twin.swift("list");
            let command = commands(&said.stderr).into_iter().find(|it| it.contains("subtree")).unwrap();
            assert!(twin.swift("doctor").ended(8).stdout.contains(&command));
            let merged = paste(&twin, &format!("{command} --no-edit"));
            if merged.status != 0 {
                twin.swift_ok("resolve sesame");
            }
            let state = if conflict { "done" } else { "ready" };
            let all = [("Base", "ready"), ("From the twin", "ready"), ("Open", state)];
            let all = all.map(|(title, state)| (title.to_owned(), state.to_owned()));
            assert_eq!(tasks(&twin), all);
            assert!(!twin.swift("list").stderr.contains("subtree"));
            healthy(&twin);
            web.git("-C .swift pull --quiet --no-rebase --no-edit ../../twin swift");
            web.git("pull --quiet --no-rebase --no-edit other main");
            assert_eq!(tasks(&web), all);
            healthy(&web);
        }
    }
}

#[test]
fn what_a_merge_of_the_former_branch_puts_at_the_root_is_named_and_brought_in() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base"]);
    add(&twin, ".", "From the twin");
    twin.swift_ok(["edit", &id_of(&twin, "Base"), "--priority", "high"]);
    web.write("tasks/own.txt", "the project's own\n");
    web.git("add tasks");
    web.git("commit --quiet --message own");
    web.swift_ok("home tree sesame");
    web.git("fetch --quiet other");
    let told = web.swift("doctor");
    assert!(told.ended(8).stdout.contains("git merge -X subtree=.swift other/swift"), "{}", told.stdout);
    web.git("merge --quiet --no-edit other/swift");
    assert!(web.path("audit").is_dir(), "git has put it at the root");
    add(&web, ".", "Since");
    for _ in 0..2 {
        let told = web.swift("list");
        let doctor = web.swift("doctor");
        assert!(told.stderr.contains("at the root of the project"), "{}", told.stderr);
        assert!(doctor.ended(8).stdout.contains("at-the-root"), "{}", doctor.stdout);
        let all = commands(&told.stderr);
        let step = all.iter().find(|step| step.starts_with("git ")).unwrap();
        paste(&web, &step.replace("git merge", "git merge --no-edit")).ok();
    }
    assert_eq!(titles(&web), ["Base", "From the twin", "Since"]);
    web.git("commit --quiet --message less");
    assert_eq!(web.git("ls-tree --name-only HEAD audit tasks/"), "tasks/own.txt\n");
    healthy(&web);
}

#[test]
fn a_merge_of_the_former_branch_that_git_cannot_end_is_told_how_to_begin_again() {
    let sandbox = Sandbox::new();
    let [web, twin] = twins(&sandbox, "init", &["Base", "Open"]);
    add(&twin, ".", "From the twin");
    twin.swift_ok(["done", &id_of(&twin, "Open")]);
    web.swift_ok("home tree sesame");
    web.git("fetch --quiet other");
    assert_ne!(web.program("git", "merge --no-edit other/swift").run().status, 0);
    let told = web.swift("list").stderr;
    assert!(told.contains("at the root of the project") && !told.contains("settles"), "{told}");
    assert!(refused(&web, "resolve sesame").contains("git merge --abort"));
    for step in commands(&told).into_iter().filter(|step| step.starts_with("git merge")) {
        let step = if step.contains("abort") { step } else { format!("{step} --no-edit") };
        paste(&web, &step).ok();
    }
    assert!(!web.path("tasks").exists() && !web.path("audit").exists());
    assert_eq!(titles(&web), ["Base", "From the twin", "Open"]);
    healthy(&web);
}
