//! Every state of a repository in which a commit has to succeed, in both homes.

use std::path::{Path, PathBuf};

use super::sandbox::{BOTH, Sandbox, commit, remove, write};
use crate::store::git::{Home, HomeKind};

/// Make a queue in the state that `prepare` sets up and commit to it; everything outside stays as it was.
fn passes(prepare: impl Fn(&Sandbox) -> PathBuf) {
    passes_on(Sandbox::new, prepare);
}

fn passes_on(make: impl Fn() -> Sandbox, prepare: impl Fn(&Sandbox) -> PathBuf) {
    for kind in BOTH {
        let sandbox = make();
        let at = prepare(&sandbox);
        exercise(&sandbox, &at, kind);
    }
}

fn exercise(sandbox: &Sandbox, at: &Path, kind: HomeKind) -> Home {
    let before = sandbox.outside(at);
    let home = sandbox.create_at(at, kind);
    assert_eq!(sandbox.outside(at), before, "{kind:?} after create");
    let steps = [
        vec![
            write("tasks/0a/x.md", "one\n"),
            write("tasks/0b/y.md", "y\r\n"),
            write("audit/w/1.toml", "e\n"),
        ],
        vec![write("tasks/0a/x.md", "two\r\n"), write("audit/w/1.toml", "e\nf\n")],
        vec![remove("tasks/0a/x.md"), write("done/2026-01/x.md", "two\r\n")],
    ];
    for step in steps {
        let id = commit(&home, step);
        sandbox.judge(&home);
        assert_eq!(sandbox.outside(at), before, "{kind:?}");
        let named = sandbox
            .git_at(&home.checkout, &["diff-tree", "-r", "--root", "--name-only", "--no-commit-id", &id]);
        let prefix = if kind == HomeKind::Tree { ".swift/" } else { "" };
        assert!(named.lines().all(|path| path.starts_with(prefix)), "{named}");
    }
    if kind == HomeKind::Tree {
        // The cached trees of the index are right: git writes the same tree from it as from scratch.
        let tree = sandbox.git_at(at, &["write-tree", "--prefix=.swift/"]);
        assert_eq!(tree, sandbox.git_at(at, &["rev-parse", "HEAD:.swift"]));
    }
    home
}

fn project(sandbox: &Sandbox) -> PathBuf {
    sandbox.project.clone()
}

#[test]
fn an_unborn_branch() {
    passes_on(Sandbox::unborn, project);
    passes_on(Sandbox::unborn, |sandbox| {
        sandbox.write("staged.txt", "s\n");
        sandbox.git(&["add", "staged.txt"]);
        project(sandbox)
    });
}

#[test]
fn a_detached_head() {
    passes(|sandbox| {
        sandbox.git(&["checkout", "-q", "--detach"]);
        project(sandbox)
    });
}

#[test]
fn staged_and_unstaged_work_elsewhere() {
    passes(|sandbox| {
        sandbox.write("a.txt", "staged\n");
        sandbox.write("new.txt", "n\n");
        sandbox.git(&["add", "."]);
        sandbox.write("a.txt", "unstaged\n");
        sandbox.write("untracked.txt", "u\n");
        sandbox.git(&["rm", "-q", "--cached", "src/b.txt"]);
        sandbox.write("later.txt", "l\n");
        sandbox.git(&["add", "--intent-to-add", "later.txt"]);
        project(sandbox)
    });
}

