//! Reads and writes the Secret, and makes a first authority where there never was one.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Client, Resource as _};
use monstrum_service::authority::{Authority, AuthorityError};
use tokio::time::Instant;

use super::secret::{self, Kept};
use super::traces::{Traces, traces};
use super::{Held, Source, Trust};
use crate::events::reporter;

/// The Secret with the authority's certificate and key.
pub const AUTHORITY_SECRET: &str = "monstrum-ca";
/// Who writes it.
const MANAGER: &str = "monstrum-authority";
/// Whoever holds the authority puts the Secret back within seconds; after this long nobody does.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody did.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The Secret can't be read.
    #[error("secret {AUTHORITY_SECRET} can't be read")]
    Read(#[source] kube::Error),
    /// The Secret can't be created.
    #[error("secret {AUTHORITY_SECRET} can't be created")]
    Create(#[source] kube::Error),
    /// The Secret can't be changed.
    #[error("secret {AUTHORITY_SECRET} can't be changed")]
    Change(#[source] kube::Error),
    /// Whether there was an authority can't be found out.
    #[error("whether there was an authority before can't be found out")]
    Traces(#[source] kube::Error),
    /// Who trusts whom can't be found out.
    #[error("which certificates are signed by whom can't be found out")]
    Census(#[source] kube::Error),
    /// The Secret is not what was written into it.
    #[error(
        "secret {AUTHORITY_SECRET} has no certificate or text under {0}; an operator that runs puts it right, otherwise restore it from a backup"
    )]
    Damaged(&'static str),
    /// The Secret that authorities come from holds none that can be used.
    #[error("secret {name}, which authorities come from (authority.secret), can't be used: {why}")]
    Source {
        /// The Secret's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The authority can't be used.
    #[error("the authority of secret {AUTHORITY_SECRET} can't be used")]
    Authority(#[from] AuthorityError),
}

/// Keeps the authority of one installation.
#[derive(Clone)]
pub struct AuthorityKeeper {
    client: Client,
    namespace: String,
    trust_domain: String,
    source: Source,
    recorder: Recorder,
}

impl AuthorityKeeper {
    /// Of the installation in `namespace`, as the pod `instance`.
    pub fn new(client: Client, namespace: &str, trust_domain: &str, source: Source, instance: &str) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), reporter(instance)),
            client,
            namespace: namespace.to_owned(),
            trust_domain: trust_domain.to_owned(),
            source,
        }
    }

    /// The authority, made if there never was one. Of two that make one at the same time, one is taken by both.
    ///
    /// Where there was one, and its Secret is gone, whoever holds it puts it back: that is awaited. Only when nobody does, and
    /// nobody leads, the key is lost, and another authority takes its place, trusting what the lost one signed.
    pub async fn load_or_create(&self) -> Result<Trust, TrustError> {
        let began = Instant::now();
        let mut latest: Option<(Traces, Instant)> = None;
        loop {
            if let Some(kept) = self.load().await? {
                return Ok(Trust::holding(kept.held));
            }
            let found = traces(&self.client, &self.namespace)
                .await
                .map_err(TrustError::Traces)?;
            if !found.is_any() {
                if let Some(first) = self.first().await? {
                    return self.create(Held::first(first)).await;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            let unchanged_since = match latest.take() {
                Some((before, since)) if before.lease == found.lease => since,
                Some(_) => Instant::now(),
                None => {
                    tracing::warn!(
                        secret = AUTHORITY_SECRET,
                        "the authority is gone; whoever holds it is awaited"
                    );
                    began
                }
            };
            if unchanged_since.elapsed() >= PATIENCE
                && let Some(first) = self.first().await?
            {
                return self.succeed(first, found).await;
            }
            latest = Some((found, unchanged_since));
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The key is lost: another authority, and everybody is told.
    async fn succeed(&self, first: Authority, traces: Traces) -> Result<Trust, TrustError> {
        let held = Held::kept(first, None, traces.roots, 1);
        let trust = self.create(held).await?;
        let note = "the authority was lost with its Secret; another one signs now, and every certificate is issued anew";
        self.tell(EventType::Warning, "AuthorityLost", note).await;
        Ok(trust)
    }

    async fn create(&self, held: Held) -> Result<Trust, TrustError> {
        if self.put_back(&held).await? {
            tracing::info!(secret = AUTHORITY_SECRET, "made the installation's authority");
            return Ok(Trust::holding(held));
        }
        // Somebody was faster.
        let kept = self.load().await?.ok_or(TrustError::Damaged("tls.crt"))?;
        Ok(Trust::holding(kept.held))
    }

    async fn load(&self) -> Result<Option<Kept>, TrustError> {
        let found = self.read().await?;
        found.map(|secret| self.decode(&secret)).transpose()
    }

    /// An authority to begin with; none while it is awaited.
    async fn first(&self) -> Result<Option<Authority>, TrustError> {
        let first = self
            .source
            .authority(&self.client, &self.namespace, &self.trust_domain)
            .await?;
        if let (None, Source::Secret { name }) = (&first, &self.source) {
            tracing::warn!(secret = %name, "the Secret that the authority comes from is awaited");
        }
        Ok(first)
    }

    /// The authority that is to take the place of the one that signs, if it is time for another.
    pub(super) async fn successor(&self, held: &Held, asked: bool) -> Result<Option<Authority>, TrustError> {
        if !self.source.may_follow(held, asked) {
            return Ok(None);
        }
        let found = self
            .source
            .authority(&self.client, &self.namespace, &self.trust_domain)
            .await?;
        Ok(found.filter(|found| found.certificate_pem() != held.signer().certificate_pem()))
    }

    /// The Secret as it is.
    pub(super) async fn read(&self) -> Result<Option<Secret>, TrustError> {
        self.secrets()
            .get_opt(AUTHORITY_SECRET)
            .await
            .map_err(TrustError::Read)
    }

    pub(super) fn decode(&self, secret: &Secret) -> Result<Kept, TrustError> {
        secret::read(secret, &self.trust_domain)
    }

    /// Makes a Secret that holds this; false when there is one.
    pub(super) async fn put_back(&self, held: &Held) -> Result<bool, TrustError> {
        let secret = secret::write(held, &self.namespace);
        match self.secrets().create(&PostParams::default(), &secret).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(TrustError::Create(error)),
        }
    }

    /// Makes the Secret hold this, unless it changed since `before`: then false. With `answers`, what was asked is done.
    pub(super) async fn change(
        &self,
        held: &Held,
        before: &Secret,
        answers: bool,
    ) -> Result<bool, TrustError> {
        let parameters = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(secret::change(held, before, answers));
        match self.secrets().patch(AUTHORITY_SECRET, &parameters, &patch).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(false),
            Err(error) => Err(TrustError::Change(error)),
        }
    }

    /// Tells people, by an event of the Secret and in the log.
    pub(super) async fn tell(&self, type_: EventType, reason: &'static str, note: &str) {
        tracing::warn!(secret = AUTHORITY_SECRET, %reason, "{note}");
        let mut secret = Secret::default();
        secret.metadata.name = Some(AUTHORITY_SECRET.to_owned());
        secret.metadata.namespace = Some(self.namespace.clone());
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note.to_owned()),
            action: "Trust".to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &secret.object_ref(&())).await {
            tracing::warn!(error = %error, "an event can't be published");
        }
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

#[cfg(test)]
mod tests;
