//! The ordinary life of a queue, in both homes.

use std::time::Duration;

use super::sandbox::{BOTH, Sandbox, commit, first, remove, request, try_commit, try_create, write};
use crate::domain::fault::Code;
use crate::store::git::{Change, Created, Durability, Expect, Home, HomeKind, Outcome, Request};

#[test]
fn a_queue_is_made_filled_changed_and_emptied() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let outside = sandbox.outside(&sandbox.project);
        let home = sandbox.create(kind);
        sandbox.judge(&home);
        let id = commit(&home, vec![write("tasks/0a/x.md", "one\n"), write("inbox/y.md", "y\n")]);
        sandbox.judge(&home);
        assert_eq!(sandbox.git_at(&home.root, &["rev-parse", "HEAD"]).trim(), id);
        assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), Some(b"one\n".to_vec()));
        commit(&home, vec![write("tasks/0a/x.md", "two\n")]);
        sandbox.judge(&home);
        let last = commit(&home, vec![remove("tasks/0a/x.md"), write("done/2026-01/x.md", "two\n")]);
        sandbox.judge(&home);
        assert!(!home.root.join("tasks").exists());
        assert_eq!(sandbox.outside(&sandbox.project), outside);
        assert_eq!(home.history().unwrap().count(), 4);
        let entries: Vec<_> = home.history().unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(entries[0].id, last);
        assert!(entries[0].message.contains("Operation: 1"));
        let touched = home.touched(&last).unwrap();
        let paths: Vec<&str> = touched.iter().map(|touched| touched.path.as_str()).collect();
        assert_eq!(paths, ["done/2026-01/x.md", "tasks/0a/x.md"]);
        assert_eq!(touched[0].after, touched[1].before);
        assert_eq!(home.blob(touched[0].after.as_ref().unwrap()).unwrap(), b"two\n");
        assert_eq!(home.changed_files().unwrap(), []);
        assert_eq!(home.debts().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn full_durability_writes_the_same() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        let request =
            Request { durability: Durability::Full, ..request(vec![write("tasks/0a/x.md", "one\n")]) };
        assert!(matches!(home.commit(&guard, request).unwrap(), Outcome::Committed(_)));
        sandbox.judge(&home);
    }
}

#[test]
fn many_files_become_one_pack() {
    for kind in BOTH {
        for durability in [Durability::Full, Durability::Fast] {
            let sandbox = Sandbox::new();
            let home = sandbox.create(kind);
            let changes = (0..300)
                .map(|n| write(&format!("tasks/{:02x}/{n}.md", n % 7), &format!("task {n}\n")))
                .collect();
            let guard = home.lock(Duration::from_secs(5)).unwrap();
            home.commit(&guard, Request { durability, ..request(changes) }).unwrap();
            drop(guard);
            sandbox.judge(&home);
            for index in indexes(&sandbox) {
                sandbox.git(&["verify-pack", &index]);
            }
            commit(&home, vec![write("tasks/00/0.md", "changed\n")]);
            sandbox.judge(&home);
        }
    }
}

#[test]
fn packs_are_joined_as_they_add_up() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        for n in 0..70 {
            commit(&home, vec![write(&format!("tasks/{:02x}/{n}.md", n % 7), &format!("task {n}\n"))]);
            assert!(indexes(&sandbox).len() <= 16, "commit {n}: {}", indexes(&sandbox).len());
        }
        sandbox.judge(&home);
        assert_eq!(Home::find(&home.root).unwrap().history().unwrap().count(), 71);
        // A lost or wrong record, and a pack that git has collected meanwhile.
        std::fs::write(home.records().join("packs"), "nonsense\n").unwrap();
        for n in 0..4 {
            commit(&home, vec![write("a.md", &format!("{n}\n"))]);
        }
        sandbox.git(&["repack", "-q", "-a", "-d"]);
        for n in 4..20 {
            commit(&home, vec![write("a.md", &format!("{n}\n"))]);
        }
        sandbox.judge(&home);
    }
}

#[test]
fn large_packs_that_git_has_joined_are_forgotten() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("a.md", "a\n")]);
    let record = || std::fs::read_to_string(home.records().join("packs")).unwrap();
    let (own, gone): (String, String) = (record(), (0..9).map(|n| format!("{n:040} 300\n")).collect());
    std::fs::write(home.records().join("packs"), format!("{gone}{own}")).unwrap();
    home.maintenance().unwrap();
    assert_eq!(record(), own);
    sandbox.judge(&home);
}

#[test]
fn packs_that_git_has_an_index_over_are_left_alone() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("a.md", "a\n")]);
    sandbox.git(&["multi-pack-index", "write"]);
    for n in 0..20 {
        commit(&home, vec![write("a.md", &format!("{n}\n"))]);
    }
    sandbox.git(&["multi-pack-index", "verify"]);
    sandbox.judge(&home);
}

fn indexes(sandbox: &Sandbox) -> Vec<String> {
    let packs: Vec<_> = std::fs::read_dir(sandbox.project.join(".git/objects/pack"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "idx"))
        .collect();
    packs.iter().map(|path| path.to_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_new_makes_no_commit() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        assert_eq!(try_commit(&home, first()).unwrap(), Outcome::Unchanged);
        // The folder is brought in step even so.
        std::fs::write(home.root.join("swift.toml"), "edited\n").unwrap();
        assert_eq!(try_commit(&home, first()).unwrap(), Outcome::Unchanged);
        sandbox.judge(&home);
    }
}

