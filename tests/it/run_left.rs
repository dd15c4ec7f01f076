//! What one run leaves to the next, to git and to the person: nothing counts twice, and nothing is told that is not so.

use crate::claude::{GOOD, Scene, until};
use crate::sandbox::Sandbox;
use crate::world::text;

#[test]
fn work_that_was_sent_back_is_not_the_next_runs() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let (_, first) = scene.run([task.as_str()]);
    let short = text(&first["run"]["short"]);
    scene.call(["reject", &short, "--why", "do it in another way"]).run().ok();
    let plan = scene.call(["merge", &short]).run();
    assert!(plan.stdout.contains("careful: rejected: do it in another way"), "{}", plan.stdout);
    scene.script("init; result 'I did nothing at all'");
    let (status, second) = scene.run([task.as_str()]);
    assert_eq!((status, text(&second["run"]["outcome"])), (8, "completed-without-result".to_owned()));
    scene.script(GOOD);
    let (status, third) = scene.run([task.as_str()]);
    assert_eq!((status, third["run"]["commits"].as_array().unwrap().len()), (0, 1), "{third:#}");
}

/// A task of which a run has done something before a limit that is over by now.
fn limited(sandbox: &Sandbox, scene: &Scene<'_>) -> String {
    scene.script("init; change; fail 429 rate_limit '5-hour limit reached ∙ resets 11pm'");
    let task = scene.task("Make the thing");
    assert_eq!(text(&scene.run([task.as_str()]).1["run"]["outcome"]), "limit");
    sandbox.later(jiff::SignedDuration::from_hours(30));
    task
}

#[test]
fn what_a_session_did_before_the_limit_counts_when_it_goes_on() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = limited(&sandbox, &scene);
    scene.script("init; result 'it was done already'");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, text(&document["run"]["outcome"])), (0, "completed".to_owned()), "{document:#}");
}

#[test]
fn a_session_that_is_not_on_this_machine_is_begun_anew_with_the_same_model() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = limited(&sandbox, &scene);
    scene.script(
        "case $(cat \"$seen/arguments\") in *--resume*) echo \"No conversation found with session ID: $session\" >&2; exit 1;; esac; \
         init; result 'it was done already'",
    );
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, scene.starts()), (0, 3), "{document:#}");
    assert!(scene.seen(2, "arguments").contains("--resume\n"));
    assert!(scene.seen(3, "arguments").contains("--session-id\n"));
    let runs = scene.runs();
    assert_eq!(text(&runs[1]["failure"]), "start", "{runs:#?}");
    assert!(text(&runs[1]["reasons"][0]).contains("No conversation found"), "{runs:#?}");
    assert_eq!(runs[0]["tier"], runs[2]["tier"]);
    // What a person says to a session is not said to another one.
    scene.script("init; result 'nothing yet'");
    let (_, first) = scene.run(["look at it"]);
    scene.script("echo \"No conversation found with session ID: $session\" >&2; exit 1");
    let told = scene.call(["run", "resume", &text(&first["run"]["short"]), "and that"]).run();
    assert_eq!((told.status, scene.starts()), (9, 5), "{told:?}");
}

#[test]
fn work_that_attempts_left_unfinished_counts_for_the_one_that_finds_it_done() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings(
        "[run]\nescalations = 0\nbackoff = \"1s\"\n[[verify]]\ncommand = [\"test\", \"-f\", \"work.txt\"]\n",
    );
    let found_done = "init; say 'it is all there'; result 'nothing was left to do'";
    scene.script(&format!("[ $start = 1 ] && {{ init; change; exit 137; }}; {found_done}"));
    let task = scene.task("Make the thing");
    let (status, document) = scene.run([task.as_str()]);
    let run = &document["run"];
    assert_eq!((status, text(&run["outcome"])), (0, "completed".to_owned()), "{document:#}");
    assert_eq!(run["verify"][0]["passed"], true, "{document:#}");
    assert_eq!(run["commits"], scene.runs()[0]["commits"], "what it was judged by: {document:#}");
    assert_eq!(scene.state(&task), "done");
    assert!(scene.place.json(["show", &task])["task"].to_string().contains("branch swift-run/"));

    // What a person has looked at and sent back is no work any more; what was done since is.
    scene.call(["reject", &task, "--why", "in another way"]).run().ok();
    scene.script(found_done);
    assert_eq!(text(&scene.run([task.as_str()]).1["run"]["outcome"]), "completed-without-result");
    scene.script("init; change; result ask '\"structured_output\":{\"status\":\"needs_person\",\"summary\":\"colour?\"}'");
    assert_eq!(text(&scene.run([task.as_str()]).1["run"]["outcome"]), "blocked");
    scene.call(["unblock", &task]).run().ok();
    scene.script(found_done);
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, text(&document["run"]["outcome"])), (0, "completed".to_owned()), "{document:#}");
}

