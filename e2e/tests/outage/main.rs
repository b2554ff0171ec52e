//! What happens when parts of the installation are gone. These tests break it for everybody, so they run one at a time.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod authority;
mod channel;
mod ledger;
mod operator;
mod overlap;
mod pods;
mod uninstall;
mod unseen;

use tokio::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::const_new(());

/// Nobody else breaks the installation meanwhile.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}
