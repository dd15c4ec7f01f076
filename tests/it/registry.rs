//! Who is registered, under which name and where: what was meant is entered, and nothing else changes.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::{World, add, codes, copies, received, sound, text};

/// Put aliases into a project's settings.
fn called(place: &Place<'_>, aliases: &str) {
    let settings = place.read(".swift/swift.toml");
    place.write(".swift/swift.toml", settings.replace("aliases = []", &format!("aliases = {aliases}")));
}

fn ids(world: &World<'_>) -> Vec<String> {
    world.hub.json("projects")["projects"].as_array().unwrap().iter().map(|p| text(&p["id"])).collect()
}

#[test]
fn an_alias_that_is_another_project_removes_nobody() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = world.letter("from web");
    called(&world.api, "[\"acme/web\"]");
    let refused = world.hub.swift("register ../api");
    assert_eq!(refused.status, 4, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("which is another project, at `$SANDBOX/live/web`"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("live/api/.swift/swift.toml"), "{}", refused.stderr);
    assert_eq!(ids(&world), ["acme/api", "acme/web"]);
    world.round();
    assert_eq!(received(&world.api, &id).len(), 1);
    sound(&world.hub, "refused");
}

#[test]
fn a_name_that_is_given_up_is_said_and_in_the_log() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let settings = world.api.read(".swift/swift.toml").replace("\"acme/api\"", "\"acme/backend\"");
    world.api.write(".swift/swift.toml", settings.replace("aliases = []", "aliases = [\"acme/api\"]"));
    let said = world.hub.swift_ok("register ../api");
    assert!(said.contains("in the place of acme/api"), "{said}");
    assert_eq!(ids(&world), ["acme/backend", "acme/web"]);
    let log = world.hub.swift_ok("log -n 3");
    assert!(log.contains("project.unregistered") && log.contains("acme/api"), "{log}");
    sound(&world.hub, "renamed");
}

#[test]
fn a_second_clone_is_told_to_be_one() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.folder().git("clone --quiet api api2");
    let clone = sandbox.place("live/api2");
    clone.swift_ok("init");
    let refused = world.hub.swift("register ../api2");
    assert_eq!(refused.status, 4);
    assert!(refused.stderr.contains("hint: a clone of it is the same project"), "{}", refused.stderr);
}

#[test]
fn no_secret_of_a_url_is_committed() {
    let sandbox = Sandbox::new();
    let hub = sandbox.orchestrator();
    hub.swift_ok("register https://host/x/q.git?access_token=SECRET#SECRET --id x/q");
    hub.swift_ok("register https://me:SECRET@host/x/r?private_token=SECRET");
    let entries = ["x__q", "x__r"].map(|name| hub.read(&format!(".swift/projects/{name}.toml")));
    assert!(entries[0].contains("url = \"https://host/x/q.git\""), "{}", entries[0]);
    assert!(entries[1].contains("url = \"https://host/x/r\""), "{}", entries[1]);
    assert!(!hub.git("-C .swift log -p").contains("SECRET"));
}

#[test]
fn an_id_that_two_files_have_is_a_problem() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let entry = world.hub.read(".swift/projects/acme__api.toml");
    world.hub.write(".swift/projects/copy.toml", entry);
    let list = world.hub.json("projects");
    assert_eq!(ids(&world), ["acme/api", "acme/web"]);
    assert_eq!(codes(&list["problems"]), ["collision"], "{list}");
    assert_eq!(world.hub.swift("doctor").status, 8);
}

#[test]
fn an_orchestrator_that_was_moved_is_missed_and_found() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.api, ".", "first");
    world.web.swift_ok(["task", ".", "then", "--after", &format!("acme/api#{id}")]);
    let why = || world.web.swift_ok("next --why");
    assert!(why().contains("(first) in acme/api"), "{}", why());

    fs::rename(world.hub.path(""), sandbox.place("live").path("hub2")).unwrap();
    let gone = "the orchestrator at `$SANDBOX/live/hub` is not there";
    assert!(why().contains(gone), "{}", why());
    assert!(world.web.swift_ok("status").contains(gone));
    let doctor = world.web.swift("doctor");
    assert!(doctor.status == 8 && doctor.stdout.contains(gone), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("`swift outbox`, or `swift register`"), "{}", doctor.stdout);
    assert!(world.web.swift("pause").stderr.contains(gone));

    let moved = sandbox.place("live/hub2");
    moved.swift_ok("outbox sesame");
    assert!(why().contains("(first) in acme/api"), "{}", why());
    assert_eq!(world.web.swift("doctor").status, 0);

    // A note that is lost is written anew, also where nothing is approved and there is nothing to carry.
    fs::remove_dir_all(world.web.path(".swift/local")).unwrap();
    assert_eq!(moved.swift("outbox --dry-run").status, 0);
    assert!(!world.web.path(".swift/local/orchestrator").exists());
    moved.swift_ok("outbox");
    assert!(why().contains("(first) in acme/api"), "{}", why());
    assert_eq!(copies(&world.api, &id).len(), 1);
}

