//! A world of its own for each test: folders, environment, clock and chance.
//!
//! Nothing of the machine reaches a program that is started here except `PATH`: no home, no git configuration,
//! no time zone. Each start moves the clock by one second and gets a new seed, so a test that runs alone gets
//! the same ids, instants and hashes every time. Paths are shown as `$SANDBOX` and `$HOME`. Nothing else in the
//! tests starts a program.

use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Once, OnceLock, mpsc};
use std::time::Duration;
use std::{fs, thread};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

mod streaming;
mod traced;
mod tracer;

pub(crate) use streaming::Streaming;
pub(crate) use traced::Traced;
pub(crate) use tracer::{Blow, Strike, Touch};

/// The instant at which every sandbox opens: a Monday morning.
const OPENING: &str = "2026-03-02T09:00:00Z";

/// A program that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

const GIT_CONFIG: &str = "\
[user]
\tname = Ada Example
\temail = ada@example.com
[init]
\tdefaultBranch = main
[gc]
\tautoDetach = false
[maintenance]
\tautoDetach = false
";

/// A temporary folder with everything in it that a program may see; gone when dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    _folder: tempfile::TempDir,
    base: PathBuf,
    /// Seconds since 1970 at the latest start.
    clock: AtomicI64,
    /// Number of starts so far.
    starts: AtomicU64,
}

/// What is started in the background, as gates often are, ignores ctrl-c, and so does all that it starts. What has a
/// handler is not inherited: from here on the programs of the tests begin as in a terminal.
fn hear_ctrl_c() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, always).unwrap();
    });
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        hear_ctrl_c();
        let folder = tempfile::Builder::new().prefix("swift-").tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        for name in ["home", "tmp", "work"] {
            fs::create_dir(base.join(name)).unwrap();
        }
        fs::write(base.join("home/.gitconfig"), GIT_CONFIG).unwrap();
        let opening: Timestamp = OPENING.parse().unwrap();
        Sandbox {
            _folder: folder,
            base,
            clock: AtomicI64::new(opening.as_second()),
            starts: AtomicU64::new(0),
        }
    }

    /// The folder that `$SANDBOX` stands for: empty at first, and in no repository.
    pub(crate) fn root(&self) -> Place<'_> {
        Place { sandbox: self, dir: self.base.join("work") }
    }

    /// A folder in the sandbox, made if it is not there.
    pub(crate) fn place(&self, dir: &str) -> Place<'_> {
        self.root().place(dir)
    }

    /// The home folder: what must stay as it is.
    pub(crate) fn home(&self) -> Place<'_> {
        Place { sandbox: self, dir: self.base.join("home") }
    }

    /// A git repository with one commit and nothing else.
    pub(crate) fn repository(&self, name: &str) -> Place<'_> {
        let place = self.place(name);
        place.git("init --quiet");
        place.write("README.md", format!("# {name}\n"));
        place.git("add README.md");
        place.git(["commit", "--quiet", "--message", "Begin"]);
        place
    }

    /// A repository with a queue: the project `acme/<name>`.
    pub(crate) fn project(&self, name: &str) -> Place<'_> {
        let place = self.repository(name);
        place.swift_ok(["init", "--id", &format!("acme/{name}")]);
        place
    }

    /// The repository that carries: `acme/hub`, in `$SANDBOX/hub`.
    pub(crate) fn orchestrator(&self) -> Place<'_> {
        let place = self.repository("hub");
        place.swift_ok("init --orchestrator --id acme/hub");
        place
    }

    /// Runs start a `claude` that does this; `tests/fake/claude` tells in which words.
    pub(crate) fn has_claude(&self, script: &str) {
        let home = self.base.join("home");
        fs::write(home.join("fake.sh"), script).unwrap();
        let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/claude");
        if !home.join("claude").exists() {
            std::os::unix::fs::symlink(fake, home.join("claude")).unwrap();
        }
    }

    /// Let time pass.
    pub(crate) fn later(&self, span: SignedDuration) {
        self.clock.fetch_add(span.as_secs(), Ordering::SeqCst);
    }

    /// The clock and the seed as they are now.
    pub(crate) fn moment(&self) -> (i64, u64) {
        (self.clock.load(Ordering::SeqCst), self.starts.load(Ordering::SeqCst))
    }

    /// Set clock and seed back, so that the same program does the same again to the byte.
    pub(crate) fn back_to(&self, (clock, starts): (i64, u64)) {
        self.clock.store(clock, Ordering::SeqCst);
        self.starts.store(starts, Ordering::SeqCst);
    }

    /// Paths of this sandbox as every sandbox would show them.
    pub(crate) fn neutral(&self, text: &str) -> String {
        text.replace(self.base.join("work").to_str().unwrap(), "$SANDBOX")
            .replace(self.base.join("home").to_str().unwrap(), "$HOME")
            .replace(self.base.to_str().unwrap(), "$BASE")
    }

    /// A program in an environment that the sandbox alone decides.
    fn command(&self, program: &str, dir: &Path) -> Command {
        let home = self.base.join("home");
        let now = self.clock.fetch_add(1, Ordering::SeqCst) + 1;
        let seed = self.starts.fetch_add(1, Ordering::SeqCst) + 1;
        let mut command = Command::new(if program == SWIFT { tried() } else { program });
        command
            .current_dir(dir)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", &home)
            .env("TMPDIR", self.base.join("tmp"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("GIT_CEILING_DIRECTORIES", &self.base)
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        if program == SWIFT && home.join("claude").exists() {
            command.env("SWIFT_CLAUDE", home.join("claude"));
        }
        if program == SWIFT {
            command
                .env("SWIFT_TEST_NOW", Timestamp::from_second(now).unwrap().to_string())
                .env("SWIFT_TEST_SEED", seed.to_string());
        } else {
            command.env("GIT_AUTHOR_DATE", format!("{now} +0000"));
            command.env("GIT_COMMITTER_DATE", format!("{now} +0000"));
        }
        command
    }
}

const SWIFT: &str = env!("CARGO_BIN_EXE_swift");

/// The program that is tried: the one that was built with the tests, or the one that `SWIFT_PROVE_PROGRAM` names.
fn tried() -> &'static str {
    static TRIED: OnceLock<Option<String>> = OnceLock::new();
    TRIED.get_or_init(|| std::env::var("SWIFT_PROVE_PROGRAM").ok()).as_deref().unwrap_or(SWIFT)
}

