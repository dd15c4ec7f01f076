//! Who a commit is by, and its signature, as git is configured.

use super::{Repo, clock};
use crate::domain::fault::{Code, Fault, Result};
use crate::domain::text::shown;

/// Who a commit is by.
pub(in crate::store::git) struct Identity {
    pub(in crate::store::git) author: gix::actor::Signature,
    pub(in crate::store::git) committer: gix::actor::Signature,
}

impl Repo {
    /// Author and committer as git is configured, at this moment.
    pub(in crate::store::git) fn identity(&self) -> Result<Identity> {
        let time = clock::now();
        Ok(Identity {
            author: self.signature("author", time)?,
            committer: self.signature("committer", time)?,
        })
    }

    /// Who somebody is, in the order in which gix looks; its own function also asks for two times and, for that,
    /// twice for the time zone, which takes longer than the whole commit.
    fn signature(&self, role: &str, time: gix::date::Time) -> Result<gix::actor::Signature> {
        let own = |key: &str| self.text(&format!("{role}.{key}"));
        let last = |key: &str| self.text(&format!("gitoxide.{role}.{key}Fallback"));
        let name = own("name").or_else(|| self.text("user.name")).or_else(|| last("name"));
        let email = own("email")
            .or_else(|| self.text("user.email"))
            .or_else(|| self.text("gitoxide.user.emailFallback"))
            .or_else(|| last("email"));
        let known = |text: Option<String>| {
            let text = text.map(|text| without_crud(&text));
            text.filter(|text| !text.is_empty()).ok_or_else(no_identity)
        };
        Ok(gix::actor::Signature { name: known(name)?.into(), email: known(email)?.into(), time })
    }

    /// Sign a commit if git is configured so.
    pub(in crate::store::git) fn sign(&self, commit: gix::objs::Commit) -> Result<gix::objs::Commit> {
        let options = self.gix.commit_signing_options_if_enabled().map_err(|error| not_signed(&error))?;
        match options {
            Some(options) => commit.sign(options).map_err(|error| not_signed(&error)),
            None => Ok(commit),
        }
    }
}

/// A name or address as git puts it into a commit: without what would end it there, and without crud at its ends.
fn without_crud(text: &str) -> String {
    let is_crud = |c: char| c <= ' ' || ",:;<>\"\\'".contains(c);
    text.trim_matches(is_crud).chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\0')).collect()
}

fn no_identity() -> Fault {
    Fault::new(Code::NoIdentity, "git does not know who makes the commits of the queue")
        .hint("git config user.name \"Your Name\"")
        .hint("git config user.email \"you@example.com\"")
}

fn not_signed(error: &gix::Error) -> Fault {
    use gix::error::MetadataValue as Value;
    let told = error.metadata_merged();
    let program = match told.get("program") {
        Some(Value::Path(program)) => program.display().to_string(),
        Some(Value::String(program)) => program.clone(),
        _ => "the signing program".to_owned(),
    };
    let said = match told.get("stderr") {
        Some(Value::Bytes(said)) => said_by_signer(&String::from_utf8_lossy(said)),
        _ if ended_early(error) => said_by_signer(""),
        _ => shown(&error.probable_cause().to_string()),
    };
    Fault::new(Code::Signing, format!("commits have to be signed, and `{}` refuses: {said}", shown(&program)))
        .hint("`git config --get-regexp '^(gpg|user.signingkey|commit.gpgsign)'` shows what is configured")
        .hint("`sign = \"never\"` in `.swift/swift.toml` leaves the commits of the queue unsigned")
}

/// Whether the program did not even read what it was to sign.
fn ended_early(error: &gix::Error) -> bool {
    let cause = error.probable_cause().downcast_ref::<std::io::Error>();
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// What a person can read of it; gpg mixes it with lines for programs.
fn said_by_signer(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("[GNUPG:]"));
    let said = lines.take(3).map(shown).collect::<Vec<_>>().join("; ");
    if said.is_empty() { "it said nothing".to_owned() } else { said }
}
