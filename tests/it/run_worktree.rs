//! The worktrees of runs: the same as git would make them, whatever the repository, and without its help where there is
//! nothing special about it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::claude::{GOOD, Scene, until};
use crate::sandbox::Sandbox;
use crate::world::{self, text};

/// Where a run worked.
fn folder(sandbox: &Sandbox, run: &serde_json::Value) -> PathBuf {
    let home = sandbox.home().path("");
    PathBuf::from(text(&run["folder"]).replace("$HOME", home.to_str().unwrap().trim_end_matches('/')))
}

/// Everything below a folder: path, mode and content; of a link where it leads.
fn tree(dir: &Path) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    walk(dir, Path::new(""), &mut all);
    all
}

fn walk(root: &Path, below: &Path, all: &mut BTreeMap<Vec<u8>, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(root.join(below)).unwrap().flatten() {
        let path = below.join(entry.file_name());
        if path == Path::new(".git") {
            continue;
        }
        let meta = entry.path().symlink_metadata().unwrap();
        let content = if meta.is_symlink() {
            fs::read_link(entry.path()).unwrap().as_os_str().as_bytes().to_vec()
        } else if meta.is_dir() {
            walk(root, &path, all);
            Vec::new()
        } else {
            fs::read(entry.path()).unwrap()
        };
        all.insert(path.as_os_str().as_bytes().to_vec(), (meta.permissions().mode(), content));
    }
}

/// What makes a repository unusual.
const KINDS: &[(&str, &str)] = &[
    (
        "ordinary",
        "mkdir -p a/b && echo x >a/b/c && printf '#!/bin/sh\\n' >a/run && chmod +x a/run && : >empty",
    ),
    ("links", "ln -s README.md link && ln -s /nowhere dangling && mkdir d && ln -s ../README.md d/up"),
    ("names", "mkdir 'a b' && echo 1 >'a b/ü ß' && echo 2 >'-x' && printf 3 >\"$(printf 'tab\\there')\""),
    ("not UTF-8", "printf 3 >\"$(printf 'odd\\377name')\""),
    (
        "line ends",
        "printf '*.txt text eol=crlf\\n*.id ident\\n' >.gitattributes; printf 'a\\nb\\n' >a.txt; echo '$Id$' >b.id",
    ),
    (
        "nested attributes",
        "mkdir sub && printf '*.md text eol=crlf\\n' >sub/.gitattributes; printf 'a\\nb\\n' | tee sub/x.md >y.md",
    ),
    (
        "automatic line ends",
        "git config core.autocrlf true; printf 'a\\nb\\n' >a.txt; printf 'a\\0\\nb\\n' >b.bin",
    ),
    ("an encoding", "printf '*.u working-tree-encoding=UTF-16LE\\n' >.gitattributes; printf 'a\\0b\\0' >a.u"),
    (
        "a filter",
        "printf '*.up filter=up\\n' >.gitattributes; git config filter.up.smudge 'tr a-z A-Z'; git config filter.up.clean 'tr A-Z a-z'; echo hello >a.up",
    ),
    (
        "a filter for all",
        "git config --global filter.up.smudge 'tr a-z A-Z'; git config --global filter.up.clean 'tr A-Z a-z'; git config --global core.attributesFile \"$HOME/attributes\"; echo '*.up filter=up' >\"$HOME/attributes\"; echo hello >a.up",
    ),
    (
        "sparse",
        "mkdir in out && echo 1 >in/x && echo 2 >out/x && git add . && git commit -qm sparse && git sparse-checkout set --cone in",
    ),
    ("settings of one worktree", "git config extensions.worktreeConfig true; echo x >x"),
    ("shared", "git config core.sharedRepository group; echo x >x"),
    ("packed", "echo x >x; git add .; git commit -qm packed; git gc -q; git pack-refs --all"),
    (
        "a submodule",
        "git init -q ../lib; git -C ../lib commit -q --allow-empty -m lib; git -c protocol.file.allow=always submodule --quiet add ../lib lib",
    ),
];

/// A project whose repository is of this kind.
fn of_kind<'s>(sandbox: &'s Sandbox, prepare: &str) -> Scene<'s> {
    let scene = Scene::new(sandbox);
    let script = format!("set -e; {prepare}; git add --all; git commit -qm kind || :");
    scene.place.program("sh", ["-c", &script]).run().ok();
    scene
}