#[test]
fn an_expectation_that_fails_changes_nothing() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let head = commit(&home, vec![write("tasks/0a/x.md", "one\n")]);
        let cases = [
            Change { path: "tasks/0a/x.md".into(), content: Some(b"n".to_vec()), expect: Expect::Absent },
            Change {
                path: "tasks/0a/x.md".into(),
                content: Some(b"n".to_vec()),
                expect: Expect::Bytes(b"?".to_vec()),
            },
            Change { path: "tasks/0a/x.md".into(), content: None, expect: Expect::Bytes(b"?".to_vec()) },
            Change {
                path: "new.md".into(),
                content: Some(b"n".to_vec()),
                expect: Expect::Bytes(b"?".to_vec()),
            },
        ];
        for case in cases {
            let changes = vec![write("aaa.md", "a\n"), case, write("zzz/z.md", "z\n")];
            assert_eq!(try_commit(&home, changes).unwrap_err().code, Code::Changed);
            sandbox.judge(&home);
            assert_eq!(sandbox.git_at(&home.root, &["rev-parse", "HEAD"]).trim(), head);
            assert!(!home.root.join("zzz").exists());
        }
    }
}

#[test]
fn hand_edits_are_seen_and_committed_without_being_rewritten() {
    use std::os::unix::fs::MetadataExt as _;
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        commit(&home, vec![write("tasks/0a/x.md", "one\n"), write("inbox/gone.md", "g\n")]);
        std::fs::write(home.root.join("tasks/0a/x.md"), "two\n").unwrap();
        std::fs::write(home.root.join("inbox/new.md"), "new\n").unwrap();
        std::fs::remove_file(home.root.join("inbox/gone.md")).unwrap();
        std::fs::create_dir_all(home.root.join("local")).unwrap();
        std::fs::write(home.root.join("local/cache"), "c\n").unwrap();
        let changed = home.changed_files().unwrap();
        let paths: Vec<&str> = changed.iter().map(|changed| changed.path.as_str()).collect();
        assert_eq!(paths, ["inbox/gone.md", "inbox/new.md", "tasks/0a/x.md"]);
        assert!(changed[0].after.is_none() && changed[1].before.is_none());
        let inode = std::fs::metadata(home.root.join("inbox/new.md")).unwrap().ino();
        let adopt = |path: &str, bytes: &str| Change {
            path: path.into(),
            content: Some(bytes.as_bytes().to_vec()),
            expect: Expect::Bytes(bytes.as_bytes().to_vec()),
        };
        let changes =
            vec![adopt("inbox/new.md", "new\n"), adopt("tasks/0a/x.md", "two\n"), remove("inbox/gone.md")];
        commit(&home, changes);
        sandbox.judge(&home);
        assert_eq!(std::fs::metadata(home.root.join("inbox/new.md")).unwrap().ino(), inode);
    }
}

#[test]
fn debts_are_paid_by_the_next_commit() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        home.keep(&guard, vec![write("tasks/0a/x.md", "one\n"), write("b.md", "b\n")], "manual").unwrap();
        assert_eq!(home.debts().unwrap(), ["b.md", "tasks/0a/x.md"]);
        assert_eq!(home.read_committed("b.md").unwrap(), None);
        drop(guard);
        commit(&home, vec![write("c.md", "c\n")]);
        sandbox.judge(&home);
        assert_eq!(home.debts().unwrap(), Vec::<String>::new());
        assert_eq!(home.read_committed("b.md").unwrap(), Some(b"b\n".to_vec()));
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        home.keep(&guard, vec![remove("b.md")], "manual").unwrap();
        assert!(matches!(home.commit(&guard, request(vec![])).unwrap(), Outcome::Committed(_)));
        sandbox.judge(&home);
    }
}

#[test]
fn the_queue_is_found_from_everywhere() {
    let sandbox = Sandbox::new();
    assert_eq!(Home::find(&sandbox.project).unwrap_err().code, Code::NotInitialised);
    assert_eq!(Home::find(&sandbox.scratch()).unwrap_err().code, Code::NoRepository);
    let home = sandbox.create(HomeKind::Branch);
    let linked = sandbox.scratch().join("linked");
    sandbox.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    commit(&home, vec![write("tasks/0a/x.md", "one\n")]);
    for start in [
        &sandbox.project,
        &sandbox.project.join("src"),
        &linked,
        &home.root,
        &home.root.join("tasks/0a"),
        &sandbox.project.join(".git"),
    ] {
        let found = Home::find(start).unwrap();
        assert_eq!((found.root, found.kind), (home.root.clone(), HomeKind::Branch));
        assert_eq!(found.branch.as_deref(), Some("swift"));
    }
    assert!(matches!(try_create(&linked, HomeKind::Tree).unwrap(), Created::Existing(_)));
}

#[test]
fn eight_writers_lose_nothing() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let root = home.root.clone();
                scope.spawn(move || {
                    for n in 0..25 {
                        let home = Home::find(&root).unwrap();
                        commit(
                            &home,
                            vec![write(&format!("tasks/{writer:02x}/{n}.md"), &format!("{writer} {n}\n"))],
                        );
                    }
                });
            }
        });
        sandbox.judge(&home);
        assert_eq!(home.history().unwrap().count(), 201);
        let listed = sandbox.git_at(&home.root, &["ls-files", "tasks"]);
        assert_eq!(listed.lines().count(), 200);
    }
}
