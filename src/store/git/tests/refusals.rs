//! States in which the engine refuses, or waits, and leaves everything as it was.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::sandbox::{BOTH, Sandbox, commit, request, try_commit, try_create, write};
use crate::domain::fault::Code;
use crate::store::git::{Home, HomeKind, Outcome, Request, Signing};

/// Creating a queue is refused with this code, and nothing is written.
fn refused(sandbox: &Sandbox, kind: HomeKind, code: Code) {
    let before = listing(&sandbox.scratch());
    let fault = try_create(&sandbox.project, kind).unwrap_err();
    assert_eq!(fault.code, code, "{fault:?}");
    assert!(!fault.hints.is_empty(), "{fault:?}");
    assert_eq!(listing(&sandbox.scratch()), before);
}

/// Every file below a folder, with its content.
fn listing(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.push((path.clone(), Vec::new()));
            found.extend(listing(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

#[test]
fn no_identity() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        sandbox.git(&["config", "--unset", "user.email"]);
        refused(&sandbox, kind, Code::NoIdentity);
        sandbox.identify(&sandbox.project);
        let home = sandbox.create(kind);
        sandbox.git(&["config", "--unset", "user.name"]);
        let home = home.reopen().unwrap();
        assert_eq!(try_commit(&home, vec![write("x.md", "x\n")]).unwrap_err().code, Code::NoIdentity);
        sandbox.judge(&home);
    }
}

#[test]
fn a_bare_repository() {
    let sandbox = Sandbox::with_init(&["--bare"]);
    refused(&sandbox, HomeKind::Branch, Code::Unsupported);
    refused(&sandbox, HomeKind::Tree, Code::Unsupported);
}

#[test]
fn reftable() {
    for kind in BOTH {
        let sandbox = Sandbox::with_init(&["--ref-format=reftable"]);
        sandbox.populate();
        refused(&sandbox, kind, Code::Unsupported);
    }
}

#[test]
fn extensions_that_are_not_known() {
    for (version, name) in [("1", "unknownThing"), ("1", "compatObjectFormat"), ("0", "compatObjectFormat")] {
        for kind in BOTH {
            let sandbox = Sandbox::new();
            let home = sandbox.create(kind);
            for (key, value) in
                [("core.repositoryformatversion", version), (&format!("extensions.{name}"), "sha256")]
            {
                sandbox.git(&["config", key, value]);
            }
            let before = listing(&sandbox.scratch());
            let home = home.reopen();
            let fault = home.and_then(|home| try_commit(&home, vec![write("x.md", "x\n")])).unwrap_err();
            assert_eq!(fault.code, Code::Unsupported, "{fault:?}");
            assert_eq!(listing(&sandbox.scratch()), before);
            // It is gone, or of no consequence.
            let config = sandbox.project.join(".git/config");
            let text = std::fs::read_to_string(&config).unwrap();
            std::fs::write(&config, text.replace(name, "preciousObjects").replace("sha256", "true")).unwrap();
            commit(&Home::find(&sandbox.project).unwrap(), vec![write("x.md", "x\n")]);
        }
    }
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let config = sandbox.project.join(".git/config");
        let text = std::fs::read_to_string(&config).unwrap();
        let text = text.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
        std::fs::write(&config, text + "[extensions]\n\tunknownThing = true\n").unwrap();
        refused(&sandbox, kind, Code::Unsupported);
    }
}

#[test]
fn a_branch_of_the_person() {
    let sandbox = Sandbox::new();
    sandbox.git(&["branch", "swift"]);
    refused(&sandbox, HomeKind::Branch, Code::BranchTaken);
    let sandbox = Sandbox::new();
    sandbox.git(&["branch", "swift/wings"]);
    refused(&sandbox, HomeKind::Branch, Code::BranchTaken);
    sandbox.git(&["pack-refs", "--all"]);
    refused(&sandbox, HomeKind::Branch, Code::BranchTaken);
    assert!(
        Home::create(&sandbox.project, HomeKind::Branch, "queue", request(super::sandbox::first()), &|_| Ok(
            ()
        ))
        .is_ok()
    );
    let sandbox = Sandbox::unborn();
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/swift"]);
    refused(&sandbox, HomeKind::Branch, Code::BranchTaken);
}

