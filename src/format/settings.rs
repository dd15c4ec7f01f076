//! `swift.toml`: the settings of a queue.
//!
//! People edit this file, so changes keep what else is in it. Keys and tables that this version does not know
//! are left alone.

use std::str::FromStr;

use jiff::SignedDuration;

use super::edit::Edit;
use super::fields::Fields;
use super::malformed::Malformed;
use super::quote::{Newline, array, string};
use super::{duration, syntax};
use crate::domain::auto::{Acceptance, Auto};
use crate::domain::fault::{Code, Fault};
use crate::domain::notify::Notify;
use crate::domain::project::ProjectName;
use crate::domain::settings::{Role, Settings};

/// The keys of the file, in the order of a new one.
const KEYS: &[&str] = &[
    "schema",
    "id",
    "role",
    "aliases",
    "commit",
    "durability",
    "sign",
    "lease",
    "attempts",
    "max_bytes",
    "undeliverable_after_days",
    "undeliverable_attempts",
    "mode",
    "branch",
];

/// Read the settings; what is left out has its usual value.
///
/// # Errors
/// [`Malformed`] with the place.
pub(crate) fn parse(text: &str) -> Result<Settings, Malformed> {
    let table = syntax::parse(text)?;
    let fields = Fields::new(text, &table);
    fields.check_schema()?;
    let usual = Settings::of(fields.required("id", fields.word("id")?)?);
    Ok(Settings {
        role: fields.word("role")?.unwrap_or(usual.role),
        aliases: fields.words("aliases")?,
        commit: fields.word("commit")?.unwrap_or(usual.commit),
        durability: fields.word("durability")?.unwrap_or(usual.durability),
        sign: fields.word("sign")?.unwrap_or(usual.sign),
        lease: fields.word::<Length>("lease")?.map_or(usual.lease, |length| length.0),
        attempts: fields.unsigned("attempts")?.unwrap_or(usual.attempts),
        max_bytes: fields.unsigned("max_bytes")?.unwrap_or(usual.max_bytes),
        undeliverable_after_days: fields
            .unsigned("undeliverable_after_days")?
            .unwrap_or(usual.undeliverable_after_days),
        undeliverable_attempts: fields
            .unsigned("undeliverable_attempts")?
            .unwrap_or(usual.undeliverable_attempts),
        mode: fields.word("mode")?.unwrap_or(usual.mode),
        branch: fields.word::<Branch>("branch")?.map(|branch| branch.0),
        auto: fields.table("auto")?.map_or(Ok(Auto::default()), auto)?,
        notify: fields.table("notify")?.map_or(Ok(Notify::default()), notify)?,
        id: usual.id,
    })
}

fn auto(fields: Fields<'_>) -> Result<Auto, Malformed> {
    let usual = Auto::default();
    let accept = Acceptance::of(fields.words("accept")?)
        .map_err(|fault| fields.wrong("accept", fault.message).with_hints(fault.hints))?;
    let length =
        |key, usual| Ok::<_, Malformed>(fields.word::<LengthOrNever>(key)?.map_or(usual, |length| length.0));
    Ok(Auto {
        distribute: fields.boolean("distribute")?.unwrap_or(usual.distribute),
        accept,
        schedule: fields.words("schedule")?,
        settle: fields
            .unsigned("settle_ms")?
            .map_or(usual.settle, |ms: u32| SignedDuration::from_millis(ms.into())),
        quarantine_after: length("quarantine_after", usual.quarantine_after)?,
        ask_after: length("ask_after", usual.ask_after)?,
    })
}

fn notify(fields: Fields<'_>) -> Result<Notify, Malformed> {
    let usual = Notify::default();
    let command = fields.texts("command")?;
    let is_whole = |word: &String| !word.contains('\0');
    if command.first().is_some_and(String::is_empty) || !command.iter().all(is_whole) {
        return Err(fields.wrong("command", "expected a program and its arguments"));
    }
    Ok(Notify {
        command,
        kinds: fields.words("kinds")?,
        deadline: fields.word::<Length>("deadline")?.map_or(usual.deadline, |length| length.0),
    })
}

