//! What the parts of one gateway share.

use std::time::Duration;

use monstrum_service::Service;
use monstrum_wire::identity::BotName;

use crate::ledger::Ledger;
use crate::link::{Link, Peers};
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::providers::Models;
use crate::turn::Sessions;
use crate::vault::Vault;

const PREPARE_AGAIN: Duration = Duration::from_secs(15);

/// One bot's gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Whose.
    pub bot: BotName,
    /// This pod.
    pub replica: String,
    /// What is permitted.
    pub policy: Policy,
    /// Leased credentials.
    pub vault: Vault,
    /// Durable state.
    pub ledger: Ledger,
    /// Connected runners.
    pub link: Link,
    /// All gateways of the bot.
    pub peers: Peers,
    /// The bot's model.
    pub models: Models,
    /// Which conversations are busy.
    pub sessions: Sessions,
    /// What is counted.
    pub metrics: Metrics,
    /// The process.
    pub service: Service,
    /// How long a running turn may go on after the process was asked to stop.
    pub drain_patience: Duration,
}

impl Gateway {
    /// Whether the process was asked to stop.
    pub fn is_draining(&self) -> bool {
        self.service.shutdown().is_requested()
    }

    /// Keeps everything that hangs on the policy in step with it: credentials of no longer named versions are
    /// forgotten, runners that it does not name are sent away. Runs for ever.
    pub async fn follow_policy(&self) {
        let mut changes = self.policy.changes();
        loop {
            self.vault.retain();
            if self.policy.holds() {
                self.link
                    .retain(|runner| crate::link::knows(&self.policy, runner));
            }
            self.metrics.policy(self.policy.holds());
            changes.next().await;
        }
    }

    /// Has the credentials at hand that the policy names. Runs for ever.
    pub async fn prepare_credentials(&self) {
        let mut changes = self.policy.changes();
        loop {
            self.vault.prepare().await;
            // Now and then without a change, for what could not be opened before.
            tokio::select! {
                () = changes.next() => {}
                () = tokio::time::sleep(PREPARE_AGAIN) => {}
            }
        }
    }
}
