//! What a killed process leaves behind, and what the person's own git does to the queue.

use std::time::Duration;

use super::sandbox::{BOTH, Sandbox, commit, try_commit, write};
use crate::domain::fault::Code;
use crate::store::git::disk::folder::Folder;
use crate::store::git::disk::perm::Sharing;
use crate::store::git::repo::gitlock::GitLock;
use crate::store::git::repo::refs;
use crate::store::git::{Home, HomeKind, Outcome};

/// A commit is taken back to each stage at which a kill can have stopped it, and the next lock puts it in order.
#[test]
fn an_interrupted_commit_is_finished() {
    for kind in BOTH {
        for stage in 0..4 {
            let sandbox = Sandbox::new();
            let home = sandbox.create(kind);
            let before = commit(&home, vec![write("tasks/0a/x.md", "one\n"), write("gone.md", "g\n")]);
            let old_index = std::fs::read(home.index_path()).unwrap();
            let record = record_of(&home, || {
                let changes = vec![
                    write("tasks/0a/x.md", "two\n"),
                    write("new.md", "n\n"),
                    super::sandbox::remove("gone.md"),
                ];
                commit(&home, changes)
            });
            let after = sandbox.git_at(&home.root, &["rev-parse", "HEAD"]).trim().to_owned();
            let branch = format!("refs/heads/{}", home.branch.as_deref().unwrap());
            let mut locks = Vec::new();
            if stage < 3 {
                sandbox.git_at(&home.root, &["update-ref", &branch, &before]);
            }
            if stage < 2 {
                std::fs::write(home.index_path(), &old_index).unwrap();
                let mut lock = GitLock::prepare(&home.index_path(), &home.scratch(), Sharing::Umask).unwrap();
                assert!(lock.acquire(Duration::ZERO).unwrap());
                locks.push((home.portable(lock.public()), lock.identity().unwrap()));
                std::mem::forget(lock);
            }
            if stage < 1 {
                std::fs::write(home.root.join("tasks/0a/x.md"), "one\n").unwrap();
                std::fs::write(home.root.join("gone.md"), "g\n").unwrap();
                // What is not in its place yet waits to be put there.
                std::fs::rename(home.root.join("new.md"), home.root.join("local/tmp/1-2")).unwrap();
            }
            let mut record = record;
            record.locks = locks;
            home.note_pending(&record, &mut Default::default()).unwrap();
            std::fs::write(home.root.join("local/tmp/1-1"), "left\n").unwrap();
            drop(home.lock(Duration::from_secs(5)).unwrap());
            sandbox.judge(&home);
            assert_eq!(sandbox.git_at(&home.root, &["rev-parse", "HEAD"]).trim(), after, "stage {stage}");
            assert_eq!(std::fs::read(home.root.join("tasks/0a/x.md")).unwrap(), b"two\n");
            assert!(!home.root.join("gone.md").exists());
        }
    }
}

/// The pending record that a commit writes; caught by making the commit from its result.
fn record_of(home: &Home, make: impl FnOnce() -> String) -> crate::store::git::commit::pending::Pending {
    use crate::store::git::commit::pending::{Pending, Planned};
    use crate::store::git::objects::tree::{FILE, Leaf};
    let id = make();
    let repo = crate::store::git::repo::Repo::open(&home.git_dir).unwrap();
    let hex = |hex: &str| repo.id(hex).unwrap();
    let files = home.touched(&id).unwrap().into_iter().map(|touched| Planned {
        path: touched.path,
        old: touched.before.as_deref().map(hex),
        new: touched.after.as_deref().map(|id| Leaf { mode: FILE, id: hex(id) }),
    });
    let commit = hex(&id);
    Pending {
        commit,
        parent: repo.commit(commit).unwrap().parents.first().copied(),
        objects: vec![commit],
        files: files.collect(),
        locks: vec![],
    }
}

#[test]
fn an_interrupted_commit_whose_objects_are_lost_is_dropped() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let mut record = record_of(&home, || commit(&home, vec![write("x.md", "x\n")]));
        let missing = "1".repeat(40);
        record
            .objects
            .push(crate::store::git::repo::Repo::open(&home.git_dir).unwrap().id(&missing).unwrap());
        home.note_pending(&record, &mut Default::default()).unwrap();
        drop(home.lock(Duration::from_secs(5)).unwrap());
        sandbox.judge(&home);
    }
}

