//! Asks for the pods of rollouts that are not complete. They are not watched: what they say is only told, nothing follows from it.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};

use super::trouble::{self, REVISION, TroubledPod};
use super::{Rollout, selector, text};
use crate::child::Owner;

/// Pods need a moment; before that they are not asked for.
const MOMENT: SignedDuration = SignedDuration::from_secs(3);
/// The longest until they are asked for again.
const AT_MOST: SignedDuration = SignedDuration::from_secs(30);

/// Where pods are asked for.
#[derive(Clone)]
pub struct Pods {
    client: Client,
}

impl Pods {
    /// Asks with `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Tells in each rollout that is not complete why not, as far as its pods say; says when to look again, since no event
    /// tells of what pods wait for. `live` are the Deployments of the rollouts.
    pub(crate) async fn explain(
        &self,
        owner: &Owner,
        rollouts: &mut [Rollout],
        live: &[Option<Arc<DynamicObject>>],
        now: Timestamp,
    ) -> Option<Duration> {
        let awaited: Vec<_> = rollouts
            .iter_mut()
            .zip(live)
            .filter(|(rollout, _)| !rollout.complete)
            .filter_map(|(rollout, live)| Some((rollout, live.as_ref()?)))
            .collect();
        let age = awaited.iter().map(|(_, live)| age(live, now)).min()?;
        let wait = age.clamp(MOMENT, AT_MOST).unsigned_abs();
        if age < MOMENT {
            return Some(wait);
        }
        let troubled = self.troubled(owner, now).await;
        for (rollout, live) in awaited {
            self.explain_one(rollout, live, &troubled, owner).await;
        }
        Some(wait)
    }

    async fn troubled(&self, owner: &Owner, now: Timestamp) -> Vec<TroubledPod> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &owner.namespace);
        let of_owner = format!("{}={}", owner.label, owner.name);
        match pods.list(&cached(&of_owner)).await {
            Ok(list) => trouble::troubled(&list.items, now),
            Err(error) => {
                tracing::debug!(error = %error, namespace = %owner.namespace, name = %owner.name, "pods can't be listed");
                Vec::new()
            }
        }
    }

    /// Only what the pods of the template say that is rolled out now: older ones may be well, or sick of something else.
    async fn explain_one(
        &self,
        rollout: &mut Rollout,
        live: &DynamicObject,
        troubled: &[TroubledPod],
        owner: &Owner,
    ) {
        let beyond = rollout
            .trouble
            .as_ref()
            .is_none_or(super::trouble::Trouble::may_be_explained);
        if troubled.is_empty() || !beyond {
            return;
        }
        let Some(revision) = live.annotations().get(REVISION) else {
            return;
        };
        let sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &owner.namespace);
        let sets = match sets.list_metadata(&cached(&selector(live))).await {
            Ok(list) => list.items,
            Err(error) => {
                tracing::debug!(error = %error, namespace = %owner.namespace, "replica sets can't be listed");
                return;
            }
        };
        let Some(template) = trouble::template(revision, &sets) else {
            return;
        };
        if let Some(found) = troubled.iter().find(|pod| pod.template == template) {
            rollout.trouble = Some(found.trouble.clone());
        }
    }
}

/// From the API server's memory: a moment old is new enough.
fn cached(selector: &str) -> ListParams {
    ListParams::default().labels(selector).match_any()
}

/// How long a Deployment has come no further.
fn age(live: &DynamicObject, now: Timestamp) -> SignedDuration {
    let conditions = live
        .data
        .pointer("/status/conditions")
        .and_then(|list| list.as_array());
    let progressing = conditions
        .into_iter()
        .flatten()
        .find(|condition| text(condition, "type") == "Progressing");
    let since = progressing
        .and_then(|condition| text(condition, "lastUpdateTime").parse::<Timestamp>().ok())
        .or_else(|| live.creation_timestamp().map(|time| time.0))
        .unwrap_or(now);
    now.duration_since(since)
}
