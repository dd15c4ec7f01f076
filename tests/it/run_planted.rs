//! What a run plants in its worktree is never executed by swift: not by a plan, not by the next run.

use crate::claude::Scene;
use crate::sandbox::Sandbox;
use crate::world::text;

fn is_planted_and_not_run(sandbox: &Sandbox, when: &str) {
    assert!(sandbox.home().path("armed").exists(), "{when}: nothing was planted");
    assert!(!sandbox.home().path("PWNED").exists(), "{when}: what the run has planted was executed");
}

/// Every verb that looks at the worktree of a run.
fn look_everywhere(sandbox: &Sandbox, scene: &Scene<'_>, task: &str) {
    let calls: [&[&str]; 7] = [
        &["merge", task],
        &["merge", task, "--dry-run"],
        &["review", task],
        &["runs", "clean"],
        &["uninstall", "--dry-run"],
        &["run", task],
        &["work"],
    ];
    for call in calls {
        scene.call(call.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>()).run();
        is_planted_and_not_run(sandbox, &call.join(" "));
    }
}

#[test]
fn a_repository_inside_of_the_worktree_starts_no_program() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\nretries = 0\n");
    scene.script(
        "init; if ! test -d sub; then git init -q sub; cd sub; echo '* filter=x' >.gitattributes; echo a >a; \
         git add .; git -c user.name=x -c user.email=x commit -qm s; echo bb >a; \
         git config filter.x.clean 'touch \"$HOME/PWNED\"; cat'; touch \"$HOME/armed\"; cd ..; fi; \
         echo '[submodule \"sub\"]' >.gitmodules; change; result ok",
    );
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["failure"]), "worktree", "{document:#}");
    is_planted_and_not_run(&sandbox, "run");
    let refused = scene.call(["merge", &task]).run();
    assert!(refused.stderr.contains("not committed"), "{}{}", refused.stdout, refused.stderr);
    look_everywhere(&sandbox, &scene, &task);
}

#[test]
fn a_submodule_starts_no_program_that_a_run_has_set() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nescalations = 0\nretries = 0\n");
    let lib = sandbox.repository("lib");
    lib.write("l", "l\n");
    lib.git("add l");
    lib.git("commit --quiet --message lib");
    scene.place.git(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../lib", "lib"]);
    scene.place.git("commit --quiet --message lib");
    scene.script(
        "init; git -c protocol.file.allow=always submodule --quiet update --init; \
         echo '* filter=a=b' >\"$(git -C lib rev-parse --absolute-git-dir)/info/attributes\"; \
         git -C lib config filter.a=b.clean 'touch \"$HOME/PWNED\"; cat'; \
         git -C lib config filter.a=b.required true; touch -d 2001-01-01 lib/l; touch \"$HOME/armed\"; \
         change; result ok",
    );
    let task = scene.task("Make the thing");
    let (_, document) = scene.run([task.as_str()]);
    assert_eq!(text(&document["run"]["outcome"]), "completed", "{document:#}");
    is_planted_and_not_run(&sandbox, "run");
    look_everywhere(&sandbox, &scene, &task);
}
