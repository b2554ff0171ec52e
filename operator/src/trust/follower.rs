//! Follows the Secret; the leader makes the steps to another authority.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::events::EventType;
use tokio::time::Instant;

use super::keeper::{AuthorityKeeper, TrustError};
use super::secret::Kept;
use super::{Census, Held, Trust};
use crate::leadership::Leadership;
use crate::metrics::Metrics;

/// How often the Secret is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// What decides when a step may follow another.
#[derive(Clone)]
pub struct Rotation {
    /// Who has not come along yet.
    pub census: Census,
    /// How long processes may take for what was written for them to be in force: kubelets refresh what they mounted.
    pub settle: Duration,
    /// Whether the API server has to come along: there is a webhook.
    pub webhook: bool,
}

/// Follows the Secret for as long as the process runs.
pub struct Follower {
    keeper: AuthorityKeeper,
    trust: Trust,
    leadership: Leadership,
    rotation: Rotation,
    metrics: Metrics,
    /// Since when everybody has come along with the step of this revision.
    settled: Option<(u64, Instant)>,
}

impl Follower {
    /// Keeps `trust` what the Secret says, and the Secret there.
    pub fn new(
        keeper: AuthorityKeeper,
        trust: Trust,
        leadership: Leadership,
        rotation: Rotation,
        metrics: Metrics,
    ) -> Self {
        Self {
            keeper,
            trust,
            leadership,
            rotation,
            metrics,
            settled: None,
        }
    }

    /// Runs until dropped.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.look().await {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::warn!(error = %error, %cause, "the authority can't be followed");
            }
            let held = self.trust.held();
            self.metrics.trusts(held.ends(), held.trusted());
            tokio::time::sleep(EVERY).await;
        }
    }

    /// One look at the Secret, and what follows from it.
    pub(super) async fn look(&mut self) -> Result<(), TrustError> {
        let Some(secret) = self.keeper.read().await? else {
            return self.put_back().await;
        };
        let kept = match self.keeper.decode(&secret) {
            Ok(kept) => kept,
            Err(error) => return self.repair(&secret, &error.to_string()).await,
        };
        let held = self.trust.held();
        if kept.held.revision() > held.revision() {
            tracing::info!(
                revision = kept.held.revision(),
                "the authority was changed by whoever leads"
            );
            self.trust.take_up(kept.held);
            return Ok(());
        }
        if !self.leads() {
            return Ok(());
        }
        if kept.held.is_same(&held) {
            self.step(&held, &secret, kept.asked).await
        } else {
            self.import(&held, kept, &secret).await
        }
    }

    fn leads(&self) -> bool {
        self.leadership.epoch().is_some()
    }

    /// The Secret is gone, and here is what was in it.
    async fn put_back(&self) -> Result<(), TrustError> {
        if self.keeper.put_back(&self.trust.held()).await? {
            let note = "the Secret was deleted; it is put back as it was";
            self.keeper
                .tell(EventType::Warning, "AuthorityRestored", note)
                .await;
        }
        Ok(())
    }

    /// The Secret can't be used, and here is what was in it.
    async fn repair(&self, secret: &Secret, why: &str) -> Result<(), TrustError> {
        if self.leads() && self.keeper.change(&self.trust.held(), secret, false).await? {
            let note = format!("the Secret could not be used ({why}); it is put back as it was");
            self.keeper
                .tell(EventType::Warning, "AuthorityRestored", &note)
                .await;
        }
        Ok(())
    }

    /// Somebody put another authority, or an earlier state, into the Secret. Another one takes the place of the one that signs, in
    /// steps; an earlier state is put right.
    async fn import(&mut self, held: &Held, kept: Kept, secret: &Secret) -> Result<(), TrustError> {
        let revision = kept.held.revision();
        if (1..held.revision()).contains(&revision) || held.trusts_signer_of(&kept.held) {
            return self.repair(secret, "it held an earlier state").await;
        }
        if kept.held.ends() <= Timestamp::now().as_second() {
            return self.repair(secret, "the authority put into it has ended").await;
        }
        let signer = kept.held.into_signer();
        let Some(next) = signer.and_then(|signer| held.preparing(signer)) else {
            return Ok(());
        };
        let note = "another authority was put into the Secret; it will sign once everybody trusts it";
        self.take(next, secret, kept.asked, "AuthorityImported", note)
            .await
    }

    /// The next step, if it is time.
    async fn step(&mut self, held: &Held, secret: &Secret, asked: bool) -> Result<(), TrustError> {
        let is_steady = held.following().is_none();
        if is_steady {
            let successor = self.keeper.successor(held, asked).await?;
            let Some(next) = successor.and_then(|next| held.preparing(next)) else {
                return Ok(());
            };
            let note = "there is another authority; it will sign once everybody trusts it";
            return self.take(next, secret, true, "AuthorityPrepared", note).await;
        }
        if !self.has_settled(held).await? {
            return Ok(());
        }
        let Some(next) = held.following() else {
            return Ok(());
        };
        let (reason, note) = if held.next().is_some() {
            (
                "AuthorityRotated",
                "another authority signs now; every certificate is issued anew",
            )
        } else {
            ("AuthorityRetired", "nobody trusts the former authority any more")
        };
        self.take(next, secret, false, reason, note).await
    }

    async fn take(
        &mut self,
        next: Held,
        secret: &Secret,
        answers: bool,
        reason: &'static str,
        note: &str,
    ) -> Result<(), TrustError> {
        if self.keeper.change(&next, secret, answers).await? {
            self.trust.take_up(next);
            self.keeper.tell(EventType::Normal, reason, note).await;
        }
        Ok(())
    }

    /// Whether everybody has come along with this step, and had the time to take up what was written for them.
    async fn has_settled(&mut self, held: &Held) -> Result<bool, TrustError> {
        let behind = self
            .rotation
            .census
            .behind(held)
            .await
            .map_err(TrustError::Census)?;
        self.metrics.trust_awaits(behind.len());
        if !behind.is_empty() || (self.rotation.webhook && !self.trust.is_in_webhook()) {
            tracing::info!(
                first = behind.first().map(String::as_str),
                count = behind.len(),
                "a step of the authority awaits others"
            );
            self.settled = None;
            return Ok(false);
        }
        let now = Instant::now();
        let since = match self.settled {
            Some((revision, since)) if revision == held.revision() => since,
            Some(_) | None => now,
        };
        self.settled = Some((held.revision(), since));
        Ok(now.duration_since(since) >= self.rotation.settle)
    }
}

#[cfg(test)]
mod tests;
