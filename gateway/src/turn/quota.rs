//! Quota counters: how much is used, reserved before a call and settled after it.

use std::collections::BTreeMap;
use std::time::Duration;

use monstrum_guardian::decision::{Permit, QuotaKey, Reservation};
use monstrum_guardian::document::Binding;
use monstrum_wire::ledger::Counter;

use crate::ledger::{Ledger, LedgerError};

/// Use of every quota of a binding's grants.
pub(super) async fn used(ledger: &Ledger, binding: &Binding) -> Result<BTreeMap<QuotaKey, u64>, LedgerError> {
    let quotas = binding
        .grants
        .iter()
        .flat_map(|grant| grant.quotas.iter().map(move |quota| (grant, quota)));
    let (keys, counters): (Vec<_>, Vec<_>) = quotas
        .map(|(grant, quota)| {
            let key = QuotaKey {
                binding: binding.name.clone(),
                grant: grant.origin.clone(),
                quota: quota.name.clone(),
            };
            let counter = counter(&key, quota.window_seconds, 0, quota.limit);
            (key, counter)
        })
        .unzip();
    let use_now = ledger.quota_use(counters).await?;
    if use_now.len() != keys.len() {
        return Err(LedgerError::Refused(
            "the ledger did not answer for every counter".to_owned(),
        ));
    }
    Ok(keys
        .into_iter()
        .zip(use_now.into_iter().map(|counter| counter.amount))
        .collect())
}

/// Reserves what the permit asks for; nothing when it asks for nothing.
pub(super) async fn reserve(
    ledger: &Ledger,
    call_id: &str,
    permit: &Permit,
    ttl: Duration,
) -> Result<(), LedgerError> {
    if permit.reserve.is_empty() {
        return Ok(());
    }
    ledger.reserve(call_id, counters(permit, true), ttl).await
}

/// Settles a reservation: in full when the call was made, to nothing when it was not.
pub(super) async fn settle(ledger: &Ledger, call_id: &str, permit: &Permit, made: bool) {
    if permit.reserve.is_empty() {
        return;
    }
    // An unsettled reservation counts in full until it becomes use, so that a failure here never gives anything back.
    if let Err(error) = ledger.settle(call_id, counters(permit, made)).await {
        tracing::warn!(call_id, error = %error, "a reservation was not settled");
    }
}

fn counters(permit: &Permit, made: bool) -> Vec<Counter> {
    let amount = |reservation: &Reservation| if made { reservation.amount } else { 0 };
    let reserved = permit.reserve.iter();
    reserved
        .map(|reservation| {
            counter(
                &reservation.key,
                reservation.window_seconds,
                amount(reservation),
                reservation.limit,
            )
        })
        .collect()
}

fn counter(key: &QuotaKey, window_seconds: Option<u64>, amount: u64, limit: u64) -> Counter {
    Counter {
        binding: key.binding.clone(),
        grant: key.grant.clone(),
        quota: key.quota.clone(),
        window_seconds: window_seconds.unwrap_or(0),
        amount,
        limit,
    }
}
