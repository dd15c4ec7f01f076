//! A reflog, read from its end: what is asked of one nearly always stands in its last lines, and it grows with each commit.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use gix::ObjectId;

use crate::domain::fault::Result;
use crate::store::git::disk::{self, OrIo as _};

/// How many bytes of the end are read first, and how many if that does not tell: some lines, and some hundred.
const ENDS: [u64; 2] = [1 << 10, 64 << 10];

/// Hand over the lines of a reflog, the last one first, until one of them gives the answer; `None` if none does, or there
/// is no reflog. If git writes more meanwhile, a line may come twice.
///
/// # Errors
/// [`Code::Io`](crate::domain::fault::Code::Io).
pub(in crate::store::git) fn find<T>(
    log: &Path,
    mut each: impl FnMut(&[u8]) -> ControlFlow<T>,
) -> Result<Option<T>> {
    let mut told = 0;
    for most in ENDS {
        let Some(end) = End::of(log, most)? else { return Ok(None) };
        for line in end.lines().rev().skip(told) {
            told += 1;
            if let ControlFlow::Break(answer) = each(line) {
                return Ok(Some(answer));
            }
        }
        if end.is_all {
            break;
        }
    }
    Ok(None)
}

/// From where to where a line says that a ref was moved; the beginning and the end of a ref are no movement.
pub(in crate::store::git) fn movement(line: &[u8]) -> Option<(ObjectId, ObjectId)> {
    let mut words = line.split(|byte| *byte == b' ');
    let mut id = || ObjectId::from_hex(words.next()?).ok().filter(|id| !id.is_null());
    id().zip(id())
}

struct End {
    /// A line that is not here from its beginning is left out.
    bytes: Vec<u8>,
    /// Whether there is nothing before it.
    is_all: bool,
}

impl End {
    fn of(log: &Path, most: u64) -> Result<Option<End>> {
        let Some(mut file) = disk::open(log)? else { return Ok(None) };
        let length = disk::length(&file, log)?;
        let skipped = length.saturating_sub(most);
        file.seek(SeekFrom::Start(skipped)).or_io("read", log)?;
        // Room for one byte more, so that the end of the file shows without more room being asked for.
        let mut bytes = Vec::with_capacity(usize::try_from(most.min(length)).unwrap_or_default() + 1);
        file.take(most).read_to_end(&mut bytes).or_io("read", log)?;
        if skipped > 0 {
            let first = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
            bytes.drain(..first);
        }
        Ok(Some(End { bytes, is_all: skipped == 0 }))
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_come_from_the_last_to_the_first_whole_one_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("HEAD");
        let all = |log: &Path| {
            let mut lines = Vec::new();
            let found = find(log, |line| {
                lines.push(String::from_utf8(line.to_vec()).unwrap());
                ControlFlow::<()>::Continue(())
            });
            assert!(found.unwrap().is_none());
            lines
        };
        assert!(all(&log).is_empty(), "there is none");
        for count in [0, 1, 9, 10, 11, 300, 3_000] {
            let text: String = (0..count).map(|n| format!("{n:0100}\n")).collect();
            fs::write(&log, &text).unwrap();
            let lines = all(&log);
            let expected: Vec<String> =
                text.lines().rev().take(if count > 648 { 648 } else { count }).map(str::to_owned).collect();
            assert_eq!(lines, expected, "{count}");
        }
    }

    #[test]
    fn a_line_that_is_longer_than_what_is_read_first_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("HEAD");
        fs::write(&log, format!("first\n{}\n", "x".repeat(5_000))).unwrap();
        let found = find(&log, |line| ControlFlow::Break(line.len()));
        assert_eq!(found.unwrap(), Some(5_000));
    }
}
