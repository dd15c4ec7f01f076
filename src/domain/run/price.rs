//! What models cost, for runs that end without figures of their own. Who gives figures is believed; this is not looked at.

use super::event::Tokens;

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Price {
    input: f64,
    output: f64,
}

/// The names that models have in any name of theirs, the longer first. Where a price depends on something that is not
/// told, such as the length of a prompt, it is the higher one.
const PRICES: [(&str, Price); 20] = [
    ("claude-3-5-haiku", per_million(0.8, 4.0)),
    ("claude-haiku-4-5", per_million(1.0, 5.0)),
    ("claude-haiku-5-5", per_million(0.5, 2.5)),
    ("claude-3-5-sonnet", per_million(3.0, 15.0)),
    ("claude-3-7-sonnet", per_million(3.0, 15.0)),
    ("claude-sonnet-4", per_million(3.0, 15.0)),
    ("claude-sonnet-5", per_million(2.0, 10.0)),
    ("claude-opus-4-5", per_million(5.0, 25.0)),
    ("claude-opus-4-6", per_million(5.0, 25.0)),
    ("claude-opus-4-7", per_million(5.0, 25.0)),
    ("claude-opus-4-8", per_million(5.0, 25.0)),
    ("claude-opus-4", per_million(15.0, 75.0)),
    ("claude-opus-5-5", per_million(4.0, 20.0)),
    ("claude-opus-5", per_million(5.0, 25.0)),
    ("claude-fable-5-2", per_million(8.0, 40.0)),
    ("claude-fable-5", per_million(10.0, 50.0)),
    ("claude-mythos-5-2", per_million(8.0, 40.0)),
    ("claude-mythos-5", per_million(10.0, 50.0)),
    ("claude-3-opus", per_million(15.0, 75.0)),
    ("claude-3-haiku", per_million(0.25, 1.25)),
];

const fn per_million(input: f64, output: f64) -> Price {
    Price { input, output }
}

/// The price of a model; `None` if it is not known.
pub(crate) fn of(model: &str) -> Option<Price> {
    PRICES.iter().find(|(name, _)| model.contains(name)).map(|(_, price)| *price)
}

impl Price {
    /// What is written to a cache costs up to twice as much as what is read for the first time, and what comes from a
    /// cache a tenth at most.
    pub(crate) fn of_tokens(self, tokens: Tokens) -> f64 {
        let count = |number: u64| number as f64;
        let input = count(tokens.input) + 2.0 * count(tokens.cache_write) + 0.1 * count(tokens.cache_read);
        (input * self.input + count(tokens.output) * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_any_of_its_names() {
        assert_eq!(of("us.anthropic.claude-opus-4-5-20251101-v1:0"), Some(per_million(5.0, 25.0)));
        assert_eq!(of("claude-opus-4-1-20250805"), Some(per_million(15.0, 75.0)));
        assert_eq!(of("claude-opus-5-5[1m]"), Some(per_million(4.0, 20.0)));
        assert_eq!(of("opus"), None);
    }

    #[test]
    fn every_name_is_found_before_a_shorter_one() {
        for (at, (name, price)) in PRICES.iter().enumerate() {
            assert_eq!(of(name), Some(*price), "{at}: {name}");
        }
    }
}
