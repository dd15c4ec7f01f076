//! A verb is killed, and so is the next one, while it finishes what the first has begun: still nothing is left behind.

use crate::crash::{self, Accident};
use crate::sandbox::Sandbox;
use crate::world::{add, sound};

#[test]
fn whoever_is_killed_while_finishing_a_killed_commit_leaves_no_lock() {
    if !crash::can_trace() {
        return;
    }
    for init in ["init", "init --in-tree"] {
        let sandbox = Sandbox::new();
        let live = sandbox.repository("live");
        live.swift_ok(format!("{init} --id acme/live").as_str());
        add(&live, ".", "first");
        let root = sandbox.root();
        let copy = |from: &str, to: &str| {
            root.program("rm", ["-rf", to]).run().ok();
            root.program("cp", ["-a", from, to]).run().ok();
        };
        let locks = || live.program("find", ".git -name *.lock").run().ok();
        copy("live", "whole");
        let points: Vec<_> = crash::points(live.call("task . second")).into_iter().collect();
        // Killed once: the last of these moments has every lock and every file in place.
        // Made anew each time, because a lock that is copied is another file.
        let kill_once = |point: &crash::Point| {
            copy("whole", "live");
            crash::at_syscall(live.call("task . second"), Accident::Killed, point);
        };
        let half = points.iter().rev().find(|point| {
            kill_once(point);
            !locks().is_empty()
        });
        let half = half.unwrap_or_else(|| panic!("{init}: no moment leaves a lock"));
        let points: Vec<_> = crash::points(live.call("task . third")).into_iter().collect();
        let mut left = 0;
        for point in points.iter().step_by(9) {
            kill_once(half);
            crash::at_syscall(live.call("task . third"), Accident::Killed, point);
            left += usize::from(!locks().is_empty());
            let when = format!("{init}, killed at {half:?} and at {point:?}");
            let told = live.swift("task . fourth");
            told.ok();
            assert!(!told.stderr.contains("not committed yet"), "{when}: {}", told.stderr);
            assert_eq!(locks(), "", "{when}");
            let list = live.swift_ok("list");
            assert!(["first", "second", "fourth"].iter().all(|title| list.contains(title)), "{when}: {list}");
            sound(&live, &when);
        }
        assert!(left > 0, "{init}: no second kill has left a lock, so nothing was tried");
    }
}
