//! Records of runs, and their transcripts, that both sides of a merge have written: `domain::run::settle` has the rule.

use crate::domain::fault::{Code, Fault, Result};
use crate::domain::run::settle;
use crate::format;
use crate::store::git::{Blob, Committed, Unmerged};
use crate::store::layout;
use crate::store::queue::Queue;

/// Whether a path is that of a run.
pub(super) fn is_one(path: &str) -> bool {
    let is_below = path.strip_prefix(layout::RUNS).is_some_and(|rest| rest.starts_with('/'));
    is_below && (path.ends_with(".toml") || path.ends_with(".jsonl"))
}

/// One of what both sides have; of what a side removed, what the other has.
///
/// # Errors
/// [`Code::Unsettled`] if a record cannot be read; those of git.
pub(super) fn settled(queue: &Queue, committed: &Committed, entry: &Unmerged) -> Result<Vec<u8>> {
    let path = &entry.path;
    let sides: Vec<Vec<u8>> = [entry.ours, entry.theirs]
        .into_iter()
        .flatten()
        .map(|blob| committed.read(blob))
        .collect::<Result<_>>()?;
    if let Some(bytes) = by_hand(queue, committed, entry)? {
        return Ok(bytes);
    }
    Ok(match <[Vec<u8>; 2]>::try_from(sides) {
        Ok([ours, theirs]) if path.ends_with(".toml") => of_record(path, &ours, &theirs)?,
        Ok([ours, theirs]) => of_transcript(ours, theirs),
        Err(one) => one.into_iter().next().unwrap_or_default(),
    })
}

/// What a person has put in order already and not staged.
fn by_hand(queue: &Queue, committed: &Committed, entry: &Unmerged) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = queue.read_up_to(&entry.path, LARGEST)? else { return Ok(None) };
    let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(None) };
    let is_whole = match entry.path.ends_with(".toml") {
        true => format::run::parse(text).is_ok(),
        false => format::conflict::sides(text).is_none(),
    };
    let is_of_git = |blob: Blob| committed.read(blob).is_ok_and(|known| known == bytes);
    let mut known = [entry.ours, entry.theirs, entry.base].into_iter().flatten();
    Ok((is_whole && !known.any(is_of_git)).then_some(bytes))
}

/// The largest transcript.
const LARGEST: u64 = 64 << 20;

fn of_record(path: &str, ours: &[u8], theirs: &[u8]) -> Result<Vec<u8>> {
    let parse = |bytes: &[u8]| format::run::parse(&String::from_utf8_lossy(bytes)).ok();
    match (parse(ours), parse(theirs)) {
        (Some(ours), Some(theirs)) if ours.id == theirs.id => {
            Ok(format::run::render(&settle::settle(ours, theirs)).into_bytes())
        }
        _ => Err(Fault::new(Code::Unsettled, format!("`{path}` is no record of one run on both sides"))
            .hint(format!("edit `.swift/{path}`, then `git -C .swift add -- {path}`"))),
    }
}

/// The longer one, and after it the lines that only the other has.
fn of_transcript(ours: Vec<u8>, theirs: Vec<u8>) -> Vec<u8> {
    let is_first = (ours.len(), &ours) >= (theirs.len(), &theirs);
    let (mut all, other) = if is_first { (ours, theirs) } else { (theirs, ours) };
    let known: std::collections::HashSet<Vec<u8>> =
        all.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for line in other.split(|byte| *byte == b'\n').filter(|line| !known.contains(*line)) {
        if all.last().is_some_and(|last| *last != b'\n') {
            all.push(b'\n');
        }
        all.extend_from_slice(line);
        all.push(b'\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_has_the_lines_of_both() {
        let joined = |ours: &str, theirs: &str| {
            let one = of_transcript(ours.as_bytes().to_vec(), theirs.as_bytes().to_vec());
            let other = of_transcript(theirs.as_bytes().to_vec(), ours.as_bytes().to_vec());
            assert_eq!(one, other, "whichever is ours");
            String::from_utf8(one).unwrap()
        };
        assert_eq!(joined("", "a\nb\n"), "a\nb\n");
        assert_eq!(joined("a\n", "a\nb\n"), "a\nb\n");
        assert_eq!(joined("a\nc\n", "a\nb\nd\n"), "a\nb\nd\nc\n");
        assert_eq!(joined("x", "a\nb"), "a\nb\nx\n");
    }
}
