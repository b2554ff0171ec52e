//! Keeps the claims of this installation, while it leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};

use super::record::{CLAIM, claim, claimant, handover};
use super::rival::Rival;
use crate::child::ChildKind;
use crate::complaints::Complaints;
use crate::events::reporter;
use crate::index::{Index, Owned, strip};
use crate::leadership::Leadership;
use crate::metrics::{Metrics, Written};

/// How often everything is looked at, also without a change.
const EVERY: Duration = Duration::from_secs(1);
/// How often in the first moments of a term.
const SOON: Duration = Duration::from_millis(100);
/// The answers of the API server for one namespace.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who writes claims.
const FIELD_MANAGER: &str = "monstrum-claim";

/// Keeps the claims of this installation.
pub(crate) struct Keeper {
    index: Arc<Index>,
    client: Client,
    leadership: Leadership,
    metrics: Metrics,
    recorder: Recorder,
    /// The namespace that this operator runs in.
    installation: String,
    /// The name of every installation's lease.
    lease: &'static str,
    rivals: BTreeMap<String, Rival>,
    complaints: Complaints,
}

impl Keeper {
    pub(crate) fn new(
        index: Arc<Index>,
        client: Client,
        leadership: Leadership,
        metrics: Metrics,
        (installation, lease): (&str, &'static str),
    ) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), reporter(installation)),
            index,
            client,
            leadership,
            metrics,
            installation: installation.to_owned(),
            lease,
            rivals: BTreeMap::new(),
            complaints: Complaints::default(),
        }
    }

    /// Runs until dropped.
    pub(crate) async fn run(mut self) {
        let index = Arc::clone(&self.index);
        loop {
            self.look().await;
            tokio::select! {
                () = index.ownership.changed() => {}
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }

    /// In the first moments of a term everything waits for its namespace to become current, and then for this.
    fn pause(&self) -> Duration {
        if self.index.currency.is_settling() {
            SOON
        } else {
            EVERY
        }
    }

    /// Sees to the claim of every namespace that there is something to do in, and that is known to be current.
    pub(super) async fn look(&mut self) {
        let namespaces = self.index.namespaces();
        let mut rivals = BTreeSet::new();
        for namespace in &namespaces {
            if self.index.currency.as_of(namespace).is_none() || self.leadership.epoch().is_none() {
                continue;
            }
            let seen = self.seen(namespace);
            rivals.extend(seen.as_deref().map(|claim| claimant(claim).to_owned()));
            // One namespace whose writes are held up holds up no other.
            let step = tokio::time::timeout(PATIENCE, self.tend(namespace, seen)).await;
            if step.is_err() {
                self.complain(
                    namespace,
                    "the API server does not answer for the namespace's claim",
                );
            }
        }
        self.rivals
            .retain(|installation, _| rivals.contains(installation));
        self.leave_unused(&namespaces).await;
        self.metrics
            .governed_by_others(self.index.ownership.count_theirs());
    }

    async fn tend(&mut self, namespace: &str, seen: Option<Arc<DynamicObject>>) {
        match seen {
            None => self.make(namespace).await,
            Some(claim) if claimant(&claim) == self.installation => self.owns(namespace),
            Some(claim) => self.contest(namespace, &claim).await,
        }
    }

    fn seen(&self, namespace: &str) -> Option<Arc<DynamicObject>> {
        self.index
            .live
            .children(ChildKind::ConfigMap)
            .get(namespace, CLAIM)
    }

    fn owns(&self, namespace: &str) {
        if self.index.ownership.set(namespace, Some(Owned::Ours)) {
            tracing::info!(%namespace, "this installation governs the namespace");
            self.index.governed(namespace);
        }
    }

    /// Of two that make one at the same time, one succeeds.
    async fn make(&self, namespace: &str) {
        let made = self
            .api(namespace)
            .create(&PostParams::default(), &claim(namespace, &self.installation))
            .await;
        match made {
            Ok(made) => self.wrote(namespace, made),
            Err(kube::Error::Api(status)) if status.code == 409 => self.read(namespace).await,
            Err(error) => {
                self.index.ownership.set(namespace, None);
                self.complain(
                    namespace,
                    &format!("it can't be claimed, and nothing is done there: {error}"),
                );
            }
        }
    }

    /// What is there and was not seen: the watch has not told yet, or never will, where somebody took our label off.
    async fn read(&self, namespace: &str) {
        match self.api(namespace).get_opt(CLAIM).await {
            Ok(Some(found)) => self.take_in(found),
            Ok(None) => {}
            Err(error) => {
                self.complain(namespace, &format!("its claim can't be read: {error}"));
            }
        }
    }

    async fn contest(&mut self, namespace: &str, claim: &DynamicObject) {
        let other = claimant(claim).to_owned();
        // Who is nobody has nothing.
        if !other.is_empty() {
            let rival = self.rivals.entry(other.clone()).or_default();
            rival.look(&self.client, &other, self.lease).await;
            if !rival.gave_up(namespace) {
                return self.leave(namespace, &other, claim).await;
            }
        }
        tracing::warn!(%namespace, installation = %other, "another installation does not govern the namespace any more; this one does now");
        let patch = Patch::Merge(handover(claim, &self.installation));
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match self.api(namespace).patch(CLAIM, &parameters, &patch).await {
            Ok(taken) => self.wrote(namespace, taken),
            Err(error) => {
                self.complain(namespace, &format!("its claim can't be taken over: {error}"));
            }
        }
    }

    /// Does nothing in a namespace, and says so: in the log, a metric and one event beside the claim.
    async fn leave(&self, namespace: &str, other: &str, claim: &DynamicObject) {
        let theirs = Owned::Theirs(other.to_owned());
        if !self.index.ownership.set(namespace, Some(theirs)) {
            return;
        }
        tracing::error!(%namespace, installation = %other, "another installation governs the namespace; nothing is done there");
        let note = format!(
            "this namespace is governed by the installation in namespace {other}; the one in {} watches it as well and does nothing \
             here: name it in the excludeNamespaces of one of them",
            self.installation
        );
        let event = Event {
            type_: EventType::Warning,
            reason: "GovernedByAnother".to_owned(),
            note: Some(note),
            action: "Govern".to_owned(),
            secondary: None,
        };
        let regarding = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("ConfigMap".to_owned()),
            name: Some(CLAIM.to_owned()),
            namespace: Some(namespace.to_owned()),
            uid: claim.uid(),
            ..ObjectReference::default()
        };
        match self.recorder.publish(&event, &regarding).await {
            Ok(()) => self.metrics.wrote(Written::Event),
            Err(error) => tracing::warn!(error = %error, "an event can't be published"),
        }
    }

    /// Takes away our claims of namespaces in which there is nothing to govern any more.
    async fn leave_unused(&self, namespaces: &BTreeSet<String>) {
        for claim in self.index.live.children(ChildKind::ConfigMap).all() {
            let namespace = claim.namespace().unwrap_or_default();
            let ours = claim.name_any() == CLAIM && claimant(&claim) == self.installation;
            if !ours || namespaces.contains(&namespace) || self.index.currency.as_of(&namespace).is_none() {
                continue;
            }
            let parameters = DeleteParams {
                preconditions: Some(Preconditions {
                    uid: claim.uid(),
                    resource_version: claim.resource_version(),
                }),
                ..DeleteParams::default()
            };
            self.index.ownership.set(&namespace, None);
            match self.api(&namespace).delete(CLAIM, &parameters).await {
                Ok(_) => self.metrics.wrote(Written::Deletion),
                Err(error) => {
                    tracing::debug!(%namespace, error = %error, "a claim that is of no use can't be deleted");
                }
            }
        }
    }

    fn wrote(&self, namespace: &str, written: ConfigMap) {
        self.metrics.wrote(Written::Object);
        self.take_in(written);
        self.owns(namespace);
    }

    fn take_in(&self, claim: ConfigMap) {
        // What was read as a ConfigMap is one.
        let object = serde_json::to_value(claim).and_then(serde_json::from_value::<DynamicObject>);
        if let Ok(mut object) = object {
            strip(&mut object);
            self.index
                .live
                .children(ChildKind::ConfigMap)
                .take_up(None, watcher::Event::Apply(object));
        }
    }

    /// Once a minute is enough for what goes on.
    fn complain(&self, namespace: &str, fault: &str) {
        if self.complaints.is_news(namespace, fault) {
            tracing::warn!(%namespace, %fault, "a namespace is not governed");
        }
    }

    fn api(&self, namespace: &str) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), namespace)
    }
}
