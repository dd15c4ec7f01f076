//! What an integration would write, to the byte.

use crate::domain::text::shown;
use crate::ops::integrate::Step;

/// More lines than this are compared only at their beginning and end.
const COMPARED: usize = 1000;

/// The plan in lines: each file with every line that is added or removed.
pub(crate) fn plan_lines(steps: &[Step], notes: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for step in steps {
        match (&step.before, &step.after) {
            (None, Some(after)) => {
                lines.push(format!("new file `{}`:", step.path));
                lines.extend(whole(after, '+'));
            }
            (Some(before), None) => {
                lines.push(format!("remove file `{}`:", step.path));
                lines.extend(whole(before, '-'));
            }
            (before, after) => {
                lines.push(format!("change file `{}`:", step.path));
                lines.extend(changes(before.as_deref().unwrap_or(""), after.as_deref().unwrap_or("")));
            }
        }
    }
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    lines
}

fn whole(text: &str, sign: char) -> Vec<String> {
    split(text).into_iter().map(|line| marked(sign, line)).collect()
}

/// A line as it is; what cannot be seen is written out.
fn marked(sign: char, line: &str) -> String {
    let missing = if line.ends_with('\n') { "" } else { "  (no newline at the end)" };
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line: Vec<String> = line.split('\t').map(shown).collect();
    format!("  {sign} {}{missing}", line.join("\t"))
}

fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The lines that differ, by the longest common subsequence.
fn changes(before: &str, after: &str) -> Vec<String> {
    let (old, new) = (split(before), split(after));
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old[same..].iter().rev().zip(new[same..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..old.len() - tail], &new[same..new.len() - tail]);
    if old.len() > COMPARED || new.len() > COMPARED {
        let gone = old.iter().map(|line| marked('-', line));
        return gone.chain(new.iter().map(|line| marked('+', line))).collect();
    }
    let lengths = common_lengths(old, new);
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && lengths[i + 1][j] >= lengths[i][j + 1]) {
            lines.push(marked('-', old[i]));
            i += 1;
        } else {
            lines.push(marked('+', new[j]));
            j += 1;
        }
    }
    lines
}

/// For each pair of places, how many lines the rests have in common.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i][j] = if old[i] == new[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_differ_are_shown_and_what_is_hidden_is_written_out() {
        let shown = changes("a\nb\n\tc\nd", "a\nB\n\tc\nx\nd\n");
        let expected = ["  - b", "  + B", "  - d  (no newline at the end)", "  + x", "  + d"];
        assert_eq!(shown, expected);
        assert_eq!(changes("a\r\n", "a\n"), ["  - a\\u{d}", "  + a"]);
        assert_eq!(changes("a\n", "a\n"), [""; 0]);
    }
}
