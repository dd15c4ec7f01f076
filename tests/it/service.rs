//! The file that has the system start the watcher: shown, written after a yes, and removed only as it was written.

use std::fs;

use crate::sandbox::{Place, Sandbox};
use crate::world::World;

const UNIT: &str = "$HOME/.config/systemd/user/swift-watch-acme-hub.service";

fn unit(hub: &Place<'_>) -> Option<String> {
    fs::read_to_string(hub.path(UNIT)).ok()
}

#[test]
fn a_service_is_shown_then_written_and_removed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let linux = |args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", "linux").run();
    let shown = linux("watch --install");
    shown.ended(7);
    assert!(shown.stdout.contains("ExecStart=") && shown.stdout.contains("[Install]"), "{}", shown.stdout);
    assert_eq!(unit(&world.hub), None, "nothing without a yes");
    linux("watch --install --dry-run").ended(0);
    assert_eq!(unit(&world.hub), None);
    let written = linux("watch --install sesame");
    assert!(written.ok().contains("nothing is started yet"), "{}", written.stdout);
    assert!(written.stderr.contains("systemctl --user enable --now swift-watch-acme-hub.service"));
    let text = unit(&world.hub).unwrap();
    assert!(
        text.contains(&format!("\nWorkingDirectory={}\n", world.hub.path("").display()).replace("/\n", "\n")),
        "{text}"
    );
    assert!(linux("watch --install").ok().contains("already"));
    let footprint = linux("doctor --footprint").ok();
    assert!(footprint.contains("swift-watch-acme-hub.service"), "{footprint}");
    linux("watch --uninstall").ended(7);
    assert!(unit(&world.hub).is_some());
    linux("watch --uninstall sesame").ended(0);
    assert_eq!(unit(&world.hub), None);
    linux("watch --uninstall sesame").ended(3);
}

#[test]
fn the_folders_that_were_made_for_a_service_go_with_it_and_no_others() {
    for (kept, words) in [
        ("", "watch --uninstall sesame"),
        ("", "uninstall sesame"),
        ("$HOME/.config", "watch --uninstall sesame"),
        ("$HOME/.config/systemd/user", "uninstall sesame"),
    ] {
        let sandbox = Sandbox::new();
        let world = World::new(&sandbox);
        let linux = |args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", "linux").run();
        if !kept.is_empty() {
            fs::create_dir_all(world.hub.path(kept)).unwrap();
        }
        linux("watch --install sesame").ended(0);
        linux(words).ended(0);
        let there = ["$HOME/.config", "$HOME/.config/systemd", "$HOME/.config/systemd/user"];
        for folder in there {
            assert_eq!(
                world.hub.path(folder).exists(),
                kept.starts_with(folder),
                "{words}, {kept}: {folder}"
            );
        }
    }
}

#[test]
fn a_service_that_was_edited_is_left_alone() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let linux = |args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", "linux").run();
    linux("watch --install sesame").ended(0);
    let edited = unit(&world.hub).unwrap().replace("RestartSec=5", "RestartSec=60");
    world.hub.write(UNIT, &edited);
    for args in ["watch --uninstall sesame", "watch --install sesame"] {
        let refused = linux(args);
        refused.ended(4);
        assert!(refused.stderr.contains("edited by hand"), "{}", refused.stderr);
        assert_eq!(unit(&world.hub).as_ref(), Some(&edited));
    }
    let gone = linux("uninstall sesame --json");
    let document = gone.ended(0).json();
    assert!(document["left"].to_string().contains("swift-watch-acme-hub.service"), "{document}");
    assert_eq!(unit(&world.hub), Some(edited));
}

#[test]
fn taking_the_queue_out_takes_an_unedited_service_along() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let linux = |args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", "linux").run();
    linux("watch --install sesame").ended(0);
    let plan = linux("uninstall --dry-run").ok();
    assert!(plan.contains("swift-watch-acme-hub.service"), "{plan}");
    let removed = linux("uninstall sesame --json").ended(0).json();
    assert!(removed["removed"].to_string().contains("swift-watch-acme-hub.service"), "{removed}");
    assert_eq!(unit(&world.hub), None);
}

#[test]
fn what_is_not_ours_is_neither_replaced_nor_removed() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let linux = |args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", "linux").run();
    world.hub.write(UNIT, "[Service]\nExecStart=/bin/true\n");
    linux("watch --install sesame").ended(4);
    linux("watch --uninstall sesame").ended(3);
    assert_eq!(unit(&world.hub).as_deref(), Some("[Service]\nExecStart=/bin/true\n"));
    let footprint = linux("doctor --footprint").ok();
    assert!(!footprint.contains("swift-watch"), "{footprint}");
}

#[test]
fn a_mac_gets_an_agent_and_other_systems_a_word() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let on = |platform: &str, args: &str| world.hub.call(args).env("SWIFT_TEST_PLATFORM", platform).run();
    on("macos", "watch --install sesame").ended(0);
    let agent = world.hub.read("$HOME/Library/LaunchAgents/swift.watch.acme-hub.plist");
    assert!(agent.contains("<string>watch</string>") && agent.ends_with("</plist>\n"), "{agent}");
    on("macos", "watch --uninstall sesame").ended(0);
    let other = world.hub.call("watch --install --json").env("SWIFT_TEST_PLATFORM", "plan9").run();
    assert_eq!(other.ended(9).json_error()["error"]["code"], "unsupported");
    let project = world.web.call("watch --install --json").run();
    assert_eq!(project.ended(3).json_error()["error"]["code"], "not-orchestrator");
}
