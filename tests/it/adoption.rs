//! What is there already is taken over as it is, or refused before anything is written.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{add, copies, sound};

/// Everything below the checkout and the git folder by name, and the refs.
fn everything(place: &Place<'_>) -> (String, String) {
    (place.program("find", ". -not -name index").run().ok(), place.git("for-each-ref"))
}

#[test]
fn a_queue_that_cannot_be_opened_is_not_taken_over() {
    let damages = [
        ("sed -i 's/^schema = 1/schema = 2/' swift.toml", 9, "newer swift"),
        ("sed -i 's|^id = .*|id = \"../../x\"|' swift.toml", 8, "id"),
        ("echo '= =' > swift.toml", 8, "swift.toml"),
        ("printf '\\377' > swift.toml", 8, "UTF-8"),
        ("rm swift.toml; ln -s .gitignore swift.toml", 8, "not a regular file"),
    ];
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let sound_one = web.git("rev-parse swift");
    for (number, (damage, status, said)) in damages.into_iter().enumerate() {
        web.git(["-C", ".swift", "reset", "--quiet", "--hard", sound_one.trim()]);
        web.program("sh", ["-c", &format!("cd .swift; {damage}; git add -A; git commit -qm changed")])
            .run()
            .ok();
        let name = format!("twin{number}");
        sandbox.root().git(["clone", "--quiet", "web", &name]);
        let twin = sandbox.place(&name);
        let before = everything(&twin);
        for verb in ["init --dry-run", "init", "init --id acme/web"] {
            let refused = twin.swift(verb);
            refused.ended(status);
            assert!(refused.stderr.contains(said), "{damage}: {}", refused.stderr);
            assert!(refused.stderr.contains("cannot be taken over"), "{damage}: {}", refused.stderr);
        }
        assert_eq!(everything(&twin), before, "{damage}");
    }
    // The other way to ask for something else than what is there.
    web.git(["-C", ".swift", "reset", "--quiet", "--hard", sound_one.trim()]);
    sandbox.root().git("clone --quiet web other");
    let other = sandbox.place("other");
    let before = everything(&other);
    other.swift("init --id acme/other").ended(4);
    assert_eq!(everything(&other), before);
    other.swift_ok("init --id acme/web");
}

#[test]
fn no_second_queue_is_made_beside_one_on_a_branch_of_any_name() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    // A file of that name is no queue.
    web.write("swift.toml", "[package]\nname = \"a program\"\n");
    web.git("add swift.toml");
    web.git("commit --quiet -m own");
    web.git("branch topic");
    web.swift_ok("init --branch queue --id acme/web");
    add(&web, ".", "one");
    for remote in ["origin", "upstream"] {
        sandbox.root().git(["clone", "--quiet", "--origin", remote, "web", remote]);
        let twin = sandbox.place(remote);
        let before = everything(&twin);
        for verb in ["init", "init --in-tree", "init --dry-run", "init --branch other"] {
            let refused = twin.swift(verb);
            refused.ended(4);
            assert!(refused.stderr.contains(&format!("`{remote}/queue`")), "{verb}: {}", refused.stderr);
            assert!(refused.stderr.contains("`swift init --branch queue`"), "{verb}: {}", refused.stderr);
        }
        assert_eq!(everything(&twin), before);
        twin.swift_ok("init --branch queue");
        assert_eq!(twin.swift_ok("list"), web.swift_ok("list"));
    }
    // Nor beside one that was left on its branch.
    web.swift_ok("uninstall --keep-branch sesame");
    web.swift("init").ended(4);
    web.swift_ok("init --branch queue");
    sound(&web, "taken over again");
}

#[test]
fn a_repository_that_git_refuses_is_refused() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        let config = web.read(".git/config");
        let of_version_1 = config.replace("repositoryformatversion = 0", "repositoryformatversion = 1");
        let before = everything(&web);
        web.write(".git/config", format!("{of_version_1}[extensions]\n\tunknownThing = true\n"));
        assert_ne!(web.program("git", "status").run().status, 0);
        for verb in ["task . one", "claim", "undo", "doctor", "list"] {
            let refused = web.swift(verb);
            let told = refused.stderr.contains("`unknownthing`") || refused.stdout.contains("`unknownthing`");
            assert!(verb == "list" || told && refused.status != 0, "{verb}: {}", refused.stderr);
        }
        web.write(".git/config", &config);
        assert_eq!(everything(&web), before, "{init}");
        // How worktrees name each other makes no difference here: what git knows is taken.
        web.write(".git/config", format!("{of_version_1}[extensions]\n\trelativeWorktrees = true\n"));
        let knows = web.program("git", "status").run().status == 0;
        assert_eq!(web.swift("task . one").status == 0, knows);
        web.write(".git/config", config);
        add(&web, ".", "two");
    }
}

