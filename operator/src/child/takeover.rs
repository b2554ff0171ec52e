//! Objects that were there before: ours, left behind by an earlier owner of the name, and those of others.
//!
//! `kubectl delete --cascade=orphan`, and restores from backups that drop owner references, leave our objects without an owner.
//! They are taken over where they say by their labels that we made them for an object of this name, and no living controller
//! has them. What an identity hangs on is made anew: certificates, with nothing of the old one left good, and Deployments, so that no pod
//! of the earlier owner goes on under the name of the new one.

use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::apply::failed;
use super::{Applier, ApplyError, Belonging, CertificateSpec, Child, ChildKind, Issued, Owner};
use crate::metrics::Written;

/// Names that are told; more are counted.
const MAX_TOLD: usize = 40;

/// Objects of others that have names of ours: kinds and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strangers(Vec<(String, String)>);

impl Strangers {
    /// One of them.
    pub fn one(kind: &str, name: &str) -> Self {
        Self(vec![(kind.to_owned(), name.to_owned())])
    }
}

impl fmt::Display for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (kind, name)) in self.0.iter().take(MAX_TOLD).enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {name}")?;
        }
        let more = self.0.len().saturating_sub(MAX_TOLD);
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        f.write_str(if self.0.len() == 1 {
            " exists and is not ours: delete or rename it"
        } else {
            " exist and are not ours: delete or rename them"
        })
    }
}

/// Whether a Secret holds, or held, a certificate of this owner, or of an earlier one of its name.
pub(super) fn is_our_secret(owner: &Owner, secret: &ObjectMeta) -> bool {
    match owner.belonging(secret) {
        Belonging::Ours => true,
        Belonging::Left => Issued::read(secret).is_some_and(|issued| owner.is_named_by(&issued.identity)),
        Belonging::Foreign => false,
    }
}

impl Applier {
    /// Sees to it that an object which does not belong to `owner` yet is not there, or does.
    pub(super) async fn make_way(
        &self,
        owner: &Owner,
        manager: &str,
        child: &Child,
        api: &Api<DynamicObject>,
    ) -> Result<(), ApplyError> {
        let (kind, name) = (child.kind.as_str(), child.name.as_str());
        let Some(found) = self.found(child.kind, owner, name).await? else {
            return Ok(());
        };
        match owner.belonging(&found) {
            Belonging::Ours => Ok(()),
            Belonging::Foreign => Err(ApplyError::Foreign(Strangers::one(kind, name))),
            Belonging::Left if child.kind == ChildKind::Deployment => {
                self.replace(kind, name, api, &found).await
            }
            Belonging::Left => self.adopt(owner, manager, kind, api, &found).await,
        }
    }

    /// A Secret as it is, once it belongs to `owner`; nothing when it is not there.
    pub(super) async fn own_secret(
        &self,
        owner: &Owner,
        secrets: &Api<Secret>,
        live: ObjectMeta,
    ) -> Result<Option<ObjectMeta>, ApplyError> {
        if owner.owns(&live) {
            return Ok(Some(live));
        }
        let name = live.name.clone().unwrap_or_default();
        if !is_our_secret(owner, &live) {
            return Err(ApplyError::Foreign(Strangers::one("Secret", &name)));
        }
        self.replace("Secret", &name, secrets, &live).await.map(|()| None)
    }

    /// Every object of others that has a name which `owner` needs: whoever has to put it right wants to know all of them.
    pub async fn strangers(
        &self,
        owner: &Owner,
        children: &[Child],
        certificates: &[CertificateSpec],
    ) -> Result<Strangers, ApplyError> {
        let mut strangers = Vec::new();
        for child in children {
            let found = self.found(child.kind, owner, &child.name).await?;
            if found.is_some_and(|found| owner.belonging(&found) == Belonging::Foreign) {
                strangers.push((child.kind.as_str().to_owned(), child.name.clone()));
            }
        }
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &owner.namespace);
        for spec in certificates {
            let found = secrets.get_metadata_opt(&spec.secret).await;
            let found = found.map_err(|error| failed("Secret", &spec.secret, error))?;
            if found.is_some_and(|found| !is_our_secret(owner, &found.metadata)) {
                strangers.push(("Secret".to_owned(), spec.secret.clone()));
            }
        }
        Ok(Strangers(strangers))
    }

    /// An object's metadata, as far as is known or else as the API server has it: others' objects are not watched.
    async fn found(
        &self,
        kind: ChildKind,
        owner: &Owner,
        name: &str,
    ) -> Result<Option<ObjectMeta>, ApplyError> {
        if let Some(live) = self.live.children(kind).get(&owner.namespace, name) {
            return Ok(Some(live.metadata.clone()));
        }
        let found = self.api(kind, &owner.namespace).get_metadata_opt(name).await;
        let found = found.map_err(|error| failed(kind.as_str(), name, error))?;
        Ok(found.map(|found| found.metadata))
    }

    /// Deletes an object of an earlier owner, with all that follows from it.
    async fn replace<K>(
        &self,
        kind: &str,
        name: &str,
        api: &Api<K>,
        found: &ObjectMeta,
    ) -> Result<(), ApplyError>
    where
        K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        tracing::info!(%kind, %name, "an object of ours was left by an earlier owner; it is made anew");
        self.delete(kind, api.clone(), found).await?;
        let left = api.get_metadata_opt(name).await;
        match left.map_err(|error| failed(kind, name, error))? {
            None => Ok(()),
            Some(_) => Err(ApplyError::Going {
                kind: kind.to_owned(),
                name: name.to_owned(),
            }),
        }
    }

    /// Makes `owner` the only one of an object, as it was seen; what it says is put right by what follows.
    async fn adopt(
        &self,
        owner: &Owner,
        manager: &str,
        kind: &str,
        api: &Api<DynamicObject>,
        found: &ObjectMeta,
    ) -> Result<(), ApplyError> {
        let name = found.name.clone().unwrap_or_default();
        if found.deletion_timestamp.is_some() {
            return Err(ApplyError::Going {
                kind: kind.to_owned(),
                name,
            });
        }
        self.check_leading()?;
        let metadata = json!({
            "uid": found.uid,
            "resourceVersion": found.resource_version,
            "ownerReferences": [owner.reference()],
        });
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let adopted = api.patch(&name, &parameters, &patch).await;
        adopted.map_err(|error| failed(kind, &name, error))?;
        self.metrics.wrote(Written::Object);
        tracing::info!(%kind, %name, namespace = %owner.namespace, "took over an object of ours that was left by an earlier owner");
        Ok(())
    }
}
