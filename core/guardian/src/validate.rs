//! Everything about a resource type and its grants that a structural schema cannot say.

use crate::fault::FieldFault;
use crate::source::{Grant, ResourceType};

/// What is wrong with a resource type. Fields are relative to its spec, for example `tools[0].scope[1].dimension`.
pub fn validate_resource_type(resource_type: &ResourceType) -> Vec<FieldFault> {
    vec![FieldFault::new("tools", format!("resource type {} cannot be judged yet", resource_type.name))]
}

/// What is wrong with grants under their resource type. Fields begin with `grants[i]`.
pub fn validate_grants(resource_type: &ResourceType, grants: &[Grant]) -> Vec<FieldFault> {
    let _ = (resource_type, grants);
    vec![FieldFault::new("grants", "grants cannot be judged yet")]
}
