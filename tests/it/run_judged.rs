//! What a run leaves behind is looked at, whatever it says of itself.

use serde_json::Value;

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::text;

/// How a run of a new task ended: its outcome, and the reasons on one line.
fn ended(scene: &Scene<'_>, script: &str) -> (String, String, Value) {
    let task = scene.task("Make the thing");
    ended_for(scene, &task, script)
}

fn ended_for(scene: &Scene<'_>, task: &str, script: &str) -> (String, String, Value) {
    scene.script(script);
    let (_, document) = scene.run([task]);
    let run = &document["run"];
    let failure = run["failure"].as_str().map(|failure| format!(" ({failure})")).unwrap_or_default();
    (text(&run["outcome"]) + &failure, run["reasons"].to_string(), document)
}

fn reviewed(scene: &Scene<'_>) -> Value {
    scene.call("review --json").run().json()
}

#[test]
fn an_answer_in_another_form_than_asked_is_no_success_and_none_is_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    let other = "init; change; result ok '\"structured_output\":{\"status\":\"banana\"}'";
    assert_eq!(ended(&scene, other).0, "failed (answer-form)");
    let (outcome, reasons, _) = ended(&scene, "is_silent=yes; init; change; result 'all is well'");
    assert_eq!(outcome, "completed", "its work is judged");
    assert!(reasons.contains("did not say itself"), "{reasons}");
}

#[test]
fn what_cannot_be_merged_is_no_success_and_hides_no_other_work() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    assert_eq!(ended(&scene, GOOD).0, "completed");
    let conflict = "init; git checkout -qb side; change; git add .; git commit -qm a; git checkout -q -; \
                    echo other >work.txt; git add .; git commit -qm b; git merge -q side; result ok";
    let (outcome, reasons, _) = ended(&scene, conflict);
    assert_eq!(outcome, "failed (worktree)");
    assert!(reasons.contains("work.txt` is left in conflict"), "{reasons}");
    let inner = "init; mkdir sub; cd sub; git init -q; echo x >f; git add .; git commit -qm s; result ok";
    let (outcome, reasons, _) = ended(&scene, inner);
    assert_eq!(outcome, "failed (worktree)");
    assert!(reasons.contains("`sub` is a repository of its own"), "{reasons}");
    let orphan = "init; git update-ref HEAD $(git commit-tree HEAD^{tree} -m orphan); change; result ok";
    let (outcome, reasons, document) = ended(&scene, orphan);
    assert_eq!(outcome, "failed (worktree)");
    assert!(reasons.contains("no longer holds the commit that it began at"), "{reasons}");
    let all = reviewed(&scene);
    let rows = all["waiting"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["mergeable"] == true), "{all:#}");
    let short = text(&document["run"]["short"]);
    let lost = rows.iter().find(|row| row["short"] == short.as_str()).unwrap();
    assert!(text(&lost["refused"]).contains("unrelated histories"), "{lost:#}");
    let one = scene.call(["review", &short]).run();
    assert_eq!(one.status, 0, "{}", one.stderr);
    assert!(!one.stderr.contains("swift merge"), "{}", one.stderr);
    assert_eq!(scene.call(["merge", &short, "sesame"]).run().status, 4);
}

#[test]
fn verifiers_see_what_is_committed_and_leave_nothing() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.write("check.sh", "exit 1\n");
    scene.place.git("add check.sh");
    scene.place.git("commit --quiet --message check");
    scene.settings(
        "[run]\nescalations = 0\n[[verify]]\ncommand = [\"sh\", \"check.sh\"]\n\
         [[verify]]\ncommand = [\"sh\", \"-c\", \"echo artefact > built.txt; echo more >> work.txt\"]\n",
    );
    let hidden =
        "init; change; git update-index --skip-worktree check.sh; echo 'exit 0' >check.sh; result ok";
    let (outcome, _, document) = ended(&scene, hidden);
    assert_eq!(outcome, "completed", "{document:#}");
    let ended = text(&document["run"]["verify"][0]["ended"]);
    assert_eq!(ended, "exit 0; the run changed check.sh itself");
    let short = text(&document["run"]["short"]);
    let patch = scene.call(["review", &short]).run().stdout;
    assert!(patch.contains("exit 0"), "what was hidden is committed: {patch}");
    let merged = scene.call(["merge", &short, "sesame"]).run();
    assert_eq!(merged.status, 0, "{}", merged.stderr);
    assert!(!scene.place.path("built.txt").exists() && !scene.place.read("work.txt").contains("more"));
}