/// A folder of a sandbox: where programs run and files lie.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    sandbox: &'a Sandbox,
    dir: PathBuf,
}

impl<'a> Place<'a> {
    /// A folder below this one, made if it is not there.
    pub(crate) fn place(&self, dir: &str) -> Place<'a> {
        let dir = self.path(dir);
        fs::create_dir_all(&dir).unwrap();
        Place { sandbox: self.sandbox, dir }
    }

    /// The absolute path of something in this folder; understands `$SANDBOX/…` and `$HOME/…` too.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        let (base, rest) = if let Some(rest) = path.strip_prefix("$SANDBOX") {
            (self.sandbox.base.join("work"), rest)
        } else if let Some(rest) = path.strip_prefix("$HOME") {
            (self.sandbox.base.join("home"), rest)
        } else {
            (self.dir.clone(), path)
        };
        base.join(rest.trim_start_matches('/'))
    }

    /// Write a file, with the folders above it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Prepare `swift` with these arguments.
    pub(crate) fn call(&self, args: impl Arguments) -> Call<'a> {
        self.program(SWIFT, args)
    }

    /// Prepare any other program.
    pub(crate) fn program(&self, program: &str, args: impl Arguments) -> Call<'a> {
        let mut command = self.sandbox.command(program, &self.dir);
        command.args(args.into_arguments());
        Call { sandbox: self.sandbox, command, input: None }
    }

    /// Run `swift`, however it ends.
    pub(crate) fn swift(&self, args: impl Arguments) -> Output {
        self.call(args).run()
    }

    /// Run `swift`, which has to succeed; what it says on stdout.
    #[track_caller]
    pub(crate) fn swift_ok(&self, args: impl Arguments) -> String {
        self.call(args).run().ok()
    }

    /// Run `swift … --json`, which has to succeed; the document.
    #[track_caller]
    pub(crate) fn json(&self, args: impl Arguments) -> Value {
        let mut args = args.into_arguments();
        args.push("--json".to_owned());
        let output = self.call(args).run();
        output.ok();
        output.json()
    }

    /// Run `git`, which has to succeed; what it says on stdout.
    #[track_caller]
    pub(crate) fn git(&self, args: impl Arguments) -> String {
        self.program("git", args).run().ok()
    }
}