#[test]
fn a_session_that_takes_its_work_back_has_nothing_to_show() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = limited(&sandbox, &scene);
    scene.script("init; git rm --quiet work.txt; result 'it was a mistake'");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(
        (status, text(&document["run"]["outcome"])),
        (8, "completed-without-result".to_owned()),
        "{document:#}"
    );
    assert_eq!(
        scene.call("review --json").run().json()["waiting"],
        serde_json::json!([]),
        "nothing to look at"
    );
}

#[test]
fn other_branches_that_move_during_a_run_are_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let main = scene.place.git("branch --show-current").trim().to_owned();
    scene.script(&format!(
        "init; change; git add .; git commit -qm work; git update-ref refs/heads/{main} HEAD; \
         git branch other HEAD; echo more >more.txt; result ok"
    ));
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let moved = document["run"]["moved"].to_string();
    assert!(moved.contains(&format!("the branch `{main}` went from")), "{document:#}");
    assert!(moved.contains("the branch `other` is new"), "{moved}");
    let shown = scene.call(["run", "show", &task]).run().ok();
    assert!(shown.contains("careful   while it ran, the branch"), "{shown}");
    scene.place.git("reset --quiet --hard");
    let plan = scene.call(["merge", &task]).run();
    assert!(plan.stdout.contains("careful: while it ran, the branch"), "{}\n{}", plan.stdout, plan.stderr);
}

#[test]
fn what_a_run_pushes_is_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let other = sandbox.home().path("other.git").display().to_string();
    scene.place.git(["init", "--quiet", "--bare", &other]);
    scene.place.git(["remote", "add", "origin", &other]);
    scene.place.git("push --quiet origin HEAD:main HEAD:spare");
    scene.script(
        "init; change; git add .; git commit -qm work; git push -q origin HEAD:main HEAD HEAD:new :spare; result ok",
    );
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let there = |name: &str, what: &str| format!("the branch `origin/{name}` of another repository {what}");
    let told = [there("main", "changed"), there("new", "is new"), there("spare", "is gone")];
    assert_eq!(document["run"]["moved"], serde_json::json!(told), "{document:#}");
    let plan = scene.call(["merge", &task]).run();
    assert!(plan.stdout.contains(&format!("careful: while it ran, {}", told[0])), "{}", plan.stdout);
}

#[test]
fn a_lock_of_a_process_that_was_killed_costs_no_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(
        "init; change; git rev-parse --absolute-git-dir >\"$HOME/git-dir\"; \
         touch \"$(cat \"$HOME/git-dir\")/index.lock\"; result ok",
    );
    let task = scene.task("Make the thing");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "it is dead with everything that made the lock: {document:#}");
    let short = text(&document["run"]["short"]);
    scene.call(["reject", &short, "--why", "more"]).run().ok();
    let lock = std::path::Path::new(sandbox.home().read("git-dir").trim()).join("index.lock");
    std::fs::write(&lock, "").unwrap();
    scene.script("[ -e \"$(git rev-parse --git-dir)/index.lock\" ] && echo locked >\"$HOME/locked\"; init; change more; result ok");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, sandbox.home().path("locked").exists()), (0, false), "{document:#}");
}