#[test]
fn an_unsafe_folder() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        sandbox.write("target/keep", "k\n");
        std::os::unix::fs::symlink("target", sandbox.project.join(".swift")).unwrap();
        refused(&sandbox, kind, Code::UnsafeHome);
        let sandbox = Sandbox::new();
        sandbox.write(".swift", "file\n");
        refused(&sandbox, kind, Code::UnsafeHome);
        // A link inside leads nothing outside.
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        std::fs::create_dir(sandbox.scratch().join("outside")).unwrap();
        std::os::unix::fs::symlink(sandbox.scratch().join("outside"), home.root.join("tasks")).unwrap();
        let fault = try_commit(&home, vec![write("a.md", "a\n"), write("tasks/0a/x.md", "x\n")]).unwrap_err();
        assert_eq!(fault.code, Code::UnsafeHome);
        std::fs::write(sandbox.scratch().join("outside/victim"), "v\n").unwrap();
        std::os::unix::fs::symlink(sandbox.scratch().join("outside/victim"), home.root.join("x.md")).unwrap();
        assert_eq!(try_commit(&home, vec![write("x.md", "x\n")]).unwrap_err().code, Code::NotAFile);
        let outside = listing(&sandbox.scratch().join("outside"));
        assert_eq!(outside, [(sandbox.scratch().join("outside/victim"), b"v\n".to_vec())]);
        std::fs::remove_file(home.root.join("tasks")).unwrap();
        std::fs::remove_file(home.root.join("x.md")).unwrap();
        sandbox.judge(&home);
    }
}

#[test]
fn somebody_elses_repository() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for kind in BOTH {
        let sandbox = Sandbox::new();
        for path in [".", ".git"] {
            std::os::unix::fs::chown(sandbox.project.join(path), Some(12345), None).unwrap();
        }
        refused(&sandbox, kind, Code::Untrusted);
    }
}

#[test]
fn signing() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        sandbox.git(&["config", "commit.gpgsign", "true"]);
        sandbox.git(&["config", "gpg.format", "ssh"]);
        sandbox.git(&["config", "user.signingkey", sandbox.scratch().join("missing").to_str().unwrap()]);
        let home = home.reopen().unwrap();
        let fault = try_commit(&home, vec![write("x.md", "x\n")]).unwrap_err();
        assert_eq!(fault.code, Code::Signing);
        sandbox.judge(&home);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        let unsigned = Request { signing: Signing::Never, ..request(vec![write("x.md", "x\n")]) };
        assert!(matches!(home.commit(&guard, unsigned).unwrap(), Outcome::Committed(_)));
        drop(guard);
        let key = sandbox.scratch().join("key");
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f"])
            .arg(&key)
            .status();
        if !made.is_ok_and(|status| status.success()) {
            continue;
        }
        sandbox.git(&["config", "user.signingkey", key.to_str().unwrap()]);
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        sandbox.write("../allowed", &format!("ann@example.com {public}"));
        sandbox.git(&[
            "config",
            "gpg.ssh.allowedSignersFile",
            sandbox.scratch().join("allowed").to_str().unwrap(),
        ]);
        let id = commit(&home.reopen().unwrap(), vec![write("y.md", "y\n")]);
        sandbox.git(&["verify-commit", &id]);
        sandbox.judge(&home);
    }
}

