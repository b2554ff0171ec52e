//! Upkeep in the background: what runs out is settled or forgotten, and the rows are counted.

use std::convert::Infallible;
use std::time::Duration;

use monstrum_service::Shutdown;

use super::Swept;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};

const EVERY: Duration = Duration::from_secs(15);

/// Rows of each sort in one transaction, so that requests are not kept waiting.
const AT_ONCE: u32 = 500;

/// Transactions in one round; the rest waits for the next.
const STEPS: usize = 40;

/// Works until the process is to stop. A failure is logged and tried again.
pub async fn run<S: Store>(
    store: S,
    clock: Clock,
    metrics: Metrics,
    shutdown: Shutdown,
) -> Result<(), Infallible> {
    loop {
        if let Err(error) = round(&store, &clock, &metrics).await {
            metrics.maintenance_failed();
            tracing::error!(error = %error, cause = ?std::error::Error::source(&error), "maintenance failed");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.requested() => return Ok(()),
        }
    }
}

/// One round: sweeps until nothing is left or the bound is met, then counts.
pub async fn round<S: Store>(store: &S, clock: &Clock, metrics: &Metrics) -> Result<(), StoreError> {
    for _ in 0..STEPS {
        let swept = store.sweep(clock.now(), AT_ONCE).await?;
        metrics.swept(swept);
        if swept == Swept::default() {
            break;
        }
    }
    metrics.set_rows(store.rows().await?);
    Ok(())
}