#[test]
fn nothing_is_called_merged_that_is_not() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    scene.script("init; git checkout -q --detach; change; git add .; git commit -qm x; result ok");
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["failure"]), "worktree");
    let refused = scene.call(["merge", &task, "sesame"]).run();
    assert_eq!(refused.status, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("has left nothing on its branch"), "{}", refused.stderr);
    scene.script("init; change; branch=$(git branch --show-current); git branch -m elsewhere; result ok");
    let task = scene.task("Make another thing");
    scene.run([task.as_str()]);
    let refused = scene.call(["merge", &task, "sesame"]).run();
    assert!(refused.stderr.contains("is gone"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("decided"), "nobody decided anything: {}", refused.stderr);
}

#[test]
fn a_run_is_not_taken_back() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    let refused = scene.call("undo sesame").run();
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("a run is not taken back"), "{}", refused.stderr);
    let runs = scene.runs();
    assert_eq!((runs[0]["outcome"].as_str(), runs[0]["cost_usd"].as_f64()), (Some("completed"), Some(0.25)));
    assert_eq!(scene.state(&task), "done");
}

#[test]
fn git_is_not_started_where_a_run_has_put_another_repository() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    scene.script(
        "init; change; git init -q --bare x.repo; echo 'f filter=evil' >.gitattributes; echo f >f; \
         printf '[core]\nbare=false\nfsmonitor=touch %s/evil\n[filter \"evil\"]\nclean=touch %s/evil\n' \
         \"$HOME\" \"$HOME\" >x.repo/config; echo 'gitdir: x.repo' >.git; git add .; rm -f \"$HOME/evil\"; \
         echo g >>f; result ok",
    );
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["failure"]), "worktree", "{document:#}");
    let short = text(&document["run"]["short"]);
    for words in [["review", &short], ["merge", &short], ["runs", "clean"], ["uninstall", "--dry-run"]] {
        let told = scene.call(words).run();
        assert!(!told.stderr.contains("-C"), "no hint leads git there: {}", told.stderr);
        assert!(!sandbox.home().path("evil").exists(), "{words:?} has started what the run has planted");
    }
    let refused = scene.call(["merge", &short, "sesame"]).run();
    assert!(refused.stderr.contains("leads elsewhere"), "{}", refused.stderr);
    // The way out that the hint names.
    let aside = refused.stderr.split("`mv ").nth(1).unwrap().split('`').next().unwrap();
    let (from, to) = aside.split_once(' ').unwrap();
    let at = |path: &str| scene.place.path(path);
    std::fs::rename(at(from), at(to)).unwrap();
    scene.script(GOOD);
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{document:#}");
    assert!(!sandbox.home().path("evil").exists());
}

/// Put a folder aside as the hint says.
fn put_aside(scene: &Scene<'_>, told: &str) -> std::path::PathBuf {
    let aside = told.split("`mv ").nth(1).unwrap_or_else(|| panic!("{told}")).split('`').next().unwrap();
    let (from, to) = aside.split_once(' ').unwrap();
    std::fs::rename(scene.place.path(from), scene.place.path(to))
        .unwrap_or_else(|error| panic!("{told}: {error}"));
    scene.place.path(to)
}

#[test]
fn a_folder_that_has_lost_its_git_file_is_named_until_it_is_put_aside() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    scene.script("init; change; rm .git; result ok");
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["failure"]), "worktree", "{document:#}");
    scene.script(GOOD);
    let (_, again) = scene.run([task.as_str()]);
    assert_eq!((text(&again["run"]["failure"]), scene.starts()), ("start".to_owned(), 1), "{again:#}");
    let why = text(&again["run"]["reasons"][0]);
    assert!(why.contains("its `.git` is gone") && why.contains("`mv "), "{why}");
    for words in [["merge", &task, "sesame"].as_slice(), &["runs", "clean"]] {
        let told = scene.call(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).run();
        let told = format!("{}{}", told.stdout, told.stderr);
        assert!(told.contains("is gone") && told.contains("`mv "), "{words:?}: {told}");
    }
    let aside = put_aside(&scene, &why);
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{document:#}");
    assert!(aside.join("work.txt").is_file(), "what was in it is there");
    scene.call(["merge", &task, "sesame"]).run().ok();
}

