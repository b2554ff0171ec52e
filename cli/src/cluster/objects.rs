//! The objects of one namespace, and the cluster's resource types.

use std::fmt::Debug;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use kube::core::NamespaceResourceScope;
use kube::Client;
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, ResourceType, Workspace,
};
use monstrum_crds::object::Object;
use monstrum_crds::world::World;
use serde::de::DeserializeOwned;

use super::{Cluster, ClusterError};

/// Everything of this group that the user may read in the namespace, with the resource types.
pub(crate) async fn fetch(cluster: &Cluster) -> Result<Vec<Object>, ClusterError> {
    let client = &cluster.client;
    let namespace = cluster.namespace.as_str();
    let types: Api<ResourceType> = Api::all(client.clone());
    let everything = ListParams::default();
    let types = types.list(&everything);
    let (types, workspaces, providers, credentials, resources, bots, roles, bindings, channels) = tokio::try_join!(
        async { types.await.map_err(|error| ClusterError::request("listing the ResourceTypes", error)) },
        list::<Workspace>(client, namespace),
        list::<ModelProvider>(client, namespace),
        list::<Credential>(client, namespace),
        list::<Resource>(client, namespace),
        list::<Bot>(client, namespace),
        list::<BotRole>(client, namespace),
        list::<BotBinding>(client, namespace),
        list::<Channel>(client, namespace),
    )?;
    let mut objects = Vec::new();
    objects.extend(types.items.into_iter().map(|object| Object::ResourceType(Box::new(object))));
    objects.extend(workspaces.into_iter().map(|object| Object::Workspace(Box::new(object))));
    objects.extend(providers.into_iter().map(|object| Object::ModelProvider(Box::new(object))));
    objects.extend(credentials.into_iter().map(|object| Object::Credential(Box::new(object))));
    objects.extend(resources.into_iter().map(|object| Object::Resource(Box::new(object))));
    objects.extend(bots.into_iter().map(|object| Object::Bot(Box::new(object))));
    objects.extend(roles.into_iter().map(|object| Object::BotRole(Box::new(object))));
    objects.extend(bindings.into_iter().map(|object| Object::BotBinding(Box::new(object))));
    objects.extend(channels.into_iter().map(|object| Object::Channel(Box::new(object))));
    Ok(objects)
}

/// The bots alone.
pub(crate) async fn fetch_bots(cluster: &Cluster) -> Result<Vec<Bot>, ClusterError> {
    list(&cluster.client, &cluster.namespace).await
}

async fn list<K>(client: &Client, namespace: &str) -> Result<Vec<K>, ClusterError>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(error) => {
            Err(ClusterError::request(format!("listing the {} of namespace {namespace}", K::plural(&())), error))
        }
    }
}

/// Tells the world which of the Secrets that it names are there. Their content is not asked for: whether a key exists is
/// for the operator to say. A user who may not look is not told that something is missing.
pub(crate) async fn note_secrets(cluster: &Cluster, world: &mut World) {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let mut missing = Vec::new();
    for secret in world.secret_refs() {
        if matches!(secrets.get_metadata_opt(&secret.name).await, Ok(None)) {
            missing.push((secret.name, secret.key));
        }
    }
    world.assume_secrets();
    for key in missing {
        world.secret_versions.remove(&key);
    }
}

