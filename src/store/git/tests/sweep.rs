//! What changed by hand is found, whether the index is known to stand for HEAD or not.

use super::sandbox::{BOTH, Sandbox, commit, remove, write};
use crate::store::git::{Home, HomeKind, Reach};

fn changed(home: &Home) -> Vec<String> {
    home.changed_files().unwrap().into_iter().map(|changed| changed.path).collect()
}

fn record(home: &Home) -> std::path::PathBuf {
    match home.kind {
        HomeKind::Branch => home.common_dir.join("swift/in-step"),
        HomeKind::Tree => home.git_dir().join("swift/in-step"),
    }
}

/// The answer with the record and without it.
fn both_ways(home: &Home) -> Vec<String> {
    let quick = changed(home);
    let kept = std::fs::read(record(home)).unwrap();
    std::fs::remove_file(record(home)).unwrap();
    assert_eq!(changed(home), quick);
    std::fs::write(record(home), kept).unwrap();
    quick
}

#[test]
fn with_the_record_and_without_it_the_answer_is_the_same() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let many = (0..40).map(|n| write(&format!("tasks/{n:02x}/t.md"), &format!("task {n}\n")));
        commit(&home, many.chain([write("inbox/a.md", "a\n")]).collect());
        commit(&home, vec![write("tasks/03/t.md", "other\n"), remove("inbox/a.md")]);
        assert_eq!(both_ways(&home), Vec::<String>::new());
        std::fs::write(home.root.join("tasks/05/t.md"), "edited\n").unwrap();
        std::fs::write(home.root.join("tasks/05/new.md"), "new\n").unwrap();
        std::fs::remove_file(home.root.join("tasks/06/t.md")).unwrap();
        std::fs::remove_dir_all(home.root.join("tasks/07")).unwrap();
        std::fs::write(home.root.join("tasks/aside.md"), "aside\n").unwrap();
        let expected =
            ["tasks/05/new.md", "tasks/05/t.md", "tasks/06/t.md", "tasks/07/t.md", "tasks/aside.md"];
        assert_eq!(both_ways(&home), expected);
        sandbox.git_at(&home.root, &["add", "-A", "."]);
        assert_eq!(changed(&home), expected);
        sandbox.git_at(&home.root, &["commit", "--quiet", "--message", "by hand"]);
        assert_eq!(changed(&home), Vec::<String>::new());
        commit(&home, vec![write("tasks/05/t.md", "again\n")]);
        assert_eq!(both_ways(&home), Vec::<String>::new());
    }
}

#[test]
fn the_log_and_the_archives_are_left_to_those_who_check_them() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        commit(&home, vec![write("archive/2026-01/a.md", "a\n"), write("archive/2026-01/b.md", "b\n")]);
        std::fs::write(home.root.join("archive/2026-01/c.md"), "c\n").unwrap();
        std::fs::write(home.root.join("archive/2026-01/b.md"), "edited\n").unwrap();
        std::fs::remove_file(home.root.join("archive/2026-01/a.md")).unwrap();
        std::fs::write(home.root.join("swift.toml"), "edited = true\n").unwrap();
        assert_eq!(home.edited_files(Reach::Files).unwrap(), ["swift.toml"]);
        assert_eq!(changed(&home).len(), 4);
        std::fs::remove_file(record(&home)).unwrap();
        assert_eq!(home.edited_files(Reach::Files).unwrap(), ["swift.toml"]);
    }
}

#[test]
fn what_git_has_in_the_index_and_no_commit_has_is_not_taken_for_head() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("tasks/0a/x.md", "one\n"), write("tasks/0b/y.md", "y\n")]);
    std::fs::write(home.root.join("tasks/0a/x.md"), "staged by hand\n").unwrap();
    sandbox.git_at(&home.root, &["add", "tasks/0a/x.md"]);
    commit(&home, vec![write("tasks/0b/y.md", "two\n")]);
    assert_eq!(changed(&home), ["tasks/0a/x.md"]);
    assert_eq!(changed(&home), ["tasks/0a/x.md"]);
}