#[test]
fn a_worktree_is_as_git_makes_it() {
    for (kind, prepare) in KINDS {
        let sandbox = Sandbox::new();
        let scene = of_kind(&sandbox, prepare);
        scene.script("init; git status --porcelain --ignored >\"$HOME/status\"; git ls-files -v >\"$HOME/files\"; result 'nothing to do'");
        let (status, run) = scene.run(["Look at it"]);
        assert_eq!(status, 0, "{kind}: {run:#}");
        let made = folder(&sandbox, &run);
        scene.place.git("worktree add --quiet -b by-git ../by-git");
        let by_git = scene.place.path("../by-git");
        assert_eq!(tree(&made), tree(&by_git), "{kind}");
        assert_eq!(sandbox.home().read("status"), "", "{kind}");
        let files = scene.place.git(["-C", by_git.to_str().unwrap(), "ls-files", "-v"]);
        assert_eq!(sandbox.home().read("files"), files, "{kind}");
        scene.place.git(["-C", made.to_str().unwrap(), "fsck", "--strict"]);
        scene.place.git(["worktree", "remove", made.to_str().unwrap()]);
    }
}

#[test]
fn what_is_left_is_committed_as_git_would() {
    for (kind, prepare) in KINDS {
        let sandbox = Sandbox::new();
        let scene = of_kind(&sandbox, prepare);
        scene.script(
            "init; mkdir -p new/deep; echo new >new/deep/file; echo more >>README.md; chmod +x README.md; \
             ln -s README.md new/link; echo one >ignored.log; echo '*.log' >.gitignore; result ok",
        );
        let task = scene.task("Make it");
        let (status, run) = scene.run([task.as_str()]);
        assert_eq!(status, 0, "{kind}: {run:#}");
        let made = folder(&sandbox, &run);
        let git = |words: &[&str]| {
            let all = [&["-C", made.to_str().unwrap()][..], words].concat();
            scene.place.git(all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(git(&["status", "--porcelain"]), "", "{kind}");
        let base = text(&run["run"]["base"]);
        let changed = git(&["diff", "--summary", "--name-status", &base, "HEAD"]);
        let told: Vec<&str> = changed.lines().filter(|line| !line.contains("mode")).collect();
        assert_eq!(told, ["A\t.gitignore", "M\tREADME.md", "A\tnew/deep/file", "A\tnew/link"], "{kind}");
        assert_eq!(run["run"]["commits"].as_array().unwrap().len(), 1, "{kind}");
        assert!(git(&["log", "-1", "--format=%B"]).contains("Swift-Run: "), "{kind}");
        assert_eq!(git(&["log", "-1", "--format=%an %ce"]), "Ada Example ada@example.com\n", "{kind}");
        assert!(git(&["reflog", "-1"]).contains("commit: Make it"), "{kind}");
        git(&["fsck", "--strict"]);
    }
}

#[test]
fn removals_and_exchanges_of_files_and_folders_are_committed_too() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.program("sh", ["-c", "mkdir -p a/b c && echo 1 >a/b/one && echo 2 >c/two && echo 3 >three && git add . && git commit -qm more"]).run().ok();
    scene.script("init; rm -r a c three; echo file >a; mkdir three; echo x >three/x; result ok");
    let task = scene.task("Make it");
    let (_, run) = scene.run([task.as_str()]);
    let branch = text(&run["run"]["branch"]);
    assert_eq!(scene.place.git(["ls-tree", "-r", "--name-only", &branch]), "README.md\na\nthree/x\n");
    scene.script("init; git rm -qr .; result ok");
    let task = scene.task("Remove it");
    let (_, run) = scene.run([task.as_str()]);
    assert_eq!(run["run"]["outcome"], "completed");
    assert_eq!(scene.place.git(["ls-tree", "-r", &text(&run["run"]["branch"])]), "");
}

#[test]
fn what_is_begun_in_git_is_ended_by_git() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.place.program("sh", ["-c", "git checkout -qb other && echo o >o && git add . && git commit -qm other && git checkout -q main"]).run().ok();
    scene.script("init; echo mine >m; git add m; git commit -qm mine; git merge --no-commit --no-ff -q other; result ok");
    let task = scene.task("Make it");
    let (_, run) = scene.run([task.as_str()]);
    assert_eq!(run["run"]["outcome"], "completed", "{run:#}");
    let branch = text(&run["run"]["branch"]);
    assert_eq!(scene.place.git(["log", "-1", "--format=%p", &branch]).split_whitespace().count(), 2);
    // The other branch's commit is the run's as well, merges included.
    assert_eq!(run["run"]["commits"].as_array().unwrap().len(), 3);
}

