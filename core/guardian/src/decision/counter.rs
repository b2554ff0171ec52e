//! What is counted: quotas of grants, budgets of bots and workspaces.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::{BotName, Counted};

/// Which counter. The ledger keeps one for each key and window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CounterKey {
    /// A budget that all bots of a namespace share.
    Workspace {
        /// The namespace.
        namespace: String,
        /// The budget's name.
        budget: String,
    },
    /// A budget of one bot.
    Bot {
        /// Whose.
        bot: BotName,
        /// The budget's name.
        budget: String,
    },
    /// A quota of one grant.
    Grant {
        /// Whose grant.
        bot: BotName,
        /// The binding's name; for what may be handed on, `delegation/<namespace>/<bot>/<resource>`.
        binding: String,
        /// The grant's origin.
        grant: String,
        /// The quota's name.
        quota: String,
    },
}

/// A counter that a decision depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    /// Which.
    pub key: CounterKey,
    /// The window's length in seconds; without it, for ever.
    pub window_seconds: Option<u64>,
}

/// What to reserve before an effect, and settle after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The counter.
    pub key: CounterKey,
    /// What is counted.
    pub counts: Counted,
    /// How much to reserve.
    pub amount: u64,
    /// The limit that the ledger must hold atomically.
    pub limit: u64,
    /// The window's length in seconds; without it, for ever.
    pub window_seconds: Option<u64>,
}

/// For people: `the bot's budget daily`.
impl fmt::Display for CounterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace { budget, .. } => write!(f, "the workspace's budget {budget}"),
            Self::Bot { budget, .. } => write!(f, "the bot's budget {budget}"),
            Self::Grant { grant, quota, .. } => write!(f, "quota {quota} of grant {grant}"),
        }
    }
}

impl Counted {
    /// So much of it, in words: `12 calls`, `1500 tokens`, `0.25 US dollars`.
    pub fn words(self, amount: u64) -> String {
        let plural = if amount == 1 { "" } else { "s" };
        match self {
            Self::Calls => format!("{amount} call{plural}"),
            Self::Tokens => format!("{amount} token{plural}"),
            Self::MicroUsd => format!("{} US dollars", dollars(amount)),
        }
    }
}

fn dollars(micros: u64) -> String {
    const MILLION: u64 = 1_000_000;
    let whole = micros.checked_div(MILLION).unwrap_or_default();
    let rest = micros.checked_rem(MILLION).unwrap_or_default();
    let fraction = format!("{rest:06}");
    // At least cents, and no zeros after what matters.
    let end = fraction.trim_end_matches('0').len().max(2);
    format!("{whole}.{}", fraction.get(..end).unwrap_or_default())
}

/// A window in words: ` in 1h`, or nothing for ever.
pub(crate) fn window_words(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else {
        return String::new();
    };
    let units = [("d", 86_400_u64), ("h", 3_600), ("m", 60)];
    let exact = units
        .iter()
        .find(|(_, length)| seconds.checked_rem(*length) == Some(0));
    match exact {
        Some((unit, length)) => format!(" in {}{unit}", seconds.checked_div(*length).unwrap_or_default()),
        None => format!(" in {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Counted::Calls, 1, "1 call")]
    #[case(Counted::Tokens, 1500, "1500 tokens")]
    #[case(Counted::MicroUsd, 250_000, "0.25 US dollars")]
    #[case(Counted::MicroUsd, 3_000_000, "3.00 US dollars")]
    #[case(Counted::MicroUsd, 1, "0.000001 US dollars")]
    fn amounts_read_well(#[case] counted: Counted, #[case] amount: u64, #[case] words: &str) {
        assert_eq!(counted.words(amount), words);
    }

    #[rstest]
    #[case(None, "")]
    #[case(Some(86_400), " in 1d")]
    #[case(Some(5_400), " in 90m")]
    #[case(Some(61), " in 61s")]
    fn windows_read_well(#[case] seconds: Option<u64>, #[case] words: &str) {
        assert_eq!(window_words(seconds), words);
    }
}
