//! What a word looks like: a path, an identifier, or words with strokes between.

/// First parts of paths that are nothing but letters.
const FOLDERS: [&str; 24] = [
    "src",
    "lib",
    "test",
    "tests",
    "doc",
    "docs",
    "app",
    "apps",
    "bin",
    "pkg",
    "cmd",
    "internal",
    "packages",
    "etc",
    "var",
    "usr",
    "tmp",
    "home",
    "config",
    "scripts",
    "templates",
    "spec",
    "assets",
    "examples",
];

/// `client/server`, `and/or`: words with strokes between, not a path.
pub(super) fn is_list_of_words(core: &str) -> bool {
    let mut parts = core.split('/');
    let first = parts.next().unwrap_or("");
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || c == '-');
    core.contains('/')
        && core.matches('/').count() <= 3
        && core.split('/').all(is_word)
        && !FOLDERS.contains(&first.to_lowercase().as_str())
}

/// Whether it is a path, an address, an identifier or a number.
pub(super) fn is_opaque(core: &str) -> bool {
    let has_dot = core.trim_matches('.').contains('.');
    core.contains(['/', '\\', '_', '@', '=', '$', '(', '{', '[', '<', '%', '|', '+'])
        || core.contains("::")
        || has_dot
        || core.starts_with('.')
        || core.contains(':')
        || core.chars().next().is_some_and(|c| c.is_ascii_digit())
        || core.chars().all(|c| !c.is_alphanumeric())
}
