//! Text from outside, made safe to show.

use std::path::Path;

/// The text with control and direction-changing characters written as `\u{…}`, so that a terminal and a reader
/// see what is there. Ordinary letters of every script stay as they are.
pub(crate) fn shown(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// The same for a text of several lines.
pub(crate) fn shown_lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// Whether a reader would not see the character: control characters, bidirectional overrides (Unicode TR 9) and
/// invisible joiners that hide text.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The longest file-name part made from a title, in bytes.
const SLUG_BYTES: usize = 48;

/// The title as part of a file name: lower-case ASCII letters, digits and single dashes; `task` if nothing is left.
pub(crate) fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if out.len() >= SLUG_BYTES {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c)
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-')
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "task".to_owned() } else { out.to_owned() }
}

/// Advice in which each command that is quoted leads to the project in a folder, given as a shell wants it. What says
/// where it is meant stays.
pub(crate) fn led_to(advice: &str, folder: &str) -> String {
    if advice.contains("checkout") {
        return advice.to_owned();
    }
    advice
        .replace("`swift ", &format!("`swift -C {folder} "))
        .replace(&format!("`swift -C {folder} -C "), "`swift -C ")
        .replace("`git -C .swift ", &format!("`git -C {folder}/.swift "))
        .replace("`cat .swift/", &format!("`cat {folder}/.swift/"))
        .replace("`df -h .`", &format!("`df -h {folder}`"))
        .replace("`findmnt -T .`", &format!("`findmnt -T {folder}`"))
        .replace("`git init` makes one here", &format!("`git init {folder}` makes one there"))
}

/// A path as one word of a command that a person pastes.
pub(crate) fn as_word(path: &Path) -> String {
    shell_words::quote(&path.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_characters_are_shown_and_letters_kept() {
        assert_eq!(shown("Grüße \u{202e}cod\x1b[31m"), "Grüße \\u{202e}cod\\u{1b}[31m");
    }

    #[test]
    fn slugs_are_short_and_plain() {
        assert_eq!(slug("Add rate limiting (v2)!"), "add-rate-limiting-v2");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("世界"), "task");
        assert!(slug(&"long ".repeat(50)).len() <= SLUG_BYTES);
    }

    #[test]
    fn a_path_is_one_word_of_a_command() {
        assert_eq!(as_word(Path::new("/srv/ada/web")), "/srv/ada/web");
        assert_eq!(as_word(Path::new("My Projects/ada's")), "'My Projects/ada'\\''s'");
    }
}