#[test]
fn a_stash_hooks_and_packed_refs() {
    passes(|sandbox| {
        sandbox.write("a.txt", "stashed\n");
        sandbox.git(&["stash", "-q"]);
        for hook in [
            "pre-commit",
            "commit-msg",
            "post-commit",
            "reference-transaction",
            "post-index-change",
            "post-checkout",
        ] {
            let path = format!(".git/hooks/{hook}");
            sandbox.write(&path, "#!/bin/sh\ntouch \"$(git rev-parse --git-common-dir)/ran\"\nexit 1\n");
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(sandbox.project.join(path), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        sandbox.git(&["-c", "core.hooksPath=/dev/null", "pack-refs", "--all"]);
        let _ = std::fs::remove_file(sandbox.project.join(".git/ran"));
        project(sandbox)
    });
}

#[test]
fn no_hook_runs() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        sandbox.git(&["config", "core.untrackedCache", "true"]);
        sandbox.git(&["update-index", "--index-version", "4"]);
        for hook in
            ["pre-commit", "post-commit", "reference-transaction", "post-index-change", "post-checkout"]
        {
            let path = format!(".git/hooks/{hook}");
            sandbox.write(&path, &format!("#!/bin/sh\ntouch {}/ran\n", sandbox.scratch().display()));
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(sandbox.project.join(path), std::fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let home = sandbox.create(kind);
        commit(&home, vec![write("x.md", "x\n")]);
        assert!(!sandbox.scratch().join("ran").exists());
    }
}

#[test]
fn a_linked_worktree_a_subfolder_and_a_git_file() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let linked = sandbox.scratch().join("linked");
        sandbox.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
        let home = exercise(&sandbox, &linked, kind);
        let parent = if kind == HomeKind::Tree { &linked } else { &sandbox.project };
        assert_eq!(home.root, parent.join(".swift"));
    }
    passes_on(
        || {
            let sandbox = Sandbox::empty();
            let real = sandbox.scratch().join("elsewhere.git");
            sandbox.git(&["init", "-q", "-b", "main", "--separate-git-dir", real.to_str().unwrap()]);
            sandbox.identify(&sandbox.project);
            sandbox.populate();
            sandbox
        },
        project,
    );
}

#[test]
fn a_submodule_and_its_superproject() {
    let with_submodule = |sandbox: &Sandbox| {
        let library = sandbox.scratch().join("library");
        sandbox.git_at(&sandbox.scratch(), &["clone", "-q", "project", "library"]);
        sandbox.git(&["submodule", "--quiet", "add", library.to_str().unwrap(), "lib"]);
        sandbox.git(&["commit", "-q", "-m", "submodule"]);
        sandbox.identify(&sandbox.project.join("lib"));
    };
    passes(|sandbox| {
        with_submodule(sandbox);
        project(sandbox)
    });
    passes(|sandbox| {
        with_submodule(sandbox);
        sandbox.project.join("lib")
    });
}

#[test]
fn a_worktree_of_a_bare_repository() {
    passes(|sandbox| {
        let bare = sandbox.scratch().join("bare.git");
        sandbox.git_at(&sandbox.scratch(), &["clone", "-q", "--bare", "project", "bare.git"]);
        sandbox.identify(&bare);
        let checkout = sandbox.scratch().join("checkout");
        sandbox.git_at(&bare, &["worktree", "add", "-q", checkout.to_str().unwrap(), "main"]);
        checkout
    });
}

#[test]
fn shallow_and_partial_clones() {
    for arguments in
        [&["--depth=1"][..], &["--filter=blob:none", "--no-checkout"], &["--filter=tree:0", "--no-checkout"]]
    {
        passes(|sandbox| {
            sandbox.write("a.txt", "second\n");
            sandbox.git(&["commit", "-q", "-am", "second"]);
            sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
            let url = format!("file://{}", sandbox.project.display());
            sandbox.git_at(&sandbox.scratch(), &[&["clone", "-q"], arguments, &[&url, "clone"]].concat());
            let clone = sandbox.scratch().join("clone");
            sandbox.identify(&clone);
            sandbox.git_at(&clone, &["checkout", "-q", "main"]);
            clone
        });
    }
}

#[test]
fn sparse_checkouts() {
    for arguments in [&["--cone"][..], &["--no-cone"], &["--cone", "--sparse-index"]] {
        passes(|sandbox| {
            sandbox.write("far/c.txt", "c\n");
            sandbox.git(&["add", "."]);
            sandbox.git(&["commit", "-q", "-m", "far"]);
            sandbox.git(&[&["sparse-checkout", "set"], arguments, &["src", ".swift"]].concat());
            project(sandbox)
        });
    }
}