#[test]
fn a_task_of_another_project_is_named_by_its_short_form() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let id = add(&world.api, ".", "first");
    world.hub.swift_ok("register ../api --alias backend");
    let wait =
        |name: &str| world.web.swift(["task", ".", "then", "--after", &format!("{name}#{}", &id[10..16])]);
    wait("acme/api").ok();
    wait("backend").ok();
    let why = world.web.swift_ok("next --why");
    assert_eq!(why.matches("(first) in acme/api").count(), 2, "{why}");
    let unknown = wait("acme/nobody");
    assert!(unknown.status == 3 && unknown.stderr.contains("no project `acme/nobody`"), "{}", unknown.stderr);
    let task = world.web.swift(["task", ".", "then", "--after", "acme/api#zzzz"]);
    assert!(task.status == 3 && task.stderr.contains("no task `zzzz`"), "{}", task.stderr);

    fs::remove_file(world.web.path(".swift/local/orchestrator")).unwrap();
    let alone = wait("acme/api");
    assert_eq!(alone.status, 9, "{}", alone.stderr);
    assert!(alone.stderr.contains("the full id needs no look"), "{}", alone.stderr);
}

#[test]
fn advice_about_a_dependency_names_the_task() {
    let sandbox = Sandbox::new();
    let web = sandbox.project("web");
    let id = add(&web, ".", "waits");
    web.swift_ok(["edit", &id, "--after", "01ksp1c3h0k3v9q2w7x4m8n5ta"]);
    let advice = format!("`swift edit {} --clear after`", &id[10..16]);
    let doctor = web.swift("doctor").stdout;
    assert!(doctor.contains(&advice), "{advice} in {doctor}");
}

#[test]
fn a_project_is_taken_out_whatever_its_file_is_called() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.hub.git("-C .swift mv projects/acme__api.toml projects/api.toml");
    let entry = world.hub.read(".swift/projects/api.toml");
    world.hub.git("-C .swift commit --quiet --message renamed");
    // What is entered again goes into the file that is there.
    world.hub.swift_ok("register ../api --alias backend");
    assert!(world.hub.read(".swift/projects/api.toml").contains("backend"));
    assert!(!world.hub.path(".swift/projects/acme__api.toml").exists());
    world.hub.write(".swift/projects/copy.toml", entry);
    world.hub.swift_ok("unregister acme/api");
    assert_eq!(ids(&world), ["acme/web"]);
    assert!(!world.hub.path(".swift/projects/copy.toml").exists());
    world.hub.swift("unregister acme/api").ended(3);
    sound(&world.hub, "taken out");
    world.hub.swift_ok("undo");
    assert_eq!(ids(&world), ["acme/api", "acme/web"]);
    // Its new id takes the place of the old one, which may have been called anything too.
    let settings = world.api.read(".swift/swift.toml").replace("\"acme/api\"", "\"acme/backend\"");
    world.api.write(".swift/swift.toml", settings.replace("aliases = []", "aliases = [\"acme/api\"]"));
    world.hub.swift_ok("register ../api");
    assert_eq!(ids(&world), ["acme/backend", "acme/web"]);
    sound(&world.hub, "renamed");
}

#[test]
fn advice_about_the_registry_leads_to_the_orchestrator() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    called(&world.api, "[\"backend\"]");
    add(&world.web, "backend", "to a name that is not entered yet");
    let said = world.folder().swift_ok("-C hub outbox sesame");
    assert!(said.contains("`swift -C hub register $SANDBOX/live/api` enters the name"), "{said}");
    world.hub.swift_ok("register ../api");
    world.hub.swift_ok("outbox sesame");

    fs::rename(world.api.path(""), sandbox.place("live").path("moved")).unwrap();
    let said = world.folder().swift_ok("-C hub outbox");
    assert!(said.contains("tell where it lies now: `swift -C hub register <path>`"), "{said}");
    assert!(!said.contains("look there"), "{said}");
    let refused = world.folder().swift("-C web undo").stderr.clone();
    assert!(refused.contains("in the orchestrator's checkout, tell"), "{refused}");
    assert!(refused.contains("`swift register <path>`") && !refused.contains("look there"), "{refused}");
    let next = world.web.swift("next --all");
    let said = format!("{}{}", next.stdout, next.stderr);
    let hint = "`swift -C $SANDBOX/live/hub register <path>`";
    assert!(said.contains(hint), "{said}");
    assert!(!said.contains("next: swift projects"), "{said}");
    assert!(world.hub.swift("next --all").stderr.contains("next: swift projects"));
}