#[test]
fn what_git_ignores_in_a_worktree_is_named_before_it_goes() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.write(".gitignore", "out/\n");
    scene.place.git("add .gitignore");
    scene.place.git("commit --quiet --message ignore");
    let (_, _, document) = ended(&scene, "init; change; mkdir out; echo report >out/report; result ok");
    let plan = scene.call(["merge", &text(&document["run"]["short"])]).run();
    assert!(plan.stdout.contains("with it goes what git ignores there: out/"), "{}", plan.stdout);
}

#[test]
fn settings_that_a_run_has_changed_are_not_committed_for_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n[[verify]]\ncommand = [\"false\"]\n");
    let settings = scene.place.path(".swift/swift.toml").display().to_string();
    let widen = format!("init; sed -i s/false/true/ '{settings}'; change; result ok");
    let tasks = [scene.task("First"), scene.task("Second"), scene.task("Third")];
    let (outcome, _, document) = ended_for(&scene, &tasks[0], &widen);
    assert_eq!(outcome, "failed (verifier)");
    assert!(document["notes"].to_string().contains("was changed and is not committed"), "{document:#}");
    assert_eq!(ended_for(&scene, &tasks[1], GOOD).0, "failed (verifier)", "what is committed counts");
    let from_inside = "init; swift task . 'More of it' >/dev/null; change; result ok";
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_swift")).parent().unwrap().display().to_string();
    let from_inside = format!("PATH='{bin}':$PATH; {from_inside}");
    assert_eq!(ended_for(&scene, &tasks[2], &from_inside).0, "failed (verifier)");
    assert!(scene.place.git("-C .swift diff --stat").contains("swift.toml"), "it still waits for a person");
    scene.task("A person types this");
    assert!(!scene.place.git("-C .swift diff --stat").contains("swift.toml"));
}

#[test]
fn a_policy_that_changes_during_a_shift_ends_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n[[verify]]\ncommand = [\"true\"]\n");
    let queue = scene.place.path(".swift").display().to_string();
    scene.script(&format!(
        "init; cd '{queue}'; sed -i s/true/false/ swift.toml; git commit -qam sly; cd - >/dev/null; change; result ok"
    ));
    let (first, second) = (scene.task("First"), scene.task("Second"));
    let output = scene.call("work --json").run();
    assert_eq!(output.status, 4, "{}", output.stderr);
    assert!(output.stderr.contains("was changed while this worked"), "{}", output.stderr);
    assert_eq!((scene.state(&first), scene.state(&second)), ("done".to_owned(), "ready".to_owned()));
}

#[test]
fn what_crashes_twice_goes_one_tier_up_before_it_is_put_aside() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nbackoff = \"1s\"\n");
    scene.script("init; exit 3");
    let task = scene.task("Add the thing");
    scene.run([task.as_str(), "--tier", "haiku"]);
    let models: Vec<String> = scene.runs().iter().map(|run| text(&run["tier"])).collect();
    assert_eq!(models, ["haiku", "haiku", "sonnet"]);
    assert_eq!(scene.state(&task), "blocked", "three times is enough");
}

