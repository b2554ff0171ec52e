//! The writes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Client, ResourceExt};
use monstrum_service::TlsError;
use monstrum_service::authority::AuthorityError;
use serde_json::{Value, json};

use super::certificate::{is_trusting, trusting};
use super::contest::Contests;
use super::drift::{correction, paths, was_applied, with_digest};
use super::takeover::{Strangers, is_our_secret};
use super::{
    Belonging, Certificate, CertificateSpec, Child, ChildKind, Issued, Owner, certificate_annotations,
};
use crate::index::{Live, strip};
use crate::leadership::Leadership;
use crate::metrics::{Metrics, Written};
use crate::trust::{Held, Trust, renewal};

/// Writes our objects, while this process leads.
#[derive(Clone)]
pub struct Applier {
    pub(super) client: Client,
    pub(super) live: Arc<Live>,
    trust: Trust,
    leadership: Leadership,
    lifetime: Duration,
    pub(super) metrics: Metrics,
    contests: Arc<Contests>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was what it should be.
    Unchanged,
    /// It was written.
    Written,
}

/// A certificate that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// For how long it needs no renewal.
    pub good_for: Duration,
    /// All of its identity that are good.
    pub certificates: Vec<Certificate>,
}

/// Why an object is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another process may lead by now.
    #[error("this operator does not lead any more")]
    NotLeading,
    /// Somebody else's objects have the names.
    #[error("{0}")]
    Foreign(Strangers),
    /// An earlier object has the name, and is not gone yet.
    #[error("{kind} {name} is being deleted; it is made anew once it is gone")]
    Going {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server will not have it; trying again does not help until something changes.
    #[error("{kind} {name} was refused: {message}")]
    Refused {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// What the API server says.
        message: String,
    },
    /// Somebody changes it again and again.
    #[error("{kind} {name} is changed again and again by {by} ({fields}): have it leave our objects alone")]
    Contested {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Who changed it last.
        by: String,
        /// What was changed.
        fields: String,
    },
    /// The API server did not do it this time.
    #[error("{kind} {name} can't be written")]
    Failed {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        source: kube::Error,
    },
    /// A certificate can't be signed.
    #[error("secret {secret}: the certificate can't be issued")]
    Certificate {
        /// The Secret.
        secret: String,
        /// Why.
        source: AuthorityError,
    },
    /// A certificate that was signed can't be read.
    #[error("secret {secret}: the issued certificate can't be read")]
    Unreadable {
        /// The Secret.
        secret: String,
        /// Why.
        source: TlsError,
    },
}

impl Applier {
    /// Compares with `live`, writes with `client`.
    pub fn new(
        client: Client,
        live: Arc<Live>,
        trust: Trust,
        leadership: Leadership,
        lifetime: Duration,
        metrics: Metrics,
    ) -> Self {
        Self {
            client,
            live,
            trust,
            leadership,
            lifetime,
            metrics,
            contests: Arc::default(),
        }
    }

    /// Makes one object what it should be, and nothing more.
    pub async fn apply(&self, owner: &Owner, manager: &str, child: &Child) -> Result<Applied, ApplyError> {
        let live = self.live.children(child.kind).get(&owner.namespace, &child.name);
        let api = self.api(child.kind, &owner.namespace);
        let (kind, name) = (child.kind.as_str(), child.name.as_str());
        if let Some(live) = live.filter(|live| owner.owns(&live.metadata)) {
            let live = as_json(live.as_ref());
            let correction = self.correction(child, &live);
            if let (true, Some(correction)) = (was_applied(&child.object, &live), &correction) {
                self.contest(owner, child, &api, correction).await?;
            } else if was_applied(&child.object, &live) {
                return Ok(Applied::Unchanged);
            }
        } else {
            self.make_way(owner, manager, child, &api).await?;
        }
        self.check_leading()?;
        let parameters = PatchParams::apply(manager).force();
        let written = api
            .patch(name, &parameters, &Patch::Apply(with_digest(&child.object)))
            .await
            .map_err(|error| failed(kind, name, error))?;
        self.metrics.wrote(Written::Object);
        tracing::debug!(%kind, %name, namespace = %owner.namespace, "applied");
        let mut written = self.take_out(&api, manager, child, written).await?;
        strip(&mut written);
        self.live
            .children(child.kind)
            .take_up(None, Event::Apply(written));
        Ok(Applied::Written)
    }

    /// What has to be changed of an object, but for what its API server insists on.
    fn correction(&self, child: &Child, live: &Value) -> Option<Value> {
        let correction = correction(child.kind, &child.object, live)?;
        self.contests.open(child.kind, correction, live)
    }

