//! What a run has used, as its stream tells while it goes on: what is left to count by when it ends without figures.

use std::collections::{BTreeMap, VecDeque};

use super::event::{Event, Tokens};
use super::price;

/// How many messages may be told of at the same time: that of the run, and those of what it has started.
const OPEN: usize = 32;

/// What one message of the model has used so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Use {
    /// Its id: a message of several parts tells the same figures with each.
    pub(crate) message: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) tokens: Tokens,
}

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    open: VecDeque<Use>,
    closed: BTreeMap<String, Tokens>,
    /// The model that answers unless a message says otherwise.
    model: String,
    has_answered: bool,
}

impl Usage {
    /// Take in what the stream told.
    pub(crate) fn hear(&mut self, event: &Event) {
        match event {
            Event::Began { model: Some(model), .. } | Event::Fallback { to: model } => {
                self.model.clone_from(model);
            }
            Event::Text(_) | Event::ToolUse { .. } => self.has_answered = true,
            Event::Used(used) => self.take(used),
            _ => {}
        }
    }

    fn take(&mut self, used: &Use) {
        self.has_answered = true;
        let known = self.open.iter_mut().find(|open| open.message.is_some() && open.message == used.message);
        if let Some(known) = known {
            known.tokens = known.tokens.most(used.tokens);
            return;
        }
        let model = used.model.clone().unwrap_or_else(|| self.model.clone());
        self.open.push_back(Use { model: Some(model), ..used.clone() });
        if self.open.len() > OPEN
            && let Some(Use { model: Some(model), tokens, .. }) = self.open.pop_front()
        {
            add(&mut self.closed, model, tokens);
        }
    }

    /// Whether the model has said or used anything.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// The tokens of each model.
    pub(crate) fn models(&self) -> BTreeMap<String, Tokens> {
        let mut all = self.closed.clone();
        for used in &self.open {
            add(&mut all, used.model.clone().unwrap_or_default(), used.tokens);
        }
        all
    }
}

fn add(all: &mut BTreeMap<String, Tokens>, model: String, tokens: Tokens) {
    let sum = all.entry(model).or_default();
    *sum = sum.plus(tokens);
}

/// What these tokens cost; `None` if nothing was told, or the price of a model is not known.
pub(crate) fn cost(models: &BTreeMap<String, Tokens>) -> Option<f64> {
    let mut usd = 0.0;
    for (model, tokens) in models {
        usd += price::of(model)?.of_tokens(*tokens);
    }
    (usd > 0.0).then_some(usd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(message: Option<&str>, model: &str, output: u64) -> Event {
        Event::Used(Use {
            message: message.map(str::to_owned),
            model: Some(model.to_owned()),
            tokens: Tokens { input: 1_000_000, output, ..Tokens::default() },
        })
    }

    #[test]
    fn a_message_of_several_parts_is_counted_once() {
        let mut usage = Usage::default();
        for event in [
            used(Some("a"), "claude-sonnet-4-5", 1),
            used(Some("b"), "claude-haiku-4-5", 0),
            used(Some("a"), "claude-sonnet-4-5", 100_000),
            used(None, "claude-haiku-4-5", 0),
            used(None, "claude-haiku-4-5", 0),
        ] {
            usage.hear(&event);
        }
        // 3 + 1.5 for the one, 1 for each of the others.
        assert!((cost(&usage.models()).unwrap() - 7.5).abs() < 1e-9);
        usage.hear(&used(None, "another", 1));
        assert_eq!(cost(&usage.models()), None, "its price is not known");
    }

    #[test]
    fn a_long_run_is_summed_up() {
        let mut usage = Usage::default();
        for number in 0..100 {
            usage.hear(&used(Some(&number.to_string()), "m", 1));
        }
        assert_eq!(usage.models()["m"].output, 100);
        assert_eq!(cost(&BTreeMap::new()), None);
    }
}