/// Arguments of a program: `"list --json"` is split as a shell would, `["task", title]` is taken as it is.
pub(crate) trait Arguments {
    fn into_arguments(self) -> Vec<String>;
}

impl Arguments for &str {
    fn into_arguments(self) -> Vec<String> {
        shell_words::split(self).unwrap()
    }
}

impl<const N: usize> Arguments for [&str; N] {
    fn into_arguments(self) -> Vec<String> {
        self.map(str::to_owned).into()
    }
}

impl<const N: usize> Arguments for [String; N] {
    fn into_arguments(self) -> Vec<String> {
        self.into()
    }
}

impl Arguments for Vec<String> {
    fn into_arguments(self) -> Vec<String> {
        self
    }
}

/// A program that is ready to start; its instant and seed are decided already.
#[derive(Debug)]
#[must_use]
pub(crate) struct Call<'a> {
    sandbox: &'a Sandbox,
    command: Command,
    input: Option<Vec<u8>>,
}

impl Call<'_> {
    /// What the program reads on stdin; nothing otherwise.
    pub(crate) fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Without a variable of the environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The same program in another folder.
    pub(crate) fn inside(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// The same program, started by another one: `wrapper… program args…`.
    pub(crate) fn under(self, wrapper: &[&str]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(self.command.get_program()).args(self.command.get_args());
        command.current_dir(self.command.get_current_dir().unwrap()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Call { command, ..self }
    }

    /// The program itself, for a test that watches it while it runs.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Start it and wait for the end, with a limit.
    pub(crate) fn run(mut self) -> Output {
        let shown = self.sandbox.neutral(&self.shown());
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let group = rustix::process::Pid::from_child(&child);

        if let (Some(input), Some(mut pipe)) = (self.input.take(), child.stdin.take()) {
            // A program may end without having read everything.
            thread::spawn(move || pipe.write_all(&input).is_ok());
        }
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(PATIENCE) else {
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
            panic!("{shown}: still running after {PATIENCE:?}");
        };

        let output = output.unwrap();
        let status = output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap();
        let text = |bytes: &[u8]| self.sandbox.neutral(&String::from_utf8_lossy(bytes));
        Output { shown, status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Start it and let it run. A thread of its own is its parent, because a tracer waits for all that its thread has started.
    pub(crate) fn start(mut self) -> Running {
        let shown = self.sandbox.neutral(&self.shown());
        let said = self
            .sandbox
            .base
            .join("tmp")
            .join(format!("said-{}", self.sandbox.starts.load(Ordering::SeqCst)));
        let file = fs::File::create(&said).unwrap();
        self.command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).process_group(0);
        let (started, child) = mpsc::channel();
        let (parent, ended) = mpsc::channel();
        thread::spawn(move || {
            started.send(self.command.spawn()).unwrap();
            // Until nobody asks for the child any more.
            ended.recv().ok()
        });
        let child = child.recv().unwrap().unwrap_or_else(|error| panic!("{shown}: {error}"));
        Running { child, shown, said, _parent: parent }
    }

    /// The command line as a person would type it.
    fn shown(&self) -> String {
        let program = self.command.get_program().to_str().unwrap();
        let program = if program == tried() { "swift" } else { program };
        let args = self.command.get_args().map(|arg| arg.to_str().unwrap());
        shell_words::join(std::iter::once(program).chain(args))
    }
}

/// A program that runs until it is ended; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: std::process::Child,
    shown: String,
    said: PathBuf,
    _parent: mpsc::Sender<()>,
}

impl Running {
    /// Everything that it has said so far, on both streams.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    /// Wait until it has said something.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) {
        let Running { child, shown, said, .. } = self;
        until(&format!("`{shown}` says `{text}`"), || {
            let all = fs::read_to_string(&*said).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "`{shown}` has ended: {all}");
            all.contains(text)
        });
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process_group(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Send a signal and wait for the end: the status, 128 and more for a signal, and how long it took.
    #[track_caller]
    pub(crate) fn end(&mut self, signal: rustix::process::Signal) -> (i32, Duration) {
        self.signal(signal);
        let begun = std::time::Instant::now();
        (self.ends(), begun.elapsed())
    }

    /// Wait for the end; the status, 128 and more for a signal.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> i32 {
        let mut status = None;
        until(&format!("`{}` ends", self.shown), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let status = status.unwrap();
        status.code().or(status.signal().map(|signal| 128 + signal)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        self.child.wait().ok();
    }
}

/// Wait until something is so, with a limit.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < end, "never: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// How a program ended and what it said, with paths as `$SANDBOX`.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The command line, for messages.
    pub(crate) shown: String,
    /// The exit status; 128 and the signal's number for a program that was killed.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// What it said on stdout, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        self.ended(0).stdout.clone()
    }

    /// The same output, if it ended with this status.
    #[track_caller]
    pub(crate) fn ended(&self, status: i32) -> &Self {
        let Output { shown, stdout, stderr, .. } = self;
        assert!(
            self.status == status,
            "`{shown}` ended with {}, not {status}\n{stdout}{stderr}",
            self.status
        );
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        self.document(&self.stdout, "stdout")
    }

    /// The one JSON document on stderr, where `--json` puts an error.
    #[track_caller]
    pub(crate) fn json_error(&self) -> Value {
        self.document(&self.stderr, "stderr")
    }

    #[track_caller]
    fn document(&self, text: &str, stream: &str) -> Value {
        serde_json::from_str(text).unwrap_or_else(|error| {
            panic!("`{}`: {stream} is not one JSON document: {error}\n{text}", self.shown)
        })
    }
}