#[test]
fn an_ordinary_worktree_takes_one_process_of_git() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let log = sandbox.home().path("git.log");
    let real = scene.place.program("sh", ["-c", "command -v git"]).run().ok();
    sandbox.home().write(
        "bin/git",
        format!("#!/bin/sh\necho \"$*\" >>'{}'\nexec {} \"$@\"\n", log.display(), real.trim()),
    );
    fs::set_permissions(sandbox.home().path("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
    scene.script("init; echo work >work.txt; result ok");
    let task = scene.task("Make it");
    let path = format!("{}:{}", sandbox.home().path("bin").display(), std::env::var("PATH").unwrap());
    scene.call(["run", &task]).env("PATH", &path).run().ok();
    let calls = fs::read_to_string(&log).unwrap();
    assert_eq!(calls.lines().filter(|line| line.contains("add --all")).count(), 1, "{calls}");
    assert_eq!(calls.lines().count(), 1, "{calls}");
}

#[test]
fn a_worktree_that_was_half_made_is_made_again() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; ls >\"$HOME/there\"; change; result ok");
    let task = scene.task("Make it");
    let (_, run) = scene.run([task.as_str()]);
    let made = folder(&sandbox, &run);
    // As a kill in the middle leaves it: the mark is still there, and of the files only some.
    let admin = fs::read_to_string(made.join(".git")).unwrap();
    let admin = PathBuf::from(admin.trim().strip_prefix("gitdir: ").unwrap());
    fs::write(admin.join("locked"), "initializing\n").unwrap();
    fs::remove_file(made.join("README.md")).unwrap();
    fs::remove_file(made.join(".git")).unwrap();
    scene.call(["reject", &task, "--why", "again"]).run().ok();
    let (status, _) = scene.run([task.as_str()]);
    assert_eq!(status, 0);
    assert_eq!(sandbox.home().read("there"), "README.md\nwork.txt\n");
    assert!(!admin.join("locked").exists());
    world::sound(&scene.place, "after a worktree was made again");
}

#[test]
fn a_worktree_that_leads_elsewhere_is_not_believed() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    let evil = sandbox.repository("evil");
    scene.script(&format!(
        "init; branch=$(git symbolic-ref --short HEAD); git -C {0} checkout -qb \"$branch\"; \
         echo 'gitdir: {0}/.git' >.git; change; result ok",
        evil.path("").to_str().unwrap().trim_end_matches('/')
    ));
    let task = scene.task("Make it");
    let (status, run) = scene.run([task.as_str()]);
    assert_eq!((status, text(&run["run"]["failure"])), (8, "worktree".to_owned()), "{run:#}");
    assert_eq!(evil.git("log --format=%s --all"), "Begin\n", "nothing was committed there");
}

#[test]
fn without_a_place_for_a_worktree_the_record_says_so_and_nothing_starts() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; change; result ok");
    sandbox.home().write(".local/state/swift/worktrees", "a file is in the way\n");
    let task = scene.task("Make it");
    let (status, run) = scene.run([task.as_str()]);
    assert_eq!((status, text(&run["run"]["failure"])), (9, "start".to_owned()), "{run:#}");
    assert_eq!((scene.starts(), scene.state(&task)), (0, "ready".to_owned()));
    world::sound(&scene.place, "after a run that found no place");
}

#[test]
fn a_run_that_cannot_begin_leaves_no_worktree() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(GOOD);
    let task = scene.task("Make the thing");
    let worktrees = || scene.place.git("worktree list --porcelain");
    let before = worktrees();
    let lock = fs::File::open(scene.place.path(".git")).unwrap();
    lock.lock().unwrap();
    let path = text(&scene.place.json(["show", &task])["task"]["path"]);
    let output = std::thread::scope(|scope| {
        let run = scope.spawn(|| scene.call(["run", &task]).run());
        until("the worktree is made meanwhile", || worktrees().contains("swift-run/"));
        fs::remove_file(scene.place.path(&path)).unwrap();
        lock.unlock().unwrap();
        run.join().unwrap()
    });
    assert_eq!(output.status, 3, "somebody was faster: {}", output.stderr);
    assert_eq!(worktrees(), before);
    assert_eq!(scene.place.git("branch --list swift-run/*"), "");
}