    /// Somebody changed what we made: says who, and refuses to go on at full speed.
    async fn contest(
        &self,
        owner: &Owner,
        child: &Child,
        api: &Api<DynamicObject>,
        correction: &Value,
    ) -> Result<(), ApplyError> {
        let (kind, name) = (child.kind.as_str(), child.name.as_str());
        let found = api.get_metadata_opt(name).await;
        let found = found.map_err(|error| failed(kind, name, error))?;
        let by = found.map_or_else(String::new, |found| last_writer(&found.metadata));
        let fields = paths(correction).join(", ");
        tracing::warn!(%kind, %name, namespace = %owner.namespace, %by, %fields, "somebody changed an object of ours");
        if self.contests.admit(child.kind, &owner.namespace, name) {
            return Ok(());
        }
        Err(ApplyError::Contested {
            kind: kind.to_owned(),
            name: name.to_owned(),
            by,
            fields,
        })
    }

    /// Server-side apply leaves what others added: that is taken out of the object as it was written.
    async fn take_out(
        &self,
        api: &Api<DynamicObject>,
        manager: &str,
        child: &Child,
        written: DynamicObject,
    ) -> Result<DynamicObject, ApplyError> {
        let Some(mut patch) = self.correction(child, &as_json(&written)) else {
            return Ok(written);
        };
        let (kind, name) = (child.kind.as_str(), child.name.as_str());
        self.check_leading()?;
        if let Some(fields) = patch.as_object_mut() {
            // Only as it was read.
            let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("resourceVersion".to_owned(), json!(written.resource_version()));
            }
        }
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let corrected = api.patch(name, &parameters, &Patch::Merge(patch)).await;
        let corrected = corrected.map_err(|error| failed(kind, name, error))?;
        self.metrics.wrote(Written::Object);
        let there = as_json(&corrected);
        if let Some(insisted) = self.correction(child, &there) {
            self.contests.insists(child.kind, &insisted, &there);
        }
        match self.correction(child, &there) {
            None => Ok(corrected),
            Some(left) => Err(ApplyError::Contested {
                kind: kind.to_owned(),
                name: name.to_owned(),
                by: "the API server or one of its admission webhooks".to_owned(),
                fields: paths(&left).join(", "),
            }),
        }
    }

    /// Makes a certificate valid for a while.
    pub async fn certify(
        &self,
        owner: Option<&Owner>,
        metadata: ObjectMeta,
        manager: &str,
        spec: &CertificateSpec,
    ) -> Result<Certified, ApplyError> {
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &namespace);
        let wrap = |error| failed("Secret", &spec.secret, error);
        let held = self.trust.held();
        let live = match self.live.secrets().get(&namespace, &spec.secret) {
            Some(known) => Some(known.metadata.clone()),
            None => secrets
                .get_metadata_opt(&spec.secret)
                .await
                .map_err(wrap)?
                .map(|found| found.metadata),
        };
        let live = match (owner, live) {
            (Some(owner), Some(live)) => self.own_secret(owner, &secrets, live).await?,
            (_, live) => live,
        };
        if let Some(live) = &live
            && let Some(left) = spec.good_for(live, &held, Timestamp::now())
        {
            self.have_trust(&secrets, &namespace, manager, live, &held)
                .await?;
            return Ok(certified(left, live));
        }
        self.check_leading()?;
        let secret = self.secret(metadata, live.as_ref(), spec, &held)?;
        let parameters = PatchParams::apply(manager).force();
        let written = secrets
            .patch(&spec.secret, &parameters, &Patch::Apply(secret))
            .await
            .map_err(wrap)?;
        self.metrics.wrote(Written::Object);
        tracing::info!(secret = %spec.secret, %namespace, identity = %spec.identity, "issued a certificate");
        let seen = self.see(written.metadata);
        Ok(certified(renewal(self.lifetime), &seen))
    }

    /// Whoever has a good certificate keeps it, and is told whom to trust.
    async fn have_trust(
        &self,
        secrets: &Api<Secret>,
        namespace: &str,
        manager: &str,
        live: &ObjectMeta,
        held: &Held,
    ) -> Result<(), ApplyError> {
        if is_trusting(live, held) {
            return Ok(());
        }
        self.check_leading()?;
        let name = live.name.as_deref().unwrap_or_default();
        let bundle = ByteString(held.bundle().into_bytes());
        let patch = json!({
            "metadata": { "uid": live.uid, "annotations": trusting(held) },
            "data": { "ca.crt": bundle },
        });
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let written = secrets.patch(name, &parameters, &Patch::Merge(patch)).await;
        let written = written.map_err(|error| failed("Secret", name, error))?;
        self.metrics.wrote(Written::Object);
        tracing::info!(secret = %name, %namespace, "said whom to trust");
        self.see(written.metadata);
        Ok(())
    }

    fn see(&self, metadata: ObjectMeta) -> ObjectMeta {
        let mut metadata = PartialObjectMeta {
            metadata,
            ..PartialObjectMeta::default()
        };
        strip(&mut metadata);
        let seen = metadata.metadata.clone();
        self.live.secrets().take_up(None, Event::Apply(metadata));
        seen
    }

    fn secret(
        &self,
        mut metadata: ObjectMeta,
        live: Option<&ObjectMeta>,
        spec: &CertificateSpec,
        held: &Held,
    ) -> Result<Secret, ApplyError> {
        let issue = |source| ApplyError::Certificate {
            secret: spec.secret.clone(),
            source,
        };
        let pem = held
            .issue(&spec.identity, &spec.names, self.lifetime)
            .map_err(issue)?;
        let serial = pem.serial().map_err(|source| ApplyError::Unreadable {
            secret: spec.secret.clone(),
            source,
        })?;
        let now = Timestamp::now();
        let annotations = certificate_annotations(spec, held, &serial, live, self.lifetime, now);
        metadata.annotations.get_or_insert_default().extend(annotations);
        let data = [
            ("tls.crt", pem.certificate),
            ("tls.key", pem.key),
            ("ca.crt", pem.authority),
        ];
        let data = data
            .into_iter()
            .map(|(key, text)| (key.to_owned(), ByteString(text.into_bytes())));
        Ok(Secret {
            metadata,
            data: Some(data.collect()),
            type_: Some("kubernetes.io/tls".to_owned()),
            ..Secret::default()
        })
    }

    /// Deletes what carries the owner's mark and is not among what it should have.
    pub async fn prune(
        &self,
        owner: &Owner,
        children: &[Child],
        certificates: &[CertificateSpec],
    ) -> Result<(), ApplyError> {
        for kind in ChildKind::ALL.into_iter().rev() {
            let keep: BTreeSet<&str> = children
                .iter()
                .filter(|child| child.kind == kind)
                .map(|child| child.name.as_str())
                .collect();
            for live in self.live.children(kind).of(&owner.namespace) {
                let is_ours = owner.belonging(&live.metadata) != Belonging::Foreign;
                if is_ours && !keep.contains(live.name_any().as_str()) {
                    self.delete(
                        kind.api().kind.as_str(),
                        self.api(kind, &owner.namespace),
                        &live.metadata,
                    )
                    .await?;
                }
            }
        }
        for live in self.live.secrets().of(&owner.namespace) {
            let name = live.name_any();
            if is_our_secret(owner, &live.metadata) && !certificates.iter().any(|spec| spec.secret == name) {
                let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &owner.namespace);
                self.delete("Secret", secrets, &live.metadata).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn delete<K>(
        &self,
        kind: &str,
        api: Api<K>,
        metadata: &ObjectMeta,
    ) -> Result<(), ApplyError>
    where
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        if metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        self.check_leading()?;
        let name = metadata.name.clone().unwrap_or_default();
        let preconditions = Preconditions {
            uid: metadata.uid.clone(),
            resource_version: None,
        };
        let parameters = DeleteParams {
            preconditions: Some(preconditions),
            ..DeleteParams::background()
        };
        match api.delete(&name, &parameters).await {
            Ok(_) => {
                self.metrics.wrote(Written::Deletion);
                tracing::info!(%kind, %name, "deleted what is not needed any more");
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
            Err(error) => Err(failed(kind, &name, error)),
        }
    }

    pub(super) fn api(&self, kind: ChildKind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.api())
    }

    pub(super) fn check_leading(&self) -> Result<(), ApplyError> {
        self.leadership.epoch().map(drop).ok_or(ApplyError::NotLeading)
    }
}