#[test]
fn all_attempts_of_a_request_share_one_limit_of_money() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verify]]\ncommand = [\"false\"]\n");
    scene.script(GOOD);
    let task = scene.task("Add the thing");
    let (_, document) = scene.run([task.as_str(), "--tier", "haiku", "--max-usd", "0.3"]);
    assert_eq!(scene.starts(), 2, "{document:#}");
    assert!(scene.seen(1, "arguments").contains("0.3000") && scene.seen(2, "arguments").contains("0.0500"));
    assert_eq!(document["cost_usd"], 0.5);
    assert!(document["notes"].to_string().contains("nothing is left for another attempt"), "{document:#}");
}

#[test]
fn a_limit_that_is_only_told_in_words_parks_the_task() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; fail 429 rate_limit '5-hour limit reached ∙ resets 11pm'");
    let task = scene.task("Add the thing");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, scene.starts()), (5, 1), "{document:#}");
    assert_eq!(text(&document["run"]["outcome"]), "limit");
    assert!(document["parked_until"].is_string(), "{document:#}");
    assert_eq!(scene.place.json(["show", &task])["task"]["attempts"].as_u64().unwrap_or(0), 0);
}

#[test]
fn while_one_run_tries_the_other_worker_waits() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("fail 401 authentication_failed 'Invalid API key'");
    let tasks: Vec<String> = (0..3).map(|number| scene.task(&format!("Make part {number}"))).collect();
    scene.call("work --jobs 2 --json").run();
    // The run that tries does not end before the other worker has looked.
    scene.script(
        "init; if [ ! -e \"$HOME/tried\" ]; then touch \"$HOME/tried\"; sleep 1; fi; change; result ok",
    );
    let output = scene.call("work --jobs 2 --json").run();
    assert_eq!(output.status, 0, "{}\n{}", output.stdout, output.stderr);
    assert!(tasks.iter().all(|task| scene.state(task) == "done"), "{}", output.stdout);
}

#[test]
fn a_merge_that_the_person_is_in_the_middle_of_is_not_touched() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let place = &scene.place;
    place.write("c", "base\n");
    place.git("add c");
    place.git("commit --quiet --message base");
    let (_, _, document) = ended(&scene, GOOD);
    let short = text(&document["run"]["short"]);
    let main = place.git("branch --show-current").trim().to_owned();
    place.git("checkout --quiet -b other");
    place.write("c", "theirs\n");
    place.git("commit --quiet --all --message theirs");
    place.git(["checkout", "--quiet", &main]);
    place.write("c", "ours\n");
    place.git("commit --quiet --all --message ours");
    place.program("git", ["merge", "other"]).run();
    place.write("c", "half an hour of work\n");
    let before = place.git("status --porcelain=v2");
    let refused = scene.call(["merge", &short, "sesame"]).run();
    assert_eq!(refused.status, 9, "{}", refused.stderr);
    assert!(refused.stderr.contains("a merge is in progress"), "{}", refused.stderr);
    assert_eq!(
        (place.git("status --porcelain=v2"), place.read("c")),
        (before, "half an hour of work\n".to_owned())
    );
    place.git("merge --abort");
    place.git("checkout --quiet --detach");
    let refused = scene.call(["merge", &short, "sesame"]).run();
    assert!(refused.stderr.contains("no branch is checked out"), "{}", refused.stderr);
    place.git(["checkout", "--quiet", &main]);
    place.write("work.txt", "mine\n");
    let refused = scene.call(["merge", &short, "sesame"]).run();
    assert!(refused.stderr.contains("work.txt"), "what is in the way is named: {}", refused.stderr);
    std::fs::remove_file(place.path("work.txt")).unwrap();
    scene.call(["merge", &short, "sesame"]).run();
    place.git("log --merges --format=%s -1");
    let undone = scene.call("undo sesame").run();
    assert_eq!(undone.status, 4, "{}", undone.stderr);
    assert!(undone.stderr.contains("git revert --mainline 1"), "{}", undone.stderr);
}