#[test]
fn a_task_in_a_folder_of_folders_is_one_that_every_verb_knows() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let deep = "tasks/2026/backend/api/auth/login";
    let deepest = format!("{deep}/4/5/6/7/8");
    for (folder, title) in [(deep, "Deep"), (&deepest, "Deepest"), ("tasks/named.md", "Named")] {
        web.write(&format!(".swift/{folder}/x.md"), format!("+++\ntitle = \"{title}\"\n+++\n"));
    }
    add(&web, ".", "other");
    let list = web.swift_ok("list");
    assert!(list.contains("Deep") && !list.contains("Deepest") && !list.contains("Named"), "{list}");
    for path in [&deepest[..], "tasks/named.md"] {
        assert!(!web.read(&format!(".swift/{path}/x.md")).contains("id ="), "{path} was taken for a task");
    }
    let told = web.swift("list");
    let told = told.stdout + &told.stderr;
    assert!(told.contains("folders deep") && told.contains("named as a file"), "{told}");
    fs::remove_dir_all(web.path(&format!(".swift/{deep}/4"))).unwrap();
    fs::remove_dir_all(web.path(".swift/tasks/named.md")).unwrap();
    let id = web.json("list")["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|task| task["title"] == "Deep")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(copies(&web, &id), [format!("{deep}/x.md")]);
    sound(&web, "deep");
    web.swift_ok(["done", &id]);
    sound(&web, "done");
}

#[test]
fn what_init_is_asked_for_otherwise_than_it_is_is_refused() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    for (words, said) in [
        ("init --in-tree", "`swift home tree`"),
        ("init --branch other", "on the branch `swift`"),
        ("init --in-tree --orchestrator", "`swift home tree`"),
    ] {
        let before = everything(&web);
        let refused = web.swift(words);
        assert!(refused.ended(4).stderr.contains(said), "{}", refused.stderr);
        assert_eq!(everything(&web), before);
    }
    web.swift_ok("init");
    web.swift_ok("init --branch swift --id acme/web");
    let api = sandbox.repository("api");
    api.swift_ok("init --in-tree --id acme/api");
    let refused = api.swift("init --branch swift");
    assert!(refused.ended(4).stderr.contains("`swift home branch`"), "{}", refused.stderr);
    api.swift_ok("init --in-tree");
    api.swift_ok("init");
}

#[test]
fn what_belongs_to_another_machine_is_not_taken_over_with_the_branch() {
    let sandbox = Sandbox::new();
    let hub = sandbox.orchestrator();
    sandbox.project("web");
    hub.swift_ok("register ../web");
    hub.git("-C .swift add --force local");
    hub.git("-C .swift commit --quiet -m slip");
    sandbox.root().git(["clone", "--quiet", hub.path("").to_str().unwrap(), "twin"]);
    let twin = sandbox.place("twin");
    twin.swift_ok("init");
    assert!(twin.swift_ok("projects").contains("unreachable"));
    for place in [&hub, &twin] {
        let told = place.swift("doctor");
        assert!(told.ended(8).stdout.contains("local-committed"), "{}", told.stdout);
    }
    let told = hub.swift("doctor").stdout;
    let command = told.split('`').find(|part| part.contains("rm -r --cached")).unwrap();
    hub.program("sh", ["-c", command]).run().ok();
    hub.git("-C .swift commit --quiet -m mended");
    hub.swift_ok("doctor");
    assert!(!hub.swift_ok("projects").contains("unreachable"));
    add(&hub, ".", "work");
    sound(&hub, "mended");
}

#[test]
fn on_a_detached_head_a_queue_in_the_tree_says_so() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let says = |words: &str| web.swift(words).stderr.contains("HEAD is detached");
    assert!(!says("task . one"));
    web.git("checkout --quiet --detach");
    assert!(says("task . two") && says("list"));
    web.git("switch --quiet --create kept");
    assert!(!says("task . three"));
    assert_eq!(web.json("list")["tasks"].as_array().unwrap().len(), 3);
}

