//! What git does not take up.

use super::sandbox::Sandbox;
use crate::store::git::HomeKind;

#[test]
fn what_is_ignored_is_what_git_ignores() {
    let paths = [
        "tasks/a.md",
        "tasks/a.log",
        "tasks/deep/er/b.md",
        "tasks/deep/er/keep.log",
        "build/x.md",
        "outbox/build",
        "outbox/build/y.md",
        "inbox/ä.md",
        "inbox/A.MD",
        "inbox/sp ace.md",
        "new/one.md",
        "top.md",
        "inbox/top.md",
    ];
    for kind in [HomeKind::Branch, HomeKind::Tree] {
        let sandbox = Sandbox::new();
        let home = sandbox.create(kind);
        let names: Vec<String> = paths.iter().map(|path| home.in_tree(path)).collect();
        let exclude = home.common_dir.join("info/exclude");
        std::fs::write(exclude, "*.log\n/.swift/tasks/deep/\n!keep.log\n").unwrap();
        let own = sandbox.scratch().join("mine");
        std::fs::write(&own, "build/\nä.md\n").unwrap();
        sandbox.git(&["config", "core.excludesFile", own.to_str().unwrap()]);
        let patterns = [("", "/top.md\n/new\n"), ("tasks", "deep/**/b.md\n"), ("inbox", "sp*\n")];
        for (folder, patterns) in patterns {
            let folder = home.root.join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(".gitignore"), patterns).unwrap();
        }
        let home = home.reopen().unwrap();
        let here = home.ignored_here(&names).unwrap();
        assert_eq!(here, home.ignored_by_git(&names).unwrap(), "{kind:?}");
        assert!(here.len() > 4 && here.len() < paths.len(), "{here:?}");
    }
}