#[test]
fn what_is_no_queue_is_led_to_its_own_init_and_an_id_that_is_not_its_own_is_refused() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let other = sandbox.repository("live/other");
    let refused = world.hub.swift("register ../other");
    refused.ended(3);
    assert!(refused.stderr.contains("/other init` makes one"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("`swift init`"), "{}", refused.stderr);
    let from_outside = world.folder().swift("-C hub register ../other");
    assert!(!from_outside.stderr.contains("-C hub init`"), "{}", from_outside.stderr);
    other.swift_ok("init --id acme/other");
    for id in ["acme/another", "acme/api"] {
        let refused = world.hub.swift(["register", "../other", "--id", id]);
        refused.ended(4);
        assert!(refused.stderr.contains("is `acme/other`"), "{}", refused.stderr);
    }
    world.hub.swift(["register", "../api", "--id", "acme/other"]).ended(4);
    world.hub.swift_ok("register ../other --id acme/other");
}

#[test]
fn a_note_of_places_that_cannot_be_read_is_told_and_not_written_over() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let (note, broken) = (".swift/local/paths.json", "{ \"acme/api\": ");
    let good = world.hub.read(note);
    world.hub.write(note, broken);
    let list = world.hub.json("projects");
    assert_eq!(codes(&list["problems"]), ["malformed"], "{list}");
    assert!(world.hub.swift("register ../api").ended(8).stderr.contains("cat .swift/local/paths.json"));
    assert_eq!(world.hub.read(note), broken);
    assert!(world.hub.swift("doctor").ended(8).stdout.contains("paths.json"));
    fs::remove_file(world.hub.path(note)).unwrap();
    world.hub.swift_ok("register ../api");
    world.hub.swift_ok("register ../web");
    assert_eq!(world.hub.read(note), good);
    sound(&world.hub, "told again");
}

/// Each project says that it is the other one, and, if `aliases`, that it was called so before.
fn swap(world: &World<'_>, aliases: bool) {
    for (place, from, to) in [(&world.web, "acme/web", "acme/api"), (&world.api, "acme/api", "acme/web")] {
        let settings =
            place.read(".swift/swift.toml").replace(&format!("id = \"{from}\""), &format!("id = \"{to}\""));
        let before = if aliases { format!("[\"{from}\"]") } else { "[]".to_owned() };
        place.write(".swift/swift.toml", settings.replace("aliases = []", &format!("aliases = {before}")));
    }
}

#[test]
fn nothing_is_carried_for_two_projects_that_have_each_others_names() {
    for aliases in [false, true] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let letters = [add(&world.hub, "acme/web", "for web"), add(&world.hub, "acme/api", "for api")];
        swap(&world, aliases);
        let round = world.hub.swift("outbox sesame");
        for (name, other) in [("web", "api"), ("api", "web")] {
            let told = format!(
                "`$SANDBOX/live/{name}` is registered as `acme/{name}` and calls itself `acme/{other}`"
            );
            assert!(round.stdout.contains(&told), "{}", round.stdout);
        }
        for id in &letters {
            assert_eq!(copies(&world.hub, id).len(), 1);
            assert_eq!(received(&world.web, id).len() + received(&world.api, id).len(), 0);
        }
        for verb in ["projects", "doctor", "status"] {
            let said = world.hub.swift(verb);
            assert!(said.stdout.contains("calls itself"), "{verb}: {}", said.stdout);
        }
        // Neither takes the other's place before a person has said who is who.
        let refused = world.hub.swift("register ../web");
        assert!(refused.ended(4).stderr.contains("swift unregister"), "{}", refused.stderr);
        assert_eq!(ids(&world), ["acme/api", "acme/web"]);
        for place in [&world.web, &world.api] {
            place.git("-C .swift checkout --quiet -- swift.toml");
        }
        world.round();
        assert_eq!(
            [received(&world.web, &letters[0]).len(), received(&world.api, &letters[1]).len()],
            [1, 1]
        );
    }
}

