//! What an authority leaves behind: from that it is known that there was one, although its Secret is gone.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use super::secret::split;
use crate::ledger_identity;
use crate::process::LEASE;

/// What is found of an earlier authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traces {
    /// Whom the ledger was to trust: the certificates of earlier authorities.
    pub(super) roots: Vec<String>,
    /// Who leads, and the version in which he said so; it changes while he does.
    pub(super) lease: Option<(String, String)>,
}

impl Traces {
    pub(super) fn is_any(&self) -> bool {
        !self.roots.is_empty() || self.lease.is_some()
    }
}

pub(super) async fn traces(client: &Client, namespace: &str) -> Result<Traces, kube::Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let certificate = secrets.get_opt(ledger_identity::SECRET).await?;
    let lease = leases.get_opt(LEASE).await?;
    Ok(Traces {
        roots: certificate.map(|secret| roots(&secret)).unwrap_or_default(),
        lease: lease.and_then(|lease| holder(&lease)),
    })
}

fn roots(certificate: &Secret) -> Vec<String> {
    let bundle = certificate.data.as_ref().and_then(|data| data.get("ca.crt"));
    let bundle = bundle.and_then(|bytes| std::str::from_utf8(&bytes.0).ok());
    bundle.map(split).unwrap_or_default()
}

/// Of a lease that was given back nobody is the holder.
fn holder(lease: &Lease) -> Option<(String, String)> {
    let holder = lease.spec.as_ref()?.holder_identity.clone()?;
    let version = lease.metadata.resource_version.clone().unwrap_or_default();
    (!holder.is_empty()).then_some((holder, version))
}
