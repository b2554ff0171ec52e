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

use anyhow::Result;
use monstrum_e2e::harness::Cluster;
use monstrum_e2e::harness::cluster::SYSTEM;
use tokio::sync::{Mutex, MutexGuard};

static ALONE: Mutex<()> = Mutex::const_new(());

/// Nobody else breaks the installation meanwhile.
async fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().await
}

/// Who leads: the name of the operator's pod, with the process's own id behind it.
async fn leader(cluster: &Cluster) -> Result<String> {
    let holder = [
        "-n",
        SYSTEM,
        "get",
        "lease",
        "monstrum-operator",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ];
    cluster.kubectl(&holder).await
}

/// The pod of whoever leads.
fn pod_of(leader: &str) -> &str {
    leader.split('_').next().unwrap_or_default()
}
