//! What a person is told of what happened around a run, and what is not begun without a word from them.

use crate::claude::{GOOD, Scene};
use crate::sandbox::Sandbox;
use crate::world::{codes, text};

#[test]
fn a_run_during_which_another_branch_was_checked_out_has_one_record_and_a_true_one() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.swift_ok("home tree sesame");
    let task = scene.task("Make the thing");
    let project = scene.place.path("").display().to_string();
    scene.script(&format!("init; git -C '{project}' checkout -q -b other HEAD~2; change; result ok"));
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["outcome"]), "completed", "{document:#}");
    assert!(document["notes"].to_string().contains("does not have the beginning"), "{document:#}");
    assert!(
        !scene.place.git("log --format=%s other").contains("run: "),
        "nothing of it is on the other branch"
    );
    scene.place.git("checkout -q main");
    let runs = scene.runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!((&runs[0]["outcome"], &runs[0]["cost_usd"]), (&"completed".into(), &0.25.into()), "{runs:?}");
    assert_eq!(scene.state(&task), "done");
}

#[test]
fn settings_that_a_run_commits_are_told() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\n");
    let queue = scene.place.path(".swift").display().to_string();
    scene.script(&format!(
        "init; echo 'permission = \"bypassPermissions\"' >>'{queue}/swift.toml'; \
         git -C '{queue}' commit -qam tidy; change; result ok"
    ));
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert!(document["notes"].to_string().contains("other settings were committed"), "{document:#}");
    scene.script(GOOD);
    let task = scene.task("Make another thing");
    let (_, document) = scene.run([task.as_str()]);
    assert!(!document["notes"].to_string().contains("settings"), "{document:#}");
}

#[test]
fn nothing_runs_unattended_while_the_projects_own_rules_cannot_be_read() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    scene.settings(
        "[[route.rule]]\nname = \"money\"\nwords = [\"invoice\"]\ndecision = \"ask\"\n\n\
         [[route.signal]]\nname = \"slang\"\nrolle = \"topic\"\npoints = 1\nwords = [\"zhuzh\"]\n",
    );
    let task = scene.task("check the invoice layout");
    let shift = scene.call("work --json").run();
    let output = shift.ended(8).json();
    let why = output["why"].to_string();
    assert!(why.contains("nothing is run there") && why.contains("rolle"), "{output:#}");
    assert_eq!((scene.starts(), scene.state(&task)), (0, "ready".to_owned()));
    let doctor = scene.place.swift("doctor");
    assert!(doctor.stdout.contains("rolle"), "{doctor:?}");
}

#[test]
fn without_git_nothing_is_paid_for() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let bin = sandbox.home().path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for name in ["sh", "cat", "mkdir", "env", "sort", "pwd"] {
        std::os::unix::fs::symlink(format!("/bin/{name}"), bin.join(name)).unwrap();
    }
    let refused = scene.call(["run", &task]).env("PATH", bin.to_str().unwrap()).run();
    assert_eq!(refused.status, 9, "{refused:?}");
    assert!(refused.stderr.contains("no program `git`"), "{}", refused.stderr);
    assert_eq!(scene.starts(), 0);
    assert_eq!(scene.state(&task), "ready");
}

#[test]
fn a_doctor_looks_at_the_records_of_runs_too() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    scene.run([task.as_str()]);
    let place = &scene.place;
    place.swift_ok("doctor");
    let files = place.git("-C .swift ls-files runs");
    let path = format!(".swift/{}", files.lines().find(|line| line.ends_with(".toml")).unwrap());
    let good = place.read(&path);
    let found = |status: i32| codes(&place.call("doctor --json").run().ended(status).json()["findings"]);
    let cut = good.split("\n[end]").next().unwrap().to_owned() + "\n";
    for (text, code) in [("\0", "malformed"), ("", "malformed"), (&cut, "run-differs")] {
        place.write(&path, text);
        assert!(found(8).contains(&code.to_owned()), "{text:?}");
        place.git("-C .swift commit --quiet --all --message x");
        assert!(found(8).contains(&code.to_owned()), "{text:?}, committed");
        place.write(&path, &good);
        place.git("-C .swift commit --quiet --all --message x");
    }
    let copy = path.replace(".toml", "x.toml");
    place.write(&copy, &good);
    assert!(found(8).contains(&"run-twice".to_owned()));
    std::fs::remove_file(place.path(&copy)).unwrap();
    place.git(["rm", "--quiet", "--cached", "--ignore-unmatch", &copy]);
    place.swift_ok("doctor");
    std::fs::remove_file(place.path(&path)).unwrap();
    place.git("-C .swift commit --quiet --all --message x");
    assert_eq!(found(8), ["run-missing"]);
}

/// Two secrets: one that has the form of one, and one that the environment has.
const TOKEN: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
const OWN: &str = "plain-old-value";

#[test]
fn no_secret_of_a_request_is_in_a_record_or_a_commit() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change; result ok");
    // A title ends within the second token.
    let prompt = format!(
        "Use {OWN} and the token {TOKEN} and postgres://u:hunter2pw@db/x for it, or else {TOKEN} of mine"
    );
    scene.call(["run", &prompt, "sesame"]).env("MY_API_KEY", OWN).run().ok();
    let run = scene.runs().remove(0);
    assert!(
        text(&run["title"]).starts_with("Use [secret] and the token [secret] and postgres://"),
        "{run:#}"
    );
    let refuse_secrets = |everything: &str, whence: &str| {
        for secret in [&TOKEN[..8], OWN, "hunter2"] {
            assert!(!everything.contains(secret), "{whence}: {secret}\n{everything}");
        }
    };
    refuse_secrets(&run.to_string(), "the record");
    scene.call(["merge", &text(&run["id"]), "sesame"]).run().ok();
    refuse_secrets(&scene.place.git("log --all --patch --format=%D%n%B"), "the commits");
    assert!(scene.seen(1, "prompt").contains(TOKEN), "the run itself is told all of it");
}

#[test]
fn a_list_of_runs_says_how_many_there_are_and_what_it_sums() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; result ok");
    for number in 1..=3 {
        scene.run([format!("say number {number} to me"), "--read-only".to_owned()]);
    }
    let cut = scene.call("runs -n 2").run();
    assert!(cut.ok().contains("the newest 2 of 3 runs, $0.5000 of $0.7500\n"), "{}", cut.stdout);
    assert!(cut.stderr.contains("next: swift runs -n 3\n"), "{}", cut.stderr);
    let whole = scene.call("runs -n 3").run();
    assert!(whole.ok().contains("\n3 runs, $0.7500\n") && !whole.stderr.contains("-n"), "{whole:?}");
    let document = scene.call("runs -n 2 --json").run().json();
    let figures = ["cost_usd", "total", "total_cost_usd"].map(|field| document[field].as_f64());
    assert_eq!(figures, [Some(0.5), Some(3.0), Some(0.75)], "{document:#}");
}

#[test]
fn a_refused_request_is_told_as_an_error() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nretries = 0\n");
    scene.script("init; fail 529 overloaded Overloaded");
    let output = scene.call(["run", "say something to me", "--read-only"]).run();
    let logs = scene.call(["run", "logs", &text(&scene.runs()[0]["id"])]).run().ok();
    for told in [&output.stderr, &logs] {
        assert!(told.contains("result (error): Overloaded"), "{told}");
    }
}
