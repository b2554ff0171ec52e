//! One namespace out of the index, as the pure functions of `monstrum_crds` take it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::ResourceExt;
use monstrum_crds::kinds::workspace;
use monstrum_crds::object::Kind;
use monstrum_crds::world::World;

use super::objects::Objects;
use super::{Index, Key, secrets};

impl Index {
    /// One namespace, with what is known of its Secrets. Objects that are being deleted are not in it.
    pub fn world(&self, namespace: &str) -> World {
        let mut world = World {
            namespace: namespace.to_owned(),
            workspace: by_name(&self.workspaces, namespace).remove(workspace::NAME),
            is_workspace_unreadable: self.broken.holds(&Key {
                kind: Kind::Workspace,
                namespace: namespace.to_owned(),
                name: workspace::NAME.to_owned(),
            }),
            providers: by_name(&self.providers, namespace),
            credentials: by_name(&self.credentials, namespace),
            resources: by_name(&self.resources, namespace),
            bots: by_name(&self.bots, namespace),
            roles: by_name(&self.roles, namespace),
            bindings: by_name(&self.bindings, namespace),
            channels: by_name(&self.channels, namespace),
            placement: Some(Arc::clone(&self.placement)),
            cluster_domain: self.cluster_domain.clone(),
            resource_types: self.contracts(),
            secret_versions: BTreeMap::new(),
            consents: BTreeMap::new(),
        };
        let refs = world.secret_refs();
        world.secret_versions = self.secrets.versions(&self.live, namespace, &refs);
        world.consents = secrets::consents(&self.live, namespace, &refs);
        world
    }
}

fn by_name<K: ResourceExt>(objects: &Objects<K>, namespace: &str) -> BTreeMap<String, Arc<K>> {
    let live = objects
        .of(namespace)
        .into_iter()
        .filter(|object| object.meta().deletion_timestamp.is_none());
    live.map(|object| (object.name_any(), object)).collect()
}
