//! Where all gateways of the bot are: each of them takes turns, so each needs the runners.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;

/// A gateway is in the DNS before it is ready, so its runners come before its first turn.
const EVERY: Duration = Duration::from_secs(2);

/// The gateways' addresses, this one's among them.
#[derive(Debug, Clone)]
pub struct Peers {
    own: SocketAddr,
    known: watch::Sender<BTreeSet<SocketAddr>>,
}

impl Peers {
    /// None but this one.
    pub fn alone(own: SocketAddr) -> Self {
        Self {
            own,
            known: watch::Sender::new(BTreeSet::from([own])),
        }
    }

    /// The addresses now, and every change of them.
    pub fn watch(&self) -> watch::Receiver<BTreeSet<SocketAddr>> {
        self.known.subscribe()
    }

    /// Keeps up with what `name` (`host:port`) resolves to. What was known stays while it resolves to nothing. Runs for ever.
    pub async fn follow(&self, name: &str) {
        loop {
            match tokio::net::lookup_host(name).await {
                Ok(found) => self.take(found.collect()),
                Err(error) => tracing::debug!(name, error = %error, "the gateways' name does not resolve"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn take(&self, mut found: BTreeSet<SocketAddr>) {
        found.insert(self.own);
        self.known.send_if_modified(|known| {
            let changed = *known != found;
            if changed {
                tracing::info!(gateways = found.len(), "the bot's gateways changed");
                *known = found;
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn this_gateway_is_always_one_of_them_and_only_changes_are_told() {
        let peers = Peers::alone(address("10.0.0.1:9443"));
        let mut watch = peers.watch();
        assert_eq!(watch.borrow_and_update().len(), 1);
        peers.take(BTreeSet::from([address("10.0.0.2:9443")]));
        assert!(watch.has_changed().unwrap());
        assert_eq!(
            *watch.borrow_and_update(),
            BTreeSet::from([address("10.0.0.1:9443"), address("10.0.0.2:9443")])
        );
        peers.take(BTreeSet::from([
            address("10.0.0.2:9443"),
            address("10.0.0.1:9443"),
        ]));
        assert!(!watch.has_changed().unwrap());
    }
}
