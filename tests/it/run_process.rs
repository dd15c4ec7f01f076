//! Processes of runs: nothing outlives its run, whatever is killed, floods or holds on.

use std::process::Stdio;

use crate::claude::{GOOD, Scene, processes_with, until};
use crate::sandbox::Sandbox;
use crate::world::{self, text};

/// A mark that the processes of this sandbox alone have: its home.
fn mark(sandbox: &Sandbox) -> String {
    format!("HOME={}", sandbox.home().path("").to_str().unwrap().trim_end_matches('/'))
}

#[track_caller]
fn nothing_is_left(sandbox: &Sandbox) {
    until("every process of the run is gone", || processes_with(&mark(sandbox)).is_empty());
}

/// Children of every kind: in the group, in a session of their own, orphaned, deaf to SIGTERM, holding stdout.
const BROOD: &str = "sleep 1001 & (setsid sleep 1002 &) ; (setsid sh -c 'trap \"\" TERM; while :; do sleep 1003; done' &) ; \
                     setsid sh -c 'sleep 1004 & setsid sleep 1005 & wait' & ";

#[test]
fn what_a_run_leaves_behind_is_ended() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(&format!("init; {BROOD} change; result ok"));
    let (status, document) = scene.run([scene.task("Make it").as_str()]);
    assert_eq!(status, 0, "{document:#}");
    assert_eq!(processes_with(&mark(&sandbox)), [""; 0], "when swift ends nothing is left");
}

#[test]
fn a_run_that_is_stopped_ends_with_everything_below_it() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(&format!("trap '' TERM INT; init; {BROOD} touch \"$HOME/ready\"; hang"));
    let task = scene.task("Make it");
    let running = Background::start(&scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    scene.call(["run", "stop", &task]).run().ok();
    assert_eq!(running.status(), 130);
    assert_eq!(processes_with(&mark(&sandbox)), [""; 0]);
    assert_eq!(scene.runs()[0]["outcome"], "cancelled");
    assert_eq!(scene.state(&task), "ready");
    world::sound(&scene.place, "after a stop");
}

#[test]
fn nothing_outlives_a_swift_that_is_killed_and_its_record_gets_an_end() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script(&format!(
        "if [ $start = 1 ]; then init; say hello; {BROOD} touch \"$HOME/ready\"; hang; fi; {GOOD}"
    ));
    let task = scene.task("Make it");
    let running = Background::start(&scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    until("it is heard", || scene.call(["run", "logs", &task]).run().stdout.contains("hello"));
    running.kill();
    nothing_is_left(&sandbox);
    let runs = scene.runs();
    assert_eq!((&runs[0]["outcome"], runs.len()), (&"interrupted".into(), 1), "{runs:?}");
    assert!(scene.call(["run", "logs", &task]).run().ok().contains("hello"), "the transcript is kept");
    // With its end its task is free, and goes on where it was.
    assert_eq!(scene.state(&task), "ready");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, document["run"]["attempt"].as_u64()), (0, Some(2)), "{document:#}");
    world::sound(&scene.place, "after a kill");
}

#[test]
fn a_task_whose_runs_are_cut_off_three_times_is_put_aside() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; hang");
    let task = scene.task("Make it");
    for start in 1..=3 {
        let running = Background::start(&scene, &["run", &task]);
        until("it works", || scene.starts() == start);
        running.kill();
        nothing_is_left(&sandbox);
    }
    let shift = scene.call("work --json").run().json();
    assert_eq!((scene.starts(), scene.state(&task)), (3, "blocked".to_owned()), "{shift:#}");
    assert!(text(&shift["notes"][0]).contains("quarantined"), "{shift:#}");
    let outcomes: Vec<_> = scene.runs().iter().map(|run| text(&run["outcome"])).collect();
    assert_eq!(outcomes, ["interrupted"; 3]);
}

#[test]
fn a_guardian_that_is_killed_leaves_nothing_either() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // The guardian is the parent of the program.
    scene.script(&format!("init; {BROOD} sleep 0.2; kill -9 $PPID; hang"));
    let task = scene.task("Make it");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, text(&document["run"]["outcome"])), (130, "interrupted".to_owned()));
    nothing_is_left(&sandbox);
}

#[test]
fn a_guardian_that_is_killed_leaves_nothing_that_hides_either() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // Neither the environment nor a process group tells whose it is.
    let pid = sandbox.home().path("pid").display().to_string();
    scene.script(&format!(
        "init; (setsid env -i sh -c 'echo $$ >\"{pid}\"; exec sleep 1006' &) ; \
         while ! [ -s \"{pid}\" ]; do sleep 0.05; done; kill -9 $PPID; hang"
    ));
    let task = scene.task("Make it");
    let (status, document) = scene.run([task.as_str()]);
    assert_eq!((status, text(&document["run"]["outcome"])), (130, "interrupted".to_owned()));
    let stat = format!("/proc/{}/stat", sandbox.home().read("pid").trim());
    let is_dead = std::fs::read_to_string(stat).map_or(true, |stat| stat.contains(") Z "));
    assert!(is_dead, "it does not outlive the run");
}