#[test]
fn a_sandbox_decides_everything_that_a_program_can_see() {
    let sandbox = Sandbox::new();
    let seen = sandbox.root().call("--version").under(&["env"]).command;
    let seen: Vec<_> = seen.get_envs().map(|(name, _)| name.to_str().unwrap().to_owned()).collect();
    let expected = [
        "GIT_CEILING_DIRECTORIES GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT HOME LC_ALL PATH",
        "SWIFT_TEST_NOW SWIFT_TEST_SEED TMPDIR TZ XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME",
    ];
    assert_eq!(seen.join(" "), expected.join(" "));
}

#[test]
fn each_start_has_its_own_instant_and_seed() {
    let sandbox = Sandbox::new();
    let told = |call: Call<'_>| {
        let told = call.command.get_envs().filter(|(name, _)| name.to_str().unwrap().contains("_TEST_"));
        told.map(|(_, value)| value.unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(sandbox.root().call("next")), ["2026-03-02T09:00:01Z", "1"]);
    sandbox.later(SignedDuration::from_hours(2));
    assert_eq!(told(sandbox.root().call("next")), ["2026-03-02T11:00:02Z", "2"]);
}

#[test]
fn a_repository_is_the_same_every_time() {
    let hashes = [(); 2].map(|()| Sandbox::new().repository("web").git("rev-parse HEAD"));
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn a_project_and_an_orchestrator_live_side_by_side() {
    let sandbox = Sandbox::new();
    let (web, hub) = (sandbox.project("web"), sandbox.orchestrator());
    assert_eq!(web.git("rev-parse --show-toplevel"), "$SANDBOX/web\n");
    assert_eq!(hub.git("rev-parse --show-toplevel"), "$SANDBOX/hub\n");
    assert_eq!(web.git("status --porcelain"), "");
}

#[test]
fn a_program_reads_what_it_is_given_and_says_how_it_ended() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let output = root.program("sh", ["-c", "cat; echo \"$WORD\" >&2; exit 3"]);
    let output = output.stdin("{\"schema\": 1}").env("WORD", "[2]").run();
    output.ended(3);
    assert_eq!((output.json()["schema"].as_i64(), output.json_error()[0].as_i64()), (Some(1), Some(2)));
    assert_eq!(root.program("sh", ["-c", "kill -9 $$"]).run().status, 137);
    assert_eq!(root.program("sh", ["-c", "pwd; echo $HOME"]).run().ok(), "$SANDBOX\n$HOME\n");
}

#[test]
fn a_file_is_where_its_path_says() {
    let sandbox = Sandbox::new();
    let place = sandbox.place("a");
    place.write("b/c.txt", "text\n");
    assert_eq!(place.read("$SANDBOX/a/b/c.txt"), "text\n");
    assert!(sandbox.home().read("$HOME/.gitconfig").contains("Ada Example"));
    assert_eq!(place.swift("--version").status, 0);
}

#[test]
#[should_panic(expected = "is not one JSON document")]
fn a_document_that_is_not_json_fails_the_test() {
    Sandbox::new().root().json("--version");
}