#[test]
fn a_run_gives_no_persons_yes() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let (_, _, document) = ended(&scene, GOOD);
    let short = text(&document["run"]["short"]);
    let inside = |words: &[&str]| {
        scene
            .call(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
            .env("SWIFT_DEPTH", "1")
            .run()
    };
    assert_eq!(inside(&["merge", &short, "sesame"]).status, 7);
    assert_eq!(inside(&["merge", &short, "--yes"]).status, 7);
    assert_eq!(inside(&["sesame"]).status, 7);
    assert!(!scene.place.path("work.txt").exists());
    assert_eq!(scene.call("sesame").run().status, 3, "what a run proposes waits for nobody");
    scene.call(["merge", &short, "sesame"]).run().ok();
    assert!(scene.place.path("work.txt").exists());
}

#[test]
fn secrets_in_what_was_refused_are_hidden_too() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(
        "init; change; result ok '\"permission_denials\":[{\"tool_name\":\"Bash\",\"tool_use_id\":\"x\",\
         \"tool_input\":{\"command\":\"echo sk-ant-test-abcdef123456\"}}]'",
    );
    let task = scene.task("Make the thing");
    let output = scene.call(["run", &task]).run();
    assert!(output.stdout.contains("echo [secret]"), "{}", output.stdout);
    assert!(!scene.place.git("-C .swift log --patch").contains("abcdef123456"));
}

#[test]
fn what_would_destroy_is_asked_about_when_the_projects_rules_cannot_be_read() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.settings("[[route.rule]]\nname = \"m\"\nwords = [\"invoice\"]\ntier = \"giga\"\n");
    let task = scene.task("Drop the production database and wipe all backups");
    let output = scene.call("work --json").run();
    assert_eq!((output.status, text(&output.json()["stopped"])), (8, "fault".to_owned()), "{output:?}");
    assert_eq!((scene.starts(), scene.state(&task)), (0, "ready".to_owned()));
    let harmless = scene.task("Add a button");
    let (status, document) = scene.run([harmless.as_str()]);
    assert_eq!((status, text(&document["run"]["tier"])), (0, "sonnet".to_owned()));
    assert!(document["run"]["route_reasons"].to_string().contains("could not decide"), "{document:#}");
}

#[test]
fn a_result_after_which_the_program_does_not_end_counts() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nsilence = \"2s\"\n");
    let (outcome, reasons, _) = ended(&scene, "init; change; result ok; sleep 1000");
    assert_eq!(outcome, "completed");
    assert!(reasons.contains("did not end after its result"), "{reasons}");
}

#[test]
fn a_file_that_is_left_out_of_the_worktree_is_not_verified_away() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.write("d/x", "fails\n");
    scene.place.git("add d");
    scene.place.git("commit --quiet --message x");
    scene.settings("[run]\nescalations = 0\n[[verify]]\ncommand = [\"sh\", \"-c\", \"test ! -e d/x\"]\n");
    for hide in [
        "git sparse-checkout set --no-cone /README.md /work.txt",
        "git update-index --skip-worktree d/x; rm d/x",
    ] {
        let (outcome, reasons, _) = ended(&scene, &format!("init; {hide}; change; result ok"));
        assert_eq!(outcome, "failed (worktree)", "{hide}: {reasons}");
        assert!(reasons.contains("`d/x` is committed and left out of the worktree"), "{reasons}");
    }
}

