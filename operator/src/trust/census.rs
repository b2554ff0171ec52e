//! Who has come along with a step: what the annotations of every Secret with a certificate say.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, ResourceExt as _};

use super::Held;
use crate::child::{Issued, keeps_up};
use crate::index::Index;
use crate::ledger_identity;

/// Counts those who have not come along yet.
#[derive(Clone)]
pub struct Census {
    client: Client,
    index: Arc<Index>,
    namespace: String,
}

impl Census {
    /// Of the installation in `namespace`.
    pub fn new(client: Client, index: Arc<Index>, namespace: &str) -> Self {
        Self {
            client,
            index,
            namespace: namespace.to_owned(),
        }
    }

    /// The Secrets, as `namespace/name`, whose certificate is signed by another authority, or that trust others.
    pub(super) async fn behind(&self, held: &Held) -> Result<Vec<String>, kube::Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let ledger = secrets.get_metadata_opt(ledger_identity::SECRET).await?;
        let owners = self.owners();
        let of_pods = self.index.live.secrets().all();
        let of_pods = of_pods.iter().map(|secret| &secret.metadata).filter(|secret| {
            // Those that another installation governs have its authority's.
            let ours = self
                .index
                .ownership
                .is_ours(secret.namespace.as_deref().unwrap_or_default());
            ours && Issued::read(secret).is_some() && is_owned(secret, &owners)
        });
        let behind = ledger
            .iter()
            .map(|secret| &secret.metadata)
            .chain(of_pods)
            .filter(|secret| !keeps_up(secret, held));
        Ok(behind.map(path).collect())
    }

    /// The objects whose pods have certificates. What nobody owns any more, nobody waits for.
    fn owners(&self) -> BTreeSet<String> {
        let bots = self.index.bots.all().into_iter().filter_map(|bot| bot.uid());
        let channels = self
            .index
            .channels
            .all()
            .into_iter()
            .filter_map(|channel| channel.uid());
        bots.chain(channels).collect()
    }
}

fn is_owned(secret: &ObjectMeta, owners: &BTreeSet<String>) -> bool {
    secret
        .owner_references
        .iter()
        .flatten()
        .any(|reference| owners.contains(&reference.uid))
}

fn path(secret: &ObjectMeta) -> String {
    format!(
        "{}/{}",
        secret.namespace.as_deref().unwrap_or_default(),
        secret.name.as_deref().unwrap_or_default()
    )
}