#[test]
fn two_projects_that_have_changed_names_are_registered_anew() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    swap(&world, false);
    for words in ["unregister acme/web", "unregister acme/api", "register ../web", "register ../api"] {
        world.hub.swift_ok(words);
    }
    let id = add(&world.hub, "acme/web", "for the one that is called web now");
    world.round();
    assert_eq!((received(&world.api, &id).len(), received(&world.web, &id).len()), (1, 0));
}

#[test]
fn a_renaming_that_is_undone_leaves_the_project_where_it_was() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let settings = world.api.read(".swift/swift.toml").replace("\"acme/api\"", "\"acme/backend\"");
    world.api.write(".swift/swift.toml", settings.replace("aliases = []", "aliases = [\"acme/api\"]"));
    world.hub.swift_ok("register ../api");
    world.hub.swift_ok("undo sesame");
    let projects = world.hub.json("projects");
    assert_eq!(projects["projects"][0]["id"], "acme/api", "{projects:#}");
    assert_eq!(projects["projects"][0]["reachable"], true, "{projects:#}");
    let id = world.letter("after that");
    world.round();
    assert_eq!(received(&world.api, &id).len(), 1);
}

#[test]
fn an_entry_that_is_no_file_is_a_problem_and_the_rest_goes_on() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let path = world.hub.path(".swift/projects/acme__api.toml");
    let way = path.to_str().unwrap();
    for make in ["mkdir", "mkfifo", "ln -s /etc/passwd"] {
        let (id, other) = (world.letter("to nobody"), add(&world.hub, "acme/web", "goes on"));
        fs::remove_file(&path).unwrap();
        world.hub.program("sh", ["-c", &format!("{make} \"$0\""), way]).run().ok();
        for verb in ["projects", "status", "doctor", "outbox sesame"] {
            let said = world.hub.swift(verb);
            assert!(
                said.stdout.contains(".swift/projects/acme__api.toml: "),
                "{make}: {verb}: {}",
                said.stdout
            );
            assert!(said.stdout.contains("[not-a-file]"), "{make}: {verb}: {}", said.stdout);
        }
        assert_eq!(received(&world.web, &other).len(), 1, "{make}");
        assert_eq!(copies(&world.web, &id).len(), 1, "{make}");
        world.hub.program("sh", ["-c", "rm -r \"$0\"", way]).run().ok();
        world.hub.git("-C .swift checkout --quiet -- projects");
        world.round();
        assert_eq!(received(&world.api, &id).len(), 1, "{make}");
    }
    sound(&world.hub, "mended");
}

#[test]
fn an_entry_in_which_git_has_left_its_marks_is_not_settled() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let hub = &world.hub;
    let id = world.letter("waits");
    hub.git("clone --quiet . ../twin");
    let twin = world.folder().place("twin");
    twin.swift_ok("init");
    let name = ".swift/projects/acme__api.toml";
    for (place, alias) in [(&twin, "theirs"), (hub, "ours")] {
        place.write(name, format!("{}aliases = [\"{alias}\"]\n", place.read(name)));
        place.git("-C .swift commit --quiet --all --message alias");
    }
    hub.git("fetch --quiet ../twin swift:refs/remotes/other/swift");
    assert_ne!(hub.program("git", "-C .swift merge --no-edit refs/remotes/other/swift").run().status, 0);
    for verb in ["projects", "status", "doctor", "outbox sesame"] {
        let said = hub.swift(verb);
        assert!(said.stdout.contains("[unsettled]"), "{verb}: {}", said.stdout);
        let steps = "edit it, then `git -C $SANDBOX/live/hub/.swift add projects/acme__api.toml`; `swift resolve` ends";
        assert!(said.stdout.contains(steps), "{verb}: {}", said.stdout);
    }
    assert_eq!(copies(&world.web, &id).len(), 1, "it waits");
    hub.write(name, twin.read(name));
    hub.git("-C .swift add projects/acme__api.toml");
    hub.swift_ok("resolve sesame");
    world.round();
    assert_eq!(received(&world.api, &id).len(), 1);
    sound(hub, "settled");
}

#[test]
fn a_folder_without_git_is_led_to_by_its_own_name() {
    let sandbox = Sandbox::new();
    let world = crate::world::World::new(&sandbox);
    fs::create_dir(world.folder().path("plain")).unwrap();
    let told = world.hub.swift("register ../plain");
    assert!(
        told.ended(3).stderr.contains("plain` makes one there") && !told.stderr.contains("`git init`"),
        "{told:?}"
    );
    let told = world.hub.swift("list -C ../plain");
    assert!(told.ended(3).stderr.contains("`git init ../plain` makes one there"), "{told:?}");
}
