//! What all our kinds have in common.

use std::fmt::Debug;
use std::sync::Arc;

use kube::Resource;
use monstrum_crds::conditions::Conditioned;
use monstrum_crds::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource as BoundResource, ResourceType,
    Workspace,
};
use monstrum_crds::object::{Kind, Object};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::index::{Index, Objects};

/// An object of one of our kinds.
pub trait Governed:
    Resource<DynamicType = ()>
    + Conditioned
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its kind.
    const KIND: Kind;
    /// Who writes its status.
    const STATUS_MANAGER: &'static str;

    /// Where the index keeps its like.
    fn objects(index: &Index) -> &Arc<Objects<Self>>;

    /// Its status as it is.
    fn status_value(&self) -> Value;

    /// The object, for validation.
    fn object(&self) -> Object;
}

macro_rules! governed {
    ($($kind:ident: $type:ty, $field:ident, $manager:literal;)+) => {$(
        impl Governed for $type {
            const KIND: Kind = Kind::$kind;
            const STATUS_MANAGER: &'static str = $manager;

            fn objects(index: &Index) -> &Arc<Objects<Self>> {
                &index.$field
            }

            fn status_value(&self) -> Value {
                // A status is a struct of strings, numbers and lists: it always is JSON.
                self.status.as_ref().map(|status| serde_json::to_value(status).unwrap_or_default()).unwrap_or_default()
            }

            fn object(&self) -> Object {
                Object::$kind(Box::new(self.clone()))
            }
        }
    )+};
}

governed! {
    ResourceType: ResourceType, resource_types, "monstrum-resourcetype-status";
    Workspace: Workspace, workspaces, "monstrum-workspace-status";
    ModelProvider: ModelProvider, providers, "monstrum-modelprovider-status";
    Credential: Credential, credentials, "monstrum-credential-status";
    Resource: BoundResource, resources, "monstrum-resource-status";
    Bot: Bot, bots, "monstrum-bot-status";
    BotRole: BotRole, roles, "monstrum-botrole-status";
    BotBinding: BotBinding, bindings, "monstrum-botbinding-status";
    Channel: Channel, channels, "monstrum-channel-status";
}
