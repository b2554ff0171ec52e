//! What is done for each kind: a folder for those that have objects of their own, one file for the rest.
//!
//! A reconcile reads from the index, works out purely what should be, and writes what is not. Its last step is the status,
//! also after a failure.

pub mod binding;
pub mod bot;
pub mod channel;
mod rollout;
mod settled;
mod stale;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use monstrum_crds::conditions::{ConditionType, Reason, State};
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, ResourceType, Workspace,
};
use monstrum_crds::object::Kind;

pub use rollout::Pods;

use crate::child::{Applier, ApplyError};
use crate::compiler::Facts;
use crate::index::{Index, Key};
use crate::installation::Installation;
use crate::metrics::{Metrics, Outcome};
use crate::policy::Hub;
use crate::status::{Governed, StatusError, StatusWriter};

/// Everything that a reconcile needs.
pub struct Reconciler {
    /// What there is.
    pub index: Arc<Index>,
    /// What compiling found out.
    pub facts: Arc<Facts>,
    /// How far policies have come.
    pub hub: Arc<Hub>,
    /// Writes our objects.
    pub applier: Applier,
    /// Writes status.
    pub status: StatusWriter,
    /// Tells why pods do not run.
    pub pods: Pods,
    /// What every pod is given.
    pub installation: Installation,
    /// Counts.
    pub metrics: Metrics,
}

/// Why an object is not reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Objects of ours.
    #[error("objects can't be put in place")]
    Apply(#[from] ApplyError),
    /// The status.
    #[error("the status can't be written")]
    Status(#[from] StatusError),
}

impl ReconcileError {
    /// The class, for metrics: all of them are tried again with back-off.
    fn outcome(&self) -> Outcome {
        match self {
            Self::Apply(
                ApplyError::Refused { .. } | ApplyError::Certificate { .. } | ApplyError::Unreadable { .. },
            ) => Outcome::Internal,
            Self::Apply(
                ApplyError::Failed { .. }
                | ApplyError::Foreign(_)
                | ApplyError::Going { .. }
                | ApplyError::Contested { .. }
                | ApplyError::NotLeading,
            )
            | Self::Status(StatusError::Write { .. } | StatusError::NotLeading) => Outcome::Transient,
        }
    }
}

impl Reconciler {
    /// Takes keys out of the queue and reconciles them. Runs until dropped; several may run at once.
    pub async fn work(&self) {
        loop {
            let key = self.index.queue.next().await;
            match self.reconcile(&key).await {
                Ok(again) => {
                    self.metrics.reconciled(key.kind, Outcome::Done);
                    self.index.queue.succeeded(&key);
                    if let Some(delay) = again {
                        self.index.queue.push_after(key.clone(), delay);
                    }
                }
                Err(error) => {
                    self.metrics.reconciled(key.kind, error.outcome());
                    let cause = std::error::Error::source(&error)
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    tracing::warn!(kind = %key.kind, namespace = %key.namespace, name = %key.name, error = %error, %cause, "reconcile failed");
                    self.index.queue.push_failed(key.clone());
                }
            }
            self.index.queue.done(&key);
        }
    }

    /// Makes everything that follows from one object what it should be. Says when to look again without a change.
    ///
    /// From what may be out of date nothing follows: no object is written or deleted for it, and nothing is called ready.
    pub async fn reconcile(&self, key: &Key) -> Result<Option<Duration>, ReconcileError> {
        if self.index.as_of(&key.namespace).is_none() {
            return stale::reconcile(self, key).await;
        }
        if self.tell_unreadable(key).await? {
            return Ok(None);
        }
        match key.kind {
            Kind::Bot => {
                self.with::<Bot, _>(key, async |bot| bot::reconcile(self, &bot).await)
                    .await
            }
            Kind::Channel => {
                self.with::<Channel, _>(key, async |channel| channel::reconcile(self, &channel).await)
                    .await
            }
            Kind::BotBinding => {
                self.with::<BotBinding, _>(key, async |binding| binding::reconcile(self, &binding).await)
                    .await
            }
            Kind::ResourceType => self.settled::<ResourceType>(key).await,
            Kind::Workspace => self.settled::<Workspace>(key).await,
            Kind::ModelProvider => self.settled::<ModelProvider>(key).await,
            Kind::Credential => self.settled::<Credential>(key).await,
            Kind::Resource => self.settled::<Resource>(key).await,
            Kind::BotRole => self.settled::<BotRole>(key).await,
        }
    }

    /// Does something for the object of a key, if it is there and stays.
    async fn with<K: Governed, F>(&self, key: &Key, act: F) -> Result<Option<Duration>, ReconcileError>
    where
        F: AsyncFnOnce(Arc<K>) -> Result<Option<Duration>, ReconcileError>,
    {
        match K::objects(&self.index).get(&key.namespace, &key.name) {
            Some(object) if object.meta().deletion_timestamp.is_none() => act(object).await,
            Some(_) | None => Ok(None),
        }
    }

    async fn settled<K: Governed>(&self, key: &Key) -> Result<Option<Duration>, ReconcileError> {
        self.with::<K, _>(key, async |object| {
            settled::reconcile(self, object.as_ref()).await
        })
        .await
    }

    /// Whether the object of a key can't be read; its status then says so.
    async fn tell_unreadable(&self, key: &Key) -> Result<bool, ReconcileError> {
        let Some(object) = self.index.broken.untold(key) else {
            return Ok(false);
        };
        let message = format!(
            "the object does not have the shape of its kind ({}): put it right",
            object.error
        );
        let states = [
            State::new(ConditionType::Accepted, false, Reason::Invalid, message.as_str()),
            State::new(ConditionType::Ready, false, Reason::Invalid, message),
        ];
        let plural = format!("{}s", key.kind.as_str().to_lowercase());
        let manager = format!("monstrum-{}-status", key.kind.as_str().to_lowercase());
        self.status
            .write_unreadable(key.kind.as_str(), &plural, &manager, &object.metadata, &states)
            .await?;
        self.index.broken.told(key);
        Ok(true)
    }
}

/// `Ready` of an object for which `others` are the other conditions: its reason is the cause of the first that does not hold.
pub(crate) fn ready(others: &[State], message: impl Into<String>) -> State {
    use monstrum_crds::conditions::Holds;
    match others.iter().find(|state| state.holds != Holds::True) {
        None => State::new(ConditionType::Ready, true, Reason::Ready, message),
        Some(state) => {
            let why = format!(
                "{} is {}: {}",
                state.about.as_str(),
                state.holds.as_str(),
                state.message
            );
            State::new(ConditionType::Ready, false, state.cause, why)
        }
    }
}