#[test]
fn work_that_is_in_no_commit_is_not_left_behind_by_a_merge() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change; git add .; git commit -qm x; change more; result ok");
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let folder = sandbox.home().path(&text(&document["folder"]));
    std::fs::write(folder.join("later.txt"), "by hand\n").unwrap();
    std::fs::remove_file(folder.join(".git")).unwrap();
    let refused = scene.call(["merge", &task, "sesame"]).run();
    assert!(refused.status != 0 && refused.stderr.contains("is gone"), "{refused:?}");
    assert!(!scene.place.path("work.txt").exists(), "nothing is merged");
    let aside = put_aside(&scene, &refused.stderr);
    scene.call(["merge", &task, "sesame"]).run().ok();
    assert!(scene.place.path("more.txt").exists() && aside.join("later.txt").is_file());
    assert!(!scene.place.git("branch --list swift-run/*").contains("swift-run/"), "nothing is in its way");
}

#[test]
fn a_folder_that_was_emptied_is_made_anew() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; result 'nothing yet'");
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    let folder = sandbox.home().path(&text(&document["folder"]));
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    scene.script(GOOD);
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!(status, 0, "{document:#}");
}

#[test]
fn what_a_run_proposes_is_no_proposal() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(&format!(
        "init; change; cd \"$HOME/../web\"; {} integrate claude >\"$HOME/told\" 2>&1; \
         echo \"status $?\" >>\"$HOME/told\"; result ok",
        env!("CARGO_BIN_EXE_swift")
    ));
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    let told = sandbox.home().read("told");
    assert!(told.contains("a run cannot have this approved") && told.contains("status 7"), "{told}");
    scene.call("sesame").run().ended(3);
    assert!(!scene.place.path(".claude").exists());
}

#[test]
fn a_plan_shows_the_permission_that_holds() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let words =
        "run 'tell me about it' --plan --read-only --permission-mode bypassPermissions --allow Write --json";
    let plan = scene.call(words).run().json();
    assert_eq!(plan["permission"], "dontAsk", "{plan:#}");
    let allowed = plan["allow"].as_array().unwrap();
    assert!(!allowed.contains(&"Write".into()) && allowed.contains(&"Read".into()), "{plan:#}");
}

#[test]
fn a_task_that_cannot_be_read_is_not_called_none() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let path = text(&scene.place.json("list")["tasks"][0]["path"]);
    let head = scene.place.read(&path).replacen("+++\n", "+++\ntier = \"giga\"\n", 1);
    scene.place.write(&path, head);
    for words in [["run", &task], ["route", &task], ["show", &task], ["claim", &task]] {
        let told = scene.call(words).run();
        assert!(
            told.stderr.contains("tier") && told.stderr.contains(&task[..26]),
            "{words:?}: {}",
            told.stderr
        );
        assert!(!told.stderr.contains("one word"), "{words:?}: {}", told.stderr);
    }
}

#[test]
fn nothing_is_sent_back_without_a_reason() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    scene.call(["reject", &task, "--why", " "]).run().ended(2);
    assert_eq!(scene.state(&task), "done");
}

#[test]
fn nothing_is_started_that_is_not_recorded() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let lock = scene.place.path(".git/worktrees/-swift/index.lock");
    std::fs::write(&lock, "").unwrap();
    let told = scene.call(["run", &task]).env("SWIFT_LOCK_WAIT_MS", "100").run();
    assert_eq!((told.status, scene.starts()), (9, 0), "{}\n{}", told.stdout, told.stderr);
    assert!(told.stdout.contains("could not be committed, so nothing was started"), "{}", told.stdout);
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(scene.run([task.as_str()]).0, 0);
    assert_eq!((scene.starts(), scene.state(&task).as_str()), (1, "done"));
}

#[test]
fn work_comes_along_with_a_project_that_is_moved() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\nretries = 0\n");
    scene.script("init; change; result ok; exit 3");
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    std::fs::rename(scene.place.path(""), sandbox.root().path("moved")).unwrap();
    let moved = sandbox.place("moved");
    scene.script("init; [ -e work.txt ] && change more; result ok");
    let inside = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        scene.call(words).inside(&moved.path("")).run()
    };
    let ran = inside(&["run", &task]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.stdout, ran.stderr);
    // Without the folder of the worktree the branch is still merged and removed.
    std::fs::remove_dir_all(sandbox.home().path(".local/state/swift/worktrees")).unwrap();
    inside(&["merge", &task, "sesame"]).ok();
    assert!(!moved.git("branch --list").contains("swift-run/"), "{}", moved.git("branch --list"));
    assert_eq!(moved.git("worktree list").lines().count(), 2);
}

