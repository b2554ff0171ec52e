//! One attempt to have the lease, or to keep it.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};

use super::{Timing, lease};

/// One who asks for a lease.
pub(super) struct Lessee {
    pub(super) leases: Api<Lease>,
    pub(super) name: String,
    pub(super) identity: String,
    pub(super) timing: Timing,
    /// What its lease says to others.
    pub(super) annotations: BTreeMap<String, String>,
}

/// What one attempt came to.
pub(super) enum Attempt {
    Leading {
        epoch: u64,
    },
    Following {
        holder: String,
    },
    /// Somebody wrote between the read and the write; the next attempt tells who leads.
    Contended,
}

impl Lessee {
    /// Renews the lease where it is held already; takes it where nobody holds it, or where `expired` says that nobody does any more.
    pub(super) async fn attempt(&self, expired: impl FnOnce(&Lease) -> bool) -> Result<Attempt, kube::Error> {
        let now = Timestamp::now();
        let Some(current) = self.leases.get_opt(&self.name).await? else {
            let lease = self.signed(lease::first(&self.name, &self.identity, now, &self.timing));
            let created = self.leases.create(&PostParams::default(), &lease).await;
            return written(created);
        };
        let holder = lease::holder(&current).map(ToOwned::to_owned);
        let next = match holder {
            Some(holder) if holder == self.identity => {
                lease::renewed(&current, &self.identity, now, &self.timing)
            }
            Some(holder) if !expired(&current) => return Ok(Attempt::Following { holder }),
            Some(_) | None => lease::taken(&current, &self.identity, now, &self.timing),
        };
        // `next` carries the version that was read, so this fails when anybody wrote in between.
        let replaced = self
            .leases
            .replace(&self.name, &PostParams::default(), &self.signed(next))
            .await;
        written(replaced)
    }

    fn signed(&self, mut lease: Lease) -> Lease {
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.extend(self.annotations.clone());
        lease
    }

    /// Gives the lease back, so that another process need not wait for it to run out.
    pub(super) async fn release(&self) {
        let released = async {
            let current = self.leases.get(&self.name).await?;
            if lease::holder(&current) != Some(self.identity.as_str()) {
                return Ok(());
            }
            let free = lease::released(&current, Timestamp::now());
            self.leases
                .replace(&self.name, &PostParams::default(), &free)
                .await
                .map(drop)
        };
        match tokio::time::timeout(self.timing.every, released).await {
            Ok(Ok(())) => tracing::info!(lease = %self.name, "gave the lease back"),
            Ok(Err::<(), kube::Error>(error)) => {
                tracing::warn!(error = %error, "the lease can't be given back; it runs out");
            }
            Err(_) => tracing::warn!("the lease can't be given back in time; it runs out"),
        }
    }
}

fn written(answer: Result<Lease, kube::Error>) -> Result<Attempt, kube::Error> {
    match answer {
        Ok(lease) => Ok(Attempt::Leading {
            epoch: u64::try_from(lease::transitions(&lease)).unwrap_or(0),
        }),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Contended),
        Err(error) => Err(error),
    }
}
