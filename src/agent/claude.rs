//! The command line and the environment that a run of Claude Code gets. Nothing is left to defaults.

use std::ffi::OsString;

use crate::domain::run::answer::{AnswerForm, SCHEMA};
use crate::domain::run::policy::Permission;

/// How deep programs that `swift` started may start `swift run` again: not at all.
pub(crate) const DEPTH: &str = "SWIFT_DEPTH";

/// Names the run, for everything below it.
pub(crate) const RUN: &str = "SWIFT_RUN";

/// Where the run's live log lies: the mark by which its processes are known. No copy of a queue has the same.
pub(crate) const LOG: &str = "SWIFT_RUN_LOG";

/// The variable that all processes of a run have, and no other process.
pub(crate) fn mark(live: &std::path::Path) -> String {
    format!("{LOG}={}", live.display())
}

/// What a run is asked to be.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) session: String,
    pub(crate) start: Start,
    pub(crate) max_turns: u32,
    pub(crate) max_usd: f64,
    pub(crate) permission: Permission,
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) reach: Reach,
    pub(crate) answer: AnswerForm,
    /// Where settings and instructions are taken from.
    pub(crate) sources: Sources,
    pub(crate) mcp_config: Option<String>,
}

/// Whether the session is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    New,
    Resumed,
}

/// Whether files may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Write,
    ReadOnly,
}

/// Whose settings and instructions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sources {
    UserAndProject,
    /// The project's own were changed on the branch, by a run perhaps.
    UserOnly,
}

/// Tools that a worker must not have: they reach other sessions, come back later, or leave the worktree.
const NEVER: [&str; 10] = [
    "SendMessage",
    "ListAgents",
    "CronCreate",
    "CronDelete",
    "CronList",
    "ScheduleWakeup",
    "Monitor",
    "EnterWorktree",
    "ExitWorktree",
    "Workflow",
];

/// Tools that change files.
const WRITING: [&str; 4] = ["Write", "Edit", "NotebookEdit", "MultiEdit"];

/// Tools that a read-only run has.
const READING: [&str; 3] = ["Read", "Grep", "Glob"];

/// The arguments, without the program. The prompt is not among them: it goes over stdin.
pub(crate) fn arguments(asked: &Asked) -> Vec<String> {
    let mut all: Vec<String> =
        ["--print", "--output-format", "stream-json", "--verbose"].map(str::to_owned).into();
    let session = match asked.start {
        Start::New => "--session-id",
        Start::Resumed => "--resume",
    };
    let sources = match asked.sources {
        Sources::UserAndProject => "--setting-sources=user,project",
        Sources::UserOnly => "--setting-sources=user",
    };
    let (permission, allow, deny) = permissions(asked);
    all.extend([session.to_owned(), asked.session.clone()]);
    all.extend(["--model".to_owned(), asked.model.clone()]);
    all.extend(["--max-turns".to_owned(), asked.max_turns.to_string()]);
    all.extend(["--max-budget-usd".to_owned(), dollars(asked.max_usd)]);
    all.extend(["--permission-mode".to_owned(), permission.as_str().to_owned()]);
    // A word after a list would be taken into the list; so lists are one word.
    if !allow.is_empty() {
        all.push(format!("--allowedTools={}", allow.join(",")));
    }
    all.push(format!("--disallowedTools={}", deny.join(",")));
    all.push(sources.to_owned());
    all.extend(["--settings".to_owned(), r#"{"disableAllHooks":true}"#.to_owned()]);
    all.push("--strict-mcp-config".to_owned());
    if let Some(config) = &asked.mcp_config {
        all.push(format!("--mcp-config={config}"));
    }
    if asked.answer == AnswerForm::Status {
        all.extend(["--json-schema".to_owned(), SCHEMA.to_owned()]);
    }
    all
}

/// What holds in the end: how permission is given, which tools are allowed by name, and which are not there.
pub(crate) fn permissions(asked: &Asked) -> (Permission, Vec<String>, Vec<String>) {
    let mut allow = asked.allow.clone();
    let mut deny: Vec<String> = NEVER.map(str::to_owned).into();
    deny.extend(asked.deny.iter().cloned());
    match asked.reach {
        Reach::Write => (asked.permission, allow, deny),
        Reach::ReadOnly => {
            allow.retain(|tool| !WRITING.iter().any(|writing| tool.starts_with(writing)));
            allow.extend(READING.map(str::to_owned));
            deny.extend(WRITING.map(str::to_owned));
            let permission =
                if asked.permission == Permission::Plan { Permission::Plan } else { Permission::DontAsk };
            (permission, allow, deny)
        }
    }
}

fn dollars(usd: f64) -> String {
    format!("{:.4}", usd.max(0.0001))
}

/// What is handed on of the person's environment: where things are, how to speak, how to log in.
const USUAL: [&str; 39] = [
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
    "GOCACHE",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "IS_SANDBOX",
    "SWIFT_ACTOR",
    "SWIFT_LOCK_WAIT_MS",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
];

/// What only the program that speaks to the model gets: the login and where to send requests.
const LOGIN: [&str; 20] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "AWS_REGION",
    "AWS_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLOUD_ML_REGION",
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "API_TIMEOUT_MS",
];

/// Set for every run, whatever the person's environment says.
const FIXED: [(&str, &str); 5] = [
    ("DISABLE_AUTOUPDATER", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_MAX_RETRIES", "2"),
    ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
    ("CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS", "120000"),
];

/// The whole environment of a run.
pub(crate) fn environment(
    own: &[(OsString, OsString)],
    more: &[String],
    run: &str,
    depth: u32,
) -> Vec<(OsString, OsString)> {
    let mut all = plain_environment(own, more, run, depth);
    all.extend(own.iter().filter(|(name, _)| LOGIN.iter().any(|known| name == known)).cloned());
    all.retain(|(name, _)| !FIXED.iter().any(|(known, _)| name == known));
    all.extend(FIXED.map(|(name, value)| (name.into(), value.into())));
    all
}

/// The environment of a program that does not speak to the model, such as a verifier.
pub(crate) fn plain_environment(
    own: &[(OsString, OsString)],
    more: &[String],
    run: &str,
    depth: u32,
) -> Vec<(OsString, OsString)> {
    let is_named = |name: &OsString| {
        USUAL.iter().any(|known| name == known)
            || more.iter().any(|known| name == known.as_str() && !LOGIN.contains(&known.as_str()))
    };
    let mut all: Vec<_> = own.iter().filter(|(name, _)| is_named(name)).cloned().collect();
    all.push((DEPTH.into(), depth.to_string().into()));
    all.push((RUN.into(), run.into()));
    all
}

/// The values in an environment that must not be written down.
pub(crate) fn secrets(environment: &[(OsString, OsString)]) -> Vec<String> {
    let is_secret = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CUSTOM_HEADERS"]
            .iter()
            .any(|part| name.contains(part))
    };
    let named = environment.iter().filter(|(name, _)| name.to_str().is_some_and(is_secret));
    named
        .filter_map(|(_, value)| value.to_str().map(str::to_owned))
        .filter(|value| value.len() >= 6)
        .collect()
}

/// What tells one account from another: how it logs in and where. Not the secret, but what a hash is made of.
pub(crate) fn account(environment: &[(OsString, OsString)]) -> String {
    let told = [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "ANTHROPIC_BASE_URL",
        "HOME",
    ];
    let values = told.map(|name| {
        let value = environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string_lossy());
        value.unwrap_or_default().into_owned()
    });
    values.join("\n")
}