#[test]
fn a_checkout_that_is_not_there_belongs_to_nobody() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.swift_ok(format!("{init} --id acme/web").as_str());
        web.git("config core.worktree ../nowhere");
        let refused = web.swift("task . one");
        assert!(!refused.stderr.contains("another user"), "{init}: {}", refused.stderr);
        assert!(
            refused.status == 0 || refused.stderr.contains("nothing is there"),
            "{init}: {}",
            refused.stderr
        );
    }
}

#[test]
fn a_branch_of_somebodys_own_with_a_file_of_that_name_is_not_taken_for_a_queues() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.git("checkout --quiet -b swift");
    web.write("swift.toml", "# settings = none\nname = \"port\"\n[build]\nlevel = 3\n");
    web.git("add swift.toml");
    web.git("commit --quiet --message port");
    web.git("checkout --quiet main");
    sandbox.root().git("clone --quiet web twin");
    for place in [web, sandbox.place("twin")] {
        let before = everything(&place);
        assert!(place.swift("list").ended(3).stderr.contains("`swift init` makes one"));
        for verb in ["init", "init --dry-run"] {
            let refused = place.swift(verb);
            assert!(refused.ended(9).stderr.contains("is not a queue's"), "{}", refused.stderr);
            assert!(refused.stderr.contains("`swift init --branch NAME`"), "{}", refused.stderr);
        }
        let refused = place.swift("init --branch main/queue");
        assert!(refused.ended(9).stderr.contains("beside the branch `main`"), "{}", refused.stderr);
        assert_eq!(everything(&place), before);
        place.swift_ok("init --branch queue");
        add(&place, ".", "one");
        sound(&place, "beside it");
    }
}

#[test]
fn what_is_proposed_and_done_is_shown_without_hidden_characters() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("e\u{1b}[31mvil");
    web.swift_ok("init");
    for verb in ["uninstall --dry-run", "home tree --dry-run", "home tree sesame", "uninstall sesame"] {
        let said = web.swift(verb);
        let said = format!("{}{}", said.stdout, said.stderr);
        assert!(!said.contains('\u{1b}'), "{verb}: {said:?}");
    }
}

#[test]
fn settings_that_git_does_not_have_are_no_queue_until_one_is_made_of_them() {
    for (init, home) in [("init", "is a worktree of the branch `swift`"), ("init --in-tree", "on `main`")] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.write(".swift/swift.toml", "# mine\nschema = 1\nid = \"acme/web\"\nlease = \"45m\"\n");
        web.write(".swift/tasks/x/one.md", "+++\ntitle = \"One\"\n+++\n");
        let before = (web.git("log --all --format=%H"), everything(&web));
        for verb in ["list", "task . Two", "doctor"] {
            let refused = web.swift(verb);
            refused.ended(3);
            assert!(refused.stderr.contains("swift.toml is in no commit"), "{verb}: {}", refused.stderr);
            assert!(refused.stderr.contains("hint: `swift init` makes"), "{verb}: {}", refused.stderr);
        }
        web.swift("init --id acme/other").ended(4);
        web.swift_ok(format!("{init} --dry-run").as_str());
        assert_eq!((web.git("log --all --format=%H"), everything(&web)), before, "{init}");
        let main = web.git("rev-parse main");
        let made = web.swift_ok(init);
        assert!(made.starts_with("queue made: acme/web") && made.contains(home), "{made}");
        assert!(web.read(".swift/swift.toml").contains("# mine"));
        let tasks = web.swift_ok("list");
        assert!(tasks.contains("One"), "{tasks}");
        web.swift_ok("task . Two");
        assert_eq!(web.git("rev-parse main") == main, init == "init", "{init}");
        assert_eq!(web.git("status --porcelain --untracked-files=all"), "", "{init}");
        sound(&web, init);
    }
}

