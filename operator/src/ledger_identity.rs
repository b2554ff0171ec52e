//! The ledger's certificate, in a Secret of the operator's namespace.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use monstrum_wire::identity::Identity;
use tokio::sync::watch;

use crate::child::{Applier, CertificateSpec, Labels, MANAGER, label};
use crate::installation::Installation;
use crate::roster::Rosters;
use crate::trust::{Held, due};

/// The Secret that the ledger's pods mount.
pub(crate) const SECRET: &str = "monstrum-ledger-tls";
/// Who writes it.
const FIELD_MANAGER: &str = "monstrum-ledger-tls";
/// A deleted Secret is made again after this long at most.
const EVERY: Duration = Duration::from_secs(60);
/// After a failure.
const SOON: Duration = Duration::from_secs(2);

/// Keeps the ledger's certificate valid, and known. Runs until dropped.
pub(crate) async fn keep(
    applier: &Applier,
    installation: &Installation,
    rosters: &Rosters,
    mut changes: watch::Receiver<Arc<Held>>,
) {
    let labels = Labels::from([
        (label::NAME.to_owned(), installation.system_name.clone()),
        (label::COMPONENT.to_owned(), "ledger".to_owned()),
        (label::MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ]);
    let spec = CertificateSpec {
        secret: SECRET.to_owned(),
        identity: Identity::Ledger,
        names: installation.system_names(&installation.ledger_service),
        labels: labels.clone(),
    };
    loop {
        let metadata = ObjectMeta {
            name: Some(SECRET.to_owned()),
            namespace: Some(installation.namespace.clone()),
            labels: Some(labels.clone()),
            ..ObjectMeta::default()
        };
        let wait = match applier.certify(None, metadata, FIELD_MANAGER, &spec).await {
            Ok(certified) => {
                rosters.set_ledger(certified.certificates);
                certified.good_for.min(EVERY)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::warn!(error = %error, %cause, "the ledger's certificate can't be issued");
                SOON
            }
        };
        due(&mut changes, wait).await;
    }
}