#[test]
fn what_the_signing_program_says_is_told_in_its_words() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    let program = sandbox.scratch().join("signer");
    std::fs::write(
        &program,
        "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] FAILURE 17' >&2\necho 'no such key' >&2\nexit 2\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.git(&["config", "commit.gpgsign", "true"]);
    sandbox.git(&["config", "gpg.program", program.to_str().unwrap()]);
    let fault = try_commit(&home.reopen().unwrap(), vec![write("x.md", "x\n")]).unwrap_err();
    assert_eq!(fault.code, Code::Signing);
    assert!(fault.message.ends_with("/signer` refuses: no such key"), "{}", fault.message);
    sandbox.judge(&home);
}

#[test]
fn locks_of_other_programs_make_a_debt() {
    for kind in BOTH {
        for name in ["index", "HEAD", "branch"] {
            let sandbox = Sandbox::new();
            let mut home = sandbox.create(kind);
            home.patience = Duration::from_millis(5);
            let branch = home.common_dir.join("refs/heads").join(home.branch.as_deref().unwrap());
            let lock = match name {
                "branch" => branch.with_extension("lock"),
                name => home.git_dir.join(format!("{name}.lock")),
            };
            std::fs::write(&lock, "").unwrap();
            let head = sandbox.git_at(&home.root, &["rev-parse", "HEAD"]);
            let outcome = try_commit(&home, vec![write("tasks/0a/x.md", "x\n")]).unwrap();
            assert!(matches!(outcome, Outcome::Debt(_)), "{outcome:?}");
            assert!(lock.exists(), "the lock of another program is gone");
            assert_eq!(sandbox.git_at(&home.root, &["rev-parse", "HEAD"]), head);
            assert_eq!(std::fs::read(home.root.join("tasks/0a/x.md")).unwrap(), b"x\n");
            assert_eq!(home.debts().unwrap(), ["tasks/0a/x.md"]);
            std::fs::remove_file(&lock).unwrap();
            commit(&home, vec![write("y.md", "y\n")]);
            sandbox.judge(&home);
            assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), Some(b"x\n".to_vec()));
        }
    }
}

#[test]
fn a_collection_that_runs_is_waited_for() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let mut home = sandbox.create(kind);
        home.patience = Duration::from_millis(5);
        let record = home.common_dir.join("gc.pid");
        std::fs::write(&record, format!("{} here", std::process::id())).unwrap();
        assert!(matches!(try_commit(&home, vec![write("x.md", "x\n")]).unwrap(), Outcome::Debt(_)));
        // A number that no process has.
        std::fs::write(&record, "2147483646 here").unwrap();
        commit(&home, vec![]);
        std::fs::remove_file(record).unwrap();
        sandbox.judge(&home);
    }
}

#[test]
fn operations_in_progress_make_in_tree_commits_wait() {
    type Begin = fn(&Sandbox);
    let cases: [(&str, Begin, &[&str]); 5] = [
        ("merge", |s| drop(s.command(&s.project, &["merge", "-q", "other"]).output()), &["merge", "--abort"]),
        (
            "rebase",
            |s| drop(s.command(&s.project, &["rebase", "-q", "other"]).output()),
            &["rebase", "--abort"],
        ),
        (
            "cherry-pick",
            |s| drop(s.command(&s.project, &["cherry-pick", "other"]).output()),
            &["cherry-pick", "--abort"],
        ),
        ("revert", |s| drop(s.command(&s.project, &["revert", "HEAD~1"]).output()), &["revert", "--abort"]),
        ("bisect", |s| drop(s.git(&["bisect", "start", "-q"])), &["bisect", "reset"]),
    ];
    for kind in BOTH {
        for (name, begin, end) in &cases {
            let sandbox = Sandbox::new();
            let home = sandbox.create(kind);
            sandbox.git(&["checkout", "-q", "-b", "other"]);
            sandbox.write("a.txt", "other\n");
            sandbox.git(&["commit", "-q", "-am", "other"]);
            sandbox.git(&["checkout", "-q", "main"]);
            for text in ["main\n", "more\n"] {
                sandbox.write("a.txt", text);
                sandbox.git(&["commit", "-q", "-am", "main"]);
            }
            begin(&sandbox);
            let before = sandbox.outside(&sandbox.project);
            let head = sandbox.git(&["rev-parse", "HEAD"]);
            let outcome = try_commit(&home, vec![write("tasks/0a/x.md", "x\n")]).unwrap();
            assert_eq!(matches!(outcome, Outcome::Debt(_)), kind == HomeKind::Tree, "{name}: {outcome:?}");
            assert_eq!(sandbox.outside(&sandbox.project), before, "{name}");
            assert_eq!(sandbox.git(&["rev-parse", "HEAD"]), head, "{name}");
            sandbox.git(end);
            if kind == HomeKind::Tree {
                commit(&home, vec![]);
            }
            sandbox.judge(&home);
            assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), Some(b"x\n".to_vec()));
        }
    }
}