#[test]
fn what_lies_where_the_queue_would_be_and_is_none_is_left_as_it_is() {
    let lying: [(&str, &str, u8); 3] = [
        ("swift.toml", "sign = \"never\"\n", 8),
        ("swift.toml", "schema = 1\nid = \"acme/web\"\nbranch = \"queue\"\n", 4),
        (".gitignore", "*.o\n", 4),
    ];
    for (name, text, status) in lying {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.write(&format!(".swift/{name}"), text);
        let before = everything(&web);
        for verb in ["init --branch swift", "init --branch swift --dry-run"] {
            let refused = web.swift(verb);
            refused.ended(status.into());
            assert!(refused.stderr.contains("`mv .swift .swift-old`"), "{text}: {}", refused.stderr);
        }
        assert_eq!(everything(&web), before, "{text}");
        web.program("mv", ".swift .swift-old").run().ok();
        web.swift_ok("init");
    }
    // Beside a queue on its branch it has to be the same one.
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    web.swift_ok("uninstall --keep-branch sesame");
    let told = web.swift("list");
    told.ended(3);
    assert!(told.stderr.contains("`swift init` takes over the queue that is on the branch `swift`"));
    web.write(".swift/swift.toml", "schema = 1\nid = \"acme/other\"\n");
    let refused = web.swift("init");
    refused.ended(4);
    assert!(refused.stderr.contains("`acme/other`"), "{}", refused.stderr);
    web.write(".swift/swift.toml", "schema = 1\nid = \"acme/web\"\n");
    web.swift_ok("init");
    assert!(web.swift_ok("list").contains("one"));
    add(&web, ".", "two");
    sound(&web, "taken over");
}

#[test]
fn where_git_cannot_sign_a_queue_can_begin_unsigned() {
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let web = sandbox.repository("web");
        web.git("config commit.gpgsign true");
        web.git("config gpg.program /bin/false");
        let before = everything(&web);
        let refused = web.swift(init);
        refused.ended(9);
        assert!(refused.stderr.contains("with `--unsigned`"), "{}", refused.stderr);
        assert!(!refused.stderr.contains(".swift/swift.toml"), "{}", refused.stderr);
        assert_eq!(everything(&web), before, "{init}");
        web.swift_ok(format!("{init} --unsigned").as_str());
        add(&web, ".", "one");
        sound(&web, init);
    }
    let sandbox = Sandbox::new();
    let api = sandbox.project("api");
    let refused = api.swift("init --unsigned");
    refused.ended(4);
    assert!(refused.stderr.contains("`sign = \"never\"` in `.swift/swift.toml`"), "{}", refused.stderr);
}

#[test]
fn where_there_is_no_queue_the_hint_says_what_does_lead_to_one() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    sandbox.root().git("clone --quiet --bare web bare.git");
    let bare = sandbox.place("bare.git");
    let told = bare.swift("list");
    told.ended(3);
    assert!(told.stderr.contains("`git worktree add ../checkout` makes one"), "{}", told.stderr);
    assert!(!told.stderr.contains("`swift init`"), "{}", told.stderr);
    bare.git("worktree add --quiet ../checkout main");
    let checkout = sandbox.place("checkout");
    let told = checkout.swift("list");
    assert!(told.stderr.contains("`swift init` takes over the queue that is on the branch `swift`"));
    checkout.swift_ok("init");
    assert_eq!(checkout.swift_ok("list"), web.swift_ok("list"));
    // A sparse checkout that leaves the queue out.
    let api = sandbox.repository("api");
    api.write("src/main.rs", "");
    api.git("add .");
    api.git("commit --quiet -m src");
    api.swift_ok("init --in-tree");
    api.git("sparse-checkout set --cone src");
    let told = api.swift("list");
    told.ended(3);
    assert!(!told.stderr.contains("restore --staged"), "{}", told.stderr);
    assert!(told.stderr.contains("api sparse-checkout add .swift`"), "{}", told.stderr);
    api.git("sparse-checkout add .swift");
    add(&api, ".", "one");
}