#[test]
fn a_run_that_takes_too_long_or_is_silent_is_ended() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.settings("[run]\nsilence = \"1s\"\n");
    scene.script("init; hang");
    let (status, silent) = scene.run([scene.task("Make it").as_str()]);
    assert_eq!((status, text(&silent["run"]["outcome"])), (8, "timed-out".to_owned()));
    assert_eq!(silent["run"]["reasons"][0], "the run said nothing for too long");
    scene.script("init; while :; do say again; sleep 0.1; done");
    let (status, long) = scene.run([scene.task("Make it").as_str(), "--timeout", "1s"]);
    assert_eq!((status, text(&long["run"]["outcome"])), (8, "timed-out".to_owned()));
    assert_eq!(long["run"]["reasons"][0], "the time given to the run was over");
    nothing_is_left(&sandbox);
}

#[test]
fn a_refused_login_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; echo '{\"type\":\"system\",\"subtype\":\"api_retry\",\"attempt\":1,\"max_retries\":10,\"error_status\":401,\"error\":\"authentication_failed\"}'; hang");
    let (status, document) = scene.run([scene.task("Make it").as_str()]);
    assert_eq!((status, text(&document["run"]["failure"])), (9, "login".to_owned()), "{document:#}");
}

#[test]
fn a_flood_is_read_in_memory_that_does_not_grow() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    // 300 MB: long lines of text, then one of 20 MB that is too long. The program looks at its grandparent's memory.
    scene.script(
        "init; line=$(head -c 5000000 /dev/zero | tr '\\0' x); \
         for n in $(seq 56); do printf '{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}\\n' \"$line\"; done; \
         head -c 20000000 /dev/zero | tr '\\0' x; echo; change; \
         swift=$(sed 's/.*) . \\([0-9]*\\) .*/\\1/' /proc/$PPID/stat); sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$swift/status >\"$HOME/peak\"; \
         result ok",
    );
    let (status, document) = scene.run([scene.task("Make it").as_str()]);
    assert_eq!(status, 0, "{document:#}");
    let peak: u64 = sandbox.home().read("peak").trim().parse().unwrap();
    // The program without optimisation takes some 25 MB itself; `benches/overhead` holds the other one to 40 MiB.
    assert!(peak < 56 * 1024, "swift took {peak} KiB");
    let logs = scene.call(["run", "logs", &text(&document["run"]["id"])]).run().ok();
    assert!(logs.contains("a line of 20000000 bytes was left out"));
    let record =
        std::fs::metadata(scene.place.path(&text(&document["run"]["path"]).replace(".toml", ".jsonl")))
            .unwrap();
    assert!(record.len() < 600 << 10, "the transcript has {} bytes", record.len());
}

#[test]
fn ctrl_c_stops_a_run() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; touch \"$HOME/ready\"; hang");
    let task = scene.task("Make it");
    let running = Background::start(&scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    running.signal(rustix::process::Signal::INT);
    assert_eq!(running.status(), 130);
    nothing_is_left(&sandbox);
    assert_eq!(scene.state(&task), "ready");
}

#[test]
fn a_log_can_be_followed_while_it_is_written() {
    let sandbox = Sandbox::new();
    let scene = Scene::new(&sandbox);
    scene.script("init; say first; touch \"$HOME/ready\"; while ! [ -e \"$HOME/go\" ]; do sleep 0.05; done; say second; change; result ok");
    let task = scene.task("Make it");
    let running = Background::start(&scene, &["run", &task]);
    until("it works", || sandbox.home().path("ready").exists());
    until("the first words are there", || scene.call(["run", "logs", &task]).run().stdout.contains("first"));
    assert_eq!(scene.call(["run", "show", &task, "--json"]).run().json()["run"]["state"], "running");
    let follower = Background::start(&scene, &["run", "logs", "-f", &task]);
    sandbox.home().write("go", "");
    assert_eq!((running.status(), follower.status()), (0, 0));
}

/// A `swift` that runs beside the test.
pub(crate) struct Background {
    child: std::cell::RefCell<std::process::Child>,
}

impl Background {
    pub(crate) fn start(scene: &Scene<'_>, args: &[&str]) -> Background {
        let words: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut command = scene.call(words).into_command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Background { child: std::cell::RefCell::new(command.spawn().unwrap()) }
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child.borrow())
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).ok();
    }

    pub(crate) fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
        self.child.borrow_mut().wait().unwrap();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.child.borrow_mut().try_wait().unwrap().is_some()
    }

    /// Wait for its end.
    #[track_caller]
    pub(crate) fn status(&self) -> i32 {
        until("it ends", || self.has_ended());
        self.child.borrow_mut().wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let mut child = self.child.borrow_mut();
        child.kill().ok();
        child.wait().ok();
    }
}