#[test]
fn an_interrupted_commit_that_others_have_overtaken_becomes_a_debt() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Tree);
    let before = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let record = record_of(&home, || commit(&home, vec![write("x.md", "x\n"), write("y.md", "y\n")]));
    sandbox.git(&["reset", "-q", "--mixed", &before]);
    std::fs::rename(home.root.join("y.md"), home.root.join("local/tmp/1-1")).unwrap();
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "overtaken"]);
    home.note_pending(&record, &mut Default::default()).unwrap();
    drop(home.lock(Duration::from_secs(5)).unwrap());
    assert_eq!(home.debts().unwrap(), ["x.md", "y.md"]);
    commit(&home, vec![]);
    sandbox.judge(&home);
    assert_eq!(home.read_committed("y.md").unwrap(), Some(b"y\n".to_vec()));
}

#[test]
fn a_lock_that_is_not_ours_is_left() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    let mut record = record_of(&home, || commit(&home, vec![write("x.md", "x\n")]));
    let lock = home.git_dir.join("index.lock");
    std::fs::write(&lock, "git\n").unwrap();
    record.locks = vec![(home.portable(&lock), crate::store::git::repo::gitlock::Identity("1:0.0".into()))];
    home.note_pending(&record, &mut Default::default()).unwrap();
    let mut home = home;
    home.patience = Duration::from_millis(1);
    drop(home.lock(Duration::from_secs(5)).unwrap());
    assert!(lock.exists());
}

#[test]
fn a_commit_reverted_by_a_stale_index_comes_back() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Tree);
    let stale = std::fs::read(sandbox.project.join(".git/index")).unwrap();
    commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
    // What `git commit` does when it has read the index before our commit.
    std::fs::write(sandbox.project.join(".git/index"), stale).unwrap();
    sandbox.write("a.txt", "mine\n");
    sandbox.git(&["commit", "-q", "-m", "mine", "--allow-empty"]);
    assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), None);
    commit(&home, vec![write("y.md", "y\n")]);
    assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), Some(b"x\n".to_vec()));
    sandbox.judge(&home);
    // What a person takes back on purpose stays taken back.
    sandbox.git(&["rm", "-q", ".swift/tasks/0a/x.md"]);
    sandbox.git(&["commit", "-q", "-m", "not wanted"]);
    commit(&home, vec![write("z.md", "z\n")]);
    assert_eq!(home.read_committed("tasks/0a/x.md").unwrap(), None);
    sandbox.judge(&home);
}

#[test]
fn a_branch_switched_under_us() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Tree);
    sandbox.git(&["checkout", "-q", "-b", "other"]);
    commit(&home, vec![write("x.md", "x\n")]);
    sandbox.judge(&home);
    assert_eq!(home.reopen().unwrap().branch.as_deref(), Some("other"));
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(home.read_committed("x.md").unwrap(), None);
    commit(&home, vec![write("y.md", "y\n")]);
    sandbox.judge(&home);
    assert_eq!(home.read_committed("x.md").unwrap(), None);
}

#[test]
fn a_deleted_folder_is_rebuilt() {
    for prune in [false, true] {
        let sandbox = Sandbox::new();
        let home = sandbox.create(HomeKind::Branch);
        commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        home.keep(&guard, vec![write("kept.md", "k\n"), write("lost.md", "l\n")], "manual").unwrap();
        drop(guard);
        let owed = home.records().join("owed");
        let of_lost = std::fs::read_dir(&owed).unwrap().map(|entry| entry.unwrap().path());
        let of_lost: Vec<_> = of_lost.filter(|path| std::fs::read(path).unwrap() == b"l\n").collect();
        std::fs::remove_file(&of_lost[0]).unwrap();
        sandbox.git(&["clean", "-q", "-ffdx"]);
        assert!(!home.root.exists());
        if prune {
            sandbox.git(&["worktree", "prune", "--expire=now"]);
        }
        let home = Home::find(&sandbox.project.join("src")).unwrap();
        let rebuilt = home.rebuilt.as_ref().unwrap();
        assert_eq!(
            (&rebuilt.kept[..], &rebuilt.lost[..]),
            (&["kept.md".to_owned()][..], &["lost.md".to_owned()][..])
        );
        assert_eq!(std::fs::read(home.root.join("kept.md")).unwrap(), b"k\n");
        assert_eq!(home.debts().unwrap(), ["kept.md"]);
        assert_eq!(std::fs::read(home.root.join("tasks/0a/x.md")).unwrap(), b"x\n");
        assert!(Home::find(&sandbox.project).unwrap().rebuilt.is_none());
        commit(&home, vec![write("y.md", "y\n")]);
        sandbox.judge(&home);
    }
}