/// A new file, with a word on each setting.
pub(crate) fn initial(settings: &Settings) -> String {
    let branch = match &settings.branch {
        Some(branch) => format!("branch = {}", string(branch)),
        None => "# branch = \"swift\"".to_owned(),
    };
    format!(
        r#"# Settings of this project's queue. `swift` keeps comments and keys that it does not know.
schema = 1

# The name of this project in all queues; it never changes.
id = {id}

# "project", or "orchestrator" if it also carries tasks between registered projects.
role = {role}

# Other names under which this project can be reached, such as "api".
aliases = {aliases}

# When changes are committed: "each" verb, at the end of a "session", or "manual" (by you).
commit = {commit}

# What a success has survived when it is printed: "full" a loss of power, "fast" the end of the process.
durability = {durability}

# Whether commits are signed: "as-configured" in git, or "never".
sign = {sign}

# How long a claim holds, and how many failures make a dead letter (0: no number does).
lease = {lease}
attempts = {attempts}

# The largest task file, in bytes.
max_bytes = {max_bytes}

# When a task in an outbox is given up as undeliverable: after days, or after rounds in vain (0: never).
undeliverable_after_days = {days}
undeliverable_attempts = {tries}

# What becomes of a request in a session of an agent: "directive" gives advice about the model, "orchestration" runs
# it through `swift run`, "hybrid" advises where a person sits and enforces where nobody does.
mode = {mode}

# The branch of the queue.
{branch}

# What `swift watch` does here by itself. Without these lines it carries tasks and accepts none.
# [auto]
# distribute = true              # tasks in the outbox are carried
# accept = "none"                # or "all", "from:acme/api", "priority<=low & kind=bug", or a list of such rules
# schedule = "0 8 * * 1-5"       # when the inbox is gone through; without it, when something arrives
# settle_ms = 300                # how long a file has to be still, unless it came by rename
# quarantine_after = "30s"       # when a file that cannot be read is put aside, or "never"
# ask_after = "7d"               # when a sent task without news is asked after, or "never"

# In an orchestrator: the program that `swift watch` starts for events, with the event as JSON on its stdin. No shell.
# [notify]
# command = ["notify-send", "swift"]
# kinds = ["task.done", "task.dead", "session.*"]   # without it, every event
# deadline = "10s"
"#,
        id = string(settings.id.as_str()),
        role = string(settings.role.as_str()),
        aliases = array(settings.aliases.iter().map(ProjectName::as_str)),
        commit = string(settings.commit.as_str()),
        durability = string(settings.durability.as_str()),
        sign = string(settings.sign.as_str()),
        lease = string(&duration::render(settings.lease)),
        attempts = settings.attempts,
        max_bytes = settings.max_bytes,
        days = settings.undeliverable_after_days,
        tries = settings.undeliverable_attempts,
        mode = string(settings.mode.as_str()),
    )
}

/// The text with another role.
///
/// # Errors
/// [`Malformed`], if the text cannot be read as settings.
pub(crate) fn set_role(text: &str, role: Role) -> Result<String, Malformed> {
    if parse(text)?.role == role {
        return Ok(text.to_owned());
    }
    let mut edit = Edit::new(text, Newline::of(text));
    edit.set("role", &string(role.as_str()), KEYS);
    Ok(edit.finish())
}

struct Length(SignedDuration);

impl FromStr for Length {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        duration::parse(text).map(Length)
    }
}

/// A length of time, or `never`.
struct LengthOrNever(SignedDuration);

impl FromStr for LengthOrNever {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text == "never" {
            return Ok(LengthOrNever(SignedDuration::ZERO));
        }
        duration::parse(text).map(LengthOrNever)
    }
}

/// Whether the settings can name a branch as the queue's: what they cannot must not be made either.
///
/// # Errors
/// [`Code::InvalidValue`]
pub(crate) fn check_branch(name: &str) -> Result<(), Fault> {
    name.parse::<Branch>().map(drop)
}

/// The name of a branch that no part of git takes for an option, an expression or a path elsewhere.
struct Branch(String);