#[test]
fn a_checkout_that_fetched_one_commit_begins_no_second_queue_without_a_word() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    let commit = web.git("rev-parse main").trim().to_owned();
    let words = [
        format!("git fetch -q --no-tags --depth=1 origin +{commit}:refs/remotes/origin/main"),
        "git fetch -q --depth 20 origin +refs/heads/main:refs/remotes/origin/main".to_owned(),
        "git fetch -q origin main".to_owned(),
        format!("git fetch -q --depth=1 ../web {commit}"),
    ];
    for (number, fetch) in words.iter().enumerate() {
        let ci = sandbox.place(&format!("ci{number}"));
        ci.git("init --quiet");
        ci.git("remote add origin ../web");
        ci.program("sh", ["-c", &format!("{fetch} && git checkout -q -B main FETCH_HEAD")]).run().ok();
        let hint = "git fetch origin '+refs/heads/*:refs/remotes/origin/*'";
        let before = everything(&ci);
        for (verb, status) in [("list", 3), ("init", 4), ("init --in-tree", 4), ("init --dry-run", 4)] {
            let refused = ci.swift(verb);
            refused.ended(status);
            assert!(refused.stderr.contains(hint), "{fetch}, {verb}: {}", refused.stderr);
        }
        assert_eq!(everything(&ci), before, "{fetch}");
        ci.program("sh", ["-c", hint]).run().ok();
        ci.swift_ok("init");
        assert_eq!(ci.json("list")["tasks"], web.json("list")["tasks"], "{fetch}");
    }
    // One that was only pushed to, one that has nothing, and one of which everything was fetched.
    sandbox.root().git("init --quiet --bare bare.git");
    sandbox.root().git("init --quiet --bare empty.git");
    let others =
        [("bare", "push --quiet -u origin main"), ("bare", "fetch --quiet"), ("empty", "fetch --quiet")];
    for (number, (remote, words)) in others.into_iter().enumerate() {
        let own = sandbox.repository(&format!("own{number}"));
        own.git(["remote", "add", "origin", &format!("../{remote}.git")]);
        own.git(words);
        own.swift_ok("init");
    }
}

#[test]
fn a_queue_of_the_remote_that_has_nothing_in_common_is_found_and_can_be_gone_over_to() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "theirs");
    let own = sandbox.repository("own");
    own.git("remote add origin ../web");
    own.swift_ok("init");
    add(&own, ".", "ours");
    sound(&own, "before the remote is looked at");
    own.git("fetch --quiet origin");
    let told = own.swift("doctor");
    told.ended(8);
    assert!(told.stdout.contains("`origin/swift` is another queue, that of `acme/web`"), "{}", told.stdout);
    for command in ["swift uninstall --keep-branch", "git branch --move swift swift-here"] {
        assert!(told.stdout.contains(&format!("`{command}`")), "{}", told.stdout);
    }
    own.swift_ok("uninstall --keep-branch sesame");
    own.git("branch --move swift swift-here");
    own.swift_ok("init");
    assert!(own.swift_ok("list").contains("theirs"));
    assert!(own.git("log -p swift-here").contains("ours"));
    sound(&own, "on theirs");
    // What has grown apart from the same beginning is no other queue.
    add(&own, ".", "more");
    add(&web, ".", "more");
    own.git("fetch --quiet origin");
    sound(&own, "apart");
}

#[test]
fn a_queue_that_a_full_disk_keeps_from_being_taken_over_leaves_nothing() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let _ = (add(&web, ".", "one"), add(&web, "acme/api", "two"));
    web.swift_ok("uninstall --keep-branch sesame");
    let before = everything(&web);
    let mut refused = 0;
    for nth in (1..40).step_by(3) {
        let inject = format!("inject=write,pwrite64:error=ENOSPC:when={nth}");
        let output = web.call("init").under(&["strace", "-f", "-o", "/dev/null", "-e", &inject]).run();
        if output.status == 0 || output.stderr.contains("stdout cannot be written") {
            web.swift_ok("uninstall --keep-branch sesame");
            continue;
        }
        refused += 1;
        assert_eq!(everything(&web), before, "{nth}: {}", output.stderr);
        assert_eq!(web.git("status --porcelain --untracked-files=all"), "", "{nth}");
    }
    assert!(refused > 0);
    web.swift_ok("init");
    sound(&web, "taken over");
}

#[test]
fn without_a_home_nobody_is_the_author() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let call =
        |words: &str| web.call(words).without("HOME").without("GIT_CONFIG_GLOBAL").without("XDG_CONFIG_HOME");
    let before = web.git("rev-parse swift");
    let refused = call("task . one").run();
    refused.ended(9);
    assert!(refused.stderr.contains("git config user.name"), "{}", refused.stderr);
    assert_eq!(web.git("rev-parse swift"), before);
    web.git("config user.name Bob");
    web.git("config user.email bob@example.com");
    call("task . one").run().ok();
    assert_eq!(web.git("log -1 --format=%an swift"), "Bob\n");
}

