//! What is run: programs with a destructive word among their arguments, and scripts whose names say what they do.
//!
//! A path is no intent, but `run ./wipe.sh` is, and so is `rails db:drop`.

use crate::domain::route::grammar::{clause_end, clause_start};
use crate::domain::route::token::{Kind, Token, Voice, is_one_of};
use crate::domain::route::vocabulary::{
    BEFORE_PROGRAMS, LOSING_ARGUMENTS, LOSING_CALLS, LOSING_NAMES, LOST_BY_TARGETS, PROGRAMS, RUNNING,
    TASK_RUNNERS,
};

/// Where the loss ends that is run from this token on.
pub(super) fn run_from(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    program(tokens, at).or_else(|| script(tokens, at)).or_else(|| target(tokens, at))
}

/// `make clean-db`, `npm run wipe:data`: a target whose name says what it loses.
fn target(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    if !tokens[at].is(TASK_RUNNERS) {
        return None;
    }
    let first = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| next.is("run")));
    let joined = tokens.get(first + 1..)?.iter().take_while(|token| token.joined).count();
    let name = &tokens[first..=first + joined];
    let says = |words: &str| name.iter().any(|token| parts(&token.lower).any(|part| is_one_of(part, words)));
    let loses = says(LOSING_ARGUMENTS) || says("clean clear");
    (loses && says(LOST_BY_TARGETS)).then_some(first + joined + 1)
}

/// `heroku pg:reset`, `aws ec2 terminate-instances`
fn program(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let name = tokens[at].lower.as_str();
    if tokens[at].joined || !is_one_of(name, PROGRAMS) {
        return None;
    }
    let start = clause_start(tokens, at);
    let is_first =
        tokens[at].voice == Voice::Code || tokens[start..at].iter().all(|token| token.is(BEFORE_PROGRAMS));
    let end = clause_end(tokens, at).min(at + 8);
    let loses = |token: &Token<'_>| {
        let is_loss = |part| is_one_of(part, LOSING_ARGUMENTS) || is_one_of(part, LOSING_CALLS);
        token.kind != Kind::Comma && parts(&token.lower).any(is_loss)
    };
    let found = tokens[at + 1..end].iter().position(loses)?;
    is_first.then_some(at + found + 2)
}

/// `run ./wipe.sh`, `db.users.drop()`
fn script(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let token = &tokens[at];
    let is_test = || parts(&token.lower).any(|part| is_one_of(part, "test tests spec"));
    if token.kind != Kind::Opaque
        || !parts(&token.lower).any(|part| is_one_of(part, LOSING_NAMES))
        || is_test()
    {
        return None;
    }
    let (start, end) = (clause_start(tokens, at), clause_end(tokens, at));
    let before = &tokens[start.max(at.saturating_sub(4))..at];
    let runs = before.iter().rposition(|token| token.is(RUNNING));
    let is_run = runs
        .is_some_and(|runs| !before[runs..].iter().any(|token| token.is("on for over against with to of")));
    // A call that stands alone is there to be made; a path that stands alone is only a path.
    let is_alone =
        end - start <= 2 && at == start && (token.lower.ends_with(')') || !token.lower.contains('/'));
    let is_call = is_alone && token.lower.contains('.') && !is_file(&token.lower);
    (is_run || is_call).then_some(at + 1)
}

/// Whether a name ends as those of files do: `delete_users.sql`.
pub(super) fn is_file(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or("");
    let endings = "md txt sql sh py rs js ts tsx jsx go rb java kt c h cpp html css json toml yaml yml";
    is_one_of(ending, endings)
}

/// The words that a name is made of.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::route::token::tokens;

    #[test]
    fn what_is_run_counts_and_what_is_only_named_does_not() {
        let runs = |text: &str| {
            let tokens = tokens(text);
            (0..tokens.len()).any(|at| run_from(&tokens, at).is_some())
        };
        for text in [
            "run ./wipe.sh",
            "rails db:drop",
            "npx prisma migrate reset",
            "`aws ec2 terminate-instances --instance-ids i-1`",
            "python manage.py flush",
            "bash scripts/drop_all.sh",
            "Execute the SQL in delete_users.sql",
            "db.users.drop()",
            "User.destroy_all",
            "make clean-db",
            "npm run wipe:data",
        ] {
            assert!(runs(text), "{text}");
        }
        for text in [
            "Fix the typo in scripts/wipe.sh",
            "Run tests/test_delete.py",
            "Run the linter on drop_table.py",
            "docs/delete.md",
            "delete_users.sql",
            "Make the docker image smaller by removing the cache",
            "Rename destroy() to close()",
            "make drop-down menus wider",
            "make clean",
        ] {
            assert!(!runs(text), "{text}");
        }
    }
}
