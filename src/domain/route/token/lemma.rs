//! The forms of English words: what a word may be a form of.
//!
//! Several guesses are made and the vocabulary of the rules says which one is a word, so nothing is ever cut too
//! short: `wip` stays itself, `wiping` may be `wipe`.

/// The word itself and what it may be a form of, likeliest first.
pub(in crate::domain::route) fn candidates(word: &str) -> Vec<String> {
    let mut found = vec![word.to_owned()];
    let mut add = |text: String| {
        if text.len() >= 2 && !found.contains(&text) {
            found.push(text);
        }
    };
    if !word.is_ascii() || word.len() < 4 {
        return found;
    }
    if let Some(stem) = word.strip_suffix("ies").or_else(|| word.strip_suffix("ied")) {
        add(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        add(stem.to_owned());
        if let Some(stem) = stem.strip_suffix('e') {
            add(stem.to_owned());
        }
    }
    for ending in ["ing", "ed"] {
        if let Some(stem) =
            word.strip_suffix(ending).filter(|stem| stem.contains(['a', 'e', 'i', 'o', 'u', 'y']))
        {
            add(format!("{stem}e"));
            add(stem.to_owned());
            if let Some(single) = undoubled(stem) {
                add(single.to_owned());
            }
        }
    }
    found
}

/// `dropp` as `drop`.
fn undoubled(stem: &str) -> Option<&str> {
    let bytes = stem.as_bytes();
    let (last, before) = (bytes.last()?, bytes.get(bytes.len().checked_sub(2)?)?);
    (last == before).then(|| &stem[..stem.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_to_their_word_and_no_word_is_cut() {
        for (form, word) in [
            ("deleted", "delete"),
            ("deleting", "delete"),
            ("dropping", "drop"),
            ("wiping", "wipe"),
            ("wipes", "wipe"),
            ("queries", "query"),
            ("classes", "class"),
            ("buses", "bus"),
            ("renamed", "rename"),
            ("purged", "purge"),
        ] {
            assert!(candidates(form).contains(&word.to_owned()), "{form}: {:?}", candidates(form));
        }
        for (form, other) in [("wip", "wipe"), ("string", "str"), ("class", "clas"), ("install", "all")] {
            assert!(!candidates(form).contains(&other.to_owned()), "{form}");
        }
    }
}
