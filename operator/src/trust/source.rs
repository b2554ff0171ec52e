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
    /// An authority to begin with; none while the Secret that it comes from is not there yet.
    pub(super) async fn first(
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

    /// The authority that is to take the place of the one that signs, if it is time for another.
    pub(super) async fn successor(
        &self,
        held: &Held,
        asked: bool,
        client: &Client,
        (namespace, trust_domain): (&str, &str),
    ) -> Result<Option<Authority>, TrustError> {
        let is_time = match self {
            Self::Own { .. } => asked || held.is_due(Timestamp::now().as_second()),
            Self::Secret { .. } => true,
        };
        if !is_time {
            return Ok(None);
        }
        let found = self.first(client, namespace, trust_domain).await?;
        Ok(found.filter(|found| found.certificate_pem() != held.signer().certificate_pem()))
    }
}
