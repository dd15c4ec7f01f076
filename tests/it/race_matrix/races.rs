//! The races: what each process types, and what has to have come of it.

use serde_json::Value;

use super::{Heat, Race, Scene, Timed, at_once};
use crate::sandbox::Output;
use crate::watch::watcher;
use crate::world::{add, copies, received, text};

pub(super) const RACES: [Race; 9] = [
    Race { name: "create", run: create },
    Race { name: "claim the same", run: claim_the_same },
    Race { name: "edit the same field", run: edit_the_same_field },
    Race { name: "edit other fields", run: edit_other_fields },
    Race { name: "done twice", run: done_twice },
    Race { name: "outbox twice", run: outbox_twice },
    Race { name: "undo against claim", run: undo_against_claim },
    Race { name: "watch against outbox", run: watch_against_outbox },
    Race { name: "session commits", run: session_commits },
];

impl Scene<'_> {
    /// One call for each process.
    fn each(&self, words: impl Fn(usize) -> Vec<String>) -> Heat {
        at_once((0..self.setting.writers).map(|n| vec![self.place.call(words(n))]).collect())
    }

    fn events(&self, id: &str, kind: &str) -> usize {
        let log = self.place.json(["show", id]);
        log["events"].as_array().unwrap().iter().filter(|event| event["kind"] == kind).count()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn all_succeed(heat: &Heat) {
    heat.ended.iter().for_each(|timed| drop(timed.output.ok()));
}

/// One succeeds; every other one is told, with status 4 or 5.
fn one_wins(heat: &Heat) -> &Output {
    let (won, lost): (Vec<_>, Vec<_>) =
        heat.ended.iter().map(|timed| &timed.output).partition(|output| output.status == 0);
    assert_eq!(won.len(), 1, "{won:#?}");
    for output in lost {
        assert!([4, 5].contains(&output.status) && output.stderr.contains("error: "), "{output:?}");
    }
    won[0]
}

fn create(scene: &Scene<'_>) -> Heat {
    let calls = |n: usize| {
        (0..5).map(|round| scene.place.call(["task", ".", &format!("{n} {round}"), "--json"])).collect()
    };
    let heat = at_once((0..scene.setting.writers).map(calls).collect());
    for timed in &heat.ended {
        timed.output.ok();
        let id = text(&timed.output.json()["task"]["id"]);
        assert_eq!(copies(scene.place, &id).len(), 1, "{id}");
    }
    heat
}

fn claim_the_same(scene: &Scene<'_>) -> Heat {
    let id = add(scene.place, ".", "the one");
    let heat = scene.each(|n| words(&["claim", &id, "--actor", &format!("agent-{n}")]));
    let won = one_wins(&heat);
    let holder = text(&scene.place.json(["show", &id])["task"]["holder"]);
    assert!(won.stdout.contains(&holder), "{holder}: {}", won.stdout);
    assert_eq!(scene.events(&id, "task.claimed"), 1);
    heat
}

fn edit_the_same_field(scene: &Scene<'_>) -> Heat {
    let id = add(scene.place, ".", "title of nobody");
    let heat = scene.each(|n| words(&["edit", &id, "--title", &format!("title of {n}")]));
    all_succeed(&heat);
    assert_eq!(
        scene.events(&id, "task.edited"),
        scene.setting.writers,
        "every edit happened, one after the other"
    );
    heat
}

fn edit_other_fields(scene: &Scene<'_>) -> Heat {
    let id = add(scene.place, ".", "the one");
    let heat = scene.each(|n| match n {
        0 => words(&["edit", &id, "--priority", "high"]),
        1 => words(&["edit", &id, "--effort", "S"]),
        n => words(&["comment", &id, &format!("word <{n}>")]),
    });
    all_succeed(&heat);
    let file = scene.place.read(&format!(".swift/{}", copies(scene.place, &id)[0]));
    let mut parts = vec!["priority = \"high\"".to_owned(), "effort = \"S\"".to_owned()];
    parts.extend((2..scene.setting.writers).map(|n| format!("word <{n}>")));
    assert!(parts.iter().all(|part| file.contains(part)), "{file}");
    heat
}

fn done_twice(scene: &Scene<'_>) -> Heat {
    let id = add(scene.place, ".", "the one");
    let heat = scene.each(|n| words(&["done", &id, "--result", &format!("by <{n}>")]));
    one_wins(&heat);
    let paths = copies(scene.place, &id);
    assert!(paths.len() == 1 && paths[0].starts_with("done/"), "{paths:?}");
    assert_eq!(scene.events(&id, "task.done"), 1);
    heat
}

fn outbox_twice(scene: &Scene<'_>) -> Heat {
    let ids: Vec<String> = (0..3).map(|n| scene.world.letter(&format!("letter {n}"))).collect();
    let calls = (0..scene.setting.writers).map(|_| vec![scene.world.hub.call("outbox --json --yes")]);
    let heat = at_once(calls.collect());
    let told = |timed: &Timed| match timed.output.status {
        0 => timed.output.json()["delivered"].as_array().unwrap().len(),
        status => {
            assert!([4, 5].contains(&status), "{:?}", timed.output);
            0
        }
    };
    assert_eq!(heat.ended.iter().map(told).sum::<usize>(), ids.len(), "each delivery is told by one");
    delivered(scene, &ids);
    heat
}

fn delivered(scene: &Scene<'_>, ids: &[String]) {
    for id in ids {
        assert_eq!(received(&scene.world.api, id).len(), 1, "{id}");
        let sent = copies(&scene.world.web, id);
        assert!(sent.len() == 1 && sent[0].starts_with("sent/"), "{sent:?}");
    }
}

fn undo_against_claim(scene: &Scene<'_>) -> Heat {
    let id = add(scene.place, ".", "the one");
    let heat = scene.each(|n| match n {
        0 => words(&["undo", "sesame"]),
        n => words(&["claim", &id, "--actor", &format!("agent-{n}")]),
    });
    let (undone, claims) = heat.ended.split_first().unwrap();
    let statuses: Vec<i32> = claims.iter().map(|timed| timed.output.status).collect();
    let won = statuses.iter().filter(|status| **status == 0).count();
    assert!(statuses.iter().all(|status| [0, 4, 5].contains(status)), "{statuses:?}");
    let (undid, there) = (undone.output.status == 0, copies(scene.place, &id).len());
    assert!(undid || [4, 5].contains(&undone.output.status), "{:?}", undone.output);
    // Undone first: nothing is left to claim. Otherwise it takes back a claim, after which another one may win.
    match there {
        0 => assert!(undid && won == 0, "{statuses:?}"),
        _ => assert!(there == 1 && (1..=1 + usize::from(undid)).contains(&won), "{there} {statuses:?}"),
    }
    heat
}

fn watch_against_outbox(scene: &Scene<'_>) -> Heat {
    let watching = watcher(scene.world);
    let calls = |n: usize| {
        let letter = scene.world.web.call(["task", "acme/api", &format!("letter {n}"), "--json"]);
        vec![letter, scene.world.hub.call("outbox --json --yes")]
    };
    let heat = at_once((0..scene.setting.writers).map(calls).collect());
    for timed in &heat.ended {
        assert!([0, 4, 5].contains(&timed.output.status), "{:?}", timed.output);
    }
    scene.world.round();
    let letters = heat
        .ended
        .iter()
        .map(|timed| timed.output.json())
        .filter_map(|told: Value| told["task"]["id"].as_str().map(str::to_owned));
    let letters: Vec<String> = letters.collect();
    assert_eq!(letters.len(), scene.setting.writers, "every letter is written");
    drop(watching);
    scene.world.round();
    delivered(scene, &letters);
    heat
}

fn session_commits(scene: &Scene<'_>) -> Heat {
    let settings = scene.place.read(".swift/swift.toml");
    scene.place.write(".swift/swift.toml", settings.replacen("commit = \"each\"", "commit = \"session\"", 1));
    scene.place.swift_ok("start sesame");
    let heat = scene.each(|n| words(&["task", ".", &format!("in a session {n}"), "--json"]));
    all_succeed(&heat);
    scene.place.swift_ok("finish sesame");
    let committed = scene.place.git(["-C", ".swift", "ls-tree", "-r", "--name-only", "HEAD"]);
    for timed in &heat.ended {
        let id = text(&timed.output.json()["task"]["id"]);
        assert!(committed.contains(&id), "{id} is in the commit of the session");
    }
    scene.place.write(".swift/swift.toml", settings);
    heat
}
