//! Readiness by tokens: a process is ready when nobody holds one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who keeps the process from being ready, and why.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    reasons: BTreeMap<u64, String>,
}

/// Keeps the process unready until it is released or dropped.
#[derive(Debug)]
#[must_use = "a dropped token is released at once"]
pub struct Token {
    id: u64,
    held: Arc<Mutex<Held>>,
}

impl Readiness {
    /// Makes the process unready for `reason`.
    pub fn block(&self, reason: impl Into<String>) -> Token {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let id = held.next;
        held.next = held.next.wrapping_add(1);
        held.reasons.insert(id, reason.into());
        Token {
            id,
            held: Arc::clone(&self.held),
        }
    }

    /// Why the process is not ready; empty when it is.
    pub fn reasons(&self) -> Vec<String> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reasons
            .values()
            .cloned()
            .collect()
    }
}

impl Token {
    /// Gives the token back.
    pub fn release(self) {}
}

impl Drop for Token {
    fn drop(&mut self) {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reasons
            .remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_nobody_holds_a_token() {
        let readiness = Readiness::default();
        let (policy, ledger) = (readiness.block("no policy"), readiness.block("no ledger"));
        assert_eq!(readiness.reasons(), ["no policy", "no ledger"]);
        policy.release();
        assert_eq!(readiness.reasons(), ["no ledger"]);
        drop(ledger);
        assert!(readiness.reasons().is_empty());
    }
}