#[test]
fn what_an_uninstall_would_stop_at_or_leave_its_plan_says() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    add(&web, ".", "one");
    web.write(".swift/tasks/by-hand.md", "+++\ntitle = \"by hand\"\n+++\n");
    web.write(".swift/mine/notes.txt", "mine\n");
    let before = (everything(&web), web.git("rev-parse swift"));
    for verb in ["uninstall", "uninstall --dry-run", "uninstall sesame", "uninstall --keep-branch sesame"] {
        let refused = web.swift(verb);
        refused.ended(5);
        assert!(refused.stderr.contains("`.swift/mine/notes.txt` is not committed"), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("`mv -n $SANDBOX/web/.swift/mine $SANDBOX/web/mine`"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!((everything(&web), web.git("rev-parse swift")), before);
    web.program("mv", "-n .swift/mine mine").run().ok();
    web.swift_ok("uninstall sesame");
    assert!(!web.path(".swift").exists());
    // In the tree the files are a queue as before; only what belongs to this machine goes.
    let api = sandbox.repository("api");
    api.swift_ok("init --in-tree");
    add(&api, ".", "one");
    let plan = api.swift("uninstall --keep-branch");
    plan.ended(7);
    assert!(plan.stdout.contains("remove $SANDBOX/api/.swift/local, which belongs"), "{}", plan.stdout);
    let done = api.json("uninstall --keep-branch sesame");
    assert!(done["removed"][0].as_str().unwrap().contains("/.swift/local, which"), "{done}");
    assert!(!api.path(".swift/local").exists());
    assert!(api.swift_ok("list").contains("one"));
}

#[test]
fn where_no_branch_was_before_no_way_back_is_offered() {
    let sandbox = Sandbox::new();
    sandbox.repository("web");
    sandbox.root().git("clone --quiet --no-checkout web ci");
    let ci = sandbox.place("ci");
    ci.write(".git/HEAD", ci.git("rev-parse origin/main"));
    fs::remove_file(ci.path(".git/logs/HEAD")).unwrap();
    let refused = ci.swift("init --in-tree");
    refused.ended(5);
    assert!(!refused.stderr.contains("switch -`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("switch --create NAME`"), "{}", refused.stderr);
}

#[test]
fn a_repository_without_a_commit_has_no_folders_for_reflogs_afterwards() {
    let sandbox = Sandbox::new();
    let web = sandbox.place("empty");
    web.git("init --quiet");
    web.swift_ok("init --id acme/empty");
    assert!(web.path(".git/logs/refs/heads/swift").exists());
    web.swift_ok("uninstall sesame");
    assert!(!web.path(".git/logs").exists());
    // Where the project's own HEAD has a reflog, the folder is git's.
    web.swift_ok("init --id acme/empty");
    web.git("commit --quiet --allow-empty --message x");
    std::fs::remove_file(web.path(".git/logs/refs/heads/main")).unwrap();
    web.swift_ok("uninstall sesame");
    assert!(web.path(".git/logs/refs/heads").exists());
}

#[test]
fn an_exclude_file_that_is_a_link_to_nothing_is_that_again() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    let (exclude, target) = (web.path(".git/info/exclude"), web.path("$SANDBOX/mine"));
    let _ = std::fs::remove_file(&exclude);
    std::fs::create_dir_all(exclude.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&target, &exclude).unwrap();
    web.swift_ok("init --id acme/web");
    assert!(target.exists());
    web.swift_ok("uninstall sesame");
    assert!(!target.exists());
    assert_eq!(std::fs::read_link(&exclude).unwrap(), target);
}

#[test]
fn a_plan_of_removal_names_each_commit_that_it_makes() {
    let sandbox = Sandbox::new();
    let web = sandbox.repository("web");
    web.swift_ok("init --in-tree --id acme/web");
    let plan = || web.swift_ok("uninstall --dry-run").matches("commit ").count();
    assert_eq!(plan(), 1);
    web.write(".swift/tasks/mine.md", "+++\ntitle = \"mine\"\n+++\n");
    assert_eq!(plan(), 2);
    let count = || web.git("rev-list --count HEAD").trim().parse::<usize>().unwrap();
    let before = count();
    web.swift_ok("uninstall sesame");
    assert_eq!(count() - before, 2);
}