/// Objects of the index are JSON with metadata; should one not be, it is written again.
fn as_json(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// The field manager other than ours that wrote last, as far as the object says.
fn last_writer(metadata: &ObjectMeta) -> String {
    let ours = |manager: &str| manager.starts_with("monstrum-");
    let others = metadata.managed_fields.iter().flatten().filter(|entry| {
        entry.subresource.is_none() && entry.manager.as_deref().is_some_and(|manager| !ours(manager))
    });
    others
        .max_by_key(|entry| entry.time.as_ref().map(|time| time.0))
        .and_then(|entry| entry.manager.clone())
        .unwrap_or_else(|| "an unknown writer".to_owned())
}

fn certified(good_for: Duration, secret: &ObjectMeta) -> Certified {
    Certified {
        good_for,
        certificates: Issued::read(secret).map_or_else(Vec::new, |issued| issued.certificates),
    }
}

/// What the API server answers to a wrong object it will answer again; everything else may pass.
pub(super) fn failed(kind: &str, name: &str, error: kube::Error) -> ApplyError {
    let (kind, name) = (kind.to_owned(), name.to_owned());
    match error {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => ApplyError::Refused {
            kind,
            name,
            message: status.message.clone(),
        },
        source => ApplyError::Failed { kind, name, source },
    }
}
