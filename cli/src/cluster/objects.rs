//! The objects of one namespace, and the cluster's resource types.

use std::fmt::Debug;

use futures::FutureExt as _;
use futures::future::{BoxFuture, try_join_all};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource};
use monstrum_crds::consent::Consent;
use monstrum_crds::kinds::{Bot, ResourceType};
use monstrum_crds::object::Object;
use monstrum_crds::world::World;
use serde::de::DeserializeOwned;

use super::{Cluster, ClusterError};

/// Everything of this group that the user may read in the namespace, with the resource types.
pub(crate) async fn fetch(cluster: &Cluster) -> Result<Vec<Object>, ClusterError> {
    let lists: [BoxFuture<'_, Result<Vec<Object>, ClusterError>>; 9] = [
        resource_types(&cluster.client).boxed(),
        objects(cluster, Object::Workspace).boxed(),
        objects(cluster, Object::ModelProvider).boxed(),
        objects(cluster, Object::Credential).boxed(),
        objects(cluster, Object::Resource).boxed(),
        objects(cluster, Object::Bot).boxed(),
        objects(cluster, Object::BotRole).boxed(),
        objects(cluster, Object::BotBinding).boxed(),
        objects(cluster, Object::Channel).boxed(),
    ];
    Ok(try_join_all(lists).await?.into_iter().flatten().collect())
}

/// The bots alone.
pub(crate) async fn fetch_bots(cluster: &Cluster) -> Result<Vec<Bot>, ClusterError> {
    list(cluster).await
}

async fn resource_types(client: &Client) -> Result<Vec<Object>, ClusterError> {
    let api: Api<ResourceType> = Api::all(client.clone());
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(list
            .items
            .into_iter()
            .map(|object| Object::ResourceType(Box::new(object)))
            .collect()),
        Err(error) => Err(ClusterError::request("listing the resourcetypes", error)),
    }
}

async fn objects<K>(cluster: &Cluster, into: fn(Box<K>) -> Object) -> Result<Vec<Object>, ClusterError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    Ok(list::<K>(cluster)
        .await?
        .into_iter()
        .map(|object| into(Box::new(object)))
        .collect())
}

async fn list<K>(cluster: &Cluster) -> Result<Vec<K>, ClusterError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let namespace = &cluster.namespace;
    let api: Api<K> = Api::namespaced(cluster.client.clone(), namespace);
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(error) => Err(ClusterError::request(
            format!("listing the {} of namespace {namespace}", K::plural(&())),
            error,
        )),
    }
}

/// Tells the world which of the Secrets that it names are there, and what they agree to. Their content is not asked for: whether a key
/// exists is for the operator to say. Where the user may not look, nothing is said to be missing.
pub(crate) async fn note_secrets(cluster: &Cluster, world: &mut World) {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let refs = world.secret_refs();
    world.assume_secrets();
    for secret in refs {
        match secrets.get_metadata_opt(&secret.name).await {
            Ok(Some(found)) => {
                let consent = Consent::of(found.metadata.annotations.as_ref());
                world.consents.insert(secret.name, consent);
            }
            Ok(None) => {
                world.consents.remove(&secret.name);
                world.secret_versions.remove(&(secret.name, secret.key));
            }
            Err(_) => {}
        }
    }
}