/// The prompt as it is sent. A first line of our own, because a text that begins with `/` would be a command.
pub(crate) fn prompt(text: &str) -> String {
    format!("Request:\n{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            model: "sonnet".to_owned(),
            session: "s".to_owned(),
            start: Start::New,
            max_turns: 7,
            max_usd: 1.5,
            permission: Permission::AcceptEdits,
            allow: vec!["Bash(cargo test:*)".to_owned(), "Write".to_owned()],
            deny: vec!["WebFetch".to_owned()],
            reach: Reach::Write,
            answer: AnswerForm::Status,
            sources: Sources::UserAndProject,
            mcp_config: None,
        }
    }

    #[test]
    fn everything_is_told_and_lists_are_one_word() {
        let words = arguments(&asked());
        let line = words.join(" ");
        assert!(
            line.starts_with("--print --output-format stream-json --verbose --session-id s --model sonnet")
        );
        assert!(line.contains("--max-turns 7 --max-budget-usd 1.5000 --permission-mode acceptEdits"));
        assert!(words.contains(&"--allowedTools=Bash(cargo test:*),Write".to_owned()));
        assert!(line.contains("SendMessage,ListAgents") && line.contains(",WebFetch"));
        assert!(line.contains(r#"--settings {"disableAllHooks":true} --strict-mcp-config --json-schema"#));
    }

    #[test]
    fn a_session_is_new_or_resumed_and_never_both() {
        let line = arguments(&Asked { start: Start::Resumed, ..asked() }).join(" ");
        assert!(line.contains("--resume s") && !line.contains("--session-id"));
    }

    #[test]
    fn a_read_only_run_cannot_write_whatever_is_allowed() {
        let line =
            arguments(&Asked { reach: Reach::ReadOnly, permission: Permission::Bypass, ..asked() }).join(" ");
        assert!(line.contains("--permission-mode dontAsk"));
        assert!(line.contains("--allowedTools=Bash(cargo test:*),Read,Grep,Glob "));
        assert!(line.contains(",Write,Edit,NotebookEdit"));
    }

    #[test]
    fn the_environment_is_built_from_scratch() {
        let pair = |name: &str| (OsString::from(name), OsString::from("value1"));
        let own = [
            "PATH",
            "ANTHROPIC_API_KEY",
            "CLAUDECODE",
            "CLAUDE_CODE_SESSION_ID",
            "AI_AGENT",
            "EDITOR",
            "MINE",
            "CLAUDE_CODE_MAX_RETRIES",
        ]
        .map(pair);
        let names = |all: &[(OsString, OsString)]| -> Vec<String> {
            all.iter().map(|(name, _)| name.to_str().unwrap().to_owned()).collect()
        };
        let run = environment(&own, &["MINE".to_owned()], "r", 1);
        assert_eq!(names(&run)[..5], ["PATH", "MINE", "SWIFT_DEPTH", "SWIFT_RUN", "ANTHROPIC_API_KEY"]);
        assert!(run.contains(&("CLAUDE_CODE_MAX_RETRIES".into(), "2".into())));
        let plain = plain_environment(&own, &["ANTHROPIC_API_KEY".to_owned()], "r", 1);
        assert_eq!(names(&plain), ["PATH", "SWIFT_DEPTH", "SWIFT_RUN"], "a verifier never gets the login");
        assert_eq!(secrets(&run), ["value1"]);
    }

    #[test]
    fn a_prompt_is_never_a_command() {
        assert!(prompt("/clear").starts_with("Request:\n/clear"));
    }
}
