//! What the parts of one gateway share.

use std::time::Duration;

use monstrum_service::{Admission, Connections, Roster, Service};
use monstrum_wire::identity::BotId;

use crate::ledger::Ledger;
use crate::link::{Link, Peers};
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::providers::Models;
use crate::turn::Sessions;
use crate::vault::Vault;

const PREPARE_AGAIN: Duration = Duration::from_secs(15);
const RETIRE_AGAIN: Duration = Duration::from_secs(5);

/// One bot's gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Whose: the object that its certificate names.
    pub bot: BotId,
    /// This pod.
    pub replica: String,
    /// What is permitted.
    pub policy: Policy,
    /// Leased credentials.
    pub vault: Vault,
    /// Durable state.
    pub ledger: Ledger,
    /// Who may call.
    pub roster: Roster,
    /// Those who are connected.
    pub connections: Connections,
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
    /// forgotten. Runs for ever.
    pub async fn follow_policy(&self) {
        let mut changes = self.policy.changes();
        loop {
            self.vault.retain();
            self.metrics.policy(self.policy.holds());
            changes.next().await;
        }
    }

    /// Ends what is open to those who may not call any more: everything at once where the object is gone, and the stream of a
    /// runner whose certificate was replaced once its calls have ended. Runs for ever.
    pub async fn follow_roster(&self) {
        let mut changes = self.roster.changes();
        loop {
            let ended = self.connections.retain(|peer| self.roster.lives(&peer.identity));
            if ended > 0 {
                tracing::info!(connections = ended, "ended the connections of dismissed callers");
            }
            self.link
                .retire(|peer| self.roster.admission(peer) == Admission::Stranger);
            // Now and then without a change, for certificates that are good for a while only.
            tokio::select! {
                () = changes.next() => {}
                () = tokio::time::sleep(RETIRE_AGAIN) => {}
            }
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