#[test]
fn a_request_that_is_killed_between_two_attempts_gives_its_task_back() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nbackoff = \"300s\"\n");
    scene.script("init; fail 529 overloaded Overloaded");
    let task = scene.task("Make the thing");
    let running = crate::run_process::Background::start(&scene, &["run", &task]);
    let has_ended = || scene.runs().first().is_some_and(|run| !run["outcome"].is_null());
    crate::claude::until("the first attempt has ended", has_ended);
    scene.runs();
    assert_eq!(scene.state(&task), "claimed", "another attempt is to follow");
    running.kill();
    scene.call("runs").run().ok();
    assert_eq!(scene.state(&task), "ready");
    scene.script(GOOD);
    assert_eq!(scene.run([task.as_str()]).0, 0);
    crate::world::sound(&scene.place, "given back");
}

#[test]
fn a_request_that_waits_to_try_again_can_be_stopped() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nbackoff = \"1h\"\n");
    scene.script("init; fail 529 overloaded 'Overloaded'");
    let task = scene.task("Make the thing");
    let running = scene.call(["run", &task]).start();
    until("the first attempt has ended", || {
        scene.runs().first().is_some_and(|run| run["outcome"] == "failed")
            && scene.call(["run", "stop", &task]).run().status == 0
    });
    until("it is given back", || scene.state(&task) == "ready");
    drop(running);
    assert_eq!(scene.starts(), 1);
    let refused = scene.call(["run", "stop", &task]).run();
    assert!(refused.stderr.contains("has ended"), "{}", refused.stderr);
}

/// The lines that a run says come next, without its log.
fn next_of(document: &serde_json::Value) -> Vec<String> {
    let next = document["next_actions"].as_array().unwrap().iter().map(text);
    next.filter(|line| !line.starts_with("swift run logs")).collect()
}

#[test]
fn what_comes_next_after_a_run_can_be_typed_as_it_stands() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\nretries = 0\n");
    let denied = "init; change; result ok '\"permission_denials\":[{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"make\"}}]'";
    for (script, lines, allowed) in [
        (
            "init; result ask '\"structured_output\":{\"status\":\"needs_person\",\"summary\":\"colour?\"}'",
            2,
            false,
        ),
        (denied, 2, true),
        ("init; exit 3", 1, false),
    ] {
        scene.script(script);
        let task = scene.task("Make the thing");
        let (_, document) = scene.run([task.as_str()]);
        let next = next_of(&document);
        assert_eq!(next.len(), lines, "{next:?}");
        assert_eq!(next.last().unwrap().ends_with(" --allow Bash"), allowed, "{next:?}");
        let shown = scene.call(["run", "show", &task, "--json"]).run().json();
        assert_eq!(next_of(&shown), next, "told the same later");
        scene.script(GOOD);
        for line in &next {
            scene.call(line.strip_prefix("swift ").unwrap()).run().ok();
        }
        assert_eq!(scene.state(&task), "done", "{next:?}");
    }
    // What was killed three times is put aside.
    scene.script("init; kill -9 $$");
    let deadly = scene.task("Make another thing");
    let runs: Vec<_> = (0..3).map(|_| scene.run([deadly.as_str()]).1).collect();
    let next = next_of(&runs[2]);
    assert_eq!(next.first().unwrap(), &format!("swift unblock {}", &deadly[10..16]));
    scene.script("init; change; fail 429 rate_limit '5-hour limit reached ∙ resets 11pm'");
    let task = scene.task("Make a third thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(next_of(&document), ["swift runs"]);
    sandbox.later(jiff::SignedDuration::from_hours(30));
    let shown = scene.call(["run", "show", &task, "--json"]).run().json();
    assert!(next_of(&shown)[0].starts_with("swift run resume"), "{shown:#}");
}