#[test]
fn a_moved_and_a_copied_repository() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("x.md", "x\n")]);
    let moved = sandbox.scratch().join("moved");
    std::fs::rename(&sandbox.project, &moved).unwrap();
    let home = Home::find(&moved.join(".swift")).unwrap();
    assert_eq!(home.root, moved.join(".swift"));
    commit(&home, vec![write("y.md", "y\n")]);
    sandbox.judge(&home);
    let copy = sandbox.scratch().join("copy");
    let copied = std::process::Command::new("cp").arg("-a").args([&moved, &copy]).status().unwrap();
    assert!(copied.success());
    let head = sandbox.git_at(&home.root, &["rev-parse", "HEAD"]);
    let other = Home::find(&copy).unwrap();
    assert_eq!((&other.root, &other.common_dir), (&copy.join(".swift"), &copy.join(".git")));
    commit(&other, vec![write("z.md", "z\n")]);
    sandbox.judge(&other);
    assert_eq!(sandbox.git_at(&home.root, &["rev-parse", "HEAD"]), head);
    assert_eq!(Home::find(&moved).unwrap().root, moved.join(".swift"));
    sandbox.judge(&home);
}

#[test]
fn the_persons_git_next_to_eight_writers() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let root = home.root.clone();
            scope.spawn(move || {
                let home = Home::find(&root).unwrap();
                for n in 0..10 {
                    commit(&home, vec![write(&format!("tasks/{writer:02x}/{n}.md"), "x\n")]);
                }
            });
        }
        for n in 0..10 {
            sandbox.write("a.txt", &format!("{n}\n"));
            sandbox.git(&["commit", "-q", "-am", "mine"]);
        }
    });
    sandbox.judge(&home);
    assert_eq!(sandbox.git(&["rev-list", "--count", "main"]).trim(), "11");
    assert_eq!(home.history().unwrap().count(), 41);
}

#[test]
fn in_tree_nothing_is_lost_next_to_the_persons_commits() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Tree);
    let mut expected = Vec::new();
    std::thread::scope(|scope| {
        let root = home.root.clone();
        let worker = scope.spawn(move || {
            let home = Home::find(&root).unwrap();
            let mut written = Vec::new();
            for n in 0..30 {
                let path = format!("tasks/{:02x}/{n}.md", n % 4);
                assert!(!matches!(try_commit(&home, vec![write(&path, "x\n")]).unwrap(), Outcome::Unchanged));
                written.push(path);
            }
            written
        });
        for n in 0..15 {
            sandbox.write("a.txt", &format!("{n}\n"));
            // Losing the race for a lock is git's own answer.
            let _ = sandbox.command(&sandbox.project, &["commit", "-q", "-am", "mine"]).output().unwrap();
        }
        expected = worker.join().unwrap();
    });
    commit(&home, vec![write("last.md", "l\n")]);
    for path in expected {
        assert_eq!(home.read_committed(&path).unwrap(), Some(b"x\n".to_vec()), "{path}");
    }
    sandbox.judge(&home);
}

#[test]
fn a_failed_change_puts_every_byte_back() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("a.md", "a\n"), write("b/b.md", "b\n")]);
    let folder = Folder::open(&home.root).unwrap();
    let mut barrier = Default::default();
    let (mut change, mut staged) = (folder.change(), Vec::new());
    for (path, content) in [("a.md", "new a\n"), ("c/d/e.md", "e\n")] {
        staged.push(folder.stage(content.as_bytes(), &mut barrier).unwrap());
        change.replace(path, staged.last().unwrap()).unwrap();
    }
    change.take("b/b.md").unwrap();
    change.take_back().unwrap();
    folder.discard(staged);
    sandbox.judge(&home);
    assert!(!home.root.join("c").exists());
    assert_eq!(refs::tip(&home.git_dir, &home.common_dir).unwrap().short(), Some("swift"));
}

#[test]
fn a_queue_that_moves_after_it_was_found_is_no_damage() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    let code = || refs::tip(&home.git_dir, &home.common_dir).unwrap_err().code;
    std::fs::remove_file(home.git_dir.join("HEAD")).unwrap();
    assert_eq!(code(), Code::Git);
    std::fs::remove_dir_all(&home.git_dir).unwrap();
    assert_eq!(code(), Code::Changed);
}
