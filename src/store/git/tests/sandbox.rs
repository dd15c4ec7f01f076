//! A scratch repository with nothing of the machine's own configuration in it, and git to judge it by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::domain::fault::Result;
use crate::store::git::{Change, Created, Durability, Expect, Home, HomeKind, Outcome, Request, Signing};

pub(super) struct Sandbox {
    dir: TempDir,
    pub(super) project: PathBuf,
}

pub(super) const BOTH: [HomeKind; 2] = [HomeKind::Branch, HomeKind::Tree];

impl Sandbox {
    /// An empty folder and nothing else.
    pub(super) fn empty() -> Sandbox {
        let dir = TempDir::new().unwrap();
        let project = std::fs::canonicalize(dir.path()).unwrap().join("project");
        std::fs::create_dir(&project).unwrap();
        Sandbox { dir, project }
    }

    /// A repository with an identity and no commit.
    pub(super) fn unborn() -> Sandbox {
        Sandbox::with_init(&[])
    }

    pub(super) fn with_init(arguments: &[&str]) -> Sandbox {
        let sandbox = Sandbox::empty();
        sandbox.git(&[&["init", "-q", "-b", "main"], arguments].concat());
        sandbox.identify(&sandbox.project);
        sandbox
    }

    pub(super) fn identify(&self, at: &Path) {
        self.git_at(at, &["config", "user.name", "Ann"]);
        self.git_at(at, &["config", "user.email", "ann@example.com"]);
    }

    /// A repository with two files committed.
    pub(super) fn new() -> Sandbox {
        let sandbox = Sandbox::unborn();
        sandbox.populate();
        sandbox
    }

    pub(super) fn populate(&self) {
        self.write("a.txt", "a\n");
        self.write("src/b.txt", "b\n");
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "first"]);
    }

    pub(super) fn scratch(&self) -> PathBuf {
        std::fs::canonicalize(self.dir.path()).unwrap()
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.git_at(&self.project, arguments)
    }

    pub(super) fn git_at(&self, at: &Path, arguments: &[&str]) -> String {
        let output = self.command(at, arguments).output().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?} in {}: {}{}",
            at.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(super) fn command(&self, at: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.dir.path())
            .env("XDG_CONFIG_HOME", self.dir.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null())
            .arg("-C")
            .arg(at)
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(arguments);
        command
    }

    pub(super) fn create(&self, kind: HomeKind) -> Home {
        self.create_at(&self.project, kind)
    }

    pub(super) fn create_at(&self, at: &Path, kind: HomeKind) -> Home {
        match try_create(at, kind).unwrap() {
            Created::New(home) => home,
            other => panic!("not new: {other:?}"),
        }
    }

    /// The queue is in step with HEAD, the repository is sound, and no lock is left.
    pub(super) fn judge(&self, home: &Home) {
        let inside =
            self.git_at(&home.root, &["status", "--porcelain=v2", "--untracked-files=all", "--", "."]);
        assert_eq!(inside, "", "the queue is not clean");
        self.git_at(&home.checkout, &["fsck", "--strict", "--no-dangling"]);
        assert_eq!(locks(&home.common_dir), Vec::<PathBuf>::new());
        let staging = home.root.join("local/tmp");
        let left = std::fs::read_dir(staging).map_or(0, |entries| entries.count());
        assert_eq!(left, 0, "staged files are left");
        let pending = std::fs::read(home.records().join("pending")).unwrap_or_default();
        assert_eq!(pending, b"", "a pending record is left");
        assert_eq!(
            std::fs::read_dir(home.scratch()).map_or(0, |entries| entries.count()),
            0,
            "scratch files are left"
        );
    }

    /// What must not change outside of the queue.
    pub(super) fn outside(&self, at: &Path) -> Vec<String> {
        let pathspec: [&str; 3] = ["--", ".", ":(exclude).swift"];
        [
            &["status", "--porcelain=v2", "--untracked-files=all"][..],
            &["diff", "--cached", "--full-index", "--binary"],
            &["diff", "--full-index", "--binary"],
            &["ls-files", "-s", "-v", "-t"],
            &["stash", "list"],
        ]
        .iter()
        .map(|arguments| {
            let tail: &[&str] = if arguments[0] == "stash" { &[] } else { &pathspec };
            self.git_at(at, &[*arguments, tail].concat())
        })
        .collect()
    }
}

fn locks(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(locks(&path));
        } else if path.extension().is_some_and(|ending| ending == "lock") {
            found.push(path);
        }
    }
    found
}

pub(super) fn first() -> Vec<Change> {
    vec![
        write(".gitattributes", "* -text -filter -ident -working-tree-encoding\n"),
        write(".gitignore", "/local/\n"),
        write("swift.toml", "schema = 1\n"),
    ]
}

pub(super) fn write(path: &str, content: &str) -> Change {
    Change { path: path.into(), content: Some(content.as_bytes().to_vec()), expect: Expect::Any }
}

pub(super) fn remove(path: &str) -> Change {
    Change { path: path.into(), content: None, expect: Expect::Any }
}

pub(super) fn request(changes: Vec<Change>) -> Request<'static> {
    Request {
        changes,
        message: "swift: change\n\nOperation: 1\n",
        durability: Durability::Fast,
        signing: Signing::AsConfigured,
    }
}

pub(super) fn try_create(at: &Path, kind: HomeKind) -> Result<Created> {
    Home::create(at, kind, "swift", request(first()), &|_| Ok(()))
}

pub(super) fn try_commit(home: &Home, changes: Vec<Change>) -> Result<Outcome> {
    let guard = home.lock(Duration::from_secs(30))?;
    home.commit(&guard, request(changes))
}

/// A commit that has to succeed.
pub(super) fn commit(home: &Home, changes: Vec<Change>) -> String {
    match try_commit(home, changes).unwrap() {
        Outcome::Committed(id) => id,
        other => panic!("not committed: {other:?}"),
    }
}
