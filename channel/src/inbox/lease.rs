//! The hold of a message while it is delivered.

use std::time::Duration;

use tokio::time::Instant;

use super::Parcel;
use crate::channel::Channel;
use crate::ledger::{Kept, LedgerError};

/// How long a process has a message, unless it renews.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
const RENEW: Duration = Duration::from_secs(10);

impl Channel {
    /// Renews the hold; returns when it is lost.
    pub(super) async fn hold(&self, parcel: &Parcel) {
        let mut since = parcel.held;
        loop {
            let left = LEASE.saturating_sub(since.elapsed());
            match tokio::time::timeout(left, self.renew(&parcel.kept)).await {
                Ok(Some(asked)) => since = asked,
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// When the hold was renewed; nothing if the ledger refuses it.
    async fn renew(&self, kept: &Kept) -> Option<Instant> {
        loop {
            tokio::time::sleep(RENEW).await;
            let asked = Instant::now();
            match self.ledger.renew_message(kept, LEASE).await {
                Ok(()) => return Some(asked),
                Err(LedgerError::Unreachable(_)) => {}
                Err(_) => return None,
            }
        }
    }
}
