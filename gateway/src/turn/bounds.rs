//! What one turn may use, and what the user is told at each bound.

use monstrum_wire::chat;
use monstrum_wire::policy::{Limits, Prices};

use crate::providers::conversation::Usage;

/// What a turn has used, against what it may use.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    limits: Limits,
    steps: u32,
    requests: u32,
    usage: Usage,
    cost: u64,
}

/// A bound that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// As many model requests as a turn may make.
    Steps(u32),
    /// As many tokens as a turn may use.
    Tokens(u64),
    /// The model's answer is at its own limit.
    Output,
}

impl Tally {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: 0,
            requests: 0,
            usage: Usage::default(),
            cost: 0,
        }
    }

    /// Counts one answered step: its requests, retries included, and its tokens.
    pub(super) fn spend(&mut self, requests: u32, usage: Usage, prices: Prices) -> u64 {
        let cost = usage.cost(prices);
        self.steps = self.steps.saturating_add(1);
        self.requests = self.requests.saturating_add(requests);
        self.usage = self.usage.plus(usage);
        self.cost = self.cost.saturating_add(cost);
        cost
    }

    /// Counts requests that got no answer.
    pub(super) fn fail(&mut self, requests: u32) {
        self.requests = self.requests.saturating_add(requests);
    }

    /// Which bound forbids a further step.
    pub(super) fn reached(&self) -> Option<Bound> {
        if self.steps >= self.limits.max_steps {
            return Some(Bound::Steps(self.limits.max_steps));
        }
        (self.usage.total() >= self.limits.max_turn_tokens)
            .then_some(Bound::Tokens(self.limits.max_turn_tokens))
    }

    /// The number of the next step, from 1.
    pub(super) fn step(&self) -> u32 {
        self.steps.saturating_add(1)
    }

    /// How many tokens are left.
    pub(super) fn tokens_left(&self) -> u64 {
        self.limits.max_turn_tokens.saturating_sub(self.usage.total())
    }

    /// For events and records.
    pub(super) fn usage(&self) -> chat::Usage {
        chat::Usage {
            input_tokens: self.usage.input,
            cached_input_tokens: self.usage.cached,
            output_tokens: self.usage.output,
            cost_micro_usd: self.cost,
            model_requests: self.requests,
        }
    }
}

impl Bound {
    /// The closed word in `Done.stop`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Steps(_) => "max_steps",
            Self::Tokens(_) => "max_turn_tokens",
            Self::Output => "max_output_tokens",
        }
    }

    /// What the user is told.
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Steps(most) => {
                format!(
                    "I stopped here: one turn may ask the model {most} times. Send another message to go on."
                )
            }
            Self::Tokens(most) => {
                format!("I stopped here: one turn may use {most} tokens. Send another message to go on.")
            }
            Self::Output => {
                "The answer stops here: it reached the model's output limit. Send another message to go on."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_tokens_end_a_turn() {
        let limits = Limits {
            max_steps: 2,
            max_turn_tokens: 100,
            ..Limits::default()
        };
        let mut tally = Tally::new(limits);
        assert_eq!(tally.reached(), None);
        tally.spend(
            1,
            Usage {
                input: 30,
                output: 10,
                ..Usage::default()
            },
            Prices::default(),
        );
        assert_eq!((tally.reached(), tally.tokens_left()), (None, 60));
        let mut tokens = tally.clone();
        tokens.spend(
            1,
            Usage {
                input: 60,
                ..Usage::default()
            },
            Prices::default(),
        );
        assert_eq!(tokens.reached(), Some(Bound::Steps(2)));
        tally.steps = 0;
        tally.spend(
            3,
            Usage {
                input: 60,
                ..Usage::default()
            },
            Prices::default(),
        );
        assert_eq!(tally.reached(), Some(Bound::Tokens(100)));
        assert_eq!(tally.usage().model_requests, 4);
    }
}