#[test]
fn in_a_large_queue_names_are_looked_at_and_each_file_when_it_is_asked_for() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let file = |n: usize| format!("tasks/{:02x}/t{n}.md", n % 64);
        commit(&home, (0..2_100).map(|n| write(&file(n), &format!("task {n}\n"))).collect());
        // The folders' times have to lie before the index's, which a second commit makes certain.
        commit(&home, vec![write("inbox/a.md", "a\n")]);
        std::fs::write(home.root.join(file(5)), "edited in place\n").unwrap();
        std::fs::write(home.root.join("swift.toml"), "edited = true\n").unwrap();
        std::fs::write(home.root.join("tasks/06/new.md"), "new\n").unwrap();
        std::fs::remove_file(home.root.join(file(7))).unwrap();
        std::fs::write(home.root.join("tasks/08/aside"), "saved by an editor\n").unwrap();
        std::fs::rename(home.root.join("tasks/08/aside"), home.root.join(file(8))).unwrap();
        let by_name = ["swift.toml".to_owned(), "tasks/06/new.md".to_owned(), file(7), file(8)];
        assert_eq!(home.edited_files(Reach::Names).unwrap(), by_name, "{kind:?}");
        let mut all = by_name.to_vec();
        all.push(file(5));
        all.sort();
        assert_eq!(home.edited_files(Reach::Files).unwrap(), all, "{kind:?}");
    }
}

#[test]
fn months_of_finished_work_are_looked_into_when_a_name_in_them_changes() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let file = |top: &str, n: usize| format!("{top}/2026-01/t{n}.md");
        let many = (0..30).map(|n| write(&file("done", n), &format!("task {n}\n")));
        commit(&home, many.chain((0..9).map(|n| write(&file("sent", n), "few\n"))).collect());
        commit(&home, vec![write("inbox/a.md", "a\n")]);
        std::fs::write(home.root.join(file("done", 3)), "edited in place\n").unwrap();
        std::fs::write(home.root.join(file("sent", 3)), "edited in place, where there are few\n").unwrap();
        let names = || home.edited_files(Reach::Names).unwrap();
        assert_eq!(names(), [file("sent", 3)], "{kind:?}");
        assert_eq!(home.edited_files(Reach::Files).unwrap(), [file("done", 3), file("sent", 3)], "{kind:?}");
        std::fs::write(home.root.join("done/2026-01/new.md"), "new\n").unwrap();
        std::fs::remove_file(home.root.join(file("done", 5))).unwrap();
        let all = ["done/2026-01/new.md".to_owned(), file("done", 3), file("done", 5), file("sent", 3)];
        assert_eq!(names(), all, "{kind:?}");
    }
}

#[test]
fn sessions_of_past_months_are_looked_into_when_a_name_in_them_changes() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let file = |month: usize, n: usize| format!("sessions/2026-{month:02}/s{n}.md");
        let all = (1..=6).flat_map(|month| (0..5).map(move |n| (month, n)));
        commit(&home, all.map(|(month, n)| write(&file(month, n), &format!("session {n}\n"))).collect());
        commit(&home, vec![write("inbox/a.md", "a\n")]);
        for month in [2, 6] {
            std::fs::write(home.root.join(file(month, 1)), "edited in place\n").unwrap();
        }
        std::fs::remove_file(home.root.join(file(3, 1))).unwrap();
        assert_eq!(home.edited_files(Reach::Names).unwrap(), [file(3, 1), file(6, 1)], "{kind:?}");
        let all = [file(2, 1), file(3, 1), file(6, 1)];
        assert_eq!(home.edited_files(Reach::Files).unwrap(), all, "{kind:?}");
    }
}

#[test]
fn folders_that_are_only_kept_are_looked_into_when_a_name_in_them_changes() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let kept = (0..20).map(|n| write(&format!("tasks/{n:02x}/.keep"), ""));
        commit(&home, kept.chain([write("tasks/0a/t.md", "one\n")]).collect());
        let names = || home.edited_files(Reach::Names).unwrap();
        assert_eq!(names(), Vec::<String>::new());
        std::fs::write(home.root.join("tasks/03/new.md"), "new\n").unwrap();
        std::fs::write(home.root.join("tasks/0a/t.md"), "edited in place\n").unwrap();
        std::fs::create_dir(home.root.join("tasks/05/below")).unwrap();
        std::fs::write(home.root.join("tasks/05/below/deep.md"), "deep\n").unwrap();
        std::fs::remove_dir_all(home.root.join("tasks/07")).unwrap();
        assert_eq!(names(), ["tasks/03/new.md", "tasks/05/below/deep.md", "tasks/07/.keep", "tasks/0a/t.md"]);
        assert_eq!(home.edited_files(Reach::Files).unwrap(), names());
    }
}