#[test]
fn exotic_indexes_keep_what_makes_them_fast() {
    let cases: [(&[&[&str]], &[u8]); 3] = [
        (&[&["update-index", "--index-version", "4"]], b"DIRC\0\0\0\x04"),
        (&[&["config", "core.splitIndex", "true"], &["update-index", "--split-index"]], b"link"),
        (
            &[&["config", "core.untrackedCache", "true"], &["update-index", "--force-untracked-cache"]],
            b"UNTR",
        ),
    ];
    for (setup, mark) in cases {
        let prepare = |sandbox: &Sandbox| {
            for arguments in setup {
                sandbox.git(arguments);
            }
            sandbox.git(&["status"]);
            project(sandbox)
        };
        passes(prepare);
        let sandbox = Sandbox::new();
        prepare(&sandbox);
        let home = sandbox.create(HomeKind::Tree);
        commit(&home, vec![write("x.md", "x\n")]);
        let index = std::fs::read(sandbox.project.join(".git/index")).unwrap();
        assert!(index.windows(mark.len()).any(|window| window == mark), "{}", String::from_utf8_lossy(mark));
    }
}

#[test]
fn an_own_index_that_a_person_has_made_exotic() {
    for setup in [
        &["update-index", "--index-version", "4"][..],
        &["update-index", "--split-index"],
        &["update-index", "--force-untracked-cache"],
    ] {
        let sandbox = Sandbox::new();
        let home = sandbox.create(HomeKind::Branch);
        sandbox.git_at(&home.root, setup);
        sandbox.git_at(&home.root, &["status"]);
        commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
        sandbox.judge(&home);
        commit(&home, vec![remove("tasks/0a/x.md")]);
        sandbox.judge(&home);
    }
}

#[test]
fn special_entries_in_the_index() {
    passes(|sandbox| {
        sandbox.write("c.txt", "c\n");
        sandbox.write("d.txt", "d\n");
        sandbox.git(&["add", "."]);
        sandbox.git(&["commit", "-q", "-m", "more"]);
        sandbox.git(&["update-index", "--assume-unchanged", "c.txt"]);
        sandbox.git(&["update-index", "--skip-worktree", "d.txt"]);
        project(sandbox)
    });
    passes(|sandbox| {
        sandbox.git(&["config", "index.skipHash", "true"]);
        sandbox.git(&["config", "feature.manyFiles", "true"]);
        sandbox.write("c.txt", "c\n");
        sandbox.git(&["add", "."]);
        project(sandbox)
    });
}

#[test]
fn line_endings_and_attributes() {
    passes(|sandbox| {
        sandbox.git(&["config", "core.autocrlf", "true"]);
        sandbox.git(&["config", "core.safecrlf", "false"]);
        project(sandbox)
    });
    passes(|sandbox| {
        sandbox.git(&["config", "filter.upper.clean", "tr a-z A-Z"]);
        sandbox.git(&["config", "filter.upper.required", "true"]);
        sandbox.write(
            ".gitattributes",
            "*.md text eol=crlf filter=upper working-tree-encoding=UTF-16 ident\n* text=auto\n",
        );
        sandbox.git(&["add", ".gitattributes"]);
        sandbox.git(&["commit", "-q", "-m", "attributes"]);
        project(sandbox)
    });
}

#[test]
fn sha256() {
    passes_on(
        || {
            let sandbox = Sandbox::with_init(&["--object-format=sha256"]);
            sandbox.populate();
            sandbox
        },
        project,
    );
}

#[test]
fn configuration_in_other_files() {
    passes(|sandbox| {
        sandbox.git(&["config", "--unset", "user.name"]);
        sandbox.git(&["config", "extensions.worktreeConfig", "true"]);
        sandbox.write(".git/more", "[user]\n\tname = Ben\n");
        sandbox.git(&["config", "include.path", "more"]);
        project(sandbox)
    });
}