#[test]
fn a_verdict_counts_for_the_commit_that_it_was_given_for() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[[verify]]\ncommand = [\"sh\", \"-c\", \"test ! -e bad\"]\n");
    let (outcome, _, document) = ended(&scene, "init; change; result ok");
    assert_eq!(outcome, "completed", "{document:#}");
    let short = text(&document["run"]["short"]);
    let plan = scene.call(["merge", &short]).run().stdout;
    assert!(plan.contains("verified: sh -c") && !plan.contains("careful"), "{plan}");
    let folder = sandbox.home().path(&text(&document["folder"]));
    std::fs::write(folder.join("bad"), "bad\n").unwrap();
    let folder = folder.to_str().unwrap().to_owned();
    scene.place.git(["-C", &folder, "add", "bad"]);
    scene.place.git(["-C", &folder, "commit", "--quiet", "--message", "bad"]);
    let plan = scene.call(["merge", &short]).run().stdout;
    assert!(plan.contains("careful: the branch went on from") && !plan.contains("verified:"), "{plan}");
    let review = scene.call(["review", &short]).run().stdout;
    assert!(review.contains("careful: the branch went on from") && !review.contains("\npassed:"), "{review}");
}

#[test]
fn what_git_ignores_is_told_where_a_verifier_passes_beside_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.write(".gitignore", "gen/\n");
    scene.place.git("add .gitignore");
    scene.place.git("commit --quiet --message ignore");
    scene.settings("[[verify]]\ncommand = [\"sh\", \"-c\", \"test -f gen/ok\"]\n");
    let (outcome, _, document) = ended(&scene, "init; mkdir gen; touch gen/ok; change; result ok");
    assert_eq!(outcome, "completed", "{document:#}");
    let plan = scene.call(["merge", &text(&document["run"]["short"])]).run().stdout;
    assert!(plan.contains("(exit 0; beside it lay what git ignores: gen/)"), "{plan}");
}

#[test]
fn what_a_run_does_to_the_repository_beside_its_branch_is_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let hook = scene.place.path(".git/hooks/pre-commit").display().to_string();
    let script = format!(
        "init; change; git add .; git stash -q; git config core.editor x; git tag v1; echo x >'{hook}'; \
         change other; result ok"
    );
    let (outcome, _, document) = ended(&scene, &script);
    assert_eq!(outcome, "completed", "{document:#}");
    let plan = scene.call(["merge", &text(&document["run"]["short"])]).run().stdout;
    for what in ["the stash is new", "the tag `v1` is new", "the configuration of", "the hooks of"] {
        assert!(plan.contains(&format!("careful: while it ran, {what}")), "{what}: {plan}");
    }
    let (_, _, document) = ended(&scene, "init; change; result ok");
    assert!(!document["run"]["moved"].to_string().contains("repository"), "{document:#}");
}

#[test]
fn a_run_that_may_change_no_file_and_did_is_not_completed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let project = scene.place.path("").display().to_string();
    scene.place.write("mine", "mine\n");
    scene.script("init; result 'it says so'");
    let (_, document) = scene.run(["what does it say", "--read-only"]);
    assert_eq!(document["run"]["outcome"], "completed", "{document:#}");
    scene.script(&format!("init; echo more >>'{project}/mine'; result 'it says so'"));
    let (_, document) = scene.run(["what does it say", "--read-only"]);
    assert_eq!(document["run"]["failure"], "worktree", "{document:#}");
    assert!(document["run"]["reasons"].to_string().contains("these changed: mine"), "{document:#}");
}

#[test]
fn a_branch_that_was_renamed_can_be_named_again() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let task = scene.task("Make the thing");
    assert_eq!(ended_for(&scene, &task, "init; change; git branch -m foo; result ok").0, "failed (worktree)");
    let (outcome, reasons, document) = ended_for(&scene, &task, GOOD);
    assert_eq!(outcome, "failed (start)", "{document:#}");
    let hint = reasons.split('`').find(|part| part.starts_with("git -C")).expect(&reasons).to_owned();
    let hint = hint.replace("$HOME", sandbox.home().path("").to_str().unwrap().trim_end_matches('/'));
    let words: Vec<String> = hint.split(' ').skip(1).map(str::to_owned).collect();
    scene.place.git(words);
    let (outcome, _, document) = ended_for(&scene, &task, GOOD);
    assert_eq!(outcome, "completed", "{document:#}");
}
