//! Pieces of schema that Rust types alone do not give: patterns of names, and parts that hold any JSON.

pub use monstrum_contract::schema::*;
use schemars::{Schema, SchemaGenerator, json_schema};

use crate::kinds::pod::ContainerSettings;

/// A DNS label, as Kubernetes namespaces are called.
pub const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// A DNS subdomain, as most Kubernetes objects are called.
pub const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A key of a Kubernetes Secret.
pub const SECRET_KEY: &str = "^[-._a-zA-Z0-9]+$";
/// A dotted operation, a prefix of operations such as `issue.*`, or `*`.
pub const OPERATION_PATTERN: &str = r"^(\*|[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*(\.\*)?)$";
/// A tool's name, in which `*` stands for any characters.
pub const TOOL_PATTERN: &str = "^[a-zA-Z0-9_*-]+$";
/// What stands before `__` in a tool's name.
pub const ALIAS: &str = "^[a-zA-Z][a-zA-Z0-9-]*$";
/// A field of a request's body, or `None`.
pub const BODY_FIELD: &str = "^(None|[a-z][a-z0-9_]*)$";
/// An absolute `http` or `https` URL; more is checked after parsing.
pub const HTTP_URL: &str = r"^https?://[^\s]+$";
/// A host with an optional scheme and port, in which `*` stands for any characters; more is checked after parsing.
pub const DESTINATION: &str = r"^(https?://)?[-._a-zA-Z0-9*:/\[\]]+$";
/// A length of time such as `90s`, `5m` or `1d12h`.
pub const DURATION: &str = "^([0-9]{1,5}d)?([0-9]{1,6}h)?([0-9]{1,7}m)?([0-9]{1,8}s)?$";
/// A quantity as Kubernetes writes it.
pub const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";
/// What an answer may vary: from 0 to 2.
pub const TEMPERATURE: &str = r"^([01](\.[0-9]{1,4})?|2(\.0{1,4})?)$";
/// A share above 0, and 1 at most.
pub const SHARE: &str = r"^(0\.[0-9]{1,4}|1(\.0{1,4})?)$";
/// A decimal number of US dollars or the like.
pub const DECIMAL: &str = r"^[0-9]{1,6}(\.[0-9]{1,6})?$";

/// A list of literals: strings, numbers or booleans.
pub fn literals(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 256,
        "items": { "x-kubernetes-preserve-unknown-fields": true }
    })
}

/// Patterns by dimension.
pub fn scope(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": literals(generator)
    })
}

/// Quantities by resource name, for example `cpu: 500m`.
pub fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": { "x-kubernetes-int-or-string": true }
    })
}

/// Short strings by short names.
pub fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 253 }
    })
}

/// Values of labels by key; keys are checked after parsing.
pub fn label_values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": {
            "type": "string", "maxLength": 63, "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
        }
    })
}

/// Values of annotations by key; keys are checked after parsing.
pub fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 4096 }
    })
}

/// Values of environment variables by name; names are checked after parsing.
pub fn environment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 4096 }
    })
}

/// Settings of containers by name; names are checked after parsing.
pub fn containers(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 8,
        "additionalProperties": generator.subschema_for::<ContainerSettings>()
    })
}

/// Any JSON by field of a request's body.
pub fn body_fields(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "x-kubernetes-preserve-unknown-fields": true }
    })
}