#[test]
fn inside_a_hook_an_in_tree_commit_waits() {
    let sandbox = Sandbox::new();
    let mut home = sandbox.create(HomeKind::Tree);
    home.hook = true;
    assert!(matches!(try_commit(&home, vec![write("x.md", "x\n")]).unwrap(), Outcome::Debt(_)));
    home.hook = false;
    commit(&home, vec![]);
    sandbox.judge(&home);
}

#[test]
fn a_read_only_repository() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let objects = home.common_dir.join("objects");
        std::fs::set_permissions(&objects, std::fs::Permissions::from_mode(0o555)).unwrap();
        let fault = try_commit(&home, vec![write("x.md", "x\n")]).unwrap_err();
        std::fs::set_permissions(&objects, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(fault.code, Code::Io);
        assert!(fault.message.contains("objects"), "{fault}");
        sandbox.judge(&home);
    }
}

#[test]
fn bad_paths_are_refused() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    for path in ["../x", "/etc/x", "a/../../x", ".git/config", "local/x", ""] {
        assert_eq!(try_commit(&home, vec![write(path, "x\n")]).unwrap_err().code, Code::InvalidValue);
    }
    sandbox.judge(&home);
}

#[test]
fn attributes_that_outrank_the_queues_own() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        std::fs::create_dir_all(home.common_dir.join("info")).unwrap();
        std::fs::write(home.common_dir.join("info/attributes"), "# nothing\n*.txt text\n").unwrap();
        commit(&home, vec![write("x.md", "x\r\n")]);
        std::fs::write(home.common_dir.join("info/attributes"), "*.md text=auto\n").unwrap();
        let fault = try_commit(&home, vec![write("x.md", "y\r\n")]).unwrap_err();
        assert_eq!(fault.code, Code::Unsupported);
        std::fs::write(home.common_dir.join("info/attributes"), "").unwrap();
        sandbox.judge(&home);
    }
}

#[test]
fn a_checkout_that_lies_elsewhere() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.scratch().join("elsewhere")).unwrap();
        sandbox.git(&["config", "core.worktree", sandbox.scratch().join("elsewhere").to_str().unwrap()]);
        refused(&sandbox, kind, Code::Unsupported);
    }
}

#[test]
fn an_in_tree_queue_is_not_made_in_the_middle_of_a_merge() {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "-b", "other"]);
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "other"]);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-ff", "--no-commit", "other"]);
    assert_eq!(try_create(&sandbox.project, HomeKind::Tree).unwrap_err().code, Code::InProgress);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    let home = sandbox.create(HomeKind::Branch);
    sandbox.judge(&home);
}

#[test]
fn a_worktree_of_the_person_that_is_called_like_ours() {
    let sandbox = Sandbox::new();
    sandbox.git(&["worktree", "add", "-q", "-b", "mine", "sub/.swift"]);
    assert_eq!(Home::find(&sandbox.project).unwrap_err().code, Code::NotInitialised);
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("x.md", "x\n")]);
    let found = Home::find(&sandbox.project).unwrap();
    assert_eq!((found.root, found.kind), (home.root, HomeKind::Branch));
}
