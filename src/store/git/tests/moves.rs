//! Adopting, moving and removing a queue.

use std::time::Duration;

use super::sandbox::{Sandbox, commit, request, try_create, write};
use crate::domain::fault::Code;
use crate::store::git::{BranchFate, Created, Home, HomeKind};

#[test]
fn a_clone_is_adopted() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    let id = commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
    sandbox.git_at(&sandbox.scratch(), &["clone", "-q", "project", "clone"]);
    let clone = sandbox.scratch().join("clone");
    let fault = Home::find(&clone).unwrap_err();
    assert_eq!(fault.code, Code::NotInitialised);
    assert!(fault.hints[0].contains("adopts"));
    sandbox.identify(&clone);
    let Created::Adopted(adopted) = try_create(&clone, HomeKind::Branch).unwrap() else {
        panic!("not adopted")
    };
    assert_eq!(sandbox.git_at(&adopted.root, &["rev-parse", "HEAD"]).trim(), id);
    sandbox.judge(&adopted);
    commit(&adopted, vec![write("y.md", "y\n")]);
    sandbox.judge(&adopted);
    assert!(matches!(try_create(&clone, HomeKind::Branch).unwrap(), Created::Existing(_)));
    assert_eq!(home.remote_url(), None);
    assert!(adopted.remote_url().unwrap().ends_with("project"));
}

#[test]
fn removing_restores_every_byte() {
    for exclude in [None, Some("*.log\n"), Some("*.log")] {
        let sandbox = Sandbox::new();
        let path = sandbox.project.join(".git/info/exclude");
        match exclude {
            Some(text) => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
            }
            None => drop(std::fs::remove_dir_all(path.parent().unwrap())),
        }
        let names = |sandbox: &Sandbox| {
            let mut names = sandbox.git(&["ls-files", "--others", "--cached"]);
            for entry in std::fs::read_dir(sandbox.project.join(".git")).unwrap().flatten() {
                names.push_str(&format!("{:?}\n", entry.file_name()));
            }
            let mut lines: Vec<String> = names.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let before = (sandbox.outside(&sandbox.project), names(&sandbox));
        let home = sandbox.create(HomeKind::Branch);
        commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        std::fs::write(home.root.join("unsaved.md"), "u\n").unwrap();
        assert_eq!(
            home.remove(&guard, BranchFate::Delete, request(vec![])).unwrap_err().code,
            Code::WrongState
        );
        std::fs::remove_file(home.root.join("unsaved.md")).unwrap();
        let removed = home.remove(&guard, BranchFate::Delete, request(vec![])).unwrap();
        assert_eq!((removed.steps.len(), removed.left), (3, vec![]));
        assert_eq!((sandbox.outside(&sandbox.project), names(&sandbox)), before);
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), exclude);
        assert_eq!(Home::find(&sandbox.project).unwrap_err().code, Code::NotInitialised);
    }
}

#[test]
fn removing_an_in_tree_queue() {
    for fate in [BranchFate::Keep, BranchFate::Delete] {
        let sandbox = Sandbox::new();
        let before = sandbox.outside(&sandbox.project);
        let home = sandbox.create(HomeKind::Tree);
        commit(&home, vec![write("tasks/0a/x.md", "x\n")]);
        let guard = home.lock(Duration::from_secs(5)).unwrap();
        home.remove(&guard, fate, request(vec![])).unwrap();
        assert_eq!(home.root.exists(), fate == BranchFate::Keep);
        assert_eq!(sandbox.outside(&sandbox.project), before);
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
        assert!(!sandbox.project.join(".git/swift").exists());
    }
}

#[test]
fn a_queue_moves_between_its_homes_with_its_history() {
    let sandbox = Sandbox::new();
    let home = sandbox.create(HomeKind::Branch);
    commit(&home, vec![write("tasks/0a/x.md", "x\n"), write("inbox/y.md", "y\n")]);
    let guard = home.lock(Duration::from_secs(5)).unwrap();
    let home = home.switch_kind(&guard, HomeKind::Tree, "swift", request(vec![])).unwrap();
    drop(guard);
    assert_eq!(home.kind, HomeKind::Tree);
    sandbox.judge(&home);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.git(&["branch", "--list", "swift"]), "");
    assert_eq!(home.history().unwrap().count(), 2);
    commit(&home, vec![write("tasks/0a/x.md", "xx\n")]);
    let guard = home.lock(Duration::from_secs(5)).unwrap();
    let home = home.switch_kind(&guard, HomeKind::Branch, "swift", request(vec![])).unwrap();
    drop(guard);
    assert_eq!(home.kind, HomeKind::Branch);
    sandbox.judge(&home);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.git(&["ls-files"]), "a.txt\nsrc/b.txt\n");
    assert_eq!(std::fs::read(home.root.join("tasks/0a/x.md")).unwrap(), b"xx\n");
    commit(&home, vec![write("z.md", "z\n")]);
    assert_eq!(home.history().unwrap().count(), 4);
    sandbox.judge(&home);
}
