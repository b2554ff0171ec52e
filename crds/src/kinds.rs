//! One file per kind, and the parts that several kinds share.

pub mod bot;
pub mod bot_binding;
pub mod bot_role;
pub mod budget;
pub mod channel;
pub mod credential;
pub mod grant;
pub mod model_provider;
pub mod pod;
pub mod proxy;
pub mod resource;
pub mod resource_type;
pub mod secret;
pub mod span;
pub mod status;
pub mod workspace;

pub use bot::{Bot, BotSpec, BotStatus, Limits};
pub use bot_binding::{BotBinding, BotBindingSpec, CredentialUse};
pub use bot_role::{BotRole, BotRoleSpec, RoleGrant};
pub use budget::Budget;
pub use channel::{Channel, ChannelSpec};
pub use credential::{Credential, CredentialSpec};
pub use grant::Grant;
pub use model_provider::{ModelProvider, ModelProviderSpec};
pub use pod::PodSettings;
pub use proxy::Proxy;
pub use resource::{Resource, ResourceSpec};
pub use resource_type::{ResourceType, ResourceTypeSpec};
pub use secret::SecretKeyRef;
pub use span::Span;
pub use status::ObjectStatus;
pub use workspace::{Ceiling, Workspace, WorkspaceSpec};

/// The API group of every kind.
pub const GROUP: &str = "monstrum.dev";
/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";