impl FromStr for Branch {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
                && !part.contains("..")
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        };
        if text.len() <= 100 && text.split('/').all(is_part) && text != "HEAD" {
            return Ok(Branch(text.to_owned()));
        }
        let shown = crate::domain::text::shown(text);
        Err(Fault::new(Code::InvalidValue, format!("`{shown}` cannot name the queue's branch")))
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mode::Mode;
    use crate::domain::settings::{CommitPolicy, Durability, Signing};

    fn some() -> Settings {
        Settings {
            role: Role::Orchestrator,
            aliases: vec!["api".parse().unwrap()],
            commit: CommitPolicy::Session,
            durability: Durability::Fast,
            sign: Signing::Never,
            lease: SignedDuration::from_mins(95),
            attempts: 7,
            max_bytes: 1,
            undeliverable_after_days: 0,
            undeliverable_attempts: 9,
            mode: Mode::Directive,
            branch: Some("queue/main".to_owned()),
            ..Settings::of("acme/api".parse().unwrap())
        }
    }

    #[test]
    fn a_new_file_says_what_the_settings_say() {
        for settings in [some(), Settings::of("acme/api".parse().unwrap())] {
            assert_eq!(parse(&initial(&settings)), Ok(settings));
        }
    }

    #[test]
    fn unknown_keys_and_tables_are_left_alone() {
        let text = "id = \"acme/api\"\nfuture = 1\n[auto]\nrole = 7\n[[verify]]\nx = 1\n";
        assert_eq!(parse(text), Ok(Settings::of("acme/api".parse().unwrap())));
    }

    #[test]
    fn what_is_automatic_is_read() {
        let text = "id = \"a/b\"\n[auto]\ndistribute = false\naccept = [\"from:x/y\", \"kind=bug & effort<=S\"]\n\
            schedule = \"0 8 * * 1-5\"\nsettle_ms = 40\nquarantine_after = \"never\"\nask_after = \"2d\"\n";
        let auto = parse(text).unwrap().auto;
        assert!(!auto.distribute && !auto.accept.is_none());
        assert_eq!(auto.schedule[0].to_string(), "0 8 * * 1-5");
        assert_eq!((auto.settle.as_millis(), auto.quarantine_after.as_secs()), (40, 0));
        assert_eq!(auto.ask_after.as_hours(), 48);
        assert!(parse("id = \"a/b\"\n[auto]\naccept = \"none\"").unwrap().auto.accept.is_none());
    }

    #[test]
    fn a_notifier_is_read() {
        let text = "id = \"a/b\"\n[notify]\ncommand = [\"say\", \"it; rm\"]\nkinds = [\"task.*\"]\ndeadline = \"3s\"\n";
        let notify = parse(text).unwrap().notify;
        assert_eq!(notify.command, ["say", "it; rm"]);
        assert_eq!((notify.kinds.len(), notify.deadline.as_secs()), (1, 3));
        let wrong = |line: &str| parse(&format!("id = \"a/b\"\n[notify]\n{line}\n")).unwrap_err().to_string();
        assert_eq!(wrong("kinds = [\"task.won\"]"), "3:10: notify.kinds: `task.won` is not an event kind");
        assert_eq!(wrong("command = [\"\"]"), "3:11: notify.command: expected a program and its arguments");
        assert!(wrong("command = 7").starts_with("3:11: notify.command: "));
    }

    #[test]
    fn wrong_settings_are_refused_with_their_place() {
        let cases = [
            ("", "1:1: id: is missing"),
            ("id = \"x\"", "1:6: id: `x` is not a project id"),
            ("id = \"a/b\"\nlease = 30", "2:9: lease: expected a string, found integer"),
            ("id = \"a/b\"\nlease = \"0m\"", "2:9: lease: `0m` is not a length of time"),
            ("id = \"a/b\"\nattempts = -1", "2:12: attempts: `-1` is out of range"),
            ("id = \"a/b\"\nbranch = \"-f\"", "2:10: branch: `-f` cannot name the queue's branch"),
            ("id = \"a/b\"\nbranch = \"a/../b\"", "2:10: branch: `a/../b` cannot name the queue's branch"),
            (
                "id = \"a/b\"\n[auto]\naccept = \"everything\"",
                "3:10: auto.accept: `everything` is not a rule of acceptance",
            ),
            (
                "id = \"a/b\"\n[auto]\naccept = [\"all\", \"none\"]",
                "3:10: auto.accept: `none` cannot stand beside other rules",
            ),
            ("id = \"a/b\"\n[auto]\naccept = true", "3:10: auto.accept: expected a string, found boolean"),
            (
                "id = \"a/b\"\n[auto]\ndistribute = \"yes\"",
                "3:14: auto.distribute: expected `true` or `false`, found string",
            ),
            ("schema = 2\nnew = true", "1:10: schema: written by a newer swift (schema 2)"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn changes_keep_comments_order_and_line_endings() {
        let text = "# mine\r\nrole = 'project' # why\r\nid = \"a/b\"\r\naliases = [\r\n  'x', # x\r\n]\r\n[auto]\r\n";
        let changed = set_role(text, Role::Orchestrator).unwrap();
        assert_eq!(changed, text.replace("'project'", "\"orchestrator\""));
    }
}