#[test]
fn an_ignored_queue_folder_and_alternates() {
    passes(|sandbox| {
        sandbox.write(".gitignore", ".swift\n*.md\n");
        sandbox.git(&["add", ".gitignore"]);
        sandbox.git(&["commit", "-q", "-m", "ignore"]);
        project(sandbox)
    });
    passes(|sandbox| {
        sandbox.git_at(&sandbox.scratch(), &["clone", "-q", "--shared", "project", "clone"]);
        let clone = sandbox.scratch().join("clone");
        sandbox.identify(&clone);
        clone
    });
}

#[test]
fn a_shared_repository_stays_shared() {
    use std::os::unix::fs::PermissionsExt as _;
    for kind in BOTH {
        let sandbox = Sandbox::with_init(&["--shared=group"]);
        sandbox.populate();
        let home = exercise(&sandbox, &sandbox.project.clone(), kind);
        commit(&home, vec![write("x.md", "x\n")]);
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let packs = home.common_dir.join("objects/pack");
        assert_eq!(mode(packs.clone()) & 0o2070, 0o2070);
        for file in std::fs::read_dir(packs).unwrap() {
            assert_eq!(mode(file.unwrap().path()), 0o444);
        }
        assert_eq!(mode(home.git_dir.join("index")) & 0o060, 0o060);
        let branch = if kind == HomeKind::Tree { "main" } else { "swift" };
        assert_eq!(mode(home.common_dir.join("refs/heads").join(branch)) & 0o060, 0o060);
    }
}

#[test]
fn an_empty_object_of_a_power_cut_is_written_again() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    sandbox.write("probe", "same bytes\n");
    let id = sandbox.git(&["hash-object", "probe"]).trim().to_owned();
    std::fs::remove_file(sandbox.project.join("probe")).unwrap();
    let object = home.common_dir.join("objects").join(&id[..2]).join(&id[2..]);
    std::fs::create_dir_all(object.parent().unwrap()).unwrap();
    std::fs::write(&object, "").unwrap();
    commit(&home, vec![write("x.md", "same bytes\n")]);
    sandbox.judge(&home);
    assert_eq!(home.read_committed("x.md").unwrap(), Some(b"same bytes\n".to_vec()));
}

#[test]
fn an_edit_in_the_same_instant_is_not_overlooked() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        for round in 0..20 {
            commit(&home, vec![write("a.md", &format!("old {round:03}\n"))]);
            std::fs::write(home.root.join("a.md"), format!("new {round:03}\n")).unwrap();
            commit(&home, vec![write("b.md", &format!("{round}\n"))]);
            let status = sandbox.git_at(&home.root, &["status", "--porcelain", "--", "."]);
            assert!(status.starts_with(" M"), "round {round}: {status:?}");
            assert_eq!(home.changed_files().unwrap().len(), 1);
        }
    }
}

#[test]
fn a_file_gives_way_to_a_folder_and_back() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        commit(&home, vec![write("tasks/x", "file\n")]);
        commit(&home, vec![remove("tasks/x")]);
        commit(&home, vec![write("tasks/x/y.md", "below\n"), write("tasks/x-y.md", "between\n")]);
        sandbox.judge(&home);
        commit(&home, vec![remove("tasks/x/y.md")]);
        commit(&home, vec![write("tasks/x", "file\n")]);
        sandbox.judge(&home);
    }
}

#[test]
fn odd_names() {
    passes(|sandbox| {
        sandbox.write("ü\tx.txt", "u\n");
        sandbox.git(&["add", "."]);
        project(sandbox)
    });
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        commit(
            &home,
            vec![write("inbox/ä \"q\"\t\n.md", "x\n"), write(&format!("inbox/{}", "n".repeat(200)), "y\n")],
        );
        sandbox.judge(&home);
    }
}
