//! What changed by hand is found, whether the index is known to stand for HEAD or not.

use super::sandbox::{BOTH, Sandbox, commit, remove, write};
use crate::store::git::{Home, HomeKind};

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
fn a_closed_folder_is_looked_into_when_its_names_have_changed() {
    for kind in BOTH {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        commit(&home, vec![write("archive/2026-01/a.md", "a\n"), write("archive/2026-01/b.md", "b\n")]);
        let quick = |home: &Home| -> Vec<String> {
            home.changed_files_but(&["archive"]).unwrap().into_iter().map(|changed| changed.path).collect()
        };
        std::fs::write(home.root.join("archive/2026-01/c.md"), "c\n").unwrap();
        std::fs::remove_file(home.root.join("archive/2026-01/a.md")).unwrap();
        assert_eq!(quick(&home), ["archive/2026-01/a.md", "archive/2026-01/c.md"]);
        std::fs::write(home.root.join("archive/2026-01/b.md"), "edited\n").unwrap();
        assert!(changed(&home).contains(&"archive/2026-01/b.md".to_owned()));
    }
}
