//! Where an installation's authorities come from.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::{Api, Client};
use monstrum_service::authority::Authority;

use super::{Held, TrustError, secret};

/// Where authorities come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The operator makes them.
    Own {
        /// How long each of them lives.
        lifetime: Duration,
    },
    /// Somebody else writes them into a Secret beside the operator (`tls.crt`, `tls.key`), as cert-manager does for a `Certificate` with
    /// `isCA`. That Secret is only ever read.
    Secret {
        /// Its name.
        name: String,
    },
}

impl Source {
    /// An authority; none while the Secret that it comes from is not there.
    pub(super) async fn authority(
        &self,
        client: &Client,
        namespace: &str,
        trust_domain: &str,
    ) -> Result<Option<Authority>, TrustError> {
        let name = match self {
            Self::Own { lifetime } => return Ok(Some(Authority::generate_for(trust_domain, *lifetime)?)),
            Self::Secret { name } => name,
        };
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let Some(found) = secrets.get_opt(name).await.map_err(TrustError::Read)? else {
            return Ok(None);
        };
        let unfit = |why: String| TrustError::Source {
            name: name.clone(),
            why,
        };
        let kept = secret::read(&found, trust_domain).map_err(|error| unfit(error.to_string()))?;
        if kept.held.ends() <= Timestamp::now().as_second() {
            return Err(unfit("it has ended".to_owned()));
        }
        Ok(kept.held.into_signer())
    }

    /// Whether it may have an authority to take the place of the one that signs: one's own when it is time for it, somebody else's whenever
    /// there is one.
    pub(super) fn may_follow(&self, held: &Held, asked: bool) -> bool {
        match self {
            Self::Own { .. } => asked || held.is_due(Timestamp::now().as_second()),
            Self::Secret { .. } => true,
        }
    }
}
