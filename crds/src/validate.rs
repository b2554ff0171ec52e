//! What is wrong with an object, beyond what its schema and CEL rules can say.
//!
//! One pure function for each kind, used by the operator, the command line and the admission webhook alike. A webhook
//! refuses only faults of the object's own making ([`refusals`]): what an object names may come later.

use std::fmt;

use monstrum_guardian::source;

use crate::conditions::Reason;
use crate::object::Object;
use crate::world::World;

pub(crate) mod address;
mod base_url;
pub mod bot;
pub mod bot_binding;
pub mod bot_role;
pub(crate) mod boundary;
pub mod channel;
pub(crate) mod config;
pub mod credential;
pub(crate) mod destination;
pub(crate) mod generation;
pub(crate) mod limits;
pub mod model_provider;
pub(crate) mod placement;
pub mod pod;
pub(crate) mod reference;
pub(crate) mod request_shape;
pub mod resource;
pub mod resource_type;
pub mod workspace;

/// One thing that is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where, for example `spec.grants[0].scope.repository`.
    pub field: String,
    /// What is wrong and how to put it right, to be read after the field.
    pub message: String,
    /// Which sort of wrong.
    pub reason: Reason,
    /// What is at the bottom of it: the reason itself, or that of an object that is named.
    pub cause: Reason,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>, reason: Reason) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            reason,
            cause: reason,
        }
    }

    /// The same, with another cause.
    #[must_use]
    pub fn caused_by(mut self, cause: Reason) -> Self {
        self.cause = cause;
        self
    }

    /// A fault of the object's own making.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(field, message, Reason::Invalid)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// What is wrong with an object, in its world.
pub fn validate(object: &Object, world: &World) -> Vec<Fault> {
    match object {
        Object::ResourceType(object) => resource_type::validate(object),
        Object::Workspace(object) => workspace::validate(object, world),
        Object::ModelProvider(object) => model_provider::validate(object, world),
        Object::Credential(object) => credential::validate(object, world),
        Object::Resource(object) => resource::validate(object, world),
        Object::Bot(object) => bot::validate(object, world),
        Object::BotRole(object) => bot_role::validate(object, world),
        Object::BotBinding(object) => bot_binding::validate(object, world),
        Object::Channel(object) => channel::validate(object, world),
    }
}

/// The faults for which an object is refused at admission: those of its own making, not of what it names.
pub fn refusals(object: &Object, world: &World) -> Vec<Fault> {
    validate(object, world)
        .into_iter()
        .filter(|fault| !fault.reason.is_about_refs())
        .collect()
}

/// What of the grants, of one resource type, is beyond the boundary of the namespace; fields begin with `grants[i]`.
pub fn beyond_boundary(
    resource_type: &source::ResourceType,
    grants: &[source::Grant],
    world: &World,
) -> Vec<Fault> {
    boundary::excess(resource_type, grants, world, str::to_owned)
}
