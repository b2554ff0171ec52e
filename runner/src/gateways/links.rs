//! One link for each gateway that is wanted.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

use monstrum_service::{Shutdown, Tls};
use monstrum_wire::identity::Identity;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use crate::link::{Link, Shared};

/// More gateways than a bot can have.
const MOST: usize = 32;

/// The links, by the gateways' addresses.
pub(super) struct Links {
    tls: Tls,
    /// What every gateway's certificate carries.
    name: String,
    /// Whom it names.
    gateway: Identity,
    shared: Shared,
    /// For each link that runs, whether its gateway is still wanted.
    wanted: HashMap<SocketAddr, watch::Sender<bool>>,
    tasks: JoinSet<()>,
    addresses: HashMap<Id, SocketAddr>,
}

impl Links {
    pub(super) fn new(tls: Tls, name: String, gateway: Identity, shared: Shared) -> Self {
        Self {
            tls,
            name,
            gateway,
            shared,
            wanted: HashMap::new(),
            tasks: JoinSet::new(),
            addresses: HashMap::new(),
        }
    }

    /// These gateways, and no others. A link that holds is left to its gateway to end.
    pub(super) fn want(&mut self, addresses: &[String], shutdown: &Shutdown) {
        let wanted = parsed(addresses);
        for (address, sender) in &self.wanted {
            sender.send_replace(wanted.contains(address));
        }
        for address in wanted {
            if !self.wanted.contains_key(&address) {
                self.start(address, shutdown);
            }
        }
    }

    /// Forgets links that have ended, and starts those again whose gateways came back meanwhile. Never ends; nothing is
    /// lost when it is dropped.
    pub(super) async fn look_after(&mut self, shutdown: &Shutdown) {
        loop {
            let task = match self.tasks.join_next_with_id().await {
                Some(Ok((task, ()))) => task,
                Some(Err(error)) => {
                    tracing::error!(error = %error, "a link ended by a fault of the runner");
                    error.id()
                }
                None => return std::future::pending().await,
            };
            let Some(ended) = self.addresses.remove(&task) else {
                continue;
            };
            let again = self.wanted.remove(&ended).is_some_and(|wanted| *wanted.borrow());
            if again && !shutdown.is_requested() {
                self.start(ended, shutdown);
            }
        }
    }

    /// Resolves when every link has ended.
    pub(super) async fn ended(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn start(&mut self, address: SocketAddr, shutdown: &Shutdown) {
        let uri = format!("https://{address}");
        let channel = match self.tls.channel_named(&uri, &self.name, &self.gateway) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::error!(gateway = %address, error = %error, "a gateway can't be dialled");
                return;
            }
        };
        let (sender, wanted) = watch::channel(true);
        let link = Link::new(address.to_string(), channel, self.shared.clone(), wanted);
        let shutdown = shutdown.clone();
        self.wanted.insert(address, sender);
        let task = self.tasks.spawn(async move { link.run(&shutdown).await });
        self.addresses.insert(task.id(), address);
    }
}

fn parsed(addresses: &[String]) -> BTreeSet<SocketAddr> {
    let parse = |text: &String| {
        let address = text.parse();
        if address.is_err() {
            tracing::warn!(gateway = %text, "a gateway's address can't be read");
        }
        address.ok()
    };
    addresses.iter().take(MOST).filter_map(parse).collect()
}
